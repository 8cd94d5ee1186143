/* SPDX-License-Identifier: MIT
 * watch.c - the one mempool that memcheck knows the blocks of all pools by.
 *
 * Source: Valgrind manual, 4.8, Memory Pools: describing and working with custom allocators.
 */
#include "watch.h"

#ifdef WATCH_MEMPOOL

#include <stdbool.h>

char watch_heap;

void watch_begin(void) {
    static bool begun;
    if (!begun)
        VALGRIND_CREATE_MEMPOOL(&watch_heap, 0, 0);
    begun = true;
}

#else

typedef int watch_nothing;      /* C wants something in every file */

#endif
