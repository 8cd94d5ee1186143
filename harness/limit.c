/* SPDX-License-Identifier: MIT
 * limit.c - a full heap on demand.
 *
 * RLIMIT_DATA bounds private writable memory, what a program can dirty. RLIMIT_AS would also bound
 * reservations that nobody may touch yet, as the 64 MiB that glibc sets aside for each thread's arena: it would
 * bound the allocator's habits and not the program.
 * The bound is relative to what the process has when it is applied, so that a preload's start-up, the harness's
 * own tables and its threads' stacks are on nobody's account.
 * (I1) The soft limit is never above the one that the user set: `ulimit -d` holds here too.
 */
#include "limit.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>

#include "memory.h"

static bool   limit_applied;
static rlim_t limit_users;              /* their soft limit, from before limit_apply */

static void limit_set(uint64_t bytes) {
    struct rlimit limit;
    getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = limit_users == RLIM_INFINITY || bytes < limit_users ? bytes : limit_users;
    setrlimit(RLIMIT_DATA, &limit);
}

void limit_apply(uint64_t bytes) {
    struct rlimit limit;
    if (!limit_applied) {
        getrlimit(RLIMIT_DATA, &limit);
        limit_users = limit.rlim_cur;
    }
    limit_applied = true;
    limit_set(memory_status("VmData:") + bytes);
}

void limit_raise(uint64_t bytes) {
    struct rlimit limit;
    if (!limit_applied)
        return;
    getrlimit(RLIMIT_DATA, &limit);
    limit_set(limit.rlim_cur + bytes);
}

void limit_lift(void) {
    struct rlimit limit;
    if (!limit_applied)
        return;
    getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = limit_users;
    setrlimit(RLIMIT_DATA, &limit);
    limit_applied = false;
}

const char *limit_words(void) {
    static char words[64];
    static const struct { int resource; const char *name; } bounds[] = { { RLIMIT_AS, "-v" }, { RLIMIT_DATA, "-d" } };
    for (unsigned i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        struct rlimit limit;
        if (getrlimit(bounds[i].resource, &limit) != 0)
            continue;
        if (bounds[i].resource == RLIMIT_DATA && limit_applied)
            limit.rlim_cur = limit_users;
        if (limit.rlim_cur != RLIM_INFINITY) {
            snprintf(words, sizeof words, " (ulimit %s is %" PRIu64 " MiB)", bounds[i].name, (uint64_t)limit.rlim_cur >> 20);
            break;
        }
    }
    return words;
}
