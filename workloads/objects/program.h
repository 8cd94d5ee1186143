/* SPDX-License-Identifier: MIT
 * program.h - a Python program as the interpreter reads it: instructions, constants, functions, classes.
 *
 * programs.c holds those of workloads/programs/, as CPython compiles them.
 */
#ifndef REFARENA_PROGRAM_H
#define REFARENA_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

/* CPython 3.11's, by its names; jumps go to an index, forward or back; LOAD_GLOBAL_CALL pushes a NULL first. */
typedef enum program_operation {
    RESUME, LOAD_FAST, STORE_FAST, LOAD_CONST, LOAD_GLOBAL, LOAD_GLOBAL_CALL, POP_TOP,
    BINARY_OP, COMPARE_OP, CONTAINS_OP, BINARY_SUBSCR, STORE_SUBSCR, BUILD_LIST, BUILD_MAP,
    LOAD_ATTR, STORE_ATTR, LOAD_METHOD, PRECALL, CALL, RETURN_VALUE,
    JUMP, POP_JUMP_IF_FALSE, POP_JUMP_IF_TRUE, POP_JUMP_IF_NONE, POP_JUMP_IF_NOT_NONE, GET_ITER, FOR_ITER,
} program_operation;

typedef struct program_instruction { program_operation operation; uint32_t argument; } program_instruction;

/* Arguments of BINARY_OP and COMPARE_OP, as CPython 3.11 numbers them. */
enum { BINARY_ADD = 0, BINARY_AND = 1, BINARY_FLOOR_DIVIDE = 2, BINARY_MULTIPLY = 5, BINARY_REMAINDER = 6, BINARY_POWER = 8,
       BINARY_SUBTRACT = 10, BINARY_TRUE_DIVIDE = 11, BINARY_XOR = 12 };
enum { COMPARE_LESS, COMPARE_LESS_EQUAL, COMPARE_EQUAL, COMPARE_UNEQUAL, COMPARE_GREATER, COMPARE_GREATER_EQUAL };

typedef struct program_constant {
    enum { CONSTANT_NONE, CONSTANT_INTEGER, CONSTANT_REAL, CONSTANT_STRING } kind;
    int64_t     integer;
    double      real;
    const char *text;
} program_constant;

typedef struct program_function {
    const char                *name;
    unsigned                   arguments, locals, stack;    /* locals: arguments included; stack: its greatest depth */
    const program_instruction *code;
    const program_constant    *constants;
    unsigned                   constant_count;
} program_function;

typedef struct program_class {
    const char   *name;
    unsigned      attributes;
    unsigned      initializer;              /* the function __init__ */
    const int8_t *slot, *method;            /* by name: the attribute's place, the method's function; -1: has none */
} program_class;

/* The first names of every module are these, then its functions, then its classes. */
typedef enum program_builtin { BUILTIN_RANGE, BUILTIN_LEN, BUILTIN_STR, BUILTIN_INT, PROGRAM_BUILTINS } program_builtin;

typedef struct program {
    const char             *name;
    const program_function *functions;
    unsigned                function_count;
    const program_class    *classes;
    unsigned                class_count;
    const char *const      *names;          /* of attributes and methods; ended by NULL */
    unsigned                main;           /* the function that is called */
    int64_t                 result;         /* what it returns */
    uint64_t                bytecodes, births, growths, bytes, takes;   /* of one call of main */
} program;

extern const program *const programs[];     /* ended by NULL */

#endif
