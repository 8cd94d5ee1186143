/* SPDX-License-Identifier: MIT
 * looks.c - looks into the heap, kept in a table of the harness's own. */
#include "looks.h"

#include "own.h"
#include "team.h"

enum { LOOKS_GENERATIONS = COLLECTOR_GENERATIONS + 1 };        /* the last: permanent */

typedef struct look {
    uint64_t ns, born, died, born_bytes, died_bytes, live_objects, live_bytes, tracked[LOOKS_GENERATIONS];
    bool     reachable, generations;        /* are the oracle's figures known? the generations'? */
} look;

static struct {
    look    *table;
    uint64_t count, most, start_ns;
} looks;

void looks_take(void) {
    if (looks.count == looks.most) return;
    look *now = &looks.table[looks.count++];
    collector_stats stats;
    linked_collector.stats(&stats);
    now->ns = team_clock_ns() - looks.start_ns;
    now->born = stats.born;
    now->died = stats.died;
    now->born_bytes = stats.born_bytes;
    now->died_bytes = stats.died_bytes;
    now->reachable = linked_collector.reachable(&now->live_objects, &now->live_bytes);
    now->generations = linked_collector.generations(now->tracked);
}

void looks_begin(uint64_t most) {
    looks.table = own_table((most + 1) * sizeof *looks.table);
    looks.most = most + 1;
    looks.count = 0;
    looks.start_ns = team_clock_ns();
    looks_take();
}

static json_t *looks_known(bool known, uint64_t value) { return known ? json_integer((json_int_t)value) : json_null(); }

static json_t *looks_tracked(const look *l) {
    if (!l->generations) return json_null();
    json_t *tracked = json_array();
    for (unsigned i = 0; i < LOOKS_GENERATIONS; i++)
        json_array_append_new(tracked, json_integer((json_int_t)l->tracked[i]));
    return tracked;
}

json_t *looks_report(void) {
    if (looks.table == NULL) return json_null();
    json_t *list = json_array();
    for (const look *l = looks.table; l < looks.table + looks.count; l++)
        json_array_append_new(list, json_pack("{sI sI sI sI sI so so so}", "ns", (json_int_t)l->ns, "born", (json_int_t)l->born, "died",
                                              (json_int_t)l->died, "born_bytes", (json_int_t)l->born_bytes, "died_bytes",
                                              (json_int_t)l->died_bytes, "live_objects", looks_known(l->reachable, l->live_objects),
                                              "live_bytes", looks_known(l->reachable, l->live_bytes), "tracked", looks_tracked(l)));
    return list;
}
