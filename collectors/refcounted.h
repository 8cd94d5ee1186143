/* SPDX-License-Identifier: MIT
 * refcounted.h - the fast path of every counting collector, inlined into the workload.
 *
 *   counts/    how a count changes                 count_take, count_drop
 *   loads/     how a field is read and written     load_take, load_exchange
 *   cycles/    what finds cyclic garbage           cycles_born, cycles_dying, cycles_dead
 *   threads/   who may run                         threads_poll
 *
 * A reference held by a local or a field is one of the target's count. When the last one goes, the
 * object dies at once, and what only it held dies with it: the cascade, in refcounted.c.
 *
 * (I1) count(o) == locals that hold o + fields of live objects that hold o + what the collector holds.
 */
#ifndef REFARENA_REFCOUNTED_H
#define REFARENA_REFCOUNTED_H

#include "mutator.h"

typedef struct weak weak;

extern const allocator *refcounted_memory;

void refcounted_die(mutator *m, object *o);     /* its count has just reached zero */

#include COUNTS_HEADER
#ifdef ROW_IMMORTAL
#include "counts/immortal.h"
#endif
#include LOADS_HEADER
#include CYCLES_HEADER
#include THREADS_HEADER

/* What a choice need not say: it keeps nothing in a mutator, can do all, has no queues, never defers. */
#ifndef COUNT_MEMBERS
#define COUNT_MEMBERS
#endif
#ifndef COUNT_ABILITIES
#define COUNT_ABILITIES (COLLECTOR_WEAK_REFERENCES | COLLECTOR_FINALIZERS | COLLECTOR_EXACT_COUNTS)
#endif
#ifndef COUNT_HOLDS
static inline void count_hold(object *o) { count_take(o); }
#endif
#ifndef CYCLES_MEMBERS
#define CYCLES_MEMBERS
#endif
#ifndef LOADS_MEMBERS
#define LOADS_MEMBERS
#endif

struct mutator {
    mutator_base base;
    unsigned     dying;                 /* nested deaths in progress */
    object      *deferred;              /* dead objects whose death waits for the cascade to unwind */
    COUNT_MEMBERS
    CYCLES_MEMBERS
    LOADS_MEMBERS
};

static inline void object_drop(mutator *m, object *o) {
    if (o != NULL && UNLIKELY(count_drop(o))) refcounted_die(m, o);
}

static inline void local_set(mutator *m, local *l, object *value) {
    object *old = l->target;
    if (value != NULL) count_take(value);
    l->target = value;
    object_drop(m, old);
    collector_step();
}

static inline void field_load(mutator *m, local *l, object *holder, field *f) {
    object *old = l->target;
    l->target = load_take(holder, f);
    object_drop(m, old);
    collector_step();
}

static inline void field_store(mutator *m, object *holder, field *f, object *value) {
    if (value != NULL) count_take(value);
    object_drop(m, load_exchange(holder, f, value));
    collector_step();
}

static inline void field_move(mutator *m, object *holder, field *f, local *l) {
    object *value = l->target;
    l->target = NULL;
    object_drop(m, load_exchange(holder, f, value));
    collector_step();
}

static inline void frame_close(mutator *m, local *frame) {
    for (local *l = frame; l < m->base.top; l++) {
        object *old = l->target;
        l->target = NULL;
        object_drop(m, old);
    }
    m->base.top = frame;
    collector_step();
}

static inline void mutator_poll(mutator *m) {
    threads_poll(m);
#ifdef CYCLES_POLLS
    cycles_poll(m);
#endif
#ifdef COUNT_QUEUES
    if (UNLIKELY(atomic_load_explicit(&m->counts.pending, memory_order_relaxed))) count_drain(m);
#endif
    collector_step();
}
static inline void mutator_detach(mutator *m) { threads_detach(m); }
static inline void mutator_attach(mutator *m) { threads_attach(m); }

#ifdef ROW_IMMORTAL
#define COLLECTOR_HAS_IMMORTALS 1
static inline void object_immortalize(object *o) { count_immortalize(o); }
#endif

#define COLLECTOR_HAS_COUNTS 1
static inline size_t object_references(const object *o) { return count_read(o); }
static inline void   object_take_and_drop(mutator *m, object *o) {
    count_take(o);
    collector_step();
    object_drop(m, o);
    collector_step();
}

bool object_new(mutator *m, local *l, const object_type *type, size_t extra);
bool object_resize(mutator *m, local *l, size_t count);
bool weak_new(mutator *m, local *l, object *target, weak_callback *callback, void *context);
void weak_get(mutator *m, local *l, object *weak);
size_t collector_collect(mutator *m, int generation);
void collector_check(void);

#endif
