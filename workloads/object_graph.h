/* SPDX-License-Identifier: MIT
 * object_graph.h - a heap snapshot: the objects of a real process, and what they refer to.
 *
 * scripts/cpython/snapshot.py writes the file, packed as packed.h says. Unpacked it is, in LEB128,
 *
 *     type name      length, bytes                                            `types` times
 *     object         type << 2 | root << 1 | tracked, bytes, references,      `objects` times
 *                    then for each reference the number it refers to, as a difference
 *
 * An object's number is its place in the file. A difference is from the reference before, the first from the
 * object itself: twice its size, plus 1 where it leads back.
 *
 * (I1) Every reference is below `objects`; every object can be reached from the roots.
 * (I2) references_of(last) ends at the head's `references`.
 */
#ifndef REFARENA_OBJECT_GRAPH_H
#define REFARENA_OBJECT_GRAPH_H

#include "packed.h"

enum { OBJECT_GRAPH_VERSION = 1, OBJECT_GRAPH_PROGRAM_BYTES = 256, OBJECT_GRAPH_HEADER_BYTES = 16 };
#define OBJECT_GRAPH_MAGIC "refaheap"

enum { OBJECT_GRAPH_TRACKED = 1, OBJECT_GRAPH_ROOT = 2 };

typedef struct object_graph_head {
    packed_head start;
    uint64_t types, objects, references, roots, tracked;
    uint64_t bytes;                 /* of all objects, each with its header of OBJECT_GRAPH_HEADER_BYTES */
    uint64_t freed_by_counting;     /* when all roots are let go; */
    uint64_t left;                  /* the others; */
    uint64_t found;                 /* and the tracked ones of them that a collector of cycles finds */
    uint64_t raw_bytes, raw_checksum;
    char     program[OBJECT_GRAPH_PROGRAM_BYTES];   /* that was looked at, ended by 0 */
    uint64_t head_checksum;         /* of all above */
} object_graph_head;

typedef struct object_graph_object {
    uint64_t bytes;                 /* with its header */
    uint32_t first, count;          /* of its references, among all */
    uint32_t type;                  /* number of its type's name */
    uint32_t flags;                 /* OBJECT_GRAPH_... */
} object_graph_object;

typedef struct object_graph {
    object_graph_head    head;
    object_graph_object *objects;
    uint32_t            *references;
} object_graph;

/* Read the snapshot at `path`. False: `why` says in one line what is wrong with it, and nothing is kept. */
bool object_graph_load(object_graph *loaded, const char *path, char *why, size_t why_bytes);

void object_graph_unload(object_graph *loaded);

#endif
