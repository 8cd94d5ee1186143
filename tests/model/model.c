/* SPDX-License-Identifier: MIT
 * model.c - what programs do to the model: steps, finalizers, callbacks. See model.h and program.h. */
#include <string.h>

#include "model_state.h"

void model_start(const model_rules *rules, model_fault fault) {
    memset(&model, 0, offsetof(struct model, events));
    model.rules = *rules;
    model.fault = fault;
    model.frames = 1;
}

const model_object *model_at(int id)  { return &model.objects[id]; }
int      model_local(unsigned i)      { return model.locals[i]; }
int      model_global(unsigned i)     { return model.globals[i]; }
unsigned model_locals(void)           { return model.frames * PROGRAM_FRAME; }
void     model_forget_events(void)    { model.event_count = 0; }

unsigned model_alive(bool only_tracked) {
    unsigned alive = 0;
    for (int id = 1; id <= model.ids; id++)
        alive += model.objects[id].alive && (!only_tracked || model_is_tracked_type(model.objects[id].type));
    return alive;
}

bool model_has_weak(void) {
    bool found = false;
    for (int id = 1; id <= model.ids; id++)
        found |= model.objects[id].type == 'W';
    return found;
}

const program_event *model_events(size_t *count) {
    *count = model.event_count;
    return model.events;
}

static program_event *model_log(char kind, int id) {
    static program_event lost;
    if (model.event_count == sizeof model.events / sizeof model.events[0]) return &lost;
    model.events[model.event_count] = (program_event){.kind = kind, .id = id};
    return &model.events[model.event_count++];
}

/* --- finalizers and callbacks ----------------------------------------------------------------------- */

static int model_seen(int target) {
    const model_object *o = &model.objects[target];
    if (target == 0 || o->type != 'W') return target;
    return -1 - (o->target != 0 && model_is_held(o->target) ? o->target : 0);
}

static void model_save(int id) {
    int number = model.objects[id].number;
    if (model.rules.quiet && number >= PROGRAM_SAVES) return;
    model_put(&model.globals[PROGRAM_SAVED + number % PROGRAM_SAVES], id);
}

static void model_meddle(int id) {
    int partner = model.objects[id].fields[0];
    if (!program_is_node(model.objects[partner].type)) return;
    model_hold(partner);
    model_put(&model.objects[partner].fields[1], id);
    model_release(partner);
}

static void model_breed(int id) {
    int born = model_birth('N', 0);
    if (born == 0) return;
    model_hold(born);
    model_put(&model.objects[id].fields[2], born);
    model_log('r', (int)model_collect(id % MODEL_GENERATIONS));
    model_release(born);
}

void model_finalize(int id) {
    model_object *o = &model.objects[id];
    program_event *e = model_log('f', id);
    for (unsigned i = 0; i < PROGRAM_FIELDS && !model.rules.quiet; i++)
        e->seen[i] = model_seen(o->fields[i]);
    switch (o->type) {
    case 'P': model_save(id); break;
    case 'M': model_meddle(id); break;
    case 'B': model_breed(id); break;
    case 'C':
        for (unsigned i = 0; i < PROGRAM_FIELDS; i++)
            model_put(&o->fields[i], 0);
        break;
    default: break;
    }
}

void model_call_back(int weak) {
    model_log('c', weak);
    if (model.rules.quiet || weak % 4 < 2) return;
    int born = 0;
    if (weak % 4 == 3) {
        born = model_birth('F', 0);
        if (born == 0) return;
        model_hold(born);
    }
    model_put(&model.globals[weak % PROGRAM_GLOBALS], born);
    if (born != 0) model_release(born);
}

/* --- what a step means ------------------------------------------------------------------------------ */

static char model_type(uint8_t code) {
    char type = program_type(code);
    if (!model.rules.finalizers && program_is_finalized(type)) return 'N';
    if (model.rules.loose && type == 'P') return 'F';
    return model.rules.quiet && (type == 'M' || type == 'B') ? 'F' : type;
}

static char model_type_of_local(unsigned i) { return model.objects[model.locals[i]].type; }

/* Where the object in the local has such a field: its index. */
static bool model_pick_field(unsigned local, uint8_t z, unsigned *field) {
    const model_object *o = &model.objects[model.locals[local]];
    if (o->count == 0) return false;
    *field = z % o->count;
    return true;
}

/* Whether the operands of a fit; the rest of what it needs is filled in. */
static bool model_fits(model_action *a, program_step s) {
    switch (a->op) {
    case 'n': a->type = model_type(s.y); return model.ids < PROGRAM_OBJECTS;
    case 'h':
        a->type = model_type(s.z);
        a->count = 10 + s.y % 70;
        return program_is_node(a->type) && model.ids + (int)a->count <= PROGRAM_OBJECTS;
    case 'w':
        a->callback = s.z & 1;
        return model.rules.weak && program_is_node(model_type_of_local(a->from)) && model.ids < PROGRAM_OBJECTS;
    case 'l': return model_pick_field(a->from, s.z, &a->field);
    case 't': case 'x': return model_pick_field(a->to, s.z, &a->field);
    case 'a':
        a->type = model_type(s.y);
        return model_pick_field(a->to, s.z, &a->field) && model.ids < PROGRAM_OBJECTS;
    case 'r':
        a->count = s.y % (PROGRAM_ITEMS + 1);
        return model_type_of_local(a->to) == 'R';
    case 'g': return model_type_of_local(a->from) == 'W' && !model.rules.loose;
    case 'c': a->generation = s.x % MODEL_GENERATIONS; return true;
    case 'o': return model.frames < PROGRAM_FRAMES;
    case 'e': return model.frames > 1;
    case 'f': a->global = s.y % PROGRAM_GLOBALS; return true;
    case 'p': case 'u': a->global = s.x % PROGRAM_GLOBALS; return true;
    case 'i': return model.rules.immortals && model.locals[a->to] != 0;
    default:  return true;
    }
}

model_action model_resolve(program_step s) {
    model_action a = {.op = program_op(s), .to = s.x % model_locals(), .from = s.y % model_locals()};
    if (!model_fits(&a, s)) a.op = 0;
    return a;
}

/* --- and its doing ---------------------------------------------------------------------------------- */

static void model_new(const model_action *a) {
    int born = model_birth(a->type, 0);
    if (born == 0) return;
    model_hold(born);
    model_put(&model.locals[a->to], born);
    model_release(born);
}

static void model_attach(const model_action *a) {
    int holder = model.locals[a->to], born = model_birth(a->type, 0);
    if (born == 0) return;
    model_hold(born);
    model_put(&model.objects[holder].fields[a->field], born);
    model_release(born);
}

static void model_chain(const model_action *a) {
    for (unsigned i = 0; i < a->count; i++) {
        int born = model_birth(a->type, 0);
        if (born == 0) return;
        model_hold(born);
        model_put(&model.objects[born].fields[0], model.locals[a->to]);
        model_put(&model.locals[a->to], born);
        model_release(born);
    }
}

static int model_shared_weak(int target) {
    for (int w = 1; w <= model.ids; w++)
        if (model.objects[w].alive && model.objects[w].target == target && !model.objects[w].callback) return w;
    return 0;
}

static void model_weak(const model_action *a) {
    int target = model.locals[a->from], weak = model_reserve();
    int shared = a->callback ? 0 : model_shared_weak(target);
    model_hold(target);                                 /* a birth may collect */
    if (shared == 0) {
        model_birth('W', weak);
        model.objects[weak].target = target;
        model.objects[weak].callback = a->callback;
    }
    if (shared != 0) weak = shared;
    model_hold(weak);
    model_release(target);
    model_put(&model.locals[a->to], weak);
    model_release(weak);
}

/* What a row loses goes from its end on, as a list of CPython loses it. */
static void model_resize(const model_action *a) {
    model_object *row = &model.objects[model.locals[a->to]];
    int lost[PROGRAM_ITEMS];
    unsigned old = row->count;
    memcpy(lost, row->fields, sizeof lost);
    for (unsigned i = a->count; i < old; i++) {
        if (lost[i] != 0) model_hold(lost[i]);
        row->fields[i] = 0;
    }
    row->count = a->count;
    for (unsigned i = old; i-- > a->count;)
        if (lost[i] != 0) model_release(lost[i]);
}

static void model_close(void) {
    unsigned first = model_locals() - PROGRAM_FRAME;
    for (unsigned i = first; i < first + PROGRAM_FRAME; i++)
        model_put(&model.locals[i], 0);
    model.frames--;
}

size_t model_act(const model_action *a) {
    int *to = &model.locals[a->to], from = model.locals[a->from];
    switch (a->op) {
    case 'n': model_new(a); break;
    case 'a': model_attach(a); break;
    case 'h': model_chain(a); break;
    case 'w': model_weak(a); break;
    case 's': model_put(to, from); break;
    case 'd': model_put(to, 0); break;
    case 'l': model_put(to, model.objects[from].fields[a->field]); break;
    case 't': model_put(&model.objects[*to].fields[a->field], from); break;
    case 'x': model_put(&model.objects[*to].fields[a->field], 0); break;
    case 'r': model_resize(a); break;
    case 'g': model_put(to, model.objects[from].target); break;
    case 'c': return model_collect((int)a->generation);
    case 'o': model.frames++; break;
    case 'e': model_close(); break;
    case 'p': model_put(&model.globals[a->global], from); break;
    case 'f': model_put(to, model.globals[a->global]); break;
    case 'u': model_put(&model.globals[a->global], 0); break;
    case 'i': model.objects[*to].immortal = model.fault != MODEL_FORGETS_IMMORTALITY; break;
    default: break;
    }
    return 0;
}

void model_print_action(FILE *to, const model_action *a) {
    switch (a->op) {
    case 'n': fprintf(to, "local %u = new %c", a->to, a->type); break;
    case 'h': fprintf(to, "%u times: local %u = new %c with a = old local %u", a->count, a->to, a->type, a->to); break;
    case 'w': fprintf(to, "local %u = weak reference to local %u%s", a->to, a->from, a->callback ? ", with callback" : ""); break;
    case 's': fprintf(to, "local %u = local %u", a->to, a->from); break;
    case 'd': fprintf(to, "local %u = nothing", a->to); break;
    case 'l': fprintf(to, "local %u = local %u . field %u", a->to, a->from, a->field); break;
    case 't': fprintf(to, "local %u . field %u = local %u", a->to, a->field, a->from); break;
    case 'a': fprintf(to, "local %u . field %u = new %c", a->to, a->field, a->type); break;
    case 'x': fprintf(to, "local %u . field %u = nothing", a->to, a->field); break;
    case 'r': fprintf(to, "resize local %u to %u", a->to, a->count); break;
    case 'g': fprintf(to, "local %u = target of local %u", a->to, a->from); break;
    case 'c': fprintf(to, "collect %u", a->generation); break;
    case 'o': fprintf(to, "open a frame"); break;
    case 'e': fprintf(to, "close the frame"); break;
    case 'p': fprintf(to, "global %u = local %u", a->global, a->from); break;
    case 'f': fprintf(to, "local %u = global %u", a->to, a->global); break;
    case 'u': fprintf(to, "global %u = nothing", a->global); break;
    case 'i': fprintf(to, "local %u is immortal", a->to); break;
    default:  fprintf(to, "nothing"); break;
    }
}
