/* SPDX-License-Identifier: MIT
 * turn.h - one slice of fixed work, measured.
 */
#ifndef REFARENA_TURN_H
#define REFARENA_TURN_H

#include "session.h"

/* A round of results/README.md. */
typedef struct turn_figures {
    uint64_t units, lead_in_units, operations;
    uint64_t wall_ns, cpu_ns;
    uint64_t checksum;
    bool     agrees;                                /* all units had this checksum */
    uint64_t collections[COLLECTOR_GENERATIONS], collected;     /* and what they found unreachable */
    uint64_t run_delay_ns, involuntary_switches;
} turn_figures;

/* lead_in units untimed, then units measured as one Google Benchmark run of fixed iterations. */
bool turn_take(session *s, uint64_t units, uint64_t lead_in, turn_figures *taken, verdict *said);

/* Run one unit to warm up, then as many as it takes to know the time of one. */
bool turn_calibrate(session *s, uint64_t *unit_ns, verdict *said);

/* Units that fill a turn: 10 ms of them, and one at least. */
uint64_t turn_units(uint64_t unit_ns);

/* Have Google Benchmark run nothing, for the pages and the half millisecond that its first run takes. */
void turn_rehearse(void);

/* Let Google Benchmark decide how many iterations, and report them. */
bool turn_benchmark(session *s, verdict *said);

#endif
