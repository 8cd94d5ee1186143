/* SPDX-License-Identifier: MIT
 * chunk_space.h - what chunks.c (blocks go out and come back) and chunk_walk.c (all blocks are looked at) share. */
#ifndef REFARENA_CHUNK_SPACE_H
#define REFARENA_CHUNK_SPACE_H

#include <assert.h>
#include <pthread.h>

#include "chunks.h"
#include "heap_limit.h"

extern struct chunk_space {
    pthread_mutex_t lock;                       /* of the lists, and of heaps' states */
    chunk          *roomy, *packed, *large;     /* with a free page; without; of one large block */
    chunk          *spare;                      /* one of `roomy` all of whose pages are free, or NULL */
    size_t          keep_bytes;                 /* while no more is held, others of that kind stay too */
    chunk_heap     *heaps;
    atomic_uint     left;                       /* heaps left by their thread, with pages */
    atomic_size_t   held_bytes;
    bool            walking, sweep_pending;     /* world stopped: pages stay; some are unswept */
    chunk_visitor  *dying;                      /* of the sweep that is pending */
    void           *context;
} chunk_space;

extern chunk_page chunks_no_page;               /* ends every list; never has a free block; never written */

/* Give a page, a mapping back. World stopped, or the page is the caller's own and nothing is used in it. */
void page_retire(chunk_page *page);
void chunk_large_free(chunk *c);
void heap_bring_home(chunk_heap *heap);         /* what others freed: the heap is the caller's own, or the world stopped */
void page_sweep(chunk_page *page);

static inline chunk_heap *chunks_owner(chunk_page *page) { return atomic_load_explicit(&page->owner, memory_order_relaxed); }
static inline bool chunks_has_room(const chunk_page *page) { return page->free != NULL || page->carved < page->blocks; }

static inline void page_put(chunk_page **list, chunk_page *page) {
    page->next = *list;
    page->previous = NULL;
    if (page->next != &chunks_no_page) page->next->previous = page;
    *list = page;
}
static inline void page_cut(chunk_page **list, chunk_page *page) {
    if (page->previous != NULL) page->previous->next = page->next;
    else *list = page->next;
    if (page->next != &chunks_no_page) page->next->previous = page->previous;
}

static inline void page_move(chunk_page *page, bool full) {
    chunk_heap *heap = chunks_owner(page);
    chunk_page **roomy = &heap->current[page->class];
    if (page->full == full) return;
    page_cut(full ? roomy : &heap->full, page);
    page->full = full;
    page_put(full ? &heap->full : roomy, page);
}

static inline size_t chunks_class_bytes(unsigned class) {
    if (class < CHUNK_SMALL_CLASSES) return (size_t)class * CHUNK_GRANULE;
    unsigned above = class - CHUNK_SMALL_CLASSES;
    return (size_t)(5 + above % 4) << (7 + above / 4);
}

#endif
