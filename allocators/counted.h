/* SPDX-License-Identifier: MIT
 * counted.h - what a program asked of counted:<allocator>, in requests and in bytes.
 */
#ifndef REFARENA_COUNTED_H
#define REFARENA_COUNTED_H

#include <stdint.h>

typedef struct counted_figures {
    uint64_t allocations;           /* alloc and alloc_zeroed that were granted */
    uint64_t resizes;               /* granted */
    uint64_t releases;              /* of blocks, not of NULL */
    uint64_t refusals;              /* of the three above */
    uint64_t allocated_bytes;       /* asked for by allocations */
    uint64_t resized_bytes;         /* asked for by resizes: the new sizes */
    uint64_t live_bytes;            /* asked for and not released */
    uint64_t live_peak_bytes;       /* the most there ever was of them */
    uint64_t unsized;               /* releases and resizes that gave the old size as 0: each leaves live_bytes
                                       too high by what the block had, nothing if it truly had 0 */
} counted_figures;

/* Figures since the last reset. Not a snapshot while other threads allocate: each figure is right alone. */
counted_figures counted_read(void);

/* All figures to 0, but for live_bytes, which are still there, and their peak, which starts from them. */
void counted_reset(void);

#endif
