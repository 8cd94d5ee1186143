/* SPDX-License-Identifier: MIT
 * compare.c - one program, on the collector and on the model, step by step. See driver.h. */
#include <stdarg.h>
#include <stdlib.h>

#include "driver.h"
#include "driver_state.h"

enum { COMPARE_SETTLE = 100, COMPARE_GENERATION = MODEL_GENERATIONS - 1 };

static struct compare {
    mutator           *m;
    model_rules        rules;
    const driver_setting *setting;
    driver_difference *difference;
    object            *known[PROGRAM_OBJECTS + 1];      /* the collector's object of an id, where reached */
    int                queue[PROGRAM_OBJECTS + 1], queued;
    model_action       action;
    size_t             result;
} compare;

/* --- what the collector promises -------------------------------------------------------------------- */

static collector_option *compare_option(const char *name) {
    for (collector_option *o = linked_collector.options; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0) return o;
    return NULL;
}

static void compare_set(const char *name, int64_t value) {
    collector_option *o = compare_option(name);
    if (o != NULL) o->value = value;
}

bool driver_can(const driver_setting *s) {
    return s->when == DRIVER_ASKED || compare_option("automatic") != NULL;
}

/* What the collectors have of these options; the second value is for DRIVER_OFTEN, and so on. */
static const struct { const char *name; int64_t value[3]; } compare_options[] = {
    {"automatic",          {0, 1, 1}},
    {"threshold0",         {0, 5, 1}},
    {"threshold1",         {0, 2, 0}},
    {"threshold2",         {0, 1, 0}},
    {"stress",             {0, 0, 1}},
    {"free_lists",         {1, 0, 0}},                  /* what is born of one is not counted by thresholds */
    {"quarter",            {1, 0, 0}},
    {"growth_percent",     {100, 10, 1}},
    {"lazy_sweep",         {0, 1, 1}},
    {"free_space_divisor", {3, 100, 1000}},
};

model_rules driver_rules(const driver_setting *s) {
    unsigned can = linked_collector.abilities;
    bool generations = strcmp(linked_collector.cycles, "generational") == 0;
    model_rules r = {
        .counted = can & COLLECTOR_EXACT_COUNTS, .collected = can & COLLECTOR_FREES_CYCLES, .generations = generations,
        .finalizers = can & COLLECTOR_FINALIZERS, .weak = can & COLLECTOR_WEAK_REFERENCES,
        .conservative = can & COLLECTOR_CONSERVATIVE, .immortals = can & COLLECTOR_IMMORTALIZES,
    };
    r.loose = r.conservative || (!generations && s->when != DRIVER_ASKED);
    r.quiet = !r.counted || (r.collected && !generations);
    r.stress = generations && s->when == DRIVER_ALWAYS && compare_option("stress") != NULL;
    r.automatic = generations && s->when != DRIVER_ASKED && !r.stress;
    for (int g = 0; g < MODEL_GENERATIONS; g++)
        r.thresholds[g] = compare_options[1 + g].value[s->when];
    return r;
}

/* --- comparison ------------------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static bool compare_differs(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(compare.difference->why, DRIVER_WHY, format, arguments);
    va_end(arguments);
    return false;
}

static bool compare_reach(int id, object *o, const char *where, unsigned i) {
    if (id == 0 || o == NULL) {
        if (id == 0 && o == NULL) return true;
        return compare_differs("%s %u: the model has object %d there, the collector %s", where, i, id,
                               o != NULL ? "another" : "none");
    }
    if (compare.known[id] == o) return true;
    char letter = driver_letter(o);
    if (compare.known[id] != NULL && letter == 'W' && !compare.rules.counted) return true;     /* it may share none */
    if (compare.known[id] != NULL) return compare_differs("%s %u: object %d is two objects", where, i, id);
    if (letter != model_at(id)->type || (letter != 'W' && driver_id(o) != id))
        return compare_differs("%s %u: the model has %c%d there, the collector %c%d", where, i,
                               model_at(id)->type, id, letter, driver_id(o));
    compare.known[id] = o;
    compare.queue[compare.queued++] = id;
    return true;
}

static bool compare_fields(int id) {
    const model_object *expected = model_at(id);
    field *first;
    unsigned count = driver_fields(compare.known[id], &first);
    if (count != expected->count) return compare_differs("object %d has %u fields, not %u", id, count, expected->count);
    for (unsigned i = 0; i < count; i++)
        if (!compare_reach(expected->fields[i], field_peek(&first[i]), "a field of object", (unsigned)id)) return false;
    return true;
}

/* All that locals and globals reach is the same, object by object. */
static bool compare_graphs(void) {
    memset(compare.known, 0, sizeof compare.known);
    compare.queued = 0;
    for (unsigned i = 0; i < driver.locals; i++)
        if (!compare_reach(model_local(i), driver_local(i)->target, "local", i)) return false;
    for (unsigned i = 0; i < PROGRAM_GLOBALS; i++)
        if (!compare_reach(model_global(i), field_peek(collector_global(i)), "global", i)) return false;
    for (int i = 0; i < compare.queued; i++)
        if (!compare_fields(compare.queue[i])) return false;
    return true;
}

static bool compare_weak_references(void) {
    for (int i = 0; i < compare.queued; i++) {
        const model_object *expected = model_at(compare.queue[i]);
        if (expected->type != 'W') continue;
        int target = driver_weak_target(compare.m, compare.known[compare.queue[i]]);
        bool kept = target != 0 && expected->target == 0 && compare.rules.conservative;
        if (target != expected->target && !kept)
            return compare_differs("weak reference %d refers to %d, not to %d", compare.queue[i], target, expected->target);
    }
    return true;
}

static int compare_event_order(const void *a, const void *b) {
    const program_event *x = a, *y = b;
    return x->kind != y->kind ? x->kind - y->kind : x->id - y->id;
}

static void compare_print_events(FILE *to, const program_event *events, size_t count) {
    for (size_t i = 0; i < count; i++)
        program_print_event(to, &events[i]);
}

static size_t compare_sorted(program_event *to, const program_event *from, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)                  /* when a callback's reference dies is not promised either */
        if (!compare.rules.loose || from[i].kind != 'c') to[kept++] = from[i];
    if (compare.rules.quiet || compare.rules.loose) qsort(to, kept, sizeof *to, compare_event_order);
    return kept;
}

/* Of the sorted events, those that are among others too, each once. */
static size_t compare_only_in(program_event *events, size_t count, const program_event *others, size_t other_count) {
    size_t kept = 0;
    for (size_t i = 0, k = 0; i < count; i++) {
        while (k < other_count && compare_event_order(&others[k], &events[i]) < 0)
            k++;
        if (k < other_count && compare_event_order(&others[k], &events[i]) == 0) events[kept++] = events[i];
    }
    return kept;
}

static bool compare_events(void) {
    static program_event ours[DRIVER_EVENTS], theirs[DRIVER_EVENTS];
    size_t count;
    const program_event *events = model_events(&count);
    size_t expected = compare_sorted(theirs, events, count);
    size_t actual = compare_sorted(ours, driver.events, driver.event_count);
    if (compare.rules.conservative) expected = compare_only_in(theirs, expected, ours, actual);
    size_t i = 0;
    while (i < expected && i < actual && memcmp(&ours[i], &theirs[i], sizeof ours[i]) == 0)
        i++;
    if (i == expected && i == actual) return true;
    FILE *to = fmemopen(compare.difference->why, DRIVER_WHY, "w");
    fprintf(to, "events differ from the %zuth on; the model has", i + 1);
    compare_print_events(to, theirs + i, expected - i > 8 ? 8 : expected - i);
    fprintf(to, ", the collector");
    compare_print_events(to, ours + i, actual - i > 8 ? 8 : actual - i);
    fclose(to);
    return false;
}

static bool compare_alive(void) {
    collector_stats stats;
    if (!compare.rules.counted && model_has_weak()) return true;        /* how many it made is its own matter */
    linked_collector.stats(&stats);
    uint64_t alive = stats.born - stats.died;
    if (alive == 0 && stats.born_bytes != stats.died_bytes)
        return compare_differs("nothing is alive, and yet %ld bytes", (long)(stats.born_bytes - stats.died_bytes));
    if (compare.rules.conservative && alive > model_alive(false)) return true;
    return alive == model_alive(false) ||
           compare_differs("%u objects should be alive, not %lu", model_alive(false), (unsigned long)alive);
}

/* --- a run ------------------------------------------------------------------------------------------ */

static bool compare_is_timed(void) { return compare.rules.counted && !compare.rules.loose; }

static uint64_t compare_progress(void) {
    collector_stats stats;
    linked_collector.stats(&stats);
    return stats.died + driver.event_count;
}

/* Where deaths are not timed: collect until nothing more happens, on both sides. */
static void compare_settle(void) {
    uint64_t before;
    int quiet = 0;
    for (int i = 0; i < COMPARE_SETTLE && quiet < 2; i++) {
        before = compare_progress();
        collector_collect(compare.m, COMPARE_GENERATION);
        quiet = compare_progress() == before ? quiet + 1 : 0;
    }
    size_t events_before, events = 0;
    unsigned alive;
    do {
        alive = model_alive(false);
        events_before = events;
        model_act(&(model_action){.op = 'c', .generation = COMPARE_GENERATION});
        model_events(&events);
    } while (model_alive(false) != alive || events != events_before);
}

/* Where order is promised, the numbers are CPython's; elsewhere they are those only if nothing else ran. */
static bool compare_result(size_t expected) {
    if (compare.rules.quiet && driver.event_count != 0) return true;
    return compare.result == expected || compare_differs("collect returned %zu, not %zu", compare.result, expected);
}

static bool compare_state(size_t expected) {
    bool settled = compare.action.op == 'c';
    if (!compare_graphs()) return false;
    if (!compare_is_timed() && !settled) return true;
    if (!compare_is_timed() && !compare.rules.collected) return true;
    if (!compare_is_timed()) return compare_events() && compare_weak_references() && compare_alive();
    return compare_events() && compare_result(expected) && compare_alive() && compare_weak_references();
}

static void compare_record(FILE *to) {
    fprintf(to, "%c %zu %u", compare.action.op != 0 ? compare.action.op : '-', compare.result, model_alive(true));
    compare_print_events(to, driver.events, driver.event_count);
    fputc('\n', to);
}

static void compare_print(FILE *to) {
    if (compare.action.op == 0) return;
    fprintf(to, "    %3zu  ", compare.difference->step);
    model_print_action(to, &compare.action);
    if (compare.result != 0) fprintf(to, " -> %zu", compare.result);
    compare_print_events(to, driver.events, driver.event_count);
    fputc('\n', to);
}

static bool compare_act(model_action a) {
    compare.action = a;
    if (compare_is_timed()) {
        model_forget_events();
        driver.event_count = 0;
    }
    size_t expected = model_act(&a);
    compare.result = driver_act(compare.m, &a);
    if (a.op == 'c' && !compare_is_timed()) compare_settle();
    if (compare.setting->check) collector_check();
    if (compare.setting->print != NULL) compare_print(compare.setting->print);
    bool same = compare_state(expected);
    if (same && compare.setting->record != NULL) compare_record(compare.setting->record);
    compare.difference->step++;
    return same;
}

/* Everything is dropped, in order, and collected; the last two find what finalizers kept in the first. */
static bool compare_end(void) {
    while (model_locals() > PROGRAM_FRAME)
        if (!compare_act((model_action){.op = 'e'})) return false;
    for (unsigned i = 0; i < PROGRAM_FRAME; i++)
        if (!compare_act((model_action){.op = 'd', .to = i})) return false;
    for (int times = 0; times < 3; times++) {
        for (unsigned i = 0; i < PROGRAM_GLOBALS; i++)
            if (!compare_act((model_action){.op = 'u', .global = i})) return false;
        if (!compare_act((model_action){.op = 'c', .generation = COMPARE_GENERATION})) return false;
    }
    return true;
}

bool driver_run(const program *p, const driver_setting *s, driver_difference *d) {
    *d = (driver_difference){0};
    for (size_t i = 0; i < sizeof compare_options / sizeof compare_options[0]; i++)
        compare_set(compare_options[i].name, compare_options[i].value[s->when]);
    compare.rules = driver_rules(s);
    compare.setting = s;
    compare.difference = d;
    model_start(&compare.rules, s->fault);
    static const int every[] = {0, 5, 1};               /* asked for where a collector's own triggers wait for more */
    compare.m = driver_open(&compare.rules, compare.rules.loose ? every[s->when] : 0);
    bool same = true;
    for (size_t i = 0; i < p->count && same; i++)
        same = compare_act(model_resolve(p->steps[i]));
    same = same && compare_end();
    driver_close(compare.m);
    return same;
}

/* --- shorter programs that fail too ------------------------------------------------------------------ */

static program compare_without(const program *p, size_t first, size_t count) {
    program shorter = {.count = p->count - count};
    memcpy(shorter.steps, p->steps, first * sizeof p->steps[0]);
    memcpy(shorter.steps + first, p->steps + first + count, (p->count - first - count) * sizeof p->steps[0]);
    return shorter;
}

/* Pieces of half the program, of a quarter, ..., single steps; again while that helped. Zeller &
 * Hildebrandt, Simplifying and Isolating Failure-Inducing Input, IEEE TSE 28(2), 2002, simplified. */
void driver_shrink(program *p, bool (*fails)(const program *p, void *context), void *context) {
    for (bool helped = true; helped;) {
        helped = false;
        for (size_t piece = p->count / 2 + 1; piece > 0; piece /= 2)
            for (size_t first = 0; first + piece <= p->count;) {
                program shorter = compare_without(p, first, piece);
                if (fails(&shorter, context)) {
                    *p = shorter;
                    helped = true;
                } else
                    first += piece;
            }
    }
}

void driver_print_program(FILE *to, const program *p, const driver_setting *s) {
    driver_setting printing = *s;
    driver_difference d;
    printing.print = to;
    driver_run(p, &printing, &d);
    fprintf(to, "    %zu steps:", p->count);
    for (size_t i = 0; i < p->count; i++)
        fprintf(to, " {%u,%u,%u,%u}", p->steps[i].code, p->steps[i].x, p->steps[i].y, p->steps[i].z);
    fputc('\n', to);
}
