/* SPDX-License-Identifier: MIT
 * dict.c - looking up, inserting, removing, rebuilding.
 *
 * (I1) used == entries whose key is not NULL; filled <= usable(slots).
 * (I2) Exactly one slot leads to each entry whose key is not NULL, and none to another.
 */
#include "dict.h"

#include "string.h"

enum { DICT_LEAST_LOG2 = 3, DICT_MOST_LOG2 = 31, DICT_PERTURB_BITS = 5 };
enum { DICT_EMPTY = -1, DICT_REMOVED = -2 };

static dict *as_dict(object *o) { return (dict *)o; }

static size_t dict_usable(unsigned log2_slots) { return ((size_t)2 << log2_slots) / 3; }
static size_t dict_index_bytes(unsigned log2_slots) { return log2_slots < 8 ? 1 : log2_slots < 16 ? 2 : 4; }
static size_t dict_table_words(unsigned log2_slots) {
    return dict_usable(log2_slots) * (sizeof(dict_entry) / sizeof(field)) +
           (dict_index_bytes(log2_slots) << log2_slots) / sizeof(field);
}

static void dict_visit(object *self, field_visitor *visit, void *context) {
    dict_entry *entries = dict_entries(self);
    for (size_t i = 0; i < as_dict(self)->filled; i++) {
        visit(&entries[i].key, context);
        visit(&entries[i].value, context);
    }
}
const object_type dict_type = {.name = "dict", .bytes = sizeof(dict), .tracked = true, .visit = dict_visit,
                               .array_offset = offsetof(dict, table), .array_unit_bytes = sizeof(field),
                               .free_list = 80};

/* --- keys ----------------------------------------------------------------------------------------------- */

static uint64_t dict_hash(object *key) {
    return (uint64_t)(key->type == &integer_type ? integer_value(key) : string_hash(key));
}
static bool dict_same(const object *a, const object *b) {
    if (a == b) return true;
    if (a->type != b->type) return false;
    return a->type == &integer_type ? integer_value(a) == integer_value(b) : string_equal(a, b);
}

/* --- slots ---------------------------------------------------------------------------------------------- */

static void *dict_slots(dict *d) { return dict_entries(&d->header) + dict_usable(d->log2_slots); }

static int64_t dict_slot_read(dict *d, size_t slot) {
    switch (dict_index_bytes(d->log2_slots)) {
    case 1:  return ((int8_t *)dict_slots(d))[slot];
    case 2:  return ((int16_t *)dict_slots(d))[slot];
    default: return ((int32_t *)dict_slots(d))[slot];
    }
}
static void dict_slot_write(dict *d, size_t slot, int64_t index) {
    switch (dict_index_bytes(d->log2_slots)) {
    case 1:  ((int8_t *)dict_slots(d))[slot] = (int8_t)index; break;
    case 2:  ((int16_t *)dict_slots(d))[slot] = (int16_t)index; break;
    default: ((int32_t *)dict_slots(d))[slot] = (int32_t)index; break;
    }
}

typedef struct dict_probe { size_t slot, mask; uint64_t perturb; } dict_probe;

static dict_probe dict_first(const dict *d, uint64_t hash) {
    size_t mask = ((size_t)1 << d->log2_slots) - 1;
    return (dict_probe){.slot = hash & mask, .mask = mask, .perturb = hash};
}
static void dict_next(dict_probe *p) {
    p->perturb >>= DICT_PERTURB_BITS;
    p->slot = (p->slot * 5 + p->perturb + 1) & p->mask;
}

/* The slot that leads to key's entry, and that entry; NULL: there is none. */
static dict_entry *dict_look_up(dict *d, object *key, uint64_t hash, size_t *slot) {
    if (d->log2_slots == 0) return NULL;
    for (dict_probe p = dict_first(d, hash);; dict_next(&p)) {
        int64_t index = dict_slot_read(d, p.slot);
        if (index == DICT_EMPTY) return NULL;
        if (index == DICT_REMOVED) continue;
        dict_entry *entry = &dict_entries(&d->header)[index];
        if (entry->hash != hash || !dict_same(field_peek(&entry->key), key)) continue;
        *slot = p.slot;
        return entry;
    }
}

static void dict_lead_to(dict *d, uint64_t hash, size_t index) {
    dict_probe p = dict_first(d, hash);
    while (dict_slot_read(d, p.slot) >= 0) dict_next(&p);
    dict_slot_write(d, p.slot, (int64_t)index);
}

/* --- growing -------------------------------------------------------------------------------------------- */

/* A reference that moves inside its object is still one reference of that object: no count changes. */
static void dict_move_entries_together(dict *d) {
    dict_entry *entries = dict_entries(&d->header);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->filled; i++) {
        if (field_peek(&entries[i].key) == NULL) continue;
        entries[kept].hash = entries[i].hash;
        field_poke(&entries[kept].key, field_peek(&entries[i].key));
        field_poke(&entries[kept++].value, field_peek(&entries[i].value));
    }
    d->filled = kept;
}

/* Of the rebuilt table of a dict that has so many keys in use. */
static unsigned dict_log2_for(size_t used, unsigned before) {
    unsigned log2_slots = before < DICT_LEAST_LOG2 ? DICT_LEAST_LOG2 : before;
    while ((size_t)1 << log2_slots < used * 3) log2_slots++;
    return log2_slots;
}

static bool dict_rebuild(mutator *m, local *l) {
    dict *d = as_dict(l->target);
    unsigned log2_slots = dict_log2_for(d->used, d->log2_slots);
    if (log2_slots > DICT_MOST_LOG2) return false;
    if (log2_slots > d->log2_slots && !object_resize(m, l, dict_table_words(log2_slots))) return false;
    d = as_dict(l->target);
    d->log2_slots = log2_slots;
    dict_move_entries_together(d);
    memset(dict_slots(d), DICT_EMPTY, dict_index_bytes(log2_slots) << log2_slots);
    for (uint32_t i = 0; i < d->filled; i++)
        dict_lead_to(d, dict_entries(&d->header)[i].hash, i);
    return true;
}

static bool dict_is_full(size_t filled, unsigned log2_slots) { return log2_slots == 0 || filled == dict_usable(log2_slots); }

void dict_room_add(dict_room *room) {
    if (dict_is_full(room->filled, room->log2_slots)) {
        unsigned log2_slots = dict_log2_for(room->used, room->log2_slots);
        room->rebuilds++;
        if (log2_slots > room->log2_slots) {
            room->allocations++;
            room->bytes += dict_table_words(log2_slots) * sizeof(field);
        }
        room->log2_slots = log2_slots;
        room->filled = room->used;
    }
    room->used++;
    room->filled++;
}

void dict_growth(size_t keys, uint64_t *allocations, uint64_t *bytes) {
    dict_room room = {0};
    while (room.used < keys) dict_room_add(&room);
    *allocations = room.allocations;
    *bytes = room.bytes;
}

/* --- what programs call ----------------------------------------------------------------------------------- */

bool dict_new(mutator *m, local *l) { return object_new(m, l, &dict_type, 0); }

static void dict_add(mutator *m, dict *d, uint64_t hash, object *key, object *value) {
    dict_entry *entry = &dict_entries(&d->header)[d->filled];
    dict_lead_to(d, hash, d->filled);
    entry->hash = hash;
    field_poke(&entry->key, NULL);
    field_poke(&entry->value, NULL);
    d->filled++;
    d->used++;
    field_store(m, &d->header, &entry->key, key);
    field_store(m, &d->header, &entry->value, value);
}

static bool dict_add_after_rebuilding(mutator *m, local *l, uint64_t hash, object *key, object *value) {
    enum { KEY, VALUE, LOCALS };
    local *frame = frame_open(m, LOCALS);
    local_set(m, &frame[KEY], key);                     /* to grow may run other code */
    local_set(m, &frame[VALUE], value);
    bool grown = dict_rebuild(m, l);
    if (grown) dict_add(m, as_dict(l->target), hash, frame[KEY].target, frame[VALUE].target);
    frame_close(m, frame);
    return grown;
}

bool dict_set(mutator *m, local *l, object *key, object *value) {
    size_t slot;
    dict *d = as_dict(l->target);
    uint64_t hash = dict_hash(key);
    dict_entry *entry = dict_look_up(d, key, hash, &slot);
    if (entry != NULL) field_store(m, &d->header, &entry->value, value);
    else if (dict_is_full(d->filled, d->log2_slots)) return dict_add_after_rebuilding(m, l, hash, key, value);
    else dict_add(m, d, hash, key, value);
    return true;
}

field *dict_find(object *d, object *key) {
    size_t slot;
    dict_entry *entry = dict_look_up(as_dict(d), key, dict_hash(key), &slot);
    return entry == NULL ? NULL : &entry->value;
}

bool dict_get(mutator *m, local *out, object *d, object *key) {
    field *found = dict_find(d, key);
    if (found != NULL) field_load(m, out, d, found);
    return found != NULL;
}

/* The key goes first: nothing runs when an integer or a string dies. The value may run anything. */
bool dict_remove(mutator *m, object *o, object *key) {
    size_t slot;
    dict *d = as_dict(o);
    dict_entry *entry = dict_look_up(d, key, dict_hash(key), &slot);
    if (entry == NULL) return false;
    dict_slot_write(d, slot, DICT_REMOVED);
    d->used--;
    field_store(m, o, &entry->key, NULL);
    field_store(m, o, &entry->value, NULL);
    return true;
}
