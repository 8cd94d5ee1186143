/* SPDX-License-Identifier: MIT
 * contract.c - what allocator.h promises, as sentences, for the allocator named by REFARENA_ALLOCATOR.
 *
 * One program for every backend: own, preloaded ("jemalloc") and wrapped ("locked:pymalloc"). It executes
 * itself anew where a library must be preloaded, and exits with SUPPORT_SKIPPED where that is not
 * installed or the build cannot preload.
 */
#include "allocators/allocator.h"
#include "tests/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const allocator *subject;            /* the allocator under test */

#ifdef REFARENA_SANITIZED
enum { CONTRACT_SANITIZED = true, CONTRACT_WATCHED = true };
#elif defined(REFARENA_VALGRIND)
enum { CONTRACT_SANITIZED = false, CONTRACT_WATCHED = true };
#else
enum { CONTRACT_SANITIZED = false, CONTRACT_WATCHED = false };
#endif
enum { CONTRACT_STEPS = CONTRACT_WATCHED ? 100000 : 1000000, CONTRACT_HANDOVERS = CONTRACT_WATCHED ? 5000 : 50000 };

static void contract_open(char **argv) {
    const char *spec = getenv("REFARENA_ALLOCATOR");
    char why[512];
    bool missing;
    spec = spec ? spec : "system";
    if (!allocator_preload(spec, argv, &missing, why, sizeof why)) {
        fprintf(stderr, "%s\n", why);
        exit(missing || (CONTRACT_SANITIZED && allocator_preload_for(spec)) ? SUPPORT_SKIPPED : 2);
    }
    subject = allocator_open(spec, why, sizeof why);
    if (!subject) {
        fprintf(stderr, "%s\n", why);
        exit(2);
    }
}

/* Figures after a trim, because a real malloc counts what is in its caches as used. */
static allocator_stats contract_measure(void) {
    allocator_stats stats;
    subject->trim();
    if (!subject->stats(&stats))
        assert_int_equal(stats.known, 0);
    return stats;
}

/* Own allocators are exact in all they say; a library's books are its own. */
static bool contract_is_own(void) {
    return !allocator_preload_for(subject->name) && !strstr(subject->name, "system") && !strstr(subject->name, "pyobject");
}

/* The bump allocator would keep all that a long test asks for. */
static void contract_start_over(void) {
    if (!subject->frees)
        assert_true(subject->reset());
}

static const size_t contract_sizes[] = {
    0, 1, 7, 8, 15, 16, 17, 24, 32, 33, 48, 64, 100, 255, 256, 257, 511, 512, 513, 1000, 1024, 4095, 4096, 4097,
    32768, 100000, 262144, 1500000,
};
enum { CONTRACT_SIZES = sizeof contract_sizes / sizeof *contract_sizes };

TEST(no_entry_of_the_table_is_null) {
    assert_non_null(subject->name);
    assert_non_null(subject->idea);
    assert_true(subject->largest_bytes > 0);
    /* from `open` on, the table is functions to its end */
    static const unsigned char null[sizeof(void (*)(void))];
    for (const char *entry = (const char *)&subject->open; entry < (const char *)(subject + 1); entry += sizeof null)
        assert_memory_not_equal(entry, null, sizeof null);
}

TEST(every_block_has_the_alignment_that_was_asked_for) {
    for (size_t alignment = 1; alignment <= allocator_largest_alignment(subject); alignment *= 2) {
        char *blocks[CONTRACT_SIZES][3];
        for (size_t i = 0; i < CONTRACT_SIZES; i++)
            for (size_t k = 0; k < 3; k++) {
                char *block = blocks[i][k] = k == 2 ? subject->alloc_zeroed(contract_sizes[i], alignment)
                                                    : subject->alloc(contract_sizes[i], alignment);
                assert_non_null(block);
                assert_int_equal((uintptr_t)block % (alignment < 16 ? 16 : alignment), 0);
                support_fill(block, contract_sizes[i], i * 3 + k);
            }
        for (size_t i = 0; i < CONTRACT_SIZES; i++)
            for (size_t k = 0; k < 3; k++) {
                assert_true(support_filled(blocks[i][k], contract_sizes[i], i * 3 + k));
                subject->release(blocks[i][k], contract_sizes[i]);
            }
        subject->check();
    }
}

TEST(a_request_of_zero_bytes_gets_a_block_of_its_own) {
    void *blocks[64];
    for (size_t i = 0; i < 64; i++) {
        blocks[i] = i % 2 ? subject->alloc(0, 16) : subject->alloc_zeroed(0, 16);
        assert_non_null(blocks[i]);
        for (size_t k = 0; k < i; k++)
            assert_ptr_not_equal(blocks[k], blocks[i]);
    }
    for (size_t i = 0; i < 64; i++)
        subject->release(blocks[i], 0);
}

TEST(a_resize_to_zero_bytes_gives_a_block_still) {
    for (size_t i = 0; i < CONTRACT_SIZES; i++) {
        void *block = subject->alloc(contract_sizes[i], 16);
        block = subject->resize(block, contract_sizes[i], 0);
        assert_non_null(block);
        block = subject->resize(block, 0, contract_sizes[i]);
        assert_non_null(block);
        subject->release(block, contract_sizes[i]);
    }
}

TEST(blocks_do_not_overlap) {
    enum { BLOCKS = 4000 };
    static void *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = subject->alloc(i % 700, 16);
        assert_non_null(blocks[i]);
        support_fill(blocks[i], i % 700, i);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        assert_true(support_filled(blocks[i], i % 700, i));
    for (size_t i = 0; i < BLOCKS; i++)
        subject->release(blocks[i], i % 700);
}

TEST(usable_bytes_are_at_least_those_asked_for_or_not_known) {
    for (size_t i = 0; i < CONTRACT_SIZES; i++) {
        void *block = subject->alloc(contract_sizes[i], 16);
        size_t usable = subject->usable_bytes(block);
        assert_true(usable == 0 || usable >= contract_sizes[i]);
        subject->release(block, contract_sizes[i]);
    }
}

TEST(a_resize_keeps_the_contents_whether_or_not_the_old_size_is_told) {
    for (size_t from = 0; from < CONTRACT_SIZES; from++)
        for (size_t to = 0; to < CONTRACT_SIZES; to++)
            for (int told = 0; told < 2; told++) {
                size_t old_bytes = contract_sizes[from], new_bytes = contract_sizes[to];
                size_t kept = old_bytes < new_bytes ? old_bytes : new_bytes;
                void *block = subject->alloc(old_bytes, 16);
                support_fill(block, old_bytes, from);
                block = subject->resize(block, told ? old_bytes : 0, new_bytes);
                assert_non_null(block);
                assert_int_equal((uintptr_t)block % 16, 0);
                assert_true(support_filled(block, kept, from));
                support_fill(block, new_bytes, to);
                subject->release(block, told ? new_bytes : 0);
                contract_start_over();
            }
    subject->check();
}

TEST(a_block_of_large_alignment_can_be_resized) {
    for (size_t alignment = 32; alignment <= allocator_largest_alignment(subject); alignment *= 2) {
        void *block = subject->alloc(200, alignment);
        support_fill(block, 200, alignment);
        block = subject->resize(block, 200, 5000);
        assert_true(support_filled(block, 200, alignment));
        block = subject->resize(block, 5000, 20);
        assert_true(support_filled(block, 20, alignment));
        subject->release(block, 20);
    }
}

TEST(a_refused_request_returns_null_and_changes_nothing) {
    const size_t refused[] = {
        subject->largest_bytes + 1, PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX - 4096, SIZE_MAX,
    };
    static const size_t held[] = { 0, 40, 512, 3000 };
    for (size_t h = 0; h < sizeof held / sizeof *held; h++) {
        char *block = subject->alloc(held[h], 16);
        support_fill(block, held[h], h);
        allocator_stats before = contract_measure();
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
            for (size_t alignment = 16; alignment <= 4096; alignment *= 16) {
                assert_null(subject->alloc(refused[i], alignment));
                assert_null(subject->alloc_zeroed(refused[i], alignment));
            }
            assert_null(subject->resize(block, held[h], refused[i]));
            assert_null(subject->resize(block, 0, refused[i]));
        }
        allocator_stats after = contract_measure();
        assert_int_equal(before.used_bytes, after.used_bytes);
        assert_int_equal(before.used_blocks, after.used_blocks);
        assert_true(support_filled(block, held[h], h));
        subject->release(block, held[h]);
    }
    subject->check();
}

TEST(zeroed_memory_is_zero_though_it_was_used_before) {
    for (size_t i = 0; i < CONTRACT_SIZES; i++) {
        unsigned char *blocks[8];
        for (int round = 0; round < 3; round++) {
            for (size_t k = 0; k < 8; k++) {
                blocks[k] = subject->alloc_zeroed(contract_sizes[i], k % 2 ? 16 : 64);
                assert_non_null(blocks[k]);
                for (size_t byte = 0; byte < contract_sizes[i]; byte++)
                    if (blocks[k][byte])
                        fail_msg("byte %zu of %zu is not zero", byte, contract_sizes[i]);
                memset(blocks[k], 0xa5, contract_sizes[i]);
            }
            for (size_t k = 0; k < 8; k++)
                subject->release(blocks[k], contract_sizes[i]);
            contract_start_over();                      /* or no memory would ever be used again */
        }
    }
}

static void contract_fill_and_release(void) {
    enum { BLOCKS = 20000 };
    static void *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = subject->alloc(i * 7 % 900, 16);
    for (size_t i = 0; i < BLOCKS; i++)
        subject->release(blocks[i * 7919 % BLOCKS], i * 7919 % BLOCKS * 7 % 900);
}

/* What stays in the caches of a real malloc counts as used in its own books: what a first pass has left
 * there a second one leaves there too. Of our own allocators not a byte may stay. */
TEST(releasing_everything_gives_every_used_byte_back) {
    allocator_stats start = contract_measure();
    contract_fill_and_release();
    allocator_stats once = contract_measure();
    if (!subject->frees) {
        assert_true(once.used_bytes > start.used_bytes);        /* the floor says so, too */
        return;
    }
    contract_fill_and_release();
    allocator_stats twice = contract_measure();
    if (contract_is_own())
        assert_int_equal(start.used_bytes, once.used_bytes);
    support_between(twice.used_bytes, 0, once.used_bytes + 64 * 1024);
    assert_int_equal(once.used_blocks, twice.used_blocks);
    subject->check();
}

TEST(used_bytes_are_held_and_cover_what_was_asked_for) {
    allocator_stats before = contract_measure();
    char *blocks[100];
    for (size_t i = 0; i < 100; i++)
        blocks[i] = memset(subject->alloc(10000, 16), 1, 10000);
    allocator_stats after = contract_measure();
    if (after.known & ALLOCATOR_KNOWS_USED) {
        assert_true(after.used_bytes >= before.used_bytes + 100 * 10000);
        if (after.known & ALLOCATOR_KNOWS_HELD)
            assert_true(after.held_bytes >= after.used_bytes);
    }
    for (size_t i = 0; i < 100; i++)
        subject->release(blocks[i], 10000);
}

TEST(a_reset_ends_all_blocks_or_does_nothing) {
    char *block = subject->alloc(100, 16);
    support_fill(block, 100, 5);
    if (subject->reset()) {
        assert_int_equal(contract_measure().used_bytes, 0);
        assert_int_equal(contract_measure().used_blocks, 0);
        block = subject->alloc(100, 16);
        support_fill(block, 100, 5);
    }
    assert_true(support_filled(block, 100, 5));
    subject->check();
    subject->release(block, 100);
}

typedef struct contract_seen { void *blocks[500]; size_t met[500], strangers; } contract_seen;

static bool contract_see(void *block, size_t bytes, void *context) {
    contract_seen *seen = context;
    for (size_t i = 0; i < 500; i++)
        if (seen->blocks[i] == block && bytes >= i)
            return seen->met[i]++, true;
    seen->strangers++;
    return true;
}

TEST(a_walk_visits_every_block_exactly_once_or_says_that_it_cannot) {
    contract_seen seen = { 0 };
    for (size_t i = 0; i < 500; i++)
        seen.blocks[i] = subject->alloc(i, 16);
    subject->release(seen.blocks[0], 0);            /* of 0 bytes: may be passed on, which hides it */
    seen.blocks[0] = NULL;
    bool walked = subject->walk(contract_see, &seen);
    for (size_t i = 1; i < 500; i++)
        assert_int_equal(seen.met[i], walked ? 1 : 0);
    assert_int_equal(seen.strangers, 0);
    for (size_t i = 1; i < 500; i++)
        subject->release(seen.blocks[i], i);
}

TEST(null_may_be_released) {
    allocator_stats before = contract_measure();
    subject->release(NULL, 0);
    subject->release(NULL, 100);
    assert_int_equal(before.used_blocks, contract_measure().used_blocks);
}

TEST(a_second_open_is_harmless) {
    void *block = subject->alloc(64, 16);
    support_fill(block, 64, 1);
    assert_true(subject->open());
    assert_true(support_filled(block, 64, 1));
    subject->release(block, 64);
    subject->check();
}

/* --- random operations against a plain model --- */

typedef struct contract_slot { char *block; size_t bytes; uint64_t seed; } contract_slot;
enum { CONTRACT_SLOTS = 4096 };

static size_t contract_random_bytes(uint64_t *random) {
    uint64_t dice = support_random(random), size = support_random(random);
    if (dice % 100 < 75)
        return size % 513;
    return dice % 100 < 97 ? size % 4097 : size % 70000;
}

static int contract_by_address(const void *a, const void *b) {
    const contract_slot *left = a, *right = b;
    return (left->block > right->block) - (left->block < right->block);
}

static void contract_check_disjoint(const contract_slot slots[]) {
    static contract_slot sorted[CONTRACT_SLOTS];
    memcpy(sorted, slots, sizeof sorted);
    qsort(sorted, CONTRACT_SLOTS, sizeof *sorted, contract_by_address);
    for (size_t i = 1; i < CONTRACT_SLOTS; i++)
        if (sorted[i - 1].block) {
            size_t room = sorted[i - 1].bytes ? sorted[i - 1].bytes : 1;
            assert_true(sorted[i - 1].block + room <= sorted[i].block);
        }
}

static void contract_check_model(const contract_slot slots[], allocator_stats start) {
    size_t live_bytes = 0, live_blocks = 0;
    for (size_t i = 0; i < CONTRACT_SLOTS; i++) {
        live_bytes += slots[i].bytes;
        live_blocks += slots[i].block != NULL;
    }
    contract_check_disjoint(slots);
    allocator_stats now = contract_measure();
    if (now.known & ALLOCATOR_KNOWS_USED)
        assert_true(now.used_bytes >= live_bytes);
    if (contract_is_own() && subject->frees)
        assert_int_equal(now.used_blocks - start.used_blocks, live_blocks);
    subject->check();
}

static void contract_step(contract_slot *slot, uint64_t *random) {
    uint64_t dice = support_random(random);
    size_t bytes = contract_random_bytes(random), told = dice % 2 ? slot->bytes : 0;
    if (slot->block)
        assert_true(support_filled(slot->block, slot->bytes, slot->seed));
    if (!slot->block) {
        size_t alignment = dice % 8 ? 16 : (size_t)1 << dice / 8 % 13;
        alignment = alignment > allocator_largest_alignment(subject) ? allocator_largest_alignment(subject) : alignment;
        bool zeroed = dice % 5 == 0;
        slot->block = zeroed ? subject->alloc_zeroed(bytes, alignment) : subject->alloc(bytes, alignment);
        assert_non_null(slot->block);
        assert_int_equal((uintptr_t)slot->block % (alignment < 16 ? 16 : alignment), 0);
        for (size_t i = 0; zeroed && i < bytes; i++)
            if (slot->block[i])
                fail_msg("byte %zu of a zeroed block is not zero", i);
    } else if (dice % 3 == 0) {
        size_t kept = bytes < slot->bytes ? bytes : slot->bytes;
        slot->block = subject->resize(slot->block, told, bytes);
        assert_non_null(slot->block);
        assert_true(support_filled(slot->block, kept, slot->seed));
    } else {
        subject->release(slot->block, told);
        *slot = (contract_slot){ 0 };
        return;
    }
    size_t usable = subject->usable_bytes(slot->block);
    assert_true(usable == 0 || usable >= bytes);
    slot->bytes = bytes;
    slot->seed = dice;
    support_fill(slot->block, bytes, dice);
}

TEST(a_million_random_operations_agree_with_a_plain_model) {
    static contract_slot slots[CONTRACT_SLOTS];
    uint64_t random = 20080305;
    size_t steps = subject->frees ? CONTRACT_STEPS : CONTRACT_STEPS / 10;
    contract_start_over();
    allocator_stats start = contract_measure();
    for (size_t step = 0; step < steps; step++) {
        contract_step(&slots[support_random(&random) % CONTRACT_SLOTS], &random);
        if (step % (CONTRACT_STEPS / 50) == 0)
            contract_check_model(slots, start);
    }
    for (size_t i = 0; i < CONTRACT_SLOTS; i++) {
        assert_true(support_filled(slots[i].block, slots[i].bytes, slots[i].seed));
        subject->release(slots[i].block, slots[i].bytes);
        slots[i] = (contract_slot){ 0 };
    }
    contract_check_model(slots, start);
    if (contract_is_own() && subject->frees)
        assert_int_equal(contract_measure().used_bytes, start.used_bytes);
    contract_start_over();
}

/* --- threads and children --- */

enum { CONTRACT_THREADS = 4, CONTRACT_MAILBOXES = 256 };
typedef struct contract_letter { size_t bytes, room; uint64_t seed; } contract_letter;   /* of its contents, which follow */
static _Atomic(contract_letter *) contract_mailboxes[CONTRACT_MAILBOXES];
static atomic_size_t contract_spoilt;
static atomic_bool contract_stop;

static contract_letter *contract_write_letter(uint64_t *random) {
    size_t bytes = contract_random_bytes(random);
    contract_letter *letter = subject->alloc(sizeof *letter + bytes, 16);
    if (!letter)
        return NULL;
    *letter = (contract_letter){ bytes, bytes, support_random(random) };
    support_fill(letter + 1, bytes, letter->seed);
    return letter;
}

static void contract_open_letter(contract_letter *letter) {
    if (letter && !support_filled(letter + 1, letter->bytes, letter->seed))
        contract_spoilt++;
    if (letter)
        subject->release(letter, sizeof *letter + letter->room);
}

/* Put a letter in a mailbox, take out whose ever was there: most blocks are freed by another thread. */
static void *contract_correspond(void *seed) {
    uint64_t random = (uintptr_t)seed;
    for (size_t i = 0; i < CONTRACT_HANDOVERS || (!contract_stop && (uintptr_t)seed > CONTRACT_THREADS); i++) {
        contract_letter *letter = contract_write_letter(&random);
        if (letter && i % 7 == 0) {
            contract_letter *longer = subject->resize(letter, 0, sizeof *letter + letter->bytes + 100);
            if (longer && !support_filled(longer + 1, longer->bytes, longer->seed))
                contract_spoilt++;
            letter = longer ? longer : letter;
            letter->room += longer ? 100 : 0;
        }
        size_t box = support_random(&random) % CONTRACT_MAILBOXES;
        contract_open_letter(atomic_exchange(&contract_mailboxes[box], letter));
    }
    subject->thread_exit();
    return NULL;
}

static void contract_empty_mailboxes(void) {
    for (size_t i = 0; i < CONTRACT_MAILBOXES; i++)
        contract_open_letter(atomic_exchange(&contract_mailboxes[i], NULL));
}

TEST(threads_may_free_what_other_threads_allocated) {
    pthread_t threads[CONTRACT_THREADS];
    if (!subject->thread_safe || subject->thread_bound)
        return;                     /* and the harness does not let threads come near it */
    size_t blocks_before = contract_measure().used_blocks;
    for (uintptr_t i = 0; i < CONTRACT_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, contract_correspond, (void *)(i + 1)), 0);
    for (size_t i = 0; i < CONTRACT_THREADS; i++)
        pthread_join(threads[i], NULL);
    contract_empty_mailboxes();
    assert_int_equal(contract_spoilt, 0);
    if (contract_is_own() && subject->frees)
        assert_int_equal(contract_measure().used_blocks, blocks_before);
    subject->check();
    contract_start_over();
}

static int contract_fork_once(char *inherited) {
    fflush(NULL);
    subject->fork_prepare();
    pid_t child = fork();
    if (child == 0) {
        subject->fork_child();
        support_limit_time(SUPPORT_PATIENCE);
        bool sound = support_filled(inherited, 1000, 7);
        subject->release(inherited, 1000);
        for (size_t i = 0; i < 2000; i++) {
            void *block = subject->alloc(i, 16);
            sound = sound && block;
            subject->release(block, i);
        }
        subject->check();
        _exit(sound ? 0 : 1);
    }
    subject->fork_parent();
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

/* With another thread in the middle of allocating where that is allowed: the child must not inherit its lock. */
TEST(a_forked_child_can_go_on_allocating) {
    pthread_t other;
    bool with_thread = subject->thread_safe && !subject->thread_bound && !CONTRACT_WATCHED;       /* sanitizers and valgrind forbid the mixture */
    char *block = subject->alloc(1000, 16);
    support_fill(block, 1000, 7);
    contract_stop = false;
    if (with_thread)
        assert_false(pthread_create(&other, NULL, contract_correspond, (void *)(uintptr_t)(CONTRACT_THREADS + 1)));
    for (int i = 0; i < 20; i++)
        assert_int_equal(contract_fork_once(block), 0);
    contract_stop = true;
    if (with_thread)
        pthread_join(other, NULL);
    contract_empty_mailboxes();
    assert_true(support_filled(block, 1000, 7));
    subject->release(block, 1000);
    subject->check();
}

int main(int argc, char **argv) {
    (void)argc;
    contract_open(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_entry_of_the_table_is_null),
        cmocka_unit_test(every_block_has_the_alignment_that_was_asked_for),
        cmocka_unit_test(a_request_of_zero_bytes_gets_a_block_of_its_own),
        cmocka_unit_test(a_resize_to_zero_bytes_gives_a_block_still),
        cmocka_unit_test(blocks_do_not_overlap),
        cmocka_unit_test(usable_bytes_are_at_least_those_asked_for_or_not_known),
        cmocka_unit_test(a_resize_keeps_the_contents_whether_or_not_the_old_size_is_told),
        cmocka_unit_test(a_block_of_large_alignment_can_be_resized),
        cmocka_unit_test(a_refused_request_returns_null_and_changes_nothing),
        cmocka_unit_test(zeroed_memory_is_zero_though_it_was_used_before),
        cmocka_unit_test(releasing_everything_gives_every_used_byte_back),
        cmocka_unit_test(used_bytes_are_held_and_cover_what_was_asked_for),
        cmocka_unit_test(a_reset_ends_all_blocks_or_does_nothing),
        cmocka_unit_test(a_walk_visits_every_block_exactly_once_or_says_that_it_cannot),
        cmocka_unit_test(null_may_be_released),
        cmocka_unit_test(a_second_open_is_harmless),
        cmocka_unit_test(a_million_random_operations_agree_with_a_plain_model),
        cmocka_unit_test(threads_may_free_what_other_threads_allocated),
        cmocka_unit_test(a_forked_child_can_go_on_allocating),
    };
    return cmocka_run_group_tests_name(subject->name, tests, NULL, NULL);
}
