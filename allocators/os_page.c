/* SPDX-License-Identifier: MIT
 * os_page.c - the size of the OS's pages, kept after it was asked for.
 */
#include "os_page.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_size_t os_page;           /* 0: not yet asked. Threads that ask at once get the same answer */

size_t os_page_bytes(void) {
    size_t bytes = atomic_load_explicit(&os_page, memory_order_relaxed);
    if (!bytes)
        atomic_store_explicit(&os_page, bytes = (size_t)sysconf(_SC_PAGESIZE), memory_order_relaxed);
    return bytes;
}

size_t os_page_up(size_t bytes) {
    return (bytes + os_page_bytes() - 1) & ~(os_page_bytes() - 1);
}

bool os_page_fits(char *why, size_t why_bytes) {
    if (os_page_bytes() <= OS_PAGE_MOST_BYTES)
        return true;
    return snprintf(why, why_bytes, "memory pages of this system have %zu bytes, and refarena's arenas and chunks need pages of at "
                    "most %d: use a kernel with smaller pages", os_page_bytes(), OS_PAGE_MOST_BYTES), false;
}
