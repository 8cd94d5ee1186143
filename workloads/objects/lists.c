/* SPDX-License-Identifier: MIT
 * lists.c - a list that is appended to, and slices of it, which are copies.
 *
 *   act=append   l = []; for i in range(size): l.append(o)      | | | | |grows: 4, 8, 16, 24, 32, 40, 52, 64 ...
 *   act=slice    s1 = l[:n/2]; s2 = l[:n/2]; ...                each copies n/2 references and takes each anew
 *
 * Moments `list`, `sliced` and `dropped` show the memory of slices. Figures: grown (how often the list grew),
 * room_per_item (what it has room for, over what it holds), slice_bytes (what a slice asks for, without its header).
 * Exercises: growth of one large array of references; copies of it, one take for each item.
 * Source: the scene of slices that talks on CPython's memory show beside NumPy's views (views.c); the growth,
 * list_resize of CPython 3.11.
 * Not claimed: that lists hold one object many times, as these do. size = items; `slices` are alive at once.
 */
#include "values.h"

enum { LISTS_SIZE, LISTS_ACT, LISTS_SLICES };
enum { LISTS_APPEND, LISTS_SLICE };
enum { LISTS_ITEM, LISTS_LIST, LISTS_SLICED, LISTS_HOLDER, LISTS_LOCALS };

typedef struct item { object header; uint64_t id; } item;

static const object_type item_type = {.name = "item", .bytes = sizeof(item), .visit = object_visit_nothing};

static bool lists_fill(workload_run *run, local *frame, uint64_t *grown) {
    mutator *m = run->mutator;
    bool made = list_new(m, &frame[LISTS_LIST]);
    for (int64_t i = 0; made && i < run->parameters[LISTS_SIZE]; i++) {
        size_t room = list_room(frame[LISTS_LIST].target);
        mutator_poll(m);
        made = list_append(m, &frame[LISTS_LIST], frame[LISTS_ITEM].target);
        *grown += list_room(frame[LISTS_LIST].target) != room;
    }
    return made;
}

static bool lists_prepare(workload_run *run) {
    uint64_t unused = 0;
    local *frame = run->state = frame_open(run->mutator, LISTS_LOCALS);
    if (!object_new(run->mutator, &frame[LISTS_ITEM], &item_type, 0)) return false;
    ((item *)frame[LISTS_ITEM].target)->id = 7;
    return run->parameters[LISTS_ACT] != LISTS_SLICE || lists_fill(run, frame, &unused);
}

static void lists_finish(workload_run *run) {
    if (run->state != NULL) frame_close(run->mutator, run->state);
    run->state = NULL;
}

static uint64_t lists_sum(object *list) {
    uint64_t sum = 0;
    for (size_t i = 0; i < list_used(list); i++)
        sum += ((item *)field_peek(&list_items(list)[i]))->id;
    return sum;
}

static bool lists_append_all(workload_run *run, local *frame) {
    uint64_t grown = 0;
    if (!lists_fill(run, frame, &grown)) return false;
    object *list = frame[LISTS_LIST].target;
    run->figure(run, "grown", (double)grown);
    run->figure(run, "room_per_item", (double)list_room(list) / (double)list_used(list));
    run->checksum += lists_sum(list) + list_room(list);
    run->moment(run, "list");
    local_set(run->mutator, &frame[LISTS_LIST], NULL);
    run->moment(run, "dropped");
    return true;
}

static bool lists_slice_all(workload_run *run, local *frame) {
    mutator *m = run->mutator;
    run->moment(run, "list");
    bool made = list_new(m, &frame[LISTS_HOLDER]);
    for (int64_t i = 0; made && i < run->parameters[LISTS_SLICES]; i++) {
        mutator_poll(m);
        made = list_slice(m, &frame[LISTS_SLICED], &frame[LISTS_LIST], 0, (size_t)run->parameters[LISTS_SIZE] / 2) &&
               list_append(m, &frame[LISTS_HOLDER], frame[LISTS_SLICED].target);
        if (!made) break;
        run->checksum += lists_sum(frame[LISTS_SLICED].target) + list_room(frame[LISTS_SLICED].target) + 1;
        run->figure(run, "slice_bytes", (double)object_array_bytes(frame[LISTS_SLICED].target));
    }
    run->moment(run, "sliced");
    local_set(m, &frame[LISTS_SLICED], NULL);
    local_set(m, &frame[LISTS_HOLDER], NULL);
    run->moment(run, "dropped");
    return made;
}

static bool lists_unit(workload_run *run) {
    return (run->parameters[LISTS_ACT] == LISTS_APPEND ? lists_append_all : lists_slice_all)(run, run->state);
}

static unsigned lists_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

static workload_operations lists_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[LISTS_SIZE], slices = (uint64_t)run->parameters[LISTS_SLICES], asked = 0;
    uint64_t list_bytes = sizeof(list) - sizeof(object);
    if (run->parameters[LISTS_ACT] == LISTS_APPEND) {
        uint64_t grown = list_growth(size, &asked);
        return (workload_operations){.operations = size, .allocations = 1 + grown, .bytes = list_bytes + asked * sizeof(field),
                                     .references = size + grown};
    }
    uint64_t grown = list_growth(slices, &asked), copied = slices * (size / 2);
    return (workload_operations){.operations = slices * size, .allocations = 1 + slices * (size > 1 ? 2 : 1) + grown,
                                 .bytes = (1 + slices) * list_bytes + (asked + copied) * sizeof(field),
                                 .references = copied + slices * 2 + grown};
}

const workload lists_workload = {
    .name = "lists", .idea = "a list is appended to, or sliced: slices are copies",
    .operation = "append, or item of a list of which half is copied", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "items", .value = 100000, .minimum = 1, .maximum = 100000000},
                   {.name = "act", .meaning = "what is done", .choices = "append|slice", .maximum = 1},
                   {.name = "slices", .meaning = "made in a unit, of half the list each", .value = 10, .minimum = 1, .maximum = 100000}},
    .needs = lists_needs, .declare = lists_declare,
    .prepare = lists_prepare, .unit = lists_unit, .finish = lists_finish,
};
