/* SPDX-License-Identifier: MIT
 * biased.h - two counts an object: its owner's, plain, and one that all other threads share.
 *
 *   | owner 8 | holder lock 1 | flags 1 | 2 | local 4 | shared 8 | type 8 |       32 bytes
 *
 *   count == local + (shared >> 2), once nothing is queued      shared: | signed count 62 | state 2 |
 *
 * The thread that made the object changes `local` with a plain add; others change `shared` with an atomic
 * one. Most objects are never touched by a second thread, so most counting costs no atomic instruction.
 * The count may go below zero in one part and above it in the other; only the sum means anything.
 *
 *   state:  initial -> maybe_weak (others may try to take) -> queued -> merged      it only grows
 *
 * When local reaches zero the owner merges: owner becomes 0, and the last drop of shared ends the object.
 * When another thread's drop finds shared at zero before that, it cannot know the owner's part: it leaves
 * its reference to the owner's queue, and the owner merges at its next poll (biased.c).
 *
 * Promises: no update is lost, as long as the owner polls (of four million references left to it, those beyond
 * stay for ever); death at the last drop, or at the owner's next poll. Costs: the owner pays
 * one comparison more than plain; others pay an atomic compare-and-swap; 16 bytes more of header.
 * Source: Choi, Shull, Torrellas, "Biased reference counting", PACT 2018; PEP 703.
 */
#ifndef REFARENA_COUNTS_BIASED_H
#define REFARENA_COUNTS_BIASED_H

struct object {
    _Atomic uint64_t   owner;           /* id of the thread; 0: merged */
    atomic_uchar       holder_lock;
    uint8_t            flags;
    _Atomic uint32_t   local;           /* only the owner writes it, until merged */
    _Atomic int64_t    shared;
    const object_type *type;
};

enum { OBJECT_FINALIZED = 1 << 0, OBJECT_DYING = 1 << 1 };      /* as in header.h */

#define OBJECT_STATIC(object_type) {.owner = 0, .shared = BIASED_ONE | BIASED_MERGED, .type = &(object_type)}

enum { BIASED_INITIAL, BIASED_MAYBE_WEAK, BIASED_QUEUED, BIASED_MERGED, BIASED_STATE = 3, BIASED_SHIFT = 2,
       BIASED_ONE = 1 << BIASED_SHIFT };

enum { COUNT_IS_SHARED = 1 };

#define COUNT_HOLDS 1
#define COUNT_ENTERS 1                  /* count_enter and count_leave, below */
#define COUNT_QUEUES 1                  /* threads leave references to each other */

/* A thread that owns objects: found by its id while it lives. */
typedef struct biased_thread {
    uint64_t              id;
    struct biased_thread *next;         /* in its bucket */
    object              **queue;        /* references left by other threads; under the bucket's mutex */
    size_t                queued;
    atomic_bool           pending;      /* queue is not empty: look at the next poll */
} biased_thread;

#define COUNT_MEMBERS biased_thread counts;      /* of a mutator */

extern _Thread_local uint64_t biased_self __attribute__((tls_model("initial-exec")));

bool biased_merge_zero(object *o);      /* the owner's part has reached zero; true: that was the last */
bool biased_drop_shared(object *o);     /* another thread drops; true: that was the last */
void count_hold(object *o);             /* world stopped: merge, and take one */
void count_take_marked(object *o);      /* take one that another thread holds safely (its field's lock) */

static inline bool biased_owns(const object *o) {
    return atomic_load_explicit(&o->owner, memory_order_relaxed) == biased_self;
}
static inline uint32_t biased_local(const object *o) { return atomic_load_explicit(&o->local, memory_order_relaxed); }
static inline void biased_set_local(object *o, uint32_t local) {
    atomic_store_explicit(&o->local, local, memory_order_relaxed);
}

static inline void count_birth(object *o) {
    atomic_store_explicit(&o->owner, biased_self, memory_order_relaxed);
    biased_set_local(o, 1);
    atomic_store_explicit(&o->shared, 0, memory_order_relaxed);
}

static inline void count_take(object *o) {
    if (__builtin_expect(biased_owns(o), 1)) biased_set_local(o, biased_local(o) + 1);
    else atomic_fetch_add_explicit(&o->shared, BIASED_ONE, memory_order_relaxed);
}

static inline bool count_drop(object *o) {
    if (__builtin_expect(biased_owns(o), 1)) {
        uint32_t local = biased_local(o) - 1;
        biased_set_local(o, local);
        return __builtin_expect(local == 0, 0) && biased_merge_zero(o);
    }
    return biased_drop_shared(o);
}

/* The dead that wait are linked through the owner's word, atomically: others may be looking whether it is theirs.
 * Who was not merged has died in its owner's hands, ours. */
static inline void count_link(object *o, object *next) {
    atomic_store_explicit(&o->owner, (uint64_t)(uintptr_t)next, memory_order_relaxed);
}
static inline object *count_linked(const object *o) {
    return (object *)(uintptr_t)atomic_load_explicit(&o->owner, memory_order_relaxed);
}
static inline object *count_unlink(object *o) {
    object *next = count_linked(o);
    bool merged = (atomic_load_explicit(&o->shared, memory_order_relaxed) & BIASED_STATE) == BIASED_MERGED;
    atomic_store_explicit(&o->owner, merged ? 0 : biased_self, memory_order_relaxed);
    return next;
}

/* The object may be dying, but its header is readable. */
static inline bool count_try_take(object *o) {
    if (biased_owns(o)) {
        uint32_t local = biased_local(o);
        if (local == 0) return false;
        biased_set_local(o, local + 1);
        return true;
    }
    int64_t seen = atomic_load_explicit(&o->shared, memory_order_relaxed);
    while (seen != 0 && seen != BIASED_MERGED)
        if (atomic_compare_exchange_weak_explicit(&o->shared, &seen, seen + BIASED_ONE, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

/* Others will try to take it without holding it: the owner's last drop must look at shared. */
static inline void count_mark_weak(object *o) {
    int64_t seen = atomic_load_explicit(&o->shared, memory_order_relaxed);
    while ((seen & BIASED_STATE) == BIASED_INITIAL &&
           !atomic_compare_exchange_weak_explicit(&o->shared, &seen, seen | BIASED_MAYBE_WEAK, memory_order_relaxed,
                                                  memory_order_relaxed)) {}
}

/* PEP 703: the owner's part of an immortal object is all ones. Whoever changes a count looks first (immortal.h), and so
 * does the merge of what was queued before. */
static inline bool count_is_immortal(const object *o) { return biased_local(o) == UINT32_MAX; }
static inline void count_immortalize(object *o) { biased_set_local(o, UINT32_MAX); }     /* by the owner */

/* Of an immortal object the owner's part alone, which 32 bits hold: others may have taken it before it became so. */
static inline size_t count_read(const object *o) {
    if (count_is_immortal(o)) return UINT32_MAX;
    return (size_t)((int64_t)biased_local(o) +
                    (atomic_load_explicit(&o->shared, memory_order_relaxed) >> BIASED_SHIFT));
}

bool count_enter(mutator *m);           /* false: out of memory */
void count_leave(mutator *m);
void count_drain(mutator *m);           /* merge what others have left to this thread; may end objects */
void count_merge_queues(mutator *m, bool (*last)(object *o, void *context), void *context);

#endif
