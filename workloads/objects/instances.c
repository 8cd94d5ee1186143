/* SPDX-License-Identifier: MIT
 * instances.c - objects of a class with four attributes, each in a dict of its own or in slots.
 *
 *   form=dict    | header | dict --> | header | table --> | hash name value | hash name value | ...
 *   form=slots   | header | value | value | value | value |
 *
 * `size` instances are made and kept in a list, their attributes are read, all are dropped. Names are interned.
 * Figure: bytes_per_instance (headers, dict and its table included).
 * Exercises: three blocks an instance against one; a look-up by hash against a load.
 * Source: __slots__ in talks on CPython's memory; CPython's language reference, 3.3.2.4.
 * Not claimed: CPython 3.11's own instances, which share their names and make the dict only when it is asked for.
 * size = instances in a unit.
 */
#include "dict.h"
#include "string.h"

enum { INSTANCES_SIZE, INSTANCES_FORM };
enum { INSTANCES_DICT, INSTANCES_SLOTS };
enum { INSTANCES_ATTRIBUTES = 4 };
enum { INSTANCES_NAMES, INSTANCES_VALUE, INSTANCES_LIST, INSTANCES_MADE, INSTANCES_OF, INSTANCES_LOCALS };

typedef struct dict_instance { object header; field attributes; } dict_instance;
typedef struct slot_instance { object header; field attributes[INSTANCES_ATTRIBUTES]; } slot_instance;

static void dict_instance_visit(object *self, field_visitor *visit, void *context) {
    visit(&((dict_instance *)self)->attributes, context);
}
static const object_type dict_instance_type = {.name = "instance with a dict", .bytes = sizeof(dict_instance),
                                               .tracked = true, .visit = dict_instance_visit};

static void slot_instance_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(((slot_instance *)self)->attributes, INSTANCES_ATTRIBUTES, visit, context);
}
static const object_type slot_instance_type = {.name = "instance with slots", .bytes = sizeof(slot_instance),
                                               .tracked = true, .visit = slot_instance_visit};

static object *instances_name(local *frame, size_t i) { return field_peek(&tuple_items(frame[INSTANCES_NAMES].target)[i]); }

static bool instances_prepare(workload_run *run) {
    static const char *const names[INSTANCES_ATTRIBUTES] = {"x", "y", "width", "height"};
    mutator *m = run->mutator;
    local *frame = run->state = frame_open(m, INSTANCES_LOCALS);
    bool made = tuple_new(m, &frame[INSTANCES_NAMES], INSTANCES_ATTRIBUTES) && interned_new(m, &frame[INSTANCES_OF]) &&
                string_new(m, &frame[INSTANCES_VALUE], "value", 5);
    for (size_t i = 0; made && i < INSTANCES_ATTRIBUTES; i++) {
        object *all = frame[INSTANCES_NAMES].target;
        made = string_new(m, &frame[INSTANCES_MADE], names[i], strlen(names[i])) &&
               string_intern(m, &frame[INSTANCES_OF], &frame[INSTANCES_MADE]);
        if (made) field_store(m, all, &tuple_items(all)[i], frame[INSTANCES_MADE].target);
    }
    local_set(m, &frame[INSTANCES_MADE], NULL);
    local_set(m, &frame[INSTANCES_OF], NULL);
    return made;
}

static void instances_finish(workload_run *run) {
    if (run->state != NULL) frame_close(run->mutator, run->state);
    run->state = NULL;
}

static bool instances_make_with_dict(mutator *m, local *frame) {
    bool made = object_new(m, &frame[INSTANCES_MADE], &dict_instance_type, 0) && dict_new(m, &frame[INSTANCES_OF]);
    object *instance = frame[INSTANCES_MADE].target;
    if (made) field_store(m, instance, &((dict_instance *)instance)->attributes, frame[INSTANCES_OF].target);
    for (size_t i = 0; made && i < INSTANCES_ATTRIBUTES; i++)
        made = dict_set(m, &frame[INSTANCES_OF], instances_name(frame, i), frame[INSTANCES_VALUE].target);
    return made;
}

static bool instances_make_with_slots(mutator *m, local *frame) {
    bool made = object_new(m, &frame[INSTANCES_MADE], &slot_instance_type, 0);
    object *instance = frame[INSTANCES_MADE].target;
    for (size_t i = 0; made && i < INSTANCES_ATTRIBUTES; i++)
        field_store(m, instance, &((slot_instance *)instance)->attributes[i], frame[INSTANCES_VALUE].target);
    return made;
}

/* Attribute i of the instance in MADE, into OF. */
static void instances_get(mutator *m, local *frame, bool dict, size_t i) {
    object *made = frame[INSTANCES_MADE].target;
    if (dict) dict_get(m, &frame[INSTANCES_OF], field_peek(&((dict_instance *)made)->attributes), instances_name(frame, i));
    else field_load(m, &frame[INSTANCES_OF], made, &((slot_instance *)made)->attributes[i]);
}

static size_t instances_bytes(local *frame, bool dict) {
    size_t bytes = linked_collector.tracked_header_bytes - sizeof(object) + object_bytes(frame[INSTANCES_MADE].target);
    if (!dict) return bytes;
    object *attributes = field_peek(&((dict_instance *)frame[INSTANCES_MADE].target)->attributes);
    return bytes + linked_collector.tracked_header_bytes - sizeof(object) + object_bytes(attributes) + object_array_bytes(attributes);
}

static bool instances_unit(workload_run *run) {
    mutator *m = run->mutator;
    local *frame = run->state;
    bool dict = run->parameters[INSTANCES_FORM] == INSTANCES_DICT, made = list_new(m, &frame[INSTANCES_LIST]);
    for (int64_t n = 0; made && n < run->parameters[INSTANCES_SIZE]; n++) {
        mutator_poll(m);
        made = (dict ? instances_make_with_dict : instances_make_with_slots)(m, frame) &&
               list_append(m, &frame[INSTANCES_LIST], frame[INSTANCES_MADE].target);
        for (size_t i = 0; made && i < INSTANCES_ATTRIBUTES; i++) {
            instances_get(m, frame, dict, i);
            run->checksum += string_length(frame[INSTANCES_OF].target) * (i + 1);
        }
    }
    if (made) run->figure(run, "bytes_per_instance", (double)instances_bytes(frame, dict));
    run->moment(run, "made");
    for (int i = INSTANCES_LIST; i < INSTANCES_LOCALS; i++)
        local_set(m, &frame[i], NULL);
    run->moment(run, "dropped");
    return made;
}

static unsigned instances_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

static workload_operations instances_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[INSTANCES_SIZE], room = 0, grown = list_growth(size, &room);
    bool dict = run->parameters[INSTANCES_FORM] == INSTANCES_DICT;
    uint64_t tables = 0, table_bytes = 0;
    if (dict) dict_growth(INSTANCES_ATTRIBUTES, &tables, &table_bytes);
    uint64_t with_dict = sizeof(dict_instance) - sizeof(object) + sizeof(struct dict) - sizeof(object);
    uint64_t with_slots = sizeof(slot_instance) - sizeof(object);
    uint64_t stored = dict ? 1 + 2 * INSTANCES_ATTRIBUTES + 2 * tables : INSTANCES_ATTRIBUTES;     /* the dict; names and values; rebuilds */
    return (workload_operations){
        .operations = size,
        .allocations = 1 + grown + size * (dict ? 2 + tables : 1),
        .bytes = sizeof(list) - sizeof(object) + room * sizeof(field) + size * ((dict ? with_dict : with_slots) + table_bytes),
        .references = grown + size * (stored + 1 + INSTANCES_ATTRIBUTES),
    };
}

const workload instances_workload = {
    .name = "instances", .idea = "objects with four attributes, in a dict of their own or in slots",
    .operation = "instance made, read and dropped", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "instances in a unit", .value = 10000, .minimum = 1, .maximum = 100000000},
                   {.name = "form", .meaning = "where attributes are", .choices = "dict|slots", .maximum = 1}},
    .needs = instances_needs, .declare = instances_declare,
    .prepare = instances_prepare, .unit = instances_unit, .finish = instances_finish,
};
