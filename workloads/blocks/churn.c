/* SPDX-License-Identifier: MIT
 * churn.c - a steady number of live blocks, each replaced by one of another size.
 *
 * Exercises: an allocator's ordinary day: short lists, mixed sizes, a heap that neither grows nor shrinks.
 * Source: sizes as CPython asks for them (below). Random replacement at steady live bytes is the classic
 * model of fragmentation (Knuth, TAOCP 1, 2.5; Wilson et al., IWMM 1995) and what servers do for days.
 * Not claimed: that lifetimes are random and do not depend on the size; replay.c has recorded ones.
 * size = live blocks per thread, largest = cuts the sizes off. One unit is 2 * size replacements.
 *
 * A unit must end as it began, or the next would do other work and have another checksum. So each slot is
 * replaced exactly twice a unit, in one shuffled order that is the same in every unit; block sizes
 * and contents follow from the step that made the block; and prepare makes for each slot the block
 * that the unit's last step on it will make. The time between the two replacements of a slot is random,
 * more often short than long, as lifetimes are.
 * All threads draw the same sizes, so that each one's unit asks for the same bytes; their orders differ.
 * (I1) Between units, blocks[slot].step is the last step whose order is `slot`.
 */
#include <stdio.h>

#include "../workload.h"
#include "stamp.h"

enum { CHURN_SIZE, CHURN_LARGEST };
enum { CHURN_TIMES = 2, CHURN_POINTS = 1024 };

/* Sizes at birth of the CPython recording, as 1024 equal shares: {bytes, shares}. Made by
 * scripts/recordings.py --sizes 1024 workloads/recordings/cpython.trace.zst. The 54 shares of 1094
 * bytes are the regular expression engine's stack, one per match. */
static const struct { uint16_t bytes, shares; } churn_recorded[] = {
    {6, 1}, {7, 2}, {8, 9}, {12, 1}, {16, 2}, {24, 5}, {28, 46}, {32, 180}, {34, 1}, {35, 2}, {36, 6}, {37, 4},
    {38, 3}, {39, 1}, {40, 54}, {44, 1}, {48, 65}, {50, 2}, {51, 9}, {52, 18}, {53, 59}, {54, 37}, {55, 40}, {56,
    72}, {57, 14}, {58, 10}, {59, 13}, {60, 7}, {61, 8}, {62, 5}, {63, 4}, {64, 31}, {65, 4}, {66, 2}, {67, 4},
    {68, 5}, {69, 2}, {70, 2}, {71, 1}, {72, 70}, {73, 1}, {74, 1}, {75, 1}, {77, 1}, {79, 1}, {80, 5}, {81, 1},
    {83, 1}, {84, 1}, {86, 1}, {88, 2}, {89, 1}, {92, 1}, {96, 1}, {97, 1}, {104, 3}, {106, 1}, {112, 1}, {120,
    25}, {123, 1}, {131, 1}, {144, 1}, {152, 32}, {155, 1}, {160, 3}, {162, 1}, {176, 1}, {182, 1}, {184, 28},
    {185, 2}, {192, 4}, {204, 1}, {208, 7}, {216, 6}, {224, 1}, {232, 1}, {240, 1}, {248, 3}, {264, 1}, {280, 1},
    {288, 1}, {309, 1}, {341, 1}, {378, 1}, {400, 2}, {432, 2}, {436, 1}, {464, 3}, {512, 1}, {584, 1}, {680, 1},
    {768, 1}, {960, 1}, {1000, 1}, {1094, 54}, {1520, 1}, {4945, 1},
};

typedef struct churn_block {
    char    *at;                /* NULL: none, after a refusal */
    uint32_t bytes;
    uint32_t step;              /* of the unit, that made it */
} churn_block;

typedef struct churn_state {
    uint64_t     seed, first_stamp;
    uint32_t     size, steps;
    uint32_t    *order;         /* which slot each step replaces */
    churn_block *blocks;        /* by slot */
    uint16_t     sizes[CHURN_POINTS];
} churn_state;

/* The shares of sizes up to `largest`, repeated until the table is full. */
static void churn_expand(uint16_t sizes[CHURN_POINTS], int64_t largest) {
    unsigned used = 0;
    for (size_t i = 0; i < sizeof churn_recorded / sizeof *churn_recorded && churn_recorded[i].bytes <= largest; i++)
        for (unsigned share = 0; share < churn_recorded[i].shares && used < CHURN_POINTS; share++)
            sizes[used++] = churn_recorded[i].bytes;
    for (unsigned i = 0; used < CHURN_POINTS; i++)
        sizes[used++] = sizes[i];
}

/* Bytes of the block that a step makes. */
static inline uint32_t churn_bytes(const uint16_t sizes[CHURN_POINTS], uint64_t seed, uint64_t step) {
    return sizes[random_mix(seed ^ (step + 1) * UINT64_C(0x9e3779b97f4a7c15)) % CHURN_POINTS];
}

static unsigned churn_needs(const workload_run *run) {
    (void)run;
    return 0;
}

static workload_operations churn_declare(const workload_run *run) {
    uint64_t steps = (uint64_t)run->parameters[CHURN_SIZE] * CHURN_TIMES, seed = random_mix(run->seed), bytes = 0;
    uint16_t sizes[CHURN_POINTS];
    churn_expand(sizes, run->parameters[CHURN_LARGEST]);
    for (uint64_t step = 0; step < steps; step++) bytes += churn_bytes(sizes, seed, step);
    return (workload_operations){.operations = steps, .allocations = steps, .bytes = bytes};
}

static size_t churn_mapped_bytes(uint64_t size) {
    return sizeof(churn_state) + size * (sizeof(churn_block) + CHURN_TIMES * sizeof(uint32_t));
}

/* Give `slot` the block that `step` makes. */
static inline bool churn_make(workload_run *run, churn_state *state, uint32_t slot, uint32_t step) {
    churn_block *block = &state->blocks[slot];
    block->bytes = churn_bytes(state->sizes, state->seed, step);
    block->step = step;
    block->at = run->memory->alloc(block->bytes, ALLOCATOR_ALIGNMENT);
    if (!block->at) return false;
    run->live_bytes += block->bytes;
    stamp_edges(block->at, block->bytes, stamp_of(state->first_stamp + step));
    return true;
}

static bool churn_prepare(workload_run *run) {
    uint32_t size = (uint32_t)run->parameters[CHURN_SIZE];
    churn_state *state = run->state = workload_map(churn_mapped_bytes(size));
    if (!state) return false;
    state->seed = random_mix(run->seed);
    state->size = size;
    state->steps = size * CHURN_TIMES;
    state->first_stamp = (uint64_t)run->thread * state->steps;
    state->blocks = (churn_block *)(state + 1);
    state->order = (uint32_t *)(state->blocks + size);
    churn_expand(state->sizes, run->parameters[CHURN_LARGEST]);

    random_generator dice;
    random_start(&dice, run->seed, run->thread);
    for (uint32_t step = 0; step < state->steps; step++) state->order[step] = step % size;
    random_shuffle(&dice, state->order, state->steps);

    for (uint32_t step = 0; step < state->steps; step++) state->blocks[state->order[step]].step = step;
    for (uint32_t step = 0; step < state->steps; step++)
        if (state->blocks[state->order[step]].step == step && !churn_make(run, state, state->order[step], step))
            return false;
    return true;
}

__attribute__((noinline, cold))
static bool churn_complain(workload_run *run, const churn_block *block) {
    snprintf(run->why, sizeof run->why, "churn on %.40s: a block of %u bytes changed while it was alive",
             run->memory->name, block->bytes);
    return false;
}

static bool churn_unit(workload_run *run) {
    churn_state *state = run->state;
    for (uint32_t step = 0; step < state->steps; step++) {
        uint32_t slot = state->order[step];
        churn_block *block = &state->blocks[slot];
        if (!stamp_edges_hold(block->at, block->bytes, stamp_of(state->first_stamp + block->step)))
            return churn_complain(run, block);
        run->checksum = random_rotate(run->checksum, 5) + stamp_sum(block->at, block->bytes);
        run->memory->release(block->at, block->bytes);
        run->live_bytes -= block->bytes;
        if (!churn_make(run, state, slot, step)) return false;
    }
    run->moment(run, "steady");
    return true;
}

static void churn_finish(workload_run *run) {
    churn_state *state = run->state;
    if (!state) return;
    for (uint32_t slot = 0; slot < state->size; slot++)
        if (state->blocks[slot].at) run->memory->release(state->blocks[slot].at, state->blocks[slot].bytes);
    workload_unmap(state, churn_mapped_bytes(state->size));
    run->state = NULL;
    run->live_bytes = 0;
}

const workload churn_workload = {
    .name = "churn", .idea = "a steady number of blocks, replaced at random, sizes as CPython's",
    .operation = "replacement", .kind = WORKLOAD_ON_BLOCKS, .threaded = true,
    .parameters = {
        {.name = "size", .meaning = "live blocks per thread", .value = 30000, .minimum = 1, .maximum = 10000000},
        {.name = "largest", .meaning = "bytes of the largest block; 512: none that CPython passes on to malloc",
         .value = 4945, .minimum = 32, .maximum = 4945},
    },
    .needs = churn_needs, .declare = churn_declare,
    .prepare = churn_prepare, .unit = churn_unit, .finish = churn_finish,
};
