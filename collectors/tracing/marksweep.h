/* SPDX-License-Identifier: MIT
 * marksweep.h - counts nothing: now and then all stop, what can be reached is marked, the rest is free.
 *
 * A store is a store, as in `leak`; what counting pays on every assignment is paid here in collections,
 * whose time grows with what is alive (marking) and with the heap (sweeping). Between them garbage of any
 * shape lies about: memory is the price of the cheap store.
 *
 * A thread allocates on an allowance in bytes, taken from the common budget in portions, so that birth
 * touches nothing shared; when the budget is used up, somebody collects.
 *
 * Fields are written with release and read with acquire: on x86-64 these are plain instructions, and who
 * finds an object in a field of another thread's sees it whole.
 *
 * Source: McCarthy, CACM 3(4), 1960.
 */
#ifndef REFARENA_TRACING_MARKSWEEP_H
#define REFARENA_TRACING_MARKSWEEP_H

#include "../chunks.h"
#include "../mutator.h"

struct object { const object_type *type; };

#define OBJECT_STATIC(object_type) {.type = &(object_type)}

struct mutator {
    mutator_base base;
    chunk_heap  *heap;
    int64_t      allowance_bytes;       /* that this thread may still allocate without asking */
    bool         calling_out;           /* runs callbacks or finalizers: collects nothing meanwhile */
};

#include THREADS_HEADER

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

static inline void mutator_poll(mutator *m)   { threads_poll(m); collector_step(); }
static inline void mutator_detach(mutator *m) { threads_detach(m); }
static inline void mutator_attach(mutator *m) { threads_attach(m); }

bool object_new(mutator *m, local *l, const object_type *type, size_t extra);
bool object_resize(mutator *m, local *l, size_t count);
bool weak_new(mutator *m, local *l, object *target, weak_callback *callback, void *context);
void weak_get(mutator *m, local *l, object *weak);
size_t collector_collect(mutator *m, int generation);
void collector_check(void);

/* The mark stack never grows beyond this; tests make it small. */
extern size_t marksweep_stack_limit_bytes;

#endif
