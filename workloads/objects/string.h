/* SPDX-License-Identifier: MIT
 * string.h - str, shaped as CPython 3.11's compact ASCII string, and a table that interns.
 *
 *   | header 16: count, type | length + 1 8 | hash 8 | state 8 | unused 8 | n characters | 0 |      49 + n bytes
 *
 * One object, no buffer beside it. The hash is computed when it is first asked for, and kept. In an interning
 * table each text exists once, so that equal names are one object and comparing them is comparing addresses.
 *
 * Source: CPython 3.11, PyASCIIObject (sys.getsizeof('') is 49; the unused word is its wstr, gone in 3.12), and its
 * hash, SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012), with the key that
 * PYTHONHASHSEED=0 gives: the numbers are Python's.
 */
#ifndef REFARENA_STRING_H
#define REFARENA_STRING_H

#include "values.h"

typedef struct string {
    sized_object    base;           /* extra: the length and the 0 behind */
    _Atomic int64_t hash;           /* -1: not asked for yet */
    uint32_t        interned;       /* 1: it is the one of its text in a table */
    uint32_t        unused;         /* CPython: kind and compactness, which never vary here */
    void           *unused_wide;
} string;

/* l = a string of `length` bytes copied from `text`; NULL: zero bytes, to be written before anybody else sees it.
 * False: heap full, l unchanged. */
bool string_new(mutator *m, local *l, const char *text, size_t length);

static inline char  *string_text(const object *o) { return object_extra_units((object *)o); }     /* ends in 0 */
static inline size_t string_length(const object *o) { return object_extra(o) - 1; }
static inline bool   string_is_interned(const object *o) { return ((const string *)o)->interned; }
static inline bool   string_is_hashed(const object *o) {
    return atomic_load_explicit(&((string *)o)->hash, memory_order_relaxed) != -1;
}

/* Never -1. Any thread may ask: all would write the same. */
int64_t string_hash(object *o);

/* The hash of `length` bytes, as string_hash gives it. */
int64_t string_hash_text(const char *text, size_t length);

/* Whether they have the same characters. */
bool string_equal(const object *a, const object *b);

/* l = an empty interning table. One thread at a time adds to it; any may read what it holds. False: heap full. */
bool interned_new(mutator *m, local *l);

/* l = the string with the same text in the table, where that in l goes if there was none. The table keeps it alive,
 * as CPython does from 3.12 on. References taken: one, and when the table doubles one more, and one for each string
 * that it holds. False: heap full, nothing changed. */
bool string_intern(mutator *m, local *table, local *l);

size_t interned_count(const object *table);

/* What a new table of so many texts has cost, all of them added: itself and its tuples of slots, their bytes without
 * headers, and references taken beyond the one that every look-up takes. */
typedef struct interned_cost { uint64_t objects, bytes, references; } interned_cost;
interned_cost interned_costs(uint64_t texts);

#endif
