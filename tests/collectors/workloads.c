/* SPDX-License-Identifier: MIT
 * workloads.c - workloads on objects keep their word: units repeat, and operations are as declared.
 *
 * On `census`, whose counts count themselves, the references taken equal the declared ones exactly; where all objects
 * have the same header, requests and bytes do.
 */
#include <stdlib.h>
#include <string.h>

#include "../../allocators/counted.h"
#include "../../allocators/failing.h"
#include "../../collectors/linked.h"
#include "../../workloads/workload.h"
#include "../snapshot_maker.h"

static void no_moment(workload_run *run, const char *label) { (void)run, (void)label; }
static void no_figure(workload_run *run, const char *name, double value) { (void)run, (void)name, (void)value; }

typedef struct trial { workload_run run; void *shared; } trial;

static void set_option(const char *name, int64_t value) {
    for (collector_option *option = linked_collector.options; option->name != NULL; option++)
        if (strcmp(option->name, name) == 0) option->value = value;
}

static char snapshot_path[64];         /* of a small one, for `snapshot` */

enum { TRIAL_OPERATIONS = 1000 };

/* Default parameters, but the first (size), and every choice at `choice`, or its last one. Size stays 1 where that is
 * a long unit already; nobody sleeps longer than need be. */
static void trial_open(trial *t, const workload *program, const char *spec, int64_t size, int64_t choice) {
    char why[256];
    const allocator *memory = allocator_open(spec, why, sizeof why);
    assert_non_null(memory);
    set_option("automatic", 0);                         /* a collection takes references of its own */
    assert_true(linked_collector.open(memory));
    *t = (trial){.run = {.program = program, .threads = 1, .seed = 1, .memory = memory, .moment = no_moment, .figure = no_figure}};
    t->run.shared = &t->shared;
    t->run.mutator = linked_collector.enter();
    assert_non_null(t->run.mutator);
    for (unsigned i = 0; program->parameters[i].name != NULL; i++) {
        const workload_parameter *p = &program->parameters[i];
        t->run.parameters[i] = p->choices == NULL ? p->value : choice < p->maximum ? choice : p->maximum;
        if (strcmp(p->name, "sleep_us") == 0) t->run.parameters[i] = p->minimum;
        if (p->file != NULL) t->run.file = strcmp(program->name, "snapshot") == 0 ? snapshot_path : p->file;
    }
    t->run.parameters[0] = 1;
    if (program->declare(&t->run).operations < TRIAL_OPERATIONS) t->run.parameters[0] = size;
}

static void trial_close(trial *t) {
    t->run.program->finish(&t->run);
    linked_collector.leave(t->run.mutator);
    linked_collector.close();
}

static bool trial_arrange(trial *t) { return t->run.program->arrange == NULL || t->run.program->arrange(&t->run); }

static bool can_run(trial *t) { return (t->run.program->needs(&t->run) & ~linked_collector.abilities & ~(unsigned)COLLECTOR_FREES_CYCLES) == 0; }

static int64_t last_choice(const workload *program) {
    int64_t last = 0;
    for (const workload_parameter *p = program->parameters; p->name != NULL; p++)
        if (p->choices != NULL && p->maximum > last) last = p->maximum;
    return last;
}

static void each_workload(void (*act)(const workload *program, int64_t choice)) {
    for (const workload *const *program = linked_workloads; *program != NULL; program++)
        for (int64_t choice = 0; choice <= last_choice(*program); choice++)
            act(*program, choice);
}

static void check_repeats(const workload *program, int64_t choice) {
    trial t;
    trial_open(&t, program, "system", 300, choice);
    if (can_run(&t)) {
        uint64_t first = 0;
        assert_true(program->prepare(&t.run));
        for (int unit = 0; unit < 3; unit++) {
            t.run.checksum = 0;
            assert_true(trial_arrange(&t));
            assert_true(program->unit(&t.run));
            if (unit == 0) first = t.run.checksum;
            assert_true(t.run.checksum == first && first != 0);
        }
    }
    trial_close(&t);
}
TEST(units_of_a_workload_repeat_with_equal_checksums) { each_workload(check_repeats); }

/* What a unit asked of the allocator, which counts since it began, is what was declared, and headers; and weak references,
 * whose size is the collector's own. */
static void check_requests(const trial *t, uint64_t born) {
    const workload *program = t->run.program;
    workload_operations declared = program->declare(&t->run);
    counted_figures asked = counted_read();
    uint64_t bytes = asked.allocated_bytes + asked.resized_bytes - born * linked_collector.header_bytes;
    assert_int_equal(asked.allocations + asked.resizes, declared.allocations);
    if (program->needs(&t->run) & COLLECTOR_WEAK_REFERENCES) assert_true(bytes > declared.bytes);
    else assert_int_equal(bytes, declared.bytes);
}

/* Where all headers are alike, bytes without headers are. */
static bool requests_are_known(void) {
    return linked_collector.allocator_use == COLLECTOR_USES_OBJECTS &&
           linked_collector.header_bytes == linked_collector.tracked_header_bytes;
}

static void check_declared(const workload *program, int64_t choice) {
    trial t;
    trial_open(&t, program, "counted:system", 300, choice);
    workload_operations declared = program->declare(&t.run);
    collector_stats before, after;
    assert_true(program->prepare(&t.run));
    for (int unit = 0; unit < 2; unit++) {
        assert_true(trial_arrange(&t));
        linked_collector.stats(&before);
        counted_reset();
        assert_true(program->unit(&t.run));
        linked_collector.stats(&after);
        assert_true(after.born - before.born <= declared.allocations);
        if (requests_are_known()) check_requests(&t, after.born - before.born);
        bool collected = after.collections[COLLECTOR_GENERATIONS - 1] != before.collections[COLLECTOR_GENERATIONS - 1];
        if (strcmp(linked_collector.counts, "counted") == 0 && !collected)      /* which takes references of its own */
            assert_int_equal(after.takes - before.takes, declared.references);
    }
    trial_close(&t);
}
TEST(a_unit_asks_for_exactly_what_it_declares) { each_workload(check_declared); }

static void check_doubling(const workload *program, int64_t choice) {
    trial t;
    trial_open(&t, program, "system", 1000, choice);
    workload_operations once = program->declare(&t.run);
    bool sized = program->parameters[0].file == NULL;       /* a recording is as large as it is */
    t.run.parameters[strcmp(program->name, "autograd") == 0 ? 1 : 0] *= 2;     /* its size is of an array */
    workload_operations twice = program->declare(&t.run);
    assert_int_equal(twice.operations, (sized ? 2 : 1) * once.operations);
    trial_close(&t);
}
TEST(doubling_the_size_doubles_the_declared_operations) { each_workload(check_doubling); }

/* Refuse the 1st, 2nd, ... request: the workload says so, and gives everything back that a collector can free. */
static void check_refusals(const workload *program, int64_t choice) {
    trial t;
    for (uint64_t nth = 1; nth < 400; nth += nth < 40 ? 1 : 23) {
        trial_open(&t, program, "failing:system", 20, choice);
        if (!can_run(&t)) {
            trial_close(&t);
            return;
        }
        failing_refuse(nth, 1);
        bool refused = !(program->prepare(&t.run) && trial_arrange(&t) && program->unit(&t.run));
        failing_refuse(0, 0);
        trial_close(&t);
        collector_stats stats;
        linked_collector.stats(&stats);
        bool all_die = strstr(linked_collector.counts, "immortal") == NULL && !(linked_collector.abilities & COLLECTOR_CONSERVATIVE);
        if (all_die && linked_collector.abilities & COLLECTOR_FREES_CYCLES) assert_int_equal(stats.born, stats.died);
        if (!refused) return;
    }
}
TEST(a_refused_request_ends_a_unit_and_breaks_nothing) { each_workload(check_refusals); }

int main(void) {
    static snapshot_maker made;
    snapshot_maker_life(&made, 12, 8);
    snapshot_maker_file(snapshot_path, made.file, made.file_used);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_of_a_workload_repeat_with_equal_checksums),
        cmocka_unit_test(a_unit_asks_for_exactly_what_it_declares),
        cmocka_unit_test(doubling_the_size_doubles_the_declared_operations),
        cmocka_unit_test(a_refused_request_ends_a_unit_and_breaks_nothing),
    };
    return cmocka_run_group_tests_name(COLLECTOR_NAME ".workloads", tests, NULL, NULL);
}
