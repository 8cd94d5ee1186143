/* SPDX-License-Identifier: MIT
 * pause.h - intervals in which a mutator cannot go on because of memory management.
 *
 *   mutator  ---runs---|begin ... memory management ... end|---runs---
 *
 * A collector brackets each such interval with pause_begin and pause_end; they test one flag, and do nothing
 * while nobody records. A stamp costs 20 ns, so recording belongs to runs of their own.
 *
 * Pauses of a thread may nest (a cascade of frees inside a collection): the outermost is the pause, and gives
 * the kind. A wait for the world to stop is told besides, as a part of the collection that asked for it.
 *
 * Nearly all cascades are shorter than a stamp, so a cascade becomes a pause with its 64th object: the frees
 * before that are not in its length.
 *
 * (I1) every pause_begin has its pause_end on the same thread, in the reverse order.
 * (I2) the flag changes only while no mutator runs.
 */
#ifndef REFARENA_PAUSE_H
#define REFARENA_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum pause_kind {
    PAUSE_CASCADE,              /* one drop, and 64 or more objects freed by it */
    PAUSE_YOUNG, PAUSE_MIDDLE, PAUSE_FULL,      /* a collection, its callbacks and finalizers included */
    PAUSE_SAFEPOINT,            /* who stops the world waits until all others have stopped */
    PAUSE_STOPPED,              /* the others wait until it starts again */
    PAUSE_GIL,                  /* a wait for the global lock */
    PAUSE_KINDS,
} pause_kind;

enum { PAUSE_CASCADE_OBJECTS = 64 };

/* Called at the end of a pause, on the thread that paused. `part`: it lies inside another one of this thread. */
typedef void pause_recorder(pause_kind kind, uint64_t begun_ns, uint64_t ended_ns, bool part);

extern bool pause_recording;

void pause_record(pause_recorder *recorder);            /* NULL: stop recording */
uint64_t pause_clock_ns(void);                          /* the clock of all stamps */

void pause_enter(void);
void pause_leave(pause_kind kind);
void pause_count_freed(void);
void pause_leave_cascade(void);

static inline void pause_begin(void)              { if (__builtin_expect(pause_recording, 0)) pause_enter(); }
static inline void pause_end(pause_kind kind)     { if (__builtin_expect(pause_recording, 0)) pause_leave(kind); }

/* An object was freed while `dying` deaths of containers were in progress; and the first of these has ended. */
static inline void pause_freed(unsigned dying)    { if (__builtin_expect(pause_recording, 0) && dying != 0) pause_count_freed(); }
static inline void pause_cascade_ends(void)       { if (__builtin_expect(pause_recording, 0)) pause_leave_cascade(); }

/* The kind of a collection of the generations up to this one. */
static inline pause_kind pause_of_generation(int generation) { return (pause_kind)(PAUSE_YOUNG + generation); }

#endif
