/* SPDX-License-Identifier: MIT
 * bitpool.c - the bits of a pool: taking the first free ones, merging those of other threads, checking.
 */
#include "bitpool.h"
#include "../invariant.h"

#include <string.h>

static uint32_t bitpool_words(const bitpool *p) {       /* that have a block */
    return (p->capacity + 63u) / 64;
}

static uint64_t bitpool_all(const bitpool *p, uint32_t word) {      /* the bits of this word that have one */
    uint32_t rest = p->capacity - word * 64;
    return rest >= 64 ? UINT64_MAX : (UINT64_C(1) << rest) - 1;
}

void bitpool_start(bitpool *p, uint32_t size_class) {
    p->size_class = size_class;
    p->reciprocal = (1u << BITPOOL_RECIPROCAL_SHIFT) / (size_class + 1) + 1;
    p->capacity = p->free_blocks = (uint16_t)bitpool_capacity(size_class);
    for (uint32_t word = 0; word < bitpool_words(p); word++)
        p->free[word] = bitpool_all(p, word);
}

/* The first `most` bits of a word, most <= 64, where they are neighbours: as in a pool that nobody shuffled. */
static inline bool bitpool_is_run(uint64_t bits, uint32_t most) {
    uint64_t run = bits >> __builtin_ctzll(bits);
    return most < 64 ? (~run & ((UINT64_C(1) << most) - 1)) == 0 : run == UINT64_MAX;
}

uint32_t bitpool_take(bitpool *p, char *pages, void **end, uint32_t most) {
    size_t bytes = size_class_bytes(p->size_class);
    uint32_t left = most < p->free_blocks ? most : p->free_blocks;
    p->free_blocks = (uint16_t)(p->free_blocks - left);
    most = left;
    for (uint64_t *word = p->free; left > 0; word++, pages += 64 * bytes) {
        uint64_t bits = *word;
        if (!bits)
            continue;
        if (bitpool_is_run(bits, left)) {
            uint32_t first = (uint32_t)__builtin_ctzll(bits);
            *word = left < 64 ? bits & ~(((UINT64_C(1) << left) - 1) << first) : 0;
            for (char *block = pages + first * bytes; left > 0; left--, block += bytes)
                *--end = block;
            break;
        }
        for (; bits && left > 0; bits &= bits - 1, left--)
            *--end = pages + (size_t)__builtin_ctzll(bits) * bytes;
        *word = bits;
    }
    return most;
}

uint32_t bitpool_collect(bitpool *p, bitpool_remote *remote) {
    uint32_t collected = 0;
    for (uint32_t word = 0; word < bitpool_words(p); word++) {
        if (!atomic_load_explicit(&remote->free[word], memory_order_relaxed))
            continue;
        uint64_t bits = atomic_exchange_explicit(&remote->free[word], 0, memory_order_acquire);
        p->free[word] |= bits;
        collected += (uint32_t)__builtin_popcountll(bits);
    }
    p->free_blocks = (uint16_t)(p->free_blocks + collected);
    return collected;
}

uint32_t bitpool_waiting(const bitpool *p, const bitpool_remote *remote) {
    uint32_t waiting = 0;
    for (uint32_t word = 0; word < bitpool_words(p); word++)
        waiting += (uint32_t)__builtin_popcountll(atomic_load_explicit(&remote->free[word], memory_order_relaxed));
    return waiting;
}

bool bitpool_walk(const bitpool *p, const bitpool_remote *remote, char *pages,
                  bool (*visit)(void *, size_t, void *), void *context) {
    uint32_t bytes = size_class_bytes(p->size_class);
    for (uint32_t word = 0; word < bitpool_words(p); word++) {
        uint64_t free = p->free[word] | atomic_load_explicit(&remote->free[word], memory_order_acquire);
        for (uint64_t used = bitpool_all(p, word) & ~free; used; used &= used - 1) {
            uint32_t block = word * 64 + (uint32_t)__builtin_ctzll(used);
            if (!visit(pages + (size_t)block * bytes, bytes, context))
                return false;
        }
    }
    return true;
}

void bitpool_check(const bitpool *p, const bitpool_remote *remote) {
    uint32_t free_blocks = 0;
    INVARIANT(p->size_class < SIZE_CLASS_COUNT, "(B1) a pool has a class that exists");
    INVARIANT(p->capacity == bitpool_capacity(p->size_class), "(B1) a pool has as many blocks as its class allows");
    for (uint32_t word = 0; word < bitpool_words(p); word++) {
        uint64_t waiting = atomic_load_explicit(&remote->free[word], memory_order_relaxed);
        INVARIANT((p->free[word] & ~bitpool_all(p, word)) == 0, "(B1) no block beyond capacity is free");
        INVARIANT((waiting & ~bitpool_all(p, word)) == 0, "(B1) no block beyond capacity was freed by another thread");
        INVARIANT((waiting & p->free[word]) == 0, "(B2) no block is free twice");
        free_blocks += (uint32_t)__builtin_popcountll(p->free[word]);
    }
    INVARIANT(free_blocks == p->free_blocks, "(B1) free_blocks == bits set in free");
}
