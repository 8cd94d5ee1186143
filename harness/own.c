/* SPDX-License-Identifier: MIT
 * own.c - powers of two, cut from mapped chunks, kept in one free list each.
 *
 *     | class | 8 bytes unused | what own_alloc returns ... |      class: log2 of the whole block
 *
 * As plain as can be: the harness asks for little and seldom. Chunks are touched when they are mapped, so
 * that what is asked for later faults nothing in and moves no resident-set figure.
 * A harness that is refused memory itself (`ulimit -v`, a full container) must still say so: for its last report there
 * is a reserve, mapped at the start and touched by nobody before.
 * (I1) A block of class c lies at a multiple of 16 and has 2^c bytes, its 16-byte head included.
 */
#include "own.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../workloads/workload.h"
#include "limit.h"

enum { OWN_HEAD_BYTES = 16, OWN_SMALLEST = 5, OWN_CHUNK = 20, OWN_CLASSES = 40, OWN_RESERVE_BYTES = 512 << 10 };

typedef struct own_block {
    uint64_t          class;
    struct own_block *next;      /* while free */
} own_block;

static struct {
    pthread_mutex_t lock;
    own_block      *free[OWN_CLASSES];
    char           *fresh, *fresh_end;      /* the uncut rest of the newest chunk */
    char           *reserve;                /* OWN_RESERVE_BYTES for the last report, or NULL */
    void          (*tell)(const char *why);
} own = { .lock = PTHREAD_MUTEX_INITIALIZER };

void own_at_refusal(void (*tell)(const char *why)) {
    void *reserve = mmap(NULL, OWN_RESERVE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    own.reserve = reserve == MAP_FAILED ? NULL : reserve;
    own.tell = tell;
}

static void own_open_reserve(void) {
    pthread_mutex_lock(&own.lock);
    own.fresh = own.reserve;
    own.fresh_end = own.reserve + OWN_RESERVE_BYTES;
    own.reserve = NULL;
    pthread_mutex_unlock(&own.lock);
}

_Noreturn static void own_refused(size_t bytes) {
    void (*tell)(const char *) = own.reserve ? own.tell : NULL;
    char why[160];
    own.tell = NULL;
    snprintf(why, sizeof why, "mapping %zu bytes for the harness itself was refused%s", bytes, limit_words());
    if (tell) {
        own_open_reserve();
        tell(why);
    }
    fprintf(stderr, "harness: %s\n", why);
    _Exit(3);
}

static void *own_map(size_t bytes) {
    limit_raise(bytes);
    return workload_map(bytes);
}

void *own_table(size_t bytes) {
    void *table = own_map(bytes);
    if (table == NULL)
        own_refused(bytes);
    return table;
}

static unsigned own_class(size_t bytes) {
    unsigned class = OWN_SMALLEST;
    while (((size_t)1 << class) < bytes + OWN_HEAD_BYTES)
        class++;
    return class;
}

/* NULL: the OS refused. */
static own_block *own_cut(unsigned class) {
    size_t bytes = (size_t)1 << class;
    if (class >= OWN_CHUNK)
        return own_map(bytes);
    if ((size_t)(own.fresh_end - own.fresh) < bytes) {      /* the old rest is lost: under one block */
        char *chunk = own_map((size_t)1 << OWN_CHUNK);
        if (chunk == NULL)
            return NULL;
        own.fresh = chunk;
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
    if (block == NULL)
        own_refused((size_t)1 << (class > OWN_CHUNK ? class : OWN_CHUNK));
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
