/* SPDX-License-Identifier: MIT
 * object.h - what an object is, for every collector: types, fields, locals, abilities.
 *
 * A reference is stored in a *local* (a slot of a frame) or in a *field* (inside an object), nowhere
 * else. A pointer read from either is borrowed until the next call of the contract, of any kind: with
 * that discipline the same program runs on counting, tracing and moving collectors.
 */
#ifndef REFARENA_OBJECT_H
#define REFARENA_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct object  object;      /* the header, first member of every object; the collector's own */
typedef struct mutator mutator;     /* one thread of the program under test, and its locals */

typedef struct local { object *target; } local;

/* Relaxed atomic: the plain machine instruction, and defined behaviour where threads race for it. */
typedef struct field { _Atomic(object *) target; } field;

static inline object *field_peek(const field *f) {      /* borrowed; no count changes */
    return atomic_load_explicit(&f->target, memory_order_relaxed);
}
static inline void field_poke(field *f, object *value) {
    atomic_store_explicit(&f->target, value, memory_order_relaxed);
}

typedef struct weak_list { struct weak *first; } weak_list;     /* head of the weak references to an object */

typedef struct owned_array {        /* bytes or references owned by one object, grown by object_resize */
    size_t count;                   /* units */
    void  *items;                   /* field[count], or count bytes that are never scanned; NULL when empty */
} owned_array;

typedef void field_visitor(field *visited, void *context);

typedef struct object_type {
    const char *name;
    size_t      bytes;              /* sizeof the struct, header included */
    bool        tracked;            /* can be part of a cycle: the cyclic collectors look at it */
    size_t      extra_unit_bytes;   /* objects end in `extra` units of this size (0: none); the struct then
                                       begins with a sized_object, and units of sizeof(field) are references */
    size_t      weak_list_offset;   /* of a weak_list in the struct; 0: cannot be weakly referenced */
    size_t      array_offset;       /* of an owned_array in the struct; 0: has none */
    size_t      array_unit_bytes;   /* sizeof(field): references; 1: bytes */

    /* What only CPython's collector asks (generational.h): when a survivor leaves the lists because nothing in
     * it can be part of a cycle; a finalizer that a collection must not call; how many dead ones are kept
     * for births to come, of each number of extra units. */
    enum { OBJECT_STAYS_TRACKED, OBJECT_UNTRACKED_EARLY, OBJECT_UNTRACKED_BY_FULL } untracking;
    bool        legacy_finalizer;
    size_t      free_list;

    /* Calls visit with the address of every field, each exactly once: members, inline extras, array items. */
    void      (*visit)(object *self, field_visitor *visit, void *context);

    /* Runs once before the object dies; may store references to it and so keep it. NULL: nothing to do. */
    void      (*finalize)(mutator *m, object *self);
} object_type;

void object_visit_nothing(object *self, field_visitor *visit, void *context);

/* What a collector can do; a workload says what it needs, and a configuration that asks for more is
 * reported as unsupported. */
enum {
    COLLECTOR_FREES             = 1 << 0,   /* acyclic garbage comes back */
    COLLECTOR_FREES_CYCLES      = 1 << 1,
    COLLECTOR_WEAK_REFERENCES   = 1 << 2,
    COLLECTOR_FINALIZERS        = 1 << 3,
    COLLECTOR_EXACT_COUNTS      = 1 << 4,   /* an unreachable acyclic object dies at once */
    COLLECTOR_THREADS           = 1 << 5,   /* several mutators, one or more running at a time */
    COLLECTOR_PARALLEL          = 1 << 6,   /* several mutators running, and allocating, at the same time */
    COLLECTOR_CONSERVATIVE      = 1 << 7,   /* a warning: numbers may pass for references, so that what a
                                               collection finds is not exact, nor counted */
    COLLECTOR_READS_COUNTS      = 1 << 8,   /* an object's count can be read */
    COLLECTOR_IMMORTALIZES      = 1 << 9,   /* the count of an immortal object is never written */
    COLLECTOR_FREEZES           = 1 << 10,  /* what lives can be put out of the collector's sight */
};

#endif
