/* SPDX-License-Identifier: MIT
 * arena.h - a megabyte from the OS, cut into pools; 256 KiB before CPython 3.10, and as a parameter.
 *
 *   | pool | pool | ... 64 of them; 63 where mmap gave an address that is not a multiple of a pool's
 *
 * New pools come from the arena that has the fewest free ones, so that nearly empty arenas get the chance
 * to become wholly empty, and are then returned to the OS. The usable arenas are therefore in a list sorted
 * by their free pools, and `last_with[k]` is the last in it that has k: with it, taking and returning a pool
 * keep the list sorted in O(1).
 *
 *   usable -> 1 -> 1 -> 3 -> 3 -> 3 -> 40        last_with[1], [3], [40] point to the right-most of each
 *
 * (A1) free_pools == empty pools + never carved ones
 * (A2) the list has exactly the arenas with a free pool, in ascending order of free_pools
 * (A3) last_with[k] is the last in the list with k free pools, or NULL where none has
 * (A4) a wholly free arena that is not the last in the list is one of arena_keep at most: all others were
 *      returned to the OS. CPython keeps none but the last
 * (A5) mapped - unmapped == arenas held
 * (A6) the radix map knows every arena, from its first byte to its last
 *
 * Source: CPython 3.12, Objects/obmalloc.c; the order by fullness is Evan Jones's (2005), the constant-time
 * sorting Tim Peters's (bpo-37029).
 */
#ifndef REFARENA_PYMALLOC_ARENA_H
#define REFARENA_PYMALLOC_ARENA_H

#include "pool.h"
#include "radix.h"

enum {
    ARENA_BYTES = RADIX_WINDOW_BYTES,           /* the usual choice; as large as a window, in any case */
    ARENA_POOLS = ARENA_BYTES / POOL_BYTES,
    ARENA_POOLS_MOST = ARENA_BYTES / POOL_BYTES_LEAST,
    ARENA_TABLE_START = 16,                     /* descriptors at first; doubled when they run out */
};

typedef struct arena {
    uintptr_t     start;            /* as mmap returned it; 0: the descriptor is not in use */
    uintptr_t     next_pool;        /* address of the next pool that was never carved */
    uint32_t      free_pools;       /* empty or never carved */
    uint32_t      total_pools;      /* arena_pools(), or one less */
    pool_link    *empty_pools;      /* singly linked, most recently emptied first */
    struct arena *next, *previous;  /* in the usable list; next alone in the list of unused descriptors */
} arena;

typedef struct arena_heap {
    arena   *table;                             /* all descriptors; moves when it grows */
    uint32_t table_size;
    arena   *unused;                            /* descriptors */
    arena   *usable;                            /* arenas with a free pool, fullest first */
    arena   *last_with[ARENA_POOLS_MOST + 1];        /* by number of free pools */
    size_t   wholly_free;                       /* arenas without a used pool */
    size_t   mapped, unmapped, peak;            /* arenas: ever, ever, most at once */
} arena_heap;

extern arena_heap arena_state;
extern size_t     arena_keep;                   /* wholly free arenas that stay, though they are not the last */

static inline size_t arena_bytes(void) {
    return (size_t)1 << radix_window_bits;
}

static inline uint32_t arena_pools(void) {      /* of an arena that starts at a multiple of a pool */
    return (uint32_t)(arena_bytes() / pool_bytes);
}

static inline uintptr_t arena_first_pool(const arena *a) {
    return (a->start + pool_bytes - 1) & ~(uintptr_t)(pool_bytes - 1);
}

static inline size_t arena_count(void) {        /* held now */
    return arena_state.mapped - arena_state.unmapped;
}

/* An empty pool from the fullest arena that has one; its class is that of its last life, or POOL_NO_CLASS.
 * NULL: the OS refused a new arena, and nothing has changed. */
pool *arena_take_pool(void);

/* The pool is empty and in no list. May return its arena to the OS, and the pool with it. */
void arena_return_pool(pool *p);

/* Wholly free arenas go back to the OS, but for the last in the list. */
void arena_trim(void);

/* All arenas go back to the OS, whatever is in them, and the state is as at the start but for its history. */
void arena_unmap_all(void);

/* Calls visit with every pool that was ever carved; false when visit ended it. */
bool arena_each_pool(bool (*visit)(pool *p, void *context), void *context);

/* Aborts unless A1 to A6 hold. */
void arena_check(void);

#endif
