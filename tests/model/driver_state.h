/* SPDX-License-Identifier: MIT
 * driver_state.h - what driver.c (the collector's side) and compare.c share. */
#ifndef REFARENA_TESTS_DRIVER_STATE_H
#define REFARENA_TESTS_DRIVER_STATE_H

#include "../../collectors/collector.h"
#include "program.h"
#include "model.h"

typedef struct driver_vertex {
    object    header;
    field     fields[PROGRAM_FIELDS];
    weak_list weak;
    int       id, number, run;
} driver_vertex;
typedef struct driver_row { object header; owned_array items; int id; } driver_row;
typedef struct driver_leaf { object header; int id; } driver_leaf;

enum { DRIVER_EVENTS = 16 * PROGRAM_OBJECTS,
       DRIVER_RUN = 2 * PROGRAM_OBJECTS };              /* a callback's context: run times this, and id */

extern struct driver {
    bool     finished;                          /* what runs now is not the program's any more */
    bool     quiet;                             /* as the model's rules */
    int      every;                             /* so many births a collection is asked for, before one; 0: never */
    int      run;                               /* which; what runs for objects of an earlier one is not ours */
    int      ids, phoenixes;
    local   *frames[PROGRAM_FRAMES];
    unsigned frame_count, locals;
    size_t   event_count;
    program_event events[DRIVER_EVENTS];
} driver;

mutator *driver_open(const model_rules *rules, int every);
void     driver_close(mutator *m);
size_t   driver_act(mutator *m, const model_action *a);

local   *driver_local(unsigned i);
char     driver_letter(const object *o);        /* W for a weak reference */
int      driver_id(const object *o);            /* 0 for a weak reference */
unsigned driver_fields(object *o, field **first);
int      driver_weak_target(mutator *m, object *weak);      /* its id, or 0 */

#endif
