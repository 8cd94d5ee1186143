/* SPDX-License-Identifier: MIT
 * pool.c - the rarer half of a pool's life: starting, carving, being walked and checked.
 */
#include "pool.h"
#include "../invariant.h"

#include <string.h>

enum { POOL_BLOCKS_MOST = POOL_BYTES >> SIZE_CLASS_SHIFT };

pool_link pool_lists[SIZE_CLASS_COUNT];
uint32_t  pool_bytes = POOL_BYTES;

void pool_init_lists(void) {
    for (size_t i = 0; i < SIZE_CLASS_COUNT; i++)
        pool_lists[i] = (pool_link){ &pool_lists[i], &pool_lists[i] };
}

void *pool_extend(pool *p, void *handed_out) {
    if (p->virgin_offset <= p->last_offset) {
        p->free = (char *)p + p->virgin_offset;
        p->virgin_offset += size_class_bytes(p->size_class);
        pool_write_link(p->free, NULL);
    } else {
        pool_unlink(p);
    }
    return handed_out;
}

void *pool_start(pool *p, uint32_t size_class) {
    uint32_t bytes = size_class_bytes(size_class);
    bool same = p->size_class == size_class;
    p->size_class = size_class;
    p->used_blocks = 1;
    pool_insert_first(p);
    if (same) {                     /* an empty pool has at least the two blocks it began with in its list */
        void *block = p->free;
        p->free = pool_read_link(block);
        return block;
    }
    p->virgin_offset = POOL_HEADER_BYTES + 2 * bytes;
    p->last_offset = pool_bytes - bytes;
    p->free = (char *)p + POOL_HEADER_BYTES + bytes;
    pool_write_link(p->free, NULL);
    return (char *)p + POOL_HEADER_BYTES;
}

/* One flag a block: free. Aborts at a link that leads astray, which would otherwise lead on. */
static uint32_t pool_mark_free(const pool *p, bool is_free[POOL_BLOCKS_MOST]) {
    uint32_t bytes = size_class_bytes(p->size_class), free_blocks = 0;
    memset(is_free, 0, POOL_BLOCKS_MOST * sizeof *is_free);
    for (char *block = p->free; block; block = pool_read_link(block), free_blocks++) {
        size_t offset = (size_t)(block - (char *)p) - POOL_HEADER_BYTES;
        INVARIANT(pool_of(block) == p && block >= (char *)p + POOL_HEADER_BYTES, "(P2) a free block is in its pool");
        INVARIANT(offset % bytes == 0, "(P2) a free block is on a block boundary");
        INVARIANT(offset + POOL_HEADER_BYTES < p->virgin_offset, "(P2) a free block was carved");
        INVARIANT(!is_free[offset / bytes], "(P2) a free block is in the list once");
        is_free[offset / bytes] = true;
    }
    return free_blocks;
}

bool pool_walk(const pool *p, bool (*visit)(void *, size_t, void *), void *context) {
    bool is_free[POOL_BLOCKS_MOST];
    if (p->used_blocks == 0)
        return true;
    uint32_t bytes = size_class_bytes(p->size_class);
    pool_mark_free(p, is_free);
    for (uint32_t offset = POOL_HEADER_BYTES, i = 0; offset < p->virgin_offset; offset += bytes, i++)
        if (!is_free[i] && !visit((char *)p + offset, bytes, context))
            return false;
    return true;
}

void pool_check(const pool *p) {
    bool is_free[POOL_BLOCKS_MOST];
    if (p->size_class == POOL_NO_CLASS) {
        INVARIANT(p->used_blocks == 0, "(P1) a pool that never had a class has no used block");
        return;
    }
    INVARIANT(p->size_class < SIZE_CLASS_COUNT, "(P2) a pool has a class that exists");
    uint32_t bytes = size_class_bytes(p->size_class), capacity = pool_capacity(p->size_class);
    INVARIANT(p->last_offset == pool_bytes - bytes, "(P2) the last offset leaves room for one block");
    INVARIANT(p->virgin_offset >= POOL_HEADER_BYTES + 2 * bytes, "(P2) two blocks are carved at the start");
    INVARIANT((p->virgin_offset - POOL_HEADER_BYTES) % bytes == 0, "(P2) carving goes block by block");
    uint32_t carved = (p->virgin_offset - POOL_HEADER_BYTES) / bytes;
    INVARIANT(carved <= capacity, "(P2) no block is carved beyond the pool");
    uint32_t free_blocks = pool_mark_free(p, is_free);
    INVARIANT(p->used_blocks + free_blocks + (capacity - carved) == capacity,
              "(P1) used + free + never carved == capacity");
    INVARIANT((p->free == NULL) == (p->used_blocks == capacity), "(P4) no free block means full, and full none");
}
