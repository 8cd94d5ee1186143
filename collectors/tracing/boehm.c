/* SPDX-License-Identifier: MIT
 * boehm.c - what libgc is told, so that it has to guess little.
 *
 * objects   The first word of an object leads to its layout, whose second word is libgc's descriptor of the
 *           type: the form that libgc has for Java, and the only typed one with a free list per thread. The
 *           descriptor is made when a type is first born, from a dummy of zeros: visit must name every
 *           field, and those it names in the dummy are the members. Items of an owned array lie in a
 *           block of their own, of references only, or of bytes that are never scanned. Types without
 *           fields are never scanned. Types that end in references have no fixed layout: they are scanned
 *           whole, as libgc does by default, and what is no reference in them is small numbers.
 * roots     The used part of each thread's locals, and the globals. Data segments and libraries are not.
 * threads   One marker, since the other collectors have one; more are an option. Interior pointers do not count in the heap.
 * the dead  Weak references are libgc's disappearing links. Finalizers are unordered, as CPython's, and see
 *           what they reach intact (Java's rule). Both, and callbacks, run where the program is at a poll
 *           or a birth. libgc calls nobody back when a link disappears, so references with a callback are
 *           listed, through disappearing links too, and looked through after each collection.
 */
#include <pthread.h>
#include <stdlib.h>

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include <gc/gc.h>
#include <gc/gc_gcj.h>
#include <gc/gc_mark.h>
#include <gc/gc_typed.h>

#include "../collector.h"
#include "../heap_limit.h"
#include "../pause.h"

enum { BOEHM_LAYOUTS = 512, BOEHM_WORDS = 1024 };       /* types; words of a struct, without extra units */

struct boehm_layout {
    const object_type *type;
    GC_descr           descriptor;                      /* the second word: libgc looks for it there */
    enum { BOEHM_SCANNED, BOEHM_TYPED, BOEHM_LEAF } kind;
};

typedef struct boehm_weak {
    object            header;
    _Atomic(object *) target;                           /* a disappearing link; no field */
    field             next;                             /* while its callback waits */
    weak_callback    *callback;
    void             *context;
} boehm_weak;

typedef struct boehm_watch { struct boehm_watch *next; _Atomic(boehm_weak *) weak; } boehm_watch;

atomic_bool boehm_ended;

static struct {
    mutator        *mutators;                           /* changed under libgc's lock only */
    pthread_mutex_t lock;                               /* of what follows */
    boehm_watch    *watches;                            /* references with a callback, newest first */
    _Atomic(boehm_layout *) layouts[BOEHM_LAYOUTS];     /* open addressing by type; entries stay */
    unsigned        layout_count;
    bool            automatic, initialized;
    GC_word         collections_before;
    GC_push_other_roots_proc push_stacks;
} boehm = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local mutator *boehm_self;               /* for finalizers, which libgc calls */

/* --- layouts ------------------------------------------------------------------------------------------ */

typedef struct boehm_dummy { char *start; size_t bytes; GC_word bits[BOEHM_WORDS / GC_WORDSZ]; bool fields; } boehm_dummy;

static void boehm_set_bit(boehm_dummy *d, size_t offset) {
    assert(offset % sizeof(GC_word) == 0 && offset < d->bytes);
    GC_set_bit(d->bits, offset / sizeof(GC_word));
    d->fields = true;
}
static void boehm_see_field(field *f, void *dummy_at) {
    boehm_dummy *d = dummy_at;
    boehm_set_bit(d, (size_t)((char *)f - d->start));
}

static void boehm_describe(boehm_layout *made) {
    const object_type *type = made->type;
    boehm_dummy d = {.bytes = type->bytes};
    made->kind = BOEHM_SCANNED;
    if (type->extra_unit_bytes == sizeof(field) || type->bytes > BOEHM_WORDS * sizeof(GC_word)) return;
    if ((d.start = calloc(1, type->bytes)) == NULL) return;
    ((object *)d.start)->type = type;
    type->visit((object *)d.start, boehm_see_field, &d);
    if (type->array_offset != 0) boehm_set_bit(&d, type->array_offset + offsetof(owned_array, items));
    free(d.start);
    made->kind = d.fields ? BOEHM_TYPED : BOEHM_LEAF;
    if (d.fields) made->descriptor = GC_make_descriptor(d.bits, type->bytes / sizeof(GC_word));
}

/* Never freed, since dead objects lead to it: a few hundred bytes a process. NULL: no room. */
static boehm_layout *boehm_make_layout(const object_type *type, size_t slot) {
    boehm_layout *made = boehm.layout_count < BOEHM_LAYOUTS / 2 ? calloc(1, sizeof *made) : NULL;
    if (made == NULL) return NULL;
    made->type = type;
    boehm_describe(made);
    boehm.layout_count++;
    atomic_store_explicit(&boehm.layouts[slot], made, memory_order_release);
    return made;
}

static boehm_layout *boehm_find_layout(const object_type *type, size_t *slot) {
    *slot = ((uintptr_t)type >> 3) * 0x9E3779B97F4A7C15u % BOEHM_LAYOUTS;
    for (;; *slot = (*slot + 1) % BOEHM_LAYOUTS) {
        boehm_layout *found = atomic_load_explicit(&boehm.layouts[*slot], memory_order_acquire);
        if (found == NULL || found->type == type) return found;
    }
}

SLOW static const boehm_layout *boehm_layout_of(mutator *m, const object_type *type) {
    static const boehm_layout scanned;
    size_t slot;
    boehm_layout *found = boehm_find_layout(type, &slot);
    if (found == NULL) {
        pthread_mutex_lock(&boehm.lock);
        if ((found = boehm_find_layout(type, &slot)) == NULL) found = boehm_make_layout(type, slot);
        pthread_mutex_unlock(&boehm.lock);
        if (found == NULL) return &scanned;
    }
    m->last_type = type;
    m->last_layout = found;
    return found;
}

/* --- birth ---------------------------------------------------------------------------------------------- */

static object *boehm_block(const boehm_layout *layout, size_t bytes) {
    if (layout->kind == BOEHM_TYPED) return GC_gcj_malloc(bytes, (void *)layout);
    if (layout->kind == BOEHM_SCANNED) return GC_malloc(bytes);
    object *leaf = GC_malloc_atomic(bytes);
    if (leaf != NULL) memset(leaf, 0, bytes);
    return leaf;
}

static void GC_CALLBACK boehm_finalize(void *o, void *context) {
    (void)context;
    local *frame = frame_open(boehm_self, 1);
    frame->target = o;
    frame->target->type->finalize(boehm_self, o);
    frame_close(boehm_self, frame);
}

bool object_new(mutator *m, local *l, const object_type *type, size_t extra) {
    size_t units_bytes, bytes;
    if (__builtin_mul_overflow(extra, type->extra_unit_bytes, &units_bytes) ||
        __builtin_add_overflow(type->bytes, units_bytes, &bytes) || bytes > PTRDIFF_MAX / 2)
        return false;
    const boehm_layout *layout = LIKELY(type == m->last_type) ? m->last_layout : boehm_layout_of(m, type);
    object *o = boehm_block(layout, bytes);
    if (UNLIKELY(o == NULL)) return false;
    o->type = type;
    if (type->extra_unit_bytes) ((sized_object *)o)->extra = extra;
    if (type->finalize != NULL) GC_register_finalizer_no_order(o, boehm_finalize, NULL, NULL, NULL);
    mutator_bore(m, bytes - sizeof(object));
    l->target = o;
    if (UNLIKELY(atomic_load_explicit(&boehm_ended, memory_order_relaxed))) boehm_call_out(m);
    collector_step();
    return true;
}

static void *boehm_resized(const owned_array *array, size_t unit, size_t bytes) {
    if (array->items != NULL) return GC_realloc(array->items, bytes);      /* frees for 0 */
    return unit == sizeof(field) ? GC_malloc(bytes) : GC_malloc_atomic(bytes);
}

/* libgc keeps what lies behind a scanned block's used part at zero, as its own realloc needs it. */
bool object_resize(mutator *m, local *l, size_t count) {
    owned_array *array = object_array(l->target);
    size_t unit = l->target->type->array_unit_bytes, bytes;
    if (__builtin_mul_overflow(count, unit, &bytes) || bytes > PTRDIFF_MAX / 2) return false;
    if (bytes == 0 && array->items == NULL) return true;
    void *items = boehm_resized(array, unit, bytes);
    if (items == NULL && bytes != 0) return false;
    mutator_resized(m, array->count * unit, bytes);
    *array = (owned_array){.count = count, .items = items};
    collector_step();
    return true;
}

/* --- weak references -------------------------------------------------------------------------------------- */

static void weak_visit(object *self, field_visitor *visit, void *context) { visit(&((boehm_weak *)self)->next, context); }
static const object_type weak_type = {.name = "weak reference", .bytes = sizeof(boehm_weak), .tracked = true, .visit = weak_visit};

static bool boehm_link(void *link, object *o) { return GC_general_register_disappearing_link(link, o) != GC_NO_MEMORY; }

static bool boehm_watch_weak(boehm_weak *w) {
    boehm_watch *watch = malloc(sizeof *watch);
    if (watch == NULL) return false;
    atomic_store_explicit(&watch->weak, w, memory_order_relaxed);
    if (!boehm_link(&watch->weak, &w->header)) {
        free(watch);
        return false;
    }
    pthread_mutex_lock(&boehm.lock);
    watch->next = boehm.watches;
    boehm.watches = watch;
    pthread_mutex_unlock(&boehm.lock);
    return true;
}

bool weak_new(mutator *m, local *l, object *target, weak_callback *callback, void *context) {
    assert(target->type->weak_list_offset != 0);
    local *frame = frame_open(m, 2);
    frame[1].target = target;
    bool born = object_new(m, &frame[0], &weak_type, 0);
    if (born) {
        boehm_weak *w = (boehm_weak *)frame[0].target;
        w->callback = callback;
        w->context = context;
        atomic_store_explicit(&w->target, frame[1].target, memory_order_relaxed);
        born = boehm_link(&w->target, frame[1].target) && (callback == NULL || boehm_watch_weak(w));
        if (born) l->target = &w->header;
    }
    frame_close(m, frame);
    return born;
}

/* From the load on the target is in a register, and so a root: it is whole, or it is NULL. */
void weak_get(mutator *m, local *l, object *weak) {
    local_set(m, l, atomic_load_explicit(&((boehm_weak *)weak)->target, memory_order_acquire));
}

/* Those that outlived their target, newest first, linked by next; watches that have nothing to see any more
 * are given up. */
static object *boehm_find_calls(void) {
    object *first = NULL;
    field *last = NULL;
    pthread_mutex_lock(&boehm.lock);
    for (boehm_watch **link = &boehm.watches, *watch = *link; watch != NULL; watch = *link) {
        boehm_weak *w = atomic_load_explicit(&watch->weak, memory_order_acquire);
        if (w != NULL && atomic_load_explicit(&w->target, memory_order_acquire) != NULL) {
            link = &watch->next;
            continue;
        }
        if (w != NULL) {
            if (last == NULL) first = &w->header;
            else field_poke(last, &w->header);
            last = &w->next;
            GC_unregister_disappearing_link((void **)&watch->weak);
        }
        *link = watch->next;
        free(watch);
    }
    pthread_mutex_unlock(&boehm.lock);
    return first;
}

SLOW void boehm_call_out(mutator *m) {
    if (m->calling_out) return;
    m->calling_out = true;
    atomic_store_explicit(&boehm_ended, false, memory_order_relaxed);
    local *frame = frame_open(m, 1);
    frame->target = boehm_find_calls();
    bool calls = frame->target != NULL || GC_should_invoke_finalizers();
    if (calls) pause_begin();
    while (frame->target != NULL) {
        boehm_weak *w = (boehm_weak *)frame->target;
        w->callback(m, &w->header, w->context);
        frame->target = field_peek(&w->next);
        field_poke(&w->next, NULL);
    }
    frame_close(m, frame);
    GC_invoke_finalizers();
    if (calls) pause_end(PAUSE_FULL);
    m->calling_out = false;
}

/* --- collections -------------------------------------------------------------------------------------------- */

/* On the thread that collects, in pairs, libgc's lock held. The others are stopped for a part of it; what
 * they see of that, libgc does not tell them. */
static void GC_CALLBACK boehm_note(GC_EventType event) {
    if (event == GC_EVENT_START) pause_begin();
    if (event != GC_EVENT_END) return;
    atomic_store_explicit(&boehm_ended, true, memory_order_relaxed);
    pause_end(PAUSE_FULL);
}

/* The others were stopped by signals, which a race detector does not see as an order. */
__attribute__((no_sanitize("thread"))) static void GC_CALLBACK boehm_push_roots(void) {
    for (mutator *m = boehm.mutators; m != NULL; m = m->next)
        GC_push_all(m->base.stack, m->base.top);
    GC_push_all(collector_global(0), collector_global(COLLECTOR_GLOBALS - 1) + 1);
    boehm.push_stacks();
}

static void boehm_collect_now(void) {
    if (!boehm.automatic) GC_enable();
    GC_gcollect();
    if (!boehm.automatic) GC_disable();
}

/* Again where finalizers have run: what they did not make reachable is to be gone, as after CPython's. */
size_t collector_collect(mutator *m, int generation) {
    assert(generation >= 0 && generation < COLLECTOR_GENERATIONS);
    if (m->calling_out) return 0;
    boehm_collect_now();
    bool finalizers = GC_should_invoke_finalizers();
    boehm_call_out(m);
    if (finalizers) {
        boehm_collect_now();
        boehm_call_out(m);
    }
    return 0;
}

/* libgc checks itself; we look whether each local is an object of its heap. */
static void check_local(local *l, void *context) {
    (void)context;
    assert(l->target == NULL || l->target == collector_globals() || GC_base(l->target) == l->target);
}
void collector_check(void) { mutator_each_local(check_local, NULL); }

/* --- the harness's side ------------------------------------------------------------------------------------- */

static void boehm_initialize(void) {
    GC_set_no_dls(1);
    GC_set_all_interior_pointers(0);
    GC_set_markers_count((unsigned)collector_option_value("markers"));
    GC_set_finalize_on_demand(1);
    GC_set_java_finalization(1);
    GC_set_handle_fork(1);
    GC_set_warn_proc(GC_ignore_warn_proc);
    GC_INIT();
    GC_init_gcj_malloc(GC_GCJ_RESERVED_MARK_PROC_INDEX, NULL);
    GC_allow_register_threads();
    GC_clear_roots();
    boehm.push_stacks = GC_get_push_other_roots();
    GC_set_push_other_roots(boehm_push_roots);
    GC_set_on_collection_event(boehm_note);
    boehm.initialized = true;
}

static bool boehm_open(const allocator *memory) {
    (void)memory;
    if (!boehm.initialized) boehm_initialize();
    mutator_forget_departed();
    threads_open();
    GC_set_max_heap_size((GC_word)collector_option_value("heap_bytes"));
    GC_set_free_space_divisor((GC_word)collector_option_value("free_space_divisor"));
    boehm.automatic = collector_option_value("automatic") != 0;
    if (!boehm.automatic) GC_disable();
    boehm.collections_before = GC_get_gc_no();
    return true;
}

static void *boehm_list(void *at) {
    mutator *m = at;
    m->next = boehm.mutators;
    m->link = &boehm.mutators;
    if (m->next != NULL) m->next->link = &m->next;
    return boehm.mutators = m;
}
static void *boehm_unlist(void *at) {
    mutator *m = at;
    if (m->next != NULL) m->next->link = m->link;
    return *m->link = m->next;
}

static bool boehm_register_thread(mutator *m) {
    struct GC_stack_base stack;
    if (GC_thread_is_registered()) return true;
    m->registered = GC_get_stack_base(&stack) == GC_SUCCESS && GC_register_my_thread(&stack) == GC_SUCCESS;
    return m->registered;
}

static mutator *boehm_enter(void) {
    mutator *m = mutator_create(sizeof(mutator));
    if (m == NULL) return NULL;
    if (boehm_register_thread(m) && threads_enter(m)) {
        GC_call_with_alloc_lock(boehm_list, m);
        return boehm_self = m;
    }
    if (m->registered) GC_unregister_my_thread();
    mutator_destroy(m, sizeof(mutator));
    return NULL;
}

static void boehm_leave(mutator *m) {
    GC_call_with_alloc_lock(boehm_unlist, m);
    boehm_self = NULL;
    threads_leave(m);
    if (m->registered) GC_unregister_my_thread();
    mutator_destroy(m, sizeof(mutator));
}

static void boehm_close(void) {
    mutator *m = boehm_enter();
    for (unsigned i = 0; i < COLLECTOR_GLOBALS; i++)
        field_poke(collector_global(i), NULL);
    if (m != NULL) {
        collector_collect(m, COLLECTOR_GENERATIONS - 1);
        boehm_leave(m);
    }
    if (!boehm.automatic) GC_enable();
}

static void boehm_stats(collector_stats *stats) {
    memset(stats, 0, sizeof *stats);
    mutator_sum(stats);
    stats->collections[COLLECTOR_GENERATIONS - 1] = GC_get_gc_no() - boehm.collections_before;
    stats->switches = threads_switches();
}

static collector_option boehm_options[] = {
    HEAP_LIMIT_OPTION                                   /* of what libgc takes from the OS */
    {"free_space_divisor", "libgc's trade of space for time: collects when a heap's share of 1/this was allocated", 3, 1, 1000},
    {"markers", "threads that mark together, this one among them", 1, 1, 16},
    {"automatic", "1: collect when libgc wants to; 0: only when asked", 1, 0, 1},
    THREADS_OPTIONS
    {.name = NULL},
};

const collector linked_collector = {
    .name = COLLECTOR_NAME,
    .idea = "libgc: conservative stacks, typed objects; " ROW_THREADS " threads",
    .counts = "none", .loads = "none", .cycles = ROW_CYCLES, .threads = ROW_THREADS,
    .abilities = COLLECTOR_FREES | COLLECTOR_FREES_CYCLES | COLLECTOR_WEAK_REFERENCES | COLLECTOR_FINALIZERS |
                 COLLECTOR_CONSERVATIVE | THREADS_ABILITIES,
    .allocator_use = COLLECTOR_USES_NONE,
    .header_bytes = sizeof(object), .tracked_header_bytes = sizeof(object),
    .options = boehm_options, .least_heap_bytes = HEAP_LIMIT_SMALLEST,
    .open = boehm_open, .close = boehm_close, .enter = boehm_enter, .leave = boehm_leave,
    .detach = mutator_detach, .attach = mutator_attach,
    .collect = collector_collect, .stats = boehm_stats,
    .reachable = mutator_reachable, .generations = mutator_no_generations, .check = collector_check,
};
