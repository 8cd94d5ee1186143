/* SPDX-License-Identifier: MIT
 * parked_object.h - a lock in every header, as locked_object, but waiters sleep until they are woken.
 *
 *   lock byte: 0 free, 1 held, 2 held and somebody may be parked
 *
 * One byte can hold no queue: waiters park in a table hashed by the byte's address (park.c). An unlock of
 * a byte that is 2 wakes those of its bucket, which try again.
 *
 * Promises: as locked_object. Costs: a compare-and-swap to lock and an exchange to unlock, twice the price
 * of locked_object where nobody waits; no burnt cycles where somebody does.
 * Source: WebKit's WTF::ParkingLot (Pizlo 2016), of which CPython 3.13's PyMutex is a likeness; Linux futexes.
 */
#ifndef REFARENA_COUNTS_PARKED_OBJECT_H
#define REFARENA_COUNTS_PARKED_OBJECT_H

#define COUNT_IMMORTALIZES 1            /* under the lock, below */

#include "../park.h"
#include "header.h"

enum { COUNT_IS_SHARED = 1 };

static inline void count_birth(object *o) { o->references = 1; }

static inline void count_take(object *o) {
    park_lock(&o->count_lock);
    count_step(o, 1);
    park_unlock(&o->count_lock);
}

static inline bool count_drop(object *o) {
    park_lock(&o->count_lock);
    bool last = count_step(o, -1) == 0;
    park_unlock(&o->count_lock);
    return last;
}

static inline bool count_try_take(object *o) {
    park_lock(&o->count_lock);
    bool alive = o->references != 0;
    if (alive) count_step(o, 1);
    park_unlock(&o->count_lock);
    return alive;
}

static inline size_t count_read(const object *o) { return o->references; }

/* Under the lock: a step on its way would write what it read before. */
static inline void count_immortalize(object *o) {
    park_lock(&o->count_lock);
    header_immortalize(o);
    park_unlock(&o->count_lock);
}

#endif
