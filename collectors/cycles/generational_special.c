/* SPDX-License-Identifier: MIT
 * generational_special.c - what only CPython's collector has: untracking, legacy finalizers, garbage, freezing.
 *
 * A tuple of numbers cannot be part of a cycle, and leaves the lists at the first collection it survives;
 * a dict that holds nothing that can be, at the first full one. A legacy finalizer (tp_del) may not be called
 * by the collector, because nobody can say in which order: objects that have one, and all that they reach,
 * are set aside and kept as garbage for the program to look at.
 */
#include "generational_lists.h"

/* --- untracking ------------------------------------------------------------------------------------- */

static void may_be_tracked(field *f, void *context) {
    object *item = field_peek(f);
    if (item == NULL || !item->type->tracked) return;
    bool untracked_tuple = item->type->untracking == OBJECT_UNTRACKED_EARLY && !generational_is_tracked(item);
    if (!untracked_tuple) *(bool *)context = true;
}

size_t generational_untrack_survivors(generational_link *survivors, bool full) {
    size_t untracked = 0;
    for (generational_link *l = next_of(survivors), *next; l != survivors; l = next) {
        object *o = generational_object(l);
        next = next_of(l);
        if (o->type->untracking == OBJECT_STAYS_TRACKED) continue;
        if (o->type->untracking == OBJECT_UNTRACKED_BY_FULL && !full) continue;
        bool tracked = false;
        o->type->visit(o, may_be_tracked, &tracked);
        if (tracked) continue;
        generational_unlink(l);
        untracked++;
    }
    return untracked;
}

void generational_track(object *o) {
    if (!generational_is_tracked(o)) cycles_born(o);
}
void generational_untrack(object *o) { cycles_dying(o); }

/* --- legacy finalizers and garbage ------------------------------------------------------------------- */

static void move_aside(generational_link *l, generational_link *hopeless) {
    generational_unlink(l);
    generational_append(l, hopeless);                   /* its collecting bit is clear from here on */
}

static void move_target_aside(field *f, void *hopeless) {
    object *target = field_peek(f);
    if (target != NULL && target->type->tracked && is_collecting(generational_link_of(target)))
        move_aside(generational_link_of(target), hopeless);
}

size_t generational_set_aside(generational_link *doubtful, generational_link *hopeless) {
    size_t aside = 0;
    for (generational_link *l = next_of(doubtful), *next; l != doubtful; l = next) {
        next = next_of(l);
        if (generational_object(l)->type->legacy_finalizer) move_aside(l, hopeless);
    }
    for (generational_link *l = next_of(hopeless); l != hopeless; l = next_of(l), aside++)      /* grows at its end */
        generational_object(l)->type->visit(generational_object(l), move_target_aside, hopeless);
    return aside;
}

void generational_keep(object *o) {
    struct generational *g = &generational;
    if (g->garbage_count == g->garbage_room) {
        size_t room = g->garbage_room ? g->garbage_room * 2 : 512;
        object **larger = collector_map(room * sizeof(object *));
        if (larger == NULL) return;                     /* it lives on, unseen */
        if (g->garbage_count != 0) memcpy(larger, g->garbage, g->garbage_count * sizeof(object *));
        collector_unmap(g->garbage, g->garbage_room * sizeof(object *));
        g->garbage = larger;
        g->garbage_room = room;
    }
    count_take(o);
    g->garbage[g->garbage_count++] = o;
}

size_t generational_keep_hopeless(generational_link *hopeless, generational_link *old) {
    size_t count = 0;
    for (generational_link *l = next_of(hopeless); l != hopeless; l = next_of(l), count++)
        if (generational.save_all || generational_object(l)->type->legacy_finalizer)
            generational_keep(generational_object(l));
    list_merge(hopeless, old);
    return count;
}

void generational_drop_garbage(mutator *m) {
    while (generational.garbage_count != 0)
        object_drop(m, generational.garbage[--generational.garbage_count]);
}

bool cycles_census(uint64_t *tracked) {
    for (int i = 0; i <= GENERATIONAL_PERMANENT; i++) {
        tracked[i] = 0;
        for (generational_link *l = next_of(&generational.heads[i]); l != &generational.heads[i]; l = next_of(l))
            tracked[i]++;
    }
    return true;
}

/* --- freezing ---------------------------------------------------------------------------------------- */

int generational_generation(const object *o) {
    if (!generational_is_tracked(o)) return -1;
    for (int i = 0; i <= GENERATIONAL_PERMANENT; i++)
        for (generational_link *l = next_of(&generational.heads[i]); l != &generational.heads[i]; l = next_of(l))
            if (generational_object(l) == o) return i;
    return -1;
}

void generational_freeze(void) {
    for (int i = 0; i < COLLECTOR_GENERATIONS; i++) {
        list_merge(&generational.heads[i], &generational.heads[GENERATIONAL_PERMANENT]);
        generational.counts[i] = 0;
    }
}
void generational_unfreeze(void) {
    list_merge(&generational.heads[GENERATIONAL_PERMANENT], &generational.heads[COLLECTOR_GENERATIONS - 1]);
}
