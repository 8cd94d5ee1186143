/* SPDX-License-Identifier: MIT
 * gcbench.c - trees built from the leaves and from the root, beside a long-lived tree and a large array: GCBench.
 *
 * A tree is built in both ways because they differ to a collector that moves or has generations: from the leaves, a
 * parent is younger than its children and refers to older objects alone; from the root, old objects are given
 * references to young ones.
 *
 * Exercises: births and deaths of trees of depth 4, 6, ...; a live heap that every full collection passes over; a large
 * object without references.
 * Source: J. Ellis and P. Kovac, modified by H. Boehm: GCBench, "An artificial garbage collection benchmark", 1997.
 * Not claimed: that it is like real programs; its authors say that it is not. As in the original each depth makes
 * about as many nodes as twice a tree two deeper than the deepest. The stretch at its beginning is left out. size = sweeps
 * over all depths per unit; depth, of the long-lived tree too: 9 for 10^3 live objects, 22 for 10^7.
 */
#include "tree.h"

enum { GCBENCH_SIZE, GCBENCH_DEPTH, GCBENCH_ARRAY };
enum { GCBENCH_LEAST = 4, GCBENCH_STEP = 2, GCBENCH_STRETCH = 2, GCBENCH_WAYS = 2 };
enum { GCBENCH_LONG_LIVED, GCBENCH_NUMBERS, GCBENCH_TREE, GCBENCH_LOCALS };

typedef struct gcbench_node { tree_node tree; int32_t i, j; } gcbench_node;

static const object_type gcbench_type = {.name = "GCBench node", .bytes = sizeof(gcbench_node), .tracked = true, .visit = tree_visit};

static uint64_t gcbench_times(int64_t deepest, int64_t depth) {
    return 2 * tree_nodes(deepest + GCBENCH_STRETCH) / tree_nodes(depth);
}

static bool gcbench_prepare(workload_run *run) {
    mutator *m = run->mutator;
    local *frame = run->state = frame_open(m, GCBENCH_LOCALS);
    if (!object_new(m, &frame[GCBENCH_LONG_LIVED], &gcbench_type, 0) ||
        !tree_populate(m, &frame[GCBENCH_LONG_LIVED], &gcbench_type, run->parameters[GCBENCH_DEPTH]) ||
        !array_new(m, &frame[GCBENCH_NUMBERS], (size_t)run->parameters[GCBENCH_ARRAY]))
        return false;
    for (size_t i = 0; i < array_count(frame[GCBENCH_NUMBERS].target); i++)
        array_items(frame[GCBENCH_NUMBERS].target)[i] = 1.0 / (double)(i + 1);
    return true;
}

static bool gcbench_construct(workload_run *run, local *tree, int64_t depth) {
    mutator *m = run->mutator;
    for (uint64_t i = 0; i < gcbench_times(run->parameters[GCBENCH_DEPTH], depth); i++) {
        if (!object_new(m, tree, &gcbench_type, 0) || !tree_populate(m, tree, &gcbench_type, depth)) return false;
        run->checksum = run->checksum * 31 + tree_count(m, tree);
        local_set(m, tree, NULL);
        if (!tree_make(m, tree, &gcbench_type, depth)) return false;
        run->checksum = run->checksum * 31 + tree_count(m, tree);
        local_set(m, tree, NULL);
    }
    return true;
}

static bool gcbench_unit(workload_run *run) {
    local *frame = run->state;
    for (int64_t i = 0; i < run->parameters[GCBENCH_SIZE]; i++)
        for (int64_t depth = GCBENCH_LEAST; depth <= run->parameters[GCBENCH_DEPTH]; depth += GCBENCH_STEP)
            if (!gcbench_construct(run, &frame[GCBENCH_TREE], depth)) return false;
    size_t last = array_count(frame[GCBENCH_NUMBERS].target) - 1;
    run->checksum += tree_count(run->mutator, &frame[GCBENCH_LONG_LIVED]) + (uint64_t)(1.0 / array_items(frame[GCBENCH_NUMBERS].target)[last]);
    run->moment(run, "swept");
    return true;
}

static void gcbench_finish(workload_run *run) {
    if (run->state != NULL) frame_close(run->mutator, run->state);
    run->state = NULL;
}

static unsigned gcbench_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

static workload_operations gcbench_declare(const workload_run *run) {
    int64_t deepest = run->parameters[GCBENCH_DEPTH];
    uint64_t nodes = 0, inner = 0, size = (uint64_t)run->parameters[GCBENCH_SIZE];
    for (int64_t depth = GCBENCH_LEAST; depth <= deepest; depth += GCBENCH_STEP) {
        nodes += size * GCBENCH_WAYS * gcbench_times(deepest, depth) * tree_nodes(depth);
        inner += size * GCBENCH_WAYS * gcbench_times(deepest, depth) * tree_nodes(depth - 1);
    }
    return (workload_operations){.operations = nodes, .allocations = nodes, .bytes = nodes * (sizeof(gcbench_node) - sizeof(object)),
                                 .references = 2 * (inner + tree_nodes(deepest - 1))};
}

const workload gcbench_workload = {
    .name = "gcbench", .idea = "trees built from both ends beside a long-lived tree and an array (Ellis, Kovac, Boehm)",
    .operation = "node made, counted and dropped", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "sweeps over all depths per unit", .value = 1, .minimum = 1, .maximum = 1000000},
                   {.name = "depth", .meaning = "of the long-lived and the largest tree", .value = 10, .minimum = GCBENCH_LEAST, .maximum = TREE_DEEPEST - 2},
                   {.name = "array", .meaning = "elements of the long-lived array", .value = 10000, .minimum = 1, .maximum = 100000000}},
    .needs = gcbench_needs, .declare = gcbench_declare,
    .prepare = gcbench_prepare, .unit = gcbench_unit, .finish = gcbench_finish,
};
