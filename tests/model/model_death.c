/* SPDX-License-Identifier: MIT
 * model_death.c - births, references and deaths. See model.h. */
#include <assert.h>
#include <string.h>

#include "model_state.h"

struct model model;

bool model_is_tracked_type(char type) { return type != 'L'; }

int *model_field(model_object *o, unsigned i) { return &o->fields[o->type == 'R' ? o->count - 1 - i : i]; }

static int model_occurrences(const int *places, int count, int id) {
    int found = 0;
    for (int i = 0; i < count; i++)
        found += places[i] == id;
    return found;
}

int model_references(int id) {
    int found = model_occurrences(model.locals, PROGRAM_LOCALS, id) +
                model_occurrences(model.globals, PROGRAM_GLOBALS, id) +
                model_occurrences(model.holds, model.hold_count, id);
    for (int i = 1; i <= model.ids; i++) {
        const model_object *o = &model.objects[i];
        bool loses = model.fault == MODEL_LOSES_A_COUNT && program_is_node(o->type);
        if (o->alive) found += model_occurrences(o->fields, (int)o->count - loses, id);
    }
    return found;
}

bool model_is_held(int id) { return model.objects[id].immortal || model_references(id) > 0; }

/* --- the collector's lists -------------------------------------------------------------------------- */

void model_track(int id, int list) {
    model_list *l = &model.lists[list];
    l->ids[l->count++] = id;
    model.objects[id].list = list;
}

void model_untrack(int id) {
    if (model.objects[id].list < 0) return;
    model_list *l = &model.lists[model.objects[id].list];
    int i = 0;
    while (l->ids[i] != id)
        i++;
    memmove(&l->ids[i], &l->ids[i + 1], (size_t)(--l->count - i) * sizeof l->ids[0]);
    model.objects[id].list = -1;
}

/* --- birth ------------------------------------------------------------------------------------------ */

int model_reserve(void) { return model.ids < PROGRAM_OBJECTS ? ++model.ids : 0; }

int model_birth(char type, int reserved) {
    if (reserved == 0 && model.ids >= PROGRAM_OBJECTS) return 0;
    if (model_is_tracked_type(type)) model_before_birth();
    int id = reserved != 0 ? reserved : model_reserve();
    if (id == 0) return 0;
    model.objects[id] = (model_object){.type = type, .alive = true, .list = -1};
    if (program_is_node(type)) model.objects[id].count = PROGRAM_FIELDS;
    if (type == 'P') model.objects[id].number = model.phoenixes++;
    if (model_is_tracked_type(type)) model_track(id, 0);
    return id;
}

/* --- death ------------------------------------------------------------------------------------------ */

bool model_may_finalize(int id) {
    model_object *o = &model.objects[id];
    if (!program_is_finalized(o->type) || (o->finalized && model.fault != MODEL_FINALIZES_TWICE)) return false;
    o->finalized = true;
    return model.fault != MODEL_FORGETS_A_FINALIZER || id % 8 != 0;
}

/* Newest first, that is by falling id; an older one without callback has nothing to be called. */
int model_kill_weak(int id, bool (*keep)(int weak), int *calls) {
    int count = 0;
    for (int w = model.ids; w > 0; w--) {
        model_object *o = &model.objects[w];
        if (!o->alive || o->type != 'W' || o->target != id) continue;
        o->target = 0;
        if (!o->callback || !keep(w) || (count > 0 && model.fault == MODEL_SKIPS_A_CALLBACK)) continue;
        model_hold(w);
        calls[count++] = w;
    }
    for (int i = 0; model.fault == MODEL_CALLS_OLDEST_FIRST && i < count / 2; i++) {
        int w = calls[i];
        calls[i] = calls[count - 1 - i];
        calls[count - 1 - i] = w;
    }
    return count;
}

static bool model_keep_all(int weak) { return weak != 0; }

static void model_clear_weak(int id) {
    int calls[PROGRAM_OBJECTS], count = model_kill_weak(id, model_keep_all, calls);
    for (int i = 0; i < count; i++) {
        model_call_back(calls[i]);
        model_release(calls[i]);
    }
}

/* False: the finalizer made it reachable again. It is seen by collections while its finalizer runs. */
static bool model_finalize_dying(int id) {
    if (!model_may_finalize(id)) return true;
    model_track(id, 0);
    int mark = model.hold_count;
    model.holds[model.hold_count++] = id;
    model_finalize(id);
    model.hold_count--;
    assert(model.hold_count == mark);
    (void)mark;
    if (model_references(id) > 0) return false;
    model_untrack(id);
    return true;
}

static void model_free(int id) {
    model.objects[id].alive = false;
    if (model_is_tracked_type(model.objects[id].type) && model.counts[0] > 0) model.counts[0]--;
}

static void model_end(int id) {
    model_object *o = &model.objects[id];
    model.nesting++;
    if (model_finalize_dying(id)) {
        if (program_is_node(o->type)) model_clear_weak(id);
        for (unsigned i = 0; i < o->count; i++)
            model_put(model_field(o, i), 0);
        model_free(id);
    }
    model.nesting--;
}

static void model_die(int id) {
    model_object *o = &model.objects[id];
    model_untrack(id);
    o->target = 0;
    if (o->type == 'L' || o->type == 'W')
        model_free(id);
    else if (model.nesting >= MODEL_NEST && model.fault != MODEL_NEVER_DEFERS)
        model.deferred[model.deferred_count++] = id;
    else {
        model_end(id);
        if (model.nesting > 0) return;
        model.nesting = 1;                              /* what dies in here does not start another drain */
        while (model.deferred_count > 0)
            model_end(model.deferred[--model.deferred_count]);
        model.nesting = 0;
    }
}

void model_drop(int id) {
    if (id != 0 && model.rules.counted && model.objects[id].alive && !model_is_held(id)) model_die(id);
}

void model_put(int *slot, int value) {
    int old = *slot;
    *slot = value;
    model_drop(old);
}

void model_hold(int id) { model.holds[model.hold_count++] = id; }

void model_release(int id) {
    int i = model.hold_count;
    while (model.holds[--i] != id)
        ;
    memmove(&model.holds[i], &model.holds[i + 1], (size_t)(--model.hold_count - i) * sizeof model.holds[0]);
    model_drop(id);
}
