/* SPDX-License-Identifier: MIT
 * own.c - powers of two, cut from mapped chunks, kept in one free list each.
 *
 *     | class | 8 bytes unused | what own_alloc returns ... |      class: log2 of the whole block
 *
 * As plain as can be: the harness asks for little and seldom. Chunks are touched when they are mapped, so
 * that what is asked for later faults nothing in and moves no resident-set figure.
 * (I1) A block of class c lies at a multiple of 16 and has 2^c bytes, its 16-byte head included.
 */
#include "own.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../workloads/workload.h"
#include "limit.h"

enum { OWN_HEAD_BYTES = 16, OWN_SMALLEST = 5, OWN_CHUNK = 20, OWN_CLASSES = 40 };

typedef struct own_block {
    uint64_t          class;
    struct own_block *next;      /* while free */
} own_block;

static struct {
    pthread_mutex_t lock;
    own_block      *free[OWN_CLASSES];
    char           *fresh, *fresh_end;      /* the uncut rest of the newest chunk */
} own = { .lock = PTHREAD_MUTEX_INITIALIZER };

void *own_table(size_t bytes) {
    limit_raise(bytes);
    void *table = workload_map(bytes);
    if (table == NULL) {
        fprintf(stderr, "harness: mapping %zu bytes for the harness itself was refused\n", bytes);
        _Exit(3);
    }
    return table;
}

static unsigned own_class(size_t bytes) {
    unsigned class = OWN_SMALLEST;
    while (((size_t)1 << class) < bytes + OWN_HEAD_BYTES)
        class++;
    return class;
}

static own_block *own_cut(unsigned class) {
    size_t bytes = (size_t)1 << class;
    if (class >= OWN_CHUNK)
        return own_table(bytes);
    if ((size_t)(own.fresh_end - own.fresh) < bytes) {      /* the old rest is lost: under one block */
        own.fresh = own_table((size_t)1 << OWN_CHUNK);
        own.fresh_end = own.fresh + ((size_t)1 << OWN_CHUNK);
    }
    own_block *block = (own_block *)own.fresh;
    own.fresh += bytes;
    return block;
}

void *own_alloc(size_t bytes) {
    unsigned class = own_class(bytes);
    pthread_mutex_lock(&own.lock);
    own_block *block = own.free[class];
    if (block != NULL)
        own.free[class] = block->next;
    else
        block = own_cut(class);
    pthread_mutex_unlock(&own.lock);
    block->class = class;
    return (char *)block + OWN_HEAD_BYTES;
}

void own_free(void *memory) {
    if (memory == NULL)
        return;
    own_block *block = (own_block *)((char *)memory - OWN_HEAD_BYTES);
    pthread_mutex_lock(&own.lock);
    block->next = own.free[block->class];
    own.free[block->class] = block;
    pthread_mutex_unlock(&own.lock);
}
