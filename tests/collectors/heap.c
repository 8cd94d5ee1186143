/* SPDX-License-Identifier: MIT
 * heap.c - nodes that log their end. */
#include <pthread.h>
#include <stdlib.h>

#include "heap.h"

mutator *heap_mutator;
local   *heap_locals;
char     heap_log[256];

static const allocator *heap_memory;

static void heap_note(const char *text) { strncat(heap_log, text, sizeof heap_log - strlen(heap_log) - 1); }

static void node_visit(object *self, field_visitor *visit, void *context) { fields_visit(&((node *)self)->a, 3, visit, context); }
static void row_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(((row *)self)->items.items, ((row *)self)->items.count, visit, context);
}
static void pair_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(object_extra_units(self), object_extra(self), visit, context);
}
static void finalized_finalize(mutator *m, object *self) {
    (void)m;
    heap_note((char[]){((node *)self)->name, 0});
}
static void phoenix_finalize(mutator *m, object *self) {
    finalized_finalize(m, self);
    field_store(m, collector_globals(), collector_global(HEAP_SAVED), self);
}

#define NODE(type_name, finalizer) {.name = type_name, .bytes = sizeof(node), .tracked = true, .visit = node_visit, \
                                    .finalize = finalizer, .weak_list_offset = offsetof(node, weak)}
const object_type node_type = NODE("node", NULL), finalized_type = NODE("finalized", finalized_finalize),
                  phoenix_type = NODE("phoenix", phoenix_finalize);
const object_type leaf_type = {.name = "leaf", .bytes = sizeof(leaf), .visit = object_visit_nothing};
const object_type row_type = {.name = "row", .bytes = sizeof(row), .tracked = true, .visit = row_visit,
                              .array_offset = offsetof(row, items), .array_unit_bytes = sizeof(field)};
const object_type pair_type = {.name = "tuple", .bytes = sizeof(sized_object), .tracked = true,
                               .extra_unit_bytes = sizeof(field), .visit = pair_visit,
                               .untracking = OBJECT_UNTRACKED_EARLY, .free_list = 3};

bool heap_set_option(const char *name, int64_t value) {
    for (collector_option *option = linked_collector.options; option->name != NULL; option++)
        if (strcmp(option->name, name) == 0) {
            option->value = value;
            return true;
        }
    return false;
}

static bool heap_begin(const char *spec) {
    char why[256];
    if (spec != NULL) heap_memory = allocator_open(spec, why, sizeof why);
    if (heap_memory == NULL || !linked_collector.open(heap_memory)) return false;
    heap_mutator = linked_collector.enter();
    if (heap_mutator == NULL) return false;
    heap_locals = frame_open(heap_mutator, HEAP_LOCALS);
    heap_log[0] = 0;
    return true;
}

static void heap_end(void) {
    frame_close(heap_mutator, heap_locals);
    linked_collector.leave(heap_mutator);
    linked_collector.close();
}

int heap_open(void **state) {
    (void)state;
    const char *spec = getenv("REFARENA_ALLOCATOR");
    heap_set_option("automatic", 0);
    return heap_begin(spec != NULL ? spec : "system") ? 0 : -1;
}

void heap_reopen_on(const char *spec) {
    heap_end();
    assert_true(heap_begin(spec));
}

void heap_reopen_automatic(int64_t heap_bytes) {
    heap_end();
    heap_set_option("automatic", 1);
    heap_set_option("heap_bytes", heap_bytes);
    assert_true(heap_begin(NULL));
    heap_set_option("automatic", 0);
    heap_set_option("heap_bytes", 0);
}

int heap_close(void **state) {
    (void)state;
    bool frees = heap_can(COLLECTOR_FREES_CYCLES);
    frame_close(heap_mutator, heap_locals);
    field_store(heap_mutator, collector_globals(), collector_global(HEAP_SAVED), NULL);
    heap_collect(COLLECTOR_GENERATIONS - 1);
    collector_check();
    uint64_t left = heap_alive();
    linked_collector.leave(heap_mutator);
    linked_collector.close();
    return frees && left != 0 ? -1 : 0;
}

node *heap_new(unsigned i, const object_type *type, char name) {
    assert_true(object_new(heap_mutator, &heap_locals[i], type, 0));
    node *made = heap_at(i);
    made->name = name;
    return made;
}
node *heap_node(unsigned i, char name) { return heap_new(i, &node_type, name); }
node *heap_finalized(unsigned i, char name) { return heap_new(i, &finalized_type, name); }

row *heap_row(unsigned i, size_t count) {
    assert_true(object_new(heap_mutator, &heap_locals[i], &row_type, 0));
    assert_true(object_resize(heap_mutator, &heap_locals[i], count));
    return (row *)heap_locals[i].target;
}

void heap_drop(unsigned i) { local_set(heap_mutator, &heap_locals[i], NULL); }

void heap_drops(unsigned first, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        heap_drop(first + i);
}

void heap_link(unsigned from, field *f, unsigned to) {
    field_store(heap_mutator, heap_locals[from].target, f, heap_locals[to].target);
}

void heap_ring(unsigned first, unsigned count, const object_type *type) {
    for (unsigned i = 0; i < count; i++)
        heap_new(first + i, type, (char)('a' + i));
    for (unsigned i = 0; i < count; i++)
        heap_link(first + i, &heap_at(first + i)->a, first + (i + 1) % count);
}
void heap_self_loop(unsigned i, const object_type *type) { heap_ring(i, 1, type); }

void heap_run_each(heap_thread *const bodies[], unsigned count) {
    pthread_t threads[HEAP_THREADS];
    uint64_t seeds[HEAP_THREADS];
    mutator_detach(heap_mutator);
    for (unsigned i = 0; i < count; i++) {
        seeds[i] = 1000 + i;
        assert_int_equal(pthread_create(&threads[i], NULL, bodies[i], &seeds[i]), 0);
    }
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    mutator_attach(heap_mutator);
}

void heap_run_threads(heap_thread *body, unsigned count) {
    heap_thread *bodies[HEAP_THREADS] = {body, body, body, body};
    heap_run_each(bodies, count);
}

size_t heap_collect(int generation) {
    size_t found = collector_collect(heap_mutator, generation);
    collector_check();
    return found;
}

uint64_t heap_alive(void) {
    if (!heap_counts() && linked_collector.abilities & COLLECTOR_FREES_CYCLES) heap_collect(COLLECTOR_GENERATIONS - 1);
    collector_stats stats;
    linked_collector.stats(&stats);
    if (stats.born == stats.died) assert_int_equal(stats.born_bytes, stats.died_bytes);
    return stats.born - stats.died;
}

void heap_expect_alive(uint64_t objects) {
    uint64_t alive = heap_alive();
    if (!(linked_collector.abilities & COLLECTOR_CONSERVATIVE)) assert_int_equal(alive, objects);
}

void heap_log_callback(mutator *m, object *weak, void *name) {
    local *frame = frame_open(m, 1);
    weak_get(m, frame, weak);
    heap_note(frame->target == NULL ? "!" : "?");       /* "?": alive inside its own callback, which must not be */
    heap_note(name);
    frame_close(m, frame);
}
