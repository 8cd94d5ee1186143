/* SPDX-License-Identifier: MIT
 * explain.h - how the linked collector works, shown on a small graph. */
#ifndef REFARENA_EXPLAIN_H
#define REFARENA_EXPLAIN_H

#include "../allocators/allocator.h"

/* Names of the graphs, with '|' between them, the usual one first. Absent (weak) where no collector is linked. */
extern const char explain_graphs[] __attribute__((weak));

/* Print what the collector does with the index-th graph, step by step and as a table, to standard output.
 * False: out of memory, or it cannot tell what has died (no weak references). */
bool explain_show(unsigned index, const allocator *memory) __attribute__((weak));

#endif
