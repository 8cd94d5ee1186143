/* SPDX-License-Identifier: MIT
 * pymalloc.c - CPython's object allocator: arenas, pools, blocks.
 *
 *   request of 1 .. 512 bytes -> size class -> first used pool of the class -> first free block
 *                                              none? an empty pool from the fullest arena (arena.h)
 *   anything else             -> malloc        (0 bytes, more than 512, aligned beyond 16)
 *
 * A block has no header: its pool's is found by rounding its address down, once the radix map has said that
 * the address is ours at all. The cost of a pair is an index, a pop and a push: no search, no lock. It is
 * not thread-safe, as in CPython, where the GIL is its lock; locked:pymalloc gives it another.
 *
 * What it is bad at: a pool with one live block serves only its class, and an arena with one such pool is
 * not returned to the OS.
 *
 * Parameters: the sizes of arenas and pools, and how many wholly free arenas stay. The usual sizes are constants
 * of the fast path; the table for parameters reads them. Sizes change only while there is no block.
 *
 * Source: CPython 3.12, Objects/obmalloc.c. Not taken over: one heap for each interpreter; debug:pymalloc has the
 * debug hooks. pymalloc-3.9 has the sizes of 3.9, but not its test of an address, which reads the page of the
 * address, whoever's it may be; the radix map came with 3.10.
 */
#include "../allocator.h"
#include "../invariant.h"
#include "../registry.h"
#include "../system.h"
#include "arena.h"
#include "survey.h"

#include <string.h>

/* For the two tables, whose sizes are constants here and variables there. */
#define PYMALLOC_INLINE            static inline __attribute__((always_inline))
#define PYMALLOC_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define PYMALLOC_SLOW              __attribute__((noinline, cold))

typedef struct pymalloc_sizes {
    int      window_bits;       /* of arenas */
    uint32_t pool_bytes;
    size_t   keep;              /* arenas */
} pymalloc_sizes;

#define PYMALLOC_USUAL ((pymalloc_sizes){ RADIX_WINDOW_BITS, POOL_BYTES, 0 })

static struct {
    bool   opened;
    size_t passed_blocks;       /* handed out by malloc for us */
    size_t passed_bytes;        /* in them, at the size malloc set aside */
    pymalloc_sizes wanted;      /* by parameters, for the next open with any */
} pymalloc;

/* --- opening, with the usual sizes or with others --- */

static bool pymalloc_has_blocks(void) {
    allocator_stats stats;
    survey_stats(&stats);
    return stats.used_blocks + pymalloc.passed_blocks > 0;
}

static bool pymalloc_adopt(pymalloc_sizes sizes) {
    if (sizes.window_bits != radix_window_bits || sizes.pool_bytes != pool_bytes) {
        if (pymalloc_has_blocks())
            return false;
        arena_unmap_all();
        radix_window_bits = sizes.window_bits;
        pool_bytes = sizes.pool_bytes;
    }
    if (sizes.keep < arena_keep)
        arena_trim();
    arena_keep = sizes.keep;
    return true;
}

static bool pymalloc_start(void) {
    if (pymalloc.opened)
        return true;
    pool_init_lists();
    watch_begin();
    return pymalloc.opened = system_allocator.open();
}

static bool pymalloc_open(void) {
    return pymalloc_start() && pymalloc_adopt(PYMALLOC_USUAL);
}

static bool pymalloc_open_wanted(void) {
    return pymalloc_start() && pymalloc_adopt(pymalloc.wanted);
}

static bool pymalloc_set_arena(const char *value) {
    bool small = value && !strcmp(value, "256K");
    pymalloc.wanted.window_bits = small ? RADIX_WINDOW_BITS_LEAST : RADIX_WINDOW_BITS;
    return small || !value || !strcmp(value, "1M");
}

static bool pymalloc_set_pool(const char *value) {
    bool small = value && !strcmp(value, "4K");
    pymalloc.wanted.pool_bytes = small ? POOL_BYTES_LEAST : POOL_BYTES;
    return small || !value || !strcmp(value, "16K");
}

static bool pymalloc_set_keep(const char *value) {
    return registry_read_count(value, 0, &pymalloc.wanted.keep);
}

static const allocator_parameter pymalloc_parameters[] = {
    { "arena", "256K or 1M", pymalloc_set_arena },
    { "pool",  "4K or 16K", pymalloc_set_pool },
    { "keep",  "none, all or a number of arenas", pymalloc_set_keep },
    { 0 },
};

/* --- requests that are passed on --- */

static void *pymalloc_note_passed(void *block) {
    if (block) {
        pymalloc.passed_blocks++;
        pymalloc.passed_bytes += system_allocator.usable_bytes(block);
    }
    return block;
}

PYMALLOC_SLOW static void *pymalloc_pass_on(size_t bytes, size_t alignment) {
    return pymalloc_note_passed(system_allocator.alloc(bytes ? bytes : 1, alignment));
}

PYMALLOC_SLOW static void pymalloc_release_passed(void *block) {
    if (!block)
        return;
    pymalloc.passed_blocks--;
    pymalloc.passed_bytes -= system_allocator.usable_bytes(block);
    system_allocator.release(block, 0);
}

/* A passed-on block stays with malloc, even when it becomes small. */
PYMALLOC_SLOW static void *pymalloc_resize_passed(void *block, size_t new_bytes) {
    size_t old_room = system_allocator.usable_bytes(block);
    void *moved = system_allocator.resize(block, 0, new_bytes ? new_bytes : 1);
    if (moved)
        pymalloc.passed_bytes += system_allocator.usable_bytes(moved) - old_room;
    return moved;
}

/* --- small requests --- */

/* No used pool has this class. Where there is no memory for an arena, malloc may still have some. */
PYMALLOC_SLOW static void *pymalloc_from_new_pool(size_t bytes) {
    pool *p = arena_take_pool();
    if (!p)
        return pymalloc_pass_on(bytes, ALLOCATOR_ALIGNMENT);
    void *block = pool_start(p, size_class_of(bytes));
    watch_grant(block, bytes);
    return block;
}

static void *pymalloc_alloc(size_t bytes, size_t alignment) {
    if (!PYMALLOC_LIKELY(bytes - 1 < SIZE_CLASS_LARGEST && alignment <= ALLOCATOR_ALIGNMENT))
        return pymalloc_pass_on(bytes, alignment);          /* bytes == 0 wraps */
    pool_link *head = &pool_lists[size_class_of(bytes)];
    pool *p = (pool *)head->next;
    if (!PYMALLOC_LIKELY(&p->link != head))
        return pymalloc_from_new_pool(bytes);
    void *block = p->free;
    p->used_blocks++;
    p->free = pool_read_link(block);
    watch_grant(block, bytes);
    return PYMALLOC_LIKELY(p->free != NULL) ? block : pool_extend(p, block);
}

/* `bytes` would say without a look whether the block is ours, but CPython's free is not told it, so neither
 * does this one listen: the radix map is part of the price. */
PYMALLOC_INLINE void pymalloc_release_in(void *block, int window_bits, uint32_t bytes_of_pool) {
    if (!PYMALLOC_LIKELY(radix_owns_in(block, window_bits))) {
        pymalloc_release_passed(block);
        return;
    }
    pool *p = pool_of_size(block, bytes_of_pool);
    void *next = p->free;
    watch_take(block, size_class_bytes(p->size_class));
    pool_write_link(block, next);
    p->free = block;
    p->used_blocks--;
    if (PYMALLOC_LIKELY(next != NULL && p->used_blocks != 0))
        return;
    if (next == NULL) {                     /* was full: first of its class, as what it freed is warm */
        pool_insert_first(p);
    } else {
        pool_unlink(p);
        arena_return_pool(p);
    }
}

static void pymalloc_release(void *block, size_t bytes) {
    (void)bytes;
    pymalloc_release_in(block, RADIX_WINDOW_BITS, POOL_BYTES);
}

static void pymalloc_release_wanted(void *block, size_t bytes) {
    (void)bytes;
    pymalloc_release_in(block, radix_window_bits, pool_bytes);
}

static void *pymalloc_alloc_zeroed(size_t bytes, size_t alignment) {
    if (bytes - 1 < SIZE_CLASS_LARGEST && alignment <= ALLOCATOR_ALIGNMENT) {
        void *block = pymalloc_alloc(bytes, alignment);
        return block ? memset(block, 0, bytes) : NULL;
    }
    return pymalloc_note_passed(system_allocator.alloc_zeroed(bytes ? bytes : 1, alignment));
}

/* A block that shrinks is moved only if that saves a quarter of it or more: else it is not worth a copy. */
static void *pymalloc_resize(void *block, size_t old_bytes, size_t new_bytes) {
    (void)old_bytes;
    if (!radix_owns(block))
        return pymalloc_resize_passed(block, new_bytes);
    size_t room = size_class_bytes(pool_of(block)->size_class);
    if (new_bytes <= room && 4 * new_bytes > 3 * room) {
        watch_take(block, room);
        watch_grant(block, new_bytes);
        watch_open(block, new_bytes);       /* it still has what it had */
        return block;
    }
    void *moved = pymalloc_alloc(new_bytes, ALLOCATOR_ALIGNMENT);
    if (!moved)
        return NULL;
    watch_open(block, room);                /* what was asked for is not known, so all of it is copied */
    memcpy(moved, block, new_bytes < room ? new_bytes : room);
    pymalloc_release_wanted(block, room);
    return moved;
}

static size_t pymalloc_usable_bytes(const void *block) {
    return radix_owns(block) ? size_class_bytes(pool_of(block)->size_class) : system_allocator.usable_bytes(block);
}

/* --- the whole heap --- */

static bool pymalloc_stats(allocator_stats *stats) {
    survey_stats(stats);
    stats->held_bytes += pymalloc.passed_bytes;
    stats->used_bytes += pymalloc.passed_bytes;
    stats->used_blocks += pymalloc.passed_blocks;
    stats->large_blocks = pymalloc.passed_blocks;
    return true;
}

/* Blocks that were passed on are only counted, as in CPython: where there are some, they cannot be found. */
static bool pymalloc_reset(void) {
    if (pymalloc.passed_blocks)
        return false;
    watch_forget_blocks();
    arena_unmap_all();
    pool_init_lists();
    return true;
}

static bool pymalloc_walk(allocator_visitor *visit, void *context) {
    if (pymalloc.passed_blocks)
        return false;
    survey_walk(visit, context);
    return true;
}

static void pymalloc_check(void) {
    INVARIANT(pymalloc.passed_blocks > 0 || pymalloc.passed_bytes == 0, "(M1) no passed-on block, no passed-on byte");
    survey_check();
}

static const allocator pymalloc_with_parameters = {
    .name = "pymalloc", .idea = "CPython's arenas, pools and blocks, in other sizes",
    .thread_safe = false, .frees = true, .largest_bytes = SYSTEM_LARGEST_BYTES,
    .open = pymalloc_open_wanted, .alloc = pymalloc_alloc, .alloc_zeroed = pymalloc_alloc_zeroed,
    .resize = pymalloc_resize, .release = pymalloc_release_wanted, .usable_bytes = pymalloc_usable_bytes,
    .stats = pymalloc_stats, .trim = arena_trim, .reset = pymalloc_reset,
    .walk = pymalloc_walk, .check = pymalloc_check, .thread_exit = allocator_nothing,
    .fork_prepare = allocator_nothing, .fork_parent = allocator_nothing, .fork_child = allocator_nothing,
};

const allocator pymalloc_allocator = {
    .name = "pymalloc", .idea = "CPython 3.12's arenas, pools and blocks",
    .thread_safe = false, .frees = true, .largest_bytes = SYSTEM_LARGEST_BYTES,
    .parameters = pymalloc_parameters, .with_parameters = &pymalloc_with_parameters,
    .open = pymalloc_open, .alloc = pymalloc_alloc, .alloc_zeroed = pymalloc_alloc_zeroed,
    .resize = pymalloc_resize, .release = pymalloc_release, .usable_bytes = pymalloc_usable_bytes,
    .stats = pymalloc_stats, .trim = arena_trim, .reset = pymalloc_reset,
    .walk = pymalloc_walk, .check = pymalloc_check, .thread_exit = allocator_nothing,
    .fork_prepare = allocator_nothing, .fork_parent = allocator_nothing, .fork_child = allocator_nothing,
};
