/* SPDX-License-Identifier: MIT
 * values.h - the built-in values that workloads on objects share, shaped as CPython's are.
 *
 *   integer   header, value                           small ones shared: -5..256 exist once
 *   real      header, value                           float
 *   array     header, owned bytes                     numpy.ndarray of float64: a small object, a big buffer
 *   tuple     header, extra, fields inside            fixed
 *   list      header, used, owned array of fields     grows by an eighth and a bit: 0, 4, 8, 16, 24, 32, 40, 52, 64 ...
 *
 * Source of the shapes: CPython 3.11 (object sizes as sys.getsizeof tells them); of the growth, its list_resize.
 */
#ifndef REFARENA_VALUES_H
#define REFARENA_VALUES_H

#include "../../collectors/collector.h"
#include "../workload.h"

enum { INTEGER_SMALLEST = -5, INTEGER_LARGEST_SMALL = 256 };

/* Names in the globals: each workload's own begin at VALUES_GLOBALS_USED. */
enum { VALUES_SMALL_INTEGERS, VALUES_GLOBALS_USED };

typedef struct integer { object header; int64_t value; } integer;

typedef struct real { object header; double value; } real;

typedef struct array { object header; owned_array buffer; } array;

typedef struct list { object header; size_t used; owned_array items; } list;

extern const object_type integer_type, real_type, tuple_type, list_type;

/* Payload of a workload's objects beyond what it needs, as a parameter; and the type that has it, the workload's own: set
 * in prepare, by the thread that prepares before all others. `bytes` is the size of the struct. */
#define PAYLOAD_PARAMETER(what) \
    {.name = "bytes", .meaning = "payload of each " what ", zeroed and not looked at", .value = 0, .minimum = 0, .maximum = 65536}
static inline void type_with_payload(const workload_run *run, object_type *type, size_t bytes, int parameter) {
    if (run->thread == 0) type->bytes = bytes + (size_t)run->parameters[parameter];
}

/* What one local holds, the other does: a move takes and drops nothing, as where an interpreter pushes an argument or
 * pops a result. The locals together hold what they held. */
static inline void local_swap(local *a, local *b) {
    object *held = a->target;
    a->target = b->target;
    b->target = held;
}

static inline int64_t integer_value(const object *o) { return ((const integer *)o)->value; }

/* Is this value one of the shared ones? */
static inline bool integer_is_small(int64_t value) { return value >= INTEGER_SMALLEST && value <= INTEGER_LARGEST_SMALL; }

/* l = a tuple of the small integers. False: heap full. */
bool integers_new(mutator *m, local *l);

/* Make the shared small integers, held by a global. False: heap full. */
bool integers_prepare(mutator *m);

/* prepare and finish of a workload that needs nothing but the shared small integers. */
bool integers_open(workload_run *run);
void integers_close(workload_run *run);

/* l = value: the shared object for a small one, else a new one. False: heap full, l unchanged. */
bool integer_new(mutator *m, local *l, int64_t value);

/* How many of first, first + step, ... (count of them, step > 0) are too large to be shared. */
uint64_t integers_not_small(int64_t first, int64_t step, uint64_t count);

/* l = a float. False: heap full, l unchanged. */
bool real_new(mutator *m, local *l, double value);
static inline double real_value(const object *o) { return ((const real *)o)->value; }

/* l = an array of `count` float64, not yet set. False: heap full. */
bool array_new(mutator *m, local *l, size_t count);
static inline double *array_items(object *o) { return object_array(o)->items; }
static inline size_t  array_count(object *o) { return object_array(o)->count / sizeof(double); }

/* l = a tuple of `count` fields, all NULL. */
bool tuple_new(mutator *m, local *l, size_t count);
static inline field *tuple_items(object *o) { return object_extra_units(o); }

/* l = an empty list; append value to the list in l; move what a local holds to its end (a refusal leaves it there);
 * move the last item of the list in l to `out`. An append takes one reference, and where the list must grow a second
 * one; a pop takes one; a push none. */
bool list_new(mutator *m, local *l);
bool list_append(mutator *m, local *l, object *value);
bool list_push(mutator *m, local *l, local *value);
void list_pop(mutator *m, local *l, local *out);
static inline field *list_items(object *o) { return object_array(o)->items; }
static inline size_t list_used(const object *o) { return ((const list *)o)->used; }
static inline size_t list_room(object *o) { return object_array(o)->count; }

/* The room that a list has after growing to `used` items by an append. */
static inline size_t list_room_for(size_t used) { return (used + (used >> 3) + 6) & ~(size_t)3; }

/* Appending `items` to a new list: how often it grows, and the room that it asks for in all, added to *asked. */
uint64_t list_growth(uint64_t items, uint64_t *asked);

/* l = a new list of items first .. first + count - 1 of the list in `from`, with no room to spare, each taken once. */
bool list_slice(mutator *m, local *l, local *from, size_t first, size_t count);

#endif
