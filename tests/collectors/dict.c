/* SPDX-License-Identifier: MIT
 * dict.c - a dict does what a table of pairs does, in CPython's order and with CPython's sizes, on every collector. */
#include <stdlib.h>

#include "../../workloads/objects/dict.h"

#include "../../allocators/failing.h"
#include "../../workloads/objects/string.h"
#include "../../workloads/random.h"
#include "heap.h"

enum { D, KEY, VALUE, DICT_LOCALS_USED };
enum { KEYS = 300, LARGE = 1000 };           /* larger than the shared integers, which are not made here */

/* The same on an allocator that can be told to refuse. */
static int open_failing(void **state) {
    const char *spec = getenv("REFARENA_ALLOCATOR");
    char *before = spec != NULL ? strdup(spec) : NULL;
    setenv("REFARENA_ALLOCATOR", "failing:system", 1);
    int opened = heap_open(state);
    if (before != NULL) setenv("REFARENA_ALLOCATOR", before, 1);
    else unsetenv("REFARENA_ALLOCATOR");
    free(before);
    return opened;
}

/* Even numbers are keys of integers, odd ones of strings. */
static void make_key(int64_t number) {
    char text[32];
    int length = snprintf(text, sizeof text, "name %lld", (long long)number);
    if (number % 2 == 0) assert_true(integer_new(heap_mutator, &heap_locals[KEY], LARGE + number));
    else assert_true(string_new(heap_mutator, &heap_locals[KEY], text, (size_t)length));
}
static void put(int64_t number, int64_t value) {
    make_key(number);
    assert_true(integer_new(heap_mutator, &heap_locals[VALUE], LARGE + value));
    assert_true(dict_set(heap_mutator, &heap_locals[D], heap_locals[KEY].target, heap_locals[VALUE].target));
}
static int64_t got(int64_t number) {        /* -1: not there */
    make_key(number);
    bool there = dict_get(heap_mutator, &heap_locals[VALUE], heap_locals[D].target, heap_locals[KEY].target);
    return there ? integer_value(heap_locals[VALUE].target) - LARGE : -1;
}
static bool gone(int64_t number) {
    make_key(number);
    return dict_remove(heap_mutator, heap_locals[D].target, heap_locals[KEY].target);
}
static void drop_all(void) {
    for (unsigned i = 0; i < DICT_LOCALS_USED; i++) heap_drop(i);
}

TEST(what_was_put_is_found_and_what_was_removed_is_not) {
    int64_t expected[KEYS];
    random_generator g;
    random_start(&g, 1, 0);
    memset(expected, -1, sizeof expected);
    assert_true(dict_new(heap_mutator, &heap_locals[D]));
    for (int step = 0; step < 6000; step++) {
        int64_t number = (int64_t)random_below(&g, KEYS), value = (int64_t)random_below(&g, 1000);
        switch (random_below(&g, 4)) {
        case 0:  assert_int_equal(gone(number), expected[number] >= 0); expected[number] = -1; break;
        case 1:  put(number, value); expected[number] = value; break;
        default: assert_int_equal(got(number), expected[number]);
        }
    }
    size_t used = 0;
    for (int64_t number = 0; number < KEYS; number++) {
        assert_int_equal(got(number), expected[number]);
        used += expected[number] >= 0;
    }
    assert_int_equal(dict_used(heap_locals[D].target), used);
    collector_check();
    drop_all();
}

TEST(entries_stay_in_the_order_of_insertion_when_others_go_and_the_table_grows) {
    assert_true(dict_new(heap_mutator, &heap_locals[D]));
    for (int64_t number = 0; number < 100; number += 2) put(number, number);
    for (int64_t number = 0; number < 100; number += 4) assert_true(gone(number));
    for (int64_t number = 1000; number < 1200; number += 2) put(number, number);
    int64_t before = -1;
    size_t seen = 0;
    for (size_t i = 0; i < dict_filled(heap_locals[D].target); i++) {
        object *key = field_peek(&dict_entries(heap_locals[D].target)[i].key);
        if (key == NULL) continue;
        assert_true(integer_value(key) > before);
        before = integer_value(key);
        seen++;
    }
    assert_int_equal(seen, 125);
    drop_all();
}

/* Slots of CPython 3.11 for so many keys: sys.getsizeof({i: None for i in range(keys)}) tells them. */
TEST(tables_grow_where_those_of_cpython_do) {
    static const struct { int64_t keys; uint32_t log2_slots; } known[] = {
        {0, 0}, {1, 3}, {5, 3}, {6, 4}, {10, 4}, {11, 5}, {21, 5}, {22, 6}, {42, 6}, {43, 7}, {85, 7}, {86, 8}, {170, 8}, {171, 9},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_true(dict_new(heap_mutator, &heap_locals[D]));
        for (int64_t number = 0; number < known[i].keys; number++) put(2 * number, 0);
        assert_int_equal(((dict *)heap_locals[D].target)->log2_slots, known[i].log2_slots);
        uint64_t allocations, bytes;
        dict_growth((size_t)known[i].keys, &allocations, &bytes);
        assert_int_equal(allocations, known[i].log2_slots == 0 ? 0 : known[i].log2_slots - 2);
    }
    drop_all();
}

TEST(as_many_removals_as_insertions_do_not_grow_a_table) {
    assert_true(dict_new(heap_mutator, &heap_locals[D]));
    for (int64_t number = 0; number < 2000; number++) {
        put(2 * number, 0);
        if (number >= 4) assert_true(gone(2 * (number - 4)));
    }
    assert_int_equal(((dict *)heap_locals[D].target)->log2_slots, 4);
    drop_all();
}

TEST(a_dict_that_holds_itself_is_found_by_a_collection) {
    NEEDS(COLLECTOR_FREES_CYCLES);
    assert_true(dict_new(heap_mutator, &heap_locals[D]));
    make_key(2);
    assert_true(dict_set(heap_mutator, &heap_locals[D], heap_locals[KEY].target, heap_locals[D].target));
    heap_drop(KEY);
    uint64_t before = heap_alive();
    heap_drop(D);
    size_t found = heap_collect(COLLECTOR_GENERATIONS - 1);
    if (heap_counts()) assert_int_equal(found, 1);
    assert_int_equal(heap_alive(), before - 2);            /* and its key */
}

TEST(a_refused_table_leaves_the_dict_as_it_was) {
    assert_true(dict_new(heap_mutator, &heap_locals[D]));
    for (int64_t number = 0; number < 5; number++) put(2 * number, number);
    make_key(1000);
    uint64_t before = heap_alive();
    failing_refuse(1, 1);
    bool stored = dict_set(heap_mutator, &heap_locals[D], heap_locals[KEY].target, heap_locals[KEY].target);
    failing_refuse(0, 0);
    assert_true(!stored || linked_collector.allocator_use == COLLECTOR_USES_NONE);
    if (!stored) assert_int_equal(heap_alive(), before);
    assert_int_equal(dict_used(heap_locals[D].target), stored ? 6 : 5);
    for (int64_t number = 0; number < 5; number++) assert_int_equal(got(2 * number), number);
    drop_all();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HEAP_TEST(what_was_put_is_found_and_what_was_removed_is_not),
        HEAP_TEST(entries_stay_in_the_order_of_insertion_when_others_go_and_the_table_grows),
        HEAP_TEST(tables_grow_where_those_of_cpython_do),
        HEAP_TEST(as_many_removals_as_insertions_do_not_grow_a_table),
        HEAP_TEST(a_dict_that_holds_itself_is_found_by_a_collection),
        cmocka_unit_test_setup_teardown(a_refused_table_leaves_the_dict_as_it_was, open_failing, heap_close),
    };
    return cmocka_run_group_tests_name(COLLECTOR_NAME ".dict", tests, NULL, NULL);
}
