/* SPDX-License-Identifier: MIT
 * crowd.c - counts to wait for.
 *
 * (I1) A waiter announces itself in `sleepers` before it looks at the count for the last time, and who adds looks at
 *      `sleepers` after adding; all four are sequentially consistent, so at least one of the two sees the other.
 */
#include "crowd.h"

enum { CROWD_LOOKS = 2000 };            /* before sleeping: some microseconds, about what a wake-up takes */

void crowd_start(crowd *all) {
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->changed, NULL);
}

static void crowd_wake(crowd *all) {
    if (atomic_load(&all->sleepers) == 0) return;
    pthread_mutex_lock(&all->lock);
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->lock);
}

void crowd_add(crowd *all, crowd_count *count) {
    atomic_fetch_add(&count->value, 1);
    crowd_wake(all);
}

bool crowd_break(crowd *all) {
    atomic_store(&all->broken, true);
    crowd_wake(all);
    return false;
}

static bool crowd_over(crowd *all, crowd_count *count, uint64_t least) {
    return atomic_load(&count->value) >= least || atomic_load(&all->broken);
}

static inline void crowd_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

bool crowd_await(crowd *all, crowd_count *count, uint64_t least) {
    for (unsigned looks = 0; looks < CROWD_LOOKS && !crowd_over(all, count, least); looks++) crowd_pause();
    if (!crowd_over(all, count, least)) {
        pthread_mutex_lock(&all->lock);
        atomic_fetch_add(&all->sleepers, 1);
        while (!crowd_over(all, count, least)) pthread_cond_wait(&all->changed, &all->lock);
        atomic_fetch_sub(&all->sleepers, 1);
        pthread_mutex_unlock(&all->lock);
    }
    return !atomic_load(&all->broken);
}

bool crowd_meet(crowd *all, unsigned threads) {
    uint64_t before = atomic_fetch_add(&all->arrived.value, 1);
    crowd_wake(all);
    return crowd_await(all, &all->arrived, (before / threads + 1) * threads);
}
