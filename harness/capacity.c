/* SPDX-License-Identifier: MIT
 * capacity.c - spin alone, spin in company, compare.
 *
 * Two virtual cores may be two hyperthreads of one, or be lent to another guest: the same program then shows no gain
 * from threads for reasons that are not its own. Each spinner counts batches of a dependent chain until a
 * deadline; alone and in company alternate, so that a drift of the clock rate meets both.
 */
#include "capacity.h"

#include <pthread.h>
#include <stdint.h>

#include "team.h"

enum { CAPACITY_TRIALS = 3, CAPACITY_SPIN_NS = 15000000, CAPACITY_BATCH = 20000 };

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
