/* SPDX-License-Identifier: MIT
 * sum.c - the sum of numbers in an array, as C has them, and of the same as objects in a list, as Python has them.
 *
 *   numbers=boxed     list -> | * | * | * | ...    each an object elsewhere; total = total + item is a new object
 *   numbers=unboxed   array -> | 1000 | 1001 | 1002 | ...
 *
 * Figure: bytes_per_number (of the boxed: its reference in the list, its header, its value). The unboxed sum is C's and
 * never polls.
 * Exercises: what boxing costs, in time and in bytes.
 * Source: the scene of a C program beside a Python one that talks on CPython's memory begin with; that Python's
 * integers are 28 bytes and their list 8 more each, sys.getsizeof of CPython 3.11.
 * Not claimed: the cost of an interpreter's dispatch, which comes on top of boxes. size = numbers.
 */
#include "values.h"

enum { SUM_SIZE, SUM_NUMBERS };
enum { SUM_BOXED, SUM_UNBOXED };
enum { SUM_SEQUENCE, SUM_ITEM, SUM_TOTAL, SUM_LOCALS };
enum { SUM_FIRST = 1000 };                      /* none is shared */

static bool sum_make_boxed(workload_run *run, local *frame) {
    bool made = list_new(run->mutator, &frame[SUM_SEQUENCE]);
    for (int64_t i = 0; made && i < run->parameters[SUM_SIZE]; i++)
        made = integer_new(run->mutator, &frame[SUM_ITEM], SUM_FIRST + i) &&
               list_append(run->mutator, &frame[SUM_SEQUENCE], frame[SUM_ITEM].target);
    local_set(run->mutator, &frame[SUM_ITEM], NULL);
    return made;
}

static int64_t *sum_numbers(local *frame) { return (int64_t *)array_items(frame[SUM_SEQUENCE].target); }

static bool sum_make_unboxed(workload_run *run, local *frame) {
    if (!array_new(run->mutator, &frame[SUM_SEQUENCE], (size_t)run->parameters[SUM_SIZE])) return false;
    for (int64_t i = 0; i < run->parameters[SUM_SIZE]; i++)
        sum_numbers(frame)[i] = SUM_FIRST + i;
    return true;
}

static bool sum_prepare(workload_run *run) {
    if (!integers_open(run)) return false;
    local *frame = run->state = frame_open(run->mutator, SUM_LOCALS);
    return (run->parameters[SUM_NUMBERS] == SUM_BOXED ? sum_make_boxed : sum_make_unboxed)(run, frame);
}

static void sum_finish(workload_run *run) {
    if (run->state != NULL) frame_close(run->mutator, run->state);
    run->state = NULL;
    integers_close(run);
}

static bool sum_boxed(workload_run *run, local *frame) {
    mutator *m = run->mutator;
    bool made = integer_new(m, &frame[SUM_TOTAL], 0);
    for (size_t i = 0; made && i < list_used(frame[SUM_SEQUENCE].target); i++) {
        mutator_poll(m);
        field_load(m, &frame[SUM_ITEM], frame[SUM_SEQUENCE].target, &list_items(frame[SUM_SEQUENCE].target)[i]);
        made = integer_new(m, &frame[SUM_TOTAL], integer_value(frame[SUM_TOTAL].target) + integer_value(frame[SUM_ITEM].target));
    }
    if (made) run->checksum += (uint64_t)integer_value(frame[SUM_TOTAL].target);
    local_set(m, &frame[SUM_ITEM], NULL);
    local_set(m, &frame[SUM_TOTAL], NULL);
    return made;
}

static bool sum_unboxed(workload_run *run, local *frame) {
    int64_t total = 0;
    for (int64_t i = 0; i < run->parameters[SUM_SIZE]; i++)
        total += sum_numbers(frame)[i];
    run->checksum += (uint64_t)total;
    return true;
}

static bool sum_unit(workload_run *run) {
    bool boxed = run->parameters[SUM_NUMBERS] == SUM_BOXED;
    size_t box_bytes = linked_collector.header_bytes + sizeof(integer) - sizeof(object);
    run->figure(run, "bytes_per_number", boxed ? (double)(sizeof(field) + box_bytes) : (double)sizeof(int64_t));
    return (boxed ? sum_boxed : sum_unboxed)(run, run->state);
}

static unsigned sum_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

static workload_operations sum_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[SUM_SIZE], boxed = run->parameters[SUM_NUMBERS] == SUM_BOXED;
    return (workload_operations){.operations = size, .allocations = boxed * size, .bytes = boxed * size * sizeof(int64_t),
                                 .references = boxed * (size + 1)};
}

const workload sum_workload = {
    .name = "sum", .idea = "the sum of boxed numbers in a list, and of unboxed ones in an array",
    .operation = "number added", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "numbers", .value = 100000, .minimum = 1, .maximum = 100000000},
                   {.name = "numbers", .meaning = "how they are held", .choices = "boxed|unboxed", .maximum = 1}},
    .needs = sum_needs, .declare = sum_declare,
    .prepare = sum_prepare, .unit = sum_unit, .finish = sum_finish,
};
