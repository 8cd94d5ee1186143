/* SPDX-License-Identifier: MIT
 * generational_lists.h - lists of tracked objects, as the parts of the generational collector share them. */
#ifndef REFARENA_CYCLES_GENERATIONAL_LISTS_H
#define REFARENA_CYCLES_GENERATIONAL_LISTS_H

#include "../collector.h"
#include "../weak.h"

static inline generational_link *next_of(const generational_link *l) {
    return (generational_link *)(l->next & ~(uintptr_t)GENERATIONAL_DOUBTFUL);
}
static inline void list_clear(generational_link *head) { head->next = head->previous = (uintptr_t)head; }
static inline bool list_is_empty(const generational_link *head) { return head->next == (uintptr_t)head; }

static inline void list_merge(generational_link *from, generational_link *to) {
    if (list_is_empty(from)) return;
    generational_link *first = next_of(from), *last = generational_previous(from), *tail = generational_previous(to);
    tail->next = (uintptr_t)first;
    first->previous = (uintptr_t)tail | (first->previous & GENERATIONAL_COLLECTING);
    last->next = (uintptr_t)to;
    to->previous = (uintptr_t)last;
    list_clear(from);
}

static inline bool is_collecting(const generational_link *l) { return l->previous & GENERATIONAL_COLLECTING; }

/* --- generational_separate.c ------------------------------------------------------------------------ */

/* Steps of a collection that only some types need. */
enum { GENERATIONAL_UNTRACKS = 1, GENERATIONAL_WEAK = 2, GENERATIONAL_FINALIZES = 4, GENERATIONAL_LEGACY = 8 };

typedef struct separated {
    size_t   reachable, doubtful;                       /* objects in each list */
    unsigned reachable_needs, doubtful_needs;           /* steps that some object of the list needs */
} separated;

/* What of `set` is reachable from outside stays there; the rest goes to `doubtful`, with collecting bits set.
 * What is immortal leaves for the permanent generation, and is in neither number. */
separated generational_separate(generational_link *set, generational_link *doubtful);

/* Aborts where more fields of the list refer to an object of it than its count says. */
void generational_check_counts(generational_link *list);

/* --- generational_special.c ------------------------------------------------------------------------- */

void   generational_keep(object *o);                    /* in the list of garbage, with a reference of its own */
size_t generational_untrack_survivors(generational_link *survivors, bool full);     /* how many left the lists */
size_t generational_set_aside(generational_link *doubtful, generational_link *hopeless);   /* to an empty list; how many moved */
size_t generational_keep_hopeless(generational_link *hopeless, generational_link *old);

#endif
