/* SPDX-License-Identifier: MIT
 * batch.c - the workloads pair and batch: exactly the work they declare, nothing left when a request is refused.
 */
#include "../../allocators/counted.h"
#include "drive.h"

extern const workload pair_workload, batch_workload;

enum { SIZE = 0, PAIR_HELD = 1, PAIR_COUNT = 2, BATCH_COUNT = 1, BATCH_ORDER = 2, BATCH_LOOK = 3 };

static workload_run describe_pair(const allocator *memory, int64_t size, int64_t held) {
    workload_run run = drive_describe(&pair_workload, memory);
    run.parameters[SIZE] = size;
    run.parameters[PAIR_HELD] = held;
    run.parameters[PAIR_COUNT] = 1000;
    return run;
}

static workload_run describe_batch(const allocator *memory, int64_t count, int64_t order, int64_t look) {
    workload_run run = drive_describe(&batch_workload, memory);
    run.parameters[BATCH_COUNT] = count;
    run.parameters[BATCH_ORDER] = order;
    run.parameters[BATCH_LOOK] = look;
    return run;
}

static void compare_pairs(const allocator *memory, void *context) {
    workload_run run = describe_pair(memory, 64, 8);
    assert_true(drive_run(&run, 3) == *(uint64_t *)context);
}

static void compare_batches(const allocator *memory, void *context) {
    for (int order = 0; order < 3; order++) {
        workload_run run = describe_batch(memory, 3000, order, 0);
        assert_true(drive_run(&run, memory->frees ? 3 : 1) == *(uint64_t *)context);
    }
}

TEST(checksums_are_equal_on_every_allocator_and_of_batches_in_every_order) {
    workload_run pair = describe_pair(drive_open("system"), 64, 8);
    workload_run batch = describe_batch(pair.memory, 3000, 0, 0);
    uint64_t pairs = drive_run(&pair, 1), batches = drive_run(&batch, 1);
    drive_on_each_allocator(compare_pairs, &pairs);
    drive_on_each_allocator(compare_batches, &batches);
}

static void check_exact(workload_run *run, uint64_t live_bytes) {
    workload_operations declared = run->program->declare(run);
    assert_true(run->program->prepare(run));
    counted_reset();
    drive_unit(run);
    counted_figures made = counted_read();
    assert_true(made.allocations == declared.allocations && made.allocated_bytes == declared.bytes);
    assert_true(run->live_bytes == live_bytes);
    run->program->finish(run);
    assert_true(counted_read().live_bytes == 0 && run->live_bytes == 0);
}

TEST(a_unit_makes_exactly_what_it_declares_and_ends_as_it_began) {
    const allocator *memory = drive_open("counted:system");
    for (int64_t size = 1; size < 700; size = size * 3 + 1) {
        workload_run run = describe_pair(memory, size, 5);
        check_exact(&run, 5 * (uint64_t)size);
    }
    for (int order = 0; order < 3; order++)
        for (int look = 0; look < 2; look++) {
            workload_run run = describe_batch(memory, 1 + 777 * order, order, look);
            check_exact(&run, 0);
        }
}

static uint64_t told[8];
static unsigned tellings;

static void tell(workload_run *run, const char *label) {
    (void)label;
    told[tellings++ % 8] = run->live_bytes;
}

TEST(live_bytes_are_right_at_each_moment_of_a_batch) {
    workload_run run = describe_batch(drive_open("system"), 5000, 2, 0);
    run.moment = tell;
    tellings = 0;
    drive_run(&run, 1);
    assert_int_equal(tellings, 3);
    assert_true(told[0] == 5000 * 64 && told[1] == 500 * 64 && told[2] == 5 * 64);
}

static const allocator *whole;
static uint64_t grants_left;

static void *sparing_alloc(size_t bytes, size_t alignment) {
    return grants_left > 0 ? grants_left--, whole->alloc(bytes, alignment) : NULL;
}

static void *scribbling_alloc(size_t bytes, size_t alignment) {
    static char *last;
    char *block = whole->alloc(bytes, alignment);
    if (grants_left-- == 0 && last) *(volatile char *)last ^= 4;
    return last = block;
}

TEST(a_refused_request_at_any_point_ends_it_and_leaks_nothing) {
    whole = drive_open("counted:system");
    for (uint64_t grants = 0; grants < 40; grants++) {
        allocator memory = *whole;
        memory.alloc = sparing_alloc;
        workload_run runs[] = {describe_pair(&memory, 64, 20), describe_batch(&memory, 50, 2, 0)};
        for (int i = 0; i < 2; i++) {
            grants_left = grants;
            assert_false(runs[i].program->prepare(&runs[i]) && runs[i].program->unit(&runs[i]));
            assert_string_equal(runs[i].why, "");
            runs[i].program->finish(&runs[i]);
            assert_true(counted_read().live_bytes == 0);
        }
    }
}

TEST(a_block_that_another_call_writes_to_is_noticed) {
    whole = drive_open("system");
    allocator memory = *whole;
    memory.alloc = scribbling_alloc;
    workload_run runs[] = {describe_pair(&memory, 64, 8), describe_batch(&memory, 1000, 1, 0)};
    for (int i = 0; i < 2; i++) {
        grants_left = 8;                    /* in a pair's first call of a unit: the last one that is held */
        assert_true(runs[i].program->prepare(&runs[i]));
        assert_false(runs[i].program->unit(&runs[i]));
        assert_non_null(strstr(runs[i].why, "changed while it was alive"));
        runs[i].program->finish(&runs[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_equal_on_every_allocator_and_of_batches_in_every_order),
        cmocka_unit_test(a_unit_makes_exactly_what_it_declares_and_ends_as_it_began),
        cmocka_unit_test(live_bytes_are_right_at_each_moment_of_a_batch),
        cmocka_unit_test(a_refused_request_at_any_point_ends_it_and_leaks_nothing),
        cmocka_unit_test(a_block_that_another_call_writes_to_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
