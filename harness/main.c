/* SPDX-License-Identifier: MIT
 * main.c - one invocation's life: one process, one configuration, one line of JSON.
 *
 *     read the command line
 *     preload the allocator         (executes this program again)
 *     does all fit together?
 *     count one unit in a child     (is the work really done?)
 *     open, prepare, warm up, calibrate
 *     measure                       rounds | a resident's turns | Google Benchmark's own way
 *     finish, report
 *
 * Whatever ends it early is a recorded outcome with the same line; only bad input prints nothing there.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../allocators/os_page.h"
#include "../collectors/explain.h"
#include "capacity.h"
#include "latency.h"
#include "limit.h"
#include "list.h"
#include "looks.h"
#include "map.h"
#include "memory.h"
#include "nominal.h"
#include "own.h"
#include "report.h"
#include "resident.h"
#include "team.h"

static int main_end(const char *executable, const report *about, const options *asked) {
    const verdict *said = about->said;
    if (said->outcome == OUTCOME_BAD_INPUT)
        fprintf(stderr, "%s: %s\n", executable, said->message);
    if (asked->program == NULL || asked->wish != OPTIONS_RUN)
        return verdict_status(said->outcome);
    limit_lift();
    if (asked->resident && (about->unit_ns || said->outcome != OUTCOME_BAD_INPUT)) {
        resident_leave(about);
    } else if (asked->benchmark || asked->nominals) {
        if (said->outcome != OUTCOME_OK && said->outcome != OUTCOME_BAD_INPUT)
            fprintf(stderr, "%s: %s: %s\n", executable, verdict_name(said->outcome), said->message);
    } else if (said->outcome != OUTCOME_BAD_INPUT) {
        json_t *line = report_invocation(about), *rounds = json_array();
        for (uint64_t i = 0; i < about->round_count; i++)
            json_array_append_new(rounds, report_round(&about->rounds[i]));
        json_object_set_new(line, "rounds", rounds);
        report_print(line);
    }
    return verdict_status(said->outcome);
}

#ifdef REFARENA_SANITIZED
enum { MAIN_PRELOADS = false };         /* a sanitizer is a malloc itself and takes no other beside it */
#else
enum { MAIN_PRELOADS = true };
#endif

static bool main_fits_pages(verdict *said) {
    char why[256];
    return os_page_fits(why, sizeof why) || verdict_say(said, OUTCOME_BAD_INPUT, "%s", why);
}

static bool main_preload(const options *asked, char **arguments, verdict *said) {
    bool missing = false;
    char why[512];
    if (allocator_preload(asked->allocator, arguments, &missing, why, sizeof why))
        return true;
    outcome reached = missing ? OUTCOME_NOT_INSTALLED
                      : !MAIN_PRELOADS && allocator_preload_for(asked->allocator) ? OUTCOME_UNSUPPORTED
                                                                                  : OUTCOME_BAD_INPUT;
    return verdict_say(said, reached, "%s", why);
}

/* What is done to the process as a whole, before anything is allocated in it. */
static bool main_settle(const options *asked, verdict *said) {
    cpu_set_t one;
    CPU_ZERO(&one);
    if (asked->cpu >= 0) {
        CPU_SET(asked->cpu, &one);
        if (sched_setaffinity(0, sizeof one, &one) != 0)
            return verdict_say(said, OUTCOME_BAD_INPUT, "--cpu: this process may not run on core %d", asked->cpu);
    }
    if (!team_begin(asked))
        return verdict_say(said, OUTCOME_HEAP_FULL, "the OS refused to start a thread%s", limit_words());
    return true;
}

static bool main_rounds(session *s, report *about, verdict *said) {
    uint64_t units = s->asked->units ? s->asked->units : turn_units(about->unit_ns);
    if (s->asked->heap)
        looks_begin(s->asked->rounds);
    for (uint64_t i = 0; i < s->asked->rounds; i++) {
        if (!turn_take(s, units, s->asked->lead_in, &about->rounds[i], said))
            return false;
        about->round_count++;
        if (s->asked->heap)
            looks_take();
    }
    return true;
}

static bool main_measure(session *s, report *about, verdict *said) {
    if (!turn_calibrate(s, &about->unit_ns, said))
        return false;
    return s->asked->resident    ? resident_serve(s, about, said)
           : s->asked->benchmark ? turn_benchmark(s, said)
                                 : main_rounds(s, about, said);
}

/* Where memory is the subject, what is asked for is counted, so that the sampler can tell it from what is held. */
static const char *main_spec(const options *asked) {
    static char spec[1024];
    if (!asked->memory || strstr(asked->allocator, "counted:") != NULL)
        return asked->allocator;
    snprintf(spec, sizeof spec, "counted:%s", asked->allocator);
    return spec;
}

static void main_run(session *s, report *about, verdict *said) {
    bool probes = s->asked->threads > 1 && s->asked->capacity;
    if (probes) {
        about->capacity_before = capacity_probe();
        about->crossing_ns = capacity_crossing_ns();
    }
    about->rounds = own_table(s->asked->rounds * sizeof *about->rounds);
    if (!session_open(s, main_spec(s->asked), said))
        return;
    if (s->asked->map && !map_begin(s->asked->map, s->asked->allocator, said))
        return;
    about->opened = true;
    if (s->asked->pauses)
        latency_begin(s->asked->threads);
    turn_rehearse();
    report_rehearse(about);
    if (s->asked->memory)
        memory_begin(s, s->asked->sample_ms);
    if (session_prepare(s, said)) {
        memory_at_rest("prepared");
        main_measure(s, about, said);
    }
    memory_end();
    session_finish(s);
    memory_finished();
    map_end(said);
    session_close(s);
    if (probes)
        about->capacity_after = capacity_probe();
}

static int main_explain(const char *executable, const options *asked) {
    char why[256];
    const allocator *memory = os_page_fits(why, sizeof why) ? allocator_open(asked->allocator, why, sizeof why) : NULL;
    if (memory != NULL && explain_show((unsigned)asked->explained, memory))
        return 0;
    fprintf(stderr, "%s: --explain: %s\n", executable, memory == NULL ? why : "needs a collector with weak references, and memory");
    return 2;
}

static options main_asked;
static verdict main_said;
static report  main_about = { .said = &main_said, .capacity_before = -1, .capacity_after = -1, .crossing_ns = -1 };
static const char *main_executable;

/* The harness itself was refused memory: a row without a number, which says so, and not a process that vanished. What
 * was seen of memory and of rounds is left out, because it may be more than there is room for. */
static void main_last_words(const char *why) {
    if (main_asked.program == NULL || main_asked.wish != OPTIONS_RUN)
        return;
    verdict_say(&main_said, OUTCOME_HEAP_FULL, "%s", why);
    memory_forget();
    main_about.round_count = 0;
    _Exit(main_end(main_executable, &main_about, &main_asked));
}

static int main_invocation(session *s, report *about, options *asked, verdict *said, int count, char **arguments) {
    if (!options_parse(asked, count, arguments, said))
        return main_end(arguments[0], about, asked);
    switch (asked->wish) {
    case OPTIONS_HELP:      return list_help(arguments[0]), 0;
    case OPTIONS_LIST:      return list_text(), 0;
    case OPTIONS_LIST_JSON: return list_json(), 0;
    case OPTIONS_EXPLAIN:   return main_explain(arguments[0], asked);
    case OPTIONS_RUN:       break;
    }
    session_describe(s, asked);
    bool fits = main_fits_pages(said) && main_preload(asked, arguments, said) && main_settle(asked, said)
             && session_supported(s, said);
    if (fits && asked->nominals)
        nominal_run(s, said);
    else if (fits && counting_pass(asked, &about->counted, said))
        main_run(s, about, said);
    return main_end(arguments[0], about, asked);
}

int main(int count, char **arguments) {
    static session s;
    main_about.of = &s;
    main_executable = arguments[0];
    own_at_refusal(main_last_words);
    report_begin();
    return main_invocation(&s, &main_about, &main_asked, &main_said, count, arguments);
}
