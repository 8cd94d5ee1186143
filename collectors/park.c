/* SPDX-License-Identifier: MIT
 * park.c - the table where waiters of all parked locks sleep.
 *
 * A waiter marks the byte AWAITED under its bucket's mutex, and sleeps; the unlock that finds AWAITED
 * takes the mutex, so no wake-up falls between the mark and the sleep. A woken waiter takes the lock as
 * AWAITED again, since it cannot know whether others sleep: one wake-up too many at the end, none too few.
 * Neighbours in a bucket share its condition: a broadcast wakes all, and those it does not concern go back.
 */
#include <pthread.h>
#include <stdint.h>

#include "park.h"

enum { PARK_BUCKETS = 64, PARK_LOOKS = 40 };

static struct { pthread_mutex_t mutex; pthread_cond_t woken; } park_buckets[PARK_BUCKETS] = {
    [0 ... PARK_BUCKETS - 1] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER}};

static unsigned park_bucket(const atomic_uchar *lock) {
    return (unsigned)(((uintptr_t)lock >> 4) * 0x9E3779B97F4A7C15u >> 58);
}

__attribute__((noinline, cold)) void park_wait(atomic_uchar *lock) {
    for (unsigned looks = 0; looks < PARK_LOOKS; looks++) {
        unsigned char seen = PARK_FREE;
        if (atomic_compare_exchange_weak_explicit(lock, &seen, PARK_HELD, memory_order_acquire, memory_order_relaxed))
            return;
        if (seen == PARK_AWAITED) break;
    }
    unsigned at = park_bucket(lock);
    pthread_mutex_lock(&park_buckets[at].mutex);
    while (atomic_exchange_explicit(lock, PARK_AWAITED, memory_order_acquire) != PARK_FREE)
        pthread_cond_wait(&park_buckets[at].woken, &park_buckets[at].mutex);
    pthread_mutex_unlock(&park_buckets[at].mutex);
}

__attribute__((noinline, cold)) void park_wake(atomic_uchar *lock) {
    unsigned at = park_bucket(lock);
    pthread_mutex_lock(&park_buckets[at].mutex);
    pthread_cond_broadcast(&park_buckets[at].woken);
    pthread_mutex_unlock(&park_buckets[at].mutex);
}
