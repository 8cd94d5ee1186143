/* SPDX-License-Identifier: MIT
 * program.h - random programs for collectors: four bytes a step, whatever the bytes.
 *
 *   | code | x | y | z |      op = PROGRAM_OPS[code & 63]
 *
 * This file is the one definition of the byte-code; model.c, driver.c and scripts/cpython/programs.py
 * follow it. A program has locals (PROGRAM_FRAME in each open frame, one frame at the start), all of
 * which a step may name, and PROGRAM_GLOBALS globals.
 * Below, X = local x % locals, Y = local y % locals, G(k) = global k % PROGRAM_GLOBALS. A step whose
 * operands do not fit (no object there, of a type that has no such field, too many objects) does nothing.
 *
 *   n  X = new object of type PROGRAM_TYPES[y & 15]
 *   h  10 + y % 70 times: X = new object of type PROGRAM_TYPES[z & 15], a node type, whose a is the old X.
 *      What makes cascades deeper than they may recurse
 *   w  X = weak reference to the object in Y, with a callback where z is odd; node types only
 *   s  X = Y        d  X = nothing
 *   l  X = Y.field        t  X.field = Y        x  X.field = nothing
 *   a  X.field = new object of type PROGRAM_TYPES[y & 15]
 *      field: of a node type z % 3 (a, b, c), of a row z % its length
 *   r  resize the row in X to y % 9 references
 *   g  X = target of the weak reference in Y
 *   c  collect(x % 3)
 *   o  open a frame        e  close it, if it is not the first
 *   p  G(x) = Y     f  X = G(y)     u  G(x) = nothing
 *   i  X becomes immortal, where that can be: it never dies, and what it refers to is held by it for ever
 *
 * Types: N node: fields a, b, c, weakly referencable. Like it, with a finalizer that logs itself, then
 *   F  does no more
 *   P  saves itself: global 2 + number % 4, where number counts the births of P from 0
 *   M  if the target of a is of a node type: stores itself in that target's b
 *   C  stores nothing in a, b and c, in this order
 *   B  stores a new N in its c, then logs what collect(id % 3) returns
 * R row: an owned array of references, empty at first, visited from its last to its first, as a list of
 * CPython. L leaf: no fields, not tracked.
 *
 * A callback logs itself; where its weak reference's id % 4 is 2 it then empties G(id); where 3 it stores
 * a new F in G(id).
 *
 * Ids count births from 1; a weak reference's id is given out before it is born, and is spent even when
 * an existing reference without callback is returned instead. What is logged: `f` id and, for a, b, c, the
 * target's id, or 0, or for a weak reference -1 - (the id of its target, or 0 when that is dead); `c` id
 * of a weak reference; `r` what B's collect returned.
 *
 * A quiet program runs where the order of finalizers is the collector's own: M and B become F, a P whose
 * number is 4 or more does not save itself, callbacks only log, and what finalizers see is not logged.
 */
#ifndef REFARENA_TESTS_PROGRAM_H
#define REFARENA_TESTS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PROGRAM_OPS   "nnnnnnhhwwwwwssssddddddddllllttttttttaaaaaaaaixxxrrrgggccccoepfu"
#define PROGRAM_TYPES "NNNFFFFPPMCBRRRL"
_Static_assert(sizeof PROGRAM_OPS == 64 + 1 && sizeof PROGRAM_TYPES == 16 + 1, "each has its code");

enum {
    PROGRAM_STEPS = 256, PROGRAM_FRAME = 4, PROGRAM_FRAMES = 4, PROGRAM_LOCALS = PROGRAM_FRAME * PROGRAM_FRAMES,
    PROGRAM_GLOBALS = 6, PROGRAM_SAVED = 2, PROGRAM_SAVES = 4, PROGRAM_ITEMS = 8, PROGRAM_FIELDS = 3,
    PROGRAM_OBJECTS = 1024,             /* births, after which steps and finalizers make none */
};

typedef struct program_step { uint8_t code, x, y, z; } program_step;
typedef struct program { size_t count; program_step steps[PROGRAM_STEPS]; } program;

/* What happened in a step, in order: of finalizers and callbacks, see above. */
typedef struct program_event { int kind, id, seen[PROGRAM_FIELDS]; } program_event;

/* A seed's program: splitmix64 from the seed; the first number gives the length, 8 + it % 113, and each
 * further one a step, its four lowest bytes in the order code, x, y, z. */
void program_from_seed(program *p, uint64_t seed);
void program_from_bytes(program *p, const uint8_t *bytes, size_t count);    /* an incomplete last step is left out */

char program_op(program_step s);
char program_type(uint8_t code);
bool program_is_node(char type);        /* has a, b, c; weakly referencable */
bool program_is_finalized(char type);

/* " f12(3 0 -4)", and the like. */
void program_print_event(FILE *to, const program_event *e);

#endif
