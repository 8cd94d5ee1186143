/* SPDX-License-Identifier: MIT
 * bare.h - a field is read and its target taken, one after the other.
 *
 * Right where one thread runs at a time: between the read and the take nobody else can drop the target.
 */
#ifndef REFARENA_LOADS_BARE_H
#define REFARENA_LOADS_BARE_H

/* The field's target with a reference taken, or NULL. */
static inline object *load_take(object *holder, field *f) {
    (void)holder;
    object *target = field_peek(f);
    if (target != NULL) count_take(target);
    return target;
}

/* Put value there; the caller owns the reference that was. */
static inline object *load_exchange(object *holder, field *f, object *value) {
    (void)holder;
    object *old = field_peek(f);
    field_poke(f, value);
    return old;
}

#endif
