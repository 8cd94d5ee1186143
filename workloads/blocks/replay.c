/* SPDX-License-Identifier: MIT
 * replay.c - what a real program asked of malloc, once more, on the allocator under test.
 *
 * Exercises: real sizes, lifetimes, resizes and their order, from an empty heap to an empty heap.
 * Source: traces in workloads/recordings, each with the command that made it. Replaying traces goes back
 * to Zorn & Grunwald (1992) and is what Wilson et al., Dynamic Storage Allocation: A Survey and Critical
 * Review, IWMM 1995, ask for in place of random numbers.
 * Not claimed: concurrency. A trace of many threads is replayed by one, in the recorded order. Nor the
 * program's own work between calls and what that does to the caches; here a block's edges are written
 * once and read once. Nor that free knows no size: it is passed to release, where an allocator may use it.
 *
 * Each block is stamped (stamp.h) by its slot, and checked before each resize and release and after each
 * resize; zeroed blocks are checked for zeros and aligned ones for alignment. check = edges looks at the first
 * and last eight bytes, full at all.
 * (I1) blocks[slot].at is NULL exactly when no block lives in the slot; between units all are.
 */
#include <stdio.h>

#include "../workload.h"
#include "stamp.h"
#include "trace.h"

enum { REPLAY_TRACE, REPLAY_CHECK };            /* parameters */
enum { REPLAY_EDGES, REPLAY_FULL };             /* values of check */
enum { REPLAY_LARGEST_ALIGNMENT = 4096 };       /* of the allocators' contract; larger ones become this */

typedef struct replay_block { char *at; size_t bytes; } replay_block;

/* The trace that was read last, with its table: declare needs it, before prepare, and it must be in
 * memory before the harness takes its baseline. The workload runs on one thread, so there is no lock. */
static struct {
    char          name[4096];
    trace         read;
    replay_block *blocks;       /* by slot */
} replay;

static size_t replay_table_bytes(void) { return replay.read.slots * sizeof *replay.blocks; }

/* Have the run's trace in `replay`. False: one line in `why`. */
static bool replay_load(const char *name, char *why, size_t why_bytes) {
    char path[4096];
    if (replay.blocks && strcmp(name, replay.name) == 0) return true;
    workload_unmap(replay.blocks, replay_table_bytes());
    replay.blocks = NULL;
    trace_unload(&replay.read);
    trace_find(name, path, sizeof path);
    if (!trace_load(&replay.read, path, why, why_bytes)) return false;
    replay.blocks = workload_map(replay_table_bytes());
    if (!replay.blocks) snprintf(why, why_bytes, "trace %.120s: no memory for its table of blocks", name);
    snprintf(replay.name, sizeof replay.name, "%s", name);
    return replay.blocks != NULL;
}

static unsigned replay_needs(const workload_run *run) {
    (void)run;
    return 0;
}

static workload_operations replay_declare(const workload_run *run) {
    char why[256];
    if (!replay_load(run->file, why, sizeof why)) return (workload_operations){0};   /* prepare will say why */
    const recorder_head *head = &replay.read.head;
    return (workload_operations){
        .operations = replay.read.count, .allocations = head->allocations + head->resizes, .bytes = head->total_bytes,
    };
}

static bool replay_prepare(workload_run *run) { return replay_load(run->file, run->why, sizeof run->why); }

/* --- checking ----------------------------------------------------------------------------------------- */

__attribute__((noinline, cold))
static bool replay_complain(workload_run *run, const trace_event *event, const char *what) {
    snprintf(run->why, sizeof run->why, "replay of %.80s on %.40s: at event %llu, a block of %llu bytes %s",
             run->file, run->memory->name, (unsigned long long)(event - replay.read.events + 1),
             (unsigned long long)replay.blocks[event->slot].bytes, what);
    return false;
}

static inline bool replay_holds(const replay_block *block, size_t bytes, uint64_t stamp, bool full) {
    return full ? stamp_whole_holds(block->at, bytes, stamp) : stamp_edges_hold(block->at, bytes, stamp);
}

static inline void replay_stamp(const replay_block *block, uint64_t stamp, bool full) {
    if (full) stamp_whole(block->at, block->bytes, stamp);
    else stamp_edges(block->at, block->bytes, stamp);
}

/* --- events ------------------------------------------------------------------------------------------- */

static inline size_t replay_alignment(const trace_event *event) {
    size_t asked = event->alignment_log2 < 32 ? (size_t)1 << event->alignment_log2 : REPLAY_LARGEST_ALIGNMENT;
    return asked < ALLOCATOR_ALIGNMENT      ? ALLOCATOR_ALIGNMENT
         : asked > REPLAY_LARGEST_ALIGNMENT ? REPLAY_LARGEST_ALIGNMENT : asked;
}

static bool replay_birth(workload_run *run, const trace_event *event, bool full) {
    replay_block *block = &replay.blocks[event->slot];
    size_t alignment = replay_alignment(event);
    block->bytes = event->bytes;
    block->at = event->kind == RECORDER_ZEROED ? run->memory->alloc_zeroed(block->bytes, alignment)
                                               : run->memory->alloc(block->bytes, alignment);
    if (!block->at) return false;
    run->live_bytes += block->bytes;
    if ((uintptr_t)block->at % alignment != 0) return replay_complain(run, event, "is not aligned as asked");
    if (event->kind == RECORDER_ZEROED && !replay_holds(block, block->bytes, 0, full))
        return replay_complain(run, event, "that was asked for zeroed is not zero");
    replay_stamp(block, stamp_of(event->slot), full);
    return true;
}

static bool replay_resize(workload_run *run, const trace_event *event, bool full) {
    replay_block *block = &replay.blocks[event->slot];
    uint64_t stamp = stamp_of(event->slot);
    size_t before = block->bytes, after = event->bytes, kept = before < after ? before : after;
    if (!replay_holds(block, before, stamp, full))
        return replay_complain(run, event, "changed before it was resized");
    char *moved = run->memory->resize(block->at, before, after);
    if (!moved) return false;
    *block = (replay_block){moved, after};
    run->live_bytes += after - before;
    /* of a block that shrank, what is its end now was stamped only when all was */
    bool same = full || kept == before ? replay_holds(block, kept, stamp, full) : stamp_starts(moved, kept, stamp);
    if (!same) return replay_complain(run, event, "lost its contents when it was resized");
    replay_stamp(block, stamp, full);
    return true;
}

static bool replay_release(workload_run *run, const trace_event *event, bool full) {
    replay_block *block = &replay.blocks[event->slot];
    if (!replay_holds(block, block->bytes, stamp_of(event->slot), full))
        return replay_complain(run, event, "changed while it was alive");
    run->checksum = random_rotate(run->checksum, 5) + stamp_sum(block->at, block->bytes);
    run->memory->release(block->at, block->bytes);
    run->live_bytes -= block->bytes;
    block->at = NULL;
    return true;
}

static bool replay_events(workload_run *run, uint64_t from, uint64_t to) {
    bool full = run->parameters[REPLAY_CHECK] == REPLAY_FULL, fine = true;
    const trace_event *end = replay.read.events + to;
    for (const trace_event *event = replay.read.events + from; fine && event < end; event++)
        fine = event->kind == RECORDER_RELEASE ? replay_release(run, event, full)
             : event->kind == RECORDER_RESIZE  ? replay_resize(run, event, full)
                                               : replay_birth(run, event, full);
    return fine;
}

static bool replay_unit(workload_run *run) {
    uint64_t peak = replay.read.head.peak_event;
    if (!replay_events(run, 0, peak)) return false;
    run->moment(run, "peak");
    return replay_events(run, peak, replay.read.count);
}

static void replay_finish(workload_run *run) {
    for (uint64_t slot = 0; replay.blocks && slot < replay.read.slots; slot++) {    /* some, if a unit failed */
        replay_block *block = &replay.blocks[slot];
        if (block->at) run->memory->release(block->at, block->bytes);
        block->at = NULL;
    }
    run->live_bytes = 0;
}

const workload replay_workload = {
    .name = "replay", .idea = "the allocations of a real program, as recorded", .operation = "call",
    .kind = WORKLOAD_ON_BLOCKS,
    .parameters = {
        [REPLAY_TRACE] = {.name = "trace", .file = "cpython",
                          .meaning = "cpython, sqlite3, cc1, or the path of a recorded trace"},
        [REPLAY_CHECK] = {.name = "check", .value = REPLAY_EDGES, .maximum = REPLAY_FULL, .choices = "edges|full",
                          .meaning = "which bytes of a block are written and checked"},
    },
    .needs = replay_needs, .declare = replay_declare,
    .prepare = replay_prepare, .unit = replay_unit, .finish = replay_finish,
};
