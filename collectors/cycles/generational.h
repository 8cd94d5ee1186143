/* SPDX-License-Identifier: MIT
 * generational.h - CPython 3.11's cyclic collector: three generations, and counts that come from outside.
 *
 * Before each tracked object lie two words that link it into its generation's list:
 *
 *   | next | previous | header 16 | fields ...        next == 0: not tracked
 *
 * During a collection the same words also say: bit 0 of previous, "in the set being collected"; the rest
 * of previous, gc_refs; bit 0 of next, "tentatively unreachable". See generational_separate.c.
 */
#ifndef REFARENA_CYCLES_GENERATIONAL_H
#define REFARENA_CYCLES_GENERATIONAL_H

#include "blocks.h"
#include "free_lists.h"

typedef struct generational_link { uintptr_t next, previous; } generational_link;

enum { CYCLES_PREFIX_BYTES = sizeof(generational_link), CYCLES_ABILITIES = COLLECTOR_FREES_CYCLES | COLLECTOR_FREEZES };

enum { GENERATIONAL_COLLECTING = 1, GENERATIONAL_DOUBTFUL = 1, GENERATIONAL_PERMANENT = COLLECTOR_GENERATIONS };

#define CYCLES_OPTIONS \
    {"threshold0", "tracked births minus deaths that start a young collection; 0: never", 700, 0, 1000000000}, \
    {"threshold1", "young collections that start a middle one", 10, 0, 1000000}, \
    {"threshold2", "middle collections that start a full one", 10, 0, 1000000}, \
    {"automatic",  "1: collect by thresholds; 0: only when asked", 1, 0, 1}, \
    {"collect_at_poll", "1: a birth only asks, and the next poll collects, as 3.12 does; 0: the birth collects", 0, 0, 1}, \
    {"stress",     "1: a full collection at every tracked birth", 0, 0, 1}, \
    {"save_all",   "1: trash is not cleared but kept, for a look at it", 0, 0, 1}, \
    {"free_lists", "1: a few dead objects of some types are kept for births, which are not counted then", 0, 0, 1},

/* Called before a collection (both numbers 0) and after it. */
typedef void generational_callback(bool start, int generation, size_t collected, size_t uncollectable);

extern struct generational {
    generational_link heads[COLLECTOR_GENERATIONS + 1];     /* the last: frozen objects */
    int64_t           thresholds[COLLECTOR_GENERATIONS];
    int64_t           counts[COLLECTOR_GENERATIONS];        /* net births; collections of the next younger */
    bool              automatic, collecting, collect_at_poll, stress, save_all;
    bool              pending;                              /* a birth has asked for a collection at the next poll */
    size_t            long_lived, long_lived_pending;       /* survivors of the last full; of middle ones since */
    uint64_t          collections[COLLECTOR_GENERATIONS], collected[COLLECTOR_GENERATIONS];
    uint64_t          uncollectable[COLLECTOR_GENERATIONS];
    object          **garbage;                              /* what could or should not be collected; one reference each */
    size_t            garbage_count, garbage_room;
    generational_callback *callback;                        /* or NULL */
} generational;

static inline generational_link *generational_link_of(const object *o) { return (generational_link *)o - 1; }
static inline object *generational_object(generational_link *l) { return (object *)(l + 1); }
static inline generational_link *generational_previous(const generational_link *l) {
    return (generational_link *)(l->previous & ~(uintptr_t)GENERATIONAL_COLLECTING);
}
static inline bool generational_is_tracked(const object *o) { return generational_link_of(o)->next != 0; }

static inline void generational_append(generational_link *l, generational_link *head) {
    generational_link *last = (generational_link *)head->previous;
    l->next = (uintptr_t)head;
    l->previous = (uintptr_t)last;
    last->next = (uintptr_t)l;
    head->previous = (uintptr_t)l;
}

/* Out of its list; the collecting bit of its neighbour stays as it is. */
static inline void generational_unlink(generational_link *l) {
    generational_link *next = (generational_link *)l->next, *previous = generational_previous(l);
    previous->next = (uintptr_t)next;
    next->previous = (uintptr_t)previous | (next->previous & GENERATIONAL_COLLECTING);
    l->next = l->previous = 0;
}

size_t generational_collect_automatic(mutator *m);
void   generational_birth_asks(mutator *m);             /* the threshold is passed: now, or at the next poll */
void   generational_drop_garbage(mutator *m);
void   generational_track(object *o);
void   generational_untrack(object *o);
int    generational_generation(const object *o);        /* 0..2; 3: frozen; -1: not tracked. Slow */
void   generational_freeze(void);                       /* all tracked objects leave the collector's sight */
void   generational_unfreeze(void);                     /* and come back, in the oldest generation */

bool   cycles_open(void);
size_t cycles_collect(mutator *m, int generation);
bool   cycles_make_room(mutator *m);                    /* the heap is full; false: it stays so */
void   cycles_stats(collector_stats *stats);
bool   cycles_census(uint64_t *tracked);                /* walks all lists */
void   cycles_check(void);

static inline void cycles_before_birth(mutator *m) {
    struct generational *g = &generational;
    if (UNLIKELY(++g->counts[0] > g->thresholds[0])) generational_birth_asks(m);
}
static inline void cycles_born(object *o) { generational_append(generational_link_of(o), &generational.heads[0]); }
static inline void cycles_dying(object *o) {
    if (generational_is_tracked(o)) generational_unlink(generational_link_of(o));
}
static inline void cycles_dead(mutator *m) {
    (void)m;
    if (generational.counts[0] > 0) generational.counts[0]--;
}
void cycles_close(void);

#define CYCLES_FREEZES 1
#define CYCLES_CENSUS 1
#define CYCLES_POLLS 1
static inline void cycles_poll(mutator *m) {
    if (UNLIKELY(generational.pending)) generational_collect_automatic(m);
}

#endif
