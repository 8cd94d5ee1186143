/* SPDX-License-Identifier: MIT
 * collector.h - references in, reachability out: the contract a workload is written against.
 *
 * Compiled once for every row of collectors.def: COLLECTOR_HEADER (from the row) defines the functions
 * below, inlined where a count is one instruction. A workload includes this file and nothing else of
 * the collectors.
 *
 *   local *frame_open(mutator *, size_t locals)         n locals, all NULL, until frame_close
 *   void   frame_close(mutator *, local *frame)         frames close in the reverse order of opening
 *   bool   object_new(mutator *, local *, type, extra)  local = a new object, fields NULL, bytes zero;
 *                                                       may collect. False: heap full, local unchanged
 *   bool   object_resize(mutator *, local *, count)     grow or shrink the array that the object owns; no
 *                                                       other thread may use it. False: unchanged
 *   void   local_set(mutator *, local *, value)         local = value
 *   void   field_load(mutator *, local *, holder, field *)    local = holder.field
 *   void   field_store(mutator *, holder, field *, value)     holder.field = value: the write barrier
 *   void   field_move(mutator *, holder, field *, local *)    holder.field = local, and the local is NULL: the
 *                                                       reference moves, none is taken
 *   bool   weak_new(mutator *, local *, target, callback, context)   local = weak reference to target
 *   void   weak_get(mutator *, local *, weak)           local = its target, or NULL when that has died
 *   void   object_immortalize(object)                   a hint: it is never to die (PEP 683); by the thread that made it
 *   size_t object_references(object)                    its count, where there is one, else 0; no other thread runs
 *   void   object_take_and_drop(mutator *, object)      a reference that no slot ever holds, to price the count alone;
 *                                                       nothing where there is no count
 *   void   mutator_poll(mutator *)                      the eval breaker: at back-edges and calls
 *   void   mutator_detach(mutator *), mutator_attach(mutator *)    around sleep, I/O and joins
 *   size_t collector_collect(mutator *, generation)     objects found unreachable
 *   void   collector_check(void)                        walk the heap, abort at a broken invariant
 *
 * `set`, `load` and `store` take the new value, write the slot, and drop the old value as their last
 * act: finalizers may run there. Every call ends in a compiler barrier, as the steps of an interpreter
 * are apart: without it gcc folds a take and the drop after it into nothing.
 */
#ifndef REFARENA_COLLECTOR_H
#define REFARENA_COLLECTOR_H

#include <assert.h>
#include <string.h>

#include "linked.h"
#include "object.h"

#define SLOW __attribute__((noinline, cold))
#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

static inline void collector_step(void) { __asm__ volatile("" ::: "memory"); }

/* Called once when the target has died, with the weak reference, which is dead already. */
typedef void weak_callback(mutator *m, object *weak, void *context);

#include COLLECTOR_HEADER

#ifndef COLLECTOR_HAS_IMMORTALS
static inline void object_immortalize(object *o) { (void)o; }
#endif

#ifndef COLLECTOR_HAS_COUNTS
static inline size_t object_references(const object *o) { (void)o; return 0; }
static inline void   object_take_and_drop(mutator *m, object *o) { (void)m, (void)o; }
#endif

/* An object whose type has extra_unit_bytes begins with this. */
typedef struct sized_object { object header; size_t extra; } sized_object;

static inline size_t object_extra(const object *o) {
    return o->type->extra_unit_bytes ? ((const sized_object *)o)->extra : 0;
}
static inline void *object_extra_units(object *o) { return (char *)o + o->type->bytes; }
static inline size_t object_bytes(const object *o) {        /* header to end, without the owned array */
    return o->type->bytes + object_extra(o) * o->type->extra_unit_bytes;
}
static inline owned_array *object_array(object *o) {
    assert(o->type->array_offset != 0);
    return (owned_array *)((char *)o + o->type->array_offset);
}
static inline size_t object_array_bytes(object *o) {
    return o->type->array_offset ? object_array(o)->count * o->type->array_unit_bytes : 0;
}
static inline size_t object_payload_bytes(object *o) {      /* without its header, with its array */
    return object_bytes(o) - sizeof(object) + object_array_bytes(o);
}

/* For visit functions: `count` fields in a row. */
static inline void fields_visit(field *first, size_t count, field_visitor *visit, void *context) {
    for (size_t i = 0; i < count; i++)
        visit(&first[i], context);
}

/* The module's names: an object that is always reachable, and its fields, for what threads share. */
enum { COLLECTOR_GLOBALS = 16 };
object *collector_globals(void);
field  *collector_global(unsigned name);

#endif
