/* SPDX-License-Identifier: MIT
 * racy.h - plain counts under several threads: what goes wrong without a lock, seen from a safe distance.
 *
 * A load, an add, a store: two threads that interleave lose one of their updates. Relaxed atomics make
 * that the plain instructions, and no undefined behaviour. A lost drop leaks; a lost take lets an object
 * die that is still in use. So that the second can be counted instead of crashing, an object whose count
 * reaches zero is only *condemned*: its memory goes back when the collector closes, and whoever takes or
 * drops it afterwards is a premature death, whoever brings it to zero again a double one.
 *
 * Promises: nothing. No weak references, no finalizers; checksums may differ. Costs: as plain, and the
 * look at the condemned bit.
 */
#ifndef REFARENA_COUNTS_RACY_H
#define REFARENA_COUNTS_RACY_H

#define COUNT_LINKS 1                   /* the dead that wait are not linked through their headers, which others may write */

#ifdef ROW_IMMORTAL
#error "racy counts lose the update that makes an object immortal: no row has both"
#endif

#include "header.h"

enum { COUNT_IS_SHARED = 1 };

#define COUNT_ABILITIES 0
#define COUNT_CONDEMNS  1
#define COUNT_ENTERS    1

enum { RACY_CONDEMNED = 1 };            /* in count_lock, which racy counts do not lock */

extern struct racy_figures { atomic_uint_fast64_t premature, doubled; } racy_figures;

static inline bool racy_is_condemned(object *o) {
    return atomic_load_explicit(&o->count_lock, memory_order_relaxed) == RACY_CONDEMNED;
}
static inline void racy_touch(object *o) {
    if (__builtin_expect(racy_is_condemned(o), 0))
        atomic_fetch_add_explicit(&racy_figures.premature, 1, memory_order_relaxed);
}
static inline uint32_t racy_change(object *o, int by) {
    racy_touch(o);
    return count_step(o, by);
}

static inline void   count_birth(object *o) { __atomic_store_n(&o->references, 1, __ATOMIC_RELAXED); }
static inline void   count_take(object *o)  { racy_change(o, 1); }
static inline bool   count_drop(object *o)  { return racy_change(o, -1) == 0; }
static inline bool   count_try_take(object *o) { return racy_change(o, 1) != 1; }
static inline size_t count_read(const object *o) { return __atomic_load_n(&o->references, __ATOMIC_RELAXED); }

#define COUNT_FIGURES(stats) ((stats)->premature = atomic_load(&racy_figures.premature), \
                              (stats)->doubled = atomic_load(&racy_figures.doubled))

void racy_keep(object *o);              /* it is dead, and its memory, its array too, stays until racy_release_kept */
void racy_release_kept(void);

/* The dead that wait are a stack: the last linked is the first unlinked. What lies below each is kept in this thread's
 * own memory, and nothing lies below the first. */
bool    count_enter(mutator *m);        /* false: out of memory */
void    count_leave(mutator *m);
void    count_link(object *o, object *below);
object *count_unlink(object *o);        /* what lay below it */

/* True for the first that condemns it. */
static inline bool count_condemn(object *o) {
    if (atomic_exchange_explicit(&o->count_lock, RACY_CONDEMNED, memory_order_relaxed) != RACY_CONDEMNED) return true;
    atomic_fetch_add_explicit(&racy_figures.doubled, 1, memory_order_relaxed);
    return false;
}

#endif
