/* SPDX-License-Identifier: MIT
 * values.c - the built-in values that workloads share: shapes and numbers are CPython's, on every collector. */
#include "../../workloads/objects/string.h"
#include "heap.h"

enum { TABLE, FIRST, SECOND };

static object *string_in(unsigned i, const char *text) {
    assert_true(string_new(heap_mutator, &heap_locals[i], text, strlen(text)));
    return heap_locals[i].target;
}

/* sys.getsizeof('') == 49, and one more for each character. */
TEST(a_string_is_49_bytes_and_its_characters) {
    if (sizeof(object) != 16) support_skip("the header is not of CPython's size");                   /* where the header is CPython's */
    for (size_t length = 0; length < 2000; length += 13) {
        assert_true(string_new(heap_mutator, &heap_locals[FIRST], NULL, length));
        assert_int_equal(object_bytes(heap_locals[FIRST].target), 49 + length);
        assert_int_equal(string_length(heap_locals[FIRST].target), length);
    }
}

TEST(a_string_of_a_million_characters_keeps_them) {
    size_t length = 1000000;
    assert_true(string_new(heap_mutator, &heap_locals[FIRST], NULL, length));
    support_fill(string_text(heap_locals[FIRST].target), length, 7);
    heap_collect(COLLECTOR_GENERATIONS - 1);
    assert_true(support_filled(string_text(heap_locals[FIRST].target), length, 7));
    assert_int_equal(string_text(heap_locals[FIRST].target)[length], 0);
}

/* PYTHONHASHSEED=0 python3.11 -c "print(hash(...))" */
TEST(hashes_are_those_of_python) {
    static const struct { const char *text; int64_t hash; } known[] = {
        {"", 0}, {"a", 4644417185603328019}, {"x", -3368204716105132637}, {"name", -6269146191053140058},
        {"01234567", -2720791140458926906}, {"interned", -6883597889502739479}, {"0123456789abcdef0", -632549798855044568},
        {"The quick brown fox", -7539517227509841101},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        object *o = string_in(FIRST, known[i].text);
        assert_false(string_is_hashed(o));
        assert_true(string_hash(o) == known[i].hash);
        assert_true(string_is_hashed(o) && string_hash(o) == known[i].hash);
    }
}

TEST(strings_are_equal_when_their_characters_are) {
    string_in(FIRST, "spam");
    assert_true(string_equal(heap_locals[FIRST].target, string_in(SECOND, "spam")));
    assert_false(string_equal(heap_locals[FIRST].target, string_in(SECOND, "spam ")));
    assert_false(string_equal(heap_locals[FIRST].target, string_in(SECOND, "spaM")));
}

static object *intern_in(unsigned i, unsigned number) {
    char text[24];
    snprintf(text, sizeof text, "name %u", number);
    string_in(i, text);
    assert_true(string_intern(heap_mutator, &heap_locals[TABLE], &heap_locals[i]));
    assert_true(string_is_interned(heap_locals[i].target));
    assert_string_equal(string_text(heap_locals[i].target), text);
    return heap_locals[i].target;
}

TEST(an_interned_text_exists_once) {
    enum { NAMES = 1000 };
    assert_true(interned_new(heap_mutator, &heap_locals[TABLE]));
    for (unsigned i = 0; i < NAMES; i++)
        intern_in(FIRST, i);
    assert_int_equal(interned_count(heap_locals[TABLE].target), NAMES);
    for (unsigned i = 0; i < NAMES; i++)
        assert_ptr_equal(intern_in(FIRST, i), intern_in(SECOND, i));
    assert_int_equal(interned_count(heap_locals[TABLE].target), NAMES);
}

TEST(an_interning_table_keeps_its_strings_and_gives_them_back) {
    assert_true(interned_new(heap_mutator, &heap_locals[TABLE]));
    intern_in(FIRST, 1);
    string_in(SECOND, "name 1");
    heap_drop(FIRST);
    heap_collect(COLLECTOR_GENERATIONS - 1);
    heap_expect_alive(4);                               /* the table, its slots, and both strings */
    assert_true(string_intern(heap_mutator, &heap_locals[TABLE], &heap_locals[SECOND]));
    if (linked_collector.abilities & COLLECTOR_FREES) heap_expect_alive(3);
    heap_drop(SECOND);
    heap_drop(TABLE);
    if (linked_collector.abilities & COLLECTOR_FREES) heap_expect_alive(0);
}

/* The rooms that sys.getsizeof shows of a list that is appended to, on CPython 3.11. */
TEST(a_list_grows_as_pythons) {
    static const size_t rooms[] = {4, 8, 16, 24, 32, 40, 52, 64, 76, 92, 108, 128, 148, 172, 200, 232};
    size_t seen = 0;
    assert_true(list_new(heap_mutator, &heap_locals[FIRST]));
    for (size_t i = 0; i < 232; i++) {
        size_t before = list_room(heap_locals[FIRST].target);
        assert_true(list_append(heap_mutator, &heap_locals[FIRST], heap_locals[FIRST].target));
        if (list_room(heap_locals[FIRST].target) != before)
            assert_int_equal(list_room(heap_locals[FIRST].target), rooms[seen++]);
    }
    assert_int_equal(seen, sizeof rooms / sizeof *rooms);
}

TEST(a_slice_of_a_list_has_its_items_and_no_spare_room) {
    assert_true(list_new(heap_mutator, &heap_locals[FIRST]));
    for (unsigned i = 0; i < 10; i++) {
        string_in(SECOND, (char[]){(char)('a' + i), 0});
        assert_true(list_append(heap_mutator, &heap_locals[FIRST], heap_locals[SECOND].target));
    }
    assert_true(list_slice(heap_mutator, &heap_locals[SECOND], &heap_locals[FIRST], 3, 4));
    object *slice = heap_locals[SECOND].target;
    assert_int_equal(list_used(slice), 4);
    assert_int_equal(list_room(slice), 4);
    heap_drop(FIRST);
    heap_collect(COLLECTOR_GENERATIONS - 1);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(string_text(field_peek(&list_items(slice)[i]))[0], 'd' + (char)i);
    heap_expect_alive(linked_collector.abilities & COLLECTOR_FREES ? 5 : 12);
    assert_true(list_slice(heap_mutator, &heap_locals[SECOND], &heap_locals[SECOND], 0, 0));
    assert_int_equal(list_used(heap_locals[SECOND].target), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HEAP_TEST(a_string_is_49_bytes_and_its_characters),
        HEAP_TEST(a_string_of_a_million_characters_keeps_them),
        HEAP_TEST(hashes_are_those_of_python),
        HEAP_TEST(strings_are_equal_when_their_characters_are),
        HEAP_TEST(an_interned_text_exists_once),
        HEAP_TEST(an_interning_table_keeps_its_strings_and_gives_them_back),
        HEAP_TEST(a_list_grows_as_pythons),
        HEAP_TEST(a_slice_of_a_list_has_its_items_and_no_spare_room),
    };
    return cmocka_run_group_tests_name(COLLECTOR_NAME ".values", tests, NULL, NULL);
}
