/* SPDX-License-Identifier: MIT
 * biased.c - where the two counts of an object meet: merging, and the queues in between.
 *
 * A queued object carries one reference that nobody holds any more: the queue's own. It keeps the object
 * alive until its owner, at a poll, adds both counts up and takes that reference away. Who owns nothing any
 * more (the thread has left) cannot be asked: then whoever wanted to queue merges.
 *
 * (B1) state merged  <=>  owner == 0 and local == 0, once the merging thread is done.
 * (B2) an object is in at most one queue, once: the step to `queued` is taken by one compare-and-swap.
 * (B3) every queued object's owner id is that of the queue's thread, or 0.
 */
#include <pthread.h>

#include "../collector.h"

enum { BIASED_BUCKETS = 257, BIASED_QUEUE = 1 << 22 };      /* references; 32 MiB of address space, untouched */

_Thread_local uint64_t biased_self __attribute__((tls_model("initial-exec")));

static atomic_uint_fast64_t biased_last_id;

static struct biased_bucket { pthread_mutex_t lock; biased_thread *first; } biased_buckets[BIASED_BUCKETS] = {
    [0 ... BIASED_BUCKETS - 1] = {PTHREAD_MUTEX_INITIALIZER, NULL}};

static struct biased_bucket *biased_bucket_of(uint64_t id) { return &biased_buckets[id % BIASED_BUCKETS]; }

/* Add both counts, and `extra`, into shared; from here on nobody owns the object. Returns the count. What has become
 * immortal since somebody queued it keeps its two parts, and a count above zero. */
static int64_t biased_merge(object *o, int64_t extra) {
    if (count_is_immortal(o)) return INT64_MAX;
    int64_t local = biased_local(o), seen = atomic_load_explicit(&o->shared, memory_order_relaxed), count;
    biased_set_local(o, 0);
    atomic_store_explicit(&o->owner, 0, memory_order_relaxed);
    do
        count = (seen >> BIASED_SHIFT) + local + extra;
    while (!atomic_compare_exchange_weak_explicit(&o->shared, &seen, count * BIASED_ONE | BIASED_MERGED,
                                                  memory_order_acq_rel, memory_order_relaxed));
    return count;
}

SLOW bool biased_merge_zero(object *o) {
    if (atomic_load_explicit(&o->shared, memory_order_acquire) == 0) return true;      /* nobody else ever came near */
    return biased_merge(o, 0) == 0;
}

/* Leave a reference to the owner. True: there was no owner to ask, and it was the last. */
static bool biased_queue(object *o) {
    uint64_t id = atomic_load_explicit(&o->owner, memory_order_relaxed);
    if (id == 0) return biased_drop_shared(o);          /* merged meanwhile, with our reference in the sum */
    struct biased_bucket *bucket = biased_bucket_of(id);
    pthread_mutex_lock(&bucket->lock);
    biased_thread *owner = bucket->first;
    while (owner != NULL && owner->id != id)
        owner = owner->next;
    /* A queue of four million that its owner never looked at takes no more: the object stays for ever. */
    if (owner != NULL && owner->queued < BIASED_QUEUE) {
        owner->queue[owner->queued++] = o;
        atomic_store_explicit(&owner->pending, true, memory_order_release);
    }
    pthread_mutex_unlock(&bucket->lock);
    return owner == NULL && biased_merge(o, -1) == 0;
}

SLOW bool biased_drop_shared(object *o) {
    int64_t seen = atomic_load_explicit(&o->shared, memory_order_relaxed), next;
    bool queue;
    do {
        queue = seen == BIASED_INITIAL || seen == BIASED_MAYBE_WEAK;
        next = queue ? BIASED_QUEUED : seen - BIASED_ONE;
    } while (!atomic_compare_exchange_weak_explicit(&o->shared, &seen, next, memory_order_acq_rel, memory_order_relaxed));
    return queue ? biased_queue(o) : next == BIASED_MERGED;
}

void count_take_marked(object *o) {
    if (biased_owns(o)) {
        biased_set_local(o, biased_local(o) + 1);
        return;
    }
    int64_t seen = atomic_load_explicit(&o->shared, memory_order_relaxed), next;
    do
        next = (seen + BIASED_ONE) | ((seen & BIASED_STATE) == BIASED_INITIAL ? BIASED_MAYBE_WEAK : 0);
    while (!atomic_compare_exchange_weak_explicit(&o->shared, &seen, next, memory_order_relaxed, memory_order_relaxed));
}

void count_hold(object *o) { biased_merge(o, 1); }

/* --- threads ---------------------------------------------------------------------------------------- */

bool count_enter(mutator *m) {
    biased_thread *self = &m->counts;
    self->queue = collector_map(BIASED_QUEUE * sizeof(object *));
    if (self->queue == NULL) return false;
    self->id = atomic_fetch_add(&biased_last_id, 1) + 1;
    struct biased_bucket *bucket = biased_bucket_of(self->id);
    pthread_mutex_lock(&bucket->lock);
    self->next = bucket->first;
    bucket->first = self;
    pthread_mutex_unlock(&bucket->lock);
    biased_self = self->id;
    return true;
}

/* Merging may end objects, whose finalizers may poll: what is taken in small pieces needs no guard. */
SLOW void count_drain(mutator *m) {
    enum { PIECE = 64 };
    object *piece[PIECE];
    biased_thread *self = &m->counts;
    struct biased_bucket *bucket = biased_bucket_of(self->id);
    for (;;) {
        pthread_mutex_lock(&bucket->lock);
        size_t count = self->queued < PIECE ? self->queued : PIECE;
        self->queued -= count;
        if (count != 0) memcpy(piece, self->queue + self->queued, count * sizeof *piece);
        atomic_store_explicit(&self->pending, self->queued != 0, memory_order_relaxed);
        pthread_mutex_unlock(&bucket->lock);
        if (count == 0) return;
        for (size_t i = 0; i < count; i++)
            if (biased_merge(piece[i], -1) == 0) refcounted_die(m, piece[i]);
    }
}

/* Nobody may queue between the last look and the end: both happen under the lock. */
void count_leave(mutator *m) {
    biased_thread *self = &m->counts;
    struct biased_bucket *bucket = biased_bucket_of(self->id);
    bool left = false;
    while (!left) {
        count_drain(m);
        pthread_mutex_lock(&bucket->lock);
        left = self->queued == 0;
        if (left) {
            biased_thread **link = &bucket->first;
            while (*link != self)
                link = &(*link)->next;
            *link = self->next;
        }
        pthread_mutex_unlock(&bucket->lock);
    }
    biased_self = 0;
    collector_unmap(self->queue, BIASED_QUEUE * sizeof(object *));
}

/* World stopped: all queued objects are merged, and the queues' references stay in their counts where that
 * is all that keeps them; those objects are handed to `last`, which drops them once the world runs, or refuses
 * and leaves them to their owner. */
void count_merge_queues(mutator *m, bool (*last)(object *o, void *context), void *context) {
    biased_thread *of = &m->counts;
    size_t kept = 0;
    for (size_t i = 0; i < of->queued; i++) {
        object *o = of->queue[i];
        if (biased_merge(o, -1) != 0) continue;
        count_take(o);
        if (!last(o, context)) of->queue[kept++] = o;
    }
    of->queued = kept;
    atomic_store_explicit(&of->pending, kept != 0, memory_order_relaxed);
}
