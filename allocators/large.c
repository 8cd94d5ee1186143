/* SPDX-License-Identifier: MIT
 * large.c - what stands in for the system's malloc in a library that is the system's malloc.
 *
 * pymalloc and magazine pass requests above 512 bytes on to system_allocator. In an executable that is the C
 * library (system.c). Where they are malloc themselves (malloc.c) it would be a call to themselves; there this
 * table has that name, and gets its memory from the OS alone.
 *
 *   up to 1 MiB   8 sizes for each power of two, a free list for each, cut from mapped chunks, never returned
 *   above         a mapping each, that grows by mremap and goes back to the OS when it is released
 *
 *   | ... | front, class, whole 16 | block ...              `front` is larger where the alignment is
 *
 * At most a ninth of a block is lost to rounding. Nothing is joined again: memory that was once cut for a size stays
 * with it. One lock: fewer than one request in ten comes here.
 *
 * (G1) a block of a free list has its class; a block in use has its whole size, head included, in its head
 */
#include "os_page.h"
#include "system.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

enum {
    LARGE_STEPS      = 8,                       /* sizes for each power of two */
    LARGE_LEAST_LOG  = 7,                       /* up to 128 bytes they are 16 bytes apart */
    LARGE_MOST_LOG   = 20,
    LARGE_CLASSES    = LARGE_STEPS * (LARGE_MOST_LOG - LARGE_LEAST_LOG + 1),
    LARGE_MAPPED     = UINT16_MAX,              /* no class: a mapping of its own */
};
#define LARGE_MOST_BYTES  ((size_t)1 << LARGE_MOST_LOG)
#define LARGE_CHUNK_BYTES ((size_t)8 << 20)

typedef struct large_head {
    uint32_t front;             /* bytes from the start to the block, this head included */
    uint32_t size_class;        /* or LARGE_MAPPED */
    size_t   whole;             /* bytes from the start to the end */
} large_head;

_Static_assert(sizeof(large_head) == ALLOCATOR_ALIGNMENT, "a head keeps what follows it aligned");

typedef struct large_free { struct large_free *next; } large_free;

static struct {
    pthread_mutex_t lock;
    large_free     *free[LARGE_CLASSES];
    char           *fresh, *fresh_end;          /* the uncut rest of the newest chunk */
} large = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void large_lock(void)   { pthread_mutex_lock(&large.lock); }
static void large_unlock(void) { pthread_mutex_unlock(&large.lock); }

/* The smallest class of at least so many bytes, 1 to LARGE_MOST_BYTES, and how many it has. */
static uint32_t large_class(size_t bytes) {
    if (bytes <= 1u << LARGE_LEAST_LOG)
        return (uint32_t)(bytes - 1) / 16;
    uint32_t log = 63 - (uint32_t)__builtin_clzll(bytes - 1), step = (uint32_t)((bytes - 1) >> (log - 3));   /* 8 to 15 */
    return LARGE_STEPS * (log - LARGE_LEAST_LOG + 1) + step - LARGE_STEPS;
}

static size_t large_class_bytes(uint32_t size_class) {
    if (size_class < LARGE_STEPS)
        return 16 * (size_class + 1);
    uint32_t log = size_class / LARGE_STEPS + LARGE_LEAST_LOG - 1, step = size_class % LARGE_STEPS + LARGE_STEPS;
    return (size_t)(step + 1) << (log - 3);
}

static void *large_map(size_t bytes) {
    void *space = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return space == MAP_FAILED ? NULL : space;
}

/* With the lock held. What remains of the old chunk was never touched, and so costs addresses alone. */
static void *large_cut(size_t bytes) {
    if ((size_t)(large.fresh_end - large.fresh) < bytes) {
        char *chunk = large_map(LARGE_CHUNK_BYTES);
        if (!chunk)
            return NULL;
        large.fresh = chunk;
        large.fresh_end = chunk + LARGE_CHUNK_BYTES;
    }
    large.fresh += bytes;
    return large.fresh - bytes;
}

static void *large_take(uint32_t size_class) {
    large_lock();
    large_free *block = large.free[size_class];
    if (block)
        large.free[size_class] = block->next;
    else
        block = large_cut(large_class_bytes(size_class));
    large_unlock();
    return block;
}

static large_head *large_head_of(const void *block) { return (large_head *)block - 1; }

static void *large_alloc(size_t bytes, size_t alignment) {
    size_t more = sizeof(large_head) + (alignment > ALLOCATOR_ALIGNMENT ? alignment : 0);
    if (bytes > SYSTEM_LARGEST_BYTES || more > UINT32_MAX)
        return NULL;
    size_t whole = bytes + more;
    uint32_t size_class = whole <= LARGE_MOST_BYTES ? large_class(whole) : LARGE_MAPPED;
    whole = size_class == LARGE_MAPPED ? os_page_up(whole) : large_class_bytes(size_class);
    char *start = size_class == LARGE_MAPPED ? large_map(whole) : large_take(size_class);
    if (!start)
        return NULL;
    size_t least = alignment > ALLOCATOR_ALIGNMENT ? alignment : ALLOCATOR_ALIGNMENT;
    char *block = (char *)(((uintptr_t)start + sizeof(large_head) + least - 1) & ~(least - 1));
    *large_head_of(block) = (large_head){ (uint32_t)(block - start), size_class, whole };
    return block;
}

static size_t large_usable_bytes(const void *block) {
    return large_head_of(block)->whole - large_head_of(block)->front;
}

/* A fresh mapping is zero already. */
static void *large_alloc_zeroed(size_t bytes, size_t alignment) {
    void *block = large_alloc(bytes, alignment);
    return block && large_head_of(block)->size_class != LARGE_MAPPED ? memset(block, 0, bytes) : block;
}

static void large_release(void *block, size_t bytes) {
    (void)bytes;
    if (!block)
        return;
    large_head head = *large_head_of(block);
    large_free *start = (large_free *)((char *)block - head.front);
    if (head.size_class == LARGE_MAPPED) {
        munmap(start, head.whole);
        return;
    }
    large_lock();
    start->next = large.free[head.size_class];
    large.free[head.size_class] = start;
    large_unlock();
}

static void *large_remap(char *block, size_t new_bytes) {
    large_head head = *large_head_of(block);
    size_t whole = os_page_up(head.front + new_bytes);
    char *start = mremap(block - head.front, head.whole, whole, MREMAP_MAYMOVE);
    if (start == MAP_FAILED)
        return NULL;
    large_head_of(start + head.front)->whole = whole;
    return start + head.front;
}

static void *large_resize(void *block, size_t old_bytes, size_t new_bytes) {
    const large_head *head = large_head_of(block);
    (void)old_bytes;
    if (new_bytes > SYSTEM_LARGEST_BYTES)
        return NULL;
    size_t whole = head->front + new_bytes, room = head->whole - head->front;
    if (head->size_class == LARGE_MAPPED && whole > LARGE_MOST_BYTES)
        return large_remap(block, new_bytes);
    if (head->size_class != LARGE_MAPPED && whole <= LARGE_MOST_BYTES && large_class(whole) == head->size_class)
        return block;
    void *moved = large_alloc(new_bytes, ALLOCATOR_ALIGNMENT);
    if (!moved)
        return NULL;
    memcpy(moved, block, new_bytes < room ? new_bytes : room);
    large_release(block, 0);
    return moved;
}

const allocator system_allocator = {
    .name = "system", .idea = "sizes an eighth apart, a free list each; mappings above a megabyte",
    .thread_safe = true, .frees = true, .largest_bytes = SYSTEM_LARGEST_BYTES,
    .open = allocator_opens, .alloc = large_alloc, .alloc_zeroed = large_alloc_zeroed,
    .resize = large_resize, .release = large_release, .usable_bytes = large_usable_bytes,
    .stats = allocator_cannot_say, .trim = allocator_nothing, .reset = allocator_cannot_reset,
    .walk = allocator_cannot_walk, .check = allocator_nothing, .thread_exit = allocator_nothing,
    .fork_prepare = large_lock, .fork_parent = large_unlock, .fork_child = large_unlock,
};
