/* SPDX-License-Identifier: MIT
 * segregated.h - CPython's free-threaded collector: no lists; stop the world, and walk the pages.
 *
 * Objects live in the collector's own chunks (chunks.h), page by page of one size, so that all of them can
 * be found without a list that threads would have to share. One generation: every collection looks at all. It runs inside
 * the birth that passes the threshold (cycles_before_birth), as CPython 3.11's does, with the world stopped.
 * segregated.c has the algorithm.
 */
#ifndef REFARENA_CYCLES_SEGREGATED_H
#define REFARENA_CYCLES_SEGREGATED_H

#include "../chunks.h"

enum { CYCLES_PREFIX_BYTES = 0, CYCLES_ABILITIES = COLLECTOR_FREES_CYCLES };

#define CYCLES_ALLOCATOR_USE COLLECTOR_USES_CHUNKS

#define CYCLES_OPTIONS \
    {"threshold0", "tracked births minus deaths, of all threads, that start a collection; 0: never", 2000, 0, 1000000000}, \
    {"quarter",    "1: a collection also waits until a quarter of the live objects is new", 1, 0, 1}, \
    {"automatic",  "1: collect by thresholds; 0: only when asked", 1, 0, 1}, \
    {"stress",     "1: a collection at every tracked birth", 0, 0, 1},

#define CYCLES_MEMBERS \
    chunk_heap *heap; \
    int         births;                 /* of tracked objects less deaths, not yet in the common number */

bool   cycles_open(void);
void   cycles_close(void);
bool   cycles_enter(mutator *m);
void   cycles_leave(mutator *m);
void  *cycles_block(mutator *m, size_t bytes);
void   cycles_release(mutator *m, void *block, size_t bytes);
void   cycles_before_birth(mutator *m);
void   cycles_dead(mutator *m);
size_t cycles_collect(mutator *m, int generation);
bool   cycles_make_room(mutator *m);            /* the heap is full; false: it stays so */
void   cycles_stats(collector_stats *stats);
void   cycles_check(void);

static inline void cycles_born(object *o)  { o->flags &= (uint8_t)~OBJECT_DYING; }
static inline void cycles_dying(object *o) { o->flags |= OBJECT_DYING; }

#endif
