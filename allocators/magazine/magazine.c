/* SPDX-License-Identifier: MIT
 * magazine.c - pymalloc's arenas, pools and classes, tuned, and for many threads at once.
 *
 *   request of 1 .. 512 bytes -> size class -> this thread's magazine of the class: the last round
 *                                              none? half a magazine from a pool (local.h, bitpool.h)
 *   anything else             -> malloc        (0 bytes, more than 512, aligned beyond 16)
 *
 * What is other than in pymalloc, in the order of what it gained:
 *   arenas are kept, because a page that comes anew from the OS costs as much as a hundred pairs;
 *   free blocks are bits, so that a pool is carved in order again, however it was emptied;
 *   the last blocks freed wait in an array, which a processor reads ahead, not in a list, which it cannot;
 *   all arenas are in one range, so that whose a block is costs a comparison (region.h);
 *   who tells release the size spares the look at what the pool's is.
 *
 * What it is bad at: each thread keeps up to 64 blocks of each class, half a megabyte at most, and each of them may
 * pin another pool; arenas that were once needed stay (trim returns them, keep= says how many); a size that is told
 * wrongly is not noticed, as in C++'s sized delete.
 *
 * Sources: local.h, region.h.
 */
#include "../allocator.h"
#include "../pymalloc/watch.h"
#include "../registry.h"
#include "../system.h"
#include "local.h"
#include "muster.h"

#include <string.h>

#define MAGAZINE_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define MAGAZINE_SLOW              __attribute__((noinline, cold))

static struct {
    bool   opened;
    size_t keep;        /* arenas, as the parameter of the next open says */
} magazine;

/* The registry sets it before each open, to the usual number where the spec has none. */
static bool magazine_set_keep(const char *value) {
    return registry_read_count(value, REGION_KEEP, &magazine.keep);
}

static const allocator_parameter magazine_parameters[] = {
    { "keep", "none, all or a number of arenas", magazine_set_keep },
    { 0 },
};

static bool magazine_open(void) {
    if (!magazine.opened) {
        watch_begin();
        local_open();
        magazine.opened = region_open() && system_allocator.open();
    }
    local_lock();
    region_set_keep(magazine.keep);
    local_unlock();
    return magazine.opened;
}

/* --- requests that are passed on --- */

/* Each thread keeps its own books, and only the sum over all of them means something. */
static inline void magazine_note_passed(size_t blocks, size_t bytes) {
    local_heap *heap = local_mine;
    if (heap == &local_nobody && !(heap = local_own()))
        return;
    size_t had_blocks = atomic_load_explicit(&heap->passed_blocks, memory_order_relaxed);
    size_t had_bytes = atomic_load_explicit(&heap->passed_bytes, memory_order_relaxed);
    atomic_store_explicit(&heap->passed_blocks, had_blocks + blocks, memory_order_relaxed);
    atomic_store_explicit(&heap->passed_bytes, had_bytes + bytes, memory_order_relaxed);
}

MAGAZINE_SLOW static void *magazine_pass_on(size_t bytes, size_t alignment, bool zeroed) {
    void *block = zeroed ? system_allocator.alloc_zeroed(bytes ? bytes : 1, alignment)
                         : system_allocator.alloc(bytes ? bytes : 1, alignment);
    if (block)
        magazine_note_passed(1, system_allocator.usable_bytes(block));
    return block;
}

MAGAZINE_SLOW static void magazine_release_passed(void *block) {
    if (!block)
        return;
    magazine_note_passed((size_t)-1, -system_allocator.usable_bytes(block));
    system_allocator.release(block, 0);
}

/* A passed-on block stays with malloc, even when it becomes small. */
MAGAZINE_SLOW static void *magazine_resize_passed(void *block, size_t new_bytes) {
    size_t old_room = system_allocator.usable_bytes(block);
    void *moved = system_allocator.resize(block, 0, new_bytes ? new_bytes : 1);
    if (moved)
        magazine_note_passed(0, system_allocator.usable_bytes(moved) - old_room);
    return moved;
}

/* --- small requests --- */

MAGAZINE_SLOW static void *magazine_refill(size_t bytes) {
    void *block = local_refill(size_class_of(bytes));
    if (!block)                             /* malloc may still have some */
        return magazine_pass_on(bytes, ALLOCATOR_ALIGNMENT, false);
    watch_grant(block, bytes);
    return block;
}

static void *magazine_alloc(size_t bytes, size_t alignment) {
    if (!MAGAZINE_LIKELY(bytes - 1 < SIZE_CLASS_LARGEST && alignment <= ALLOCATOR_ALIGNMENT))
        return magazine_pass_on(bytes, alignment, false);       /* bytes == 0 wraps */
    size_t size_class = (bytes - 1) >> SIZE_CLASS_SHIFT;
    local_mark *mark = &local_mine->marks[size_class];
    void **top = mark->top - 1, *block = *top;
    if (!MAGAZINE_LIKELY(block))
        return magazine_refill(bytes);
    mark->top = top;
    watch_grant(block, bytes);
    return block;
}

MAGAZINE_SLOW static void magazine_put_back(void *block, uint32_t size_class) {
    local_put_back(block, size_class);
}

static void magazine_release(void *block, size_t bytes) {
    if (!MAGAZINE_LIKELY(region_owns(block))) {
        magazine_release_passed(block);
        return;
    }
    size_t size_class = bytes ? (bytes - 1) >> SIZE_CLASS_SHIFT : region_state.classes[region_pool(block)];
    watch_take(block, size_class_bytes((uint32_t)size_class));
    local_mark *mark = &local_mine->marks[size_class];
    void **top = mark->top;
    if (!MAGAZINE_LIKELY(top != mark->end)) {
        magazine_put_back(block, (uint32_t)size_class);
        return;
    }
    *top = block;
    mark->top = top + 1;
}

static void *magazine_alloc_zeroed(size_t bytes, size_t alignment) {
    if (!(bytes - 1 < SIZE_CLASS_LARGEST && alignment <= ALLOCATOR_ALIGNMENT))
        return magazine_pass_on(bytes, alignment, true);
    void *block = magazine_alloc(bytes, alignment);
    return block ? memset(block, 0, bytes) : NULL;
}

/* A block stays where it is while its class does: release is told the new size, and must find the class in it. */
static void *magazine_resize(void *block, size_t old_bytes, size_t new_bytes) {
    (void)old_bytes;
    if (!region_owns(block))
        return magazine_resize_passed(block, new_bytes);
    uint32_t size_class = region_state.classes[region_pool(block)];
    size_t room = size_class_bytes(size_class);
    if (new_bytes - 1 < SIZE_CLASS_LARGEST && size_class_of(new_bytes) == size_class) {
        watch_take(block, room);
        watch_grant(block, new_bytes);
        watch_open(block, new_bytes);       /* it still has what it had */
        return block;
    }
    void *moved = magazine_alloc(new_bytes, ALLOCATOR_ALIGNMENT);
    if (!moved)
        return NULL;
    watch_open(block, room);                /* what was asked for is not known, so all of it is copied */
    memcpy(moved, block, new_bytes < room ? new_bytes : room);
    magazine_release(block, room);
    return moved;
}

static size_t magazine_usable_bytes(const void *block) {
    return region_owns(block) ? size_class_bytes(region_state.classes[region_pool(block)])
                              : system_allocator.usable_bytes(block);
}

/* --- the whole heap --- */

static bool magazine_stats(allocator_stats *stats) {
    muster_stats(stats);
    return true;
}

/* As in pymalloc: blocks that were passed on are counted, not known. */
static bool magazine_reset(void) {
    if (muster_passed_blocks())
        return false;
    watch_forget_blocks();
    local_reset();
    return true;
}

static bool magazine_walk(allocator_visitor *visit, void *context) {
    if (muster_passed_blocks())
        return false;
    muster_walk(visit, context);
    return true;
}

const allocator magazine_allocator = {
    .name = "magazine", .idea = "pymalloc's pools with bits, and arrays of blocks before them; a heap per thread",
    .thread_safe = true, .frees = true, .largest_bytes = SYSTEM_LARGEST_BYTES,
    .parameters = magazine_parameters,
    .open = magazine_open, .alloc = magazine_alloc, .alloc_zeroed = magazine_alloc_zeroed,
    .resize = magazine_resize, .release = magazine_release, .usable_bytes = magazine_usable_bytes,
    .stats = magazine_stats, .trim = local_trim, .reset = magazine_reset,
    .walk = magazine_walk, .check = muster_check, .thread_exit = local_thread_exit,
    .fork_prepare = local_fork_prepare, .fork_parent = local_fork_parent, .fork_child = local_fork_child,
};
