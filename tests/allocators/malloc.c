/* SPDX-License-Identifier: MIT
 * malloc.c - our own allocators as the malloc of a process: build/lib/refarena-<name>.so, each preloaded into
 * this program, executed anew.
 *
 * Before main, a constructor here has allocated and kept blocks. Sanitizers are mallocs themselves and take no
 * other, so that the test is skipped there.
 */
#include "tests/support.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef REFARENA_SANITIZED

static const char *const libraries[] = { "pymalloc", "magazine", "bump", "debug-pymalloc" };

/* --- what the executed program does --- */

enum { EARLY = 100 };
static char *early[EARLY];

__attribute__((constructor)) static void allocate_before_main(void) {
    for (size_t i = 0; i < EARLY; i++)
        if ((early[i] = malloc(i * 31)))
            support_fill(early[i], i * 31, i);
}

#define MUST(condition) ((condition) ? (void)0 : (fprintf(stderr, "not so: %s\n", #condition), _exit(1)))

/* Through a variable, so that the compiler cannot know what is called. */
static void *(*volatile any_malloc)(size_t) = malloc;
static void *(*volatile any_calloc)(size_t, size_t) = calloc;
static void *(*volatile any_realloc)(void *, size_t) = realloc;
static void *(*volatile any_aligned_alloc)(size_t, size_t) = aligned_alloc;
static volatile size_t too_much = SIZE_MAX;
static void *volatile kept;             /* clang leaves out an allocation that nobody uses, and takes it for a success */

static void blocks_of_before_main_are_whole(void) {
    for (size_t i = 0; i < EARLY; i++) {
        MUST(early[i] && support_filled(early[i], i * 31, i));
        free(early[i]);
    }
}

static void every_function_gives_what_it_promises(void) {
    static const size_t sizes[] = { 0, 1, 15, 16, 100, 511, 512, 513, 4096, 5000, 100000, 1 << 20, 3 << 20 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t bytes = sizes[i], page = (size_t)sysconf(_SC_PAGESIZE);
        void *plain = any_malloc(bytes), *zeroed = any_calloc(bytes, 1), *paged = valloc(bytes), *pages = pvalloc(bytes);
        MUST(plain && zeroed && paged && pages && (uintptr_t)plain % 16 == 0);
        MUST((uintptr_t)paged % page == 0 && (uintptr_t)pages % page == 0);
        MUST(malloc_usable_size(plain) >= bytes && malloc_usable_size(pages) >= (bytes + page - 1) / page * page);
        for (size_t k = 0; k < bytes; k++)
            MUST(((char *)zeroed)[k] == 0);
        memset(plain, 1, bytes), memset(paged, 2, bytes), memset(pages, 3, malloc_usable_size(pages));
        free(plain), free(zeroed), free(paged), free(pages);
        for (size_t alignment = 8; alignment <= 1 << 20; alignment *= 2) {
            void *one = aligned_alloc(alignment, bytes), *two = memalign(alignment - 1, bytes), *three;
            MUST(posix_memalign(&three, alignment, bytes) == 0 && one && two);
            MUST((uintptr_t)one % alignment == 0 && (uintptr_t)two % alignment == 0 && (uintptr_t)three % alignment == 0);
            support_fill(one, bytes, i);
            one = realloc(one, bytes + 1000);
            MUST(one && support_filled(one, bytes, i));
            free(one), free(two), free(three);
        }
    }
    MUST(malloc_usable_size(NULL) == 0);
    free(NULL);
}

static void a_resize_keeps_contents(void) {
    uint64_t random = 3;
    char *block = NULL;
    size_t had = 0;
    for (int i = 0; i < 3000; i++) {
        size_t bytes = 1 + support_random(&random) % (i % 10 ? 2000 : 3 << 20), kept = had < bytes ? had : bytes;
        block = i % 2 ? reallocarray(block, bytes, 1) : any_realloc(block, bytes);
        MUST(block && support_filled(block, kept, 9));
        support_fill(block, had = bytes, 9);
    }
    MUST(any_realloc(block, 0) == NULL);
}

static void what_cannot_be_is_refused(void) {
    char *block = any_malloc(100);
    void *untouched = block;
    support_fill(block, 100, 4);
    errno = 0;
    MUST(!any_malloc(PTRDIFF_MAX) && errno == ENOMEM);
    errno = 0;
    MUST(!any_malloc(SIZE_MAX) && errno == ENOMEM);
    errno = 0;
    MUST(!any_calloc(SIZE_MAX / 2, 3) && errno == ENOMEM);
    errno = 0;
    MUST(!reallocarray(block, too_much / 4, 5) && errno == ENOMEM);
    errno = 0;
    MUST(!any_realloc(block, PTRDIFF_MAX) && errno == ENOMEM);
    errno = 0;
    MUST(!any_aligned_alloc(24, 100) && errno == EINVAL);
    MUST(!any_aligned_alloc(0, 100) && errno == EINVAL);
    errno = 7;
    MUST(posix_memalign(&untouched, 24, 100) == EINVAL && posix_memalign(&untouched, 4, 100) == EINVAL);
    MUST(posix_memalign(&untouched, 0, 100) == EINVAL && posix_memalign(&untouched, 64, PTRDIFF_MAX) == ENOMEM);
    MUST(errno == 7 && untouched == block);
    MUST(!(kept = pvalloc(too_much)) && !(kept = valloc(too_much)) && !(kept = memalign(too_much, 1)));
    MUST(support_filled(block, 100, 4));
    errno = 7;
    free(block);
    void *mapped = any_malloc(5 << 20);
    free(mapped);
    MUST(errno == 7);
}

/* Each thread exits without a word, and leaves blocks for others; some are freed by a destructor of its own, which
 * may come after the allocator's. */
static pthread_key_t last_words;
static _Atomic(char *) mailboxes[64];

static void free_last_words(void *block) {
    free(block);
    free(any_malloc(300));
}

static void *correspond(void *seed) {
    uint64_t random = (uintptr_t)seed;
    pthread_setspecific(last_words, any_malloc(200));
    for (int i = 0; i < 3000; i++) {
        size_t bytes = support_random(&random) % (i % 50 ? 700 : 50000);
        char *letter = any_malloc(sizeof bytes + bytes);
        memcpy(letter, &bytes, sizeof bytes);
        support_fill(letter + sizeof bytes, bytes, bytes);
        letter = atomic_exchange(&mailboxes[support_random(&random) % 64], letter);
        if (letter) {
            memcpy(&bytes, letter, sizeof bytes);
            MUST(support_filled(letter + sizeof bytes, bytes, bytes));
            free(letter);
        }
    }
    return NULL;
}

static void threads_come_and_go(void) {
    MUST(!pthread_key_create(&last_words, free_last_words));
    for (uintptr_t round = 0; round < 4; round++) {
        pthread_t threads[6];
        for (uintptr_t i = 0; i < 6; i++)
            MUST(!pthread_create(&threads[i], NULL, correspond, (void *)(round * 6 + i)));
        for (int i = 0; i < 6; i++)
            pthread_join(threads[i], NULL);
    }
}

static atomic_bool stop;

static void *allocate_until_stopped(void *seed) {
    while (!stop)
        correspond(seed);
    return NULL;
}

static void a_child_of_a_program_with_threads_can_allocate(void) {
    pthread_t threads[2];
    for (uintptr_t i = 0; i < 2; i++)
        MUST(!pthread_create(&threads[i], NULL, allocate_until_stopped, (void *)(i + 1)));
    for (int i = 0; i < 20; i++) {
        char *inherited = any_malloc(1000);
        support_fill(inherited, 1000, 5);
        pid_t child = fork();
        if (child == 0) {
            support_limit_time(SUPPORT_PATIENCE / 2);
            MUST(support_filled(inherited, 1000, 5));
            free(inherited);
            correspond((void *)7);
            pthread_t thread;
            MUST(!pthread_create(&thread, NULL, correspond, (void *)8));
            pthread_join(thread, NULL);
            _exit(0);
        }
        int status = -1;
        waitpid(child, &status, 0);
        MUST(status == 0);
        free(inherited);
    }
    stop = true;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static int be_the_subject(const char *library) {
    Dl_info about;
    MUST(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &about) && strstr(about.dli_fname, library));
    blocks_of_before_main_are_whole();
    every_function_gives_what_it_promises();
    a_resize_keeps_contents();
    what_cannot_be_is_refused();
    threads_come_and_go();
    a_child_of_a_program_with_threads_can_allocate();
    return 0;
}

/* --- the tests --- */

static char folder[4096];           /* of the libraries: beside that of the tests */

static void find_folder(void) {
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    for (int i = 0; i < 3 && length > 0; i++)
        *strrchr(folder, '/') = '\0';           /* the program, allocators, tests */
    strcat(folder, "/lib");
}

/* Before what this process itself has preloaded, which stays; NULL: that alone again. */
static void preload(const char *path) {
    static char both[2 * sizeof folder];
    static const char *before;
    if (path) before = getenv("LD_PRELOAD");
    if (path && before) snprintf(both, sizeof both, "%s:%s", path, before = strdup(before));
    const char *all = !path ? before : before ? both : path;
    if (all) setenv("LD_PRELOAD", all, 1);
    else unsetenv("LD_PRELOAD");
}

static void assert_serves(const char *library) {
    char path[sizeof folder + 64], said[4096];
    snprintf(path, sizeof path, "%s/refarena-%s.so", folder, library);
    if (access(path, R_OK))
        support_skip("the library is not built");
    if (!support_executes()) support_skip("programs of this kind cannot be executed from here");
    char *const argv[] = { "/proc/self/exe", "subject", (char *)path, NULL };
    preload(path);
    int ended = support_program(argv, said, sizeof said);
    preload(NULL);
    if (ended != 0)
        fail_msg("%s: ended %d, said \"%s\"", library, ended, said);
}

TEST(pymalloc_serves_a_whole_process)       { assert_serves(libraries[0]); }
TEST(magazine_serves_a_whole_process)       { assert_serves(libraries[1]); }
TEST(bump_serves_a_whole_process)           { assert_serves(libraries[2]); }
TEST(debug_pymalloc_serves_a_whole_process) { assert_serves(libraries[3]); }

TEST(a_library_of_pymalloc_writes_its_figures_where_it_is_told) {
    char path[sizeof folder + 64], written[] = P_tmpdir "/refarena-stats-XXXXXX", line[256] = "";
    snprintf(path, sizeof path, "%s/refarena-pymalloc.so", folder);
    if (access(path, R_OK))
        support_skip("the library is not built");
    if (!support_executes()) support_skip("programs of this kind cannot be executed from here");
    close(mkstemp(written));
    preload(path);
    setenv("REFARENA_MALLOC_STATS", written, 1);
    int ended = support_program((char *const[]){ "/proc/self/exe", "subject", path, NULL }, NULL, 0);
    unsetenv("REFARENA_MALLOC_STATS");
    preload(NULL);
    assert_int_equal(ended, 0);
    FILE *file = fopen(written, "r");
    size_t pools = 0, arena, pool, bytes, used, capacity;
    assert_non_null(fgets(line, sizeof line, file));
    assert_string_equal(line, "Small block threshold = 512, in 32 size classes.\n");
    while (fgets(line, sizeof line, file) && strcmp(line, "arena pool class_bytes used capacity\n")) {}
    for (; fscanf(file, "%zu %zu %zu %zu %zu", &arena, &pool, &bytes, &used, &capacity) == 5; pools++)
        assert_true(used <= capacity && capacity * bytes <= 16384 - 48 && (bytes == 0) == (used == 0));
    assert_true(pools >= 63);
    fclose(file);
    unlink(written);
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "subject"))
        return be_the_subject(argv[2]);
    find_folder();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pymalloc_serves_a_whole_process),
        cmocka_unit_test(magazine_serves_a_whole_process),
        cmocka_unit_test(bump_serves_a_whole_process),
        cmocka_unit_test(debug_pymalloc_serves_a_whole_process),
        cmocka_unit_test(a_library_of_pymalloc_writes_its_figures_where_it_is_told),
    };
    return cmocka_run_group_tests_name("malloc", tests, NULL, NULL);
}

#else

int main(void) {
    return support_skip_all("a sanitizer is a malloc itself");
}

#endif
