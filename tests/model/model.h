/* SPDX-License-Identifier: MIT
 * model.h - a heap of objects that is slow and obviously right, to hold collectors against.
 *
 * Objects are entries of an array, named by their ids. Nothing is remembered that can be found by
 * looking: an object's count is the number of places that hold it, searched for in all locals, globals,
 * fields and holds at every drop; its weak references are those whose target it is; garbage is what an
 * exhaustive search from outside does not reach. The rules are CPython 3.11's:
 *
 *   death      leave the collector's list; finalizer, once, may resurrect; all weak references die, then
 *              their callbacks, newest first; fields in visiting order; 50 deep, then deferred
 *   collect    which are garbage; their weak references die, callbacks of those that are not garbage run;
 *              finalizers in list order; which are garbage still; clear these
 *   immortal   never dropped; leaves the lists with the first collection that meets it (3.12)
 *
 * Where the collector under test promises less, so does the model (model_rules).
 * Sources: CPython 3.11, Modules/gcmodule.c and Objects/typeobject.c, as behaviour; PEP 442 (finalizers).
 */
#ifndef REFARENA_TESTS_MODEL_H
#define REFARENA_TESTS_MODEL_H

#include "program.h"

enum { MODEL_GENERATIONS = 3, MODEL_NEST = 50 };

/* What the collector under test promises. */
typedef struct model_rules {
    bool counted;                   /* what is not held dies at once; else only collections free */
    bool collected;                 /* cycles are found */
    bool generations;               /* collect(g) looks at the younger ones only; else always at all */
    bool quiet;                     /* the order of finalizers in a collection is not promised */
    bool loose;                     /* it may collect at any birth: quiet, and what would show when, is left out */
    bool finalizers, weak, immortals;
    bool conservative;              /* it may keep garbage; loose too */
    bool automatic;                 /* by threshold, as CPython does; counted collectors with generations only */
    bool stress;                    /* a full collection at every birth of a tracked object; same only */
    int64_t thresholds[MODEL_GENERATIONS];
} model_rules;

/* Faults to plant, so that a faithful collector looks wrong: proof that the comparison would see one. */
typedef enum model_fault {
    MODEL_FAITHFUL,
    MODEL_SKIPS_A_CALLBACK,         /* of two callbacks, the second is forgotten */
    MODEL_CALLS_OLDEST_FIRST,
    MODEL_LOSES_A_COUNT,            /* fields c are not counted */
    MODEL_FINALIZES_BACKWARDS,      /* in collections */
    MODEL_FINALIZES_TWICE,
    MODEL_FORGETS_A_FINALIZER,      /* of every eighth object */
    MODEL_IGNORES_RESURRECTION,     /* no second look after finalizers */
    MODEL_KEEPS_WEAK_REFERENCES,    /* to garbage, until it is freed */
    MODEL_NEVER_DEFERS,             /* a cascade recurses for ever */
    MODEL_MISCOUNTS_GARBAGE,        /* leaves are counted by collect */
    MODEL_FORGETS_IMMORTALITY,
    MODEL_FAULTS
} model_fault;

/* A step as it is carried out: op 0 does nothing. Locals and globals are indexes, field counts in
 * references; type as of the object made; times of 'h'. */
typedef struct model_action {
    char op, type;
    unsigned to, from, field, global, count, generation;
    bool callback;
} model_action;

void model_start(const model_rules *rules, model_fault fault);

/* What a step means in the present state, and its doing. Returns what collect returned, else 0. */
model_action model_resolve(program_step s);
size_t       model_act(const model_action *a);

/* The state, for comparison: 0 is no object. */
typedef struct model_object {
    char     type;                          /* of program.h, or W: weak reference */
    bool     alive, finalized, callback, garbage, immortal;
    int      number, list;                  /* P: which birth; index of the collector's list, -1: none */
    unsigned count;                         /* of fields */
    int      fields[PROGRAM_ITEMS], target; /* target of W; 0: dead */
} model_object;

const model_object *model_at(int id);
int      model_local(unsigned i), model_global(unsigned i);
unsigned model_locals(void);                /* open ones */
unsigned model_alive(bool only_tracked);
bool     model_has_weak(void);              /* a weak reference was ever made */
const program_event *model_events(size_t *count);
void     model_forget_events(void);

void model_print_action(FILE *to, const model_action *a);

#endif
