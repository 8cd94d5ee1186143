/* SPDX-License-Identifier: MIT
 * none.h - any number of mutators, and nobody coordinates them: all run, nobody can be stopped.
 *
 * Enough where no cyclic collector needs the world to stand still. Counts and loads must be safe.
 */
#ifndef REFARENA_THREADS_NONE_H
#define REFARENA_THREADS_NONE_H

enum { THREADS_ABILITIES = COLLECTOR_THREADS | COLLECTOR_PARALLEL };

#define THREADS_OPTIONS                 /* none */

static inline bool threads_enter(mutator *m)  { (void)m; return true; }
static inline void threads_leave(mutator *m)  { (void)m; }
static inline void threads_attach(mutator *m) { (void)m; }
static inline void threads_detach(mutator *m) { (void)m; }
static inline void threads_poll(mutator *m)   { (void)m; }
static inline void threads_open(void) {}
static inline uint64_t threads_switches(void) { return 0; }

#endif
