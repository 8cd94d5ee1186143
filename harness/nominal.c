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

#include "../allocators/lifetimes.h"
#include "histogram.h"
#include "report.h"

enum { NOMINAL_UNITS = 3, NOMINAL_PERCENTILES = 5 };

static const double nominal_percentile[NOMINAL_PERCENTILES] = { 0.1, 0.5, 0.9, 0.99, 1 };

typedef struct nominal_histogram { _Atomic uint64_t bucket[HISTOGRAM_BUCKETS], count; } nominal_histogram;

static struct {
    nominal_histogram sizes, lifetimes;
    _Atomic uint64_t  elsewhere;                /* deaths on another thread than the birth's */
    uint64_t          live_bytes, live_objects; /* the most seen; objects where a collector is asked */
    bool              objects;
} nominal;

static void nominal_count(nominal_histogram *h, uint64_t number) {
    atomic_fetch_add_explicit(&h->bucket[histogram_bucket_of(number)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->count, 1, memory_order_relaxed);
}

static void nominal_born(size_t bytes) { nominal_count(&nominal.sizes, bytes); }

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

static void nominal_moment(workload_run *run, const char *label) {
    uint64_t objects = 0, bytes = run->live_bytes;
    (void)label;
    if (run->threads == 1 && (!nominal.objects || linked_collector.reachable(&objects, &bytes)))
        nominal_see(bytes, objects);
}

static void nominal_rest(session *s) {
    uint64_t objects = 0, bytes = 0;
    for (unsigned i = 0; i < s->asked->threads; i++)
        bytes += s->runs[i].live_bytes;
    if (!nominal.objects || linked_collector.reachable(&objects, &bytes))
        nominal_see(bytes, objects);
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
    report_print(json_pack("{ss ss? si so sI sI sI sI so so so}", "workload", s->program->name, "collector",
                           nominal.objects ? linked_collector.name : NULL, "threads", (int)s->asked->threads, "declared",
                           declared, "live_bytes", (json_int_t)nominal.live_bytes, "births", (json_int_t)nominal.sizes.count,
                           "deaths", (json_int_t)nominal.lifetimes.count, "deaths_elsewhere",
                           (json_int_t)nominal.elsewhere, "sizes", nominal_spread(&nominal.sizes), "lifetimes",
                           nominal_spread(&nominal.lifetimes), "objects", nominal_objects()));
}

/* --- the life --------------------------------------------------------------------------------------- */

static bool nominal_units(session *s, verdict *said) {
    uint64_t unused_ns = 0, units = s->asked->units ? s->asked->units : NOMINAL_UNITS;
    nominal_rest(s);
    for (uint64_t i = 0; i < units; i++) {
        if (!session_arrange(s, said) || !session_run(s, 1, &unused_ns, said))
            return false;
        nominal_rest(s);
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
    snprintf(spec, sizeof spec, "lifetimes:%s", s->asked->allocator);
    nominal.objects = s->objects;
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
