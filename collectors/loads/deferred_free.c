/* SPDX-License-Identifier: MIT
 * deferred_free.c - batches of the dead, and the epochs they wait for. */
#include <sched.h>

#include "../collector.h"

static void deferred_free(mutator *m, deferred_batch *batch) {
    for (object *o = batch->first, *next; o != NULL; o = next) {
        next = count_linked(o);
        cycles_release(m, o, 0);                        /* of unknown size: its type is gone, and its page knows */
    }
    *batch = (deferred_batch){NULL, NULL, 0};
}

static void deferred_free_ripe(mutator *m) {
    uint64_t reached = threads_oldest_epoch();
    unsigned ripe = 0;
    while (ripe < m->waiting_count && m->waiting[ripe].epoch <= reached)
        deferred_free(m, &m->waiting[ripe++]);
    m->waiting_count -= ripe;
    memmove(m->waiting, m->waiting + ripe, m->waiting_count * sizeof *m->waiting);
}

/* A full row of batches grows at its end: the younger epoch holds for both. */
static void deferred_seal(mutator *m) {
    m->open.epoch = threads_epoch_advance();
    if (m->waiting_count < DEFERRED_BATCHES)
        m->waiting[m->waiting_count++] = m->open;
    else {
        deferred_batch *youngest = &m->waiting[DEFERRED_BATCHES - 1];
        count_link(youngest->last, m->open.first);
        youngest->last = m->open.last;
        youngest->epoch = m->open.epoch;
    }
    m->open = (deferred_batch){NULL, NULL, 0};
    m->open_count = 0;
}

void deferred_release(mutator *m, object *o) {
    count_link(o, NULL);
    if (m->open.last != NULL) count_link(m->open.last, o);
    else m->open.first = o;
    m->open.last = o;
    if (++m->open_count < DEFERRED_BATCH) return;
    deferred_seal(m);
    deferred_free_ripe(m);
}

void deferred_wait(mutator *m) {
    if (m->open_count != 0) deferred_seal(m);
    while (m->waiting_count != 0) {
        threads_poll(m);
        deferred_free_ripe(m);
        if (m->waiting_count != 0) sched_yield();
    }
}
