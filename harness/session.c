/* SPDX-License-Identifier: MIT
 * session.c - the life of a workload, thread by thread.
 *
 * Thread 0 prepares before the others and finishes after them; units run on all threads at once. With
 * several threads each is attached to the collector only while it runs a task of its own: one that waited
 * for orders while holding a GIL would hold up all others.
 * (I1) threads > 1: between two calls of team_run no mutator is attached.
 */
#include "session.h"

#include <inttypes.h>
#include <string.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT ((void)0)
#endif

#include "figures.h"
#include "limit.h"
#include "memory.h"
#include "team.h"

void session_describe(session *s, const options *asked) {
    memset(s, 0, sizeof *s);
    s->asked = asked;
    s->program = asked->program;
    s->objects = asked->program->kind == WORKLOAD_ON_OBJECTS;
    for (unsigned i = 0; i < asked->threads; i++) {
        workload_run *run = &s->runs[i];
        run->program = s->program;
        memcpy(run->parameters, asked->parameters, sizeof run->parameters);
        run->file = asked->file;
        run->thread = i;
        run->threads = asked->threads;
        run->seed = asked->seed;
        run->shared = &s->shared;
        run->moment = memory_moment;
        run->figure = figures_say;
    }
}

workload_operations session_declared(session *s) { return s->program->declare(&s->runs[0]); }

/* --- what fits together ---------------------------------------------------------------------------- */

static const char *session_missing(unsigned abilities) {
    static const char *const names[] = {
        "frees", "frees cycles", "weak references", "finalizers", "exact counts", "threads", "parallel threads",
        "guesses", "counts that can be read", "immortal objects", "freezing",
    };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (abilities & 1u << i)
            return names[i];
    return "something unknown";
}

bool session_supported(session *s, verdict *said) {
    const collector *heap = &linked_collector;
    unsigned needs = s->objects ? s->program->needs(&s->runs[0]) : 0;
    if (s->asked->threads > 1)
        needs |= s->objects ? COLLECTOR_THREADS : 0;
    needs &= ~(unsigned)COLLECTOR_FREES_CYCLES;                 /* a wish: see session_reclaims */
    if (s->asked->threads > 1 && !s->program->threaded)
        return verdict_say(said, OUTCOME_UNSUPPORTED, "workload %s runs on one thread only; leave out --threads",
                           s->program->name);
    if (s->objects && (needs & ~heap->abilities))
        return verdict_say(said, OUTCOME_UNSUPPORTED, "workload %s needs a collector with %s, which %s has not",
                           s->program->name, session_missing(needs & ~heap->abilities), heap->name);
    if (s->asked->heap && heap->abilities & COLLECTOR_CONSERVATIVE)
        return verdict_say(said, OUTCOME_UNSUPPORTED, "--heap: %s does not say which objects it has reclaimed", heap->name);
    return true;
}

static const char *session_library(void) {
    const char *version;
    return allocator_loaded_library(&version) ? version : "its library";
}

static bool session_safe(const session *s, const char *spec, verdict *said) {
    const collector *heap = &linked_collector;
    if (s->asked->threads > 1 && s->memory->thread_bound)
        return verdict_say(said, OUTCOME_UNSUPPORTED, "allocator %s can only be called by the thread that opened it (%s); "
                           "leave out --threads", s->asked->allocator, session_library());
    bool many = s->objects ? heap->abilities & COLLECTOR_PARALLEL && heap->allocator_use != COLLECTOR_USES_NONE
                           : s->asked->threads > 1;
    if (!many || s->memory->thread_safe)
        return true;
    const char *under = strrchr(spec, ':') ? strrchr(spec, ':') + 1 : spec;
    return verdict_say(said, OUTCOME_UNSUPPORTED, "allocator %s is not thread-safe, and %s calls it from several "
                       "threads; use locked:%s", under, s->objects ? heap->name : s->program->name, under);
}

static bool session_frees(const session *s) {
    return s->memory->frees && (!s->objects || linked_collector.abilities & COLLECTOR_FREES);
}

bool session_reclaims(const session *s) {
    bool cyclic_garbage = s->objects && s->program->needs(&s->runs[0]) & COLLECTOR_FREES_CYCLES;
    return session_frees(s) && (!cyclic_garbage || linked_collector.abilities & COLLECTOR_FREES_CYCLES);
}

/* --- opening --------------------------------------------------------------------------- */

static bool session_open_collector(session *s, verdict *said) {
    if (s->objects && !linked_collector.open(s->memory))
        return verdict_say(said, OUTCOME_HEAP_FULL, "open: collector %s was refused memory%s", linked_collector.name,
                           limit_words());
    return true;
}

bool session_open(session *s, const char *spec, verdict *said) {
    char why[256];
    if (!team_start(s->asked->threads))
        return verdict_say(said, OUTCOME_HEAP_FULL, "the OS refused to start %u threads%s", s->asked->threads, limit_words());
    if (s->asked->memory_limit)
        limit_apply(s->asked->memory_limit);
    s->memory = allocator_open(spec, why, sizeof why);
    if (s->memory == NULL)
        return verdict_say(said, OUTCOME_BAD_INPUT, "%s", why);
    if (!session_safe(s, spec, said))
        return false;
    for (unsigned i = 0; i < s->asked->threads; i++)
        s->runs[i].memory = s->memory;
    bool own_space = s->objects && linked_collector.allocator_use != COLLECTOR_USES_OBJECTS;
    s->renews = !session_frees(s) && (own_space || s->memory->reset());     /* still empty: only asks if it can */
    return session_open_collector(s, said);
}

/* --- tasks of a thread ------------------------------------------------------------------------------ */

static bool session_shares(const session *s) { return s->objects && s->asked->threads > 1; }

static void session_attach(session *s, unsigned thread) {
    if (session_shares(s) && s->runs[thread].mutator)
        linked_collector.attach(s->runs[thread].mutator);
}

static void session_detach(session *s, unsigned thread) {
    if (session_shares(s) && s->runs[thread].mutator)
        linked_collector.detach(s->runs[thread].mutator);
}

static void session_prepare_thread(void *context, unsigned thread) {
    session *s = context;
    workload_run *run = &s->runs[thread];
    run->state = NULL;
    run->live_bytes = 0;
    run->mutator = s->objects ? linked_collector.enter() : NULL;    /* comes back attached */
    s->prepared[thread] = !s->objects || run->mutator;
    s->refused[thread] = !s->prepared[thread] || !s->program->prepare(run);
    session_detach(s, thread);
}

static void session_arrange_thread(void *context, unsigned thread) {
    session *s = context;
    session_attach(s, thread);
    s->refused[thread] = !s->program->arrange(&s->runs[thread]);
    session_detach(s, thread);
}

static bool session_run_units(session *s, unsigned thread) {
    workload_run *run = &s->runs[thread];
    for (uint64_t i = 0; i < s->units; i++) {
        run->checksum = 0;
        if (!s->program->unit(run))
            return false;
        if (!s->expects[thread])
            s->first_checksum[thread] = run->checksum;
        s->expects[thread] = true;
        s->differs[thread] |= run->checksum != s->first_checksum[thread];
    }
    return true;
}

/* Under `valgrind --tool=callgrind --collect-atstart=no` just the measured units are counted, thread by thread:
 * the kernel's counters, read as text outside, take more instructions when they have more digits. */
static void session_run_thread(void *context, unsigned thread) {
    session *s = context;
    session_attach(s, thread);
    if (s->measured)
        CALLGRIND_TOGGLE_COLLECT;
    s->refused[thread] |= !session_run_units(s, thread);
    if (s->measured)
        CALLGRIND_TOGGLE_COLLECT;
    session_detach(s, thread);
}

static void session_finish_thread(void *context, unsigned thread) {
    session *s = context;
    if (!s->prepared[thread])
        return;
    session_attach(s, thread);
    s->program->finish(&s->runs[thread]);
    s->prepared[thread] = false;
    session_detach(s, thread);
}

static void session_leave_thread(void *context, unsigned thread) {
    session *s = context;
    session_attach(s, thread);
    if (s->runs[thread].mutator)
        linked_collector.leave(s->runs[thread].mutator);
    s->runs[thread].mutator = NULL;
}

/* --- phases of all threads -------------------------------------------------------------------------- */

static bool session_refusal(const session *s, const char *phase, verdict *said) {
    for (unsigned i = 0; i < s->asked->threads; i++)
        if (s->refused[i] && s->runs[i].why[0])
            return verdict_say(said, OUTCOME_BAD_INPUT, "%s", s->runs[i].why);
    for (unsigned i = 0; i < s->asked->threads; i++)
        if (s->refused[i])
            return verdict_say(said, OUTCOME_HEAP_FULL, "%s: a request for memory was refused%s", phase, limit_words());
    return true;
}

bool session_prepare(session *s, verdict *said) {
    team_run(0, 1, session_prepare_thread, s);
    if (!s->refused[0] && s->asked->threads > 1)
        team_run(1, s->asked->threads, session_prepare_thread, s);
    return session_refusal(s, "prepare", said);
}

bool session_arranges(const session *s) { return s->program->arrange != NULL; }

bool session_arrange(session *s, verdict *said) {
    if (session_arranges(s))
        team_run(0, s->asked->threads, session_arrange_thread, s);
    return session_refusal(s, "arrange", said);
}

bool session_run(session *s, uint64_t units, uint64_t *wall_ns, verdict *said) {
    s->units = units;
    *wall_ns += team_run(0, s->asked->threads, session_run_thread, s);
    return session_refusal(s, "unit", said);
}

void session_expect(session *s) {
    memset(s->expects, 0, sizeof s->expects);
    memset(s->differs, 0, sizeof s->differs);
}

bool session_checksum(const session *s, uint64_t *checksum) {
    bool agrees = true;
    *checksum = 0;
    for (unsigned i = 0; i < s->asked->threads; i++) {
        *checksum += s->first_checksum[i];
        agrees &= s->expects[i] && !s->differs[i];
    }
    return agrees;
}

void session_finish(session *s) {
    if (s->asked->threads > 1)
        team_run(1, s->asked->threads, session_finish_thread, s);
    team_run(0, 1, session_finish_thread, s);
}

static void session_leave(session *s) {
    if (!s->objects)
        return;
    if (s->asked->threads > 1)
        team_run(1, s->asked->threads, session_leave_thread, s);
    team_run(0, 1, session_leave_thread, s);
}

void session_close(session *s) {
    session_leave(s);
    if (s->objects)
        linked_collector.close();
    team_stop(s->memory->thread_exit);
}

bool session_renew(session *s, verdict *said) {
    session_finish(s);
    session_leave(s);
    if (s->objects)
        linked_collector.close();
    s->memory->reset();
    return session_open_collector(s, said) && session_prepare(s, said);
}
