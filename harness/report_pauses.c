/* SPDX-License-Identifier: MIT
 * report_pauses.c - the key `pauses` of an invocation, by results/README.md. */
#include "latency.h"
#include "report.h"

static const char *const report_kinds[] = {
    [PAUSE_CASCADE] = "cascade", [PAUSE_YOUNG] = "young", [PAUSE_MIDDLE] = "middle", [PAUSE_FULL] = "full",
    [PAUSE_SAFEPOINT] = "safepoint", [PAUSE_STOPPED] = "stopped", [PAUSE_GIL] = "gil", [LATENCY_ANY] = "any",
};
static const char *const report_percentiles[LATENCY_PERCENTILES] = {
    "p50_ns", "p90_ns", "p99_ns", "p99.9_ns", "p99.99_ns",
};

static json_t *report_known_real(double value) { return value < 0 ? json_null() : json_real(value); }

static json_t *report_histogram(unsigned kind) {
    json_t *list = json_array();
    uint64_t ns, count;
    for (unsigned bucket = 0; latency_bucket(kind, &bucket, &ns, &count); bucket++)
        json_array_append_new(list, json_pack("[II]", (json_int_t)ns, (json_int_t)count));
    return list;
}

static json_t *report_kind(unsigned kind) {
    latency_summary all = latency_of(kind);
    json_t *object = json_pack("{sI sI so}", "count", (json_int_t)all.count, "sum_ns", (json_int_t)all.sum_ns, "max_ns",
                               all.count ? json_integer((json_int_t)all.max_ns) : json_null());
    for (unsigned i = 0; i < LATENCY_PERCENTILES; i++)
        json_object_set_new(object, report_percentiles[i],
                            report_known_real(latency_percentile_ns(kind, latency_percentile[i])));
    json_object_set_new(object, "histogram", report_histogram(kind));
    return object;
}

static json_t *report_utilisation(bool gil_waits, bool idle) {
    json_t *curve = json_array();
    for (unsigned i = 0; i < LATENCY_WINDOWS; i++)
        json_array_append_new(curve, json_pack("[Io]", (json_int_t)latency_window_ms[i],
                                               report_known_real(latency_utilisation(latency_window_ms[i], gil_waits, idle))));
    return curve;
}

json_t *report_pauses(void) {
    if (!latency_is_on())
        return json_null();
    json_t *kinds = json_object();
    for (unsigned kind = 0; kind < sizeof report_kinds / sizeof *report_kinds; kind++)
        json_object_set_new(kinds, report_kinds[kind], report_kind(kind));
    uint64_t total_ns = latency_wall_ns() * latency_threads();
    uint64_t collector_ns = latency_of(LATENCY_ANY).sum_ns, gil_ns = latency_of(PAUSE_GIL).sum_ns;
    return json_pack("{sI sI sI sI so so so so so}", "total_ns", (json_int_t)total_ns, "mutator_ns",
                     (json_int_t)total_ns - (json_int_t)(collector_ns + gil_ns), "collector_ns", (json_int_t)collector_ns,
                     "gil_ns", (json_int_t)gil_ns, "stamps_ns", json_real(latency_floor_ns()), "kinds", kinds,
                     "mmu", report_utilisation(true, false), "mmu_without_gil", report_utilisation(false, false),
                     "idle", json_pack("{so so}", "stalls", report_kind(LATENCY_STALL), "mmu", report_utilisation(false, true)));
}
