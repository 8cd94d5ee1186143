/* SPDX-License-Identifier: MIT
 * counted.c - a wrapper that counts what is asked for: requests, bytes, and live bytes with their peak.
 *
 * It believes the sizes that the callers pass and never looks at a block, so that the figures are the
 * program's own, equal on every allocator. Its other entries are the inner allocator's, untouched.
 * Thread-safe where the inner one is: every figure is a relaxed atomic, exact in sum and without an order.
 */
#include "counted.h"
#include "registry.h"

#include <stdatomic.h>

const char counted_idea[] = "counts requests and live bytes";

static const allocator *counted_inner;
static allocator        counted_table;
static char             counted_name[REGISTRY_NAME_BYTES];

static struct {
    _Atomic uint64_t allocations, resizes, releases, refusals;
    _Atomic uint64_t allocated_bytes, resized_bytes, live_bytes, live_peak_bytes, unsized;
} counted;

static inline void counted_add(_Atomic uint64_t *figure, uint64_t n) {
    atomic_fetch_add_explicit(figure, n, memory_order_relaxed);
}

static inline uint64_t counted_get(_Atomic uint64_t *figure) {
    return atomic_load_explicit(figure, memory_order_relaxed);
}

static void counted_grow(uint64_t bytes) {
    uint64_t live = atomic_fetch_add_explicit(&counted.live_bytes, bytes, memory_order_relaxed) + bytes;
    uint64_t peak = counted_get(&counted.live_peak_bytes);
    while (peak < live && !atomic_compare_exchange_weak_explicit(&counted.live_peak_bytes, &peak, live,
                                                                 memory_order_relaxed, memory_order_relaxed))
        continue;
}

static void counted_shrink(uint64_t bytes) {
    atomic_fetch_sub_explicit(&counted.live_bytes, bytes, memory_order_relaxed);
    if (bytes == 0)
        counted_add(&counted.unsized, 1);
}

static void *counted_note(void *block, size_t bytes) {
    if (!block) {
        counted_add(&counted.refusals, 1);
        return NULL;
    }
    counted_add(&counted.allocations, 1);
    counted_add(&counted.allocated_bytes, bytes);
    counted_grow(bytes);
    return block;
}

static void *counted_alloc(size_t bytes, size_t alignment) {
    return counted_note(counted_inner->alloc(bytes, alignment), bytes);
}

static void *counted_alloc_zeroed(size_t bytes, size_t alignment) {
    return counted_note(counted_inner->alloc_zeroed(bytes, alignment), bytes);
}

static void *counted_resize(void *block, size_t old_bytes, size_t new_bytes) {
    void *moved = counted_inner->resize(block, old_bytes, new_bytes);
    if (!moved) {
        counted_add(&counted.refusals, 1);
        return NULL;
    }
    counted_add(&counted.resizes, 1);
    counted_add(&counted.resized_bytes, new_bytes);
    counted_shrink(old_bytes);          /* first, or the peak would have the block twice */
    counted_grow(new_bytes);
    return moved;
}

/* Before the inner release: after it another thread may have the block, and its growth must not come first. */
static void counted_release(void *block, size_t bytes) {
    if (block) {
        counted_add(&counted.releases, 1);
        counted_shrink(bytes);
    }
    counted_inner->release(block, bytes);
}

static bool counted_reset_inner(void) {
    if (!counted_inner->reset())
        return false;
    atomic_store_explicit(&counted.live_bytes, 0, memory_order_relaxed);
    return true;
}

counted_figures counted_read(void) {
    return (counted_figures){
        .allocations = counted_get(&counted.allocations), .resizes = counted_get(&counted.resizes),
        .releases = counted_get(&counted.releases), .refusals = counted_get(&counted.refusals),
        .allocated_bytes = counted_get(&counted.allocated_bytes),
        .resized_bytes = counted_get(&counted.resized_bytes),
        .live_bytes = counted_get(&counted.live_bytes),
        .live_peak_bytes = counted_get(&counted.live_peak_bytes),
        .unsized = counted_get(&counted.unsized),
    };
}

void counted_reset(void) {
    _Atomic uint64_t *const cleared[] = {
        &counted.allocations, &counted.resizes, &counted.releases, &counted.refusals,
        &counted.allocated_bytes, &counted.resized_bytes, &counted.unsized,
    };
    for (size_t i = 0; i < sizeof cleared / sizeof *cleared; i++)
        atomic_store_explicit(cleared[i], 0, memory_order_relaxed);
    atomic_store_explicit(&counted.live_peak_bytes, counted_get(&counted.live_bytes), memory_order_relaxed);
}

const allocator *counted_wrap(const allocator *inner) {
    registry_wrapped_name(counted_name, "counted", inner);
    counted_inner = inner;
    counted_table = *inner;
    counted_table.name = counted_name;
    counted_table.idea = counted_idea;
    counted_table.alloc = counted_alloc;
    counted_table.alloc_zeroed = counted_alloc_zeroed;
    counted_table.resize = counted_resize;
    counted_table.release = counted_release;
    counted_table.reset = counted_reset_inner;
    atomic_store_explicit(&counted.live_bytes, 0, memory_order_relaxed);
    counted_reset();
    return &counted_table;
}
