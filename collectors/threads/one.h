/* SPDX-License-Identifier: MIT
 * one.h - one mutator, and no question who may run. */
#ifndef REFARENA_THREADS_ONE_H
#define REFARENA_THREADS_ONE_H

enum { THREADS_ABILITIES = 0 };

#define THREADS_OPTIONS                 /* none */

extern atomic_bool one_entered;

static inline bool threads_enter(mutator *m)  { (void)m; return !atomic_exchange(&one_entered, true); }
static inline void threads_leave(mutator *m)  { (void)m; atomic_store(&one_entered, false); }
static inline void threads_attach(mutator *m) { (void)m; }
static inline void threads_detach(mutator *m) { (void)m; }
static inline void threads_poll(mutator *m)   { (void)m; }
static inline void threads_open(void) {}
static inline uint64_t threads_switches(void) { return 0; }

#endif
