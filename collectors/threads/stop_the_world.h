/* SPDX-License-Identifier: MIT
 * stop_the_world.h - any number of mutators run at once, and any of them can stop all others.
 *
 *   stopper    request ........ all stopped |  works alone  | start
 *   mutator    ----runs--- poll             |    waits      | ----runs---
 *   mutator    ---- detached: sleeps, waits for I/O ---- attach | --runs---
 *
 * One number asks for everything: threads_epoch. A poll compares it with the last value that this thread
 * has seen, and does nothing while they are equal: one relaxed load. When they differ the thread publishes
 * the new value, and waits where a stop was asked for. A thread that is detached, or has left, counts as
 * stopped; attach and enter wait while the world is stopped.
 *
 * What each thread has seen is of use by itself: memory that nobody can reach any more may be reused once
 * every thread has polled, since a borrowed pointer does not outlive a poll. threads_epoch_advance gives
 * the number to wait for, threads_oldest_epoch what all have reached.
 *
 * (I1) running == mutators attached and not waiting in a poll.
 * (I2) stopped by a thread: running == 1, and no mutator but the stopper touches an object.
 * (I3) seen_epoch of an attached mutator <= threads_epoch; UINT64_MAX while detached.
 *
 * Source: the stop-the-world of CPython's free-threaded build (PEP 703), and its quiescent-state-based
 * reclamation, which is that of Hart, McKenney, Demke Brown and Walpole, JPDC 67(12), 2007.
 */
#ifndef REFARENA_THREADS_STOP_THE_WORLD_H
#define REFARENA_THREADS_STOP_THE_WORLD_H

enum { THREADS_ABILITIES = COLLECTOR_THREADS | COLLECTOR_PARALLEL };

#define THREADS_OPTIONS                 /* none */

extern _Atomic uint64_t threads_epoch;

/* Attached from now on; waits while the world is stopped. */
void stop_the_world_join(mutator *m);
void stop_the_world_part(mutator *m);
void stop_the_world_look(mutator *m);           /* the epoch has changed: publish it, wait if asked to */
void stop_the_world_open(void);

static inline bool threads_enter(mutator *m)  { stop_the_world_join(m); return true; }
static inline void threads_leave(mutator *m)  { stop_the_world_part(m); }
static inline void threads_attach(mutator *m) { stop_the_world_join(m); }
static inline void threads_detach(mutator *m) { stop_the_world_part(m); }
static inline void threads_poll(mutator *m) {
    if (UNLIKELY(atomic_load_explicit(&threads_epoch, memory_order_relaxed) !=
                 atomic_load_explicit(&((mutator_base *)m)->seen_epoch, memory_order_relaxed)))
        stop_the_world_look(m);
}
static inline void threads_open(void) { stop_the_world_open(); }
static inline uint64_t threads_switches(void) { return 0; }

/* True: every other mutator is stopped, until threads_start. False: another thread was stopping the world,
 * and this one has waited through that stop: look again whether the reason for stopping still holds. The
 * caller holds no lock. */
bool threads_stop(mutator *m);
void threads_start(mutator *m);

/* From the request of the last stop until all had stopped; nanoseconds. */
uint64_t threads_last_stop_ns(void);

/* The next epoch: once threads_oldest_epoch() has reached it, every thread has polled since, or was detached. */
uint64_t threads_epoch_advance(void);
uint64_t threads_oldest_epoch(void);

#endif
