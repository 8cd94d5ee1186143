/* SPDX-License-Identifier: MIT
 * gbench.h - Google Benchmark 1.7.1 as a C interface.
 *
 * A turn is one run of a benchmark with a fixed number of iterations and manual time: Google Benchmark calls
 * back once for the whole run, not once an iteration (which would cost a nanosecond each).
 */
#ifndef REFARENA_GBENCH_H
#define REFARENA_GBENCH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Does `iterations` of the work, returns the seconds it took by its own clock; negative: it failed. */
typedef double gbench_work(void *context, uint64_t iterations);

/* One run of exactly this many iterations; nothing is printed. */
void gbench_turn(const char *label, uint64_t iterations, gbench_work *work, void *context);

typedef enum gbench_end { GBENCH_DONE, GBENCH_BAD_FLAG, GBENCH_UNWRITABLE, GBENCH_NO_MATCH } gbench_end;

/* The work as an ordinary benchmark named `label`, under Google Benchmark's own flags (flags[0] is the first)
 * and with its own reporter; operations_per_iteration gives its items_per_second. *wrong is the flag that is bad
 * or whose file cannot be written. */
gbench_end gbench_flags(const char *label, uint64_t operations_per_iteration, int count, char **flags,
                        gbench_work *work, void *context, const char **wrong);

#ifdef __cplusplus
}
#endif
#endif
