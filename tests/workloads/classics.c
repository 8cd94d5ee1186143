/* SPDX-License-Identifier: MIT
 * classics.c - the classic workloads on blocks: larson, producers, false_sharing, growth, phases, spawn, large, cache.
 *
 * What holds of every workload is asked of each, in a small size and with each of its choices: equal checksums, exactly
 * what it declares, nothing left behind, refusals at any point, on one thread and on several.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "../../allocators/counted.h"
#include "drive.h"

extern const workload larson_workload, producers_workload, false_sharing_workload, growth_workload, phases_workload,
    spawn_workload, large_workload, cache_workload;

enum { MOST_THREADS = 4 };

static const struct subject {
    const workload *program;
    int64_t         parameters[WORKLOAD_PARAMETERS];
} subjects[] = {
    {&larson_workload, {60, 16, 512, 2}},
    {&larson_workload, {1, 700, 700, 1}},
    {&producers_workload, {64, 103, 10}},
    {&producers_workload, {1000, 30, 100}},
    {&false_sharing_workload, {8, 20, 30, 0}},
    {&false_sharing_workload, {24, 20, 30, 1}},
    {&growth_workload, {20, 2000, 0}},
    {&growth_workload, {20, 2000, 1}},
    {&growth_workload, {20, 2000, 2}},
    {&phases_workload, {100, 32, 4, 0}},
    {&phases_workload, {77, 8, 3, 1}},
    {&phases_workload, {100, 32, 4, 2}},
    {&spawn_workload, {64, 3, 20, 5}},
    {&spawn_workload, {64, 2, 10, 10}},
    {&large_workload, {3, 5000, 40000, 0}},
    {&large_workload, {3, 30, 40000, 1}},
    {&cache_workload, {300, 16, 1000}},
    {&cache_workload, {40, 100, 100}},
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static workload_run describe(const struct subject *subject, const allocator *memory) {
    workload_run run = drive_describe(subject->program, memory);
    memcpy(run.parameters, subject->parameters, sizeof run.parameters);
    return run;
}

/* --- a crew, as the harness has one ------------------------------------------------------------------------ */

typedef struct member { workload_run run; pthread_t id; bool prepared, fine; } member;

static void *work(void *argument) {
    member *self = argument;
    self->run.checksum = 0;
    self->fine = self->run.program->unit(&self->run);
    return NULL;
}

/* Thread 0 prepares first, as in the harness. */
static bool crew_prepare(member crew[], unsigned threads, const struct subject *subject, const allocator *memory, void **shared) {
    bool fine = true;
    *shared = NULL;
    for (unsigned i = 0; i < threads; i++) {
        crew[i] = (member){.run = describe(subject, memory), .prepared = fine};
        crew[i].run.thread = i;
        crew[i].run.threads = threads;
        crew[i].run.shared = shared;
        fine = fine && crew[i].run.program->prepare(&crew[i].run);
    }
    return fine;
}

static bool crew_unit(member crew[], unsigned threads) {
    bool fine = true;
    for (unsigned i = 0; i < threads; i++) assert_int_equal(pthread_create(&crew[i].id, NULL, work, &crew[i]), 0);
    for (unsigned i = 0; i < threads; i++) pthread_join(crew[i].id, NULL);
    for (unsigned i = 0; i < threads; i++) fine = fine && crew[i].fine;
    return fine;
}

static void crew_finish(member crew[], unsigned threads) {
    for (unsigned i = threads; i-- > 0;)
        if (crew[i].prepared) crew[i].run.program->finish(&crew[i].run);
}

static uint64_t crew_checksum(const member crew[], unsigned threads) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < threads; i++) sum += crew[i].run.checksum;
    return sum;
}

/* --- one thread -------------------------------------------------------------------------------------------- */

static void compare(const allocator *memory, void *context) {
    for (int i = 0; i < SUBJECTS; i++) {
        workload_run run = describe(&subjects[i], memory);
        assert_true(drive_run(&run, memory->frees ? 3 : 1) == ((uint64_t *)context)[i]);
    }
}

TEST(checksums_are_equal_on_every_allocator_and_in_every_unit) {
    uint64_t checksums[SUBJECTS];
    for (int i = 0; i < SUBJECTS; i++) {
        workload_run run = describe(&subjects[i], drive_open("system"));
        checksums[i] = drive_run(&run, 1);
    }
    drive_on_each_allocator(compare, checksums);
}

TEST(who_survives_changes_nothing_but_where_blocks_lie) {
    uint64_t checksums[3];
    for (int survivors = 0; survivors < 3; survivors++) {
        workload_run run = describe(&(struct subject){&phases_workload, {500, 16, 5, survivors}}, drive_open("system"));
        checksums[survivors] = drive_run(&run, 2);
    }
    assert_true(checksums[0] == checksums[1] && checksums[1] == checksums[2]);
}

TEST(another_seed_has_other_sizes) {
    const struct subject *drawn[] = {&subjects[0], &subjects[6], &subjects[14], &subjects[16]};
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++) {
        workload_run run = describe(drawn[i], drive_open("system"));
        uint64_t bytes = run.program->declare(&run).bytes;
        run.seed++;
        assert_true(run.program->declare(&run).bytes != bytes);
    }
}

TEST(a_unit_makes_exactly_what_it_declares_and_ends_as_it_began) {
    for (int i = 0; i < SUBJECTS; i++)
        for (unsigned threads = 1; threads <= MOST_THREADS; threads++) {
            member crew[MOST_THREADS];
            void *shared;
            size_t mapped = workload_mapped_bytes();
            assert_true(crew_prepare(crew, threads, &subjects[i], drive_open("counted:system"), &shared));
            workload_operations declared = subjects[i].program->declare(&crew[0].run);
            uint64_t live = counted_read().live_bytes, checksum = 0;
            for (int unit = 0; unit < 3; unit++) {
                counted_figures before = counted_read();
                assert_true(crew_unit(crew, threads));
                counted_figures after = counted_read();
                uint64_t requests = after.allocations + after.resizes - before.allocations - before.resizes;
                uint64_t bytes = after.allocated_bytes + after.resized_bytes - before.allocated_bytes - before.resized_bytes;
                if (requests != declared.allocations * threads || bytes != declared.bytes * threads)
                    fail_msg("%s on %u threads", subjects[i].program->name, threads);
                assert_true(after.live_bytes == live && after.unsized == 0);
                assert_true(unit == 0 || crew_checksum(crew, threads) == checksum);
                checksum = crew_checksum(crew, threads);
                uint64_t said = 0;
                for (unsigned thread = 0; thread < threads; thread++) said += crew[thread].run.live_bytes;
                assert_true(said == live);
            }
            crew_finish(crew, threads);
            assert_true(counted_read().live_bytes == 0 && workload_mapped_bytes() == mapped && shared == NULL);
            counted_reset();
        }
}

static uint64_t most_told, most_alive;

static void tell(workload_run *run, const char *label) {
    (void)label;
    if (run->live_bytes > most_told) most_told = run->live_bytes;
}

TEST(the_moment_of_most_live_bytes_is_told) {
    const struct subject peaked[] = {{&growth_workload, {50, 5000, 0}}, {&phases_workload, {256, 16, 4, 0}}};
    for (int i = 0; i < 2; i++) {
        workload_run run = describe(&peaked[i], drive_open("counted:system"));
        run.moment = tell;
        most_told = 0;
        counted_reset();
        drive_run(&run, 1);
        most_alive = counted_read().live_peak_bytes;
        support_between(most_told, most_alive * 9 / 10, most_alive);    /* while it is resized, a block may be there twice */
    }
}

TEST(phases_keep_live_bytes_and_leave_no_hole_that_the_next_could_use) {
    workload_run run = describe(&(struct subject){&phases_workload, {1024, 32, 5, 0}}, drive_open("counted:bump"));
    uint64_t live = 1024 * 32;
    counted_reset();
    drive_run(&run, 1);
    assert_true(counted_read().live_peak_bytes == live);
    assert_true(run.program->declare(&run).bytes == live + 5 * live / 2);
}

/* --- refusals and damage ----------------------------------------------------------------------------------- */

static const allocator *whole;
static _Atomic int64_t  grants_left;

static bool granted(void) { return atomic_fetch_sub(&grants_left, 1) > 0; }
static void *sparing_alloc(size_t bytes, size_t alignment) { return granted() ? whole->alloc(bytes, alignment) : NULL; }

static void *sparing_alloc_zeroed(size_t bytes, size_t alignment) {
    return granted() ? whole->alloc_zeroed(bytes, alignment) : NULL;
}

static void *sparing_resize(void *block, size_t old_bytes, size_t new_bytes) {
    return granted() ? whole->resize(block, old_bytes, new_bytes) : NULL;
}

static allocator sparing(const char *spec) {
    whole = drive_open(spec);
    allocator memory = *whole;
    memory.alloc = sparing_alloc;
    memory.alloc_zeroed = sparing_alloc_zeroed;
    memory.resize = sparing_resize;
    return memory;
}

static void refuse_at(const struct subject *subject, unsigned threads, int64_t grants) {
    allocator memory = sparing("counted:system");
    member crew[MOST_THREADS];
    void *shared;
    grants_left = grants;
    bool fine = crew_prepare(crew, threads, subject, &memory, &shared) && crew_unit(crew, threads);
    for (unsigned thread = 0; thread < threads && crew[thread].prepared; thread++)
        assert_string_equal(crew[thread].run.why, "");
    bool refused = grants_left < 0;             /* somebody asked once more than was granted */
    assert_true(fine == !refused);
    crew_finish(crew, threads);
    assert_true(counted_read().live_bytes == 0);
}

TEST(a_refused_request_at_any_point_ends_it_and_leaks_nothing) {
    for (int i = 0; i < SUBJECTS; i++)
        for (int64_t grants = 0; grants < 400; grants += 1 + grants / 16) refuse_at(&subjects[i], 1, grants);
}

TEST(a_thread_that_is_refused_leaves_no_other_waiting) {
    for (int i = 0; i < SUBJECTS; i++)
        for (unsigned threads = 2; threads <= MOST_THREADS; threads++)
            for (int64_t grants = 0; grants < 500; grants += 1 + grants / 2) refuse_at(&subjects[i], threads, grants);
}

static void *scribbling_alloc(size_t bytes, size_t alignment) {
    static char *last;
    char *block = whole->alloc(bytes, alignment);
    if (atomic_fetch_sub(&grants_left, 1) == 0 && last) *(volatile char *)last ^= 4;
    return last = block;
}

TEST(a_block_that_another_call_writes_to_is_noticed) {
    for (int i = 0; i < SUBJECTS; i++) {
        if (subjects[i].program == &false_sharing_workload) continue;       /* one block at a time; see below */
        if (subjects[i].program == &larson_workload && subjects[i].parameters[0] == 1) continue;    /* likewise */
        whole = drive_open("bump");             /* where a released block can still be written to */
        allocator memory = *whole;
        memory.alloc = scribbling_alloc;
        workload_run run = describe(&subjects[i], &memory);
        grants_left = 1;                        /* at the second request, the first block */
        bool fine = run.program->prepare(&run) && run.program->unit(&run);
        if (fine || !strstr(run.why, "changed while it was alive")) fail_msg("%s: %s", run.program->name, run.why);
        run.program->finish(&run);
        whole->reset();
    }
}

TEST(a_given_block_that_another_call_writes_to_is_noticed) {
    whole = drive_open("system");
    allocator memory = *whole;
    memory.alloc = scribbling_alloc;
    member crew[2];
    void *shared;
    grants_left = 1;
    assert_true(crew_prepare(crew, 2, &(struct subject){&false_sharing_workload, {8, 10, 5, 1}}, &memory, &shared));
    assert_false(crew_unit(crew, 2));
    assert_non_null(strstr(crew[0].run.why, "changed while it was alive"));
    crew_finish(crew, 2);
}

TEST(parameters_that_contradict_each_other_are_refused_in_one_line) {
    const struct subject wrong[] = {{&larson_workload, {10, 100, 99, 1}}, {&large_workload, {2, 100, 99, 0}},
                                    {&cache_workload, {10, 100, 99}}, {&spawn_workload, {64, 1, 10, 11}}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        workload_run run = describe(&wrong[i], drive_open("counted:system"));
        assert_false(run.program->prepare(&run));
        assert_non_null(strstr(run.why, " is above "));
        run.program->finish(&run);
        assert_true(counted_read().live_bytes == 0);
    }
}

/* --- threads ------------------------------------------------------------------------------------------------- */

TEST(checksums_of_threads_are_equal_on_allocators_that_they_may_share) {
    const char *const specs[] = {"system", "magazine", "locked:pymalloc", "locked:bump"};
    for (int i = 0; i < SUBJECTS; i++)
        for (unsigned threads = 2; threads <= MOST_THREADS; threads++) {
            uint64_t checksum = 0;
            for (size_t j = 0; j < sizeof specs / sizeof *specs; j++) {
                member crew[MOST_THREADS];
                void *shared;
                const allocator *memory = drive_open(specs[j]);
                assert_true(crew_prepare(crew, threads, &subjects[i], memory, &shared) && crew_unit(crew, threads));
                if (j > 0 && crew_checksum(crew, threads) != checksum)
                    fail_msg("%s on %s, %u threads", subjects[i].program->name, specs[j], threads);
                checksum = crew_checksum(crew, threads);
                crew_finish(crew, threads);
                memory->check();
                memory->reset();
            }
        }
}

static atomic_uint foreign, releases, numbers;

/* Of the calling thread; those of pthread_self are used again. */
static unsigned self_number(void) {
    static _Thread_local unsigned number;
    return number ? number : (number = ++numbers);
}

/* Each block is preceded by the number of the thread that made it. */
static void *owned_alloc(size_t bytes, size_t alignment) {
    char *block = whole->alloc(bytes + 16, alignment);
    *(unsigned *)block = self_number();
    return block + 16;
}

static void owned_release(void *block, size_t bytes) {
    unsigned maker = *(unsigned *)((char *)block - 16);
    releases++;
    foreign += maker != self_number();
    whole->release((char *)block - 16, bytes + 16);
}

/* Per mille of a unit's releases that are of blocks made by another thread; a crew's threads are new in each unit. */
static unsigned foreign_share(const struct subject *subject, unsigned threads) {
    member crew[MOST_THREADS];
    void *shared;
    whole = drive_open("system");
    allocator memory = *whole;
    memory.alloc = owned_alloc;
    memory.release = owned_release;
    assert_true(crew_prepare(crew, threads, subject, &memory, &shared));
    foreign = releases = 0;
    assert_true(crew_unit(crew, threads));
    unsigned share = 1000 * foreign / releases;
    crew_finish(crew, threads);
    return share;
}

TEST(blocks_are_released_by_the_threads_that_the_headers_say) {
    assert_int_equal(foreign_share(&(struct subject){&larson_workload, {100, 16, 64, 4}}, 2), 250);
    assert_int_equal(foreign_share(&(struct subject){&producers_workload, {64, 100, 10}}, 2), 1000);
    assert_int_equal(foreign_share(&(struct subject){&producers_workload, {64, 100, 10}}, 1), 0);
    assert_int_equal(foreign_share(&(struct subject){&spawn_workload, {64, 4, 100, 10}}, 1), 100);
    assert_int_equal(foreign_share(&(struct subject){&false_sharing_workload, {8, 2, 9, 1}}, 4), 75);    /* 3 of 40 */
}

static atomic_uint leavings;
static void count_leaving(void) { leavings++; }

TEST(every_guest_tells_the_allocator_that_it_leaves) {
    allocator memory = *drive_open("system");
    memory.thread_exit = count_leaving;
    workload_run run = describe(&(struct subject){&spawn_workload, {64, 7, 10, 2}}, &memory);
    leavings = 0;
    drive_run(&run, 2);
    assert_int_equal(leavings, 14);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_equal_on_every_allocator_and_in_every_unit),
        cmocka_unit_test(who_survives_changes_nothing_but_where_blocks_lie),
        cmocka_unit_test(another_seed_has_other_sizes),
        cmocka_unit_test(a_unit_makes_exactly_what_it_declares_and_ends_as_it_began),
        cmocka_unit_test(the_moment_of_most_live_bytes_is_told),
        cmocka_unit_test(phases_keep_live_bytes_and_leave_no_hole_that_the_next_could_use),
        cmocka_unit_test(a_refused_request_at_any_point_ends_it_and_leaks_nothing),
        cmocka_unit_test(a_thread_that_is_refused_leaves_no_other_waiting),
        cmocka_unit_test(a_block_that_another_call_writes_to_is_noticed),
        cmocka_unit_test(a_given_block_that_another_call_writes_to_is_noticed),
        cmocka_unit_test(parameters_that_contradict_each_other_are_refused_in_one_line),
        cmocka_unit_test(checksums_of_threads_are_equal_on_allocators_that_they_may_share),
        cmocka_unit_test(blocks_are_released_by_the_threads_that_the_headers_say),
        cmocka_unit_test(every_guest_tells_the_allocator_that_it_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
