/* SPDX-License-Identifier: MIT
 * workload.h - one program, written against a contract, run unchanged on every backend.
 *
 * A workload defines a *unit*: a piece of work that starts and ends in the same state, so that units can
 * be repeated, counted and compared. Its life, in every thread:
 *
 *     prepare    build the state that units work on            (untimed)
 *     arrange    bring about the state a unit starts from      (untimed, before every unit; few need it)
 *     unit ...   the work; adds to a checksum                  (timed, as often as the harness likes)
 *     finish     give everything back                          (untimed)
 *
 * With several threads, thread 0 prepares before and finishes after all others; units run at once.
 * Where a backend never frees, the harness finishes, resets the backend and prepares between units.
 */
#ifndef REFARENA_WORKLOAD_H
#define REFARENA_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../allocators/allocator.h"
#include "../collectors/object.h"

enum { WORKLOAD_PARAMETERS = 8 };

typedef enum workload_kind { WORKLOAD_ON_BLOCKS, WORKLOAD_ON_OBJECTS } workload_kind;

/* A whole number in a range; or, with `choices` ("strong|weak"), one of these words, value its index; or,
 * with `file`, the path or name of a file, whose text is in workload_run.file. */
typedef struct workload_parameter {
    const char *name;               /* NULL ends the list */
    const char *meaning;            /* with its unit */
    int64_t     value;              /* default */
    int64_t     minimum, maximum;
    const char *choices;            /* or NULL */
    const char *file;               /* default of a file parameter, or NULL */
} workload_parameter;

/* What one thread's unit does, as the workload declares it. The harness counts allocations and bytes in
 * an untimed pass and refuses a workload that made fewer: the compiler may have deleted the work. */
typedef struct workload_operations {
    uint64_t operations;            /* what nanoseconds are divided by */
    uint64_t allocations;           /* blocks or objects, and owned arrays, asked for */
    uint64_t bytes;                 /* asked for in them; of objects without headers */
    uint64_t references;            /* references taken by set, load, store and weak_get: what counting counts */
} workload_operations;

typedef struct workload_run workload_run;

typedef struct workload {
    const char          *name;
    const char          *idea;              /* one line: what it exercises */
    const char          *operation;         /* what one operation is: "replacement", "call" */
    workload_kind        kind;
    bool                 threaded;          /* may run on more than one thread */
    workload_parameter   parameters[WORKLOAD_PARAMETERS];

    /* Abilities asked of a collector (0 on blocks). COLLECTOR_FREES_CYCLES is a wish: without it the workload
     * runs, and what it drops is not reclaimed, which the results say. */
    unsigned           (*needs)(const workload_run *run);
    workload_operations (*declare)(const workload_run *run);   /* for one thread's unit, before prepare */

    /* False: a refused request (heap full, or `why` of the run says what is wrong with the input). */
    bool               (*prepare)(workload_run *run);
    bool               (*arrange)(workload_run *run);           /* or NULL: units leave the state they found */
    bool               (*unit)(workload_run *run);              /* adds to run->checksum */
    void               (*finish)(workload_run *run);            /* also after a prepare or unit that failed */
} workload;

/* One thread's view of the run. The harness fills it in. */
struct workload_run {
    const workload  *program;
    int64_t          parameters[WORKLOAD_PARAMETERS];   /* in the order of the workload's list */
    const char      *file;                  /* text of the file parameter, if there is one */
    unsigned         thread, threads;
    uint64_t         seed;
    const allocator *memory;                /* for workloads on blocks */
    mutator         *mutator;               /* for workloads on objects */
    void            *state;                 /* this thread's own, made in prepare */
    void           **shared;                /* one pointer for all threads, thread 0's to set */
    uint64_t         checksum;              /* of the unit; set to 0 before it */
    uint64_t         live_bytes;            /* workloads on blocks keep it right at every moment */
    char             why[256];              /* one line when prepare or unit failed for another reason than memory */

    /* "Here is a point worth looking at": the harness may record RSS and live bytes under this label.
     * A call through a pointer that usually does nothing: a few per unit, never per operation. */
    void           (*moment)(workload_run *run, const char *label);

    /* "This number is a result": updates lost, a latency, the bytes of an object. Said once a unit, by any thread,
     * with a unit of measure at the end of its name, a literal; kept of the measured units. */
    void           (*figure)(workload_run *run, const char *name, double value);
};

/* The workloads linked into this executable, ended by NULL: those of workloads.def that fit it. */
extern const workload *const linked_workloads[];

/* Zeroed memory for a workload's own tables, straight from the OS and touched, so that it is in no
 * allocator's figures; NULL: refused. */
void *workload_map(size_t bytes);
void  workload_unmap(void *memory, size_t bytes);

/* Bytes in such tables now, all resident: to be subtracted where they were mapped after a baseline. */
size_t workload_mapped_bytes(void);

#endif
