/* SPDX-License-Identifier: MIT
 * tree.h - full binary trees, as the classic benchmarks of collectors build them.
 *
 * Recursion is as deep as the tree, the logarithm of its size.
 */
#ifndef REFARENA_TREE_H
#define REFARENA_TREE_H

#include "values.h"

enum { TREE_DEEPEST = 24 };

/* Any type whose structs begin with this. */
typedef struct tree_node { object header; field left, right; } tree_node;

void tree_visit(object *self, field_visitor *visit, void *context);

static inline uint64_t tree_nodes(int64_t depth) { return (UINT64_C(2) << depth) - 1; }

/* l = a tree of that depth (0: a leaf), children before parents; no reference is taken. False: heap full. */
bool tree_make(mutator *m, local *l, const object_type *type, int64_t depth);

/* Give the leaf in l children, and these theirs: parents before children. Takes nothing. False: heap full. */
bool tree_populate(mutator *m, local *l, const object_type *type, int64_t depth);

/* The nodes of the tree in l, walked through locals, as a program does: takes two references a node that has children. */
uint64_t tree_count(mutator *m, local *l);

#endif
