/* SPDX-License-Identifier: MIT
 * memory.h - what the kernel says of this process, at the moments that matter.
 */
#ifndef REFARENA_MEMORY_H
#define REFARENA_MEMORY_H

#include "areas.h"

enum { MEMORY_UNKNOWN = -1, MEMORY_MOMENTS = 4096, MEMORY_LABEL = 24 };

/* All sizes in bytes; MEMORY_UNKNOWN where something cannot be said or was not reached. */
typedef struct memory_figures {
    int64_t baseline_rss, baseline_uss;
    int64_t peak_rss;
    int64_t end_rss, end_pss, end_uss, end_lazyfree;
    int64_t finished_rss, finished_after_200ms_rss, finished_trimmed_rss;
    int64_t held_bytes, used_bytes;
    int64_t workload_bytes;                 /* the workload's own tables, mapped since the baseline */
    int64_t live_bytes;                     /* the most seen at a moment */
} memory_figures;

typedef struct memory_point {
    char    label[MEMORY_LABEL];
    int64_t ns;                             /* since the baseline */
    int64_t rss, live_bytes, live_objects;
    bool    has_areas;
    areas_figures areas;                    /* where they were asked for */
} memory_point;

/* A size in bytes of /proc/self/status by its name with the colon, as in "VmRSS:"; 0: not there. */
uint64_t memory_status(const char *name);

void memory_begin(const session *s, unsigned sample_ms);    /* the baseline; the sampler starts */
void memory_watch(bool on);                                 /* moments are recorded from here on, or not */
void memory_moment(workload_run *run, const char *label);   /* workload_run.moment */
void memory_at_rest(const char *label);                     /* a moment of all threads, none running */
uint64_t memory_moment_ns(void);                            /* time spent in moments so far: nobody's work */
void memory_take_stock(void);                               /* the end_... figures and the peak, as of now */
void memory_end(void);                                      /* after the units: takes stock, and what is live */
void memory_finished(void);                                 /* after finish; takes 200 ms */

const memory_figures *memory_get(void);                     /* NULL: memory_begin was not called, or what it saw forgotten */
void memory_forget(void);                                   /* no more looks, and nothing to report */
const memory_point   *memory_points(unsigned *count);

#endif
