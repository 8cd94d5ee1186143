/* SPDX-License-Identifier: MIT
 * leak.h - never frees, never counts: the floor that every collector is compared with.
 *
 * A store is a store. On `bump` this is the cheapest mutator there is; the harness gives the whole heap
 * back between units, untimed. Weak references never die, finalizers never run.
 */
#ifndef REFARENA_TRACING_LEAK_H
#define REFARENA_TRACING_LEAK_H

#include "../mutator.h"

struct object { const object_type *type; };

#define OBJECT_STATIC(object_type) {.type = &(object_type)}

struct mutator { mutator_base base; };

#include THREADS_HEADER

static inline void local_set(mutator *m, local *l, object *value) {
    (void)m;
    l->target = value;
    collector_step();
}

static inline void field_load(mutator *m, local *l, object *holder, field *f) {
    (void)m, (void)holder;
    l->target = field_peek(f);
    collector_step();
}

static inline void field_store(mutator *m, object *holder, field *f, object *value) {
    (void)m, (void)holder;
    field_poke(f, value);
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
static inline size_t collector_collect(mutator *m, int generation) { (void)m, (void)generation; return 0; }
static inline void collector_check(void) {}

#endif
