/* SPDX-License-Identifier: MIT
 * string.c - births, hashes and interning of strings.
 *
 * The interning table has open addresses: a string lies at the first free slot from its hash on. (I1) At least a
 * third of the slots is free. (I2) From the slot of its hash to where a string lies, no slot is free.
 */
#include "string.h"

enum { INTERNED_FEWEST_SLOTS = 8 };

static const object_type string_type = {.name = "str", .bytes = sizeof(string), .extra_unit_bytes = 1,
                                        .visit = object_visit_nothing};

bool string_new(mutator *m, local *l, const char *text, size_t length) {
    if (!object_new(m, l, &string_type, length + 1)) return false;
    if (text != NULL) memcpy(string_text(l->target), text, length);
    atomic_store_explicit(&((string *)l->target)->hash, -1, memory_order_relaxed);
    return true;
}

/* --- the hash ----------------------------------------------------------------------------------------- */

static uint64_t siphash_turn(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static void siphash_round(uint64_t v[4]) {
    v[0] += v[1], v[1] = siphash_turn(v[1], 13) ^ v[0], v[0] = siphash_turn(v[0], 32);
    v[2] += v[3], v[3] = siphash_turn(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = siphash_turn(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = siphash_turn(v[1], 17) ^ v[2], v[2] = siphash_turn(v[2], 32);
}

/* One round a word, three at the end; the key is 0. Words are little-endian, as on all machines this runs on. */
static uint64_t siphash(const char *text, size_t length) {
    uint64_t v[4] = {UINT64_C(0x736f6d6570736575), UINT64_C(0x646f72616e646f6d), UINT64_C(0x6c7967656e657261),
                     UINT64_C(0x7465646279746573)}, word;
    size_t whole = length / sizeof word * sizeof word;
    for (size_t at = 0; at <= whole; at += sizeof word) {
        if (at < whole) {
            memcpy(&word, text + at, sizeof word);
        } else {                                        /* the rest, and the length in the highest byte */
            word = 0;
            memcpy(&word, text + at, length - whole);
            word |= (uint64_t)length << 56;
        }
        v[3] ^= word;
        siphash_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        siphash_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int64_t string_hash_text(const char *text, size_t length) {
    if (length == 0) return 0;
    int64_t hash = (int64_t)siphash(text, length);
    return hash == -1 ? -2 : hash;
}

int64_t string_hash(object *o) {
    string *self = (string *)o;
    int64_t hash = atomic_load_explicit(&self->hash, memory_order_relaxed);
    if (hash != -1) return hash;
    hash = string_hash_text(string_text(o), string_length(o));
    atomic_store_explicit(&self->hash, hash, memory_order_relaxed);
    return hash;
}

bool string_equal(const object *a, const object *b) {
    return a == b || (string_length(a) == string_length(b) && memcmp(string_text(a), string_text(b), string_length(a)) == 0);
}

/* --- interning ---------------------------------------------------------------------------------------- */

typedef struct interned { object header; field slots; size_t used; } interned;     /* slots: a tuple, a power of two long */

static interned *as_interned(const object *o) { return (interned *)o; }

static void interned_visit(object *self, field_visitor *visit, void *context) { visit(&as_interned(self)->slots, context); }
static const object_type interned_type = {.name = "interning table", .bytes = sizeof(interned), .tracked = true,
                                          .visit = interned_visit};

bool interned_new(mutator *m, local *l) {
    local *frame = frame_open(m, 2);
    bool made = object_new(m, &frame[0], &interned_type, 0) && tuple_new(m, &frame[1], INTERNED_FEWEST_SLOTS);
    if (made) {
        field_store(m, frame[0].target, &as_interned(frame[0].target)->slots, frame[1].target);
        local_set(m, l, frame[0].target);
    }
    frame_close(m, frame);
    return made;
}

size_t interned_count(const object *table) { return as_interned(table)->used; }

/* Where a string with the text of `wanted` lies, or the free slot where it would. */
static field *interned_slot(object *slots, object *wanted) {
    size_t mask = object_extra(slots) - 1;
    for (size_t i = (size_t)string_hash(wanted) & mask;; i = (i + 1) & mask) {
        field *slot = &tuple_items(slots)[i];
        object *found = field_peek(slot);
        if (found == NULL || string_equal(found, wanted)) return slot;
    }
}

static bool interned_is_full(uint64_t used, uint64_t slots) { return 3 * (used + 1) > 2 * slots; }

static uint64_t interned_slots_bytes(uint64_t slots) { return sizeof(sized_object) - sizeof(object) + slots * sizeof(field); }

interned_cost interned_costs(uint64_t texts) {
    uint64_t slots = INTERNED_FEWEST_SLOTS;
    interned_cost cost = {.objects = 2, .references = 2,                        /* of interned_new */
                          .bytes = sizeof(interned) - sizeof(object) + interned_slots_bytes(slots)};
    for (uint64_t used = 0; used < texts; used++)
        if (interned_is_full(used, slots)) {
            slots *= 2;
            cost.objects++;
            cost.bytes += interned_slots_bytes(slots);
            cost.references += used + 1;
        }
    return cost;
}

static object *interned_slots(const local *table) { return field_peek(&as_interned(table->target)->slots); }

static bool interned_double(mutator *m, local *table) {
    local *larger = frame_open(m, 1);
    size_t slots = object_extra(interned_slots(table));
    bool made = tuple_new(m, larger, 2 * slots);
    for (size_t i = 0; made && i < slots; i++) {
        object *name = field_peek(&tuple_items(interned_slots(table))[i]);
        if (name != NULL) field_store(m, larger->target, interned_slot(larger->target, name), name);
    }
    if (made) field_store(m, table->target, &as_interned(table->target)->slots, larger->target);
    frame_close(m, larger);
    return made;
}

bool string_intern(mutator *m, local *table, local *l) {
    field *slot = interned_slot(interned_slots(table), l->target);
    if (field_peek(slot) != NULL) {
        field_load(m, l, interned_slots(table), slot);
        return true;
    }
    if (interned_is_full(interned_count(table->target), object_extra(interned_slots(table)))) {
        if (!interned_double(m, table)) return false;
        slot = interned_slot(interned_slots(table), l->target);
    }
    ((string *)l->target)->interned = 1;
    as_interned(table->target)->used++;
    field_store(m, interned_slots(table), slot, l->target);
    return true;
}
