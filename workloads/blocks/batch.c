/* SPDX-License-Identifier: MIT
 * batch.c - many blocks of one size are made, and then all die: the last first, the first first, or in no order.
 *
 * Exercises: growing from nothing, and giving back. In which order blocks die decides what the allocator's lists
 * look like afterwards: a list that links the blocks themselves is shuffled by a random order, and each
 * step on it is a cache miss; whole pools, arenas or pages come free early or only at the very end.
 * Source: the peaks of Wilson et al., Dynamic Storage Allocation: A Survey and Critical Review, IWMM 1995: a phase
 * builds a structure, uses it and drops it, as a compiler does its trees.
 * Not claimed: that programs free in a random order. It is the far end of what age does to a heap.
 * size = bytes of a block, count = blocks, order = in which they die.
 *
 * The order is made before: the i-th block is put where it will lie in the order of death, so that dying walks
 * the table of pointers from its start. look = all reads each block just before its release, as a program that
 * decrements a count does; some reads one in 64, so that what a release itself costs is seen: most of a cache
 * miss on the block is otherwise the reader's.
 * On the way, moments are told when a tenth of the blocks is left, and when a thousandth is: in a random order these
 * are what pins pools and arenas of which hardly anything is used.
 * (I1) Between units, every entry of blocks is NULL.
 */
#include <stdio.h>

#include "../workload.h"
#include "stamp.h"

enum { BATCH_SIZE, BATCH_COUNT, BATCH_ORDER, BATCH_LOOK };      /* parameters */
enum { BATCH_LIFO, BATCH_FIFO, BATCH_RANDOM };                  /* values of order */
enum { BATCH_ALL, BATCH_SOME };                                 /* of look */
enum { BATCH_EVERY = 64 };                                      /* a power of two */

typedef struct batch_state {
    uint64_t  first_stamp;
    uint32_t  count;
    uint32_t *place;            /* of the i-th born in the order of death */
    char     *blocks[];         /* in that order */
} batch_state;

static unsigned batch_needs(const workload_run *run) {
    (void)run;
    return 0;
}

static workload_operations batch_declare(const workload_run *run) {
    uint64_t count = (uint64_t)run->parameters[BATCH_COUNT];
    return (workload_operations){
        .operations = count, .allocations = count, .bytes = count * (uint64_t)run->parameters[BATCH_SIZE],
    };
}

static size_t batch_mapped_bytes(const workload_run *run) {
    return sizeof(batch_state) + (size_t)run->parameters[BATCH_COUNT] * (sizeof(char *) + sizeof(uint32_t));
}

static bool batch_prepare(workload_run *run) {
    uint32_t count = (uint32_t)run->parameters[BATCH_COUNT];
    int64_t order = run->parameters[BATCH_ORDER];
    batch_state *state = run->state = workload_map(batch_mapped_bytes(run));
    if (!state) return false;
    state->first_stamp = stamp_of(run->seed + ((uint64_t)run->thread << 32));
    state->count = count;
    state->place = (uint32_t *)(state->blocks + count);
    for (uint32_t i = 0; i < count; i++) state->place[i] = order == BATCH_LIFO ? count - 1 - i : i;
    random_generator dice;
    random_start(&dice, run->seed, run->thread);
    if (order == BATCH_RANDOM) random_shuffle(&dice, state->place, count);
    return true;
}

static bool batch_births(workload_run *run, batch_state *state, size_t bytes) {
    for (uint32_t i = 0; i < state->count; i++) {
        uint32_t place = state->place[i];
        char *block = run->memory->alloc(bytes, ALLOCATOR_ALIGNMENT);
        if (!block) return false;
        stamp_edges(block, bytes, state->first_stamp + place);
        state->blocks[place] = block;
        run->live_bytes += bytes;
    }
    return true;
}

/* Of blocks from .. to - 1. `every` is a power of two: one block in so many is looked at. */
static inline bool batch_deaths(workload_run *run, batch_state *state, size_t bytes, uint32_t from, uint32_t to,
                                uint32_t every) {
    for (uint32_t place = from; place < to; place++) {
        char *block = state->blocks[place];
        if ((place & (every - 1)) == 0) {
            if (!stamp_edges_hold(block, bytes, state->first_stamp + place)) {
                snprintf(run->why, sizeof run->why, "batch on %.40s: a block of %zu bytes changed while it was alive",
                         run->memory->name, bytes);
                return false;
            }
            run->checksum = random_rotate(run->checksum, 5) + stamp_sum(block, bytes);
        }
        run->memory->release(block, bytes);
        run->live_bytes -= bytes;
        state->blocks[place] = NULL;
    }
    return true;
}

static bool batch_fall(workload_run *run, batch_state *state, size_t bytes, uint32_t from, uint32_t to) {
    return run->parameters[BATCH_LOOK] == BATCH_ALL ? batch_deaths(run, state, bytes, from, to, 1)
                                                    : batch_deaths(run, state, bytes, from, to, BATCH_EVERY);
}

static bool batch_unit(workload_run *run) {
    batch_state *state = run->state;
    size_t bytes = (size_t)run->parameters[BATCH_SIZE];
    if (!batch_births(run, state, bytes)) return false;
    run->moment(run, "peak");
    uint32_t count = state->count, tenth = count - count / 10, thousandth = count - count / 1000;
    if (!batch_fall(run, state, bytes, 0, tenth)) return false;
    run->moment(run, "a tenth left");
    if (!batch_fall(run, state, bytes, tenth, thousandth)) return false;
    run->moment(run, "a thousandth left");
    return batch_fall(run, state, bytes, thousandth, count);
}

static void batch_finish(workload_run *run) {
    batch_state *state = run->state;
    if (!state) return;
    for (uint32_t place = 0; place < state->count; place++)         /* some, if a unit failed */
        if (state->blocks[place]) run->memory->release(state->blocks[place], (size_t)run->parameters[BATCH_SIZE]);
    workload_unmap(state, batch_mapped_bytes(run));
    run->state = NULL;
    run->live_bytes = 0;
}

const workload batch_workload = {
    .name = "batch", .idea = "many blocks of one size made, then all released in some order",
    .operation = "block", .kind = WORKLOAD_ON_BLOCKS, .threaded = true,
    .parameters = {
        [BATCH_SIZE]  = {.name = "size", .meaning = "bytes of a block", .value = 64, .minimum = 1, .maximum = 1 << 20},
        [BATCH_COUNT] = {.name = "count", .meaning = "blocks", .value = 1000000, .minimum = 1, .maximum = 100000000},
        [BATCH_ORDER] = {.name = "order", .value = BATCH_LIFO, .maximum = BATCH_RANDOM, .choices = "lifo|fifo|random",
                         .meaning = "in which they are released"},
        [BATCH_LOOK]  = {.name = "look", .value = BATCH_ALL, .maximum = BATCH_SOME, .choices = "all|some",
                         .meaning = "which blocks are read before their release"},
    },
    .needs = batch_needs, .declare = batch_declare,
    .prepare = batch_prepare, .unit = batch_unit, .finish = batch_finish,
};
