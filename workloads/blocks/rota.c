/* SPDX-License-Identifier: MIT
 * rota.c - live blocks that are replaced at random. See rota.h. */
#include "rota.h"

static inline uint32_t rota_size(const uint16_t sizes[ROTA_POINTS], uint64_t seed, uint64_t step) {
    return sizes[random_mix(seed ^ (step + 1) * UINT64_C(0x9e3779b97f4a7c15)) % ROTA_POINTS];
}

uint64_t rota_bytes(const uint16_t sizes[ROTA_POINTS], uint64_t seed, uint64_t steps) {
    uint64_t bytes = 0;
    for (uint64_t step = 0; step < steps; step++) bytes += rota_size(sizes, random_mix(seed), step);
    return bytes;
}

static size_t rota_table_bytes(uint64_t size, uint64_t steps) {
    return sizeof(rota) + size * sizeof(slot) + steps * sizeof(uint32_t);
}

/* Give slot `at` the block that `step` makes. */
static inline bool rota_fill(workload_run *run, rota *live, uint32_t at, uint32_t step) {
    return slot_fill(run, &live->slots[at], rota_size(live->sizes, live->seed, step), live->first, step);
}

bool rota_make(workload_run *run, rota **made, const uint16_t sizes[ROTA_POINTS], uint32_t size, uint32_t times,
               unsigned index) {
    uint32_t steps = size * times;
    rota *live = *made = workload_map(rota_table_bytes(size, steps));
    if (!live) return false;
    live->seed = random_mix(run->seed);
    live->first = (uint64_t)index * steps;
    live->size = size;
    live->steps = steps;
    live->slots = (slot *)(live + 1);
    live->order = (uint32_t *)(live->slots + size);
    memcpy(live->sizes, sizes, sizeof live->sizes);

    random_generator dice;
    random_start(&dice, run->seed, index);
    for (uint32_t step = 0; step < steps; step++) live->order[step] = step % size;
    random_shuffle(&dice, live->order, steps);

    for (uint32_t step = 0; step < steps; step++) live->slots[live->order[step]].number = step;
    for (uint32_t step = 0; step < steps; step++)
        if (live->slots[live->order[step]].number == step && !rota_fill(run, live, live->order[step], step))
            return false;
    return true;
}

bool rota_turn(workload_run *run, rota *live) {
    for (uint32_t step = 0; step < live->steps; step++) {
        uint32_t at = live->order[step];
        if (!slot_empty(run, &live->slots[at], live->first) || !rota_fill(run, live, at, step)) return false;
    }
    return true;
}

void rota_drop(workload_run *run, rota *live) {
    if (!live) return;
    slot_drop_all(run, live->slots, live->size);
    workload_unmap(live, rota_table_bytes(live->size, live->steps));
}
