/* SPDX-License-Identifier: MIT
 * chunks.c - the space of collectors that own one: nothing overlaps, nothing is lost, blocks come home.
 *
 * Run for one of the collectors that use it. The model is a table of the blocks that must be handed out, each
 * filled with bytes that depend on its place.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../../collectors/chunks.h"
#include "../../collectors/heap_limit.h"
#include "../../collectors/linked.h"
#include "../support.h"

enum { MODEL_BLOCKS = 4000, MODEL_STEPS = 60000 };

typedef struct entry { unsigned char *block; size_t bytes; uint64_t seed; bool seen, kept; } entry;
static entry model[MODEL_BLOCKS];
static size_t model_used, model_visited, model_died;

static int space_open(void **state) {
    (void)state;
    memset(model, 0, sizeof model);
    model_used = model_visited = model_died = 0;
    heap_limit_open(0);
    return 0;
}
static int space_close(void **state) {
    (void)state;
    chunks_check();
    chunks_close();
    return chunks_held_bytes() == 0 ? 0 : -1;
}
#define SPACE_TEST(name) cmocka_unit_test_setup_teardown(name, space_open, space_close)

static size_t random_bytes(uint64_t *seed) {
    uint64_t random = support_random(seed);
    switch (random % 32) {
    case 0: return random / 32 % 200000;                /* some have a mapping of their own */
    case 1: case 2: case 3: return random / 32 % 33000;
    default: return random / 32 % 300;
    }
}

static void model_new(chunk_heap *heap, entry *e, uint64_t *seed) {
    e->bytes = random_bytes(seed);
    e->seed = support_random(seed);
    e->block = chunks_alloc(heap, e->bytes);
    assert_non_null(e->block);
    assert_int_equal((uintptr_t)e->block % 16, 0);
    assert_true(chunks_block_bytes(e->block) >= e->bytes);
    assert_true(!chunks_is_marked(e->block));
    support_fill(e->block, e->bytes, e->seed);
    *chunks_scratch(e->block) = (uint32_t)(e - model) + 1;
    model_used++;
}
static void model_free(chunk_heap *heap, entry *e) {
    assert_true(support_filled(e->block, e->bytes, e->seed));
    chunks_free(heap, e->block);
    e->block = NULL;
    model_used--;
}

static entry *entry_of(void *block) {                   /* by the side word, which says the block's place in the model */
    uint32_t word = *chunks_scratch(block);
    assert_true(word >= 1 && word <= MODEL_BLOCKS);
    entry *e = &model[word - 1];
    assert_ptr_equal(e->block, block);
    assert_true(support_filled(e->block, e->bytes, e->seed));
    return e;
}

static void see(void *block, void *context) {
    (void)context;
    entry *e = entry_of(block);
    assert_false(e->seen);
    e->seen = true;
    model_visited++;
}

static void model_compare(void) {
    model_visited = 0;
    chunks_each(see, NULL);
    assert_int_equal(model_visited, model_used);
    for (size_t i = 0; i < MODEL_BLOCKS; i++) {
        assert_true(model[i].seen == (model[i].block != NULL));
        model[i].seen = false;
    }
    chunks_check();
}

static void die(void *block, void *context) {
    (void)context;
    entry *e = entry_of(block);
    assert_false(e->kept);
    e->block = NULL;
    model_died++;
}

static void model_sweep(uint64_t *seed, bool lazy) {
    size_t dead = 0;
    chunks_finish_sweep();
    for (size_t i = 0; i < MODEL_BLOCKS; i++) {
        if (model[i].block == NULL) continue;
        model[i].kept = support_random(seed) % 3 != 0;
        dead += !model[i].kept;
        if (model[i].kept) {
            assert_true(chunks_mark(model[i].block));
            assert_false(chunks_mark(model[i].block));
        }
    }
    size_t died = model_died;
    chunks_sweep(lazy, die, NULL);
    if (!lazy) assert_int_equal(model_died - died, dead);
    model_used -= dead;
}

static void follow_model(bool lazy) {
    uint64_t seed = lazy ? 11 : 7;
    chunk_heap *heap = chunks_enter();
    assert_non_null(heap);
    for (int step = 0; step < MODEL_STEPS; step++) {
        entry *e = &model[support_random(&seed) % MODEL_BLOCKS];
        if (e->block == NULL) model_new(heap, e, &seed);
        else if (!lazy) model_free(heap, e);            /* who sweeps lazily does not free what may be dead */
        if (step % 5000 == 4999) model_sweep(&seed, lazy);
        if (step % 3000 == 2999) model_compare();
    }
    chunks_finish_sweep();
    model_compare();
    for (size_t i = 0; i < MODEL_BLOCKS; i++)
        if (model[i].block != NULL) model_free(heap, &model[i]);
    assert_int_equal(chunks_used_bytes(), 0);
    chunks_sweep(false, NULL, NULL);
    assert_true(chunks_held_bytes() <= CHUNK_BYTES);    /* empty chunks went back, but one */
    chunks_leave(heap);
}
TEST(random_births_frees_and_sweeps_agree_with_a_model) { follow_model(false); }
TEST(a_lazy_sweep_frees_what_an_eager_one_does) { follow_model(true); }

static void count(void *block, void *total) { (void)block; ++*(size_t *)total; }

TEST(every_size_gets_a_block_of_a_class_that_wastes_at_most_a_fifth) {
    chunk_heap *heap = chunks_enter();
    for (size_t bytes = 1; bytes <= CHUNK_CLASS_BYTES; bytes += bytes < 2000 ? 1 : 97) {
        void *block = chunks_alloc(heap, bytes);
        size_t block_bytes = chunks_block_bytes(block);
        assert_true(block_bytes >= bytes && (block_bytes - bytes < 16 || block_bytes <= bytes + bytes / 4));
        chunks_free(heap, block);
    }
    chunks_leave(heap);
}

TEST(what_does_not_fit_under_the_limit_is_refused_and_fits_after_a_free) {
    heap_limit_open(4 * CHUNK_BYTES);
    chunk_heap *heap = chunks_enter();
    assert_null(chunks_alloc(heap, 5 * CHUNK_BYTES));
    assert_null(chunks_alloc(heap, SIZE_MAX));
    void *large = chunks_alloc(heap, 3 * CHUNK_BYTES + CHUNK_BYTES / 2), *small = NULL;
    assert_non_null(large);
    assert_null(chunks_alloc(heap, 100));
    chunks_free(heap, large);
    small = chunks_alloc(heap, 100);
    assert_non_null(small);
    chunks_free(heap, small);
    assert_true(chunks_held_bytes() <= 4 * CHUNK_BYTES);
    chunks_leave(heap);
}

TEST(empty_chunks_stay_while_no_more_is_held_than_is_to_be_kept) {
    enum { BLOCKS = 40000, BYTES = 128 };               /* 5 MB */
    chunk_heap *mine = chunks_enter();
    for (int round = 0; round < 2; round++) {
        chunks_keep(round == 0 ? 0 : 64 * CHUNK_BYTES);
        for (size_t i = 0; i < BLOCKS; i++)
            assert_non_null(chunks_alloc(mine, BYTES));
        size_t full_bytes = chunks_held_bytes();
        chunks_sweep(false, NULL, NULL);                /* nothing is marked */
        assert_true(full_bytes > 4 * CHUNK_BYTES);
        assert_int_equal(chunks_held_bytes(), round == 0 ? CHUNK_BYTES : full_bytes);
        chunks_check();
    }
    chunks_keep(3 * CHUNK_BYTES);
    assert_int_equal(chunks_held_bytes(), 3 * CHUNK_BYTES);
    chunks_check();
    chunks_leave(mine);
}

static void free_it(void *block, void *heap) { chunks_free(heap, block); }

TEST(a_visit_may_free_the_block_it_is_given) {
    chunk_heap *heap = chunks_enter();
    for (int i = 0; i < 100000; i++)
        assert_non_null(chunks_alloc(heap, (size_t)i % 2000));
    chunks_each(free_it, heap);
    assert_int_equal(chunks_used_bytes(), 0);
    assert_true(chunks_held_bytes() <= CHUNK_BYTES);
    chunks_leave(heap);
}

/* --- threads ----------------------------------------------------------------------------------------- */

enum { THREADS = 4, SLOTS = 512, ROUNDS = 60000 };
typedef struct parcel { uint64_t canary, bytes; } parcel;
static _Atomic(parcel *) slots[SLOTS];

static uint64_t canary_of(const parcel *p) { return (uintptr_t)p * 0x9E3779B97F4A7C15u ^ p->bytes; }

/* Exchange a fresh block for whatever lies in a random slot, and free that: mostly another thread's. */
static void *exchange_blocks(void *seed_at) {
    uint64_t seed = *(uint64_t *)seed_at;
    chunk_heap *heap = chunks_enter();
    assert_non_null(heap);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t random = support_random(&seed);
        size_t bytes = sizeof(parcel) + random % (i % 97 == 0 ? 40000 : 200);
        parcel *mine = chunks_alloc(heap, bytes);
        mine->bytes = bytes;
        mine->canary = canary_of(mine);
        parcel *other = atomic_exchange(&slots[random / 65536 % SLOTS], mine);
        if (other != NULL) {
            assert_true(other->canary == canary_of(other));
            other->canary = 0;
            chunks_free(heap, other);
        }
        if (i % 20000 == 19999) {                       /* leave the pages to whoever comes */
            chunks_leave(heap);
            heap = chunks_enter();
        }
    }
    chunks_leave(heap);
    return NULL;
}

TEST(blocks_freed_by_other_threads_come_home) {
    pthread_t threads[THREADS];
    uint64_t seeds[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = 77 + i;
        assert_int_equal(pthread_create(&threads[i], NULL, exchange_blocks, &seeds[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    chunks_check();
    size_t visited = 0, left = 0;
    chunks_each(count, &visited);
    chunk_heap *heap = chunks_enter();
    for (unsigned i = 0; i < SLOTS; i++) {
        parcel *p = atomic_exchange(&slots[i], NULL);
        if (p == NULL) continue;
        left++;
        chunks_free(heap, p);
    }
    assert_int_equal(visited, left);
    assert_int_equal(chunks_used_bytes(), 0);
    chunks_leave(heap);
}

static void *fill_and_leave(void *blocks_at) {
    void **blocks = blocks_at;
    chunk_heap *heap = chunks_enter();
    for (unsigned i = 0; i < 20000; i++)
        blocks[i] = chunks_alloc(heap, 64);
    chunks_leave(heap);
    return NULL;
}

TEST(pages_of_a_thread_that_left_are_taken_over) {
    static void *blocks[20000];
    chunk_heap *heap = chunks_enter();
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, fill_and_leave, blocks), 0);
    pthread_join(other, NULL);
    size_t held_bytes = chunks_held_bytes();
    for (unsigned i = 0; i < 20000; i++)
        chunks_free(heap, blocks[i]);
    for (unsigned i = 0; i < 20000; i++)
        blocks[i] = chunks_alloc(heap, 64);
    assert_int_equal(chunks_held_bytes(), held_bytes);  /* no fresh chunk was needed */
    chunks_check();
    for (unsigned i = 0; i < 20000; i++)
        chunks_free(heap, blocks[i]);
    chunks_leave(heap);
}

/* --- check notices ------------------------------------------------------------------------------------ */

static void lose_a_block(void *heap) {
    chunk_page *page = chunks_page_of(chunks_alloc(heap, 64));
    volatile uint32_t *used = &page->used;
    *used += 1;
    chunks_check();
}
static void mark_a_free_block(void *heap) {
    void *block = chunks_alloc(heap, 64);
    (void)chunks_alloc(heap, 64);
    chunks_free(heap, block);
    chunks_mark(block);
    chunks_check();
}
static void misplace_a_page(void *heap) {
    volatile bool *full = &chunks_page_of(chunks_alloc(heap, 64))->full;
    *full = true;
    chunks_check();
}
TEST(check_notices_a_lost_block_a_marked_free_one_and_a_misplaced_page) {
    chunk_heap *heap = chunks_enter();
    assert_true(support_dies(lose_a_block, heap, SIGABRT));
    assert_true(support_dies(mark_a_free_block, heap, SIGABRT));
    assert_true(support_dies(misplace_a_page, heap, SIGABRT));
    chunks_leave(heap);
}

#ifdef CHUNKS_POISONED
static void touch_a_free_block(void *heap) {
    volatile char *block = chunks_alloc(heap, 64);
    chunks_free(heap, (void *)block);
    block[8] = 1;
}
TEST(a_touch_of_a_free_block_is_reported) {
    chunk_heap *heap = chunks_enter();
    assert_false(support_survives(touch_a_free_block, heap));
    chunks_leave(heap);
}
#endif

int main(void) {
    if (strcmp(linked_collector.cycles, "marksweep") != 0) return support_skip_all("one row of those that use chunks will do: marksweep");  /* one of those that use it will do */
    const struct CMUnitTest tests[] = {
        SPACE_TEST(random_births_frees_and_sweeps_agree_with_a_model),
        SPACE_TEST(a_lazy_sweep_frees_what_an_eager_one_does),
        SPACE_TEST(every_size_gets_a_block_of_a_class_that_wastes_at_most_a_fifth),
        SPACE_TEST(what_does_not_fit_under_the_limit_is_refused_and_fits_after_a_free),
        SPACE_TEST(empty_chunks_stay_while_no_more_is_held_than_is_to_be_kept),
        SPACE_TEST(a_visit_may_free_the_block_it_is_given),
        SPACE_TEST(blocks_freed_by_other_threads_come_home),
        SPACE_TEST(pages_of_a_thread_that_left_are_taken_over),
        SPACE_TEST(check_notices_a_lost_block_a_marked_free_one_and_a_misplaced_page),
#ifdef CHUNKS_POISONED
        SPACE_TEST(a_touch_of_a_free_block_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("chunks", tests, NULL, NULL);
}
