/* SPDX-License-Identifier: MIT
 * model_collect.c - which objects are garbage, and what becomes of them. See model.h. */
#include <assert.h>
#include <string.h>

#include "model_state.h"

/* --- which are garbage ------------------------------------------------------------------------------ */

static void model_mark(int id, const bool *member, bool *reached) {
    if (id == 0 || !member[id] || reached[id]) return;
    reached[id] = true;
    for (unsigned i = 0; i < model.objects[id].count; i++)
        model_mark(model.objects[id].fields[i], member, reached);
}

/* Which objects are held by a place that is not a field of a member. */
static void model_find_held(const bool *member, bool *held) {
    memset(held, 0, (PROGRAM_OBJECTS + 1) * sizeof *held);
    for (int i = 0; i < PROGRAM_LOCALS; i++)
        held[model.locals[i]] = true;
    for (int i = 0; i < PROGRAM_GLOBALS; i++)
        held[model.globals[i]] = true;
    for (int i = 0; i < model.hold_count; i++)
        held[model.holds[i]] = true;
    for (int o = 1; o <= model.ids; o++)
        for (unsigned i = 0; model.objects[o].alive && !member[o] && i < model.objects[o].count; i++)
            held[model.objects[o].fields[i]] = true;
}

static void model_search(const bool *member, const bool *held, bool *reached) {
    memset(reached, 0, (PROGRAM_OBJECTS + 1) * sizeof *reached);
    for (int id = 1; id <= model.ids; id++)
        if (held[id]) model_mark(id, member, reached);
}

/* The order in which survivors stand afterwards: who is held from outside, or by one before it, stays;
 * who is found later goes to the end when it is found. */
static void model_order_survivors(const model_list *set, const bool *member, const bool *held, model_list *survivors) {
    bool passed[PROGRAM_OBJECTS + 1] = {0}, marked[PROGRAM_OBJECTS + 1] = {0};
    model_list queue = *set;
    survivors->count = 0;
    for (int i = 0; i < queue.count; i++) {
        int id = queue.ids[i];
        passed[id] = true;
        if (!marked[id] && !held[id]) continue;
        marked[id] = true;
        survivors->ids[survivors->count++] = id;
        for (unsigned f = 0; f < model.objects[id].count; f++) {
            int target = *model_field(&model.objects[id], f);
            if (!member[target] || marked[target]) continue;
            marked[target] = true;
            if (passed[target]) queue.ids[queue.count++] = target;
        }
    }
}

/* What is immortal is not looked at any more. */
static void model_retire(int list) {
    model_list *l = &model.lists[list];
    for (int i = 0; i < l->count;) {
        int id = l->ids[i];
        if (!model.objects[id].immortal) {
            i++;
            continue;
        }
        model_untrack(id);
        model_track(id, MODEL_PERMANENT);
    }
}

/* What of list `from` is reachable stays there; the rest goes to the list `to`, in the same order. */
static void model_separate(int from, int to) {
    static model_list set, survivors;
    bool member[PROGRAM_OBJECTS + 1] = {0}, held[PROGRAM_OBJECTS + 1], reached[PROGRAM_OBJECTS + 1];
    model_retire(from);
    set = model.lists[from];
    for (int i = 0; i < set.count; i++)
        member[set.ids[i]] = true;
    model_find_held(member, held);
    model_search(member, held, reached);
    model_order_survivors(&set, member, held, &survivors);
    for (int i = 0; i < set.count; i++)
        model_untrack(set.ids[i]);
    for (int i = 0; i < survivors.count; i++) {
        assert(reached[survivors.ids[i]]);
        model_track(survivors.ids[i], from);
    }
    for (int i = 0; i < set.count; i++)
        if (model.objects[set.ids[i]].list < 0) {
            assert(!reached[set.ids[i]]);
            model_track(set.ids[i], to);
        }
}

static void model_merge(int from, int to) {
    while (model.lists[from].count > 0) {
        int id = model.lists[from].ids[0];
        model_untrack(id);
        model_track(id, to);
    }
}

/* --- what becomes of them --------------------------------------------------------------------------- */

static bool model_is_not_garbage(int weak) { return !model.objects[weak].garbage; }

static void model_mark_garbage(bool garbage) {
    for (int i = 0; i < model.lists[MODEL_DOUBTFUL].count; i++)
        model.objects[model.lists[MODEL_DOUBTFUL].ids[i]].garbage = garbage;
}

/* Returns how many weak references died with their call; the others move to the older generation. */
static size_t model_clear_weak_of_garbage(int old) {
    static int calls[PROGRAM_OBJECTS];
    int count = 0;
    size_t freed = 0;
    const model_list *doubtful = &model.lists[MODEL_DOUBTFUL];
    if (model.fault == MODEL_KEEPS_WEAK_REFERENCES) return 0;
    model_mark_garbage(true);
    for (int i = 0; i < doubtful->count; i++) {
        if (model.objects[doubtful->ids[i]].type == 'W') model.objects[doubtful->ids[i]].target = 0;
        count += model_kill_weak(doubtful->ids[i], model_is_not_garbage, &calls[count]);
    }
    model_mark_garbage(false);
    for (int i = 0; i < count; i++) {
        model_call_back(calls[i]);
        model_release(calls[i]);
        if (!model.objects[calls[i]].alive) {
            freed++;
            continue;
        }
        model_untrack(calls[i]);
        model_track(calls[i], old);
    }
    return freed;
}

static void model_finalize_garbage(void) {
    model_list *doubtful = &model.lists[MODEL_DOUBTFUL];
    while (doubtful->count > 0) {
        int id = doubtful->ids[model.fault == MODEL_FINALIZES_BACKWARDS ? doubtful->count - 1 : 0];
        model_untrack(id);
        model_track(id, MODEL_SEEN);
        if (!model_may_finalize(id)) continue;
        model_hold(id);
        model_finalize(id);
        model_release(id);
    }
    model_merge(MODEL_SEEN, MODEL_DOUBTFUL);
}

/* Counts free what lost its fields; what outlives that is held elsewhere, and grows old. */
static void model_clear_garbage(int old) {
    while (model.lists[MODEL_TRASH].count > 0) {
        int id = model.lists[MODEL_TRASH].ids[0];
        model_object *o = &model.objects[id];
        model_hold(id);
        for (unsigned i = 0; i < o->count; i++)
            model_put(model_field(o, i), 0);
        model_release(id);
        if (!o->alive || o->list != MODEL_TRASH) continue;
        model_untrack(id);
        model_track(id, old);
    }
}

/* A tracer frees all garbage at once; leaves are in none of its lists, and die when nothing holds them. */
static void model_sweep(void) {
    while (model.lists[MODEL_TRASH].count > 0) {
        model_object *o = &model.objects[model.lists[MODEL_TRASH].ids[0]];
        model_untrack(model.lists[MODEL_TRASH].ids[0]);
        o->alive = false;
    }
    for (int id = 1; id <= model.ids; id++)
        if (model.objects[id].type == 'L' && !model_is_held(id)) model.objects[id].alive = false;
}

static size_t model_reclaim(int old) {
    size_t found = model_clear_weak_of_garbage(old);
    model_finalize_garbage();
    if (model.fault == MODEL_IGNORES_RESURRECTION)
        model_merge(MODEL_DOUBTFUL, MODEL_TRASH);
    else
        model_separate(MODEL_DOUBTFUL, MODEL_TRASH);
    model_merge(MODEL_DOUBTFUL, old);
    found += (size_t)model.lists[MODEL_TRASH].count;
    for (int i = 0; model.fault == MODEL_MISCOUNTS_GARBAGE && i < model.lists[MODEL_TRASH].count; i++)
        found += model.objects[model.objects[model.lists[MODEL_TRASH].ids[i]].fields[0]].type == 'L';
    if (model.rules.counted)
        model_clear_garbage(old);
    else
        model_sweep();
    return found;
}

/* --- when, and of which generation ------------------------------------------------------------------ */

size_t model_collect(int generation) {
    if (!model.rules.collected || model.collecting) return 0;
    if (!model.rules.generations) generation = MODEL_GENERATIONS - 1;
    model.collecting = true;
    if (generation + 1 < MODEL_GENERATIONS) model.counts[generation + 1]++;
    for (int g = 0; g <= generation; g++)
        model.counts[g] = 0;
    for (int g = 0; g < generation; g++)
        model_merge(g, generation);
    int old = generation + 1 < MODEL_GENERATIONS ? generation + 1 : generation;
    model_separate(generation, MODEL_DOUBTFUL);
    int survivors = model.lists[generation].count;
    if (generation == 1) model.long_lived_pending += survivors;
    if (generation == old) {
        model.long_lived_pending = 0;
        model.long_lived = survivors;
    } else
        model_merge(generation, old);
    size_t found = model_reclaim(old);
    model.collecting = false;
    return found;
}

void model_before_birth(void) {
    const model_rules *r = &model.rules;
    model.counts[0]++;
    if (r->stress) model_collect(MODEL_GENERATIONS - 1);
    if (!r->automatic || r->thresholds[0] == 0 || model.collecting || model.counts[0] <= r->thresholds[0]) return;
    for (int g = MODEL_GENERATIONS - 1; g >= 0; g--) {
        if (model.counts[g] <= r->thresholds[g]) continue;
        if (g == MODEL_GENERATIONS - 1 && model.long_lived_pending < model.long_lived / 4) continue;
        model_collect(g);
        return;
    }
}
