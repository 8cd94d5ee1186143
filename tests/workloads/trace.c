/* SPDX-License-Identifier: MIT
 * trace.c - the reader of traces: what it decodes, and that nothing wrong gets past it.
 */
#include "../../workloads/blocks/trace.h"

#include <sys/stat.h>

#include "../../workloads/packed.h"
#include "../../workloads/workload.h"
#include "../support.h"
#include "trace_maker.h"

static trace_maker made;
static char        path[64];

/* Load `count` bytes as a file; they must be refused in one line, or read. */
static bool loads(trace *loaded, const void *bytes, size_t count, char why[256]) {
    size_t mapped = workload_mapped_bytes();
    trace_maker_write(path, bytes, count);
    why[0] = 0;
    if (trace_load(loaded, path, why, 256)) return true;
    assert_true(workload_mapped_bytes() == mapped);
    assert_non_null(strstr(why, "trace "));
    assert_null(strchr(why, '\n'));
    return false;
}

static bool refused_with(const void *bytes, size_t count, const char *words) {
    trace loaded;
    char why[256];
    bool read = loads(&loaded, bytes, count, why);
    if (read) trace_unload(&loaded);
    if (!read && !strstr(why, words)) print_error("expected \"%s\" in \"%s\"\n", words, why);
    return !read && strstr(why, words);
}

static bool same_events(const trace *a, const trace *b) {
    return a->count == b->count && a->slots == b->slots
        && memcmp(a->events, b->events, a->count * sizeof *a->events) == 0;
}

/* (I1) to (I3) of trace.h, walked. */
static void check_trace(const trace *t) {
    uint64_t *alive = workload_map(t->slots * sizeof *alive), live_bytes = 0, peak = 0;
    uint32_t *freed_by = workload_map(t->slots * sizeof *freed_by);
    for (uint64_t i = 0; i < t->count; i++) {
        const trace_event *event = &t->events[i];
        bool birth = event->kind <= RECORDER_ALIGNED;
        assert_true(event->slot < t->slots);
        assert_true(birth == (alive[event->slot] == 0));
        assert_true(!birth || freed_by[event->slot] == 0 || freed_by[event->slot] == event->thread + 1u);
        if (event->kind == RECORDER_RELEASE) freed_by[event->slot] = event->thread + 1;
        if (event->kind == RECORDER_RELEASE) assert_true(alive[event->slot] == event->bytes + 1);
        live_bytes -= birth ? 0 : alive[event->slot] - 1;
        alive[event->slot] = event->kind == RECORDER_RELEASE ? 0 : event->bytes + 1;
        live_bytes += event->kind == RECORDER_RELEASE ? 0 : event->bytes;
        if (live_bytes > peak) peak = live_bytes;
    }
    assert_true(live_bytes == 0);
    assert_true(peak == t->head.peak_bytes);
    for (uint64_t slot = 0; slot < t->slots; slot++) assert_true(alive[slot] == 0);
    if (t->head.threads == 1) assert_true(t->slots == t->head.peak_blocks);
    workload_unmap(alive, t->slots * sizeof *alive);
    workload_unmap(freed_by, t->slots * sizeof *freed_by);
}

TEST(a_trace_decodes_to_what_was_written) {
    trace t;
    char why[256];
    trace_maker_start(&made);
    trace_maker_birth(&made, RECORDER_ALLOC, 0, 100);
    trace_maker_birth(&made, RECORDER_ZEROED, 0, 1);
    trace_maker_release(&made, 2, 100);
    trace_maker_thread(&made, 5);
    trace_maker_birth(&made, RECORDER_ALIGNED, 12, 300000);
    trace_maker_resize(&made, 2, 1, 40);
    trace_maker_seal(&made, 7);
    assert_true(loads(&t, made.file, made.file_used, why));
    const trace_event expected[] = {
        {100, 0, 0, RECORDER_ALLOC, 0}, {1, 1, 0, RECORDER_ZEROED, 0}, {100, 0, 0, RECORDER_RELEASE, 0},
        {300000, 2, 5, RECORDER_ALIGNED, 12}, {40, 1, 5, RECORDER_RESIZE, 0},
        {40, 1, 5, RECORDER_RELEASE, 0}, {300000, 2, 5, RECORDER_RELEASE, 0},      /* added, in order of birth */
    };
    assert_true(t.count == sizeof expected / sizeof *expected);
    assert_true(t.slots == 3);       /* the other thread's slot is not this one's */
    assert_memory_equal(t.events, expected, sizeof expected);
    assert_true(t.head.peak_event == 5 && t.head.peak_bytes == 300040 && t.head.total_bytes == 300141);
    trace_unload(&t);
}

TEST(an_empty_trace_is_a_trace) {
    trace t;
    char why[256];
    trace_maker_start(&made);
    trace_maker_seal(&made, 1);
    assert_true(loads(&t, made.file, made.file_used, why));
    assert_true(t.count == 0);
    trace_unload(&t);
}

TEST(a_trace_cut_at_any_byte_is_refused) {
    trace_maker_random(&made, 11, 300);
    support_between(made.file_used, 1500, 4000);
    for (size_t count = 0; count < sizeof(recorder_head); count++)
        assert_true(refused_with(made.file, count, "truncated in its head"));
    for (size_t count = sizeof(recorder_head); count < made.file_used; count++)
        assert_true(refused_with(made.file, count, "truncated after event "));
}

TEST(a_trace_with_more_behind_its_end_is_refused) {
    trace_maker_random(&made, 12, 300);
    size_t count = made.file_used;
    made.file[count] = 0x28;
    assert_true(refused_with(made.file, count + 1, "damaged after event "));
    memcpy(made.file + count, made.file + sizeof(recorder_head), count - sizeof(recorder_head));
    assert_true(refused_with(made.file, count * 2 - sizeof(recorder_head), "damaged after event "));
}

TEST(a_changed_byte_is_refused_or_changes_nothing) {
    static const unsigned char masks[] = {0x01, 0x80, 0xff};
    trace whole, t;
    char why[256];
    trace_maker_random(&made, 13, 100);
    assert_true(loads(&whole, made.file, made.file_used, why));
    check_trace(&whole);
    for (size_t at = 0; at < made.file_used; at++)
        for (size_t i = 0; i < sizeof masks; i++) {
            made.file[at] ^= masks[i];
            bool read = loads(&t, made.file, made.file_used, why);
            made.file[at] ^= masks[i];
            if (!read) continue;
            assert_true(same_events(&t, &whole));
            trace_unload(&t);
        }
    trace_unload(&whole);
}

TEST(events_that_contradict_each_other_are_refused_with_right_checksums) {
    static const struct { unsigned char raw[4]; size_t count; } wrong[] = {
        {{RECORDER_RELEASE, 0}, 2},             /* of no block */
        {{RECORDER_RELEASE, 3}, 2},             /* of a block before the first */
        {{RECORDER_RELEASE, 2}, 2},             /* of a dead block */
        {{RECORDER_RESIZE, 2, 8}, 3},
        {{RECORDER_RESIZE, 1}, 2},              /* without its size */
        {{RECORDER_ALLOC, 0x80}, 2},            /* number without an end */
        {{RECORDER_THREAD, 1}, 2},              /* one more than there are */
        {{RECORDER_KINDS, 1}, 2},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        trace_maker_start(&made);
        trace_maker_birth(&made, RECORDER_ALLOC, 0, 10);
        trace_maker_release(&made, 1, 10);
        trace_maker_birth(&made, RECORDER_ALLOC, 0, 20);
        for (size_t k = 0; k < wrong[i].count; k++) trace_maker_byte(&made, wrong[i].raw[k]);
        made.head.resizes += wrong[i].raw[0] == RECORDER_RESIZE;
        made.head.releases += wrong[i].raw[0] == RECORDER_RELEASE;
        made.head.allocations += wrong[i].raw[0] == RECORDER_ALLOC;
        trace_maker_seal(&made, 100);
        assert_true(refused_with(made.file, made.file_used, "damaged after event 3"));
    }
}

TEST(counts_that_the_events_do_not_bear_out_are_refused) {
    for (size_t field = offsetof(recorder_head, allocations); field < offsetof(recorder_head, raw_bytes); field += 8)
        for (int change = -1; change <= 1; change += 2) {
            trace_maker_random(&made, 14, 40);
            *(uint64_t *)((char *)&made.head + field) += (uint64_t)(int64_t)change;
            trace_maker_seal(&made, 1000);
            assert_true(refused_with(made.file, made.file_used, "damaged after event"));
        }
}

TEST(what_is_not_a_finished_trace_of_this_version_is_refused) {
    trace_maker_random(&made, 15, 40);
    made.head.finished = 0;
    trace_maker_seal(&made, 1000);
    assert_true(refused_with(made.file, made.file_used, "unfinished"));
    made.head.finished = 1;
    made.head.version = RECORDER_VERSION + 1;
    trace_maker_seal(&made, 1000);
    assert_true(refused_with(made.file, made.file_used, "version 2"));
    memset(made.file, 'x', made.file_used);
    assert_true(refused_with(made.file, made.file_used, "not a recorded trace"));
    trace t;
    char why[256];
    assert_false(trace_load(&t, "/nonexistent/x.zst", why, sizeof why));
    assert_non_null(strstr(why, "cannot be read: No such file"));
    assert_false(trace_load(&t, "/", why, sizeof why));
    assert_non_null(strstr(why, "cannot be read: Is a directory"));
}

TEST(the_recordings_load_and_go_from_empty_to_empty) {
    static const char *const names[] = {"cpython", "sqlite3", "cc1", "perl", "jq", "lld"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char found[4096], why[256];
        trace t;
        struct stat status;
        packed_find(names[i], "trace", found, sizeof found);
        if (!trace_load(&t, found, why, sizeof why)) fail_msg("%s", why);
        check_trace(&t);
        support_between(t.head.allocations + t.head.resizes + t.head.releases, 100000, 800000);
        assert_true(stat(found, &status) == 0 && status.st_size < 3000000);
        trace_unload(&t);
    }
}

TEST(a_bare_name_means_a_recording_and_anything_else_a_path) {
    char found[4096];
    packed_find("cpython", "trace", found, sizeof found);
    assert_non_null(strstr(found, "workloads/recordings/cpython.trace.zst"));
    packed_find("./cpython", "trace", found, sizeof found);
    assert_string_equal(found, "./cpython");
    packed_find("mine.zst", "trace", found, sizeof found);
    assert_string_equal(found, "mine.zst");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_decodes_to_what_was_written),
        cmocka_unit_test(an_empty_trace_is_a_trace),
        cmocka_unit_test(a_trace_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_trace_with_more_behind_its_end_is_refused),
        cmocka_unit_test(a_changed_byte_is_refused_or_changes_nothing),
        cmocka_unit_test(events_that_contradict_each_other_are_refused_with_right_checksums),
        cmocka_unit_test(counts_that_the_events_do_not_bear_out_are_refused),
        cmocka_unit_test(what_is_not_a_finished_trace_of_this_version_is_refused),
        cmocka_unit_test(the_recordings_load_and_go_from_empty_to_empty),
        cmocka_unit_test(a_bare_name_means_a_recording_and_anything_else_a_path),
    };
    trace_maker_path(path);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
