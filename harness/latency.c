/* SPDX-License-Identifier: MIT
 * latency.c - a histogram a kind, and the list of intervals that minimum mutator utilisation needs.
 *
 * Each thread writes into tables of its own, mapped and touched beforehand.
 *
 * Time counts only while units are measured: stretches are laid end to end, and an interval's place is on
 * that axis. The share of a window that pauses take is largest for a window that ends with a pause (moved to
 * either side it loses at least what it gains), so one pass with two ends finds the least utilisation.
 *
 * (I1) a thread's intervals do not overlap, and are in the order of time.
 * Source: minimum mutator utilisation, Cheng and Blelloch, PLDI 2001.
 */
#include "latency.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "histogram.h"
#include "own.h"
#include "team.h"

enum {
    LATENCY_INTERVALS = 1 << 20,        /* of all threads together: 16 MiB */
    LATENCY_IDLE_NS = 250000000, LATENCY_STALL_NS = 1000,
    LATENCY_FLOOR_TRIES = 20, LATENCY_FLOOR_PAIRS = 1000,
};

const unsigned latency_window_ms[LATENCY_WINDOWS] = { 1, 2, 5, 10, 20, 50, 100 };
const double latency_percentile[LATENCY_PERCENTILES] = { 0.5, 0.9, 0.99, 0.999, 0.9999 };

typedef struct interval { uint64_t begun_ns, length_ns : 63, gil : 1; } interval;

typedef struct latency_thread {
    uint64_t        buckets[LATENCY_KINDS][HISTOGRAM_BUCKETS];
    latency_summary summaries[LATENCY_KINDS];
    interval       *intervals;
    size_t          count, room;
    bool            overflowed;
    uint64_t        wall_ns;            /* of its axis */
} latency_thread;

static struct {
    unsigned        threads;            /* 0: not in use */
    latency_thread *each, idle;
    atomic_uint     taken;              /* of `each` */
    uint64_t        origin_ns;          /* the clock's reading at place 0 of the axis, as of this stretch */
    uint64_t        wall_ns;
    double          floor_ns;
} latency;

static _Thread_local latency_thread *latency_own;

/* --- recording -------------------------------------------------------------------------------------- */

static void latency_count(latency_thread *t, unsigned kind, uint64_t ns) {
    latency_summary *s = &t->summaries[kind];
    t->buckets[kind][histogram_bucket_of(ns)]++;
    s->count++;
    s->sum_ns += ns;
    if (ns > s->max_ns)
        s->max_ns = ns;
}

static void latency_keep(latency_thread *t, uint64_t begun_ns, uint64_t ns, bool gil) {
    if (t->count < t->room)
        t->intervals[t->count++] = (interval){ .begun_ns = begun_ns, .length_ns = ns, .gil = gil };
    else
        t->overflowed = true;
}

static void latency_record(pause_kind kind, uint64_t begun_ns, uint64_t ended_ns, bool part) {
    if (latency_own == NULL)
        latency_own = &latency.each[atomic_fetch_add(&latency.taken, 1) % latency.threads];
    latency_count(latency_own, kind, ended_ns - begun_ns);
    if (part)
        return;
    if (kind != PAUSE_GIL)
        latency_count(latency_own, LATENCY_ANY, ended_ns - begun_ns);
    latency_keep(latency_own, begun_ns - latency.origin_ns, ended_ns - begun_ns, kind == PAUSE_GIL);
}

void latency_open(void) {
    latency.origin_ns = pause_clock_ns() - latency.wall_ns;
    pause_record(latency_record);
}

void latency_close(uint64_t wall_ns) {
    pause_record(NULL);
    latency.wall_ns += wall_ns;
}

/* --- before the first unit ---------------------------------------------------------------------------- */

static double latency_find_floor(void) {
    uint64_t least_ns = UINT64_MAX;
    for (int i = 0; i < LATENCY_FLOOR_TRIES; i++) {
        uint64_t begun_ns = pause_clock_ns();
        for (int pair = 0; pair < LATENCY_FLOOR_PAIRS; pair++)
            pause_clock_ns(), pause_clock_ns();
        uint64_t ns = pause_clock_ns() - begun_ns;
        least_ns = ns < least_ns ? ns : least_ns;
    }
    return (double)least_ns / LATENCY_FLOOR_PAIRS;
}

/* A thread with nothing to do but to look at the clock: a microsecond that it did not see was taken from it. */
static void latency_sit_idle(latency_thread *t) {
    uint64_t begun_ns = pause_clock_ns(), last_ns = begun_ns;
    while (last_ns - begun_ns < LATENCY_IDLE_NS) {
        uint64_t now_ns = pause_clock_ns();
        if (now_ns - last_ns >= LATENCY_STALL_NS) {
            latency_count(t, LATENCY_STALL, now_ns - last_ns);
            latency_keep(t, last_ns - begun_ns, now_ns - last_ns, false);
        }
        last_ns = now_ns;
    }
    t->wall_ns = last_ns - begun_ns;
}

static void latency_furnish(latency_thread *t, size_t room) {
    t->room = room;
    t->intervals = own_table(room * sizeof *t->intervals);
}

void latency_begin(unsigned threads) {
    latency.threads = threads;
    latency.each = own_table(threads * sizeof *latency.each);
    for (unsigned i = 0; i < threads; i++)
        latency_furnish(&latency.each[i], LATENCY_INTERVALS / threads);
    latency_furnish(&latency.idle, LATENCY_INTERVALS / 16);
    latency.floor_ns = latency_find_floor();
    latency_sit_idle(&latency.idle);
}

/* --- afterwards ----------------------------------------------------------------------------------------- */

bool     latency_is_on(void)    { return latency.threads != 0; }
uint64_t latency_wall_ns(void)  { return latency.wall_ns; }
unsigned latency_threads(void)  { return latency.threads; }
double   latency_floor_ns(void) { return latency.floor_ns; }

latency_summary latency_of(unsigned kind) {
    latency_summary all = latency.idle.summaries[kind];
    for (unsigned i = 0; i < latency.threads; i++) {
        const latency_summary *one = &latency.each[i].summaries[kind];
        all.count += one->count;
        all.sum_ns += one->sum_ns;
        all.max_ns = one->max_ns > all.max_ns ? one->max_ns : all.max_ns;
    }
    return all;
}

bool latency_bucket(unsigned kind, unsigned *bucket, uint64_t *ns, uint64_t *count) {
    for (; *bucket < HISTOGRAM_BUCKETS; ++*bucket) {
        *count = latency.idle.buckets[kind][*bucket];
        for (unsigned i = 0; i < latency.threads; i++)
            *count += latency.each[i].buckets[kind][*bucket];
        *ns = histogram_middle(*bucket);
        if (*count != 0)
            return true;
    }
    return false;
}

double latency_percentile_ns(unsigned kind, double share) {
    latency_summary all = latency_of(kind);
    uint64_t rank = (uint64_t)ceil(share * (double)all.count), ns, count;
    if ((double)all.count * (1 - share) < 10 * (1 - 1e-9))
        return -1;
    for (unsigned bucket = 0; latency_bucket(kind, &bucket, &ns, &count); bucket++) {
        if (count >= rank)
            return (double)(ns < all.max_ns ? ns : all.max_ns);
        rank -= count;
    }
    return (double)all.max_ns;
}

static uint64_t interval_end(const interval *i) { return i->begun_ns + i->length_ns; }

/* The most that pauses take of a window of so many ns: each pause ends one. */
static uint64_t latency_most_paused(const latency_thread *t, uint64_t window_ns, bool gil_waits) {
    uint64_t paused_ns = 0, most_ns = 0;
    const interval *first = t->intervals;
    for (const interval *last = first; last < t->intervals + t->count; last++) {
        if (last->gil && !gil_waits)
            continue;
        uint64_t end_ns = interval_end(last), start_ns = end_ns > window_ns ? end_ns - window_ns : 0;
        paused_ns += last->length_ns;
        for (; (first->gil && !gil_waits) || interval_end(first) <= start_ns; first++)
            paused_ns -= first->gil && !gil_waits ? 0 : first->length_ns;
        uint64_t before_ns = first->begun_ns < start_ns ? start_ns - first->begun_ns : 0;
        if (paused_ns - before_ns > most_ns)
            most_ns = paused_ns - before_ns;
    }
    return most_ns;
}

double latency_utilisation(unsigned window_ms, bool gil_waits, bool idle) {
    uint64_t window_ns = window_ms * UINT64_C(1000000), most_ns = 0;
    latency_thread *each = idle ? &latency.idle : latency.each;
    for (unsigned i = 0; i < (idle ? 1 : latency.threads); i++) {
        if (each[i].overflowed || (idle ? each->wall_ns : latency.wall_ns) < window_ns)
            return -1;
        uint64_t one_ns = latency_most_paused(&each[i], window_ns, gil_waits);
        most_ns = one_ns > most_ns ? one_ns : most_ns;
    }
    return 1 - (double)most_ns / (double)window_ns;
}
