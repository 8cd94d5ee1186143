/* SPDX-License-Identifier: MIT
 * malloc.c - any allocator of ours as malloc: build/lib/refarena-<name>.so, for LD_PRELOAD.
 *
 *   LD_PRELOAD=build/lib/refarena-magazine.so python3 program.py
 *
 * Compiled once for each: MALLOC_OF is its spec. One that is not thread-safe gets a lock around it. The
 * library holds all that the allocator needs, none of it visible from outside but the functions here; for its own
 * large requests it has large.c, since asking malloc would be asking itself.
 *
 * The first call of a process, which comes before main and before any constructor, finds a table that opens the
 * allocator, puts its table in the place, and calls it: so no later call asks whether it is open.
 * A child of a fork gets whole heaps: their locks are held while the process is copied.
 *
 * Where an allocator cannot say how long a block is (bump), a word before each block does.
 *
 * With REFARENA_MALLOC_STATS=<file> in the environment a library of pymalloc writes its figures and the map of its
 * pools (survey.h) there when the program ends.
 *
 * Sources: malloc(3), posix_memalign(3), malloc_usable_size(3); POSIX.1-2017. As in glibc, realloc to 0
 * bytes releases, and memalign takes any alignment for the next power of two.
 */
#include "allocator.h"
#include "os_page.h"
#include "pymalloc/arena.h"
#include "pymalloc/survey.h"
#include "system.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MALLOC_VISIBLE __attribute__((visibility("default")))

enum { MALLOC_SPEC_BYTES = 128 };

/* --- the table --- */

static const allocator malloc_before;
static const allocator *malloc_table = &malloc_before;
static bool malloc_sized;               /* blocks have a malloc_size before them */

static void malloc_fork_prepare(void) { malloc_table->fork_prepare(); system_allocator.fork_prepare(); }
static void malloc_fork_parent(void)  { system_allocator.fork_parent(); malloc_table->fork_parent(); }
static void malloc_fork_child(void)   { system_allocator.fork_child(); malloc_table->fork_child(); }

/* By write alone: dprintf would allocate, and come back here. */
_Noreturn static void malloc_die(const char *why) {
    char line[640];
    int length = snprintf(line, sizeof line, "refarena: %s\n", why);
    if (write(STDERR_FILENO, line, (size_t)length) < 0) _Exit(127);
    abort();
}

static const allocator *malloc_open(const char *format) {
    char spec[MALLOC_SPEC_BYTES], why[512];
    snprintf(spec, sizeof spec, format, MALLOC_OF);
    const allocator *opened = os_page_fits(why, sizeof why) ? allocator_open(spec, why, sizeof why) : NULL;
    if (!opened)
        malloc_die(why);
    return opened;
}

static void malloc_start(void) {
    if (malloc_table != &malloc_before)
        return;
    const allocator *table = malloc_open("%s");
    if (!table->thread_safe)
        table = malloc_open("locked:%s");
    void *probe = table->alloc(1, ALLOCATOR_ALIGNMENT);
    malloc_sized = probe && table->usable_bytes(probe) == 0;
    table->release(probe, 1);
    malloc_table = table;
    pthread_atfork(malloc_fork_prepare, malloc_fork_parent, malloc_fork_child);     /* may allocate */
}

/* Before there is a second thread, in every program that starts one. */
__attribute__((constructor)) static void malloc_begin(void) {
    malloc_start();
}

static void *malloc_before_alloc(size_t bytes, size_t alignment) {
    malloc_start();
    return malloc_table->alloc(bytes, alignment);
}

static void *malloc_before_alloc_zeroed(size_t bytes, size_t alignment) {
    malloc_start();
    return malloc_table->alloc_zeroed(bytes, alignment);
}

static const allocator malloc_before = {        /* before a first block there is none to resize or release */
    .alloc = malloc_before_alloc, .alloc_zeroed = malloc_before_alloc_zeroed,
};

/* --- blocks, with their size before them or without --- */

typedef struct malloc_size { size_t bytes, front; } malloc_size;

static malloc_size *malloc_size_of(const void *block) { return (malloc_size *)block - 1; }

static void *malloc_dress(char *start, size_t bytes, size_t front) {
    if (!start)
        return NULL;
    *malloc_size_of(start + front) = (malloc_size){ bytes, front };
    return start + front;
}

static void *malloc_get(size_t bytes, size_t alignment, bool zeroed) {
    if (malloc_table == &malloc_before)
        malloc_start();
    size_t front = !malloc_sized ? 0 : alignment > sizeof(malloc_size) ? alignment : sizeof(malloc_size);
    if (bytes > PTRDIFF_MAX - front) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = zeroed ? malloc_table->alloc_zeroed(bytes + front, alignment)
                         : malloc_table->alloc(bytes + front, alignment);
    if (malloc_sized)
        block = malloc_dress(block, bytes, front);
    if (!block)
        errno = ENOMEM;
    return block;
}

static size_t malloc_room(const void *block) {
    return malloc_sized ? malloc_size_of(block)->bytes : malloc_table->usable_bytes(block);
}

/* POSIX.1-2024 has free keep errno, and munmap would change it. */
static void malloc_put(void *block) {
    int before = errno;
    if (malloc_sized)
        malloc_table->release((char *)block - malloc_size_of(block)->front, 0);
    else
        malloc_table->release(block, 0);
    errno = before;
}

static void *malloc_move(void *block, size_t bytes) {
    size_t room = malloc_room(block);
    void *moved = malloc_get(bytes, ALLOCATOR_ALIGNMENT, false);
    if (!moved)
        return NULL;
    memcpy(moved, block, bytes < room ? bytes : room);
    malloc_put(block);
    return moved;
}

static void *malloc_resize(void *block, size_t bytes) {
    if (malloc_sized)
        return malloc_move(block, bytes);
    void *moved = malloc_table->resize(block, 0, bytes);
    if (!moved)
        errno = ENOMEM;
    return moved;
}

static bool malloc_is_power(size_t n) {
    return n && (n & (n - 1)) == 0;
}

/* --- malloc(3) --- */

MALLOC_VISIBLE void *malloc(size_t bytes) {
    return malloc_get(bytes, ALLOCATOR_ALIGNMENT, false);
}

MALLOC_VISIBLE void free(void *block) {
    if (block)
        malloc_put(block);
}

MALLOC_VISIBLE void *calloc(size_t count, size_t bytes) {
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return malloc_get(all, ALLOCATOR_ALIGNMENT, true);
}

MALLOC_VISIBLE void *realloc(void *block, size_t bytes) {
    if (!block)
        return malloc_get(bytes, ALLOCATOR_ALIGNMENT, false);
    if (bytes)
        return malloc_resize(block, bytes);
    malloc_put(block);
    return NULL;
}

MALLOC_VISIBLE void *reallocarray(void *block, size_t count, size_t bytes) {
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, all);
}

MALLOC_VISIBLE size_t malloc_usable_size(void *block) {
    return block ? malloc_room(block) : 0;
}

/* --- posix_memalign(3) --- */

MALLOC_VISIBLE void *aligned_alloc(size_t alignment, size_t bytes) {
    if (!malloc_is_power(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return malloc_get(bytes, alignment, false);
}

MALLOC_VISIBLE int posix_memalign(void **block, size_t alignment, size_t bytes) {
    int before = errno;
    if (!malloc_is_power(alignment) || alignment % sizeof(void *))
        return EINVAL;
    void *got = malloc_get(bytes, alignment, false);
    errno = before;
    if (!got)
        return ENOMEM;
    *block = got;
    return 0;
}

MALLOC_VISIBLE void *memalign(size_t alignment, size_t bytes) {
    size_t power = ALLOCATOR_ALIGNMENT;
    while (power < alignment && power <= SIZE_MAX / 4)
        power *= 2;
    return malloc_get(bytes, power, false);
}

MALLOC_VISIBLE void *valloc(size_t bytes) {
    return malloc_get(bytes, os_page_bytes(), false);
}

MALLOC_VISIBLE void *pvalloc(size_t bytes) {
    size_t pages = bytes <= PTRDIFF_MAX ? os_page_up(bytes) : bytes;
    return malloc_get(pages ? pages : os_page_bytes(), os_page_bytes(), false);
}

/* --- at the end --- */

__attribute__((destructor)) static void malloc_end(void) {
    const char *path = getenv("REFARENA_MALLOC_STATS");
    FILE *to = path && arena_state.mapped ? fopen(path, "w") : NULL;
    if (!to)
        return;
    survey_print(to);
    fputc('\n', to);
    survey_map(to);
    fclose(to);
}
