/* SPDX-License-Identifier: MIT
 * latencies.c - percentiles that are told and withheld, and DaCapo's smoothing, by hand on a few requests.
 */
#include "../../workloads/objects/latencies.h"
#include "../support.h"

enum { FEW = 5 };

/* The server stood still from 10 to 95: whoever started at 95 would have at 48, had the starts of its window come evenly. */
TEST(a_start_is_moved_to_where_it_would_have_been_among_even_ones_and_never_back) {
    const uint64_t started[FEW] = {0, 10, 95, 96, 97}, ended[FEW] = {5, 20, 98, 99, 100}, smoothed[FEW] = {5, 10, 50, 27, 3};
    uint64_t ns[FEW];
    latencies_smooth(ns, started, ended, FEW, 200);
    for (int i = 0; i < FEW; i++) assert_int_equal(ns[i], smoothed[i]);
}

TEST(a_window_that_holds_one_start_leaves_it_where_it_was) {
    const uint64_t started[FEW] = {0, 10, 95, 196, 297}, ended[FEW] = {5, 20, 98, 199, 300};
    uint64_t ns[FEW];
    latencies_smooth(ns, started, ended, FEW, 2);
    for (int i = 0; i < FEW; i++) assert_int_equal(ns[i], ended[i] - started[i]);
}

TEST(sorting_orders_what_is_reversed_equal_and_alone) {
    uint64_t values[] = {9, 3, 3, 7, 1, 0, 12, 3};
    const uint64_t sorted[] = {0, 1, 3, 3, 3, 7, 9, 12};
    latencies_sort(values, 8);
    assert_memory_equal(values, sorted, sizeof sorted);
    latencies_sort(values, 1);
    latencies_sort(values, 0);
    assert_int_equal(values[0], 0);
}

static struct { const char *name; double value; } said[8];
static int said_count;

static void say(workload_run *run, const char *name, double value) {
    (void)run;
    said[said_count].name = name;
    said[said_count++].value = value;
}

TEST(a_percentile_is_told_where_ten_lie_above_it_and_is_the_first_that_they_are_above) {
    static const latency_names names = LATENCY_NAMES("x");
    uint64_t ns[100];
    workload_run run = {.figure = say};
    for (int i = 0; i < 100; i++) ns[i] = (uint64_t)(100 - i);
    said_count = 0;
    latencies_say(&run, &names, ns, 100);
    assert_int_equal(said_count, 3);
    assert_string_equal(said[0].name, "x_p50_ns");
    assert_true(said[0].value == 50 && said[1].value == 90 && said[2].value == 100);
    assert_string_equal(said[2].name, "x_max_ns");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_is_moved_to_where_it_would_have_been_among_even_ones_and_never_back),
        cmocka_unit_test(a_window_that_holds_one_start_leaves_it_where_it_was),
        cmocka_unit_test(sorting_orders_what_is_reversed_equal_and_alone),
        cmocka_unit_test(a_percentile_is_told_where_ten_lie_above_it_and_is_the_first_that_they_are_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
