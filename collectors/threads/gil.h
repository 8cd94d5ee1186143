/* SPDX-License-Identifier: MIT
 * gil.h - one global lock: any number of mutators, one runs at a time.
 *
 * Who waits for the lock waits one switch interval; if nobody else has taken it meanwhile, it asks the
 * holder to let go (the drop request). The holder sees the request at its next poll, and lets go. A detach
 * (I/O, sleep) lets go without being asked. Whoever lets go while a request stands waits until another thread
 * has taken the lock (forced hand-over), so that it cannot take it back before the waiter wakes up.
 *
 * Source: Pitrou's GIL of CPython 3.2 and later; D. Beazley, "Understanding the Python GIL", PyCon 2010.
 */
#ifndef REFARENA_THREADS_GIL_H
#define REFARENA_THREADS_GIL_H

enum { THREADS_ABILITIES = COLLECTOR_THREADS };

enum { GIL_INTERVAL_US = 5000 };
#define THREADS_OPTIONS {"interval_us", "microseconds a waiter waits before it asks for the lock", GIL_INTERVAL_US, 1, 10000000},

extern atomic_bool gil_drop_request;

void gil_take(mutator *m);
void gil_drop(mutator *m);
void gil_yield(mutator *m);
void gil_open(void);
uint64_t gil_switches(void);

static inline bool threads_enter(mutator *m)  { gil_take(m); return true; }
static inline void threads_leave(mutator *m)  { gil_drop(m); }
static inline void threads_attach(mutator *m) { gil_take(m); }
static inline void threads_detach(mutator *m) { gil_drop(m); }
static inline void threads_poll(mutator *m) {
    if (UNLIKELY(atomic_load_explicit(&gil_drop_request, memory_order_relaxed))) gil_yield(m);
}
static inline void threads_open(void) { gil_open(); }
static inline uint64_t threads_switches(void) { return gil_switches(); }

/* Who holds the lock runs alone: the world is always stopped, and all others wait at a poll or detached. */
static inline bool     threads_stop(mutator *m)     { (void)m; return true; }
static inline void     threads_start(mutator *m)    { (void)m; }
static inline uint64_t threads_last_stop_ns(void)   { return 0; }
static inline uint64_t threads_epoch_advance(void)  { return 1; }
static inline uint64_t threads_oldest_epoch(void)   { return UINT64_MAX; }

#endif
