/* SPDX-License-Identifier: MIT
 * cache.c - a cache with a budget of bytes that runs for long, while the sizes of what it holds drift.
 *
 * Exercises: a heap laid out for sizes that are asked for no longer. The oldest item leaves when a new one does not
 * fit; items become larger and larger, then smaller again. What the small ones leave is of use for large ones only if
 * it can be joined or given back; size classes must hand pages from one class to another.
 * Source: slab calcification: Nishtala et al., Scaling Memcache at Facebook, NSDI 2013, whose allocator moves slabs
 * between classes as the load changes, and whose clients invalidate items that were written elsewhere. That leaving in
 * the order of arrival is what a good cache does: Yang et al., FIFO queues are all you need for cache eviction, SOSP 2023.
 * Not claimed: hits. Nothing is read but what leaves.
 * size = insertions in a unit, smallest and largest = between which sizes drift. An eighth of all bytes fits at once.
 *
 * A size is drawn within half an octave around the middle, which moves up the logarithmic scale over the first half
 * of the unit and down over the second. In one step of eight an item is invalidated: of the last quarter of a unit,
 * whichever the step drew; nothing happens where it has left.
 * What is in the cache after a unit follows from its last insertions alone: prepare runs one unit, and all are alike.
 * (I1) The item of step i is in slots[i], or gone; those of the last `span` steps, counted round, may live, no other does.
 * (I2) Between steps `bytes` are those of the items that live, and at most `budget`, unless one item alone is more.
 */
#include "octaves.h"
#include "slot.h"

enum { CACHE_SIZE, CACHE_SMALLEST, CACHE_LARGEST };
enum { CACHE_SPREAD = OCTAVES_PARTS / 2, CACHE_SHARE = 8, CACHE_INVALID = 8, CACHE_AGES = 4 };

typedef struct cache_state {
    uint64_t first, seed;
    uint32_t size, lowest, highest;         /* places on the scale of sizes */
    uint64_t budget, bytes;
    uint32_t span;
    slot     slots[];
} cache_state;

static unsigned cache_needs(const workload_run *run) {
    (void)run;
    return 0;
}

static uint64_t cache_draw(const cache_state *state, uint32_t step) {
    return random_mix(state->seed ^ (step + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15));
}

/* Bytes of the item that a step of the unit inserts. */
static uint32_t cache_bytes(const cache_state *state, uint32_t step) {
    uint32_t half = step < state->size - step ? step : state->size - step;             /* 0 .. size/2 and back */
    uint32_t middle = state->lowest + (uint32_t)((uint64_t)(state->highest - state->lowest) * 2 * half / state->size);
    uint32_t place = middle + (uint32_t)(cache_draw(state, step) % (CACHE_SPREAD + 1)) - CACHE_SPREAD / 2;
    return octaves_bytes(place < state->lowest ? state->lowest : place > state->highest ? state->highest : place);
}

static void cache_scale(const workload_run *run, cache_state *state) {
    state->seed = random_mix(run->seed);
    state->size = (uint32_t)run->parameters[CACHE_SIZE];
    state->lowest = octaves_place((uint64_t)run->parameters[CACHE_SMALLEST]);
    state->highest = octaves_place((uint64_t)run->parameters[CACHE_LARGEST] + 1) - 1;
    if (state->highest < state->lowest) state->highest = state->lowest;
}

static workload_operations cache_declare(const workload_run *run) {
    cache_state scale;
    uint64_t bytes = 0;
    cache_scale(run, &scale);
    for (uint32_t step = 0; step < scale.size; step++) bytes += cache_bytes(&scale, step);
    return (workload_operations){.operations = scale.size, .allocations = scale.size, .bytes = bytes};
}

static size_t cache_mapped_bytes(const workload_run *run) {
    return sizeof(cache_state) + (size_t)run->parameters[CACHE_SIZE] * sizeof(slot);
}

/* The slot of the item that was inserted `age` steps before `step`. */
static slot *cache_item(cache_state *state, uint32_t step, uint32_t age) {
    return &state->slots[step >= age ? step - age : step + state->size - age];
}

static bool cache_leave(workload_run *run, cache_state *state, slot *item) {
    if (!item->at) return true;             /* it was invalidated, or has left */
    state->bytes -= item->bytes;
    return slot_empty(run, item, state->first);
}

static bool cache_insert(workload_run *run, cache_state *state, uint32_t step) {
    uint32_t bytes = cache_bytes(state, step);
    for (; state->span > 0 && (state->bytes + bytes > state->budget || state->span == state->size); state->span--)
        if (!cache_leave(run, state, cache_item(state, step, state->span))) return false;
    if (!slot_fill(run, &state->slots[step], bytes, state->first, step)) return false;
    state->bytes += bytes;
    state->span++;
    return true;
}

static bool cache_invalidate(workload_run *run, cache_state *state, uint32_t step) {
    uint64_t drawn = cache_draw(state, step) >> 16;
    if (drawn % CACHE_INVALID != 0) return true;
    return cache_leave(run, state, cache_item(state, step, (uint32_t)(drawn / CACHE_INVALID % (state->size / CACHE_AGES + 1))));
}

static bool cache_turn(workload_run *run, cache_state *state, bool tell) {
    for (uint32_t step = 0; step < state->size; step++) {
        if (!cache_insert(run, state, step) || !cache_invalidate(run, state, step)) return false;
        if (tell && step == state->size / 2) run->moment(run, "large items");
    }
    if (tell) run->moment(run, "small items");
    return true;
}

static bool cache_prepare(workload_run *run) {
    if (!slot_range(run, run->parameters[CACHE_SMALLEST], run->parameters[CACHE_LARGEST])) return false;
    cache_state *state = run->state = workload_map(cache_mapped_bytes(run));
    if (!state) return false;
    cache_scale(run, state);
    state->first = (uint64_t)run->thread << 32;
    state->budget = cache_declare(run).bytes / CACHE_SHARE;
    return cache_turn(run, state, false);
}

static bool cache_unit(workload_run *run) { return cache_turn(run, run->state, true); }

static void cache_finish(workload_run *run) {
    cache_state *state = run->state;
    if (!state) return;
    slot_drop_all(run, state->slots, state->size);
    workload_unmap(state, cache_mapped_bytes(run));
    run->state = NULL;
    run->live_bytes = 0;
}

const workload cache_workload = {
    .name = "cache", .idea = "a cache that runs for long, while the sizes of its items drift", .operation = "insertion",
    .kind = WORKLOAD_ON_BLOCKS, .threaded = true,
    .parameters = {
        [CACHE_SIZE]     = {.name = "size", .meaning = "insertions in a unit", .value = 20000, .minimum = 8, .maximum = 100000000},
        [CACHE_SMALLEST] = {.name = "smallest", .meaning = "bytes of the smallest item", .value = 64, .minimum = 1,
                            .maximum = 1 << 24},
        [CACHE_LARGEST]  = {.name = "largest", .meaning = "bytes of the largest item", .value = 4096, .minimum = 1,
                            .maximum = 1 << 24},
    },
    .needs = cache_needs, .declare = cache_declare,
    .prepare = cache_prepare, .unit = cache_unit, .finish = cache_finish,
};
