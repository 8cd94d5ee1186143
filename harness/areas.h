/* SPDX-License-Identifier: MIT
 * areas.h - what is resident of text, data, heap, stack and the rest, by the kernel's list of mappings.
 */
#ifndef REFARENA_AREAS_H
#define REFARENA_AREAS_H

#include "session.h"

typedef struct areas_figures {
    int64_t text, constants, data;      /* of files: executable; read-only; written to, and zeroed data behind it */
    int64_t heap;                       /* what brk has grown */
    int64_t mapped;                     /* all other anonymous memory: arenas, large blocks, stacks of other threads */
    int64_t stack;                      /* of C frames, of the first thread */
    int64_t locals;                     /* frames of locals of all mutators */
    int64_t tables;                     /* the workload's and the harness's own */
} areas_figures;

/* Resident bytes now. False: the kernel does not say. */
bool areas_read(const session *s, areas_figures *now);

#endif
