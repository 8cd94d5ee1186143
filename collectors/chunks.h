/* SPDX-License-Identifier: MIT
 * chunks.h - a collector's own space: size-class pages in aligned chunks, which can be walked.
 *
 *   chunk, 1 MiB, aligned to its size                             page of one class
 *   | header | side words | page 4 | page 5 | ... | page 15 |     |block|block|...|block| not carved |
 *
 * A foreign malloc cannot be asked which blocks it has handed out; this space can, and from the address of
 * a block follow its chunk (mask), its page (shift), its mark bit and its side word (index). Objects larger
 * than the largest class have a mapping of their own, aligned as a chunk is, with a header of 4 KiB.
 *
 * Each mutator has a heap, a set of pages from which only it allocates: no lock and no atomic instruction.
 * A block that another thread frees goes on an atomic list of its page and comes home when the owner next
 * runs out of room, or when all stand still. The heap of a thread that has left is taken over, whole, by
 * the next that enters, or its pages by the next that would have to ask for a fresh one.
 *
 * Where "world stopped" is said, no other thread may be in any call of this file.
 *
 * (I1) of a page: used + free blocks == carved <= blocks; blocks on the remote list are used.
 * (I2) of a page: its remote list is not empty  <=>  it is on the `returned` stack of its owner's heap.
 * (I3) of a heap: each of its pages is in one list, that of its class, or that of the full ones.
 * (I4) a page is in a class  <=>  its bit in the chunk's free_pages is clear.
 * (I5) held_bytes == chunks * 1 MiB + mappings of large blocks.
 * (I6) no free block is marked, unless its page waits to be swept.
 *
 * Source: pages with a local and a thread-free list are Leijen, Zorn and de Moura's (mimalloc, APLAS 2019);
 * aligned chunks with marks at their head, the mark-sweep collectors of Boehm and Weiser, SP&E 18(9), 1988.
 */
#ifndef REFARENA_CHUNKS_H
#define REFARENA_CHUNKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHUNKS_POISONED 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define CHUNKS_POISONED 1
#endif
#ifdef CHUNKS_POISONED                          /* a touch of a free block is reported */
#include <sanitizer/asan_interface.h>
#define CHUNKS_POISON(block, bytes)   __asan_poison_memory_region(block, bytes)
#define CHUNKS_UNPOISON(block, bytes) __asan_unpoison_memory_region(block, bytes)
#define CHUNKS_UNWATCHED __attribute__((no_sanitize("address"), noinline, unused))
#else
#define CHUNKS_POISON(block, bytes)   ((void)(block), (void)(bytes))
#define CHUNKS_UNPOISON(block, bytes) ((void)(block), (void)(bytes))
#define CHUNKS_UNWATCHED inline
#endif

enum {
    CHUNK_BYTES = 1 << 20, CHUNK_PAGE_SHIFT = 16, CHUNK_PAGE_BYTES = 1 << CHUNK_PAGE_SHIFT,
    CHUNK_PAGES = CHUNK_BYTES / CHUNK_PAGE_BYTES,
    CHUNK_FIRST_PAGE = 4,                       /* before it: header (page 0), side words (pages 1 to 3) */
    CHUNK_GRANULE = 16, CHUNK_PAGE_GRANULES = CHUNK_PAGE_BYTES / CHUNK_GRANULE,
    CHUNK_SMALL_BYTES = 512,                    /* classes are 16 bytes apart up to here, then 4 a doubling */
    CHUNK_SMALL_CLASSES = CHUNK_SMALL_BYTES / CHUNK_GRANULE + 1,
    CHUNK_CLASS_BYTES = 32768,                  /* the largest class */
    CHUNK_CLASSES = CHUNK_SMALL_CLASSES + 6 * 4,
    CHUNK_LARGE_OFFSET = 4096,                  /* of a large block in its mapping */
};

typedef struct chunk_heap chunk_heap;
typedef struct chunk_page chunk_page;
typedef struct chunk      chunk;

struct chunk_page {
    void       *free;                           /* blocks to hand out, linked by their first word */
    void       *hidden;                         /* the free list of an unswept page */
    uint32_t    used, carved, blocks;           /* handed out; ever in the free list; that fit */
    uint32_t    reciprocal;                     /* of block_bytes: index == offset * reciprocal >> 32 */
    size_t      block_bytes;                    /* 0: of no class */
    char       *start;
    chunk_page *next, *previous;                /* in a list of its heap */
    unsigned char class;
    bool        full, unswept;

    _Alignas(64) _Atomic(chunk_heap *) owner;   /* what other threads touch has a cache line of its own */
    _Atomic(void *) remote;                     /* blocks freed by others */
    chunk_page *returned_next;
    atomic_uchar lock;                          /* of owner, and of the first entry into `remote` */
};

struct chunk {
    chunk   *next, *previous;
    uint32_t free_pages;                        /* bit i: page i is of no class */
    uint32_t large_scratch;                     /* side word of a large block */
    size_t   large_bytes;                       /* of the block; 0: a chunk of pages */
    size_t   mapped_bytes;
    chunk_page pages[CHUNK_PAGES];              /* [0]: of a large block; [1] to [3] are not used */
    uint64_t marks[CHUNK_BYTES / CHUNK_GRANULE / 64];   /* of a large block only one bit is there */
};

struct chunk_heap {
    chunk_page *current[CHUNK_CLASSES];         /* list of pages that may have room; the first is allocated from */
    chunk_page *full;                           /* list of those that have none */
    _Atomic(chunk_page *) returned;             /* stack of pages to which blocks came back */
    chunk_heap *next;                           /* in the list of all heaps */
    enum { CHUNK_HEAP_USED, CHUNK_HEAP_LEFT, CHUNK_HEAP_VACANT } state;   /* left: has pages; vacant: has none */
};

typedef void chunk_visitor(void *block, void *context);

/* There is no chunk at first, and none after: all heaps and blocks are gone. */
void chunks_close(void);

chunk_heap *chunks_enter(void);                 /* the calling thread's heap; NULL: out of memory */
void        chunks_leave(chunk_heap *mine);     /* its blocks stay */

/* The inlined functions below call these where their fast path ends. */
void *chunks_alloc_slow(chunk_heap *mine, size_t bytes);
void  chunks_settle(chunk_page *page);
void  chunks_free_slow(void *block);

/* World stopped. Blocks freed by others come home; then visit is called for every block handed out, in
 * address order within a page. It may free that block. */
void chunks_each(chunk_visitor *visit, void *context);

/* World stopped. All blocks that are not marked are freed, and all marks cleared; `dying` (NULL: none) is
 * called with each of those blocks before. Lazy: page by page, in chunks_alloc of the heap that has the
 * page, by its thread; chunks_finish_sweep (world stopped) does what is left, and must be called before the
 * next mark is set. Empty chunks are unmapped but one, or as chunks_keep says. */
void chunks_sweep(bool lazy, chunk_visitor *dying, void *context);
void chunks_finish_sweep(void);
void chunks_clear_marks(void);                  /* world stopped */

/* World stopped. Empty chunks stay mapped while no more than `bytes` are held; above that all but one go, as at first
 * (0). For a collector that sweeps its whole heap at once and fills it again at once: a page that is unmapped and mapped
 * again costs a fault for every page of the OS. */
void chunks_keep(size_t bytes);

size_t chunks_held_bytes(void);
size_t chunks_used_bytes(void);                 /* world stopped; in blocks handed out, at their class's size */
void   chunks_check(void);                      /* world stopped; aborts where one of I1 to I6 does not hold */

static inline chunk *chunks_chunk_of(const void *block) {
    return (chunk *)((uintptr_t)block & ~(uintptr_t)(CHUNK_BYTES - 1));
}
static inline size_t chunks_offset(const void *block) { return (uintptr_t)block & (CHUNK_BYTES - 1); }
static inline chunk_page *chunks_page_of(const void *block) {
    return &chunks_chunk_of(block)->pages[chunks_offset(block) >> CHUNK_PAGE_SHIFT];
}
static inline size_t chunks_index(const chunk_page *page, const void *block) {
    return (uint64_t)((const char *)block - page->start) * page->reciprocal >> 32;
}
static inline size_t chunks_block_bytes(const void *block) { return chunks_page_of(block)->block_bytes; }

/* The side word: 4 bytes a block, not touched (and so not resident) before it is first asked for. */
static inline uint32_t *chunks_scratch(const void *block) {
    chunk *c = chunks_chunk_of(block);
    size_t page = chunks_offset(block) >> CHUNK_PAGE_SHIFT;
    if (page == 0) return &c->large_scratch;
    uint32_t *words = (uint32_t *)((char *)c + CHUNK_PAGE_BYTES) + (page - CHUNK_FIRST_PAGE) * CHUNK_PAGE_GRANULES;
    return words + chunks_index(&c->pages[page], block);
}

static inline uint64_t *chunks_mark_word(const void *block, uint64_t *bit) {
    size_t granule = chunks_offset(block) / CHUNK_GRANULE;
    *bit = (uint64_t)1 << granule % 64;
    return &chunks_chunk_of(block)->marks[granule / 64];
}
static inline bool chunks_is_marked(const void *block) {
    uint64_t bit, *word = chunks_mark_word(block, &bit);
    return *word & bit;
}
static inline bool chunks_mark(void *block) {           /* true: it was not marked before */
    uint64_t bit, *word = chunks_mark_word(block, &bit), old = *word;
    *word = old | bit;
    return !(old & bit);
}

static inline unsigned chunks_class(size_t bytes) {     /* of 1 to CHUNK_CLASS_BYTES bytes; 0 are as 1 */
    if (bytes <= CHUNK_SMALL_BYTES) return bytes == 0 ? 1 : (unsigned)((bytes + CHUNK_GRANULE - 1) / CHUNK_GRANULE);
    unsigned log2 = 63 - (unsigned)__builtin_clzll(bytes - 1);
    return CHUNK_SMALL_CLASSES + (log2 - 9) * 4 + (unsigned)((bytes - 1) >> (log2 - 2) & 3);
}

static CHUNKS_UNWATCHED void *chunks_link(void *block)              { return *(void **)block; }
static CHUNKS_UNWATCHED void chunks_set_link(void *block, void *to) { *(void **)block = to; }

/* A block of at least `bytes`, 16-byte aligned, contents undefined. NULL: the heap limit, or the OS refused. */
static inline void *chunks_alloc(chunk_heap *mine, size_t bytes) {
    if (__builtin_expect(bytes <= CHUNK_CLASS_BYTES, 1)) {
        chunk_page *page = mine->current[chunks_class(bytes)];
        void *block = page->free;
        if (__builtin_expect(block != NULL, 1)) {
            page->free = chunks_link(block);
            page->used++;
            CHUNKS_UNPOISON(block, bytes);
            return block;
        }
    }
    return chunks_alloc_slow(mine, bytes);
}

static inline void chunks_free(chunk_heap *mine, void *block) {
    chunk_page *page = chunks_page_of(block);
    if (__builtin_expect(atomic_load_explicit(&page->owner, memory_order_relaxed) != mine, 0)) {
        chunks_free_slow(block);
        return;
    }
    chunks_set_link(block, page->free);
    CHUNKS_POISON(block, page->block_bytes);
    page->free = block;
    page->used--;
    if (__builtin_expect(page->full || page->used == 0, 0)) chunks_settle(page);
}

#endif
