/* SPDX-License-Identifier: MIT
 * holder_lock.h - the fields of an object are read and written under a lock of that object.
 *
 * Between the read of a pointer and the take, another thread could overwrite the field and drop the
 * target to its death; the holder's lock keeps the field's own reference alive until the take is done.
 * Lock order: holder, then count. The old value is dropped after the lock is given back.
 */
#ifndef REFARENA_LOADS_HOLDER_LOCK_H
#define REFARENA_LOADS_HOLDER_LOCK_H

#include "../spin.h"

static inline object *load_take(object *holder, field *f) {
    spin_lock(&holder->holder_lock);
    object *target = field_peek(f);
    if (target != NULL) count_take(target);
    spin_unlock(&holder->holder_lock);
    return target;
}

static inline object *load_exchange(object *holder, field *f, object *value) {
    spin_lock(&holder->holder_lock);
    object *old = field_peek(f);
    field_poke(f, value);
    spin_unlock(&holder->holder_lock);
    return old;
}

#endif
