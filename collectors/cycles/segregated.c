/* SPDX-License-Identifier: MIT
 * segregated.c - subtract internal references, over all pages, while the world stands still.
 *
 * The question is that of generational_separate.c: which objects are held only by each other? Without lists, an
 * object's gc_refs is the side word of its block, and "reachable" its mark bit:
 *
 *   stopped   gc_refs = count for every tracked object; less one for every field that refers to it
 *             mark what has gc_refs > 0, and all it reaches, with a stack of its own
 *             what is not marked is trash: take a reference to each, kill the weak references to it
 *   running   callbacks of weak references, finalizers
 *   stopped   the same question about the trash alone: what finalizers have saved leaves it
 *   running   clear the fields of the rest, and drop: counting frees it
 *
 * A young object costs as much as an old one; what is not tracked, dying, or waiting for its memory to be
 * freed is passed over. Trash is finalized in the order of the heap, not of birth.
 *
 * (I1) between collections no mark is set.
 * (I2) gc_refs never falls below 0: a count covers the fields that refer to the object.
 * Source: CPython 3.13's free-threaded collector (PEP 703); the subtraction as in generational_separate.c.
 */
#include <sched.h>
#include <stdlib.h>

#include "../collector.h"
#include "../observe.h"
#include "../pause.h"
#include "../weak.h"

enum { SEGREGATED_BUFFER = 512 };       /* births a thread counts by itself before it tells the others */

static struct segregated {
    _Atomic int64_t births;             /* net, since the last collection */
    _Atomic int64_t live;               /* tracked objects that survived the last one */
    _Atomic(mutator *) collector;       /* who collects, or NULL */
    int64_t         threshold, buffer;
    bool            quarter, automatic;
    _Atomic uint64_t collections, collected;
} segregated;

/* --- a vector in memory of its own ------------------------------------------------------------------- */

typedef struct vector { object **items; size_t count, room; } vector;

static bool vector_push(vector *v, object *o) {
    if (v->count == v->room) {
        vector larger = {.count = v->count, .room = v->room ? v->room * 2 : 1 << 12};
        larger.items = collector_map(larger.room * sizeof(object *));
        if (larger.items == NULL) return false;
        if (v->count != 0) memcpy(larger.items, v->items, v->count * sizeof(object *));
        collector_unmap(v->items, v->room * sizeof(object *));
        *v = larger;
    }
    v->items[v->count++] = o;
    return true;
}
static void vector_free(vector *v) { collector_unmap(v->items, v->room * sizeof(object *)); }

/* --- one collection's state --------------------------------------------------------------------------- */

typedef struct collection {
    mutator *m;
    vector   stack;                     /* marked, fields not yet looked at */
    vector   trash;                     /* each held by one reference of ours */
    vector   queued;                    /* references that other threads had left in queues; ours to drop */
    weak    *calls, **calls_tail;
    size_t   live;
    bool     refused;                   /* the stack could not grow: some marked objects were not looked at */
} collection;

static bool is_candidate(const object *o) {
    return o->type != NULL && o->type->tracked && !(o->flags & OBJECT_DYING);
}

static void unmark(object *o) {
    uint64_t bit, *word = chunks_mark_word(o, &bit);
    *word &= ~bit;
}

/* --- which objects are trash ------------------------------------------------------------------------- */

static void copy_count(void *block, void *context) {
    (void)context;
    if (is_candidate(block)) *chunks_scratch(block) = (uint32_t)count_read(block);
}

static void subtract_one(field *f, void *context) {
    (void)context;
    object *target = field_peek(f);
    if (target == NULL || !target->type->tracked) return;
    uint32_t *references = chunks_scratch(target);
    assert(*references != 0);                                                                   /* I2 */
    --*references;
}

static void subtract_fields(void *block, void *context) {
    object *o = block;
    if (is_candidate(o)) o->type->visit(o, subtract_one, context);
}

static void mark(object *o, collection *c) {
    if (!chunks_mark(o)) return;
    c->live++;
    if (!vector_push(&c->stack, o)) c->refused = true;
}

static void mark_target(field *f, void *context) {
    object *target = field_peek(f);
    if (target != NULL && target->type->tracked) mark(target, context);
}

static void mark_from(object *o, collection *c) {
    mark(o, c);
    while (c->stack.count != 0) {
        object *next = c->stack.items[--c->stack.count];
        next->type->visit(next, mark_target, c);
    }
}

static void mark_if_held(void *block, void *context) {
    if (is_candidate(block) && *chunks_scratch(block) != 0) mark_from(block, context);
}

static void mark_again(void *block, void *context) {
    object *o = block;
    if (!is_candidate(o) || !chunks_is_marked(o)) return;
    o->type->visit(o, mark_target, context);
    while (((collection *)context)->stack.count != 0) {
        vector *stack = &((collection *)context)->stack;
        object *next = stack->items[--stack->count];
        next->type->visit(next, mark_target, context);
    }
}

static void gather_trash(void *block, void *context) {
    collection *c = context;
    if (!is_candidate(block) || chunks_is_marked(block)) return;
    if (vector_push(&c->trash, block)) count_hold(block);       /* else the next collection finds it */
}

/* World stopped. */
static void segregated_find_trash(collection *c) {
    chunks_each(copy_count, c);
    observe(OBSERVE_COPIED);
    chunks_each(subtract_fields, c);
    observe(OBSERVE_SUBTRACTED);
    chunks_each(mark_if_held, c);
    while (c->refused) {
        c->refused = false;
        chunks_each(mark_again, c);
    }
    observe(OBSERVE_SEPARATED);
    chunks_each(gather_trash, c);
}

/* --- what happens to it ------------------------------------------------------------------------------ */

static bool is_reachable(const object *w) { return chunks_is_marked(w); }

static void segregated_kill_weak_references(collection *c) {
    for (size_t i = 0; i < c->trash.count; i++) {
        object *o = c->trash.items[i];
        if (o->type == &weak_type) weak_forget(o);
        if (o->type->weak_list_offset == 0) continue;
        *c->calls_tail = weak_kill(o, is_reachable);
        while (*c->calls_tail != NULL)
            c->calls_tail = &(*c->calls_tail)->next;
    }
}

/* Returns whether any finalizer ran. */
static bool segregated_finalize(collection *c) {
    bool ran = false;
    for (size_t i = 0; i < c->trash.count; i++) {
        object *o = c->trash.items[i];
        if (o->type->finalize == NULL || (o->flags & OBJECT_FINALIZED)) continue;
        o->flags |= OBJECT_FINALIZED;
        o->type->finalize(c->m, o);
        ran = true;
    }
    return ran;
}

static void subtract_member(field *f, void *context) {
    (void)context;
    object *target = field_peek(f);
    if (target != NULL && target->type->tracked && chunks_is_marked(target)) --*chunks_scratch(target);
}

static void release_member(object *o, collection *c) {
    unmark(o);
    if (!vector_push(&c->stack, o)) c->refused = true;
}
static void release_target(field *f, void *context) {
    object *target = field_peek(f);
    if (target != NULL && target->type->tracked && chunks_is_marked(target)) release_member(target, context);
}

/* World stopped. The mark now says: still trash. What is held from outside the trash loses it, and so does
 * all that is reached from there; where the stack cannot grow, all are let off until the next collection. */
static void segregated_release_resurrected(collection *c) {
    vector *trash = &c->trash;
    for (size_t i = 0; i < trash->count; i++) {
        chunks_mark(trash->items[i]);
        *chunks_scratch(trash->items[i]) = (uint32_t)count_read(trash->items[i]) - 1;     /* without our own */
    }
    for (size_t i = 0; i < trash->count; i++)
        trash->items[i]->type->visit(trash->items[i], subtract_member, c);
    for (size_t i = 0; i < trash->count; i++) {
        if (*chunks_scratch(trash->items[i]) == 0 || !chunks_is_marked(trash->items[i])) continue;
        release_member(trash->items[i], c);
        while (c->stack.count != 0) {
            object *next = c->stack.items[--c->stack.count];
            next->type->visit(next, release_target, c);
        }
    }
    for (size_t i = 0; c->refused && i < trash->count; i++)
        unmark(trash->items[i]);
    for (size_t i = 0; i < trash->count; i++) {         /* what is left of weak references must not see the clearing */
        object *o = trash->items[i];
        if (chunks_is_marked(o) && o->type->weak_list_offset != 0) weak_clear_silently(o);
    }
}

static void clear_field(field *f, void *m) {
    object *old = atomic_exchange_explicit(&f->target, NULL, memory_order_relaxed);
    object_drop(m, old);
}

/* Returns how many were still trash. All are held until their turn, so none dies before. */
static size_t segregated_clear(collection *c, bool all) {
    size_t cleared = 0;
    for (size_t i = 0; i < c->trash.count; i++) {
        object *o = c->trash.items[i];
        if (all || chunks_is_marked(o)) {
            unmark(o);
            o->type->visit(o, clear_field, c->m);
            cleared++;
        }
        object_drop(c->m, o);
    }
    return cleared;
}

/* --- one collection ---------------------------------------------------------------------------------- */

#ifdef COUNT_QUEUES
static bool keep_queued(object *o, void *context) { return vector_push(&((collection *)context)->queued, o); }
static void merge_queue_of(mutator *m, void *context) { count_merge_queues(m, keep_queued, context); }
#endif

static void segregated_stop(mutator *m) {
    while (!threads_stop(m)) {}
}

static size_t segregated_call_back(collection *c) {
    size_t freed = 0;
    *c->calls_tail = NULL;
    while (c->calls != NULL) {
        weak *w = c->calls;
        c->calls = w->next;
        w->next = NULL;
        w->callback(c->m, &w->header, w->context);
        if (!count_drop(&w->header)) continue;
        freed++;
        refcounted_die(c->m, &w->header);
    }
    return freed;
}

/* False: this thread or another is collecting already. */
SLOW static bool segregated_collect(mutator *m, size_t *found) {
    mutator *nobody = NULL;
    if (!atomic_compare_exchange_strong(&segregated.collector, &nobody, m)) return false;
    collection c = {.m = m};
    pause_begin();
    c.calls_tail = &c.calls;

    segregated_stop(m);
#ifdef COUNT_QUEUES
    mutator_each(merge_queue_of, &c);
#endif
    segregated_find_trash(&c);
    segregated_kill_weak_references(&c);
    chunks_clear_marks();
    atomic_store(&segregated.births, 0);
    atomic_store(&segregated.live, (int64_t)c.live);
    threads_start(m);

    for (size_t i = 0; i < c.queued.count; i++)
        object_drop(m, c.queued.items[i]);
    size_t collected = segregated_call_back(&c);
    bool finalized = segregated_finalize(&c);
    if (finalized) {
        segregated_stop(m);
        segregated_release_resurrected(&c);
        threads_start(m);
    }
    collected += segregated_clear(&c, !finalized);
    vector_free(&c.stack);
    vector_free(&c.trash);
    vector_free(&c.queued);
    atomic_fetch_add(&segregated.collections, 1);
    atomic_fetch_add(&segregated.collected, collected);
    pause_end(PAUSE_FULL);
    atomic_store(&segregated.collector, NULL);
    *found = collected;
    return true;
}

/* --- when -------------------------------------------------------------------------------------------- */

/* The common number never falls below 0: the deaths that a collection brings must not pay for later births,
 * or each collection would come later than the one before. */
static int64_t segregated_tell(mutator *m) {
    int64_t seen = atomic_load(&segregated.births), births;
    do
        births = seen + m->births > 0 ? seen + m->births : 0;
    while (!atomic_compare_exchange_weak(&segregated.births, &seen, births));
    m->births = 0;
    return births;
}

void cycles_before_birth(mutator *m) {
    if (LIKELY(++m->births < segregated.buffer)) return;
    int64_t births = segregated_tell(m);
    if (!segregated.automatic || segregated.threshold == 0 || births <= segregated.threshold) return;
    if (segregated.quarter && births <= atomic_load(&segregated.live) / 4) return;
    size_t found;
    segregated_collect(m, &found);
}

void cycles_dead(mutator *m) {
    if (UNLIKELY(--m->births <= -segregated.buffer)) segregated_tell(m);
}

size_t cycles_collect(mutator *m, int generation) {
    assert(generation >= 0 && generation < COLLECTOR_GENERATIONS);
    (void)generation;
    size_t found = 0;
    segregated_collect(m, &found);
    return found;
}

/* Who comes while another thread collects waits for that one, which may need this thread to stop. */
bool cycles_make_room(mutator *m) {
    size_t found;
    if (!segregated.automatic) return false;
    while (!segregated_collect(m, &found)) {
        if (atomic_load(&segregated.collector) == m) return false;
        threads_poll(m);
        sched_yield();
    }
#ifdef LOADS_DEFERRED
    deferred_wait(m);
#endif
    return true;
}

/* --- the part's contract ----------------------------------------------------------------------------- */

bool cycles_open(void) {
    segregated.threshold = collector_option_value("threshold0");
    segregated.buffer = segregated.threshold > 0 && segregated.threshold < SEGREGATED_BUFFER ? segregated.threshold
                                                                                             : SEGREGATED_BUFFER;
    segregated.quarter = collector_option_value("quarter") != 0;
    segregated.automatic = collector_option_value("automatic") != 0;
    if (collector_option_value("stress") != 0) {
        segregated.threshold = -1;
        segregated.buffer = 1;
        segregated.quarter = false;
    }
    atomic_store(&segregated.births, 0);
    atomic_store(&segregated.live, 0);
    atomic_store(&segregated.collections, 0);
    atomic_store(&segregated.collected, 0);
    return true;
}

void cycles_close(void) { chunks_close(); }

bool cycles_enter(mutator *m) {
    m->heap = chunks_enter();
    return m->heap != NULL;
}
void cycles_leave(mutator *m) {
    segregated_tell(m);
    chunks_leave(m->heap);
}

/* A collection may walk the heap before the block has become an object. */
void *cycles_block(mutator *m, size_t bytes) {
    object *block = chunks_alloc(m->heap, bytes);
    if (block != NULL) block->type = NULL;
    return block;
}
void cycles_release(mutator *m, void *block, size_t bytes) {
    (void)bytes;
    chunks_free(m->heap, block);
}

void cycles_stats(collector_stats *stats) {
    stats->collections[COLLECTOR_GENERATIONS - 1] = atomic_load(&segregated.collections);
    stats->collected = atomic_load(&segregated.collected);
}

static void check_field(field *f, void *context) {
    (void)context;
    object *target = field_peek(f);
    if (target != NULL && count_read(target) == 0) abort();     /* a field refers to a dead object */
}

static void check_object(void *block, void *context) {
    object *o = block;
    if (!is_candidate(o)) return;
    if (chunks_is_marked(o)) abort();                                                           /* I1 */
    if (count_read(o) == 0) abort();
    o->type->visit(o, check_field, context);
}

/* All other mutators must be detached. */
void cycles_check(void) {
    chunks_check();
    chunks_each(check_object, NULL);
}
