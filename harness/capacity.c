/* SPDX-License-Identifier: MIT
 * capacity.c - spin alone, spin in company, compare.
 *
 * On the first two cores that threads go to. Two virtual cores may be two hyperthreads of one though nobody says so, or
 * be lent to another guest: the same program then shows no gain from threads for reasons that are not its own. Each
 * spinner counts batches of a dependent chain until a deadline; alone and in company alternate, so that a drift of the
 * clock rate meets both.
 */
#include "capacity.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "team.h"

enum { CAPACITY_TRIALS = 3, CAPACITY_SPIN_NS = 15000000, CAPACITY_BATCH = 20000 };
enum { CAPACITY_CROSSINGS = 2000, CAPACITY_TRIPS_NS = 20000000 };     /* in a trial; and its end, come what may */

typedef struct capacity_spinner {
    pthread_t thread;
    unsigned  core;
    uint64_t  count;                    /* batches done in the time */
} capacity_spinner;

static void *capacity_spin(void *argument) {
    capacity_spinner *spinner = argument;
    team_pin(spinner->core);
    uint64_t deadline_ns = team_clock_ns() + CAPACITY_SPIN_NS;
    for (volatile uint64_t kept = 1; team_clock_ns() < deadline_ns; spinner->count++) {
        uint64_t value = kept;
        for (int i = 0; i < CAPACITY_BATCH; i++)
            value = value * UINT64_C(6364136223846793005) + 1;
        kept = value;
    }
    return NULL;
}

/* Adds to *count what this many spinners did at once; returns how many could not be started. */
static unsigned capacity_together(unsigned spinners, uint64_t *count) {
    capacity_spinner all[2] = { { .core = 0 }, { .core = 1 } };
    unsigned started = 0;
    while (started < spinners && pthread_create(&all[started].thread, NULL, capacity_spin, &all[started]) == 0)
        started++;
    for (unsigned i = 0; i < started; i++) {
        pthread_join(all[i].thread, NULL);
        *count += all[i].count;
    }
    return spinners - started;
}

double capacity_probe(void) {
    uint64_t alone = 0, company = 0;
    unsigned missing = 0;
    for (int trial = 0; trial < CAPACITY_TRIALS; trial++) {
        missing += capacity_together(1, &alone);
        missing += capacity_together(2, &company);
    }
    return missing || alone == 0 ? -1 : (double)company / (double)alone;
}

/* --- from core to core ------------------------------------------------------------------------------ */

static _Alignas(128) _Atomic unsigned capacity_ball;    /* even: the first player's to hit; odd: the second's */

/* Hit whenever it is ours, until so many hits, or too long. Returns whether all were made. */
static bool capacity_rally(unsigned player, unsigned core) {
    team_pin(core);
    uint64_t deadline_ns = team_clock_ns() + CAPACITY_TRIPS_NS;
    for (unsigned next = player, tries = 1; next < 2 * CAPACITY_CROSSINGS; tries++) {
        if (atomic_load_explicit(&capacity_ball, memory_order_acquire) == next) {
            atomic_store_explicit(&capacity_ball, next + 1, memory_order_release);
            next += 2;
        } else if (tries % 4096 == 0 && team_clock_ns() > deadline_ns)
            return false;
    }
    return true;
}

static void *capacity_partner(void *unused) {
    (void)unused;
    capacity_rally(1, 1);
    return NULL;
}

/* On a thread of its own, which it may pin. *context: nanoseconds of the fastest trial, negative without one. */
static void *capacity_serve(void *context) {
    double *least_ns = context;
    for (int trial = 0; trial < CAPACITY_TRIALS; trial++) {
        pthread_t partner;
        atomic_store(&capacity_ball, 0);
        if (pthread_create(&partner, NULL, capacity_partner, NULL) != 0)
            break;
        uint64_t start_ns = team_clock_ns();
        bool whole = capacity_rally(0, 0);
        double crossing_ns = (double)(team_clock_ns() - start_ns) / (2 * CAPACITY_CROSSINGS);
        pthread_join(partner, NULL);
        if (whole && (*least_ns < 0 || crossing_ns < *least_ns))
            *least_ns = crossing_ns;
    }
    return NULL;
}

double capacity_crossing_ns(void) {
    double least_ns = -1;
    pthread_t server;
    if (pthread_create(&server, NULL, capacity_serve, &least_ns) == 0)
        pthread_join(server, NULL);
    return least_ns;
}
