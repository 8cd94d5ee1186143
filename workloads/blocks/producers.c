/* SPDX-License-Identifier: MIT
 * producers.c - one thread makes blocks and never releases any; another releases them and never makes one.
 *
 *     thread 0 makes --> | batch being filled | batch being emptied | --> thread 1 releases;  2 --> 3;  4 alone does both
 *
 * Exercises: memory that flows one way. An allocator that keeps what a thread releases for that thread starves the
 * producer and drowns the consumer: with purely private heaps the heap grows without bound, though no more than two
 * batches are ever alive.
 * Source: Berger, McKinley, Blumofe & Wilson, Hoard: a scalable memory allocator for multithreaded applications,
 * ASPLOS 2000: producer and consumer is the program in which they call the blow-up unbounded.
 * Not claimed: that queues are this fast or this fair. Hand-over by batches keeps the cost of waiting out.
 * size = bytes of a block, count = blocks per thread (a producer makes twice as many), batch = handed over at once.
 *
 * A consumer's live bytes go down as its producer's go up: only their sum is anybody's.
 * (I1) Between units all belts are empty, and as many batches were taken as sent.
 */
#include "crowd.h"
#include "slot.h"

enum { PRODUCERS_SIZE, PRODUCERS_COUNT, PRODUCERS_BATCH };
enum { PRODUCERS_BATCHES = 2 };             /* on a belt: one is filled while the other is emptied */

typedef struct producers_belt {
    crowd_count sent, taken;                /* batches, ever */
    slot       *slots;                      /* PRODUCERS_BATCHES times batch; NULL: not made */
} producers_belt;

typedef struct producers_shared {
    crowd          threads;
    producers_belt belts[];                 /* threads 2i and 2i + 1 share the i-th */
} producers_shared;

typedef struct producers_thread { uint64_t batches; } producers_thread;     /* sent or taken so far */

static unsigned producers_needs(const workload_run *run) {
    (void)run;
    return 0;
}

static workload_operations producers_declare(const workload_run *run) {
    uint64_t count = (uint64_t)run->parameters[PRODUCERS_COUNT];
    return (workload_operations){
        .operations = count, .allocations = count, .bytes = count * (uint64_t)run->parameters[PRODUCERS_SIZE],
    };
}

static size_t producers_belt_bytes(const workload_run *run) {
    return PRODUCERS_BATCHES * (size_t)run->parameters[PRODUCERS_BATCH] * sizeof(slot);
}

static size_t producers_shared_bytes(const workload_run *run) {
    return sizeof(producers_shared) + (run->threads + 1) / 2 * sizeof(producers_belt);
}

static producers_belt *producers_belt_of(const workload_run *run) {
    producers_shared *shared = *run->shared;
    return shared ? &shared->belts[run->thread / 2] : NULL;
}

static bool producers_makes(const workload_run *run) { return run->thread % 2 == 0; }
static bool producers_alone(const workload_run *run) { return producers_makes(run) && run->thread + 1 == run->threads; }

static bool producers_prepare(workload_run *run) {
    if (run->thread == 0) {
        producers_shared *shared = *run->shared = workload_map(producers_shared_bytes(run));
        if (!shared) return false;
        crowd_start(&shared->threads);
    }
    producers_belt *belt = producers_belt_of(run);
    if (producers_makes(run)) belt->slots = workload_map(producers_belt_bytes(run));
    run->state = workload_map(sizeof(producers_thread));
    return run->state && (belt->slots || !producers_makes(run));
}

/* Blocks from .. to - 1 of a unit, into the belt. */
static bool producers_make(workload_run *run, slot *slots, uint64_t from, uint64_t to) {
    uint64_t first = (uint64_t)(run->thread / 2) << 40;
    for (uint64_t number = from; number < to; number++)
        if (!slot_fill(run, slots++, (uint32_t)run->parameters[PRODUCERS_SIZE], first, (uint32_t)number)) return false;
    return true;
}

static bool producers_take(workload_run *run, slot *slots, uint64_t from, uint64_t to) {
    uint64_t first = (uint64_t)(run->thread / 2) << 40;
    for (uint64_t number = from; number < to; number++)
        if (!slot_empty(run, slots++, first)) return false;
    return true;
}

/* One batch: wait until it may be filled or emptied, do so, and say so. */
static bool producers_pass(workload_run *run, producers_belt *belt, slot *slots, uint64_t from, uint64_t to) {
    producers_shared *shared = *run->shared;
    uint64_t number = ((producers_thread *)run->state)->batches++;
    if (producers_makes(run)) {
        uint64_t taken = number < PRODUCERS_BATCHES ? 0 : number - PRODUCERS_BATCHES + 1;
        if (!crowd_await(&shared->threads, &belt->taken, taken)) return false;
        if (!producers_make(run, slots, from, to)) return crowd_break(&shared->threads);
        if (from == 0) run->moment(run, "a batch made");
        crowd_add(&shared->threads, &belt->sent);
    }
    if (!producers_makes(run) || producers_alone(run)) {
        if (!crowd_await(&shared->threads, &belt->sent, number + 1)) return false;
        if (!producers_take(run, slots, from, to)) return crowd_break(&shared->threads);
        crowd_add(&shared->threads, &belt->taken);
    }
    return true;
}

static bool producers_unit(workload_run *run) {
    producers_belt *belt = producers_belt_of(run);
    const producers_thread *self = run->state;
    uint64_t batch = (uint64_t)run->parameters[PRODUCERS_BATCH], count = (uint64_t)run->parameters[PRODUCERS_COUNT];
    if (!producers_alone(run)) count *= 2;
    for (uint64_t from = 0; from < count; from += batch) {
        slot *slots = belt->slots + self->batches % PRODUCERS_BATCHES * batch;
        if (!producers_pass(run, belt, slots, from, from + batch < count ? from + batch : count)) return false;
    }
    return true;
}

static void producers_finish(workload_run *run) {
    producers_belt *belt = producers_belt_of(run);
    if (belt && belt->slots && producers_makes(run)) {
        slot_drop_all(run, belt->slots, PRODUCERS_BATCHES * (size_t)run->parameters[PRODUCERS_BATCH]);
        workload_unmap(belt->slots, producers_belt_bytes(run));
    }
    workload_unmap(run->state, sizeof(producers_thread));
    run->state = NULL;
    run->live_bytes = 0;
    if (run->thread > 0) return;
    workload_unmap(*run->shared, producers_shared_bytes(run));
    *run->shared = NULL;
}

const workload producers_workload = {
    .name = "producers", .idea = "one thread makes blocks, another releases them (producer and consumer)",
    .operation = "block", .kind = WORKLOAD_ON_BLOCKS, .threaded = true,
    .parameters = {
        [PRODUCERS_SIZE]  = {.name = "size", .meaning = "bytes of a block", .value = 64, .minimum = 1, .maximum = 1 << 20},
        [PRODUCERS_COUNT] = {.name = "count", .meaning = "blocks per thread in a unit", .value = 50000, .minimum = 1,
                             .maximum = 100000000},
        [PRODUCERS_BATCH] = {.name = "batch", .meaning = "blocks handed over at once", .value = 1000, .minimum = 1,
                             .maximum = 1000000},
    },
    .needs = producers_needs, .declare = producers_declare,
    .prepare = producers_prepare, .unit = producers_unit, .finish = producers_finish,
};
