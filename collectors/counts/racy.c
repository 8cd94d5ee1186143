/* SPDX-License-Identifier: MIT
 * racy.c - the condemned, who keep their memory; and what went wrong, counted. */
#include <pthread.h>

#include "../collector.h"

enum { RACY_KEPT = 1 << 27 };           /* 1 GiB of address space, touched as it fills */

struct racy_figures racy_figures;

static struct { pthread_mutex_t lock; object **objects; size_t count; } racy_kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct { object **objects; size_t count; } racy_below;

bool count_enter(mutator *m) {
    (void)m;
    racy_below.objects = collector_map(RACY_KEPT * sizeof(object *));
    racy_below.count = 0;
    return racy_below.objects != NULL;
}

void count_leave(mutator *m) {
    (void)m;
    collector_unmap(racy_below.objects, RACY_KEPT * sizeof(object *));
}

/* Beyond the last of them nothing is remembered: what waits below leaks, as anything may here. */
void count_link(object *o, object *below) {
    (void)o;
    if (below != NULL && racy_below.count < RACY_KEPT) racy_below.objects[racy_below.count++] = below;
}

object *count_unlink(object *o) {
    (void)o;
    return racy_below.count == 0 ? NULL : racy_below.objects[--racy_below.count];
}

void racy_keep(object *o) {
    pthread_mutex_lock(&racy_kept.lock);
    if (racy_kept.objects == NULL) racy_kept.objects = collector_map(RACY_KEPT * sizeof(object *));
    if (racy_kept.objects != NULL && racy_kept.count < RACY_KEPT) racy_kept.objects[racy_kept.count++] = o;
    pthread_mutex_unlock(&racy_kept.lock);
}

void racy_release_kept(void) {
    for (size_t i = 0; i < racy_kept.count; i++) {
        object *o = racy_kept.objects[i];
        if (o->type->array_offset != 0) refcounted_memory->release(object_array(o)->items, object_array_bytes(o));
        refcounted_memory->release(o, object_bytes(o));
    }
    collector_unmap(racy_kept.objects, RACY_KEPT * sizeof(object *));
    racy_kept.objects = NULL;
    racy_kept.count = 0;
    atomic_store(&racy_figures.premature, 0);
    atomic_store(&racy_figures.doubled, 0);
}
