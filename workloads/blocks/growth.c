/* SPDX-License-Identifier: MIT
 * growth.c - arrays that grow by resize until they are long enough, are cut to length, and die.
 *
 * Exercises: resize, which may find room behind a block, move its pages, or must copy; and what it leaves behind:
 * holes of many sizes, the largest of which an array has just left.
 * Source: growth = eighth is CPython's list (Objects/listobject.c, list_resize: an eighth more, and 6 elements, in
 * whole fours); double is the classic, amortised (Cormen et al., Introduction to Algorithms, on dynamic tables); half
 * is FBVector's, whose makers say that after a factor of 2 no hole can ever be used again (folly, FBVector.md).
 * Not claimed: that lengths are like this in programs: they are uniform on a logarithmic scale, from 64 bytes on.
 * size = arrays, largest = bytes of the longest that may be drawn, growth = by how much.
 *
 * Each array's life is a row of events: made for four elements, grown as often as needed, cut to its length, released.
 * The events of all arrays are shuffled, each array's own staying in order, so that no array grows undisturbed. New
 * elements are written at once, all of them, as an append would; edges are checked at each event.
 * (I1) arrays[i].bytes are those that its last event left it with; between units they are 0, and no array lives.
 */
#include "octaves.h"
#include "slot.h"

enum { GROWTH_SIZE, GROWTH_LARGEST, GROWTH_BY };                    /* parameters */
enum { GROWTH_EIGHTH, GROWTH_HALF, GROWTH_DOUBLE };                 /* values of growth */
enum { GROWTH_ELEMENT = 8, GROWTH_FIRST = 4, GROWTH_SHORTEST = 64 };    /* bytes, elements, bytes */

typedef struct growth_array {
    slot     block;
    uint32_t length;            /* bytes, in the end */
    uint32_t bytes;             /* now */
    bool     cut;               /* to its length: released next */
} growth_array;

typedef struct growth_state {
    uint64_t      first;
    uint64_t      events;       /* of all arrays */
    uint64_t      peak;         /* the event after which most bytes are alive */
    uint32_t     *order;        /* which array each belongs to */
    growth_array *arrays;
} growth_state;

static unsigned growth_needs(const workload_run *run) {
    (void)run;
    return 0;
}

/* Bytes of the array number i, in whole elements. The same in all threads. */
static uint32_t growth_length(const workload_run *run, uint64_t i) {
    uint32_t lowest = octaves_place(GROWTH_SHORTEST);
    uint32_t places = octaves_place((uint64_t)run->parameters[GROWTH_LARGEST] + 1) - lowest;
    uint64_t drawn = random_mix(random_mix(run->seed) ^ (i + 1) * UINT64_C(0x9e3779b97f4a7c15)) % places;
    return octaves_bytes(lowest + (uint32_t)drawn) / GROWTH_ELEMENT * GROWTH_ELEMENT;
}

/* Bytes of the next larger block, for one element more than fits into `bytes`. */
static uint32_t growth_next(int64_t by, uint32_t bytes) {
    uint32_t elements = bytes / GROWTH_ELEMENT, wanted = elements + 1;
    if (by == GROWTH_EIGHTH) return ((wanted + wanted / 8 + 6) & ~3u) * GROWTH_ELEMENT;
    if (elements == 0) return GROWTH_FIRST * GROWTH_ELEMENT;
    return (by == GROWTH_HALF ? elements + elements / 2 : elements * 2) * GROWTH_ELEMENT;
}

/* Add what one array asks for; returns how many events its life has. */
static uint64_t growth_life(int64_t by, uint32_t length, workload_operations *all) {
    uint64_t events = 1;                                    /* its release */
    for (uint32_t bytes = 0; bytes < length; events++, all->allocations++) all->bytes += bytes = growth_next(by, bytes);
    all->bytes += length;                                   /* the cut */
    all->allocations++;
    return events + 1;
}

static workload_operations growth_declare(const workload_run *run) {
    workload_operations all = {0};
    for (int64_t i = 0; i < run->parameters[GROWTH_SIZE]; i++)
        all.operations += growth_life(run->parameters[GROWTH_BY], growth_length(run, (uint64_t)i), &all);
    return all;
}

static size_t growth_bytes(const workload_run *run, uint64_t events) {
    return sizeof(growth_state) + (size_t)run->parameters[GROWTH_SIZE] * sizeof(growth_array) + events * sizeof(uint32_t);
}

/* Go on to the next event in an array's life; returns the bytes it then has, 0 when that was its release. */
static uint32_t growth_advance(int64_t by, growth_array *array) {
    bool longest = array->bytes >= array->length;
    uint32_t bytes = array->cut ? 0 : longest ? array->length : growth_next(by, array->bytes);
    array->cut = longest && !array->cut;
    return array->bytes = bytes;
}

/* Live all lives without memory. */
static uint64_t growth_peak(int64_t by, growth_state *state) {
    uint64_t bytes = 0, most = 0, peak = 0;
    for (uint64_t i = 0; i < state->events; i++) {
        growth_array *array = &state->arrays[state->order[i]];
        bytes -= array->bytes;
        bytes += growth_advance(by, array);
        if (bytes > most) most = bytes, peak = i;
    }
    return peak;
}

static bool growth_prepare(workload_run *run) {
    uint32_t size = (uint32_t)run->parameters[GROWTH_SIZE], *next;
    uint64_t events = growth_declare(run).operations;
    growth_state *state = run->state = workload_map(growth_bytes(run, events));
    if (!state) return false;
    state->first = (uint64_t)run->thread << 32;
    state->events = events;
    state->arrays = (growth_array *)(state + 1);
    next = state->order = (uint32_t *)(state->arrays + size);
    for (uint32_t i = 0; i < size; i++) {
        workload_operations unused = {0};
        state->arrays[i].length = growth_length(run, i);
        for (uint64_t left = growth_life(run->parameters[GROWTH_BY], state->arrays[i].length, &unused); left > 0; left--)
            *next++ = i;
    }
    random_generator dice;
    random_start(&dice, run->seed, run->thread);
    random_shuffle(&dice, state->order, events);
    state->peak = growth_peak(run->parameters[GROWTH_BY], state);
    return true;
}

/* Elements from `from` bytes on. */
static void growth_append(slot *block, uint32_t from, uint64_t first) {
    stamp_whole(block->at + from, block->bytes - from, stamp_of(first + block->number));
}

static bool growth_resize(workload_run *run, slot *block, uint32_t bytes, uint64_t first) {
    uint32_t before = block->bytes;
    if (!slot_check(run, block, first)) return false;
    char *moved = run->memory->resize(block->at, before, bytes);
    if (!moved) return false;
    run->live_bytes += (uint64_t)bytes - before;
    *block = (slot){moved, bytes, block->number};
    slot kept = {moved, bytes < before ? bytes : before, block->number};
    if (!slot_check(run, &kept, first)) return false;
    if (bytes > before) growth_append(block, before, first);
    return true;
}

/* The next event in the life of array i. */
static bool growth_event(workload_run *run, growth_state *state, uint32_t i) {
    growth_array *array = &state->arrays[i];
    uint32_t bytes = growth_advance(run->parameters[GROWTH_BY], array);
    if (bytes == 0) return slot_empty(run, &array->block, state->first);
    if (array->block.at) return growth_resize(run, &array->block, bytes, state->first);
    if (!slot_fill(run, &array->block, bytes, state->first, i)) return false;
    growth_append(&array->block, 0, state->first);
    return true;
}

static bool growth_unit(workload_run *run) {
    growth_state *state = run->state;
    for (uint64_t i = 0; i < state->events; i++) {
        if (!growth_event(run, state, state->order[i])) return false;
        if (i == state->peak) run->moment(run, "peak");
    }
    return true;
}

static void growth_finish(workload_run *run) {
    growth_state *state = run->state;
    if (!state) return;
    for (int64_t i = 0; i < run->parameters[GROWTH_SIZE]; i++)         /* some, if a unit failed */
        if (state->arrays[i].block.at) slot_drop(run, &state->arrays[i].block);
    workload_unmap(state, growth_bytes(run, state->events));
    run->state = NULL;
    run->live_bytes = 0;
}

const workload growth_workload = {
    .name = "growth", .idea = "arrays that grow by resize, are cut to length, and die", .operation = "event",
    .kind = WORKLOAD_ON_BLOCKS, .threaded = true,
    .parameters = {
        [GROWTH_SIZE]    = {.name = "size", .meaning = "arrays", .value = 300, .minimum = 1, .maximum = 10000000},
        [GROWTH_LARGEST] = {.name = "largest", .meaning = "bytes of the longest array that may be drawn", .value = 32768,
                            .minimum = GROWTH_SHORTEST, .maximum = 1 << 26},
        [GROWTH_BY]      = {.name = "growth", .value = GROWTH_EIGHTH, .maximum = GROWTH_DOUBLE, .choices = "eighth|half|double",
                            .meaning = "what is added when an array is full"},
    },
    .needs = growth_needs, .declare = growth_declare,
    .prepare = growth_prepare, .unit = growth_unit, .finish = growth_finish,
};
