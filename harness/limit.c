/* SPDX-License-Identifier: MIT
 * limit.c - a full heap on demand.
 *
 * RLIMIT_DATA bounds private writable memory, what a program can dirty. RLIMIT_AS would also bound
 * reservations that nobody may touch yet, as the 64 MiB that glibc sets aside for each thread's arena: it would
 * bound the allocator's habits and not the program.
 * The bound is relative to what the process has when it is applied, so that a preload's start-up, the harness's
 * own tables and its threads' stacks are on nobody's account.
 */
#include "limit.h"

#include <stdbool.h>
#include <sys/resource.h>

#include "memory.h"

static bool limit_applied;

void limit_apply(uint64_t bytes) {
    struct rlimit limit;
    getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = memory_status("VmData:") + bytes;
    setrlimit(RLIMIT_DATA, &limit);
    limit_applied = true;
}

void limit_raise(uint64_t bytes) {
    struct rlimit limit;
    if (!limit_applied)
        return;
    getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur += bytes;
    setrlimit(RLIMIT_DATA, &limit);
}

void limit_lift(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_DATA, &limit);
    limit_applied = false;
}
