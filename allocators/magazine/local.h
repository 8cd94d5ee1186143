/* SPDX-License-Identifier: MIT
 * local.h - what belongs to one thread: a magazine for each size class, and the pools that fill them.
 *
 *   magazine of a class   | block | block | block | ...      |       an array: the last in is the first out
 *                            ^ half of it at once, ascending        | half of it, the oldest
 *                            '---------- pools of the class <-------'
 *
 * Alloc and release work on the array alone: no lock, no list, no look at a block or at a pool. A magazine
 * takes a block from whoever allocated it; whose it is, is seen only when half a magazine goes back. A
 * block of one of this heap's own pools gets its bit. One of another heap's pool gets it in the remote map, and
 * the other heap's count of such frees goes up. That count is a hint: when it is large enough to be worth it,
 * the owner looks through its pools, so that a look through n pools is paid for by n / 4 frees, and less than
 * one block in a hundred waits unseen.
 *
 * A heap outlives its thread: it goes, with its pools, to the next thread that starts, or is merged into one
 * that needs a pool. The child of a fork owns what the forking thread had; the heaps of the threads that it
 * does not have may be half changed, and are *lost*: they are never used again.
 *
 * (L1) a pool is in `open` of its heap and class if 0 < free_blocks < capacity, and in `full` if free_blocks is
 *      0; one whose blocks are all free was returned to the region
 * (L2) a block in a magazine is of its class, is not free, and is in one magazine once
 *
 * Sources: Bonwick & Adams, Magazines and Vmem, USENIX 2001 (magazines); Leijen et al., Mimalloc: Free List
 * Sharding in Action, APLAS 2019 (own and foreign frees apart); Berger et al., Hoard, ASPLOS 2000 (heaps of
 * threads that own their pages).
 */
#ifndef REFARENA_MAGAZINE_LOCAL_H
#define REFARENA_MAGAZINE_LOCAL_H

#include "region.h"

enum {
    LOCAL_ROUNDS = 64,                      /* blocks that a magazine holds */
    LOCAL_HALF   = LOCAL_ROUNDS / 2,        /* that are moved at once */
    LOCAL_SHARE  = 4,                       /* a look through n pools after n / 4 foreign frees */
};

/* DEAD: has pools and no thread. SPARE: has neither. LOST: had a thread before a fork. */
typedef enum local_state { LOCAL_SPARE, LOCAL_LIVE, LOCAL_DEAD, LOCAL_LOST } local_state;

/* Where a magazine ends now, and where its room does. Below an empty one's top lies `none`, which is NULL:
 * so popping finds out that there is no round by looking at it. */
typedef struct local_mark { void **top, **end; } local_mark;

typedef struct local_heap {
    local_mark marks[SIZE_CLASS_COUNT];     /* of each magazine */
    struct { void *none, *rounds[LOCAL_ROUNDS]; } magazines[SIZE_CLASS_COUNT];     /* none is NULL */
    bitpool_link open[SIZE_CLASS_COUNT], full[SIZE_CLASS_COUNT];
    uint32_t pools[SIZE_CLASS_COUNT];       /* in both lists */
    _Atomic uint32_t foreign_frees[SIZE_CLASS_COUNT];   /* about so many since the last look */
    _Atomic size_t   passed_blocks, passed_bytes;   /* by this thread, less what it released: may wrap */
    local_state state;                      /* changes under the lock */
    struct local_heap *next;                /* of all heaps that were ever made */
} local_heap;

/* The calling thread's heap; before its first call local_nobody, whose magazines are empty and full at
 * once, so that the fast paths find no round and no room there, and need not ask whether there is a heap.
 * Its model: in an executable one load; in a library, which is loaded before main, one more, and never a call. */
#if defined(__PIC__) && !defined(__PIE__)
#define LOCAL_TLS "initial-exec"
#else
#define LOCAL_TLS "local-exec"
#endif
extern _Thread_local local_heap *local_mine __attribute__((tls_model(LOCAL_TLS)));
extern local_heap local_nobody;

static inline uint32_t local_count(const local_heap *heap, uint32_t size_class) {
    return (uint32_t)(heap->marks[size_class].top - heap->magazines[size_class].rounds);
}

/* Once, before any thread allocates. */
void local_open(void);

/* The calling thread's heap, found or made. NULL: the OS refused one. */
local_heap *local_own(void);

/* The magazine of the class is empty: fill half of it, and hand out one block. NULL: there is no memory. */
void *local_refill(uint32_t size_class);

/* The magazine of the class is full: send half of it back, and take `block`, which is of the class. */
void local_put_back(void *block, uint32_t size_class);

/* The calling thread is done: its magazines are emptied, and its heap is there for others. */
void local_thread_exit(void);

/* Return what can be returned: this thread's magazines, what was freed elsewhere, heaps without a thread. */
void local_trim(void);

void local_fork_prepare(void);
void local_fork_parent(void);
void local_fork_child(void);

/* For looks at the whole. They take the lock, but the figures hold only while other threads are at rest. */
void local_lock(void);
void local_unlock(void);
local_heap *local_first(void);              /* of all heaps, linked by next */

/* All blocks of all threads die. */
void local_reset(void);

#endif
