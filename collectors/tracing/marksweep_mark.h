/* SPDX-License-Identifier: MIT
 * marksweep_mark.h - what is reachable, and how much that is. See marksweep_mark.c. */
#ifndef REFARENA_TRACING_MARKSWEEP_MARK_H
#define REFARENA_TRACING_MARKSWEEP_MARK_H

/* An array of objects in mapped memory of its own: items[first..count). A zeroed one is empty. */
typedef struct table { object **items; size_t first, count, capacity; } table;

bool    table_push(table *t, object *o);        /* false: out of memory */
object *table_take_first(table *t);             /* or NULL */
void    table_free(table *t);

/* Since mark_begin, with their arrays: bytes as the budget counts them, and as they were asked for, without headers. */
extern struct marked { uint64_t objects, payload_bytes; int64_t bytes; } marked;

/* The world is stopped from mark_begin to the sweep. */
void mark_begin(void);
void mark(object *o);                           /* or NULL */
void mark_field(field *f, void *context);
void mark_local(local *l, void *context);
void mark_all(void);                            /* and what the marked ones reach; may be called again */
void mark_end(void);
void mark_close(void);                          /* the stack's memory goes back */

/* What an object of `bytes` costs the budget. */
static inline int64_t mark_price(size_t bytes) {
    return (int64_t)((bytes + CHUNK_GRANULE - 1) & ~(size_t)(CHUNK_GRANULE - 1));
}

#endif
