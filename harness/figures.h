/* SPDX-License-Identifier: MIT
 * figures.h - what a workload itself has to say: updates lost, latencies, the bytes of an object.
 */
#ifndef REFARENA_FIGURES_H
#define REFARENA_FIGURES_H

#include <stdbool.h>

#include "../workloads/workload.h"

enum { FIGURES_MOST = 32 };         /* names a workload may use */

typedef struct figure {
    const char *name;               /* NULL: none */
    uint64_t    count;              /* how often it was said */
    double      sum, least, most;
} figure;

void figures_watch(bool on);        /* figures are kept from here on, or not; no unit may be running */

/* workload_run.figure; any thread. */
void figures_say(workload_run *run, const char *name, double value);

/* In the order they were first said; `count` of them. */
const figure *figures_said(unsigned *count);

#endif
