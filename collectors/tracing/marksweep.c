/* SPDX-License-Identifier: MIT
 * marksweep.c - mark from locals and globals, sweep the pages, and what has to happen in between.
 *
 * With the world stopped:
 * 1. mark   what locals, globals and pending calls reach (marksweep_mark.c).
 * 2. weak   references to what is not marked are cleared; those that are marked themselves will call back.
 * 3. final  objects with a finalizer that has not run, and not marked: marked now, with all they reach.
 * 4. sweep  at once, or page by page when a page is next allocated from (lazy_sweep).
 * Then the world starts, and the callbacks run, newest first, and the finalizers, in the order of birth.
 * What a finalizer did not make reachable is found by the next collection; collector_collect does that one
 * too, so that like CPython's it returns with the garbage gone.
 *
 * (I1) outside a stop no mark is set but in pages that wait to be swept.
 * (I2) every field of every object refers to a block that is handed out.
 * (I3) used_bytes == live at the last collection + portions handed out since - what was given back.
 *
 * Source of lazy sweeping: Hughes, SP&E 12(11), 1982.
 */
#include <pthread.h>

#include "../collector.h"
#include "../heap_limit.h"
#include "../observe.h"
#include "../pause.h"
#include "marksweep_mark.h"

enum {
    MARKSWEEP_PORTION_BYTES = 32 << 10,         /* of the budget, to one thread */
    MARKSWEEP_LEAST_GROWTH_BYTES = 1 << 20,     /* between two collections of a small heap */
};

typedef struct marksweep_weak marksweep_weak;

static struct {
    const allocator *memory;                    /* of owned arrays */
    _Atomic int64_t  used_bytes;                /* I3 */
    int64_t          trigger_bytes, limit_bytes;    /* used bytes at which to collect; never more than */
    int64_t          growth_percent;
    bool             automatic, lazy;
    atomic_bool      arrays;                    /* some object has owned one: the dead must be looked at */

    pthread_mutex_t  lock;                      /* of all below; a leaf */
    marksweep_weak  *weak;                      /* references whose target lives, newest first */
    marksweep_weak  *calls, **calls_tail;       /* whose callback is to run */
    table            finalizable, final;        /* finalizer not run; to be run now */
    uint64_t         collections, collected;
    uint64_t         died, died_bytes;          /* in collections: what was born and not marked, less what had died before */
} heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void marksweep_lock(void)   { pthread_mutex_lock(&heap.lock); }
static void marksweep_unlock(void) { pthread_mutex_unlock(&heap.lock); }

/* --- 2. weak references --------------------------------------------------------------------------------- */

struct marksweep_weak {
    object          header;
    object         *target;                     /* NULL: dead */
    marksweep_weak *next;                       /* in the list of all, or of calls */
    weak_callback  *callback;                   /* NULL: none; such a one is shared by all who ask */
    void           *context;
};

static const object_type weak_type = {.name = "weak reference", .bytes = sizeof(marksweep_weak), .tracked = true,
                                      .visit = object_visit_nothing};

/* In a target the list's head is the reference without callback, if there is one. */
static marksweep_weak **weak_shared(object *target) {
    return (marksweep_weak **)((char *)target + target->type->weak_list_offset);
}

/* References to the dead, and dead references, leave the list. */
static void weak_clear(void) {
    marksweep_weak **link = &heap.weak;
    for (marksweep_weak *w = *link; w != NULL; w = *link) {
        bool calls = chunks_is_marked(w) && w->callback != NULL;
        if (chunks_is_marked(w) && chunks_is_marked(w->target)) {
            link = &w->next;
            continue;
        }
        *link = w->next;
        if (*weak_shared(w->target) == w) *weak_shared(w->target) = NULL;
        w->target = NULL;
        w->next = NULL;
        if (!calls) continue;
        *heap.calls_tail = w;
        heap.calls_tail = &w->next;
    }
}

static marksweep_weak *weak_next_call(void) {
    marksweep_lock();
    marksweep_weak *w = heap.calls;
    if (w != NULL) heap.calls = w->next;
    if (heap.calls == NULL) heap.calls_tail = &heap.calls;
    marksweep_unlock();
    return w;
}

static void weak_register(marksweep_weak *w, object *target) {
    marksweep_lock();
    w->target = target;
    w->next = heap.weak;
    heap.weak = w;
    if (w->callback == NULL) *weak_shared(target) = w;
    marksweep_unlock();
}

static object *weak_find_shared(object *target) {
    marksweep_lock();
    marksweep_weak *w = *weak_shared(target);
    marksweep_unlock();
    return w != NULL ? &w->header : NULL;
}

/* Two threads that find no shared one both make one; the later becomes the one that is found. */
bool weak_new(mutator *m, local *l, object *target, weak_callback *callback, void *context) {
    assert(target->type->weak_list_offset != 0);
    object *shared = callback == NULL ? weak_find_shared(target) : NULL;
    if (shared != NULL) {
        local_set(m, l, shared);
        return true;
    }
    local *frame = frame_open(m, 2);
    frame[1].target = target;                   /* birth may collect */
    bool born = object_new(m, &frame[0], &weak_type, 0);
    if (born) {
        marksweep_weak *w = (marksweep_weak *)frame[0].target;
        w->callback = callback;
        w->context = context;
        weak_register(w, frame[1].target);
        l->target = frame[0].target;
    }
    frame_close(m, frame);
    return born;
}

void weak_get(mutator *m, local *l, object *weak) { local_set(m, l, ((marksweep_weak *)weak)->target); }

/* --- 3. finalizers ---------------------------------------------------------------------------------------- */

/* The unmarked go to `final`, in order; where that is refused they stay, to be tried again. */
static void final_find(void) {
    size_t kept = 0;
    for (size_t i = 0; i < heap.finalizable.count; i++) {
        object *o = heap.finalizable.items[i];
        if (chunks_is_marked(o) || !table_push(&heap.final, o)) heap.finalizable.items[kept++] = o;
    }
    heap.finalizable.count = kept;
    for (size_t i = 0; i < kept; i++)
        mark(heap.finalizable.items[i]);
    for (size_t i = heap.final.first; i < heap.final.count; i++)
        mark(heap.final.items[i]);
    mark_all();
}

static object *final_next(void) {
    marksweep_lock();
    object *o = table_take_first(&heap.final);
    marksweep_unlock();
    return o;
}

static bool final_register(object *o) {
    marksweep_lock();
    bool registered = table_push(&heap.finalizable, o);
    marksweep_unlock();
    return registered;
}

/* What the collection has left to be called, by whichever thread comes. True: finalizers were among it. */
static bool marksweep_call_out(mutator *m) {
    bool finalized = false;
    local *frame = frame_open(m, 1);
    m->calling_out = true;
    for (marksweep_weak *w; (w = weak_next_call()) != NULL;) {
        frame[0].target = &w->header;
        w->callback(m, &w->header, w->context);
    }
    for (object *o; (o = final_next()) != NULL; finalized = true) {
        frame[0].target = o;
        o->type->finalize(m, o);
    }
    m->calling_out = false;
    frame_close(m, frame);
    return finalized;
}

/* --- the collection ------------------------------------------------------------------------------------------ */

static void marksweep_release_array(void *block, void *context) {
    (void)context;
    object *o = block;
    if (o->type->array_offset != 0) heap.memory->release(object_array(o)->items, object_array_bytes(o));
}

static void marksweep_mark_roots(void) {
    mutator_each_local(mark_local, NULL);
    collector_globals()->type->visit(collector_globals(), mark_field, NULL);
    for (marksweep_weak *w = heap.calls; w != NULL; w = w->next)
        mark(&w->header);
    for (size_t i = heap.final.first; i < heap.final.count; i++)
        mark(heap.final.items[i]);
}

static void marksweep_forget_allowance(mutator *m, void *context) {
    (void)context;
    m->allowance_bytes = 0;
}

/* The next collection comes when the heap has grown by so much, or is full. What the pages have room for until then
 * is kept: in a 16 MiB heap of binary_trees unmapping it at every sweep made 50,000 page faults of 3,000. */
static void marksweep_set_budget(void) {
    int64_t growth = marked.bytes / 100 * heap.growth_percent;
    if (growth < MARKSWEEP_LEAST_GROWTH_BYTES) growth = MARKSWEEP_LEAST_GROWTH_BYTES;
    mutator_each(marksweep_forget_allowance, NULL);
    atomic_store_explicit(&heap.used_bytes, marked.bytes, memory_order_relaxed);
    heap.trigger_bytes = heap.growth_percent == 0 || heap.limit_bytes - marked.bytes < growth ? heap.limit_bytes
                                                                                             : marked.bytes + growth;
    size_t trigger_bytes = (size_t)heap.trigger_bytes;
    chunks_keep(trigger_bytes + trigger_bytes / 2 + CHUNK_BYTES);       /* side words, and pages that are not full */
}

static size_t marksweep_count_dead(void) {
    collector_stats so_far;
    mutator_sum(&so_far);
    uint64_t dead = so_far.born - heap.died - marked.objects;
    heap.died += dead;
    heap.died_bytes = so_far.born_bytes - so_far.died_bytes - marked.payload_bytes;
    heap.collected += dead;
    heap.collections++;
    return dead;
}

static size_t marksweep_stopped(void) {
    mark_begin();
    marksweep_mark_roots();
    observe(OBSERVE_ROOTS);
    mark_all();
    observe(OBSERVE_SEPARATED);
    marksweep_lock();
    weak_clear();
    final_find();
    size_t dead = marksweep_count_dead();
    marksweep_unlock();
    chunks_sweep(heap.lazy, atomic_load_explicit(&heap.arrays, memory_order_relaxed) ? marksweep_release_array : NULL, NULL);
    marksweep_set_budget();
    mark_end();
    return dead;
}

/* False: another thread has just collected. */
SLOW static bool marksweep_collect(mutator *m, size_t *dead, bool *finalized) {
    pause_begin();
    bool first = threads_stop(m);
    if (first) {
        *dead += marksweep_stopped();
        threads_start(m);
        *finalized = marksweep_call_out(m);
    }
    pause_end(first ? PAUSE_FULL : PAUSE_STOPPED);
    return first;
}

size_t collector_collect(mutator *m, int generation) {
    assert(generation >= 0 && generation < COLLECTOR_GENERATIONS);
    if (m->calling_out) return 0;
    size_t dead = 0;
    bool finalized = false;
    while (!marksweep_collect(m, &dead, &finalized)) {}
    if (finalized) marksweep_collect(m, &dead, &finalized);
    return dead;
}

/* --- birth ----------------------------------------------------------------------------------------------------- */

/* A portion of at least need_bytes under the bound, or nothing. */
static bool marksweep_take_portion(mutator *m, int64_t need_bytes, int64_t bound_bytes) {
    int64_t used = atomic_load_explicit(&heap.used_bytes, memory_order_relaxed), portion;
    do {
        if (need_bytes > bound_bytes - used) return false;
        portion = need_bytes > MARKSWEEP_PORTION_BYTES ? need_bytes : MARKSWEEP_PORTION_BYTES;
        if (portion > bound_bytes - used) portion = bound_bytes - used;
    } while (!atomic_compare_exchange_weak_explicit(&heap.used_bytes, &used, used + portion, memory_order_relaxed, memory_order_relaxed));
    m->allowance_bytes += portion;
    return true;
}

static bool marksweep_may_collect(const mutator *m) { return heap.automatic && !m->calling_out; }

/* Called when the allowance does not cover `bytes`: a portion more, a collection, or the heap is full. */
SLOW static bool marksweep_afford(mutator *m, int64_t bytes) {
    size_t dead = 0;
    bool finalized, collected = !marksweep_may_collect(m);
    while (!marksweep_take_portion(m, bytes - m->allowance_bytes, collected ? heap.limit_bytes : heap.trigger_bytes)) {
        if (collected) return false;
        collected = marksweep_collect(m, &dead, &finalized);
    }
    m->allowance_bytes -= bytes;
    return true;
}

static inline bool marksweep_spend(mutator *m, int64_t bytes) {
    if (UNLIKELY(m->allowance_bytes < bytes)) return marksweep_afford(m, bytes);
    m->allowance_bytes -= bytes;
    return true;
}

/* The OS has refused what the budget allows. What was paid is given back, or paid again: a collection resets
 * all allowances. False: garbage was not to blame. */
SLOW static bool marksweep_retry(mutator *m, int64_t paid_bytes) {
    size_t dead = 0;
    bool finalized;
    if (!marksweep_may_collect(m)) {
        m->allowance_bytes += paid_bytes;
        return false;
    }
    marksweep_collect(m, &dead, &finalized);
    return marksweep_spend(m, paid_bytes);
}

bool object_new(mutator *m, local *l, const object_type *type, size_t extra) {
    size_t units_bytes, bytes;
    if (__builtin_mul_overflow(extra, type->extra_unit_bytes, &units_bytes) ||
        __builtin_add_overflow(type->bytes, units_bytes, &bytes) || bytes > PTRDIFF_MAX / 2)
        return false;
    int64_t price_bytes = mark_price(bytes);
    if (!marksweep_spend(m, price_bytes)) return false;
    object *o = chunks_alloc(m->heap, bytes);
    if (UNLIKELY(o == NULL)) {
        if (!marksweep_retry(m, price_bytes)) return false;
        if ((o = chunks_alloc(m->heap, bytes)) == NULL) {
            m->allowance_bytes += price_bytes;
            return false;
        }
    }
    memset(o, 0, bytes);
    o->type = type;
    if (type->extra_unit_bytes) ((sized_object *)o)->extra = extra;
    if (UNLIKELY(type->finalize != NULL) && !final_register(o)) {
        chunks_free(m->heap, o);
        return false;
    }
    mutator_bore(m, bytes - sizeof(object));
    l->target = o;
    collector_step();
    return true;
}

static void *marksweep_resized(owned_array *array, size_t unit, size_t count) {
    if (array->items == NULL) return heap.memory->alloc(count * unit, ALLOCATOR_ALIGNMENT);
    return heap.memory->resize(array->items, array->count * unit, count * unit);
}

static bool marksweep_resize(mutator *m, owned_array *array, size_t unit, size_t count) {
    int64_t price_bytes = ((int64_t)count - (int64_t)array->count) * (int64_t)unit;
    if (price_bytes > 0 && !marksweep_spend(m, price_bytes)) return false;
    void *items = marksweep_resized(array, unit, count);
    if (items == NULL && price_bytes > 0) {
        if (!marksweep_retry(m, price_bytes)) return false;
        if ((items = marksweep_resized(array, unit, count)) == NULL) m->allowance_bytes += price_bytes;
    }
    if (items == NULL) return false;
    if (price_bytes < 0) m->allowance_bytes -= price_bytes;
    if (unit == sizeof(field) && count > array->count)
        memset((field *)items + array->count, 0, (count - array->count) * unit);
    mutator_resized(m, array->count * unit, count * unit);
    *array = (owned_array){.count = count, .items = items};
    atomic_store_explicit(&heap.arrays, true, memory_order_relaxed);
    return true;
}

bool object_resize(mutator *m, local *l, size_t count) {
    owned_array *array = object_array(l->target);
    size_t unit = l->target->type->array_unit_bytes, bytes;
    if (__builtin_mul_overflow(count, unit, &bytes) || bytes > PTRDIFF_MAX / 2) return false;
    if (count != 0) return marksweep_resize(m, array, unit, count);
    heap.memory->release(array->items, array->count * unit);
    m->allowance_bytes += (int64_t)(array->count * unit);
    mutator_resized(m, array->count * unit, 0);
    *array = (owned_array){0};
    collector_step();
    return true;
}

/* --- the harness's side ------------------------------------------------------------------------------------------ */

static void check_mark(void *block, void *context) {
    (void)context;
    assert(!chunks_is_marked(block));                                                           /* I1 */
    chunks_mark(block);
}
static void check_field(field *f, void *context) {
    (void)context;
    object *target = field_peek(f);
    assert(target == NULL || chunks_is_marked(target));        /* I2 */
}
static void check_fields(void *block, void *context) {
    (void)context;
    object *o = block;
    assert(o->type != NULL && o->type->bytes <= chunks_block_bytes(o));
    o->type->visit(o, check_field, NULL);
}
static void check_local(local *l, void *context) {
    (void)context;
    assert(l->target == NULL || chunks_is_marked(l->target));
}

void collector_check(void) {
    chunks_finish_sweep();
    chunks_check();
    chunks_each(check_mark, NULL);
    chunks_each(check_fields, NULL);
    mutator_each_local(check_local, NULL);
    for (marksweep_weak *w = heap.weak; w != NULL; w = w->next)
        assert(chunks_is_marked(w) && chunks_is_marked(w->target));
    chunks_clear_marks();
}

static bool marksweep_open(const allocator *memory) {
    int64_t limit_bytes = collector_option_value("heap_bytes");
    heap.memory = memory;
    heap.limit_bytes = limit_bytes != 0 ? limit_bytes : INT64_MAX;
    heap.growth_percent = collector_option_value("growth_percent");
    heap.automatic = collector_option_value("automatic") != 0;
    heap.lazy = collector_option_value("lazy_sweep") != 0;
    atomic_store(&heap.arrays, false);
    heap.weak = heap.calls = NULL;
    heap.calls_tail = &heap.calls;
    heap.collections = heap.collected = heap.died = heap.died_bytes = 0;
    mark_begin();
    mutator_forget_departed();
    threads_open();
    marksweep_set_budget();
    return true;
}

static mutator *marksweep_enter(void) {
    mutator *m = mutator_create(sizeof(mutator));
    if (m == NULL) return NULL;
    if (threads_enter(m)) {
        if ((m->heap = chunks_enter()) != NULL) return m;
        threads_leave(m);
    }
    mutator_destroy(m, sizeof(mutator));
    return NULL;
}

static void marksweep_leave(mutator *m) {
    chunks_leave(m->heap);
    atomic_fetch_sub_explicit(&heap.used_bytes, m->allowance_bytes, memory_order_relaxed);
    threads_leave(m);
    mutator_destroy(m, sizeof(mutator));
}

/* Empties the globals and collects once more, as an interpreter does at exit. What is left even so was made
 * reachable by a finalizer: it is given up, and its array given back. */
static void marksweep_close(void) {
    mutator *m = marksweep_enter();
    if (m != NULL) {
        for (unsigned i = 0; i < COLLECTOR_GLOBALS; i++)
            field_poke(collector_global(i), NULL);
        collector_collect(m, COLLECTOR_GENERATIONS - 1);
        marksweep_leave(m);
    }
    for (unsigned i = 0; i < COLLECTOR_GLOBALS; i++)
        field_poke(collector_global(i), NULL);
    chunks_each(marksweep_release_array, NULL);
    chunks_close();
    mark_close();
    table_free(&heap.finalizable);
    table_free(&heap.final);
}

static void marksweep_stats(collector_stats *stats) {
    memset(stats, 0, sizeof *stats);
    mutator_sum(stats);                                 /* of deaths they know what arrays shrank by */
    marksweep_lock();
    stats->died = heap.died;
    stats->died_bytes += heap.died_bytes;
    stats->collected = heap.collected;
    stats->collections[COLLECTOR_GENERATIONS - 1] = heap.collections;
    marksweep_unlock();
    stats->switches = threads_switches();
}

static collector_option marksweep_options[] = {
    HEAP_LIMIT_OPTION
    {"growth_percent", "growth since the last collection that starts one; 0: only when the heap is full", 100, 0, 100000},
    {"lazy_sweep", "1: sweep a page when it is next allocated from; 0: all at once", 0, 0, 1},
    {"automatic", "1: collect by growth and when full; 0: only when asked", 1, 0, 1},
    THREADS_OPTIONS
    {.name = NULL},
};

const collector linked_collector = {
    .name = COLLECTOR_NAME,
    .idea = "precise mark and sweep, no counts; " ROW_THREADS " threads",
    .counts = "none", .loads = "none", .cycles = ROW_CYCLES, .threads = ROW_THREADS,
    .abilities = COLLECTOR_FREES | COLLECTOR_FREES_CYCLES | COLLECTOR_WEAK_REFERENCES | COLLECTOR_FINALIZERS | THREADS_ABILITIES,
    .allocator_use = COLLECTOR_USES_CHUNKS,
    .header_bytes = sizeof(object), .tracked_header_bytes = sizeof(object),
    .options = marksweep_options, .least_heap_bytes = HEAP_LIMIT_SMALLEST,
    .open = marksweep_open, .close = marksweep_close, .enter = marksweep_enter, .leave = marksweep_leave,
    .detach = mutator_detach, .attach = mutator_attach,
    .collect = collector_collect, .stats = marksweep_stats,
    .reachable = mutator_reachable, .generations = mutator_no_generations, .check = collector_check,
};
