/* SPDX-License-Identifier: MIT
 * trace.h - a recorded trace, decoded before anything is measured.
 *
 * A file (allocators/recorder.h) becomes an array of events of one size, and each block gets a *slot*: a
 * number below `slots` that belongs to it while it lives, so that a replay finds it in a flat table. A slot is
 * used again by the thread that freed its block, first the one freed last: so two threads need not wait for
 * each other where only the number is the same. Blocks that outlived their program are released, in the order
 * of their birth, by events added at the end, the last thread's: a decoded trace goes from empty to empty.
 *
 * (I1) An event other than a birth names a slot whose block lives; a birth names one whose block does not.
 * (I2) Every slot is below `slots`; none is left alive after the last event. Of one thread, slots == peak_blocks.
 * (I3) An event that brings a block into a slot is by the thread whose event took the last one out of it.
 */
#ifndef REFARENA_TRACE_H
#define REFARENA_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "../../allocators/recorder.h"

typedef struct trace_event {
    uint64_t bytes;             /* asked for; of a release: those the block has */
    uint32_t slot;
    uint16_t thread;            /* that made the event in the recorded program */
    uint8_t  kind;              /* recorder_kind, never RECORDER_THREAD */
    uint8_t  alignment_log2;    /* of RECORDER_ALIGNED, else 0 */
} trace_event;

typedef struct trace {
    recorder_head head;         /* as recorded */
    trace_event  *events;
    uint64_t      count;        /* of events, those added at the end included */
    uint64_t      slots;
    size_t        mapped_bytes; /* of events */
} trace;

/* Read and decode the file at `path`. False: `why` says in one line what is wrong with it and what to do,
 * and nothing is kept. */
bool trace_load(trace *loaded, const char *path, char *why, size_t why_bytes);

void trace_unload(trace *loaded);

#endif
