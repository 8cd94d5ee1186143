/* SPDX-License-Identifier: MIT
 * nominal.h - what a workload does to memory, whoever manages it: its nominal statistics.
 */
#ifndef REFARENA_NOMINAL_H
#define REFARENA_NOMINAL_H

#include "session.h"

/* Prepare, some units, finish, on lifetimes:<allocator>; prints one line of JSON (results/README.md). False: it could
 * not run, nothing is printed, and `said` has the reason. */
bool nominal_run(session *s, verdict *said);

#endif
