/* SPDX-License-Identifier: MIT
 * counts.c - reference counts, weak references and finalizers: what dies, when, and in which order.
 *
 * Ids (O07 ...) are those of the semantic cases, whose expected values came from running them on CPython 3.11.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../../allocators/counted.h"
#include "../../collectors/mutator.h"
#include "heap.h"

TEST(an_object_dies_with_its_last_name) {
    NEEDS(COLLECTOR_FREES);
    heap_node(0, 'a');
    local_set(heap_mutator, &heap_locals[1], heap_locals[0].target);
    assert_int_equal(heap_alive(), 1);
    heap_drop(0);
    assert_int_equal(heap_alive(), 1);
    heap_drop(1);
    assert_int_equal(heap_alive(), 0);
}

TEST(a_field_keeps_its_target_alive_and_an_overwritten_one_lets_it_go) {
    NEEDS(COLLECTOR_FREES);
    heap_node(0, 'a');
    heap_node(1, 'b');
    heap_link(0, &heap_at(0)->a, 1);
    heap_drop(1);
    assert_int_equal(heap_alive(), 2);
    field_load(heap_mutator, &heap_locals[2], heap_locals[0].target, &heap_at(0)->a);
    assert_int_equal(heap_at(2)->name, 'b');
    field_store(heap_mutator, heap_locals[0].target, &heap_at(0)->a, NULL);
    assert_int_equal(heap_alive(), 2);
    heap_drop(2);
    assert_int_equal(heap_alive(), 1);
}

TEST(storing_the_value_a_slot_has_already_changes_nothing) {
    heap_node(0, 'a');
    heap_link(0, &heap_at(0)->a, 0);
    heap_link(0, &heap_at(0)->a, 0);
    local_set(heap_mutator, &heap_locals[0], heap_locals[0].target);
    assert_int_equal(heap_at(0)->name, 'a');
    heap_expect_alive(1);
    field_store(heap_mutator, heap_locals[0].target, &heap_at(0)->a, NULL);
}

TEST(a_reference_taken_and_dropped_without_a_slot_leaves_the_count_and_the_object) {
    NEEDS(COLLECTOR_READS_COUNTS);
    heap_node(0, 'a');
    size_t before = object_references(heap_locals[0].target);
    object_take_and_drop(heap_mutator, heap_locals[0].target);
    assert_int_equal(object_references(heap_locals[0].target), before);
    heap_expect_alive(1);
}

TEST(a_closed_frame_drops_its_locals_in_order) {
    NEEDS(COLLECTOR_FINALIZERS | COLLECTOR_EXACT_COUNTS);
    local *frame = frame_open(heap_mutator, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(object_new(heap_mutator, &frame[i], &finalized_type, 0));
        ((node *)frame[i].target)->name = (char)('a' + i);
    }
    frame_close(heap_mutator, frame);
    assert_string_equal(heap_log, "abc");
}

TEST(O07_a_chain_dies_at_once_from_its_head_on) {
    NEEDS(COLLECTOR_FINALIZERS | COLLECTOR_EXACT_COUNTS);
    for (unsigned i = 0; i < 3; i++)
        heap_finalized(i, (char)('a' + i));
    heap_link(0, &heap_at(0)->a, 1);
    heap_link(1, &heap_at(1)->a, 2);
    heap_drop(1);
    heap_drop(2);
    assert_string_equal(heap_log, "");
    heap_drop(0);
    assert_string_equal(heap_log, "abc");
    assert_int_equal(heap_collect(2), 0);
}

/* p.a = x, p.b = y, x.b = y, x.c = z: a plain worklist would give p, x, y, z. */
TEST(a_shared_child_dies_after_the_last_that_held_it_in_field_order) {
    NEEDS(COLLECTOR_FINALIZERS | COLLECTOR_EXACT_COUNTS);
    for (unsigned i = 0; i < 4; i++)
        heap_finalized(i, "pxyz"[i]);
    heap_link(0, &heap_at(0)->a, 1);
    heap_link(0, &heap_at(0)->b, 2);
    heap_link(1, &heap_at(1)->b, 2);
    heap_link(1, &heap_at(1)->c, 3);
    for (unsigned i = 4; i-- > 0;)
        heap_drop(i);
    assert_string_equal(heap_log, "pxzy");
}

static void build_chain(unsigned links) {
    for (unsigned i = 0; i < links; i++) {
        heap_node(1, 'c');
        heap_link(1, &heap_at(1)->a, 0);
        local_set(heap_mutator, &heap_locals[0], heap_locals[1].target);
    }
    heap_drop(1);
}

static void drop_long_chain(void *context) {
    (void)context;
    struct rlimit small = {.rlim_cur = 256 << 10, .rlim_max = 256 << 10};
    setrlimit(RLIMIT_STACK, &small);            /* recursion proportional to the chain would need 100 times that */
    build_chain(1000000);
    heap_drop(0);
    assert_int_equal(heap_alive(), 0);
}

TEST(a_chain_of_a_million_links_dies_on_a_small_stack) {
    NEEDS(COLLECTOR_FREES);
    assert_true(support_survives(drop_long_chain, NULL));
}

/* 60 deep, so that the last ones are deferred; each has a leaf-like child in b. The deferred ones die last. */
TEST(a_cascade_defers_at_fifty_and_loses_nothing) {
    NEEDS(COLLECTOR_FREES);
    for (unsigned i = 0; i < 200; i++) {
        heap_node(1, 'c');
        heap_node(2, 'x');
        heap_link(1, &heap_at(1)->b, 2);
        heap_link(1, &heap_at(1)->a, 0);
        local_set(heap_mutator, &heap_locals[0], heap_locals[1].target);
    }
    heap_drop(1);
    heap_drop(2);
    heap_drop(0);
    assert_int_equal(heap_alive(), 0);
}

static void revive(mutator *m, object *weak, void *seen) {
    local *frame = frame_open(m, 1);
    weak_get(m, frame, weak);
    *(bool *)seen = frame->target != NULL;
    frame_close(m, frame);
}

TEST(a_weak_reference_cannot_revive_what_a_cascade_has_deferred) {
    NEEDS(COLLECTOR_WEAK_REFERENCES | COLLECTOR_EXACT_COUNTS);
    bool seen = true;
    for (unsigned i = 0; i < 60; i++) {
        heap_node(1, 'c');
        heap_link(1, &heap_at(1)->a, 0);
        local_set(heap_mutator, &heap_locals[0], heap_locals[1].target);
        if (i == 5) assert_true(weak_new(heap_mutator, &heap_locals[3], heap_locals[0].target, revive, &seen));
    }
    heap_drop(1);
    heap_drop(0);
    assert_false(seen);
    weak_get(heap_mutator, &heap_locals[4], heap_locals[3].target);
    assert_null(heap_locals[4].target);
}

TEST(O27_a_callback_runs_once_when_the_target_dies_and_sees_a_dead_reference) {
    NEEDS(COLLECTOR_WEAK_REFERENCES | COLLECTOR_EXACT_COUNTS);
    heap_node(0, 'a');
    assert_true(weak_new(heap_mutator, &heap_locals[1], heap_locals[0].target, heap_log_callback, "w"));
    heap_drop(0);
    assert_string_equal(heap_log, "!w");
    weak_get(heap_mutator, &heap_locals[2], heap_locals[1].target);
    assert_null(heap_locals[2].target);
}

TEST(O31_references_without_callback_are_shared_and_those_with_one_are_not) {
    NEEDS(COLLECTOR_WEAK_REFERENCES | COLLECTOR_EXACT_COUNTS);
    heap_node(0, 'a');
    object *target = heap_locals[0].target;
    assert_true(weak_new(heap_mutator, &heap_locals[1], target, NULL, NULL));
    assert_true(weak_new(heap_mutator, &heap_locals[2], target, NULL, NULL));
    assert_true(weak_new(heap_mutator, &heap_locals[3], target, heap_log_callback, "x"));
    assert_true(weak_new(heap_mutator, &heap_locals[4], target, heap_log_callback, "x"));
    assert_ptr_equal(heap_locals[1].target, heap_locals[2].target);
    assert_ptr_not_equal(heap_locals[3].target, heap_locals[4].target);
}

TEST(O32_callbacks_run_newest_first_and_all_references_are_dead_before) {
    NEEDS(COLLECTOR_WEAK_REFERENCES | COLLECTOR_EXACT_COUNTS);
    heap_node(0, 'a');
    static char *const names[] = {"1", "2", "3"};
    for (unsigned i = 0; i < 3; i++)
        assert_true(weak_new(heap_mutator, &heap_locals[1 + i], heap_locals[0].target, heap_log_callback, names[i]));
    heap_drop(0);
    assert_string_equal(heap_log, "!3!2!1");
}

TEST(O33_a_strong_reference_from_a_weak_one_keeps_the_target) {
    NEEDS(COLLECTOR_WEAK_REFERENCES | COLLECTOR_FINALIZERS | COLLECTOR_EXACT_COUNTS);
    heap_finalized(0, 'a');
    assert_true(weak_new(heap_mutator, &heap_locals[1], heap_locals[0].target, NULL, NULL));
    weak_get(heap_mutator, &heap_locals[2], heap_locals[1].target);
    heap_drop(0);
    assert_string_equal(heap_log, "");
    heap_drop(2);
    assert_string_equal(heap_log, "a");
    weak_get(heap_mutator, &heap_locals[2], heap_locals[1].target);
    assert_null(heap_locals[2].target);
}

TEST(O34_a_weak_reference_dropped_before_its_target_never_calls_back) {
    NEEDS(COLLECTOR_WEAK_REFERENCES | COLLECTOR_EXACT_COUNTS);
    heap_node(0, 'a');
    assert_true(weak_new(heap_mutator, &heap_locals[1], heap_locals[0].target, heap_log_callback, "w"));
    heap_drop(1);
    heap_drop(0);
    assert_string_equal(heap_log, "");
}

TEST(O37_a_finalizer_runs_once_even_if_it_resurrects) {
    NEEDS(COLLECTOR_FINALIZERS | COLLECTOR_EXACT_COUNTS);
    heap_new(0, &phoenix_type, 'z');
    heap_drop(0);
    assert_string_equal(heap_log, "z");
    assert_int_equal(heap_alive(), 1);
    object *saved = field_peek(collector_global(HEAP_SAVED));
    assert_non_null(saved);
    assert_int_equal(((node *)saved)->name, 'z');
    field_store(heap_mutator, collector_globals(), collector_global(HEAP_SAVED), NULL);
    assert_string_equal(heap_log, "z");
    assert_int_equal(heap_alive(), 0);
}

TEST(an_array_of_references_grows_with_nulls_and_drops_what_it_loses) {
    NEEDS(COLLECTOR_FREES);
    heap_row(0, 4);
    for (unsigned i = 0; i < 4; i++) {
        heap_node(1, 'n');
        heap_link(0, (field *)((row *)heap_locals[0].target)->items.items + i, 1);
    }
    heap_drop(1);
    assert_int_equal(heap_alive(), 5);
    assert_true(object_resize(heap_mutator, &heap_locals[0], 100));
    owned_array *items = object_array(heap_locals[0].target);
    for (unsigned i = 4; i < 100; i++)
        assert_null(field_peek((field *)items->items + i));
    assert_true(object_resize(heap_mutator, &heap_locals[0], 1));
    assert_int_equal(heap_alive(), 2);
    assert_true(object_resize(heap_mutator, &heap_locals[0], 0));
    assert_int_equal(heap_alive(), 1);
}

TEST(a_request_too_large_for_any_heap_is_refused_and_changes_nothing) {
    heap_row(1, 3);
    assert_false(object_resize(heap_mutator, &heap_locals[1], SIZE_MAX / sizeof(field)));
    assert_false(object_resize(heap_mutator, &heap_locals[1], PTRDIFF_MAX / sizeof(field)));
    assert_int_equal(object_array(heap_locals[1].target)->count, 3);
}

TEST(the_oracle_counts_what_locals_and_fields_reach) {
    heap_node(0, 'a');
    heap_node(1, 'b');
    heap_link(0, &heap_at(0)->a, 1);
    heap_link(1, &heap_at(1)->a, 0);
    heap_drop(1);
    heap_row(2, 10);
    uint64_t objects, bytes;
    assert_true(linked_collector.reachable(&objects, &bytes));
    assert_int_equal(objects, 3);
    assert_int_equal(bytes, 2 * (sizeof(node) - sizeof(object)) + sizeof(row) - sizeof(object) + 10 * sizeof(field));
    field_store(heap_mutator, heap_locals[0].target, &heap_at(0)->a, NULL);
}

static size_t requested_bytes(const object_type *type) {
    counted_reset();
    assert_true(object_new(heap_mutator, &heap_locals[0], type, 0));
    return counted_read().allocated_bytes;
}

/* CPython: 16 bytes, and 16 more of what is tracked. */
static size_t expected_header(bool tracked) {
    if (strcmp(linked_collector.counts, "none") == 0) return strcmp(linked_collector.cycles, "boehm") == 0 ? 16 : 8;  /* libgc: a layout before the type */
    if (strncmp(linked_collector.counts, "biased", strlen("biased")) == 0) return 32;
    return tracked && strcmp(linked_collector.cycles, "generational") == 0 ? 32 : 16;
}

TEST(headers_are_as_large_as_declared_and_what_is_asked_for_is_header_and_payload) {
    assert_int_equal(linked_collector.header_bytes, expected_header(false));
    assert_int_equal(linked_collector.tracked_header_bytes, expected_header(true));
    if (linked_collector.allocator_use != COLLECTOR_USES_OBJECTS) return;       /* there: nothing lies before an object */
    heap_reopen_on("counted:system");
    assert_int_equal(requested_bytes(&leaf_type), linked_collector.header_bytes + sizeof(leaf) - sizeof(object));
    assert_int_equal(requested_bytes(&node_type), linked_collector.tracked_header_bytes + sizeof(node) - sizeof(object));
    heap_drop(0);
}

/* Bytes of address space that this process has mapped, in the kernel's own kilobytes; 0: not known. */
static rlim_t mapped_bytes(void) {
    char line[128];
    unsigned long kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmSize: %lu", &kilobytes) == 1) break;
    if (status != NULL) fclose(status);
    return (rlim_t)kilobytes * 1024;
}

/* Locals are a mapping, which the limit refuses. What is alive is forgotten; the heap can be opened anew.
 * The limit leaves half of what locals need: AddressSanitizer maps its shadow anew where memory is unmapped
 * (gcc 14), and ends the process where it may not. */
static void close_where_none_may_enter(void *status) {
    heap_node(0, 'a');
    field_store(heap_mutator, collector_globals(), collector_global(0), heap_locals[0].target);
    linked_collector.leave(heap_mutator);
    struct rlimit usual, tight;
    getrlimit(RLIMIT_AS, &usual);
    tight = (struct rlimit){.rlim_cur = mapped_bytes() + MUTATOR_LOCALS * sizeof(local) / 2, .rlim_max = usual.rlim_max};
    setrlimit(RLIMIT_AS, &tight);
    bool entered = linked_collector.enter() != NULL;
    linked_collector.close();
    setrlimit(RLIMIT_AS, &usual);
    char why[256];
    *(int *)status = entered                                                            ? 1
                   : field_peek(collector_global(0)) != NULL                            ? 2
                   : !linked_collector.open(allocator_open("system", why, sizeof why))  ? 3
                   : (heap_mutator = linked_collector.enter()) == NULL                  ? 4
                                                                                        : 0;
    if (*(int *)status != 0) _exit(*(int *)status);
    linked_collector.leave(heap_mutator);
    linked_collector.close();
}

TEST(a_heap_closes_though_no_thread_may_enter_it_any_more) {
    NEEDS(COLLECTOR_READS_COUNTS);
    int status = 0;
    if (!support_limits_addresses()) support_skip("the OS does not keep to RLIMIT_AS");
    assert_int_equal(support_child(close_where_none_may_enter, &status, NULL, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HEAP_TEST(an_object_dies_with_its_last_name),
        HEAP_TEST(a_field_keeps_its_target_alive_and_an_overwritten_one_lets_it_go),
        HEAP_TEST(storing_the_value_a_slot_has_already_changes_nothing),
        HEAP_TEST(a_reference_taken_and_dropped_without_a_slot_leaves_the_count_and_the_object),
        HEAP_TEST(a_closed_frame_drops_its_locals_in_order),
        HEAP_TEST(O07_a_chain_dies_at_once_from_its_head_on),
        HEAP_TEST(a_shared_child_dies_after_the_last_that_held_it_in_field_order),
        HEAP_TEST(a_chain_of_a_million_links_dies_on_a_small_stack),
        HEAP_TEST(a_cascade_defers_at_fifty_and_loses_nothing),
        HEAP_TEST(a_weak_reference_cannot_revive_what_a_cascade_has_deferred),
        HEAP_TEST(O27_a_callback_runs_once_when_the_target_dies_and_sees_a_dead_reference),
        HEAP_TEST(O31_references_without_callback_are_shared_and_those_with_one_are_not),
        HEAP_TEST(O32_callbacks_run_newest_first_and_all_references_are_dead_before),
        HEAP_TEST(O33_a_strong_reference_from_a_weak_one_keeps_the_target),
        HEAP_TEST(O34_a_weak_reference_dropped_before_its_target_never_calls_back),
        HEAP_TEST(O37_a_finalizer_runs_once_even_if_it_resurrects),
        HEAP_TEST(an_array_of_references_grows_with_nulls_and_drops_what_it_loses),
        HEAP_TEST(a_request_too_large_for_any_heap_is_refused_and_changes_nothing),
        HEAP_TEST(the_oracle_counts_what_locals_and_fields_reach),
        HEAP_TEST(a_heap_closes_though_no_thread_may_enter_it_any_more),
        HEAP_TEST(headers_are_as_large_as_declared_and_what_is_asked_for_is_header_and_payload),
    };
    return cmocka_run_group_tests_name(COLLECTOR_NAME ".counts", tests, NULL, NULL);
}
