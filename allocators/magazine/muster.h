/* SPDX-License-Identifier: MIT
 * muster.h - looks at the whole of magazine: its figures, its blocks, its invariants.
 *
 * A block in a magazine is handed out as far as its pool can say. So a look at all blocks first marks those of
 * all magazines in the remote maps, as if another thread had freed them, and takes the marks away afterwards.
 * All of it is for moments in which no other thread allocates or frees.
 */
#ifndef REFARENA_MAGAZINE_MUSTER_H
#define REFARENA_MAGAZINE_MUSTER_H

#include "../allocator.h"

/* Blocks and bytes that threads had passed on to malloc, and not yet released. */
size_t muster_passed_blocks(void);
size_t muster_passed_bytes(void);

/* Figures of the contract; those passed on are included. */
void muster_stats(allocator_stats *stats);

/* Every block of every pool that is handed out; false when visit ended it. */
bool muster_walk(allocator_visitor *visit, void *context);

/* Aborts at a broken invariant of a pool, a heap or the region. */
void muster_check(void);

#endif
