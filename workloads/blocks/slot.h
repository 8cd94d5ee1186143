/* SPDX-License-Identifier: MIT
 * slot.h - a place for one block: filled, checked and emptied, as most workloads on blocks do it.
 *
 * A block has a number, which the workload gives it, and its stamp (stamp.h) follows from that. Contents are read
 * before a release and summed: a checksum does not depend on the order in which blocks die, nor on where they lay.
 * (I1) A slot's block lives exactly while `at` is not NULL; run->live_bytes are the bytes of such blocks, summed
 *      over all threads where one releases what another has made.
 */
#ifndef REFARENA_SLOT_H
#define REFARENA_SLOT_H

#include <stdio.h>

#include "../workload.h"
#include "stamp.h"

typedef struct slot {
    char    *at;                /* NULL: empty */
    uint32_t bytes;
    uint32_t number;            /* of the block, behind those of other threads: first + number */
} slot;

/* Note a block of the run's allocator in an empty slot, and write its edges. */
static inline void slot_hold(workload_run *run, slot *place, char *block, uint32_t bytes, uint64_t first, uint32_t number) {
    *place = (slot){block, bytes, number};
    run->live_bytes += bytes;
    stamp_edges(block, bytes, stamp_of(first + number));
}

/* False: refused; the slot stays empty. */
static inline bool slot_fill(workload_run *run, slot *place, uint32_t bytes, uint64_t first, uint32_t number) {
    char *block = run->memory->alloc(bytes, ALLOCATOR_ALIGNMENT);
    if (block) slot_hold(run, place, block, bytes, first, number);
    return block != NULL;
}

__attribute__((noinline, cold))
static bool slot_complain(workload_run *run, const slot *place) {
    snprintf(run->why, sizeof run->why, "%.40s on %.40s: a block of %u bytes changed while it was alive",
             run->program->name, run->memory->name, place->bytes);
    return false;
}

/* False: the block of a full slot was written to by somebody else, and `why` says so. */
static inline bool slot_check(workload_run *run, const slot *place, uint64_t first) {
    return stamp_edges_hold(place->at, place->bytes, stamp_of(first + place->number)) || slot_complain(run, place);
}

/* Release the block of a full slot. */
static inline void slot_drop(workload_run *run, slot *place) {
    run->memory->release(place->at, place->bytes);
    run->live_bytes -= place->bytes;
    place->at = NULL;
}

/* Check, add to the checksum, release. */
static inline bool slot_empty(workload_run *run, slot *place, uint64_t first) {
    if (!slot_check(run, place, first)) return false;
    run->checksum += stamp_sum(place->at, place->bytes);
    slot_drop(run, place);
    return true;
}

/* Are the parameters smallest and largest a range? False: `why` says that they are not. */
static inline bool slot_range(workload_run *run, int64_t smallest, int64_t largest) {
    if (smallest <= largest) return true;
    snprintf(run->why, sizeof run->why, "%.40s: smallest=%lld is above largest=%lld; give them the other way round",
             run->program->name, (long long)smallest, (long long)largest);
    return false;
}

/* Release what is left in `count` slots, unread: for finish, also after a failure. */
static inline void slot_drop_all(workload_run *run, slot *places, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (places[i].at) slot_drop(run, &places[i]);
}

#endif
