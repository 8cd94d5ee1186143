/* SPDX-License-Identifier: MIT
 * views.c - arrays that own their numbers, and arrays that show a part of another's: a slice is a view.
 *
 *   a = arange(size)      | header | base: none | buffer --> | 0 1 2 3 4 ...                |
 *   v = a[2:8]            | header | base: a    | 2, 6       |     ^^^^^^^^^^^  no numbers of its own
 *
 *   mode=keep     a 10-element view keeps the whole array, after the array's own name has gone; it goes with the view
 *   mode=copy     a copy of the same 10 elements lets it go
 *   mode=slices   a hundred views cost a hundred small objects
 *   mode=write    what is written through a view is in its base; what is written to a copy is not
 *   mode=mask     a[a >= size / 2] copies
 *   mode=nested   a view of a view has the owner as its base
 *
 * All of this is checked, in every unit. Moments (array, shared, array dropped, all dropped) show it as memory. Figures:
 * died_with_name, died_in_all (objects; where deaths are at once); view_bytes (header and all).
 * Exercises: one large buffer whose life hangs on small objects.
 * Source: NumPy's ndarray and its base (NumPy user guide, "Copies and views"), as talks on CPython's memory show it.
 * Not claimed: strides, other types than float64. size = elements.
 */
#include "tally.h"
#include "values.h"

enum { VIEWS_SIZE, VIEWS_MODE };
enum { VIEWS_KEEP, VIEWS_COPY, VIEWS_SLICES, VIEWS_WRITE, VIEWS_MASK, VIEWS_NESTED };
enum { VIEWS_ARRAY, VIEWS_FIRST, VIEWS_SECOND, VIEWS_LOCALS };
enum { VIEWS_KEPT = 10, VIEWS_SLICED = 100, VIEWS_LEAST = 16 };

typedef struct ndarray {
    object      header;
    field       base;               /* whose buffer it shows; NULL: its own */
    size_t      first, count;       /* elements of that buffer */
    owned_array buffer;             /* bytes, of an owner */
    uint64_t    unused[7];          /* NumPy: dimensions, strides, type, flags, weak references ...: 112 bytes in all */
} ndarray;

static ndarray *as_ndarray(const object *o) { return (ndarray *)o; }

static void ndarray_visit(object *self, field_visitor *visit, void *context) { visit(&as_ndarray(self)->base, context); }
static const object_type ndarray_type = {.name = "ndarray", .bytes = sizeof(ndarray), .visit = ndarray_visit,
                                         .array_offset = offsetof(ndarray, buffer), .array_unit_bytes = 1};

static object *ndarray_owner(object *o) {
    object *base = field_peek(&as_ndarray(o)->base);
    return base != NULL ? base : o;
}
static double *ndarray_items(object *o) { return (double *)object_array(ndarray_owner(o))->items + as_ndarray(o)->first; }

/* l = a new array of its own. One reference. */
static bool ndarray_new(mutator *m, local *l, size_t count) {
    local *made = frame_open(m, 1);
    bool whole = object_new(m, made, &ndarray_type, 0) && object_resize(m, made, count * sizeof(double));
    if (whole) {
        as_ndarray(made->target)->count = count;
        local_set(m, l, made->target);
    }
    frame_close(m, made);
    return whole;
}

/* l = from[first : first + count]. Two references. */
static bool ndarray_slice(mutator *m, local *l, local *from, size_t first, size_t count) {
    local *made = frame_open(m, 1);
    bool whole = object_new(m, made, &ndarray_type, 0);
    if (whole) {
        as_ndarray(made->target)->first = as_ndarray(from->target)->first + first;
        as_ndarray(made->target)->count = count;
        field_store(m, made->target, &as_ndarray(made->target)->base, ndarray_owner(from->target));
        local_set(m, l, made->target);
    }
    frame_close(m, made);
    return whole;
}

/* l = from.copy(). One reference. */
static bool ndarray_copy(mutator *m, local *l, local *from) {
    size_t count = as_ndarray(from->target)->count;
    local *made = frame_open(m, 1);
    bool whole = ndarray_new(m, made, count);
    if (whole) {
        memcpy(ndarray_items(made->target), ndarray_items(from->target), count * sizeof(double));
        local_set(m, l, made->target);
    }
    frame_close(m, made);
    return whole;
}

static uint64_t ndarray_sum(object *o) {
    double sum = 0;
    for (size_t i = 0; i < as_ndarray(o)->count; i++)
        sum += ndarray_items(o)[i];
    return (uint64_t)(int64_t)sum;
}

/* --- the scenes: each begins with the array 0, 1, 2, ... in `a`, and says what it is worth ----------------- */

static bool views_died(const workload_run *run, const collector_stats *before, uint64_t *died) {
    *died = tally_now(run).died - before->died;
    return run->threads == 1 && linked_collector.abilities & COLLECTOR_EXACT_COUNTS;
}

/* The array's name goes; then what was made of it. */
static void views_let_go(workload_run *run, local *a, local *part, uint64_t dies_with_name) {
    mutator *m = run->mutator;
    collector_stats before = tally_now(run);
    uint64_t died;
    run->moment(run, "shared");
    local_set(m, a, NULL);
    run->moment(run, "array dropped");
    if (views_died(run, &before, &died)) {
        assert(died == dies_with_name);
        run->figure(run, "died_with_name", (double)died);
    }
    assert(ndarray_items(part->target)[VIEWS_KEPT - 1] == VIEWS_KEPT - 1);
    local_set(m, part, NULL);
    if (views_died(run, &before, &died)) {
        assert(died == 2);
        run->figure(run, "died_in_all", (double)died);
    }
}

static bool views_keep(workload_run *run, local *a, local *v, local *unused) {
    (void)unused;
    if (!ndarray_slice(run->mutator, v, a, 0, VIEWS_KEPT)) return false;
    run->checksum += ndarray_sum(v->target);
    views_let_go(run, a, v, 0);
    return true;
}

static bool views_copy(workload_run *run, local *a, local *c, local *v) {
    mutator *m = run->mutator;
    if (!ndarray_slice(m, v, a, 0, VIEWS_KEPT) || !ndarray_copy(m, c, v)) return false;
    local_set(m, v, NULL);
    run->checksum += ndarray_sum(c->target);
    views_let_go(run, a, c, 1);
    return true;
}

static bool views_slices(workload_run *run, local *a, local *views, local *v) {
    mutator *m = run->mutator;
    size_t count = as_ndarray(a->target)->count;
    bool made = list_new(m, views);
    for (size_t i = 0; made && i < VIEWS_SLICED; i++) {
        mutator_poll(m);
        size_t first = i * (count / 2) / VIEWS_SLICED;
        made = ndarray_slice(m, v, a, first, count / 2) && list_append(m, views, v->target);
        if (!made) break;
        assert(object_array(v->target)->items == NULL && ndarray_items(v->target)[0] == (double)first);
        run->checksum += (uint64_t)ndarray_items(v->target)[1];
    }
    if (made) run->figure(run, "view_bytes", (double)object_bytes(v->target));
    run->moment(run, "shared");
    return made;
}

static bool views_write(workload_run *run, local *a, local *v, local *c) {
    if (!ndarray_slice(run->mutator, v, a, 2, VIEWS_KEPT) || !ndarray_copy(run->mutator, c, v)) return false;
    ndarray_items(v->target)[0] = -1;
    ndarray_items(c->target)[1] = -2;
    assert(ndarray_items(a->target)[2] == -1 && ndarray_items(a->target)[3] == 3);
    run->checksum += ndarray_sum(a->target) + ndarray_sum(c->target);
    return true;
}

static bool views_mask(workload_run *run, local *a, local *chosen, local *unused) {
    (void)unused;
    size_t count = as_ndarray(a->target)->count, least = count / 2, next = 0;
    if (!ndarray_new(run->mutator, chosen, count - least)) return false;
    for (size_t i = 0; i < count; i++)
        if (ndarray_items(a->target)[i] >= (double)least) ndarray_items(chosen->target)[next++] = ndarray_items(a->target)[i];
    assert(next == count - least && ndarray_owner(chosen->target) == chosen->target);
    ndarray_items(chosen->target)[0] = -1;
    assert(ndarray_items(a->target)[least] == (double)least);
    run->checksum += ndarray_sum(chosen->target);
    return true;
}

static bool views_nested(workload_run *run, local *a, local *v, local *w) {
    if (!ndarray_slice(run->mutator, v, a, 2, VIEWS_KEPT) || !ndarray_slice(run->mutator, w, v, 1, 3)) return false;
    assert(field_peek(&as_ndarray(w->target)->base) == a->target && ndarray_items(w->target)[0] == 3);
    run->checksum += ndarray_sum(w->target);
    return true;
}

static const struct views_mode {
    bool   (*scene)(workload_run *run, local *a, local *first, local *second);
    uint64_t views, copies, references;     /* made beside the array */
} views_modes[] = {
    [VIEWS_KEEP]   = {views_keep, 1, 0, 2},
    [VIEWS_COPY]   = {views_copy, 1, 1, 2 + 2},
    [VIEWS_SLICES] = {views_slices, VIEWS_SLICED, 0, 3 * VIEWS_SLICED},
    [VIEWS_WRITE]  = {views_write, 1, 1, 2 + 2},
    [VIEWS_MASK]   = {views_mask, 0, 1, 1},
    [VIEWS_NESTED] = {views_nested, 2, 0, 2 + 2},
};

static bool views_unit(workload_run *run) {
    local *frame = frame_open(run->mutator, VIEWS_LOCALS), *a = &frame[VIEWS_ARRAY];
    bool made = ndarray_new(run->mutator, a, (size_t)run->parameters[VIEWS_SIZE]);
    if (made) {
        for (size_t i = 0; i < as_ndarray(a->target)->count; i++)
            ndarray_items(a->target)[i] = (double)i;
        run->moment(run, "array");
        made = views_modes[run->parameters[VIEWS_MODE]].scene(run, a, &frame[VIEWS_FIRST], &frame[VIEWS_SECOND]);
    }
    frame_close(run->mutator, frame);
    run->moment(run, "all dropped");
    return made;
}

static bool views_prepare(workload_run *run) { (void)run; return true; }
static void views_finish(workload_run *run) { (void)run; }
static unsigned views_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

static workload_operations views_declare(const workload_run *run) {
    int64_t which = run->parameters[VIEWS_MODE];
    uint64_t size = (uint64_t)run->parameters[VIEWS_SIZE], room = 0, grown = 0;
    const struct views_mode *mode = &views_modes[which];
    uint64_t copied = which == VIEWS_MASK ? size - size / 2 : mode->copies * VIEWS_KEPT;
    uint64_t arrays = 1 + mode->views + mode->copies, list_bytes = which == VIEWS_SLICES ? sizeof(list) - sizeof(object) : 0;
    if (which == VIEWS_SLICES) grown = list_growth(VIEWS_SLICED, &room);
    return (workload_operations){
        .operations = size,
        .allocations = arrays + 1 + mode->copies + (which == VIEWS_SLICES) + grown,
        .bytes = (size + copied) * sizeof(double) + arrays * (sizeof(ndarray) - sizeof(object)) + list_bytes + room * sizeof(field),
        .references = 1 + mode->references + grown,
    };
}

const workload views_workload = {
    .name = "views", .idea = "arrays and views of them: who keeps whose numbers alive",
    .operation = "element of the array", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "elements", .value = 1000000, .minimum = VIEWS_LEAST, .maximum = 1000000000},
                   {.name = "mode", .meaning = "what is shown", .choices = "keep|copy|slices|write|mask|nested", .maximum = 5}},
    .needs = views_needs, .declare = views_declare,
    .prepare = views_prepare, .unit = views_unit, .finish = views_finish,
};
