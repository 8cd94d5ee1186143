/* SPDX-License-Identifier: MIT
 * race.c - n threads take and drop references to one object, as often as they say, and then its count is read.
 *
 *   order=apart    all take `size` references    | count: how many takes are missing?
 *                  all drop them again           | count: how many drops are missing?
 *   order=takes    the same, but the drops are made by one thread after the other: only takes can be lost
 *   order=drops    and here only drops
 *   order=mixed    take, drop, take, drop ...    | count: how far off is it?
 *
 * A count that is right has lost nothing; `racy` shows what a plain one loses, every other collector that nothing
 * is lost. A lost drop only leaks. A lost take lets the object die while it is in use: `racy` keeps the memory
 * of the dead, and counts whoever still touches it (premature_touches), and deaths of the dead (double_deaths).
 *
 * Figures: lost_takes, lost_drops, or count_error (what the count is above the truth); premature_touches, double_deaths.
 * Exercises: one count, from as many threads as there are.
 * Source: the race that talks on the GIL show, x += 1 as load, add and store; PEP 703 on why counts need care.
 * Not claimed: that programs fight for one object so. size = references each thread takes in a unit.
 */
#include "meeting.h"
#include "values.h"

enum { RACE_SIZE, RACE_ORDER };
enum { RACE_APART, RACE_MIXED, RACE_TAKES, RACE_DROPS };
enum { RACE_GLOBAL = VALUES_GLOBALS_USED };

typedef struct prize { object header; uint64_t id; } prize;

typedef struct race_shared {
    pthread_barrier_t meeting;
    bool              refused;          /* thread 0 found no memory for the prize */
} race_shared;

static const object_type prize_type = {.name = "prize", .bytes = sizeof(prize), .visit = object_visit_nothing};

static bool race_prepare(workload_run *run) {
    if (run->thread != 0) return true;
    race_shared *shared = *run->shared = workload_map(sizeof *shared);
    if (shared == NULL) return false;
    meeting_open(&shared->meeting, run);
    return true;
}

static void race_meet(workload_run *run) { meeting_wait(&((race_shared *)*run->shared)->meeting, run); }

/* held = a new prize for all, made by thread 0 and found by the others. False: heap full, said to all. */
static bool race_begin(workload_run *run, local *held) {
    mutator *m = run->mutator;
    race_shared *shared = *run->shared;
    if (run->thread == 0) {
        shared->refused = !object_new(m, held, &prize_type, 0);
        if (!shared->refused) {
            ((prize *)held->target)->id = 7;
            field_store(m, collector_globals(), collector_global(RACE_GLOBAL), held->target);
        }
    }
    race_meet(run);
    if (!shared->refused && run->thread != 0) field_load(m, held, collector_globals(), collector_global(RACE_GLOBAL));
    race_meet(run);
    return !shared->refused;
}

/* The count, read by thread 0 while the others wait; as it is signed, one that fell below zero shows. */
static int64_t race_count(workload_run *run, const local *held) {
    race_meet(run);
    mutator_poll(run->mutator);                         /* what others have left to its owner is merged */
    int64_t count = (int32_t)object_references(held->target);
    race_meet(run);
    return count;
}

static void race_take(workload_run *run, const local *held, local *taken) {
    for (int64_t i = 0; i < run->parameters[RACE_SIZE]; i++) {
        local_set(run->mutator, &taken[i], held->target);
        mutator_poll(run->mutator);
    }
}

static void race_drop(workload_run *run, const local *held, local *taken) {
    (void)held;
    frame_close(run->mutator, taken);
}

/* All threads at once, or each when the one before it is done. */
static void race_act(workload_run *run, bool at_once, void (*act)(workload_run *, const local *, local *), const local *held, local *taken) {
    if (at_once) {
        act(run, held, taken);
        return;
    }
    for (unsigned turn = 0; turn < run->threads; turn++) {
        if (turn == run->thread) act(run, held, taken);
        race_meet(run);
    }
}

static void race_apart(workload_run *run, const local *held) {
    int64_t order = run->parameters[RACE_ORDER], size = run->parameters[RACE_SIZE], all = size * run->threads;
    local *taken = frame_open(run->mutator, (size_t)size);
    int64_t before = race_count(run, held);
    race_act(run, order != RACE_DROPS, race_take, held, taken);
    int64_t between = race_count(run, held);
    run->moment(run, "taken");
    race_act(run, order != RACE_TAKES, race_drop, held, taken);
    int64_t after = race_count(run, held);
    if (run->thread != 0) return;
    run->figure(run, "lost_takes", (double)(before + all - between));
    run->figure(run, "lost_drops", (double)(after - (between - all)));
}

static void race_mixed(workload_run *run, const local *held) {
    mutator *m = run->mutator;
    local *taken = frame_open(m, 1);
    int64_t before = race_count(run, held);
    for (int64_t i = 0; i < run->parameters[RACE_SIZE]; i++) {
        local_set(m, taken, held->target);
        local_set(m, taken, NULL);
        mutator_poll(m);
    }
    int64_t after = race_count(run, held);
    run->moment(run, "dropped");
    frame_close(m, taken);
    if (run->thread == 0) run->figure(run, "count_error", (double)(after - before));
}

static void race_say_deaths(workload_run *run, const collector_stats *before) {
    collector_stats now;
    linked_collector.stats(&now);
    run->figure(run, "premature_touches", (double)(now.premature - before->premature));
    run->figure(run, "double_deaths", (double)(now.doubled - before->doubled));
}

static bool race_unit(workload_run *run) {
    mutator *m = run->mutator;
    collector_stats before;
    race_meet(run);
    if (run->thread == 0) linked_collector.stats(&before);
    local *held = frame_open(m, 1);
    bool begun = race_begin(run, held);
    if (begun) {
        if (run->parameters[RACE_ORDER] == RACE_MIXED) race_mixed(run, held);
        else race_apart(run, held);
        run->checksum += ((prize *)held->target)->id * (uint64_t)run->parameters[RACE_SIZE];
        if (run->thread == 0) race_say_deaths(run, &before);
    }
    race_meet(run);
    if (run->thread == 0) field_store(m, collector_globals(), collector_global(RACE_GLOBAL), NULL);
    frame_close(m, held);
    return begun;
}

static void race_finish(workload_run *run) {
    if (run->thread != 0 || *run->shared == NULL) return;
    pthread_barrier_destroy(&((race_shared *)*run->shared)->meeting);
    workload_unmap(*run->shared, sizeof(race_shared));
    *run->shared = NULL;
}

static unsigned race_needs(const workload_run *run) {
    return COLLECTOR_READS_COUNTS | (run->threads > 1 ? COLLECTOR_THREADS : 0);
}

/* The prize is thread 0's, and its reference in the globals; of the other threads, the one they load. */
static workload_operations race_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[RACE_SIZE], alone = run->threads == 1;
    return (workload_operations){.operations = size, .allocations = alone, .bytes = alone * sizeof(uint64_t),
                                 .references = size + 1};
}

const workload race_workload = {
    .name = "race", .idea = "threads take and drop a known number of references: how many are lost?",
    .operation = "take and drop", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "references a thread takes", .value = 100000, .minimum = 1, .maximum = 1000000},
                   {.name = "order", .meaning = "all takes before all drops; one by one; or only takes, only drops, at once",
                    .choices = "apart|mixed|takes|drops", .maximum = 3}},
    .needs = race_needs, .declare = race_declare,
    .prepare = race_prepare, .unit = race_unit, .finish = race_finish,
};
