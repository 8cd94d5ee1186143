/* SPDX-License-Identifier: MIT
 * recorder_subject.c - a program for the recorder to record; its first argument says what to live through.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 3000, SHELVES = 64 };

/* Each call once, with sizes that nothing else asks for. */
static void every_call(void) {
    volatile size_t huge = SIZE_MAX / 2;            /* a compiler that knew it would warn */
    void *a = malloc(100001), *b = calloc(10, 10001), *c = NULL;
    a = realloc(a, 100003);
    void *d = aligned_alloc(64, 100032), *e = memalign(256, 100005), *f = valloc(100006), *g = pvalloc(4097);
    if (posix_memalign(&c, 4096, 100004) != 0) abort();
    if (posix_memalign(&c, 24, 1) != EINVAL || posix_memalign(&c, 4, 1) != EINVAL) abort();
    void *h = reallocarray(NULL, 7, 14301), *i = realloc(NULL, 100008), *j = malloc(0);
    if (reallocarray(h, huge, 3) || errno != ENOMEM || calloc(huge, 3)) abort();
    if (malloc(huge) || realloc(a, huge)) abort();
    if (malloc_usable_size(a) < 100003 || (uintptr_t)d % 64 || (uintptr_t)c % 4096 || (uintptr_t)e % 256) abort();
    for (size_t at = 0; at < 100010; at++) if (((char *)b)[at]) abort();
    void *all[] = {a, b, c, d, e, f, g, h, i, j, NULL};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        errno = 77;
        free(all[k]);
        if (errno != 77) abort();
    }
    a = malloc(100009);
    if (realloc(a, 0)) abort();
}

/* Blocks are put on shelves by one thread and taken off, freed or resized by any other. */
static _Atomic(char *) shelves[SHELVES];

static void *trade(void *seed) {
    uint64_t dice = (uintptr_t)seed;
    for (int i = 0; i < ROUNDS; i++) {
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        char *mine = (dice >> 33) % 3 ? malloc(1 + (dice >> 40) % 700) : calloc(1, 1 + (dice >> 40) % 700);
        *mine = (char)i;
        char *theirs = __atomic_exchange_n((char **)&shelves[(dice >> 20) % SHELVES], mine, __ATOMIC_ACQ_REL);
        if ((dice >> 50) % 4 == 0 && theirs) theirs = realloc(theirs, 1 + (dice >> 45) % 3000);
        free(theirs);
    }
    return NULL;
}

static void threads(void) {
    for (int round = 0; round < 2; round++) {       /* the second four are new threads */
        pthread_t thread[THREADS];
        for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, trade, (void *)(i + 1));
        for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    }
}

/* Children are born while other threads are inside malloc. */
static void forks(void) {
    pthread_t thread[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, trade, (void *)(i + 9));
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) {
            trade((void *)5);
            if (i % 2) _exit(0);
            exit(0);
        }
        int status;
        if (waitpid(child, &status, 0) != child || status != 0) abort();
    }
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
}

int main(int count, char **arguments) {
    const char *how = count > 1 ? arguments[1] : "";
    every_call();
    if (strcmp(how, "threads") == 0) threads();
    if (strcmp(how, "forks") == 0) forks();
    if (strcmp(how, "_exit") == 0) _exit(3);
    if (strcmp(how, "quick_exit") == 0) quick_exit(4);
    if (strcmp(how, "execlp") == 0) execlp("true", "true", NULL);
    if (strcmp(how, "execvp") == 0) execvp("true", (char *[]){"true", NULL});
    if (strcmp(how, "kill") == 0) raise(SIGKILL);
    if (strcmp(how, "closes") == 0) {               /* what daemons do, and then their own files have those numbers */
        for (int file = 3; file < 64; file++) close(file);
        if (chdir("/") != 0) return 1;
        threads();
    }
    if (strcmp(how, "no_exec") == 0) {
        execl("/nonexistent/program", "program", NULL);
        execle("/nonexistent/program", "program", "argument", NULL, environ);
        free(malloc(200001));                       /* recorded still */
    }
    return 0;
}
