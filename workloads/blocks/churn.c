/* SPDX-License-Identifier: MIT
 * churn.c - a steady number of live blocks, each replaced by one of another size.
 *
 * Exercises: an allocator's ordinary day: short lists, mixed sizes, a heap that neither grows nor shrinks.
 * Source: sizes as CPython asks for them (below). Random replacement at steady live bytes is the classic
 * model of fragmentation (Knuth, TAOCP 1, 2.5; Wilson et al., IWMM 1995) and what servers do for days.
 * Not claimed: that lifetimes are random and do not depend on the size; replay.c has recorded ones.
 * size = live blocks per thread, largest = cuts the sizes off. One unit is 2 * size replacements (rota.h).
 */
#include "rota.h"

enum { CHURN_SIZE, CHURN_LARGEST };
enum { CHURN_TIMES = 2 };

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

/* The shares of sizes up to `largest`, repeated until the table is full. */
static void churn_expand(uint16_t sizes[ROTA_POINTS], int64_t largest) {
    unsigned used = 0;
    for (size_t i = 0; i < sizeof churn_recorded / sizeof *churn_recorded && churn_recorded[i].bytes <= largest; i++)
        for (unsigned share = 0; share < churn_recorded[i].shares && used < ROTA_POINTS; share++)
            sizes[used++] = churn_recorded[i].bytes;
    for (unsigned i = 0; used < ROTA_POINTS; i++)
        sizes[used++] = sizes[i];
}

static unsigned churn_needs(const workload_run *run) {
    (void)run;
    return 0;
}

static workload_operations churn_declare(const workload_run *run) {
    uint64_t steps = (uint64_t)run->parameters[CHURN_SIZE] * CHURN_TIMES;
    uint16_t sizes[ROTA_POINTS];
    churn_expand(sizes, run->parameters[CHURN_LARGEST]);
    return (workload_operations){.operations = steps, .allocations = steps, .bytes = rota_bytes(sizes, run->seed, steps)};
}

static bool churn_prepare(workload_run *run) {
    rota *live;
    uint16_t sizes[ROTA_POINTS];
    churn_expand(sizes, run->parameters[CHURN_LARGEST]);
    bool made = rota_make(run, &live, sizes, (uint32_t)run->parameters[CHURN_SIZE], CHURN_TIMES, run->thread);
    run->state = live;
    return made;
}

static bool churn_unit(workload_run *run) {
    if (!rota_turn(run, run->state)) return false;
    run->moment(run, "steady");
    return true;
}

static void churn_finish(workload_run *run) {
    rota_drop(run, run->state);
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
