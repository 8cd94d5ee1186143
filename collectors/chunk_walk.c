/* SPDX-License-Identifier: MIT
 * chunk_walk.c - all blocks of all pages: visiting, sweeping, checking. The world is stopped, but for the
 * sweep of one page in chunks_alloc.
 *
 * Which blocks are handed out is nowhere written down, so that handing out costs nothing more: it is what
 * the free list of the page does not have.
 */
#include <string.h>

#include "chunk_space.h"

typedef struct free_map { uint64_t words[CHUNK_PAGE_GRANULES / 64]; } free_map;    /* by index of block */

static void free_map_of(const chunk_page *page, free_map *map) {
    memset(map, 0, sizeof *map);
    void *const lists[] = {page->free, page->hidden};
    for (int list = 0; list < 2; list++)
        for (void *block = lists[list]; block != NULL; block = chunks_link(block)) {
            size_t i = chunks_index(page, block);
            map->words[i / 64] |= (uint64_t)1 << i % 64;
        }
}
static bool free_map_has(const free_map *map, size_t i) { return map->words[i / 64] >> i % 64 & 1; }

static void space_bring_home(void) {
    chunk_space.walking = true;
    for (chunk_heap *heap = chunk_space.heaps; heap != NULL; heap = heap->next)
        heap_bring_home(heap);
    chunk_space.walking = false;
}

static void chunk_each_page(chunk *c, void (*act)(chunk_page *page, void *context), void *context) {
    for (; c != NULL; c = c->next)
        for (uint32_t i = CHUNK_FIRST_PAGE; i < CHUNK_PAGES; i++)
            if (!(c->free_pages >> i & 1)) act(&c->pages[i], context);
}
static void space_each_page(void (*act)(chunk_page *page, void *context), void *context) {
    chunk_each_page(chunk_space.roomy, act, context);
    chunk_each_page(chunk_space.packed, act, context);
}

typedef struct page_walk { chunk_visitor *visit; void *context; } page_walk;

static void page_each(chunk_page *page, void *walk_at) {
    page_walk *walk = walk_at;
    free_map map;
    if (page->free != NULL) free_map_of(page, &map);
    else memset(&map, 0, sizeof map);
    for (size_t i = 0, carved = page->carved; i < carved; i++)
        if (!free_map_has(&map, i)) walk->visit(page->start + i * page->block_bytes, walk->context);
}

/* Retiring moves chunks from one list to the other, so the pages to retire are found heap by heap. */
static void space_retire_empty(void) {
    for (chunk_heap *heap = chunk_space.heaps; heap != NULL; heap = heap->next)
        for (unsigned class = 0; class < CHUNK_CLASSES; class++)
            for (chunk_page *page = heap->current[class], *next; page != &chunks_no_page; page = next) {
                next = page->next;
                if (page->used == 0) page_retire(page);
            }
}

void chunks_each(chunk_visitor *visit, void *context) {
    chunks_finish_sweep();
    space_bring_home();
    chunk_space.walking = true;
    space_each_page(page_each, &(page_walk){visit, context});
    for (chunk *c = chunk_space.large, *next; c != NULL; c = next) {
        next = c->next;
        visit((char *)c + CHUNK_LARGE_OFFSET, context);
    }
    chunk_space.walking = false;
    space_retire_empty();
}

/* Free blocks end up in address order. A page in which nothing is left is as good as fresh. */
void page_sweep(chunk_page *page) {
    chunk *c = chunks_chunk_of(page);
    free_map map;
    free_map_of(page, &map);
    page->unswept = false;
    page->free = page->hidden = NULL;
    page->used = 0;
    for (size_t i = page->carved; i-- > 0;) {
        char *block = page->start + i * page->block_bytes;
        if (chunks_is_marked(block)) {
            page->used++;
            continue;
        }
        if (!free_map_has(&map, i)) {
            if (chunk_space.dying != NULL) chunk_space.dying(block, chunk_space.context);
            CHUNKS_POISON(block, page->block_bytes);
        }
        chunks_set_link(block, page->free);
        page->free = block;
    }
    memset(c->marks + (page - c->pages) * (CHUNK_PAGE_GRANULES / 64), 0, CHUNK_PAGE_GRANULES / 8);
    if (page->used != 0) return;
    page->free = NULL;
    page->carved = 0;
}

static void page_expect_sweep(chunk_page *page, void *context) {
    (void)context;
    page->unswept = true;                               /* its heap finds nothing free, and comes to sweep it */
    page->hidden = page->free;
    page->free = NULL;
    page_move(page, false);
}

static void page_sweep_expected(chunk_page *page, void *context) {
    (void)context;
    if (!page->unswept) return;
    page_sweep(page);
    page_move(page, !chunks_has_room(page));
}

static void large_sweep(chunk *c) {
    void *block = (char *)c + CHUNK_LARGE_OFFSET;
    uint64_t bit, *word = chunks_mark_word(block, &bit);
    if (*word & bit) {
        *word &= ~bit;
        return;
    }
    if (chunk_space.dying != NULL) chunk_space.dying(block, chunk_space.context);
    chunk_large_free(c);
}

void chunks_finish_sweep(void) {
    if (!chunk_space.sweep_pending) return;
    space_each_page(page_sweep_expected, NULL);
    space_retire_empty();
    chunk_space.sweep_pending = false;
}

void chunks_sweep(bool lazy, chunk_visitor *dying, void *context) {
    assert(!chunk_space.sweep_pending);               /* else its marks and those of this sweep would be mixed */
    space_bring_home();
    chunk_space.dying = dying;
    chunk_space.context = context;
    chunk_space.sweep_pending = true;
    for (chunk *c = chunk_space.large, *next; c != NULL; c = next) {
        next = c->next;
        large_sweep(c);
    }
    space_each_page(page_expect_sweep, NULL);
    if (!lazy) chunks_finish_sweep();
}

void chunks_clear_marks(void) {
    for (chunk *c = chunk_space.roomy; c != NULL; c = c->next) memset(c->marks, 0, sizeof c->marks);
    for (chunk *c = chunk_space.packed; c != NULL; c = c->next) memset(c->marks, 0, sizeof c->marks);
    for (chunk *c = chunk_space.large; c != NULL; c = c->next) {
        uint64_t bit, *word = chunks_mark_word((char *)c + CHUNK_LARGE_OFFSET, &bit);
        *word &= ~bit;
    }
}

/* --- figures and checks ----------------------------------------------------------------------------- */

size_t chunks_held_bytes(void) { return atomic_load(&chunk_space.held_bytes); }

static void page_add_used(chunk_page *page, void *sum) { *(size_t *)sum += page->used * page->block_bytes; }

size_t chunks_used_bytes(void) {
    size_t sum = 0;
    space_bring_home();
    space_each_page(page_add_used, &sum);
    for (chunk *c = chunk_space.large; c != NULL; c = c->next)
        sum += c->large_bytes;
    return sum;
}

static void page_check(chunk_page *page, void *counted) {
    size_t free = 0, remote = 0;
    ++*(size_t *)counted;
    assert(page->block_bytes == chunks_class_bytes(page->class));                               /* I4 */
    assert(page->unswept || page->hidden == NULL);
    void *const lists[] = {page->free, page->hidden};
    for (int list = 0; list < 2; list++)
        for (void *block = lists[list]; block != NULL; block = chunks_link(block), free++) {
            size_t i = chunks_index(page, block);
            assert(i < page->carved && page->start + i * page->block_bytes == (char *)block);   /* I1 */
            assert(page->unswept || !chunks_is_marked(block));                                  /* I6 */
        }
    assert(page->carved <= page->blocks && page->used + free == page->carved);                  /* I1 */
    for (void *block = atomic_load(&page->remote); block != NULL; block = chunks_link(block))
        remote++;
    assert(remote <= page->used);                                                               /* I1 */
    bool returned = false;
    for (chunk_page *p = atomic_load(&chunks_owner(page)->returned); p != NULL; p = p->returned_next)
        returned |= p == page;
    assert(returned == (remote != 0));                                                          /* I2 */
}

static size_t heap_check_list(chunk_heap *heap, chunk_page *page, bool full) {
    size_t length = 0;
    for (chunk_page *previous = NULL; page != &chunks_no_page; previous = page, page = page->next, length++) {
        assert(chunks_owner(page) == heap && page->full == full && page->previous == previous); /* I3 */
        assert(!full || !chunks_has_room(page));                                                /* I3 */
    }
    return length;
}

static size_t chunk_check(chunk *c, bool roomy) {
    size_t bytes = 0;
    for (; c != NULL; c = c->next) {
        bytes += c->mapped_bytes;
        assert((c->free_pages != 0) == roomy);                                                  /* I4 */
        for (uint32_t i = CHUNK_FIRST_PAGE; i < CHUNK_PAGES; i++)
            assert((c->free_pages >> i & 1) == (c->pages[i].block_bytes == 0));                 /* I4 */
    }
    return bytes;
}

void chunks_check(void) {
    size_t pages = 0, listed = 0, bytes = chunk_check(chunk_space.roomy, true) + chunk_check(chunk_space.packed, false);
    for (chunk *c = chunk_space.large; c != NULL; c = c->next)
        bytes += c->mapped_bytes;
    assert(bytes == atomic_load(&chunk_space.held_bytes));                                            /* I5 */
    space_each_page(page_check, &pages);
    for (chunk_heap *heap = chunk_space.heaps; heap != NULL; heap = heap->next) {
        for (unsigned class = 0; class < CHUNK_CLASSES; class++)
            listed += heap_check_list(heap, heap->current[class], false);
        listed += heap_check_list(heap, heap->full, true);
    }
    assert(listed == pages);                                                                    /* I3 */
}
