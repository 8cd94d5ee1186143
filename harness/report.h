/* SPDX-License-Identifier: MIT
 * report.h - one invocation as JSON, by the schema of results/README.md.
 */
#ifndef REFARENA_REPORT_H
#define REFARENA_REPORT_H

#include <jansson.h>

#include "counting.h"
#include "turn.h"

typedef struct report {
    const session   *of;
    const verdict   *said;
    counting_figures counted;
    turn_figures    *rounds;
    uint64_t         round_count;
    uint64_t         unit_ns;               /* 0: not known */
    double           capacity_before, capacity_after;   /* negative: not probed */
    double           crossing_ns;       /* from core to core; negative: not probed */
    bool             opened;                /* `of` has an allocator, so it knows whether it renews and reclaims */
} report;

/* JSON lives in the harness's own memory. Once, before the others. */
void report_begin(void);

json_t *report_round(const turn_figures *round);
json_t *report_memory(const report *about);
json_t *report_capacity(const report *about);
json_t *report_pauses(void);

/* All keys but `rounds`. */
json_t *report_invocation(const report *about);

/* Build and discard a report, so that the pages this touches are in the baseline and not in a figure. */
void report_rehearse(const report *about);

/* Print as one line on standard output, at once; takes the object. */
void report_print(json_t *object);

#endif
