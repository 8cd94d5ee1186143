/* SPDX-License-Identifier: MIT
 * options.h - what the command line asks for.
 */
#ifndef REFARENA_OPTIONS_H
#define REFARENA_OPTIONS_H

#include "../collectors/linked.h"
#include "../workloads/workload.h"
#include "verdict.h"

enum { OPTIONS_MOST_THREADS = 64 };

typedef enum options_wish { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_LIST, OPTIONS_LIST_JSON, OPTIONS_EXPLAIN } options_wish;

typedef struct options {
    options_wish    wish;
    const workload *program;
    int64_t         explained;          /* the graph, among explain_graphs */
    int64_t         parameters[WORKLOAD_PARAMETERS];    /* in the order of the workload's list */
    const char     *file;               /* text of its file parameter, or NULL */
    const char     *allocator;          /* as allocator_open takes it */
    unsigned        threads;
    uint64_t        seed;
    int             cpu;                /* to run on, or -1: as the OS likes */
    unsigned        cpus[OPTIONS_MOST_THREADS];         /* thread i runs on the i-th, counted round */
    unsigned        cpu_count;          /* of them; 0: the harness chooses */
    bool            resident, memory, capacity;
    bool            areas;              /* resident bytes by area at each moment */
    bool            pauses;             /* recorded, and reported by kind */
    bool            heap;               /* looks into it after every round */
    bool            nominals;           /* instead of times: what the workload does to memory */
    uint64_t        units;              /* of a round; 0: calibrate */
    uint64_t        rounds, lead_in;
    unsigned        sample_ms;          /* between samples of the resident set; 0: none */
    uint64_t        memory_limit;       /* bytes the program may take; 0: no limit */
    const char     *map;                /* file for the map of pools at each moment, or NULL */
    const char     *label;
    char            default_label[160];
    unsigned        repetition;
    bool            benchmark;          /* there was a `--`: Google Benchmark measures and reports */
    int             benchmark_count;    /* its flags */
    char          **benchmark_flags;
} options;

/* False: bad input, said in `said`. Sets the values of linked_collector.options. */
bool options_parse(options *asked, int count, char **arguments, verdict *said);

/* The index-th of `choices`, up to the next '|' or the end. */
const char *options_word(const char *choices, int64_t index);

/* The default of a collector's option, from before the command line set it. */
int64_t options_default(unsigned index);

#endif
