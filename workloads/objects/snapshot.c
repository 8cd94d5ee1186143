/* SPDX-License-Identifier: MIT
 * snapshot.c - the heap of a real process, rebuilt from a snapshot of it, and one full collection of that.
 *
 *   roots = held   what the process held from outside is held by a list: everything lives, unit after unit
 *   roots = cut    before each unit the heap is built anew, collected once, and its roots let go: counting
 *                  frees what is in no cycle at once, and the unit is the collection that finds the rest
 *
 * Exercises: looking through a heap whose shape nobody made up: how many references an object has, how
 * long chains are, how much of it is leaves, what hangs together in one large knot.
 * Source: recorded by scripts/cpython/snapshot.py from CPython (workloads/recordings/README.md). That heap
 * shapes decide what tracing costs, and that made-up ones mislead: Barabash and Petrank, "Tracing garbage
 * collection on highly parallel platforms", ISMM 2010.
 * Not claimed: the order in memory. Objects are born in the order in which CPython's collector had them, one
 * after the other; in the process they came and went. Types have no finalizers here and no weak references.
 * An object has its real size, and at least its header, 16 bytes and 8 a reference.
 */
#include <stdio.h>

#include "../object_graph.h"
#include "../random.h"
#include "../workload.h"
#include "values.h"

enum { SNAPSHOT_GRAPH, SNAPSHOT_ROOTS };
enum { SNAPSHOT_HELD, SNAPSHOT_CUT };
enum { SNAPSHOT_ALL, SNAPSHOT_HOLDER, SNAPSHOT_MADE, SNAPSHOT_LOCALS };

/* One of the snapshot's objects. Behind the struct: of those with references these first; else bytes. */
typedef struct entity { sized_object sized; uint32_t number, references; } entity;

static field *entity_fields(object *o) { return object_extra_units(o); }
static void entity_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(entity_fields(self), ((entity *)self)->references, visit, context);
}
static const object_type container_type = {.name = "container", .bytes = sizeof(entity), .tracked = true,
                                           .extra_unit_bytes = sizeof(field), .visit = entity_visit};
static const object_type record_type = {.name = "record", .bytes = sizeof(entity), .extra_unit_bytes = sizeof(field),
                                        .visit = entity_visit};
static const object_type leaf_type = {.name = "leaf", .bytes = sizeof(entity), .extra_unit_bytes = 1,
                                      .visit = object_visit_nothing};

/* The snapshot that was read last: declare needs it, before prepare. One thread, so there is no lock. */
static struct {
    char         name[4096];
    object_graph read;
} snapshot;

typedef struct snapshot_state {
    local   *frame;
    uint64_t sum;               /* of what a walk from the roots meets, when built */
} snapshot_state;

static bool snapshot_load(const char *name, char *why, size_t why_bytes) {
    char path[4096];
    if (snapshot.read.objects && strcmp(name, snapshot.name) == 0) return true;
    object_graph_unload(&snapshot.read);
    packed_find(name, "snapshot", path, sizeof path);
    snprintf(snapshot.name, sizeof snapshot.name, "%s", name);
    return object_graph_load(&snapshot.read, path, why, why_bytes);
}

/* --- building ------------------------------------------------------------------------------------------- */

static bool snapshot_make(mutator *m, local *made, uint32_t number) {
    const object_graph_object *o = &snapshot.read.objects[number];
    const object_type *type = o->flags & OBJECT_GRAPH_TRACKED ? &container_type : o->count ? &record_type : &leaf_type;
    size_t rest = o->bytes > sizeof(entity) ? o->bytes - sizeof(entity) : 0, units = rest / type->extra_unit_bytes;
    if (type != &leaf_type && units < o->count) units = o->count;
    if (!object_new(m, made, type, units)) return false;
    ((entity *)made->target)->number = number;
    ((entity *)made->target)->references = o->count;
    return true;
}

static object *snapshot_object(local *frame, uint32_t number) {
    return field_peek(&list_items(frame[SNAPSHOT_ALL].target)[number]);
}

static void snapshot_link(mutator *m, local *frame, uint32_t number) {
    const object_graph_object *o = &snapshot.read.objects[number];
    for (uint32_t i = 0; i < o->count; i++) {
        object *holder = snapshot_object(frame, number);
        field_store(m, holder, &entity_fields(holder)[i], snapshot_object(frame, snapshot.read.references[o->first + i]));
    }
}

static bool snapshot_hold_root(mutator *m, local *frame, uint32_t number) {
    return !(snapshot.read.objects[number].flags & OBJECT_GRAPH_ROOT) ||
           list_append(m, &frame[SNAPSHOT_HOLDER], snapshot_object(frame, number));
}

static bool snapshot_make_all(mutator *m, local *frame) {
    uint32_t objects = (uint32_t)snapshot.read.head.objects;
    bool made = list_new(m, &frame[SNAPSHOT_ALL]) && list_new(m, &frame[SNAPSHOT_HOLDER]);
    for (uint32_t number = 0; made && number < objects; number++) {
        mutator_poll(m);
        made = snapshot_make(m, &frame[SNAPSHOT_MADE], number) &&
               list_append(m, &frame[SNAPSHOT_ALL], frame[SNAPSHOT_MADE].target);
    }
    local_set(m, &frame[SNAPSHOT_MADE], NULL);
    for (uint32_t number = 0; made && number < objects; number++) {
        snapshot_link(m, frame, number);
        made = snapshot_hold_root(m, frame, number);
    }
    local_set(m, &frame[SNAPSHOT_ALL], NULL);
    return made;
}

/* --- looking -------------------------------------------------------------------------------------------- */

typedef struct snapshot_walk { object **queue; uint64_t found; unsigned char *seen; } snapshot_walk;

static void snapshot_meet(field *f, void *context) {
    snapshot_walk *w = context;
    object *o = field_peek(f);
    if (o == NULL || w->seen[((entity *)o)->number]) return;
    w->seen[((entity *)o)->number] = 1;
    w->queue[w->found++] = o;
}

/* A sum of all that can be reached from the roots: numbers, and in which order they are met. No call of the
 * contract, so that all pointers stay good. 0: no memory to look. */
static uint64_t snapshot_sum(object *holder) {
    uint64_t objects = snapshot.read.head.objects, sum = 0;
    snapshot_walk w = {.queue = workload_map(objects * sizeof *w.queue), .seen = workload_map(objects)};
    bool can = w.queue != NULL && w.seen != NULL;
    if (can) fields_visit(list_items(holder), list_used(holder), snapshot_meet, &w);
    for (uint64_t i = 0; can && i < w.found; i++) {
        sum = sum * 31 + ((entity *)w.queue[i])->number + 1;
        if (w.queue[i]->type != &leaf_type) entity_visit(w.queue[i], snapshot_meet, &w);
    }
    workload_unmap(w.queue, objects * sizeof *w.queue);
    workload_unmap(w.seen, objects);
    return sum;
}

/* --- the workload --------------------------------------------------------------------------------------- */

static bool snapshot_build(workload_run *run) {
    snapshot_state *state = run->state;
    if (!snapshot_make_all(run->mutator, state->frame)) return false;
    collector_collect(run->mutator, COLLECTOR_GENERATIONS - 1);
    state->sum = snapshot_sum(state->frame[SNAPSHOT_HOLDER].target);
    return state->sum != 0;
}

static bool snapshot_prepare(workload_run *run) {
    if (!snapshot_load(run->file, run->why, sizeof run->why)) return false;
    snapshot_state *state = run->state = workload_map(sizeof *state);
    if (state == NULL) return false;
    state->frame = frame_open(run->mutator, SNAPSHOT_LOCALS);
    return run->parameters[SNAPSHOT_ROOTS] == SNAPSHOT_CUT || snapshot_build(run);
}

static bool snapshot_arrange(workload_run *run) {
    snapshot_state *state = run->state;
    if (run->parameters[SNAPSHOT_ROOTS] == SNAPSHOT_HELD) {
        if (snapshot_sum(state->frame[SNAPSHOT_HOLDER].target) == state->sum) return true;
        snprintf(run->why, sizeof run->why, "snapshot %.80s: a collection has changed what is alive", run->file);
        return false;
    }
    collector_collect(run->mutator, COLLECTOR_GENERATIONS - 1);     /* what an earlier unit may have left */
    if (!snapshot_build(run)) return false;
    run->moment(run, "built");
    local_set(run->mutator, &state->frame[SNAPSHOT_HOLDER], NULL);
    return true;
}

static bool snapshot_unit(workload_run *run) {
    collector_collect(run->mutator, COLLECTOR_GENERATIONS - 1);
    run->checksum += ((snapshot_state *)run->state)->sum;
    return true;
}

static void snapshot_finish(workload_run *run) {
    snapshot_state *state = run->state;
    if (state == NULL) return;
    frame_close(run->mutator, state->frame);
    workload_unmap(state, sizeof *state);
    run->state = NULL;
}

static unsigned snapshot_needs(const workload_run *run) {
    return run->parameters[SNAPSHOT_ROOTS] == SNAPSHOT_CUT ? COLLECTOR_FREES_CYCLES : 0;
}

static workload_operations snapshot_declare(const workload_run *run) {
    char why[256];
    if (!snapshot_load(run->file, why, sizeof why)) return (workload_operations){0};    /* prepare will say why */
    return (workload_operations){.operations = snapshot.read.head.objects};
}

const workload snapshot_workload = {
    .name = "snapshot", .idea = "a full collection of the heap of a real process, alive or let go",
    .operation = "object collected or passed over", .kind = WORKLOAD_ON_OBJECTS,
    .parameters = {[SNAPSHOT_GRAPH] = {.name = "graph", .file = "cpython",
                                       .meaning = "a name in workloads/recordings, or the path of a heap snapshot"},
                   [SNAPSHOT_ROOTS] = {.name = "roots", .meaning = "are held, or let go before each unit",
                                       .choices = "held|cut", .maximum = 1}},
    .needs = snapshot_needs, .declare = snapshot_declare,
    .prepare = snapshot_prepare, .arrange = snapshot_arrange, .unit = snapshot_unit, .finish = snapshot_finish,
};
