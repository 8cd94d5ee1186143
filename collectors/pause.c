/* SPDX-License-Identifier: MIT
 * pause.c - each thread's nesting of pauses; the outermost is told when it ends. */
#include "pause.h"

#include <assert.h>
#include <stddef.h>
#include <time.h>

enum { PAUSE_NESTING = 8 };

bool pause_recording;

static pause_recorder *pause_recorder_now;

static _Thread_local struct {
    unsigned depth;
    uint64_t begun_ns[PAUSE_NESTING];   /* of the pauses in progress, the outermost first */
    unsigned freed;                     /* objects, by the cascade in progress, up to where it is a pause */
} pause_own;

uint64_t pause_clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void pause_record(pause_recorder *recorder) {
    pause_recorder_now = recorder;
    pause_recording = recorder != NULL;
}

void pause_enter(void) {
    assert(pause_own.depth < PAUSE_NESTING);
    pause_own.begun_ns[pause_own.depth++] = pause_clock_ns();
}

void pause_leave(pause_kind kind) {
    assert(pause_own.depth > 0);
    bool part = --pause_own.depth > 0;
    if (!part || kind == PAUSE_SAFEPOINT)
        pause_recorder_now(kind, pause_own.begun_ns[pause_own.depth], pause_clock_ns(), part);
}

/* Inside another pause, frees are part of it; inside this one they need no more counting. */
void pause_count_freed(void) {
    if (pause_own.depth > 0) return;
    if (++pause_own.freed == PAUSE_CASCADE_OBJECTS) pause_enter();
}

void pause_leave_cascade(void) {
    unsigned freed = pause_own.freed;
    pause_own.freed = 0;
    if (freed >= PAUSE_CASCADE_OBJECTS) pause_leave(PAUSE_CASCADE);
}
