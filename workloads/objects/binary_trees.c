/* SPDX-License-Identifier: MIT
 * binary_trees.c - many short-lived trees of every size beside one that lives: the Benchmarks Game's binary-trees.
 *
 *   long-lived tree of the greatest depth, all the while;   for depth = 4, 6, 8 ... : 2^(deepest - depth + 4) times
 *                                                               make a tree, count its nodes, drop it
 *
 * Exercises: births of small objects of one size, children first; death of whole trees at once, acyclic. All depths
 * make about as many nodes, so that small trees, which die young, and large ones, which outlive a young generation,
 * weigh the same.
 * Source: the Benchmarks Game (binary-trees), after Ellis, Kovac and Boehm's GCBench (gcbench.c).
 * Not claimed: that programs are trees of equal nodes. The stretch tree of the original is left out. size = sweeps over all
 * depths; the long-lived tree has 2^(depth + 1) - 1 nodes: 9 for 10^3, 22 for 10^7. bytes = payload of each node.
 */
#include "tree.h"

enum { BINARY_TREES_SIZE, BINARY_TREES_DEPTH, BINARY_TREES_BYTES };
enum { BINARY_TREES_LEAST = 4, BINARY_TREES_STEP = 2 };
enum { BINARY_TREES_LONG_LIVED, BINARY_TREES_TREE, BINARY_TREES_LOCALS };

static object_type binary_trees_type = {.name = "tree node", .bytes = sizeof(tree_node), .tracked = true, .visit = tree_visit};

static uint64_t binary_trees_times(int64_t deepest, int64_t depth) { return UINT64_C(1) << (deepest - depth + BINARY_TREES_LEAST); }

static bool binary_trees_prepare(workload_run *run) {
    local *frame = run->state = frame_open(run->mutator, BINARY_TREES_LOCALS);
    type_with_payload(run, &binary_trees_type, sizeof(tree_node), BINARY_TREES_BYTES);
    return tree_make(run->mutator, &frame[BINARY_TREES_LONG_LIVED], &binary_trees_type, run->parameters[BINARY_TREES_DEPTH]);
}

static bool binary_trees_sweep(workload_run *run, local *frame) {
    int64_t deepest = run->parameters[BINARY_TREES_DEPTH];
    for (int64_t depth = BINARY_TREES_LEAST; depth <= deepest; depth += BINARY_TREES_STEP)
        for (uint64_t i = 0; i < binary_trees_times(deepest, depth); i++) {
            if (!tree_make(run->mutator, &frame[BINARY_TREES_TREE], &binary_trees_type, depth)) return false;
            run->checksum += tree_count(run->mutator, &frame[BINARY_TREES_TREE]);
            local_set(run->mutator, &frame[BINARY_TREES_TREE], NULL);
        }
    return true;
}

static bool binary_trees_unit(workload_run *run) {
    local *frame = run->state;
    for (int64_t i = 0; i < run->parameters[BINARY_TREES_SIZE]; i++)
        if (!binary_trees_sweep(run, frame)) return false;
    run->checksum += tree_count(run->mutator, &frame[BINARY_TREES_LONG_LIVED]);
    run->moment(run, "swept");
    return true;
}

static void binary_trees_finish(workload_run *run) {
    if (run->state != NULL) frame_close(run->mutator, run->state);
    run->state = NULL;
}

static unsigned binary_trees_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

static workload_operations binary_trees_declare(const workload_run *run) {
    int64_t deepest = run->parameters[BINARY_TREES_DEPTH];
    uint64_t nodes = 0, inner = 0, size = (uint64_t)run->parameters[BINARY_TREES_SIZE];
    for (int64_t depth = BINARY_TREES_LEAST; depth <= deepest; depth += BINARY_TREES_STEP) {
        nodes += size * binary_trees_times(deepest, depth) * tree_nodes(depth);
        inner += size * binary_trees_times(deepest, depth) * tree_nodes(depth - 1);
    }
    return (workload_operations){.operations = nodes, .allocations = nodes,
                                 .bytes = nodes * (sizeof(tree_node) - sizeof(object) + (uint64_t)run->parameters[BINARY_TREES_BYTES]),
                                 .references = 2 * (inner + tree_nodes(deepest - 1))};
}

const workload binary_trees_workload = {
    .name = "binary_trees", .idea = "short-lived trees of every size beside a long-lived one (Benchmarks Game)",
    .operation = "node made, counted and dropped", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "sweeps over all depths per unit", .value = 1, .minimum = 1, .maximum = 1000000},
                   {.name = "depth", .meaning = "of the long-lived and the largest tree", .value = 10, .minimum = BINARY_TREES_LEAST, .maximum = TREE_DEEPEST},
                   PAYLOAD_PARAMETER("node")},
    .needs = binary_trees_needs, .declare = binary_trees_declare,
    .prepare = binary_trees_prepare, .unit = binary_trees_unit, .finish = binary_trees_finish,
};
