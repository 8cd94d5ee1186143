/* SPDX-License-Identifier: MIT
 * requests.c - a server that is asked at its own pace by nobody in particular: an open loop, and how long each waits.
 *
 *   due      |--|-----|-|----|---|-|--      laid down before: `rate` a second
 *   served   |==| |===||==|     |==|===|==|
 *
 *   simple   from when the server took a request up until it was answered
 *   metered  from when it was due
 *   smoothed what can be told of metered where only the starts are known: from where it would have started, had all starts
 *            within half a window of its own come evenly
 *
 * A request looks up four sessions of a live table and puts a new session in the place of one; a session has eight boxed
 * integers, and every fourth refers to itself, so that counting alone never frees it. Who is early waits, polling, until
 * the next request is due; who is late takes up the next at once, and every request behind it is late as well. A loop that
 * sends a request only when the last was answered asks nothing while the server stands still, and so does not see that it
 * did (coordinated omission): the simple latencies are what it would have seen.
 *
 * Figures: simple_p50_ns, _p90_ns, _p99_ns, _p999_ns, _max_ns; metered_ and smoothed_ the same; late_share: of requests, that
 * were due before the server was free.
 * Exercises: short lives beside a live table; what a pause costs those who come while it lasts.
 * Source: G. Tene, "How NOT to measure latency", 2013 (coordinated omission); simple and metered latency: Blackburn and
 * others, "Rethinking Java performance analysis" (DaCapo Chopin), ASPLOS 2025, whose requests come in a closed loop, so that its
 * metered latency is our smoothed one, of windows of 100 ms; arrivals of independent clients are a Poisson process, so that
 * gaps are exponential (Schroeder and others, "Open versus closed", NSDI 2006), and uniform ones, all alike, its opposite.
 * Not claimed: the time of an operation, which is the rate's. size = requests in a unit, table = sessions, stall_us = a pause
 * planted between two requests, in the middle of a unit: metered latencies must show it, and simple ones cannot.
 */
#include <math.h>

#include "../random.h"
#include "latencies.h"
#include "values.h"

enum { REQUESTS_SIZE, REQUESTS_TABLE, REQUESTS_RATE, REQUESTS_STALL, REQUESTS_ARRIVALS, REQUESTS_WINDOW };
enum { REQUESTS_EXPONENTIAL, REQUESTS_UNIFORM };
enum { REQUESTS_ENTRIES, REQUESTS_FOUND, REQUESTS_VALUE, REQUESTS_NEW, REQUESTS_LOCALS };
enum { REQUESTS_GAPS, REQUESTS_WORK };      /* streams of random numbers, alike in all threads */
enum { REQUESTS_LOOK_UPS = 4, REQUESTS_VALUES = 8, REQUESTS_CYCLIC = 4 };
enum { REQUESTS_FIRST = 1000 };             /* above the shared integers: each is an object */

typedef struct visitor { object header; field values[REQUESTS_VALUES]; field self; int64_t first; } visitor;

typedef struct requests_state {
    local    *frame;
    uint64_t *due_ns;                       /* since the unit began, by request */
    uint64_t *taken_ns, *done_ns;           /* readings of the clock: taken up, answered */
    uint64_t *latency_ns;                   /* of one kind, while it is told */
} requests_state;

static visitor *as_visitor(object *o) { return (visitor *)o; }

static void visitor_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(as_visitor(self)->values, REQUESTS_VALUES, visit, context);
    visit(&as_visitor(self)->self, context);
}
static const object_type visitor_type = {.name = "session of a visitor", .bytes = sizeof(visitor), .tracked = true, .visit = visitor_visit};

static size_t requests_bytes(const workload_run *run) {
    return sizeof(requests_state) + 4 * (size_t)run->parameters[REQUESTS_SIZE] * sizeof(uint64_t);
}

/* REQUESTS_NEW = a session whose integers count up from `first`. */
static bool requests_session(workload_run *run, local *frame, int64_t first, bool cyclic) {
    mutator *m = run->mutator;
    if (!object_new(m, &frame[REQUESTS_NEW], &visitor_type, 0)) return false;
    object *made = frame[REQUESTS_NEW].target;
    as_visitor(made)->first = REQUESTS_FIRST + first;
    for (int k = 0; k < REQUESTS_VALUES; k++) {
        if (!integer_new(m, &frame[REQUESTS_VALUE], REQUESTS_FIRST + first + k)) return false;
        field_move(m, made, &as_visitor(made)->values[k], &frame[REQUESTS_VALUE]);
    }
    if (cyclic) field_store(m, made, &as_visitor(made)->self, made);
    return true;
}

static field *requests_place(local *frame, uint64_t i) { return &list_items(frame[REQUESTS_ENTRIES].target)[i]; }

static bool requests_serve(workload_run *run, local *frame, random_generator *g, int64_t number) {
    mutator *m = run->mutator;
    uint64_t table = (uint64_t)run->parameters[REQUESTS_TABLE];
    for (int i = 0; i < REQUESTS_LOOK_UPS; i++) {
        field_load(m, &frame[REQUESTS_FOUND], frame[REQUESTS_ENTRIES].target, requests_place(frame, random_below(g, table)));
        object *found = frame[REQUESTS_FOUND].target;
        field_load(m, &frame[REQUESTS_VALUE], found, &as_visitor(found)->values[random_below(g, REQUESTS_VALUES)]);
        run->checksum = run->checksum * 31 + (uint64_t)(integer_value(frame[REQUESTS_VALUE].target) - as_visitor(found)->first);
    }
    if (!requests_session(run, frame, number, number % REQUESTS_CYCLIC == 0)) return false;
    field_move(m, frame[REQUESTS_ENTRIES].target, requests_place(frame, random_below(g, table)), &frame[REQUESTS_NEW]);
    return true;
}

/* --- the loop --------------------------------------------------------------------------------------------- */

static void requests_draw_gaps(workload_run *run, requests_state *state) {
    random_generator g;
    random_start(&g, run->seed, REQUESTS_GAPS);
    bool uniform = run->parameters[REQUESTS_ARRIVALS] == REQUESTS_UNIFORM;
    double mean_ns = 1e9 / (double)run->parameters[REQUESTS_RATE], due_ns = 0;
    for (int64_t i = 0; i < run->parameters[REQUESTS_SIZE]; i++) {
        due_ns += uniform ? mean_ns : -mean_ns * log(1 - (double)(random_next(&g) >> 11) * 0x1p-53);
        state->due_ns[i] = (uint64_t)due_ns;
    }
}

/* The time now, which is not before the request is due. *late: it was due already. */
static uint64_t requests_wait(workload_run *run, uint64_t due_ns, int64_t *late) {
    uint64_t now_ns = latency_clock_ns();
    *late += now_ns > due_ns;
    for (; now_ns < due_ns; now_ns = latency_clock_ns())
        mutator_poll(run->mutator);
    return now_ns;
}

static void requests_stall(workload_run *run) {
    uint64_t until_ns = latency_clock_ns() + 1000 * (uint64_t)run->parameters[REQUESTS_STALL];
    while (latency_clock_ns() < until_ns) {}
}

/* Detached: another thread may still be answering, and must not wait for this one to sort. */
static void requests_say(workload_run *run, const requests_state *state, uint64_t begun_ns) {
    static const latency_names simple = LATENCY_NAMES("simple"), metered = LATENCY_NAMES("metered"), smoothed = LATENCY_NAMES("smoothed");
    int64_t size = run->parameters[REQUESTS_SIZE];
    uint64_t *ns = state->latency_ns;
    mutator_detach(run->mutator);
    for (int64_t i = 0; i < size; i++) ns[i] = state->done_ns[i] - state->taken_ns[i];
    latencies_say(run, &simple, ns, size);
    for (int64_t i = 0; i < size; i++) ns[i] = state->done_ns[i] - (begun_ns + state->due_ns[i]);
    latencies_say(run, &metered, ns, size);
    latencies_smooth(ns, state->taken_ns, state->done_ns, size, 1000000 * (uint64_t)run->parameters[REQUESTS_WINDOW]);
    latencies_say(run, &smoothed, ns, size);
    mutator_attach(run->mutator);
}

static bool requests_unit(workload_run *run) {
    requests_state *state = run->state;
    int64_t size = run->parameters[REQUESTS_SIZE], late = 0;
    random_generator g;
    random_start(&g, run->seed, REQUESTS_WORK);
    uint64_t begun_ns = latency_clock_ns();
    for (int64_t i = 0; i < size; i++) {
        mutator_poll(run->mutator);
        if (i == size / 2 && run->parameters[REQUESTS_STALL] != 0) requests_stall(run);
        state->taken_ns[i] = requests_wait(run, begun_ns + state->due_ns[i], &late);
        if (!requests_serve(run, state->frame, &g, i)) return false;
        state->done_ns[i] = latency_clock_ns();
    }
    requests_say(run, state, begun_ns);
    run->figure(run, "late_share", (double)late / (double)size);
    run->moment(run, "served");
    return true;
}

static bool requests_prepare(workload_run *run) {
    requests_state *state = run->state = workload_map(requests_bytes(run));
    if (state == NULL) return false;
    state->due_ns = (uint64_t *)(state + 1);
    state->taken_ns = state->due_ns + run->parameters[REQUESTS_SIZE];
    state->done_ns = state->taken_ns + run->parameters[REQUESTS_SIZE];
    state->latency_ns = state->done_ns + run->parameters[REQUESTS_SIZE];
    requests_draw_gaps(run, state);
    local *frame = state->frame = frame_open(run->mutator, REQUESTS_LOCALS);
    bool made = list_new(run->mutator, &frame[REQUESTS_ENTRIES]);
    for (int64_t i = 0; made && i < run->parameters[REQUESTS_TABLE]; i++)
        made = requests_session(run, frame, i, false) && list_push(run->mutator, &frame[REQUESTS_ENTRIES], &frame[REQUESTS_NEW]);
    return made;
}

static void requests_finish(workload_run *run) {
    requests_state *state = run->state;
    if (state == NULL) return;
    if (state->frame != NULL) frame_close(run->mutator, state->frame);
    workload_unmap(state, requests_bytes(run));
    run->state = NULL;
}

static unsigned requests_needs(const workload_run *run) {
    return COLLECTOR_FREES_CYCLES | (run->threads > 1 ? COLLECTOR_THREADS : 0);
}

static workload_operations requests_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[REQUESTS_SIZE];
    return (workload_operations){.operations = size, .allocations = size * (1 + REQUESTS_VALUES),
                                 .bytes = size * (sizeof(visitor) - sizeof(object) + REQUESTS_VALUES * sizeof(int64_t)),
                                 .references = size * 2 * REQUESTS_LOOK_UPS + (size + REQUESTS_CYCLIC - 1) / REQUESTS_CYCLIC};
}

const workload requests_workload = {
    .name = "requests", .idea = "a server in an open loop: how long those wait who come while memory is managed",
    .operation = "request", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "requests in a unit", .value = 5000, .minimum = 1, .maximum = 10000000},
                   {.name = "table", .meaning = "live sessions", .value = 10000, .minimum = 1, .maximum = 10000000},
                   {.name = "rate", .meaning = "requests due in a second", .value = 100000, .minimum = 1, .maximum = 1000000000},
                   {.name = "stall_us", .meaning = "microseconds of a planted pause", .value = 0, .minimum = 0, .maximum = 10000000},
                   {.name = "arrivals", .meaning = "gaps between requests", .choices = "exponential|uniform", .maximum = 1},
                   {.name = "window_ms", .meaning = "milliseconds over which starts are smoothed", .value = 100, .minimum = 1, .maximum = 1000000}},
    .needs = requests_needs, .declare = requests_declare,
    .prepare = requests_prepare, .unit = requests_unit, .finish = requests_finish,
};
