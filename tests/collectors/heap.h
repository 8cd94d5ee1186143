/* SPDX-License-Identifier: MIT
 * heap.h - the small heaps that tests of collectors build, and a log of what happened in them.
 *
 *   node       fields a, b, c; weakly referencable; one tracked object       N of the cases
 *   finalized  a node whose finalizer logs its name                          F
 *   phoenix    a node whose finalizer logs, and saves the node in a global   Z
 *   leaf       no fields, not tracked
 *   row        a list: an owned array of fields
 *   pair       a tuple: extra fields, which it is born with; the generational collector untracks it early
 */
#ifndef REFARENA_TESTS_HEAP_H
#define REFARENA_TESTS_HEAP_H

#include "../../collectors/collector.h"
#include "../support.h"

typedef struct node { object header; field a, b, c; weak_list weak; char name; } node;
typedef struct leaf { object header; uint64_t value; } leaf;
typedef struct row { object header; owned_array items; } row;

extern const object_type node_type, finalized_type, phoenix_type, leaf_type, row_type, pair_type;

enum { HEAP_LOCALS = 64, HEAP_SAVED = 8 };      /* HEAP_SAVED: the global where a phoenix saves itself */

extern mutator *heap_mutator;
extern local   *heap_locals;                    /* HEAP_LOCALS of them */
extern char     heap_log[256];                  /* names, in the order of finalizers; "!" before a callback's */

/* cmocka set-up and tear-down: an empty heap on the allocator of REFARENA_ALLOCATOR (default: system), no
 * automatic collection. Tear-down checks that all that was born has died, where the collector can do it. */
int heap_open(void **state);
int heap_close(void **state);

/* Set an option of the collector for the next opening; false: it has none of this name. */
bool heap_set_option(const char *name, int64_t value);

/* Begin anew on another allocator. */
void heap_reopen_on(const char *spec);

/* Begin anew, with automatic collections on and at most so many bytes (0: no limit); all objects of before are gone. */
void heap_reopen_automatic(int64_t heap_bytes);

#define HEAP_TEST(name) cmocka_unit_test_setup_teardown(name, heap_open, heap_close)
#define NEEDS(wanted) do { if (!heap_can(wanted)) support_skip("the collector is without " #wanted); } while (0)

/* What dies, and when, cannot be asked of a conservative collector. */
static inline bool heap_can(unsigned wanted) {
    bool guesses = linked_collector.abilities & COLLECTOR_CONSERVATIVE;
    return (wanted & ~linked_collector.abilities) == 0 && !(guesses && wanted & (COLLECTOR_FREES | COLLECTOR_FREES_CYCLES));
}

/* libgc stops threads by signals, which ThreadSanitizer delivers late, and does not see as an order. */
static inline bool heap_is_beyond_tsan(void) {
    return SUPPORT_TSAN && linked_collector.abilities & COLLECTOR_CONSERVATIVE;
}

/* Without counts nothing dies between collections, and a collection finds acyclic garbage and leaves too. */
static inline bool heap_counts(void) { return linked_collector.abilities & COLLECTOR_EXACT_COUNTS; }

/* heap_locals[i] = a new node with that name; the local is NULLed by heap_drop. */
node *heap_node(unsigned i, char name);
node *heap_finalized(unsigned i, char name);
node *heap_new(unsigned i, const object_type *type, char name);
row  *heap_row(unsigned i, size_t count);
void  heap_drop(unsigned i);
static inline node *heap_at(unsigned i) { return (node *)heap_locals[i].target; }

/* locals[first..], each of whose a is the next one, and the last one's the first; names from 'a' on. */
void heap_ring(unsigned first, unsigned count, const object_type *type);
void heap_self_loop(unsigned i, const object_type *type);
void heap_drops(unsigned first, unsigned count);

/* locals[from].field = locals[to] */
void heap_link(unsigned from, field *f, unsigned to);

/* `count` threads, each with a seed of its own, to their ends; the test's own mutator is detached meanwhile. */
enum { HEAP_THREADS = 4 };                      /* at most */
typedef void *heap_thread(void *seed_at);
void heap_run_each(heap_thread *const bodies[], unsigned count);
void heap_run_threads(heap_thread *body, unsigned count);

size_t   heap_collect(int generation);
uint64_t heap_alive(void);                      /* objects born and not died since heap_open; a tracer collects first */
void     heap_expect_alive(uint64_t objects);     /* asserts that many, where that can be asked */
void     heap_log_callback(mutator *m, object *weak, void *name);   /* logs "!" and the name, a string */

#endif
