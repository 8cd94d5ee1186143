/* SPDX-License-Identifier: MIT
 * model_state.h - what the files of the model share: model.c (steps), model_death.c, model_collect.c. */
#ifndef REFARENA_TESTS_MODEL_STATE_H
#define REFARENA_TESTS_MODEL_STATE_H

#include "model.h"

/* The collector's lists: generations; what is not looked at any more; during a collection its doubtful
 * objects, those of them already finalized, and what is garbage for good. */
enum { MODEL_PERMANENT = MODEL_GENERATIONS, MODEL_DOUBTFUL, MODEL_SEEN, MODEL_TRASH, MODEL_LISTS };

typedef struct model_list { int ids[2 * PROGRAM_OBJECTS]; int count; } model_list;

extern struct model {
    model_rules  rules;
    model_fault  fault;
    model_object objects[PROGRAM_OBJECTS + 1];
    int          ids, phoenixes;                /* given out; births of type P */
    int          locals[PROGRAM_LOCALS], globals[PROGRAM_GLOBALS];
    unsigned     frames;
    int          holds[8 * PROGRAM_OBJECTS];    /* references that the collector and running finalizers hold */
    int          hold_count;
    model_list   lists[MODEL_LISTS];
    int          deferred[PROGRAM_OBJECTS], deferred_count, nesting;
    bool         collecting;
    int64_t      counts[MODEL_GENERATIONS], long_lived, long_lived_pending;
    size_t       event_count;
    program_event events[16 * PROGRAM_OBJECTS]; /* last: not cleared between programs */
} model;

/* Places that hold the object: locals, globals, fields, holds. */
int  model_references(int id);
bool model_is_held(int id);                     /* by a place, or for ever */

/* slot = value; the old value is dropped, and may die. */
void model_put(int *slot, int value);
void model_hold(int id);
void model_release(int id);                     /* a hold; may be the death of the object */
void model_drop(int id);                        /* one reference to it has just gone */

/* 0: too many objects. A birth may collect; `reserved` is the id to use, or 0 for the next. */
int  model_birth(char type, int reserved);
int  model_reserve(void);

void model_track(int id, int list);
void model_untrack(int id);
bool model_is_tracked_type(char type);
int *model_field(model_object *o, unsigned i);  /* in the order of visits */

/* The weak references to id die; those with callback that `keep` allows are held and written to calls. */
int  model_kill_weak(int id, bool (*keep)(int weak), int *calls);

/* What dying objects and collections run. */
void model_finalize(int id);
void model_call_back(int weak);
bool model_may_finalize(int id);                /* and marks it: it will not again */

void   model_before_birth(void);                /* counts; an automatic collection */
size_t model_collect(int generation);

#endif
