/* SPDX-License-Identifier: MIT
 * racy.c - the condemned, who keep their memory; and what went wrong, counted. */
#include <pthread.h>

#include "../collector.h"

enum { RACY_KEPT = 1 << 27 };           /* 1 GiB of address space, touched as it fills */

struct racy_figures racy_figures;

static struct { pthread_mutex_t lock; object **objects; size_t count; } racy_kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

void racy_keep(object *o) {
    pthread_mutex_lock(&racy_kept.lock);
    if (racy_kept.objects == NULL) racy_kept.objects = collector_map(RACY_KEPT * sizeof(object *));
    if (racy_kept.objects != NULL && racy_kept.count < RACY_KEPT) racy_kept.objects[racy_kept.count++] = o;
    pthread_mutex_unlock(&racy_kept.lock);
}

void racy_release_kept(void) {
    for (size_t i = 0; i < racy_kept.count; i++)
        refcounted_memory->release(racy_kept.objects[i], object_bytes(racy_kept.objects[i]));
    collector_unmap(racy_kept.objects, RACY_KEPT * sizeof(object *));
    racy_kept.objects = NULL;
    racy_kept.count = 0;
    atomic_store(&racy_figures.premature, 0);
    atomic_store(&racy_figures.doubled, 0);
}
