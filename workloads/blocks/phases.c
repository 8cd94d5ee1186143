/* SPDX-License-Identifier: MIT
 * phases.c - in each phase half of all blocks die, and blocks of twice the size take their place.
 *
 *     phase 0   |1|1|1|1|1|1|1|1|                       survivors = placed: every second one in memory stays, and no
 *     phase 1   |1| |1| |1| |1| |2  |2  |               hole is as large as the blocks of the next phase: what is
 *     phase 2   |1|     |1|     |2  |   |4      |       live stays, what is held grows
 *
 * Exercises: fragmentation, as the choice of who survives alone makes it. Sizes, live bytes, operations and their
 * results are the same for
 *   placed     every second one in the order of addresses: the adversary. Blocks that lie side by side, without
 *              headers, span 1 + k/2 times what is live after k phases.
 *   random     age without malice
 *   together   those born first: what was born together dies together, and leaves whole stretches free
 * Source: Robson, Bounds for some functions concerning dynamic storage allocation, JACM 21(3), 1974, whose adversary
 * doubles sizes and keeps what stands in the way. His also foils allocators that leave gaps on purpose; this one, in
 * exchange, makes the same operations on every allocator. That phases survive in part: Wilson et al., Dynamic Storage
 * Allocation: A Survey and Critical Review, IWMM 1995.
 * Not claimed: any speed. New blocks are sorted by address, which the time includes; memory is the subject.
 * size = blocks of phase 0, smallest = their bytes, phases = that follow it, survivors = who stays.
 *
 * (I1) The blocks of phase p that live are in the first rows[p].alive slots from rows[p].start on; between units none.
 */
#include "slot.h"

enum { PHASES_SIZE, PHASES_SMALLEST, PHASES_COUNT, PHASES_SURVIVORS };      /* parameters */
enum { PHASES_PLACED, PHASES_RANDOM, PHASES_TOGETHER };                     /* values of survivors */
enum { PHASES_MOST = 16 };

typedef struct phases_row {
    uint32_t start;             /* slot of the first of this phase's blocks */
    uint32_t born, alive;
    uint32_t bytes;             /* of each */
} phases_row;

typedef struct phases_state {
    uint64_t   first;
    phases_row rows[PHASES_MOST + 1];
    slot       slots[];
} phases_state;

static unsigned phases_needs(const workload_run *run) {
    (void)run;
    return 0;
}

/* Fill in start, born and bytes of all phases: the bytes of the dying half are filled again. Returns how many blocks
 * are born. */
static uint32_t phases_plan(const workload_run *run, phases_row rows[PHASES_MOST + 1]) {
    uint32_t all = 0;
    for (int64_t p = 0; p <= run->parameters[PHASES_COUNT]; p++) {
        uint64_t freed = 0;
        for (int64_t earlier = 0; earlier < p; earlier++) {
            freed += (uint64_t)(rows[earlier].alive / 2) * rows[earlier].bytes;
            rows[earlier].alive -= rows[earlier].alive / 2;
        }
        uint32_t bytes = (uint32_t)run->parameters[PHASES_SMALLEST] << p;
        uint32_t born = p == 0 ? (uint32_t)run->parameters[PHASES_SIZE] : (uint32_t)(freed / bytes);
        rows[p] = (phases_row){.start = all, .born = born, .alive = born, .bytes = bytes};
        all += born;
    }
    for (int64_t p = 0; p <= run->parameters[PHASES_COUNT]; p++) rows[p].alive = 0;
    return all;
}

static workload_operations phases_declare(const workload_run *run) {
    phases_row rows[PHASES_MOST + 1];
    uint64_t blocks = phases_plan(run, rows), bytes = 0;
    for (int64_t p = 0; p <= run->parameters[PHASES_COUNT]; p++) bytes += (uint64_t)rows[p].born * rows[p].bytes;
    return (workload_operations){.operations = blocks, .allocations = blocks, .bytes = bytes};
}

static size_t phases_mapped_bytes(const workload_run *run) {
    phases_row rows[PHASES_MOST + 1];
    return sizeof(phases_state) + phases_plan(run, rows) * sizeof(slot);
}

static bool phases_prepare(workload_run *run) {
    phases_state *state = run->state = workload_map(phases_mapped_bytes(run));
    if (!state) return false;
    state->first = (uint64_t)run->thread << 32;
    phases_plan(run, state->rows);
    return true;
}

/* By address. Shell's sort (CACM 2(7), 1959) with Ciura's gaps (FCT 2001): in place, and quick where, as here,
 * much is sorted before. The C library's may ask malloc for memory. */
static void phases_sort(slot *slots, uint32_t count) {
    static const uint32_t gaps[] = {510774, 227011, 100894, 44842, 19930, 8858, 3937, 1750, 701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
        for (uint32_t i = gaps[g]; i < count; i++) {
            slot moving = slots[i];
            uint32_t to = i;
            for (; to >= gaps[g] && slots[to - gaps[g]].at > moving.at; to -= gaps[g]) slots[to] = slots[to - gaps[g]];
            slots[to] = moving;
        }
}

static void phases_shuffle(random_generator *dice, slot *slots, uint32_t count) {
    for (uint32_t left = count; left > 1; left--) {
        uint32_t chosen = (uint32_t)random_below(dice, left);
        slot last = slots[left - 1];
        slots[left - 1] = slots[chosen];
        slots[chosen] = last;
    }
}

/* Of phase p; in the order in which every second one, or the first half, will survive. */
static bool phases_births(workload_run *run, phases_state *state, int64_t p) {
    phases_row *row = &state->rows[p];
    slot *slots = state->slots + row->start;
    for (row->alive = 0; row->alive < row->born; row->alive++)
        if (!slot_fill(run, &slots[row->alive], row->bytes, state->first, row->start + row->alive)) return false;
    if (run->parameters[PHASES_SURVIVORS] == PHASES_PLACED) phases_sort(slots, row->born);
    if (run->parameters[PHASES_SURVIVORS] == PHASES_RANDOM) {
        random_generator dice;
        random_start(&dice, run->seed, (uint64_t)p << 32 | run->thread);
        phases_shuffle(&dice, slots, row->born);
    }
    return true;
}

/* Half of a row, rounded down; the others close ranks. */
static bool phases_deaths(workload_run *run, phases_state *state, phases_row *row) {
    slot *slots = state->slots + row->start;
    uint32_t staying = row->alive - row->alive / 2;
    bool stretches = run->parameters[PHASES_SURVIVORS] == PHASES_TOGETHER;
    for (uint32_t i = 0; i < row->alive / 2; i++)
        if (!slot_empty(run, &slots[stretches ? staying + i : 2 * i + 1], state->first)) return false;
    for (uint32_t i = 1; i < staying && !stretches; i++) {
        slots[i] = slots[2 * i];
        slots[2 * i].at = NULL;
    }
    row->alive = staying;
    return true;
}

static bool phases_unit(workload_run *run) {
    phases_state *state = run->state;
    int64_t last = run->parameters[PHASES_COUNT];
    for (int64_t p = 0; p <= last; p++) {
        for (int64_t earlier = 0; earlier < p; earlier++)
            if (!phases_deaths(run, state, &state->rows[earlier])) return false;
        if (!phases_births(run, state, p)) return false;
        if (p == 0 || p == last) run->moment(run, p == 0 ? "first phase" : "last phase");
    }
    for (int64_t p = 0; p <= last; p++)
        for (phases_row *row = &state->rows[p]; row->alive > 0; row->alive--)
            if (!slot_empty(run, &state->slots[row->start + row->alive - 1], state->first)) return false;
    return true;
}

static void phases_finish(workload_run *run) {
    phases_state *state = run->state;
    if (!state) return;
    const phases_row *last = &state->rows[run->parameters[PHASES_COUNT]];
    slot_drop_all(run, state->slots, last->start + last->born);       /* some, if a unit failed */
    workload_unmap(state, phases_mapped_bytes(run));
    run->state = NULL;
    run->live_bytes = 0;
}

const workload phases_workload = {
    .name = "phases", .idea = "half of all blocks die, larger ones take their place: fragmentation, up to Robson's adversary",
    .operation = "block", .kind = WORKLOAD_ON_BLOCKS, .threaded = true,
    .parameters = {
        [PHASES_SIZE]      = {.name = "size", .meaning = "blocks of the first phase", .value = 65536, .minimum = 1,
                              .maximum = 100000000},
        [PHASES_SMALLEST]  = {.name = "smallest", .meaning = "their bytes", .value = 32, .minimum = 1, .maximum = 4096},
        [PHASES_COUNT]     = {.name = "phases", .meaning = "that follow, of twice the size each", .value = 7, .minimum = 1,
                              .maximum = PHASES_MOST},
        [PHASES_SURVIVORS] = {.name = "survivors", .value = PHASES_PLACED, .maximum = PHASES_TOGETHER,
                              .choices = "placed|random|together", .meaning = "which half stays"},
    },
    .needs = phases_needs, .declare = phases_declare,
    .prepare = phases_prepare, .unit = phases_unit, .finish = phases_finish,
};
