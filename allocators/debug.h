/* SPDX-License-Identifier: MIT
 * debug.h - what debug:<allocator> writes into memory, and which request made a block.
 */
#ifndef REFARENA_DEBUG_H
#define REFARENA_DEBUG_H

#include <stddef.h>
#include <stdint.h>

/* As in CPython: a pattern that shows in a dump which state a byte is in. */
enum {
    DEBUG_CLEAN     = 0xcd,     /* handed out, and never written by the program */
    DEBUG_DEAD      = 0xdd,     /* given back */
    DEBUG_FORBIDDEN = 0xfd,     /* a guard: nobody's */
};

/* Number of the request that made the live block: 1 for the first of the process. The report of a damaged block
 * names it; in a second run of a program that repeats, a breakpoint can wait for it. */
uint64_t debug_serial(const void *block);

#endif
