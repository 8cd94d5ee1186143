/* SPDX-License-Identifier: MIT
 * mutator.h - a thread of the program under test: its locals, its place in the list of all mutators.
 *
 *   stack |locals of the outermost frame|...|of the innermost|      free      |
 *         ^ stack                                            ^ top            ^ limit
 *
 * Locals lie in one array, so that a tracer's roots are a plain range. A collector's own mutator begins
 * with this struct.
 */
#ifndef REFARENA_MUTATOR_H
#define REFARENA_MUTATOR_H

#include <assert.h>

#include "linked.h"
#include "object.h"

enum { MUTATOR_LOCALS = 1 << 21 };      /* 16 MiB of address space; deeper recursion is a caller's mistake */

typedef struct mutator_base {
    local   *stack, *top, *limit;
    mutator *next, **link;              /* in the list of all mutators */
    uint64_t born, died;                /* objects, by this thread */
    uint64_t born_bytes, died_bytes;    /* their payload; what an array grows is born, what it shrinks has died */
    _Atomic uint64_t seen_epoch;        /* threads/stop_the_world.h; 0: not attached yet */
} mutator_base;

static inline local *frame_open(mutator *m, size_t locals) {
    mutator_base *base = (mutator_base *)m;
    local *frame = base->top;
    assert(locals <= (size_t)(base->limit - frame));
    for (size_t i = 0; i < locals; i++)
        frame[i].target = NULL;
    base->top = frame + locals;
    return frame;
}

static inline void mutator_bore(mutator *m, size_t payload_bytes) {
    ((mutator_base *)m)->born++;
    ((mutator_base *)m)->born_bytes += payload_bytes;
}
static inline void mutator_resized(mutator *m, size_t old_bytes, size_t new_bytes) {
    if (new_bytes > old_bytes) ((mutator_base *)m)->born_bytes += new_bytes - old_bytes;
    else ((mutator_base *)m)->died_bytes += old_bytes - new_bytes;
}

/* Zeroed memory of a collector's own, straight from the OS and untouched; NULL: refused. */
void    *collector_map(size_t bytes);
void     collector_unmap(void *memory, size_t bytes);      /* NULL is allowed */

/* Map a mutator of `bytes`, zeroed, with its stack, and put it in the list. NULL: out of memory. */
mutator *mutator_create(size_t bytes);

/* Take it out of the list and unmap it; its figures go to mutator_departed. */
void     mutator_destroy(mutator *m, size_t bytes);

/* Fill in what was born and has died, by the word of all mutators, departed ones included; others must be detached. */
void     mutator_sum(collector_stats *stats);
void     mutator_forget_departed(void);

/* Call visit with every mutator, and with every local of every open frame; none comes or goes meanwhile. */
void     mutator_each(void (*visit)(mutator *m, void *context), void *context);
void     mutator_each_local(void (*visit)(local *l, void *context), void *context);

/* What is reachable from locals and globals: objects, and payload bytes (headers of header_bytes not
 * counted). Breadth-first with a hash set in memory of its own. False: out of memory. */
bool     mutator_reachable(uint64_t *objects, uint64_t *bytes);

/* The entry `generations` of a collector that has none: false. */
bool     mutator_no_generations(uint64_t *tracked);

#endif
