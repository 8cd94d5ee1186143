/* SPDX-License-Identifier: MIT
 * refusals.c - the OS and malloc refuse pymalloc each of its requests in turn, and nothing breaks.
 *
 * What failing:pymalloc cannot reach: the requests that pymalloc itself makes (an arena, a node of the radix
 * map, a longer table). This program therefore has an mmap, calloc and realloc of its own, in front of the C
 * library's. A sanitizer needs those for itself, so that there it is skipped.
 */
#include "allocators/allocator.h"
#include "allocators/pymalloc/arena.h"
#include "tests/support.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef REFARENA_SANITIZED

static long countdown;          /* to the request that is refused; 0: none is */
static bool for_all;            /* and those after it, too */
static long refused;

static bool now(void) {
    if (countdown == 0 || --countdown > 0)
        return false;
    countdown = for_all ? 1 : 0;
    refused++;
    errno = ENOMEM;
    return true;
}

void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);

void *mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    return now() ? MAP_FAILED : (void *)syscall(SYS_mmap, address, bytes, protection, flags, file, offset);
}

void *calloc(size_t count, size_t bytes) {
    return now() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes) {
    return now() ? NULL : __libc_realloc(block, bytes);
}

static void refuse(long first, bool all) {
    countdown = first;
    for_all = all;
    refused = 0;
}

static const allocator *py;
enum { BLOCKS = 64 * 31 * 20 };             /* of 512 bytes: 20 arenas, so that the table grows once */
static void *blocks[BLOCKS];

/* Where there is no arena, malloc has to do, as in CPython: every request is answered, some by another. */
static size_t fill_and_count_passed(void) {
    allocator_stats stats;
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = py->alloc(512, 16);
        assert_non_null(blocks[i]);
        support_fill(blocks[i], 512, i);
    }
    py->check();
    py->stats(&stats);
    assert_int_equal(stats.used_blocks, BLOCKS);
    return stats.large_blocks;
}

static void empty(void) {
    allocator_stats stats;
    for (size_t i = 0; i < BLOCKS; i++) {
        assert_true(support_filled(blocks[i], 512, i));
        py->release(blocks[i], 512);
    }
    py->check();
    py->stats(&stats);
    assert_int_equal(stats.used_blocks, 0);
    assert_true(stats.arenas <= 1);
    assert_true(py->reset());
}

TEST(one_refused_request_of_pymalloc_to_the_os_costs_one_block_that_malloc_gives) {
    long nth = 1;
    for (;; nth++) {
        refuse(nth, false);
        size_t passed = fill_and_count_passed();
        bool was_refused = refused > 0;
        refuse(0, false);
        assert_int_equal(passed, was_refused ? 1 : 0);
        empty();
        if (!was_refused)
            break;
    }
    assert_true(nth > 20);          /* 20 arenas and the table were each refused once */
}

TEST(without_a_single_arena_malloc_serves_alone) {
    allocator_stats stats;
    refuse(1, true);
    size_t passed = fill_and_count_passed();
    refuse(0, false);
    assert_int_equal(passed, BLOCKS);
    py->stats(&stats);
    assert_int_equal(stats.arenas, 0);
    assert_true(stats.held_bytes >= BLOCKS * (size_t)512);
    empty();
}

/* An arena astride two windows under two top nodes needs four nodes at most: each is refused once. */
TEST(a_refused_node_of_the_radix_map_marks_nothing) {
    for (long nth = 1; nth <= 4; nth++) {
        uintptr_t start = ((uintptr_t)(0x70 + 2 * nth) << RADIX_TOP_SHIFT) - 4096;
        refuse(nth, false);
        assert_false(radix_add(start));
        assert_int_equal(refused, 1);
        refuse(0, false);
        assert_false(radix_owns((void *)start) || radix_owns((void *)(start + 8192)));
        assert_true(radix_add(start));
        assert_true(radix_owns((void *)start) && radix_owns((void *)(start + ARENA_BYTES - 1)));
        assert_false(radix_owns((void *)(start - 1)) || radix_owns((void *)(start + ARENA_BYTES)));
        radix_remove(start);
        assert_false(radix_owns((void *)start) || radix_owns((void *)(start + 8192)));
    }
}

int main(void) {
    char why[512];
    py = allocator_open("pymalloc", why, sizeof why);
    if (!py) {
        fprintf(stderr, "%s\n", why);
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_refused_request_of_pymalloc_to_the_os_costs_one_block_that_malloc_gives),
        cmocka_unit_test(without_a_single_arena_malloc_serves_alone),
        cmocka_unit_test(a_refused_node_of_the_radix_map_marks_nothing),
    };
    return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}

#else

int main(void) {
    return support_skip_all("a sanitizer reads refusals of the OS as its own end");
}

#endif
