/* SPDX-License-Identifier: MIT
 * gil.c - taking, dropping and handing over the global lock.
 *
 *   holder             waiter
 *     |  <- request ---- timed out after one interval, and nobody switched meanwhile
 *   poll: drop, signal -> wakes, takes, switch_number++
 *     |  <- switched ---
 *   waits for the lock like anyone else
 *
 * (I1) locked is true exactly between a take and the drop after it.
 * (I2) switch_number grows when the lock passes to another thread than its last holder, and only then.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "../collector.h"
#include "../pause.h"

atomic_bool gil_drop_request;

static struct {
    pthread_mutex_t mutex;              /* of locked, last_holder, switch_number */
    pthread_cond_t  released;
    bool            locked;
    mutator        *last_holder;
    uint64_t        switch_number;
    pthread_mutex_t switch_mutex;       /* of the hand-over; taken inside mutex */
    pthread_cond_t  switched;
    mutator        *switch_holder;      /* last_holder, as the hand-over sees it */
    int64_t         interval_us;
} gil = {.mutex = PTHREAD_MUTEX_INITIALIZER, .switch_mutex = PTHREAD_MUTEX_INITIALIZER};

void gil_open(void) {
    gil.interval_us = collector_option_value("interval_us");
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&gil.released, &monotonic);
    pthread_cond_init(&gil.switched, &monotonic);
    pthread_condattr_destroy(&monotonic);
    gil.locked = false;
    gil.last_holder = gil.switch_holder = NULL;
    gil.switch_number = 0;
}

static struct timespec gil_deadline(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = now.tv_nsec + gil.interval_us * 1000;
    return (struct timespec){.tv_sec = now.tv_sec + ns / 1000000000, .tv_nsec = ns % 1000000000};
}

static void gil_wait(void) {
    pause_begin();
    while (gil.locked) {
        uint64_t seen = gil.switch_number;
        struct timespec deadline = gil_deadline();
        int timed_out = pthread_cond_timedwait(&gil.released, &gil.mutex, &deadline) == ETIMEDOUT;
        if (timed_out && gil.locked && gil.switch_number == seen)
            atomic_store_explicit(&gil_drop_request, true, memory_order_relaxed);
    }
    pause_end(PAUSE_GIL);
}

void gil_take(mutator *m) {
    pthread_mutex_lock(&gil.mutex);
    if (gil.locked) gil_wait();
    pthread_mutex_lock(&gil.switch_mutex);
    gil.locked = true;
    gil.switch_holder = m;
    if (gil.last_holder != m) {
        gil.last_holder = m;
        gil.switch_number++;
    }
    pthread_cond_signal(&gil.switched);
    pthread_mutex_unlock(&gil.switch_mutex);
    atomic_store_explicit(&gil_drop_request, false, memory_order_relaxed);
    pthread_mutex_unlock(&gil.mutex);
}

/* The hand-over that a waiter has asked for. A spurious wake-up only ends the wait early, as in CPython. */
SLOW static void gil_wait_for_switch(mutator *m) {
    pause_begin();
    pthread_mutex_lock(&gil.switch_mutex);
    if (gil.switch_holder == m) {
        atomic_store_explicit(&gil_drop_request, false, memory_order_relaxed);
        pthread_cond_wait(&gil.switched, &gil.switch_mutex);
    }
    pthread_mutex_unlock(&gil.switch_mutex);
    pause_end(PAUSE_GIL);
}

void gil_drop(mutator *m) {
    pthread_mutex_lock(&gil.mutex);
    assert(gil.locked);
    gil.last_holder = m;
    gil.locked = false;
    pthread_cond_signal(&gil.released);
    pthread_mutex_unlock(&gil.mutex);
    if (atomic_load_explicit(&gil_drop_request, memory_order_relaxed)) gil_wait_for_switch(m);
}

SLOW void gil_yield(mutator *m) {
    pause_begin();
    gil_drop(m);
    gil_take(m);
    pause_end(PAUSE_GIL);
}

uint64_t gil_switches(void) {
    pthread_mutex_lock(&gil.mutex);
    uint64_t switches = gil.switch_number;
    pthread_mutex_unlock(&gil.mutex);
    return switches;
}
