/* SPDX-License-Identifier: MIT
 * explain.c - a small graph, collected by the real collector, which is watched from inside the graph.
 *
 * A collector looks at objects through their visit function, and the one here is ours. It sees which object
 * is being walked, and finds out what the walk did by looking at the target's marks before and after; so the
 * collector needs no hook but the names of its steps (observe.h). What has died is told by weak references.
 *
 *   step        whose visits come      what they show
 *   walking     the question's third   reachable, tentatively unreachable, rescued; or marked
 *   dying       a cascade's            who dies of whom: the depth of the recursion
 *   clearing    the trash's            the same, begun by the collector
 */
#include "explain.h"

#include <stdio.h>

#include "collector.h"
#include "observe.h"

void (*observe_watcher)(observe_step step);

enum { EXPLAIN_NODES = 4, EXPLAIN_FIELDS = 2, EXPLAIN_EDGES = 6, EXPLAIN_TEXT = 64 };

typedef struct explain_edge { char from, to; const char *field; } explain_edge;

/* Nodes are born in the order of their names. */
typedef struct explain_graph {
    const char  *name, *idea, *nodes, *held;            /* a letter each; held: by a local, to the end */
    explain_edge edges[EXPLAIN_EDGES];                  /* ended by a 0 */
} explain_graph;

const char explain_graphs[] = "ring|chain|live-ring|dezero|rescue";

static const explain_graph explain_known[] = {
    {"ring", "three objects in a ring, which nobody else holds", "abc", "", {{'a', 'b', 0}, {'b', 'c', 0}, {'c', 'a', 0}}},
    {"chain", "four objects in a row; the local that holds the first lets go", "abcd", "",
     {{'a', 'b', 0}, {'b', 'c', 0}, {'c', 'd', 0}}},
    {"live-ring", "three objects in a ring, and a local holds one of them", "abc", "a",
     {{'a', 'b', 0}, {'b', 'c', 0}, {'c', 'a', 0}}},
    {"dezero", "a function, its input and its output: y = f(x) of a define-by-run framework; y is dropped", "xfy", "x",
     {{'f', 'x', "inputs"}, {'f', 'y', "outputs"}, {'y', 'f', "creator"}}},
    {"rescue", "b is walked before a, which holds it; c holds itself", "bac", "a", {{'a', 'b', 0}, {'c', 'c', 0}}},
};

typedef struct explain_node {
    object    header;
    field     fields[EXPLAIN_FIELDS];
    size_t    index;                                    /* in the graph's nodes */
    weak_list weak;
} explain_node;

enum { EXPLAIN_NOBODY = -1, EXPLAIN_OUTSIDE = -2 };

typedef struct explain_fact {
    long count, copied, subtracted;                     /* -1: not known */
    int  reached_from, rescued_by;                      /* a node, or one of the above */
    bool tentative, died_by_count, died;
} explain_fact;

static struct {
    const explain_graph *graph;
    size_t        count;                                /* of nodes */
    explain_node *nodes[EXPLAIN_NODES];                 /* not to be touched when died */
    explain_fact  facts[EXPLAIN_NODES];
    enum { EXPLAIN_QUIET, EXPLAIN_WALKING, EXPLAIN_DYING, EXPLAIN_CLEARING } phase;
    unsigned      depth;                                /* of nested deaths */
    bool          watched;                              /* the collection has shown a step */
    unsigned      steps;                                /* numbered in the output */
} explain;

/* --- what each way of collecting shows of an object ------------------------------------------------------ */

typedef struct explain_sight { bool reached, doubtful; long gc_refs; } explain_sight;

#if defined REFARENA_CYCLES_GENERATIONAL_H
enum { EXPLAIN_MARKS = false, EXPLAIN_SUBTRACTS = true, EXPLAIN_DOUBTS = true };

static explain_sight explain_look(const object *o) {
    const generational_link *l = generational_link_of(o);
    bool collecting = l->previous & GENERATIONAL_COLLECTING, doubtful = l->next & GENERATIONAL_DOUBTFUL;
    long gc_refs = collecting && !doubtful ? (long)(l->previous >> 1) : 0;      /* a doubtful one is linked both ways */
    return (explain_sight){.reached = !collecting || gc_refs > 0, .doubtful = doubtful, .gc_refs = gc_refs};
}
/* After the walk; the doubtful ones are no longer marked as such. */
static bool explain_is_trash(const object *o) { return generational_link_of(o)->previous & GENERATIONAL_COLLECTING; }
#elif defined REFARENA_CYCLES_SEGREGATED_H
enum { EXPLAIN_MARKS = true, EXPLAIN_SUBTRACTS = true, EXPLAIN_DOUBTS = false };

static explain_sight explain_look(const object *o) {
    return (explain_sight){.reached = chunks_is_marked(o), .gc_refs = (long)*chunks_scratch((object *)o)};
}
static bool explain_is_trash(const object *o) { return !chunks_is_marked(o); }
#elif defined REFARENA_TRACING_MARKSWEEP_H
enum { EXPLAIN_MARKS = true, EXPLAIN_SUBTRACTS = false, EXPLAIN_DOUBTS = false };

static explain_sight explain_look(const object *o) { return (explain_sight){.reached = chunks_is_marked(o)}; }
static bool explain_is_trash(const object *o) { return !chunks_is_marked(o); }
#else
enum { EXPLAIN_MARKS = false, EXPLAIN_SUBTRACTS = false, EXPLAIN_DOUBTS = false };

static explain_sight explain_look(const object *o) { (void)o; return (explain_sight){0}; }
static bool explain_is_trash(const object *o) { (void)o; return false; }
#endif

#ifdef ROW_COUNTS
enum { EXPLAIN_COUNTS = true };
static long explain_count(const object *o) { return (long)count_read(o); }
#else
enum { EXPLAIN_COUNTS = false };
static long explain_count(const object *o) { (void)o; return -1; }
#endif

/* --- saying it -------------------------------------------------------------------------------------------- */

static char explain_name(size_t index) { return explain.graph->nodes[index]; }
static size_t explain_index(char name) { return (size_t)(strchr(explain.graph->nodes, name) - explain.graph->nodes); }

static void explain_step(const char *what) { printf("\n%u. %s\n", ++explain.steps, what); }

static void explain_numbers(const char *what, long (*number)(const explain_fact *fact)) {
    printf("     %s ", what);
    for (size_t i = 0; i < explain.count; i++)
        if (!explain.facts[i].died) printf("  %c %ld", explain_name(i), number(&explain.facts[i]));
    puts("");
}
static long explain_count_of(const explain_fact *fact)      { return fact->count; }
static long explain_copied_of(const explain_fact *fact)     { return fact->copied; }
static long explain_subtracted_of(const explain_fact *fact) { return fact->subtracted; }

static void explain_say_doubtful(size_t index) {
    explain.facts[index].tentative = true;
    printf("     %c  gc_refs 0: tentatively unreachable\n", explain_name(index));
}

/* --- watching ----------------------------------------------------------------------------------------------- */

static void explain_see_doubtful(void) {
    for (size_t i = 0; i < explain.count; i++)
        if (!explain.facts[i].died && !explain.facts[i].tentative && explain_look(&explain.nodes[i]->header).doubtful)
            explain_say_doubtful(i);
}

static void explain_walk_field(explain_node *self, field *f, field_visitor *visit, void *context) {
    explain_node *target = (explain_node *)field_peek(f);
    explain_sight before = target != NULL ? explain_look(&target->header) : (explain_sight){0};
    visit(f, context);
    if (target == NULL || before.reached || !explain_look(&target->header).reached) return;
    explain_fact *fact = &explain.facts[target->index];
    fact->reached_from = (int)self->index;
    if (before.doubtful) fact->rescued_by = (int)self->index;
    printf(before.doubtful ? ", and rescues %c" : EXPLAIN_MARKS ? ", and marks %c" : ", and %c before its turn",
           explain_name(target->index));
}

static void explain_walk(explain_node *self, field_visitor *visit, void *context) {
    explain_see_doubtful();
    if (EXPLAIN_MARKS) printf("     %c  is marked", explain_name(self->index));
    else printf("     %c  gc_refs %ld: reachable", explain_name(self->index), explain_look(&self->header).gc_refs);
    for (size_t i = 0; i < EXPLAIN_FIELDS; i++)
        explain_walk_field(self, &self->fields[i], visit, context);
    puts("");
}

static bool explain_is_empty(explain_node *self) {
    for (size_t i = 0; i < EXPLAIN_FIELDS; i++)
        if (field_peek(&self->fields[i]) != NULL) return false;
    return true;
}

static void explain_end(explain_node *self, field_visitor *visit, void *context) {
    bool cleared = explain.phase == EXPLAIN_CLEARING && explain.depth == 0 && !explain_is_empty(self);
    printf("     %*s%c  %s\n", (int)(4 * explain.depth), "", explain_name(self->index),
           cleared                  ? "is cleared: it lets go of what it refers to"
           : explain_is_empty(self) ? "has no reference left: dies"
                                    : "has no reference left: dies, and lets go of what it refers to");
    explain.depth++;
    fields_visit(self->fields, EXPLAIN_FIELDS, visit, context);
    explain.depth--;
}

static void explain_visit(object *o, field_visitor *visit, void *context) {
    explain_node *self = (explain_node *)o;
    if (explain.phase == EXPLAIN_WALKING) explain_walk(self, visit, context);
    else if (explain.phase != EXPLAIN_QUIET) explain_end(self, visit, context);
    else fields_visit(self->fields, EXPLAIN_FIELDS, visit, context);
}

static const object_type explain_type = {.name = "node", .bytes = sizeof(explain_node), .tracked = true,
                                         .weak_list_offset = offsetof(explain_node, weak), .visit = explain_visit};

static void explain_see_copied(void) {
    for (size_t i = 0; i < explain.count; i++)
        if (!explain.facts[i].died) explain.facts[i].copied = explain_look(&explain.nodes[i]->header).gc_refs;
    explain_step("A collection copies the counts");
    explain_numbers("gc_refs", explain_copied_of);
}

static void explain_see_subtracted(void) {
    for (size_t i = 0; i < explain.count; i++) {
        explain_fact *fact = &explain.facts[i];
        if (fact->died) continue;
        fact->subtracted = explain_look(&explain.nodes[i]->header).gc_refs;
        if (fact->subtracted > 0) fact->reached_from = EXPLAIN_OUTSIDE;
    }
    explain_step("and subtracts the references that come from inside: what remains comes from outside");
    explain_numbers("gc_refs", explain_subtracted_of);
    explain_step(EXPLAIN_MARKS ? "It marks what has gc_refs left, and all that is reached from there"
                               : "It walks the list: reachable is what has gc_refs left, and all it refers to");
    explain.phase = EXPLAIN_WALKING;
}

static void explain_see_roots(void) {
    explain_step("A collection marks what locals hold, and all that is reached from there");
    for (size_t i = 0; i < explain.count; i++)
        if (!explain.facts[i].died && explain_look(&explain.nodes[i]->header).reached)
            explain.facts[i].reached_from = EXPLAIN_OUTSIDE;
    explain.phase = EXPLAIN_WALKING;
}

static void explain_see_separated(void) {
    explain.phase = EXPLAIN_QUIET;
    for (size_t i = 0; i < explain.count; i++) {
        explain_fact *fact = &explain.facts[i];
        if (EXPLAIN_DOUBTS && !fact->died && !fact->tentative && explain_is_trash(&explain.nodes[i]->header))
            explain_say_doubtful(i);
    }
    bool trash = false, reached = false;
    for (size_t i = 0; i < explain.count; i++) {
        trash |= !explain.facts[i].died && explain.facts[i].reached_from == EXPLAIN_NOBODY;
        reached |= explain.facts[i].reached_from != EXPLAIN_NOBODY;
    }
    if (EXPLAIN_MARKS && !reached) puts("     nothing is marked");
    explain_step(!trash              ? "Nothing else is left: there is no trash"
                 : EXPLAIN_SUBTRACTS ? "The rest is trash. Its references are cleared, and counting frees it"
                                     : "The rest is swept");
    explain.phase = trash && EXPLAIN_SUBTRACTS ? EXPLAIN_CLEARING : EXPLAIN_QUIET;
}

/* "What is reachable?" is asked once: no graph here has a finalizer or a callback, after which it is asked again. */
static void explain_watch(observe_step step) {
    explain.watched = true;
    switch (step) {
    case OBSERVE_COPIED:     explain_see_copied(); break;
    case OBSERVE_SUBTRACTED: explain_see_subtracted(); break;
    case OBSERVE_ROOTS:      explain_see_roots(); break;
    case OBSERVE_SEPARATED:  explain_see_separated(); break;
    }
}

/* --- the table ------------------------------------------------------------------------------------------------ */

typedef struct explain_column {
    const char *title;
    bool        shown;
    void      (*cell)(const explain_fact *fact, size_t index, char *text);
} explain_column;

static void explain_number(long number, char *text) {
    if (number < 0) strcpy(text, "-");
    else snprintf(text, EXPLAIN_TEXT, "%ld", number);
}
static void explain_cell_object(const explain_fact *fact, size_t index, char *text) {
    (void)fact;
    snprintf(text, EXPLAIN_TEXT, "%c", explain_name(index));
}
static void explain_cell_count(const explain_fact *fact, size_t index, char *text) {
    (void)index;
    explain_number(fact->died_by_count ? 0 : fact->count, text);
}
static void explain_cell_copied(const explain_fact *fact, size_t index, char *text) {
    (void)index;
    explain_number(fact->copied, text);
}
static void explain_cell_subtracted(const explain_fact *fact, size_t index, char *text) {
    (void)index;
    explain_number(fact->subtracted, text);
}
static void explain_cell_reason(const explain_fact *fact, size_t index, char *text) {
    (void)index;
    if (fact->reached_from >= 0) snprintf(text, EXPLAIN_TEXT, "reached from %c", explain_name((size_t)fact->reached_from));
    else strcpy(text, fact->died_by_count                        ? "nobody refers to it"
                      : fact->reached_from == EXPLAIN_OUTSIDE    ? "held from outside"
                      : EXPLAIN_SUBTRACTS || EXPLAIN_MARKS       ? "only trash refers to it"
                      : fact->died                               ? "-"
                                                                 : "something refers to it");
}
static void explain_cell_tentative(const explain_fact *fact, size_t index, char *text) {
    (void)index;
    strcpy(text, fact->tentative ? "yes" : "-");
}
static void explain_cell_rescued(const explain_fact *fact, size_t index, char *text) {
    (void)index;
    if (fact->rescued_by < 0) strcpy(text, "-");
    else snprintf(text, EXPLAIN_TEXT, "by %c", explain_name((size_t)fact->rescued_by));
}
static void explain_cell_reclaimed(const explain_fact *fact, size_t index, char *text) {
    (void)index;
    strcpy(text, fact->died_by_count ? "by counting" : fact->died ? "by the collection" : "no");
}

static const explain_column explain_columns[] = {
    {"object", true, explain_cell_object},
    {"count", EXPLAIN_COUNTS, explain_cell_count},
    {"copied", EXPLAIN_SUBTRACTS, explain_cell_copied},
    {"subtracted", EXPLAIN_SUBTRACTS, explain_cell_subtracted},
    {"reason", EXPLAIN_COUNTS || EXPLAIN_MARKS, explain_cell_reason},
    {"tentatively unreachable", EXPLAIN_DOUBTS, explain_cell_tentative},
    {"rescued", EXPLAIN_DOUBTS, explain_cell_rescued},
    {"reclaimed", true, explain_cell_reclaimed},
};
enum { EXPLAIN_COLUMNS = sizeof explain_columns / sizeof *explain_columns };

static void explain_table_line(const size_t *widths, bool head, size_t index) {
    char line[512] = " ", text[EXPLAIN_TEXT];
    for (size_t c = 0; c < EXPLAIN_COLUMNS; c++) {
        if (!explain_columns[c].shown) continue;
        if (head) snprintf(text, sizeof text, "%s", explain_columns[c].title);
        else explain_columns[c].cell(&explain.facts[index], index, text);
        size_t used = strlen(line);
        snprintf(line + used, sizeof line - used, "  %-*s", (int)widths[c], text);
    }
    size_t end = strlen(line);
    while (line[end - 1] == ' ')
        end--;
    printf("%.*s\n", (int)end, line);
}

static void explain_table(void) {
    size_t widths[EXPLAIN_COLUMNS];
    char text[EXPLAIN_TEXT];
    for (size_t c = 0; c < EXPLAIN_COLUMNS; c++) {
        widths[c] = strlen(explain_columns[c].title);
        for (size_t i = 0; i < explain.count; i++) {
            explain_columns[c].cell(&explain.facts[i], i, text);
            if (strlen(text) > widths[c]) widths[c] = strlen(text);
        }
    }
    puts("");
    explain_table_line(widths, true, 0);
    for (size_t i = 0; i < explain.count; i++)
        explain_table_line(widths, false, i);
}

/* --- the scene -------------------------------------------------------------------------------------------------- */

static bool explain_is_held(size_t index) { return strchr(explain.graph->held, explain_name(index)) != NULL; }

static void explain_introduce(void) {
    printf("%s: %s\n%s: %s\n\n  ", linked_collector.name, linked_collector.idea, explain.graph->name, explain.graph->idea);
    for (const explain_edge *e = explain.graph->edges; e->from; e++)
        printf(e->field ? "   %c.%s -> %c" : "   %c%s -> %c", e->from, e->field ? e->field : "", e->to);
    for (const char *held = explain.graph->held; *held; held++)
        printf("   local -> %c", *held);
    puts("");
}

/* Locals 0 .. count - 1 hold the nodes, the next `count` their weak references. */
static bool explain_build(mutator *m, local *frame) {
    for (size_t i = 0; i < explain.count; i++) {
        if (!object_new(m, &frame[i], &explain_type, 0)) return false;
        explain.nodes[i] = (explain_node *)frame[i].target;
        explain.nodes[i]->index = i;
        explain.facts[i] = (explain_fact){-1, -1, -1, EXPLAIN_NOBODY, EXPLAIN_NOBODY, false, false, false};
        if (!weak_new(m, &frame[explain.count + i], frame[i].target, NULL, NULL)) return false;
    }
    for (const explain_edge *e = explain.graph->edges; e->from; e++) {
        explain_node *from = explain.nodes[explain_index(e->from)];
        field *f = field_peek(&from->fields[0]) == NULL ? &from->fields[0] : &from->fields[1];
        field_store(m, &from->header, f, &explain.nodes[explain_index(e->to)]->header);
    }
    return true;
}

/* Who has died since the last look? */
static void explain_bury(mutator *m, local *frame, bool by_count) {
    local *scratch = frame_open(m, 1);
    for (size_t i = 0; i < explain.count; i++) {
        explain_fact *fact = &explain.facts[i];
        if (fact->died) continue;
        weak_get(m, scratch, frame[explain.count + i].target);
        fact->died = scratch->target == NULL;
        fact->died_by_count = fact->died && by_count;
        local_set(m, scratch, NULL);
    }
    frame_close(m, scratch);
}

static bool explain_all_died(void) {
    for (size_t i = 0; i < explain.count; i++)
        if (!explain.facts[i].died) return false;
    return true;
}

static void explain_see_counts(void) {
    for (size_t i = 0; i < explain.count; i++)
        if (!explain.facts[i].died) explain.facts[i].count = explain_count(&explain.nodes[i]->header);
}

static void explain_let_go(mutator *m, local *frame) {
    explain_step("The graph is built; then the locals that built it let go");
    explain.phase = EXPLAIN_COUNTS ? EXPLAIN_DYING : EXPLAIN_QUIET;
    for (size_t i = explain.count; i-- > 0;)
        if (!explain_is_held(i)) local_set(m, &frame[i], NULL);
    explain.phase = EXPLAIN_QUIET;
    explain_bury(m, frame, EXPLAIN_COUNTS);
    explain_see_counts();
    if (EXPLAIN_COUNTS && !explain_all_died()) explain_numbers("count", explain_count_of);
    else if (!EXPLAIN_COUNTS) puts("     nobody counts: nothing happens");
}

static void explain_collect(mutator *m, local *frame) {
    if (explain_all_died()) return;
    if (!(linked_collector.abilities & COLLECTOR_FREES_CYCLES)) {
        explain_step("Nothing looks for cycles: what is left stays");
        return;
    }
    observe_watcher = explain_watch;
    collector_collect(m, COLLECTOR_GENERATIONS - 1);
    observe_watcher = NULL;
    explain.phase = EXPLAIN_QUIET;
    if (!explain.watched) explain_step("A collection runs; this collector does not show its steps");
    explain_bury(m, frame, false);
}

static bool explain_act(mutator *m) {
    local *frame = frame_open(m, 2 * explain.count);
    bool built = explain_build(m, frame);
    if (built) {
        explain_introduce();
        explain_let_go(m, frame);
        explain_collect(m, frame);
        explain_table();
    }
    frame_close(m, frame);
    return built;
}

bool explain_show(unsigned index, const allocator *memory) {
    if (!(linked_collector.abilities & COLLECTOR_WEAK_REFERENCES) || !linked_collector.open(memory)) return false;
    mutator *m = linked_collector.enter();
    if (m == NULL) return false;
    explain.graph = &explain_known[index];
    explain.count = strlen(explain.graph->nodes);
    bool shown = explain_act(m);
    linked_collector.leave(m);
    linked_collector.close();
    return shown;
}
