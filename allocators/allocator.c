/* SPDX-License-Identifier: MIT
 * allocator.c - the entries of allocators that have nothing to do, or cannot.
 *
 * They are functions, not NULLs, so that no caller ever tests an entry before it calls it.
 */
#include "allocator.h"

bool allocator_opens(void) {
    return true;
}

void allocator_nothing(void) {
}

bool allocator_cannot_reset(void) {
    return false;
}

bool allocator_cannot_walk(allocator_visitor *visit, void *context) {
    (void)visit, (void)context;
    return false;
}

bool allocator_cannot_say(allocator_stats *stats) {
    *stats = (allocator_stats){ 0 };
    return false;
}
