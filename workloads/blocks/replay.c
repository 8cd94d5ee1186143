/* SPDX-License-Identifier: MIT
 * replay.c - what a real program asked of malloc, once more, on the allocator under test.
 *
 * Exercises: real sizes, lifetimes, resizes and their order, from an empty heap to an empty heap.
 * Source: traces in workloads/recordings, each with the command that made it. Replaying traces goes back
 * to Zorn & Grunwald (1992) and is what Wilson et al., Dynamic Storage Allocation: A Survey and Critical
 * Review, IWMM 1995, ask for in place of random numbers.
 * Threads: with --threads=n the events of recorded thread t are thread t mod n's, in their order. One that
 * finds a block in the hands of another thread (a remote free) waits until that one has done its part, and
 * none runs more than `ahead` events ahead of the recorded order: 1 is that order exactly, more leaves the
 * threads free to meet in the allocator. With one thread the recorded order is kept.
 * Not claimed: the program's own work between calls and what that does to the caches (here a block's edges
 * are written once and read once), nor its locks: threads wait for blocks only. Nor that free knows no size: it
 * is passed to release, where an allocator may use it.
 *
 * Each block is stamped (stamp.h) by its slot, and checked before each resize and release and after each
 * resize; zeroed blocks are checked for zeros and aligned ones for alignment. check = edges looks at the first
 * and last eight bytes, full at all.
 * (I1) blocks[slot].at is NULL exactly when no block lives in the slot; between units all are.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "../packed.h"
#include "../workload.h"
#include "stamp.h"
#include "trace.h"

enum { REPLAY_TRACE, REPLAY_CHECK, REPLAY_AHEAD };      /* parameters */
enum { REPLAY_EDGES, REPLAY_FULL };             /* values of check */
enum { REPLAY_USUAL_LOG2 = 4, REPLAY_LARGEST_LOG2 = 12 };   /* alignments of the contract; beyond, or what an allocator cannot, become the largest */
_Static_assert(ALLOCATOR_ALIGNMENT == 1 << REPLAY_USUAL_LOG2, "what is always given");
enum { REPLAY_SPINS = 200 };                    /* looks at another thread before the core is offered to it */

typedef struct replay_block { char *at; size_t bytes; } replay_block;

/* An event, and the one before it on the same block, plus 1, where that is another thread's; else 0. */
typedef struct replay_step { uint32_t event, after; } replay_step;

/* A position is a number of events: units * count + those of the unit. All of this thread's before `done` are. */
typedef struct replay_thread {
    _Alignas(64) _Atomic uint64_t done;
    uint64_t     unit, steps;
    replay_step *step;
} replay_thread;

/* The trace that was read last, with its table: declare needs it, before prepare, and it must be in
 * memory before the harness takes its baseline. Threads are those of the last prepare. */
static struct {
    char          name[4096];
    trace         read;
    replay_block *blocks;       /* by slot */
    replay_thread *threads;     /* NULL where there is one */
    unsigned      thread_count;
    _Atomic bool  failed;       /* one of them could not go on, and will not */
} replay;

static size_t replay_table_bytes(void) { return replay.read.slots * sizeof *replay.blocks; }

/* Have the run's trace in `replay`. False: one line in `why`. */
static bool replay_load(const char *name, char *why, size_t why_bytes) {
    char path[4096];
    if (replay.blocks && strcmp(name, replay.name) == 0) return true;
    workload_unmap(replay.blocks, replay_table_bytes());
    replay.blocks = NULL;
    trace_unload(&replay.read);
    packed_find(name, "trace", path, sizeof path);
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

/* Of several threads: their average. */
static workload_operations replay_declare(const workload_run *run) {
    char why[256];
    if (!replay_load(run->file, why, sizeof why)) return (workload_operations){0};   /* prepare will say why */
    const recorder_head *head = &replay.read.head;
    return (workload_operations){
        .operations = replay.read.count / run->threads,
        .allocations = (head->allocations + head->resizes) / run->threads, .bytes = head->total_bytes / run->threads,
    };
}

/* --- sharing the events out ----------------------------------------------------------------------------- */

static unsigned replay_thread_of(uint64_t event) { return replay.read.events[event].thread % replay.thread_count; }

static size_t replay_threads_bytes(void) { return replay.thread_count * sizeof *replay.threads; }

static void replay_unshare(void) {
    for (unsigned t = 0; replay.threads && t < replay.thread_count; t++)
        workload_unmap(replay.threads[t].step, replay.threads[t].steps * sizeof(replay_step));
    workload_unmap(replay.threads, replay_threads_bytes());
    replay.threads = NULL;
}

/* Room for the steps of each thread, counted first. */
static bool replay_make_room(void) {
    for (uint64_t i = 0; i < replay.read.count; i++)
        replay.threads[replay_thread_of(i)].steps++;
    bool made = true;
    for (unsigned t = 0; t < replay.thread_count; t++) {
        replay_thread *one = &replay.threads[t];
        one->step = workload_map(one->steps * sizeof *one->step);
        made = made && one->step;
    }
    return made;
}

static bool replay_share(unsigned threads) {
    replay.thread_count = threads;
    replay.failed = false;
    replay.threads = workload_map(replay_threads_bytes());
    size_t last_bytes = replay.read.slots * sizeof(uint32_t);
    uint32_t *last = workload_map(last_bytes);          /* event by slot, plus 1 */
    bool made = replay.threads && last && replay_make_room();
    for (unsigned t = 0; made && t < threads; t++)
        replay.threads[t].steps = 0;
    for (uint32_t i = 0; made && i < replay.read.count; i++) {
        uint32_t *before = &last[replay.read.events[i].slot];
        replay_thread *one = &replay.threads[replay_thread_of(i)];
        bool remote = *before && replay_thread_of(*before - 1) != replay_thread_of(i);
        one->step[one->steps++] = (replay_step){i, remote ? *before : 0};
        *before = i + 1;
    }
    workload_unmap(last, last_bytes);
    if (!made) replay_unshare();
    return made;
}

static bool replay_prepare(workload_run *run) {
    if (run->thread != 0) return replay.threads != NULL;
    if (!replay_load(run->file, run->why, sizeof run->why)) return false;
    if (run->threads == 1) return true;
    if (run->threads <= replay.read.head.threads) return replay_share(run->threads);
    snprintf(run->why, sizeof run->why, "trace %.120s was recorded of %llu threads; replay it with --threads=%llu at most",
             run->file, (unsigned long long)replay.read.head.threads, (unsigned long long)replay.read.head.threads);
    return false;
}

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

/* Compiled once for each value of `full`: no event asks for it. */
#define REPLAY_INLINE static inline __attribute__((always_inline))

static inline size_t replay_alignment(const workload_run *run, const trace_event *event) {
    if (__builtin_expect(event->alignment_log2 <= REPLAY_USUAL_LOG2, true)) return ALLOCATOR_ALIGNMENT;
    size_t largest = allocator_largest_alignment(run->memory);
    return event->alignment_log2 < REPLAY_LARGEST_LOG2 && (size_t)1 << event->alignment_log2 < largest
         ? (size_t)1 << event->alignment_log2 : largest;
}

REPLAY_INLINE bool replay_birth(workload_run *run, const trace_event *event, bool full) {
    replay_block *block = &replay.blocks[event->slot];
    size_t alignment = replay_alignment(run, event);
    block->bytes = event->bytes;
    block->at = event->kind == RECORDER_ZEROED ? run->memory->alloc_zeroed(block->bytes, alignment)
                                               : run->memory->alloc(block->bytes, alignment);
    if (!block->at) return false;
    run->live_bytes += block->bytes;
    if ((uintptr_t)block->at & (alignment - 1)) return replay_complain(run, event, "is not aligned as asked");
    if (event->kind == RECORDER_ZEROED && !replay_holds(block, block->bytes, 0, full))
        return replay_complain(run, event, "that was asked for zeroed is not zero");
    replay_stamp(block, stamp_of(event->slot), full);
    return true;
}

REPLAY_INLINE bool replay_resize(workload_run *run, const trace_event *event, bool full) {
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

REPLAY_INLINE bool replay_release(workload_run *run, const trace_event *event, bool full) {
    replay_block *block = &replay.blocks[event->slot];
    if (!replay_holds(block, block->bytes, stamp_of(event->slot), full))
        return replay_complain(run, event, "changed while it was alive");
    run->checksum = random_rotate(run->checksum, 5) + stamp_sum(block->at, block->bytes);
    run->memory->release(block->at, block->bytes);
    run->live_bytes -= block->bytes;
    block->at = NULL;
    return true;
}

REPLAY_INLINE bool replay_event(workload_run *run, const trace_event *event, bool full) {
    return event->kind == RECORDER_RELEASE ? replay_release(run, event, full)
         : event->kind == RECORDER_RESIZE  ? replay_resize(run, event, full)
                                           : replay_birth(run, event, full);
}

REPLAY_INLINE bool replay_each(workload_run *run, const trace_event *event, const trace_event *end, bool full) {
    bool fine = true;
    for (; fine && event < end; event++) fine = replay_event(run, event, full);
    return fine;
}

static bool replay_events(workload_run *run, uint64_t from, uint64_t to) {
    const trace_event *first = replay.read.events + from, *end = replay.read.events + to;
    return run->parameters[REPLAY_CHECK] == REPLAY_FULL ? replay_each(run, first, end, true)
                                                        : replay_each(run, first, end, false);
}

/* --- together ------------------------------------------------------------------------------------------- */

/* Until a thread has done all its events before `position`. False: one of them has failed. */
static bool replay_wait(const replay_thread *other, uint64_t position) {
    for (unsigned looks = 0; atomic_load_explicit(&other->done, memory_order_acquire) < position; looks++) {
        if (atomic_load_explicit(&replay.failed, memory_order_relaxed)) return false;
        if (looks >= REPLAY_SPINS) sched_yield();
    }
    return true;
}

static bool replay_wait_for_all(uint64_t position, unsigned but) {
    bool fine = true;
    for (unsigned t = 0; fine && t < replay.thread_count; t++)
        if (t != but) fine = replay_wait(&replay.threads[t], position);
    return fine;
}

/* Say that all before this thread's step number i is done; returns that step's event. */
static uint64_t replay_reach(replay_thread *mine, uint64_t start, uint64_t i) {
    uint64_t next = i < mine->steps ? mine->step[i].event : replay.read.count;
    atomic_store_explicit(&mine->done, start + next, memory_order_release);
    return next;
}

/* This thread's part of a unit, which begins when all have ended the one before. Nobody waits for ever: the
 * thread whose next event is the first of all that are left waits for none. */
static bool replay_part(workload_run *run, replay_thread *mine) {
    bool full = run->parameters[REPLAY_CHECK] == REPLAY_FULL;
    uint64_t ahead = (uint64_t)run->parameters[REPLAY_AHEAD], peak = replay.read.head.peak_event;
    uint64_t start = mine->unit++ * replay.read.count, reached = start;    /* by all others, when last looked at */
    bool fine = replay_wait_for_all(start, run->thread);
    replay_reach(mine, start, 0);
    for (uint64_t i = 0; fine && i < mine->steps; i++) {
        const replay_step *step = &mine->step[i];
        uint64_t here = start + step->event;
        if (reached + ahead <= here) fine = replay_wait_for_all(reached = here + 1 - ahead, run->thread);
        if (fine && step->after) fine = replay_wait(&replay.threads[replay_thread_of(step->after - 1)], start + step->after);
        if (!fine || !replay_event(run, &replay.read.events[step->event], full)) return false;
        uint64_t next = replay_reach(mine, start, i + 1);
        if (step->event < peak && peak <= next) run->moment(run, "peak");
    }
    return fine;
}

static bool replay_unit(workload_run *run) {
    uint64_t peak = replay.read.head.peak_event;
    if (run->threads > 1) {
        bool fine = replay_part(run, &replay.threads[run->thread]);
        if (!fine) replay.failed = true;
        return fine;
    }
    if (!replay_events(run, 0, peak)) return false;
    run->moment(run, "peak");
    return replay_events(run, peak, replay.read.count);
}

/* Thread 0 is the last. */
static void replay_finish(workload_run *run) {
    run->live_bytes = 0;
    if (run->thread != 0) return;
    for (uint64_t slot = 0; replay.blocks && slot < replay.read.slots; slot++) {    /* some, if a unit failed */
        replay_block *block = &replay.blocks[slot];
        if (block->at) run->memory->release(block->at, block->bytes);
        block->at = NULL;
    }
    replay_unshare();
}

const workload replay_workload = {
    .name = "replay", .idea = "the allocations of a real program, as recorded", .operation = "call",
    .kind = WORKLOAD_ON_BLOCKS, .threaded = true,
    .parameters = {
        [REPLAY_TRACE] = {.name = "trace", .file = "cpython",
                          .meaning = "a name in workloads/recordings, or the path of a recorded trace"},
        [REPLAY_CHECK] = {.name = "check", .value = REPLAY_EDGES, .maximum = REPLAY_FULL, .choices = "edges|full",
                          .meaning = "which bytes of a block are written and checked"},
        [REPLAY_AHEAD] = {.name = "ahead", .value = 1000, .minimum = 1, .maximum = INT32_MAX,
                          .meaning = "events that a thread may run ahead of the recorded order; 1: never"},
    },
    .needs = replay_needs, .declare = replay_declare,
    .prepare = replay_prepare, .unit = replay_unit, .finish = replay_finish,
};
