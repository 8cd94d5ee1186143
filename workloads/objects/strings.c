/* SPDX-License-Identifier: MIT
 * strings.c - strings of a length are made, or interned, or hashed.
 *
 *   act=make     `size` strings, each dropped when the next is made
 *   act=intern   the same, of 100 different texts, each looked up in an interning table: equal ones become one object
 *   act=hash     the hash of each new string is asked for: all its characters are read
 *   act=hash_again   the hash of one string is asked for, `size` times: it is kept in the string
 *
 * Figures: bytes_per_character (of a string, header and all, over its length), texts (in the interning table).
 * Exercises: objects of all sizes without references; a table that grows; a value that is computed once.
 * Source: the scene of strings in talks on CPython's memory (sys.getsizeof: 49 bytes and one for each character,
 * PEP 393); string.h has the shape.
 * Not claimed: texts of real programs. size = strings in a unit, length = characters.
 */
#include "string.h"

enum { STRINGS_SIZE, STRINGS_ACT, STRINGS_LENGTH };
enum { STRINGS_MAKE, STRINGS_INTERN, STRINGS_HASH, STRINGS_HASH_AGAIN };
enum { STRINGS_ONE, STRINGS_TABLE, STRINGS_LOCALS };
enum { STRINGS_TEXTS = 100, STRINGS_DIGITS = 2 };

/* Its last characters tell which of the texts it is; one that is too short for that tells less. */
static bool strings_new(mutator *m, local *l, size_t length, int64_t which) {
    if (!string_new(m, l, NULL, length)) return false;
    char *text = string_text(l->target);
    memset(text, 'x', length);
    for (size_t i = 0; i < STRINGS_DIGITS && i < length; i++, which /= 10)
        text[length - 1 - i] = (char)('0' + which % 10);
    return true;
}

static uint64_t strings_texts(const workload_run *run) {        /* how many different ones there are */
    uint64_t told = run->parameters[STRINGS_LENGTH] >= STRINGS_DIGITS ? STRINGS_TEXTS : 10;
    return (uint64_t)run->parameters[STRINGS_SIZE] < told ? (uint64_t)run->parameters[STRINGS_SIZE] : told;
}

static bool strings_one(workload_run *run, local *frame, int64_t i) {
    mutator *m = run->mutator;
    int64_t act = run->parameters[STRINGS_ACT];
    local *one = &frame[STRINGS_ONE];
    if (act != STRINGS_HASH_AGAIN || i == 0)
        if (!strings_new(m, one, (size_t)run->parameters[STRINGS_LENGTH], i % STRINGS_TEXTS)) return false;
    if (act == STRINGS_INTERN) {
        if (!string_intern(m, &frame[STRINGS_TABLE], one)) return false;
        assert(string_is_interned(one->target));
    }
    if (act == STRINGS_HASH) assert(!string_is_hashed(one->target));
    if (act == STRINGS_HASH || act == STRINGS_HASH_AGAIN) run->checksum += (uint64_t)string_hash(one->target);
    run->checksum = run->checksum * 31 + (unsigned char)string_text(one->target)[string_length(one->target) - 1];
    return true;
}

static bool strings_unit(workload_run *run) {
    mutator *m = run->mutator;
    local *frame = frame_open(m, STRINGS_LOCALS);
    bool interns = run->parameters[STRINGS_ACT] == STRINGS_INTERN, made = !interns || interned_new(m, &frame[STRINGS_TABLE]);
    for (int64_t i = 0; made && i < run->parameters[STRINGS_SIZE]; i++) {
        mutator_poll(m);
        made = strings_one(run, frame, i);
    }
    if (made) run->figure(run, "bytes_per_character", (double)object_bytes(frame[STRINGS_ONE].target) / (double)string_length(frame[STRINGS_ONE].target));
    if (made && interns) {
        run->figure(run, "texts", (double)interned_count(frame[STRINGS_TABLE].target));
        run->checksum += interned_count(frame[STRINGS_TABLE].target);
    }
    frame_close(m, frame);
    return made;
}

static bool strings_prepare(workload_run *run) { (void)run; return true; }
static void strings_finish(workload_run *run) { (void)run; }
static unsigned strings_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

static workload_operations strings_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[STRINGS_SIZE], texts = strings_texts(run);
    uint64_t made = run->parameters[STRINGS_ACT] == STRINGS_HASH_AGAIN ? 1 : size;
    bool interns = run->parameters[STRINGS_ACT] == STRINGS_INTERN;
    interned_cost cost = interns ? interned_costs(texts) : (interned_cost){.objects = 0};
    return (workload_operations){
        .operations = size,
        .allocations = made + cost.objects,
        .bytes = made * (sizeof(string) - sizeof(object) + (uint64_t)run->parameters[STRINGS_LENGTH] + 1) + cost.bytes,
        .references = interns ? size + cost.references : 0,
    };
}

const workload strings_workload = {
    .name = "strings", .idea = "strings are made, interned, hashed once, or hashed again",
    .operation = "string", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "strings in a unit", .value = 10000, .minimum = 1, .maximum = 100000000},
                   {.name = "act", .meaning = "what is done with each", .choices = "make|intern|hash|hash_again", .maximum = 3},
                   {.name = "length", .meaning = "characters", .value = 10, .minimum = 1, .maximum = 100000000}},
    .needs = strings_needs, .declare = strings_declare,
    .prepare = strings_prepare, .unit = strings_unit, .finish = strings_finish,
};
