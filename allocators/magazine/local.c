/* SPDX-License-Identifier: MIT
 * local.c - heaps of threads: filling and emptying magazines, foreign frees, birth, death and forks.
 *
 * There is one lock, for the region and the list of heaps. It is taken once a pool, not once a block.
 */
#include "local.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

local_heap local_nobody;
_Thread_local local_heap *local_mine = &local_nobody;

static struct {
    pthread_mutex_t  lock;
    pthread_key_t    key;           /* its destructor ends the heap of a thread that did not say that it ends */
    bool             has_key;
    local_heap      *heaps;         /* all that were ever made */
    _Atomic uint32_t dead;          /* of them */
} local = { .lock = PTHREAD_MUTEX_INITIALIZER };

void local_lock(void)   { pthread_mutex_lock(&local.lock); }
void local_unlock(void) { pthread_mutex_unlock(&local.lock); }
local_heap *local_first(void) { return local.heaps; }

/* --- lists of pools --- */

static bool local_is_empty(const bitpool_link *list) { return list->next == list; }

static void local_link_last(bitpool_link *list, bitpool *p) {
    p->link = (bitpool_link){ .next = list, .previous = list->previous };
    list->previous->next = &p->link;
    list->previous = &p->link;
}

static void local_unlink(bitpool *p) {
    p->link.next->previous = p->link.previous;
    p->link.previous->next = p->link.next;
}

/* Without a round or a pool; with so much room in each magazine. */
static void local_init(local_heap *heap, size_t room) {
    for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++) {
        void **rounds = heap->magazines[i].rounds;
        heap->marks[i] = (local_mark){ .top = rounds, .end = rounds + room };
        heap->open[i] = (bitpool_link){ &heap->open[i], &heap->open[i] };
        heap->full[i] = (bitpool_link){ &heap->full[i], &heap->full[i] };
        heap->pools[i] = 0;
    }
}

void local_open(void) {
    local_init(&local_nobody, 0);
}

/* --- pools come and go --- */

static bitpool *local_take_pool(local_heap *heap, uint32_t size_class) {
    local_lock();
    uint32_t pool = region_take_pool();
    bitpool *p = pool == REGION_NONE ? NULL : &region_state.pools[pool];
    if (p)
        atomic_store_explicit(&p->owner, heap, memory_order_relaxed);
    local_unlock();
    if (!p)
        return NULL;
    region_state.classes[pool] = (uint8_t)size_class;
    bitpool_start(p, size_class);
    local_link_last(&heap->open[size_class], p);
    heap->pools[size_class]++;
    return p;
}

static void local_return_pool(local_heap *heap, bitpool *p) {
    local_unlink(p);
    heap->pools[p->size_class]--;
    local_lock();
    atomic_store_explicit(&p->owner, NULL, memory_order_relaxed);
    region_return_pool(region_index(p));
    local_unlock();
}

/* Some blocks of a pool of this heap became free; it had free_before. A pool that was full goes to the end of
 * the line: until its turn comes, more of its blocks may become free, and are then taken in one go. */
static void local_file(local_heap *heap, bitpool *p, uint32_t free_before) {
    if (p->free_blocks == p->capacity) {
        local_return_pool(heap, p);
    } else if (free_before == 0 && p->free_blocks > 0) {
        local_unlink(p);
        local_link_last(&heap->open[p->size_class], p);
    }
}

/* --- foreign frees --- */

static void local_collect_list(local_heap *heap, bitpool_link *list) {
    for (bitpool_link *link = list->next, *next; link != list; link = next) {
        bitpool *p = (bitpool *)link;
        uint32_t before = p->free_blocks;
        next = link->next;
        if (bitpool_collect(p, &region_state.remotes[region_index(p)]))
            local_file(heap, p, before);
    }
}

static void local_collect(local_heap *heap, uint32_t size_class) {
    atomic_store_explicit(&heap->foreign_frees[size_class], 0, memory_order_relaxed);
    local_collect_list(heap, &heap->open[size_class]);      /* first: the other adds to it */
    local_collect_list(heap, &heap->full[size_class]);
}

static bool local_is_worth_a_look(local_heap *heap, uint32_t size_class) {
    uint32_t frees = atomic_load_explicit(&heap->foreign_frees[size_class], memory_order_relaxed);
    return frees > heap->pools[size_class] / LOCAL_SHARE;
}

/* The bit is written last: with it the block may be free, the pool be empty, and belong to somebody else. */
static void local_free_foreign(bitpool *p, uint32_t block) {
    bitpool_remote *remote = &region_state.remotes[region_index(p)];
    local_heap *owner = atomic_load_explicit(&p->owner, memory_order_relaxed);
    atomic_fetch_add_explicit(&owner->foreign_frees[p->size_class], 1, memory_order_relaxed);
    atomic_fetch_or_explicit(&remote->free[block / 64], UINT64_C(1) << block % 64, memory_order_release);
}

static void local_free(local_heap *heap, void *block) {
    uint32_t pool = region_pool(block);
    bitpool *p = &region_state.pools[pool];
    uint32_t i = bitpool_block(p, (uintptr_t)block % BITPOOL_BYTES);
    if (atomic_load_explicit(&p->owner, memory_order_relaxed) != heap) {
        local_free_foreign(p, i);
        return;
    }
    p->free[i / 64] |= UINT64_C(1) << i % 64;
    uint32_t before = p->free_blocks++;
    if (before == 0 || p->free_blocks == p->capacity)
        local_file(heap, p, before);
}

/* --- heaps come and go --- */

static void local_destroy(void *heap) {
    (void)heap;
    local_thread_exit();
}

/* With the lock held. A heap in that state becomes a live one, or NULL. */
static local_heap *local_revive(local_state state) {
    for (local_heap *heap = local.heaps; heap; heap = heap->next)
        if (heap->state == state) {
            heap->state = LOCAL_LIVE;
            return heap;
        }
    return NULL;
}

static local_heap *local_make(void) {
    local_heap *heap = mmap(NULL, sizeof *heap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (heap == MAP_FAILED)
        return NULL;
    local_init(heap, LOCAL_ROUNDS);
    heap->state = LOCAL_LIVE;
    heap->next = local.heaps;
    return local.heaps = heap;
}

local_heap *local_own(void) {
    if (local_mine != &local_nobody)
        return local_mine;
    local_lock();
    if (!local.has_key)
        local.has_key = !pthread_key_create(&local.key, local_destroy);
    local_heap *heap = local_revive(LOCAL_DEAD);
    if (heap)
        local.dead--;
    else if (!(heap = local_revive(LOCAL_SPARE)))
        heap = local_make();
    local_unlock();
    if (!heap)
        return NULL;
    local_mine = heap;              /* first: pthread_setspecific may allocate */
    if (local.has_key)
        pthread_setspecific(local.key, heap);
    return heap;
}

static void local_empty_magazine(local_heap *heap, uint32_t size_class) {
    void **rounds = heap->magazines[size_class].rounds;
    for (uint32_t i = 0, count = local_count(heap, size_class); i < count; i++)
        local_free(heap, rounds[i]);
    heap->marks[size_class].top = rounds;
}

void local_thread_exit(void) {
    local_heap *heap = local_mine;
    if (heap == &local_nobody)
        return;
    for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++) {
        local_empty_magazine(heap, i);
        local_collect(heap, i);
    }
    local_mine = &local_nobody;
    if (local.has_key)
        pthread_setspecific(local.key, NULL);
    local_lock();
    heap->state = LOCAL_DEAD;
    local.dead++;
    local_unlock();
}

static void local_merge_list(local_heap *heap, bitpool_link *list) {
    while (!local_is_empty(list)) {
        bitpool *p = (bitpool *)list->next;
        local_unlink(p);
        atomic_store_explicit(&p->owner, heap, memory_order_relaxed);
        bitpool_collect(p, &region_state.remotes[region_index(p)]);
        local_link_last(p->free_blocks ? &heap->open[p->size_class] : &heap->full[p->size_class], p);
        heap->pools[p->size_class]++;
        if (p->free_blocks == p->capacity)
            local_return_pool(heap, p);
    }
}

/* All that a heap without a thread has becomes this one's. While that lasts the other is LIVE, which in the
 * child of a fork means lost. False: there is none. */
static bool local_merge_dead(local_heap *heap) {
    if (atomic_load_explicit(&local.dead, memory_order_relaxed) == 0)
        return false;
    local_lock();
    local_heap *dead = local_revive(LOCAL_DEAD);
    if (dead)
        local.dead--;
    local_unlock();
    if (!dead)
        return false;
    for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++) {
        local_merge_list(heap, &dead->open[i]);
        local_merge_list(heap, &dead->full[i]);
        dead->pools[i] = 0;
    }
    local_lock();
    dead->state = LOCAL_SPARE;
    local_unlock();
    return true;
}

/* --- magazines --- */

/* The pool that is next to give blocks, or NULL. */
static bitpool *local_find_pool(local_heap *heap, uint32_t size_class) {
    bitpool_link *open = &heap->open[size_class];
    if (!local_is_empty(open))
        return (bitpool *)open->next;
    if (local_is_worth_a_look(heap, size_class))
        local_collect(heap, size_class);
    while (local_is_empty(open) && local_merge_dead(heap)) {}
    if (!local_is_empty(open))
        return (bitpool *)open->next;
    bitpool *fresh = local_take_pool(heap, size_class);
    if (fresh)
        return fresh;
    local_collect(heap, size_class);                /* the range is full: now every block is worth it */
    return local_is_empty(open) ? NULL : (bitpool *)open->next;
}

/* Half a magazine, or less where the open pools have less: a new pool is for an empty magazine alone. */
static bool local_fill(local_heap *heap, uint32_t size_class) {
    void **rounds = heap->magazines[size_class].rounds;
    uint32_t missing = LOCAL_HALF;
    while (missing > 0 && (missing == LOCAL_HALF || !local_is_empty(&heap->open[size_class]))) {
        bitpool *p = local_find_pool(heap, size_class);
        if (!p)
            return false;
        missing -= bitpool_take(p, region_address(region_index(p)), rounds + missing, missing);
        if (p->free_blocks == 0) {
            local_unlink(p);
            local_link_last(&heap->full[size_class], p);
        }
    }
    if (missing)
        memmove(rounds, rounds + missing, (LOCAL_HALF - missing) * sizeof *rounds);
    heap->marks[size_class].top = rounds + LOCAL_HALF - missing;
    return true;
}

void *local_refill(uint32_t size_class) {
    local_heap *heap = local_own();
    if (!heap)
        return NULL;
    if (local_count(heap, size_class) == 0 && !local_fill(heap, size_class))    /* making a heap may have filled it */
        return NULL;
    return *--heap->marks[size_class].top;
}

void local_put_back(void *block, uint32_t size_class) {
    local_heap *heap = local_own();
    if (!heap) {                                    /* local_nobody owns no pool: so it is a foreign free */
        local_free(&local_nobody, block);
        return;
    }
    void **rounds = heap->magazines[size_class].rounds;
    if (local_count(heap, size_class) == LOCAL_ROUNDS) {
        for (uint32_t i = 0; i < LOCAL_HALF; i++)
            local_free(heap, rounds[i]);
        memcpy(rounds, rounds + LOCAL_HALF, LOCAL_HALF * sizeof *rounds);
        heap->marks[size_class].top = rounds + LOCAL_HALF;
    }
    *heap->marks[size_class].top++ = block;
}

static void local_trim_heap(local_heap *heap) {
    while (local_merge_dead(heap)) {}
    for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++) {
        local_empty_magazine(heap, i);
        local_collect(heap, i);
    }
}

void local_trim(void) {
    local_heap *heap = local_own();
    if (heap)
        local_trim_heap(heap);
    local_lock();
    region_trim();
    local_unlock();
}

/* --- forks and endings --- */

void local_fork_prepare(void) { local_lock(); }
void local_fork_parent(void)  { local_unlock(); }

void local_fork_child(void) {
    for (local_heap *heap = local.heaps; heap; heap = heap->next)
        if (heap->state == LOCAL_LIVE && heap != local_mine)
            heap->state = LOCAL_LOST;
    local_unlock();
}

void local_reset(void) {
    local_lock();
    for (local_heap *heap = local.heaps; heap; heap = heap->next) {
        memset(heap->foreign_frees, 0, sizeof heap->foreign_frees);
        local_init(heap, LOCAL_ROUNDS);
    }
    region_reset();
    local_unlock();
}
