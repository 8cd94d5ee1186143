/* SPDX-License-Identifier: MIT
 * spin.h - a lock in one byte: exchange until it was free; after a while, sleep.
 *
 * Sleeping is what lets it work on one core and under a scheduler that stops the holder. Exchange, not
 * compare-and-swap: half the price here (results in the README). A leaf: nothing is acquired under it.
 * Source: test-and-test-and-set with back-off, Anderson, IEEE TPDS 1(1), 1990.
 */
#ifndef REFARENA_SPIN_H
#define REFARENA_SPIN_H

#include <stdatomic.h>

void spin_wait(atomic_uchar *lock);

static inline void spin_lock(atomic_uchar *lock) {
    if (__builtin_expect(atomic_exchange_explicit(lock, 1, memory_order_acquire) != 0, 0))
        spin_wait(lock);
}
static inline void spin_unlock(atomic_uchar *lock) {
    atomic_store_explicit(lock, 0, memory_order_release);
}

#endif
