/* SPDX-License-Identifier: MIT
 * magazine.c - what magazine does otherwise than pymalloc, each asserted, and planted faults that check() must name.
 */
#include "allocators/allocator.h"
#include "allocators/magazine/local.h"
#include "allocators/pymalloc/watch.h"
#include "tests/support.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MANY = 200000 };
static const allocator *mag;
static void *many[MANY];

static allocator_stats figures(void) {
    allocator_stats stats;
    assert_true(mag->stats(&stats));
    return stats;
}

static int start_afresh(void **state) {
    char why[512];
    (void)state;
    mag = allocator_open("magazine", why, sizeof why);
    return mag && mag->reset() ? 0 : -1;
}

static void fill(size_t count, size_t bytes) {
    for (size_t i = 0; i < count; i++)
        many[i] = mag->alloc(bytes, 16);
}

static void release_shuffled(size_t count, size_t bytes) {
    uint64_t random = 5;
    for (size_t i = count - 1; i > 0; i--) {
        size_t k = support_random(&random) % (i + 1);
        void *swapped = many[i];
        many[i] = many[k];
        many[k] = swapped;
    }
    for (size_t i = 0; i < count; i++)
        mag->release(many[i], i % 2 ? bytes : 0);
}

TEST(a_pool_has_nothing_but_blocks) {
    for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++) {
        start_afresh(NULL);
        fill(16384 / size_class_bytes(i), size_class_bytes(i));
        assert_int_equal(figures().pools_full, 1);
        assert_int_equal(figures().pools_used, 0);
        mag->check();
    }
}

TEST(every_block_of_every_class_finds_its_bit) {
    for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++) {
        bitpool p;
        bitpool_start(&p, i);
        for (uint32_t k = 0; k < bitpool_capacity(i); k++)
            for (uint32_t inside = 0; inside < size_class_bytes(i); inside += 16)
                assert_int_equal(bitpool_block(&p, (uintptr_t)k * size_class_bytes(i) + inside), k);
    }
}

TEST(blocks_come_in_ascending_order_however_they_were_freed) {
    for (int round = 0; round < 3; round++) {
        fill(MANY, 48);
        size_t descents = 0;
        for (size_t i = 1; i < MANY; i++)
            descents += many[i] < many[i - 1];
        assert_true(descents <= LOCAL_ROUNDS);      /* what is left in the magazine of the last round */
        release_shuffled(MANY, 48);
    }
    mag->check();
}

TEST(a_block_is_handed_out_again_before_any_other) {
    void *block = mag->alloc(100, 16);
    mag->release(block, 100);
    assert_ptr_equal(mag->alloc(100, 16), block);
    mag->release(block, 0);
    assert_ptr_equal(mag->alloc(100, 16), block);
}

TEST(a_resize_stays_in_place_exactly_within_its_class) {
    for (size_t had = 1; had <= 512; had += 7)
        for (size_t want = 1; want <= 512; want += 5) {
            void *block = mag->alloc(had, 16), *moved = mag->resize(block, had, want);
            assert_int_equal(moved == block, size_class_of(had) == size_class_of(want));
            mag->release(moved, want);              /* the told size must name the class */
        }
    mag->check();
}

TEST(as_many_wholly_free_arenas_stay_as_the_parameter_says) {
    static const struct { const char *spec; size_t most; } kept[] = {
        { "magazine,keep=none", 1 }, { "magazine,keep=3", 4 }, { "magazine,keep=all", MANY },
    };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        char why[512];
        start_afresh(NULL);
        mag = allocator_open(kept[i].spec, why, sizeof why);
        fill(MANY, 64);
        size_t peak = figures().arenas;
        support_between(peak, 12, 13);
        for (size_t k = 0; k < MANY; k++)
            mag->release(many[k], 64);              /* in order: the last ones, in the magazine, pin one arena */
        assert_true(figures().arenas <= kept[i].most);
        assert_true(figures().arenas >= (kept[i].most < peak ? kept[i].most - 1 : peak));
        mag->check();
        mag->trim();
        assert_int_equal(figures().arenas, 0);
        assert_int_equal(figures().used_bytes, 0);
        assert_int_equal(figures().arenas_mapped, figures().arenas_unmapped);
        mag->check();
    }
}

/* --- threads --- */

static void *free_all(void *count) {
    for (size_t i = 0; i < (size_t)(uintptr_t)count; i++)
        mag->release(many[i], 64);
    return NULL;                    /* without a word: the heap is emptied by the destructor of its key */
}

static void *allocate_all(void *count) {
    fill((size_t)(uintptr_t)count, 64);
    return NULL;
}

static void in_a_thread(void *(*act)(void *), size_t count) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, act, (void *)(uintptr_t)count), 0);
    pthread_join(thread, NULL);
}

TEST(what_another_thread_frees_comes_back_to_its_owner) {
    fill(MANY, 64);
    size_t arenas = figures().arenas;
    for (int round = 0; round < 5; round++) {
        in_a_thread(free_all, MANY);
        assert_int_equal(figures().used_blocks, 0);
        mag->check();
        fill(MANY, 64);
        assert_true(figures().arenas <= arenas + 1);
    }
    free_all((void *)(uintptr_t)MANY);
}

TEST(the_heap_of_a_dead_thread_is_taken_over) {
    for (int round = 0; round < 5; round++) {
        in_a_thread(allocate_all, MANY);
        assert_int_equal(figures().used_blocks, MANY);
        in_a_thread(free_all, MANY);                /* it has the dead one's heap, or a part of it */
        assert_int_equal(figures().used_blocks, 0);
        mag->check();
        assert_true(figures().arenas_peak <= 15);
    }
    mag->trim();
    assert_int_equal(figures().arenas, 0);
}

/* --- the range --- */

#ifndef REFARENA_SANITIZED
static void open_in_little_space(void *context) {
    size_t *blocks = context, count = 0;
    struct rlimit little = { (size_t)200 << 20, (size_t)200 << 20 };
    char why[512];
    void *kept[4] = { 0 };
    setrlimit(RLIMIT_AS, &little);
    const allocator *fresh = allocator_open("magazine", why, sizeof why);
    for (void *block; fresh && (block = fresh->alloc(512, 16)); count++)
        kept[count % 4] = block;
    for (int i = 0; fresh && i < 4; i++)
        fresh->release(kept[i], 512);
    *blocks = count;
    bool again = fresh && fresh->alloc(512, 16);
    if (fresh)
        fresh->check();
    _Exit(again && count > 100000 ? 0 : 1);
}
#endif

/* --- controls --- */

typedef struct fault { const char *name; void (*plant)(void *block); } fault;

static bitpool *pool_of_block(void *block) { return &region_state.pools[region_pool(block)]; }

static void plant_count(void *b)    { ++*(volatile uint16_t *)&pool_of_block(b)->free_blocks; }
static void plant_beyond(void *b)   { *(volatile uint64_t *)&pool_of_block(b)->free[1] |= UINT64_C(1) << 63; }
static void plant_remote(void *b)   {
    bitpool *p = pool_of_block(b);
    atomic_store(&region_state.remotes[region_index(p)].free[1], p->free[1]);
}
static void plant_class(void *b)    { ++*(volatile uint8_t *)&region_state.classes[region_pool(b)]; }
static void plant_unlisted(void *b) {
    bitpool *p = pool_of_block(b);
    p->link.next->previous = p->link.previous;
    p->link.previous->next = p->link.next;
}
static void plant_twice(void *b)    { mag->release(b, 200); mag->release(b, 200); }
static void plant_astray(void *b)   { mag->release((char *)b + 16, 200); }
static void plant_unowned(void *b)  { atomic_store(&pool_of_block(b)->owner, NULL); }
static void plant_free(void *b)     { (void)b; ++*(volatile uint32_t *)&region_state.wholly_free; }
static void plant_available(void *b) { *(volatile uint64_t *)&region_state.available[0] = 0; (void)b; }

static void suffer(void *context) {
    const fault *planted = context;
    void *block = mag->alloc(200, 16);
    mag->alloc(100, 16);
    mag->check();
    if (planted->plant)
        planted->plant(block);
    mag->check();
}

TEST(a_planted_fault_is_caught_by_the_check_and_named) {
    static const fault faults[] = {
        { "(B1)", plant_count }, { "(B1)", plant_beyond }, { "(B1)", plant_class }, { "(B2)", plant_remote },
        { "(L1)", plant_unlisted }, { "(L2)", plant_twice }, { "(L2)", plant_astray }, { "(R1)", plant_unowned },
        { "(R3)", plant_free }, { "(R2)", plant_available },
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

#ifdef WATCH_ASAN
static void write_beyond(void *b)       { ((volatile char *)b)[21] = 1; }       /* 21 bytes were asked for */
static void read_released(void *b)      { mag->release(b, 21); (void)((volatile char *)b)[3]; }
static void read_never_granted(void *b) { (void)((volatile char *)b)[33]; }

TEST(asan_sees_through_a_pool) {
    void (*const wrong[])(void *) = { write_beyond, read_released, read_never_granted };
    char said[4096];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_not_equal(support_child(wrong[i], mag->alloc(21, 16), said, sizeof said), 0);
        assert_non_null(strstr(said, "use-after-poison"));
    }
}
#endif

#ifndef REFARENA_SANITIZED
TEST(where_the_os_has_little_room_the_range_is_smaller_and_when_it_is_full_malloc_serves) {
    size_t blocks = 0;
    if (!support_limits_addresses()) support_skip("the OS does not keep to RLIMIT_AS");
    assert_true(support_survives(open_in_little_space, &blocks));
}
#endif

int main(void) {
#define AFRESH(test) cmocka_unit_test_setup(test, start_afresh)
    const struct CMUnitTest tests[] = {
#ifndef REFARENA_SANITIZED
        cmocka_unit_test(where_the_os_has_little_room_the_range_is_smaller_and_when_it_is_full_malloc_serves),
#endif
        AFRESH(a_pool_has_nothing_but_blocks),
        AFRESH(every_block_of_every_class_finds_its_bit),
        AFRESH(blocks_come_in_ascending_order_however_they_were_freed),
        AFRESH(a_block_is_handed_out_again_before_any_other),
        AFRESH(a_resize_stays_in_place_exactly_within_its_class),
        AFRESH(as_many_wholly_free_arenas_stay_as_the_parameter_says),
        AFRESH(what_another_thread_frees_comes_back_to_its_owner),
        AFRESH(the_heap_of_a_dead_thread_is_taken_over),
        AFRESH(a_planted_fault_is_caught_by_the_check_and_named),
#ifdef WATCH_ASAN
        AFRESH(asan_sees_through_a_pool),
#endif
    };
    return cmocka_run_group_tests_name("magazine", tests, NULL, NULL);
}
