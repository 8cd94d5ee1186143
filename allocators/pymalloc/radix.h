/* SPDX-License-Identifier: MIT
 * radix.h - does this address lie in an arena of ours? Three loads, for any address at all.
 *
 *   63        49        34       20            0
 *   | 15 bits | 15 bits | 14 bits | in a window |     top (static), middle and bottom nodes on demand
 *
 * A *window* is an ideal, aligned megabyte, or 256 KiB where arenas are no larger: then the bottom digit has 16
 * bits. An arena is as large as a window but need not be aligned, so it lies in two windows: in the first from
 * `high start` to its end, in the next from its start to `low end`.
 *
 *   window n         | . . . . high start #######|
 *   window n + 1     |######## low end . . . . . |
 *
 * Where an arena is not aligned, which of the two windows a block lies in is as good as a coin. So both tests are
 * one sign: a branch for each was predicted wrong once in four frees.
 *
 * Freeing needs this answer for pointers that were passed on to malloc, and must not read the page they lie
 * in. Nodes are never given back: CPython keeps them too.
 * Source: CPython 3.12, "arena map" in Objects/obmalloc.c (Neil Schemenauer, bpo-37448).
 */
#ifndef REFARENA_PYMALLOC_RADIX_H
#define REFARENA_PYMALLOC_RADIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RADIX_WINDOW_BITS = 20, RADIX_WINDOW_BITS_LEAST = 18,       /* the usual and the other choice */
    RADIX_MIDDLE_SHIFT = 34, RADIX_TOP_SHIFT = 49,
    RADIX_BOTTOM_BITS_MOST = RADIX_MIDDLE_SHIFT - RADIX_WINDOW_BITS_LEAST,
    RADIX_MIDDLE_BITS = RADIX_TOP_SHIFT - RADIX_MIDDLE_SHIFT, RADIX_TOP_BITS = 64 - RADIX_TOP_SHIFT,
    RADIX_WINDOW_BYTES = 1 << RADIX_WINDOW_BITS,
};

typedef struct radix_window {
    uint32_t after_high_start;  /* offset where an arena starts, and 1; 0: none does */
    uint32_t low_end;           /* offset where an arena that started in the window before ends; 0: none does */
} radix_window;

/* As long as the longest; of one for larger windows the last three quarters are never touched. */
typedef struct radix_bottom { radix_window  windows[1 << RADIX_BOTTOM_BITS_MOST]; } radix_bottom;
typedef struct radix_middle { radix_bottom *nodes[1 << RADIX_MIDDLE_BITS]; } radix_middle;
extern radix_middle *radix_top[1 << RADIX_TOP_BITS];
extern int           radix_window_bits;         /* changes only while no arena is ours */
extern size_t        radix_middle_nodes, radix_bottom_nodes;

static inline size_t radix_digit(uintptr_t address, int shift, int bits) {
    return address >> shift & (((uintptr_t)1 << bits) - 1);
}

/* window_bits is radix_window_bits, or the constant it is known to be. */
static inline bool radix_owns_in(const void *pointer, int window_bits) {
    uintptr_t address = (uintptr_t)pointer;
    const radix_middle *middle = radix_top[radix_digit(address, RADIX_TOP_SHIFT, RADIX_TOP_BITS)];
    if (!middle)
        return false;
    const radix_bottom *bottom = middle->nodes[radix_digit(address, RADIX_MIDDLE_SHIFT, RADIX_MIDDLE_BITS)];
    if (!bottom)
        return false;
    const radix_window *window = &bottom->windows[radix_digit(address, window_bits, RADIX_MIDDLE_SHIFT - window_bits)];
    int64_t offset = (int64_t)(address & (((uintptr_t)1 << window_bits) - 1));
    int64_t behind_low = offset - window->low_end, before_high = (int64_t)(window->after_high_start - 1u) - 1 - offset;
    return (behind_low | before_high) < 0;
}

static inline bool radix_owns(const void *pointer) {
    return radix_owns_in(pointer, radix_window_bits);
}

/* The arena of 2^radix_window_bits bytes at `start` becomes ours. False: no memory for a node, nothing is marked. */
bool radix_add(uintptr_t start);

/* It is no longer ours. It was added before. */
void radix_remove(uintptr_t start);

#endif
