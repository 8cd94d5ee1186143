/* SPDX-License-Identifier: MIT
 * report.c - figures to JSON: bytes, nanoseconds, null for what cannot be said.
 */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "figures.h"
#include "looks.h"
#include "memory.h"
#include "own.h"
#include "provenance.h"
#include "sampler.h"
#include "team.h"

void report_begin(void) { json_set_alloc_funcs(own_alloc, own_free); }

static void report_count(json_t *object, const char *key, uint64_t value) {
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static json_t *report_known(int64_t value) {
    return value == MEMORY_UNKNOWN ? json_null() : json_integer((json_int_t)value);
}

/* --- what was asked --------------------------------------------------------------------------------- */

static json_t *report_choice(const char *choices, int64_t index) {
    const char *word = options_word(choices, index);
    return json_stringn(word, strcspn(word, "|"));
}

static json_t *report_parameters(const options *asked) {
    json_t *values = json_object();
    for (int i = 0; i < WORKLOAD_PARAMETERS && asked->program->parameters[i].name; i++) {
        const workload_parameter *p = &asked->program->parameters[i];
        json_object_set_new(values, p->name,
                            p->file      ? json_string(asked->file)
                            : p->choices ? report_choice(p->choices, asked->parameters[i])
                                         : json_integer(asked->parameters[i]));
    }
    return values;
}

static json_t *report_options(bool objects) {
    json_t *values = json_object();
    const collector_option *all = objects ? linked_collector.options : NULL;
    for (unsigned i = 0; all && all[i].name; i++)
        if (all[i].value != options_default(i))
            json_object_set_new(values, all[i].name, json_integer(all[i].value));
    return values;
}

static json_t *report_declared(const session *s) {
    workload_operations unit = session_declared((session *)s);
    json_t *declared = json_object();
    report_count(declared, "operations", unit.operations);
    report_count(declared, "allocations", unit.allocations);
    report_count(declared, "bytes", unit.bytes);
    report_count(declared, "references", unit.references);
    return declared;
}

/* --- what was seen ---------------------------------------------------------------------------------- */

static json_t *report_counted(const counting_figures *seen) {
    if (!seen->known)
        return json_null();
    json_t *counted = json_object();
    report_count(counted, "allocations", seen->allocations);
    report_count(counted, "bytes", seen->bytes);
    return counted;
}

json_t *report_round(const turn_figures *round) {
    json_t *object = json_object(), *collections = json_array();
    report_count(object, "units", round->units);
    report_count(object, "lead_in_units", round->lead_in_units);
    report_count(object, "operations", round->operations);
    report_count(object, "wall_ns", round->wall_ns);
    report_count(object, "cpu_ns", round->cpu_ns);
    json_object_set_new(object, "checksum",
                        round->agrees ? json_sprintf("%016" PRIx64, round->checksum) : json_null());
    for (int i = 0; i < COLLECTOR_GENERATIONS; i++)
        json_array_append_new(collections, json_integer((json_int_t)round->collections[i]));
    json_object_set_new(object, "collections", collections);
    report_count(object, "collected", round->collected);
    report_count(object, "run_delay_ns", round->run_delay_ns);
    report_count(object, "involuntary_switches", round->involuntary_switches);
    return object;
}

static json_t *report_areas(const areas_figures *a) {
    return json_pack("{sI sI sI sI sI sI sI sI}", "text", (json_int_t)a->text, "constants", (json_int_t)a->constants, "data",
                     (json_int_t)a->data, "heap", (json_int_t)a->heap, "mapped", (json_int_t)a->mapped, "stack",
                     (json_int_t)a->stack, "locals", (json_int_t)a->locals, "tables", (json_int_t)a->tables);
}

static json_t *report_moments(void) {
    unsigned count;
    const memory_point *points = memory_points(&count);
    json_t *moments = json_array();
    for (unsigned i = 0; i < count; i++) {
        json_t *moment = json_object();
        json_object_set_new(moment, "label", json_string(points[i].label));
        json_object_set_new(moment, "ns", json_integer(points[i].ns));
        json_object_set_new(moment, "rss", json_integer(points[i].rss));
        json_object_set_new(moment, "live_bytes", report_known(points[i].live_bytes));
        json_object_set_new(moment, "live_objects", report_known(points[i].live_objects));
        if (points[i].has_areas)
            json_object_set_new(moment, "areas", report_areas(&points[i].areas));
        json_array_append_new(moments, moment);
    }
    return moments;
}

static json_t *report_series(void) {
    unsigned count;
    const sampler_sample *samples = sampler_series(&count);
    json_t *series = json_array();
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(series, json_pack("[III]", (json_int_t)samples[i].ns, (json_int_t)samples[i].rss,
                                                 (json_int_t)samples[i].asked));
    return series;
}

static json_t *report_overhead(const memory_figures *f) {
    if (f->live_bytes <= 0)
        return json_null();
    return json_real((double)(f->peak_rss - f->baseline_rss - f->workload_bytes) / (double)f->live_bytes);
}

json_t *report_memory(const report *about) {
    const memory_figures *f = memory_get();
    if (f == NULL)
        return json_null();
    const struct { const char *key; int64_t value; } plain[] = {
        { "baseline_rss", f->baseline_rss },     { "baseline_uss", f->baseline_uss },
        { "peak_rss", f->peak_rss },             { "end_rss", f->end_rss },
        { "end_pss", f->end_pss },               { "end_uss", f->end_uss },
        { "end_lazyfree", f->end_lazyfree },     { "finished_rss", f->finished_rss },
        { "finished_after_200ms_rss", f->finished_after_200ms_rss },
        { "finished_trimmed_rss", f->finished_trimmed_rss },
        { "held_bytes", f->held_bytes },         { "used_bytes", f->used_bytes },
        { "workload_bytes", f->workload_bytes }, { "live_bytes", f->live_bytes },
    };
    json_t *memory = json_object();
    for (unsigned i = 0; i < sizeof plain / sizeof *plain; i++)
        json_object_set_new(memory, plain[i].key, report_known(plain[i].value));
    json_object_set_new(memory, "requested_peak_bytes",
                        about->counted.peak_known ? json_integer((json_int_t)about->counted.requested_peak_bytes)
                                             : json_null());
    json_object_set_new(memory, "overhead", report_overhead(f));
    json_object_set_new(memory, "moments", report_moments());
    json_object_set_new(memory, "series", report_series());
    return memory;
}

static json_t *report_figures(void) {
    unsigned count;
    const figure *said = figures_said(&count);
    json_t *figures = json_object();
    for (unsigned i = 0; i < count; i++)
        json_object_set_new(figures, said[i].name,
                            json_pack("{sI sf sf sf}", "count", (json_int_t)said[i].count, "mean",
                                      said[i].sum / (double)said[i].count, "least", said[i].least, "most", said[i].most));
    return figures;
}

json_t *report_capacity(const report *about) {
    if (about->capacity_before < 0)
        return json_null();
    json_t *capacity = json_object();
    json_object_set_new(capacity, "before", json_real(about->capacity_before));
    json_object_set_new(capacity, "after",
                        about->capacity_after < 0 ? json_null() : json_real(about->capacity_after));
    json_object_set_new(capacity, "core_to_core_ns", about->crossing_ns < 0 ? json_null() : json_real(about->crossing_ns));
    return capacity;
}

/* The cores of the threads, by thread; null where the OS put them. */
static json_t *report_cores(unsigned threads) {
    if (team_core(0) < 0)
        return json_null();
    json_t *cores = json_array();
    for (unsigned i = 0; i < threads; i++)
        json_array_append_new(cores, json_integer(team_core(i)));
    return cores;
}

/* --- the whole -------------------------------------------------------------------------------------- */

/* Whose bytes the objects are: a row that names an allocator may use it for owned arrays only. */
static json_t *report_space(void) {
    static const char *const spaces[] = {
        [COLLECTOR_USES_OBJECTS] = "allocator", [COLLECTOR_USES_CHUNKS] = "own pages", [COLLECTOR_USES_NONE] = "own heap",
    };
    return linked_collector.name == NULL ? json_null() : json_string(spaces[linked_collector.allocator_use]);
}

json_t *report_invocation(const report *about) {
    const options *asked = about->of->asked;
    json_t *object = json_object();
    report_count(object, "schema", 1);
    json_object_set_new(object, "outcome", json_string(verdict_name(about->said->outcome)));
    json_object_set_new(object, "message", json_string(about->said->message));
    json_object_set_new(object, "mode", json_string(asked->resident ? "turns" : "blocks"));
    json_object_set_new(object, "label", json_string(asked->label));
    report_count(object, "repetition", asked->repetition);
    json_object_set_new(object, "workload", json_string(asked->program->name));
    json_object_set_new(object, "parameters", report_parameters(asked));
    json_object_set_new(object, "collector",
                        about->of->objects ? json_string(linked_collector.name) : json_null());
    json_object_set_new(object, "allocator", json_string(asked->allocator));
    json_object_set_new(object, "objects_in", report_space());
    report_count(object, "threads", asked->threads);
    json_object_set_new(object, "options", report_options(about->of->objects));
    report_count(object, "seed", asked->seed);
    json_object_set_new(object, "declared", report_declared(about->of));
    json_object_set_new(object, "counted", report_counted(&about->counted));
    json_object_set_new(object, "renewed", json_boolean(about->of->renews));
    json_object_set_new(object, "reclaims", about->opened ? json_boolean(session_reclaims(about->of)) : json_null());
    json_object_set_new(object, "unit_ns", about->unit_ns ? json_integer((json_int_t)about->unit_ns) : json_null());
    json_object_set_new(object, "memory", report_memory(about));
    json_object_set_new(object, "pauses", report_pauses());
    json_object_set_new(object, "heap", looks_report());
    json_object_set_new(object, "figures", report_figures());
    json_object_set_new(object, "capacity", report_capacity(about));
    json_object_set_new(object, "cpus", report_cores(asked->threads));
    json_object_set_new(object, "share_a_core", json_boolean(team_shares_a_core()));
    json_object_set_new(object, "build", provenance_json());
    return object;
}

enum { REPORT_FORMAT = JSON_COMPACT | JSON_REAL_PRECISION(9) };

void report_rehearse(const report *about) {
    json_t *object = report_invocation(about);
    own_free(json_dumps(object, REPORT_FORMAT));
    json_decref(object);
}

void report_print(json_t *object) {
    char *line = json_dumps(object, REPORT_FORMAT);
    size_t length = strlen(line);
    line[length++] = '\n';              /* in place of the end: written in one go */
    for (size_t done = 0; done < length; ) {
        ssize_t written = write(STDOUT_FILENO, line + done, length - done);
        if (written < 0 && errno != EINTR) {
            fprintf(stderr, "harness: writing the report: %s\n", strerror(errno));
            _exit(3);
        }
        done += written > 0 ? (size_t)written : 0;
    }
    own_free(line);
    json_decref(object);
}
