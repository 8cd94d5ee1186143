/* SPDX-License-Identifier: MIT
 * random.h - small seeded random numbers, the same on every machine and every backend.
 *
 * xoshiro256**: 256 bits of state, period 2^256 - 1 (Blackman & Vigna, Scrambled linear pseudorandom
 * number generators, ACM TOMS 47(4), 2021). Its state is filled by splitmix64 (Steele, Lea & Flood, Fast
 * splittable pseudorandom number generators, OOPSLA 2014), so that every seed, 0 too, is a good one.
 *
 * A workload starts a generator of its own from (seed, thread); none is shared, none is hidden.
 */
#ifndef REFARENA_RANDOM_H
#define REFARENA_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct random_generator { uint64_t word[4]; } random_generator;

/* A one-to-one scrambling of 64 bits: splitmix64's output function. Good as a hash of a number, too. */
static inline uint64_t random_mix(uint64_t x) {
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Start `g` for one of many streams (a thread, a phase) of a seed. */
static inline void random_start(random_generator *g, uint64_t seed, uint64_t stream) {
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = random_mix(seed + golden) ^ random_mix(~stream);
    for (int i = 0; i < 4; i++) g->word[i] = random_mix(x += golden);
}

static inline uint64_t random_rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static inline uint64_t random_next(random_generator *g) {
    uint64_t *s = g->word, result = random_rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = random_rotate(s[3], 45);
    return result;
}

/* Uniform in 0 .. bound - 1, exactly; bound > 0. A multiplication in place of a division, and a division
 * only where the draw would be biased (Lemire, Fast random integer generation in an interval, ACM TOMACS
 * 29(1), 2019). */
static inline uint64_t random_below(random_generator *g, uint64_t bound) {
    unsigned __int128 product = (unsigned __int128)random_next(g) * bound;
    if ((uint64_t)product < bound) {
        uint64_t biased = -bound % bound;
        while ((uint64_t)product < biased) product = (unsigned __int128)random_next(g) * bound;
    }
    return (uint64_t)(product >> 64);
}

/* Put `items` in a random order, each order equally likely (Fisher & Yates; Durstenfeld, CACM 7(7), 1964). */
static inline void random_shuffle(random_generator *g, uint32_t *items, size_t count) {
    for (size_t left = count; left > 1; left--) {
        size_t chosen = random_below(g, left);
        uint32_t last = items[left - 1];
        items[left - 1] = items[chosen];
        items[chosen] = last;
    }
}

#endif
