/* SPDX-License-Identifier: MIT
 * leak.c - births without deaths. */
#include "../collector.h"

static const allocator *leak_memory;

bool object_new(mutator *m, local *l, const object_type *type, size_t extra) {
    size_t units_bytes, bytes;
    if (__builtin_mul_overflow(extra, type->extra_unit_bytes, &units_bytes) ||
        __builtin_add_overflow(type->bytes, units_bytes, &bytes))
        return false;
    object *o = leak_memory->alloc(bytes, ALLOCATOR_ALIGNMENT);
    if (UNLIKELY(o == NULL)) return false;
    memset(o, 0, bytes);
    o->type = type;
    if (type->extra_unit_bytes) ((sized_object *)o)->extra = extra;
    mutator_bore(m, bytes - sizeof(object));
    l->target = o;
    collector_step();
    return true;
}

/* A smaller array keeps its block; a larger one gets a new block, and the old one leaks. */
bool object_resize(mutator *m, local *l, size_t count) {
    owned_array *array = object_array(l->target);
    size_t unit = l->target->type->array_unit_bytes, bytes;
    if (__builtin_mul_overflow(count, unit, &bytes)) return false;
    if (count > array->count) {
        char *items = leak_memory->alloc(bytes, ALLOCATOR_ALIGNMENT);
        if (items == NULL) return false;
        size_t kept_bytes = array->count * unit;
        if (kept_bytes != 0) memcpy(items, array->items, kept_bytes);
        if (unit == sizeof(field)) memset(items + kept_bytes, 0, bytes - kept_bytes);
        array->items = items;
    }
    mutator_resized(m, array->count * unit, bytes);
    array->count = count;
    collector_step();
    return true;
}

typedef struct leak_weak { object header; object *target; } leak_weak;

static const object_type leak_weak_type = {.name = "weak reference", .bytes = sizeof(leak_weak),
                                           .visit = object_visit_nothing};

bool weak_new(mutator *m, local *l, object *target, weak_callback *callback, void *context) {
    (void)callback, (void)context;                      /* nothing dies, so nobody is called */
    if (!object_new(m, l, &leak_weak_type, 0)) return false;
    ((leak_weak *)l->target)->target = target;
    return true;
}

void weak_get(mutator *m, local *l, object *weak) { local_set(m, l, ((leak_weak *)weak)->target); }

static bool leak_open(const allocator *memory) {
    leak_memory = memory;
    mutator_forget_departed();
    threads_open();
    return true;
}

static void leak_close(void) {
    for (unsigned i = 0; i < COLLECTOR_GLOBALS; i++)
        field_poke(collector_global(i), NULL);
}

static mutator *leak_enter(void) {
    mutator *m = mutator_create(sizeof(mutator));
    if (m == NULL || threads_enter(m)) return m;
    mutator_destroy(m, sizeof(mutator));
    return NULL;
}

static void leak_leave(mutator *m) {
    threads_leave(m);
    mutator_destroy(m, sizeof(mutator));
}

static void leak_stats(collector_stats *stats) {
    memset(stats, 0, sizeof *stats);
    mutator_sum(stats);
    stats->switches = threads_switches();
}

static collector_option leak_options[] = {
    THREADS_OPTIONS
    {.name = NULL},
};

const collector linked_collector = {
    .name = COLLECTOR_NAME,
    .idea = "never frees: the floor; " ROW_THREADS " threads",
    .counts = "none", .loads = "none", .cycles = ROW_CYCLES, .threads = ROW_THREADS,
    .abilities = COLLECTOR_WEAK_REFERENCES | THREADS_ABILITIES,
    .allocator_use = COLLECTOR_USES_OBJECTS,
    .header_bytes = sizeof(object), .tracked_header_bytes = sizeof(object),
    .options = leak_options,
    .open = leak_open, .close = leak_close, .enter = leak_enter, .leave = leak_leave,
    .detach = mutator_detach, .attach = mutator_attach,
    .collect = collector_collect, .stats = leak_stats,
    .reachable = mutator_reachable, .generations = mutator_no_generations, .check = collector_check,
};
