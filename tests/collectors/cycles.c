/* SPDX-License-Identifier: MIT
 * cycles.c - what a cyclic collector must find, keep, finalize and count.
 *
 * Ids are those of the semantic cases; expected values are CPython 3.11's. Where CPython's finalizer or callback
 * fails by an exception (O44), one in C fails when a request of its own is refused, says so, and gives up.
 */
#include <signal.h>
#include <stdlib.h>

#include "heap.h"

TEST(O01_a_list_that_holds_itself_is_found_once) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_row(0, 1);
    heap_link(0, object_array(heap_locals[0].target)->items, 0);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 1);
    assert_int_equal(heap_collect(2), 0);
}

/* A dict is a list that CPython's collector may untrack. */
TEST(O02_a_dict_that_holds_itself_is_found) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    static object_type dict_type;
    dict_type = row_type;
    dict_type.untracking = OBJECT_UNTRACKED_BY_FULL;
    assert_true(object_new(heap_mutator, &heap_locals[0], &dict_type, 0));
    assert_true(object_resize(heap_mutator, &heap_locals[0], 2));
    heap_link(0, (field *)object_array(heap_locals[0].target)->items + 1, 0);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 1);
}

TEST(O03_a_list_and_a_tuple_that_hold_each_other_are_found) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_row(0, 1);
    assert_true(object_new(heap_mutator, &heap_locals[1], &pair_type, 1));
    heap_link(1, object_extra_units(heap_locals[1].target), 0);
    heap_link(0, object_array(heap_locals[0].target)->items, 1);
    heap_drops(0, 2);
    assert_int_equal(heap_collect(2), 2);
}

TEST(O04_an_object_reached_only_from_itself_is_reclaimed) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_self_loop(0, &node_type);
    heap_drop(0);
    if (heap_counts()) assert_int_equal(heap_alive(), 1);
    assert_int_equal(heap_collect(2), 1);
    assert_int_equal(heap_alive(), 0);
}

TEST(O05_a_pair_lives_while_either_of_its_members_has_a_name) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_ring(0, 2, &node_type);
    assert_int_equal(heap_collect(2), 0);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 0);
    heap_drop(1);
    assert_int_equal(heap_collect(2), 2);
}

TEST(O06_nothing_happens_to_a_dropped_ring_before_a_collection) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_FINALIZERS);
    heap_ring(0, 3, &finalized_type);
    heap_drops(0, 3);
    assert_string_equal(heap_log, "");
    assert_int_equal(heap_collect(2), 3);
    assert_string_equal(heap_log, "abc");
}

TEST(O08_a_tail_behind_a_dead_ring_is_garbage_too) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_ring(0, 2, &node_type);
    for (unsigned i = 2; i < 5; i++)
        heap_node(i, 't');
    heap_link(0, &heap_at(0)->b, 2);
    heap_link(2, &heap_at(2)->a, 3);
    heap_link(3, &heap_at(3)->a, 4);
    heap_drops(0, 5);
    assert_int_equal(heap_collect(2), 5);
}

TEST(O09_leaves_of_a_dead_ring_are_freed_and_not_counted) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_self_loop(0, &node_type);
    for (unsigned i = 1; i < 3; i++)
        assert_true(object_new(heap_mutator, &heap_locals[i], &leaf_type, 0));
    heap_link(0, &heap_at(0)->b, 1);
    heap_link(0, &heap_at(0)->c, 2);
    heap_drops(0, 3);
    assert_int_equal(heap_collect(2), heap_counts() ? 1 : 3);
    assert_int_equal(heap_alive(), 0);
}

TEST(O10_a_live_object_that_trash_refers_to_keeps_its_other_references) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_node(1, 'L');
    size_t before = 0;
#ifdef REFARENA_REFCOUNTED_H
    before = count_read(heap_locals[1].target);
#endif
    heap_self_loop(0, &node_type);
    heap_link(0, &heap_at(0)->b, 1);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 1);
    assert_int_equal(heap_at(1)->name, 'L');
#ifdef REFARENA_REFCOUNTED_H
    assert_int_equal(count_read(heap_locals[1].target), before);
#endif
    (void)before;
}

TEST(O11_a_ring_that_a_live_object_refers_to_lives) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_ring(0, 2, &node_type);
    heap_node(2, 'r');
    heap_link(2, &heap_at(2)->a, 0);
    heap_drops(0, 2);
    assert_int_equal(heap_collect(2), 0);
    heap_drop(2);
    assert_int_equal(heap_collect(2), heap_counts() ? 2 : 3);
}

TEST(O12_of_a_live_and_a_dead_loop_only_the_dead_is_found) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_self_loop(0, &node_type);
    heap_self_loop(1, &node_type);
    heap_drop(1);
    assert_int_equal(heap_collect(2), 1);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 1);
}

TEST(O13_a_ring_of_100000_is_found_whole) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_node(0, 'f');
    local_set(heap_mutator, &heap_locals[1], heap_locals[0].target);
    for (unsigned i = 1; i < 100000; i++) {
        heap_node(2, 'm');
        heap_link(2, &heap_at(2)->a, 1);
        local_set(heap_mutator, &heap_locals[1], heap_locals[2].target);
    }
    heap_link(0, &heap_at(0)->a, 1);
    heap_drops(0, 3);
    assert_int_equal(heap_collect(2), 100000);
}

TEST(O14_fifty_lists_that_all_hold_all_live_by_one_name) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    for (unsigned i = 0; i < 50; i++)
        heap_row(i, 50);
    for (unsigned i = 0; i < 50; i++)
        for (unsigned k = 0; k < 50; k++)
            heap_link(i, (field *)object_array(heap_locals[i].target)->items + k, k);
    heap_drops(1, 49);
    assert_int_equal(heap_collect(2), 0);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 50);
}

TEST(O15_several_fields_may_hold_the_same_object) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_self_loop(0, &node_type);
    heap_link(0, &heap_at(0)->b, 0);
    heap_link(0, &heap_at(0)->c, 0);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 1);
}

/* The globals are not tracked: the collector does not traverse them, as it does not a C stack. */
TEST(O16_a_ring_held_from_where_the_collector_does_not_look_lives) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_self_loop(0, &node_type);
    field_store(heap_mutator, collector_globals(), collector_global(HEAP_SAVED), heap_locals[0].target);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 0);
    field_store(heap_mutator, collector_globals(), collector_global(HEAP_SAVED), NULL);
    assert_int_equal(heap_collect(2), 1);
}

/* Without generations every collection is a full one, as in CPython's free-threaded build. */
#ifdef REFARENA_CYCLES_GENERATIONAL_H
enum { HAS_GENERATIONS = 1 };
#else
enum { HAS_GENERATIONS = 0 };
#endif

TEST(O17_what_has_grown_old_waits_for_a_full_collection) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_self_loop(0, &node_type);
    heap_collect(2);
    heap_drop(0);
    assert_int_equal(heap_collect(0), HAS_GENERATIONS ? 0 : 1);
    assert_int_equal(heap_collect(1), 0);
    assert_int_equal(heap_collect(2), HAS_GENERATIONS ? 1 : 0);
}

TEST(O19_old_trash_held_by_young_trash_falls_with_it) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_node(0, 'o');
    heap_collect(2);
    heap_self_loop(1, &node_type);
    heap_link(1, &heap_at(1)->b, 0);
    heap_drops(0, 2);
    assert_int_equal(heap_collect(0), HAS_GENERATIONS ? 1 : 2);     /* of another generation: by its count, which is not counted */
    assert_int_equal(heap_alive(), 0);
}

static void collect_out_of_range(void *generation) { collector_collect(heap_mutator, *(int *)generation); }

TEST(O46_a_generation_that_does_not_exist_is_an_error) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    assert_true(support_dies(collect_out_of_range, &(int){-1}, SIGABRT));
    assert_true(support_dies(collect_out_of_range, &(int){3}, SIGABRT));
}

TEST(O28_a_weak_reference_to_a_dropped_ring_dies_with_its_collection) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_WEAK_REFERENCES);
    heap_self_loop(0, &node_type);
    assert_true(weak_new(heap_mutator, &heap_locals[1], heap_locals[0].target, NULL, NULL));
    heap_drop(0);
    weak_get(heap_mutator, &heap_locals[2], heap_locals[1].target);
    assert_non_null(heap_locals[2].target);
    heap_drop(2);
    assert_int_equal(heap_collect(2), 1);
    weak_get(heap_mutator, &heap_locals[2], heap_locals[1].target);
    assert_null(heap_locals[2].target);
}

TEST(O29_a_callback_from_outside_a_dead_ring_runs_once) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_WEAK_REFERENCES);
    heap_self_loop(0, &node_type);
    assert_true(weak_new(heap_mutator, &heap_locals[1], heap_locals[0].target, heap_log_callback, "w"));
    heap_drop(0);
    assert_int_equal(heap_collect(2), 1);
    assert_int_equal(heap_collect(2), 0);
    assert_string_equal(heap_log, "!w");
}

/* CPython's 4 of this case are also the callback's closure and its cell, which have no likeness here. */
TEST(O30_a_weak_reference_that_is_trash_itself_never_calls_back_and_is_counted) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_WEAK_REFERENCES);
    heap_self_loop(0, &node_type);
    assert_true(weak_new(heap_mutator, &heap_locals[1], heap_locals[0].target, heap_log_callback, "w"));
    heap_link(0, &heap_at(0)->b, 1);
    heap_drops(0, 2);
    assert_int_equal(heap_collect(2), 2);
    assert_string_equal(heap_log, "");
}

enum { FAIL_ROW = 60 };

/* Asks for more than any heap has. */
static void give_up(char who) {
    bool granted = object_resize(heap_mutator, &heap_locals[FAIL_ROW], PTRDIFF_MAX / 2 / sizeof(field));
    strncat(heap_log, granted ? "granted" : (char[]){who, 0}, sizeof heap_log - strlen(heap_log) - 1);
}
static void fail_to_finalize(mutator *m, object *self) {
    (void)m;
    give_up(((node *)self)->name);
}
static void fail_to_call_back(mutator *m, object *weak, void *context) {
    (void)m, (void)weak, (void)context;
    give_up('!');
}
static object_type failing_type;

TEST(O44_finalizers_and_callbacks_that_fail_do_not_keep_the_rest_of_a_collection_from_happening) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_FINALIZERS | COLLECTOR_WEAK_REFERENCES);
    failing_type = node_type;
    failing_type.finalize = fail_to_finalize;
    heap_row(FAIL_ROW, 1);
    heap_ring(0, 2, &failing_type);
    assert_true(weak_new(heap_mutator, &heap_locals[2], heap_locals[0].target, heap_log_callback, "good"));
    assert_true(weak_new(heap_mutator, &heap_locals[3], heap_locals[1].target, fail_to_call_back, NULL));
    heap_drops(0, 2);
    assert_int_equal(heap_collect(2), 2);
    assert_non_null(strstr(heap_log, "!good"));
    assert_int_equal(strlen(heap_log), strlen("!good!ab"));       /* and both finalizers and the other callback, once */
    assert_int_equal(heap_log[strlen("!good!")], 'a');
    heap_drop(FAIL_ROW);
}

static void store_into_trash(mutator *m, object *self) {
    local *frame = frame_open(m, 2);
    field_load(m, &frame[0], self, &((node *)self)->a);
    if (object_new(m, &frame[1], &node_type, 0)) field_store(m, frame[0].target, &((node *)frame[0].target)->b, frame[1].target);
    frame_close(m, frame);
}
static object_type storing_type;

TEST(what_a_finalizer_stores_into_trash_falls_with_it) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_FINALIZERS);
    storing_type = node_type;
    storing_type.finalize = store_into_trash;
    heap_ring(0, 2, &storing_type);
    heap_drops(0, 2);
    assert_int_equal(heap_collect(2), heap_counts() ? 2 : 4);     /* what counting frees with them is not counted */
    assert_int_equal(heap_alive(), 0);
}

static char partner_seen[8];
static void look_at_partner(mutator *m, object *self) {
    (void)m;
    object *partner = field_peek(&((node *)self)->a);
    strncat(partner_seen, (char[]){((node *)partner)->name, 0}, sizeof partner_seen - strlen(partner_seen) - 1);
}
static object_type looking_type;

TEST(O35_finalizers_in_a_ring_see_each_other_whole) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_FINALIZERS);
    looking_type = node_type;
    looking_type.finalize = look_at_partner;
    partner_seen[0] = 0;
    heap_ring(0, 2, &looking_type);
    heap_drops(0, 2);
    assert_int_equal(heap_collect(2), 2);
    assert_string_equal(partner_seen, "ba");
}

TEST(O36_finalizers_run_in_the_order_of_birth_not_of_links) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_FINALIZERS);
    heap_finalized(2, 'c');
    heap_finalized(0, 'a');
    heap_finalized(1, 'b');
    for (unsigned i = 0; i < 3; i++)
        heap_link(i, &heap_at(i)->a, (i + 1) % 3);
    heap_drops(0, 3);
    assert_int_equal(heap_collect(2), 3);
    assert_string_equal(heap_log, "cab");
}

TEST(a_ring_whose_finalizer_resurrects_it_lives_and_is_collected_later) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_FINALIZERS);
    heap_new(0, &phoenix_type, 'z');
    heap_node(1, 'n');
    heap_link(0, &heap_at(0)->a, 1);
    heap_link(1, &heap_at(1)->a, 0);
    assert_true(weak_new(heap_mutator, &heap_locals[2], heap_locals[1].target, NULL, NULL));
    heap_drops(0, 2);
    assert_int_equal(heap_collect(2), 0);
    assert_string_equal(heap_log, "z");
    weak_get(heap_mutator, &heap_locals[3], heap_locals[2].target);
    assert_null(heap_locals[3].target);                 /* cleared before the finalizer ran */
    field_store(heap_mutator, collector_globals(), collector_global(HEAP_SAVED), NULL);
    assert_int_equal(heap_collect(2), 2);
    assert_string_equal(heap_log, "z");
}

static void collect_again(mutator *m, object *self) {
    (void)self;
    local *frame = frame_open(m, 1);
    for (int i = 0; i < 100; i++)
        assert_true(object_new(m, frame, &node_type, 0));
    assert_int_equal(collector_collect(m, 2), 0);
    frame_close(m, frame);
}
static object_type collecting_type;

TEST(a_finalizer_may_allocate_and_a_collection_inside_a_collection_does_nothing) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_FINALIZERS);
    collecting_type = node_type;
    collecting_type.finalize = collect_again;
    heap_ring(0, 2, &collecting_type);
    heap_drops(0, 2);
    assert_int_equal(heap_collect(2), heap_counts() ? 2 : 2 + 2 * 100);
}

/* --- DeZero, step 17 ------------------------------------------------------------------------------- */

enum { V, F, NEXT, WEAK };

/* v0; three times: f(inp = v), v' (creator = f), f.out = v', strong or weak. Leaves only the last v named. */
static void dezero(bool weak) {
    static const char variables[] = "0123", functions[] = "xyz";
    heap_finalized(V, variables[0]);
    for (int i = 0; i < 3; i++) {
        heap_finalized(F, functions[i]);
        heap_link(F, &heap_at(F)->a, V);
        heap_finalized(NEXT, variables[i + 1]);
        heap_link(NEXT, &heap_at(NEXT)->a, F);
        if (weak) assert_true(weak_new(heap_mutator, &heap_locals[WEAK], heap_locals[NEXT].target, NULL, NULL));
        heap_link(F, &heap_at(F)->b, weak ? WEAK : NEXT);
        local_set(heap_mutator, &heap_locals[V], heap_locals[NEXT].target);
    }
    heap_drops(F, 3);
}

TEST(O43_strong_outputs_keep_the_graph_until_a_collection) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_FINALIZERS);
    dezero(false);
    heap_drop(V);
    assert_string_equal(heap_log, "");
    assert_int_equal(heap_collect(2), 7);
    assert_string_equal(heap_log, "0x1y2z3");
}

TEST(O43w_weak_outputs_let_the_graph_die_at_once_from_its_end) {
    NEEDS(COLLECTOR_FINALIZERS | COLLECTOR_WEAK_REFERENCES | COLLECTOR_EXACT_COUNTS);
    dezero(true);
    heap_drop(V);
    assert_string_equal(heap_log, "3z2y1x0");
    assert_int_equal(heap_collect(2), 0);
}

/* Trash alone, so that every collection finds the same heap: the space between two must not grow. */
TEST(automatic_collections_of_trash_keep_their_distance) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_reopen_automatic(0);
    uint64_t most[2] = {0, 0};
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < 200000; i++) {
            heap_ring(0, 2, &node_type);
            heap_drops(0, 2);
            if (heap_alive() > most[half]) most[half] = heap_alive();
        }
    assert_true(most[1] <= most[0] + most[0] / 4);
}

#ifdef REFARENA_CYCLES_SEGREGATED_H
TEST(under_stress_every_tracked_birth_collects) {
    heap_set_option("stress", 1);
    heap_reopen_automatic(0);
    heap_set_option("stress", 0);
    for (int i = 0; i < 10; i++) {
        heap_self_loop(0, &node_type);
        assert_true(heap_alive() <= 2);
    }
    collector_stats stats;
    linked_collector.stats(&stats);
    assert_int_equal(stats.collections[COLLECTOR_GENERATIONS - 1], 10);
}
#define SEGREGATED_TESTS HEAP_TEST(under_stress_every_tracked_birth_collects),
#else
#define SEGREGATED_TESTS
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        HEAP_TEST(O01_a_list_that_holds_itself_is_found_once),
        HEAP_TEST(O02_a_dict_that_holds_itself_is_found),
        HEAP_TEST(O03_a_list_and_a_tuple_that_hold_each_other_are_found),
        HEAP_TEST(O04_an_object_reached_only_from_itself_is_reclaimed),
        HEAP_TEST(O05_a_pair_lives_while_either_of_its_members_has_a_name),
        HEAP_TEST(O06_nothing_happens_to_a_dropped_ring_before_a_collection),
        HEAP_TEST(O08_a_tail_behind_a_dead_ring_is_garbage_too),
        HEAP_TEST(O09_leaves_of_a_dead_ring_are_freed_and_not_counted),
        HEAP_TEST(O10_a_live_object_that_trash_refers_to_keeps_its_other_references),
        HEAP_TEST(O11_a_ring_that_a_live_object_refers_to_lives),
        HEAP_TEST(O12_of_a_live_and_a_dead_loop_only_the_dead_is_found),
        HEAP_TEST(O13_a_ring_of_100000_is_found_whole),
        HEAP_TEST(O14_fifty_lists_that_all_hold_all_live_by_one_name),
        HEAP_TEST(O15_several_fields_may_hold_the_same_object),
        HEAP_TEST(O16_a_ring_held_from_where_the_collector_does_not_look_lives),
        HEAP_TEST(O17_what_has_grown_old_waits_for_a_full_collection),
        HEAP_TEST(O19_old_trash_held_by_young_trash_falls_with_it),
        HEAP_TEST(O46_a_generation_that_does_not_exist_is_an_error),
        HEAP_TEST(O28_a_weak_reference_to_a_dropped_ring_dies_with_its_collection),
        HEAP_TEST(O29_a_callback_from_outside_a_dead_ring_runs_once),
        HEAP_TEST(O30_a_weak_reference_that_is_trash_itself_never_calls_back_and_is_counted),
        HEAP_TEST(O44_finalizers_and_callbacks_that_fail_do_not_keep_the_rest_of_a_collection_from_happening),
        HEAP_TEST(what_a_finalizer_stores_into_trash_falls_with_it),
        HEAP_TEST(O35_finalizers_in_a_ring_see_each_other_whole),
        HEAP_TEST(O36_finalizers_run_in_the_order_of_birth_not_of_links),
        HEAP_TEST(a_ring_whose_finalizer_resurrects_it_lives_and_is_collected_later),
        HEAP_TEST(a_finalizer_may_allocate_and_a_collection_inside_a_collection_does_nothing),
        HEAP_TEST(automatic_collections_of_trash_keep_their_distance),
        HEAP_TEST(O43_strong_outputs_keep_the_graph_until_a_collection),
        HEAP_TEST(O43w_weak_outputs_let_the_graph_die_at_once_from_its_end),
        SEGREGATED_TESTS
    };
    return cmocka_run_group_tests_name(COLLECTOR_NAME ".cycles", tests, NULL, NULL);
}
