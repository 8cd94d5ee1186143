/* SPDX-License-Identifier: MIT
 * locked_object.h - every change of a count takes a lock in the object's header.
 *
 * Promises: no update is lost, whatever the number of threads. Says nothing of fields: loads/ does.
 * Costs: an atomic exchange and a store around every add; waiting, where threads meet on one object.
 * The lock is a leaf, so a -> b in one thread and b -> a in another cannot deadlock.
 */
#ifndef REFARENA_COUNTS_LOCKED_OBJECT_H
#define REFARENA_COUNTS_LOCKED_OBJECT_H

#define COUNT_IMMORTALIZES 1            /* under the lock, below */

#include "../spin.h"
#include "header.h"

enum { COUNT_IS_SHARED = 1 };

static inline void count_birth(object *o) { o->references = 1; }

static inline void count_take(object *o) {
    spin_lock(&o->count_lock);
    count_step(o, 1);
    spin_unlock(&o->count_lock);
}

static inline bool count_drop(object *o) {
    spin_lock(&o->count_lock);
    bool last = count_step(o, -1) == 0;
    spin_unlock(&o->count_lock);
    return last;
}

static inline bool count_try_take(object *o) {
    spin_lock(&o->count_lock);
    bool alive = o->references != 0;
    if (alive) count_step(o, 1);
    spin_unlock(&o->count_lock);
    return alive;
}

static inline size_t count_read(const object *o) { return o->references; }

/* Under the lock: a step on its way would write what it read before. */
static inline void count_immortalize(object *o) {
    spin_lock(&o->count_lock);
    header_immortalize(o);
    spin_unlock(&o->count_lock);
}

#endif
