/* SPDX-License-Identifier: MIT
 * weak.c - the lists of weak references, and how a target is reached through one without resurrecting it. */
#include "weak.h"
#include "spin.h"

enum { WEAK_STRIPES = 64, WEAK_CONDEMNED = 1 };

static struct { _Alignas(64) atomic_uchar lock; } weak_stripes[WEAK_STRIPES];

static atomic_uchar *weak_stripe(const object *target) {
    return &weak_stripes[((uintptr_t)target >> 4) * 0x9E3779B97F4A7C15u >> 58].lock;
}
static void weak_lock(const object *target)   { if (COUNT_IS_SHARED) spin_lock(weak_stripe(target)); }
static void weak_unlock(const object *target) { if (COUNT_IS_SHARED) spin_unlock(weak_stripe(target)); }

static weak_list *weak_list_of(object *target) {
    return (weak_list *)((char *)target + target->type->weak_list_offset);
}
static weak *weak_first(object *target) {
    return (weak *)((uintptr_t)weak_list_of(target)->first & ~(uintptr_t)WEAK_CONDEMNED);
}
static bool weak_is_condemned(object *target) { return (uintptr_t)weak_list_of(target)->first & WEAK_CONDEMNED; }

/* A weak reference that reads NULL here may be freed at once: whoever wrote it must be done with it. */
static object *weak_target(const weak *w) { return atomic_load_explicit(&w->target, memory_order_acquire); }
static void weak_set_target(weak *w, object *target) { atomic_store_explicit(&w->target, target, memory_order_release); }

/* The target with its stripe locked, or NULL. While locked it is not freed: death must come through here. */
static object *weak_lock_target(const weak *w) {
    for (;;) {
        object *target = weak_target(w);
        if (target == NULL) return NULL;
        weak_lock(target);
        if (weak_target(w) == target) return target;
        weak_unlock(target);
    }
}

static void weak_link_after(weak *w, weak *previous, object *target) {
    weak_list *list = weak_list_of(target);
    w->previous = previous;
    w->next = previous != NULL ? previous->next : list->first;
    if (w->next != NULL) w->next->previous = w;
    if (previous != NULL) previous->next = w;
    else list->first = w;
    weak_set_target(w, target);
}

static void weak_unlink(weak *w, object *target) {
    if (w->previous != NULL) w->previous->next = w->next;
    else weak_list_of(target)->first = (weak *)((uintptr_t)w->next | weak_is_condemned(target));
    if (w->next != NULL) w->next->previous = w->previous;
    w->next = w->previous = NULL;
    weak_set_target(w, NULL);
}

/* The shared reference without callback, if the target has one that is alive: taken. */
static object *weak_take_shared(object *target) {
    weak *first = weak_first(target);
    return first != NULL && first->callback == NULL && count_try_take(&first->header) ? &first->header : NULL;
}

static void weak_give(mutator *m, local *l, object *taken) {
    object *old = l->target;
    l->target = taken;
    object_drop(m, old);
    collector_step();
}

bool weak_new(mutator *m, local *l, object *target, weak_callback *callback, void *context) {
    assert(target->type->weak_list_offset != 0);
    if (callback == NULL) {
        weak_lock(target);
        object *shared = weak_take_shared(target);
        weak_unlock(target);
        if (shared != NULL) {
            weak_give(m, l, shared);
            return true;
        }
    }
    local *frame = frame_open(m, 2);
    local_set(m, &frame[1], target);                    /* birth may collect */
    bool born = object_new(m, &frame[0], &weak_type, 0);
    if (born) {
        weak *w = (weak *)frame[0].target;
        w->callback = callback;
        w->context = context;
        target = frame[1].target;
#ifdef COUNT_QUEUES                                     /* others take both through the target's list */
        count_mark_weak(target);
        count_mark_weak(&w->header);
#endif
        weak_lock(target);
        object *shared = callback == NULL ? weak_take_shared(target) : NULL;    /* made meanwhile: there is one */
        weak *first = weak_first(target);
        if (shared == NULL)
            weak_link_after(w, callback != NULL && first != NULL && first->callback == NULL ? first : NULL, target);
        weak_unlock(target);
        if (shared != NULL) weak_give(m, l, shared);
        else local_set(m, l, frame[0].target);
    }
    frame_close(m, frame);
    return born;
}

void weak_get(mutator *m, local *l, object *w) {
    object *target = weak_lock_target((weak *)w), *taken = NULL;
    if (target != NULL) {
        if (!weak_is_condemned(target) && count_try_take(target)) taken = target;
        weak_unlock(target);
    }
    weak_give(m, l, taken);
}

weak *weak_kill(object *target, bool (*keep)(const object *weak)) {
    weak *calls = NULL, **tail = &calls;
    weak_lock(target);
    for (weak *w = weak_first(target); w != NULL; w = weak_first(target)) {
        bool taken = w->callback != NULL && keep(&w->header) && count_try_take(&w->header);
        weak_unlink(w, target);                         /* from here on it may be gone, unless it was taken */
        if (taken) {
            *tail = w;
            tail = &w->next;
        }
    }
    weak_unlock(target);
    return calls;
}

void weak_call_back(mutator *m, weak *first) {
    while (first != NULL) {
        weak *w = first;
        first = w->next;
        w->next = NULL;
        w->callback(m, &w->header, w->context);
        object_drop(m, &w->header);
    }
}

static bool weak_keep_all(const object *w) { (void)w; return true; }

static bool weak_keep_none(const object *w) { (void)w; return false; }

void weak_clear_silently(object *target) { weak_kill(target, weak_keep_none); }

void weak_clear(mutator *m, object *target) { weak_call_back(m, weak_kill(target, weak_keep_all)); }

void weak_forget(object *o) {
    weak *w = (weak *)o;
    object *target = weak_lock_target(w);
    if (target == NULL) return;
    weak_unlink(w, target);
    weak_unlock(target);
}

void weak_condemn(object *target) {
    weak_lock(target);
    weak_list *list = weak_list_of(target);
    list->first = (weak *)((uintptr_t)list->first | WEAK_CONDEMNED);
    weak_unlock(target);
}

void weak_pardon(object *target) {
    weak_lock(target);
    weak_list_of(target)->first = weak_first(target);
    weak_unlock(target);
}

const object_type weak_type = {.name = "weak reference", .bytes = sizeof(weak), .tracked = true,
                               .visit = object_visit_nothing};
