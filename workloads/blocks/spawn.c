/* SPDX-License-Identifier: MIT
 * spawn.c - threads that start, allocate, leave some of it behind, and end.
 *
 * Exercises: what an allocator keeps for each thread, when threads come and go: setting it up at a thread's first
 * request, and taking back what a dead thread had, blocks of which still live.
 * Source: a thread for each connection is a classic design of servers (Stevens, UNIX Network Programming 1, on
 * concurrent servers); that heaps of dead threads must be adopted: Berger et al., Hoard, ASPLOS 2000; Evans,
 * A scalable concurrent malloc(3) implementation for FreeBSD, BSDCan 2006, gives arenas to threads by turns.
 * Not claimed: that starting a thread costs this much: it is in the time, and `count` dilutes it.
 * guests = threads that a host, one of the harness's threads, starts in a unit, one after the other; count = blocks
 * that each makes; left = how many of them it does not release; size = their bytes.
 *
 * The host releases what a guest has left when the guest after it is gone: until then they are a dead thread's blocks
 * beside a living thread's. A host waits for its guest, so that only with several hosts two threads allocate at once.
 * (I1) Between units all slots are empty, and no guest lives.
 */
#include <pthread.h>

#include "slot.h"

enum { SPAWN_SIZE, SPAWN_GUESTS, SPAWN_COUNT, SPAWN_LEFT };
enum { SPAWN_STACK_BYTES = 256 << 10, SPAWN_ROWS = 2 };     /* one guest's blocks, and those the last one left */

typedef struct spawn_guest {
    workload_run run;           /* the host's, with a checksum and live bytes of its own */
    slot        *slots;
    uint64_t     first;
    bool         done;          /* all it should */
} spawn_guest;

typedef struct spawn_state {
    pthread_attr_t small;       /* threads with a small stack */
    slot           slots[];     /* SPAWN_ROWS times count */
} spawn_state;

static unsigned spawn_needs(const workload_run *run) {
    (void)run;
    return 0;
}

static workload_operations spawn_declare(const workload_run *run) {
    uint64_t blocks = (uint64_t)(run->parameters[SPAWN_GUESTS] * run->parameters[SPAWN_COUNT]);
    return (workload_operations){
        .operations = blocks, .allocations = blocks, .bytes = blocks * (uint64_t)run->parameters[SPAWN_SIZE],
    };
}

static size_t spawn_slots(const workload_run *run) { return SPAWN_ROWS * (size_t)run->parameters[SPAWN_COUNT]; }
static size_t spawn_bytes(const workload_run *run) { return sizeof(spawn_state) + spawn_slots(run) * sizeof(slot); }

static bool spawn_prepare(workload_run *run) {
    if (run->parameters[SPAWN_LEFT] > run->parameters[SPAWN_COUNT]) {
        snprintf(run->why, sizeof run->why, "spawn: left=%lld is above count=%lld; a guest leaves what it made",
                 (long long)run->parameters[SPAWN_LEFT], (long long)run->parameters[SPAWN_COUNT]);
        return false;
    }
    spawn_state *state = run->state = workload_map(spawn_bytes(run));
    if (!state) return false;
    pthread_attr_init(&state->small);
    pthread_attr_setstacksize(&state->small, SPAWN_STACK_BYTES);
    return true;
}

static bool spawn_work(spawn_guest *guest) {
    workload_run *run = &guest->run;
    uint32_t count = (uint32_t)run->parameters[SPAWN_COUNT], left = (uint32_t)run->parameters[SPAWN_LEFT];
    for (uint32_t i = 0; i < count; i++)
        if (!slot_fill(run, &guest->slots[i], (uint32_t)run->parameters[SPAWN_SIZE], guest->first, i)) return false;
    for (uint32_t i = left; i < count; i++)
        if (!slot_empty(run, &guest->slots[i], guest->first)) return false;
    return true;
}

static void *spawn_live(void *argument) {
    spawn_guest *guest = argument;
    guest->done = spawn_work(guest);
    guest->run.memory->thread_exit();
    return NULL;
}

/* Start a guest, wait for its end, and take over what it has to say. */
static bool spawn_one(workload_run *run, slot *slots, uint64_t first) {
    const spawn_state *state = run->state;
    spawn_guest guest = {.run = *run, .slots = slots, .first = first};
    pthread_t thread;
    if (pthread_create(&thread, &state->small, spawn_live, &guest) != 0) return false;
    pthread_join(thread, NULL);
    run->checksum = guest.run.checksum;
    run->live_bytes = guest.run.live_bytes;
    memcpy(run->why, guest.run.why, sizeof run->why);
    return guest.done;
}

static bool spawn_clear(workload_run *run, slot *slots, uint64_t first) {
    for (int64_t i = 0; i < run->parameters[SPAWN_LEFT]; i++)
        if (!slot_empty(run, &slots[i], first)) return false;
    return true;
}

static bool spawn_unit(workload_run *run) {
    spawn_state *state = run->state;
    uint64_t guests = (uint64_t)run->parameters[SPAWN_GUESTS], first = (uint64_t)run->thread << 48;
    slot *rows[SPAWN_ROWS] = {state->slots, state->slots + run->parameters[SPAWN_COUNT]};
    for (uint64_t i = 0; i < guests; i++) {
        if (!spawn_one(run, rows[i % 2], first + (i << 32))) return false;
        if (i > 0 && !spawn_clear(run, rows[(i - 1) % 2], first + ((i - 1) << 32))) return false;
    }
    run->moment(run, "left behind");
    return spawn_clear(run, rows[(guests - 1) % 2], first + ((guests - 1) << 32));
}

static void spawn_finish(workload_run *run) {
    spawn_state *state = run->state;
    if (!state) return;
    slot_drop_all(run, state->slots, spawn_slots(run));       /* some, if a unit failed */
    pthread_attr_destroy(&state->small);
    workload_unmap(state, spawn_bytes(run));
    run->state = NULL;
    run->live_bytes = 0;
}

const workload spawn_workload = {
    .name = "spawn", .idea = "threads that start, allocate, leave some behind, and end (thread churn)", .operation = "block",
    .kind = WORKLOAD_ON_BLOCKS, .threaded = true,
    .parameters = {
        [SPAWN_SIZE]   = {.name = "size", .meaning = "bytes of a block", .value = 64, .minimum = 1, .maximum = 1 << 20},
        [SPAWN_GUESTS] = {.name = "guests", .meaning = "threads started in a unit, by each host", .value = 8, .minimum = 1,
                          .maximum = 10000},
        [SPAWN_COUNT]  = {.name = "count", .meaning = "blocks that each makes", .value = 5000, .minimum = 1, .maximum = 10000000},
        [SPAWN_LEFT]   = {.name = "left", .meaning = "of them, that the host releases after the guest's end", .value = 500,
                          .minimum = 0, .maximum = 10000000},
    },
    .needs = spawn_needs, .declare = spawn_declare,
    .prepare = spawn_prepare, .unit = spawn_unit, .finish = spawn_finish,
};
