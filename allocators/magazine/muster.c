/* SPDX-License-Identifier: MIT
 * muster.c - figures, blocks and invariants, gathered from the region and all heaps.
 */
#include "muster.h"
#include "local.h"
#include "../invariant.h"

_Static_assert((int)SIZE_CLASS_COUNT <= (int)ALLOCATOR_SIZE_CLASSES, "the contract has room for all classes");

static bitpool_remote *muster_remote(const bitpool *p) {
    return &region_state.remotes[region_index(p)];
}

/* --- figures --- */

size_t muster_passed_blocks(void) {
    size_t blocks = 0;
    for (local_heap *heap = local_first(); heap; heap = heap->next)
        blocks += atomic_load_explicit(&heap->passed_blocks, memory_order_relaxed);
    return blocks;
}

size_t muster_passed_bytes(void) {
    size_t bytes = 0;
    for (local_heap *heap = local_first(); heap; heap = heap->next)
        bytes += atomic_load_explicit(&heap->passed_bytes, memory_order_relaxed);
    return bytes;
}

static bool muster_count_pool(bitpool *p, void *context) {
    allocator_stats *stats = context;
    uint32_t used = p->capacity - p->free_blocks - bitpool_waiting(p, muster_remote(p));
    stats->pools_full += used == p->capacity;
    stats->pools_used += used != p->capacity;
    stats->class_pools[p->size_class]++;
    stats->class_blocks[p->size_class] += used;
    return true;
}

void muster_stats(allocator_stats *stats) {
    local_lock();
    *stats = (allocator_stats){
        .known = ALLOCATOR_KNOWS_HELD | ALLOCATOR_KNOWS_USED | ALLOCATOR_KNOWS_ARENAS | ALLOCATOR_KNOWS_CLASSES,
        .arenas = region_state.held, .arenas_peak = region_state.peak,
        .arenas_mapped = region_state.mapped, .arenas_unmapped = region_state.unmapped,
        .pools_empty = region_free_pools(), .classes = SIZE_CLASS_COUNT,
        .large_blocks = muster_passed_blocks(), .used_blocks = muster_passed_blocks(),
        .used_bytes = muster_passed_bytes(),
        .held_bytes = muster_passed_bytes() + region_state.held * REGION_ARENA_BYTES,
    };
    region_each_pool(muster_count_pool, stats);
    for (local_heap *heap = local_first(); heap; heap = heap->next)
        for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++)
            stats->class_blocks[i] -= local_count(heap, i);
    for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++) {
        stats->class_bytes[i] = size_class_bytes(i);
        stats->used_blocks += stats->class_blocks[i];
        stats->used_bytes += stats->class_blocks[i] * size_class_bytes(i);
    }
    local_unlock();
}

/* --- blocks in magazines --- */

static void muster_mark(const bitpool *p, uint32_t block, bool cached) {
    _Atomic uint64_t *word = &muster_remote(p)->free[block / 64];
    uint64_t bit = UINT64_C(1) << block % 64, was = atomic_load(word);
    INVARIANT(!cached || !((was | p->free[block / 64]) & bit), "(L2) a block in a magazine is not free, and there once");
    atomic_store(word, cached ? was | bit : was & ~bit);
}

static void muster_mark_magazines(bool cached) {
    for (local_heap *heap = local_first(); heap; heap = heap->next)
        for (uint32_t i = 0; i < SIZE_CLASS_COUNT && heap->state != LOCAL_LOST; i++)
            for (uint32_t round = 0; round < local_count(heap, i); round++) {
                char *block = heap->magazines[i].rounds[round];
                INVARIANT(region_owns(block), "(L2) a block in a magazine is ours");
                const bitpool *p = &region_state.pools[region_pool(block)];
                uint32_t offset = (uint32_t)((uintptr_t)block % BITPOOL_BYTES);
                INVARIANT(p->size_class == i, "(L2) a block in a magazine is of its class");
                INVARIANT(offset % size_class_bytes(i) == 0 && bitpool_block(p, offset) == offset / size_class_bytes(i),
                          "(L2) a block in a magazine lies on a block boundary");
                muster_mark(p, bitpool_block(p, offset), cached);
            }
}

typedef struct muster_visit { allocator_visitor *visit; void *context; } muster_visit;

static bool muster_walk_pool(bitpool *p, void *context) {
    const muster_visit *to = context;
    return bitpool_walk(p, muster_remote(p), region_address(region_index(p)), to->visit, to->context);
}

bool muster_walk(allocator_visitor *visit, void *context) {
    local_lock();
    muster_mark_magazines(true);
    local_unlock();                         /* visit may allocate nothing, but look at figures */
    bool whole = region_each_pool(muster_walk_pool, &(muster_visit){ visit, context });
    local_lock();
    muster_mark_magazines(false);
    local_unlock();
    return whole;
}

/* --- invariants --- */

static bool muster_check_pool(bitpool *p, void *context) {
    size_t *owned = context;
    const local_heap *owner = atomic_load(&p->owner);
    if (owner->state == LOCAL_LOST)
        return true;
    bitpool_check(p, muster_remote(p));
    INVARIANT(region_state.classes[region_index(p)] == p->size_class, "(B1) the array of classes knows a pool's");
    INVARIANT(p->free_blocks < p->capacity, "(L1) a pool whose blocks are all free was returned");
    ++*owned;
    return true;
}

static size_t muster_check_list(const local_heap *heap, const bitpool_link *list, uint32_t size_class, bool full) {
    size_t listed = 0;
    for (const bitpool_link *link = list->next; link != list; link = link->next, listed++) {
        const bitpool *p = (const bitpool *)link;
        INVARIANT(link->previous->next == link && link->next->previous == link,
                  "(L1) a list reads the same in both directions");
        INVARIANT(atomic_load(&p->owner) == heap, "(L1) a pool in a list is of that heap");
        INVARIANT(p->size_class == size_class, "(L1) a pool is in the list of its own class");
        INVARIANT((p->free_blocks == 0) == full, "(L1) a pool is in the full list if no block of it is free");
    }
    return listed;
}

void muster_check(void) {
    size_t owned = 0, listed = 0;
    local_lock();
    region_check();
    region_each_pool(muster_check_pool, &owned);
    for (const local_heap *heap = local_first(); heap; heap = heap->next)
        for (uint32_t i = 0; i < SIZE_CLASS_COUNT && heap->state != LOCAL_LOST; i++) {
            size_t pools = muster_check_list(heap, &heap->open[i], i, false)
                         + muster_check_list(heap, &heap->full[i], i, true);
            INVARIANT(pools == heap->pools[i], "(L1) a heap knows how many pools it has");
            INVARIANT(local_count(heap, i) <= LOCAL_ROUNDS, "(L2) a magazine is no fuller than full");
            INVARIANT(heap->magazines[i].none == NULL, "(L2) below a magazine lies NULL");
            listed += pools;
        }
    INVARIANT(listed == owned, "(L1) every pool is in a list of its heap");
    muster_mark_magazines(true);
    muster_mark_magazines(false);
    local_unlock();
}
