/* SPDX-License-Identifier: MIT
 * replace.c - a table of live chains, in which random ones are replaced: sessions of a server come and go.
 *
 *   table  | 0 | 1 | 2 | ...      an entry's chain has the entry's length, 1 to `longest`:
 *            |   |   |              as many of 2..3 as of 4..7 as of 8..15 ...
 *            o   o   o -> o -> o
 *
 * Exercises: what each way of managing memory does at once and what it puts off. Counting frees a chain when
 * it is dropped: a short pause each time, as long as the chain. A tracer does nothing then, and all in one go
 * later, when it also looks at what lives.
 * Source: a table of objects of random lifetimes is Larson and Krishnan's model of a server (ISMM 1998);
 * cascades as pauses, Boehm, "The space cost of lazy reference counting", POPL 2004.
 * Not claimed: the distribution of lengths. size = replacements per unit; an entry keeps its length, so that
 * a unit leaves what it found.
 */
#include "../random.h"
#include "values.h"

enum { REPLACE_SIZE, REPLACE_TABLE, REPLACE_LONGEST };
enum { REPLACE_LENGTHS, REPLACE_STEPS };         /* streams of random numbers, alike in all threads */
enum { REPLACE_ENTRIES, REPLACE_CHAIN, REPLACE_LINK, REPLACE_LOCALS };

typedef struct session { object header; field next; uint64_t id; } session;

typedef struct replace_state { local *frame; uint32_t *lengths; } replace_state;

static void session_visit(object *self, field_visitor *visit, void *context) { visit(&((session *)self)->next, context); }
static const object_type session_type = {.name = "session", .bytes = sizeof(session), .tracked = true, .visit = session_visit};

static bool replace_build(mutator *m, local *frame, uint32_t length) {
    local_set(m, &frame[REPLACE_CHAIN], NULL);
    for (uint32_t i = 0; i < length; i++) {
        mutator_poll(m);
        if (!object_new(m, &frame[REPLACE_LINK], &session_type, 0)) return false;
        session *made = (session *)frame[REPLACE_LINK].target;
        made->id = i;
        field_store(m, &made->header, &made->next, frame[REPLACE_CHAIN].target);
        local_set(m, &frame[REPLACE_CHAIN], frame[REPLACE_LINK].target);
    }
    local_set(m, &frame[REPLACE_LINK], NULL);
    return true;
}

/* As many lengths between 2^k and 2^(k+1) as between 2^(k+1) and 2^(k+2). */
static uint32_t replace_draw_length(random_generator *g, uint64_t longest) {
    uint64_t least = (uint64_t)1 << random_below(g, 64 - (unsigned)__builtin_clzll(longest));
    uint64_t length = least + random_below(g, least);
    return (uint32_t)(length < longest ? length : longest);
}

static bool replace_fill(workload_run *run, replace_state *state) {
    mutator *m = run->mutator;
    random_generator g;
    random_start(&g, run->seed, REPLACE_LENGTHS);
    bool made = list_new(m, &state->frame[REPLACE_ENTRIES]);
    for (int64_t i = 0; made && i < run->parameters[REPLACE_TABLE]; i++) {
        state->lengths[i] = replace_draw_length(&g, (uint64_t)run->parameters[REPLACE_LONGEST]);
        made = replace_build(m, state->frame, state->lengths[i]) &&
               list_append(m, &state->frame[REPLACE_ENTRIES], state->frame[REPLACE_CHAIN].target);
    }
    local_set(m, &state->frame[REPLACE_CHAIN], NULL);
    return made;
}

static bool replace_prepare(workload_run *run) {
    replace_state *state = run->state = workload_map(sizeof *state);
    if (state == NULL) return false;
    state->frame = frame_open(run->mutator, REPLACE_LOCALS);
    state->lengths = workload_map((size_t)run->parameters[REPLACE_TABLE] * sizeof *state->lengths);
    return state->lengths != NULL && replace_fill(run, state);
}

static uint64_t replace_next_entry(const workload_run *run, random_generator *g) {
    return random_below(g, (uint64_t)run->parameters[REPLACE_TABLE]);
}

static bool replace_unit(workload_run *run) {
    mutator *m = run->mutator;
    replace_state *state = run->state;
    local *frame = state->frame;
    random_generator g;
    random_start(&g, run->seed, REPLACE_STEPS);
    for (int64_t i = 0; i < run->parameters[REPLACE_SIZE]; i++) {
        uint64_t entry = replace_next_entry(run, &g);
        if (!replace_build(m, frame, state->lengths[entry])) return false;
        run->checksum = run->checksum * 31 + ((session *)frame[REPLACE_CHAIN].target)->id + 1;
        object *table = frame[REPLACE_ENTRIES].target;
        field_store(m, table, &list_items(table)[entry], frame[REPLACE_CHAIN].target);
    }
    local_set(m, &frame[REPLACE_CHAIN], NULL);
    run->moment(run, "replaced");
    return true;
}

static void replace_finish(workload_run *run) {
    replace_state *state = run->state;
    if (state == NULL) return;
    frame_close(run->mutator, state->frame);
    workload_unmap(state->lengths, (size_t)run->parameters[REPLACE_TABLE] * sizeof *state->lengths);
    workload_unmap(state, sizeof *state);
    run->state = NULL;
}

static unsigned replace_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

/* Drawn again as prepare and unit draw them: who declares has not prepared. */
static workload_operations replace_declare(const workload_run *run) {
    size_t entries = (size_t)run->parameters[REPLACE_TABLE];
    uint32_t *lengths = workload_map(entries * sizeof *lengths);
    uint64_t links = 0, size = (uint64_t)run->parameters[REPLACE_SIZE];
    random_generator g;
    random_start(&g, run->seed, REPLACE_LENGTHS);
    for (size_t i = 0; lengths != NULL && i < entries; i++)
        lengths[i] = replace_draw_length(&g, (uint64_t)run->parameters[REPLACE_LONGEST]);
    random_start(&g, run->seed, REPLACE_STEPS);
    for (uint64_t i = 0; lengths != NULL && i < size; i++)
        links += lengths[replace_next_entry(run, &g)];
    workload_unmap(lengths, entries * sizeof *lengths);
    return (workload_operations){.operations = size, .allocations = links, .bytes = links * (sizeof(session) - sizeof(object)),
                                 .references = 2 * links};
}

const workload replace_workload = {
    .name = "replace", .idea = "a table of live chains, in which random ones are replaced",
    .operation = "chain replaced", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "replacements per unit", .value = 1000, .minimum = 1, .maximum = 100000000},
                   {.name = "table", .meaning = "live chains", .value = 2000, .minimum = 1, .maximum = 10000000},
                   {.name = "longest", .meaning = "links of the longest", .value = 1000, .minimum = 1, .maximum = 10000000}},
    .needs = replace_needs, .declare = replace_declare,
    .prepare = replace_prepare, .unit = replace_unit, .finish = replace_finish,
};
