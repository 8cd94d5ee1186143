/* SPDX-License-Identifier: MIT
 * radix.c - the map of our arenas: marking and unmarking. Looking up is in radix.h.
 */
#include "radix.h"

#include <stdlib.h>

radix_middle *radix_top[1 << RADIX_TOP_BITS];

/* The window that `address` lies in; its nodes are made where there are none. NULL: no memory. */
static radix_window *radix_reach(uintptr_t address) {
    radix_middle **middle = &radix_top[radix_digit(address, RADIX_TOP_SHIFT, RADIX_TOP_BITS)];
    if (!*middle && !(*middle = calloc(1, sizeof **middle)))
        return NULL;
    radix_bottom **bottom = &(*middle)->nodes[radix_digit(address, RADIX_MIDDLE_SHIFT, RADIX_MIDDLE_BITS)];
    if (!*bottom && !(*bottom = calloc(1, sizeof **bottom)))
        return NULL;
    return &(*bottom)->windows[radix_digit(address, RADIX_WINDOW_BITS, RADIX_BOTTOM_BITS)];
}

static bool radix_mark(uintptr_t start, bool ours) {
    int32_t offset = (int32_t)(start & (RADIX_WINDOW_BYTES - 1));
    radix_window *first = radix_reach(start);
    radix_window *second = offset ? radix_reach(start + RADIX_WINDOW_BYTES) : NULL;
    if (!first || (offset && !second))
        return false;               /* both are reached before either is changed */
    first->high_start = !ours ? 0 : offset ? offset : -1;
    if (second)
        second->low_end = ours ? offset : 0;
    return true;
}

bool radix_add(uintptr_t start) {
    return radix_mark(start, true);
}

void radix_remove(uintptr_t start) {
    radix_mark(start, false);       /* its nodes exist, so it cannot fail */
}
