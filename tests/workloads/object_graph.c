/* SPDX-License-Identifier: MIT
 * object_graph.c - heap snapshots are read whole or refused in one line: cut, changed, contradicting themselves.
 */
#include "../../workloads/object_graph.h"

#include <stdlib.h>

#include "../../workloads/workload.h"
#include "../snapshot_maker.h"

static snapshot_maker made;

static bool loads(object_graph *g, const void *bytes, size_t count, char why[256]) {
    char path[64];
    snapshot_maker_file(path, bytes, count);
    bool read = object_graph_load(g, path, why, 256);
    close(atoi(strrchr(path, '/') + 1));
    return read;
}

/* Refused in one line that has `words` in it, and nothing is kept. */
static bool refused_with(const void *bytes, size_t count, const char *words) {
    object_graph g;
    char why[256] = "";
    size_t mapped = workload_mapped_bytes();
    if (loads(&g, bytes, count, why)) return false;
    if (!strstr(why, words) || strchr(why, '\n')) print_error("expected \"%s\" in \"%s\"\n", words, why);
    return strstr(why, words) && !strchr(why, '\n') && workload_mapped_bytes() == mapped;
}

static bool same(const object_graph *a, const object_graph *b) {
    return memcmp(&a->head, &b->head, sizeof a->head) == 0
        && memcmp(a->objects, b->objects, a->head.objects * sizeof *a->objects) == 0
        && memcmp(a->references, b->references, a->head.references * sizeof *a->references) == 0;
}

TEST(a_snapshot_decodes_to_what_was_written) {
    object_graph g;
    char why[256];
    snapshot_maker_start(&made);
    snapshot_maker_type(&made, "dict");
    snapshot_maker_type(&made, "");
    snapshot_maker_object(&made, 0, OBJECT_GRAPH_TRACKED | OBJECT_GRAPH_ROOT, 64, 3, (uint64_t[]){2, 0, 1});
    snapshot_maker_object(&made, 1, 0, 300000, 0, NULL);
    snapshot_maker_object(&made, 0, 0, 16, 1, (uint64_t[]){1});
    snapshot_maker_seal(&made);
    assert_true(loads(&g, made.file, made.file_used, why));
    const object_graph_object objects[] = {{64, 0, 3, 0, 3}, {300000, 3, 0, 1, 0}, {16, 3, 1, 0, 0}};
    assert_memory_equal(g.objects, objects, sizeof objects);
    assert_memory_equal(g.references, ((uint32_t[]){2, 0, 1, 1}), 4 * sizeof(uint32_t));
    assert_string_equal(g.head.program, "made by hand");
    object_graph_unload(&g);
}

TEST(a_snapshot_cut_at_any_byte_is_refused) {
    snapshot_maker_life(&made, 240, 80);
    support_between(made.file_used, 1000, 4000);
    for (size_t count = 0; count < sizeof(object_graph_head); count++)
        assert_true(refused_with(made.file, count, "truncated in its head"));
    for (size_t count = sizeof(object_graph_head); count < made.file_used; count++)
        assert_true(refused_with(made.file, count, "after object "));
}

TEST(a_changed_byte_is_refused_or_changes_nothing) {
    static const unsigned char masks[] = {0x01, 0x80, 0xff};
    object_graph whole, g;
    char why[256];
    snapshot_maker_life(&made, 20, 15);
    assert_true(loads(&whole, made.file, made.file_used, why));
    for (size_t at = 0; at < made.file_used; at++)
        for (size_t i = 0; i < sizeof masks; i++) {
            made.file[at] ^= masks[i];
            bool read = loads(&g, made.file, made.file_used, why);
            made.file[at] ^= masks[i];
            if (!read) continue;
            assert_true(same(&g, &whole));
            object_graph_unload(&g);
        }
    object_graph_unload(&whole);
}

TEST(objects_that_contradict_the_head_are_refused_with_right_checksums) {
    for (size_t field = offsetof(object_graph_head, types); field <= offsetof(object_graph_head, bytes); field += 8)
        for (int change = -1; change <= 1; change += 2) {
            snapshot_maker_life(&made, 5, 5);
            *(uint64_t *)((char *)&made.head + field) += (uint64_t)(int64_t)change;
            snapshot_maker_seal(&made);
            assert_true(refused_with(made.file, made.file_used, "damaged after object"));
        }
}

TEST(references_that_lead_nowhere_and_objects_that_nothing_reaches_are_refused) {
    snapshot_maker_start(&made);
    snapshot_maker_type(&made, "x");
    snapshot_maker_object(&made, 0, OBJECT_GRAPH_ROOT, 16, 1, (uint64_t[]){1});
    snapshot_maker_seal(&made);
    assert_true(refused_with(made.file, made.file_used, "damaged after object 0"));
    snapshot_maker_object(&made, 0, 0, 16, 0, NULL);
    snapshot_maker_object(&made, 0, 0, 16, 0, NULL);        /* nothing refers to this one */
    snapshot_maker_seal(&made);
    assert_true(refused_with(made.file, made.file_used, "damaged after object 3"));
}

TEST(what_is_not_a_snapshot_of_this_version_is_refused) {
    snapshot_maker_life(&made, 5, 5);
    made.head.start.version++;
    snapshot_maker_seal(&made);
    assert_true(refused_with(made.file, made.file_used, "version 2"));
    memset(made.file, 'x', made.file_used);
    assert_true(refused_with(made.file, made.file_used, "not a recorded snapshot"));
    snapshot_maker_start(&made);
    snapshot_maker_seal(&made);
    assert_true(refused_with(made.file, made.file_used, "no objects"));
    object_graph g;
    char why[256];
    assert_false(object_graph_load(&g, "/nonexistent/x.zst", why, sizeof why));
    assert_non_null(strstr(why, "cannot be read: No such file"));
}

TEST(the_recorded_snapshot_loads) {
    object_graph g;
    char path[4096], why[256];
    packed_find("cpython", "snapshot", path, sizeof path);
    if (!object_graph_load(&g, path, why, sizeof why)) fail_msg("%s", why);
    support_between(g.head.objects, 100000, 500000);
    assert_true(g.head.freed_by_counting + g.head.left == g.head.objects && g.head.found <= g.head.tracked);
    object_graph_unload(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_decodes_to_what_was_written),
        cmocka_unit_test(a_snapshot_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_changed_byte_is_refused_or_changes_nothing),
        cmocka_unit_test(objects_that_contradict_the_head_are_refused_with_right_checksums),
        cmocka_unit_test(references_that_lead_nowhere_and_objects_that_nothing_reaches_are_refused),
        cmocka_unit_test(what_is_not_a_snapshot_of_this_version_is_refused),
        cmocka_unit_test(the_recorded_snapshot_loads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
