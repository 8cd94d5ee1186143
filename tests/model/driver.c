/* SPDX-License-Identifier: MIT
 * driver.c - a program's steps, finalizers and callbacks on the collector's contract. See driver.h. */
#include <stdlib.h>

#include "driver.h"
#include "driver_state.h"

struct driver driver;

/* --- the objects of programs ------------------------------------------------------------------------ */

static void driver_finalize(mutator *m, object *self);

static void driver_vertex_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(((driver_vertex *)self)->fields, PROGRAM_FIELDS, visit, context);
}
static void driver_row_visit(object *self, field_visitor *visit, void *context) {
    owned_array *items = &((driver_row *)self)->items;
    for (size_t i = items->count; i-- > 0;)             /* from the end, as a list of CPython */
        visit((field *)items->items + i, context);
}

#define VERTEX(letter, finalizer) {.name = letter, .bytes = sizeof(driver_vertex), .tracked = true, .free_list = 8, \
    .visit = driver_vertex_visit, .finalize = finalizer, .weak_list_offset = offsetof(driver_vertex, weak)}
static const object_type driver_types[] = {
    VERTEX("N", NULL), VERTEX("F", driver_finalize), VERTEX("P", driver_finalize), VERTEX("M", driver_finalize),
    VERTEX("C", driver_finalize), VERTEX("B", driver_finalize),
    {.name = "R", .bytes = sizeof(driver_row), .tracked = true, .free_list = 8, .visit = driver_row_visit,
     .array_offset = offsetof(driver_row, items), .array_unit_bytes = sizeof(field)},
    {.name = "L", .bytes = sizeof(driver_leaf), .visit = object_visit_nothing},
};
enum { DRIVER_TYPES = sizeof driver_types / sizeof driver_types[0] };

static const object_type *driver_type(char letter) {
    for (int i = 0; i < DRIVER_TYPES; i++)
        if (driver_types[i].name[0] == letter) return &driver_types[i];
    abort();
}

char driver_letter(const object *o) {
    return o->type >= driver_types && o->type < driver_types + DRIVER_TYPES ? o->type->name[0] : 'W';
}

int driver_id(const object *o) {
    switch (driver_letter(o)) {
    case 'W': return 0;                                 /* a weak reference: the collector's own struct */
    case 'R': return ((const driver_row *)o)->id;
    case 'L': return ((const driver_leaf *)o)->id;
    default:  return ((const driver_vertex *)o)->id;
    }
}

unsigned driver_fields(object *o, field **first) {
    char letter = driver_letter(o);
    *first = letter == 'R' ? ((driver_row *)o)->items.items : ((driver_vertex *)o)->fields;
    return letter == 'R' ? (unsigned)((driver_row *)o)->items.count : program_is_node(letter) ? PROGRAM_FIELDS : 0;
}

static void driver_before_birth(mutator *m) {
    if (driver.every != 0 && driver.ids % driver.every == 0) collector_collect(m, MODEL_GENERATIONS - 1);
}

/* *l, which is NULL, becomes a new object; false when there have been too many. */
static bool driver_birth(mutator *m, local *l, char letter) {
    if (driver.ids >= PROGRAM_OBJECTS) return false;
    driver_before_birth(m);
    if (!object_new(m, l, driver_type(letter), 0)) return false;
    int id = ++driver.ids;
    switch (letter) {
    case 'R': ((driver_row *)l->target)->id = id; break;
    case 'L': ((driver_leaf *)l->target)->id = id; break;
    default:
        ((driver_vertex *)l->target)->id = id;
        ((driver_vertex *)l->target)->run = driver.run;
    }
    if (letter == 'P') ((driver_vertex *)l->target)->number = driver.phoenixes++;
    return true;
}

/* --- finalizers and callbacks ----------------------------------------------------------------------- */

static program_event *driver_log(char kind, int id) {
    static program_event lost;
    if (driver.event_count == DRIVER_EVENTS) return &lost;
    driver.events[driver.event_count] = (program_event){.kind = kind, .id = id};
    return &driver.events[driver.event_count++];
}

int driver_weak_target(mutator *m, object *weak) {
    local *frame = frame_open(m, 1);
    weak_get(m, frame, weak);
    int id = frame->target != NULL ? driver_id(frame->target) : 0;
    frame_close(m, frame);
    return id;
}

static int driver_seen(mutator *m, object *target) {
    if (target == NULL) return 0;
    return driver_letter(target) == 'W' ? -1 - driver_weak_target(m, target) : driver_id(target);
}

static void driver_save(mutator *m, driver_vertex *self) {
    if (driver.quiet && self->number >= PROGRAM_SAVES) return;
    field_store(m, collector_globals(), collector_global(PROGRAM_SAVED + self->number % PROGRAM_SAVES), &self->header);
}

static void driver_meddle(mutator *m, driver_vertex *self) {
    local *frame = frame_open(m, 1);
    field_load(m, frame, &self->header, &self->fields[0]);
    object *partner = frame->target;
    if (partner != NULL && program_is_node(driver_letter(partner)))
        field_store(m, partner, &((driver_vertex *)partner)->fields[1], &self->header);
    frame_close(m, frame);
}

static void driver_breed(mutator *m, driver_vertex *self) {
    local *frame = frame_open(m, 1);
    if (driver_birth(m, frame, 'N')) {
        field_store(m, &self->header, &self->fields[2], frame->target);
        size_t found = collector_collect(m, self->id % MODEL_GENERATIONS);
        driver_log('r', (int)found);
    }
    frame_close(m, frame);
}

static void driver_finalize(mutator *m, object *o) {
    driver_vertex *self = (driver_vertex *)o;
    if (driver.finished || self->run != driver.run) return;
    program_event *e = driver_log('f', self->id);
    for (unsigned i = 0; i < PROGRAM_FIELDS && !driver.quiet; i++)
        e->seen[i] = driver_seen(m, field_peek(&self->fields[i]));
    switch (driver_letter(o)) {
    case 'P': driver_save(m, self); break;
    case 'M': driver_meddle(m, self); break;
    case 'B': driver_breed(m, self); break;
    case 'C':
        for (unsigned i = 0; i < PROGRAM_FIELDS; i++)
            field_store(m, o, &self->fields[i], NULL);
        break;
    default: break;
    }
}

static void driver_call_back(mutator *m, object *weak, void *context) {
    int id = (int)((intptr_t)context % DRIVER_RUN);
    if (driver.finished || (intptr_t)context / DRIVER_RUN != driver.run) return;
    driver_log('c', id);
    if (driver_weak_target(m, weak) != 0) driver_log('!', id);     /* alive in its own callback: never */
    if (driver.quiet || id % 4 < 2) return;
    local *frame = frame_open(m, 1);
    if (id % 4 == 2 || driver_birth(m, frame, 'F'))
        field_store(m, collector_globals(), collector_global((unsigned)id % PROGRAM_GLOBALS), frame->target);
    frame_close(m, frame);
}

/* --- steps ------------------------------------------------------------------------------------------ */

static void driver_new(mutator *m, local *to, const model_action *a) {
    local *frame = frame_open(m, 1);
    if (driver_birth(m, frame, a->type)) local_set(m, to, frame->target);
    frame_close(m, frame);
}

static void driver_chain(mutator *m, local *to, const model_action *a) {
    for (unsigned i = 0; i < a->count; i++) {
        local *frame = frame_open(m, 1);
        if (driver_birth(m, frame, a->type)) {
            field_store(m, frame->target, &((driver_vertex *)frame->target)->fields[0], to->target);
            local_set(m, to, frame->target);
        }
        frame_close(m, frame);
    }
}

static void driver_weak(mutator *m, local *to, local *from, const model_action *a) {
    local *frame = frame_open(m, 1);
    driver_before_birth(m);
    int id = ++driver.ids;
    void *context = (void *)((intptr_t)driver.run * DRIVER_RUN + id);
    if (weak_new(m, frame, from->target, a->callback ? driver_call_back : NULL, context))
        local_set(m, to, frame->target);
    frame_close(m, frame);
}

static void driver_resize(mutator *m, local *to, const model_action *a) {
    bool resized = object_resize(m, to, a->count);
    assert(resized);
    (void)resized;
}

static field *driver_field(const local *holder, const model_action *a) {
    field *first;
    unsigned count = driver_fields(holder->target, &first);
    assert(a->field < count);
    (void)count;
    return &first[a->field];
}

static void driver_attach(mutator *m, local *to, const model_action *a) {
    local *frame = frame_open(m, 1);
    if (driver_birth(m, frame, a->type)) field_store(m, to->target, driver_field(to, a), frame->target);
    frame_close(m, frame);
}

static void driver_close_frame(mutator *m) {
    frame_close(m, driver.frames[--driver.frame_count]);
    driver.locals -= PROGRAM_FRAME;
}

static void driver_open_frame(mutator *m) {
    driver.frames[driver.frame_count++] = frame_open(m, PROGRAM_FRAME);
    driver.locals += PROGRAM_FRAME;
}

local *driver_local(unsigned i) { return &driver.frames[i / PROGRAM_FRAME][i % PROGRAM_FRAME]; }

size_t driver_act(mutator *m, const model_action *a) {
    local *to = driver_local(a->to), *from = driver_local(a->from);
    object *globals = collector_globals();
    field *global = collector_global(a->global);
    switch (a->op) {
    case 'n': driver_new(m, to, a); break;
    case 'a': driver_attach(m, to, a); break;
    case 'h': driver_chain(m, to, a); break;
    case 'w': driver_weak(m, to, from, a); break;
    case 's': local_set(m, to, from->target); break;
    case 'd': local_set(m, to, NULL); break;
    case 'l': field_load(m, to, from->target, driver_field(from, a)); break;
    case 't': field_store(m, to->target, driver_field(to, a), from->target); break;
    case 'x': field_store(m, to->target, driver_field(to, a), NULL); break;
    case 'r': driver_resize(m, to, a); break;
    case 'g': weak_get(m, to, from->target); break;
    case 'c': return collector_collect(m, (int)a->generation);
    case 'o': driver_open_frame(m); break;
    case 'e': driver_close_frame(m); break;
    case 'p': field_store(m, globals, global, from->target); break;
    case 'f': field_load(m, to, globals, global); break;
    case 'u': field_store(m, globals, global, NULL); break;
    case 'i': object_immortalize(to->target); break;
    default: break;
    }
    return 0;
}

/* --- an empty heap, and an end ----------------------------------------------------------------------- */

mutator *driver_open(const model_rules *rules, int every) {
    int run = driver.run + 1;
    memset(&driver, 0, offsetof(struct driver, events));
    driver.run = run;
    driver.quiet = rules->quiet;
    driver.every = every;
    char why[256];
    const char *spec = getenv("REFARENA_ALLOCATOR");
    const allocator *memory = allocator_open(spec != NULL ? spec : "system", why, sizeof why);
    if (memory == NULL || !linked_collector.open(memory)) abort();
    mutator *m = linked_collector.enter();
    if (m == NULL) abort();
    driver_open_frame(m);
    return m;
}

void driver_close(mutator *m) {
    driver.finished = true;
    while (driver.frame_count > 0)
        driver_close_frame(m);
    for (unsigned i = 0; i < COLLECTOR_GLOBALS; i++)
        field_store(m, collector_globals(), collector_global(i), NULL);
    linked_collector.leave(m);
    linked_collector.close();
}
