/* SPDX-License-Identifier: MIT
 * nominal.c - counts sizes, lifetimes and deaths elsewhere over the whole life of a workload.
 *
 *     prepare | unit, unit, unit | finish | a last full collection
 *
 * Of objects the blocks are the objects with their headers, and what they own; so a collector that takes each
 * object from the allocator is needed. Garbage that no count finds dies when a collection comes, or at the end.
 * Source: nominal statistics of a workload, Blackburn et al., "Rethinking Java Performance Analysis", ASPLOS 2025.
 */
#include "nominal.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "../allocators/counted.h"
#include "../allocators/lifetimes.h"
#include "histogram.h"
#include "report.h"

enum { NOMINAL_UNITS = 3, NOMINAL_LOOKS = 12, NOMINAL_PERCENTILES = 5 };

static const double nominal_percentile[NOMINAL_PERCENTILES] = { 0.1, 0.5, 0.9, 0.99, 1 };

typedef struct nominal_histogram { _Atomic uint64_t bucket[HISTOGRAM_BUCKETS], count; } nominal_histogram;

static struct {
    nominal_histogram sizes, lifetimes;
    _Atomic uint64_t  elsewhere;                /* deaths on another thread than the birth's */
    uint64_t          live_bytes, live_objects; /* the most seen; objects where a collector is asked */
    bool              objects;
    session          *of;
    uint64_t          next_look_bytes, step_bytes;      /* by the clock of lifetimes, on one thread */
} nominal;

static void nominal_count(nominal_histogram *h, uint64_t number) {
    atomic_fetch_add_explicit(&h->bucket[histogram_bucket_of(number)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->count, 1, memory_order_relaxed);
}

static void nominal_died(uint64_t lifetime_bytes, bool elsewhere) {
    nominal_count(&nominal.lifetimes, lifetime_bytes);
    atomic_fetch_add_explicit(&nominal.elsewhere, elsewhere, memory_order_relaxed);
}

/* --- live bytes ------------------------------------------------------------------------------------- */

static void nominal_see(uint64_t bytes, uint64_t objects) {
    if (bytes <= nominal.live_bytes)
        return;
    nominal.live_bytes = bytes;
    nominal.live_objects = objects;
}

static void nominal_look(void) {
    uint64_t objects = 0, bytes = 0;
    for (unsigned i = 0; i < nominal.of->asked->threads; i++)
        bytes += nominal.of->runs[i].live_bytes;
    if (!nominal.objects || linked_collector.reachable(&objects, &bytes))
        nominal_see(bytes, objects);
}

static void nominal_moment(workload_run *run, const char *label) {
    (void)label;
    if (run->threads == 1)
        nominal_look();
}

/* Looks NOMINAL_LOOKS times a unit: a block that is just born is in no local and no field yet, and all others are
 * where they belong. */
static void nominal_born(size_t bytes) {
    nominal_count(&nominal.sizes, bytes);
    bool alone = nominal.of->asked->threads == 1;
    if (!alone || nominal.step_bytes == 0 || lifetimes_clock_bytes() < nominal.next_look_bytes)
        return;
    nominal.next_look_bytes = lifetimes_clock_bytes() + nominal.step_bytes;
    nominal_look();
}

/* --- the line --------------------------------------------------------------------------------------- */

/* The size that this share of all do not exceed, for each of the percentiles. */
static json_t *nominal_spread(nominal_histogram *h) {
    json_t *spread = json_array();
    uint64_t seen = 0;
    unsigned next = 0;
    for (unsigned b = 0; b < HISTOGRAM_BUCKETS && h->count; b++) {
        seen += h->bucket[b];
        for (; next < NOMINAL_PERCENTILES && (double)seen >= nominal_percentile[next] * (double)h->count; next++)
            json_array_append_new(spread, json_integer((json_int_t)histogram_middle(b)));
    }
    return spread;
}

static json_t *nominal_objects(void) {
    collector_stats stats;
    if (!nominal.objects)
        return json_null();
    linked_collector.stats(&stats);
    return json_pack("{sI sI sI sI}", "born", (json_int_t)stats.born, "died", (json_int_t)stats.died, "collected",
                     (json_int_t)stats.collected, "live", (json_int_t)nominal.live_objects);
}

static void nominal_print(session *s) {
    workload_operations unit = session_declared(s);
    json_t *declared = json_pack("{sI sI sI sI}", "operations", (json_int_t)unit.operations, "allocations",
                                 (json_int_t)unit.allocations, "bytes", (json_int_t)unit.bytes, "references",
                                 (json_int_t)unit.references);
    report_print(json_pack("{ss ss? si so sI sI sI sI sI so so so}", "workload", s->program->name, "collector",
                           nominal.objects ? linked_collector.name : NULL, "threads", (int)s->asked->threads, "declared",
                           declared, "live_bytes", (json_int_t)nominal.live_bytes, "peak_bytes",
                           (json_int_t)counted_read().live_peak_bytes, "births", (json_int_t)nominal.sizes.count,
                           "deaths", (json_int_t)nominal.lifetimes.count, "deaths_elsewhere",
                           (json_int_t)nominal.elsewhere, "sizes", nominal_spread(&nominal.sizes), "lifetimes",
                           nominal_spread(&nominal.lifetimes), "objects", nominal_objects()));
}

/* --- the life --------------------------------------------------------------------------------------- */

static bool nominal_units(session *s, verdict *said) {
    uint64_t unused_ns = 0, units = s->asked->units ? s->asked->units : NOMINAL_UNITS;
    nominal_look();
    for (uint64_t i = 0; i < units; i++) {
        if (!session_arrange(s, said) || !session_run(s, 1, &unused_ns, said))
            return false;
        nominal_look();
    }
    return true;
}

/* What only a collection finds has died in the end. */
static void nominal_sweep(session *s) {
    if (nominal.objects && s->asked->threads == 1 && s->runs[0].mutator)
        linked_collector.collect(s->runs[0].mutator, COLLECTOR_GENERATIONS - 1);
}

bool nominal_run(session *s, verdict *said) {
    static const lifetimes_watcher watcher = { nominal_born, nominal_died };
    char spec[512];
    snprintf(spec, sizeof spec, "counted:lifetimes:%s", s->asked->allocator);
    nominal.objects = s->objects;
    nominal.of = s;
    nominal.step_bytes = session_declared(s).bytes / NOMINAL_LOOKS;
    if (s->objects && linked_collector.allocator_use != COLLECTOR_USES_OBJECTS)
        return verdict_say(said, OUTCOME_UNSUPPORTED, "--nominals needs a collector that takes each object from the "
                           "allocator, which %s does not; use census", linked_collector.name);
    if (!session_open(s, spec, said))
        return false;
    for (unsigned i = 0; i < s->asked->threads; i++)
        s->runs[i].moment = nominal_moment;
    lifetimes_watch(&watcher);
    bool ran = session_prepare(s, said) && nominal_units(s, said);
    session_finish(s);
    nominal_sweep(s);
    if (ran)
        nominal_print(s);
    session_close(s);
    return ran;
}
