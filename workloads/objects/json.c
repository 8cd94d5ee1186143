/* SPDX-License-Identifier: MIT
 * json.c - a JSON document is parsed into dicts, lists, strings and numbers, looked at, and dropped.
 *
 *   text --json_text.c: events--> the container that is open, and a stack of those around it --> root
 *
 * Exercises: a burst of births of all the built-in types, most of them alive until the whole tree dies at once; dicts and
 * lists that grow; keys that repeat are made once, by a memo as in CPython's json module.
 * Source: parsing JSON is among the commonest things that Python programs do: json_loads in pyperformance. The
 * document is a real one: the syntax trees of workloads/programs/ (scripts/cpython/syntax.py).
 * Not claimed: the speed of the parser, which is the same on all backends. Keys of one object differ, and strings are ASCII.
 * size = times the document is parsed per unit; an operation is a value or a key of it.
 */
#include <stdio.h>

#include "dict.h"
#include "json_text.h"
#include "string.h"

enum { JSON_SIZE, JSON_DOCUMENT };
enum { JSON_NAMES = 4096 };                 /* different keys that a document may have */
enum { JSON_ROOT, JSON_CURRENT, JSON_STACK, JSON_MEMO, JSON_NAME, JSON_VALUE, JSON_COPY, JSON_NONE, JSON_YES, JSON_NO, JSON_LOCALS };

typedef struct json_single { object header; uint64_t digest; } json_single;         /* null, true, false: 1, 2, 3 */
typedef struct json_level { object *container; size_t next; } json_level;

typedef struct json_state {
    local      *frame;
    char       *text;
    size_t      bytes;                      /* of the mapping */
    json_level  levels[JSON_DEEPEST];       /* of the walk */
} json_state;

static const object_type json_single_type = {.name = "single", .bytes = sizeof(json_single), .visit = object_visit_nothing};

/* --- the text ----------------------------------------------------------------------------------------------- */

/* NULL: `why` says what is wrong. The text ends in 0. */
static char *json_load(const char *name, size_t *bytes, char *why, size_t why_bytes) {
    char path[200], *text = NULL;
    snprintf(path, sizeof path, strpbrk(name, "/.") != NULL ? "%s" : "workloads/recordings/%s.json", name);
    FILE *file = fopen(path, "rb");
    if (file != NULL && fseek(file, 0, SEEK_END) == 0 && (*bytes = (size_t)ftell(file) + 1) > 0) {
        rewind(file);
        text = workload_map(*bytes);
        if (text != NULL && fread(text, 1, *bytes - 1, file) != *bytes - 1) {
            workload_unmap(text, *bytes);
            text = NULL;
        }
    }
    if (file != NULL) fclose(file);
    if (text == NULL) snprintf(why, why_bytes, "json: document %s: cannot be read", path);
    return text;
}

/* --- parsing ------------------------------------------------------------------------------------------------- */

static bool json_new_string(mutator *m, local *l, const json_reader *r) {
    if (!string_new(m, l, NULL, r->length)) return false;
    json_copy_string(r, string_text(l->target));
    return true;
}

/* The key that was made first of those with this text. */
static bool json_name(mutator *m, local *frame, const json_reader *r) {
    if (!json_new_string(m, &frame[JSON_NAME], r)) return false;
    object *key = frame[JSON_NAME].target;
    return dict_get(m, &frame[JSON_NAME], frame[JSON_MEMO].target, key) || dict_set(m, &frame[JSON_MEMO], key, key);
}

/* Into the container that is open; it stays in JSON_VALUE. */
static bool json_put(mutator *m, local *frame) {
    local *to = &frame[JSON_CURRENT];
    if (to->target == NULL) return local_set(m, &frame[JSON_ROOT], frame[JSON_VALUE].target), true;
    if (to->target->type == &dict_type) return dict_set(m, to, frame[JSON_NAME].target, frame[JSON_VALUE].target);
    local_set(m, &frame[JSON_COPY], frame[JSON_VALUE].target);
    return list_push(m, to, &frame[JSON_COPY]);
}

static bool json_value(mutator *m, local *frame, json_event event, const json_reader *r) {
    local *value = &frame[JSON_VALUE];
    switch (event) {
    case JSON_STRING:  return json_new_string(m, value, r);
    case JSON_INTEGER: return integer_new(m, value, r->integer);
    case JSON_REAL:    return real_new(m, value, r->real);
    default:           return local_set(m, value, frame[JSON_NONE + (event - JSON_NULL)].target), true;
    }
}

static bool json_open_container(mutator *m, local *frame, json_event event) {
    bool made = event == JSON_OPEN_DICT ? dict_new(m, &frame[JSON_VALUE]) : list_new(m, &frame[JSON_VALUE]);
    if (!made || !json_put(m, frame) || !list_push(m, &frame[JSON_STACK], &frame[JSON_CURRENT])) return false;
    local_swap(&frame[JSON_CURRENT], &frame[JSON_VALUE]);
    return true;
}

static bool json_event_done(mutator *m, local *frame, json_event event, const json_reader *r) {
    switch (event) {
    case JSON_OPEN_DICT:
    case JSON_OPEN_LIST: return json_open_container(m, frame, event);
    case JSON_CLOSE:     return list_pop(m, &frame[JSON_STACK], &frame[JSON_CURRENT]), true;
    case JSON_KEY:       return json_name(m, frame, r);
    default:             return json_value(m, frame, event, r) && json_put(m, frame);
    }
}

static bool json_parse(mutator *m, local *frame, const char *text) {
    json_reader r;
    json_begin(&r, text);
    if (!list_new(m, &frame[JSON_STACK]) || !dict_new(m, &frame[JSON_MEMO])) return false;
    for (json_event event; (event = json_next(&r)) != JSON_END;) {
        mutator_poll(m);
        if (!json_event_done(m, frame, event, &r)) return false;
    }
    return true;
}

static void json_drop(mutator *m, local *frame) {
    for (int l = JSON_ROOT; l < JSON_NONE; l++)
        local_set(m, &frame[l], NULL);
}

/* --- looking at it: borrowed all the way, no call of the contract ----------------------------------------------- */

static uint64_t json_digest_value(object *o) {
    uint64_t digest = 0;
    if (o->type == &integer_type) return (uint64_t)integer_value(o);
    if (o->type == &json_single_type) return ((json_single *)o)->digest;
    if (o->type == &dict_type) return dict_used(o);
    if (o->type == &list_type) return list_used(o);
    if (o->type == &real_type) return memcpy(&digest, &((real *)o)->value, sizeof digest), digest;
    for (size_t i = 0; i < string_length(o); i++)
        digest = digest * 31 + (unsigned char)string_text(o)[i];
    return digest;
}

/* The next value in the container of a level, its key digested; NULL: that was all. */
static object *json_walk_on(json_level *level, uint64_t *digest) {
    object *o = level->container;
    if (level->next == (o->type == &dict_type ? dict_used(o) : list_used(o))) return NULL;
    if (o->type == &list_type) return field_peek(&list_items(o)[level->next++]);
    dict_entry *entry = &dict_entries(o)[level->next++];
    *digest = *digest * 31 + json_digest_value(field_peek(&entry->key));
    return field_peek(&entry->value);
}

/* Of all values in the order of the document: digest = 31 digest + value. */
static uint64_t json_digest(json_state *state) {
    object *o = state->frame[JSON_ROOT].target;
    uint64_t digest = json_digest_value(o);
    size_t depth = 0;
    bool holds = o->type == &dict_type || o->type == &list_type;
    if (holds) state->levels[depth++] = (json_level){.container = o};
    while (depth > 0) {
        o = json_walk_on(&state->levels[depth - 1], &digest);
        if (o == NULL) {
            depth--;
            continue;
        }
        digest = digest * 31 + json_digest_value(o);
        if (o->type == &dict_type || o->type == &list_type) state->levels[depth++] = (json_level){.container = o};
    }
    return digest;
}

/* --- what a document costs: the same events, no objects ------------------------------------------------------------ */

typedef struct json_bill {
    workload_operations sum;
    dict_room    memo;
    size_t       stack_room, count;             /* of the levels: count are open */
    const char  *names[JSON_NAMES];             /* that differ, and how long they are */
    size_t       lengths[JSON_NAMES], name_count;
    struct { bool list; dict_room room; size_t used, capacity; } levels[JSON_DEEPEST];
} json_bill;

static void json_bill_object(json_bill *b, size_t bytes) {
    b->sum.allocations++;
    b->sum.bytes += bytes;
}
static void json_bill_string(json_bill *b, const json_reader *r) {
    json_bill_object(b, sizeof(string) - sizeof(object) + r->length + 1);
}
static void json_bill_growth(json_bill *b, size_t used, size_t *capacity) {
    if (used < *capacity) return;
    *capacity = list_room_for(used + 1);
    json_bill_object(b, *capacity * sizeof(field));
}
static void json_bill_room(json_bill *b, const dict_room *room) {
    b->sum.allocations += room->allocations;
    b->sum.bytes += room->bytes;
    b->sum.references += 2 * room->rebuilds;
}

static void json_bill_name(json_bill *b, const json_reader *r) {
    json_bill_string(b, r);
    for (size_t i = 0; i < b->name_count; i++)
        if (b->lengths[i] == r->length && memcmp(b->names[i], r->start, r->length) == 0) {
            b->sum.references++;
            return;
        }
    b->sum.references += 2;
    dict_room_add(&b->memo);
    assert(b->name_count < JSON_NAMES);
    b->names[b->name_count] = r->start;
    b->lengths[b->name_count++] = r->length;
}

static void json_bill_put(json_bill *b) {
    b->sum.operations++;
    b->sum.references++;
    if (b->count == 0) return;
    if (!b->levels[b->count - 1].list) {
        b->sum.references++;
        dict_room_add(&b->levels[b->count - 1].room);
    } else {
        json_bill_growth(b, b->levels[b->count - 1].used++, &b->levels[b->count - 1].capacity);
    }
}

static void json_bill_event(json_bill *b, json_event event, const json_reader *r) {
    switch (event) {
    case JSON_KEY:
        b->sum.operations++;
        json_bill_name(b, r);
        return;
    case JSON_CLOSE:
        json_bill_room(b, &b->levels[--b->count].room);
        b->sum.references += b->count > 0;              /* to what was open around it */
        return;
    case JSON_OPEN_DICT:
    case JSON_OPEN_LIST:
        json_bill_object(b, (event == JSON_OPEN_DICT ? sizeof(dict) : sizeof(list)) - sizeof(object));
        json_bill_put(b);
        json_bill_growth(b, b->count, &b->stack_room);
        memset(&b->levels[b->count], 0, sizeof b->levels[0]);
        b->levels[b->count++].list = event == JSON_OPEN_LIST;
        return;
    case JSON_STRING:  json_bill_string(b, r); break;
    case JSON_REAL:    json_bill_object(b, sizeof(double)); break;
    case JSON_INTEGER:
        if (integer_is_small(r->integer)) b->sum.references++;
        else json_bill_object(b, sizeof(int64_t));
        break;
    default:           b->sum.references++;
    }
    json_bill_put(b);
}

/* False: the document is damaged; `r` says where and how. */
static bool json_bill_document(json_bill *b, json_reader *r, const char *text) {
    json_event event;
    memset(b, 0, sizeof *b);
    json_begin(r, text);
    json_bill_object(b, sizeof(list) - sizeof(object));
    json_bill_object(b, sizeof(dict) - sizeof(object));
    while ((event = json_next(r)) != JSON_END) {
        if (event == JSON_KEY && b->name_count == JSON_NAMES) r->wrong = "too many different keys";
        if (r->wrong != NULL) return false;
        json_bill_event(b, event, r);
    }
    json_bill_room(b, &b->memo);
    return true;
}

static workload_operations json_declare(const workload_run *run) {
    static json_bill bill;
    json_reader r;
    char why[256];
    size_t bytes = 0;
    char *text = json_load(run->file, &bytes, why, sizeof why);
    bool good = text != NULL && json_bill_document(&bill, &r, text);
    workload_unmap(text, bytes);
    if (!good) return (workload_operations){0};         /* prepare will say why */
    uint64_t size = (uint64_t)run->parameters[JSON_SIZE];
    return (workload_operations){.operations = size * bill.sum.operations, .allocations = size * bill.sum.allocations,
                                 .bytes = size * bill.sum.bytes, .references = size * bill.sum.references};
}

/* --- the workload ------------------------------------------------------------------------------------------------- */

static bool json_check(workload_run *run, const char *text) {
    static json_bill bill;
    json_reader r;
    if (json_bill_document(&bill, &r, text)) return true;
    snprintf(run->why, sizeof run->why, "json: document %s: byte %zu: %s", run->file, (size_t)(r.at - r.text), r.wrong);
    return false;
}

static bool json_prepare(workload_run *run) {
    mutator *m = run->mutator;
    if (run->thread == 0 && !integers_prepare(m)) return false;
    json_state *state = run->state = workload_map(sizeof *state);
    if (state == NULL) return false;
    state->frame = frame_open(m, JSON_LOCALS);
    state->text = json_load(run->file, &state->bytes, run->why, sizeof run->why);
    if (state->text == NULL || (run->thread == 0 && !json_check(run, state->text))) return false;
    for (uint64_t i = 0; i < 3; i++) {
        if (!object_new(m, &state->frame[JSON_NONE + i], &json_single_type, 0)) return false;
        ((json_single *)state->frame[JSON_NONE + i].target)->digest = i + 1;
    }
    return true;
}

static bool json_unit(workload_run *run) {
    json_state *state = run->state;
    for (int64_t i = 0; i < run->parameters[JSON_SIZE]; i++) {
        if (!json_parse(run->mutator, state->frame, state->text)) return false;
        run->checksum = run->checksum * 31 + json_digest(state);
        if (i == 0) run->moment(run, "parsed");
        json_drop(run->mutator, state->frame);
    }
    return true;
}

static void json_finish(workload_run *run) {
    json_state *state = run->state;
    if (run->thread == 0) field_store(run->mutator, collector_globals(), collector_global(VALUES_SMALL_INTEGERS), NULL);
    if (state == NULL) return;
    frame_close(run->mutator, state->frame);
    workload_unmap(state->text, state->bytes);
    workload_unmap(state, sizeof *state);
    run->state = NULL;
}

static unsigned json_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

const workload json_workload = {
    .name = "json", .idea = "a JSON document parsed into dicts, lists, strings and numbers, and dropped",
    .operation = "value or key", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "times the document is parsed per unit", .value = 1, .minimum = 1, .maximum = 1000000},
                   {.name = "document", .meaning = "a .json file, or a name in workloads/recordings", .file = "syntax"}},
    .needs = json_needs, .declare = json_declare,
    .prepare = json_prepare, .unit = json_unit, .finish = json_finish,
};
