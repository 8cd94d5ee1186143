/* SPDX-License-Identifier: MIT
 * stamp.h - what workloads write into blocks, so that a block that was overwritten or lost is noticed.
 *
 * A stamp is a word of eight bytes, repeated from the block's start: byte i of the block is byte i mod 8 of
 * the word. Hence the last eight bytes are the word rotated, edges of a short block may overlap without
 * contradiction, and a block that grew or shrank still holds its stamp. Stamps follow from numbers that
 * a workload gives its blocks, never from addresses: checksums of them are equal on every allocator.
 */
#ifndef REFARENA_STAMP_H
#define REFARENA_STAMP_H

#include <stdbool.h>
#include <string.h>

#include "../random.h"

enum { STAMP_BYTES = 8 };

/* Different for different numbers. A product with an odd number is enough, and a stamp must cost little beside what
 * is measured; neighbours differ in their first byte and in their last, so that short blocks differ, too. */
static inline uint64_t stamp_of(uint64_t number) { return (number + 1) * UINT64_C(0x9e3779b97f4a7c15); }

/* The stamp as it reads from `offset` on (a little-endian rotation by whole bytes). */
static inline uint64_t stamp_from(uint64_t stamp, size_t offset) {
    unsigned bits = 8 * (offset % STAMP_BYTES);
    return stamp >> bits | stamp << (-bits & 63);
}

static inline uint64_t stamp_read(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline bool stamp_starts(const char *block, size_t bytes, uint64_t stamp) {
    return bytes >= STAMP_BYTES ? stamp_read(block) == stamp : memcmp(block, &stamp, bytes) == 0;
}

static inline bool stamp_ends(const char *block, size_t bytes, uint64_t stamp) {
    return bytes < STAMP_BYTES || stamp_read(block + bytes - STAMP_BYTES) == stamp_from(stamp, bytes);
}

/* The first and the last eight bytes. */
static inline void stamp_edges(char *block, size_t bytes, uint64_t stamp) {
    if (bytes < STAMP_BYTES) {
        memcpy(block, &stamp, bytes);
        return;
    }
    uint64_t last = stamp_from(stamp, bytes);
    memcpy(block, &stamp, sizeof stamp);
    memcpy(block + bytes - sizeof last, &last, sizeof last);
}

static inline bool stamp_edges_hold(const char *block, size_t bytes, uint64_t stamp) {
    return stamp_starts(block, bytes, stamp) && stamp_ends(block, bytes, stamp);
}

/* All of it. */
static inline void stamp_whole(char *block, size_t bytes, uint64_t stamp) {
    size_t words = bytes / STAMP_BYTES * STAMP_BYTES;
    for (size_t at = 0; at < words; at += STAMP_BYTES) memcpy(block + at, &stamp, STAMP_BYTES);
    memcpy(block + words, &stamp, bytes - words);
}

static inline bool stamp_whole_holds(const char *block, size_t bytes, uint64_t stamp) {
    size_t words = bytes / STAMP_BYTES * STAMP_BYTES;
    for (size_t at = 0; at < words; at += STAMP_BYTES)
        if (stamp_read(block + at) != stamp) return false;
    return memcmp(block + words, &stamp, bytes - words) == 0;
}

/* What a checksum takes from a block: its edges as they are read, and its size. */
static inline uint64_t stamp_sum(const char *block, size_t bytes) {
    if (bytes >= STAMP_BYTES) return stamp_read(block) + 3 * stamp_read(block + bytes - STAMP_BYTES) + bytes;
    uint64_t word = 0;
    memcpy(&word, block, bytes);
    return word + bytes;
}

#endif
