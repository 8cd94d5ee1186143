/* SPDX-License-Identifier: MIT
 * looks.h - looks into a collector's heap between units: what lives in it, and what only lies in it.
 *
 *   unit | look | unit | look | ...      outside the clock, no mutator running
 *
 * A look compares the collector's word (objects born and died, tracked objects by generation) with the oracle's, which
 * marks from the roots (collectors/common.c). What was born, has not died and cannot be reached is *floating garbage*.
 * Resolution: a unit. An object has died when the collector says so: one that counts, when it frees it; one that traces,
 * when it has marked, also where it sweeps later.
 */
#ifndef REFARENA_LOOKS_H
#define REFARENA_LOOKS_H

#include <jansson.h>

#include "../collectors/linked.h"

/* Make room for so many looks, and take the first. */
void looks_begin(uint64_t most);
void looks_take(void);

/* A list of all looks, as results/README.md has it; null where none were taken. */
json_t *looks_report(void);

#endif
