/* SPDX-License-Identifier: MIT
 * bump.c - never frees: the floor under every allocator.
 *
 *   start        top              dirty                     end
 *   | handed out | touched before | never touched, all zero |
 *
 * An allocation is an addition and a comparison. release does nothing; reset moves top back to the start
 * and leaves the pages, so that a second round runs on memory the OS has already given.
 * The space is one mapping without reserve, as large as the OS agrees to: when it is full, requests are
 * refused. Not thread-safe, because a floor should be plain: locked:bump is.
 *
 * (B1) start <= top <= dirty <= end, all multiples of 16
 * (B2) the bytes from dirty to end are zero
 */
#include "allocator.h"
#include "invariant.h"
#include "os_page.h"
#include "registry.h"

#include <string.h>
#include <sys/mman.h>

#define BUMP_MOST_BYTES  ((size_t)64 << 30)
#define BUMP_LEAST_BYTES ((size_t)1 << 20)

static struct {
    char  *start, *top, *dirty, *end;
    size_t blocks;                      /* handed out since the last reset */
} bump;

static bool bump_open(void) {
    if (bump.start)
        return true;
    for (size_t bytes = BUMP_MOST_BYTES; bytes >= BUMP_LEAST_BYTES; bytes /= 2) {
        void *space = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (space == MAP_FAILED)
            continue;
        bump.start = bump.top = bump.dirty = space;
        bump.end = bump.start + bytes;
        return true;
    }
    return false;
}

static inline size_t bump_up(size_t n, size_t multiple) {
    return (n + multiple - 1) & ~(multiple - 1);
}

static void *bump_alloc(size_t bytes, size_t alignment) {
    if (bytes > BUMP_MOST_BYTES)
        return NULL;                                        /* so that the sums below cannot wrap */
    size_t room = bytes ? bump_up(bytes, ALLOCATOR_ALIGNMENT) : ALLOCATOR_ALIGNMENT;
    size_t skip = alignment > ALLOCATOR_ALIGNMENT ? bump_up((size_t)bump.top, alignment) - (size_t)bump.top : 0;
    if (room + skip > (size_t)(bump.end - bump.top))
        return NULL;
    char *block = bump.top + skip;
    bump.top = block + room;
    if (bump.top > bump.dirty)
        bump.dirty = bump.top;
    bump.blocks++;
    return block;
}

/* Only what a reset left behind must be zeroed; the OS did the rest. */
static void *bump_alloc_zeroed(size_t bytes, size_t alignment) {
    char *dirty = bump.dirty, *block = bump_alloc(bytes, alignment);
    if (block && block < dirty)
        memset(block, 0, bytes < (size_t)(dirty - block) ? bytes : (size_t)(dirty - block));
    return block;
}

/* Where the old size is not known, all from the block to the top is copied, up to the new size: the block
 * is in it. What lies behind the block may be another thread's, which is writing it at this moment, behind
 * the back of locked:bump: hence single words, and no word with the race detector. Nobody looks at them. */
__attribute__((no_sanitize("thread")))
static void bump_copy_unknown(uint64_t *to, const uint64_t *from, size_t bytes) {
    for (size_t i = 0; i * sizeof *to < bytes; i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

static void *bump_resize(void *block, size_t old_bytes, size_t new_bytes) {
    if (old_bytes && new_bytes <= old_bytes)
        return block;
    size_t behind = (size_t)(bump.top - (char *)block);
    void *moved = bump_alloc(new_bytes, ALLOCATOR_ALIGNMENT);
    if (moved && old_bytes)
        memcpy(moved, block, old_bytes);
    else if (moved)
        bump_copy_unknown(moved, block, behind < new_bytes ? behind : new_bytes);
    return moved;
}

static void bump_release(void *block, size_t bytes) {
    (void)block, (void)bytes;
}

static size_t bump_usable_bytes(const void *block) {
    (void)block;
    return 0;
}

static bool bump_stats(allocator_stats *stats) {
    *stats = (allocator_stats){
        .known = ALLOCATOR_KNOWS_HELD | ALLOCATOR_KNOWS_USED,
        .held_bytes = os_page_up((size_t)(bump.dirty - bump.start)),
        .used_bytes = (size_t)(bump.top - bump.start),
        .used_blocks = bump.blocks,
    };
    return true;
}

static void bump_trim(void) {
    size_t kept = os_page_up((size_t)(bump.top - bump.start));
    size_t touched = os_page_up((size_t)(bump.dirty - bump.start));
    if (kept < touched && !madvise(bump.start + kept, touched - kept, MADV_DONTNEED))
        bump.dirty = bump.start + kept;                     /* the OS gives zeroes when they come back */
}

static bool bump_reset(void) {
    bump.top = bump.start;
    bump.blocks = 0;
    return true;
}

static void bump_check(void) {
    INVARIANT(bump.start <= bump.top && bump.top <= bump.dirty && bump.dirty <= bump.end,
              "(B1) the marks are in order");
    INVARIANT(((size_t)bump.top | (size_t)bump.dirty) % ALLOCATOR_ALIGNMENT == 0, "(B1) the marks are aligned");
    size_t rest = os_page_up((size_t)bump.dirty) - (size_t)bump.dirty;    /* of a page that is there */
    for (size_t i = 0; i < rest && bump.dirty + i < bump.end; i++)
        INVARIANT(bump.dirty[i] == 0, "(B2) what was never handed out is zero");
}

const allocator bump_allocator = {
    .name = "bump", .idea = "adds to a pointer, never frees: the floor",
    .thread_safe = false, .frees = false, .largest_bytes = BUMP_MOST_BYTES,
    .open = bump_open, .alloc = bump_alloc, .alloc_zeroed = bump_alloc_zeroed,
    .resize = bump_resize, .release = bump_release, .usable_bytes = bump_usable_bytes,
    .stats = bump_stats, .trim = bump_trim, .reset = bump_reset,
    .walk = allocator_cannot_walk, .check = bump_check, .thread_exit = allocator_nothing,
    .fork_prepare = allocator_nothing, .fork_parent = allocator_nothing, .fork_child = allocator_nothing,
};
