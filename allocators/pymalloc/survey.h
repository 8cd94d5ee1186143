/* SPDX-License-Identifier: MIT
 * survey.h - walks over the whole of pymalloc: its figures, its blocks, its invariants.
 *
 * All are computed when asked for, from what the pools say, so that the fast path counts nothing but a
 * pool's own blocks. A survey of n pools reads n headers.
 */
#ifndef REFARENA_PYMALLOC_SURVEY_H
#define REFARENA_PYMALLOC_SURVEY_H

#include "../allocator.h"

/* Of pools and arenas; the caller adds what it passed on. */
void survey_stats(allocator_stats *stats);

/* Every block of every pool; false when visit ended it. */
bool survey_walk(allocator_visitor *visit, void *context);

/* The figures in the layout of CPython's sys._debugmallocstats(), and under the same names. */
void survey_print(FILE *to);

/* Which pool has how much: a line of words, then one line of numbers a pool, in the order of addresses within an
 * arena. A pool that is not in use has class_bytes and capacity 0.
 *
 *   arena pool class_bytes used capacity
 *   0 0 48 340 340                                                                                       */
void survey_map(FILE *to);

/* Aborts at a broken invariant of a pool, a list of pools, or an arena. */
void survey_check(void);

#endif
