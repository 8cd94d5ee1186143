/* SPDX-License-Identifier: MIT
 * free_lists.h - a few dead objects of some types, kept for the next births of their type.
 *
 * As CPython keeps 80 lists, and 2000 tuples of each length up to 20. An object that is reborn is not counted
 * by the collector, and costs no allocator: which is why allocator benchmarks in Python measure something
 * else. All lists are emptied by a full collection. Off by default.
 */
#ifndef REFARENA_CYCLES_FREE_LISTS_H
#define REFARENA_CYCLES_FREE_LISTS_H

enum { FREE_LISTS_LARGEST_EXTRA = 20 };

#define CYCLES_FREE_LISTS 1

void    free_lists_open(bool used);
object *free_lists_take(const object_type *type, size_t extra);    /* its memory, as it died; NULL: none */
bool    free_lists_give(object *o);                                 /* true: kept */
void    free_lists_empty(void);

#endif
