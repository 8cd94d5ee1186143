/* SPDX-License-Identifier: MIT
 * lru.c - a cache that forgets what was used least recently: a dict, and a ring of entries from new to old.
 *
 *   dict: key -> entry          root <-> newest <-> ... <-> oldest <-> root
 *
 * Every entry is in a cycle with its neighbours. One that is forgotten is unlinked by those, so that counting frees it at
 * once though it refers to them still; the cache as a whole is a ring that no count frees when it is dropped.
 *
 * Exercises: look-ups, insertions and removals in a dict that stays as large; references taken and dropped in old objects
 * at every use; an object dies when it is oldest, which is when generations expect it least.
 * Source: functools.lru_cache in Python before it was in C, a dict and a ring of links (CPython 3.3);
 * caches in long-running servers are where the weak generational hypothesis fails (Jones, Hosking, Moss, chapter 9).
 * Not claimed: the pattern of requests: exactly `hits` per cent of them ask again for one of the newer half. size = requests per
 * unit, capacity = entries, bytes = of a value. The cache is made and filled anew, outside the clock, before each unit.
 */
#include "../random.h"
#include "dict.h"

enum { LRU_SIZE, LRU_CAPACITY, LRU_HITS, LRU_BYTES };
enum { LRU_ENTRIES, LRU_ROOT, LRU_KEY, LRU_ENTRY, LRU_OTHER, LRU_LOCALS };
enum { LRU_FIRST_KEY = 1000 };              /* above the shared integers: each key is an object */
enum { LRU_REQUESTS };                      /* stream of random numbers */

typedef struct entry { object header; field newer, older, key, value; } entry;

typedef struct lru_state { local *frame; uint64_t keys; uint64_t hits; } lru_state;     /* keys: made since arrange */

static entry *as_entry(object *o) { return (entry *)o; }

static void entry_visit(object *self, field_visitor *visit, void *context) { fields_visit(&as_entry(self)->newer, 4, visit, context); }
static const object_type entry_type = {.name = "cache entry", .bytes = sizeof(entry), .tracked = true, .visit = entry_visit};

/* --- the ring --------------------------------------------------------------------------------------------- */

/* The entry's neighbours refer to each other; it still refers to them. */
static void lru_unlink(mutator *m, local *frame, object *o) {
    field_load(m, &frame[LRU_OTHER], o, &as_entry(o)->newer);
    object *newer = frame[LRU_OTHER].target;
    field_store(m, newer, &as_entry(newer)->older, field_peek(&as_entry(o)->older));
    object *older = field_peek(&as_entry(o)->older);
    field_store(m, older, &as_entry(older)->newer, newer);
    local_set(m, &frame[LRU_OTHER], NULL);
}

static void lru_link_newest(mutator *m, local *frame) {
    object *root = frame[LRU_ROOT].target, *o = frame[LRU_ENTRY].target, *second = field_peek(&as_entry(root)->older);
    field_store(m, o, &as_entry(o)->newer, root);
    field_store(m, o, &as_entry(o)->older, second);
    field_store(m, second, &as_entry(second)->newer, o);
    field_store(m, root, &as_entry(root)->older, o);
}

/* --- requests --------------------------------------------------------------------------------------------- */

static bool lru_key(workload_run *run, uint64_t number) {
    local *key = &((lru_state *)run->state)->frame[LRU_KEY];
    return integer_new(run->mutator, key, (int64_t)(LRU_FIRST_KEY + number));
}

static void lru_forget_oldest(mutator *m, local *frame) {
    object *root = frame[LRU_ROOT].target;
    field_load(m, &frame[LRU_ENTRY], root, &as_entry(root)->newer);
    lru_unlink(m, frame, frame[LRU_ENTRY].target);
    dict_remove(m, frame[LRU_ENTRIES].target, field_peek(&as_entry(frame[LRU_ENTRY].target)->key));
}

/* The key in LRU_KEY is new: an entry for it, in place of the oldest where the cache is full. */
static bool lru_miss(workload_run *run, local *frame) {
    mutator *m = run->mutator;
    if (dict_used(frame[LRU_ENTRIES].target) == (size_t)run->parameters[LRU_CAPACITY]) lru_forget_oldest(m, frame);
    if (!array_new(m, &frame[LRU_OTHER], (size_t)run->parameters[LRU_BYTES] / sizeof(double)) ||
        !object_new(m, &frame[LRU_ENTRY], &entry_type, 0))
        return false;
    object *o = frame[LRU_ENTRY].target;
    array_items(frame[LRU_OTHER].target)[0] = (double)integer_value(frame[LRU_KEY].target);
    field_store(m, o, &as_entry(o)->key, frame[LRU_KEY].target);
    field_move(m, o, &as_entry(o)->value, &frame[LRU_OTHER]);
    lru_link_newest(m, frame);
    return dict_set(m, &frame[LRU_ENTRIES], frame[LRU_KEY].target, frame[LRU_ENTRY].target);
}

static bool lru_request(workload_run *run, local *frame) {
    mutator *m = run->mutator;
    bool found = dict_get(m, &frame[LRU_ENTRY], frame[LRU_ENTRIES].target, frame[LRU_KEY].target);
    if (found) {
        ((lru_state *)run->state)->hits++;
        lru_unlink(m, frame, frame[LRU_ENTRY].target);
        lru_link_newest(m, frame);
    } else if (!lru_miss(run, frame)) {
        return false;
    }
    run->checksum = run->checksum * 31 + (uint64_t)array_items(field_peek(&as_entry(frame[LRU_ENTRY].target)->value))[0];
    return true;
}

/* Of any n requests in a row n * hits / 100 hit, rounded down or up. */
static bool lru_should_hit(const workload_run *run, int64_t request) {
    int64_t hits = run->parameters[LRU_HITS];
    return (request + 1) * hits / 100 != request * hits / 100;
}

/* One of the newer half of the capacity: less than a capacity of others was used since it was made. */
static bool lru_old_key(workload_run *run, random_generator *g) {
    lru_state *state = run->state;
    uint64_t half = ((uint64_t)run->parameters[LRU_CAPACITY] + 1) / 2;
    return lru_key(run, state->keys - 1 - random_below(g, half));
}
static bool lru_new_key(workload_run *run) { return lru_key(run, ((lru_state *)run->state)->keys++); }

/* --- the workload ------------------------------------------------------------------------------------------ */

static bool lru_prepare(workload_run *run) {
    lru_state *state = run->state = workload_map(sizeof *state);
    if (state != NULL) state->frame = frame_open(run->mutator, LRU_LOCALS);
    return state != NULL;
}

static bool lru_arrange(workload_run *run) {
    mutator *m = run->mutator;
    lru_state *state = run->state;
    local *frame = state->frame;
    state->keys = 0;
    bool made = object_new(m, &frame[LRU_ROOT], &entry_type, 0) && dict_new(m, &frame[LRU_ENTRIES]);
    if (!made) return false;
    object *root = frame[LRU_ROOT].target;
    field_store(m, root, &as_entry(root)->newer, root);
    field_store(m, root, &as_entry(root)->older, root);
    for (int64_t i = 0; made && i < run->parameters[LRU_CAPACITY]; i++)
        made = lru_new_key(run) && lru_miss(run, frame);
    return made;
}

static bool lru_unit(workload_run *run) {
    lru_state *state = run->state;
    random_generator g;
    random_start(&g, run->seed, LRU_REQUESTS);
    state->hits = 0;
    for (int64_t i = 0; i < run->parameters[LRU_SIZE]; i++) {
        mutator_poll(run->mutator);
        if (!(lru_should_hit(run, i) ? lru_old_key(run, &g) : lru_new_key(run)) || !lru_request(run, state->frame)) return false;
    }
    run->checksum = run->checksum * 31 + state->hits;
    run->moment(run, "requested");
    return true;
}

static void lru_finish(workload_run *run) {
    lru_state *state = run->state;
    if (state == NULL) return;
    frame_close(run->mutator, state->frame);
    workload_unmap(state, sizeof *state);
    run->state = NULL;
}

static unsigned lru_needs(const workload_run *run) {
    return COLLECTOR_FREES_CYCLES | (run->threads > 1 ? COLLECTOR_THREADS : 0);
}

/* Tables that the dict fills again and again, now and then making room, while keys come and go. */
static dict_room lru_room(const workload_run *run, uint64_t misses) {
    dict_room room = {0}, full;
    for (int64_t i = 0; i < run->parameters[LRU_CAPACITY]; i++)
        dict_room_add(&room);
    full = room;
    for (uint64_t i = 0; i < misses; i++) {
        dict_room_remove(&room);
        dict_room_add(&room);
    }
    room.rebuilds -= full.rebuilds, room.allocations -= full.allocations, room.bytes -= full.bytes;
    return room;
}

/* References of a hit: the entry, 3 to unlink, 4 to link. Of a miss: 4 to forget the oldest, the value, the key, 4 to
 * link, 2 in the dict, and 2 more while that is rebuilt. */
static workload_operations lru_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[LRU_SIZE], hits = size * (uint64_t)run->parameters[LRU_HITS] / 100, misses = size - hits;
    uint64_t value_bytes = (uint64_t)run->parameters[LRU_BYTES] / sizeof(double) * sizeof(double);
    dict_room room = lru_room(run, misses);
    return (workload_operations){
        .operations = size,
        .allocations = size + 3 * misses + room.allocations,
        .bytes = size * sizeof(int64_t) + misses * (sizeof(entry) + sizeof(array) - 2 * sizeof(object) + value_bytes) + room.bytes,
        .references = 8 * hits + 12 * misses + 2 * room.rebuilds,
    };
}

const workload lru_workload = {
    .name = "lru", .idea = "a cache of a dict and a ring that forgets the least recently used",
    .operation = "request", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "requests per unit", .value = 30000, .minimum = 1, .maximum = 100000000},
                   {.name = "capacity", .meaning = "entries", .value = 5000, .minimum = 2, .maximum = 50000000},
                   {.name = "hits", .meaning = "per cent of requests that hit", .value = 70, .minimum = 0, .maximum = 100},
                   {.name = "bytes", .meaning = "of a value", .value = 64, .minimum = 8, .maximum = 100000000}},
    .needs = lru_needs, .declare = lru_declare,
    .prepare = lru_prepare, .arrange = lru_arrange, .unit = lru_unit, .finish = lru_finish,
};
