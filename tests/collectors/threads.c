/* SPDX-License-Identifier: MIT
 * threads.c - mutators that run at once, or take turns, on one heap: nothing is lost, nothing dies early.
 *
 * Objects are linked from younger to older only, so that counting alone must free them all. Run under
 * ThreadSanitizer this is the proof of the counts, the loads and the weak references.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "heap.h"

enum { STEPS = 20000, SLOTS = 8, WEAK_SLOT = SLOTS };

typedef struct aged { object header; field a, b; weak_list weak; uint64_t age; uint64_t canary; } aged;

static void aged_visit(object *self, field_visitor *visit, void *context) { fields_visit(&((aged *)self)->a, 2, visit, context); }
static const object_type aged_type = {.name = "aged", .bytes = sizeof(aged), .tracked = true, .visit = aged_visit,
                                      .weak_list_offset = offsetof(aged, weak)};

static atomic_uint_fast64_t aged_births;
static atomic_uint callbacks;

static void count_callback(mutator *m, object *weak, void *context) {
    (void)m, (void)weak, (void)context;
    atomic_fetch_add(&callbacks, 1);
}

static uint64_t canary_of(uint64_t age) { return age * 0x9E3779B97F4A7C15u ^ 0x5DEECE66Du; }
static aged *as_aged(const local *l) {
    aged *o = (aged *)l->target;
    if (o != NULL) assert_true(o->canary == canary_of(o->age));        /* a block that was freed has other bytes */
    return o;
}

static bool aged_new(mutator *m, local *l) {
    if (!object_new(m, l, &aged_type, 0)) return false;
    aged *o = (aged *)l->target;
    o->age = atomic_fetch_add(&aged_births, 1) + 1;
    o->canary = canary_of(o->age);
    return true;
}

/* One random act on eight locals, the eight first globals, and whatever hangs off them. */
static void act(mutator *m, local *frame, uint64_t *seed) {
    uint64_t random = support_random(seed);
    local *l = &frame[random % SLOTS], *other = &frame[random / 8 % SLOTS];
    field *global = collector_global(random / 64 % SLOTS);
    switch (random / 512 % 8) {
    case 0: assert_true(aged_new(m, l)); break;
    case 1: field_load(m, l, collector_globals(), global); as_aged(l); break;
    case 2: field_store(m, collector_globals(), global, l->target); break;
    case 3:                                             /* younger -> older: no cycles */
        if (as_aged(l) != NULL && as_aged(other) != NULL && as_aged(l)->age > as_aged(other)->age)
            field_store(m, l->target, random & 1 ? &as_aged(l)->a : &as_aged(l)->b, other->target);
        break;
    case 4: if (as_aged(l) != NULL) { field_load(m, other, l->target, &as_aged(l)->a); as_aged(other); } break;
    case 5:
        if (l->target != NULL)
            assert_true(weak_new(m, &frame[WEAK_SLOT], l->target, random & 1 ? count_callback : NULL, NULL));
        break;
    case 6: if (frame[WEAK_SLOT].target != NULL) { weak_get(m, l, frame[WEAK_SLOT].target); as_aged(l); } break;
    default: local_set(m, l, NULL);
    }
}

static void aged_finalize(mutator *m, object *self) {         /* one in four comes back */
    if (((aged *)self)->age % 4 == 0)
        field_store(m, collector_globals(), collector_global(((aged *)self)->age % SLOTS), self);
}
static const object_type phoenix_aged_type = {.name = "aged phoenix", .bytes = sizeof(aged), .tracked = true,
                                              .visit = aged_visit, .weak_list_offset = offsetof(aged, weak),
                                              .finalize = aged_finalize};

/* Rings with finalizers, some of which resurrect, dropped while other threads work; now and then a collection. */
static void *litter(void *seed_at) {
    uint64_t seed = *(uint64_t *)seed_at;
    mutator *m = linked_collector.enter();
    assert_non_null(m);
    local *frame = frame_open(m, SLOTS + 1);
    for (int step = 0; step < STEPS / 4; step++) {
        assert_true(object_new(m, &frame[0], step % 8 ? &aged_type : &phoenix_aged_type, 0));
        aged *ring = (aged *)frame[0].target;
        ring->age = atomic_fetch_add(&aged_births, 1) + 1;
        ring->canary = canary_of(ring->age);
        field_store(m, &ring->header, &ring->a, frame[0].target);
        field_load(m, &frame[1], collector_globals(), collector_global((unsigned)step % SLOTS));
        field_store(m, frame[0].target, &as_aged(&frame[0])->b, frame[1].target);
        act(m, frame, &seed);
        if (step % 16 == 0) mutator_poll(m);
        if (step % 500 == 499) collector_collect(m, 2);
    }
    frame_close(m, frame);
    linked_collector.leave(m);
    return NULL;
}

static void *mutate(void *seed_at) {
    uint64_t seed = *(uint64_t *)seed_at;
    mutator *m = linked_collector.enter();
    assert_non_null(m);
    local *frame = frame_open(m, SLOTS + 1);
    for (int step = 0; step < STEPS; step++) {
        act(m, frame, &seed);
        if (step % 64 == 0) mutator_poll(m);
        if (step % 4096 == 0) {                         /* as around I/O */
            mutator_detach(m);
            nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
            mutator_attach(m);
        }
    }
    frame_close(m, frame);
    linked_collector.leave(m);
    return NULL;
}

#ifdef COUNT_CONDEMNS
enum { COUNTS_RACE = 1 };
#else
enum { COUNTS_RACE = 0 };
#endif

TEST(threads_that_share_a_heap_lose_nothing_and_free_everything) {
    NEEDS(COLLECTOR_THREADS);
    if (COUNTS_RACE) support_skip("the row's counts race");
    heap_run_threads(mutate, HEAP_THREADS);
    for (unsigned i = 0; i < SLOTS; i++)
        field_store(heap_mutator, collector_globals(), collector_global(i), NULL);
    heap_collect(2);
    heap_expect_alive(0);
}

static void empty_globals_and_expect_nothing(void) {
    for (int round = 0; round < 3; round++) {           /* finalizers of the last may put something back */
        for (unsigned i = 0; i < SLOTS; i++)
            field_store(heap_mutator, collector_globals(), collector_global(i), NULL);
        heap_collect(2);
    }
    heap_expect_alive(0);
}

TEST(collections_among_running_threads_find_all_rings_and_nothing_else) {
    NEEDS(COLLECTOR_THREADS | COLLECTOR_FREES_CYCLES);
    heap_run_threads(litter, HEAP_THREADS);
    empty_globals_and_expect_nothing();
}

/* --- callbacks of weak references, when the target dies in other hands ------------------------------- */

static void *make_a_global(void *unused) {
    (void)unused;
    mutator *m = linked_collector.enter();
    assert_non_null(m);
    local *frame = frame_open(m, 1);
    assert_true(aged_new(m, frame));
    field_move(m, collector_globals(), collector_global(0), frame);
    frame_close(m, frame);
    linked_collector.leave(m);
    return NULL;
}
static void *drop_the_global(void *unused) {
    (void)unused;
    mutator *m = linked_collector.enter();
    assert_non_null(m);
    field_store(m, collector_globals(), collector_global(0), NULL);
    linked_collector.leave(m);
    return NULL;
}
static void *collect_once(void *unused) {
    (void)unused;
    mutator *m = linked_collector.enter();
    assert_non_null(m);
    collector_collect(m, 2);
    linked_collector.leave(m);
    return NULL;
}

TEST(a_callback_runs_though_another_thread_ends_the_target) {
    NEEDS(COLLECTOR_THREADS | COLLECTOR_WEAK_REFERENCES | COLLECTOR_EXACT_COUNTS);
    atomic_store(&callbacks, 0);
    heap_run_threads(make_a_global, 1);
    field_load(heap_mutator, &heap_locals[0], collector_globals(), collector_global(0));
    assert_true(weak_new(heap_mutator, &heap_locals[1], heap_locals[0].target, count_callback, NULL));
    local_set(heap_mutator, &heap_locals[0], NULL);
    heap_run_threads(drop_the_global, 1);
    mutator_poll(heap_mutator);
    assert_int_equal(atomic_load(&callbacks), 1);
}

TEST(a_callback_runs_though_another_thread_finds_the_target_unreachable) {
    NEEDS(COLLECTOR_THREADS | COLLECTOR_WEAK_REFERENCES | COLLECTOR_FREES_CYCLES);
    atomic_store(&callbacks, 0);
    assert_true(aged_new(heap_mutator, &heap_locals[0]));
    field_store(heap_mutator, heap_locals[0].target, &as_aged(&heap_locals[0])->a, heap_locals[0].target);
    assert_true(weak_new(heap_mutator, &heap_locals[1], heap_locals[0].target, count_callback, NULL));
    local_set(heap_mutator, &heap_locals[0], NULL);
    heap_run_threads(collect_once, 1);
    assert_int_equal(atomic_load(&callbacks), 1);
}

static void *start_and_leave(void *seed_at) {
    (void)seed_at;
    for (int i = 0; i < 200; i++) {
        mutator *m = linked_collector.enter();
        local *frame = frame_open(m, 1);
        assert_true(aged_new(m, frame));
        field_store(m, collector_globals(), collector_global(0), frame->target);
        frame_close(m, frame);
        linked_collector.leave(m);
    }
    return NULL;
}

TEST(threads_may_come_and_go) {
    NEEDS(COLLECTOR_THREADS);
    heap_run_threads(start_and_leave, HEAP_THREADS);
    field_store(heap_mutator, collector_globals(), collector_global(0), NULL);
    if (!COUNTS_RACE) heap_expect_alive(0);             /* two that take the same old value drop it twice, and leak the other */
}

/* A thousand steps without a poll: whoever stops the world waits for this thread. */
static void *mutate_and_poll_rarely(void *seed_at) {
    uint64_t seed = *(uint64_t *)seed_at;
    mutator *m = linked_collector.enter();
    local *frame = frame_open(m, SLOTS + 1);
    for (int step = 0; step < STEPS / 2; step++) {
        act(m, frame, &seed);
        if (step % 1000 == 0) mutator_poll(m);
    }
    frame_close(m, frame);
    linked_collector.leave(m);
    return NULL;
}

/* Stops the world again and again, and for long: a list of live objects is looked at each time. */
static void *hold_the_world(void *seed_at) {
    (void)seed_at;
    enum { HELD = 3000, COLLECTIONS = 60 };
    mutator *m = linked_collector.enter();
    local *frame = frame_open(m, 2);
    for (int i = 0; i < HELD; i++) {
        assert_true(aged_new(m, &frame[1]));
        field_store(m, frame[1].target, &as_aged(&frame[1])->a, frame[0].target);
        local_set(m, &frame[0], frame[1].target);
    }
    for (int i = 0; i < COLLECTIONS; i++)
        collector_collect(m, 2);
    frame_close(m, frame);
    linked_collector.leave(m);
    return NULL;
}

TEST(threads_that_come_and_go_poll_rarely_hold_the_world_and_resurrect_lose_nothing) {
    NEEDS(COLLECTOR_THREADS | COLLECTOR_FREES_CYCLES);
    heap_thread *const bodies[HEAP_THREADS] = {mutate_and_poll_rarely, hold_the_world, start_and_leave, litter};
    heap_run_each(bodies, HEAP_THREADS);
    empty_globals_and_expect_nothing();
}

enum { PAIRS = 200000 };

static void *take_and_drop(void *seed_at) {
    (void)seed_at;
    mutator *m = linked_collector.enter();
    local *frame = frame_open(m, 2);
    field_load(m, &frame[0], collector_globals(), collector_global(0));
    for (int i = 0; i < PAIRS; i++) {
        local_set(m, &frame[1], frame[0].target);
        mutator_poll(m);
        local_set(m, &frame[1], NULL);
    }
    frame_close(m, frame);
    linked_collector.leave(m);
    return NULL;
}

TEST(no_take_or_drop_of_a_shared_object_is_lost) {
    NEEDS(COLLECTOR_THREADS);
    if (COUNTS_RACE) support_skip("the row's counts race");
    assert_true(aged_new(heap_mutator, &heap_locals[0]));
    field_store(heap_mutator, collector_globals(), collector_global(0), heap_locals[0].target);
    heap_run_threads(take_and_drop, 2);
#ifdef REFARENA_REFCOUNTED_H
    assert_int_equal(count_read(heap_locals[0].target), 2);
#endif
    heap_drop(0);
    field_store(heap_mutator, collector_globals(), collector_global(0), NULL);
    heap_expect_alive(0);
}

enum { RACING_PAIRS = 20 * PAIRS, RACES = 300 };

static pthread_barrier_t racing;

/* Both begin together and go on for milliseconds: a short race is over before the second thread has started. */
static void *race(void *seed_at) {
    (void)seed_at;
    mutator *m = linked_collector.enter();
    local *frame = frame_open(m, 2);
    field_load(m, &frame[0], collector_globals(), collector_global(0));
    pthread_barrier_wait(&racing);
    for (int i = 0; i < RACING_PAIRS; i++) {
        local_set(m, &frame[1], frame[0].target);
        local_set(m, &frame[1], NULL);
    }
    frame_close(m, frame);
    linked_collector.leave(m);
    return NULL;
}

/* That something goes wrong is certain enough to be tested; how much depends on the machine. */
TEST(racy_counts_lose_updates_or_let_live_objects_die) {
    if (!COUNTS_RACE) support_skip("the row's counts do not race");
    bool wrong = false;
    pthread_barrier_init(&racing, NULL, 2);
    for (int tries = 0; tries < RACES && !wrong; tries++) {
        assert_true(aged_new(heap_mutator, &heap_locals[0]));
        field_store(heap_mutator, collector_globals(), collector_global(0), heap_locals[0].target);
        heap_run_threads(race, 2);
        collector_stats stats;
        linked_collector.stats(&stats);
        wrong = stats.premature != 0;
#ifdef REFARENA_REFCOUNTED_H
        wrong = wrong || count_read(heap_locals[0].target) != 2;
#endif
        heap_drop(0);
        field_store(heap_mutator, collector_globals(), collector_global(0), NULL);
    }
    pthread_barrier_destroy(&racing);
    assert_true(wrong);
}

/* What a thread may still be reading: its array stays too, and its header says that it is condemned, also where its death
 * had to wait for a cascade fifty deep. */
TEST(a_condemned_object_keeps_its_array_and_its_mark) {
#ifdef COUNT_CONDEMNS
    enum { LINKS = 60 };
    object *dead[LINKS];
    heap_row(0, 3);
    heap_node(1, 'a');
    field *last = (field *)((row *)heap_locals[0].target)->items.items + 2;
    field_store(heap_mutator, heap_locals[0].target, last, heap_locals[1].target);
    heap_drop(0);
    assert_ptr_equal(field_peek(last), heap_locals[1].target);
    for (int i = 0; i < LINKS; i++) {                   /* b's are leaves of a chain: two wait at once */
        dead[i] = heap_locals[1].target;
        heap_node(2, 'b');
        heap_link(2, &heap_at(2)->a, 1);
        heap_node(3, 'c');
        heap_link(2, &heap_at(2)->b, 3);
        heap_drop(3);
        local_set(heap_mutator, &heap_locals[1], heap_locals[2].target);
        heap_drop(2);
    }
    heap_drop(1);
    for (int i = 0; i < LINKS; i++) {
        assert_true(racy_is_condemned(dead[i]));
        assert_ptr_equal(dead[i]->type, &node_type);
    }
#else
    support_skip("the row condemns no object");
#endif
}

static _Atomic bool second_ran;

static void *run_second(void *seed_at) {
    (void)seed_at;
    mutator *m = linked_collector.enter();
    atomic_store(&second_ran, true);
    linked_collector.leave(m);
    return NULL;
}

/* The holder never detaches: only its polls let the other thread in. */
TEST(a_thread_that_polls_lets_a_waiting_one_run) {
    NEEDS(COLLECTOR_THREADS);
    atomic_store(&second_ran, false);
    pthread_t second;
    assert_int_equal(pthread_create(&second, NULL, run_second, NULL), 0);
    while (!atomic_load(&second_ran))
        mutator_poll(heap_mutator);
    mutator_detach(heap_mutator);
    pthread_join(second, NULL);
    mutator_attach(heap_mutator);
}

#ifdef REFARENA_THREADS_GIL_H
/* A signal holds a thread up, wherever it waits. */
static void hold_up(int signal) {
    (void)signal;
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
}
#endif

/* The lock, once asked for, changes hands before a detach returns: who does short I/O cannot keep it, be the waiter ever so
 * slow to wake. */
TEST(a_detach_hands_over_a_lock_that_was_asked_for) {
#ifdef REFARENA_THREADS_GIL_H
    collector_stats before, after;
    pthread_t second;
    struct sigaction old;
    assert_int_equal(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = hold_up}, &old), 0);
    linked_collector.stats(&before);
    assert_int_equal(pthread_create(&second, NULL, run_second, NULL), 0);
    while (!atomic_load(&gil_drop_request)) {}
    assert_int_equal(pthread_kill(second, SIGUSR1), 0);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);                /* the waiter is held up */
    mutator_detach(heap_mutator);
    mutator_attach(heap_mutator);
    linked_collector.stats(&after);
    assert_true(after.switches >= before.switches + 2);                     /* there, and back */
    mutator_detach(heap_mutator);
    pthread_join(second, NULL);
    mutator_attach(heap_mutator);
    sigaction(SIGUSR1, &old, NULL);
#else
    support_skip("the row has no lock that is handed over");
#endif
}

TEST(where_there_is_one_thread_a_second_is_refused) {
    if (linked_collector.abilities & COLLECTOR_THREADS) support_skip("the row has threads");
    assert_null(linked_collector.enter());
}

int main(void) {
    if (heap_is_beyond_tsan()) return support_skip_all("ThreadSanitizer delivers libgc's signals late");
    const struct CMUnitTest tests[] = {
        HEAP_TEST(threads_that_share_a_heap_lose_nothing_and_free_everything),
        HEAP_TEST(collections_among_running_threads_find_all_rings_and_nothing_else),
        HEAP_TEST(a_callback_runs_though_another_thread_ends_the_target),
        HEAP_TEST(a_callback_runs_though_another_thread_finds_the_target_unreachable),
        HEAP_TEST(threads_may_come_and_go),
        HEAP_TEST(threads_that_come_and_go_poll_rarely_hold_the_world_and_resurrect_lose_nothing),
        HEAP_TEST(no_take_or_drop_of_a_shared_object_is_lost),
        HEAP_TEST(racy_counts_lose_updates_or_let_live_objects_die),
        HEAP_TEST(a_condemned_object_keeps_its_array_and_its_mark),
        HEAP_TEST(a_thread_that_polls_lets_a_waiting_one_run),
        HEAP_TEST(a_detach_hands_over_a_lock_that_was_asked_for),
        HEAP_TEST(where_there_is_one_thread_a_second_is_refused),
    };
    return cmocka_run_group_tests_name(COLLECTOR_NAME ".threads", tests, NULL, NULL);
}
