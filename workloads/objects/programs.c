/* SPDX-License-Identifier: MIT
 * programs.c - workloads/programs/ as compiled by CPython 3.11: written by scripts/cpython/bytecode.py.
 *
 * What a call of main gives and costs was found by executing it on the model in that script. */
#include "program.h"

/* --- count: Counting in a dict with integer keys --- */

static const program_instruction count_code_0[] = {      /* main */
    {RESUME, 0}, {BUILD_MAP, 0}, {STORE_FAST, 0}, {LOAD_CONST, 1}, {STORE_FAST, 1}, {LOAD_GLOBAL_CALL, 0},
    {LOAD_CONST, 2}, {PRECALL, 1}, {CALL, 1}, {GET_ITER, 0}, {FOR_ITER, 44}, {STORE_FAST, 2}, {LOAD_FAST, 1},
    {LOAD_CONST, 3}, {BINARY_OP, 5}, {LOAD_CONST, 4}, {BINARY_OP, 0}, {LOAD_CONST, 5}, {BINARY_OP, 6},
    {STORE_FAST, 1}, {LOAD_FAST, 1}, {LOAD_CONST, 6}, {BINARY_OP, 2}, {LOAD_CONST, 7}, {BINARY_OP, 6},
    {STORE_FAST, 3}, {LOAD_FAST, 3}, {LOAD_FAST, 0}, {CONTAINS_OP, 0}, {POP_JUMP_IF_FALSE, 39}, {LOAD_FAST, 0},
    {LOAD_FAST, 3}, {BINARY_SUBSCR, 0}, {LOAD_CONST, 1}, {BINARY_OP, 0}, {LOAD_FAST, 0}, {LOAD_FAST, 3},
    {STORE_SUBSCR, 0}, {JUMP, 10}, {LOAD_CONST, 1}, {LOAD_FAST, 0}, {LOAD_FAST, 3}, {STORE_SUBSCR, 0}, {JUMP, 10},
    {LOAD_CONST, 8}, {STORE_FAST, 4}, {LOAD_GLOBAL_CALL, 0}, {LOAD_CONST, 7}, {PRECALL, 1}, {CALL, 1}, {GET_ITER, 0},
    {FOR_ITER, 67}, {STORE_FAST, 3}, {LOAD_FAST, 4}, {LOAD_CONST, 9}, {BINARY_OP, 5}, {LOAD_FAST, 0},
    {LOAD_METHOD, 0}, {LOAD_FAST, 3}, {LOAD_CONST, 8}, {PRECALL, 2}, {CALL, 2}, {BINARY_OP, 0}, {LOAD_CONST, 10},
    {BINARY_OP, 6}, {STORE_FAST, 4}, {JUMP, 51}, {LOAD_FAST, 4}, {RETURN_VALUE, 0},
};
static const program_constant count_constants_0[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1}, {.kind = CONSTANT_INTEGER, .integer = 3000},
    {.kind = CONSTANT_INTEGER, .integer = 1103515245}, {.kind = CONSTANT_INTEGER, .integer = 12345},
    {.kind = CONSTANT_INTEGER, .integer = 2147483648}, {.kind = CONSTANT_INTEGER, .integer = 65536},
    {.kind = CONSTANT_INTEGER, .integer = 700}, {.kind = CONSTANT_INTEGER, .integer = 0},
    {.kind = CONSTANT_INTEGER, .integer = 31}, {.kind = CONSTANT_INTEGER, .integer = 1000000007},
};

static const program count_program = {
    .name = "count",
    .functions = (const program_function[]){
        {.name = "main", .arguments = 0, .locals = 5, .stack = 6, .code = count_code_0,
         .constants = count_constants_0, .constant_count = 11},
    },
    .function_count = 1,
    .class_count = 0,
    .names = (const char *const[]){"get", NULL},
    .main = 0,
    .result = 906341472,
    .bytecodes = 95453, .births = 19168, .growths = 9, .bytes = 226664,
    .takes = 59188,
};

/* --- fib: Recursion: calls, frames, small integers --- */

static const program_instruction fib_code_0[] = {      /* fib */
    {RESUME, 0}, {LOAD_FAST, 0}, {LOAD_CONST, 1}, {COMPARE_OP, 0}, {POP_JUMP_IF_FALSE, 7}, {LOAD_FAST, 0},
    {RETURN_VALUE, 0}, {LOAD_GLOBAL_CALL, 4}, {LOAD_FAST, 0}, {LOAD_CONST, 2}, {BINARY_OP, 10}, {PRECALL, 1},
    {CALL, 1}, {LOAD_GLOBAL_CALL, 4}, {LOAD_FAST, 0}, {LOAD_CONST, 1}, {BINARY_OP, 10}, {PRECALL, 1}, {CALL, 1},
    {BINARY_OP, 0}, {RETURN_VALUE, 0},
};
static const program_constant fib_constants_0[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 2}, {.kind = CONSTANT_INTEGER, .integer = 1},
};

static const program_instruction fib_code_1[] = {      /* main */
    {RESUME, 0}, {LOAD_GLOBAL_CALL, 4}, {LOAD_CONST, 1}, {PRECALL, 1}, {CALL, 1}, {RETURN_VALUE, 0},
};
static const program_constant fib_constants_1[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 16},
};

static const program fib_program = {
    .name = "fib",
    .functions = (const program_function[]){
        {.name = "fib", .arguments = 1, .locals = 1, .stack = 5, .code = fib_code_0,
         .constants = fib_constants_0, .constant_count = 3},
        {.name = "main", .arguments = 0, .locals = 0, .stack = 3, .code = fib_code_1,
         .constants = fib_constants_1, .constant_count = 2},
    },
    .function_count = 2,
    .class_count = 0,
    .names = (const char *const[]){NULL},
    .main = 1,
    .result = 987,
    .bytecodes = 41509, .births = 4, .growths = 0, .bytes = 32,
    .takes = 25540,
};

/* --- methods: Instances in a ring call each other's methods and change attributes --- */

static const program_instruction methods_code_0[] = {      /* Account.__init__ */
    {RESUME, 0}, {LOAD_FAST, 1}, {LOAD_FAST, 0}, {STORE_ATTR, 3}, {LOAD_CONST, 1}, {LOAD_FAST, 0}, {STORE_ATTR, 4},
    {LOAD_CONST, 2}, {LOAD_FAST, 0}, {STORE_ATTR, 5}, {LOAD_CONST, 0}, {LOAD_FAST, 0}, {STORE_ATTR, 6},
    {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant methods_constants_0[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1000}, {.kind = CONSTANT_INTEGER, .integer = 0},
};

static const program_instruction methods_code_1[] = {      /* Account.pay */
    {RESUME, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 4}, {LOAD_FAST, 1}, {BINARY_OP, 10}, {LOAD_FAST, 0}, {STORE_ATTR, 4},
    {LOAD_FAST, 0}, {LOAD_ATTR, 5}, {LOAD_CONST, 1}, {BINARY_OP, 0}, {LOAD_FAST, 0}, {STORE_ATTR, 5}, {LOAD_FAST, 0},
    {LOAD_ATTR, 6}, {LOAD_METHOD, 2}, {LOAD_FAST, 1}, {PRECALL, 1}, {CALL, 1}, {POP_TOP, 0}, {LOAD_CONST, 0},
    {RETURN_VALUE, 0},
};
static const program_constant methods_constants_1[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1},
};

static const program_instruction methods_code_2[] = {      /* Account.receive */
    {RESUME, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 4}, {LOAD_FAST, 1}, {LOAD_FAST, 0}, {LOAD_ATTR, 3}, {BINARY_OP, 5},
    {LOAD_CONST, 1}, {BINARY_OP, 2}, {BINARY_OP, 0}, {LOAD_FAST, 0}, {STORE_ATTR, 4}, {LOAD_CONST, 0},
    {RETURN_VALUE, 0},
};
static const program_constant methods_constants_2[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 100},
};

static const program_instruction methods_code_3[] = {      /* main */
    {RESUME, 0}, {BUILD_LIST, 0}, {STORE_FAST, 0}, {LOAD_GLOBAL_CALL, 0}, {LOAD_CONST, 1}, {PRECALL, 1}, {CALL, 1},
    {GET_ITER, 0}, {FOR_ITER, 22}, {STORE_FAST, 1}, {LOAD_FAST, 0}, {LOAD_METHOD, 7}, {LOAD_GLOBAL_CALL, 8},
    {LOAD_CONST, 2}, {LOAD_FAST, 1}, {BINARY_OP, 0}, {PRECALL, 1}, {CALL, 1}, {PRECALL, 1}, {CALL, 1}, {POP_TOP, 0},
    {JUMP, 8}, {LOAD_GLOBAL_CALL, 0}, {LOAD_CONST, 1}, {PRECALL, 1}, {CALL, 1}, {GET_ITER, 0}, {FOR_ITER, 41},
    {STORE_FAST, 1}, {LOAD_FAST, 0}, {LOAD_FAST, 1}, {LOAD_CONST, 3}, {BINARY_OP, 0}, {LOAD_CONST, 1},
    {BINARY_OP, 6}, {BINARY_SUBSCR, 0}, {LOAD_FAST, 0}, {LOAD_FAST, 1}, {BINARY_SUBSCR, 0}, {STORE_ATTR, 6},
    {JUMP, 27}, {LOAD_FAST, 0}, {LOAD_CONST, 4}, {BINARY_SUBSCR, 0}, {STORE_FAST, 2}, {LOAD_GLOBAL_CALL, 0},
    {LOAD_CONST, 5}, {PRECALL, 1}, {CALL, 1}, {GET_ITER, 0}, {FOR_ITER, 64}, {STORE_FAST, 1}, {LOAD_FAST, 2},
    {LOAD_METHOD, 1}, {LOAD_FAST, 1}, {LOAD_CONST, 6}, {BINARY_OP, 6}, {PRECALL, 1}, {CALL, 1}, {POP_TOP, 0},
    {LOAD_FAST, 2}, {LOAD_ATTR, 6}, {STORE_FAST, 2}, {JUMP, 50}, {LOAD_CONST, 4}, {STORE_FAST, 3}, {LOAD_FAST, 0},
    {GET_ITER, 0}, {FOR_ITER, 86}, {STORE_FAST, 2}, {LOAD_FAST, 3}, {LOAD_CONST, 7}, {BINARY_OP, 5}, {LOAD_FAST, 2},
    {LOAD_ATTR, 4}, {BINARY_OP, 0}, {LOAD_FAST, 2}, {LOAD_ATTR, 5}, {BINARY_OP, 0}, {LOAD_CONST, 8}, {BINARY_OP, 6},
    {STORE_FAST, 3}, {LOAD_CONST, 0}, {LOAD_FAST, 2}, {STORE_ATTR, 6}, {JUMP, 68}, {LOAD_FAST, 3}, {RETURN_VALUE, 0},
};
static const program_constant methods_constants_3[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 20}, {.kind = CONSTANT_INTEGER, .integer = 90},
    {.kind = CONSTANT_INTEGER, .integer = 1}, {.kind = CONSTANT_INTEGER, .integer = 0},
    {.kind = CONSTANT_INTEGER, .integer = 1500}, {.kind = CONSTANT_INTEGER, .integer = 50},
    {.kind = CONSTANT_INTEGER, .integer = 31}, {.kind = CONSTANT_INTEGER, .integer = 1000000007},
};

static const program methods_program = {
    .name = "methods",
    .functions = (const program_function[]){
        {.name = "Account.__init__", .arguments = 2, .locals = 2, .stack = 2, .code = methods_code_0,
         .constants = methods_constants_0, .constant_count = 3},
        {.name = "Account.pay", .arguments = 2, .locals = 2, .stack = 3, .code = methods_code_1,
         .constants = methods_constants_1, .constant_count = 2},
        {.name = "Account.receive", .arguments = 2, .locals = 2, .stack = 3, .code = methods_code_2,
         .constants = methods_constants_2, .constant_count = 2},
        {.name = "main", .arguments = 0, .locals = 4, .stack = 7, .code = methods_code_3,
         .constants = methods_constants_3, .constant_count = 9},
    },
    .function_count = 4,
    .classes = (const program_class[]){
        {.name = "Account", .attributes = 4, .initializer = 0,
         .slot = (const int8_t[]){-1, -1, -1, 0, 1, 2, 3, -1},
         .method = (const int8_t[]){0, 1, 2, -1, -1, -1, -1, -1}},
    },
    .class_count = 1,
    .names = (const char *const[]){"__init__", "pay", "receive", "rate", "total", "calls", "next", "append", NULL},
    .main = 3,
    .result = 29105630,
    .bytecodes = 76252, .births = 5760, .growths = 4, .bytes = 47416,
    .takes = 49203,
};

/* --- nbody: Five bodies attract each other: floats, and attributes of instances --- */

static const program_instruction nbody_code_0[] = {      /* Body.__init__ */
    {RESUME, 0}, {LOAD_FAST, 1}, {LOAD_FAST, 0}, {STORE_ATTR, 1}, {LOAD_FAST, 2}, {LOAD_FAST, 0}, {STORE_ATTR, 2},
    {LOAD_FAST, 3}, {LOAD_FAST, 0}, {STORE_ATTR, 3}, {LOAD_FAST, 4}, {LOAD_FAST, 0}, {STORE_ATTR, 4}, {LOAD_FAST, 5},
    {LOAD_FAST, 0}, {STORE_ATTR, 5}, {LOAD_FAST, 6}, {LOAD_FAST, 0}, {STORE_ATTR, 6}, {LOAD_FAST, 7}, {LOAD_FAST, 0},
    {STORE_ATTR, 7}, {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant nbody_constants_0[] = {
    {.kind = CONSTANT_NONE},
};

static const program_instruction nbody_code_1[] = {      /* attract */
    {RESUME, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 1}, {LOAD_FAST, 1}, {LOAD_ATTR, 1}, {BINARY_OP, 10}, {STORE_FAST, 3},
    {LOAD_FAST, 0}, {LOAD_ATTR, 2}, {LOAD_FAST, 1}, {LOAD_ATTR, 2}, {BINARY_OP, 10}, {STORE_FAST, 4}, {LOAD_FAST, 0},
    {LOAD_ATTR, 3}, {LOAD_FAST, 1}, {LOAD_ATTR, 3}, {BINARY_OP, 10}, {STORE_FAST, 5}, {LOAD_FAST, 3}, {LOAD_FAST, 3},
    {BINARY_OP, 5}, {LOAD_FAST, 4}, {LOAD_FAST, 4}, {BINARY_OP, 5}, {BINARY_OP, 0}, {LOAD_FAST, 5}, {LOAD_FAST, 5},
    {BINARY_OP, 5}, {BINARY_OP, 0}, {STORE_FAST, 6}, {LOAD_FAST, 2}, {LOAD_FAST, 6}, {LOAD_FAST, 6}, {LOAD_CONST, 1},
    {BINARY_OP, 8}, {BINARY_OP, 5}, {BINARY_OP, 11}, {STORE_FAST, 7}, {LOAD_FAST, 1}, {LOAD_ATTR, 7}, {LOAD_FAST, 7},
    {BINARY_OP, 5}, {STORE_FAST, 8}, {LOAD_FAST, 0}, {LOAD_ATTR, 4}, {LOAD_FAST, 3}, {LOAD_FAST, 8}, {BINARY_OP, 5},
    {BINARY_OP, 10}, {LOAD_FAST, 0}, {STORE_ATTR, 4}, {LOAD_FAST, 0}, {LOAD_ATTR, 5}, {LOAD_FAST, 4}, {LOAD_FAST, 8},
    {BINARY_OP, 5}, {BINARY_OP, 10}, {LOAD_FAST, 0}, {STORE_ATTR, 5}, {LOAD_FAST, 0}, {LOAD_ATTR, 6}, {LOAD_FAST, 5},
    {LOAD_FAST, 8}, {BINARY_OP, 5}, {BINARY_OP, 10}, {LOAD_FAST, 0}, {STORE_ATTR, 6}, {LOAD_FAST, 0}, {LOAD_ATTR, 7},
    {LOAD_FAST, 7}, {BINARY_OP, 5}, {STORE_FAST, 8}, {LOAD_FAST, 1}, {LOAD_ATTR, 4}, {LOAD_FAST, 3}, {LOAD_FAST, 8},
    {BINARY_OP, 5}, {BINARY_OP, 0}, {LOAD_FAST, 1}, {STORE_ATTR, 4}, {LOAD_FAST, 1}, {LOAD_ATTR, 5}, {LOAD_FAST, 4},
    {LOAD_FAST, 8}, {BINARY_OP, 5}, {BINARY_OP, 0}, {LOAD_FAST, 1}, {STORE_ATTR, 5}, {LOAD_FAST, 1}, {LOAD_ATTR, 6},
    {LOAD_FAST, 5}, {LOAD_FAST, 8}, {BINARY_OP, 5}, {BINARY_OP, 0}, {LOAD_FAST, 1}, {STORE_ATTR, 6}, {LOAD_CONST, 0},
    {RETURN_VALUE, 0},
};
static const program_constant nbody_constants_1[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_REAL, .real = 0.5},
};

static const program_instruction nbody_code_2[] = {      /* advance */
    {RESUME, 0}, {LOAD_GLOBAL_CALL, 1}, {LOAD_FAST, 0}, {PRECALL, 1}, {CALL, 1}, {STORE_FAST, 2},
    {LOAD_GLOBAL_CALL, 0}, {LOAD_FAST, 2}, {PRECALL, 1}, {CALL, 1}, {GET_ITER, 0}, {FOR_ITER, 36}, {STORE_FAST, 3},
    {LOAD_GLOBAL_CALL, 0}, {LOAD_FAST, 3}, {LOAD_CONST, 1}, {BINARY_OP, 0}, {LOAD_FAST, 2}, {PRECALL, 2}, {CALL, 2},
    {GET_ITER, 0}, {FOR_ITER, 35}, {STORE_FAST, 4}, {LOAD_GLOBAL_CALL, 5}, {LOAD_FAST, 0}, {LOAD_FAST, 3},
    {BINARY_SUBSCR, 0}, {LOAD_FAST, 0}, {LOAD_FAST, 4}, {BINARY_SUBSCR, 0}, {LOAD_FAST, 1}, {PRECALL, 3}, {CALL, 3},
    {POP_TOP, 0}, {JUMP, 21}, {JUMP, 11}, {LOAD_FAST, 0}, {GET_ITER, 0}, {FOR_ITER, 68}, {STORE_FAST, 5},
    {LOAD_FAST, 5}, {LOAD_ATTR, 1}, {LOAD_FAST, 1}, {LOAD_FAST, 5}, {LOAD_ATTR, 4}, {BINARY_OP, 5}, {BINARY_OP, 0},
    {LOAD_FAST, 5}, {STORE_ATTR, 1}, {LOAD_FAST, 5}, {LOAD_ATTR, 2}, {LOAD_FAST, 1}, {LOAD_FAST, 5}, {LOAD_ATTR, 5},
    {BINARY_OP, 5}, {BINARY_OP, 0}, {LOAD_FAST, 5}, {STORE_ATTR, 2}, {LOAD_FAST, 5}, {LOAD_ATTR, 3}, {LOAD_FAST, 1},
    {LOAD_FAST, 5}, {LOAD_ATTR, 6}, {BINARY_OP, 5}, {BINARY_OP, 0}, {LOAD_FAST, 5}, {STORE_ATTR, 3}, {JUMP, 38},
    {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant nbody_constants_2[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1},
};

static const program_instruction nbody_code_3[] = {      /* main */
    {RESUME, 0}, {LOAD_GLOBAL_CALL, 8}, {LOAD_CONST, 1}, {LOAD_CONST, 1}, {LOAD_CONST, 1}, {LOAD_CONST, 1},
    {LOAD_CONST, 1}, {LOAD_CONST, 1}, {LOAD_CONST, 2}, {PRECALL, 7}, {CALL, 7}, {LOAD_GLOBAL_CALL, 8},
    {LOAD_CONST, 3}, {LOAD_CONST, 4}, {LOAD_CONST, 5}, {LOAD_CONST, 6}, {LOAD_CONST, 7}, {LOAD_CONST, 8},
    {LOAD_CONST, 9}, {PRECALL, 7}, {CALL, 7}, {LOAD_GLOBAL_CALL, 8}, {LOAD_CONST, 10}, {LOAD_CONST, 11},
    {LOAD_CONST, 12}, {LOAD_CONST, 13}, {LOAD_CONST, 14}, {LOAD_CONST, 15}, {LOAD_CONST, 16}, {PRECALL, 7},
    {CALL, 7}, {LOAD_GLOBAL_CALL, 8}, {LOAD_CONST, 17}, {LOAD_CONST, 18}, {LOAD_CONST, 19}, {LOAD_CONST, 20},
    {LOAD_CONST, 21}, {LOAD_CONST, 22}, {LOAD_CONST, 23}, {PRECALL, 7}, {CALL, 7}, {LOAD_GLOBAL_CALL, 8},
    {LOAD_CONST, 24}, {LOAD_CONST, 25}, {LOAD_CONST, 26}, {LOAD_CONST, 27}, {LOAD_CONST, 28}, {LOAD_CONST, 29},
    {LOAD_CONST, 30}, {PRECALL, 7}, {CALL, 7}, {BUILD_LIST, 5}, {STORE_FAST, 0}, {LOAD_GLOBAL_CALL, 0},
    {LOAD_CONST, 31}, {PRECALL, 1}, {CALL, 1}, {GET_ITER, 0}, {FOR_ITER, 67}, {STORE_FAST, 1}, {LOAD_GLOBAL_CALL, 6},
    {LOAD_FAST, 0}, {LOAD_CONST, 32}, {PRECALL, 2}, {CALL, 2}, {POP_TOP, 0}, {JUMP, 58}, {LOAD_CONST, 1},
    {STORE_FAST, 2}, {LOAD_FAST, 0}, {GET_ITER, 0}, {FOR_ITER, 88}, {STORE_FAST, 3}, {LOAD_FAST, 2}, {LOAD_FAST, 3},
    {LOAD_ATTR, 1}, {LOAD_FAST, 3}, {LOAD_ATTR, 5}, {BINARY_OP, 5}, {BINARY_OP, 0}, {LOAD_FAST, 3}, {LOAD_ATTR, 2},
    {LOAD_FAST, 3}, {LOAD_ATTR, 4}, {BINARY_OP, 5}, {BINARY_OP, 10}, {STORE_FAST, 2}, {JUMP, 71},
    {LOAD_GLOBAL_CALL, 3}, {LOAD_FAST, 2}, {LOAD_CONST, 33}, {BINARY_OP, 5}, {PRECALL, 1}, {CALL, 1},
    {RETURN_VALUE, 0},
};
static const program_constant nbody_constants_3[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_REAL, .real = 0.0}, {.kind = CONSTANT_REAL, .real = 39.5},
    {.kind = CONSTANT_REAL, .real = 4.84}, {.kind = CONSTANT_REAL, .real = -1.16},
    {.kind = CONSTANT_REAL, .real = -0.1}, {.kind = CONSTANT_REAL, .real = 0.61},
    {.kind = CONSTANT_REAL, .real = 2.81}, {.kind = CONSTANT_REAL, .real = -0.02},
    {.kind = CONSTANT_REAL, .real = 0.0377}, {.kind = CONSTANT_REAL, .real = 8.34},
    {.kind = CONSTANT_REAL, .real = 4.12}, {.kind = CONSTANT_REAL, .real = -0.4},
    {.kind = CONSTANT_REAL, .real = -1.01}, {.kind = CONSTANT_REAL, .real = 1.82},
    {.kind = CONSTANT_REAL, .real = 0.008}, {.kind = CONSTANT_REAL, .real = 0.0113},
    {.kind = CONSTANT_REAL, .real = 12.9}, {.kind = CONSTANT_REAL, .real = -15.1},
    {.kind = CONSTANT_REAL, .real = -0.22}, {.kind = CONSTANT_REAL, .real = 1.08},
    {.kind = CONSTANT_REAL, .real = 0.87}, {.kind = CONSTANT_REAL, .real = -0.01},
    {.kind = CONSTANT_REAL, .real = 0.0017}, {.kind = CONSTANT_REAL, .real = 15.4},
    {.kind = CONSTANT_REAL, .real = -25.9}, {.kind = CONSTANT_REAL, .real = 0.18},
    {.kind = CONSTANT_REAL, .real = 0.98}, {.kind = CONSTANT_REAL, .real = 0.59},
    {.kind = CONSTANT_REAL, .real = -0.03}, {.kind = CONSTANT_REAL, .real = 0.002},
    {.kind = CONSTANT_INTEGER, .integer = 30}, {.kind = CONSTANT_REAL, .real = 0.01},
    {.kind = CONSTANT_REAL, .real = 1000000000.0},
};

static const program nbody_program = {
    .name = "nbody",
    .functions = (const program_function[]){
        {.name = "Body.__init__", .arguments = 8, .locals = 8, .stack = 2, .code = nbody_code_0,
         .constants = nbody_constants_0, .constant_count = 1},
        {.name = "attract", .arguments = 3, .locals = 9, .stack = 4, .code = nbody_code_1,
         .constants = nbody_constants_1, .constant_count = 2},
        {.name = "advance", .arguments = 2, .locals = 6, .stack = 7, .code = nbody_code_2,
         .constants = nbody_constants_2, .constant_count = 2},
        {.name = "main", .arguments = 0, .locals = 4, .stack = 13, .code = nbody_code_3,
         .constants = nbody_constants_3, .constant_count = 34},
    },
    .function_count = 4,
    .classes = (const program_class[]){
        {.name = "Body", .attributes = 7, .initializer = 0,
         .slot = (const int8_t[]){-1, 0, 1, 2, 3, 4, 5, 6},
         .method = (const int8_t[]){0, -1, -1, -1, -1, -1, -1, -1}},
    },
    .class_count = 1,
    .names = (const char *const[]){"__init__", "x", "y", "z", "vx", "vy", "vz", "mass", NULL},
    .main = 3,
    .result = 95646333121,
    .bytecodes = 41256, .births = 8821, .growths = 1, .bytes = 76984,
    .takes = 25035,
};

/* --- richards: Richards: the kernel of an operating system schedules six tasks that pass packets to each other.

Written from the description of the benchmark (M. Richards, Bench, 1981; also known from Self, V8 and pyperformance): tasks by
identity: 0 idle, 1 worker, 2 and 3 handlers, 4 and 5 devices; packets are of kind 0, for a device, or 1, work.
1000 rounds of the idle task queue 2322 packets and hold 928 times, in every implementation.
 --- */

static const program_instruction richards_code_0[] = {      /* Packet.__init__ */
    {RESUME, 0}, {LOAD_FAST, 1}, {LOAD_FAST, 0}, {STORE_ATTR, 10}, {LOAD_FAST, 2}, {LOAD_FAST, 0}, {STORE_ATTR, 11},
    {LOAD_FAST, 3}, {LOAD_FAST, 0}, {STORE_ATTR, 12}, {LOAD_CONST, 1}, {LOAD_FAST, 0}, {STORE_ATTR, 13},
    {LOAD_CONST, 1}, {BUILD_LIST, 1}, {LOAD_CONST, 2}, {BINARY_OP, 5}, {LOAD_FAST, 0}, {STORE_ATTR, 14},
    {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_0[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 0}, {.kind = CONSTANT_INTEGER, .integer = 4},
};

static const program_instruction richards_code_1[] = {      /* put_last */
    {RESUME, 0}, {LOAD_CONST, 0}, {LOAD_FAST, 0}, {STORE_ATTR, 10}, {LOAD_FAST, 1}, {POP_JUMP_IF_NOT_NONE, 8},
    {LOAD_FAST, 0}, {RETURN_VALUE, 0}, {LOAD_FAST, 1}, {STORE_FAST, 2}, {LOAD_FAST, 2}, {LOAD_ATTR, 10},
    {POP_JUMP_IF_NONE, 19}, {LOAD_FAST, 2}, {LOAD_ATTR, 10}, {STORE_FAST, 2}, {LOAD_FAST, 2}, {LOAD_ATTR, 10},
    {POP_JUMP_IF_NOT_NONE, 13}, {LOAD_FAST, 0}, {LOAD_FAST, 2}, {STORE_ATTR, 10}, {LOAD_FAST, 1}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_1[] = {
    {.kind = CONSTANT_NONE},
};

static const program_instruction richards_code_2[] = {      /* Task.__init__ */
    {RESUME, 0}, {LOAD_FAST, 1}, {LOAD_FAST, 0}, {STORE_ATTR, 10}, {LOAD_FAST, 2}, {LOAD_FAST, 0}, {STORE_ATTR, 11},
    {LOAD_FAST, 3}, {LOAD_FAST, 0}, {STORE_ATTR, 15}, {LOAD_FAST, 4}, {LOAD_FAST, 0}, {STORE_ATTR, 8},
    {LOAD_CONST, 1}, {LOAD_FAST, 0}, {STORE_ATTR, 16}, {LOAD_FAST, 4}, {POP_JUMP_IF_NONE, 21}, {LOAD_CONST, 2},
    {LOAD_FAST, 0}, {STORE_ATTR, 16}, {LOAD_FAST, 5}, {LOAD_FAST, 0}, {STORE_ATTR, 17}, {LOAD_CONST, 1},
    {LOAD_FAST, 0}, {STORE_ATTR, 18}, {LOAD_FAST, 6}, {LOAD_FAST, 0}, {STORE_ATTR, 19}, {LOAD_CONST, 0},
    {RETURN_VALUE, 0},
};
static const program_constant richards_constants_2[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 0}, {.kind = CONSTANT_INTEGER, .integer = 1},
};

static const program_instruction richards_code_3[] = {      /* Task.blocked */
    {RESUME, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 18}, {LOAD_CONST, 1}, {COMPARE_OP, 2}, {POP_JUMP_IF_FALSE, 8},
    {LOAD_CONST, 1}, {RETURN_VALUE, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 17}, {LOAD_CONST, 1}, {COMPARE_OP, 2},
    {POP_JUMP_IF_FALSE, 20}, {LOAD_FAST, 0}, {LOAD_ATTR, 16}, {LOAD_CONST, 2}, {COMPARE_OP, 2},
    {POP_JUMP_IF_FALSE, 20}, {LOAD_CONST, 1}, {RETURN_VALUE, 0}, {LOAD_CONST, 2}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_3[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1}, {.kind = CONSTANT_INTEGER, .integer = 0},
};

static const program_instruction richards_code_4[] = {      /* Task.add */
    {RESUME, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 8}, {POP_JUMP_IF_NOT_NONE, 20}, {LOAD_FAST, 2}, {LOAD_FAST, 0},
    {STORE_ATTR, 8}, {LOAD_CONST, 1}, {LOAD_FAST, 0}, {STORE_ATTR, 16}, {LOAD_FAST, 0}, {LOAD_ATTR, 15},
    {LOAD_FAST, 1}, {LOAD_ATTR, 20}, {LOAD_ATTR, 15}, {COMPARE_OP, 4}, {POP_JUMP_IF_FALSE, 19}, {LOAD_FAST, 0},
    {RETURN_VALUE, 0}, {JUMP, 28}, {LOAD_GLOBAL_CALL, 5}, {LOAD_FAST, 2}, {LOAD_FAST, 0}, {LOAD_ATTR, 8},
    {PRECALL, 2}, {CALL, 2}, {LOAD_FAST, 0}, {STORE_ATTR, 8}, {LOAD_FAST, 1}, {LOAD_ATTR, 20}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_4[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1},
};

static const program_instruction richards_code_5[] = {      /* Task.run */
    {RESUME, 0}, {LOAD_CONST, 0}, {STORE_FAST, 2}, {LOAD_FAST, 0}, {LOAD_ATTR, 17}, {LOAD_CONST, 1}, {COMPARE_OP, 2},
    {POP_JUMP_IF_FALSE, 34}, {LOAD_FAST, 0}, {LOAD_ATTR, 16}, {LOAD_CONST, 1}, {COMPARE_OP, 2},
    {POP_JUMP_IF_FALSE, 34}, {LOAD_FAST, 0}, {LOAD_ATTR, 18}, {LOAD_CONST, 2}, {COMPARE_OP, 2},
    {POP_JUMP_IF_FALSE, 34}, {LOAD_FAST, 0}, {LOAD_ATTR, 8}, {STORE_FAST, 2}, {LOAD_FAST, 2}, {LOAD_ATTR, 10},
    {LOAD_FAST, 0}, {STORE_ATTR, 8}, {LOAD_CONST, 2}, {LOAD_FAST, 0}, {STORE_ATTR, 17}, {LOAD_FAST, 0},
    {LOAD_ATTR, 8}, {POP_JUMP_IF_NOT_NONE, 34}, {LOAD_CONST, 2}, {LOAD_FAST, 0}, {STORE_ATTR, 16}, {LOAD_FAST, 0},
    {LOAD_ATTR, 19}, {LOAD_METHOD, 3}, {LOAD_FAST, 1}, {LOAD_FAST, 2}, {PRECALL, 2}, {CALL, 2}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_5[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1}, {.kind = CONSTANT_INTEGER, .integer = 0},
};

static const program_instruction richards_code_6[] = {      /* Kernel.__init__ */
    {RESUME, 0}, {LOAD_CONST, 0}, {LOAD_FAST, 0}, {STORE_ATTR, 21}, {LOAD_CONST, 0}, {LOAD_FAST, 0},
    {STORE_ATTR, 20}, {BUILD_LIST, 0}, {LOAD_FAST, 0}, {STORE_ATTR, 22}, {LOAD_CONST, 1}, {LOAD_FAST, 0},
    {STORE_ATTR, 23}, {LOAD_CONST, 1}, {LOAD_FAST, 0}, {STORE_ATTR, 24}, {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_6[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 0},
};

static const program_instruction richards_code_7[] = {      /* Kernel.create */
    {RESUME, 0}, {LOAD_GLOBAL_CALL, 28}, {LOAD_FAST, 0}, {LOAD_ATTR, 21}, {LOAD_GLOBAL_CALL, 1}, {LOAD_FAST, 0},
    {LOAD_ATTR, 22}, {PRECALL, 1}, {CALL, 1}, {LOAD_FAST, 1}, {LOAD_FAST, 2}, {LOAD_FAST, 3}, {LOAD_FAST, 4},
    {PRECALL, 6}, {CALL, 6}, {LOAD_FAST, 0}, {STORE_ATTR, 21}, {LOAD_FAST, 0}, {LOAD_ATTR, 22}, {LOAD_METHOD, 25},
    {LOAD_FAST, 0}, {LOAD_ATTR, 21}, {PRECALL, 1}, {CALL, 1}, {POP_TOP, 0}, {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_7[] = {
    {.kind = CONSTANT_NONE},
};

static const program_instruction richards_code_8[] = {      /* Kernel.wait */
    {RESUME, 0}, {LOAD_CONST, 1}, {LOAD_FAST, 0}, {LOAD_ATTR, 20}, {STORE_ATTR, 17}, {LOAD_FAST, 0}, {LOAD_ATTR, 20},
    {RETURN_VALUE, 0},
};
static const program_constant richards_constants_8[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1},
};

static const program_instruction richards_code_9[] = {      /* Kernel.hold */
    {RESUME, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 24}, {LOAD_CONST, 1}, {BINARY_OP, 0}, {LOAD_FAST, 0}, {STORE_ATTR, 24},
    {LOAD_CONST, 1}, {LOAD_FAST, 0}, {LOAD_ATTR, 20}, {STORE_ATTR, 18}, {LOAD_FAST, 0}, {LOAD_ATTR, 20},
    {LOAD_ATTR, 10}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_9[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1},
};

static const program_instruction richards_code_10[] = {      /* Kernel.release */
    {RESUME, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 22}, {LOAD_FAST, 1}, {BINARY_SUBSCR, 0}, {STORE_FAST, 2},
    {LOAD_CONST, 1}, {LOAD_FAST, 2}, {STORE_ATTR, 18}, {LOAD_FAST, 2}, {LOAD_ATTR, 15}, {LOAD_FAST, 0},
    {LOAD_ATTR, 20}, {LOAD_ATTR, 15}, {COMPARE_OP, 4}, {POP_JUMP_IF_FALSE, 18}, {LOAD_FAST, 2}, {RETURN_VALUE, 0},
    {LOAD_FAST, 0}, {LOAD_ATTR, 20}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_10[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 0},
};

static const program_instruction richards_code_11[] = {      /* Kernel.queue */
    {RESUME, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 22}, {LOAD_FAST, 1}, {LOAD_ATTR, 11}, {BINARY_SUBSCR, 0},
    {STORE_FAST, 2}, {LOAD_FAST, 0}, {LOAD_ATTR, 23}, {LOAD_CONST, 1}, {BINARY_OP, 0}, {LOAD_FAST, 0},
    {STORE_ATTR, 23}, {LOAD_CONST, 0}, {LOAD_FAST, 1}, {STORE_ATTR, 10}, {LOAD_FAST, 0}, {LOAD_ATTR, 20},
    {LOAD_ATTR, 11}, {LOAD_FAST, 1}, {STORE_ATTR, 11}, {LOAD_FAST, 2}, {LOAD_METHOD, 2}, {LOAD_FAST, 0},
    {LOAD_FAST, 1}, {PRECALL, 2}, {CALL, 2}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_11[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1},
};

static const program_instruction richards_code_12[] = {      /* Kernel.schedule */
    {RESUME, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 21}, {STORE_FAST, 1}, {LOAD_FAST, 1}, {POP_JUMP_IF_NONE, 28},
    {LOAD_FAST, 1}, {LOAD_METHOD, 1}, {PRECALL, 0}, {CALL, 0}, {LOAD_CONST, 1}, {COMPARE_OP, 2},
    {POP_JUMP_IF_FALSE, 17}, {LOAD_FAST, 1}, {LOAD_ATTR, 10}, {STORE_FAST, 1}, {JUMP, 26}, {LOAD_FAST, 1},
    {LOAD_FAST, 0}, {STORE_ATTR, 20}, {LOAD_FAST, 1}, {LOAD_METHOD, 3}, {LOAD_FAST, 0}, {PRECALL, 1}, {CALL, 1},
    {STORE_FAST, 1}, {LOAD_FAST, 1}, {POP_JUMP_IF_NOT_NONE, 6}, {LOAD_CONST, 0}, {LOAD_FAST, 0}, {STORE_ATTR, 20},
    {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_12[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1},
};

static const program_instruction richards_code_13[] = {      /* Idle.__init__ */
    {RESUME, 0}, {LOAD_CONST, 1}, {LOAD_FAST, 0}, {STORE_ATTR, 26}, {LOAD_FAST, 1}, {LOAD_FAST, 0}, {STORE_ATTR, 27},
    {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_13[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1},
};

static const program_instruction richards_code_14[] = {      /* Idle.run */
    {RESUME, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 27}, {LOAD_CONST, 1}, {BINARY_OP, 10}, {LOAD_FAST, 0}, {STORE_ATTR, 27},
    {LOAD_FAST, 0}, {LOAD_ATTR, 27}, {LOAD_CONST, 2}, {COMPARE_OP, 2}, {POP_JUMP_IF_FALSE, 17}, {LOAD_FAST, 1},
    {LOAD_METHOD, 6}, {PRECALL, 0}, {CALL, 0}, {RETURN_VALUE, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 26}, {LOAD_CONST, 1},
    {BINARY_OP, 1}, {STORE_FAST, 3}, {LOAD_FAST, 0}, {LOAD_ATTR, 26}, {LOAD_CONST, 3}, {BINARY_OP, 2},
    {LOAD_FAST, 0}, {STORE_ATTR, 26}, {LOAD_FAST, 3}, {LOAD_CONST, 2}, {COMPARE_OP, 2}, {POP_JUMP_IF_FALSE, 38},
    {LOAD_FAST, 1}, {LOAD_METHOD, 7}, {LOAD_CONST, 4}, {PRECALL, 1}, {CALL, 1}, {RETURN_VALUE, 0}, {LOAD_FAST, 0},
    {LOAD_ATTR, 26}, {LOAD_CONST, 5}, {BINARY_OP, 12}, {LOAD_FAST, 0}, {STORE_ATTR, 26}, {LOAD_FAST, 1},
    {LOAD_METHOD, 7}, {LOAD_CONST, 6}, {PRECALL, 1}, {CALL, 1}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_14[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1}, {.kind = CONSTANT_INTEGER, .integer = 0},
    {.kind = CONSTANT_INTEGER, .integer = 2}, {.kind = CONSTANT_INTEGER, .integer = 4},
    {.kind = CONSTANT_INTEGER, .integer = 53256}, {.kind = CONSTANT_INTEGER, .integer = 5},
};

static const program_instruction richards_code_15[] = {      /* Worker.__init__ */
    {RESUME, 0}, {LOAD_CONST, 1}, {LOAD_FAST, 0}, {STORE_ATTR, 28}, {LOAD_CONST, 2}, {LOAD_FAST, 0},
    {STORE_ATTR, 29}, {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_15[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 2}, {.kind = CONSTANT_INTEGER, .integer = 0},
};

static const program_instruction richards_code_16[] = {      /* Worker.run */
    {RESUME, 0}, {LOAD_FAST, 2}, {POP_JUMP_IF_NOT_NONE, 8}, {LOAD_FAST, 1}, {LOAD_METHOD, 5}, {PRECALL, 0},
    {CALL, 0}, {RETURN_VALUE, 0}, {LOAD_CONST, 1}, {LOAD_FAST, 0}, {LOAD_ATTR, 28}, {BINARY_OP, 10}, {LOAD_FAST, 0},
    {STORE_ATTR, 28}, {LOAD_FAST, 0}, {LOAD_ATTR, 28}, {LOAD_FAST, 2}, {STORE_ATTR, 11}, {LOAD_CONST, 2},
    {LOAD_FAST, 2}, {STORE_ATTR, 13}, {LOAD_GLOBAL_CALL, 0}, {LOAD_CONST, 3}, {PRECALL, 1}, {CALL, 1}, {GET_ITER, 0},
    {FOR_ITER, 49}, {STORE_FAST, 3}, {LOAD_FAST, 0}, {LOAD_ATTR, 29}, {LOAD_CONST, 4}, {BINARY_OP, 0},
    {LOAD_FAST, 0}, {STORE_ATTR, 29}, {LOAD_FAST, 0}, {LOAD_ATTR, 29}, {LOAD_CONST, 5}, {COMPARE_OP, 4},
    {POP_JUMP_IF_FALSE, 42}, {LOAD_CONST, 4}, {LOAD_FAST, 0}, {STORE_ATTR, 29}, {LOAD_FAST, 0}, {LOAD_ATTR, 29},
    {LOAD_FAST, 2}, {LOAD_ATTR, 14}, {LOAD_FAST, 3}, {STORE_SUBSCR, 0}, {JUMP, 26}, {LOAD_FAST, 1}, {LOAD_METHOD, 8},
    {LOAD_FAST, 2}, {PRECALL, 1}, {CALL, 1}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_16[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 5}, {.kind = CONSTANT_INTEGER, .integer = 0},
    {.kind = CONSTANT_INTEGER, .integer = 4}, {.kind = CONSTANT_INTEGER, .integer = 1},
    {.kind = CONSTANT_INTEGER, .integer = 26},
};

static const program_instruction richards_code_17[] = {      /* Handler.__init__ */
    {RESUME, 0}, {LOAD_CONST, 0}, {LOAD_FAST, 0}, {STORE_ATTR, 19}, {LOAD_CONST, 0}, {LOAD_FAST, 0},
    {STORE_ATTR, 30}, {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_17[] = {
    {.kind = CONSTANT_NONE},
};

static const program_instruction richards_code_18[] = {      /* Handler.run */
    {RESUME, 0}, {LOAD_FAST, 2}, {POP_JUMP_IF_NONE, 25}, {LOAD_FAST, 2}, {LOAD_ATTR, 12}, {LOAD_CONST, 1},
    {COMPARE_OP, 2}, {POP_JUMP_IF_FALSE, 17}, {LOAD_GLOBAL_CALL, 5}, {LOAD_FAST, 2}, {LOAD_FAST, 0}, {LOAD_ATTR, 19},
    {PRECALL, 2}, {CALL, 2}, {LOAD_FAST, 0}, {STORE_ATTR, 19}, {JUMP, 25}, {LOAD_GLOBAL_CALL, 5}, {LOAD_FAST, 2},
    {LOAD_FAST, 0}, {LOAD_ATTR, 30}, {PRECALL, 2}, {CALL, 2}, {LOAD_FAST, 0}, {STORE_ATTR, 30}, {LOAD_FAST, 0},
    {LOAD_ATTR, 19}, {STORE_FAST, 3}, {LOAD_FAST, 3}, {POP_JUMP_IF_NONE, 73}, {LOAD_FAST, 3}, {LOAD_ATTR, 13},
    {LOAD_CONST, 2}, {COMPARE_OP, 5}, {POP_JUMP_IF_FALSE, 45}, {LOAD_FAST, 3}, {LOAD_ATTR, 10}, {LOAD_FAST, 0},
    {STORE_ATTR, 19}, {LOAD_FAST, 1}, {LOAD_METHOD, 8}, {LOAD_FAST, 3}, {PRECALL, 1}, {CALL, 1}, {RETURN_VALUE, 0},
    {LOAD_FAST, 0}, {LOAD_ATTR, 30}, {STORE_FAST, 2}, {LOAD_FAST, 2}, {POP_JUMP_IF_NONE, 73}, {LOAD_FAST, 2},
    {LOAD_ATTR, 10}, {LOAD_FAST, 0}, {STORE_ATTR, 30}, {LOAD_FAST, 3}, {LOAD_ATTR, 14}, {LOAD_FAST, 3},
    {LOAD_ATTR, 13}, {BINARY_SUBSCR, 0}, {LOAD_FAST, 2}, {STORE_ATTR, 13}, {LOAD_FAST, 3}, {LOAD_ATTR, 13},
    {LOAD_CONST, 1}, {BINARY_OP, 0}, {LOAD_FAST, 3}, {STORE_ATTR, 13}, {LOAD_FAST, 1}, {LOAD_METHOD, 8},
    {LOAD_FAST, 2}, {PRECALL, 1}, {CALL, 1}, {RETURN_VALUE, 0}, {LOAD_FAST, 1}, {LOAD_METHOD, 5}, {PRECALL, 0},
    {CALL, 0}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_18[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1}, {.kind = CONSTANT_INTEGER, .integer = 4},
};

static const program_instruction richards_code_19[] = {      /* Device.__init__ */
    {RESUME, 0}, {LOAD_CONST, 0}, {LOAD_FAST, 0}, {STORE_ATTR, 31}, {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_19[] = {
    {.kind = CONSTANT_NONE},
};

static const program_instruction richards_code_20[] = {      /* Device.run */
    {RESUME, 0}, {LOAD_FAST, 2}, {POP_JUMP_IF_NONE, 11}, {LOAD_FAST, 2}, {LOAD_FAST, 0}, {STORE_ATTR, 31},
    {LOAD_FAST, 1}, {LOAD_METHOD, 6}, {PRECALL, 0}, {CALL, 0}, {RETURN_VALUE, 0}, {LOAD_FAST, 0}, {LOAD_ATTR, 31},
    {STORE_FAST, 2}, {LOAD_FAST, 2}, {POP_JUMP_IF_NOT_NONE, 21}, {LOAD_FAST, 1}, {LOAD_METHOD, 5}, {PRECALL, 0},
    {CALL, 0}, {RETURN_VALUE, 0}, {LOAD_CONST, 0}, {LOAD_FAST, 0}, {STORE_ATTR, 31}, {LOAD_FAST, 1},
    {LOAD_METHOD, 8}, {LOAD_FAST, 2}, {PRECALL, 1}, {CALL, 1}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_20[] = {
    {.kind = CONSTANT_NONE},
};

static const program_instruction richards_code_21[] = {      /* run */
    {RESUME, 0}, {LOAD_GLOBAL_CALL, 29}, {PRECALL, 0}, {CALL, 0}, {STORE_FAST, 1}, {LOAD_FAST, 1}, {LOAD_METHOD, 4},
    {LOAD_CONST, 1}, {LOAD_CONST, 0}, {LOAD_CONST, 1}, {LOAD_GLOBAL_CALL, 30}, {LOAD_FAST, 0}, {PRECALL, 1},
    {CALL, 1}, {PRECALL, 4}, {CALL, 4}, {POP_TOP, 0}, {LOAD_FAST, 1}, {LOAD_METHOD, 4}, {LOAD_CONST, 2},
    {LOAD_GLOBAL_CALL, 27}, {LOAD_GLOBAL_CALL, 27}, {LOAD_CONST, 0}, {LOAD_CONST, 3}, {LOAD_CONST, 3}, {PRECALL, 3},
    {CALL, 3}, {LOAD_CONST, 3}, {LOAD_CONST, 3}, {PRECALL, 3}, {CALL, 3}, {LOAD_CONST, 3}, {LOAD_GLOBAL_CALL, 31},
    {PRECALL, 0}, {CALL, 0}, {PRECALL, 4}, {CALL, 4}, {POP_TOP, 0}, {LOAD_FAST, 1}, {LOAD_METHOD, 4},
    {LOAD_CONST, 4}, {LOAD_GLOBAL_CALL, 27}, {LOAD_GLOBAL_CALL, 27}, {LOAD_GLOBAL_CALL, 27}, {LOAD_CONST, 0},
    {LOAD_CONST, 5}, {LOAD_CONST, 1}, {PRECALL, 3}, {CALL, 3}, {LOAD_CONST, 5}, {LOAD_CONST, 1}, {PRECALL, 3},
    {CALL, 3}, {LOAD_CONST, 5}, {LOAD_CONST, 1}, {PRECALL, 3}, {CALL, 3}, {LOAD_CONST, 3}, {LOAD_GLOBAL_CALL, 32},
    {PRECALL, 0}, {CALL, 0}, {PRECALL, 4}, {CALL, 4}, {POP_TOP, 0}, {LOAD_FAST, 1}, {LOAD_METHOD, 4},
    {LOAD_CONST, 6}, {LOAD_GLOBAL_CALL, 27}, {LOAD_GLOBAL_CALL, 27}, {LOAD_GLOBAL_CALL, 27}, {LOAD_CONST, 0},
    {LOAD_CONST, 7}, {LOAD_CONST, 1}, {PRECALL, 3}, {CALL, 3}, {LOAD_CONST, 7}, {LOAD_CONST, 1}, {PRECALL, 3},
    {CALL, 3}, {LOAD_CONST, 7}, {LOAD_CONST, 1}, {PRECALL, 3}, {CALL, 3}, {LOAD_CONST, 3}, {LOAD_GLOBAL_CALL, 32},
    {PRECALL, 0}, {CALL, 0}, {PRECALL, 4}, {CALL, 4}, {POP_TOP, 0}, {LOAD_FAST, 1}, {LOAD_METHOD, 4},
    {LOAD_CONST, 8}, {LOAD_CONST, 0}, {LOAD_CONST, 3}, {LOAD_GLOBAL_CALL, 33}, {PRECALL, 0}, {CALL, 0}, {PRECALL, 4},
    {CALL, 4}, {POP_TOP, 0}, {LOAD_FAST, 1}, {LOAD_METHOD, 4}, {LOAD_CONST, 9}, {LOAD_CONST, 0}, {LOAD_CONST, 3},
    {LOAD_GLOBAL_CALL, 33}, {PRECALL, 0}, {CALL, 0}, {PRECALL, 4}, {CALL, 4}, {POP_TOP, 0}, {LOAD_FAST, 1},
    {LOAD_METHOD, 9}, {PRECALL, 0}, {CALL, 0}, {POP_TOP, 0}, {LOAD_FAST, 1}, {LOAD_ATTR, 23}, {LOAD_CONST, 10},
    {BINARY_OP, 5}, {LOAD_FAST, 1}, {LOAD_ATTR, 24}, {BINARY_OP, 0}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_21[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 0}, {.kind = CONSTANT_INTEGER, .integer = 1000},
    {.kind = CONSTANT_INTEGER, .integer = 1}, {.kind = CONSTANT_INTEGER, .integer = 2000},
    {.kind = CONSTANT_INTEGER, .integer = 4}, {.kind = CONSTANT_INTEGER, .integer = 3000},
    {.kind = CONSTANT_INTEGER, .integer = 5}, {.kind = CONSTANT_INTEGER, .integer = 4000},
    {.kind = CONSTANT_INTEGER, .integer = 5000}, {.kind = CONSTANT_INTEGER, .integer = 100000},
};

static const program_instruction richards_code_22[] = {      /* main */
    {RESUME, 0}, {LOAD_GLOBAL_CALL, 25}, {LOAD_CONST, 1}, {PRECALL, 1}, {CALL, 1}, {RETURN_VALUE, 0},
};
static const program_constant richards_constants_22[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 150},
};

static const program richards_program = {
    .name = "richards",
    .functions = (const program_function[]){
        {.name = "Packet.__init__", .arguments = 4, .locals = 4, .stack = 2, .code = richards_code_0,
         .constants = richards_constants_0, .constant_count = 3},
        {.name = "put_last", .arguments = 2, .locals = 3, .stack = 2, .code = richards_code_1,
         .constants = richards_constants_1, .constant_count = 1},
        {.name = "Task.__init__", .arguments = 7, .locals = 7, .stack = 2, .code = richards_code_2,
         .constants = richards_constants_2, .constant_count = 3},
        {.name = "Task.blocked", .arguments = 1, .locals = 1, .stack = 2, .code = richards_code_3,
         .constants = richards_constants_3, .constant_count = 3},
        {.name = "Task.add", .arguments = 3, .locals = 3, .stack = 4, .code = richards_code_4,
         .constants = richards_constants_4, .constant_count = 2},
        {.name = "Task.run", .arguments = 2, .locals = 3, .stack = 4, .code = richards_code_5,
         .constants = richards_constants_5, .constant_count = 3},
        {.name = "Kernel.__init__", .arguments = 1, .locals = 1, .stack = 2, .code = richards_code_6,
         .constants = richards_constants_6, .constant_count = 2},
        {.name = "Kernel.create", .arguments = 5, .locals = 5, .stack = 8, .code = richards_code_7,
         .constants = richards_constants_7, .constant_count = 1},
        {.name = "Kernel.wait", .arguments = 1, .locals = 1, .stack = 2, .code = richards_code_8,
         .constants = richards_constants_8, .constant_count = 2},
        {.name = "Kernel.hold", .arguments = 1, .locals = 1, .stack = 2, .code = richards_code_9,
         .constants = richards_constants_9, .constant_count = 2},
        {.name = "Kernel.release", .arguments = 2, .locals = 3, .stack = 2, .code = richards_code_10,
         .constants = richards_constants_10, .constant_count = 2},
        {.name = "Kernel.queue", .arguments = 2, .locals = 3, .stack = 4, .code = richards_code_11,
         .constants = richards_constants_11, .constant_count = 2},
        {.name = "Kernel.schedule", .arguments = 1, .locals = 2, .stack = 3, .code = richards_code_12,
         .constants = richards_constants_12, .constant_count = 2},
        {.name = "Idle.__init__", .arguments = 2, .locals = 2, .stack = 2, .code = richards_code_13,
         .constants = richards_constants_13, .constant_count = 2},
        {.name = "Idle.run", .arguments = 3, .locals = 4, .stack = 3, .code = richards_code_14,
         .constants = richards_constants_14, .constant_count = 7},
        {.name = "Worker.__init__", .arguments = 1, .locals = 1, .stack = 2, .code = richards_code_15,
         .constants = richards_constants_15, .constant_count = 3},
        {.name = "Worker.run", .arguments = 3, .locals = 4, .stack = 4, .code = richards_code_16,
         .constants = richards_constants_16, .constant_count = 6},
        {.name = "Handler.__init__", .arguments = 1, .locals = 1, .stack = 2, .code = richards_code_17,
         .constants = richards_constants_17, .constant_count = 1},
        {.name = "Handler.run", .arguments = 3, .locals = 4, .stack = 4, .code = richards_code_18,
         .constants = richards_constants_18, .constant_count = 3},
        {.name = "Device.__init__", .arguments = 1, .locals = 1, .stack = 2, .code = richards_code_19,
         .constants = richards_constants_19, .constant_count = 1},
        {.name = "Device.run", .arguments = 3, .locals = 3, .stack = 3, .code = richards_code_20,
         .constants = richards_constants_20, .constant_count = 1},
        {.name = "run", .arguments = 1, .locals = 2, .stack = 12, .code = richards_code_21,
         .constants = richards_constants_21, .constant_count = 11},
        {.name = "main", .arguments = 0, .locals = 0, .stack = 3, .code = richards_code_22,
         .constants = richards_constants_22, .constant_count = 2},
    },
    .function_count = 23,
    .classes = (const program_class[]){
        {.name = "Packet", .attributes = 5, .initializer = 0,
         .slot = (const int8_t[]){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 3, 4, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},
         .method = (const int8_t[]){0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
        {.name = "Task", .attributes = 9, .initializer = 2,
         .slot = (const int8_t[]){-1, -1, -1, -1, -1, -1, -1, -1, 3, -1, 0, 1, -1, -1, -1, 2, 4, 6, 7, 8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},
         .method = (const int8_t[]){2, 3, 4, 5, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
        {.name = "Kernel", .attributes = 5, .initializer = 6,
         .slot = (const int8_t[]){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 0, 2, 3, 4, -1, -1, -1, -1, -1, -1, -1},
         .method = (const int8_t[]){6, -1, -1, -1, 7, 8, 9, 10, 11, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
        {.name = "Idle", .attributes = 2, .initializer = 13,
         .slot = (const int8_t[]){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1, -1, -1, -1, -1},
         .method = (const int8_t[]){13, -1, -1, 14, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
        {.name = "Worker", .attributes = 2, .initializer = 15,
         .slot = (const int8_t[]){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1, -1, -1},
         .method = (const int8_t[]){15, -1, -1, 16, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
        {.name = "Handler", .attributes = 2, .initializer = 17,
         .slot = (const int8_t[]){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, -1},
         .method = (const int8_t[]){17, -1, -1, 18, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
        {.name = "Device", .attributes = 1, .initializer = 19,
         .slot = (const int8_t[]){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0},
         .method = (const int8_t[]){19, -1, -1, 20, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
    },
    .class_count = 7,
    .names = (const char *const[]){"__init__", "blocked", "add", "run", "create", "wait", "hold", "release", "queue", "schedule", "link", "identity", "kind", "first", "data", "priority", "pending", "waiting", "holding", "work", "current", "list", "table", "queued", "held", "append", "control", "count", "handler", "letter", "devices", "packet", NULL},
    .main = 22,
    .result = 35200140,
    .bytecodes = 132997, .births = 437, .growths = 18, .bytes = 6408,
    .takes = 82056,
};

/* --- sieve: The sieve of Eratosthenes: a list read and written by index, loops over ranges --- */

static const program_instruction sieve_code_0[] = {      /* main */
    {RESUME, 0}, {LOAD_CONST, 1}, {STORE_FAST, 0}, {LOAD_CONST, 2}, {BUILD_LIST, 1}, {LOAD_FAST, 0}, {BINARY_OP, 5},
    {STORE_FAST, 1}, {LOAD_CONST, 3}, {STORE_FAST, 2}, {LOAD_GLOBAL_CALL, 0}, {LOAD_CONST, 4}, {LOAD_FAST, 0},
    {PRECALL, 2}, {CALL, 2}, {GET_ITER, 0}, {FOR_ITER, 45}, {STORE_FAST, 3}, {LOAD_FAST, 1}, {LOAD_FAST, 3},
    {BINARY_SUBSCR, 0}, {LOAD_CONST, 2}, {COMPARE_OP, 2}, {POP_JUMP_IF_FALSE, 44}, {LOAD_FAST, 2}, {LOAD_CONST, 2},
    {BINARY_OP, 0}, {STORE_FAST, 2}, {LOAD_GLOBAL_CALL, 0}, {LOAD_FAST, 3}, {LOAD_FAST, 3}, {BINARY_OP, 5},
    {LOAD_FAST, 0}, {LOAD_FAST, 3}, {PRECALL, 3}, {CALL, 3}, {GET_ITER, 0}, {FOR_ITER, 44}, {STORE_FAST, 4},
    {LOAD_CONST, 3}, {LOAD_FAST, 1}, {LOAD_FAST, 4}, {STORE_SUBSCR, 0}, {JUMP, 37}, {JUMP, 16}, {LOAD_FAST, 2},
    {RETURN_VALUE, 0},
};
static const program_constant sieve_constants_0[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 5000}, {.kind = CONSTANT_INTEGER, .integer = 1},
    {.kind = CONSTANT_INTEGER, .integer = 0}, {.kind = CONSTANT_INTEGER, .integer = 2},
};

static const program sieve_program = {
    .name = "sieve",
    .functions = (const program_function[]){
        {.name = "main", .arguments = 0, .locals = 5, .stack = 6, .code = sieve_code_0,
         .constants = sieve_constants_0, .constant_count = 5},
    },
    .function_count = 1,
    .class_count = 0,
    .names = (const char *const[]){NULL},
    .main = 0,
    .result = 669,
    .bytecodes = 110962, .births = 14939, .growths = 2, .bytes = 180992,
    .takes = 54764,
};

/* --- sort: Shell's sort of pseudo-random integers: comparisons and moves within a list --- */

static const program_instruction sort_code_0[] = {      /* fill */
    {RESUME, 0}, {LOAD_CONST, 1}, {STORE_FAST, 2}, {LOAD_GLOBAL_CALL, 0}, {LOAD_FAST, 1}, {PRECALL, 1}, {CALL, 1},
    {GET_ITER, 0}, {FOR_ITER, 27}, {STORE_FAST, 3}, {LOAD_FAST, 2}, {LOAD_CONST, 2}, {BINARY_OP, 5}, {LOAD_CONST, 3},
    {BINARY_OP, 0}, {LOAD_CONST, 4}, {BINARY_OP, 6}, {STORE_FAST, 2}, {LOAD_FAST, 0}, {LOAD_METHOD, 0},
    {LOAD_FAST, 2}, {LOAD_CONST, 5}, {BINARY_OP, 2}, {PRECALL, 1}, {CALL, 1}, {POP_TOP, 0}, {JUMP, 8},
    {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant sort_constants_0[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 1},
    {.kind = CONSTANT_INTEGER, .integer = 1103515245}, {.kind = CONSTANT_INTEGER, .integer = 12345},
    {.kind = CONSTANT_INTEGER, .integer = 2147483648}, {.kind = CONSTANT_INTEGER, .integer = 1024},
};

static const program_instruction sort_code_1[] = {      /* sort */
    {RESUME, 0}, {LOAD_GLOBAL_CALL, 1}, {LOAD_FAST, 0}, {PRECALL, 1}, {CALL, 1}, {LOAD_CONST, 1}, {BINARY_OP, 2},
    {STORE_FAST, 1}, {LOAD_FAST, 1}, {LOAD_CONST, 2}, {COMPARE_OP, 4}, {POP_JUMP_IF_FALSE, 80},
    {LOAD_GLOBAL_CALL, 0}, {LOAD_FAST, 1}, {LOAD_GLOBAL_CALL, 1}, {LOAD_FAST, 0}, {PRECALL, 1}, {CALL, 1},
    {PRECALL, 2}, {CALL, 2}, {GET_ITER, 0}, {FOR_ITER, 70}, {STORE_FAST, 2}, {LOAD_FAST, 0}, {LOAD_FAST, 2},
    {BINARY_SUBSCR, 0}, {STORE_FAST, 3}, {LOAD_FAST, 2}, {STORE_FAST, 4}, {LOAD_FAST, 4}, {LOAD_FAST, 1},
    {COMPARE_OP, 5}, {POP_JUMP_IF_FALSE, 65}, {LOAD_FAST, 0}, {LOAD_FAST, 4}, {LOAD_FAST, 1}, {BINARY_OP, 10},
    {BINARY_SUBSCR, 0}, {LOAD_FAST, 3}, {COMPARE_OP, 4}, {POP_JUMP_IF_FALSE, 65}, {LOAD_FAST, 0}, {LOAD_FAST, 4},
    {LOAD_FAST, 1}, {BINARY_OP, 10}, {BINARY_SUBSCR, 0}, {LOAD_FAST, 0}, {LOAD_FAST, 4}, {STORE_SUBSCR, 0},
    {LOAD_FAST, 4}, {LOAD_FAST, 1}, {BINARY_OP, 10}, {STORE_FAST, 4}, {LOAD_FAST, 4}, {LOAD_FAST, 1},
    {COMPARE_OP, 5}, {POP_JUMP_IF_FALSE, 65}, {LOAD_FAST, 0}, {LOAD_FAST, 4}, {LOAD_FAST, 1}, {BINARY_OP, 10},
    {BINARY_SUBSCR, 0}, {LOAD_FAST, 3}, {COMPARE_OP, 4}, {POP_JUMP_IF_TRUE, 41}, {LOAD_FAST, 3}, {LOAD_FAST, 0},
    {LOAD_FAST, 4}, {STORE_SUBSCR, 0}, {JUMP, 21}, {LOAD_FAST, 1}, {LOAD_CONST, 1}, {BINARY_OP, 2}, {STORE_FAST, 1},
    {LOAD_FAST, 1}, {LOAD_CONST, 2}, {COMPARE_OP, 4}, {POP_JUMP_IF_TRUE, 12}, {LOAD_CONST, 0}, {RETURN_VALUE, 0},
    {LOAD_CONST, 0}, {RETURN_VALUE, 0},
};
static const program_constant sort_constants_1[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 2}, {.kind = CONSTANT_INTEGER, .integer = 0},
};

static const program_instruction sort_code_2[] = {      /* main */
    {RESUME, 0}, {BUILD_LIST, 0}, {STORE_FAST, 0}, {LOAD_GLOBAL_CALL, 4}, {LOAD_FAST, 0}, {LOAD_CONST, 1},
    {PRECALL, 2}, {CALL, 2}, {POP_TOP, 0}, {LOAD_GLOBAL_CALL, 5}, {LOAD_FAST, 0}, {PRECALL, 1}, {CALL, 1},
    {POP_TOP, 0}, {LOAD_CONST, 2}, {STORE_FAST, 1}, {LOAD_FAST, 0}, {GET_ITER, 0}, {FOR_ITER, 29}, {STORE_FAST, 2},
    {LOAD_FAST, 1}, {LOAD_CONST, 3}, {BINARY_OP, 5}, {LOAD_FAST, 2}, {BINARY_OP, 0}, {LOAD_CONST, 4}, {BINARY_OP, 6},
    {STORE_FAST, 1}, {JUMP, 18}, {LOAD_FAST, 1}, {RETURN_VALUE, 0},
};
static const program_constant sort_constants_2[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 500}, {.kind = CONSTANT_INTEGER, .integer = 0},
    {.kind = CONSTANT_INTEGER, .integer = 31}, {.kind = CONSTANT_INTEGER, .integer = 1000000007},
};

static const program sort_program = {
    .name = "sort",
    .functions = (const program_function[]){
        {.name = "fill", .arguments = 2, .locals = 4, .stack = 5, .code = sort_code_0,
         .constants = sort_constants_0, .constant_count = 6},
        {.name = "sort", .arguments = 1, .locals = 5, .stack = 6, .code = sort_code_1,
         .constants = sort_constants_1, .constant_count = 3},
        {.name = "main", .arguments = 0, .locals = 3, .stack = 4, .code = sort_code_2,
         .constants = sort_constants_2, .constant_count = 5},
    },
    .function_count = 3,
    .class_count = 0,
    .names = (const char *const[]){"append", NULL},
    .main = 2,
    .result = 279541535,
    .bytecodes = 174760, .births = 11032, .growths = 22, .bytes = 118168,
    .takes = 110129,
};

/* --- text: Strings are made, joined, split, and counted in a dict --- */

static const program_instruction text_code_0[] = {      /* main */
    {RESUME, 0}, {BUILD_LIST, 0}, {STORE_FAST, 0}, {LOAD_GLOBAL_CALL, 0}, {LOAD_CONST, 1}, {PRECALL, 1}, {CALL, 1},
    {GET_ITER, 0}, {FOR_ITER, 26}, {STORE_FAST, 1}, {LOAD_FAST, 0}, {LOAD_METHOD, 0}, {LOAD_CONST, 2},
    {LOAD_GLOBAL_CALL, 2}, {LOAD_FAST, 1}, {LOAD_CONST, 3}, {BINARY_OP, 5}, {LOAD_CONST, 4}, {BINARY_OP, 6},
    {PRECALL, 1}, {CALL, 1}, {BINARY_OP, 0}, {PRECALL, 1}, {CALL, 1}, {POP_TOP, 0}, {JUMP, 8}, {LOAD_CONST, 5},
    {LOAD_METHOD, 1}, {LOAD_FAST, 0}, {PRECALL, 1}, {CALL, 1}, {STORE_FAST, 2}, {BUILD_MAP, 0}, {STORE_FAST, 3},
    {LOAD_FAST, 2}, {LOAD_METHOD, 2}, {LOAD_CONST, 5}, {PRECALL, 1}, {CALL, 1}, {GET_ITER, 0}, {FOR_ITER, 54},
    {STORE_FAST, 4}, {LOAD_FAST, 3}, {LOAD_METHOD, 3}, {LOAD_FAST, 4}, {LOAD_CONST, 6}, {PRECALL, 2}, {CALL, 2},
    {LOAD_CONST, 7}, {BINARY_OP, 0}, {LOAD_FAST, 3}, {LOAD_FAST, 4}, {STORE_SUBSCR, 0}, {JUMP, 40},
    {LOAD_GLOBAL_CALL, 1}, {LOAD_FAST, 2}, {PRECALL, 1}, {CALL, 1}, {STORE_FAST, 5}, {LOAD_FAST, 0}, {GET_ITER, 0},
    {FOR_ITER, 79}, {STORE_FAST, 4}, {LOAD_FAST, 5}, {LOAD_CONST, 8}, {BINARY_OP, 5}, {LOAD_GLOBAL_CALL, 1},
    {LOAD_FAST, 4}, {PRECALL, 1}, {CALL, 1}, {LOAD_FAST, 3}, {LOAD_FAST, 4}, {BINARY_SUBSCR, 0}, {BINARY_OP, 5},
    {BINARY_OP, 0}, {LOAD_CONST, 9}, {BINARY_OP, 6}, {STORE_FAST, 5}, {JUMP, 61}, {LOAD_FAST, 5}, {RETURN_VALUE, 0},
};
static const program_constant text_constants_0[] = {
    {.kind = CONSTANT_NONE}, {.kind = CONSTANT_INTEGER, .integer = 400}, {.kind = CONSTANT_STRING, .text = "w"},
    {.kind = CONSTANT_INTEGER, .integer = 7919}, {.kind = CONSTANT_INTEGER, .integer = 257},
    {.kind = CONSTANT_STRING, .text = " "}, {.kind = CONSTANT_INTEGER, .integer = 0},
    {.kind = CONSTANT_INTEGER, .integer = 1}, {.kind = CONSTANT_INTEGER, .integer = 31},
    {.kind = CONSTANT_INTEGER, .integer = 1000000007},
};

static const program text_program = {
    .name = "text",
    .functions = (const program_function[]){
        {.name = "main", .arguments = 0, .locals = 6, .stack = 8, .code = text_code_0,
         .constants = text_constants_0, .constant_count = 10},
    },
    .function_count = 1,
    .class_count = 0,
    .names = (const char *const[]){"append", "join", "split", "get", NULL},
    .main = 0,
    .result = 942767047,
    .bytecodes = 20034, .births = 2951, .growths = 47, .bytes = 120992,
    .takes = 12945,
};

const program *const programs[] = {
    &count_program, &fib_program, &methods_program, &nbody_program, &richards_program, &sieve_program, &sort_program,
    &text_program,
    NULL,
};
