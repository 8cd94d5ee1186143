/* SPDX-License-Identifier: MIT
 * lifetimes.c - a wrapper that measures how long blocks live, in bytes asked for.
 *
 *     | up to 4080 bytes: alignment | record 16 | block ...
 *
 * Bytes asked for are the clock of memory: they run as fast on a slow machine as on a fast one, and a collector that
 * waits for so many bytes before it looks waits for so much of them. Each block has its birth and its thread in a record
 * before it; so it is larger than what was asked for, and figures of the inner allocator are not the program's.
 * Thread-safe where the inner one is.
 * Source: lifetimes in bytes allocated, Barrett and Zorn, "Using lifetime predictors to improve memory allocation
 * performance", PLDI 1993.
 */
#include "lifetimes.h"
#include "registry.h"

#include <stdatomic.h>

const char lifetimes_idea[] = "tells who watches how long blocks live";

typedef struct lifetimes_record {
    uint64_t birth_bytes;       /* the clock after it */
    uint32_t thread;            /* that asked for the block */
    uint32_t before_bytes;      /* from the inner block to ours */
} lifetimes_record;

_Static_assert(sizeof(lifetimes_record) == ALLOCATOR_ALIGNMENT, "a block stays aligned behind its record");

static const allocator         *lifetimes_inner;
static allocator                lifetimes_table;
static char                     lifetimes_name[REGISTRY_NAME_BYTES];
static const lifetimes_watcher *lifetimes_watcher_now;
static _Atomic uint64_t         lifetimes_clock;
static _Atomic uint32_t         lifetimes_threads;
static _Thread_local uint32_t   lifetimes_thread;       /* 0: has no number yet */

static uint32_t lifetimes_own_thread(void) {
    if (lifetimes_thread == 0)
        lifetimes_thread = atomic_fetch_add_explicit(&lifetimes_threads, 1, memory_order_relaxed) + 1;
    return lifetimes_thread;
}

static lifetimes_record *lifetimes_record_of(const void *block) { return (lifetimes_record *)block - 1; }

static size_t lifetimes_before_bytes(size_t alignment) {
    return alignment > sizeof(lifetimes_record) ? alignment : sizeof(lifetimes_record);
}

static uint64_t lifetimes_tick(size_t bytes) {
    return atomic_fetch_add_explicit(&lifetimes_clock, bytes, memory_order_relaxed) + bytes;
}

static void *lifetimes_note(char *inner_block, size_t before_bytes, size_t bytes) {
    if (!inner_block)
        return NULL;
    void *block = inner_block + before_bytes;
    *lifetimes_record_of(block) = (lifetimes_record){lifetimes_tick(bytes), lifetimes_own_thread(), (uint32_t)before_bytes};
    if (lifetimes_watcher_now)
        lifetimes_watcher_now->born(bytes);
    return block;
}

static void *lifetimes_alloc(size_t bytes, size_t alignment) {
    size_t before_bytes = lifetimes_before_bytes(alignment);
    return bytes > SIZE_MAX - before_bytes ? NULL
         : lifetimes_note(lifetimes_inner->alloc(bytes + before_bytes, alignment), before_bytes, bytes);
}

static void *lifetimes_alloc_zeroed(size_t bytes, size_t alignment) {
    size_t before_bytes = lifetimes_before_bytes(alignment);
    return bytes > SIZE_MAX - before_bytes ? NULL
         : lifetimes_note(lifetimes_inner->alloc_zeroed(bytes + before_bytes, alignment), before_bytes, bytes);
}

static size_t lifetimes_with(size_t bytes, size_t before_bytes) { return bytes ? bytes + before_bytes : 0; }

/* The block lives on, larger or smaller, and the clock runs by what it grew. */
static void *lifetimes_resize(void *block, size_t old_bytes, size_t new_bytes) {
    size_t before_bytes = lifetimes_record_of(block)->before_bytes;
    if (new_bytes > SIZE_MAX - before_bytes)
        return NULL;
    char *moved = lifetimes_inner->resize((char *)block - before_bytes, lifetimes_with(old_bytes, before_bytes),
                                          new_bytes + before_bytes);
    if (moved && new_bytes > old_bytes)
        lifetimes_tick(new_bytes - old_bytes);
    return moved ? moved + before_bytes : NULL;
}

static void lifetimes_release(void *block, size_t bytes) {
    if (!block)
        return;
    const lifetimes_record record = *lifetimes_record_of(block);
    if (lifetimes_watcher_now)
        lifetimes_watcher_now->died(lifetimes_clock_bytes() - record.birth_bytes, record.thread != lifetimes_own_thread());
    lifetimes_inner->release((char *)block - record.before_bytes, lifetimes_with(bytes, record.before_bytes));
}

static size_t lifetimes_usable_bytes(const void *block) {
    size_t before_bytes = lifetimes_record_of(block)->before_bytes;
    size_t inner_bytes = lifetimes_inner->usable_bytes((const char *)block - before_bytes);
    return inner_bytes ? inner_bytes - before_bytes : 0;
}

void lifetimes_watch(const lifetimes_watcher *watcher) { lifetimes_watcher_now = watcher; }

uint64_t lifetimes_clock_bytes(void) { return atomic_load_explicit(&lifetimes_clock, memory_order_relaxed); }

const allocator *lifetimes_wrap(const allocator *inner) {
    registry_wrapped_name(lifetimes_name, "lifetimes", inner);
    lifetimes_inner = inner;
    lifetimes_watcher_now = NULL;
    lifetimes_clock = 0;
    lifetimes_table = *inner;
    lifetimes_table.name = lifetimes_name;
    lifetimes_table.idea = lifetimes_idea;
    lifetimes_table.alloc = lifetimes_alloc;
    lifetimes_table.alloc_zeroed = lifetimes_alloc_zeroed;
    lifetimes_table.resize = lifetimes_resize;
    lifetimes_table.release = lifetimes_release;
    lifetimes_table.usable_bytes = lifetimes_usable_bytes;
    lifetimes_table.walk = allocator_cannot_walk;
    return &lifetimes_table;
}
