/* SPDX-License-Identifier: MIT
 * heap_limit.c - one relaxed counter: exact in sum, whatever the number of threads. */
#include "heap_limit.h"

#include <stdatomic.h>

static struct {
    const allocator *inner;
    allocator        table;
    atomic_size_t    used_bytes;
    size_t           limit_bytes;               /* 0: none */
} heap_limit;

void heap_limit_open(size_t limit_bytes) {
    heap_limit.limit_bytes = limit_bytes;
    atomic_store_explicit(&heap_limit.used_bytes, 0, memory_order_relaxed);
}
bool heap_limit_is_set(void) { return heap_limit.limit_bytes != 0; }

bool heap_limit_take(size_t bytes) {
    if (heap_limit.limit_bytes == 0) return true;
    size_t used = atomic_load_explicit(&heap_limit.used_bytes, memory_order_relaxed);
    do
        if (bytes > heap_limit.limit_bytes - used) return false;                                /* I1 */
    while (!atomic_compare_exchange_weak_explicit(&heap_limit.used_bytes, &used, used + bytes, memory_order_relaxed,
                                                  memory_order_relaxed));
    return true;
}

void heap_limit_give(size_t bytes) {
    if (heap_limit.limit_bytes != 0) atomic_fetch_sub_explicit(&heap_limit.used_bytes, bytes, memory_order_relaxed);
}

static void *heap_limit_alloc(size_t bytes, size_t alignment) {
    if (!heap_limit_take(bytes)) return NULL;
    void *block = heap_limit.inner->alloc(bytes, alignment);
    if (block == NULL) heap_limit_give(bytes);
    return block;
}

static void *heap_limit_alloc_zeroed(size_t bytes, size_t alignment) {
    if (!heap_limit_take(bytes)) return NULL;
    void *block = heap_limit.inner->alloc_zeroed(bytes, alignment);
    if (block == NULL) heap_limit_give(bytes);
    return block;
}

static void *heap_limit_resize(void *block, size_t old_bytes, size_t new_bytes) {
    size_t more = new_bytes > old_bytes ? new_bytes - old_bytes : 0;
    if (!heap_limit_take(more)) return NULL;
    void *moved = heap_limit.inner->resize(block, old_bytes, new_bytes);
    if (moved == NULL) heap_limit_give(more);
    else if (more == 0) heap_limit_give(old_bytes - new_bytes);
    return moved;
}

static void heap_limit_release(void *block, size_t bytes) {
    if (block != NULL) heap_limit_give(bytes);
    heap_limit.inner->release(block, bytes);
}

const allocator *heap_limit_wrap(const allocator *inner) {
    if (!heap_limit_is_set()) return inner;
    heap_limit.inner = inner;
    heap_limit.table = *inner;
    heap_limit.table.alloc = heap_limit_alloc;
    heap_limit.table.alloc_zeroed = heap_limit_alloc_zeroed;
    heap_limit.table.resize = heap_limit_resize;
    heap_limit.table.release = heap_limit_release;
    return &heap_limit.table;
}
