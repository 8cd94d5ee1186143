/* SPDX-License-Identifier: MIT
 * drive.h - runs a workload on blocks without the harness: the life of workload.h, on one thread.
 */
#ifndef REFARENA_TESTS_DRIVE_H
#define REFARENA_TESTS_DRIVE_H

#include <stdio.h>
#include <string.h>

#include "../../workloads/workload.h"
#include "../support.h"

static inline void drive_moment(workload_run *run, const char *label) { (void)run, (void)label; }
static inline void drive_figure(workload_run *run, const char *name, double value) { (void)run, (void)name, (void)value; }

/* A run with the workload's defaults; the caller changes what it wants otherwise. */
static inline workload_run drive_describe(const workload *program, const allocator *memory) {
    static void *shared;
    workload_run run = {.program = program, .memory = memory, .threads = 1, .seed = 1,
                        .shared = &shared, .moment = drive_moment, .figure = drive_figure};
    for (int i = 0; i < WORKLOAD_PARAMETERS && program->parameters[i].name; i++) {
        run.parameters[i] = program->parameters[i].value;
        if (program->parameters[i].file) run.file = program->parameters[i].file;
    }
    return run;
}

static inline uint64_t drive_unit(workload_run *run) {
    run->checksum = 0;
    if (!run->program->unit(run)) fail_msg("unit refused: %s", run->why);
    return run->checksum;
}

/* Checksum of a run of `units` units, all of which must have the same. */
static inline uint64_t drive_run(workload_run *run, int units) {
    if (!run->program->prepare(run)) fail_msg("prepare refused: %s", run->why);
    uint64_t checksum = drive_unit(run);
    for (int i = 1; i < units; i++) assert_true(drive_unit(run) == checksum);
    run->program->finish(run);
    return checksum;
}

/* Calls act with each allocator that needs no preloading, plain and behind a lock, opened. */
static inline void drive_on_each_allocator(void (*act)(const allocator *memory, void *context), void *context) {
    char spec[64], why[256];
    for (const allocator_entry *entry = allocator_entries(); entry->name; entry++)
        for (int locked = 0; entry->kind == ALLOCATOR_OWN && locked < 2; locked++) {
            snprintf(spec, sizeof spec, "%s%s", locked ? "locked:" : "", entry->name);
            const allocator *memory = allocator_open(spec, why, sizeof why);
            if (!memory) fail_msg("%s: %s", spec, why);
            act(memory, context);
            memory->reset();
        }
}

static inline const allocator *drive_open(const char *spec) {
    char why[256];
    const allocator *memory = allocator_open(spec, why, sizeof why);
    if (!memory) fail_msg("%s: %s", spec, why);
    return memory;
}

#endif
