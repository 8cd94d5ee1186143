/* SPDX-License-Identifier: MIT
 * region.c - the range, the words of free pools, and which arenas are held.
 */
#include "region.h"
#include "../invariant.h"
#include "../os_page.h"
#include "../pymalloc/watch.h"

#include <string.h>
#include <sys/mman.h>

_Static_assert(REGION_ARENA_BYTES % OS_PAGE_MOST_BYTES == 0, "the pages of an arena are its own, and can be given back");

region region_state;

/* --- the range and the arrays beside it --- */

static size_t region_up(size_t bytes) {
    return (bytes + REGION_ARENA_BYTES - 1) & ~(size_t)(REGION_ARENA_BYTES - 1);
}

static size_t region_map_words(void) { return (region_state.arenas + 63) / 64; }

/* The arrays, one behind the other, from `at` on; returns where they end. All are zero, as mmap gives them. */
static uintptr_t region_lay_out(uintptr_t at) {
    size_t pools = (size_t)region_state.arenas * REGION_POOLS, words = region_map_words();
    region_state.pools = (bitpool *)at;
    region_state.remotes = (bitpool_remote *)(at += pools * sizeof(bitpool));
    region_state.free_pools = (uint64_t *)(at += pools * sizeof(bitpool_remote));
    region_state.available = (uint64_t *)(at += region_state.arenas * sizeof(uint64_t));
    region_state.returned = (uint64_t *)(at += words * sizeof(uint64_t));
    region_state.classes = (uint8_t *)(at += words * sizeof(uint64_t));
    return at + pools;
}

bool region_open(void) {
    if (region_state.bytes)
        return true;
    for (size_t bytes = REGION_MOST_BYTES; bytes >= REGION_LEAST_BYTES; bytes /= 2) {
        region_state.arenas = (uint32_t)(bytes / REGION_ARENA_BYTES);
        size_t beside = region_up(region_lay_out(0));
        void *space = mmap(NULL, bytes + beside + REGION_ARENA_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (space == MAP_FAILED)
            continue;
        region_state.start = region_up((uintptr_t)space);
        region_state.bytes = bytes;
        region_lay_out(region_state.start + bytes);
        return true;
    }
    return false;
}

/* --- a set of arenas --- */

static void region_mark(uint64_t *set, uint32_t arena)   { set[arena / 64] |= UINT64_C(1) << arena % 64; }
static void region_unmark(uint64_t *set, uint32_t arena) { set[arena / 64] &= ~(UINT64_C(1) << arena % 64); }
static bool region_marked(const uint64_t *set, uint32_t arena) { return set[arena / 64] >> arena % 64 & 1; }

static uint32_t region_first(const uint64_t *set) {
    for (uint32_t word = 0; word * 64 < region_state.arenas_begun; word++)
        if (set[word])
            return word * 64 + (uint32_t)__builtin_ctzll(set[word]);
    return REGION_NONE;
}

/* --- arenas --- */

static uint32_t region_begin_arena(void) {
    uint32_t arena = region_first(region_state.returned);
    if (arena == REGION_NONE) {
        if (region_state.arenas_begun == region_state.arenas)
            return REGION_NONE;
        arena = region_state.arenas_begun++;
        region_state.free_pools[arena] = UINT64_MAX;
        watch_close(region_address(arena * REGION_POOLS), REGION_ARENA_BYTES);
    }
    region_unmark(region_state.returned, arena);
    region_mark(region_state.available, arena);
    region_state.wholly_free++;
    region_state.mapped++;
    if (++region_state.held > region_state.peak)
        region_state.peak = region_state.held;
    return arena;
}

/* Its addresses stay reserved, its pages go; they come back as zeroes. */
static void region_end_arena(uint32_t arena) {
    madvise(region_address(arena * REGION_POOLS), REGION_ARENA_BYTES, MADV_DONTNEED);
    region_unmark(region_state.available, arena);
    region_mark(region_state.returned, arena);
    region_state.wholly_free--;
    region_state.unmapped++;
    region_state.held--;
}

/* From the last one down, so that what is held stays together. */
static void region_end_arenas_above(size_t keep) {
    for (uint32_t arena = region_state.arenas_begun; arena-- > 0 && region_state.wholly_free > keep;)
        if (region_marked(region_state.available, arena) && region_state.free_pools[arena] == UINT64_MAX)
            region_end_arena(arena);
}

void region_set_keep(size_t arenas) {
    region_state.keep = arenas;
    region_end_arenas_above(arenas);
}

void region_trim(void) {
    region_end_arenas_above(0);
}

/* --- pools --- */

uint32_t region_take_pool(void) {
    uint32_t arena = region_first(region_state.available);
    if (arena == REGION_NONE && (arena = region_begin_arena()) == REGION_NONE)
        return REGION_NONE;
    uint64_t free = region_state.free_pools[arena];
    region_state.wholly_free -= free == UINT64_MAX;
    region_state.free_pools[arena] = free & (free - 1);
    if (region_state.free_pools[arena] == 0)
        region_unmark(region_state.available, arena);
    return arena * REGION_POOLS + (uint32_t)__builtin_ctzll(free);
}

void region_return_pool(uint32_t pool) {
    uint32_t arena = pool / REGION_POOLS;
    region_state.free_pools[arena] |= UINT64_C(1) << pool % REGION_POOLS;
    region_mark(region_state.available, arena);
    if (region_state.free_pools[arena] == UINT64_MAX && ++region_state.wholly_free > region_state.keep)
        region_end_arena(arena);
}

/* What was written beside the range goes too, and is zero again. */
void region_reset(void) {
    size_t begun = region_state.arenas_begun, pools = begun * REGION_POOLS;
    watch_open((void *)region_state.start, begun * REGION_ARENA_BYTES);
    madvise((void *)region_state.start, begun * REGION_ARENA_BYTES, MADV_DONTNEED);
    memset(region_state.pools, 0, pools * sizeof(bitpool));
    memset(region_state.remotes, 0, pools * sizeof(bitpool_remote));
    memset(region_state.available, 0, 2 * region_map_words() * sizeof(uint64_t));       /* and returned */
    region_state.unmapped += region_state.held;
    region_state.held = region_state.wholly_free = region_state.arenas_begun = 0;
}

/* --- all of it --- */

size_t region_free_pools(void) {
    size_t pools = 0;
    for (uint32_t arena = 0; arena < region_state.arenas_begun; arena++)
        if (region_marked(region_state.available, arena))
            pools += (size_t)__builtin_popcountll(region_state.free_pools[arena]);
    return pools;
}

bool region_each_pool(bool (*visit)(bitpool *, void *), void *context) {
    for (uint32_t arena = 0; arena < region_state.arenas_begun; arena++)
        for (uint64_t owned = ~region_state.free_pools[arena]; owned; owned &= owned - 1)
            if (!visit(&region_state.pools[arena * REGION_POOLS + (uint32_t)__builtin_ctzll(owned)], context))
                return false;
    return true;
}

void region_check(void) {
    size_t wholly_free = 0, held = 0;
    for (uint32_t arena = 0; arena < region_state.arenas_begun; arena++) {
        uint64_t free = region_state.free_pools[arena];
        bool available = region_marked(region_state.available, arena);
        bool returned = region_marked(region_state.returned, arena);
        INVARIANT(!available || !returned, "(R2) an arena that was given back has no pools to take");
        INVARIANT(!returned || free == UINT64_MAX, "(R2) all pools of an arena that was given back are free");
        INVARIANT(returned || available == (free != 0), "(R2) an arena with a free pool is available");
        wholly_free += available && free == UINT64_MAX;
        held += !returned;
        for (uint32_t pool = 0; pool < REGION_POOLS; pool++)
            INVARIANT((atomic_load(&region_state.pools[arena * REGION_POOLS + pool].owner) == NULL) == (free >> pool & 1),
                      "(R1) a pool is free if and only if nobody owns it");
    }
    INVARIANT(wholly_free == region_state.wholly_free, "(R3) wholly_free counts the wholly free arenas");
    INVARIANT(wholly_free <= region_state.keep, "(R3) no more wholly free arenas stay than are to be kept");
    INVARIANT(held == region_state.held && held <= region_state.peak, "(R2) held counts the arenas that are held");
}
