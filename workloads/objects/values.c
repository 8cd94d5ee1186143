/* SPDX-License-Identifier: MIT
 * values.c - births of the built-in values, and the list that grows. */
#include "values.h"

const object_type integer_type = {.name = "int", .bytes = sizeof(integer), .visit = object_visit_nothing};
const object_type real_type = {.name = "float", .bytes = sizeof(real), .visit = object_visit_nothing, .free_list = 100};

static const object_type array_type = {.name = "array", .bytes = sizeof(array), .visit = object_visit_nothing,
                                       .array_offset = offsetof(array, buffer), .array_unit_bytes = 1};

static void tuple_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(tuple_items(self), object_extra(self), visit, context);
}
const object_type tuple_type = {.name = "tuple", .bytes = sizeof(sized_object), .tracked = true,
                                       .extra_unit_bytes = sizeof(field), .visit = tuple_visit,
                                       .untracking = OBJECT_UNTRACKED_EARLY, .free_list = 2000};

static void list_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(list_items(self), list_used(self), visit, context);
}
const object_type list_type = {.name = "list", .bytes = sizeof(list), .tracked = true, .visit = list_visit,
                                      .array_offset = offsetof(list, items), .array_unit_bytes = sizeof(field),
                                      .free_list = 80};

bool integers_new(mutator *m, local *l) {
    local *made = frame_open(m, 1);
    size_t count = INTEGER_LARGEST_SMALL - INTEGER_SMALLEST + 1;
    bool all = tuple_new(m, l, count);
    for (size_t i = 0; all && i < count; i++) {
        all = object_new(m, made, &integer_type, 0);
        if (!all) break;
        ((integer *)made->target)->value = INTEGER_SMALLEST + (int64_t)i;
        object_immortalize(made->target);
        field_move(m, l->target, &tuple_items(l->target)[i], made);
    }
    frame_close(m, made);
    return all;
}

bool integers_prepare(mutator *m) {
    local *frame = frame_open(m, 1);
    bool made = integers_new(m, frame);
    if (made) field_move(m, collector_globals(), collector_global(VALUES_SMALL_INTEGERS), frame);
    frame_close(m, frame);
    return made;
}

bool integers_open(workload_run *run) { return run->thread != 0 || integers_prepare(run->mutator); }

void integers_close(workload_run *run) {
    if (run->thread == 0)
        field_store(run->mutator, collector_globals(), collector_global(VALUES_SMALL_INTEGERS), NULL);
}

/* Nobody ever writes to the tuple of small ones, so that no lock is needed to read it: as in CPython, where they are
 * an array. */
bool integer_new(mutator *m, local *l, int64_t value) {
    if (integer_is_small(value)) {
        object *shared = field_peek(collector_global(VALUES_SMALL_INTEGERS));
        local_set(m, l, field_peek(&tuple_items(shared)[value - INTEGER_SMALLEST]));
        return true;
    }
    if (!object_new(m, l, &integer_type, 0)) return false;
    ((integer *)l->target)->value = value;
    return true;
}

uint64_t integers_not_small(int64_t first, int64_t step, uint64_t count) {
    if (first > INTEGER_LARGEST_SMALL) return count;
    uint64_t small = (uint64_t)((INTEGER_LARGEST_SMALL - first) / step) + 1;
    return small < count ? count - small : 0;
}

bool real_new(mutator *m, local *l, double value) {
    if (!object_new(m, l, &real_type, 0)) return false;
    ((real *)l->target)->value = value;
    return true;
}

bool array_new(mutator *m, local *l, size_t count) {
    local *frame = frame_open(m, 1);
    bool made = object_new(m, frame, &array_type, 0) && object_resize(m, frame, count * sizeof(double));
    if (made) local_set(m, l, frame->target);
    frame_close(m, frame);
    return made;
}

bool tuple_new(mutator *m, local *l, size_t count) { return object_new(m, l, &tuple_type, count); }
bool list_new(mutator *m, local *l)                { return object_new(m, l, &list_type, 0); }

bool list_append(mutator *m, local *l, object *value) {
    list *self = (list *)l->target;
    if (self->used == self->items.count) {
        local *frame = frame_open(m, 1);
        local_set(m, frame, value);                     /* a resize may run other code */
        bool grown = object_resize(m, l, list_room_for(self->used + 1));
        value = frame->target;
        self = (list *)l->target;
        if (grown) field_store(m, &self->header, &list_items(&self->header)[self->used++], value);
        frame_close(m, frame);
        return grown;
    }
    field_store(m, &self->header, &list_items(&self->header)[self->used++], value);
    return true;
}

bool list_push(mutator *m, local *l, local *value) {
    list *self = (list *)l->target;
    if (self->used == self->items.count && !object_resize(m, l, list_room_for(self->used + 1))) return false;
    self = (list *)l->target;
    field_move(m, &self->header, &list_items(&self->header)[self->used++], value);
    return true;
}

uint64_t list_growth(uint64_t items, uint64_t *asked) {
    uint64_t grown = 0;
    for (size_t room = 0; room < items; grown++) {
        room = list_room_for(room + 1);
        *asked += room;
    }
    return grown;
}

bool list_slice(mutator *m, local *l, local *from, size_t first, size_t count) {
    local *made = frame_open(m, 1);
    bool whole = list_new(m, made) && (count == 0 || object_resize(m, made, count));
    for (size_t i = 0; whole && i < count; i++) {
        object *item = field_peek(&list_items(from->target)[first + i]);
        field_store(m, made->target, &list_items(made->target)[((list *)made->target)->used++], item);
    }
    if (whole) local_set(m, l, made->target);
    frame_close(m, made);
    return whole;
}

void list_pop(mutator *m, local *l, local *out) {
    object *self = l->target;
    assert(list_used(self) > 0);
    field *last = &list_items(self)[list_used(self) - 1];
    field_load(m, out, self, last);
    field_store(m, self, last, NULL);
    ((list *)self)->used--;
}
