/* SPDX-License-Identifier: MIT
 * atomic.h - every change of a count is one locked instruction.
 *
 * Promises: no update is lost. Costs: about twenty times a plain add where nobody else is there (the lock
 * orders all memory around it), and a cache line that travels where somebody is.
 * The last drop acquires what earlier drops released, so that death sees all that was written before.
 * Source: the obvious one; Boehm, "Threads cannot be implemented as a library", on why nothing less will do.
 */
#ifndef REFARENA_COUNTS_ATOMIC_H
#define REFARENA_COUNTS_ATOMIC_H

#include "header.h"

enum { COUNT_IS_SHARED = 1 };

static inline void count_birth(object *o) { __atomic_store_n(&o->references, 1, __ATOMIC_RELAXED); }
static inline void count_take(object *o)  { __atomic_fetch_add(&o->references, 1, __ATOMIC_RELAXED); }
static inline bool count_drop(object *o)  { return __atomic_sub_fetch(&o->references, 1, __ATOMIC_ACQ_REL) == 0; }

static inline bool count_try_take(object *o) {
    uint32_t seen = __atomic_load_n(&o->references, __ATOMIC_RELAXED);
    while (seen != 0)
        if (__atomic_compare_exchange_n(&o->references, &seen, seen + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    return false;
}

static inline size_t count_read(const object *o) { return __atomic_load_n(&o->references, __ATOMIC_RELAXED); }

#endif
