/* SPDX-License-Identifier: MIT
 * tick_gil.h - the global lock of Python 2 and of 3.0 and 3.1: let go every hundred ticks, and hope.
 *
 * The holder counts polls ("ticks"). After a hundred it posts the semaphore and waits for it again at once.
 * Nobody hands anything over: on one core the poster mostly takes it back before the waiter has been
 * scheduled; on several cores the waiter wakes up, finds it taken, and sleeps again, so that two threads
 * spend their time on signalling and are slower than one after the other.
 *
 * Source: CPython 2.7 on Linux, where a lock is a POSIX semaphore; D. Beazley, "Inside the Python GIL", 2009.
 */
#ifndef REFARENA_THREADS_TICK_GIL_H
#define REFARENA_THREADS_TICK_GIL_H

enum { THREADS_ABILITIES = COLLECTOR_THREADS };

#define THREADS_OPTIONS {"ticks", "polls between two releases of the lock", 100, 1, 1000000000},

extern int64_t tick_gil_left;           /* ticks until the next release; the holder's, as the lock is */

void tick_gil_take(mutator *m);
void tick_gil_drop(mutator *m);
void tick_gil_yield(mutator *m);
void tick_gil_open(void);
uint64_t tick_gil_switches(void);

static inline bool threads_enter(mutator *m)  { tick_gil_take(m); return true; }
static inline void threads_leave(mutator *m)  { tick_gil_drop(m); }
static inline void threads_attach(mutator *m) { tick_gil_take(m); }
static inline void threads_detach(mutator *m) { tick_gil_drop(m); }
static inline void threads_poll(mutator *m)   { if (UNLIKELY(--tick_gil_left < 0)) tick_gil_yield(m); }
static inline void threads_open(void)         { tick_gil_open(); }
static inline uint64_t threads_switches(void) { return tick_gil_switches(); }

/* Whoever holds the lock runs alone. */
static inline bool     threads_stop(mutator *m)    { (void)m; return true; }
static inline void     threads_start(mutator *m)   { (void)m; }
static inline uint64_t threads_last_stop_ns(void)  { return 0; }
static inline uint64_t threads_epoch_advance(void) { return 1; }
static inline uint64_t threads_oldest_epoch(void)  { return UINT64_MAX; }

#endif
