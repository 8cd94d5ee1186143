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

/* Nobody else runs: the world is always stopped, and every other thread has always polled. */
static inline bool     threads_stop(mutator *m)     { (void)m; return true; }
static inline void     threads_start(mutator *m)    { (void)m; }
static inline uint64_t threads_last_stop_ns(void)   { return 0; }
static inline uint64_t threads_epoch_advance(void)  { return 1; }
static inline uint64_t threads_oldest_epoch(void)   { return UINT64_MAX; }

#endif
