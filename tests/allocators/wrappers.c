/* SPDX-License-Identifier: MIT
 * wrappers.c - what locked, counted, failing and lifetimes add, and that they add nothing else.
 */
#include "allocators/allocator.h"
#include "allocators/counted.h"
#include "allocators/failing.h"
#include "allocators/lifetimes.h"
#include "tests/support.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const allocator *opened(const char *spec) {
    char why[512] = "";
    const allocator *found = allocator_open(spec, why, sizeof why);
    if (!found)
        fail_msg("%s", why);
    return found;
}

/* --- counted --- */

TEST(counted_adds_up_what_was_asked_for_and_given_back) {
    const allocator *a = opened("counted:pymalloc");
    void *first = a->alloc(100, 16), *second = a->alloc_zeroed(50, 64);
    first = a->resize(first, 100, 300);
    a->release(second, 50);
    a->release(NULL, 0);
    counted_figures seen = counted_read();
    assert_int_equal(seen.allocations, 2);
    assert_int_equal(seen.allocated_bytes, 150);
    assert_int_equal(seen.resizes, 1);
    assert_int_equal(seen.resized_bytes, 300);
    assert_int_equal(seen.releases, 1);
    assert_int_equal(seen.live_bytes, 300);
    assert_int_equal(seen.live_peak_bytes, 350);
    assert_int_equal(seen.unsized, 0);
    a->release(first, 300);
    assert_int_equal(counted_read().live_bytes, 0);
}

TEST(counted_says_when_a_caller_did_not_tell_a_size) {
    const allocator *a = opened("counted:pymalloc");
    a->release(a->alloc(100, 16), 0);
    assert_int_equal(counted_read().unsized, 1);
    assert_int_equal(counted_read().live_bytes, 100);
}

TEST(counted_counts_a_refusal_as_nothing_else) {
    const allocator *a = opened("counted:pymalloc");
    void *block = a->alloc(40, 16);
    counted_figures before = counted_read();
    assert_null(a->alloc(SIZE_MAX, 16));
    assert_null(a->alloc_zeroed(SIZE_MAX, 16));
    assert_null(a->resize(block, 40, SIZE_MAX));
    counted_figures after = counted_read();
    assert_int_equal(after.refusals, 3);
    after.refusals = before.refusals;
    assert_memory_equal(&before, &after, sizeof before);
    a->release(block, 40);
}

TEST(counted_starts_anew_from_what_is_still_live) {
    const allocator *a = opened("counted:pymalloc");
    void *block = a->alloc(40, 16);
    a->release(a->alloc(500, 16), 500);
    counted_reset();
    counted_figures seen = counted_read();
    assert_int_equal(seen.allocations, 0);
    assert_int_equal(seen.live_bytes, 40);
    assert_int_equal(seen.live_peak_bytes, 40);
    a->release(block, 40);
}

static const allocator *shared;

static void *take_and_give(void *nothing) {
    void *blocks[10];
    for (int round = 0; round < 5000; round++) {
        for (size_t i = 0; i < 10; i++)
            blocks[i] = shared->alloc(16 * i, 16);
        for (size_t i = 0; i < 10; i++)
            shared->release(blocks[i], 16 * i);
    }
    return nothing;
}

TEST(counted_loses_nothing_to_threads) {
    pthread_t threads[4];
    shared = opened("counted:locked:pymalloc");
    assert_true(shared->thread_safe);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    counted_figures seen = counted_read();
    assert_int_equal(seen.allocations, 4 * 5000 * 10);
    assert_int_equal(seen.releases, seen.allocations);
    assert_int_equal(seen.allocated_bytes, 4 * 5000 * 720);
    assert_int_equal(seen.live_bytes, 0);
    assert_true(seen.live_peak_bytes >= 720 && seen.live_peak_bytes <= 4 * 720);
    shared->check();
}

/* --- failing --- */

TEST(failing_refuses_the_request_it_was_told_to_and_no_other) {
    const allocator *a = opened("failing:system");
    for (uint64_t nth = 1; nth <= 6; nth++) {
        void *blocks[6];
        failing_refuse(nth, 1);
        for (uint64_t i = 0; i < 6; i++) {
            blocks[i] = i % 2 ? a->alloc(10, 16) : a->alloc_zeroed(10, 16);
            assert_int_equal(blocks[i] == NULL, i + 1 == nth);
        }
        assert_int_equal(failing_requests(), 6);
        assert_int_equal(failing_refused(), 1);
        failing_refuse(0, 0);
        for (uint64_t i = 0; i < 6; i++)
            a->release(blocks[i], 10);
    }
}

TEST(failing_can_refuse_all_from_a_request_on) {
    const allocator *a = opened("failing:pymalloc");
    failing_refuse(2, UINT64_MAX);
    char *block = a->alloc(10, 16);
    assert_non_null(block);
    strcpy(block, "untouched");
    for (int i = 0; i < 5; i++) {
        assert_null(a->alloc(10, 16));
        assert_null(a->resize(block, 10, 1000));
        assert_string_equal(block, "untouched");
    }
    a->release(block, 10);
    assert_int_equal(failing_refused(), 10);
}

/* How a user proves that code survives every refusal: here a list that is built and taken down again. */
typedef struct link { struct link *next; } link;

static bool build_list(const allocator *a, size_t links) {
    link *first = NULL;
    bool built = true;
    for (size_t i = 0; i < links && built; i++) {
        link *fresh = a->alloc(sizeof *fresh, 16);
        built = fresh != NULL;
        if (fresh) {
            *fresh = (link){ first };
            first = fresh;
        }
    }
    for (link *next; first; first = next) {
        next = first->next;
        a->release(first, sizeof *first);
    }
    return built;
}

TEST(failing_proves_that_each_refusal_in_turn_leaves_nothing_behind) {
    const allocator *a = opened("failing:pymalloc");
    allocator_stats start, after;
    a->stats(&start);
    for (uint64_t nth = 1;; nth++) {
        failing_refuse(nth, 1);
        bool built = build_list(a, 100);
        a->stats(&after);
        assert_int_equal(after.used_blocks, start.used_blocks);
        assert_int_equal(built, failing_refused() == 0);
        if (built) {
            assert_int_equal(nth, 101);
            return;
        }
    }
}

/* --- locked --- */

TEST(locked_makes_any_allocator_safe_and_keeps_what_it_says_of_itself) {
    for (const allocator_entry *entry = allocator_entries(); entry->name; entry++) {
        char spec[64];
        if (entry->kind != ALLOCATOR_OWN)
            continue;
        const allocator *inner = opened(entry->name);
        snprintf(spec, sizeof spec, "locked:%s", entry->name);
        const allocator *outer = opened(spec);
        assert_true(outer->thread_safe);
        assert_string_equal(outer->name, spec);
        assert_int_equal(outer->frees, inner->frees);
        assert_int_equal(outer->largest_bytes, inner->largest_bytes);
    }
}

/* --- lifetimes --- */

static const allocator *opened_now;
static uint64_t births, deaths, born_bytes, last_lifetime_bytes, deaths_elsewhere;

static void note_birth(size_t bytes) { births++, born_bytes += bytes; }
static void note_death(uint64_t lifetime_bytes, bool elsewhere) {
    deaths++;
    last_lifetime_bytes = lifetime_bytes;
    deaths_elsewhere += elsewhere;
}
static const lifetimes_watcher watcher = {note_birth, note_death};

static const allocator *watched(const char *spec) {
    const allocator *a = opened(spec);
    births = deaths = born_bytes = deaths_elsewhere = 0;
    lifetimes_watch(&watcher);
    return a;
}

TEST(lifetimes_are_what_was_asked_for_between_birth_and_death) {
    const allocator *a = watched("lifetimes:pymalloc");
    void *first = a->alloc(100, 16), *second = a->alloc_zeroed(5000, 4096);
    assert_int_equal((uintptr_t)second % 4096, 0);
    first = a->resize(first, 100, 300);
    a->release(NULL, 0);
    a->release(second, 5000);
    assert_int_equal(last_lifetime_bytes, 200);         /* what the other one grew */
    a->release(first, 300);
    assert_int_equal(last_lifetime_bytes, 5200);
    assert_int_equal(births, 2);
    assert_int_equal(deaths, 2);
    assert_int_equal(born_bytes, 5100);
    assert_int_equal(deaths_elsewhere, 0);
    assert_int_equal(lifetimes_clock_bytes(), 5300);
}

TEST(lifetimes_keeps_contents_alignment_and_refusals) {
    const allocator *a = watched("lifetimes:failing:pymalloc");
    for (size_t alignment = 16; alignment <= 4096; alignment *= 2) {
        unsigned char *block = a->alloc(200, alignment);
        assert_int_equal((uintptr_t)block % alignment, 0);
        memset(block, 7, 200);
        failing_refuse(1, 1);
        assert_null(a->resize(block, 200, 5000));
        failing_refuse(0, 0);
        block = a->resize(block, 200, 5000);
        for (size_t i = 0; i < 200; i++)
            assert_int_equal(block[i], 7);
        assert_true(a->usable_bytes(block) == 0 || a->usable_bytes(block) >= 5000);
        a->release(block, 0);
    }
    uint64_t clock = lifetimes_clock_bytes();
    assert_null(a->alloc(SIZE_MAX, 16));
    assert_null(a->alloc_zeroed(SIZE_MAX - 8, 64));
    assert_int_equal(lifetimes_clock_bytes(), clock);
    assert_int_equal(births, deaths);
}

static void *release_here(void *block) {
    opened_now->release(block, 40);
    return NULL;
}

TEST(lifetimes_tells_when_another_thread_releases) {
    opened_now = watched("lifetimes:locked:pymalloc");
    void *one = opened_now->alloc(40, 16), *other = opened_now->alloc(40, 16);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, release_here, one), 0);
    pthread_join(thread, NULL);
    assert_int_equal(deaths_elsewhere, 1);
    opened_now->release(other, 40);
    assert_int_equal(deaths_elsewhere, 1);
}

TEST(wrappers_nest_in_the_order_they_are_written) {
    const allocator *a = opened("counted:failing:locked:pymalloc");
    assert_string_equal(a->name, "counted:failing:locked:pymalloc");
    failing_refuse(1, 1);
    assert_null(a->alloc(10, 16));
    assert_int_equal(counted_read().refusals, 1);
    a->release(a->alloc(10, 16), 10);
    assert_int_equal(counted_read().allocations, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counted_adds_up_what_was_asked_for_and_given_back),
        cmocka_unit_test(counted_says_when_a_caller_did_not_tell_a_size),
        cmocka_unit_test(counted_counts_a_refusal_as_nothing_else),
        cmocka_unit_test(counted_starts_anew_from_what_is_still_live),
        cmocka_unit_test(counted_loses_nothing_to_threads),
        cmocka_unit_test(failing_refuses_the_request_it_was_told_to_and_no_other),
        cmocka_unit_test(failing_can_refuse_all_from_a_request_on),
        cmocka_unit_test(failing_proves_that_each_refusal_in_turn_leaves_nothing_behind),
        cmocka_unit_test(locked_makes_any_allocator_safe_and_keeps_what_it_says_of_itself),
        cmocka_unit_test(lifetimes_are_what_was_asked_for_between_birth_and_death),
        cmocka_unit_test(lifetimes_keeps_contents_alignment_and_refusals),
        cmocka_unit_test(lifetimes_tells_when_another_thread_releases),
        cmocka_unit_test(wrappers_nest_in_the_order_they_are_written),
    };
    return cmocka_run_group_tests_name("wrappers", tests, NULL, NULL);
}
