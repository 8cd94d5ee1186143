/* SPDX-License-Identifier: MIT
 * cycles.c - what a cyclic collector must find, keep, finalize and count.
 *
 * Ids are those of the semantic cases; expected values are CPython 3.11's. Where CPython's finalizer or callback
 * fails by an exception (O44), one in C fails when a request of its own is refused, says so, and gives up.
 */
#include <signal.h>
#include <stdlib.h>

#include "heap.h"

static void ring(unsigned first, unsigned count, const object_type *type) {
    for (unsigned i = 0; i < count; i++)
        heap_new(first + i, type, (char)('a' + i));
    for (unsigned i = 0; i < count; i++)
        heap_link(first + i, &heap_at(first + i)->a, first + (i + 1) % count);
}
static void drop(unsigned first, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        heap_drop(first + i);
}
static void self_loop(unsigned i, const object_type *type) { ring(i, 1, type); }

TEST(O01_a_list_that_holds_itself_is_found_once) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_row(0, 1);
    heap_link(0, object_array(heap_locals[0].target)->items, 0);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 1);
    assert_int_equal(heap_collect(2), 0);
}

typedef struct pair { sized_object base; } pair;
static void pair_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(object_extra_units(self), object_extra(self), visit, context);
}
static const object_type pair_type = {.name = "tuple", .bytes = sizeof(sized_object), .tracked = true,
                                      .extra_unit_bytes = sizeof(field), .visit = pair_visit,
                                      .untracking = OBJECT_UNTRACKED_EARLY, .free_list = 3};

TEST(O03_a_list_and_a_tuple_that_hold_each_other_are_found) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    heap_row(0, 1);
    assert_true(object_new(heap_mutator, &heap_locals[1], &pair_type, 1));
    heap_link(1, object_extra_units(heap_locals[1].target), 0);
    heap_link(0, object_array(heap_locals[0].target)->items, 1);
    drop(0, 2);
    assert_int_equal(heap_collect(2), 2);
}

TEST(O04_an_object_reached_only_from_itself_is_reclaimed) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    self_loop(0, &node_type);
    heap_drop(0);
    if (heap_counts()) assert_int_equal(heap_alive(), 1);
    assert_int_equal(heap_collect(2), 1);
    assert_int_equal(heap_alive(), 0);
}

TEST(O05_a_pair_lives_while_either_of_its_members_has_a_name) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    ring(0, 2, &node_type);
    assert_int_equal(heap_collect(2), 0);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 0);
    heap_drop(1);
    assert_int_equal(heap_collect(2), 2);
}

TEST(O06_nothing_happens_to_a_dropped_ring_before_a_collection) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_FINALIZERS);
    ring(0, 3, &finalized_type);
    drop(0, 3);
    assert_string_equal(heap_log, "");
    assert_int_equal(heap_collect(2), 3);
    assert_string_equal(heap_log, "abc");
}

TEST(O08_a_tail_behind_a_dead_ring_is_garbage_too) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    ring(0, 2, &node_type);
    for (unsigned i = 2; i < 5; i++)
        heap_node(i, 't');
    heap_link(0, &heap_at(0)->b, 2);
    heap_link(2, &heap_at(2)->a, 3);
    heap_link(3, &heap_at(3)->a, 4);
    drop(0, 5);
    assert_int_equal(heap_collect(2), 5);
}

TEST(O09_leaves_of_a_dead_ring_are_freed_and_not_counted) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    self_loop(0, &node_type);
    for (unsigned i = 1; i < 3; i++)
        assert_true(object_new(heap_mutator, &heap_locals[i], &leaf_type, 0));
    heap_link(0, &heap_at(0)->b, 1);
    heap_link(0, &heap_at(0)->c, 2);
    drop(0, 3);
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
    self_loop(0, &node_type);
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
    ring(0, 2, &node_type);
    heap_node(2, 'r');
    heap_link(2, &heap_at(2)->a, 0);
    drop(0, 2);
    assert_int_equal(heap_collect(2), 0);
    heap_drop(2);
    assert_int_equal(heap_collect(2), heap_counts() ? 2 : 3);
}

TEST(O12_of_a_live_and_a_dead_loop_only_the_dead_is_found) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    self_loop(0, &node_type);
    self_loop(1, &node_type);
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
    drop(0, 3);
    assert_int_equal(heap_collect(2), 100000);
}

TEST(O14_fifty_lists_that_all_hold_all_live_by_one_name) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    for (unsigned i = 0; i < 50; i++)
        heap_row(i, 50);
    for (unsigned i = 0; i < 50; i++)
        for (unsigned k = 0; k < 50; k++)
            heap_link(i, (field *)object_array(heap_locals[i].target)->items + k, k);
    drop(1, 49);
    assert_int_equal(heap_collect(2), 0);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 50);
}

TEST(O15_several_fields_may_hold_the_same_object) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    self_loop(0, &node_type);
    heap_link(0, &heap_at(0)->b, 0);
    heap_link(0, &heap_at(0)->c, 0);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 1);
}

/* The globals are not tracked: the collector does not traverse them, as it does not a C stack. */
TEST(O16_a_ring_held_from_where_the_collector_does_not_look_lives) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    self_loop(0, &node_type);
    field_store(heap_mutator, collector_globals(), collector_global(HEAP_SAVED), heap_locals[0].target);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 0);
    field_store(heap_mutator, collector_globals(), collector_global(HEAP_SAVED), NULL);
    assert_int_equal(heap_collect(2), 1);
}

TEST(O28_a_weak_reference_to_a_dropped_ring_dies_with_its_collection) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_WEAK_REFERENCES);
    self_loop(0, &node_type);
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
    self_loop(0, &node_type);
    assert_true(weak_new(heap_mutator, &heap_locals[1], heap_locals[0].target, heap_log_callback, "w"));
    heap_drop(0);
    assert_int_equal(heap_collect(2), 1);
    assert_int_equal(heap_collect(2), 0);
    assert_string_equal(heap_log, "!w");
}

/* CPython's 4 of this case are also the callback's closure and its cell, which have no likeness here. */
TEST(O30_a_weak_reference_that_is_trash_itself_never_calls_back_and_is_counted) {
    NEEDS(COLLECTOR_FREES_CYCLES | COLLECTOR_WEAK_REFERENCES);
    self_loop(0, &node_type);
    assert_true(weak_new(heap_mutator, &heap_locals[1], heap_locals[0].target, heap_log_callback, "w"));
    heap_link(0, &heap_at(0)->b, 1);
    drop(0, 2);
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
    ring(0, 2, &failing_type);
    assert_true(weak_new(heap_mutator, &heap_locals[2], heap_locals[0].target, heap_log_callback, "good"));
    assert_true(weak_new(heap_mutator, &heap_locals[3], heap_locals[1].target, fail_to_call_back, NULL));
    drop(0, 2);
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
    ring(0, 2, &storing_type);
    drop(0, 2);
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
    ring(0, 2, &looking_type);
    drop(0, 2);
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
    drop(0, 3);
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
    drop(0, 2);
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
    ring(0, 2, &collecting_type);
    drop(0, 2);
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
    drop(F, 3);
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
            ring(0, 2, &node_type);
            drop(0, 2);
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
        self_loop(0, &node_type);
        assert_true(heap_alive() <= 2);
    }
    collector_stats stats;
    linked_collector.stats(&stats);
    assert_int_equal(stats.collections[COLLECTOR_GENERATIONS - 1], 10);
}
#define GENERATIONAL_TESTS HEAP_TEST(under_stress_every_tracked_birth_collects),
#endif

#ifdef REFARENA_CYCLES_GENERATIONAL_H       /* what only CPython's generations have */

TEST(O17_a_young_collection_does_not_find_what_has_grown_old) {
    self_loop(0, &node_type);
    heap_collect(2);
    heap_drop(0);
    assert_int_equal(heap_collect(0), 0);
    assert_int_equal(heap_collect(1), 0);
    assert_int_equal(heap_collect(2), 1);
}

TEST(O18_young_trash_held_by_old_trash_waits_for_a_full_collection) {
    self_loop(0, &node_type);
    heap_collect(2);
    self_loop(1, &node_type);
    heap_link(0, &heap_at(0)->b, 1);
    drop(0, 2);
    assert_int_equal(heap_collect(0), 0);
    assert_int_equal(heap_collect(1), 0);
    assert_int_equal(heap_collect(2), 2);
}

TEST(O19_old_trash_held_by_young_trash_falls_with_it_uncounted) {
    heap_node(0, 'o');
    heap_collect(2);
    self_loop(1, &node_type);
    heap_link(1, &heap_at(1)->b, 0);
    drop(0, 2);
    assert_int_equal(heap_collect(0), 1);
    assert_int_equal(heap_alive(), 0);
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
    drop(0, 2);
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
    drop(0, 60);
    self_loop(0, &node_type);
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
    for (int i = 0; i < 3; i++) self_loop(0, &node_type);
    heap_drop(0);
    assert_int_equal(heap_collect(0), 3);
    for (int i = 0; i < 5; i++) self_loop(0, &node_type);
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
    self_loop(0, &node_type);
    heap_drop(0);
    heap_collect(1);
    generational.callback = NULL;
    assert_int_equal(calls_made, 2);
    assert_true(calls[0].start && calls[0].generation == 1 && calls[0].collected == 0);
    assert_true(!calls[1].start && calls[1].generation == 1 && calls[1].collected == 1);
}

TEST(the_census_of_generations_is_exact) {
#ifdef CYCLES_FREEZES
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
#else
    skip();
#endif
}

TEST(what_is_immortal_moves_to_the_permanent_generation) {
    NEEDS(COLLECTOR_FREES_CYCLES);
#if defined COLLECTOR_HAS_IMMORTALS && defined CYCLES_FREEZES
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
    skip();
#endif
}

TEST(O38_frozen_garbage_is_not_seen_until_it_is_thawed_into_the_oldest) {
    self_loop(0, &node_type);
    heap_drop(0);
    generational_freeze();
    assert_int_equal(heap_collect(2), 0);
    generational_unfreeze();
    assert_int_equal(heap_collect(0), 0);
    assert_int_equal(heap_collect(1), 0);
    assert_int_equal(heap_collect(2), 1);
}

TEST(O45_a_ring_that_was_untracked_is_never_found) {
    self_loop(0, &node_type);
    generational_untrack(heap_locals[0].target);
    local_set(heap_mutator, &heap_locals[1], heap_locals[0].target);
    heap_drop(0);
    assert_int_equal(heap_collect(2), 0);
    generational_track(heap_locals[1].target);
    heap_drop(1);
    assert_int_equal(heap_collect(2), 1);
}

static void collect_out_of_range(void *generation) { collector_collect(heap_mutator, *(int *)generation); }

TEST(O46_a_generation_that_does_not_exist_is_an_error) {
    assert_true(support_dies(collect_out_of_range, &(int){-1}, SIGABRT));
    assert_true(support_dies(collect_out_of_range, &(int){3}, SIGABRT));
}

/* One collection per 701 births; how many are young, middle and full depends on what lived before. */
TEST(O47_dead_pairs_are_collected_automatically_and_none_is_left) {
    automatic(700);
    for (int i = 0; i < 1000000; i++) {
        ring(0, 2, &node_type);
        drop(0, 2);
        assert_true(heap_alive() <= 3 * 701);
    }
    assert_int_equal(collections(), 2000000 / 701);
    generational.automatic = false;
}

/* 13 tracked objects an iteration: one collection in 701 / 13 = 53.9 iterations. */
TEST(O48_thirteen_tracked_objects_an_iteration_collect_every_54th) {
    automatic(700);
    for (int i = 0; i < 10000; i++) {
        ring(0, 13, &node_type);
        drop(0, 13);
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

TEST(O02_a_dict_that_holds_itself_is_found) {
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
    self_loop(0, &node_type);
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
    self_loop(A, &legacy_type);
    self_loop(X, &node_type);
    self_loop(Y, &node_type);
    heap_link(A, &heap_at(A)->b, X);
    heap_link(Y, &heap_at(Y)->b, A);
    assert_true(weak_new(heap_mutator, &heap_locals[WEAK_X], heap_locals[X].target, NULL, NULL));
    assert_true(weak_new(heap_mutator, &heap_locals[WEAK_Y], heap_locals[Y].target, NULL, NULL));
    object *a = heap_locals[A].target;
    drop(A, 3);
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

TEST(with_collect_at_poll_a_birth_only_asks) {
    automatic(100);
    generational.collect_at_poll = true;
    uint64_t before = collections();
    for (int i = 0; i < 1000; i++)
        self_loop(0, &node_type);
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
        self_loop(0, &node_type);
    assert_int_equal(generational.collections[2], before + 10);
    assert_true(heap_alive() <= 2);
    generational.automatic = generational.stress = false;
}

TEST(objects_from_a_free_list_are_not_counted_and_a_full_collection_empties_it) {
    free_lists_open(true);
    for (unsigned i = 0; i < 5; i++)
        assert_true(object_new(heap_mutator, &heap_locals[i], &pair_type, 2));
    object *last = heap_locals[2].target;
    drop(0, 3);                                         /* three are kept: 0, 1, 2 */
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
    drop(0, 5);
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
    ring(0, 2, &node_type);
    volatile uint32_t *references = &heap_locals[0].target->references;
    *references = 0;
    collector_check();
}

TEST(check_notices_a_broken_list_and_a_lost_count) {
    assert_true(support_dies(break_a_list, NULL, SIGABRT));
    assert_true(support_dies(lose_a_count, NULL, SIGABRT));
}

#define GENERATIONAL_TESTS \
    HEAP_TEST(O17_a_young_collection_does_not_find_what_has_grown_old), \
    HEAP_TEST(O18_young_trash_held_by_old_trash_waits_for_a_full_collection), \
    HEAP_TEST(O19_old_trash_held_by_young_trash_falls_with_it_uncounted), \
    HEAP_TEST(O20_a_survivor_moves_up_one_generation_at_a_time), \
    HEAP_TEST(O21_collections_count_towards_the_next_older_generation), \
    HEAP_TEST(O22_the_701st_net_birth_collects), \
    HEAP_TEST(O23_threshold_0_or_switched_off_means_never_but_asking_works), \
    HEAP_TEST(O24_births_that_die_at_once_never_collect), \
    HEAP_TEST(O25_figures_are_kept_by_generation), \
    HEAP_TEST(O26_callbacks_frame_a_collection), \
    HEAP_TEST(the_census_of_generations_is_exact), \
    HEAP_TEST(what_is_immortal_moves_to_the_permanent_generation), \
    HEAP_TEST(O38_frozen_garbage_is_not_seen_until_it_is_thawed_into_the_oldest), \
    HEAP_TEST(O45_a_ring_that_was_untracked_is_never_found), \
    HEAP_TEST(O46_a_generation_that_does_not_exist_is_an_error), \
    HEAP_TEST(O47_dead_pairs_are_collected_automatically_and_none_is_left), \
    HEAP_TEST(O48_thirteen_tracked_objects_an_iteration_collect_every_54th), \
    HEAP_TEST(a_growing_heap_is_collected_in_full_only_when_it_has_grown_by_a_quarter), \
    HEAP_TEST(O02_a_dict_that_holds_itself_is_found), \
    HEAP_TEST(O39_a_tuple_of_leaves_is_untracked_and_then_the_tuple_around_it), \
    HEAP_TEST(O40_a_dict_is_tracked_with_its_first_container_until_a_full_collection), \
    HEAP_TEST(O41_with_save_all_trash_is_kept_whole), \
    HEAP_TEST(O42_a_legacy_finalizer_makes_its_cycle_and_all_it_reaches_uncollectable), \
    HEAP_TEST(with_collect_at_poll_a_birth_only_asks), \
    HEAP_TEST(under_stress_every_tracked_birth_collects), \
    HEAP_TEST(objects_from_a_free_list_are_not_counted_and_a_full_collection_empties_it), \
    HEAP_TEST(check_notices_a_broken_list_and_a_lost_count),
#elif !defined GENERATIONAL_TESTS
#define GENERATIONAL_TESTS
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        HEAP_TEST(O01_a_list_that_holds_itself_is_found_once),
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
        GENERATIONAL_TESTS
    };
    return cmocka_run_group_tests_name(COLLECTOR_NAME ".cycles", tests, NULL, NULL);
}
