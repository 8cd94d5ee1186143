/* SPDX-License-Identifier: MIT
 * blocks.h - the space of collectors whose every object is a block of the allocator. */
#ifndef REFARENA_CYCLES_BLOCKS_H
#define REFARENA_CYCLES_BLOCKS_H

#define CYCLES_ALLOCATOR_USE COLLECTOR_USES_OBJECTS

static inline bool cycles_enter(mutator *m) { (void)m; return true; }
static inline void cycles_leave(mutator *m) { (void)m; }

static inline void *cycles_block(mutator *m, size_t bytes) {
    (void)m;
    return refcounted_memory->alloc(bytes, ALLOCATOR_ALIGNMENT);
}
/* The block begins CYCLES_PREFIX_BYTES before the object if its type is tracked; bytes is of the whole block. */
static inline void cycles_release(mutator *m, void *block, size_t bytes) {
    (void)m;
    refcounted_memory->release(block, bytes);
}

#endif
