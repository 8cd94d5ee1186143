/* SPDX-License-Identifier: MIT
 * program.c - programs from seeds and from bytes. */
#include <string.h>

#include "program.h"

static uint64_t program_random(uint64_t *state) {      /* splitmix64, Steele, Lea & Flood, OOPSLA 2014 */
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void program_from_seed(program *p, uint64_t seed) {
    p->count = 8 + program_random(&seed) % 113;
    for (size_t i = 0; i < p->count; i++) {
        uint64_t r = program_random(&seed);
        p->steps[i] = (program_step){(uint8_t)r, (uint8_t)(r >> 8), (uint8_t)(r >> 16), (uint8_t)(r >> 24)};
    }
}

void program_from_bytes(program *p, const uint8_t *bytes, size_t count) {
    p->count = count / sizeof(program_step);
    if (p->count > PROGRAM_STEPS) p->count = PROGRAM_STEPS;
    for (size_t i = 0; i < p->count; i++, bytes += sizeof(program_step))
        p->steps[i] = (program_step){bytes[0], bytes[1], bytes[2], bytes[3]};
}

char program_op(program_step s)    { return PROGRAM_OPS[s.code & 63]; }
char program_type(uint8_t code)    { return PROGRAM_TYPES[code & 15]; }
bool program_is_finalized(char type) { return type != 0 && strchr("FPMCB", type) != NULL; }
bool program_is_node(char type)    { return type == 'N' || program_is_finalized(type); }

void program_print_event(FILE *to, const program_event *e) {
    fprintf(to, " %c%d", (char)e->kind, e->id);
    if (e->kind == 'f') fprintf(to, "(%d %d %d)", e->seen[0], e->seen[1], e->seen[2]);
}
