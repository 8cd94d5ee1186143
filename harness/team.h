/* SPDX-License-Identifier: MIT
 * team.h - the harness's own crew of threads (never Google Benchmark's).
 */
#ifndef REFARENA_TEAM_H
#define REFARENA_TEAM_H

#include <stdbool.h>
#include <stdint.h>

typedef void team_task(void *context, unsigned thread);

/* Once, before all others: note the cores, and start and join one thread that does nothing, because glibc leaves out
 * the locks of its malloc and mutexes until a process has had a second thread, and a lock left out has no price. */
bool team_begin(void);

/* Start `count` threads, thread i pinned to the i-th core this process may use; with one, the calling
 * thread is all there is. False: the OS refused. */
bool team_start(unsigned count);

/* Run task(context, i) on threads first .. last - 1 at once; returns the nanoseconds from their release to
 * the end of the last one. */
uint64_t team_run(unsigned first, unsigned last, team_task *task, void *context);

/* End them; each calls at_end first. */
void team_stop(void (*at_end)(void));

/* Nanoseconds that these threads have waited for a core so far, ready to run. */
uint64_t team_run_delay_ns(void);

/* Pin the calling thread to the index-th core this process may use, counted round. */
void team_pin(unsigned index);

uint64_t team_clock_ns(void);            /* CLOCK_MONOTONIC */
uint64_t team_cpu_ns(void);              /* of the whole process */

#endif
