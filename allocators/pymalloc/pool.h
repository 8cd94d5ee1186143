/* SPDX-License-Identifier: MIT
 * pool.h - 16 KiB of blocks of one size class; 4 KiB before CPython 3.10, and as a parameter.
 *
 *   | header 48 | block | block | free | block | free | never carved ...        |
 *                                  '-----------> '--> end of the free list
 *
 * A pool is *used* while some of its blocks, not all, are handed out: then it is in the circular list of
 * its class. It is *full* when all are: then it is in no list. It is *empty* when none is: then it is in its
 * arena's list of free pools, and remembers its class: taken for the same one again, its free list is
 * still good. Blocks are carved lazily, the next one when the free list runs out, so that pages that are
 * not needed are not touched.
 *
 * (P1) used_blocks + free list + never carved == capacity
 * (P2) every free block lies on a block boundary, was carved, and is in the list once
 * (P3) a pool is in the list of its class if and only if 0 < used_blocks < capacity
 * (P4) the free list is empty if and only if the pool is full
 *
 * Source: CPython 3.12, Objects/obmalloc.c.
 */
#ifndef REFARENA_PYMALLOC_POOL_H
#define REFARENA_PYMALLOC_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "size_class.h"
#include "watch.h"

enum {
    POOL_BYTES = 16384, POOL_BYTES_LEAST = 4096,        /* the usual and the other choice */
    POOL_HEADER_BYTES = 48, POOL_NO_CLASS = UINT16_MAX,
};

extern uint32_t pool_bytes;         /* of every pool; changes only while there is none */

typedef struct pool_link { struct pool_link *next, *previous; } pool_link;

typedef struct pool {
    pool_link link;             /* first: a link is a pool, unless it is a head in pool_lists */
    void     *free;             /* first block of the free list; each one's first word points to the next */
    uint32_t  used_blocks;      /* handed out */
    uint32_t  arena;            /* index of the arena it lies in */
    uint32_t  size_class;       /* or POOL_NO_CLASS, when it never had one */
    uint32_t  virgin_offset;    /* of the next block that was never carved, in bytes from the pool's start */
    uint32_t  last_offset;      /* the largest a virgin_offset can be that still has room for a block */
} pool;

_Static_assert(sizeof(pool) == POOL_HEADER_BYTES, "the header is as long as CPython's");

extern pool_link pool_lists[SIZE_CLASS_COUNT];      /* used pools of each class, most recently freed first */

/* `bytes` is pool_bytes. Where it is a constant, the compiler makes an instruction of it. */
static inline pool *pool_of_size(const void *block, uintptr_t bytes) {
    return (pool *)((uintptr_t)block & ~(bytes - 1));
}

static inline pool *pool_of(const void *block) {
    return pool_of_size(block, pool_bytes);
}

static inline uint32_t pool_capacity(uint32_t size_class) {
    return (pool_bytes - POOL_HEADER_BYTES) / size_class_bytes(size_class);
}

static inline void *pool_read_link(void *block) {
    watch_open(block, sizeof(void *));
    void *next = *(void **)block;
    watch_close(block, sizeof(void *));
    return next;
}

static inline void pool_write_link(void *block, void *next) {
    watch_open(block, sizeof(void *));
    *(void **)block = next;
    watch_close(block, sizeof(void *));
}

static inline void pool_insert_first(pool *p) {
    pool_link *head = &pool_lists[p->size_class];
    p->link = (pool_link){ .next = head->next, .previous = head };
    head->next->previous = &p->link;
    head->next = &p->link;
}

static inline void pool_unlink(pool *p) {
    p->link.next->previous = p->link.previous;
    p->link.previous->next = p->link.next;
}

/* All lists empty. Once, before anything else. */
void pool_init_lists(void);

/* The free list has run out by the block that was just handed out: carve one more, or be full. Returns that
 * block, so that the fast path ends in a jump here and saves no register. */
void *pool_extend(pool *p, void *handed_out);

/* Make the empty pool p one of `size_class`, link it, and hand out a block of it. */
void *pool_start(pool *p, uint32_t size_class);

/* Calls visit for every block handed out; false when visit ended it. A pool that never had a class has none. */
bool pool_walk(const pool *p, bool (*visit)(void *block, size_t bytes, void *context), void *context);

/* Aborts unless P1, P2 and P4 hold of p. P3 is a matter of all pools together: survey.c. */
void pool_check(const pool *p);

#endif
