/* SPDX-License-Identifier: MIT
 * region.h - one range of addresses for all arenas of magazine, and their free pools.
 *
 *   start                                                                     start + bytes
 *   | arena 0 | arena 1 | arena 2 | ...  reserved, not touched                |      1 MiB each, aligned
 *
 * One range makes "is this block ours?" one comparison, where scattered arenas need a map. What is known of
 * pools lies in dense arrays beside the range, so that freeing a block never reads the pool's own pages. An
 * arena's free pools are the set bits of one word.
 *
 * A pool is taken from the first arena that has one: by address, so that arenas at the end become free.
 * A wholly free arena stays while fewer than `keep` others do; the pages of one beyond that are returned.
 * All functions but the inline ones are called with the lock held: they run once in many blocks.
 *
 * (R1) a pool's bit in its arena's word is set if and only if nobody owns the pool
 * (R2) an arena that is held and has a free pool is `available`; one that was given back is `returned`, and
 *      all its bits are set; no arena is both
 * (R3) wholly_free counts the available arenas whose pools are all free; it is at most keep
 *
 * Sources: arenas and pools, CPython 3.12, Objects/obmalloc.c; address order, Wilson et al., Dynamic Storage
 * Allocation: A Survey and Critical Review, IWMM 1995.
 */
#ifndef REFARENA_MAGAZINE_REGION_H
#define REFARENA_MAGAZINE_REGION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitpool.h"

enum {
    REGION_ARENA_BYTES = 1 << 20,
    REGION_POOLS       = REGION_ARENA_BYTES / BITPOOL_BYTES,        /* of an arena: the bits of a word */
    REGION_KEEP        = 128,                                       /* arenas, where no parameter says otherwise */
};
#ifdef REFARENA_VALGRIND            /* memcheck reads all of it when a process ends */
#define REGION_MOST_BYTES  ((size_t)256 << 20)
#else
#define REGION_MOST_BYTES  ((size_t)64 << 30)
#endif
#define REGION_LEAST_BYTES ((size_t)64 << 20)
#define REGION_NONE        UINT32_MAX

_Static_assert(REGION_POOLS == 64, "the pools of an arena are the bits of a word");

typedef struct region {
    uintptr_t start;
    size_t    bytes;                /* 0 until it is open */
    uint8_t  *classes;              /* of each pool: its size class, while it is owned */
    bitpool  *pools;                /* of each pool */
    bitpool_remote *remotes;        /* of each pool: blocks that other threads freed */
    uint64_t *free_pools;           /* of each arena */
    uint64_t *available, *returned; /* a bit for each arena */
    uint32_t  arenas;               /* that there is room for */
    uint32_t  arenas_begun;         /* ever held; those from here on were never touched */
    uint32_t  wholly_free;          /* available arenas whose pools are all free */
    size_t    keep;                 /* the most of those */
    size_t    held, peak, mapped, unmapped;     /* arenas: now, most at once, ever taken, ever returned */
} region;

extern region region_state;

/* Any address at all. */
static inline bool region_owns(const void *block) {
    return (uintptr_t)block - region_state.start < region_state.bytes;
}

static inline uint32_t region_pool(const void *block) {     /* index of the pool of a block that is ours */
    return (uint32_t)(((uintptr_t)block - region_state.start) / BITPOOL_BYTES);
}

static inline char *region_address(uint32_t pool) {
    return (char *)region_state.start + (size_t)pool * BITPOOL_BYTES;
}

static inline uint32_t region_index(const bitpool *p) {
    return (uint32_t)(p - region_state.pools);
}

/* Reserve the range, as large as the OS agrees to. False: not even the least of it. */
bool region_open(void);

/* How many wholly free arenas stay held: before region_open, or later. */
void region_set_keep(size_t arenas);

/* Index of a pool that was free; nobody owns it yet. REGION_NONE: the range is full. */
uint32_t region_take_pool(void);

/* All its blocks are free. */
void region_return_pool(uint32_t pool);

/* Return the pages of all wholly free arenas. */
void region_trim(void);

/* Every arena is returned, and nobody owns a pool. */
void region_reset(void);

/* Pools that are free in arenas that are held. */
size_t region_free_pools(void);

/* Calls visit for every pool that is owned, by ascending address; false when visit ended it. */
bool region_each_pool(bool (*visit)(bitpool *p, void *context), void *context);

/* Aborts unless R1 to R3 hold. */
void region_check(void);

#endif
