/* SPDX-License-Identifier: MIT
 * uncollected.h - nothing looks for cycles: a ring that nobody names stays for ever. */
#ifndef REFARENA_CYCLES_UNCOLLECTED_H
#define REFARENA_CYCLES_UNCOLLECTED_H

#include "blocks.h"

enum { CYCLES_PREFIX_BYTES = 0, CYCLES_ABILITIES = 0 };

#define CYCLES_OPTIONS                  /* none */

static inline bool   cycles_open(void)                      { return true; }
static inline void   cycles_close(void)                     {}
static inline void   cycles_before_birth(mutator *m)        { (void)m; }
static inline void   cycles_born(object *o)                 { (void)o; }
static inline void   cycles_dying(object *o)                { (void)o; }
static inline void   cycles_dead(mutator *m)                { (void)m; }
static inline size_t cycles_collect(mutator *m, int generation) { (void)m, (void)generation; return 0; }
static inline bool   cycles_make_room(mutator *m)           { (void)m; return false; }
static inline void   cycles_stats(collector_stats *stats)   { (void)stats; }
static inline void   cycles_check(void)                     {}

#endif
