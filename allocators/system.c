/* SPDX-License-Identifier: MIT
 * system.c - the process's own malloc: glibc's, or that of the library that was preloaded.
 *
 * All real allocators are reached through this one table, so that all pay the same two calls. What each
 * offers beyond the C standard (figures, giving memory back) is looked up once, when it is opened, and
 * only in the object that defines malloc.
 *
 * Sources: mallinfo(3), malloc_trim(3); jemalloc(3), MALLCTL NAMESPACE; mimalloc.h; gperftools'
 * malloc_extension_c.h.
 */
#include "system.h"
#include "library.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { SYSTEM_JEMALLOC_ALL_ARENAS = 4096 };     /* MALLCTL_ARENAS_ALL */

/* mi_version() of 3.0.x without its last digit, and the largest alignment that is safe there. */
enum { SYSTEM_MIMALLOC_BROKEN = 30, SYSTEM_MIMALLOC_ALIGNMENT = 128 };

static struct {
    bool     opened, is_glibc;
    size_t   largest_alignment;     /* 0: the usual one */
    size_t (*usable_size)(void *);
    int    (*malloc_trim)(size_t);
    int    (*mallctl)(const char *, void *, size_t *, void *, size_t);                  /* jemalloc */
    void   (*mi_collect)(bool);                                                         /* mimalloc */
    void   (*release_free_memory)(void);                                                /* tcmalloc */
    int    (*numeric_property)(const char *, size_t *);                                 /* tcmalloc */
} system_calls;

/* ISO C has no cast from void * to a function; POSIX promises that the bits are the same. */
static void system_look_up(void *function, const char *symbol) {
    void *address = library_symbol_beside_malloc(symbol);
    memcpy(function, &address, sizeof address);
}

static bool system_open(void) {
    if (system_calls.opened)
        return true;
    system_calls.is_glibc = library_has_malloc_of_libc();
    system_look_up(&system_calls.usable_size, "malloc_usable_size");
    system_look_up(&system_calls.malloc_trim, "malloc_trim");
    system_look_up(&system_calls.mallctl, "mallctl");
    system_look_up(&system_calls.mi_collect, "mi_collect");
    int (*mi_version)(void);
    system_look_up(&mi_version, "mi_version");
    if (mi_version && mi_version() / 10 == SYSTEM_MIMALLOC_BROKEN)
        system_calls.largest_alignment = SYSTEM_MIMALLOC_ALIGNMENT;
    system_look_up(&system_calls.release_free_memory, "MallocExtension_ReleaseFreeMemory");
    system_look_up(&system_calls.numeric_property, "MallocExtension_GetNumericProperty");
    return system_calls.opened = true;
}

size_t system_largest_alignment(void) { return system_calls.largest_alignment; }

/* Requests under 16 bytes ask for 16: jemalloc, mimalloc and tcmalloc align smaller ones to 8 only, and a
 * request of 0 need not give a block. glibc's smallest block holds 24. */
static size_t system_at_least(size_t bytes) {
    return bytes < ALLOCATOR_ALIGNMENT ? ALLOCATOR_ALIGNMENT : bytes;
}

/* Not aligned_alloc: that wants a multiple of the alignment, which would ask for more than was asked.
 * What comes back is looked at, because mimalloc 2.0.9, as Debian 12 has it, misaligns requests that are a
 * multiple of 256, 512 or 1024 aligned to that (microsoft/mimalloc#700); a byte more avoids it. mimalloc 3.0.1, as
 * Debian 13 has it, hands out blocks that overlap, aligned ones and others, once some were aligned to 256 or more (seen
 * with posix_memalign, malloc and free alone; 2.0.9 and 3.6.0 do not): such requests are refused there. */
static void *system_alloc_aligned(size_t bytes, size_t alignment) {
    if (system_calls.largest_alignment && alignment > system_calls.largest_alignment)
        return NULL;
    for (size_t more = 0; more <= 1; more++) {
        void *block;
        if (posix_memalign(&block, alignment, bytes + more))
            return NULL;
        if ((uintptr_t)block % alignment == 0)
            return block;
        free(block);
    }
    return NULL;
}

static void *system_alloc(size_t bytes, size_t alignment) {
    if (bytes > SYSTEM_LARGEST_BYTES)
        return NULL;
    return alignment <= ALLOCATOR_ALIGNMENT ? malloc(system_at_least(bytes))
                                            : system_alloc_aligned(system_at_least(bytes), alignment);
}

static void *system_alloc_zeroed(size_t bytes, size_t alignment) {
    if (bytes > SYSTEM_LARGEST_BYTES)
        return NULL;
    if (alignment <= ALLOCATOR_ALIGNMENT)
        return calloc(1, system_at_least(bytes));
    void *block = system_alloc(bytes, alignment);
    return block ? memset(block, 0, bytes) : NULL;
}

static void *system_resize(void *block, size_t old_bytes, size_t new_bytes) {
    (void)old_bytes;
    return new_bytes > SYSTEM_LARGEST_BYTES ? NULL : realloc(block, system_at_least(new_bytes));
}

static void system_release(void *block, size_t bytes) {
    (void)bytes;
    free(block);
}

static size_t system_usable_bytes(const void *block) {
    return system_calls.usable_size ? system_calls.usable_size((void *)block) : 0;
}

/* Blocks in a thread's cache count as used: glibc cannot tell them apart. */
static bool system_stats_glibc(allocator_stats *stats) {
    struct mallinfo2 figures = mallinfo2();
    stats->held_bytes = figures.arena + figures.hblkhd;
    stats->used_bytes = figures.uordblks + figures.hblkhd;
    stats->known = ALLOCATOR_KNOWS_HELD | ALLOCATOR_KNOWS_USED;
    return true;
}

/* stats.resident is what is held: stats.mapped leaves out the dirty pages that were not yet purged. */
static bool system_stats_jemalloc(allocator_stats *stats) {
    uint64_t epoch = 1;
    size_t epoch_bytes = sizeof epoch, bytes = sizeof(size_t);
    system_calls.mallctl("epoch", &epoch, &epoch_bytes, &epoch, sizeof epoch);      /* refreshes the figures */
    if (!system_calls.mallctl("stats.resident", &stats->held_bytes, &bytes, NULL, 0))
        stats->known |= ALLOCATOR_KNOWS_HELD;
    if (!system_calls.mallctl("stats.allocated", &stats->used_bytes, &bytes, NULL, 0))
        stats->known |= ALLOCATOR_KNOWS_USED;
    return stats->known != 0;
}

static bool system_stats_tcmalloc(allocator_stats *stats) {
    size_t heap_bytes, unmapped_bytes, used_bytes;
    if (!system_calls.numeric_property("generic.heap_size", &heap_bytes)
        || !system_calls.numeric_property("tcmalloc.pageheap_unmapped_bytes", &unmapped_bytes)
        || !system_calls.numeric_property("generic.current_allocated_bytes", &used_bytes))
        return false;
    stats->held_bytes = heap_bytes - unmapped_bytes;
    stats->used_bytes = used_bytes;
    stats->known = ALLOCATOR_KNOWS_HELD | ALLOCATOR_KNOWS_USED;
    return true;
}

static bool system_stats(allocator_stats *stats) {
    *stats = (allocator_stats){ 0 };
    if (system_calls.is_glibc)
        return system_stats_glibc(stats);
    if (system_calls.mallctl)
        return system_stats_jemalloc(stats);
    if (system_calls.numeric_property)
        return system_stats_tcmalloc(stats);
    return false;       /* mimalloc's figures are merged from its threads only now and then */
}

static void system_trim_jemalloc(void) {
    char purge[64];
    snprintf(purge, sizeof purge, "arena.%d.purge", SYSTEM_JEMALLOC_ALL_ARENAS);
    system_calls.mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    system_calls.mallctl(purge, NULL, NULL, NULL, 0);
}

static void system_trim(void) {
    if (system_calls.mallctl)
        system_trim_jemalloc();
    else if (system_calls.mi_collect)
        system_calls.mi_collect(true);
    else if (system_calls.release_free_memory)
        system_calls.release_free_memory();
    else if (system_calls.malloc_trim)
        system_calls.malloc_trim(0);
}

const allocator system_allocator = {
    .name = "system", .idea = "the C library's malloc: bins and per-thread caches; Lea, Gloger",
    .thread_safe = true, .frees = true, .largest_bytes = SYSTEM_LARGEST_BYTES,
    .open = system_open, .alloc = system_alloc, .alloc_zeroed = system_alloc_zeroed,
    .resize = system_resize, .release = system_release, .usable_bytes = system_usable_bytes,
    .stats = system_stats, .trim = system_trim, .reset = allocator_cannot_reset,
    .walk = allocator_cannot_walk, .check = allocator_nothing, .thread_exit = allocator_nothing,
    .fork_prepare = allocator_nothing, .fork_parent = allocator_nothing, .fork_child = allocator_nothing,
};
