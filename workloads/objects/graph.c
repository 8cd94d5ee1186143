/* SPDX-License-Identifier: MIT
 * graph.c - one full collection of a heap that holds one graph, and nothing else: the price of looking at it.
 *
 *   live_array     an array that holds all nodes; they hold nothing
 *   live_random    node -> next in a random order of all, and -> any node; held by one local
 *   live_chain     node -> next, in the order of birth
 *   live_shuffled  node -> next in a random order: neighbours in the graph are far apart in memory
 *   dead_pairs     a <-> b, dropped
 *   dead_random    as live_random, dropped
 *
 * The graph is built outside the clock: once (`repeated`), or anew before each collection (`first`), which
 * then meets its objects in the order of their birth. Collections on the program's own account should be
 * off: --set automatic=0.
 *
 * Exercises: finding what is reachable and what is not; of dead graphs, giving it back too.
 * Source: graphs of two references a node, as in Cher, Hosking and Vitek, "Software prefetching for mark-sweep
 * garbage collection", ASPLOS 2004; scripts/cpython/gc_cost.py builds the same ones on CPython.
 * Not claimed: that heaps look like this: programs lie between these shapes. size = nodes.
 */
#include "../random.h"
#include "values.h"

enum { GRAPH_SIZE, GRAPH_SHAPE, GRAPH_COLLECTION };
enum { GRAPH_LIVE_ARRAY, GRAPH_LIVE_RANDOM, GRAPH_LIVE_CHAIN, GRAPH_LIVE_SHUFFLED, GRAPH_DEAD_PAIRS, GRAPH_DEAD_RANDOM };
enum { GRAPH_REPEATED, GRAPH_FIRST };
enum { GRAPH_ROOT, GRAPH_NODES, GRAPH_MADE, GRAPH_LOCALS };

typedef struct node { object header; field next, other; } node;

typedef struct graph_state {
    local   *frame;
    uint64_t found;             /* nodes that a walk from the first one meets, when built */
} graph_state;

static void node_visit(object *self, field_visitor *visit, void *context) {
    visit(&((node *)self)->next, context);
    visit(&((node *)self)->other, context);
}
static const object_type node_type = {.name = "node", .bytes = sizeof(node), .tracked = true, .visit = node_visit};

/* --- building ----------------------------------------------------------------------------------------- */

static bool graph_make_nodes(workload_run *run, local *frame) {
    mutator *m = run->mutator;
    bool made = list_new(m, &frame[GRAPH_NODES]);
    for (int64_t i = 0; made && i < run->parameters[GRAPH_SIZE]; i++)
        made = object_new(m, &frame[GRAPH_MADE], &node_type, 0) &&
               list_append(m, &frame[GRAPH_NODES], frame[GRAPH_MADE].target);
    local_set(m, &frame[GRAPH_MADE], NULL);
    return made;
}

static object *graph_node(local *frame, uint64_t index) {
    return field_peek(&list_items(frame[GRAPH_NODES].target)[index]);
}
static void graph_link(mutator *m, local *frame, uint64_t from, uint64_t to) {
    object *holder = graph_node(frame, from);
    field_store(m, holder, &((node *)holder)->next, graph_node(frame, to));
}
static void graph_link_other(mutator *m, local *frame, uint64_t from, uint64_t to) {
    object *holder = graph_node(frame, from);
    field_store(m, holder, &((node *)holder)->other, graph_node(frame, to));
}

/* One way through all nodes, in the order of birth or in a random one; as a ring each has a second reference. */
static bool graph_link_in_order(workload_run *run, local *frame, bool shuffled, bool ring) {
    size_t size = (size_t)run->parameters[GRAPH_SIZE];
    uint32_t *order = workload_map(size * sizeof *order);
    random_generator g;
    if (order == NULL) return false;
    for (size_t i = 0; i < size; i++)
        order[i] = (uint32_t)i;
    random_start(&g, run->seed, 0);
    if (shuffled) random_shuffle(&g, order, size);
    for (size_t i = 0; i + 1 < size; i++)
        graph_link(run->mutator, frame, order[i], order[i + 1]);
    if (ring) graph_link(run->mutator, frame, order[size - 1], order[0]);
    for (size_t i = 0; ring && i < size; i++)
        graph_link_other(run->mutator, frame, i, random_below(&g, size));
    local_set(run->mutator, &frame[GRAPH_ROOT], graph_node(frame, order[0]));
    workload_unmap(order, size * sizeof *order);
    return true;
}

static void graph_link_pairs(workload_run *run, local *frame) {
    for (uint64_t i = 0; i + 1 < (uint64_t)run->parameters[GRAPH_SIZE]; i += 2) {
        graph_link(run->mutator, frame, i, i + 1);
        graph_link(run->mutator, frame, i + 1, i);
    }
}

static bool graph_is_dead(const workload_run *run) { return run->parameters[GRAPH_SHAPE] >= GRAPH_DEAD_PAIRS; }

static bool graph_link_all(workload_run *run, local *frame) {
    switch (run->parameters[GRAPH_SHAPE]) {
    case GRAPH_LIVE_ARRAY:    local_set(run->mutator, &frame[GRAPH_ROOT], frame[GRAPH_NODES].target); return true;
    case GRAPH_DEAD_PAIRS:    graph_link_pairs(run, frame); return true;
    case GRAPH_LIVE_CHAIN:    return graph_link_in_order(run, frame, false, false);
    case GRAPH_LIVE_SHUFFLED: return graph_link_in_order(run, frame, true, false);
    default:                  return graph_link_in_order(run, frame, true, true);
    }
}

/* Nodes on the way of `next`, until it ends or is back. An array's and the pairs are not on one way. */
static uint64_t graph_walk(const workload_run *run, object *first) {
    if (run->parameters[GRAPH_SHAPE] == GRAPH_LIVE_ARRAY) return list_used(first);
    if (run->parameters[GRAPH_SHAPE] == GRAPH_DEAD_PAIRS) return (uint64_t)run->parameters[GRAPH_SIZE];
    uint64_t count = 0;
    object *o = first;
    do {
        count++;
        o = field_peek(&((node *)o)->next);
    } while (o != NULL && o != first);
    return count;
}

static void graph_drop(workload_run *run, local *frame) {
    for (int l = 0; l < GRAPH_LOCALS; l++)
        local_set(run->mutator, &frame[l], NULL);
}

static bool graph_build(workload_run *run) {
    graph_state *state = run->state;
    local *frame = state->frame;
    if (!graph_make_nodes(run, frame) || !graph_link_all(run, frame)) return false;
    local_set(run->mutator, &frame[GRAPH_NODES], NULL);
    state->found = graph_walk(run, frame[GRAPH_ROOT].target);
    if (graph_is_dead(run)) graph_drop(run, frame);
    return true;
}

/* --- the workload --------------------------------------------------------------------------------------- */

static bool graph_prepare(workload_run *run) {
    if (graph_is_dead(run) && run->parameters[GRAPH_COLLECTION] == GRAPH_REPEATED) {
        strcpy(run->why, "graph: a dead graph is gone after its first collection; say collection=first");
        return false;
    }
    graph_state *state = run->state = workload_map(sizeof(graph_state));
    if (state == NULL) return false;
    state->frame = frame_open(run->mutator, GRAPH_LOCALS);
    return run->parameters[GRAPH_COLLECTION] == GRAPH_FIRST || graph_build(run);
}

/* The graph before it goes first, so that the unit finds this one alone. */
static bool graph_arrange(workload_run *run) {
    if (run->parameters[GRAPH_COLLECTION] == GRAPH_REPEATED) return true;
    graph_drop(run, ((graph_state *)run->state)->frame);
    collector_collect(run->mutator, COLLECTOR_GENERATIONS - 1);
    return graph_build(run);
}

static bool graph_unit(workload_run *run) {
    collector_collect(run->mutator, COLLECTOR_GENERATIONS - 1);
    run->checksum += ((graph_state *)run->state)->found;
    return true;
}

static void graph_finish(workload_run *run) {
    graph_state *state = run->state;
    if (state == NULL) return;
    frame_close(run->mutator, state->frame);
    workload_unmap(state, sizeof *state);
    run->state = NULL;
}

static unsigned graph_needs(const workload_run *run) { return graph_is_dead(run) ? COLLECTOR_FREES_CYCLES : 0; }

static workload_operations graph_declare(const workload_run *run) {
    return (workload_operations){.operations = (uint64_t)run->parameters[GRAPH_SIZE]};
}

const workload graph_workload = {
    .name = "graph", .idea = "a full collection of one graph, live or dead, built outside the clock",
    .operation = "node collected or passed over", .kind = WORKLOAD_ON_OBJECTS,
    .parameters = {{.name = "size", .meaning = "nodes", .value = 100000, .minimum = 2, .maximum = 100000000},
                   {.name = "shape", .meaning = "of the graph",
                    .choices = "live_array|live_random|live_chain|live_shuffled|dead_pairs|dead_random", .maximum = 5},
                   {.name = "collection", .meaning = "which is timed", .choices = "repeated|first", .maximum = 1}},
    .needs = graph_needs, .declare = graph_declare,
    .prepare = graph_prepare, .arrange = graph_arrange, .unit = graph_unit, .finish = graph_finish,
};
