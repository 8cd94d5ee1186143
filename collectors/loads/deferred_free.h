/* SPDX-License-Identifier: MIT
 * deferred_free.h - fields are read without a lock; memory of the dead waits until nobody can be reading it.
 *
 * A reader loads the pointer, then tries to take the object: that fails when it is dead already. For the
 * header to be readable at all, the memory of a dead object goes back only when every thread has polled
 * since, because a pointer read before a poll is not used after it. Where the try fails (the object is its
 * owner's alone, and cannot be told from a dead one) the reader takes the holder's lock, under which the
 * field's own reference keeps the target alive, and marks the object so that the next try succeeds.
 * Writers always take the holder's lock.
 *
 * Source: PEP 703, "Optimistically avoiding locking"; quiescent-state-based reclamation, Hart et al. 2007.
 */
#ifndef REFARENA_LOADS_DEFERRED_FREE_H
#define REFARENA_LOADS_DEFERRED_FREE_H

#include "../spin.h"

#define LOADS_DEFERRED 1

enum { DEFERRED_BATCHES = 8, DEFERRED_BATCH = 64 };

/* Dead objects linked through their owner words, oldest batch first; an epoch that all have reached frees one. */
typedef struct deferred_batch { object *first, *last; uint64_t epoch; } deferred_batch;

#define LOADS_MEMBERS \
    deferred_batch waiting[DEFERRED_BATCHES];   /* sealed: each waits for its epoch */ \
    unsigned       waiting_count; \
    deferred_batch open;                        /* still being filled */ \
    unsigned       open_count;

void deferred_release(mutator *m, object *o);   /* in the end */
void deferred_wait(mutator *m);                 /* for all others to poll; then all of this thread's dead are freed */

static inline object *load_take(object *holder, field *f) {
    object *target = atomic_load_explicit(&f->target, memory_order_acquire);
    if (target == NULL || __builtin_expect(count_try_take(target), 1)) return target;
    spin_lock(&holder->holder_lock);
    target = field_peek(f);
    if (target != NULL) count_take_marked(target);
    spin_unlock(&holder->holder_lock);
    return target;
}

static inline object *load_exchange(object *holder, field *f, object *value) {
    spin_lock(&holder->holder_lock);
    object *old = field_peek(f);
    atomic_store_explicit(&f->target, value, memory_order_release);
    spin_unlock(&holder->holder_lock);
    return old;
}

#endif
