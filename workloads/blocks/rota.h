/* SPDX-License-Identifier: MIT
 * rota.h - live blocks that are replaced at random, and are after each turn what they were before it.
 *
 * A turn must end as it began, or the next would do other work and have another checksum. So each slot is replaced
 * exactly `times` times a turn, in one shuffled order that is the same in every turn; block sizes and contents follow
 * from the step that made the block; and at the start each slot holds the block that the turn's last step on it
 * will make. The time between two replacements of a slot is random, more often short than long, as lifetimes are.
 * (I1) Between turns, slots[i].number is the last step whose order is i.
 */
#ifndef REFARENA_ROTA_H
#define REFARENA_ROTA_H

#include "slot.h"

enum { ROTA_POINTS = 1024 };                /* a distribution of sizes: so many equal shares */

typedef struct rota {
    uint64_t  seed, first;                  /* number of its first block */
    uint32_t  size, steps;                  /* slots; replacements in a turn */
    slot     *slots;
    uint32_t *order;                        /* which slot each step replaces */
    uint16_t  sizes[ROTA_POINTS];           /* bytes */
} rota;

/* Bytes that all steps of a turn ask for; they follow from the seed alone, so that all threads ask for the same. */
uint64_t rota_bytes(const uint16_t sizes[ROTA_POINTS], uint64_t seed, uint64_t steps);

/* Make *made, the `index`-th of the run's seed, with its blocks. False: refused, and what is in *made (or NULL)
 * is for rota_drop. */
bool rota_make(workload_run *run, rota **made, const uint16_t sizes[ROTA_POINTS], uint32_t size, uint32_t times,
               unsigned index);

/* One turn, by any thread. False: refused, or `why` says which block changed. */
bool rota_turn(workload_run *run, rota *live);

/* Release all, and the table; NULL is allowed. */
void rota_drop(workload_run *run, rota *live);

#endif
