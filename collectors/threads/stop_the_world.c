/* SPDX-License-Identifier: MIT
 * stop_the_world.c - counting who runs, and waiting until that is one.
 *
 * Attach, detach, stop and start take one lock; only a poll that sees nothing new is free of it. Lock order:
 * stop_the_world.lock, then the list of mutators (common.c).
 */
#include <pthread.h>
#include <time.h>

#include "../collector.h"
#include "../pause.h"

_Atomic uint64_t threads_epoch = 1;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t  all_stopped, started;
    atomic_bool     asked;              /* a stop was asked for, or is under way; written under the lock */
    unsigned        running;            /* I1 */
    _Atomic uint64_t last_stop_ns;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .all_stopped = PTHREAD_COND_INITIALIZER,
           .started = PTHREAD_COND_INITIALIZER};

static uint64_t stop_the_world_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void stop_the_world_see(mutator *m) {
    uint64_t epoch = atomic_load_explicit(&threads_epoch, memory_order_acquire);
    atomic_store_explicit(&((mutator_base *)m)->seen_epoch, epoch, memory_order_release);
}

/* The lock is held in these two: an oldest epoch read before a thread joins was read before it loads anything. */
static void stop_the_world_begin_running(mutator *m) {
    if (atomic_load_explicit(&world.asked, memory_order_relaxed)) {
        pause_begin();
        while (atomic_load_explicit(&world.asked, memory_order_relaxed))
            pthread_cond_wait(&world.started, &world.lock);
        pause_end(PAUSE_STOPPED);
    }
    world.running++;
    stop_the_world_see(m);
}

static void stop_the_world_end_running(mutator *m) {
    atomic_store_explicit(&((mutator_base *)m)->seen_epoch, UINT64_MAX, memory_order_release);
    assert(world.running > 0);
    world.running--;
    if (world.running <= 1) pthread_cond_signal(&world.all_stopped);
}

void stop_the_world_join(mutator *m) {
    pthread_mutex_lock(&world.lock);
    stop_the_world_begin_running(m);
    pthread_mutex_unlock(&world.lock);
}

void stop_the_world_part(mutator *m) {
    pthread_mutex_lock(&world.lock);
    stop_the_world_end_running(m);
    pthread_mutex_unlock(&world.lock);
}

static void stop_the_world_wait(mutator *m) {
    stop_the_world_end_running(m);
    stop_the_world_begin_running(m);
}

/* `asked` is set before the epoch that announces it: who acquires that epoch sees it. */
SLOW void stop_the_world_look(mutator *m) {
    stop_the_world_see(m);
    if (!atomic_load_explicit(&world.asked, memory_order_relaxed)) return;
    pthread_mutex_lock(&world.lock);
    if (atomic_load_explicit(&world.asked, memory_order_relaxed)) stop_the_world_wait(m);
    pthread_mutex_unlock(&world.lock);
}

static void stop_the_world_wait_for_others(void) {
    pause_begin();
    while (world.running > 1)
        pthread_cond_wait(&world.all_stopped, &world.lock);
    pause_end(PAUSE_SAFEPOINT);
}

SLOW bool threads_stop(mutator *m) {
    pthread_mutex_lock(&world.lock);
    bool first = !atomic_load_explicit(&world.asked, memory_order_relaxed);
    if (!first)
        stop_the_world_wait(m);
    else {
        uint64_t asked_ns = stop_the_world_now_ns();
        atomic_store_explicit(&world.asked, true, memory_order_relaxed);
        threads_epoch_advance();
        if (world.running > 1) stop_the_world_wait_for_others();
        atomic_store_explicit(&world.last_stop_ns, stop_the_world_now_ns() - asked_ns, memory_order_relaxed);
        stop_the_world_see(m);
    }
    pthread_mutex_unlock(&world.lock);
    return first;
}

SLOW void threads_start(mutator *m) {
    (void)m;
    pthread_mutex_lock(&world.lock);
    assert(world.running == 1);                                                                 /* I2 */
    atomic_store_explicit(&world.asked, false, memory_order_relaxed);
    pthread_cond_broadcast(&world.started);
    pthread_mutex_unlock(&world.lock);
}

void stop_the_world_open(void) {
    assert(world.running == 0);
    atomic_store_explicit(&world.last_stop_ns, 0, memory_order_relaxed);
}

uint64_t threads_last_stop_ns(void) { return atomic_load_explicit(&world.last_stop_ns, memory_order_relaxed); }

uint64_t threads_epoch_advance(void) {
    return atomic_fetch_add_explicit(&threads_epoch, 1, memory_order_acq_rel) + 1;
}

static void stop_the_world_older(mutator *m, void *oldest) {
    uint64_t seen = atomic_load_explicit(&((mutator_base *)m)->seen_epoch, memory_order_acquire);
    if (seen < *(uint64_t *)oldest) *(uint64_t *)oldest = seen;
}

/* A mutator that is being made or unmade has seen 0 or everything: at worst the answer is too old. */
uint64_t threads_oldest_epoch(void) {
    uint64_t oldest = UINT64_MAX;
    pthread_mutex_lock(&world.lock);
    mutator_each(stop_the_world_older, &oldest);
    pthread_mutex_unlock(&world.lock);
    return oldest;
}
