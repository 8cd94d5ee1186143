/* SPDX-License-Identifier: MIT
 * generational.c - a collection of generations: when, of which, and what happens to what it finds dead.
 *
 * generational_separate.c tells the dead from the living. Then weak references to the dead are cleared and
 * called back, finalizers run, what they have resurrected is told apart by a second look, and the fields of the
 * rest are cleared, so that counting frees it.
 *
 * A long list is mostly misses of the cache, so it is walked as seldom as can be: lists are counted where they
 * are made, and a step that only some types need is left out when the list has none of them, as is the second look
 * when nothing has run. The outcome is CPython's, which takes every step each time.
 *
 * (I1) outside a collection: every list is circular, linked both ways, with all mark bits clear.
 * (I2) an object is in exactly one list, or has next == 0.
 * (I3) gc_refs never falls below 0: a count covers the fields that refer to the object.
 *
 * Source: CPython 3.11's collector; PEP 442 (finalizers).
 */
#include <stdlib.h>

#include "../pause.h"
#include "generational_lists.h"

struct generational generational;

/* --- what happens to it ----------------------------------------------------------------------------- */

static bool generational_is_not_trash(const object *w) { return !is_collecting(generational_link_of(w)); }

/* All weak references to trash die before any callback or finalizer can see the trash. Returns those that
 * call back. */
static weak *generational_clear_weak_references(generational_link *trash) {
    weak *calls = NULL, **tail = &calls;
    for (generational_link *l = next_of(trash); l != trash; l = next_of(l)) {
        object *o = generational_object(l);
        if (o->type == &weak_type) weak_forget(o);
        if (o->type->weak_list_offset == 0) continue;
        *tail = weak_kill(o, generational_is_not_trash);
        while (*tail != NULL)
            tail = &(*tail)->next;
    }
    return calls;
}

/* Returns how many weak references died with their calls; those that live on grow old. */
static size_t generational_call_back(mutator *m, weak *calls, generational_link *old) {
    size_t freed = 0;
    while (calls != NULL) {
        weak *w = calls;
        calls = w->next;
        w->next = NULL;
        w->callback(m, &w->header, w->context);
        if (count_read(&w->header) == 1)                /* only the collector holds it: it dies with its call */
            freed++;
        else if (generational_is_tracked(&w->header)) {
            generational_unlink(generational_link_of(&w->header));
            generational_append(generational_link_of(&w->header), old);
        }
        object_drop(m, &w->header);
    }
    return freed;
}

/* Objects may die in here, by count, and leave the list on their own. */
static void generational_finalize(mutator *m, generational_link *trash) {
    generational_link seen;
    list_clear(&seen);
    while (!list_is_empty(trash)) {
        generational_link *l = next_of(trash);
        object *o = generational_object(l);
        generational_unlink(l);
        generational_append(l, &seen);
        l->previous |= GENERATIONAL_COLLECTING;
        if (o->type->finalize == NULL || o->type->legacy_finalizer || (o->flags & OBJECT_FINALIZED)) continue;
        o->flags |= OBJECT_FINALIZED;
        count_take(o);
        o->type->finalize(m, o);
        object_drop(m, o);
    }
    list_merge(&seen, trash);
}

static void generational_clear_field(field *f, void *m) {
    object *old = field_peek(f);
    field_poke(f, NULL);
    object_drop(m, old);
}

/* Breaking the fields of the first object lets counting free it, and usually others. What survives that
 * was held by something the collector does not see, and goes on living among the old. */
static void generational_clear(mutator *m, generational_link *trash, generational_link *old) {
    while (!list_is_empty(trash)) {
        generational_link *l = next_of(trash);
        object *o = generational_object(l);
        count_take(o);
        if (generational.save_all) generational_keep(o);
        else o->type->visit(o, generational_clear_field, m);
        object_drop(m, o);
        if (next_of(trash) != l) continue;
        generational_unlink(l);
        generational_append(l, old);
    }
}

/* Weak references, finalizers, a second look for what they have resurrected; then the fields are cleared. What
 * a legacy finalizer stands in the way of was set aside before. Returns how many objects were
 * trash, weak references that died with their calls among them. */
static size_t generational_release(mutator *m, generational_link *doubtful, separated found, generational_link *old) {
    weak *calls = found.doubtful_needs & GENERATIONAL_WEAK ? generational_clear_weak_references(doubtful) : NULL;
    bool finalizes = found.doubtful_needs & GENERATIONAL_FINALIZES;
    if (calls == NULL && !finalizes) {                  /* nothing has run, so nothing has changed */
        generational_clear(m, doubtful, old);
        return found.doubtful;
    }
    size_t freed = generational_call_back(m, calls, old);
    if (finalizes) generational_finalize(m, doubtful);
    generational_link trash;
    separated second = generational_separate(doubtful, &trash);
    list_merge(doubtful, old);                          /* resurrected */
    generational_clear(m, &trash, old);
    return freed + second.doubtful;
}

/* --- when, and of which generation ------------------------------------------------------------------ */

static generational_link *generational_merge_younger(int generation) {
    struct generational *g = &generational;
    for (int i = 0; i < generation; i++)
        list_merge(&g->heads[i], &g->heads[generation]);
    return &g->heads[generation];
}

static void generational_promote(int generation, generational_link *survivors, size_t count, generational_link *old) {
    struct generational *g = &generational;
    if (generation == 1) g->long_lived_pending += count;
    if (generation == COLLECTOR_GENERATIONS - 1) {
        g->long_lived_pending = 0;
        g->long_lived = count;
    } else
        list_merge(survivors, old);
}

SLOW static size_t generational_collect(mutator *m, int generation) {
    struct generational *g = &generational;
    if (g->collecting) return 0;
    g->collecting = true;
    pause_begin();
    if (g->callback != NULL) g->callback(true, generation, 0, 0);
    if (generation + 1 < COLLECTOR_GENERATIONS) g->counts[generation + 1]++;
    for (int i = 0; i <= generation; i++)
        g->counts[i] = 0;

    int older = generation + 1 < COLLECTOR_GENERATIONS ? generation + 1 : generation;
    generational_link doubtful, hopeless, *set = generational_merge_younger(generation), *old = &g->heads[older];
    separated found = generational_separate(set, &doubtful);
    if (found.reachable_needs & GENERATIONAL_UNTRACKS)
        found.reachable -= generational_untrack_survivors(set, generation == COLLECTOR_GENERATIONS - 1);
    generational_promote(generation, set, found.reachable, old);
    list_clear(&hopeless);
    if (found.doubtful_needs & GENERATIONAL_LEGACY) found.doubtful -= generational_set_aside(&doubtful, &hopeless);
    size_t collected = generational_release(m, &doubtful, found, old);
    size_t uncollectable = generational_keep_hopeless(&hopeless, old);
    if (generation == COLLECTOR_GENERATIONS - 1) free_lists_empty();

    g->collections[generation]++;
    g->collected[generation] += collected;
    g->uncollectable[generation] += uncollectable;
    if (g->callback != NULL) g->callback(false, generation, collected, uncollectable);
    pause_end(pause_of_generation(generation));
    g->collecting = false;
    return collected + uncollectable;
}

/* The oldest generation whose threshold is passed; a full one waits until a quarter of the long-lived
 * objects is new, so that a growing heap costs linear and not quadratic time. */
SLOW size_t generational_collect_automatic(mutator *m) {
    struct generational *g = &generational;
    g->pending = false;
    for (int i = COLLECTOR_GENERATIONS - 1; i >= 0; i--) {
        if (g->counts[i] <= g->thresholds[i]) continue;
        if (i == COLLECTOR_GENERATIONS - 1 && g->long_lived_pending < g->long_lived / 4) continue;
        return generational_collect(m, i);
    }
    return 0;
}

SLOW void generational_birth_asks(mutator *m) {
    struct generational *g = &generational;
    if (!g->automatic || g->collecting) return;
    if (g->stress) generational_collect(m, COLLECTOR_GENERATIONS - 1);
    else if (g->thresholds[0] == 0) return;
    else if (g->collect_at_poll) g->pending = true;
    else generational_collect_automatic(m);
}

size_t cycles_collect(mutator *m, int generation) {
    assert(generation >= 0 && generation < COLLECTOR_GENERATIONS);
    return generational_collect(m, generation);
}

bool cycles_make_room(mutator *m) {
    if (!generational.automatic || generational.collecting) return false;
    generational_collect(m, COLLECTOR_GENERATIONS - 1);
    return true;
}

/* --- the part's contract ----------------------------------------------------------------------------- */

bool cycles_open(void) {
    memset(&generational, 0, sizeof generational);
    for (int i = 0; i <= GENERATIONAL_PERMANENT; i++)
        list_clear(&generational.heads[i]);
    generational.thresholds[0] = collector_option_value("threshold0");
    generational.thresholds[1] = collector_option_value("threshold1");
    generational.thresholds[2] = collector_option_value("threshold2");
    generational.automatic = collector_option_value("automatic") != 0;
    generational.collect_at_poll = collector_option_value("collect_at_poll") != 0;
    generational.stress = collector_option_value("stress") != 0;
    generational.save_all = collector_option_value("save_all") != 0;
    if (generational.stress) generational.thresholds[0] = -1;
    free_lists_open(collector_option_value("free_lists") != 0);
    return true;
}

void cycles_close(void) {
    free_lists_empty();
    collector_unmap(generational.garbage, generational.garbage_room * sizeof(object *));
    generational.garbage = NULL;
}

void cycles_stats(collector_stats *stats) {
    for (int i = 0; i < COLLECTOR_GENERATIONS; i++) {
        stats->collections[i] = generational.collections[i];
        stats->collected += generational.collected[i];
        stats->uncollectable += generational.uncollectable[i];
    }
}

static void check_field(field *f, void *context) {
    (void)context;
    object *target = field_peek(f);
    if (target == NULL) return;
    if (count_read(target) == 0) abort();               /* a field refers to a dead object */
}

/* I1, I2 by walking every list; I3 by subtracting. */
void cycles_check(void) {
    for (int i = 0; i <= GENERATIONAL_PERMANENT; i++) {
        generational_link *head = &generational.heads[i];
        for (generational_link *l = next_of(head); l != head; l = next_of(l)) {
            if (l->next & GENERATIONAL_DOUBTFUL) abort();                                       /* I1 */
            if (is_collecting(l)) abort();                                                      /* I1 */
            if (generational_previous(next_of(l)) != l) abort();                                /* I1 */
            object *o = generational_object(l);
            if (count_read(o) == 0) abort();            /* the dead leave their list first */
            o->type->visit(o, check_field, NULL);
        }
        generational_check_counts(head);                                                        /* I3 */
    }
}
