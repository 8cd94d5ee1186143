/* SPDX-License-Identifier: MIT
 * topology.h - which cores threads go to: different physical ones of one kind.
 */
#ifndef REFARENA_TOPOLOGY_H
#define REFARENA_TOPOLOGY_H

#include <sched.h>
#include <stdbool.h>

/* All cores of `allowed` in `order`, which has room for CPU_SETSIZE; the first `threads` are where so many threads go.
 * Returns how many. sysfs is read below `root`, "" for this machine's own. Allocates nothing; one thread at a time. */
unsigned topology_order(const char *root, const cpu_set_t *allowed, unsigned threads, unsigned *order);

/* Are two of these hyperthreads of one physical core? */
bool topology_share_a_core(const char *root, const unsigned *cpus, unsigned count);

#endif
