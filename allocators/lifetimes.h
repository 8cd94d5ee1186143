/* SPDX-License-Identifier: MIT
 * lifetimes.h - how long the blocks of lifetimes:<allocator> live, and where they die.
 */
#ifndef REFARENA_LIFETIMES_H
#define REFARENA_LIFETIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Called on the thread that asks: after a birth, with the bytes asked for; and before a death, with the bytes that
 * were asked for in between by all threads (births, and what resizes add), and whether another thread asked for the
 * block. Both must be able to run on several threads at once. */
typedef struct lifetimes_watcher {
    void (*born)(size_t bytes);
    void (*died)(uint64_t lifetime_bytes, bool elsewhere);
} lifetimes_watcher;

/* Who is told from now on; NULL: nobody. No block is asked for or released meanwhile. */
void lifetimes_watch(const lifetimes_watcher *watcher);

/* Asked for since the wrapper was made: the clock of lifetimes. */
uint64_t lifetimes_clock_bytes(void);

#endif
