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

/* Aborts at a broken invariant of a pool, a list of pools, or an arena. */
void survey_check(void);

#endif
