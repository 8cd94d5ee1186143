/* SPDX-License-Identifier: MIT
 * interpreter.c - a small CPython: real bytecode on a stack, boxed numbers, dicts, instances; n threads of it.
 *
 *   workloads/programs/fib.py --CPython 3.11 compiles--> programs.c --evaluate.c runs it--> result, checked
 *
 * Each thread calls a program's main() again and again, with data of its own. What it shares with others is what
 * threads of a process share: small integers, None, constants, code, functions, classes, and the module's dict
 * (`world=shared`); or nothing at all, as sub-interpreters (`world=own`): the difference is the price of sharing.
 *
 * Exercises: takes and drops of references in the proportion and the places where an interpreter does them, births of
 * numbers that die at once, frames, dict look-ups, attributes; contention for the counts of what all use.
 * Source: the instructions are CPython 3.11's and so is what each takes and drops (scripts/cpython/bytecode.py, which
 * compares); what counts that threads may share cost an interpreter is the question of PEP 703, and of Choi, Shull and
 * Torrellas, "Biased reference counting", PACT 2018.
 * Not claimed: CPython's dispatch, specialized instructions, free lists, inline caches, error handling: an instruction
 * here does less beside its counting, so that the price of counting shows larger. Globals are read under the dict's lock
 * where a row has one. size = calls of main per unit; an operation is an instruction of bytecode.
 */
#include <stdio.h>

#include "machine.h"

enum { INTERPRETER_SIZE, INTERPRETER_PROGRAM, INTERPRETER_WORLD };
enum { INTERPRETER_SHARED, INTERPRETER_OWN };
enum { INTERPRETER_GLOBAL = VALUES_GLOBALS_USED };
enum { INTERPRETER_PARTS, INTERPRETER_TUPLE = WORLD_PARTS, INTERPRETER_RESULT, INTERPRETER_LOCALS };

typedef struct interpreter_state { machine vm; local *frame; } interpreter_state;

static const program *interpreter_program(const workload_run *run) { return programs[run->parameters[INTERPRETER_PROGRAM]]; }

static bool interpreter_prepare(workload_run *run) {
    mutator *m = run->mutator;
    const program *text = interpreter_program(run);
    interpreter_state *state = run->state = workload_map(sizeof *state);
    if (state == NULL) return false;
    state->frame = frame_open(m, INTERPRETER_LOCALS);
    local *world = &state->frame[INTERPRETER_TUPLE];
    bool shared = run->parameters[INTERPRETER_WORLD] == INTERPRETER_SHARED;
    if (shared && run->thread != 0) field_load(m, world, collector_globals(), collector_global(INTERPRETER_GLOBAL));
    else if (!machine_make_world(m, world, text)) return false;
    if (shared && run->thread == 0 && run->threads > 1) machine_share_world(world);
    if (shared && run->thread == 0) field_store(m, collector_globals(), collector_global(INTERPRETER_GLOBAL), world->target);
    machine_enter_world(&state->vm, m, &state->frame[INTERPRETER_PARTS], world, text);
    return true;
}

static bool interpreter_unit(workload_run *run) {
    interpreter_state *state = run->state;
    local *result = &state->frame[INTERPRETER_RESULT];
    for (int64_t i = 0; i < run->parameters[INTERPRETER_SIZE]; i++) {
        if (!machine_run(&state->vm, result)) return false;
        int64_t value = integer_value(result->target);
        if (value != state->vm.text->result) {
            snprintf(run->why, sizeof run->why, "interpreter: program %s gave %lld, which should be %lld", state->vm.text->name,
                     (long long)value, (long long)state->vm.text->result);
            return false;
        }
        run->checksum = run->checksum * 31 + (uint64_t)value;
        local_set(run->mutator, result, NULL);
    }
    run->moment(run, "run");
    return true;
}

static void interpreter_finish(workload_run *run) {
    interpreter_state *state = run->state;
    if (run->thread == 0) field_store(run->mutator, collector_globals(), collector_global(INTERPRETER_GLOBAL), NULL);
    if (state == NULL) return;
    frame_close(run->mutator, state->frame);
    workload_unmap(state, sizeof *state);
    run->state = NULL;
}

static unsigned interpreter_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

/* What a call of main does was counted on a model of CPython. */
static workload_operations interpreter_declare(const workload_run *run) {
    const program *text = interpreter_program(run);
    uint64_t size = (uint64_t)run->parameters[INTERPRETER_SIZE];
    return (workload_operations){.operations = size * text->bytecodes, .allocations = size * (text->births + text->growths),
                                 .bytes = size * text->bytes, .references = size * text->takes};
}

const workload interpreter_workload = {
    .name = "interpreter", .idea = "Python programs as CPython's bytecode on a small interpreter",
    .operation = "bytecode", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "calls of main per unit", .value = 10, .minimum = 1, .maximum = 1000000},
                   {.name = "program", .meaning = "of workloads/programs/", .choices = "count|fib|methods|nbody|richards|sieve|sort|text", .maximum = 7},
                   {.name = "world", .meaning = "constants, code and small integers of threads", .choices = "shared|own", .maximum = 1}},
    .needs = interpreter_needs, .declare = interpreter_declare,
    .prepare = interpreter_prepare, .unit = interpreter_unit, .finish = interpreter_finish,
};
