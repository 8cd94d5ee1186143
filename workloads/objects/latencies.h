/* SPDX-License-Identifier: MIT
 * latencies.h - how long things took, said as percentiles: each only where at least ten lie above it.
 */
#ifndef REFARENA_LATENCIES_H
#define REFARENA_LATENCIES_H

#include <time.h>

#include "../workload.h"

static inline uint64_t latency_clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Shell's sort, CACM 2(7), 1959, in place: qsort may allocate. */
static inline void latencies_sort(uint64_t *values, int64_t count) {
    for (int64_t gap = count / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
        for (int64_t i = gap; i < count; i++) {
            uint64_t moving = values[i];
            int64_t to = i;
            for (; to >= gap && values[to - gap] > moving; to -= gap)
                values[to] = values[to - gap];
            values[to] = moving;
        }
}

/* The names of one kind of latency, literals: 50, 90, 99, 99.9 per cent, and the longest. */
typedef struct latency_names { const char *p50, *p90, *p99, *p999, *max; } latency_names;
#define LATENCY_NAMES(kind) {kind "_p50_ns", kind "_p90_ns", kind "_p99_ns", kind "_p999_ns", kind "_max_ns"}

/* Say them as figures of the run, and leave the `count` values sorted. */
static inline void latencies_say(workload_run *run, const latency_names *names, uint64_t *ns, int64_t count) {
    const struct { const char *name; int64_t above; } percentiles[] = {      /* one in `above` is longer */
        {names->p50, 2}, {names->p90, 10}, {names->p99, 100}, {names->p999, 1000}};
    latencies_sort(ns, count);
    for (size_t i = 0; i < sizeof percentiles / sizeof *percentiles; i++)
        if (count >= 10 * percentiles[i].above)
            run->figure(run, percentiles[i].name, (double)ns[count - 1 - count / percentiles[i].above]);
    run->figure(run, names->max, (double)ns[count - 1]);
}

#endif
