/* SPDX-License-Identifier: MIT
 * team.h - the harness's own crew of threads (never Google Benchmark's).
 */
#ifndef REFARENA_TEAM_H
#define REFARENA_TEAM_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

typedef void team_task(void *context, unsigned thread);

/* Once, before all others: note the cores (those asked for, or a choice of topology.h among those that this process may
 * use), and start and join one thread that does nothing, because glibc leaves out
 * the locks of its malloc and mutexes until a process has had a second thread, and a lock left out has no price. */
bool team_begin(const options *asked);

/* Start `count` threads, thread i pinned to the i-th of these cores; with one, the calling
 * thread is all there is. False: the OS refused. */
bool team_start(unsigned count);

/* Run task(context, i) on threads first .. last - 1 at once; returns the nanoseconds from their release to
 * the end of the last one. */
uint64_t team_run(unsigned first, unsigned last, team_task *task, void *context);

/* End them; each calls at_end first. */
void team_stop(void (*at_end)(void));

/* Nanoseconds that these threads have waited for a core so far, ready to run. */
uint64_t team_run_delay_ns(void);

/* Pin the calling thread to the index-th of these cores, counted round. */
void team_pin(unsigned index);

/* The core that thread `index` runs on, or -1: as the OS likes. */
int team_core(unsigned index);

/* Do two of the threads run on hyperthreads of one physical core, or on the same one? */
bool team_shares_a_core(void);

uint64_t team_clock_ns(void);            /* CLOCK_MONOTONIC */
uint64_t team_cpu_ns(void);              /* of the whole process */

#endif
