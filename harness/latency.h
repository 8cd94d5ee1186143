/* SPDX-License-Identifier: MIT
 * latency.h - how long the mutators were kept waiting: every pause of the measured units, by its kind.
 */
#ifndef REFARENA_LATENCY_H
#define REFARENA_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "../collectors/pause.h"

enum { LATENCY_WINDOWS = 7, LATENCY_PERCENTILES = 5 };

extern const unsigned latency_window_ms[LATENCY_WINDOWS];           /* 1 2 5 10 20 50 100 */
extern const double latency_percentile[LATENCY_PERCENTILES];        /* 0.5 0.9 0.99 0.999 0.9999 */

enum { LATENCY_ANY = PAUSE_KINDS, LATENCY_STALL, LATENCY_KINDS };   /* all but GIL waits; what an idle thread sees */

typedef struct latency_summary { uint64_t count, sum_ns, max_ns; } latency_summary;

/* Map the tables, and learn the clock's floor and what an idle thread sees here: takes a quarter of a second. */
void latency_begin(unsigned threads);
bool latency_is_on(void);

/* Pauses count between the two, called by the coordinator while no unit runs; wall_ns of the units between. */
void latency_open(void);
void latency_close(uint64_t wall_ns);

/* What has been seen, of all threads; kind: a pause_kind or one of those above. */
latency_summary latency_of(unsigned kind);

/* Nanoseconds (error 0.8 % at most) that this share of the pauses does not exceed; negative where fewer than
 * 10 / (1 - share) were seen: the tail of a sample is the sample's, not the collector's. */
double latency_percentile_ns(unsigned kind, double share);

/* The next bucket that is not empty, from *bucket on: its middle and count; false: there is none. */
bool latency_bucket(unsigned kind, unsigned *bucket, uint64_t *ns, uint64_t *count);

/* Least share of a window of so many ms in which a mutator could work, over all windows and threads; negative
 * where the run was shorter or had more pauses than the tables hold. `idle`: of the idle thread. */
double latency_utilisation(unsigned window_ms, bool gil_waits, bool idle);

uint64_t latency_wall_ns(void);             /* of the measured units */
unsigned latency_threads(void);
double   latency_floor_ns(void);            /* of two stamps, the cost of a recorded pause */

#endif
