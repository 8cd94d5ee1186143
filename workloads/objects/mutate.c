/* SPDX-License-Identifier: MIT
 * mutate.c - a graph whose edges change at random, and whose nodes are replaced at random.
 *
 *   table | 0 | 1 | 2 | ...       a step: some nodes of the table get another neighbour from the table;
 *           |   |   |             one place of the table gets a new node, with two neighbours from the table
 *           o-->o<->o-->(o)       (o): replaced, and alive while a neighbour refers to it
 *
 * Exercises: stores into old objects, most of all; garbage of every shape, cycles among it, that dies at every age;
 * counts of 0 to a dozen, in no order of memory.
 * Source: what a store into an object costs where somebody must know of it is measured by Blackburn and Hosking, "Barriers:
 * friend or foe?", ISMM 2004; here a store is a take, a drop, and perhaps a lock.
 * Not claimed: that programs choose nodes uniformly: locality is the worst possible. size = steps per unit, nodes = places
 * of the table, rewires = edges changed a step, bytes = payload of each node. The graph is built anew, outside the clock,
 * before each unit.
 */
#include "../random.h"
#include "values.h"

enum { MUTATE_SIZE, MUTATE_NODES, MUTATE_REWIRES, MUTATE_BYTES };
enum { MUTATE_TABLE, MUTATE_NEW, MUTATE_LOCALS };
enum { MUTATE_BUILD, MUTATE_STEPS };        /* streams of random numbers */
enum { MUTATE_EDGES = 2 };

typedef struct vertex { object header; field edges[MUTATE_EDGES]; uint64_t id; } vertex;

static void vertex_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(((vertex *)self)->edges, MUTATE_EDGES, visit, context);
}
static object_type vertex_type = {.name = "vertex", .bytes = sizeof(vertex), .tracked = true, .visit = vertex_visit};

static field *mutate_place(local *frame, uint64_t i) { return &list_items(frame[MUTATE_TABLE].target)[i]; }
static uint64_t mutate_choose(const workload_run *run, random_generator *g) {
    return random_below(g, (uint64_t)run->parameters[MUTATE_NODES]);
}

static void mutate_connect(workload_run *run, random_generator *g, object *from, uint64_t edge) {
    local *frame = run->state;
    field_store(run->mutator, from, &((vertex *)from)->edges[edge], field_peek(mutate_place(frame, mutate_choose(run, g))));
}

static bool mutate_new(workload_run *run, uint64_t id) {
    local *made = (local *)run->state + MUTATE_NEW;
    if (!object_new(run->mutator, made, &vertex_type, 0)) return false;
    ((vertex *)made->target)->id = id;
    return true;
}

static bool mutate_prepare(workload_run *run) {
    type_with_payload(run, &vertex_type, sizeof(vertex), MUTATE_BYTES);
    run->state = frame_open(run->mutator, MUTATE_LOCALS);
    return true;
}

static bool mutate_arrange(workload_run *run) {
    mutator *m = run->mutator;
    local *frame = run->state;
    uint64_t nodes = (uint64_t)run->parameters[MUTATE_NODES];
    random_generator g;
    random_start(&g, run->seed, MUTATE_BUILD);
    bool made = list_new(m, &frame[MUTATE_TABLE]);
    for (uint64_t i = 0; made && i < nodes; i++)
        made = mutate_new(run, i) && list_push(m, &frame[MUTATE_TABLE], &frame[MUTATE_NEW]);
    for (uint64_t i = 0; made && i < MUTATE_EDGES * nodes; i++)
        mutate_connect(run, &g, field_peek(mutate_place(frame, i / MUTATE_EDGES)), i % MUTATE_EDGES);
    return made;
}

static bool mutate_replace(workload_run *run, random_generator *g, uint64_t id) {
    local *frame = run->state;
    if (!mutate_new(run, id)) return false;
    for (uint64_t edge = 0; edge < MUTATE_EDGES; edge++)
        mutate_connect(run, g, frame[MUTATE_NEW].target, edge);
    field *place = mutate_place(frame, mutate_choose(run, g));
    field_move(run->mutator, frame[MUTATE_TABLE].target, place, &frame[MUTATE_NEW]);
    return true;
}

static bool mutate_unit(workload_run *run) {
    local *frame = run->state;
    uint64_t nodes = (uint64_t)run->parameters[MUTATE_NODES];
    random_generator g;
    random_start(&g, run->seed, MUTATE_STEPS);
    for (int64_t i = 0; i < run->parameters[MUTATE_SIZE]; i++) {
        mutator_poll(run->mutator);
        for (int64_t k = 0; k < run->parameters[MUTATE_REWIRES]; k++) {
            uint64_t edge = random_below(&g, MUTATE_EDGES);
            mutate_connect(run, &g, field_peek(mutate_place(frame, mutate_choose(run, &g))), edge);
        }
        if (!mutate_replace(run, &g, nodes + (uint64_t)i)) return false;
    }
    for (uint64_t i = 0; i < nodes; i++)
        run->checksum = run->checksum * 31 + ((vertex *)field_peek(mutate_place(frame, i)))->id;
    run->moment(run, "mutated");
    return true;
}

static void mutate_finish(workload_run *run) {
    if (run->state != NULL) frame_close(run->mutator, run->state);
    run->state = NULL;
}

static unsigned mutate_needs(const workload_run *run) {
    return COLLECTOR_FREES_CYCLES | (run->threads > 1 ? COLLECTOR_THREADS : 0);
}

static workload_operations mutate_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[MUTATE_SIZE];
    return (workload_operations){.operations = size, .allocations = size,
                                 .bytes = size * (sizeof(vertex) - sizeof(object) + (uint64_t)run->parameters[MUTATE_BYTES]),
                                 .references = size * ((uint64_t)run->parameters[MUTATE_REWIRES] + MUTATE_EDGES)};
}

const workload mutate_workload = {
    .name = "mutate", .idea = "a graph whose edges change and whose nodes are replaced, at random",
    .operation = "step", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "steps per unit", .value = 30000, .minimum = 1, .maximum = 100000000},
                   {.name = "nodes", .meaning = "places of the table", .value = 10000, .minimum = 2, .maximum = 100000000},
                   {.name = "rewires", .meaning = "edges changed a step", .value = 4, .minimum = 0, .maximum = 1000},
                   PAYLOAD_PARAMETER("node")},
    .needs = mutate_needs, .declare = mutate_declare,
    .prepare = mutate_prepare, .arrange = mutate_arrange, .unit = mutate_unit, .finish = mutate_finish,
};
