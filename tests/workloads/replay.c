/* SPDX-License-Identifier: MIT
 * replay.c - the workload replay: the same on every allocator, exactly what it declares, and awake.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "../../allocators/counted.h"
#include "drive.h"
#include "trace_maker.h"

extern const workload replay_workload;

enum { CHECK = 1, EDGES = 0, FULL = 1 };

static char path[64];

static const allocator *whole;          /* the allocator that the broken ones are made of */
static allocator        broken;

static workload_run describe(const allocator *memory, const char *name, int check) {
    workload_run run = drive_describe(&replay_workload, memory);
    run.file = name;
    run.parameters[CHECK] = check;
    return run;
}

/* --- on every allocator ---------------------------------------------------------------------------------- */

typedef struct expectation { const char *name; uint64_t checksum; } expectation;

static void compare(const allocator *memory, void *context) {
    expectation *expected = context;
    for (int check = EDGES; check <= FULL; check++) {
        workload_run run = describe(memory, expected->name, check);
        assert_true(drive_run(&run, memory->frees ? 2 : 1) == expected->checksum);
        assert_true(run.live_bytes == 0);
        memory->reset();
    }
}

TEST(checksums_are_equal_on_every_allocator_and_in_every_unit) {
    static const char *const names[] = {"cpython", "sqlite3", "cc1", path};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        workload_run run = describe(drive_open("system"), names[i], EDGES);
        expectation expected = {names[i], drive_run(&run, 1)};
        assert_true(expected.checksum != 0);
        drive_on_each_allocator(compare, &expected);
    }
}

TEST(a_unit_makes_exactly_what_it_declares_and_leaves_nothing) {
    static const char *const names[] = {"cpython", "sqlite3", "cc1", path};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        workload_run run = describe(drive_open("counted:system"), names[i], EDGES);
        workload_operations declared = replay_workload.declare(&run);
        uint64_t live_before = counted_read().live_bytes;
        counted_reset();
        drive_run(&run, 1);
        counted_figures seen = counted_read();
        assert_true(seen.allocations + seen.resizes == declared.allocations);
        assert_true(seen.allocated_bytes + seen.resized_bytes == declared.bytes);
        assert_true(seen.allocations + seen.resizes + seen.releases == declared.operations);
        assert_true(seen.live_bytes == live_before && seen.unsized == 0);
    }
}

static uint64_t peak_seen;
static int      peaks;

static void note_peak(workload_run *run, const char *label) {
    assert_string_equal(label, "peak");
    peak_seen = run->live_bytes;
    peaks++;
}

TEST(live_bytes_are_said_once_a_unit_where_they_peak) {
    workload_run run = describe(drive_open("counted:system"), "cc1", EDGES);
    run.moment = note_peak;
    peaks = 0;
    uint64_t live_before = counted_read().live_bytes;
    counted_reset();
    drive_run(&run, 1);
    assert_int_equal(peaks, 1);
    assert_true(peak_seen == counted_read().live_peak_bytes - live_before);
}

/* --- on several threads ---------------------------------------------------------------------------------- */

enum { AHEAD = 2, MOST_THREADS = 5, UNITS = 2 };

typedef struct part { workload_run run; uint64_t checksum[UNITS]; bool fine; } part;

static void *play(void *context) {
    part *mine = context;
    mine->fine = true;
    for (int unit = 0; mine->fine && unit < UNITS; unit++) {
        mine->run.checksum = 0;
        mine->fine = replay_workload.unit(&mine->run);
        mine->checksum[unit] = mine->run.checksum;
    }
    return NULL;
}

/* UNITS units of a trace on n threads. */
static void play_together(part *parts, unsigned n, const allocator *memory, const char *name, int64_t ahead) {
    pthread_t threads[MOST_THREADS];
    for (unsigned t = 0; t < n; t++) {
        parts[t].run = describe(memory, name, EDGES);
        parts[t].run.thread = t;
        parts[t].run.threads = n;
        parts[t].run.parameters[AHEAD] = ahead;
        assert_true(replay_workload.prepare(&parts[t].run));
    }
    for (unsigned t = 0; t < n; t++) assert_int_equal(pthread_create(&threads[t], NULL, play, &parts[t]), 0);
    for (unsigned t = 0; t < n; t++) pthread_join(threads[t], NULL);
    for (unsigned t = n; t-- > 0;) replay_workload.finish(&parts[t].run);
}

TEST(threads_replay_their_own_events_alike_in_every_unit_and_on_every_allocator) {
    static const struct { unsigned threads; int64_t ahead; } ways[] = {{2, 1000}, {3, 1}, {5, 50}, {2, INT32_MAX}};
    static const char *const specs[] = {"system", "locked:pymalloc", "counted:system"};
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
        for (size_t s = 0; s < sizeof specs / sizeof *specs; s++) {
            static part parts[MOST_THREADS];
            static uint64_t first[MOST_THREADS];
            const allocator *memory = drive_open(specs[s]);
            uint64_t live_before = counted_read().live_bytes;
            play_together(parts, ways[w].threads, memory, "lld", ways[w].ahead);
            for (unsigned t = 0; t < ways[w].threads; t++) {
                assert_true(parts[t].fine && parts[t].checksum[0] != 0 && parts[t].checksum[0] == parts[t].checksum[1]);
                if (s == 0) first[t] = parts[t].checksum[0];
                assert_true(parts[t].checksum[0] == first[t]);
            }
            assert_true(counted_read().live_bytes == live_before);
        }
}

static _Atomic int calls_together;

static void *alloc_refuses_one_thread(size_t bytes, size_t alignment) {
    return calls_together++ == 20000 ? NULL : whole->alloc(bytes, alignment);
}

TEST(a_request_refused_to_one_thread_ends_the_unit_of_all) {
    static part parts[MOST_THREADS];
    whole = drive_open("counted:system");
    uint64_t live_before = counted_read().live_bytes;
    broken = *whole;
    broken.alloc = alloc_refuses_one_thread;
    calls_together = 0;
    play_together(parts, 3, &broken, "lld", 10);
    for (unsigned t = 0; t < 3; t++) {
        assert_false(parts[t].fine);
        assert_string_equal(parts[t].run.why, "");
    }
    assert_true(counted_read().live_bytes == live_before);
}

TEST(more_threads_than_were_recorded_are_refused_in_one_line) {
    workload_run run = describe(drive_open("system"), "perl", EDGES);
    run.threads = 2;
    assert_false(replay_workload.prepare(&run));
    assert_non_null(strstr(run.why, "recorded of 1 threads"));
    replay_workload.finish(&run);
}

/* --- on broken allocators -------------------------------------------------------------------------------- */

static int              calls_left;     /* until the fault */
static void            *kept;

static void *alloc_same_block_twice(size_t bytes, size_t alignment) {
    if (calls_left-- > 0) return kept = whole->alloc(bytes < 8192 ? 8192 : bytes, alignment);
    return kept;
}

static void *alloc_writes_elsewhere(size_t bytes, size_t alignment) {
    if (calls_left-- == 0 && kept) *(volatile char *)kept ^= 1;
    return kept = whole->alloc(bytes, alignment);
}

static void *alloc_askew(size_t bytes, size_t alignment) { return (char *)whole->alloc(bytes + 8, alignment) + 8; }

static void *alloc_dirty(size_t bytes, size_t alignment) {
    char *block = whole->alloc_zeroed(bytes, alignment);
    if (bytes) *(volatile char *)(block + bytes - 1) = 1;
    return block;
}

static void *resize_forgets(void *block, size_t before, size_t after) {
    void *moved = whole->alloc_zeroed(after, 16);
    (void)block, (void)before;
    return moved;
}

static void *alloc_refuses(size_t bytes, size_t alignment) {
    return calls_left-- > 0 ? whole->alloc(bytes, alignment) : NULL;
}

/* The unit fails; `words` is in its reason. */
static void fails_with(const char *words) {
    workload_run run = describe(&broken, "sqlite3", EDGES);
    if (broken.alloc_zeroed != whole->alloc_zeroed) run.file = path;
    assert_true(replay_workload.prepare(&run));
    assert_false(replay_workload.unit(&run));
    if (!strstr(run.why, words)) fail_msg("expected \"%s\" in \"%s\"", words, run.why);
    replay_workload.finish(&run);
    assert_true(run.live_bytes == 0);
}

/* On the bump allocator a block that was released, or never was, can still be written to. */
static void break_bump(void) {
    whole = drive_open("bump");
    whole->reset();
    broken = *whole;
    broken.name = "broken";
    kept = NULL;
}

TEST(a_block_handed_out_twice_is_noticed) {
    break_bump();
    broken.alloc = alloc_same_block_twice;
    calls_left = 1000;
    fails_with("changed");
}

TEST(a_block_that_another_call_writes_to_is_noticed) {
    break_bump();
    broken.alloc = alloc_writes_elsewhere;
    calls_left = 2000;
    fails_with("changed");
}

TEST(a_resize_that_loses_contents_is_noticed) {
    break_bump();
    broken.resize = resize_forgets;
    fails_with("lost its contents");
}

TEST(a_zeroed_block_that_is_not_zero_is_noticed) {
    break_bump();
    broken.alloc_zeroed = alloc_dirty;
    fails_with("is not zero");
}

TEST(a_block_that_is_not_aligned_is_noticed) {
    break_bump();
    broken.alloc = alloc_askew;
    fails_with("is not aligned");
}

TEST(a_refused_request_ends_the_unit_without_another_reason_and_leaks_nothing) {
    whole = drive_open("counted:system");
    broken = *whole;
    broken.alloc = alloc_refuses;
    calls_left = 5000;
    workload_run run = describe(&broken, "cpython", FULL);
    uint64_t live_before = counted_read().live_bytes;
    assert_true(replay_workload.prepare(&run));
    assert_false(replay_workload.unit(&run));
    assert_string_equal(run.why, "");
    replay_workload.finish(&run);
    assert_true(counted_read().live_bytes == live_before);
    calls_left = 1 << 30;           /* and the next unit is as good as ever */
    uint64_t checksum = drive_run(&run, 2);
    run = describe(drive_open("system"), "cpython", EDGES);
    assert_true(drive_run(&run, 1) == checksum);
}

/* --- bad input ------------------------------------------------------------------------------------------ */

TEST(a_bad_trace_is_refused_by_prepare_in_one_line) {
    workload_run run = describe(drive_open("system"), "nothing-of-this-name", EDGES);
    assert_true(replay_workload.declare(&run).operations == 0);
    assert_false(replay_workload.prepare(&run));
    assert_non_null(strstr(run.why, "cannot be read"));
    replay_workload.finish(&run);

    char cut[64];
    static char bytes[100000];
    trace_maker_path(cut);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    trace_maker_write(cut, bytes, count - 20);
    run = describe(run.memory, cut, EDGES);
    assert_false(replay_workload.prepare(&run));
    assert_non_null(strstr(run.why, "truncated after event"));
    assert_null(strchr(run.why, '\n'));
    run = describe(run.memory, "cc1", EDGES);
    drive_run(&run, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_equal_on_every_allocator_and_in_every_unit),
        cmocka_unit_test(a_unit_makes_exactly_what_it_declares_and_leaves_nothing),
        cmocka_unit_test(live_bytes_are_said_once_a_unit_where_they_peak),
        cmocka_unit_test(threads_replay_their_own_events_alike_in_every_unit_and_on_every_allocator),
        cmocka_unit_test(a_request_refused_to_one_thread_ends_the_unit_of_all),
        cmocka_unit_test(more_threads_than_were_recorded_are_refused_in_one_line),
        cmocka_unit_test(a_block_handed_out_twice_is_noticed),
        cmocka_unit_test(a_block_that_another_call_writes_to_is_noticed),
        cmocka_unit_test(a_resize_that_loses_contents_is_noticed),
        cmocka_unit_test(a_zeroed_block_that_is_not_zero_is_noticed),
        cmocka_unit_test(a_block_that_is_not_aligned_is_noticed),
        cmocka_unit_test(a_refused_request_ends_the_unit_without_another_reason_and_leaks_nothing),
        cmocka_unit_test(a_bad_trace_is_refused_by_prepare_in_one_line),
    };
    static trace_maker made;
    trace_maker_path(path);
    trace_maker_random(&made, 21, 1000);
    trace_maker_write(path, made.file, made.file_used);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
