/* SPDX-License-Identifier: MIT
 * support.c - children that may die, and seeded numbers, for all tests.
 *
 * cmocka has no time limit of its own and catches signals in its own process only, so whatever may end a
 * process runs in a child here: its handlers are the default ones again, and it writes no core file.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void support_limit_time(unsigned seconds) {
    struct rlimit work;
    getrlimit(RLIMIT_CPU, &work);
    if (work.rlim_max == RLIM_INFINITY || work.rlim_max > SUPPORT_SECONDS)
        work.rlim_cur = SUPPORT_SECONDS;                /* the harder limit stays: it cannot be raised again */
    setrlimit(RLIMIT_CPU, &work);
    alarm(seconds);
}

static void support_become_mortal(void) {
    static const int caught[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM, SIGXCPU, SIGTERM };
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        signal(caught[i], SIG_DFL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    support_limit_time(SUPPORT_PATIENCE);
}

/* Drains the pipe to its end even when `said` is full: a child must not block on what nobody reads. */
static void support_listen(int from, char *said, size_t said_bytes) {
    size_t kept = 0;
    char piece[512];
    for (;;) {
        ssize_t got = read(from, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got && said && kept + 1 < said_bytes; i++)
            said[kept++] = piece[i];
    }
    if (said && said_bytes)
        said[kept] = '\0';
}

static int support_run(void (*act)(void *), void *context, char *const argv[], char *said, size_t said_bytes) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return -1;
    fflush(NULL);                       /* or the child prints what the parent had buffered */
    pid_t child = fork();
    if (child == 0) {
        support_become_mortal();
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        if (argv) {
            execv(argv[0], argv);
            _exit(127);
        }
        act(context);
        _exit(0);
    }
    close(ends[1]);
    support_listen(ends[0], said, said_bytes);
    close(ends[0]);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int support_child(void (*act)(void *), void *context, char *said, size_t said_bytes) {
    return support_run(act, context, NULL, said, said_bytes);
}

int support_program(char *const argv[], char *said, size_t said_bytes) {
    return support_run(NULL, NULL, argv, said, said_bytes);
}

void support_assert_between(const char *what, uintmax_t value, uintmax_t least, uintmax_t most) {
    if (value < least || value > most)
        fail_msg("%s is %ju, not from %ju to %ju", what, value, least, most);
}

int support_skip_all(const char *reason) {
    fprintf(stderr, "%s\n", reason);
    return SUPPORT_SKIPPED;
}

bool support_dies(void (*act)(void *), void *context, int signal) {
    return support_child(act, context, NULL, 0) == -signal;
}

bool support_survives(void (*act)(void *), void *context) {
    return support_child(act, context, NULL, 0) == 0;
}

_Noreturn void support_skip(const char *reason) {
    print_message("# skipped: %s\n", reason);
    skip();
    abort();                            /* skip() does not return, and cmocka.h does not say so */
}

/* The loader is asked to list this program's libraries, which ends before main. */
bool support_executes(void) {
    char *const argv[] = { "/proc/self/exe", NULL };
    setenv("LD_TRACE_LOADED_OBJECTS", "1", 1);
    int ended = support_program(argv, NULL, 0);
    unsetenv("LD_TRACE_LOADED_OBJECTS");
    return ended == 0;
}

static void support_map_beyond_limit(void *unused) {
    size_t bytes = (size_t)1 << 20;
    (void)unused;
    setrlimit(RLIMIT_AS, &(struct rlimit){ bytes, bytes });
    void *memory = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    _exit(memory == MAP_FAILED ? 0 : 1);
}

bool support_limits_addresses(void) {
    return support_survives(support_map_beyond_limit, NULL);
}

uint64_t support_random(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Word by word, because tests fill gigabytes; a byte depends on its place alone, so a prefix stays valid. */
static uint64_t support_word(uint64_t seed, size_t word) {
    return (seed + 1) * 0x9e3779b97f4a7c15u + word * 0xbf58476d1ce4e5b9u;
}

void support_fill(void *memory, size_t bytes, uint64_t seed) {
    unsigned char *at = memory;
    for (size_t done = 0; done < bytes; done += sizeof(uint64_t)) {
        uint64_t word = support_word(seed, done / sizeof word);
        memcpy(at + done, &word, bytes - done < sizeof word ? bytes - done : sizeof word);
    }
}

bool support_filled(const void *memory, size_t bytes, uint64_t seed) {
    const unsigned char *at = memory;
    for (size_t done = 0; done < bytes; done += sizeof(uint64_t)) {
        uint64_t word = support_word(seed, done / sizeof word);
        if (memcmp(at + done, &word, bytes - done < sizeof word ? bytes - done : sizeof word))
            return false;
    }
    return true;
}
