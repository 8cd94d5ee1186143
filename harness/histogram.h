/* SPDX-License-Identifier: MIT
 * histogram.h - which bucket a number falls into: 64 to each power of two, so that the middle of a bucket is within
 * 1/128 of all that is in it.
 *
 *     number  0 .. 127   | 128 .. 255 | 256 .. 511 ...
 *     bucket  one each   | 2 wide     | 4 wide     ...
 *
 * Source: log-linear buckets as in G. Tene's HdrHistogram.
 */
#ifndef REFARENA_HISTOGRAM_H
#define REFARENA_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_SHIFT = 6, HISTOGRAM_STEPS = 1 << HISTOGRAM_SHIFT,
       HISTOGRAM_BUCKETS = (64 - HISTOGRAM_SHIFT + 1) * HISTOGRAM_STEPS };

static inline unsigned histogram_bucket_of(uint64_t number) {
    if (number < 2 * HISTOGRAM_STEPS)
        return (unsigned)number;
    unsigned power = 63 - (unsigned)__builtin_clzll(number) - HISTOGRAM_SHIFT;
    return power * HISTOGRAM_STEPS + (unsigned)(number >> power);
}

static inline uint64_t histogram_middle(unsigned bucket) {
    if (bucket < 2 * HISTOGRAM_STEPS)
        return bucket;
    unsigned power = bucket / HISTOGRAM_STEPS - 1;
    return ((uint64_t)(bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS) << power) + ((uint64_t)1 << power) / 2;
}

#endif
