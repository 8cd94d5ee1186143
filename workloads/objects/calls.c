/* SPDX-License-Identifier: MIT
 * calls.c - frames, arguments and boxed integers: f1 calls f2, again and again.
 *
 *   def f2(x): x = x + 1; return x          for i in range(size):
 *   def f1(x): x = x * 2; y = f2(x); return y     z = f1(i)          or f1(5), again and again
 *
 * Exercises: short-lived leaves, and takes and drops of references to arguments and results: the daily
 * bread of an interpreter. Integers up to 256 are shared and never made: `argument=five` gives 5, 10 and 11,
 * and nothing is born or freed, which the figures say. How deep calls nest is areas.c's.
 * Source: the scene of stack and heap that talks on CPython's memory show; that most objects die young is
 * Ungar's observation, "Generation scavenging", 1984.
 * Not claimed: the instructions of an interpreter's dispatch. size = calls of f1 per unit.
 */
#include "tally.h"
#include "values.h"

enum { CALLS_SIZE, CALLS_ARGUMENT };
enum { CALLS_EACH, CALLS_FIVE };

/* Returns through `result`, which belongs to the caller's frame. */
static bool calls_f2(mutator *m, local *result, object *argument) {
    local *x = frame_open(m, 1);
    local_set(m, x, argument);
    mutator_poll(m);
    bool made = integer_new(m, x, integer_value(x->target) + 1);
    if (made) local_set(m, result, x->target);
    frame_close(m, x);
    return made;
}

static bool calls_f1(mutator *m, local *result, object *argument) {
    enum { X, Y, LOCALS };
    local *frame = frame_open(m, LOCALS);
    local_set(m, &frame[X], argument);
    mutator_poll(m);
    bool made = integer_new(m, &frame[X], integer_value(frame[X].target) * 2) &&
                calls_f2(m, &frame[Y], frame[X].target);
    if (made) local_set(m, result, frame[Y].target);
    frame_close(m, frame);
    return made;
}

static bool calls_unit(workload_run *run) {
    enum { I, Z, LOCALS };
    mutator *m = run->mutator;
    bool five = run->parameters[CALLS_ARGUMENT] == CALLS_FIVE;
    collector_stats before = tally_now(run);
    local *frame = frame_open(m, LOCALS);
    bool made = true;
    for (int64_t i = 0; made && i < run->parameters[CALLS_SIZE]; i++) {
        mutator_poll(m);
        made = integer_new(m, &frame[I], five ? 5 : i) && calls_f1(m, &frame[Z], frame[I].target);
        if (made) run->checksum = run->checksum * 31 + (uint64_t)integer_value(frame[Z].target);
    }
    frame_close(m, frame);
    tally_say(run, &before);
    return made;
}

static unsigned calls_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

static workload_operations calls_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[CALLS_SIZE];
    bool five = run->parameters[CALLS_ARGUMENT] == CALLS_FIVE;
    uint64_t made = five ? 0 : integers_not_small(0, 1, size) + integers_not_small(0, 2, size) + integers_not_small(1, 2, size);
    return (workload_operations){
        .operations = size,
        .allocations = made,
        .bytes = made * sizeof(int64_t),
        .references = 4 * size + (3 * size - made),     /* arguments and results; and every shared integer */
    };
}

const workload calls_workload = {
    .name = "calls", .idea = "f1 calls f2 with boxed integers: frames, arguments, results",
    .operation = "call of f1", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "calls per unit", .value = 100000, .minimum = 1, .maximum = 100000000},
                   {.name = "argument", .meaning = "of f1: each number in turn, or 5", .choices = "each|five", .maximum = 1}},
    .needs = calls_needs, .declare = calls_declare,
    .prepare = integers_open, .unit = calls_unit, .finish = integers_close,
};
