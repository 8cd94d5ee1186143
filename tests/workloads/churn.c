/* SPDX-License-Identifier: MIT
 * churn.c - the workload churn: units that repeat, a heap that stays, and exactly the work it declares.
 */
#include "../../allocators/counted.h"
#include "drive.h"

extern const workload churn_workload;

static workload_run describe(const allocator *memory, int64_t size) {
    workload_run run = drive_describe(&churn_workload, memory);
    run.parameters[0] = size;
    run.parameters[1] = 4945;
    return run;
}

static void compare(const allocator *memory, void *context) {
    workload_run run = describe(memory, 5000);
    assert_true(drive_run(&run, memory->frees ? 4 : 1) == *(uint64_t *)context);
}

TEST(checksums_are_equal_on_every_allocator_and_in_every_unit) {
    workload_run run = describe(drive_open("system"), 5000);
    uint64_t checksum = drive_run(&run, 3);
    drive_on_each_allocator(compare, &checksum);
}

TEST(another_seed_or_thread_has_another_checksum) {
    workload_run run = describe(drive_open("system"), 100);
    uint64_t checksum = drive_run(&run, 2);
    run.seed++;
    assert_true(drive_run(&run, 2) != checksum);
    run.seed--;
    run.thread = 1;
    assert_true(drive_run(&run, 2) != checksum);
}

TEST(the_smallest_sizes_work) {
    for (int64_t size = 1; size < 5; size++) {
        workload_run run = describe(drive_open("system"), size);
        drive_run(&run, 3);
    }
}

TEST(doubling_the_size_doubles_the_declared_operations) {
    for (int64_t size = 1; size <= 100000; size *= 10) {
        workload_run one = describe(drive_open("system"), size), two = describe(one.memory, size * 2);
        workload_operations single = churn_workload.declare(&one), twice = churn_workload.declare(&two);
        assert_true(twice.operations == 2 * single.operations && twice.allocations == 2 * single.allocations);
        if (size >= 10000) support_between(twice.bytes, single.bytes * 19 / 10, single.bytes * 21 / 10);
    }
}

TEST(a_unit_makes_exactly_what_it_declares_in_every_thread) {
    for (unsigned thread = 0; thread < 4; thread++) {
        workload_run run = describe(drive_open("counted:system"), 3000);
        run.thread = thread;
        run.threads = 4;
        workload_operations declared = churn_workload.declare(&run);
        assert_true(churn_workload.prepare(&run));
        counted_reset();
        drive_unit(&run);
        counted_figures seen = counted_read();
        assert_true(seen.allocations == declared.allocations && seen.releases == declared.operations);
        assert_true(seen.allocated_bytes == declared.bytes && seen.resizes == 0 && seen.unsized == 0);
        churn_workload.finish(&run);
    }
}

TEST(live_bytes_are_the_same_after_every_unit_and_none_are_left_in_the_end) {
    workload_run run = describe(drive_open("counted:system"), 3000);
    uint64_t before = counted_read().live_bytes;
    size_t mapped = workload_mapped_bytes();
    assert_true(churn_workload.prepare(&run));
    uint64_t live = run.live_bytes;
    for (int unit = 0; unit < 4; unit++) {
        assert_true(counted_read().live_bytes - before == live);
        assert_true(run.live_bytes == live);
        drive_unit(&run);
    }
    churn_workload.finish(&run);
    assert_true(counted_read().live_bytes == before && run.live_bytes == 0);
    assert_true(workload_mapped_bytes() == mapped);
}

/* --- what a unit touches ---------------------------------------------------------------------------------- */

enum { MARK_BYTES = 16 };

static uint64_t         marks_made, old_released, old_below, grants_left;
static const allocator *whole;

/* Each block is preceded by its serial number. */
static void *marked_alloc(size_t bytes, size_t alignment) {
    if (grants_left-- == 0) {
        grants_left = 0;
        return NULL;
    }
    char *block = whole->alloc(bytes + MARK_BYTES, alignment);
    memcpy(block, &marks_made, sizeof marks_made);
    marks_made++;
    return block + MARK_BYTES;
}

static void marked_release(void *block, size_t bytes) {
    uint64_t mark;
    memcpy(&mark, (char *)block - MARK_BYTES, sizeof mark);
    old_released += mark < old_below;
    whole->release((char *)block - MARK_BYTES, bytes + MARK_BYTES);
}

static allocator marked(void) {
    whole = drive_open("counted:system");
    allocator memory = *whole;
    memory.alloc = marked_alloc;
    memory.release = marked_release;
    grants_left = UINT64_MAX;
    marks_made = old_released = old_below = 0;
    return memory;
}

TEST(a_unit_replaces_every_block_that_was_alive) {
    allocator memory = marked();
    workload_run run = describe(&memory, 2000);
    assert_true(churn_workload.prepare(&run));
    assert_true(marks_made == 2000);
    for (int unit = 0; unit < 3; unit++) {
        old_below = marks_made;
        old_released = 0;
        drive_unit(&run);
        assert_true(old_released == 2000);
    }
    churn_workload.finish(&run);
}

TEST(a_refused_request_at_any_point_ends_it_and_leaks_nothing) {
    for (uint64_t grants = 0; grants < 60; grants++) {      /* 20 in prepare, 40 in the unit */
        allocator memory = marked();
        workload_run run = describe(&memory, 20);
        uint64_t before = counted_read().live_bytes;
        grants_left = grants;
        bool prepared = churn_workload.prepare(&run);
        assert_true(prepared == (grants >= 20));
        if (prepared) assert_false(churn_workload.unit(&run));
        assert_string_equal(run.why, "");
        churn_workload.finish(&run);
        assert_true(counted_read().live_bytes == before);
    }
}

static void *scribbling_alloc(size_t bytes, size_t alignment) {
    static char *last;
    char *block = whole->alloc(bytes, alignment);
    if (grants_left-- == 0 && last) *(volatile char *)last ^= 4;
    return last = block;
}

TEST(a_block_that_another_call_writes_to_is_noticed) {
    whole = drive_open("bump");         /* where a released block can still be written to */
    whole->reset();
    allocator memory = *whole;
    memory.alloc = scribbling_alloc;
    workload_run run = describe(&memory, 1000);
    grants_left = 1500;
    assert_true(churn_workload.prepare(&run));
    bool noticed = !churn_workload.unit(&run) || !churn_workload.unit(&run);
    assert_true(noticed);
    assert_non_null(strstr(run.why, "changed while it was alive"));
    churn_workload.finish(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_equal_on_every_allocator_and_in_every_unit),
        cmocka_unit_test(another_seed_or_thread_has_another_checksum),
        cmocka_unit_test(the_smallest_sizes_work),
        cmocka_unit_test(doubling_the_size_doubles_the_declared_operations),
        cmocka_unit_test(a_unit_makes_exactly_what_it_declares_in_every_thread),
        cmocka_unit_test(live_bytes_are_the_same_after_every_unit_and_none_are_left_in_the_end),
        cmocka_unit_test(a_unit_replaces_every_block_that_was_alive),
        cmocka_unit_test(a_refused_request_at_any_point_ends_it_and_leaks_nothing),
        cmocka_unit_test(a_block_that_another_call_writes_to_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
