/* SPDX-License-Identifier: MIT
 * chunks.c - where pages come from, and how blocks that other threads freed come home.
 *
 * One lock for chunks, large blocks and heaps that were left: taken once a page, not once a block. The
 * first remote block of a page puts the page on its owner's `returned` stack, under the lock of the page,
 * so that the owner cannot change meanwhile; later ones only push themselves. So a page is on one such
 * stack at most, and whoever takes the pages of a left heap finds all that came back on that heap's stack.
 */
#include <sys/mman.h>

#include "../allocators/os_page.h"
#include "chunk_space.h"
#include "spin.h"

enum {
    CHUNKS_CARVED_BYTES = 4096,                 /* a page's blocks enter its free list in such portions, on any OS */
    CHUNKS_ALL_FREE = (1 << CHUNK_PAGES) - (1 << CHUNK_FIRST_PAGE),
};

_Static_assert(sizeof(chunk) <= CHUNK_PAGE_BYTES, "the header is page 0");
_Static_assert(CHUNK_PAGE_BYTES % OS_PAGE_MOST_BYTES == 0, "chunks and large blocks are whole pages of the OS");
_Static_assert(offsetof(chunk, marks) + CHUNK_LARGE_OFFSET / CHUNK_GRANULE / 8 < CHUNK_LARGE_OFFSET,
               "the mark of a large block lies before it");
_Static_assert((CHUNK_PAGES - CHUNK_FIRST_PAGE) * CHUNK_PAGE_GRANULES * sizeof(uint32_t) <=
               (CHUNK_FIRST_PAGE - 1) * CHUNK_PAGE_BYTES, "side words fit before the pages");

struct chunk_space chunk_space = {.lock = PTHREAD_MUTEX_INITIALIZER};
chunk_page chunks_no_page;

/* --- mappings -------------------------------------------------------------------------------------- */

/* `bytes` at a multiple of CHUNK_BYTES, counted as held. */
static chunk *chunks_map(size_t bytes) {
    if (!heap_limit_take(bytes)) return NULL;
    char *memory = mmap(NULL, bytes + CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        heap_limit_give(bytes);
        return NULL;
    }
    atomic_fetch_add(&chunk_space.held_bytes, bytes);
    size_t before = -(uintptr_t)memory & (CHUNK_BYTES - 1);
    if (before != 0) munmap(memory, before);
    munmap(memory + before + bytes, CHUNK_BYTES - before);
    chunk *made = (chunk *)(memory + before);
    CHUNKS_UNPOISON(made, bytes);
    made->mapped_bytes = bytes;
    return made;
}

static void chunks_unmap(chunk *c) {
    size_t bytes = c->mapped_bytes;
    CHUNKS_UNPOISON(c, bytes);
    munmap(c, bytes);
    atomic_fetch_sub(&chunk_space.held_bytes, bytes);
    heap_limit_give(bytes);
}

static void chunks_put(chunk **list, chunk *c) {
    c->next = *list;
    c->previous = NULL;
    if (c->next != NULL) c->next->previous = c;
    *list = c;
}
static void chunks_cut(chunk **list, chunk *c) {
    if (c->previous != NULL) c->previous->next = c->next;
    else *list = c->next;
    if (c->next != NULL) c->next->previous = c->previous;
}

/* --- pages come and go ----------------------------------------------------------------------------- */

static chunk_page *page_fresh(chunk_heap *mine, unsigned class) {
    pthread_mutex_lock(&chunk_space.lock);
    chunk *c = chunk_space.roomy;
    if (c == NULL && (c = chunks_map(CHUNK_BYTES)) != NULL) {
        c->free_pages = CHUNKS_ALL_FREE;
        chunks_put(&chunk_space.roomy, c);
    }
    if (c == NULL) {
        pthread_mutex_unlock(&chunk_space.lock);
        return NULL;
    }
    if (c == chunk_space.spare) chunk_space.spare = NULL;
    unsigned i = (unsigned)__builtin_ctz(c->free_pages);
    chunk_page *page = &c->pages[i];
    size_t bytes = chunks_class_bytes(class);
    c->free_pages &= ~(1u << i);
    if (c->free_pages == 0) {
        chunks_cut(&chunk_space.roomy, c);
        chunks_put(&chunk_space.packed, c);
    }
    page->start = (char *)c + i * CHUNK_PAGE_BYTES;
    page->free = page->hidden = NULL;
    page->used = page->carved = 0;
    page->blocks = (uint32_t)(CHUNK_PAGE_BYTES / bytes);
    page->reciprocal = (uint32_t)(((uint64_t)1 << 32) / bytes + 1);
    page->block_bytes = bytes;
    page->class = (unsigned char)class;
    page->full = page->unswept = false;
    atomic_store_explicit(&page->owner, mine, memory_order_relaxed);
    pthread_mutex_unlock(&chunk_space.lock);
    CHUNKS_POISON(page->start, CHUNK_PAGE_BYTES);
    page_put(&mine->current[class], page);
    return page;
}

void page_retire(chunk_page *page) {
    chunk *c = chunks_chunk_of(page), *empty = NULL;
    chunk_heap *heap = chunks_owner(page);
    page_cut(page->full ? &heap->full : &heap->current[page->class], page);
    pthread_mutex_lock(&chunk_space.lock);
    atomic_store_explicit(&page->owner, NULL, memory_order_relaxed);
    page->block_bytes = 0;
    if (c->free_pages == 0) {
        chunks_cut(&chunk_space.packed, c);
        chunks_put(&chunk_space.roomy, c);
    }
    c->free_pages |= 1u << (page - c->pages);
    if (c->free_pages == CHUNKS_ALL_FREE) {
        if (chunk_space.spare == NULL) chunk_space.spare = c;
        else if (chunks_held_bytes() > chunk_space.keep_bytes) chunks_cut(&chunk_space.roomy, empty = c);
    }
    if (empty != NULL) chunks_unmap(empty);
    pthread_mutex_unlock(&chunk_space.lock);
}

void chunks_keep(size_t bytes) {
    chunk_space.keep_bytes = bytes;
    for (chunk *c = chunk_space.roomy, *next; c != NULL && chunks_held_bytes() > bytes; c = next) {
        next = c->next;
        if (c == chunk_space.spare || c->free_pages != CHUNKS_ALL_FREE) continue;
        chunks_cut(&chunk_space.roomy, c);
        chunks_unmap(c);
    }
}

/* A block came back: the page may have room again, or nothing in it. The page that its heap allocates
 * from stays, so that a pair of births and deaths does not make and retire a page each time. */
void chunks_settle(chunk_page *page) {
    page_move(page, false);
    chunk_heap *heap = chunks_owner(page);
    chunk_page *current = heap->current[page->class];
    if (page->used == 0 && !page->unswept && !chunk_space.walking && (current != page || page->next != &chunks_no_page)) page_retire(page);
}

static void page_carve(chunk_page *page) {
    uint32_t count = (uint32_t)(CHUNKS_CARVED_BYTES / page->block_bytes), left = page->blocks - page->carved;
    if (count == 0) count = 1;
    if (count > left) count = left;
    for (uint32_t i = page->carved + count; i-- > page->carved;) {
        char *block = page->start + i * page->block_bytes;
        chunks_set_link(block, page->free);
        page->free = block;
    }
    page->carved += count;
}

/* --- blocks that other threads freed --------------------------------------------------------------- */

/* Under the lock, so that who put the page on the stack has let go of it: with its last block home the page may be
 * unmapped here. */
static void page_bring_home(chunk_page *page) {
    spin_lock(&page->lock);
    void *block = atomic_exchange_explicit(&page->remote, NULL, memory_order_acq_rel);
    spin_unlock(&page->lock);
    while (block != NULL) {
        void *next = chunks_link(block);
        chunks_set_link(block, page->free);
        page->free = block;
        page->used--;
        block = next;
    }
    chunks_settle(page);
}

/* The link is read before the page's list is emptied: from then on the page may be put on a stack again. */
void heap_bring_home(chunk_heap *heap) {
    chunk_page *page = atomic_exchange_explicit(&heap->returned, NULL, memory_order_acquire);
    while (page != NULL) {
        chunk_page *next = page->returned_next;
        page_bring_home(page);
        page = next;
    }
}

/* The first block on the list: the page goes on its owner's stack, and the owner stays the same meanwhile. */
static void page_return_first(chunk_page *page, void *block) {
    spin_lock(&page->lock);
    void *head = atomic_load_explicit(&page->remote, memory_order_relaxed);
    do
        chunks_set_link(block, head);
    while (!atomic_compare_exchange_weak_explicit(&page->remote, &head, block, memory_order_acq_rel, memory_order_relaxed));
    if (head == NULL) {
        chunk_heap *owner = chunks_owner(page);
        chunk_page *top = atomic_load_explicit(&owner->returned, memory_order_relaxed);
        do
            page->returned_next = top;
        while (!atomic_compare_exchange_weak_explicit(&owner->returned, &top, page, memory_order_release, memory_order_relaxed));
    }
    spin_unlock(&page->lock);
}

void chunk_large_free(chunk *c) {
    pthread_mutex_lock(&chunk_space.lock);
    chunks_cut(&chunk_space.large, c);
    pthread_mutex_unlock(&chunk_space.lock);
    chunks_unmap(c);
}

void chunks_free_slow(void *block) {
    chunk_page *page = chunks_page_of(block);
    if (chunks_chunk_of(block)->large_bytes != 0) {
        chunk_large_free(chunks_chunk_of(block));
        return;
    }
    CHUNKS_POISON(block, page->block_bytes);
    if (chunk_space.walking) {                                /* all stand still: the owner does not mind */
        chunks_set_link(block, page->free);
        page->free = block;
        page->used--;
        chunks_settle(page);
        return;
    }
    void *head = atomic_load_explicit(&page->remote, memory_order_relaxed);
    while (head != NULL) {
        chunks_set_link(block, head);
        if (atomic_compare_exchange_weak_explicit(&page->remote, &head, block, memory_order_release, memory_order_relaxed))
            return;
    }
    page_return_first(page, block);
}

/* --- allocation, when the current page has no block ready ------------------------------------------- */

static void *large_alloc(size_t bytes) {
    size_t mapped_bytes;
    if (__builtin_add_overflow(bytes, CHUNK_LARGE_OFFSET + CHUNK_PAGE_BYTES - 1, &mapped_bytes) || mapped_bytes > PTRDIFF_MAX) return NULL;
    chunk *c = chunks_map(mapped_bytes & ~(size_t)(CHUNK_PAGE_BYTES - 1));
    if (c == NULL) return NULL;
    c->large_bytes = c->pages[0].block_bytes = bytes;
    c->pages[0].start = (char *)c + CHUNK_LARGE_OFFSET;
    pthread_mutex_lock(&chunk_space.lock);
    chunks_put(&chunk_space.large, c);
    pthread_mutex_unlock(&chunk_space.lock);
    return c->pages[0].start;
}

static chunk_heap *heap_take(int state) {               /* the lock is held */
    for (chunk_heap *heap = chunk_space.heaps; heap != NULL; heap = heap->next) {
        if ((int)heap->state != state) continue;
        if (state == CHUNK_HEAP_LEFT) atomic_fetch_sub(&chunk_space.left, 1);
        heap->state = CHUNK_HEAP_USED;
        return heap;
    }
    return NULL;
}

static void heap_take_over(chunk_heap *mine, chunk_page **from) {
    while (*from != &chunks_no_page) {
        chunk_page *page = *from;
        page_cut(from, page);
        spin_lock(&page->lock);
        atomic_store_explicit(&page->owner, mine, memory_order_relaxed);
        spin_unlock(&page->lock);
        page_put(page->full ? &mine->full : &mine->current[page->class], page);
    }
}

/* The pages first, then what came back to them: no page can be put on the left heap's stack any more. */
static bool heap_adopt(chunk_heap *mine) {
    if (atomic_load_explicit(&chunk_space.left, memory_order_relaxed) == 0) return false;
    pthread_mutex_lock(&chunk_space.lock);
    chunk_heap *left = heap_take(CHUNK_HEAP_LEFT);
    pthread_mutex_unlock(&chunk_space.lock);
    if (left == NULL) return false;
    for (unsigned class = 0; class < CHUNK_CLASSES; class++)
        heap_take_over(mine, &left->current[class]);
    heap_take_over(mine, &left->full);
    heap_bring_home(left);
    pthread_mutex_lock(&chunk_space.lock);
    left->state = CHUNK_HEAP_VACANT;
    pthread_mutex_unlock(&chunk_space.lock);
    return true;
}

__attribute__((noinline, cold)) void *chunks_alloc_slow(chunk_heap *mine, size_t bytes) {
    if (bytes > CHUNK_CLASS_BYTES) return large_alloc(bytes);
    unsigned class = chunks_class(bytes);
    heap_bring_home(mine);
    for (;;) {
        chunk_page *page = mine->current[class];
        if (page == &chunks_no_page && !heap_adopt(mine) && page_fresh(mine, class) == NULL) return NULL;
        page = mine->current[class];
        if (page == &chunks_no_page) continue;
        if (page->unswept) page_sweep(page);
        if (page->free == NULL) page_carve(page);
        if (page->free != NULL) return chunks_alloc(mine, bytes);
        page_move(page, true);
    }
}

/* --- opening, and threads that come and go ----------------------------------------------------------- */

static void chunk_unmap_all(chunk **list) {
    for (chunk *c = *list, *next; c != NULL; c = next) {
        next = c->next;
        chunks_unmap(c);
    }
    *list = NULL;
}

void chunks_close(void) {
    chunk_unmap_all(&chunk_space.roomy);
    chunk_unmap_all(&chunk_space.packed);
    chunk_unmap_all(&chunk_space.large);
    for (chunk_heap *heap = chunk_space.heaps, *next; heap != NULL; heap = next) {
        next = heap->next;
        munmap(heap, sizeof *heap);
    }
    chunk_space.spare = NULL;
    chunk_space.keep_bytes = 0;
    chunk_space.heaps = NULL;
    chunk_space.walking = chunk_space.sweep_pending = false;
    atomic_store(&chunk_space.left, 0);
}

static chunk_heap *heap_map(void) {
    chunk_heap *heap = mmap(NULL, sizeof *heap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (heap == MAP_FAILED) return NULL;
    for (unsigned class = 0; class < CHUNK_CLASSES; class++)
        heap->current[class] = &chunks_no_page;
    heap->full = &chunks_no_page;
    heap->next = chunk_space.heaps;
    return chunk_space.heaps = heap;
}

/* Maps the heap in the lock: a thread that enters is rare. */
chunk_heap *chunks_enter(void) {
    pthread_mutex_lock(&chunk_space.lock);
    chunk_heap *heap = heap_take(CHUNK_HEAP_LEFT);
    if (heap == NULL) heap = heap_take(CHUNK_HEAP_VACANT);
    if (heap == NULL) heap = heap_map();
    pthread_mutex_unlock(&chunk_space.lock);
    return heap;
}

void chunks_leave(chunk_heap *mine) {
    pthread_mutex_lock(&chunk_space.lock);
    mine->state = CHUNK_HEAP_LEFT;
    atomic_fetch_add(&chunk_space.left, 1);
    pthread_mutex_unlock(&chunk_space.lock);
}
