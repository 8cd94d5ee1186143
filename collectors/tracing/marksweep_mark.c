/* SPDX-License-Identifier: MIT
 * marksweep_mark.c - from the roots to everything they reach, without recursion.
 *
 * A stack holds objects that are marked and not yet visited. On their way from the stack to the visit they
 * pass a short ring, and are prefetched when they enter it: by the time they leave it, they are in the cache.
 * Marks lie beside the objects (chunks.h), so that an object is touched once, when it is visited.
 *
 * When the stack may not grow, an object is marked but not remembered; a walk over all marked objects then
 * finds what it refers to. Each such walk marks at least a stack full more than the one before.
 *
 * Source of the ring: Cher, Hosking and Vitek, ASPLOS 2004.
 */
#include <sys/mman.h>

#include "../../allocators/os_page.h"
#include "../collector.h"
#include "marksweep_mark.h"

enum {
    MARK_STACK_BYTES = 1 << 20,                 /* kept between collections */
    MARK_RING = 16,
};

size_t marksweep_stack_limit_bytes = SIZE_MAX;

struct marked marked;

static table mark_stack;
static bool  mark_overflowed;                   /* some marked object is not on the stack */

static bool table_grow(table *t, size_t limit_bytes) {
    size_t old_bytes = t->capacity * sizeof(object *), bytes = old_bytes ? old_bytes * 2 : 64 << 10;
    if (bytes > limit_bytes) bytes = limit_bytes & ~(os_page_bytes() - 1);
    if (bytes <= old_bytes) return false;
    void *items = t->items == NULL
        ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        : mremap(t->items, old_bytes, bytes, MREMAP_MAYMOVE);
    if (items == MAP_FAILED) return false;
    t->items = items;
    t->capacity = bytes / sizeof(object *);
    return true;
}
bool table_push(table *t, object *o) {
    if (t->count == t->capacity && !table_grow(t, SIZE_MAX)) return false;
    t->items[t->count++] = o;
    return true;
}
object *table_take_first(table *t) {
    if (t->first == t->count) return NULL;
    object *o = t->items[t->first++];
    if (t->first == t->count) t->first = t->count = 0;
    return o;
}
void table_free(table *t) {
    if (t->items != NULL) munmap(t->items, t->capacity * sizeof(object *));
    *t = (table){0};
}

void mark(object *o) {
    if (o == NULL || !chunks_mark(o)) return;
    if (UNLIKELY(mark_stack.count == mark_stack.capacity) && !table_grow(&mark_stack, marksweep_stack_limit_bytes)) {
        mark_overflowed = true;
        return;
    }
    mark_stack.items[mark_stack.count++] = o;
}
void mark_field(field *f, void *context) { (void)context; mark(field_peek(f)); }
void mark_local(local *l, void *context) { (void)context; mark(l->target); }

static void mark_count(object *o) {
    size_t own_bytes = object_bytes(o), array_bytes = object_array_bytes(o);
    marked.objects++;
    marked.payload_bytes += own_bytes - sizeof(object) + array_bytes;
    marked.bytes += mark_price(own_bytes) + (int64_t)array_bytes;
}

static void mark_drain(void) {
    object *ring[MARK_RING] = {0};
    for (unsigned at = 0, idle = 0; idle < MARK_RING; at = (at + 1) % MARK_RING) {
        object *o = ring[at], *next = mark_stack.count != 0 ? mark_stack.items[--mark_stack.count] : NULL;
        __builtin_prefetch(next);
        ring[at] = next;
        idle = o == NULL && next == NULL ? idle + 1 : 0;
        if (o == NULL) continue;
        mark_count(o);
        if (o->type->visit != object_visit_nothing) o->type->visit(o, mark_field, NULL);
    }
}

static void mark_again(void *block, void *context) {
    (void)context;
    object *o = block;
    if (chunks_is_marked(o)) o->type->visit(o, mark_field, NULL);
}
static void mark_recount(void *block, void *context) {
    (void)context;
    if (chunks_is_marked(block)) mark_count(block);
}

void mark_all(void) {
    mark_drain();
    if (!mark_overflowed) return;
    while (mark_overflowed) {
        mark_overflowed = false;
        chunks_each(mark_again, NULL);
        mark_drain();
    }
    marked.objects = marked.payload_bytes = 0;
    marked.bytes = 0;
    chunks_each(mark_recount, NULL);
}

void mark_begin(void) {
    chunks_finish_sweep();
    marked = (struct marked){0};
}

void mark_end(void) {
    if (mark_stack.capacity * sizeof(object *) > MARK_STACK_BYTES) table_free(&mark_stack);
}

void mark_close(void) { table_free(&mark_stack); }
