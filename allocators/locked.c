/* SPDX-License-Identifier: MIT
 * locked.c - a wrapper: one mutex around every call, so that any allocator can serve threads.
 *
 * CPython's allocator needs the same: its lock is the GIL. Here it is an ordinary one, which glibc keeps
 * cheap (no atomic instruction) until the process starts its second thread.
 *
 * A visitor of walk runs with the lock held and must not call the allocator. Around a fork the lock is
 * held, so that the child never inherits a heap that another thread was in the middle of changing.
 */
#include "registry.h"

#include <pthread.h>

const char locked_idea[] = "a mutex around every call";

static struct {
    const allocator *inner;
    pthread_mutex_t  mutex;
    char             name[REGISTRY_NAME_BYTES];
    allocator        table;
} locked = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void locked_take(void) { pthread_mutex_lock(&locked.mutex); }
static void locked_give(void) { pthread_mutex_unlock(&locked.mutex); }

static bool locked_open(void) {
    locked_take();
    bool opened = locked.inner->open();
    locked_give();
    return opened;
}

static void *locked_alloc(size_t bytes, size_t alignment) {
    locked_take();
    void *block = locked.inner->alloc(bytes, alignment);
    locked_give();
    return block;
}

static void *locked_alloc_zeroed(size_t bytes, size_t alignment) {
    locked_take();
    void *block = locked.inner->alloc_zeroed(bytes, alignment);
    locked_give();
    return block;
}

static void *locked_resize(void *block, size_t old_bytes, size_t new_bytes) {
    locked_take();
    void *moved = locked.inner->resize(block, old_bytes, new_bytes);
    locked_give();
    return moved;
}

static void locked_release(void *block, size_t bytes) {
    locked_take();
    locked.inner->release(block, bytes);
    locked_give();
}

static size_t locked_usable_bytes(const void *block) {
    locked_take();
    size_t bytes = locked.inner->usable_bytes(block);
    locked_give();
    return bytes;
}

static bool locked_stats(allocator_stats *stats) {
    locked_take();
    bool known = locked.inner->stats(stats);
    locked_give();
    return known;
}

static void locked_trim(void) {
    locked_take();
    locked.inner->trim();
    locked_give();
}

static bool locked_reset(void) {
    locked_take();
    bool done = locked.inner->reset();
    locked_give();
    return done;
}

static bool locked_walk(allocator_visitor *visit, void *context) {
    locked_take();
    bool walked = locked.inner->walk(visit, context);
    locked_give();
    return walked;
}

static void locked_check(void) {
    locked_take();
    locked.inner->check();
    locked_give();
}

static void locked_thread_exit(void) {
    locked_take();
    locked.inner->thread_exit();
    locked_give();
}

static void locked_fork_prepare(void) {
    locked_take();
    locked.inner->fork_prepare();
}

static void locked_fork_parent(void) {
    locked.inner->fork_parent();
    locked_give();
}

static void locked_fork_child(void) {       /* the child's only thread is the one that took the lock */
    locked.inner->fork_child();
    locked_give();
}

const allocator *locked_wrap(const allocator *inner) {
    registry_wrapped_name(locked.name, "locked", inner);
    locked.inner = inner;
    locked.table = (allocator){
        .name = locked.name, .idea = locked_idea,
        .thread_safe = true, .thread_bound = inner->thread_bound, .frees = inner->frees, .largest_bytes = inner->largest_bytes,
        .largest_alignment = inner->largest_alignment,
        .open = locked_open, .alloc = locked_alloc, .alloc_zeroed = locked_alloc_zeroed,
        .resize = locked_resize, .release = locked_release, .usable_bytes = locked_usable_bytes,
        .stats = locked_stats, .trim = locked_trim, .reset = locked_reset,
        .walk = locked_walk, .check = locked_check, .thread_exit = locked_thread_exit,
        .fork_prepare = locked_fork_prepare, .fork_parent = locked_fork_parent, .fork_child = locked_fork_child,
    };
    return &locked.table;
}
