/* SPDX-License-Identifier: MIT
 * weak.h - weak references of the counting collectors.
 *
 *   target: | header | ... | weak_list |--> weak <-> weak <-> weak        newest first; a shared one
 *                                            |                            without callback, if any, is first
 *             ^------------- target ---------+
 *
 * A weak reference is an object itself, tracked as CPython's are; its target pointer is no field and no
 * count. When the target dies, all its weak references are made dead first; then the callbacks run,
 * newest first. A weak reference that is itself dead never calls back.
 *
 * With threads, the list of a target and the target pointers of its members change under a lock, one
 * of a fixed number of stripes chosen by the target's address.
 *
 * (I1) w->target == t != NULL  <=>  w is in the list of t.
 * (I2) the low bit of a list's head is set: the target is condemned; its death waits (refcounted.c).
 */
#ifndef REFARENA_WEAK_H
#define REFARENA_WEAK_H

#include "collector.h"

struct weak {
    object           header;
    _Atomic(object *) target;           /* NULL: dead */
    weak             *next, *previous;  /* in the target's list; next also links callbacks waiting to run */
    weak_callback    *callback;         /* NULL: none */
    void             *context;
};

extern const object_type weak_type;

/* The target dies: kill its weak references, run their callbacks. */
void weak_clear(mutator *m, object *target);

/* The same in two steps, for the cyclic collector. weak_kill kills the references and returns those whose
 * callback should run, linked by next, each held by one reference; `keep` says which of them count. */
weak *weak_kill(object *target, bool (*keep)(const object *weak));
void  weak_call_back(mutator *m, weak *first);

/* The same without callbacks. */
void weak_clear_silently(object *target);

/* The weak reference itself dies, or is trash: it leaves its target's list. */
void weak_forget(object *w);

/* The target's count is zero and its memory about to be used otherwise: nobody may revive it now. */
void weak_condemn(object *target);

/* Its turn to die has come, and its memory is its own again. */
void weak_pardon(object *target);

#endif
