/* SPDX-License-Identifier: MIT
 * generations.c - what only CPython's generations have: when a young one is collected, what moves up, what is
 * untracked, frozen, kept as garbage. Ids are those of the semantic cases; expected values are CPython 3.11's.
 */
#include <signal.h>
#include <stdlib.h>

#include "heap.h"

#ifdef REFARENA_CYCLES_GENERATIONAL_H

TEST(O18_young_trash_held_by_old_trash_waits_for_a_full_collection) {
    heap_self_loop(0, &node_type);
    heap_collect(2);
    heap_self_loop(1, &node_type);
    heap_link(0, &heap_at(0)->b, 1);
    heap_drops(0, 2);
    assert_int_equal(heap_collect(0), 0);
    assert_int_equal(heap_collect(1), 0);
    assert_int_equal(heap_collect(2), 2);
}

TEST(O20_a_survivor_moves_up_one_generation_at_a_time) {
    heap_node(0, 'a');
    assert_int_equal(generational_generation(heap_locals[0].target), 0);
    static const int after[] = {1, 2, 2};
    for (int g = 0; g < 3; g++) {
        heap_collect(g);
        assert_int_equal(generational_generation(heap_locals[0].target), after[g]);
    }
}

TEST(O21_collections_count_towards_the_next_older_generation) {
    static const int steps[][4] = {{2, 1, 0, 0}, {0, 2, 2, 0}, {1, 1, 0, 1}, {2, 1, 0, 0}};    /* generation, times, counts */
    for (unsigned i = 0; i < 4; i++) {
        for (int k = 0; k < steps[i][1]; k++)
            heap_collect(steps[i][0]);
        assert_int_equal(generational.counts[1], steps[i][2]);
        assert_int_equal(generational.counts[2], steps[i][3]);
    }
}

static void automatic(int64_t threshold0) {
    generational.automatic = true;
    generational.thresholds[0] = threshold0;
}

static unsigned births_until_a_collection(void) {
    unsigned births = 0;
    heap_row(0, 5000);
    heap_collect(2);
    uint64_t before = generational.collections[0];
    while (generational.collections[0] == before && births < 5000) {
        heap_node(1, 'n');
        heap_link(0, (field *)object_array(heap_locals[0].target)->items + births++, 1);
    }
    heap_drops(0, 2);
    return births;
}

TEST(O22_the_701st_net_birth_collects) {
    automatic(700);
    assert_int_equal(births_until_a_collection(), 701);
    automatic(100);
    assert_int_equal(births_until_a_collection(), 101);
}

static uint64_t collections(void) {
    return generational.collections[0] + generational.collections[1] + generational.collections[2];
}

TEST(O23_threshold_0_or_switched_off_means_never_but_asking_works) {
    automatic(0);
    for (int i = 0; i < 5000; i++)
        heap_node((unsigned)i % 60, 'n');
    assert_int_equal(collections(), 0);
    automatic(100);
    generational.automatic = false;
    for (int i = 0; i < 5000; i++)
        heap_node((unsigned)i % 60, 'n');
    assert_int_equal(collections(), 0);
    heap_drops(0, 60);
    heap_self_loop(0, &node_type);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 1);
}

TEST(O24_births_that_die_at_once_never_collect) {
    automatic(100);
    for (int i = 0; i < 100000; i++) {
        heap_node(0, 'n');
        heap_drop(0);
    }
    assert_int_equal(collections(), 0);
}

TEST(O25_figures_are_kept_by_generation) {
    for (int i = 0; i < 3; i++) heap_self_loop(0, &node_type);
    heap_drop(0);
    assert_int_equal(heap_collect(0), 3);
    for (int i = 0; i < 5; i++) heap_self_loop(0, &node_type);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 5);
    static const uint64_t expected[3][2] = {{1, 3}, {0, 0}, {1, 5}};
    for (int g = 0; g < 3; g++) {
        assert_int_equal(generational.collections[g], expected[g][0]);
        assert_int_equal(generational.collected[g], expected[g][1]);
    }
}

static struct { bool start; int generation; size_t collected, uncollectable; } calls[4];
static unsigned calls_made;
static void record_uncollectable(bool start, int generation, size_t collected, size_t uncollectable) {
    calls[calls_made].start = start;
    calls[calls_made].generation = generation;
    calls[calls_made].collected = collected;
    calls[calls_made++].uncollectable = uncollectable;
}
static void record_call(bool start, int generation, size_t collected, size_t uncollectable) {
    assert_int_equal(uncollectable, 0);
    record_uncollectable(start, generation, collected, uncollectable);
}

TEST(O26_callbacks_frame_a_collection) {
    calls_made = 0;
    generational.callback = record_call;
    heap_self_loop(0, &node_type);
    heap_drop(0);
    heap_collect(1);
    generational.callback = NULL;
    assert_int_equal(calls_made, 2);
    assert_true(calls[0].start && calls[0].generation == 1 && calls[0].collected == 0);
    assert_true(!calls[1].start && calls[1].generation == 1 && calls[1].collected == 1);
}

TEST(the_census_of_generations_is_exact) {
    uint64_t tracked[COLLECTOR_GENERATIONS + 1];
    assert_true(linked_collector.generations(tracked));
    const uint64_t young = tracked[0], middle = tracked[1], old = tracked[2], permanent = tracked[3];
    const struct { int collect; uint64_t young, middle, old, permanent; } after[] = {      /* each makes two objects first */
        {-1, 2, 0, 0, 0}, {0, 0, 4, 0, 0}, {-1, 2, 4, 0, 0}, {1, 0, 0, 8, 0}, {-1, 2, 0, 8, 0}};
    int slot = 0;
    for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
        for (int made = 0; made < 2; made++) heap_node(slot++, 'a');
        if (after[i].collect >= 0) assert_int_equal(heap_collect(after[i].collect), 0);
        assert_true(linked_collector.generations(tracked));
        assert_int_equal(tracked[0] - young, after[i].young);
        assert_int_equal(tracked[1] - middle, after[i].middle);
        assert_int_equal(tracked[2] - old, after[i].old);
        assert_int_equal(tracked[3] - permanent, after[i].permanent);
    }
    generational_freeze();
    assert_true(linked_collector.generations(tracked));
    assert_int_equal(tracked[0] + tracked[1] + tracked[2], 0);
    assert_int_equal(tracked[3] - permanent, 10);
    generational_unfreeze();
    heap_drop(0);                                       /* by its count: no collection is needed */
    assert_true(linked_collector.generations(tracked));
    assert_int_equal(tracked[2] - old, 9);
}

TEST(what_is_immortal_moves_to_the_permanent_generation) {
    NEEDS(COLLECTOR_FREES_CYCLES);
#ifdef COLLECTOR_HAS_IMMORTALS
    heap_node(0, 'a');
    heap_node(1, 'b');
    heap_link(0, &heap_at(0)->a, 1);
    object *o = heap_locals[0].target;
    object_immortalize(o);
    assert_int_equal(heap_collect(0), 0);
    assert_int_equal(generational_generation(o), COLLECTOR_GENERATIONS);
    assert_int_equal(generational_generation(heap_locals[1].target), 1);
    heap_drop(1);
    assert_int_equal(heap_collect(2), 0);               /* what it holds is held from outside */
    assert_non_null(field_peek(&heap_at(0)->a));
    count_birth(o);                                     /* mortal again, so that the heap ends empty */
    generational_unfreeze();
#else
    support_skip("no object of the row is immortal");
#endif
}

TEST(immortals_stay_where_they_are_while_the_heap_is_checked) {
#ifdef COLLECTOR_HAS_IMMORTALS
    enum { IMMORTALS = 3 };
    for (unsigned i = 0; i < IMMORTALS; i++)
        object_immortalize(&heap_node(i, 'i')->header);
    collector_check();
    for (unsigned i = 0; i < IMMORTALS; i++)
        assert_int_equal(generational_generation(heap_locals[i].target), 0);
    heap_collect(0);
    collector_check();
    for (unsigned i = 0; i < IMMORTALS; i++) {
        assert_int_equal(generational_generation(heap_locals[i].target), COLLECTOR_GENERATIONS);
        count_birth(heap_locals[i].target);             /* mortal again, so that the heap ends empty */
    }
    generational_unfreeze();
#else
    support_skip("no object of the row is immortal");
#endif
}

TEST(O38_frozen_garbage_is_not_seen_until_it_is_thawed_into_the_oldest) {
    heap_self_loop(0, &node_type);
    heap_drop(0);
    generational_freeze();
    assert_int_equal(heap_collect(2), 0);
    generational_unfreeze();
    assert_int_equal(heap_collect(0), 0);
    assert_int_equal(heap_collect(1), 0);
    assert_int_equal(heap_collect(2), 1);
}

TEST(O45_a_ring_that_was_untracked_is_never_found) {
    heap_self_loop(0, &node_type);
    generational_untrack(heap_locals[0].target);
    local_set(heap_mutator, &heap_locals[1], heap_locals[0].target);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 0);
    generational_track(heap_locals[1].target);
    heap_drop(1);
    assert_int_equal(heap_collect(2), 1);
}

/* One collection per 701 births; how many are young, middle and full depends on what lived before. */
TEST(O47_dead_pairs_are_collected_automatically_and_none_is_left) {
    automatic(700);
    for (int i = 0; i < 1000000; i++) {
        heap_ring(0, 2, &node_type);
        heap_drops(0, 2);
        assert_true(heap_alive() <= 3 * 701);
    }
    assert_int_equal(collections(), 2000000 / 701);
    generational.automatic = false;
}

/* 13 tracked objects an iteration: one collection in 701 / 13 = 53.9 iterations. */
TEST(O48_thirteen_tracked_objects_an_iteration_collect_every_54th) {
    automatic(700);
    for (int i = 0; i < 10000; i++) {
        heap_ring(0, 13, &node_type);
        heap_drops(0, 13);
    }
    assert_int_equal(collections(), 10000 * 13 / 701);
    generational.automatic = false;
}

/* A quarter of the long-lived must be new before a full collection is worth it. */
TEST(a_growing_heap_is_collected_in_full_only_when_it_has_grown_by_a_quarter) {
    automatic(700);
    heap_row(0, 400000);
    uint64_t full = 0;
    size_t live_at_last = 0, live = 0;
    for (unsigned i = 0; i < 400000; i++, live++) {
        heap_node(1, 'n');
        heap_link(0, (field *)object_array(heap_locals[0].target)->items + i, 1);
        if (generational.collections[2] == full) continue;
        full = generational.collections[2];
        if (live_at_last > 200000) assert_true(live >= live_at_last + live_at_last / 4);
        live_at_last = live;
    }
    assert_true(full > 3);
    generational.automatic = false;
}

/* A dict: tracked from the first value that can be part of a cycle until a full collection finds none. */
static object_type dict_type;

static void dict_new(unsigned i) {
    dict_type = row_type;
    dict_type.untracking = OBJECT_UNTRACKED_BY_FULL;
    assert_true(object_new(heap_mutator, &heap_locals[i], &dict_type, 0));
    assert_true(object_resize(heap_mutator, &heap_locals[i], 4));
    generational_untrack(heap_locals[i].target);
}
static void dict_set(unsigned i, unsigned key, unsigned value) {
    object *o = heap_locals[value].target;
    heap_link(i, (field *)object_array(heap_locals[i].target)->items + key, value);
    if (o != NULL && o->type->tracked) generational_track(heap_locals[i].target);
}

TEST(a_dict_tracked_since_it_holds_itself_is_found) {
    dict_new(0);
    dict_set(0, 1, 0);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 1);
}

static void tuple_of(unsigned i, unsigned item) {
    assert_true(object_new(heap_mutator, &heap_locals[i], &pair_type, 1));
    heap_link(i, object_extra_units(heap_locals[i].target), item);
}
static bool is_tracked(unsigned i) { return generational_is_tracked(heap_locals[i].target); }

TEST(O39_a_tuple_of_leaves_is_untracked_and_then_the_tuple_around_it) {
    enum { LEAF, FLAT, INNER, NESTED, ROW, HOLDS_ROW };
    assert_true(object_new(heap_mutator, &heap_locals[LEAF], &leaf_type, 0));
    heap_row(ROW, 0);
    tuple_of(FLAT, LEAF);
    assert_true(object_new(heap_mutator, &heap_locals[NESTED], &pair_type, 1));    /* before what it holds */
    tuple_of(INNER, LEAF);
    heap_link(NESTED, object_extra_units(heap_locals[NESTED].target), INNER);
    tuple_of(HOLDS_ROW, ROW);
    heap_drop(INNER);
    static const bool expected[4][2] = {{true, true}, {false, true}, {false, false}, {false, false}};
    for (int step = 0; step < 4; step++) {
        if (step != 0) heap_collect(step - 1);
        assert_int_equal(is_tracked(FLAT), expected[step][0]);
        assert_int_equal(is_tracked(NESTED), expected[step][1]);
        assert_true(is_tracked(HOLDS_ROW));
    }
}

TEST(O40_a_dict_is_tracked_with_its_first_container_until_a_full_collection) {
    enum { DICT, LEAF, ROW, NOTHING };
    dict_new(DICT);
    assert_false(is_tracked(DICT));
    assert_true(object_new(heap_mutator, &heap_locals[LEAF], &leaf_type, 0));
    dict_set(DICT, 0, LEAF);
    assert_false(is_tracked(DICT));
    heap_row(ROW, 0);
    dict_set(DICT, 1, ROW);
    assert_true(is_tracked(DICT));
    dict_set(DICT, 1, NOTHING);
    heap_collect(0);
    heap_collect(1);
    assert_true(is_tracked(DICT));
    heap_collect(2);
    assert_false(is_tracked(DICT));
}

TEST(O41_with_save_all_trash_is_kept_whole) {
    heap_self_loop(0, &node_type);
    object *o = heap_locals[0].target;
    generational.save_all = true;
    heap_drop(0);
    assert_int_equal(heap_collect(2), 1);
    generational.save_all = false;
    assert_int_equal(heap_alive(), 1);
    assert_int_equal(generational.garbage_count, 1);
    assert_ptr_equal(generational.garbage[0], o);
    assert_ptr_equal(field_peek(&((node *)o)->a), o);
    generational_drop_garbage(heap_mutator);
    assert_int_equal(heap_collect(2), 1);
}

static object_type legacy_type;

TEST(O42_a_legacy_finalizer_makes_its_cycle_and_all_it_reaches_uncollectable) {
    enum { A, X, Y, WEAK_X, WEAK_Y, SCRATCH };
    legacy_type = node_type;
    legacy_type.legacy_finalizer = true;
    heap_self_loop(A, &legacy_type);
    heap_self_loop(X, &node_type);
    heap_self_loop(Y, &node_type);
    heap_link(A, &heap_at(A)->b, X);
    heap_link(Y, &heap_at(Y)->b, A);
    assert_true(weak_new(heap_mutator, &heap_locals[WEAK_X], heap_locals[X].target, NULL, NULL));
    assert_true(weak_new(heap_mutator, &heap_locals[WEAK_Y], heap_locals[Y].target, NULL, NULL));
    object *a = heap_locals[A].target;
    heap_drops(A, 3);
    calls_made = 0;
    generational.callback = record_uncollectable;
    assert_int_equal(heap_collect(2), 3);
    generational.callback = NULL;
    assert_int_equal(calls[1].collected, 1);
    assert_int_equal(calls[1].uncollectable, 2);
    assert_int_equal(generational.garbage_count, 1);
    assert_ptr_equal(generational.garbage[0], a);
    weak_get(heap_mutator, &heap_locals[SCRATCH], heap_locals[WEAK_X].target);
    assert_non_null(heap_locals[SCRATCH].target);
    weak_get(heap_mutator, &heap_locals[SCRATCH], heap_locals[WEAK_Y].target);
    assert_null(heap_locals[SCRATCH].target);
    field_store(heap_mutator, a, &((node *)a)->a, NULL);
    generational_drop_garbage(heap_mutator);
    assert_int_equal(heap_collect(2), 1);
}

TEST(beside_a_legacy_finalizer_callbacks_and_finalizers_of_other_trash_run) {
    enum { A, F, X, WEAK_X };
    legacy_type = node_type;
    legacy_type.legacy_finalizer = true;
    heap_self_loop(A, &legacy_type);
    heap_self_loop(F, &finalized_type);
    heap_at(F)->name = 'f';
    heap_self_loop(X, &node_type);
    assert_true(weak_new(heap_mutator, &heap_locals[WEAK_X], heap_locals[X].target, heap_log_callback, "x"));
    object *a = heap_locals[A].target;
    heap_drops(A, 3);
    calls_made = 0;
    generational.callback = record_uncollectable;
    heap_collect(2);
    generational.callback = NULL;
    assert_int_equal(calls[1].collected, 2);
    assert_int_equal(calls[1].uncollectable, 1);
    assert_string_equal(heap_log, "!xf");
    field_store(heap_mutator, a, &((node *)a)->a, NULL);
    generational_drop_garbage(heap_mutator);
}

/* What the rule of a quarter compares. */
TEST(the_long_lived_are_the_survivors_that_stay_tracked) {
    enum { LEAF, OLD, NEW, FLAT_OLD, FLAT_NEW };
    heap_collect(2);
    size_t before = generational.long_lived;
    assert_true(object_new(heap_mutator, &heap_locals[LEAF], &leaf_type, 0));
    heap_node(OLD, 'o');
    tuple_of(FLAT_OLD, LEAF);
    heap_collect(2);
    assert_int_equal(generational.long_lived, before + 1);
    assert_int_equal(generational.long_lived_pending, 0);
    heap_node(NEW, 'n');
    tuple_of(FLAT_NEW, LEAF);
    heap_collect(1);
    assert_int_equal(generational.long_lived, before + 1);
    assert_int_equal(generational.long_lived_pending, 1);
    heap_collect(2);
    assert_int_equal(generational.long_lived, before + 2);
    assert_int_equal(generational.long_lived_pending, 0);
}

TEST(with_collect_at_poll_a_birth_only_asks) {
    automatic(100);
    generational.collect_at_poll = true;
    uint64_t before = collections();
    for (int i = 0; i < 1000; i++)
        heap_self_loop(0, &node_type);
    assert_int_equal(collections(), before);
    mutator_poll(heap_mutator);
    assert_int_equal(collections(), before + 1);
    generational.automatic = generational.collect_at_poll = false;
}

TEST(under_stress_every_tracked_birth_collects) {
    generational.automatic = generational.stress = true;
    generational.thresholds[0] = -1;
    uint64_t before = generational.collections[2];
    for (int i = 0; i < 10; i++)
        heap_self_loop(0, &node_type);
    assert_int_equal(generational.collections[2], before + 10);
    assert_true(heap_alive() <= 2);
    generational.automatic = generational.stress = false;
}

TEST(objects_from_a_free_list_are_not_counted_and_a_full_collection_empties_it) {
    free_lists_open(true);
    for (unsigned i = 0; i < 5; i++)
        assert_true(object_new(heap_mutator, &heap_locals[i], &pair_type, 2));
    object *last = heap_locals[2].target;
    heap_drops(0, 3);                                         /* three are kept: 0, 1, 2 */
    int64_t counted = generational.counts[0];
    assert_true(object_new(heap_mutator, &heap_locals[0], &pair_type, 2));
    assert_ptr_equal(heap_locals[0].target, last);
    assert_int_equal(generational.counts[0], counted);
    assert_true(object_new(heap_mutator, &heap_locals[1], &pair_type, 1));     /* another length, another list */
    assert_int_equal(generational.counts[0], counted + 1);
    heap_collect(2);
    counted = generational.counts[0];
    assert_true(object_new(heap_mutator, &heap_locals[2], &pair_type, 2));
    assert_int_equal(generational.counts[0], counted + 1);
    heap_drops(0, 5);
    free_lists_empty();
    free_lists_open(false);
}

static void break_a_list(void *context) {
    (void)context;
    heap_node(0, 'a');
    heap_node(1, 'b');
    volatile uintptr_t *next = &generational_link_of(heap_locals[0].target)->next;
    *next = (uintptr_t)&generational.heads[0];
    collector_check();
}

static void lose_a_count(void *context) {
    (void)context;
    heap_ring(0, 2, &node_type);
    volatile uint32_t *references = &heap_locals[0].target->references;
    *references = 0;
    collector_check();
}

static void lose_one_of_two_counts(void *context) {
    (void)context;
    heap_ring(0, 2, &node_type);
    heap_link(0, &heap_at(0)->b, 1);
    volatile uint32_t *references = &heap_locals[1].target->references;
    *references = 1;
    collector_check();
}

TEST(check_notices_a_broken_list_and_a_lost_count) {
    assert_true(support_dies(break_a_list, NULL, SIGABRT));
    assert_true(support_dies(lose_a_count, NULL, SIGABRT));
    assert_true(support_dies(lose_one_of_two_counts, NULL, SIGABRT));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HEAP_TEST(O18_young_trash_held_by_old_trash_waits_for_a_full_collection),
        HEAP_TEST(O20_a_survivor_moves_up_one_generation_at_a_time),
        HEAP_TEST(O21_collections_count_towards_the_next_older_generation),
        HEAP_TEST(O22_the_701st_net_birth_collects),
        HEAP_TEST(O23_threshold_0_or_switched_off_means_never_but_asking_works),
        HEAP_TEST(O24_births_that_die_at_once_never_collect),
        HEAP_TEST(O25_figures_are_kept_by_generation),
        HEAP_TEST(O26_callbacks_frame_a_collection),
        HEAP_TEST(the_census_of_generations_is_exact),
        HEAP_TEST(what_is_immortal_moves_to_the_permanent_generation),
        HEAP_TEST(immortals_stay_where_they_are_while_the_heap_is_checked),
        HEAP_TEST(O38_frozen_garbage_is_not_seen_until_it_is_thawed_into_the_oldest),
        HEAP_TEST(O45_a_ring_that_was_untracked_is_never_found),
        HEAP_TEST(O47_dead_pairs_are_collected_automatically_and_none_is_left),
        HEAP_TEST(O48_thirteen_tracked_objects_an_iteration_collect_every_54th),
        HEAP_TEST(a_growing_heap_is_collected_in_full_only_when_it_has_grown_by_a_quarter),
        HEAP_TEST(a_dict_tracked_since_it_holds_itself_is_found),
        HEAP_TEST(O39_a_tuple_of_leaves_is_untracked_and_then_the_tuple_around_it),
        HEAP_TEST(O40_a_dict_is_tracked_with_its_first_container_until_a_full_collection),
        HEAP_TEST(O41_with_save_all_trash_is_kept_whole),
        HEAP_TEST(O42_a_legacy_finalizer_makes_its_cycle_and_all_it_reaches_uncollectable),
        HEAP_TEST(beside_a_legacy_finalizer_callbacks_and_finalizers_of_other_trash_run),
        HEAP_TEST(the_long_lived_are_the_survivors_that_stay_tracked),
        HEAP_TEST(with_collect_at_poll_a_birth_only_asks),
        HEAP_TEST(under_stress_every_tracked_birth_collects),
        HEAP_TEST(objects_from_a_free_list_are_not_counted_and_a_full_collection_empties_it),
        HEAP_TEST(check_notices_a_broken_list_and_a_lost_count),
    };
    return cmocka_run_group_tests_name(COLLECTOR_NAME ".generations", tests, NULL, NULL);
}

#else

int main(void) { return support_skip_all("the row has no generations"); }

#endif
