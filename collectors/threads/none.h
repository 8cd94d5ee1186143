/* SPDX-License-Identifier: MIT
 * none.h - any number of mutators, and nobody coordinates them: all run, nobody can be stopped.
 *
 * Enough where no cyclic collector needs the world to stand still. Counts and loads must be safe.
 */
#ifndef REFARENA_THREADS_NONE_H
#define REFARENA_THREADS_NONE_H

#include <stdlib.h>

enum { THREADS_ABILITIES = COLLECTOR_THREADS | COLLECTOR_PARALLEL };

#define THREADS_OPTIONS                 /* none */

static inline bool threads_enter(mutator *m)  { (void)m; return true; }
static inline void threads_leave(mutator *m)  { (void)m; }
static inline void threads_attach(mutator *m) { (void)m; }
static inline void threads_detach(mutator *m) { (void)m; }
static inline void threads_poll(mutator *m)   { (void)m; }
static inline void threads_open(void) {}
static inline uint64_t threads_switches(void) { return 0; }

/* Nobody can be stopped, and nobody tells that it has polled: a part that asks does not fit this row. */
static inline bool     threads_stop(mutator *m)     { (void)m; abort(); }
static inline void     threads_start(mutator *m)    { (void)m; abort(); }
static inline uint64_t threads_last_stop_ns(void)   { return 0; }
static inline uint64_t threads_epoch_advance(void)  { return 1; }
static inline uint64_t threads_oldest_epoch(void)   { return 0; }

#endif
