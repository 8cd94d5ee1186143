/* SPDX-License-Identifier: MIT
 * machine.h - what the interpreter's programs are made of at run time: code, functions, classes, instances, iterators.
 *
 *   function --> code --> constants          instance --> class --> methods (functions)
 *                 | text                        | attributes   | text
 *                 v                             v              v
 *             programs.c: instructions, names: read only, no objects
 *
 * All that does not change while programs run is a *world*: a tuple of the shared small integers, of None, True and
 * False, of the methods of built-in types, and the module's dict. Threads share one, as in a process, or have one each,
 * as sub-interpreters have (PEP 684).
 */
#ifndef REFARENA_MACHINE_H
#define REFARENA_MACHINE_H

#include "dict.h"
#include "program.h"

enum { WORLD_SMALL, WORLD_SINGLES, WORLD_METHODS, WORLD_MODULE, WORLD_PARTS };
enum { SINGLE_NONE, SINGLE_FALSE, SINGLE_TRUE, SINGLES };
enum { METHOD_APPEND = PROGRAM_BUILTINS, METHOD_GET, METHOD_JOIN, METHOD_SPLIT, BUILTINS };     /* after program_builtin */
enum { MACHINE_NAMES = 64, MACHINE_SCRATCH = 2, MACHINE_DEPTH = 1000 };     /* locals above each stack; calls in calls */

typedef struct single { object header; uint64_t which; } single;            /* None, False, True: each exists once */
typedef struct builtin { object header; uint64_t which; } builtin;          /* a function or method in C */
typedef struct code { sized_object base; const program_function *text; } code;          /* and constants */
typedef struct function { object header; field code; } function;
typedef struct class { sized_object base; const program_class *text; } class;           /* and a function or NULL, by name */
typedef struct instance { sized_object base; field class; } instance;                   /* and attributes */
typedef struct range { object header; int64_t next, stop, step; } range;                /* CPython boxes a range's, not its iterator's */
typedef struct list_iterator { object header; field list; uint64_t next; } list_iterator;

extern const object_type single_type, builtin_type, code_type, function_type, class_type, instance_type, range_type,
                         range_iterator_type, list_iterator_type;

/* A call in progress below the one that runs. */
typedef struct activation {
    const program_instruction *next;
    local                     *base, *top;      /* its frame; where in its stack the result goes */
    bool                       constructs;      /* the result is already there: an instance, which __init__ fills */
} activation;

/* One thread's interpreter. */
typedef struct machine {
    mutator       *m;
    local         *world;                       /* WORLD_PARTS locals: what the world's tuple holds */
    const program *text;
    int8_t         method[MACHINE_NAMES];       /* of built-in types, by name; -1: none */
    activation     calls[MACHINE_DEPTH];
} machine;

/* l = a tuple with the parts of a new world for a program. False: heap full. */
bool machine_make_world(mutator *m, local *l, const program *text);

/* Other threads will share the world in l: all of it becomes immortal, where the collector knows such objects. */
void machine_share_world(local *l);

/* Set `vm` to run `text` in the world in l; its frame is `frame`, of WORLD_PARTS locals. */
void machine_enter_world(machine *vm, mutator *m, local *frame, local *l, const program *text);

/* l = value: the world's own object for a small one. False: heap full. */
static inline bool machine_integer(machine *vm, local *l, int64_t value) {
    if (!integer_is_small(value)) return integer_new(vm->m, l, value);
    local_set(vm->m, l, field_peek(&tuple_items(vm->world[WORLD_SMALL].target)[value - INTEGER_SMALLEST]));
    return true;
}
static inline object *machine_single(const machine *vm, unsigned which) {       /* borrowed */
    return field_peek(&tuple_items(vm->world[WORLD_SINGLES].target)[which]);
}

/* result = the built-in `which` called with `count` arguments, which may move out; `scratch`: MACHINE_SCRATCH locals.
 * False: heap full. */
bool builtin_call(machine *vm, unsigned which, local *arguments, unsigned count, local *result, local *scratch);

/* result = main(). False: heap full. */
bool machine_run(machine *vm, local *result);

#endif
