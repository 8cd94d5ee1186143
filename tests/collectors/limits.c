/* SPDX-License-Identifier: MIT
 * limits.c - a counting collector's heap is full: it refuses, collects where it can, and goes on.
 *
 * Tracers, for which a bound is the usual thing, have the same in tracing.c.
 */
#include "heap.h"

enum { MIB = 1 << 20, HEAP_BYTES = 4 * MIB, HEAP_THRESHOLD0 = 700 };

/* locals[0] -> a chain of as many nodes as fit, one after the other; returns how many. */
static uint64_t fill(void) {
    uint64_t links = 0;
    while (object_new(heap_mutator, &heap_locals[1], &node_type, 0)) {
        heap_link(1, &heap_at(1)->a, 0);
        local_set(heap_mutator, &heap_locals[0], heap_locals[1].target);
        links++;
    }
    heap_drop(1);
    return links;
}

TEST(a_full_heap_refuses_a_birth_and_has_room_again_when_something_has_died) {
    heap_reopen_automatic(HEAP_BYTES);
    uint64_t links = fill();
    size_t block_bytes = sizeof(node) + linked_collector.tracked_header_bytes - linked_collector.header_bytes;
    assert_true(links * block_bytes <= HEAP_BYTES);
    assert_true(links * block_bytes > HEAP_BYTES / 2);          /* pages have headers, and the chunk a head */
    assert_false(object_new(heap_mutator, &heap_locals[2], &node_type, 0));
    assert_null(heap_locals[2].target);
    heap_expect_alive(links);
    if (!heap_can(COLLECTOR_EXACT_COUNTS)) return;              /* racy keeps the memory of the dead */
    heap_drop(0);
    assert_true(fill() >= links / 2);
}

TEST(an_array_that_does_not_fit_is_refused_and_unchanged) {
    heap_reopen_automatic(HEAP_BYTES);
    heap_row(0, 1000);
    assert_false(object_resize(heap_mutator, &heap_locals[0], HEAP_BYTES / sizeof(field)));
    assert_int_equal(object_array(heap_locals[0].target)->count, 1000);
    assert_true(object_resize(heap_mutator, &heap_locals[0], HEAP_BYTES / 2 / sizeof(field)));
}

/* Nothing but the full heap collects. */
static void reopen_without_thresholds(void) {
    heap_set_option("threshold0", 0);
    heap_reopen_automatic(HEAP_BYTES);
    heap_set_option("threshold0", HEAP_THRESHOLD0);
}

TEST(many_times_the_heap_passes_through_it_as_garbage_that_only_a_collection_finds) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    reopen_without_thresholds();
    for (int i = 0; i < 20 * HEAP_BYTES / (int)sizeof(node); i++) {
        heap_node(0, 'g');
        heap_link(0, &heap_at(0)->a, 0);
    }
    collector_stats stats;
    linked_collector.stats(&stats);
    assert_true(stats.collections[COLLECTOR_GENERATIONS - 1] >= 10);
    heap_drop(0);
    for (int i = 0; i < 20; i++) {                              /* arrays too, held by what holds itself */
        heap_row(0, HEAP_BYTES / 2 / sizeof(field));
        heap_link(0, object_array(heap_locals[0].target)->items, 0);
    }
}

TEST(where_collections_are_off_a_full_heap_stays_full) {
    NEEDS(COLLECTOR_FREES_CYCLES);
#ifdef REFARENA_CYCLES_GENERATIONAL_H
    reopen_without_thresholds();
    generational.automatic = false;
    while (object_new(heap_mutator, &heap_locals[0], &node_type, 0))
        heap_link(0, &heap_at(0)->a, 0);
    assert_int_equal(generational.collections[2], 0);
    heap_drop(0);
    assert_true(heap_collect(2) > 0);
    heap_node(0, 'n');
#else
    support_skip("the row has no generations");
#endif
}

static unsigned finalized;

static void allocate_until_full(mutator *m, object *self) {
    local *frame = frame_open(m, 2);
    local_set(m, &frame[0], self);
    while (object_new(m, &frame[1], &node_type, 0)) {
        field_store(m, frame[1].target, &((node *)frame[1].target)->a, frame[0].target);
        local_set(m, &frame[0], frame[1].target);
    }
    finalized++;
    frame_close(m, frame);
}
static object_type filling_type;

TEST(a_finalizer_that_allocates_until_the_heap_is_full_ends_and_the_heap_goes_on) {
    NEEDS(COLLECTOR_FINALIZERS);
    filling_type = node_type;
    filling_type.finalize = allocate_until_full;
    finalized = 0;
    heap_reopen_automatic(HEAP_BYTES);
    heap_new(0, &filling_type, 'f');                            /* dies by count */
    heap_drop(0);
    assert_int_equal(finalized, 1);
    heap_new(0, &filling_type, 'f');                            /* and as a ring, in a collection */
    heap_link(0, &heap_at(0)->b, 0);
    heap_drop(0);
    if (heap_can(COLLECTOR_FREES_CYCLES)) {
        heap_collect(2);
        assert_int_equal(finalized, 2);
    }
    assert_true(fill() > 1000);
    heap_drop(0);
}

int main(void) {
    if (strcmp(linked_collector.counts, "none") == 0) return support_skip_all("what counts nothing has its limits in tracing.c");
    const struct CMUnitTest tests[] = {
        HEAP_TEST(a_full_heap_refuses_a_birth_and_has_room_again_when_something_has_died),
        HEAP_TEST(an_array_that_does_not_fit_is_refused_and_unchanged),
        HEAP_TEST(many_times_the_heap_passes_through_it_as_garbage_that_only_a_collection_finds),
        HEAP_TEST(where_collections_are_off_a_full_heap_stays_full),
        HEAP_TEST(a_finalizer_that_allocates_until_the_heap_is_full_ends_and_the_heap_goes_on),
    };
    return cmocka_run_group_tests_name(COLLECTOR_NAME ".limits", tests, NULL, NULL);
}
