/* SPDX-License-Identifier: MIT
 * count_lock.h - a field is read, and its target's count raised, under the one lock of all counts.
 *
 * Goes with counts/locked_global: pointer and count change together, so nothing can die in between.
 */
#ifndef REFARENA_LOADS_COUNT_LOCK_H
#define REFARENA_LOADS_COUNT_LOCK_H

static inline object *load_take(object *holder, field *f) {
    (void)holder;
    pthread_mutex_lock(&locked_global_mutex);
    object *target = field_peek(f);
    if (target != NULL && !count_is_immortal(target)) count_step(target, 1);
    pthread_mutex_unlock(&locked_global_mutex);
    return target;
}

static inline object *load_exchange(object *holder, field *f, object *value) {
    (void)holder;
    pthread_mutex_lock(&locked_global_mutex);
    object *old = field_peek(f);
    field_poke(f, value);
    pthread_mutex_unlock(&locked_global_mutex);
    return old;
}

#endif
