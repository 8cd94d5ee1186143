/* SPDX-License-Identifier: MIT
 * crowd.h - how the threads of a workload wait for each other, and never for one that has given up.
 *
 * Threads wait until a count reaches a number: of rounds served, of batches sent. A barrier is a count of arrivals.
 * Whoever is refused memory breaks the crowd, and all waits end at once: a full heap is an outcome, not a hang.
 * A waiter looks at the count for some microseconds, then sleeps, because there may be more threads than cores.
 */
#ifndef REFARENA_CROWD_H
#define REFARENA_CROWD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Alone in its cache line: a neighbour's writes must not be what is measured. Only ever grows. */
typedef struct crowd_count { _Alignas(64) _Atomic uint64_t value; } crowd_count;

typedef struct crowd {
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    atomic_uint     sleepers;
    atomic_bool     broken;
    crowd_count     arrived;
} crowd;

void crowd_start(crowd *all);                       /* in zeroed memory */

void crowd_add(crowd *all, crowd_count *count);     /* one more; what was written before is seen by who waits for it */

/* Wait until the count is at least `least`. False: the crowd is broken. */
bool crowd_await(crowd *all, crowd_count *count, uint64_t least);

/* A barrier of `threads` threads. False: the crowd is broken. */
bool crowd_meet(crowd *all, unsigned threads);

/* For good: all that wait now or later are told. Returns false, for `return crowd_break(all)`. */
bool crowd_break(crowd *all);

#endif
