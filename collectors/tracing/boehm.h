/* SPDX-License-Identifier: MIT
 * boehm.h - libgc behind the same contract: the collector that C programs link when they want one.
 *
 * Allocation, collection and the stopping of threads are libgc's; it stops them by signals, wherever they
 * are, so that the threads policy has nothing to do. It is given its best: see boehm.c.
 *
 * Its roots are the locals, the globals, and each thread's machine stack and registers, where anything that
 * looks like an address counts as one: now and then an object lives longer than it is needed. So what a
 * collection finds is not exact, and not known: collect returns 0, and no object is ever counted as died.
 *
 * Source: Boehm and Weiser, SP&E 18(9), 1988; libgc 8.
 */
#ifndef REFARENA_TRACING_BOEHM_H
#define REFARENA_TRACING_BOEHM_H

#include "../mutator.h"

struct object {
    const void        *layout;          /* where libgc finds which words are references */
    const object_type *type;
};

#define OBJECT_STATIC(object_type) {.type = &(object_type)}

typedef struct boehm_layout boehm_layout;

struct mutator {
    mutator_base        base;
    mutator            *next, **link;   /* in the list whose stacks of locals are roots */
    bool                registered;     /* this thread with libgc, by us */
    bool                calling_out;    /* runs callbacks or finalizers */
    const object_type  *last_type;      /* born by this thread, and its layout */
    const boehm_layout *last_layout;
};

#include THREADS_HEADER

/* A collection has ended: callbacks and finalizers may have to run. */
extern atomic_bool boehm_ended;
void boehm_call_out(mutator *m);

static inline void local_set(mutator *m, local *l, object *value) {
    (void)m;
    l->target = value;
    collector_step();
}

static inline void field_load(mutator *m, local *l, object *holder, field *f) {
    (void)m, (void)holder;
    l->target = atomic_load_explicit(&f->target, memory_order_acquire);
    collector_step();
}

static inline void field_store(mutator *m, object *holder, field *f, object *value) {
    (void)m, (void)holder;
    atomic_store_explicit(&f->target, value, memory_order_release);
    collector_step();
}

static inline void field_move(mutator *m, object *holder, field *f, local *l) {
    object *value = l->target;
    field_store(m, holder, f, value);
    l->target = NULL;
}

static inline void frame_close(mutator *m, local *frame) {
    m->base.top = frame;
    collector_step();
}

static inline void mutator_poll(mutator *m) {
    threads_poll(m);
    if (UNLIKELY(atomic_load_explicit(&boehm_ended, memory_order_relaxed))) boehm_call_out(m);
    collector_step();
}
static inline void mutator_detach(mutator *m) { threads_detach(m); }
static inline void mutator_attach(mutator *m) { threads_attach(m); }

bool object_new(mutator *m, local *l, const object_type *type, size_t extra);
bool object_resize(mutator *m, local *l, size_t count);
bool weak_new(mutator *m, local *l, object *target, weak_callback *callback, void *context);
void weak_get(mutator *m, local *l, object *weak);
size_t collector_collect(mutator *m, int generation);
void collector_check(void);

#endif
