/* SPDX-License-Identifier: MIT
 * large.c - a few blocks of many pages, written to, replaced, zeroed and resized.
 *
 * Exercises: the way out of an allocator's small blocks: mapping and unmapping, or keeping what was mapped; faulting
 * pages in again, which costs more than all else; growing a block by moving its pages in place of copying them.
 * Source: mallopt(3) on M_MMAP_THRESHOLD: a block that is mapped is given back at once, and each new one must be
 * zeroed and faulted in; glibc raises the threshold when it sees such blocks freed, for programs that make and drop
 * large temporaries, as those that compute with whole arrays do.
 * Not claimed: that programs only write a word of each page (pages = touched). What else they write takes the same time
 * on every allocator. pages = left shows what an allocator does by itself.
 * size = live blocks, smallest and largest = their bytes, uniform on a logarithmic scale; pages = what is written.
 *
 * A unit replaces each block four times: twice by another, once by a zeroed one, once by resizing it.
 * (I1) Between units, blocks[i].number is the last step of block i.
 */
#include "../../allocators/os_page.h"
#include "octaves.h"
#include "slot.h"

enum { LARGE_SIZE, LARGE_SMALLEST, LARGE_LARGEST, LARGE_PAGES };        /* parameters */
enum { LARGE_TOUCHED, LARGE_LEFT };                                     /* values of pages */
enum { LARGE_TIMES = 4 };

typedef struct large_state {
    uint64_t first, seed;
    uint32_t lowest, places;    /* of the scale of sizes */
    slot     blocks[];
} large_state;

static unsigned large_needs(const workload_run *run) {
    (void)run;
    return 0;
}

static void large_scale(const workload_run *run, large_state *state) {
    state->seed = random_mix(run->seed);
    state->lowest = octaves_place((uint64_t)run->parameters[LARGE_SMALLEST]);
    uint32_t end = octaves_place((uint64_t)run->parameters[LARGE_LARGEST] + 1);
    state->places = end > state->lowest ? end - state->lowest : 1;
}

static uint32_t large_bytes(const large_state *state, uint32_t step) {
    uint64_t drawn = random_mix(state->seed ^ (step + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15));
    return octaves_bytes(state->lowest + (uint32_t)(drawn % state->places));
}

static workload_operations large_declare(const workload_run *run) {
    uint64_t steps = (uint64_t)run->parameters[LARGE_SIZE] * LARGE_TIMES, bytes = 0;
    large_state scale;
    large_scale(run, &scale);
    for (uint64_t step = 0; step < steps; step++) bytes += large_bytes(&scale, (uint32_t)step);
    return (workload_operations){.operations = steps, .allocations = steps, .bytes = bytes};
}

static size_t large_mapped_bytes(const workload_run *run) {
    return sizeof(large_state) + (size_t)run->parameters[LARGE_SIZE] * sizeof(slot);
}

/* A word in each page but the first and the last, which the stamp at the edges has. */
static void large_touch(const workload_run *run, slot *block, uint64_t first) {
    uint64_t stamp = stamp_of(first + block->number);
    if (run->parameters[LARGE_PAGES] == LARGE_LEFT) return;
    for (size_t page = os_page_bytes(), at = page; at + page < block->bytes; at += page)
        memcpy(block->at + at, &stamp, sizeof stamp);
}

static bool large_make(workload_run *run, large_state *state, slot *block, uint32_t step) {
    if (!slot_fill(run, block, large_bytes(state, step), state->first, step)) return false;
    large_touch(run, block, state->first);
    return true;
}

static bool large_make_zeroed(workload_run *run, large_state *state, slot *block, uint32_t step) {
    uint32_t bytes = large_bytes(state, step);
    char *zeroed = run->memory->alloc_zeroed(bytes, ALLOCATOR_ALIGNMENT);
    if (!zeroed) return false;
    bool zero = stamp_edges_hold(zeroed, bytes, 0);
    slot_hold(run, block, zeroed, bytes, state->first, step);
    if (!zero) snprintf(run->why, sizeof run->why, "large on %.40s: a block that was asked for zeroed is not zero",
                        run->memory->name);
    large_touch(run, block, state->first);
    return zero;
}

/* The block becomes the one that `step` makes; what it held must have come along. */
static bool large_resize(workload_run *run, large_state *state, slot *block, uint32_t step) {
    uint32_t before = block->bytes, bytes = large_bytes(state, step);
    if (!slot_check(run, block, state->first)) return false;
    run->checksum += stamp_sum(block->at, before);
    uint64_t stamp = stamp_of(state->first + block->number);
    char *moved = run->memory->resize(block->at, before, bytes);
    if (!moved) return false;
    block->at = moved;
    block->bytes = bytes;
    run->live_bytes += (uint64_t)bytes - before;
    if (!stamp_starts(moved, bytes, stamp) || (bytes >= before && !stamp_ends(moved, before, stamp)))
        return slot_complain(run, block);
    block->number = step;
    stamp_edges(moved, bytes, stamp_of(state->first + step));
    large_touch(run, block, state->first);
    return true;
}

static bool large_step(workload_run *run, large_state *state, slot *block, uint32_t step, uint32_t turn) {
    if (turn == 2) return large_resize(run, state, block, step);
    if (!slot_empty(run, block, state->first)) return false;
    return turn == 1 ? large_make_zeroed(run, state, block, step) : large_make(run, state, block, step);
}

static bool large_prepare(workload_run *run) {
    large_state *state = NULL;
    if (!slot_range(run, run->parameters[LARGE_SMALLEST], run->parameters[LARGE_LARGEST])) return false;
    state = run->state = workload_map(large_mapped_bytes(run));
    if (!state) return false;
    uint32_t size = (uint32_t)run->parameters[LARGE_SIZE];
    large_scale(run, state);
    state->first = (uint64_t)run->thread << 32;
    for (uint32_t i = 0; i < size; i++)
        if (!large_make(run, state, &state->blocks[i], (LARGE_TIMES - 1) * size + i)) return false;
    return true;
}

static bool large_unit(workload_run *run) {
    large_state *state = run->state;
    uint32_t size = (uint32_t)run->parameters[LARGE_SIZE];
    for (uint32_t turn = 0; turn < LARGE_TIMES; turn++)
        for (uint32_t i = 0; i < size; i++)
            if (!large_step(run, state, &state->blocks[i], turn * size + i, turn)) return false;
    run->moment(run, "steady");
    return true;
}

static void large_finish(workload_run *run) {
    large_state *state = run->state;
    if (!state) return;
    slot_drop_all(run, state->blocks, (size_t)run->parameters[LARGE_SIZE]);
    workload_unmap(state, large_mapped_bytes(run));
    run->state = NULL;
    run->live_bytes = 0;
}

const workload large_workload = {
    .name = "large", .idea = "a few blocks of many pages, replaced, zeroed and resized", .operation = "replacement",
    .kind = WORKLOAD_ON_BLOCKS, .threaded = true,
    .parameters = {
        [LARGE_SIZE]     = {.name = "size", .meaning = "live blocks per thread", .value = 8, .minimum = 1, .maximum = 1000000},
        [LARGE_SMALLEST] = {.name = "smallest", .meaning = "bytes of the smallest block", .value = 65536, .minimum = 8,
                            .maximum = 1 << 27},
        [LARGE_LARGEST]  = {.name = "largest", .meaning = "bytes of the largest block", .value = 1 << 20, .minimum = 8,
                            .maximum = 1 << 27},
        [LARGE_PAGES]    = {.name = "pages", .value = LARGE_TOUCHED, .maximum = LARGE_LEFT, .choices = "touched|left",
                            .meaning = "each page is written to, or only the first and the last bytes"},
    },
    .needs = large_needs, .declare = large_declare,
    .prepare = large_prepare, .unit = large_unit, .finish = large_finish,
};
