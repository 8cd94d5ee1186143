/* SPDX-License-Identifier: MIT
 * debug.c - each mistake that debug:<allocator> promises to catch, made in a child that must die of it and say
 * what was overwritten where; and what is no mistake goes unnoticed.
 */
#include "allocators/allocator.h"
#include "allocators/debug.h"
#include "tests/support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char *const inner_specs[] = {
    "debug:pymalloc", "debug:magazine", "debug:pymalloc-3.9", "debug:bump", "debug:system",
};
enum { INNER = sizeof inner_specs / sizeof *inner_specs, SAID_BYTES = 4096 };
static const allocator *a;

static void open_inner(size_t i) {
    char why[512];
    a = allocator_open(inner_specs[i], why, sizeof why);
    if (!a)
        fail_msg("%s", why);
}

/* act ends by SIGABRT on every inner allocator, and its report has each of the words. */
static void assert_caught(void (*act)(void *), void *context, const char *const words[]) {
    char said[SAID_BYTES];
    for (size_t i = 0; i < INNER; i++) {
        open_inner(i);
        int ended = support_child(act, context, said, sizeof said);
        for (size_t k = 0; words[k]; k++)
            if (ended != -SIGABRT || !strstr(said, words[k]))
                fail_msg("%s: ended %d, \"%s\" should have \"%s\"", inner_specs[i], ended, said, words[k]);
        assert_non_null(strstr(said, inner_specs[i]));      /* it names the one that found it */
    }
}

#define CAUGHT(act, context, ...) assert_caught(act, context, (const char *const[]){ __VA_ARGS__, NULL })

/* --- writes outside a block --- */

static void write_at(void *offset) {
    volatile unsigned char *block = a->alloc(41, 16);
    block[*(const int *)offset] = 0x5a;
    a->release((void *)block, 41);
}

TEST(a_byte_behind_the_end_is_found_and_named) {
    for (int offset = 41; offset < 41 + 8; offset++) {
        char place[64];
        snprintf(place, sizeof place, "byte %d behind its end is 5a, not fd", offset - 41);
        CAUGHT(write_at, &offset, "of 41 bytes was written behind its end", place, "made by request 1", "begins with: cd cd");
    }
}

TEST(a_byte_before_the_start_is_found_and_named) {
    for (int offset = -7; offset < 0; offset++) {
        char place[64];
        snprintf(place, sizeof place, "byte %d of the 7 before it is 5a, not fd", offset + 7);
        CAUGHT(write_at, &offset, "was written before its start", place);
    }
}

static void write_all_of_the_head(void *nothing) {
    (void)nothing;
    unsigned char *block = a->alloc(41, 16);
    memset(block - 16, 0x5a, 16);
    a->release(block, 0);
}

static void write_the_length(void *nothing) {
    (void)nothing;
    unsigned char *block = a->alloc(41, 16);
    memset(block - 16, 0xff, 8);
    a->release(block, 0);
}

TEST(a_head_that_was_overwritten_is_not_believed) {
    CAUGHT(write_all_of_the_head, NULL, "written before its start");
    CAUGHT(write_the_length, NULL, "its head makes no sense");
}

static void write_behind_then(void *call) {
    volatile char *block = a->alloc(100, 64);
    block[100] = 1;
    switch (*(const int *)call) {
    case 0: a->release((void *)block, 0); break;
    case 1: a->resize((void *)block, 0, 10); break;
    case 2: a->usable_bytes((void *)block); break;
    }
}

TEST(every_call_that_is_given_a_block_examines_it) {
    for (int call = 0; call < 3; call++)
        CAUGHT(write_behind_then, &call, "of 100 bytes was written behind its end");
}

static void damage_and_check(void *nothing) {
    (void)nothing;
    volatile char *block = a->alloc(30, 16);
    block[33] = 1;
    a->check();
}

TEST(check_examines_all_blocks_where_the_inner_allocator_can_walk) {
    char said[SAID_BYTES];
    for (size_t i = 0; i < INNER; i++) {
        open_inner(i);
        bool walks = i < 3;
        assert_int_equal(support_child(damage_and_check, NULL, said, sizeof said), walks ? -SIGABRT : 0);
        assert_int_equal(strstr(said, "byte 3 behind its end") != NULL, walks);
    }
}

/* --- releases --- */

static void release_twice(void *between) {
    void *block = a->alloc(60, 16);
    a->release(block, 60);
    for (int i = 0; i < *(const int *)between; i++)
        a->release(a->alloc(60, 16), 60);
    a->release(block, 0);
}

TEST(a_second_release_is_found) {
    for (int between = 0; between < 100; between += 33) {
        char since[64];
        snprintf(since, sizeof since, "%d releases ago, request 1 made it", between + 1);
        CAUGHT(release_twice, &between, "was released before", since);
    }
}

static void release_then_resize(void *nothing) {
    (void)nothing;
    void *block = a->alloc(60, 16);
    a->release(block, 60);
    a->resize(block, 0, 100);
}

TEST(a_resize_of_what_was_released_is_found) {
    CAUGHT(release_then_resize, NULL, "was released before");
}

static void use_after_resize(void *nothing) {
    (void)nothing;
    void *block = a->alloc(60, 16);
    a->resize(block, 60, 61);
    a->release(block, 60);
}

TEST(a_resize_moves_even_where_it_need_not) {
    CAUGHT(use_after_resize, NULL, "was released before");
}

static _Alignas(16) char foreign_bytes[256];

static void release_foreign(void *which) {
    _Alignas(16) char on_stack[64] = "stack";
    char *block = a->alloc(600, 16), *above = a->alloc(600, 16);
    memset(block, 1, 600);
    memset(above, 1, 600);
    void *const pointers[] = { on_stack + 16, foreign_bytes + 16, block + 8, block + 32, (void *)16, (void *)UINTPTR_MAX,
                               (void *)(UINTPTR_MAX - 15) };
    a->release(pointers[*(const size_t *)which], 0);
}

TEST(a_pointer_that_is_no_block_is_reported) {
    for (size_t which = 0; which < 7; which++)
        CAUGHT(release_foreign, &which, "is none of ours");
}

static void write_after_release(void *offset) {
    volatile unsigned char *block = a->alloc(60, 16);
    a->release((void *)block, 60);
    block[*(const int *)offset] = 0x5a;
    a->trim();
}

TEST(a_write_after_release_is_found) {
    for (int offset = -16; offset < 60 + 16; offset += 4) {
        char place[64];
        snprintf(place, sizeof place, "byte %d of it, head included, is 5a, not dd", offset + 16);
        CAUGHT(write_after_release, &offset, "released with the block of request 1, was written afterwards", place);
    }
}

static void write_after_release_and_go_on(void *nothing) {
    (void)nothing;
    volatile char *block = a->alloc(60, 16);
    a->release((void *)block, 60);
    block[5] = 1;
    for (int i = 0; i < 1000; i++)
        a->release(a->alloc(60, 16), 60);
}

TEST(a_write_after_release_is_found_when_the_memory_is_needed_again) {
    CAUGHT(write_after_release_and_go_on, NULL, "was written afterwards");
}

static void tell_another_size(void *nothing) {
    (void)nothing;
    a->release(a->alloc(60, 16), 61);
}

TEST(a_size_that_is_told_wrongly_is_found) {
    CAUGHT(tell_another_size, NULL, "told that it has 61 bytes", "of 60 bytes was given back with another size");
}

/* --- patterns, and what is no mistake --- */

TEST(fresh_memory_is_cd_and_released_memory_dd) {
    for (size_t i = 0; i < INNER; i++) {
        open_inner(i);
        for (size_t bytes = 1; bytes < 3000; bytes += 97) {
            unsigned char *block = a->alloc(bytes, 16);
            assert_int_equal(a->usable_bytes(block), bytes);
            for (size_t k = 0; k < bytes; k++)
                assert_int_equal(block[k], DEBUG_CLEAN);
            unsigned char *longer = a->resize(block, bytes, bytes + 50);
            for (size_t k = bytes; k < bytes + 50; k++)
                assert_int_equal(longer[k], DEBUG_CLEAN);
            for (size_t k = 0; k < bytes; k++)
                assert_int_equal(block[k], DEBUG_DEAD);         /* it waits in the queue, so it may be read */
            a->release(longer, bytes + 50);
        }
        a->trim();
        a->check();
    }
}

TEST(serial_numbers_count_the_requests) {
    open_inner(0);
    void *first = a->alloc(10, 16), *second = a->alloc_zeroed(10, 256);
    assert_int_equal(debug_serial(second), debug_serial(first) + 1);
    first = a->resize(first, 10, 20);
    assert_int_equal(debug_serial(first), debug_serial(second) + 1);
    a->release(first, 20);
    a->release(second, 10);
}

static void behave(void *nothing) {
    (void)nothing;
    for (size_t bytes = 0; bytes < 5000; bytes++)
        for (size_t alignment = 1; alignment <= 4096; alignment *= 8) {
            unsigned char *block = a->alloc(bytes, alignment);
            memset(block, 0x11, bytes);
            if (bytes % 3 == 0) {
                block = a->resize(block, bytes, bytes / 2);
                a->release(block, bytes / 2);
            } else {
                a->release(block, bytes % 2 ? bytes : 0);
            }
        }
    a->check();
    a->trim();
}

TEST(a_program_without_a_mistake_is_left_alone) {
    for (size_t i = 0; i < INNER; i++) {
        open_inner(i);
        assert_true(support_survives(behave, NULL));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_behind_the_end_is_found_and_named),
        cmocka_unit_test(a_byte_before_the_start_is_found_and_named),
        cmocka_unit_test(a_head_that_was_overwritten_is_not_believed),
        cmocka_unit_test(every_call_that_is_given_a_block_examines_it),
        cmocka_unit_test(check_examines_all_blocks_where_the_inner_allocator_can_walk),
        cmocka_unit_test(a_second_release_is_found),
        cmocka_unit_test(a_resize_of_what_was_released_is_found),
        cmocka_unit_test(a_resize_moves_even_where_it_need_not),
        cmocka_unit_test(a_pointer_that_is_no_block_is_reported),
        cmocka_unit_test(a_write_after_release_is_found),
        cmocka_unit_test(a_write_after_release_is_found_when_the_memory_is_needed_again),
        cmocka_unit_test(a_size_that_is_told_wrongly_is_found),
        cmocka_unit_test(fresh_memory_is_cd_and_released_memory_dd),
        cmocka_unit_test(serial_numbers_count_the_requests),
        cmocka_unit_test(a_program_without_a_mistake_is_left_alone),
    };
    return cmocka_run_group_tests_name("debug", tests, NULL, NULL);
}
