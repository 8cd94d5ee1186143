/* SPDX-License-Identifier: MIT
 * linked_blocks.c - what is linked into build/bin/blocks: the workloads on blocks, and no collector.
 *
 * The harness is the same object file in every executable, so it finds a collector here as well: one
 * without a name, whose entries do nothing.
 */
#include "../collectors/linked.h"
#include "workload.h"

#define BLOCKS(name) extern const workload name##_workload;
#define OBJECTS(name)
#include "workloads.def"
#undef BLOCKS
#undef OBJECTS

const workload *const linked_workloads[] = {
#define BLOCKS(name) &name##_workload,
#define OBJECTS(name)
#include "workloads.def"
#undef BLOCKS
#undef OBJECTS
    NULL,
};

static bool linked_open(const allocator *memory) { return memory != NULL; }
static void linked_close(void) {}
static mutator *linked_enter(void) { return NULL; }
static void linked_leave(mutator *m) { (void)m; }

static size_t linked_collect(mutator *m, int generation) {
    (void)m, (void)generation;
    return 0;
}

static void linked_stats(collector_stats *stats) { *stats = (collector_stats){0}; }

static bool linked_reachable(uint64_t *objects, uint64_t *bytes) {
    *objects = *bytes = 0;
    return true;
}

static bool linked_generations(uint64_t *tracked) {
    (void)tracked;
    return false;
}

static collector_option linked_options[] = {{0}};

const collector linked_collector = {
    .name = NULL, .idea = "no objects: workloads on blocks only",
    .counts = "none", .loads = "none", .cycles = "none", .threads = "none",
    .allocator_use = COLLECTOR_USES_NONE, .options = linked_options,
    .open = linked_open, .close = linked_close,
    .enter = linked_enter, .leave = linked_leave, .detach = linked_leave, .attach = linked_leave,
    .collect = linked_collect, .stats = linked_stats, .reachable = linked_reachable,
    .generations = linked_generations, .check = linked_close,
};
