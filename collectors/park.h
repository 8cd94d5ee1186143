/* SPDX-License-Identifier: MIT
 * park.h - a lock in one byte whose waiters sleep in a table. See counts/parked_object.h. */
#ifndef REFARENA_PARK_H
#define REFARENA_PARK_H

#include <stdatomic.h>

enum { PARK_FREE, PARK_HELD, PARK_AWAITED };

void park_wait(atomic_uchar *lock);
void park_wake(atomic_uchar *lock);

static inline void park_lock(atomic_uchar *lock) {
    unsigned char seen = PARK_FREE;
    if (__builtin_expect(!atomic_compare_exchange_strong_explicit(lock, &seen, PARK_HELD, memory_order_acquire,
                                                                  memory_order_relaxed), 0))
        park_wait(lock);
}
static inline void park_unlock(atomic_uchar *lock) {
    if (__builtin_expect(atomic_exchange_explicit(lock, PARK_FREE, memory_order_release) == PARK_AWAITED, 0))
        park_wake(lock);
}

#endif
