/* SPDX-License-Identifier: MIT
 * model.c - thousands of random programs on the collector and on a model that is slow and obviously right.
 *
 *   REFARENA_PROGRAMS=N  how many (3000)      REFARENA_SEED=S  the first program's seed (1)
 *   REFARENA_CHECK=1     the collector checks its heap after every step
 *   model --print S N    what the N programs of the seeds from S do, step by step (S only: for people)
 *   model --soak N       N programs, and a quarter of N with automatic collections of each kind
 *
 * Programs run in children, so that one that crashes is shrunk and reported like one that differs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../collectors/collector.h"
#include "../model/driver.h"
#include "../support.h"

enum { PROGRAMS = 3000, BATCH = 250, SAID = 1 << 16, FAULT_PROGRAMS = 2000, SHORT = 16 };

static const driver_setting by_hand = {.when = DRIVER_ASKED};

static uint64_t number(const char *name, const char *text) {
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno == 0 && *end == 0 && *text >= '0' && *text <= '9') return value;
    fprintf(stderr, "model: %s is '%s'; say a number, 0 or more\n", name, text);
    exit(2);
}

static uint64_t setting_number(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text != NULL && *text != 0 ? number(name, text) : otherwise;
}
static bool setting_check(void) { return setting_number("REFARENA_CHECK", 0) != 0; }

/* --- programs in children --------------------------------------------------------------------------- */

/* What a child tells: where it is, and what it found (status 1: a difference). In shared memory, which
 * outlives a crash. */
typedef struct batch {
    driver_setting    setting;
    uint64_t          seed, end;
    bool              differs;
    driver_difference difference;
    program           program;
} batch;

static batch *batch_map(const driver_setting *s) {
    batch *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(b != MAP_FAILED);
    b->setting = *s;
    return b;
}

static void batch_run(void *context) {
    batch *b = context;
    while (b->seed < b->end) {
        program_from_seed(&b->program, b->seed);
        b->differs = !driver_run(&b->program, &b->setting, &b->difference);
        if (b->differs) _exit(1);
        b->seed++;
    }
}

static void batch_run_one(void *context) {
    batch *b = context;
    b->differs = !driver_run(&b->program, &b->setting, &b->difference);
    if (b->differs) _exit(1);
}

static void batch_print(void *context) {
    batch *b = context;
    driver_print_program(stderr, &b->program, &b->setting);
}

static bool batch_fails(const program *p, void *context) {
    batch *b = context;
    b->program = *p;
    return support_child(batch_run_one, b, NULL, 0) != 0;
}

static void batch_report(batch *b, uint64_t seed, int status) {
    static char said[SAID];
    program p = b->program;
    size_t steps = p.count;
    print_message("seed %lu: %s %s at step %zu\n", (unsigned long)seed, COLLECTOR_NAME,
                  status == 1 ? b->difference.why : "crashed", b->difference.step);
    driver_shrink(&p, batch_fails, b);
    bool fails = batch_fails(&p, b);
    print_message("%zu steps shrunk to %zu: %s\n", steps, p.count,
                  !fails ? "alone it does not fail" : b->differs ? b->difference.why : "crashed");
    support_child(batch_print, b, said, sizeof said);
    print_message("%s\n", said);
}

/* Runs `count` programs; the first that fails is shrunk and printed. False: one failed. */
static bool programs_agree(const driver_setting *s, uint64_t count) {
    static const char *const when[] = {"when asked", "after few births too", "whenever it can"};
    batch *b = batch_map(s);
    uint64_t first = setting_number("REFARENA_SEED", 1);
    b->setting.check = setting_check();
    int status = 0;
    for (b->seed = first; b->seed < first + count && status == 0;) {
        b->end = b->seed + BATCH < first + count ? b->seed + BATCH : first + count;
        status = support_child(batch_run, b, NULL, 0);
    }
    if (status != 0) batch_report(b, b->seed, status);
    else print_message("%-14s %8lu programs, no difference; collects %s\n", COLLECTOR_NAME, (unsigned long)count,
                       when[s->when]);
    munmap(b, sizeof *b);
    return status == 0;
}

static uint64_t programs(uint64_t share) {
    uint64_t all = setting_number("REFARENA_PROGRAMS", PROGRAMS);
    return all / share + (all % share != 0);
}

TEST(random_programs_do_what_the_model_says) { assert_true(programs_agree(&by_hand, programs(1))); }

static void run_automatic(driver_when when) {
    driver_setting s = {.when = when};
    if (!driver_can(&s)) support_skip("the row collects only when it is asked");
    assert_true(programs_agree(&s, programs(4)));
}

TEST(collecting_at_every_chance_changes_nothing_that_programs_may_rely_on) { run_automatic(DRIVER_ALWAYS); }
TEST(automatic_collections_change_nothing_that_programs_may_rely_on) { run_automatic(DRIVER_OFTEN); }

/* --- would a difference be seen? -------------------------------------------------------------------- */

/* Shows where these are promised. */
typedef struct planted { const char *name; unsigned abilities; bool ordered; } planted;
static const planted faults[MODEL_FAULTS] = {
    [MODEL_SKIPS_A_CALLBACK]       = {"a callback is forgotten", COLLECTOR_WEAK_REFERENCES | COLLECTOR_FREES, false},
    [MODEL_CALLS_OLDEST_FIRST]     = {"callbacks run oldest first", COLLECTOR_WEAK_REFERENCES | COLLECTOR_EXACT_COUNTS, true},
    [MODEL_LOSES_A_COUNT]          = {"a reference is not counted", COLLECTOR_EXACT_COUNTS, false},
    [MODEL_FINALIZES_BACKWARDS]    = {"finalizers run youngest first", COLLECTOR_FINALIZERS | COLLECTOR_FREES_CYCLES, true},
    [MODEL_FINALIZES_TWICE]        = {"a finalizer runs twice", COLLECTOR_FINALIZERS | COLLECTOR_FREES, false},
    [MODEL_IGNORES_RESURRECTION]   = {"the resurrected are freed", COLLECTOR_FINALIZERS | COLLECTOR_FREES_CYCLES, false},
    [MODEL_FORGETS_A_FINALIZER]    = {"a finalizer never runs", COLLECTOR_FINALIZERS | COLLECTOR_FREES, false},
    [MODEL_KEEPS_WEAK_REFERENCES]  = {"weak references outlive garbage", COLLECTOR_WEAK_REFERENCES | COLLECTOR_FREES_CYCLES, true},
    [MODEL_NEVER_DEFERS]           = {"a cascade never defers", COLLECTOR_FINALIZERS | COLLECTOR_EXACT_COUNTS, true},
    [MODEL_MISCOUNTS_GARBAGE]      = {"leaves are counted as found", COLLECTOR_FREES_CYCLES, true},
    [MODEL_FORGETS_IMMORTALITY]    = {"the immortal die", COLLECTOR_IMMORTALIZES | COLLECTOR_FREES, false},
};

/* The seed of the first program that shows the fault, or 0. */
static uint64_t first_to_show(model_fault fault, program *p) {
    driver_setting s = {.fault = fault};
    driver_difference d;
    for (uint64_t seed = 1; seed <= FAULT_PROGRAMS; seed++) {
        program_from_seed(p, seed);
        if (!driver_run(p, &s, &d)) return seed;
    }
    return 0;
}

static bool fault_shows(const program *p, void *fault) {
    driver_setting s = {.fault = *(model_fault *)fault};
    driver_difference d;
    return !driver_run(p, &s, &d);
}

static bool can_show(model_fault fault) {
    model_rules rules = driver_rules(&by_hand);
    if (rules.conservative) return fault == MODEL_FORGETS_A_FINALIZER;
    return (faults[fault].abilities & ~linked_collector.abilities) == 0 && !(faults[fault].ordered && rules.quiet);
}

TEST(every_planted_fault_is_found_and_shrunk_to_a_few_steps) {
    for (model_fault fault = MODEL_FAITHFUL + 1; fault < MODEL_FAULTS; fault++) {
        program p;
        if (!can_show(fault)) continue;
        uint64_t seed = first_to_show(fault, &p);
        if (seed == 0) print_message("not found in %d programs: %s\n", FAULT_PROGRAMS, faults[fault].name);
        assert_true(seed != 0);
        driver_shrink(&p, fault_shows, &fault);
        print_message("%s: found by seed %lu, %zu steps\n", faults[fault].name, (unsigned long)seed, p.count);
        assert_true(p.count <= SHORT);
    }
}

/* --- programs that once failed ---------------------------------------------------------------------- */

static uint8_t op(char letter)   { return (uint8_t)(strchr(PROGRAM_OPS, letter) - PROGRAM_OPS); }
static uint8_t type(char letter) { return (uint8_t)(strchr(PROGRAM_TYPES, letter) - PROGRAM_TYPES); }

#define RUN(...) do { \
    const program_step steps[] = {__VA_ARGS__}; \
    program p; \
    driver_difference d; \
    program_from_bytes(&p, (const uint8_t *)steps, sizeof steps); \
    if (!driver_run(&p, &by_hand, &d)) fail_msg("step %zu: %s", d.step, d.why); \
} while (0)

TEST(a_weak_reference_finds_what_was_deferred_in_a_cascade_and_then_resurrected) {
    RUN({op('n'), 2, type('P'), 0}, {op('w'), 3, 2, 1}, {op('h'), 2, 40, type('N')}, {op('d'), 2, 0, 0},
        {op('f'), 0, PROGRAM_SAVED, 0}, {op('g'), 1, 3, 0});
}

TEST(a_finalizer_runs_in_the_deferred_part_of_a_cascade_too_and_the_cascade_goes_on) {
    RUN({op('h'), 0, 69, type('F')}, {op('d'), 0, 0, 0});
    RUN({op('h'), 0, 69, type('P')}, {op('d'), 0, 0, 0}, {op('f'), 0, 5, 0});
}

/* Saved by its finalizer from a death by count, an old object is young again, and its weak reference old. */
TEST(a_weak_reference_that_called_back_in_a_collection_moves_to_the_next_generation) {
    RUN({op('n'), 0, type('P'), 0}, {op('n'), 3, type('N'), 0}, {op('n'), 3, type('N'), 0}, {op('w'), 1, 0, 1}, {op('c'), 2, 0, 0},
        {op('d'), 0, 0, 0}, {op('f'), 0, PROGRAM_SAVED, 0}, {op('u'), PROGRAM_SAVED, 0, 0}, {op('t'), 0, 0, 0},
        {op('n'), 2, type('N'), 0}, {op('t'), 2, 2, 2}, {op('t'), 2, 1, 1}, {op('d'), 1, 0, 0}, {op('d'), 0, 0, 0},
        {op('c'), 0, 0, 0}, {op('d'), 2, 0, 0}, {op('c'), 1, 0, 0});
}

/* The callback of id 2 empties global 2, which holds its own weak reference. */
TEST(a_weak_reference_that_a_callback_drops_is_counted_when_it_dies_after_its_own_call) {
    RUN({op('n'), 0, type('N'), 0}, {op('t'), 0, 0, 0}, {op('w'), 1, 0, 1}, {op('p'), 2, 1, 0}, {op('d'), 1, 0, 0},
        {op('d'), 0, 0, 0}, {op('c'), 2, 0, 0});
}

TEST(a_row_that_shrinks_drops_from_its_end_on) {
    RUN({op('n'), 0, type('R'), 0}, {op('r'), 0, 6, 0}, {op('a'), 0, type('F'), 3}, {op('a'), 0, type('F'), 5}, {op('r'), 0, 1, 0});
}

/* --- print ------------------------------------------------------------------------------------------- */

static int print_seeds(uint64_t first, uint64_t count) {
    driver_setting s = by_hand;
    driver_difference d;
    program p;
    for (uint64_t seed = first; seed < first + count; seed++) {
        program_from_seed(&p, seed);
        s.record = stdout;
        printf("seed %lu\n", (unsigned long)seed);
        if (driver_run(&p, &s, &d)) continue;
        printf("differs from the model at step %zu: %s\n", d.step, d.why);
        return 1;
    }
    return 0;
}

static int print_readable(uint64_t seed) {
    program p;
    program_from_seed(&p, seed);
    driver_print_program(stdout, &p, &by_hand);
    return 0;
}

static int soak(uint64_t count) {
    bool same = true;
    for (driver_when when = DRIVER_ASKED; when <= DRIVER_ALWAYS; when++) {
        driver_setting s = {.when = when};
        if (driver_can(&s)) same = programs_agree(&s, when == DRIVER_ASKED ? count : count / 4) && same;
    }
    return same ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--soak") == 0) return soak(number("how many", argv[2]));
    if (argc >= 3 && strcmp(argv[1], "--print") == 0) {
        uint64_t seed = number("the seed", argv[2]);
        return argc > 3 ? print_seeds(seed, number("how many", argv[3])) : print_readable(seed);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_programs_do_what_the_model_says),
        cmocka_unit_test(collecting_at_every_chance_changes_nothing_that_programs_may_rely_on),
        cmocka_unit_test(automatic_collections_change_nothing_that_programs_may_rely_on),
        cmocka_unit_test(every_planted_fault_is_found_and_shrunk_to_a_few_steps),
        cmocka_unit_test(a_weak_reference_finds_what_was_deferred_in_a_cascade_and_then_resurrected),
        cmocka_unit_test(a_finalizer_runs_in_the_deferred_part_of_a_cascade_too_and_the_cascade_goes_on),
        cmocka_unit_test(a_weak_reference_that_called_back_in_a_collection_moves_to_the_next_generation),
        cmocka_unit_test(a_weak_reference_that_a_callback_drops_is_counted_when_it_dies_after_its_own_call),
        cmocka_unit_test(a_row_that_shrinks_drops_from_its_end_on),
    };
    return cmocka_run_group_tests_name(COLLECTOR_NAME ".model", tests, NULL, NULL);
}
