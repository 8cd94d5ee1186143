/* SPDX-License-Identifier: MIT
 * pages.c - the size of the OS's pages: what is given back begins at a page and is all that can be.
 *
 * tests/run.py runs it, the contract and others with pages of 16 and 64 KiB too (larger_pages.c): with one size alone
 * a program that knows it by heart passes.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../allocators/allocator.h"
#include "../../allocators/os_page.h"
#include "../support.h"

enum { PAGES_BYTES = 1 << 20 };

static const allocator *opened(const char *spec) {
    char why[256];
    const allocator *a = allocator_open(spec, why, sizeof why);
    if (!a) fail_msg("%s", why);
    return a;
}

static size_t held_bytes(const allocator *a) {
    allocator_stats stats;
    assert_true(a->stats(&stats));
    return stats.held_bytes;
}

TEST(a_page_is_as_large_as_the_os_says) {
    assert_int_equal(os_page_bytes(), sysconf(_SC_PAGESIZE));
    assert_int_equal(os_page_bytes() & (os_page_bytes() - 1), 0);
}

TEST(bytes_are_rounded_up_to_whole_pages) {
    size_t page = os_page_bytes();
    assert_int_equal(os_page_up(0), 0);
    assert_int_equal(os_page_up(1), page);
    assert_int_equal(os_page_up(page), page);
    assert_int_equal(os_page_up(page + 1), 2 * page);
}

TEST(pages_that_our_structures_are_made_for_are_accepted) {
    char why[256] = "";
    assert_true(os_page_fits(why, sizeof why));
    assert_string_equal(why, "");
}

/* By the OS's own word too: what was given back is not resident. */
TEST(bump_gives_back_every_page_above_its_top_and_zeroes_come_back) {
    const allocator *bump = opened("bump");
    unsigned char resident[PAGES_BYTES / 4096] = { 0 };     /* the kernel has one for each of its own pages, which may be smaller */
    assert_true(bump->reset());
    char *block = bump->alloc(PAGES_BYTES, 16);
    memset(block, 1, PAGES_BYTES);
    assert_true(bump->reset());
    assert_ptr_equal(bump->alloc(100, 16), block);
    bump->trim();
    assert_int_equal(held_bytes(bump), os_page_bytes());
    if (mincore(block + os_page_bytes(), PAGES_BYTES - os_page_bytes(), resident) == 0)
        for (size_t i = 0; i < sizeof resident; i++) assert_false(resident[i] & 1);
    bump->check();
    char *zeroed = bump->alloc_zeroed(PAGES_BYTES, 16);
    for (size_t i = 0; i < PAGES_BYTES; i++) assert_int_equal(zeroed[i], 0);
    assert_true(bump->reset());
}

static void give_back(const char *spec) {
    const allocator *a = opened(spec);
    static void *blocks[PAGES_BYTES / 512 * 4];
    size_t count = sizeof blocks / sizeof *blocks, before;
    a->trim();
    before = held_bytes(a);
    for (size_t i = 0; i < count; i++) support_fill(blocks[i] = a->alloc(512, 16), 512, i);
    assert_true(held_bytes(a) >= before + (count * 512));
    for (size_t i = 0; i < count; i++) {
        assert_true(support_filled(blocks[i], 512, i));
        a->release(blocks[i], 512);
    }
    a->trim();
    a->check();
    assert_true(held_bytes(a) <= before + PAGES_BYTES);        /* pymalloc keeps the last of its arenas */
}

TEST(pymalloc_gives_back_whole_arenas)           { give_back("pymalloc"); }
TEST(pymalloc_gives_back_the_smaller_arenas_too) { give_back("pymalloc,arena=256K,pool=4K"); }
TEST(magazine_gives_back_whole_arenas)           { give_back("magazine"); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_as_large_as_the_os_says),
        cmocka_unit_test(bytes_are_rounded_up_to_whole_pages),
        cmocka_unit_test(pages_that_our_structures_are_made_for_are_accepted),
        cmocka_unit_test(bump_gives_back_every_page_above_its_top_and_zeroes_come_back),
        cmocka_unit_test(pymalloc_gives_back_whole_arenas),
        cmocka_unit_test(pymalloc_gives_back_the_smaller_arenas_too),
        cmocka_unit_test(magazine_gives_back_whole_arenas),
    };
    return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
