/* SPDX-License-Identifier: MIT
 * pair.c - one block allocated and released again, over and over.
 *
 * Exercises: the shortest way through an allocator, with all it needs in the nearest cache.
 * Source: most objects die young (Ungar, Generation scavenging, 1984), a temporary at once: the boxed number that
 * an interpreter makes for a sum and drops after printing it.
 * held = 0 is what such a loop meets when nothing else is there, and programs seldom: with no other block of its
 * class, CPython's allocator (Objects/obmalloc.c, allocate_from_new_pool and insert_to_freepool) takes a pool into
 * use and gives it back in every pair. A few held blocks keep the pool. Measure both.
 * Not claimed: that real programs are as fast. Nothing here misses a cache or a branch.
 * size = bytes of a block, held = live blocks of that size beside, count = pairs in a unit.
 *
 * A block's edges are written and read between its birth and its death, with a stamp that costs one addition: the
 * compiler cannot do without the block, and the loop has little else. The held ones are checked after the loop.
 */
#include <stdio.h>

#include "../workload.h"
#include "stamp.h"

enum { PAIR_SIZE, PAIR_HELD, PAIR_COUNT };

typedef struct pair_state {
    uint64_t first_stamp;       /* of this thread */
    char    *held[];            /* NULL: not made */
} pair_state;

static unsigned pair_needs(const workload_run *run) {
    (void)run;
    return 0;
}

static workload_operations pair_declare(const workload_run *run) {
    uint64_t count = (uint64_t)run->parameters[PAIR_COUNT];
    return (workload_operations){
        .operations = count, .allocations = count, .bytes = count * (uint64_t)run->parameters[PAIR_SIZE],
    };
}

static size_t pair_mapped_bytes(const workload_run *run) {
    return sizeof(pair_state) + (size_t)run->parameters[PAIR_HELD] * sizeof(char *);
}

static bool pair_prepare(workload_run *run) {
    size_t bytes = (size_t)run->parameters[PAIR_SIZE], held = (size_t)run->parameters[PAIR_HELD];
    pair_state *state = run->state = workload_map(pair_mapped_bytes(run));
    if (!state) return false;
    state->first_stamp = stamp_of(run->seed + ((uint64_t)run->thread << 32));
    for (size_t i = 0; i < held; i++) {
        state->held[i] = run->memory->alloc(bytes, ALLOCATOR_ALIGNMENT);
        if (!state->held[i]) return false;
        stamp_edges(state->held[i], bytes, state->first_stamp + i);
        run->live_bytes += bytes;
    }
    return true;
}

static bool pair_held_hold(workload_run *run) {
    const pair_state *state = run->state;
    size_t bytes = (size_t)run->parameters[PAIR_SIZE], held = (size_t)run->parameters[PAIR_HELD];
    for (size_t i = 0; i < held; i++)
        if (!stamp_edges_hold(state->held[i], bytes, state->first_stamp + i)) {
            snprintf(run->why, sizeof run->why, "pair on %.40s: a held block of %zu bytes changed while it was alive",
                     run->memory->name, bytes);
            return false;
        }
    return true;
}

static bool pair_unit(workload_run *run) {
    const pair_state *state = run->state;
    const allocator *memory = run->memory;
    size_t bytes = (size_t)run->parameters[PAIR_SIZE];
    uint64_t stamp = state->first_stamp, end = stamp + (uint64_t)run->parameters[PAIR_COUNT], sum = 0;
    for (; stamp != end; stamp++) {
        char *block = memory->alloc(bytes, ALLOCATOR_ALIGNMENT);
        if (!block) return false;
        stamp_edges(block, bytes, stamp);
        sum += stamp_sum(block, bytes);
        memory->release(block, bytes);
    }
    run->checksum = random_mix(sum);
    run->moment(run, "held");
    return pair_held_hold(run);
}

static void pair_finish(workload_run *run) {
    pair_state *state = run->state;
    if (!state) return;
    for (int64_t i = 0; i < run->parameters[PAIR_HELD]; i++)
        if (state->held[i]) run->memory->release(state->held[i], (size_t)run->parameters[PAIR_SIZE]);
    workload_unmap(state, pair_mapped_bytes(run));
    run->state = NULL;
    run->live_bytes = 0;
}

const workload pair_workload = {
    .name = "pair", .idea = "one block allocated and released again, over and over",
    .operation = "pair", .kind = WORKLOAD_ON_BLOCKS, .threaded = true,
    .parameters = {
        [PAIR_SIZE]  = {.name = "size", .meaning = "bytes of a block", .value = 64, .minimum = 1, .maximum = 1 << 20},
        [PAIR_HELD]  = {.name = "held", .meaning = "live blocks of that size beside; 0: an empty class", .value = 8,
                        .minimum = 0, .maximum = 100000},
        [PAIR_COUNT] = {.name = "count", .meaning = "pairs in a unit", .value = 20000, .minimum = 1, .maximum = 1 << 30},
    },
    .needs = pair_needs, .declare = pair_declare,
    .prepare = pair_prepare, .unit = pair_unit, .finish = pair_finish,
};
