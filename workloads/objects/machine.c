/* SPDX-License-Identifier: MIT
 * machine.c - the types of an interpreter's objects, and the making of a world.
 *
 * What is neither part of a cycle nor ever changes is immortal where the collector knows such objects (PEP 683); where
 * threads will share the world, its functions, classes and module too, which CPython 3.13's free-threaded build makes
 * immortal when the first thread beside the main one starts.
 */
#include "machine.h"

#include "string.h"

static field *code_constants(object *o) { return object_extra_units(o); }

static void code_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(code_constants(self), object_extra(self), visit, context);
}
static void function_visit(object *self, field_visitor *visit, void *context) { visit(&((function *)self)->code, context); }
static void class_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(object_extra_units(self), object_extra(self), visit, context);
}
static void instance_visit(object *self, field_visitor *visit, void *context) {
    visit(&((instance *)self)->class, context);
    fields_visit(object_extra_units(self), object_extra(self), visit, context);
}
static void list_iterator_visit(object *self, field_visitor *visit, void *context) { visit(&((list_iterator *)self)->list, context); }

const object_type single_type = {.name = "single", .bytes = sizeof(single), .visit = object_visit_nothing};
const object_type builtin_type = {.name = "built-in function", .bytes = sizeof(builtin), .visit = object_visit_nothing};
const object_type code_type = {.name = "code", .bytes = sizeof(code), .extra_unit_bytes = sizeof(field), .visit = code_visit};
const object_type function_type = {.name = "function", .bytes = sizeof(function), .tracked = true, .visit = function_visit};
const object_type class_type = {.name = "class", .bytes = sizeof(class), .tracked = true, .extra_unit_bytes = sizeof(field), .visit = class_visit};
const object_type instance_type = {.name = "instance", .bytes = sizeof(instance), .tracked = true, .extra_unit_bytes = sizeof(field), .visit = instance_visit};
const object_type range_type = {.name = "range", .bytes = sizeof(range), .visit = object_visit_nothing};
const object_type range_iterator_type = {.name = "range iterator", .bytes = sizeof(range), .visit = object_visit_nothing};
const object_type list_iterator_type = {.name = "list iterator", .bytes = sizeof(list_iterator), .tracked = true, .visit = list_iterator_visit};

/* --- parts of a world ----------------------------------------------------------------------------------- */

/* l = an object of one of the two types that are a header and a number. */
static bool machine_new_numbered(mutator *m, local *l, const object_type *type, uint64_t which) {
    if (!object_new(m, l, type, 0)) return false;
    ((single *)l->target)->which = which;
    object_immortalize(l->target);
    return true;
}

static bool machine_new_tuple(mutator *m, local *l, const object_type *type, uint64_t first, size_t count) {
    local *made = frame_open(m, 1);
    bool all = tuple_new(m, l, count);
    for (size_t i = 0; all && i < count; i++) {
        all = machine_new_numbered(m, made, type, first + i);
        if (all) field_move(m, l->target, &tuple_items(l->target)[i], made);
    }
    frame_close(m, made);
    return all;
}

static bool machine_new_constant(mutator *m, local *l, const program_constant *from, local *singles) {
    switch (from->kind) {
    case CONSTANT_NONE:    local_set(m, l, field_peek(&tuple_items(singles->target)[SINGLE_NONE])); return true;
    case CONSTANT_INTEGER: return object_new(m, l, &integer_type, 0) && (((integer *)l->target)->value = from->integer, true);
    case CONSTANT_REAL:    return real_new(m, l, from->real);
    case CONSTANT_STRING:  return string_new(m, l, from->text, strlen(from->text));
    }
    return false;
}

static bool machine_new_code(mutator *m, local *l, const program_function *text, local *singles) {
    local *made = frame_open(m, 1);
    bool all = object_new(m, l, &code_type, text->constant_count);
    if (all) ((code *)l->target)->text = text;
    for (unsigned i = 0; all && i < text->constant_count; i++) {
        all = machine_new_constant(m, made, &text->constants[i], singles);
        if (!all) break;
        object_immortalize(made->target);
        field_move(m, l->target, &code_constants(l->target)[i], made);
    }
    if (all) object_immortalize(l->target);
    frame_close(m, made);
    return all;
}

static bool machine_new_function(mutator *m, local *l, const program_function *text, local *singles) {
    local *made = frame_open(m, 1);
    bool all = object_new(m, l, &function_type, 0) && machine_new_code(m, made, text, singles);
    if (all) field_move(m, l->target, &((function *)l->target)->code, made);
    frame_close(m, made);
    return all;
}

/* --- the module ------------------------------------------------------------------------------------------- */

static bool machine_define(mutator *m, local *module, const char *name, local *value) {
    local *key = frame_open(m, 1);
    bool made = string_new(m, key, name, strlen(name)) && dict_set(m, module, key->target, value->target);
    frame_close(m, key);
    return made;
}

static unsigned machine_name_count(const program *text) {
    unsigned count = 0;
    while (text->names[count] != NULL) count++;
    return count;
}

static bool machine_new_class(mutator *m, local *l, const program *text, const program_class *from, local *module) {
    unsigned names = machine_name_count(text);
    if (!object_new(m, l, &class_type, names)) return false;
    ((class *)l->target)->text = from;
    field *methods = object_extra_units(l->target);
    for (unsigned i = 0; i < names; i++)
        if (from->method[i] >= 0)
            field_store(m, l->target, &methods[i],
                        field_peek(&dict_entries(module->target)[PROGRAM_BUILTINS + from->method[i]].value));
    return true;
}

/* Names in the order that program.h gives them, so that an instruction can name an entry by its number. */
static bool machine_new_module(mutator *m, local *l, const program *text, local *singles) {
    static const char *const builtins[PROGRAM_BUILTINS] = {"range", "len", "str", "int"};
    local *made = frame_open(m, 1);
    bool all = dict_new(m, l);
    for (unsigned i = 0; all && i < PROGRAM_BUILTINS; i++)
        all = machine_new_numbered(m, made, &builtin_type, i) && machine_define(m, l, builtins[i], made);
    for (unsigned i = 0; all && i < text->function_count; i++)
        all = machine_new_function(m, made, &text->functions[i], singles) && machine_define(m, l, text->functions[i].name, made);
    for (unsigned i = 0; all && i < text->class_count; i++)
        all = machine_new_class(m, made, text, &text->classes[i], l) && machine_define(m, l, text->classes[i].name, made);
    frame_close(m, made);
    return all;
}

bool machine_make_world(mutator *m, local *l, const program *text) {
    local *part = frame_open(m, WORLD_PARTS);
    bool made = integers_new(m, &part[WORLD_SMALL]) &&
                machine_new_tuple(m, &part[WORLD_SINGLES], &single_type, SINGLE_NONE, SINGLES) &&
                machine_new_tuple(m, &part[WORLD_METHODS], &builtin_type, METHOD_APPEND, BUILTINS - METHOD_APPEND) &&
                machine_new_module(m, &part[WORLD_MODULE], text, &part[WORLD_SINGLES]) && tuple_new(m, l, WORLD_PARTS);
    for (unsigned i = 0; made && i < WORLD_PARTS; i++)
        field_move(m, l->target, &tuple_items(l->target)[i], &part[i]);
    frame_close(m, part);
    return made;
}

void machine_share_world(local *l) {
    object *module = field_peek(&tuple_items(l->target)[WORLD_MODULE]);
    for (size_t i = 0; i < dict_used(module); i++) {
        object_immortalize(field_peek(&dict_entries(module)[i].key));
        object_immortalize(field_peek(&dict_entries(module)[i].value));
    }
    for (unsigned i = 0; i < WORLD_PARTS; i++)
        object_immortalize(field_peek(&tuple_items(l->target)[i]));
    object_immortalize(l->target);
}

void machine_enter_world(machine *vm, mutator *m, local *frame, local *l, const program *text) {
    static const char *const methods[] = {"append", "get", "join", "split"};
    vm->m = m;
    vm->world = frame;
    vm->text = text;
    for (unsigned i = 0; i < WORLD_PARTS; i++)
        local_set(m, &frame[i], field_peek(&tuple_items(l->target)[i]));
    assert(machine_name_count(text) <= MACHINE_NAMES);
    for (unsigned i = 0; text->names[i] != NULL; i++) {
        vm->method[i] = -1;
        for (int8_t k = 0; k < (int8_t)(sizeof methods / sizeof *methods); k++)
            if (strcmp(text->names[i], methods[k]) == 0) vm->method[i] = k;
    }
}
