/* SPDX-License-Identifier: MIT
 * list.c - the registries, printed. The runner learns all it knows of workloads and backends from
 * --list=json, so that a new one needs no change anywhere else.
 */
#include "list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../allocators/library.h"
#include "report.h"

static bool list_installed(const allocator_entry *entry) {
    char path[LIBRARY_PATH_BYTES];
    return !entry->library || library_find_first(entry->library, path, sizeof path);
}

static const char *list_kind(const allocator_entry *entry) {
    static const char *const names[] = { [ALLOCATOR_OWN] = "own", [ALLOCATOR_PRELOADED] = "preloaded",
                                         [ALLOCATOR_OPENED] = "opened", [ALLOCATOR_WRAPPER] = "wrapper" };
    return names[entry->kind];
}

/* "libmimalloc2.0 or libmimalloc3" */
static const char *list_packages(const char *names) {
    static char list[256];
    size_t used = 0;
    *list = '\0';
    for (const char *at = names; *at && used < sizeof list; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.*s", used ? " or " : "", (int)length, at);
        at += length;
    }
    return list;
}

/* --- for people -------------------------------------------------------------------------------------- */

void list_help(const char *executable) {
    printf("Run one workload on one backend once, and print one line of JSON (results/README.md says what is in "
           "it).\n\n"
           "  %s WORKLOAD [parameter=value ...] [options] [-- flags of Google Benchmark]\n\n", executable);
    fputs(
        "  --list[=json]         workloads with their parameters, collector with its options, allocators\n"
        "  --allocator=SPEC      a name, locked:NAME, or the path of a .so that is a malloc (default: system)\n"
        "  --threads=N           threads that run the workload at once (default: 1)\n"
        "  --seed=N              of the workload's random numbers (default: 1)\n"
        "  --set option=value    an option of the collector\n"
        "  --cpu=N               run on this core only\n"
        "  --cpus=N,N,...        thread i runs on the i-th of these cores (default: different physical cores of one kind)\n"
        "  --units=K             units of work in a round (default: 10 ms of them, one at least)\n"
        "  --rounds=R            rounds measured (default: 11)\n"
        "  --lead-in=L           units run untimed before each round (default: 0)\n"
        "  --memory              record resident set, peak and live bytes\n"
        "  --areas               and, at each moment, what is resident of text, data, heap, stack and the rest\n"
        "  --sample-ms=N         and the resident set over time, every N ms\n"
        "  --map=FILE            and, of pymalloc, how full each pool is at each moment\n"
        "  --memory-limit=BYTES  what the program may take from the OS beyond its start; suffixes K, M, G\n"
        "                        (what an allocator has reserved, writable, by then is not bounded: mimalloc 3, a gigabyte)\n"
        "  --explain[=GRAPH]     show what the collector does with a small graph: ring, chain, live-ring, dezero, rescue\n"
        "  --pauses              record every pause by its kind; the times are not to be compared then\n"
        "  --heap                after every round look into the heap: objects that live, that lie in it dead, by generation\n"
        "  --nominals            instead of times, what the workload does to memory: live bytes, sizes, lifetimes\n"
        "  --no-capacity         leave out the probe of two cores before and after threaded runs\n"
        "  --label=TEXT          name of this configuration in the output\n"
        "  --repetition=N        number of this invocation in the output (default: 0)\n"
        "  --resident            wait for turns: 'turn UNITS LEAD_IN' or 'quit' on standard input\n\n"
        "Status: 0 measured; 2 bad input, one line on standard error; 3 any other recorded outcome, as heap_full.\n\n"
        "Examples:\n", stdout);
    const char *workload_name = linked_workloads[0] ? linked_workloads[0]->name : "WORKLOAD";
    printf("  %s %s --allocator=jemalloc --rounds=5\n", executable, workload_name);
    printf("  %s %s --memory --sample-ms=10 --memory-limit=512M\n", executable, workload_name);
    printf("  %s %s -- --benchmark_format=json --benchmark_repetitions=3\n\n", executable, workload_name);
    puts("Google Benchmark's 'Library was built as DEBUG' is Debian's doing: its package was built without NDEBUG. It\n"
         "concerns that library's own assertions outside the measured region, not what is measured.");
}

static void list_parameter(const workload_parameter *p) {
    const char *word = options_word(p->choices ? p->choices : "", p->value);
    int word_length = (int)strcspn(word, "|");
    if (p->file)
        printf("    %-14s %s (default %s)\n", p->name, p->meaning, p->file);
    else if (p->choices)
        printf("    %-14s %s: %s (default %.*s)\n", p->name, p->meaning, p->choices, word_length, word);
    else
        printf("    %-14s %s, %" PRId64 " to %" PRId64 " (default %" PRId64 ")\n", p->name, p->meaning, p->minimum,
               p->maximum, p->value);
}

void list_text(void) {
    puts("workloads");
    for (const workload *const *w = linked_workloads; *w; w++) {
        printf("  %-16s %s%s\n", (*w)->name, (*w)->idea, (*w)->threaded ? " [threads]" : "");
        for (int i = 0; i < WORKLOAD_PARAMETERS && (*w)->parameters[i].name; i++)
            list_parameter(&(*w)->parameters[i]);
    }
    if (linked_collector.name) {
        printf("\ncollector\n  %-16s %s\n", linked_collector.name, linked_collector.idea);
        for (const collector_option *o = linked_collector.options; o && o->name; o++)
            printf("    %-14s %s, %" PRId64 " to %" PRId64 " (default %" PRId64 ")\n", o->name, o->meaning, o->minimum,
                   o->maximum, o->value);
    }
    puts("\nallocators");
    for (const allocator_entry *e = allocator_entries(); e->name; e++)
        if (list_installed(e))
            printf("  %-16s %s%s\n", e->name, e->idea, e->kind == ALLOCATOR_WRAPPER ? " [as in name:other]" : "");
        else
            printf("  %-16s %s [not installed: package %s]\n", e->name, e->idea, list_packages(e->package));
}

/* --- for programs ------------------------------------------------------------------------------------ */

static json_t *list_text_or_null(const char *text) { return text ? json_string(text) : json_null(); }

static json_t *list_abilities(unsigned abilities) {
    static const char *const names[] = { "frees", "frees_cycles", "weak_references", "finalizers", "exact_counts",
                                         "threads", "parallel", "conservative", "reads_counts", "immortalizes", "freezes" };
    json_t *list = json_array();
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (abilities & 1u << i)
            json_array_append_new(list, json_string(names[i]));
    return list;
}

static json_t *list_collector(void) {
    const collector *c = &linked_collector;
    if (c->name == NULL)
        return json_null();
    json_t *options = json_array();
    for (const collector_option *o = c->options; o && o->name; o++)
        json_array_append_new(options, json_pack("{ss ss sI sI sI}", "name", o->name, "meaning", o->meaning, "default",
                                                 (json_int_t)o->value, "minimum", (json_int_t)o->minimum, "maximum",
                                                 (json_int_t)o->maximum));
    return json_pack("{ss ss ss ss ss ss sI sI so}", "name", c->name, "idea", c->idea, "counts", c->counts, "loads",
                     c->loads, "cycles", c->cycles, "threads", c->threads, "header_bytes", (json_int_t)c->header_bytes,
                     "tracked_header_bytes", (json_int_t)c->tracked_header_bytes, "options", options);
}

static json_t *list_choices(const char *choices) {
    json_t *words = json_array();
    for (; *choices; choices = options_word(choices, 1))
        json_array_append_new(words, json_stringn(choices, strcspn(choices, "|")));
    return words;
}

static json_t *list_parameter_json(const workload_parameter *p) {
    bool number = !p->choices && !p->file;
    json_t *choices = p->choices ? list_choices(p->choices) : json_null();
    json_t *value = p->file      ? json_string(p->file)
                    : p->choices ? json_incref(json_array_get(choices, (size_t)p->value))
                                 : json_integer(p->value);
    return json_pack("{ss ss so so so so}", "name", p->name, "meaning", p->meaning, "default", value, "minimum",
                     number ? json_integer(p->minimum) : json_null(), "maximum",
                     number ? json_integer(p->maximum) : json_null(), "choices", choices);
}

static json_t *list_workloads(void) {
    json_t *list = json_array();
    for (const workload *const *w = linked_workloads; *w; w++) {
        json_t *parameters = json_array();
        for (int i = 0; i < WORKLOAD_PARAMETERS && (*w)->parameters[i].name; i++)
            json_array_append_new(parameters, list_parameter_json(&(*w)->parameters[i]));
        json_array_append_new(list, json_pack("{ss ss ss ss sb so}", "name", (*w)->name, "idea", (*w)->idea,
                                              "operation", (*w)->operation, "kind",
                                              (*w)->kind == WORKLOAD_ON_OBJECTS ? "objects" : "blocks", "threaded",
                                              (*w)->threaded, "parameters", parameters));
    }
    return list;
}

static json_t *list_allocators(void) {
    json_t *list = json_array();
    for (const allocator_entry *e = allocator_entries(); e->name; e++)
        json_array_append_new(list, json_pack("{ss ss so so sb}", "name", e->name, "kind", list_kind(e), "idea",
                                              list_text_or_null(e->idea), "package", list_text_or_null(e->package),
                                              "installed", list_installed(e)));
    return list;
}

void list_json(void) {
    static const char *const uses[] = { [COLLECTOR_USES_OBJECTS] = "objects", [COLLECTOR_USES_CHUNKS] = "chunks",
                                        [COLLECTOR_USES_NONE] = "none" };
    report_print(json_pack("{so so ss so so}", "collector", list_collector(), "abilities",
                           list_abilities(linked_collector.abilities), "allocator_use",
                           uses[linked_collector.allocator_use], "workloads", list_workloads(), "allocators",
                           list_allocators()));
}
