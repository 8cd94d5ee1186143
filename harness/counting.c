/* SPDX-License-Identifier: MIT
 * counting.c - count what one unit asks for, in a child that is thrown away.
 *
 *     parent   fork ---------------- waitpid ---> judges
 *     child      open, prepare, read, one unit, read, finish, _exit
 *                          figures in a shared mapping
 *
 * Two well-known benchmarks of allocators make 5 and 2 allocations where they claim millions: the compiler deleted
 * the rest. The child starts before the allocator's first use here, so its heap is what the parent's will be.
 * A child that crashes takes the parent with it by the same signal: a crash is a crash, whoever looks.
 */
#include "counting.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../allocators/counted.h"
#include "limit.h"

typedef struct counting_shared { counting_figures seen; verdict said; bool ended; } counting_shared;

static uint64_t counting_requests(const counted_figures *f) { return f->allocations + f->resizes; }
static uint64_t counting_bytes(const counted_figures *f)    { return f->allocated_bytes + f->resized_bytes; }

static bool counting_unit(session *s, counting_figures *seen, verdict *said) {
    uint64_t unused = 0;
    if (!session_prepare(s, said) || !session_arrange(s, said))
        return false;
    counted_figures before = counted_read();
    if (!session_run(s, 1, &unused, said))
        return false;
    counted_figures after = counted_read();
    seen->allocations = counting_requests(&after) - counting_requests(&before);
    seen->bytes = counting_bytes(&after) - counting_bytes(&before);
    seen->requested_peak_bytes = after.live_peak_bytes;
    seen->peak_known = after.unsized == 0;
    seen->known = !s->objects || linked_collector.allocator_use == COLLECTOR_USES_OBJECTS;
    return true;
}

static void counting_child(const options *asked, counting_shared *shared) {
    static session s;
    char spec[512];
    bool counted = strncmp(asked->allocator, "counted:", 8) == 0 || strstr(asked->allocator, ":counted:");
    snprintf(spec, sizeof spec, "%s%s", counted ? "" : "counted:", asked->allocator);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    session_describe(&s, asked);
    if (session_open(&s, spec, &shared->said)) {
        counting_unit(&s, &shared->seen, &shared->said);
        session_finish(&s);
        session_close(&s);
    }
    shared->ended = true;
    _exit(0);
}

static bool counting_judge(const options *asked, const counting_figures *seen, verdict *said) {
    session s;
    session_describe(&s, asked);
    workload_operations unit = session_declared(&s);
    uint64_t allocations = unit.allocations * asked->threads, bytes = unit.bytes * asked->threads;
    if (!seen->known || (seen->allocations >= allocations && seen->bytes >= bytes))
        return true;
    return verdict_say(said, OUTCOME_MISCOUNTED, "workload %s made %" PRIu64 " allocations of %" PRIu64 " bytes in a "
                       "unit, and declares %" PRIu64 " of %" PRIu64 "; its figures would be of work that was not done",
                       asked->program->name, seen->allocations, seen->bytes, allocations, bytes);
}

bool counting_pass(const options *asked, counting_figures *seen, verdict *said) {
    int status;
    counting_shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = shared == MAP_FAILED ? -1 : fork();
    if (child == 0)
        counting_child(asked, shared);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return verdict_say(said, OUTCOME_HEAP_FULL, "the OS refused a process for the counting pass%s", limit_words());
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    if (!shared->ended)
        exit(WEXITSTATUS(status));          /* a sanitizer reported, and ended it its own way */
    *seen = shared->seen;
    if (shared->said.outcome != OUTCOME_OK)
        return verdict_say(said, shared->said.outcome, "%s", shared->said.message);
    munmap(shared, sizeof *shared);
    return counting_judge(asked, seen, said);
}
