/* SPDX-License-Identifier: MIT
 * options.c - the command line, read strictly: a number is a number, a name is known, a value is in range.
 *
 * What is wrong is said in one line: what, where, and what to do. Arguments are never written to, because
 * the process may have to execute itself again with the same ones (allocator_preload).
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "../collectors/explain.h"

enum { OPTIONS_COLLECTOR = 32 };

static int64_t options_defaults[OPTIONS_COLLECTOR];

int64_t options_default(unsigned index) { return options_defaults[index]; }

/* --- values ------------------------------------------------------------------------------------- */

static bool options_number(const char *where, const char *text, int64_t least, int64_t most, int64_t *value,
                           verdict *said) {
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || (*text != '-' && (*text < '0' || *text > '9')))
        return verdict_say(said, OUTCOME_BAD_INPUT, "%s: '%s' is not a whole number; give %" PRId64 " to %" PRId64,
                           where, text, least, most);
    if (errno == ERANGE || number < least || number > most)
        return verdict_say(said, OUTCOME_BAD_INPUT, "%s: %s is out of range; give %" PRId64 " to %" PRId64,
                           where, text, least, most);
    *value = number;
    return true;
}

static bool options_bytes(const char *where, const char *text, uint64_t *bytes, verdict *said) {
    static const char suffixes[] = "KMG";
    char digits[24] = "";
    size_t length = strspn(text, "0123456789");
    const char *suffix = text[length] ? strchr(suffixes, text[length]) : NULL;
    unsigned shift = suffix ? 10 * (unsigned)(suffix - suffixes + 1) : 0;
    int64_t number;

    if (length == 0 || length >= sizeof digits || (text[length] && (!suffix || text[length + 1])))
        return verdict_say(said, OUTCOME_BAD_INPUT,
                           "%s: '%s' is not a size; give bytes, or a number and K, M or G, as in 512M", where, text);
    memcpy(digits, text, length);
    if (!options_number(where, digits, 1, INT64_MAX >> shift, &number, said))
        return false;
    *bytes = (uint64_t)number << shift;
    return true;
}

const char *options_word(const char *choices, int64_t index) {
    while (index-- > 0 && *choices)
        choices += strcspn(choices, "|"), choices += *choices == '|';
    return choices;
}

static bool options_choice(const char *where, const char *choices, const char *text, int64_t *value, verdict *said) {
    for (int64_t index = 0; ; index++) {
        const char *word = options_word(choices, index);
        size_t length = strcspn(word, "|");
        if (length == 0)
            break;
        if (length == strlen(text) && memcmp(word, text, length) == 0)
            return *value = index, true;
    }
    return verdict_say(said, OUTCOME_BAD_INPUT, "%s: '%s' is none of %s", where, text, choices);
}

/* --- positional arguments: the workload and its parameters ---------------------------------------- */

static void options_append(char *list, size_t bytes, const char *word) {
    size_t used = strlen(list);
    snprintf(list + used, bytes - used, "%s%s", used ? " " : "", word);
}

static bool options_workload(options *asked, const char *name, verdict *said) {
    char known[400] = "";
    for (const workload *const *w = linked_workloads; *w; w++) {
        if (strcmp((*w)->name, name) == 0)
            asked->program = *w;
        options_append(known, sizeof known, (*w)->name);
    }
    if (asked->program == NULL)
        return verdict_say(said, OUTCOME_BAD_INPUT, "unknown workload '%s'; known: %s", name, known);
    for (int i = 0; i < WORKLOAD_PARAMETERS && asked->program->parameters[i].name; i++) {
        asked->parameters[i] = asked->program->parameters[i].value;
        if (asked->program->parameters[i].file)
            asked->file = asked->program->parameters[i].file;
    }
    return true;
}

static bool options_set_parameter(options *asked, int index, const char *value, verdict *said) {
    const workload_parameter *p = &asked->program->parameters[index];
    char where[120];
    snprintf(where, sizeof where, "parameter %s of %s", p->name, asked->program->name);
    if (p->file)
        return asked->file = value, true;
    if (p->choices)
        return options_choice(where, p->choices, value, &asked->parameters[index], said);
    return options_number(where, value, p->minimum, p->maximum, &asked->parameters[index], said);
}

static bool options_parameter(options *asked, const char *argument, verdict *said) {
    const char *equals = strchr(argument, '=');
    char known[400] = "";
    if (equals == NULL)
        return verdict_say(said, OUTCOME_BAD_INPUT, "'%s' after the workload is not a parameter; write name=value",
                           argument);
    for (int i = 0; i < WORKLOAD_PARAMETERS && asked->program->parameters[i].name; i++) {
        const char *name = asked->program->parameters[i].name;
        if (strlen(name) == (size_t)(equals - argument) && strncmp(name, argument, strlen(name)) == 0)
            return options_set_parameter(asked, i, equals + 1, said);
        options_append(known, sizeof known, name);
    }
    return verdict_say(said, OUTCOME_BAD_INPUT, "unknown parameter '%.*s' of workload '%s'; known: %s",
                       (int)(equals - argument), argument, asked->program->name, *known ? known : "none");
}

static bool options_starts(const char *where, const collector_option *o, verdict *said) {
    int64_t least = linked_collector.least_heap_bytes;
    if (strcmp(o->name, "heap_bytes") != 0 || o->value == 0 || o->value >= least)
        return true;
    return verdict_say(said, OUTCOME_BAD_INPUT, "%s: %" PRId64 " is too small to start with; give 0 (no limit), or %" PRId64
                       " or more", where, o->value, least);
}

static bool options_collector(const char *argument, verdict *said) {
    const char *equals = strchr(argument, '=');
    char known[400] = "", where[120];
    if (equals == NULL)
        return verdict_say(said, OUTCOME_BAD_INPUT, "--set %s: write --set option=value", argument);
    for (collector_option *o = linked_collector.options; o && o->name; o++) {
        if (strlen(o->name) == (size_t)(equals - argument) && strncmp(o->name, argument, strlen(o->name)) == 0) {
            snprintf(where, sizeof where, "--set %s of collector %s", o->name, linked_collector.name);
            return options_number(where, equals + 1, o->minimum, o->maximum, &o->value, said) && options_starts(where, o, said);
        }
        options_append(known, sizeof known, o->name);
    }
    return verdict_say(said, OUTCOME_BAD_INPUT, "--set: unknown option '%.*s' of collector '%s'; known: %s",
                       (int)(equals - argument), argument, linked_collector.name ? linked_collector.name : "none",
                       *known ? known : "none");
}

/* --- options -------------------------------------------------------------------------------------- */

enum { OPTION_HELP = 256, OPTION_LIST, OPTION_ALLOCATOR, OPTION_THREADS, OPTION_SEED, OPTION_SET, OPTION_CPU, OPTION_CPUS,
       OPTION_RESIDENT, OPTION_UNITS, OPTION_ROUNDS, OPTION_LEAD_IN, OPTION_MEMORY, OPTION_AREAS, OPTION_SAMPLE_MS,
       OPTION_MEMORY_LIMIT, OPTION_LABEL, OPTION_REPETITION, OPTION_NO_CAPACITY, OPTION_PAUSES, OPTION_HEAP, OPTION_MAP,
       OPTION_EXPLAIN, OPTION_NOMINALS };

static const struct option options_known[] = {
    { "help",         no_argument,       NULL, OPTION_HELP },
    { "list",         optional_argument, NULL, OPTION_LIST },
    { "allocator",    required_argument, NULL, OPTION_ALLOCATOR },
    { "threads",      required_argument, NULL, OPTION_THREADS },
    { "seed",         required_argument, NULL, OPTION_SEED },
    { "set",          required_argument, NULL, OPTION_SET },
    { "cpu",          required_argument, NULL, OPTION_CPU },
    { "cpus",         required_argument, NULL, OPTION_CPUS },
    { "resident",     no_argument,       NULL, OPTION_RESIDENT },
    { "units",        required_argument, NULL, OPTION_UNITS },
    { "rounds",       required_argument, NULL, OPTION_ROUNDS },
    { "lead-in",      required_argument, NULL, OPTION_LEAD_IN },
    { "memory",       no_argument,       NULL, OPTION_MEMORY },
    { "areas",        no_argument,       NULL, OPTION_AREAS },
    { "sample-ms",    required_argument, NULL, OPTION_SAMPLE_MS },
    { "memory-limit", required_argument, NULL, OPTION_MEMORY_LIMIT },
    { "map",          required_argument, NULL, OPTION_MAP },
    { "label",        required_argument, NULL, OPTION_LABEL },
    { "repetition",   required_argument, NULL, OPTION_REPETITION },
    { "no-capacity",  no_argument,       NULL, OPTION_NO_CAPACITY },
    { "pauses",       no_argument,       NULL, OPTION_PAUSES },
    { "heap",         no_argument,       NULL, OPTION_HEAP },
    { "nominals",     no_argument,       NULL, OPTION_NOMINALS },
    { "explain",      optional_argument, NULL, OPTION_EXPLAIN },
    { NULL, 0, NULL, 0 },
};

/* The number of a core that this process may use. */
static bool options_core(const char *where, const char *text, unsigned *core, verdict *said) {
    cpu_set_t allowed;
    int64_t cpu;
    char known[400] = "", number[16];
    if (!options_number(where, text, 0, CPU_SETSIZE - 1, &cpu, said))
        return false;
    sched_getaffinity(0, sizeof allowed, &allowed);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &allowed)) {
            snprintf(number, sizeof number, "%d", i);
            options_append(known, sizeof known, number);
        }
    if (!CPU_ISSET((int)cpu, &allowed))
        return verdict_say(said, OUTCOME_BAD_INPUT, "%s: %s is not a core this process may use; give one of %s",
                           where, text, known);
    *core = (unsigned)cpu;
    return true;
}

static bool options_cpu(options *asked, verdict *said) {
    unsigned core;
    if (!options_core("--cpu", optarg, &core, said))
        return false;
    asked->cpu = (int)core;
    return true;
}

static bool options_has_cpu(const options *asked, unsigned core) {
    for (unsigned i = 0; i < asked->cpu_count; i++)
        if (asked->cpus[i] == core)
            return true;
    return false;
}

/* More cores than there can be threads are read and not kept. */
static bool options_cpus(options *asked, verdict *said) {
    char word[24];
    asked->cpu_count = 0;
    for (const char *text = optarg; ; text++) {
        size_t length = strcspn(text, ",");
        unsigned core;
        snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1), text);
        if (!options_core("--cpus", word, &core, said))
            return false;
        if (options_has_cpu(asked, core))
            return verdict_say(said, OUTCOME_BAD_INPUT, "--cpus: core %u is named twice; give each once, as in 0,2", core);
        if (asked->cpu_count < OPTIONS_MOST_THREADS)
            asked->cpus[asked->cpu_count++] = core;
        text += length;
        if (*text == '\0')
            return true;
    }
}

static bool options_list(options *asked, verdict *said) {
    if (optarg && strcmp(optarg, "json") != 0)
        return verdict_say(said, OUTCOME_BAD_INPUT, "--list=%s: give --list or --list=json", optarg);
    asked->wish = optarg ? OPTIONS_LIST_JSON : OPTIONS_LIST;
    return true;
}

static bool options_explain(options *asked, verdict *said) {
    if (explain_graphs == NULL)
        return verdict_say(said, OUTCOME_BAD_INPUT, "--explain: this executable has no collector; ask one that has");
    asked->wish = OPTIONS_EXPLAIN;
    return optarg == NULL || options_choice("--explain", explain_graphs, optarg, &asked->explained, said);
}

#define OPTIONS_INTO(member, least, most) \
    (options_number(where, optarg, least, most, &number, said) && ((asked->member = (uint64_t)number), true))

static bool options_apply(options *asked, int option, const char *where, verdict *said) {
    int64_t number;
    switch (option) {
    case OPTION_HELP:         asked->wish = OPTIONS_HELP; return true;
    case OPTION_LIST:         return options_list(asked, said);
    case OPTION_ALLOCATOR:    asked->allocator = optarg; return true;
    case OPTION_THREADS:      return OPTIONS_INTO(threads, 1, OPTIONS_MOST_THREADS);
    case OPTION_SEED:         return OPTIONS_INTO(seed, 0, INT64_MAX);
    case OPTION_SET:          return options_collector(optarg, said);
    case OPTION_CPU:          return options_cpu(asked, said);
    case OPTION_CPUS:         return options_cpus(asked, said);
    case OPTION_RESIDENT:     asked->resident = true; return true;
    case OPTION_UNITS:        return OPTIONS_INTO(units, 1, 1000000000);
    case OPTION_ROUNDS:       return OPTIONS_INTO(rounds, 1, 100000);
    case OPTION_LEAD_IN:      return OPTIONS_INTO(lead_in, 0, 1000000000);
    case OPTION_MEMORY:       asked->memory = true; return true;
    case OPTION_AREAS:        asked->memory = asked->areas = true; return true;
    case OPTION_SAMPLE_MS:    asked->memory = true; return OPTIONS_INTO(sample_ms, 1, 60000);
    case OPTION_MEMORY_LIMIT: return options_bytes(where, optarg, &asked->memory_limit, said);
    case OPTION_MAP:          asked->memory = true; asked->map = optarg; return true;
    case OPTION_LABEL:        asked->label = optarg; return true;
    case OPTION_REPETITION:   return OPTIONS_INTO(repetition, 0, 1000000);
    case OPTION_NO_CAPACITY:  asked->capacity = false; return true;
    case OPTION_PAUSES:       asked->pauses = true; return true;
    case OPTION_HEAP:         asked->heap = true; return true;
    case OPTION_NOMINALS:     asked->nominals = true; return true;
    case OPTION_EXPLAIN:      return options_explain(asked, said);
    }
    return true;
}

static bool options_complaint(int option, char *const *arguments, verdict *said) {
    const char *argument = arguments[optind - 1];
    if (option == ':')
        return verdict_say(said, OUTCOME_BAD_INPUT, "%s needs a value; see --help", argument);
    return verdict_say(said, OUTCOME_BAD_INPUT, "option %s is unknown, ambiguous or takes no value; see --help",
                       argument);
}

static bool options_positional(options *asked, int count, char **arguments, verdict *said) {
    if (optind == count)
        return verdict_say(said, OUTCOME_BAD_INPUT, "no workload; name one (--list has them, --help has examples)");
    if (!options_workload(asked, arguments[optind++], said))
        return false;
    while (optind < count)
        if (!options_parameter(asked, arguments[optind++], said))
            return false;
    return true;
}

static void options_clear(options *asked) {
    *asked = (options){ .allocator = "system", .threads = 1, .seed = 1, .cpu = -1, .rounds = 11, .capacity = true };
    for (int i = 0; i < OPTIONS_COLLECTOR && linked_collector.options && linked_collector.options[i].name; i++)
        options_defaults[i] = linked_collector.options[i].value;
}

/* All from the first lone `--` on is Google Benchmark's; returns how many arguments are ours. */
static int options_split(options *asked, int count, char **arguments) {
    for (int i = 1; i < count; i++)
        if (strcmp(arguments[i], "--") == 0) {
            asked->benchmark = true;
            asked->benchmark_count = count - i - 1;
            asked->benchmark_flags = arguments + i + 1;
            return i;
        }
    return count;
}

bool options_parse(options *asked, int count, char **arguments, verdict *said) {
    int option, which = 0;
    options_clear(asked);
    count = options_split(asked, count, arguments);
    opterr = 0;
    while ((option = getopt_long(count, arguments, ":", options_known, &which)) != -1) {
        char where[32];
        if (option == '?' || option == ':')
            return options_complaint(option, arguments, said);
        snprintf(where, sizeof where, "--%s", options_known[which].name);
        if (!options_apply(asked, option, where, said))
            return false;
    }
    if (asked->wish != OPTIONS_RUN)
        return true;
    if (!options_positional(asked, count, arguments, said))
        return false;
    if (asked->benchmark && asked->resident)
        return verdict_say(said, OUTCOME_BAD_INPUT, "--resident and flags after -- exclude each other; drop one");
    if (asked->cpu >= 0 && asked->cpu_count)
        return verdict_say(said, OUTCOME_BAD_INPUT, "--cpu and --cpus exclude each other; drop one");
    if (asked->cpu_count && asked->threads == 1)
        asked->cpu = (int)asked->cpus[0];
    if (asked->pauses && (asked->resident || asked->benchmark))
        return verdict_say(said, OUTCOME_BAD_INPUT, "--pauses slows what it records; run it alone, without --resident "
                           "and flags after --");
    if (asked->nominals && (asked->resident || asked->benchmark || asked->pauses || asked->memory))
        return verdict_say(said, OUTCOME_BAD_INPUT, "--nominals counts and takes no times; run it without --resident, "
                           "--memory, --pauses and flags after --");
    if (asked->heap && (asked->resident || asked->benchmark || asked->nominals))
        return verdict_say(said, OUTCOME_BAD_INPUT, "--heap looks between rounds; run it without --resident, --nominals "
                           "and flags after --");
    if (asked->heap && asked->program->kind != WORKLOAD_ON_OBJECTS)
        return verdict_say(said, OUTCOME_BAD_INPUT, "--heap: workload %s has no collector with a heap to look into",
                           asked->program->name);
    if (asked->pauses && asked->program->kind != WORKLOAD_ON_OBJECTS)
        return verdict_say(said, OUTCOME_BAD_INPUT, "--pauses: workload %s has no collector that could pause it",
                           asked->program->name);
    if (asked->label == NULL) {
        bool objects = asked->program->kind == WORKLOAD_ON_OBJECTS;
        snprintf(asked->default_label, sizeof asked->default_label, "%s/%s/%s", asked->program->name,
                 objects ? linked_collector.name : "blocks", asked->allocator);
        asked->label = asked->default_label;
    }
    return true;
}
