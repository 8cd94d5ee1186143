/* SPDX-License-Identifier: MIT
 * generational_separate.c - which objects of a set are garbage? Subtract the references that come from inside.
 *
 * 1. gc_refs = count, for every object of the set.
 * 2. For every field of these objects that refers to one of them: gc_refs - 1. What remains came from
 *    outside: from a local, an older object, the collector's caller.
 * 3. Whatever has gc_refs > 0 is reachable, and so is all it refers to. The rest is garbage.
 *
 * Step 3 needs no stack and no recursion: objects with gc_refs == 0 move to a list of doubtful ones, and
 * come back to the end of the list being walked when a reachable one turns out to refer to them.
 *
 * While a set is collected its list is linked forwards only, since previous holds gc_refs; the doubtful
 * list is linked both ways (their gc_refs is 0), so that a rescue is O(1).
 *
 * (I3) gc_refs never falls below 0: a count covers the fields that refer to the object.
 *
 * Source: N. Schemenauer's collector of CPython 2.0, as of 3.11; Martinez, Wachenchauzer, Lins, IPL 34, 1990.
 * Source of the ring that prefetches: Cher, Hosking and Vitek, ASPLOS 2004.
 */
#include "../observe.h"
#include "generational_lists.h"

enum { GENERATIONAL_ONE_REFERENCE = 2 };        /* gc_refs counts from bit 1 on */

/* What is immortal moves to the permanent generation, as since CPython 3.12 (PEP 683): nothing will ever find it dead. */
static bool generational_retire(generational_link *l) {
#ifdef ROW_IMMORTAL
    if (count_is_immortal(generational_object(l))) {
        generational_unlink(l);
        generational_append(l, &generational.heads[GENERATIONAL_PERMANENT]);
        return true;
    }
#endif
    (void)l;
    return false;
}

static void generational_copy_count(generational_link *l) {
    l->previous = count_read(generational_object(l)) * GENERATIONAL_ONE_REFERENCE | GENERATIONAL_COLLECTING;
}

static void generational_copy_counts(generational_link *set) {
    for (generational_link *l = next_of(set), *next; l != set; l = next) {
        next = next_of(l);
        if (!generational_retire(l)) generational_copy_count(l);
    }
}

static void generational_subtract_one(object *target) {
    if (!target->type->tracked) return;
    generational_link *l = generational_link_of(target);
    if (!is_collecting(l)) return;
    assert(l->previous >= GENERATIONAL_ONE_REFERENCE);                                          /* I3 */
    l->previous -= GENERATIONAL_ONE_REFERENCE;
}

/* Subtractions may come in any order, so each waits until its target had time to come into the cache. */
enum { SUBTRACTION_RING = 16 };

typedef struct subtraction { object *waiting[SUBTRACTION_RING]; unsigned at; } subtraction;

static void generational_subtract_soon(field *f, void *context) {
    subtraction *ring = context;
    object *target = field_peek(f);
    if (target == NULL) return;
    object *ready = ring->waiting[ring->at];
    __builtin_prefetch(generational_link_of(target), 1);
    ring->waiting[ring->at] = target;
    ring->at = (ring->at + 1) % SUBTRACTION_RING;
    if (ready != NULL) generational_subtract_one(ready);
}

static void generational_subtract_internal_references(generational_link *set) {
    subtraction ring = {0};
    for (generational_link *l = next_of(set); l != set; l = next_of(l)) {
        object *o = generational_object(l);
        o->type->visit(o, generational_subtract_soon, &ring);
    }
    for (int i = 0; i < SUBTRACTION_RING; i++)
        if (ring.waiting[i] != NULL) generational_subtract_one(ring.waiting[i]);
}

/* The types of a list, in runs of equal ones. */
typedef struct seen_types { const object_type *last; unsigned needs; } seen_types;

static void generational_see_type(seen_types *seen, const object_type *type) {
    if (type == seen->last) return;
    seen->last = type;
    if (type->untracking != OBJECT_STAYS_TRACKED) seen->needs |= GENERATIONAL_UNTRACKS;
    if (type->weak_list_offset != 0 || type == &weak_type) seen->needs |= GENERATIONAL_WEAK;
    if (type->finalize != NULL) seen->needs |= GENERATIONAL_FINALIZES;
    if (type->legacy_finalizer) seen->needs |= GENERATIONAL_LEGACY;
}

/* A reachable object refers to f's target: rescue it from the doubtful, or mark it before it gets there. */
static void generational_rescue(field *f, void *set) {
    object *target = field_peek(f);
    if (target == NULL || !target->type->tracked) return;
    generational_link *l = generational_link_of(target), *head = set;
    if (!is_collecting(l)) return;
    if (l->next & GENERATIONAL_DOUBTFUL) {
        generational_link *next = next_of(l), *previous = generational_previous(l);
        previous->next = l->next;                                       /* keeps the mark of the list */
        next->previous = (uintptr_t)previous | (next->previous & GENERATIONAL_COLLECTING);
        generational_append(l, head);
        l->previous = GENERATIONAL_ONE_REFERENCE | GENERATIONAL_COLLECTING;
    } else if (l->previous < GENERATIONAL_ONE_REFERENCE)
        l->previous = GENERATIONAL_ONE_REFERENCE | GENERATIONAL_COLLECTING;
}

/* head->previous stays the tail of the set while it is walked: only a visit of a reachable object appends,
 * and the last of the list has not been moved away by then. */
static separated generational_move_unreferenced(generational_link *set, generational_link *doubtful) {
    separated found = {0};
    seen_types reachable = {0}, dead = {0};
    generational_link *previous = set;
    list_clear(doubtful);
    for (generational_link *l = next_of(set); l != set; l = (generational_link *)previous->next) {
        if (l->previous >= GENERATIONAL_ONE_REFERENCE) {
            object *o = generational_object(l);
            o->type->visit(o, generational_rescue, set);
            generational_see_type(&reachable, o->type);
            l->previous = (uintptr_t)previous;
            previous = l;
            found.reachable++;
        } else {
            generational_link *last = (generational_link *)doubtful->previous;
            previous->next = l->next;
            last->next = (uintptr_t)l | GENERATIONAL_DOUBTFUL;
            l->previous = (uintptr_t)last | GENERATIONAL_COLLECTING;
            l->next = (uintptr_t)doubtful | GENERATIONAL_DOUBTFUL;
            doubtful->previous = (uintptr_t)l;
        }
    }
    set->previous = (uintptr_t)previous;
    doubtful->next &= ~(uintptr_t)GENERATIONAL_DOUBTFUL;
    for (generational_link *l = next_of(doubtful); l != doubtful; l = next_of(l)) {
        l->next &= ~(uintptr_t)GENERATIONAL_DOUBTFUL;
        generational_see_type(&dead, generational_object(l)->type);
        found.doubtful++;
    }
    found.reachable_needs = reachable.needs;
    found.doubtful_needs = dead.needs;
    return found;
}

separated generational_separate(generational_link *set, generational_link *doubtful) {
    generational_copy_counts(set);
    observe(OBSERVE_COPIED);
    generational_subtract_internal_references(set);
    observe(OBSERVE_SUBTRACTED);
    separated found = generational_move_unreferenced(set, doubtful);
    observe(OBSERVE_SEPARATED);
    return found;
}

void generational_check_counts(generational_link *list) {
    for (generational_link *l = next_of(list); l != list; l = next_of(l))
        generational_copy_count(l);
    generational_subtract_internal_references(list);
    for (generational_link *l = next_of(list), *previous = list; l != list; previous = l, l = next_of(l))
        l->previous = (uintptr_t)previous;
}
