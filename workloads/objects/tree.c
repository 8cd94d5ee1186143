/* SPDX-License-Identifier: MIT
 * tree.c - building and walking. */
#include "tree.h"

static tree_node *as_node(object *o) { return (tree_node *)o; }

void tree_visit(object *self, field_visitor *visit, void *context) {
    visit(&as_node(self)->left, context);
    visit(&as_node(self)->right, context);
}

enum { TREE_LEFT, TREE_RIGHT, TREE_LOCALS };

static void tree_adopt(mutator *m, local *l, local *frame) {
    field_move(m, l->target, &as_node(l->target)->left, &frame[TREE_LEFT]);
    field_move(m, l->target, &as_node(l->target)->right, &frame[TREE_RIGHT]);
}

bool tree_make(mutator *m, local *l, const object_type *type, int64_t depth) {
    mutator_poll(m);
    if (depth == 0) return object_new(m, l, type, 0);
    local *frame = frame_open(m, TREE_LOCALS);
    bool made = tree_make(m, &frame[TREE_LEFT], type, depth - 1) && tree_make(m, &frame[TREE_RIGHT], type, depth - 1) &&
                object_new(m, l, type, 0);
    if (made) tree_adopt(m, l, frame);
    frame_close(m, frame);
    return made;
}

bool tree_populate(mutator *m, local *l, const object_type *type, int64_t depth) {
    mutator_poll(m);
    if (depth == 0) return true;
    local *frame = frame_open(m, TREE_LOCALS);
    bool made = object_new(m, &frame[TREE_LEFT], type, 0) && object_new(m, &frame[TREE_RIGHT], type, 0) &&
                tree_populate(m, &frame[TREE_LEFT], type, depth - 1) && tree_populate(m, &frame[TREE_RIGHT], type, depth - 1);
    if (made) tree_adopt(m, l, frame);
    frame_close(m, frame);
    return made;
}

uint64_t tree_count(mutator *m, local *l) {
    mutator_poll(m);
    if (field_peek(&as_node(l->target)->left) == NULL) return 1;
    local *frame = frame_open(m, TREE_LOCALS);
    field_load(m, &frame[TREE_LEFT], l->target, &as_node(l->target)->left);
    field_load(m, &frame[TREE_RIGHT], l->target, &as_node(l->target)->right);
    uint64_t count = 1 + tree_count(m, &frame[TREE_LEFT]) + tree_count(m, &frame[TREE_RIGHT]);
    frame_close(m, frame);
    return count;
}
