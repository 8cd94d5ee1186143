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

/* ns[i] = how long i of `count` took since it would have started, had those that started within half a window of it started
 * evenly, or since it did where that is earlier. Starts are in order. Source: the metered latency of DaCapo Chopin (Blackburn
 * and others, ASPLOS 2025). */
static inline void latencies_smooth(uint64_t *ns, const uint64_t *started_ns, const uint64_t *ended_ns, int64_t count, uint64_t window_ns) {
    for (int64_t i = 0, first = 0, last = 0; i < count; i++) {
        while (started_ns[i] - started_ns[first] > window_ns / 2) first++;
        while (last < count - 1 && started_ns[last] < started_ns[i] + window_ns / 2) last++;
        double gap_ns = last > first ? (double)(started_ns[last] - started_ns[first]) / (double)(last - first) : 0;
        uint64_t even_ns = started_ns[first] + (uint64_t)((double)(i - first) * gap_ns);
        ns[i] = ended_ns[i] - (even_ns < started_ns[i] ? even_ns : started_ns[i]);
    }
}

#endif
