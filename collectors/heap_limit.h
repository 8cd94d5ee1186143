/* SPDX-License-Identifier: MIT
 * heap_limit.h - a bound on what a counting collector's heap may have: objects, their headers, their arrays.
 *
 * Blocks of the allocator count with the bytes that were asked for, the collector's own pages with all that is
 * mapped for them. CPython has no such bound: it is here so that collectors can be compared at equal heaps, and so
 * that "the heap is full" can be had at will. Without a bound nothing is counted, and nothing costs more.
 *
 * (I1) used <= limit, where there is one.
 */
#ifndef REFARENA_HEAP_LIMIT_H
#define REFARENA_HEAP_LIMIT_H

#include "../allocators/allocator.h"

enum { HEAP_LIMIT_SMALLEST = 1 << 20 };         /* one chunk (chunks.h): no collector can start with less */

#define HEAP_LIMIT_OPTION \
    {"heap_bytes", "bytes that objects and their arrays may have; a birth that would need more collects first, and is " \
                   "refused when that was not enough; 0: no limit", 0, 0, INT64_MAX},

/* From now on at most so many bytes; 0: no limit. Nothing is used yet. */
void heap_limit_open(size_t limit_bytes);
bool heap_limit_is_set(void);

/* The allocator whose blocks count from now on: `inner` itself where there is no limit. */
const allocator *heap_limit_wrap(const allocator *inner);

bool heap_limit_take(size_t bytes);             /* false: not under this limit; nothing changed */
void heap_limit_give(size_t bytes);

#endif
