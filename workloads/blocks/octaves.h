/* SPDX-License-Identifier: MIT
 * octaves.h - sizes on a logarithmic scale, in sixteenths of an octave: as many blocks between 64 and 128 bytes as
 * between 64 and 128 KiB. Whole numbers only, so that every machine draws the same sizes. A
 * bound that is not on the scale is met to a sixteenth of an octave, 4 %.
 */
#ifndef REFARENA_OCTAVES_H
#define REFARENA_OCTAVES_H

#include <stdint.h>

enum { OCTAVES_PARTS = 16 };

/* Bytes at `place` sixteenths of an octave above one byte, rounded down; below 28 octaves. */
static inline uint32_t octaves_bytes(uint32_t place) {
    static const uint32_t powers[OCTAVES_PARTS] = {     /* 2^(16 + i/16), to the nearest */
        65536, 68438, 71468, 74632, 77936, 81386, 84990, 88752, 92682, 96785, 101070, 105545, 110218, 115098, 120194, 125515,
    };
    return (uint32_t)((uint64_t)powers[place % OCTAVES_PARTS] << place / OCTAVES_PARTS >> 16);
}

/* The lowest place whose bytes reach `bytes`. */
static inline uint32_t octaves_place(uint64_t bytes) {
    uint32_t place = 0;
    while (octaves_bytes(place) < bytes) place++;
    return place;
}

#endif
