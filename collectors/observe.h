/* SPDX-License-Identifier: MIT
 * observe.h - the steps of a collection, for whoever wants to watch (explain.c): one test of a pointer a step. */
#ifndef REFARENA_OBSERVE_H
#define REFARENA_OBSERVE_H

#include <stddef.h>

typedef enum observe_step {
    OBSERVE_COPIED,             /* gc_refs is the count of each object that is looked at */
    OBSERVE_SUBTRACTED,         /* less the references that come from inside */
    OBSERVE_ROOTS,              /* what the locals and globals hold is marked, and nothing else */
    OBSERVE_SEPARATED,          /* what is reachable is known */
} observe_step;

extern void (*observe_watcher)(observe_step step);      /* or NULL */

static inline void observe(observe_step step) {
    if (__builtin_expect(observe_watcher != NULL, 0)) observe_watcher(step);
}

#endif
