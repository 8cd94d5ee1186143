/* SPDX-License-Identifier: MIT
 * refcounted.c - the slow path of every counting collector: birth, death, and the harness's table.
 *
 * Death, in CPython's order: leave the collector's lists; finalizer (may resurrect); weak references
 * and their callbacks; the fields, in order; the memory.
 *
 * A cascade recurses 50 deep, then defers: the object goes on a list of the thread's, and is taken up
 * when the nesting has unwound. So stack use does not grow with the data, and the order of deaths is
 * CPython 3.11's (its "trashcan"). The link of that list lies in the header, where the count says.
 */
#include "collector.h"
#include "heap_limit.h"
#include "pause.h"
#include "refcounted.h"
#include "weak.h"

enum { REFCOUNTED_NESTING = 50 };

#ifdef ROW_IMMORTAL
enum { REFCOUNTED_IMMORTALIZES = COLLECTOR_IMMORTALIZES };
#else
enum { REFCOUNTED_IMMORTALIZES = 0 };
#endif

const allocator *refcounted_memory;

/* --- birth ------------------------------------------------------------------------------------------ */

static size_t refcounted_prefix_bytes(const object_type *type) { return type->tracked ? CYCLES_PREFIX_BYTES : 0; }

static object *refcounted_reborn(const object_type *type, size_t extra) {
#ifdef CYCLES_FREE_LISTS
    if (UNLIKELY(type->free_list != 0)) return free_lists_take(type, extra);
#else
    (void)type, (void)extra;
#endif
    return NULL;
}

/* Without a limit a refusal is the allocator's, which a collection would not help. */
SLOW static bool refcounted_make_room(mutator *m) { return heap_limit_is_set() && cycles_make_room(m); }

bool object_new(mutator *m, local *l, const object_type *type, size_t extra) {
    size_t units_bytes, bytes;
    if (__builtin_mul_overflow(extra, type->extra_unit_bytes, &units_bytes) ||
        __builtin_add_overflow(type->bytes + refcounted_prefix_bytes(type), units_bytes, &bytes))
        return false;
    object *o = refcounted_reborn(type, extra);
    if (o == NULL) {
        char *block = cycles_block(m, bytes);
        if (UNLIKELY(block == NULL) && refcounted_make_room(m)) block = cycles_block(m, bytes);
        if (UNLIKELY(block == NULL)) return false;
        if (type->tracked) cycles_before_birth(m);      /* may collect; the new object is in no list yet */
        o = (object *)(block + refcounted_prefix_bytes(type));
    }
    memset(o, 0, bytes - refcounted_prefix_bytes(type));
    o->type = type;
    if (type->extra_unit_bytes) ((sized_object *)o)->extra = extra;
    count_birth(o);
    if (type->tracked) cycles_born(o);
    mutator_bore(m, bytes - refcounted_prefix_bytes(type) - sizeof(object));
    object *old = l->target;
    l->target = o;
    object_drop(m, old);
    collector_step();
    return true;
}

/* Fewer references: the kept ones move to a block of their own first, so that a refusal changes nothing
 * and a finalizer that runs when the others are dropped sees the new array. They are dropped from the end,
 * as a list of CPython drops them. */
static bool refcounted_shrink(mutator *m, owned_array *array, size_t count) {
    owned_array old = *array;
    field *kept = NULL;
    if (count != 0) {
        kept = refcounted_memory->alloc(count * sizeof(field), ALLOCATOR_ALIGNMENT);
        if (kept == NULL) return false;
        memcpy(kept, old.items, count * sizeof(field));
    }
    *array = (owned_array){.count = count, .items = kept};
    mutator_resized(m, old.count * sizeof(field), count * sizeof(field));
    for (size_t i = old.count; i-- > count;)
        object_drop(m, field_peek((field *)old.items + i));
    refcounted_memory->release(old.items, old.count * sizeof(field));
    return true;
}

static bool refcounted_resize(mutator *m, local *l, size_t count) {
    owned_array *array = object_array(l->target);
    size_t unit = l->target->type->array_unit_bytes, bytes;
    if (__builtin_mul_overflow(count, unit, &bytes)) return false;
    if (count < array->count && unit == sizeof(field)) return refcounted_shrink(m, array, count);
    void *items = NULL;
    if (count == 0)
        refcounted_memory->release(array->items, array->count * unit);
    else if (array->items == NULL)
        items = refcounted_memory->alloc(bytes, ALLOCATOR_ALIGNMENT);
    else
        items = refcounted_memory->resize(array->items, array->count * unit, bytes);
    if (items == NULL && count != 0) return false;
    if (unit == sizeof(field) && count > array->count)
        memset((field *)items + array->count, 0, (count - array->count) * unit);
    mutator_resized(m, array->count * unit, bytes);
    *array = (owned_array){.count = count, .items = items};
    return true;
}

bool object_resize(mutator *m, local *l, size_t count) {
    bool resized = refcounted_resize(m, l, count) || (refcounted_make_room(m) && refcounted_resize(m, l, count));
    collector_step();
    return resized;
}

/* --- death ------------------------------------------------------------------------------------------ */

static void refcounted_drop_field(field *f, void *m) { object_drop(m, field_peek(f)); }

/* Where others may still be reading the header, its memory goes back later. */
static void refcounted_release(mutator *m, object *o) {
#if defined COUNT_CONDEMNS
    (void)m;
    racy_keep(o);
#elif defined LOADS_DEFERRED
    o->type = NULL;                                     /* who walks the heap sees that it is no object */
    deferred_release(m, o);
#else
    size_t prefix_bytes = refcounted_prefix_bytes(o->type);
    cycles_release(m, (char *)o - prefix_bytes, prefix_bytes + object_bytes(o));
#endif
}

static void refcounted_free(mutator *m, object *o) {
    const object_type *type = o->type;
    m->base.died++;
    m->base.died_bytes += object_payload_bytes(o);
#ifndef COUNT_CONDEMNS                                  /* there the array stays with its object */
    if (type->array_offset != 0)
        refcounted_memory->release(object_array(o)->items, object_array_bytes(o));
#endif
    pause_freed(m->dying);
#ifdef CYCLES_FREE_LISTS
    if (UNLIKELY(type->free_list != 0) && free_lists_give(o)) return;
#endif
    if (type->tracked) cycles_dead(m);
    refcounted_release(m, o);
}

/* False: the finalizer made the object reachable again, and it lives on. */
static bool refcounted_finalize(mutator *m, object *o) {
    if (o->type->finalize == NULL || (o->flags & OBJECT_FINALIZED)) return true;
    o->flags |= OBJECT_FINALIZED;
    count_take(o);                                      /* alive while its finalizer looks at it */
    if (o->type->tracked) cycles_born(o);
    o->type->finalize(m, o);
    if (!count_drop(o)) return false;
    if (o->type->tracked) cycles_dying(o);
    return true;
}

static void refcounted_end(mutator *m, object *o) {
    if (!refcounted_finalize(m, o)) return;
    if (o->type->weak_list_offset != 0) weak_clear(m, o);
    o->type->visit(o, refcounted_drop_field, m);
    refcounted_free(m, o);
}

static void refcounted_defer(mutator *m, object *o) {
    if (o->type->weak_list_offset != 0) weak_condemn(o);
    count_link(o, m->deferred);
    m->deferred = o;
}

static object *refcounted_next_deferred(mutator *m) {
    object *o = m->deferred;
    m->deferred = count_unlink(o);
    if (o->type->weak_list_offset != 0) weak_pardon(o);     /* its finalizer may look at it, and save it */
    return o;
}

static void refcounted_end_nested(mutator *m, object *o) {
    m->dying++;
    refcounted_end(m, o);
    m->dying--;
}

static void refcounted_end_deferred(mutator *m) {
    m->dying = 1;                                       /* what dies in here does not drain again */
    while (m->deferred != NULL)
        refcounted_end_nested(m, refcounted_next_deferred(m));
    m->dying = 0;
}

void refcounted_die(mutator *m, object *o) {
#ifdef COUNT_CONDEMNS
    if (!count_condemn(o)) return;
#endif
    const object_type *type = o->type;
    if (type->tracked) cycles_dying(o);
    if (type == &weak_type) weak_forget(o);
    if (type->visit == object_visit_nothing && type->finalize == NULL && type->weak_list_offset == 0) {
        refcounted_free(m, o);                          /* a leaf: no cascade can start here */
        return;
    }
    if (m->dying >= REFCOUNTED_NESTING) {
        refcounted_defer(m, o);
        return;
    }
    refcounted_end_nested(m, o);
    if (m->dying > 0) return;
    if (m->deferred != NULL) refcounted_end_deferred(m);
    pause_cascade_ends();
}

/* --- the choices' own parts of a mutator -------------------------------------------------------------- */

static bool refcounted_enter_parts(mutator *m) {
    if (!cycles_enter(m)) return false;
#ifdef COUNT_ENTERS
    if (!count_enter(m)) {
        cycles_leave(m);
        return false;
    }
#endif
    return true;
}

static void refcounted_leave_parts(mutator *m) {
#ifdef COUNT_ENTERS
    count_leave(m);
#endif
#ifdef LOADS_DEFERRED
    deferred_wait(m);
#endif
    cycles_leave(m);
}

/* --- the harness's side ----------------------------------------------------------------------------- */

size_t collector_collect(mutator *m, int generation) { return cycles_collect(m, generation); }
void collector_check(void) { cycles_check(); }

static bool refcounted_open(const allocator *memory) {
    heap_limit_open((size_t)collector_option_value("heap_bytes"));
    refcounted_memory = heap_limit_wrap(memory);
    mutator_forget_departed();
    threads_open();
    return cycles_open();
}

static mutator *refcounted_enter(void) {
    mutator *m = mutator_create(sizeof(mutator));
    if (m == NULL) return NULL;
    if (threads_enter(m)) {
        if (refcounted_enter_parts(m)) return m;
        threads_leave(m);
    }
    mutator_destroy(m, sizeof(mutator));
    return NULL;
}

static void refcounted_leave(mutator *m) {
    refcounted_leave_parts(m);
    threads_leave(m);
    mutator_destroy(m, sizeof(mutator));
}

/* Empties the globals and collects once more, as an interpreter does at exit. */
static void refcounted_empty(mutator *m) {
    for (unsigned i = 0; i < COLLECTOR_GLOBALS; i++)
        field_store(m, collector_globals(), collector_global(i), NULL);
    cycles_collect(m, COLLECTOR_GENERATIONS - 1);
    refcounted_leave(m);
}

/* Where no thread may enter any more, what is alive is forgotten; the collector's own memory goes back all the same. */
static void refcounted_close(void) {
    mutator *m = refcounted_enter();
    if (m != NULL) refcounted_empty(m);
    else
        for (unsigned i = 0; i < COLLECTOR_GLOBALS; i++)
            field_poke(collector_global(i), NULL);
#ifdef COUNT_CONDEMNS
    racy_release_kept();
#endif
    cycles_close();
}

static void refcounted_stats(collector_stats *stats) {
    memset(stats, 0, sizeof *stats);
    cycles_stats(stats);
    mutator_sum(stats);
#ifdef COUNT_FIGURES
    COUNT_FIGURES(stats);
#endif
    stats->switches = threads_switches();
}

#ifndef CYCLES_CENSUS
#define cycles_census mutator_no_generations
#endif

static collector_option refcounted_options[] = {
    HEAP_LIMIT_OPTION
    CYCLES_OPTIONS
    THREADS_OPTIONS
    {.name = NULL},
};

const collector linked_collector = {
    .name = COLLECTOR_NAME,
    .idea = ROW_COUNTS " counts, " ROW_LOADS " loads, " ROW_CYCLES " cycles, " ROW_THREADS " threads",
    .counts = ROW_COUNTS, .loads = ROW_LOADS, .cycles = ROW_CYCLES, .threads = ROW_THREADS,
    .abilities = COLLECTOR_FREES | COLLECTOR_READS_COUNTS | REFCOUNTED_IMMORTALIZES | COUNT_ABILITIES | CYCLES_ABILITIES |
                 THREADS_ABILITIES,
    .allocator_use = CYCLES_ALLOCATOR_USE,
    .header_bytes = sizeof(object), .tracked_header_bytes = sizeof(object) + CYCLES_PREFIX_BYTES,
    .options = refcounted_options, .least_heap_bytes = HEAP_LIMIT_SMALLEST,
    .open = refcounted_open, .close = refcounted_close,
    .enter = refcounted_enter, .leave = refcounted_leave,
    .detach = mutator_detach, .attach = mutator_attach,
    .collect = collector_collect, .stats = refcounted_stats,
    .reachable = mutator_reachable, .generations = cycles_census, .check = collector_check,
};
