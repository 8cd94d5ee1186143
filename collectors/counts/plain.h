/* SPDX-License-Identifier: MIT
 * plain.h - a count is a number in memory.
 *
 * Promises: nothing to a second thread; one must run at a time (alone, or under a GIL).
 * Costs: one add to memory, and a test for zero on the way down.
 * Source: Collins, CACM 3(12), 1960; CPython's Py_INCREF and Py_DECREF.
 */
#ifndef REFARENA_COUNTS_PLAIN_H
#define REFARENA_COUNTS_PLAIN_H

#include "header.h"

enum { COUNT_IS_SHARED = 0 };           /* may two threads change one count at the same time? */

static inline void   count_birth(object *o) { o->references = 1; }
static inline void   count_take(object *o)  { o->references++; }
static inline bool   count_drop(object *o)  { return --o->references == 0; }     /* true: that was the last */
static inline bool   count_try_take(object *o) { return o->references != 0 && ++o->references; }
static inline size_t count_read(const object *o) { return o->references; }       /* world stopped */

#endif
