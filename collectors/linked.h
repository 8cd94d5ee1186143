/* SPDX-License-Identifier: MIT
 * linked.h - the one collector that is linked into this executable, as the harness sees it.
 *
 * The mutator's side of a collector is compiled into every workload (collector.h), because a count that
 * is reached through a table measures the table. The harness's side is slow and rare: this table.
 */
#ifndef REFARENA_LINKED_H
#define REFARENA_LINKED_H

#include "../allocators/allocator.h"
#include "object.h"

/* A number that the user may set before the collector is opened. */
typedef struct collector_option {
    const char *name;               /* NULL ends the list */
    const char *meaning;            /* with its unit */
    int64_t     value;              /* its default until set */
    int64_t     minimum, maximum;
} collector_option;

enum { COLLECTOR_GENERATIONS = 3 };

typedef struct collector_stats {
    uint64_t collections[COLLECTOR_GENERATIONS];    /* by generation collected; a tracer's are full: [2] */
    uint64_t collected;             /* objects found unreachable by collections */
    uint64_t uncollectable;
    uint64_t born, died;            /* objects */
    uint64_t born_bytes, died_bytes;    /* their payload: without headers, with the arrays that they own */
    uint64_t switches;              /* changes of the running thread under a GIL */
    uint64_t takes, drops;          /* of references: counted by `census` only, else 0 */
    uint64_t premature, doubled;    /* touches of dead objects, second deaths: what `racy` counts only */
} collector_stats;

typedef enum collector_allocator_use {
    COLLECTOR_USES_OBJECTS,         /* each object is a block of the allocator */
    COLLECTOR_USES_CHUNKS,          /* the collector owns its space */
    COLLECTOR_USES_NONE,            /* no use of it at all */
} collector_allocator_use;

typedef struct collector {
    const char *name, *idea;                            /* NULL name: this executable runs no objects */
    const char *counts, *loads, *cycles, *threads;      /* the row's choices; a tracer: "none", its file ... */
    unsigned    abilities;                              /* COLLECTOR_... of object.h */
    collector_allocator_use allocator_use;
    size_t      header_bytes, tracked_header_bytes;     /* before the payload, of an object of each kind */
    collector_option *options;                          /* ended by a NULL name */
    int64_t     least_heap_bytes;                       /* that it can start with, where it has the option heap_bytes */

    /* Start with an empty heap of objects on `memory`. False: out of memory. */
    bool     (*open)(const allocator *memory);

    /* Every mutator has left. Objects still alive are given up, released or not. */
    void     (*close)(void);

    /* The calling thread becomes a mutator, attached. NULL: out of memory, or no more threads allowed. */
    mutator *(*enter)(void);

    /* The calling thread, attached with no frame open, ends: its mutator is gone. */
    void     (*leave)(mutator *m);

    /* Between detach and attach a thread touches no object; it counts as polled and stopped. */
    void     (*detach)(mutator *m);
    void     (*attach)(mutator *m);

    /* Objects found unreachable; 0 where nothing looks for cycles. */
    size_t   (*collect)(mutator *m, int generation);

    void     (*stats)(collector_stats *stats);

    /* Live objects and their bytes: all that can be reached from locals and globals, payload and fields
     * without headers, owned arrays included. Slow; all other mutators must be detached. False: out of
     * memory. */
    bool     (*reachable)(uint64_t *objects, uint64_t *bytes);

    /* Tracked objects by generation, COLLECTOR_GENERATIONS of them, and the permanent ones last, while no mutator runs.
     * False: it has no generations. */
    bool     (*generations)(uint64_t *tracked);

    void     (*check)(void);                            /* walk the heap, abort at a broken invariant */
} collector;

extern const collector linked_collector;

/* The value of an option of linked_collector; asserts that there is one of this name. */
int64_t collector_option_value(const char *name);

#endif
