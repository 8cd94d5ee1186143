/* SPDX-License-Identifier: MIT
 * immortals.c - what is immortal survives everything, and no thread writes its count.
 *
 * Each test ends by making mortal again what it made immortal, so that its heap ends empty.
 */
#include <pthread.h>

#include "heap.h"

#ifdef COLLECTOR_HAS_IMMORTALS

enum { STEPS = 20000 };

TEST(an_immortal_object_survives_all_its_references) {
    heap_finalized(0, 'i');
    object *o = heap_locals[0].target;
    object_immortalize(o);
    size_t count = count_read(o);
    for (int i = 0; i < 10; i++) {
        local_set(heap_mutator, &heap_locals[1], o);
        heap_drop(1);
    }
    heap_drop(0);
    assert_string_equal(heap_log, "");
    assert_int_equal(count_read(o), count);
    count_birth(o);                                     /* mortal again, so that the heap ends empty */
    heap_locals[0].target = o;
}

static atomic_bool global_dropped;

static void *drop_the_global_and_say_so(void *unused) {
    (void)unused;
    mutator *m = linked_collector.enter();
    assert_non_null(m);
    field_store(m, collector_globals(), collector_global(0), NULL);
    linked_collector.leave(m);
    atomic_store(&global_dropped, true);
    return NULL;
}

static void *take_and_drop_an_immortal(void *seed_at) {
    (void)seed_at;
    mutator *m = linked_collector.enter();
    local *frame = frame_open(m, 3);
    for (int step = 0; step < STEPS; step++) {
        field_load(m, &frame[0], collector_globals(), collector_global(0));
        local_set(m, &frame[1], frame[0].target);
        if (step % 100 == 0) {
            assert_true(object_new(m, &frame[2], &node_type, 0));
            field_store(m, frame[2].target, &((node *)frame[2].target)->a, frame[0].target);
        }
        if (step % 64 == 0) mutator_poll(m);
        if (step % 5000 == 4999) collector_collect(m, 2);
    }
    frame_close(m, frame);
    linked_collector.leave(m);
    return NULL;
}

/* The reference that the other thread drops is one that this thread counted: where counts are biased, it is queued. */
TEST(an_immortal_object_stays_so_whatever_was_queued_and_no_thread_writes_its_count) {
    NEEDS(COLLECTOR_THREADS);
    assert_true(object_new(heap_mutator, &heap_locals[0], &node_type, 0));
    object *o = heap_locals[0].target;
    field_store(heap_mutator, collector_globals(), collector_global(0), o);
    pthread_t second;
    atomic_store(&global_dropped, false);
    assert_int_equal(pthread_create(&second, NULL, drop_the_global_and_say_so, NULL), 0);
    while (!atomic_load(&global_dropped)) {}            /* no poll, at which what was queued would be merged */
    object_immortalize(o);
    pthread_join(second, NULL);
    field_store(heap_mutator, collector_globals(), collector_global(0), o);
    size_t count = count_read(o);
    mutator_poll(heap_mutator);
    assert_true(count_is_immortal(o));
    heap_run_threads(take_and_drop_an_immortal, HEAP_THREADS);
    collector_collect(heap_mutator, 2);
    heap_drop(0);
    field_store(heap_mutator, collector_globals(), collector_global(0), NULL);
    assert_true(count_is_immortal(o));
    assert_int_equal(count_read(o), count);
    count_birth(o);                                     /* mortal again, so that the heap ends empty */
    heap_locals[0].target = o;
}

static void *copy_the_global(void *unused) {
    (void)unused;
    mutator *m = linked_collector.enter();
    local *frame = frame_open(m, 1);
    field_load(m, frame, collector_globals(), collector_global(0));
    field_store(m, collector_globals(), collector_global(1), frame->target);
    frame_close(m, frame);
    linked_collector.leave(m);
    return NULL;
}

static atomic_bool made_all;

static void *take_and_drop_until_all_are_made(void *unused) {
    (void)unused;
    mutator *m = linked_collector.enter();
    local *frame = frame_open(m, 1);
    while (!atomic_load(&made_all)) {
        field_load(m, frame, collector_globals(), collector_global(0));
        local_set(m, frame, NULL);
        mutator_poll(m);
    }
    frame_close(m, frame);
    linked_collector.leave(m);
    return NULL;
}

/* A step under way when the object is made immortal must not write back a mortal count. */
TEST(what_is_made_immortal_while_others_count_it_stays_so) {
    NEEDS(COLLECTOR_THREADS);
    enum { MADE = 20000, OTHERS = 2 };
    static object *made[MADE];
    pthread_t others[OTHERS];
    atomic_store(&made_all, false);
    for (int i = 0; i < OTHERS; i++)
        assert_int_equal(pthread_create(&others[i], NULL, take_and_drop_until_all_are_made, NULL), 0);
    for (int i = 0; i < MADE; i++) {
        assert_true(object_new(heap_mutator, &heap_locals[0], &node_type, 0));
        made[i] = heap_locals[0].target;
        count_take(made[i]);                            /* alive to be looked at, even where a mortal count is written back */
        field_store(heap_mutator, collector_globals(), collector_global(0), made[i]);
        for (volatile int wait = i % 500; wait > 0; wait--) {}
        object_immortalize(made[i]);
        mutator_poll(heap_mutator);
    }
    atomic_store(&made_all, true);
    mutator_detach(heap_mutator);
    for (int i = 0; i < OTHERS; i++) pthread_join(others[i], NULL);
    mutator_attach(heap_mutator);
    mutator_poll(heap_mutator);
    heap_drop(0);
    field_store(heap_mutator, collector_globals(), collector_global(0), NULL);
    for (int i = 0; i < MADE; i++) assert_true(count_is_immortal(made[i]));
    for (int i = 0; i < MADE; i++) {
        count_birth(made[i]);                           /* mortal again, so that the heap ends empty */
        heap_locals[0].target = made[i];
        heap_drop(0);
    }
}

TEST(an_immortal_object_that_others_had_taken_before_is_no_garbage) {
    NEEDS(COLLECTOR_THREADS | COLLECTOR_FREES_CYCLES);
    assert_true(object_new(heap_mutator, &heap_locals[0], &node_type, 0));
    object *o = heap_locals[0].target;
    field_store(heap_mutator, collector_globals(), collector_global(0), o);
    heap_run_threads(copy_the_global, 1);
    object_immortalize(o);
    assert_int_equal(collector_collect(heap_mutator, 2), 0);
    assert_true(count_is_immortal(o));
    for (unsigned i = 0; i < 2; i++)
        field_store(heap_mutator, collector_globals(), collector_global(i), NULL);
    count_birth(o);                                     /* mortal again, so that the heap ends empty */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HEAP_TEST(an_immortal_object_survives_all_its_references),
        HEAP_TEST(an_immortal_object_stays_so_whatever_was_queued_and_no_thread_writes_its_count),
        HEAP_TEST(what_is_made_immortal_while_others_count_it_stays_so),
        HEAP_TEST(an_immortal_object_that_others_had_taken_before_is_no_garbage),
    };
    return cmocka_run_group_tests_name(COLLECTOR_NAME ".immortals", tests, NULL, NULL);
}

#else

int main(void) { return support_skip_all("no object of the row is immortal"); }

#endif
