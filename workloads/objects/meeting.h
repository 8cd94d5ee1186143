/* SPDX-License-Identifier: MIT
 * meeting.h - the threads of a workload wait for each other, detached, so that nobody waits for them meanwhile.
 *
 * Thread 0 opens it in prepare, before the others prepare, and closes it in finish, after they have.
 */
#ifndef REFARENA_MEETING_H
#define REFARENA_MEETING_H

#include <pthread.h>

#include "../../collectors/collector.h"
#include "../workload.h"

static inline void meeting_open(pthread_barrier_t *meeting, const workload_run *run) {
    pthread_barrier_init(meeting, NULL, run->threads);
}

static inline void meeting_wait(pthread_barrier_t *meeting, workload_run *run) {
    mutator_detach(run->mutator);
    pthread_barrier_wait(meeting);
    mutator_attach(run->mutator);
}

#endif
