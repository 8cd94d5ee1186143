/* SPDX-License-Identifier: MIT
 * radix.c - the map of our arenas: marking and unmarking. Looking up is in radix.h.
 */
#include "radix.h"

#include <sys/mman.h>

radix_middle *radix_top[1 << RADIX_TOP_BITS];
int           radix_window_bits = RADIX_WINDOW_BITS;
size_t        radix_middle_nodes, radix_bottom_nodes;

/* From the OS, not from malloc: malloc may be pymalloc itself. */
static void *radix_new_node(size_t bytes, size_t *count) {
    void *node = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (node == MAP_FAILED)
        return NULL;
    ++*count;
    return node;
}

/* The window that `address` lies in; its nodes are made where there are none. NULL: no memory. */
static radix_window *radix_reach(uintptr_t address) {
    radix_middle **middle = &radix_top[radix_digit(address, RADIX_TOP_SHIFT, RADIX_TOP_BITS)];
    if (!*middle && !(*middle = radix_new_node(sizeof **middle, &radix_middle_nodes)))
        return NULL;
    radix_bottom **bottom = &(*middle)->nodes[radix_digit(address, RADIX_MIDDLE_SHIFT, RADIX_MIDDLE_BITS)];
    if (!*bottom && !(*bottom = radix_new_node(sizeof **bottom, &radix_bottom_nodes)))
        return NULL;
    return &(*bottom)->windows[radix_digit(address, radix_window_bits, RADIX_MIDDLE_SHIFT - radix_window_bits)];
}

static bool radix_mark(uintptr_t start, bool ours) {
    uintptr_t window_bytes = (uintptr_t)1 << radix_window_bits;
    uint32_t offset = (uint32_t)(start & (window_bytes - 1));
    radix_window *first = radix_reach(start);
    radix_window *second = offset ? radix_reach(start + window_bytes) : NULL;
    if (!first || (offset && !second))
        return false;               /* both are reached before either is changed */
    first->after_high_start = ours ? offset + 1 : 0;
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
