/* SPDX-License-Identifier: MIT
 * areas.c - f1 calls f2, then a function calls itself 10,000 deep: which areas of memory grow, and which shrink again?
 *
 *   before -> | f1 | f2: `in f2` | -> after -> | f | f | f ... | f: `deepest` | -> unwound
 *
 * With --areas each moment says what is resident of text, data, heap, stack and the rest (results/README.md). Each call
 * has a C frame (stack), a frame of two locals (locals), and boxed integers (heap, or wherever the collector's objects
 * are; those up to 256 exist once). Figure: objects_born, objects_died.
 * Exercises: deep stacks, as roots too; objects that die in the reverse order of birth.
 * Source: the map of a process that talks on memory draw (text, data, heap, stack), and its stack that grows by calls.
 * Not claimed: CPython's frames, which from 3.11 on lie in chunks on the heap. size = depth.
 */
#include "tally.h"
#include "values.h"

enum { AREAS_SIZE };

/* result = depth, the long way. */
static __attribute__((noinline)) bool areas_call(workload_run *run, local *result, int64_t depth, const char *label) {
    enum { X, BELOW, LOCALS };
    mutator *m = run->mutator;
    if (depth == 0) {
        run->moment(run, label);
        return integer_new(m, result, 0);
    }
    local *frame = frame_open(m, LOCALS);
    mutator_poll(m);
    bool made = integer_new(m, &frame[X], depth) && areas_call(run, &frame[BELOW], depth - 1, label) &&
                integer_new(m, result, integer_value(frame[BELOW].target) + 1);
    assert(!made || integer_value(frame[X].target) == integer_value(result->target));
    frame_close(m, frame);
    return made;
}

static bool areas_unit(workload_run *run) {
    enum { SHALLOW, DEEP, LOCALS };
    local *frame = frame_open(run->mutator, LOCALS);
    collector_stats before = tally_now(run);
    run->moment(run, "before");
    bool made = areas_call(run, &frame[SHALLOW], 2, "in f2");
    run->moment(run, "after");
    made = made && areas_call(run, &frame[DEEP], run->parameters[AREAS_SIZE], "deepest");
    if (made) run->checksum += (uint64_t)(integer_value(frame[DEEP].target) + integer_value(frame[SHALLOW].target));
    frame_close(run->mutator, frame);
    run->moment(run, "unwound");
    tally_say(run, &before);
    return made;
}

static unsigned areas_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

/* Two integers a call, and the 0 at the bottom; the two shallow calls have small ones alone. */
static workload_operations areas_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[AREAS_SIZE], made = 2 * integers_not_small(1, 1, size);
    return (workload_operations){.operations = size, .allocations = made, .bytes = made * sizeof(int64_t),
                                 .references = 2 * 2 + 1 + 2 * size + 1 - made};
}

const workload areas_workload = {
    .name = "areas", .idea = "f1 calls f2, and a function itself, deep: text, data, heap and stack meanwhile",
    .operation = "call", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "calls deep", .value = 10000, .minimum = 1, .maximum = 20000}},
    .needs = areas_needs, .declare = areas_declare,
    .prepare = integers_open, .unit = areas_unit, .finish = integers_close,
};
