/* SPDX-License-Identifier: MIT
 * bitpool.h - 16 KiB of blocks of one size class, and beside them one bit for each: free or not.
 *
 *   pages      | block | block | block | ...  nothing but blocks: 1024 of 16 bytes, 32 of 512
 *   bitpool    | link | owner | free blocks | 1 0 0 1 1 ...          in an array of its own
 *   remote     | 0 0 1 0 0 ...                                       the same, written by other threads
 *
 * Blocks are taken in ascending order, so a pool that was emptied is carved in order again, however its blocks
 * were shuffled when they were freed. A freed block is not touched: not a cache line of it, nor a page.
 *
 * A pool belongs to one heap (local.h), and only the heap's thread writes its bitpool. Any other thread that
 * frees a block of it sets its bit in the remote map, and touches nothing afterwards: from that moment on
 * the pool may change hands. The owner moves remote bits over when it needs blocks.
 *
 * (B1) free_blocks is the number of bits set in free, and none is set beyond capacity
 * (B2) no block is free and remotely free at once
 */
#ifndef REFARENA_MAGAZINE_BITPOOL_H
#define REFARENA_MAGAZINE_BITPOOL_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../pymalloc/size_class.h"

enum {
    BITPOOL_BYTES = 16384,
    BITPOOL_WORDS = (BITPOOL_BYTES >> SIZE_CLASS_SHIFT) / 64,
    BITPOOL_RECIPROCAL_SHIFT = 16,
};

typedef struct bitpool_link { struct bitpool_link *next, *previous; } bitpool_link;

struct local_heap;

typedef struct bitpool {
    alignas(64) bitpool_link link;          /* first: in a list of its heap and class */
    _Atomic(struct local_heap *) owner;     /* NULL: the pool is free */
    uint16_t free_blocks, capacity;
    uint32_t size_class;
    uint32_t reciprocal;                    /* of the size of a block, for bitpool_block */
    uint64_t free[BITPOOL_WORDS];           /* bit i: block i is free */
} bitpool;

typedef struct bitpool_remote { _Atomic uint64_t free[BITPOOL_WORDS]; } bitpool_remote;

static inline uint32_t bitpool_capacity(uint32_t size_class) {
    return BITPOOL_BYTES / size_class_bytes(size_class);
}

/* Which block lies at `offset` from the pool's start: a division as a product. It is exact, because an offset
 * is less than 1024 units of 16 bytes, so that the error stays below 1/64, and a block is at most 32 of them. */
static inline uint32_t bitpool_block(const bitpool *p, uintptr_t offset) {
    return (uint32_t)(offset >> SIZE_CLASS_SHIFT) * p->reciprocal >> BITPOOL_RECIPROCAL_SHIFT;
}

/* All blocks of class size_class, all free. */
void bitpool_start(bitpool *p, uint32_t size_class);

/* Take up to `most` free blocks, the first ones, and write their addresses downwards from `end`: the lowest
 * is end[-1]. Returns how many they were. `pages` is where the pool's blocks begin. */
uint32_t bitpool_take(bitpool *p, char *pages, void **end, uint32_t most);

/* Blocks that other threads freed become free here. Returns how many they were. */
uint32_t bitpool_collect(bitpool *p, bitpool_remote *remote);

/* How many blocks wait in the remote map. */
uint32_t bitpool_waiting(const bitpool *p, const bitpool_remote *remote);

/* Calls visit for every block that is neither free nor remotely free; false when visit ended it. */
bool bitpool_walk(const bitpool *p, const bitpool_remote *remote, char *pages,
                  bool (*visit)(void *block, size_t bytes, void *context), void *context);

/* Aborts unless B1 and B2 hold. */
void bitpool_check(const bitpool *p, const bitpool_remote *remote);

#endif
