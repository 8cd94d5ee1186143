/* SPDX-License-Identifier: MIT
 * bare.h - a field is read and its target taken, one after the other.
 *
 * Right where one thread runs at a time: between the read and the take nobody else can drop the target.
 */
#ifndef REFARENA_LOADS_BARE_H
#define REFARENA_LOADS_BARE_H

/* Where threads race for a field nevertheless (counts/racy.h), what it publishes is whole. */
static const memory_order BARE_READ  = COUNT_IS_SHARED ? memory_order_acquire : memory_order_relaxed,
                          BARE_WRITE = COUNT_IS_SHARED ? memory_order_release : memory_order_relaxed;

/* The field's target with a reference taken, or NULL. */
static inline object *load_take(object *holder, field *f) {
    (void)holder;
    object *target = atomic_load_explicit(&f->target, BARE_READ);
    if (target != NULL) count_take(target);
    return target;
}

/* Put value there; the caller owns the reference that was. */
static inline object *load_exchange(object *holder, field *f, object *value) {
    (void)holder;
    object *old = atomic_load_explicit(&f->target, BARE_READ);
    atomic_store_explicit(&f->target, value, BARE_WRITE);
    return old;
}

#endif
