/* SPDX-License-Identifier: MIT
 * fork.c - a child of fork looks at the parent's objects: how many pages does it get copies of?
 *
 *   parent   | o o o o o o ... |      pages are shared ...
 *   child    | o o * o o o ... |      ... until one of the two writes to one: then it is copied
 *
 *   child=reads      it takes and drops a reference to each object, in the order of birth, as a loop in Python does
 *   child=collects   it runs a full collection
 *   objects=counted, or immortal (their counts are never written to), or frozen (the collector leaves them alone)
 *
 * Figures: dirtied_bytes, pages that became the child's own while it looked; dirtied_share, of what the objects take
 * with headers. A child that writes counts dirties all of it; immortal objects stay shared, and so do frozen ones under
 * a collection, but not under reads.
 * Exercises: counts, and links and marks of a collector, as writes.
 * Source: "Dismissing Python garbage collection at Instagram", 2017, and "Copy-on-write friendly Python garbage
 * collection", Z. Chou, 2017: gc.freeze; PEP 683, on immortal objects and fork.
 * Not claimed: that a child looks at everything. size = objects; one unit is one child.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kernel.h"
#include "values.h"

enum { FORK_SIZE, FORK_CHILD, FORK_OBJECTS };
enum { FORK_READS, FORK_COLLECTS };
enum { FORK_COUNTED, FORK_IMMORTAL, FORK_FROZEN };
enum { FORK_LIST, FORK_ONE, FORK_LOCALS };

typedef struct record { object header; field other; uint64_t id; } record;

static void record_visit(object *self, field_visitor *visit, void *context) { visit(&((record *)self)->other, context); }
static const object_type record_type = {.name = "record", .bytes = sizeof(record), .tracked = true, .visit = record_visit};

static void fork_freeze(void) {
#ifdef CYCLES_FREEZES
    generational_freeze();
#endif
}
static void fork_unfreeze(void) {
#ifdef CYCLES_FREEZES
    generational_unfreeze();
#endif
}

static bool fork_prepare(workload_run *run) {
    mutator *m = run->mutator;
    local *frame = run->state = frame_open(m, FORK_LOCALS);
    bool made = list_new(m, &frame[FORK_LIST]);
    for (int64_t i = 0; made && i < run->parameters[FORK_SIZE]; i++) {
        made = object_new(m, &frame[FORK_ONE], &record_type, 0);
        if (!made) break;
        ((record *)frame[FORK_ONE].target)->id = (uint64_t)i;
        made = list_append(m, &frame[FORK_LIST], frame[FORK_ONE].target);
    }
    local_set(m, &frame[FORK_ONE], NULL);
    for (int64_t i = 0; made && run->parameters[FORK_OBJECTS] == FORK_IMMORTAL && i < run->parameters[FORK_SIZE]; i++)
        object_immortalize(field_peek(&list_items(frame[FORK_LIST].target)[i]));
    if (made && run->parameters[FORK_OBJECTS] == FORK_FROZEN) {
        collector_collect(m, COLLECTOR_GENERATIONS - 1);
        fork_freeze();
    }
    return made;
}

static void fork_finish(workload_run *run) {
    if (run->state == NULL) return;
    if (run->parameters[FORK_OBJECTS] == FORK_FROZEN) fork_unfreeze();
    frame_close(run->mutator, run->state);
    run->state = NULL;
}

/* --- the child ---------------------------------------------------------------------------------------- */

typedef struct fork_report { uint64_t dirtied_bytes, sum; } fork_report;

static uint64_t fork_read_all(mutator *m, local *frame) {
    uint64_t sum = 0;
    for (size_t i = 0; i < list_used(frame[FORK_LIST].target); i++) {
        field_load(m, &frame[FORK_ONE], frame[FORK_LIST].target, &list_items(frame[FORK_LIST].target)[i]);
        sum += ((record *)frame[FORK_ONE].target)->id;
        mutator_poll(m);
    }
    local_set(m, &frame[FORK_ONE], NULL);
    return sum;
}

_Noreturn static void fork_child(workload_run *run, int out) {
    fork_report report = {.sum = 0};
    kernel_private_dirty();                             /* its buffer, and what fork itself dirties, are not counted */
    uint64_t before = kernel_private_dirty();
    if (run->parameters[FORK_CHILD] == FORK_READS) report.sum = fork_read_all(run->mutator, run->state);
    else collector_collect(run->mutator, COLLECTOR_GENERATIONS - 1);
    report.dirtied_bytes = kernel_private_dirty() - before;
    _exit(write(out, &report, sizeof report) == sizeof report ? 0 : 1);
}

/* --- the parent --------------------------------------------------------------------------------------- */

/* False: the OS refused a child, or `why` says that it did not come to its end. */
static bool fork_ask_child(workload_run *run, fork_report *report) {
    int ends[2], status = 1;
    if (pipe(ends) != 0) return false;
    pid_t child = fork();
    if (child == 0) fork_child(run, ends[1]);
    close(ends[1]);
    bool told = child > 0 && read(ends[0], report, sizeof *report) == sizeof *report;
    close(ends[0]);
    if (child < 0) return false;
    waitpid(child, &status, 0);
    if (!told || status != 0) snprintf(run->why, sizeof run->why, "fork: the child did not come to its end");
    return told && status == 0;
}

static bool fork_unit(workload_run *run) {
    fork_report report;
    if (!fork_ask_child(run, &report)) return false;
    size_t object_bytes = linked_collector.tracked_header_bytes + sizeof(record) - sizeof(object);
    run->figure(run, "dirtied_bytes", (double)report.dirtied_bytes);
    run->figure(run, "dirtied_share", (double)report.dirtied_bytes / ((double)run->parameters[FORK_SIZE] * (double)object_bytes));
    run->checksum += report.sum + (uint64_t)run->parameters[FORK_SIZE];
    return true;
}

static unsigned fork_needs(const workload_run *run) {
    int64_t objects = run->parameters[FORK_OBJECTS];
    return (objects == FORK_IMMORTAL ? COLLECTOR_IMMORTALIZES : 0) | (objects == FORK_FROZEN ? COLLECTOR_FREEZES : 0);
}

/* What the child counts, it counts in its own memory. */
static workload_operations fork_declare(const workload_run *run) {
    return (workload_operations){.operations = (uint64_t)run->parameters[FORK_SIZE]};
}

const workload fork_workload = {
    .name = "fork", .idea = "a child of fork looks at all objects of its parent: which pages are copied?",
    .operation = "object looked at in a child", .kind = WORKLOAD_ON_OBJECTS,
    .parameters = {{.name = "size", .meaning = "objects", .value = 1000000, .minimum = 1, .maximum = 100000000},
                   {.name = "child", .meaning = "what it does", .choices = "reads|collects", .maximum = 1},
                   {.name = "objects", .meaning = "what they are", .choices = "counted|immortal|frozen", .maximum = 2}},
    .needs = fork_needs, .declare = fork_declare,
    .prepare = fork_prepare, .unit = fork_unit, .finish = fork_finish,
};
