/* SPDX-License-Identifier: MIT
 * dict.h - dict, shaped as CPython's: entries in the order of insertion, and a table of indices into them.
 *
 *   table   | hash key value | hash key value | ...  usable entries | index index index ...  2^k slots |
 *
 *   slot = hash mod 2^k, then slot = 5 slot + 1 + (more bits of the hash), until a slot is empty or is it
 *
 * A slot is a number of 1, 2 or 4 bytes; two thirds of the slots may be used. A full table is rebuilt for three times
 * as many keys as are in use, so that it doubles, or, after many removals, stays as it is: entries move together and
 * no count changes. The first key makes 8 slots; an empty dict has none.
 *
 * Keys are integers and strings (string.h). One thread at a time changes a dict; any may read one that nobody changes.
 *
 * Source: R. Hettinger, "More compact dictionaries with faster iteration", python-dev, 2012; CPython 3.11 (its
 * dict never shrinks on removal, and may on a later insertion, which ours does not; a table of only strings leaves out
 * the hashes there, 16 bytes an entry, ours has the general form of 24).
 */
#ifndef REFARENA_DICT_H
#define REFARENA_DICT_H

#include "values.h"

typedef struct dict {
    object      header;
    size_t      used;               /* keys in it */
    uint32_t    filled;             /* entries written, those of removed keys included */
    uint32_t    log2_slots;         /* 0: no table yet */
    owned_array table;              /* in words; which of them are references, only the visit function knows */
} dict;

typedef struct dict_entry { uint64_t hash; field key, value; } dict_entry;      /* key NULL: removed */

extern const object_type dict_type;

/* l = an empty dict. False: heap full, l unchanged. */
bool dict_new(mutator *m, local *l);

/* The dict in l: [key] = value. Takes the value, and the key if it is new. False: heap full, dict unchanged. */
bool dict_set(mutator *m, local *l, object *key, object *value);

/* The field that holds the value of key, borrowed; NULL: no such key. */
field *dict_find(object *d, object *key);

/* out = the value of key; false: no such key, out unchanged. */
bool dict_get(mutator *m, local *out, object *d, object *key);

/* Forget key. False: there was none. */
bool dict_remove(mutator *m, object *d, object *key);

static inline size_t dict_used(const object *d) { return ((const dict *)d)->used; }

/* Entries 0 .. filled - 1 are in the order of insertion; the key of some may be NULL. */
static inline size_t dict_filled(const object *d) { return ((const dict *)d)->filled; }
static inline dict_entry *dict_entries(object *d) { return object_array(d)->items; }

/* The table of a dict without the dict: what keys that come and go ask of the allocator beside it. Each rebuild takes two
 * references more than the insertion that it makes room for. */
typedef struct dict_room { size_t used, filled; unsigned log2_slots; uint64_t rebuilds, allocations, bytes; } dict_room;

void dict_room_add(dict_room *room);
static inline void dict_room_remove(dict_room *room) { room->used--; }

/* The same, of `keys` new keys in an empty dict. */
void dict_growth(size_t keys, uint64_t *allocations, uint64_t *bytes);

#endif
