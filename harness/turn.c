/* SPDX-License-Identifier: MIT
 * turn.c - the clock around units, and around nothing else.
 *
 *     lead-in units | counters | clock | unit unit ... unit | clock | counters
 *
 * Where nothing is untimed between units they are one stretch between two readings of the clock; a backend
 * that never frees is renewed between units, some workloads arrange things before each, so each is a stretch
 * of its own. Figures of the stretches are
 * summed. Counters of the kernel (run delay, switches) are read outside the clock, because reading costs
 * microseconds.
 * Reading the CPU clock costs 0.4 microseconds, and is in cpu_ns once a stretch.
 * Time spent in moments (memory.c asks what is live) is taken out again.
 */
#include "turn.h"

#include <string.h>
#include <sys/resource.h>

#include "figures.h"
#include "gbench.h"
#include "latency.h"
#include "memory.h"
#include "team.h"

enum { TURN_LEAST_NS = 10000000, TURN_LONG_NS = 100000000, TURN_SHORT_NS = 5000000, TURN_PATIENCE_NS = 200000000 };

typedef struct turn_counters {
    uint64_t        cpu_ns, run_delay_ns, involuntary_switches, moment_ns;
    collector_stats heap;
} turn_counters;

static turn_counters turn_read_counters(const session *s) {
    turn_counters now;
    struct rusage usage;
    memset(&now, 0, sizeof now);
    getrusage(RUSAGE_SELF, &usage);
    now.involuntary_switches = (uint64_t)usage.ru_nivcsw;
    now.run_delay_ns = team_run_delay_ns();
    now.moment_ns = memory_moment_ns();
    if (s->objects)
        linked_collector.stats(&now.heap);
    return now;
}

static bool turn_records;            /* pauses are recorded: these units are the measured ones */

static bool turn_stretch(session *s, uint64_t units, turn_figures *sum, verdict *said) {
    turn_counters before = turn_read_counters(s);
    uint64_t wall_ns = 0, cpu_ns = team_cpu_ns();
    if (turn_records)
        latency_open();
    bool ran = session_run(s, units, &wall_ns, said);
    if (turn_records)
        latency_close(wall_ns);
    cpu_ns = team_cpu_ns() - cpu_ns;
    turn_counters after = turn_read_counters(s);

    uint64_t moment_ns = after.moment_ns - before.moment_ns;
    sum->wall_ns += wall_ns - moment_ns;
    sum->cpu_ns += cpu_ns > moment_ns ? cpu_ns - moment_ns : 0;
    sum->run_delay_ns += after.run_delay_ns - before.run_delay_ns;
    sum->involuntary_switches += after.involuntary_switches - before.involuntary_switches;
    for (int i = 0; i < COLLECTOR_GENERATIONS; i++)
        sum->collections[i] += after.heap.collections[i] - before.heap.collections[i];
    sum->collected += after.heap.collected - before.heap.collected;
    return ran;
}

/* The first unit may be watched for memory; the others run undisturbed. */
static bool turn_units_of(session *s, uint64_t units, bool watch, turn_figures *sum, verdict *said) {
    for (uint64_t done = 0, next; done < units; done += next) {
        next = s->renews || session_arranges(s) || (watch && done == 0 && memory_get()) ? 1 : units - done;
        if (!session_arrange(s, said))
            return false;
        memory_watch(watch && done == 0);
        bool ran = turn_stretch(s, next, sum, said);
        memory_watch(false);
        if (!ran || (s->renews && !session_renew(s, said)))
            return false;
    }
    return true;
}

typedef struct turn_order {
    session      *of;
    uint64_t      lead_in;
    turn_figures *taken;
    verdict      *said;
} turn_order;

static double turn_work(void *context, uint64_t units) {
    turn_order *order = context;
    turn_figures unmeasured;
    memset(order->taken, 0, sizeof *order->taken);
    memset(&unmeasured, 0, sizeof unmeasured);
    if (!turn_units_of(order->of, order->lead_in, false, &unmeasured, order->said))
        return -1;
    session_expect(order->of);
    turn_records = latency_is_on();
    order->of->measured = true;
    figures_watch(true);
    bool ran = turn_units_of(order->of, units, true, order->taken, order->said);
    figures_watch(false);
    order->of->measured = false;
    turn_records = false;
    if (!ran)
        return -1;
    return (double)order->taken->wall_ns * 1e-9;
}

bool turn_take(session *s, uint64_t units, uint64_t lead_in, turn_figures *taken, verdict *said) {
    turn_order order = { s, lead_in, taken, said };
    gbench_turn(s->asked->label, units, turn_work, &order);
    taken->units = units;
    taken->lead_in_units = lead_in;
    taken->operations = units * session_declared(s).operations * s->asked->threads;
    taken->agrees = session_checksum(s, &taken->checksum);
    return said->outcome == OUTCOME_OK;
}

static double turn_nothing(void *unused, uint64_t units) {
    (void)unused, (void)units;
    return 1e-9;
}

void turn_rehearse(void) { gbench_turn("rehearsal", 1, turn_nothing, NULL); }

/* Time of a unit, without the waits for a core that other processes caused. */
static uint64_t turn_unit_ns(const session *s, const turn_figures *timed, uint64_t units) {
    uint64_t waited_ns = timed->run_delay_ns / s->asked->threads;
    uint64_t ns = (waited_ns < timed->wall_ns ? timed->wall_ns - waited_ns : timed->wall_ns) / units;
    return ns ? ns : 1;
}

bool turn_calibrate(session *s, uint64_t *unit_ns, verdict *said) {
    turn_figures timed;
    memset(&timed, 0, sizeof timed);
    if (!turn_units_of(s, 1, true, &timed, said))
        return false;
    *unit_ns = turn_unit_ns(s, &timed, 1);
    if (timed.wall_ns >= TURN_LONG_NS || s->asked->units != 0)
        return true;                    /* so long that the warm-up itself tells; or nobody needs it closer */
    uint64_t begun_ns = team_clock_ns();            /* what is untimed before each unit may take far longer than the unit */
    for (uint64_t units = 1, ran_ns = 0; ran_ns < TURN_SHORT_NS && team_clock_ns() - begun_ns < TURN_PATIENCE_NS; units *= 4) {
        memset(&timed, 0, sizeof timed);
        if (!turn_units_of(s, units, false, &timed, said))
            return false;
        *unit_ns = turn_unit_ns(s, &timed, units);
        ran_ns = *unit_ns * units;
    }
    return true;
}

uint64_t turn_units(uint64_t unit_ns) {
    return (TURN_LEAST_NS + unit_ns - 1) / unit_ns;
}

bool turn_benchmark(session *s, verdict *said) {
    turn_figures taken;
    turn_order order = { s, s->asked->lead_in, &taken, said };
    const char *flag;
    switch (gbench_flags(s->asked->label, session_declared(s).operations * s->asked->threads,
                         s->asked->benchmark_count, s->asked->benchmark_flags, turn_work, &order, &flag)) {
    case GBENCH_BAD_FLAG:
        return verdict_say(said, OUTCOME_BAD_INPUT, "%s is not a flag of Google Benchmark, or has a wrong value; "
                           "see -- --help", flag);
    case GBENCH_UNWRITABLE:
        return verdict_say(said, OUTCOME_BAD_INPUT, "%s: cannot be written; name another file", flag);
    case GBENCH_NO_MATCH:
        return verdict_say(said, OUTCOME_BAD_INPUT, "the filter given to Google Benchmark matches nothing; "
                           "the only benchmark here is '%s'", s->asked->label);
    case GBENCH_DONE:
        break;
    }
    return said->outcome == OUTCOME_OK;
}
