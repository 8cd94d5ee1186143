/* SPDX-License-Identifier: MIT
 * names.c - x = 10; y = x; x = x + 1; z = 10: names are rebound, and objects stay what they are.
 *
 *   x = 10            x -> 10                     an object that was there already
 *   y = x             x -> 10 <- y                the same object
 *   x = x + 1         x -> 11     y -> 10         another, that was there already too
 *   z = 10            y -> 10 <- z                the first again
 *   v = 1000 + 1      v -> 1001                   a new one, and a second time, another new one
 *
 * All these identities are checked, every time. And once a unit a count is watched, where there are counts: of a new object
 * with a name, with a second, and without the first; is it gone without both?
 *
 * Figures: objects born (three an iteration, those above 256) and died; born, shared, left: counts of the one that is
 * watched; gone: 1 or 0.
 * Exercises: takes and drops of shared small integers, with a few births among them.
 * Source: the scene of names and objects that talks on CPython's memory begin with; its cache of -5 .. 256
 * (CPython 3.11, Objects/longobject.c).
 * Not claimed: how often programs use small numbers. size = times all this is done per unit.
 */
#include "tally.h"
#include "values.h"

enum { NAMES_SIZE };
enum { NAMES_X, NAMES_Y, NAMES_Z, NAMES_V, NAMES_OTHER, NAMES_LOCALS };
enum { NAMES_WATCHED = 5000 };
enum { NAMES_MADE = 3, NAMES_TAKEN = 5 };       /* in an iteration: births; references to what was there */

/* The sum of what the names stand for. False: heap full. */
static bool names_scene(mutator *m, local *names, uint64_t *sum) {
    local *x = &names[NAMES_X], *y = &names[NAMES_Y], *z = &names[NAMES_Z], *v = &names[NAMES_V], *other = &names[NAMES_OTHER];
    bool made = integer_new(m, x, 10);
    local_set(m, y, x->target);
    assert(x->target == y->target);

    made = made && integer_new(m, x, integer_value(x->target) + 1) && integer_new(m, other, 11);
    assert(!made || (x->target != y->target && x->target == other->target));

    made = made && integer_new(m, z, 10);
    assert(!made || z->target == y->target);

    made = made && integer_new(m, other, 1000) && integer_new(m, v, integer_value(other->target) + 1) &&
           integer_new(m, other, integer_value(other->target) + 1);
    assert(!made || v->target != other->target);

    if (made) *sum += (uint64_t)(integer_value(x->target) + integer_value(y->target) + integer_value(z->target) +
                                 integer_value(v->target) + integer_value(other->target));
    return made;
}

/* Of one object, as names come and go. Its own thread's alone: others' counters cannot be read while they run. */
static bool names_watch(workload_run *run, local *names) {
    mutator *m = run->mutator;
    local *one = &names[NAMES_X], *other = &names[NAMES_Y];
    bool counts = run->threads == 1 && linked_collector.abilities & COLLECTOR_READS_COUNTS;
    if (!integer_new(m, one, NAMES_WATCHED)) return false;
    if (counts) run->figure(run, "born", (double)object_references(one->target));
    local_set(m, other, one->target);
    if (counts) run->figure(run, "shared", (double)object_references(one->target));
    local_set(m, one, NULL);
    if (counts) run->figure(run, "left", (double)object_references(other->target));
    collector_stats before = tally_now(run);
    local_set(m, other, NULL);
    if (counts) run->figure(run, "gone", (double)(tally_now(run).died - before.died));
    return true;
}

static bool names_unit(workload_run *run) {
    mutator *m = run->mutator;
    local *names = frame_open(m, NAMES_LOCALS);
    bool made = names_watch(run, names);
    collector_stats before = tally_now(run);
    for (int64_t i = 0; made && i < run->parameters[NAMES_SIZE]; i++) {
        mutator_poll(m);
        made = names_scene(m, names, &run->checksum);
    }
    frame_close(m, names);
    tally_say(run, &before);
    return made;
}

static unsigned names_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

static workload_operations names_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[NAMES_SIZE];
    return (workload_operations){.operations = size, .allocations = NAMES_MADE * size + 1,
                                 .bytes = (NAMES_MADE * size + 1) * sizeof(int64_t), .references = NAMES_TAKEN * size + 1};
}

const workload names_workload = {
    .name = "names", .idea = "names are rebound to shared small integers, and to new larger ones",
    .operation = "five assignments", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "iterations per unit", .value = 100000, .minimum = 1, .maximum = 100000000}},
    .needs = names_needs, .declare = names_declare,
    .prepare = integers_open, .unit = names_unit, .finish = integers_close,
};
