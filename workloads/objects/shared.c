/* SPDX-License-Identifier: MIT
 * shared.c - n threads take and drop references, all to one object or each to its own.
 *
 * `objects=bare` is the floor: an addition to a number in memory and a subtraction, with no count, no local
 * and no collector. `objects=count` changes the count of an own object alone, as code does that keeps the reference in
 * a register; all others store it in a local and clear that again, as a program's names do. `objects=immortal` is one
 * object that never dies, which no thread writes.
 *
 * Exercises: the count itself, and what happens to the cache line it lies in when two cores change it.
 * Only locals are used, so no lock of a field is in the way: this is the price of the count alone.
 * Source: PEP 703 (biased counts exist because of this); Gilectomy, L. Hastings, PyCon 2016.
 * Not claimed: that programs do nothing but this: it bounds the cost from above. size = pairs per thread, between = additions
 * that depend on each other, between a take and its drop: a program does something else too.
 */
#include "values.h"

enum { SHARED_SIZE, SHARED_OBJECTS, SHARED_BETWEEN };
enum { SHARED_ONE, SHARED_OWN, SHARED_BARE, SHARED_COUNT, SHARED_IMMORTAL };
enum { SHARED_GLOBAL = VALUES_GLOBALS_USED };
enum { SHARED_TARGET, SHARED_SCRATCH, SHARED_LOCALS };

typedef struct target { object header; uint64_t id; } target;

static const object_type target_type = {.name = "target", .bytes = sizeof(target), .visit = object_visit_nothing};

static bool shared_make(mutator *m, local *l) {
    if (!object_new(m, l, &target_type, 0)) return false;
    ((target *)l->target)->id = 7;
    return true;
}

static bool shared_prepare(workload_run *run) {
    mutator *m = run->mutator;
    local *frame = frame_open(m, SHARED_LOCALS);
    run->state = frame;
    bool immortal = run->parameters[SHARED_OBJECTS] == SHARED_IMMORTAL;
    bool common = immortal || run->parameters[SHARED_OBJECTS] == SHARED_ONE;
    if (!common) return shared_make(m, &frame[SHARED_TARGET]);
    if (run->thread == 0) {
        if (!shared_make(m, &frame[SHARED_TARGET])) return false;
        if (immortal) object_immortalize(frame[SHARED_TARGET].target);
        field_store(m, collector_globals(), collector_global(SHARED_GLOBAL), frame[SHARED_TARGET].target);
        return true;
    }
    field_load(m, &frame[SHARED_TARGET], collector_globals(), collector_global(SHARED_GLOBAL));
    return true;
}

/* `additions` more, an instruction each, in tens. */
static inline uint64_t shared_work(uint64_t number, int64_t additions) {
#define SHARED_ADD number++; __asm__ volatile("" : "+r"(number));
    for (; additions > 0; additions -= 10) {
        SHARED_ADD SHARED_ADD SHARED_ADD SHARED_ADD SHARED_ADD SHARED_ADD SHARED_ADD SHARED_ADD SHARED_ADD SHARED_ADD
    }
#undef SHARED_ADD
    return number;
}

static void shared_count_bare(workload_run *run, uint64_t *number) {
    for (int64_t i = 0; i < run->parameters[SHARED_SIZE]; i++) {
        ++*number;
        collector_step();
        --*number;
        mutator_poll(run->mutator);
    }
}

static void shared_count_alone(workload_run *run, object *target) {
    mutator *m = run->mutator;
    for (int64_t i = 0; i < run->parameters[SHARED_SIZE]; i++) {
        object_take_and_drop(m, target);
        mutator_poll(m);
    }
}

static void shared_count(workload_run *run, local *frame) {
    mutator *m = run->mutator;
    for (int64_t i = 0; i < run->parameters[SHARED_SIZE]; i++) {
        local_set(m, &frame[SHARED_SCRATCH], frame[SHARED_TARGET].target);
        local_set(m, &frame[SHARED_SCRATCH], NULL);
        mutator_poll(m);
    }
}

static void shared_count_between(workload_run *run, local *frame) {
    mutator *m = run->mutator;
    int64_t between = run->parameters[SHARED_BETWEEN];
    uint64_t number = 0;
    for (int64_t i = 0; i < run->parameters[SHARED_SIZE]; i++) {
        local_set(m, &frame[SHARED_SCRATCH], frame[SHARED_TARGET].target);
        number = shared_work(number, between);
        local_set(m, &frame[SHARED_SCRATCH], NULL);
        mutator_poll(m);
    }
    run->checksum += number;
}

static bool shared_unit(workload_run *run) {
    local *frame = run->state;
    if (run->parameters[SHARED_OBJECTS] == SHARED_BARE) shared_count_bare(run, &((target *)frame[SHARED_TARGET].target)->id);
    else if (run->parameters[SHARED_OBJECTS] == SHARED_COUNT) shared_count_alone(run, frame[SHARED_TARGET].target);
    else if (run->parameters[SHARED_BETWEEN] != 0) shared_count_between(run, frame);
    else shared_count(run, frame);
    run->checksum += ((target *)frame[SHARED_TARGET].target)->id * (uint64_t)run->parameters[SHARED_SIZE];
    return true;
}

static void shared_finish(workload_run *run) {
    if (run->thread == 0)
        field_store(run->mutator, collector_globals(), collector_global(SHARED_GLOBAL), NULL);
    if (run->state != NULL) frame_close(run->mutator, run->state);
    run->state = NULL;
}

static unsigned shared_needs(const workload_run *run) {
    return (run->threads > 1 ? COLLECTOR_THREADS : 0) |
           (run->parameters[SHARED_OBJECTS] == SHARED_COUNT ? COLLECTOR_READS_COUNTS : 0) |
           (run->parameters[SHARED_OBJECTS] == SHARED_IMMORTAL ? COLLECTOR_IMMORTALIZES : 0);
}

static workload_operations shared_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[SHARED_SIZE];
    return (workload_operations){.operations = size,
                                 .references = run->parameters[SHARED_OBJECTS] == SHARED_BARE ? 0 : size};
}

const workload shared_workload = {
    .name = "shared", .idea = "threads take and drop references to one object, or each to its own",
    .operation = "take and drop", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "pairs per thread", .value = 1000000, .minimum = 1, .maximum = 1000000000},
                   {.name = "objects", .meaning = "whose object", .choices = "one|own|bare|count|immortal", .maximum = 4},
                   {.name = "between", .meaning = "additions between a take and its drop, rounded up to tens", .minimum = 0, .maximum = 1000}},
    .needs = shared_needs, .declare = shared_declare,
    .prepare = shared_prepare, .unit = shared_unit, .finish = shared_finish,
};
