/* SPDX-License-Identifier: MIT
 * tracing.c - what a collector without counts promises: what is reachable stays, the rest makes room.
 *
 * Collections start by themselves here, by growth or because the heap is full. Figures are compared where
 * the collector knows them; a conservative one is held to nearly all of the garbage.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "heap.h"

enum { MIB = 1 << 20 };

static bool exact(void) { return !(linked_collector.abilities & COLLECTOR_CONSERVATIVE); }

static void open_heap(int64_t heap_bytes, bool lazy) {
    char why[256];
    const char *spec = getenv("REFARENA_ALLOCATOR");
    heap_set_option("automatic", 1);
    heap_set_option("heap_bytes", heap_bytes);
    if (!heap_set_option("lazy_sweep", lazy) && lazy) support_skip("the row does not sweep");
    assert_true(linked_collector.open(allocator_open(spec != NULL ? spec : "system", why, sizeof why)));
    assert_non_null(heap_mutator = linked_collector.enter());
    heap_locals = frame_open(heap_mutator, HEAP_LOCALS);
    heap_log[0] = 0;
}
static void close_heap(void) {
    assert_int_equal(heap_close(NULL), 0);
    heap_set_option("heap_bytes", 0);
    heap_set_option("lazy_sweep", 0);
}

static uint64_t collections(void) {
    collector_stats stats;
    linked_collector.stats(&stats);
    return stats.collections[COLLECTOR_GENERATIONS - 1];
}

/* locals[0] -> a chain of so many, each with a leaf that knows its place; false: heap full, and what was made stays. */
static bool grow_chain(uint64_t links) {
    for (uint64_t i = 0; i < links; i++) {
        if (!object_new(heap_mutator, &heap_locals[1], &node_type, 0)) return false;
        heap_link(1, &heap_at(1)->a, 0);
        local_set(heap_mutator, &heap_locals[0], heap_locals[1].target);
        if (!object_new(heap_mutator, &heap_locals[2], &leaf_type, 0)) return false;
        ((leaf *)heap_locals[2].target)->value = i + 1;
        heap_link(0, &heap_at(0)->b, 2);
    }
    return true;
}
static void check_chain(uint64_t links) {
    local_set(heap_mutator, &heap_locals[1], heap_locals[0].target);
    for (uint64_t i = links; i-- > 0;) {
        field_load(heap_mutator, &heap_locals[2], heap_locals[1].target, &heap_at(1)->b);
        assert_true(((leaf *)heap_locals[2].target)->value == i + 1);
        field_load(heap_mutator, &heap_locals[1], heap_locals[1].target, &heap_at(1)->a);
    }
    assert_null(heap_locals[1].target);
}
static void make_garbage(uint64_t rings) {
    for (uint64_t i = 0; i < rings; i++) {
        heap_node(3, 'g');
        heap_node(4, 'g');
        heap_link(3, &heap_at(3)->a, 4);
        heap_link(4, &heap_at(4)->a, 3);
    }
    heap_drop(3);
    heap_drop(4);
}

static void survive(bool lazy) {
    open_heap(0, lazy);
    assert_true(grow_chain(100000));
    uint64_t before = collections();
    make_garbage(1000000);
    assert_true(collections() > before);
    check_chain(100000);
    if (exact()) assert_true(heap_alive() == 200000);
    close_heap();
}
TEST(what_is_reachable_survives_collections_that_nobody_asked_for) { survive(false); }
TEST(and_so_it_does_when_sweeping_is_lazy) { survive(true); }

TEST(a_hundred_times_the_heap_passes_through_it_as_garbage) {
    open_heap(4 * MIB, false);
    make_garbage(400 * MIB / (2 * sizeof(node)));       /* object_new asserted each time */
    heap_row(5, 100);
    for (int i = 0; i < 2000; i++) heap_row(5, 20000);
    close_heap();
}

static void fill_and_drop(bool lazy) {
    open_heap(16 * MIB, lazy);
    assert_false(grow_chain(UINT64_MAX));
    uint64_t links = ((leaf *)(field_load(heap_mutator, &heap_locals[2], heap_locals[0].target, &heap_at(0)->b),
                               heap_locals[2].target))->value;
    assert_true(links > 16 * MIB / 4 / (sizeof(node) + sizeof(leaf)));
    assert_true(links * (sizeof(node) - sizeof(object)) < 16 * MIB);
    check_chain(links);
    assert_false(grow_chain(UINT64_MAX));               /* and so again, for as long as the chain is held */
    for (unsigned i = 0; i < 3; i++) heap_drop(i);
    if (exact()) {                                      /* one old register holds a chain as long as memory */
        assert_true(grow_chain(links / 2));
        check_chain(links / 2);
    }
    close_heap();
}
TEST(a_full_heap_refuses_and_has_room_again_when_the_chain_is_dropped) { fill_and_drop(false); }
TEST(and_so_it_does_when_sweeping_is_lazy_too) { fill_and_drop(true); }

TEST(owned_arrays_count_as_heap_and_a_refused_one_is_unchanged) {
    if (!exact()) support_skip("the collector is conservative");                         /* a heap in pieces, left by the tests before, never shrinks */
    open_heap(8 * MIB, false);
    heap_row(0, 1000);
    assert_false(object_resize(heap_mutator, &heap_locals[0], 2 * MIB));        /* 16 MiB of references */
    assert_int_equal(object_array(heap_locals[0].target)->count, 1000);
    for (int i = 0; i < 100; i++) heap_row(1, 2 * MIB / sizeof(field));         /* 200 MiB, one after the other */
    close_heap();
}

static void drop_on_small_stack(void *context) {
    (void)context;
    struct rlimit small = {.rlim_cur = 256 << 10, .rlim_max = 256 << 10};
    setrlimit(RLIMIT_STACK, &small);
    open_heap(0, false);
    assert_true(grow_chain(1000000));
    collector_collect(heap_mutator, 2);
    check_chain(1000000);
}
TEST(a_chain_of_a_million_links_is_marked_on_a_small_stack) { assert_true(support_survives(drop_on_small_stack, NULL)); }

static unsigned finalized;
static void count_finalized(mutator *m, object *self) { (void)m, (void)self; finalized++; }
static object_type counted_type;

TEST(finalizers_run_without_being_asked_for_once_each) {
    open_heap(0, false);
    counted_type = node_type;
    counted_type.finalize = count_finalized;
    finalized = 0;
    for (int i = 0; i < 100000; i++)
        assert_true(object_new(heap_mutator, &heap_locals[0], &counted_type, 0));
    assert_true(finalized > 0);
    heap_drop(0);
    heap_collect(2);
    mutator_poll(heap_mutator);
    assert_true(exact() ? finalized == 100000 : finalized > 99000);
    heap_collect(2);
    assert_true(finalized <= 100000);
    close_heap();
}

TEST(what_a_finalizer_saves_lives_with_all_it_reaches_and_is_not_finalized_again) {
    open_heap(0, false);
    heap_new(0, &phoenix_type, 'z');
    heap_node(1, 'n');
    heap_link(0, &heap_at(0)->a, 1);
    heap_drop(0);
    heap_drop(1);
    for (int i = 0; i < 20 && heap_log[0] == 0; i++) {      /* a conservative one may see an old register */
        make_garbage(1000);
        heap_collect(2);
    }
    assert_string_equal(heap_log, "z");
    make_garbage(100000);
    field_load(heap_mutator, &heap_locals[2], collector_globals(), collector_global(HEAP_SAVED));
    assert_int_equal(heap_at(2)->name, 'z');
    field_load(heap_mutator, &heap_locals[3], heap_locals[2].target, &heap_at(2)->a);
    assert_int_equal(heap_at(3)->name, 'n');
    heap_drop(2);
    heap_drop(3);
    field_store(heap_mutator, collector_globals(), collector_global(HEAP_SAVED), NULL);
    heap_collect(2);
    assert_string_equal(heap_log, "z");
    close_heap();
}

enum { RINGS = 1000 };
static unsigned called;
static void count_call(mutator *m, object *weak, void *context) {
    local *frame = frame_open(m, 1);
    weak_get(m, frame, weak);
    assert_null(frame->target);
    assert_ptr_equal(context, &called);
    called++;
    frame_close(m, frame);
}

TEST(weak_references_to_garbage_die_and_call_back_and_those_to_live_objects_stay) {
    open_heap(0, false);
    called = 0;
    heap_row(0, RINGS);
    heap_row(1, RINGS);
    for (unsigned i = 0; i < RINGS; i++) {
        heap_node(2, 'r');
        heap_link(2, &heap_at(2)->a, 2);
        if (i % 2 == 0) heap_link(1, (field *)object_array(heap_locals[1].target)->items + i, 2);
        assert_true(weak_new(heap_mutator, &heap_locals[3], heap_locals[2].target, i % 4 < 2 ? count_call : NULL, &called));
        heap_link(0, (field *)object_array(heap_locals[0].target)->items + i, 3);
    }
    heap_drop(2);
    heap_drop(3);
    heap_collect(2);
    mutator_poll(heap_mutator);
    unsigned dead = 0;
    for (unsigned i = 0; i < RINGS; i++) {
        field_load(heap_mutator, &heap_locals[2], heap_locals[0].target, (field *)object_array(heap_locals[0].target)->items + i);
        weak_get(heap_mutator, &heap_locals[3], heap_locals[2].target);
        if (i % 2 == 0) assert_non_null(heap_locals[3].target);
        else dead += heap_locals[3].target == NULL;
    }
    assert_true(exact() ? dead == RINGS / 2 : dead > RINGS / 2 * 98 / 100);
    assert_true(exact() ? called == RINGS / 4 : called > RINGS / 4 * 96 / 100);
    close_heap();
}

static void allocate_until_full(mutator *m, object *self) {
    local *frame = frame_open(m, 2);
    frame[0].target = self;
    while (object_new(m, &frame[1], &node_type, 0)) {
        field_store(m, frame[1].target, &((node *)frame[1].target)->a, frame[0].target);
        local_set(m, &frame[0], frame[1].target);
    }
    finalized++;
    frame_close(m, frame);
}

TEST(a_finalizer_that_allocates_until_the_heap_is_full_ends_and_the_heap_goes_on) {
    open_heap(4 * MIB, false);
    counted_type = node_type;
    counted_type.finalize = allocate_until_full;
    finalized = 0;
    assert_true(object_new(heap_mutator, &heap_locals[0], &counted_type, 0));
    heap_drop(0);
    for (int i = 0; i < 20 && finalized == 0; i++) {
        make_garbage(1000);
        heap_collect(2);
    }
    assert_int_equal(finalized, 1);
    make_garbage(100000);
    close_heap();
}

/* --- the same program, swept at once and lazily -------------------------------------------------------- */

typedef struct outcome { uint64_t died, alive, checksum; } outcome;

static outcome run_program(bool lazy) {
    uint64_t seed = 5;
    outcome end = {0};
    open_heap(0, lazy);
    heap_row(0, 1000);
    for (int step = 0; step < 300000; step++) {
        uint64_t random = support_random(&seed);
        field *slots = object_array(heap_locals[0].target)->items;
        if (random % 16 == 0) heap_row(1, random / 16 % 500);
        else heap_node(1, (char)(random / 16));
        if (random % 16 != 0 && random % 3 == 0) {
            field_load(heap_mutator, &heap_locals[2], heap_locals[0].target, &slots[random / 4096 % 1000]);
            heap_link(1, &heap_at(1)->a, 2);
        }
        heap_link(0, &slots[random / 65536 % 1000], 1);
        if (random % 4 == 0) field_store(heap_mutator, heap_locals[0].target, &slots[random / 64 % 1000], NULL);
        if (step % 50000 == 49999) heap_collect(2);
    }
    assert_true(linked_collector.reachable(&end.alive, &end.checksum));
    heap_collect(2);
    collector_stats stats;
    linked_collector.stats(&stats);
    end.died = stats.died;
    assert_int_equal(stats.born - stats.died, end.alive);
    close_heap();
    return end;
}

TEST(a_lazy_sweep_leaves_what_an_eager_one_leaves) {
    outcome lazy = run_program(true), eager = run_program(false);
    assert_memory_equal(&eager, &lazy, sizeof eager);
}

#ifdef REFARENA_TRACING_MARKSWEEP_H
/* A page of mark stack, and rows that would need much more. */
TEST(marking_ends_right_when_the_mark_stack_may_not_grow) {
    marksweep_stack_limit_bytes = 4096;
    outcome small = run_program(false);
    marksweep_stack_limit_bytes = SIZE_MAX;
    outcome large = run_program(false);
    assert_memory_equal(&small, &large, sizeof small);
}

static void break_a_field(void *context) {
    (void)context;
    open_heap(0, false);
    heap_node(0, 'a');
    heap_node(1, 'b');
    heap_link(0, &heap_at(0)->a, 1);
    chunks_free(heap_mutator->heap, heap_locals[1].target);
    heap_locals[1].target = NULL;
    collector_check();
}
TEST(check_notices_a_field_that_refers_to_a_free_block) { assert_true(support_dies(break_a_field, NULL, SIGABRT)); }

TEST(a_header_is_one_word) { assert_int_equal(linked_collector.tracked_header_bytes, 8); }
#endif

/* --- threads ------------------------------------------------------------------------------------------------ */

enum { THREADS = 4, STEPS = 60000, SHARED = 8 };

static uint64_t name_of(const node *n) { return (uint64_t)(unsigned char)n->name; }

static void note_nothing(mutator *m, object *weak, void *context) { (void)m, (void)weak, (void)context; }

/* Rings and lists of its own, swapped with other threads' through the globals; garbage all the time. */
static void *hammer(void *seed_at) {
    uint64_t seed = *(uint64_t *)seed_at;
    mutator *m = linked_collector.enter();
    assert_non_null(m);
    local *frame = frame_open(m, 4);
    for (int step = 0; step < STEPS; step++) {
        uint64_t random = support_random(&seed);
        field *global = collector_global(random % SHARED);
        assert_true(object_new(m, &frame[0], random % 64 == 0 ? &counted_type : &node_type, 0));
        ((node *)frame[0].target)->name = (char)(random >> 32 & 127);
        field_load(m, &frame[1], collector_globals(), global);
        if (frame[1].target != NULL) assert_true(name_of((node *)frame[1].target) < 128);
        field_store(m, frame[0].target, &((node *)frame[0].target)->a, random % 8 == 0 ? NULL : frame[1].target);
        field_store(m, frame[0].target, &((node *)frame[0].target)->b, frame[0].target);
        field_store(m, collector_globals(), global, random % 8 == 0 ? NULL : frame[0].target);
        if (random % 16 == 0) assert_true(weak_new(m, &frame[2], frame[0].target, random % 32 == 0 ? note_nothing : NULL, NULL));
        if (random % 16 == 1 && frame[2].target != NULL) weak_get(m, &frame[3], frame[2].target);
        if (random % 256 == 2) {
            assert_true(object_new(m, &frame[1], &row_type, 0));
            assert_true(object_resize(m, &frame[1], random >> 40 & 1023));
        }
        if (random % 8192 == 3) collector_collect(m, 2);
        if (random % 1024 == 4) {
            mutator_detach(m);
            nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
            mutator_attach(m);
        }
        mutator_poll(m);
    }
    frame_close(m, frame);
    linked_collector.leave(m);
    return NULL;
}

static atomic_uint finalized_by_threads;
static void count_finalized_by_threads(mutator *m, object *self) {
    (void)m, (void)self;
    atomic_fetch_add(&finalized_by_threads, 1);
}

static void hammer_together(bool lazy) {
    pthread_t threads[THREADS];
    uint64_t seeds[THREADS];
    open_heap(64 * MIB, lazy);
    counted_type = node_type;
    counted_type.finalize = count_finalized_by_threads;
    atomic_store(&finalized_by_threads, 0);
    mutator_detach(heap_mutator);
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = 40 + i;
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &seeds[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    mutator_attach(heap_mutator);
    for (unsigned i = 0; i < SHARED; i++)
        field_store(heap_mutator, collector_globals(), collector_global(i), NULL);
    heap_collect(2);
    heap_expect_alive(0);
    assert_true(atomic_load(&finalized_by_threads) > 0);
    close_heap();
}
TEST(threads_that_make_garbage_stop_one_another_and_lose_nothing) { hammer_together(false); }
TEST(threads_that_sweep_lazily_lose_nothing) { hammer_together(true); }

#ifdef REFARENA_THREADS_STOP_THE_WORLD_H
static atomic_bool runs, ends;
static void *run_and_poll(void *nothing) {
    mutator *m = linked_collector.enter();
    atomic_store(&runs, true);
    while (!atomic_load(&ends)) mutator_poll(m);
    linked_collector.leave(m);
    return nothing;
}
TEST(the_time_to_stop_a_running_thread_is_measured) {
    open_heap(0, false);
    pthread_t other;
    atomic_store(&runs, false);
    atomic_store(&ends, false);
    assert_int_equal(pthread_create(&other, NULL, run_and_poll, NULL), 0);
    while (!atomic_load(&runs)) mutator_poll(heap_mutator);
    heap_collect(2);
    assert_true(threads_last_stop_ns() > 0);
    uint64_t epoch = threads_epoch_advance();
    mutator_poll(heap_mutator);
    while (threads_oldest_epoch() < epoch) {}           /* the other one polls, too */
    atomic_store(&ends, true);
    mutator_detach(heap_mutator);
    pthread_join(other, NULL);
    assert_true(threads_oldest_epoch() == UINT64_MAX);  /* who is detached holds nothing up */
    mutator_attach(heap_mutator);
    close_heap();
}
#endif

#ifdef REFARENA_THREADS_STOP_THE_WORLD_H
enum { TOGETHER = 3 };      /* the last tests: with several threads. Under ThreadSanitizer the others are left out */
#else
enum { TOGETHER = 2 };
#endif

int main(void) {
    if (strcmp(linked_collector.counts, "none") != 0 || !(linked_collector.abilities & COLLECTOR_FREES_CYCLES))
        return support_skip_all("the row traces nothing");
    if (heap_is_beyond_tsan())
        return support_skip_all("ThreadSanitizer delivers libgc's signals late");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_reachable_survives_collections_that_nobody_asked_for),
        cmocka_unit_test(and_so_it_does_when_sweeping_is_lazy),
        cmocka_unit_test(a_hundred_times_the_heap_passes_through_it_as_garbage),
        cmocka_unit_test(a_full_heap_refuses_and_has_room_again_when_the_chain_is_dropped),
        cmocka_unit_test(and_so_it_does_when_sweeping_is_lazy_too),
        cmocka_unit_test(owned_arrays_count_as_heap_and_a_refused_one_is_unchanged),
        cmocka_unit_test(a_chain_of_a_million_links_is_marked_on_a_small_stack),
        cmocka_unit_test(finalizers_run_without_being_asked_for_once_each),
        cmocka_unit_test(what_a_finalizer_saves_lives_with_all_it_reaches_and_is_not_finalized_again),
        cmocka_unit_test(weak_references_to_garbage_die_and_call_back_and_those_to_live_objects_stay),
        cmocka_unit_test(a_finalizer_that_allocates_until_the_heap_is_full_ends_and_the_heap_goes_on),
        cmocka_unit_test(a_lazy_sweep_leaves_what_an_eager_one_leaves),
#ifdef REFARENA_TRACING_MARKSWEEP_H
        cmocka_unit_test(marking_ends_right_when_the_mark_stack_may_not_grow),
        cmocka_unit_test(check_notices_a_field_that_refers_to_a_free_block),
        cmocka_unit_test(a_header_is_one_word),
#endif
        cmocka_unit_test(threads_that_make_garbage_stop_one_another_and_lose_nothing),
        cmocka_unit_test(threads_that_sweep_lazily_lose_nothing),
#ifdef REFARENA_THREADS_STOP_THE_WORLD_H
        cmocka_unit_test(the_time_to_stop_a_running_thread_is_measured),
#endif
    };
    size_t count = sizeof tests / sizeof *tests, skipped = SUPPORT_TSAN ? count - TOGETHER : 0;
    return _cmocka_run_group_tests(COLLECTOR_NAME ".tracing", tests + skipped, count - skipped, NULL, NULL);
}
