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

static inline size_t list_length(const generational_link *head) {
    size_t length = 0;
    for (const generational_link *l = next_of(head); l != head; l = next_of(l))
        length++;
    return length;
}

static inline bool is_collecting(const generational_link *l) { return l->previous & GENERATIONAL_COLLECTING; }

/* --- generational_special.c ------------------------------------------------------------------------- */

void   generational_keep(object *o);                    /* in the list of garbage, with a reference of its own */
void   generational_untrack_survivors(generational_link *survivors, bool full);
void   generational_set_aside(generational_link *doubtful, generational_link *hopeless);
size_t generational_keep_hopeless(generational_link *hopeless, generational_link *old);

#endif
