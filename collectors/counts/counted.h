/* SPDX-License-Identifier: MIT
 * counted.h - plain counts that count themselves: the census of reference operations.
 *
 * Promises: as plain, nothing to a second thread. Costs: two more additions in memory a pair. Not for racing: it is
 * how a workload's declared operations are checked, exactly.
 */
#ifndef REFARENA_COUNTS_COUNTED_H
#define REFARENA_COUNTS_COUNTED_H

#include "header.h"

enum { COUNT_IS_SHARED = 0 };

extern struct counted_operations { uint64_t takes, drops; } counted_operations;

static inline void   count_birth(object *o) { o->references = 1; }
static inline void   count_take(object *o)  { counted_operations.takes++; o->references++; }
static inline bool   count_drop(object *o)  { counted_operations.drops++; return --o->references == 0; }
static inline bool   count_try_take(object *o) {
    if (o->references == 0) return false;
    count_take(o);
    return true;
}
static inline size_t count_read(const object *o) { return o->references; }

#define COUNT_FIGURES(stats) ((stats)->takes = counted_operations.takes, (stats)->drops = counted_operations.drops)

#endif
