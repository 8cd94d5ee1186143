/* SPDX-License-Identifier: MIT
 * locked_global.h - every change of any count takes the one lock of all counts.
 *
 * Promises: no update is lost. Costs: a mutex taken and given back around every add (about 20 ns where
 * nobody waits), and every thread waits for every other: the naive way to lose the GIL.
 */
#ifndef REFARENA_COUNTS_LOCKED_GLOBAL_H
#define REFARENA_COUNTS_LOCKED_GLOBAL_H

#define COUNT_IMMORTALIZES 1            /* under the lock, below */

#include <pthread.h>

#include "header.h"

enum { COUNT_IS_SHARED = 1 };

extern pthread_mutex_t locked_global_mutex;

static inline void count_birth(object *o) { o->references = 1; }

static inline void count_take(object *o) {
    pthread_mutex_lock(&locked_global_mutex);
    count_step(o, 1);
    pthread_mutex_unlock(&locked_global_mutex);
}

static inline bool count_drop(object *o) {
    pthread_mutex_lock(&locked_global_mutex);
    bool last = count_step(o, -1) == 0;
    pthread_mutex_unlock(&locked_global_mutex);
    return last;
}

static inline bool count_try_take(object *o) {
    pthread_mutex_lock(&locked_global_mutex);
    bool alive = o->references != 0;
    if (alive) count_step(o, 1);
    pthread_mutex_unlock(&locked_global_mutex);
    return alive;
}

static inline size_t count_read(const object *o) { return o->references; }

/* Under the lock: a step on its way would write what it read before. */
static inline void count_immortalize(object *o) {
    pthread_mutex_lock(&locked_global_mutex);
    header_immortalize(o);
    pthread_mutex_unlock(&locked_global_mutex);
}

#endif
