/* SPDX-License-Identifier: MIT
 * pymalloc.c - the facts about CPython's allocator, each asserted of ours.
 *
 * Most tests run in a heap of their own: they start by resetting the allocator. At the end come controls:
 * a fault planted in the state, in a child process, must be caught by check() under its own name.
 */
#include "allocators/allocator.h"
#include "allocators/os_page.h"
#include "allocators/pymalloc/arena.h"
#include "allocators/pymalloc/survey.h"
#include "tests/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MANY = 1000000 };
static const allocator *py;
static void **many;                             /* room for MANY blocks */

static allocator_stats figures(void) {
    allocator_stats stats;
    assert_true(py->stats(&stats));
    return stats;
}

static int start_afresh(void **state) {
    (void)state;
    return py->reset() ? 0 : -1;                /* -1 where an earlier test left a passed-on block behind */
}

static void fill_pool(void **blocks, size_t bytes) {
    for (size_t i = 0; i < pool_capacity(size_class_of(bytes)); i++)
        blocks[i] = py->alloc(bytes, 16);
}

/* --- size classes and pools --- */

TEST(there_are_32_classes_16_bytes_apart) {
    assert_int_equal(SIZE_CLASS_COUNT, 32);
    for (size_t bytes = 1; bytes <= 512; bytes++) {
        void *block = py->alloc(bytes, 16);
        assert_int_equal(py->usable_bytes(block), (bytes + 15) / 16 * 16);
        py->release(block, bytes);
    }
    assert_int_equal(figures().class_bytes[31], 512);
}

TEST(a_pool_of_16_kib_has_room_for_as_many_blocks_as_cpythons) {
    static const size_t known[][2] = {
        { 16, 1021 }, { 32, 510 }, { 48, 340 }, { 64, 255 }, { 128, 127 }, { 256, 63 }, { 512, 31 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        start_afresh(NULL);
        assert_int_equal(pool_capacity(size_class_of(known[i][0])), known[i][1]);
        fill_pool(many, known[i][0]);
        assert_int_equal(figures().pools_full, 1);
        assert_int_equal(figures().pools_used, 0);
        void *next = py->alloc(known[i][0], 16);
        assert_ptr_not_equal(pool_of(next), pool_of(many[0]));
    }
}

TEST(a_pool_is_carved_from_its_header_upwards_one_block_at_a_time) {
    char *first = py->alloc(100, 16);
    assert_int_equal((uintptr_t)first % POOL_BYTES, 48);
    assert_int_equal(pool_of(first)->virgin_offset, 48 + 2 * 112);      /* the one handed out and one more */
    for (int i = 1; i < 100; i++) {
        assert_ptr_equal(py->alloc(100, 16), first + 112 * i);
        assert_int_equal(pool_of(first)->virgin_offset, 48 + (i + 2) * 112);
    }
}

TEST(the_block_freed_last_is_handed_out_first) {
    void *blocks[10];
    for (int i = 0; i < 10; i++)
        blocks[i] = py->alloc(40, 16);
    for (int i = 0; i < 9; i++)
        py->release(blocks[i], 40);
    for (int i = 8; i >= 0; i--)
        assert_ptr_equal(py->alloc(40, 16), blocks[i]);
}

TEST(a_full_pool_that_gets_a_block_back_is_the_first_of_its_class) {
    void *full[31], *other;
    fill_pool(full, 512);
    other = py->alloc(512, 16);
    assert_ptr_equal(pool_lists[31].next, pool_of(other));
    py->release(full[7], 512);
    assert_ptr_equal(pool_lists[31].next, pool_of(full[0]));
    assert_ptr_equal(pool_lists[31].next->next, pool_of(other));
    assert_ptr_equal(py->alloc(512, 16), full[7]);
}

TEST(a_pool_leaves_its_list_when_it_is_full_or_empty) {
    void *full[31];
    fill_pool(full, 512);
    assert_ptr_equal(pool_lists[31].next, &pool_lists[31]);
    for (int i = 0; i < 31; i++)
        py->release(full[i], 512);
    assert_ptr_equal(pool_lists[31].next, &pool_lists[31]);
    assert_int_equal(figures().pools_empty, arena_state.usable->total_pools);
}

TEST(the_pool_emptied_last_is_taken_first_and_by_any_class) {
    void *a = py->alloc(16, 16), *b = py->alloc(32, 16), *c = py->alloc(48, 16);
    pool *last = pool_of(a);
    py->release(b, 32);
    py->release(c, 48);
    py->release(a, 16);
    void *taken = py->alloc(480, 16);
    assert_ptr_equal(pool_of(taken), last);
    assert_int_equal(last->size_class, 29);
    assert_int_equal((uintptr_t)taken % POOL_BYTES, 48);
}

TEST(an_emptied_pool_that_is_taken_by_its_own_class_keeps_its_free_list) {
    void *blocks[20];
    for (int i = 0; i < 20; i++)
        blocks[i] = py->alloc(64, 16);
    for (int i = 0; i < 20; i++)
        py->release(blocks[i], 64);
    uint32_t carved = pool_of(blocks[0])->virgin_offset;
    assert_ptr_equal(py->alloc(64, 16), blocks[19]);
    assert_int_equal(pool_of(blocks[0])->virgin_offset, carved);
    assert_ptr_equal(py->alloc(64, 16), blocks[18]);
}

/* --- arenas --- */

TEST(an_arena_is_a_megabyte_of_64_pools_or_63_where_it_is_not_aligned) {
    bool seen[2] = { false, false };
    void *spacers[64];
    size_t spacer_count = 0;
    for (size_t i = 0; i < 64 * 64 * 31 && !(seen[0] && seen[1]); i++) {
        size_t before = arena_count();
        const pool *p = pool_of(py->alloc(512, 16));
        const arena *a = &arena_state.table[p->arena];
        if (arena_count() == before)
            continue;
        bool aligned = a->start % POOL_BYTES == 0;
        assert_int_equal(a->total_pools, aligned ? 64 : 63);
        assert_int_equal(arena_first_pool(a) % POOL_BYTES, 0);
        assert_true(arena_first_pool(a) + a->total_pools * (size_t)POOL_BYTES <= a->start + ARENA_BYTES);
        seen[aligned] = true;
        /* a page in between moves where the next mapping falls */
        spacers[spacer_count++] = mmap(NULL, os_page_bytes(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    while (spacer_count)
        munmap(spacers[--spacer_count], os_page_bytes());
    assert_true(seen[1] && (seen[0] || os_page_bytes() >= POOL_BYTES));     /* such pages align every arena */
    py->check();
}

/* Fill `arenas` arenas with 512-byte blocks; returns how many blocks that took. */
static size_t fill_arenas(size_t arenas) {
    size_t count = 0;
    while (arena_count() < arenas || arena_state.usable)
        many[count++] = py->alloc(512, 16);
    while (pool_lists[31].next != &pool_lists[31])
        many[count++] = py->alloc(512, 16);
    return count;
}

static void empty_pools_of(uint32_t arena_index, size_t count, size_t pools) {
    for (size_t i = 0; i < count && pools > 0; i++) {
        if (!many[i] || pool_of(many[i])->arena != arena_index)
            continue;
        pool *p = pool_of(many[i]);
        for (size_t k = i; k < count; k++)
            if (many[k] && pool_of(many[k]) == p) {
                py->release(many[k], 512);
                many[k] = NULL;
            }
        pools--;
    }
}

TEST(a_new_pool_comes_from_the_arena_with_the_fewest_free_ones) {
    size_t count = fill_arenas(4);
    empty_pools_of(0, count, 9);
    empty_pools_of(1, count, 3);
    empty_pools_of(2, count, 5);
    py->check();
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 31; k++)
            assert_int_equal(pool_of(py->alloc(512, 16))->arena, 1);
    assert_int_equal(pool_of(py->alloc(512, 16))->arena, 2);
    assert_int_equal(arena_state.usable->free_pools, 4);
    assert_int_equal(arena_state.usable->next->free_pools, 9);
    py->check();
}

TEST(an_arena_that_gets_its_first_free_pool_comes_first) {
    size_t count = fill_arenas(3);
    empty_pools_of(0, count, 2);
    empty_pools_of(2, count, 1);
    assert_ptr_equal(arena_state.usable, &arena_state.table[2]);
    assert_ptr_equal(arena_state.usable->next, &arena_state.table[0]);
    py->check();
}

TEST(a_wholly_free_arena_is_returned_unless_it_is_the_last_in_the_list) {
    size_t count = fill_arenas(3), unmapped = arena_state.unmapped;
    empty_pools_of(1, count, ARENA_POOLS);          /* alone in the list: kept */
    assert_int_equal(arena_count(), 3);
    empty_pools_of(0, count, ARENA_POOLS);          /* stands before arena 1: returned */
    assert_int_equal(arena_count(), 2);
    assert_int_equal(arena_state.unmapped - unmapped, 1);
    assert_int_equal(arena_state.table[0].start, 0);
    py->check();
}

TEST(the_descriptor_of_a_returned_arena_is_used_again) {
    size_t count = fill_arenas(3);
    empty_pools_of(1, count, ARENA_POOLS);
    empty_pools_of(0, count, ARENA_POOLS);
    fill_arenas(3);
    assert_true(arena_state.table[0].start != 0);
    assert_int_equal(arena_state.table_size, ARENA_TABLE_START);
}

TEST(the_table_of_arenas_doubles_and_nothing_is_lost) {
    size_t count = fill_arenas(40);
    assert_int_equal(arena_state.table_size, 64);
    for (size_t i = 0; i < count; i++)
        py->release(many[i], 512);
    assert_int_equal(arena_count(), 1);
    py->check();
}

typedef enum free_order { FIFO, LIFO, SHUFFLED, FREE_ORDERS } free_order;

static void put_in_order(free_order order) {
    uint64_t random = 7;
    for (size_t i = 0; order == LIFO && i < MANY / 2; i++) {
        void *swapped = many[i];
        many[i] = many[MANY - 1 - i];
        many[MANY - 1 - i] = swapped;
    }
    for (size_t i = MANY - 1; order == SHUFFLED && i > 0; i--) {
        size_t k = support_random(&random) % (i + 1);
        void *swapped = many[i];
        many[i] = many[k];
        many[k] = swapped;
    }
}

TEST(a_million_blocks_freed_in_any_order_give_all_arenas_but_one_back) {
    for (free_order order = FIFO; order < FREE_ORDERS; order++) {
        for (size_t i = 0; i < MANY; i++)
            many[i] = py->alloc(64, 16);
        assert_true(arena_count() >= 62);
        put_in_order(order);
        for (size_t i = 0; i < MANY; i++)
            py->release(many[i], 64);
        assert_true(arena_count() <= 1);
        assert_int_equal(figures().used_blocks, 0);
        py->check();
    }
}

TEST(one_live_block_pins_its_pool_and_its_arena) {
    size_t count = fill_arenas(10);
    size_t kept[10] = { 0 };
    for (size_t i = 0; i < count; i++)
        kept[pool_of(many[i])->arena] = i;          /* the last block of each arena survives */
    for (size_t i = 0; i < count; i++)
        if (kept[pool_of(many[i])->arena] != i)
            py->release(many[i], 512);
    assert_int_equal(arena_count(), 10);
    assert_int_equal(figures().used_bytes, 10 * 512);
    assert_int_equal(figures().held_bytes, 10 * ARENA_BYTES);
    assert_int_equal(figures().pools_used, 10);
    py->check();
}

TEST(a_block_costs_its_class_and_its_share_of_the_header) {
    static const struct { size_t bytes, blocks; double cost; } known[] = {
        { 16, MANY, 16.1 }, { 32, MANY, 32.2 }, { 64, MANY, 64.3 }, { 256, MANY / 4, 260 }, { 512, MANY / 4, 528.6 },
    };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        start_afresh(NULL);
        for (size_t i = 0; i < known[k].blocks; i++)
            assert_non_null(py->alloc(known[k].bytes, 16));
        allocator_stats now = figures();
        double cost = (double)(now.pools_used + now.pools_full) * POOL_BYTES / (double)known[k].blocks;
        assert_true(cost > known[k].cost - 0.3 && cost < known[k].cost + 0.3);
        /* at most one pool in 64 is lost to alignment, and the last arena is partly empty */
        assert_true((double)now.held_bytes <= cost * (double)known[k].blocks * 64 / 63 + ARENA_BYTES);
    }
}

/* --- resize, and what is passed on --- */

TEST(a_block_shrinks_in_place_while_more_than_three_quarters_stay_in_use) {
    for (size_t room = 16; room <= 512; room += 16)
        for (size_t bytes = 1; bytes <= room; bytes++) {
            void *block = py->alloc(room, 16), *resized = py->resize(block, room, bytes);
            if (4 * bytes > 3 * room)
                assert_ptr_equal(resized, block);
            else
                assert_ptr_not_equal(resized, block);
            py->release(resized, bytes);
        }
    py->check();
}

TEST(requests_of_0_bytes_above_512_or_of_large_alignment_are_passed_on_and_counted) {
    void *none = py->alloc(0, 16), *large = py->alloc(513, 16), *aligned = py->alloc(64, 64);
    assert_false(radix_owns(none) || radix_owns(large) || radix_owns(aligned));
    assert_int_equal(figures().large_blocks, 3);
    assert_int_equal(figures().used_blocks, 3);
    assert_int_equal(figures().arenas, 0);
    assert_true(figures().held_bytes >= 513 + 64);
    py->release(none, 0);
    py->release(large, 513);
    py->release(aligned, 64);
    assert_int_equal(figures().large_blocks, 0);
    assert_int_equal(figures().held_bytes, 0);
}

TEST(a_block_that_grows_beyond_512_bytes_is_passed_on_and_stays_there) {
    void *block = py->alloc(512, 16);
    assert_true(radix_owns(block));
    block = py->resize(block, 512, 513);
    assert_false(radix_owns(block));
    block = py->resize(block, 513, 20);
    assert_false(radix_owns(block));
    assert_int_equal(figures().large_blocks, 1);
    py->release(block, 20);
}

TEST(a_reset_is_refused_while_blocks_are_passed_on) {
    void *small = py->alloc(100, 16), *large = py->alloc(1000, 16);
    assert_false(py->reset());
    assert_int_equal(figures().used_blocks, 2);
    py->release(large, 1000);
    assert_true(py->reset());
    assert_int_equal(figures().arenas, 0);
    assert_false(radix_owns(small));
}

/* --- whose address --- */

TEST(the_radix_map_knows_every_byte_of_an_arena_and_no_other) {
    static int in_data;
    int on_stack;
    char *on_heap = malloc(100), *block = py->alloc(16, 16);
    uintptr_t start = arena_state.table[pool_of(block)->arena].start;
    for (size_t at = 0; at < ARENA_BYTES; at += 64)
        assert_true(radix_owns((void *)(start + at)));
    assert_true(radix_owns((void *)(start + ARENA_BYTES - 1)));
    assert_false(radix_owns((void *)(start - 1)));              /* there is one arena, so no neighbour */
    assert_false(radix_owns((void *)(start + ARENA_BYTES)));
    assert_false(radix_owns(&in_data) || radix_owns(&on_stack) || radix_owns(on_heap) || radix_owns(NULL));
    assert_false(radix_owns((void *)UINTPTR_MAX) || radix_owns((void *)(uintptr_t)1));
    assert_false(radix_owns((void *)radix_owns));
    for (int shift = 20; shift < 64; shift++)                   /* differs in one digit of the address */
        assert_false(radix_owns((void *)(start ^ (uintptr_t)1 << shift)));
    free(on_heap);
}

TEST(arenas_at_any_offset_in_a_window_are_told_apart) {
    const uintptr_t window = (uintptr_t)0x123 << 40;            /* an address that no mapping here has */
    for (uintptr_t offset = 0; offset < RADIX_WINDOW_BYTES; offset += 4096) {
        assert_true(radix_add(window + offset));
        assert_true(radix_add(window + offset + RADIX_WINDOW_BYTES));       /* its neighbour */
        assert_false(radix_owns((void *)(window + offset - 1)));
        assert_true(radix_owns((void *)(window + offset)));
        radix_remove(window + offset);
        assert_false(radix_owns((void *)(window + offset)));
        assert_false(radix_owns((void *)(window + offset + RADIX_WINDOW_BYTES - 1)));
        assert_true(radix_owns((void *)(window + offset + RADIX_WINDOW_BYTES)));
        radix_remove(window + offset + RADIX_WINDOW_BYTES);
        assert_false(radix_owns((void *)(window + offset + RADIX_WINDOW_BYTES)));
    }
}

TEST(figures_by_class_add_up) {
    for (size_t bytes = 1; bytes <= 512; bytes++)
        for (size_t i = 0; i < bytes; i++)
            py->alloc(bytes, 16);
    allocator_stats now = figures();
    size_t blocks = 0, bytes = 0, pools = 0;
    for (size_t i = 0; i < now.classes; i++) {
        assert_int_equal(now.class_blocks[i], 16 * (16 * i + 1) + 120);         /* sizes 16 i + 1 ... 16 i + 16 */
        blocks += now.class_blocks[i];
        bytes += now.class_blocks[i] * now.class_bytes[i];
        pools += now.class_pools[i];
    }
    assert_int_equal(blocks, now.used_blocks);
    assert_int_equal(bytes, now.used_bytes);
    assert_int_equal(pools, now.pools_used + now.pools_full);
    assert_int_equal(now.arenas, now.arenas_mapped - now.arenas_unmapped);
}

/* --- figures in CPython's layout, and the map --- */

static size_t printed(void (*print)(FILE *), char *text, size_t text_bytes) {
    FILE *file = tmpfile();
    print(file);
    rewind(file);
    size_t length = fread(text, 1, text_bytes - 1, file);
    text[length] = '\0';
    fclose(file);
    return length;
}

static size_t printed_number(const char *text, const char *label) {
    const char *at = strstr(text, label);
    size_t number = 0;
    if (!at)
        fail_msg("no \"%s\" in \"%s\"", label, text);
    for (at = strchr(at, '=') + 1; *at != '\n'; at++)
        if (*at >= '0' && *at <= '9')
            number = 10 * number + (size_t)(*at - '0');
    return number;
}

TEST(figures_are_printed_as_cpython_prints_them_and_account_for_every_byte) {
    char text[8192];
    for (size_t i = 0; i < 30000; i++)
        many[i] = py->alloc(1 + i % 512, 16);
    for (size_t i = 0; i < 30000; i += 3)
        py->release(many[i], 1 + i % 512);
    printed(survey_print, text, sizeof text);
    assert_non_null(strstr(text, "Small block threshold = 512, in 32 size classes.\n\n"
                                 "class   size   num pools   blocks in use  avail blocks\n"
                                 "-----   ----   ---------   -------------  ------------\n"
                                 "    0     16           1             "));
    assert_non_null(strstr(text, "\n# arenas reclaimed                 =          "));
    size_t parts = printed_number(text, "# bytes in allocated blocks") + printed_number(text, "# bytes in available blocks")
                 + printed_number(text, " unused pools * 16384 bytes") + printed_number(text, "# bytes lost to pool headers")
                 + printed_number(text, "# bytes lost to quantization") + printed_number(text, "# bytes lost to arena alignment");
    assert_int_equal(parts, printed_number(text, "Total  "));
    assert_int_equal(parts, arena_count() * ARENA_BYTES);
    assert_int_equal(printed_number(text, " arenas * 1048576 bytes/arena"), parts);
    assert_int_equal(printed_number(text, "# bytes in allocated blocks"), figures().used_bytes);
}

TEST(the_map_has_a_line_for_every_pool) {
    static char text[1 << 20];
    size_t arena, pool, bytes, used, capacity, all_bytes = 0, lines = 0;
    int length;
    for (size_t i = 0; i < 30000; i++)
        py->alloc(1 + i % 512, 16);
    printed(survey_map, text, sizeof text);
    const char *at = strchr(text, '\n') + 1;
    assert_memory_equal(text, "arena pool class_bytes used capacity\n", (size_t)(at - text));
    for (; sscanf(at, "%zu %zu %zu %zu %zu\n%n", &arena, &pool, &bytes, &used, &capacity, &length) == 5; at += length, lines++) {
        assert_true(arena < arena_count() && pool < ARENA_POOLS && used <= capacity);
        assert_int_equal(capacity, bytes ? (POOL_BYTES - POOL_HEADER_BYTES) / bytes : 0);
        all_bytes += used * bytes;
    }
    assert_int_equal(*at, '\0');
    assert_int_equal(all_bytes, figures().used_bytes);
    assert_int_equal(lines, figures().pools_used + figures().pools_full + figures().pools_empty);
}

/* --- parameters --- */

static size_t arenas_after_all_is_freed(const char *spec, size_t *peak) {
    char why[512];
    py = allocator_open(spec, why, sizeof why);
    for (size_t i = 0; i < MANY / 4; i++)
        many[i] = py->alloc(64, 16);
    *peak = arena_count();
    for (size_t i = 0; i < MANY / 4; i++)
        py->release(many[i], 64);
    py->check();
    return arena_count();
}

TEST(as_many_wholly_free_arenas_stay_as_the_parameter_says) {
    size_t peak;
    assert_true(arenas_after_all_is_freed("pymalloc,keep=none", &peak) <= 1);
    support_between(arenas_after_all_is_freed("pymalloc,keep=5", &peak), 5, 6);
    py->trim();
    assert_int_equal(arena_count(), 1);
    assert_int_equal(arenas_after_all_is_freed("pymalloc,keep=all", &peak), peak);
    support_between(peak, 15, 17);
    assert_true(arenas_after_all_is_freed("pymalloc", &peak) <= 1);         /* and none as ever */
}

TEST(the_preset_of_3_9_has_its_smaller_arenas_and_pools) {
    char why[512];
    py = allocator_open("pymalloc-3.9", why, sizeof why);
    char *first = py->alloc(16, 16), *block = first;
    assert_int_equal((uintptr_t)first % 4096, 48);
    assert_int_equal(figures().held_bytes, 256 << 10);
    for (int i = 1; i < 253; i++, block += 16)
        assert_ptr_equal(py->alloc(16, 16), block + 16);        /* (4096 - 48) / 16 blocks a pool */
    assert_true((char *)py->alloc(16, 16) != block + 16);
    py->check();
}

static int as_ever(void **state) {
    char why[512];
    (void)state;
    py->reset();
    py = allocator_open("pymalloc", why, sizeof why);
    return py ? 0 : -1;
}

/* --- controls: a planted fault is caught, by name --- */

typedef struct fault { const char *name; void (*plant)(void *block); } fault;

static void plant_count(void *b)    { ++*(volatile uint32_t *)&pool_of(b)->used_blocks; }
static void plant_twice(void *b)    { pool_write_link(pool_of(b)->free, pool_of(b)->free); }
static void plant_astray(void *b)   { pool_write_link(pool_of(b)->free, (char *)pool_of(b)->free + 8); }
static void plant_unlisted(void *b) { pool_unlink(pool_of(b)); }
static void plant_lost(void *b) {
    for (void *block = pool_of(b)->free; block; block = pool_read_link(block))
        pool_of(b)->used_blocks++;
    *(void *volatile *)&pool_of(b)->free = NULL;
}
static void plant_pools(void *b)    { (void)b; ++*(volatile uint32_t *)&arena_state.usable->free_pools; }
static void plant_last(void *b)     { (void)b; *(arena *volatile *)&arena_state.last_with[1] = arena_state.usable; }
static void plant_kept(void *b)     { (void)b; ++*(volatile size_t *)&arena_state.wholly_free; }
static void plant_mapped(void *b)   { (void)b; ++*(volatile size_t *)&arena_state.mapped; }
static void plant_foreign(void *b)  { radix_remove(arena_state.table[pool_of(b)->arena].start); }
static void plant_unsorted(void *b) {
    (void)b;
    arena *first = arena_state.usable, *second = first->next;
    *first  = (arena){ .start = first->start, .next_pool = first->next_pool, .free_pools = first->free_pools,
                       .total_pools = first->total_pools, .empty_pools = first->empty_pools, .previous = second };
    second->next = first;
    second->previous = NULL;
    *(arena *volatile *)&arena_state.usable = second;
}

/* Two arenas in the list, the first with a pool that has two free blocks, all in a state that check accepts. */
static void suffer(void *context) {
    const fault *planted = context;
    size_t count = fill_arenas(2);
    empty_pools_of(0, count, 5);
    empty_pools_of(1, count, 9);
    void *block = py->alloc(200, 16), *freed = py->alloc(200, 16);
    py->release(freed, 200);
    py->release(py->alloc(200, 16), 200);
    void *third = py->alloc(200, 16), *fourth = py->alloc(200, 16);
    py->release(third, 200);
    py->release(fourth, 200);
    py->check();
    if (planted->plant)
        planted->plant(block);
    py->check();
}

TEST(a_planted_fault_is_caught_by_the_check_and_named) {
    static const fault faults[] = {
        { "(P1)", plant_count }, { "(P2)", plant_twice }, { "(P2)", plant_astray }, { "(P3)", plant_unlisted },
        { "(P4)", plant_lost }, { "(A1)", plant_pools }, { "(A2)", plant_unsorted }, { "(A3)", plant_last },
        { "(A4)", plant_kept }, { "(A5)", plant_mapped }, { "(A6)", plant_foreign },
    };
    fault none = { NULL, NULL };
    char said[1024];
    assert_true(support_survives(suffer, &none));
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        fault planted = faults[i];
        int ended = support_child(suffer, &planted, said, sizeof said);
        if (ended != -SIGABRT || !strstr(said, planted.name))
            fail_msg("fault %zu, %s: ended %d, said \"%s\"", i, planted.name, ended, said);
    }
}

/* --- under ASan, a block ends where the request ended --- */

#ifdef WATCH_ASAN
static void write_beyond(void *b)      { ((volatile char *)b)[21] = 1; }        /* 21 bytes were asked for */
static void read_released(void *b)     { py->release(b, 21); (void)((volatile char *)b)[3]; }
static void read_never_granted(void *b) { (void)((volatile char *)b)[33]; }      /* the block carved next */

TEST(asan_sees_through_a_pool) {
    void (*const wrong[])(void *) = { write_beyond, read_released, read_never_granted };
    char said[4096];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_not_equal(support_child(wrong[i], py->alloc(21, 16), said, sizeof said), 0);
        assert_non_null(strstr(said, "use-after-poison"));
    }
    char *block = py->resize(py->alloc(21, 16), 21, 30);        /* stays, and its end moves */
    block[29] = 1;
}
#endif

int main(void) {
    char why[512];
    py = allocator_open("pymalloc", why, sizeof why);
    many = mmap(NULL, MANY * sizeof *many, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!py || many == MAP_FAILED)
        return 2;
#define AFRESH(test) cmocka_unit_test_setup(test, start_afresh)
    const struct CMUnitTest tests[] = {
        AFRESH(there_are_32_classes_16_bytes_apart),
        AFRESH(a_pool_of_16_kib_has_room_for_as_many_blocks_as_cpythons),
        AFRESH(a_pool_is_carved_from_its_header_upwards_one_block_at_a_time),
        AFRESH(the_block_freed_last_is_handed_out_first),
        AFRESH(a_full_pool_that_gets_a_block_back_is_the_first_of_its_class),
        AFRESH(a_pool_leaves_its_list_when_it_is_full_or_empty),
        AFRESH(the_pool_emptied_last_is_taken_first_and_by_any_class),
        AFRESH(an_emptied_pool_that_is_taken_by_its_own_class_keeps_its_free_list),
        AFRESH(an_arena_is_a_megabyte_of_64_pools_or_63_where_it_is_not_aligned),
        AFRESH(a_new_pool_comes_from_the_arena_with_the_fewest_free_ones),
        AFRESH(an_arena_that_gets_its_first_free_pool_comes_first),
        AFRESH(a_wholly_free_arena_is_returned_unless_it_is_the_last_in_the_list),
        AFRESH(the_descriptor_of_a_returned_arena_is_used_again),
        AFRESH(the_table_of_arenas_doubles_and_nothing_is_lost),
        AFRESH(a_million_blocks_freed_in_any_order_give_all_arenas_but_one_back),
        AFRESH(one_live_block_pins_its_pool_and_its_arena),
        AFRESH(a_block_costs_its_class_and_its_share_of_the_header),
        AFRESH(a_block_shrinks_in_place_while_more_than_three_quarters_stay_in_use),
        AFRESH(requests_of_0_bytes_above_512_or_of_large_alignment_are_passed_on_and_counted),
        AFRESH(a_block_that_grows_beyond_512_bytes_is_passed_on_and_stays_there),
        AFRESH(a_reset_is_refused_while_blocks_are_passed_on),
        AFRESH(the_radix_map_knows_every_byte_of_an_arena_and_no_other),
        AFRESH(arenas_at_any_offset_in_a_window_are_told_apart),
        AFRESH(figures_by_class_add_up),
        AFRESH(figures_are_printed_as_cpython_prints_them_and_account_for_every_byte),
        AFRESH(the_map_has_a_line_for_every_pool),
        cmocka_unit_test_setup_teardown(as_many_wholly_free_arenas_stay_as_the_parameter_says, start_afresh, as_ever),
        cmocka_unit_test_setup_teardown(the_preset_of_3_9_has_its_smaller_arenas_and_pools, start_afresh, as_ever),
        AFRESH(a_planted_fault_is_caught_by_the_check_and_named),
#ifdef WATCH_ASAN
        AFRESH(asan_sees_through_a_pool),
#endif
    };
    return cmocka_run_group_tests_name("pymalloc", tests, NULL, NULL);
}
