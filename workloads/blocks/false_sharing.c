/* SPDX-License-Identifier: MIT
 * false_sharing.c - each thread writes to small blocks of its own, which may lie in one cache line with another's.
 *
 * Exercises: where an allocator puts small blocks of different threads. A cache line is owned by one core at a time:
 * threads that write to different blocks in one line take it from each other at every write.
 * blocks = own: cache-thrash, active false sharing. Each thread makes a block, writes to it, releases it. Lines are
 * shared where the allocator cuts them up between threads that ask at the same time.
 * blocks = given: cache-scratch, passive false sharing. Thread 0 makes a block for each thread, side by side as it
 * may be; each releases the given one and goes on as above. Lines are shared as long as an allocator hands the
 * given block out again to the thread that released it.
 * Source: Berger, McKinley, Blumofe & Wilson, Hoard, ASPLOS 2000, on active and passive false sharing. Their source
 * code calls the two benchmarks cache-thrash and cache-scratch.
 * Not claimed: that programs write so often to so few blocks; the ratio to one thread is an upper bound.
 * size = bytes of a block, writes = to its first word while it lives, count = blocks per thread.
 *
 * A write adds one to the block's first word; a sum that does not come out means that two threads had the same block.
 */
#include "crowd.h"
#include "slot.h"

enum { FALSE_SHARING_SIZE, FALSE_SHARING_WRITES, FALSE_SHARING_COUNT, FALSE_SHARING_BLOCKS };
enum { FALSE_SHARING_OWN, FALSE_SHARING_GIVEN };        /* values of blocks */

typedef struct false_sharing_shared {
    crowd threads;
    slot  given[];              /* by thread */
} false_sharing_shared;

static unsigned false_sharing_needs(const workload_run *run) {
    (void)run;
    return 0;
}

static bool false_sharing_gives(const workload_run *run) {
    return run->parameters[FALSE_SHARING_BLOCKS] == FALSE_SHARING_GIVEN;
}

static workload_operations false_sharing_declare(const workload_run *run) {
    uint64_t count = (uint64_t)run->parameters[FALSE_SHARING_COUNT];
    uint64_t blocks = count + false_sharing_gives(run);
    return (workload_operations){
        .operations = count * (uint64_t)run->parameters[FALSE_SHARING_WRITES], .allocations = blocks,
        .bytes = blocks * (uint64_t)run->parameters[FALSE_SHARING_SIZE],
    };
}

static size_t false_sharing_bytes(const workload_run *run) {
    return sizeof(false_sharing_shared) + run->threads * sizeof(slot);
}

static bool false_sharing_prepare(workload_run *run) {
    if (run->thread > 0) return true;
    false_sharing_shared *shared = *run->shared = workload_map(false_sharing_bytes(run));
    if (shared) crowd_start(&shared->threads);
    return shared != NULL;
}

/* Thread 0 makes a block for each thread, and each releases its own. */
static bool false_sharing_give(workload_run *run, false_sharing_shared *shared) {
    uint32_t bytes = (uint32_t)run->parameters[FALSE_SHARING_SIZE];
    for (unsigned i = 0; run->thread == 0 && i < run->threads; i++)
        if (!slot_fill(run, &shared->given[i], bytes, 0, i)) return false;
    return crowd_meet(&shared->threads, run->threads) && slot_empty(run, &shared->given[run->thread], 0);
}

/* The word is volatile: each write reaches the cache. The compiler would add all at once. */
static bool false_sharing_write(workload_run *run, slot *place, uint64_t writes) {
    volatile uint64_t *word = (volatile uint64_t *)place->at;
    uint64_t before = *word;
    for (uint64_t i = 0; i < writes; i++) *word = *word + 1;
    if (*word != before + writes) return slot_complain(run, place);
    *word = before;
    return true;
}

static bool false_sharing_blocks(workload_run *run) {
    uint32_t bytes = (uint32_t)run->parameters[FALSE_SHARING_SIZE], count = (uint32_t)run->parameters[FALSE_SHARING_COUNT];
    uint64_t writes = (uint64_t)run->parameters[FALSE_SHARING_WRITES], first = (uint64_t)(run->thread + 1) << 32;
    slot mine = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (!slot_fill(run, &mine, bytes, first, i)) return false;
        if (!false_sharing_write(run, &mine, writes) || !slot_empty(run, &mine, first)) {
            slot_drop(run, &mine);
            return false;
        }
    }
    return true;
}

static bool false_sharing_unit(workload_run *run) {
    false_sharing_shared *shared = *run->shared;
    if (!crowd_meet(&shared->threads, run->threads)) return false;
    if ((false_sharing_gives(run) && !false_sharing_give(run, shared)) || !false_sharing_blocks(run))
        return crowd_break(&shared->threads);
    run->moment(run, "written");
    return true;
}

static void false_sharing_finish(workload_run *run) {
    false_sharing_shared *shared = *run->shared;
    run->live_bytes = 0;
    if (run->thread > 0 || !shared) return;
    slot_drop_all(run, shared->given, run->threads);
    run->live_bytes = 0;
    workload_unmap(shared, false_sharing_bytes(run));
    *run->shared = NULL;
}

const workload false_sharing_workload = {
    .name = "false_sharing", .idea = "writes to small blocks that may share a cache line (cache-thrash, cache-scratch)",
    .operation = "write", .kind = WORKLOAD_ON_BLOCKS, .threaded = true,
    .parameters = {
        [FALSE_SHARING_SIZE]   = {.name = "size", .meaning = "bytes of a block", .value = 8, .minimum = 8, .maximum = 1 << 20},
        [FALSE_SHARING_WRITES] = {.name = "writes", .meaning = "to each block", .value = 1000, .minimum = 1, .maximum = 1000000000},
        [FALSE_SHARING_COUNT]  = {.name = "count", .meaning = "blocks per thread in a unit", .value = 1000, .minimum = 1,
                                  .maximum = 100000000},
        [FALSE_SHARING_BLOCKS] = {.name = "blocks", .value = FALSE_SHARING_OWN, .maximum = FALSE_SHARING_GIVEN,
                                  .choices = "own|given", .meaning = "each thread its own, or at first one that thread 0 made"},
    },
    .needs = false_sharing_needs, .declare = false_sharing_declare,
    .prepare = false_sharing_prepare, .unit = false_sharing_unit, .finish = false_sharing_finish,
};
