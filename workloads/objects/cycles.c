/* SPDX-License-Identifier: MIT
 * cycles.c - rings of k objects, made and dropped.
 *
 *   ring=3   a -> b -> c -> a
 *   ring=2   Foo(0) <-> Foo(1)
 *   ring=1   an object that refers to itself
 *
 * Exercises: garbage that no count ever finds. Under counting alone memory grows for ever; a cyclic
 * collector finds it, and its pauses and the saw-tooth of the memory in between are the price.
 * Source: McBeth, CACM 6(9), 1963 (counts miss cycles); the scenes of cycles in talks on CPython's memory.
 * Not claimed: how much of a real program's garbage is cyclic (little, mostly). size = rings per unit,
 * ring = objects in each.
 */
#include "values.h"

enum { CYCLES_SIZE, CYCLES_RING };

typedef struct member { object header; field next; uint64_t id; } member;

static void member_visit(object *self, field_visitor *visit, void *context) {
    visit(&((member *)self)->next, context);
}
static const object_type member_type = {.name = "ring member", .bytes = sizeof(member), .tracked = true,
                                        .visit = member_visit};

/* first -> ... -> last -> first; afterwards only `first` and `last` name the ring. */
static bool cycles_ring(mutator *m, local *first, local *last, int64_t members, uint64_t *id) {
    if (!object_new(m, first, &member_type, 0)) return false;
    ((member *)first->target)->id = (*id)++;
    local_set(m, last, first->target);
    local *made = frame_open(m, 1);
    bool full = false;
    for (int64_t i = 1; i < members && !full; i++) {
        full = !object_new(m, made, &member_type, 0);
        if (full) break;
        ((member *)made->target)->id = (*id)++;
        field_store(m, last->target, &((member *)last->target)->next, made->target);
        local_set(m, last, made->target);
    }
    frame_close(m, made);
    if (!full) field_store(m, last->target, &((member *)last->target)->next, first->target);
    return !full;
}

static uint64_t cycles_walk(object *first) {
    uint64_t sum = 0;
    object *o = first;
    do {
        sum = sum * 31 + ((member *)o)->id;
        o = field_peek(&((member *)o)->next);
    } while (o != first);
    return sum;
}

static bool cycles_unit(workload_run *run) {
    enum { FIRST, LAST, LOCALS };
    mutator *m = run->mutator;
    local *frame = frame_open(m, LOCALS);
    uint64_t id = 0;
    bool made = true;
    for (int64_t i = 0; made && i < run->parameters[CYCLES_SIZE]; i++) {
        mutator_poll(m);
        made = cycles_ring(m, &frame[FIRST], &frame[LAST], run->parameters[CYCLES_RING], &id);
        if (made) run->checksum += cycles_walk(frame[FIRST].target);
    }
    run->moment(run, "rings made");
    frame_close(m, frame);
    return made;
}

static bool cycles_prepare(workload_run *run) { (void)run; return true; }
static void cycles_finish(workload_run *run) { (void)run; }
static unsigned cycles_needs(const workload_run *run) {
    return COLLECTOR_FREES_CYCLES | (run->threads > 1 ? COLLECTOR_THREADS : 0);
}

static workload_operations cycles_declare(const workload_run *run) {
    uint64_t rings = (uint64_t)run->parameters[CYCLES_SIZE], members = (uint64_t)run->parameters[CYCLES_RING];
    return (workload_operations){.operations = rings * members, .allocations = rings * members,
                                 .bytes = rings * members * (sizeof(member) - sizeof(object)),
                                 .references = rings * 2 * members};
}

const workload cycles_workload = {
    .name = "cycles", .idea = "rings of objects are made and dropped: garbage no count finds",
    .operation = "ring member made and dropped", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "rings per unit", .value = 30000, .minimum = 1, .maximum = 100000000},
                   {.name = "ring", .meaning = "objects per ring", .value = 3, .minimum = 1, .maximum = 1000000}},
    .needs = cycles_needs, .declare = cycles_declare,
    .prepare = cycles_prepare, .unit = cycles_unit, .finish = cycles_finish,
};
