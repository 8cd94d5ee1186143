/* SPDX-License-Identifier: MIT
 * survey.c - figures, blocks and invariants, gathered from all pools.
 */
#include "survey.h"
#include "arena.h"
#include "../invariant.h"

_Static_assert((int)SIZE_CLASS_COUNT <= (int)ALLOCATOR_SIZE_CLASSES, "the contract has room for all classes");

static bool survey_count(pool *p, void *context) {
    allocator_stats *stats = context;
    if (p->used_blocks == 0)
        return true;                                /* empty: counted with those never carved */
    bool full = p->used_blocks == pool_capacity(p->size_class);
    stats->pools_full += full;
    stats->pools_used += !full;
    stats->class_pools[p->size_class]++;
    stats->class_blocks[p->size_class] += p->used_blocks;
    stats->used_blocks += p->used_blocks;
    stats->used_bytes += (size_t)p->used_blocks * size_class_bytes(p->size_class);
    return true;
}

void survey_stats(allocator_stats *stats) {
    *stats = (allocator_stats){
        .known = ALLOCATOR_KNOWS_HELD | ALLOCATOR_KNOWS_USED | ALLOCATOR_KNOWS_ARENAS | ALLOCATOR_KNOWS_CLASSES,
        .held_bytes = arena_count() * ARENA_BYTES,
        .arenas = arena_count(), .arenas_peak = arena_state.peak,
        .arenas_mapped = arena_state.mapped, .arenas_unmapped = arena_state.unmapped,
        .classes = SIZE_CLASS_COUNT,
    };
    for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++)
        stats->class_bytes[i] = size_class_bytes(i);
    for (const arena *a = arena_state.usable; a; a = a->next)
        stats->pools_empty += a->free_pools;
    arena_each_pool(survey_count, stats);
}

typedef struct survey_visit { allocator_visitor *visit; void *context; } survey_visit;

static bool survey_walk_pool(pool *p, void *context) {
    const survey_visit *to = context;
    return pool_walk(p, to->visit, to->context);
}

bool survey_walk(allocator_visitor *visit, void *context) {
    return arena_each_pool(survey_walk_pool, &(survey_visit){ visit, context });
}

static bool survey_check_pool(pool *p, void *context) {
    size_t *used = context;
    pool_check(p);
    *used += p->used_blocks > 0 && p->used_blocks < pool_capacity(p->size_class);
    return true;
}

/* A list that reads the same in both directions and ends has nothing twice: so if it has used pools only,
 * and as many as there are, it has each. */
static size_t survey_check_lists(void) {
    size_t listed = 0, most = arena_count() * ARENA_POOLS;
    for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++) {
        const pool_link *head = &pool_lists[i];
        for (const pool_link *link = head->next; link != head; link = link->next) {
            const pool *p = (const pool *)link;
            INVARIANT(radix_owns(link) && (uintptr_t)link % POOL_BYTES == 0, "(P3) a list has pools of ours only");
            INVARIANT(link->previous->next == link && link->next->previous == link,
                      "(P3) a list reads the same in both directions");
            INVARIANT(p->size_class == i, "(P3) a pool is in the list of its own class");
            INVARIANT(p->used_blocks > 0 && p->used_blocks < pool_capacity(i),
                      "(P3) a pool in a list is used, not full or empty");
            INVARIANT(++listed <= most, "(P3) a list ends");
        }
    }
    return listed;
}

void survey_check(void) {
    arena_check();                  /* first: the others ask the radix map, and follow links into arenas */
    size_t listed = survey_check_lists(), used = 0;
    arena_each_pool(survey_check_pool, &used);
    INVARIANT(listed == used, "(P3) every used pool is in the list of its class");
}
