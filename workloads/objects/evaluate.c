/* SPDX-License-Identifier: MIT
 * evaluate.c - the loop: fetch an instruction, do what it says.
 *
 *   frame of a call   | function | code | variables ... | stack ... | scratch |
 *                     ^ base                              ^ top: the next free one
 *
 * Counts change as in ceval.c of CPython 3.11: a push takes, a result is born, what was used is dropped; arguments,
 * return values, variables that are set, and what is stored or appended move. The thread polls at back-edges and calls.
 * A call of a Python function is no call of this one, so the C stack does not grow.
 * (I1) Locals from top to the end of the frame are NULL.
 */
#include <math.h>

#include "machine.h"
#include "string.h"

enum { FRAME_FUNCTION, FRAME_CODE, FRAME_VARIABLES };

static const program_function *evaluate_text(const local *base) { return ((code *)base[FRAME_CODE].target)->text; }

/* The `count` uppermost are dropped; returns the new top. */
static local *evaluate_pop(mutator *m, local *top, unsigned count) {
    while (count-- > 0) local_set(m, --top, NULL);
    return top;
}

/* --- operators -------------------------------------------------------------------------------------------- */

static int64_t evaluate_floor_divide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

static int64_t evaluate_integers(uint32_t which, int64_t a, int64_t b) {
    int64_t result = 0;
    bool over = false;
    switch (which) {
    case BINARY_ADD:          over = __builtin_add_overflow(a, b, &result); break;
    case BINARY_SUBTRACT:     over = __builtin_sub_overflow(a, b, &result); break;
    case BINARY_MULTIPLY:     over = __builtin_mul_overflow(a, b, &result); break;
    case BINARY_AND:          result = a & b; break;
    case BINARY_XOR:          result = a ^ b; break;
    case BINARY_FLOOR_DIVIDE: result = evaluate_floor_divide(a, b); break;
    case BINARY_REMAINDER:    result = a - b * evaluate_floor_divide(a, b); break;
    default:                  over = true;
    }
    assert(!over);
    return result;
}

static double evaluate_reals(uint32_t which, double a, double b) {
    switch (which) {
    case BINARY_ADD:         return a + b;
    case BINARY_SUBTRACT:    return a - b;
    case BINARY_MULTIPLY:    return a * b;
    case BINARY_TRUE_DIVIDE: return a / b;
    default:                 assert(which == BINARY_POWER); return pow(a, b);
    }
}

static bool evaluate_concatenate(mutator *m, local *a, local *b, local *scratch) {
    size_t first = string_length(a->target), second = string_length(b->target);
    if (!string_new(m, scratch, NULL, first + second)) return false;
    memcpy(string_text(scratch->target), string_text(a->target), first);
    memcpy(string_text(scratch->target) + first, string_text(b->target), second);
    local_swap(a, scratch);
    local_set(m, scratch, NULL);
    return true;
}

static bool evaluate_repeat(mutator *m, local *a, size_t times, local *scratch) {
    size_t count = list_used(a->target);
    if (!list_new(m, scratch) || !object_resize(m, scratch, count * times)) return false;
    ((list *)scratch->target)->used = count * times;
    for (size_t i = 0; i < count * times; i++)
        field_store(m, scratch->target, &list_items(scratch->target)[i], field_peek(&list_items(a->target)[i % count]));
    local_swap(a, scratch);
    local_set(m, scratch, NULL);
    return true;
}

/* a = a `which` b. */
static bool evaluate_binary(machine *vm, uint32_t which, local *a, local *b, local *scratch) {
    const object_type *type = a->target->type;
    if (type == &list_type) return evaluate_repeat(vm->m, a, (size_t)integer_value(b->target), scratch);
    assert(type == b->target->type);
    if (type == &integer_type)
        return machine_integer(vm, a, evaluate_integers(which, integer_value(a->target), integer_value(b->target)));
    if (type == &real_type) return real_new(vm->m, a, evaluate_reals(which, real_value(a->target), real_value(b->target)));
    return evaluate_concatenate(vm->m, a, b, scratch);
}

static bool evaluate_compare(uint32_t which, const object *a, const object *b) {
    assert(a->type == b->type);
    double difference;
    if (a->type == &integer_type) difference = (integer_value(a) > integer_value(b)) - (integer_value(a) < integer_value(b));
    else difference = real_value(a) - real_value(b);
    switch (which) {
    case COMPARE_LESS:       return difference < 0;
    case COMPARE_LESS_EQUAL: return difference <= 0;
    case COMPARE_EQUAL:      return difference == 0;
    case COMPARE_UNEQUAL:    return difference != 0;
    case COMPARE_GREATER:    return difference > 0;
    default:                 return difference >= 0;
    }
}

static bool evaluate_truth(const object *o) {
    return o->type == &integer_type ? integer_value(o) != 0 : ((const single *)o)->which == SINGLE_TRUE;
}

/* --- containers and iterators ------------------------------------------------------------------------------- */

static field *evaluate_item(object *o, const object *index) {
    size_t i = (size_t)integer_value(index);
    assert(o->type == &list_type && i < list_used(o));
    return &list_items(o)[i];
}

static void evaluate_load_item(mutator *m, local *container, const object *key) {
    object *o = container->target;
    if (o->type == &list_type) field_load(m, container, o, evaluate_item(o, key));
    else assert(dict_find(o, (object *)key) != NULL), dict_get(m, container, o, (object *)key);
}

static bool evaluate_store_item(mutator *m, local *value, local *container, object *key) {
    object *o = container->target;
    if (o->type == &dict_type) return dict_set(m, container, key, value->target);
    field_move(m, o, evaluate_item(o, key), value);
    return true;
}

/* The `count` locals from `first` on move into a list, which takes the place of the first one. */
static bool evaluate_build_list(mutator *m, local *first, unsigned count, local *scratch) {
    if (!list_new(m, scratch) || (count != 0 && !object_resize(m, scratch, count))) return false;
    ((list *)scratch->target)->used = count;
    for (unsigned i = 0; i < count; i++)
        field_move(m, scratch->target, &list_items(scratch->target)[i], &first[i]);
    local_swap(first, scratch);
    return true;
}

static bool evaluate_iterate(mutator *m, local *l, local *scratch) {
    if (l->target->type == &range_type) {
        if (!object_new(m, scratch, &range_iterator_type, 0)) return false;
        range *made = (range *)scratch->target, *from = (range *)l->target;
        made->next = from->next, made->stop = from->stop, made->step = from->step;
    } else {
        if (!object_new(m, scratch, &list_iterator_type, 0)) return false;
        assert(l->target->type == &list_type);
        field_store(m, scratch->target, &((list_iterator *)scratch->target)->list, l->target);
    }
    local_swap(l, scratch);
    local_set(m, scratch, NULL);
    return true;
}

static bool evaluate_is_exhausted(const object *iterator) {
    if (iterator->type == &range_iterator_type) {
        const range *numbers = (const range *)iterator;
        return numbers->step > 0 ? numbers->next >= numbers->stop : numbers->next <= numbers->stop;
    }
    const list_iterator *self = (const list_iterator *)iterator;
    return self->next == list_used(field_peek(&self->list));
}

static bool evaluate_next(machine *vm, object *iterator, local *l) {
    if (iterator->type == &range_iterator_type) {
        range *self = (range *)iterator;
        int64_t value = self->next;
        self->next += self->step;
        return machine_integer(vm, l, value);
    }
    list_iterator *self = (list_iterator *)iterator;
    object *items = field_peek(&self->list);
    field_load(vm->m, l, items, &list_items(items)[self->next++]);
    return true;
}

/* --- attributes --------------------------------------------------------------------------------------------- */

/* What a class holds never changes, so that it is read without a lock. */
static class *evaluate_class(const object *o) {
    assert(o->type == &instance_type);
    return (class *)field_peek(&((const instance *)o)->class);
}
static field *evaluate_attribute(object *o, uint32_t name) {
    int8_t slot = evaluate_class(o)->text->slot[name];
    assert(slot >= 0);
    return (field *)object_extra_units(o) + slot;
}

/* | self | becomes | method | self |. */
static void evaluate_load_method(machine *vm, local *self, uint32_t name) {
    object *o = self->target;
    field *found = o->type == &instance_type
                       ? (field *)object_extra_units(&evaluate_class(o)->base.header) + name
                       : &tuple_items(vm->world[WORLD_METHODS].target)[vm->method[name]];
    local_swap(self, self + 1);
    local_set(vm->m, self, field_peek(found));
}

/* --- calls ---------------------------------------------------------------------------------------------------- */

/* A frame for the function in `callee`, which moves there, as its arguments do. */
static local *evaluate_open(mutator *m, local *callee, local *arguments, unsigned count) {
    const code *c = (const code *)field_peek(&((function *)callee->target)->code);
    const program_function *text = c->text;
    local *base = frame_open(m, FRAME_VARIABLES + text->locals + text->stack + MACHINE_SCRATCH);
    local_swap(&base[FRAME_FUNCTION], callee);
    local_set(m, &base[FRAME_CODE], field_peek(&((function *)base[FRAME_FUNCTION].target)->code));
    for (unsigned i = 0; i < count; i++)
        local_swap(&base[FRAME_VARIABLES + i], &arguments[i]);
    return base;
}

/* | NULL | class | arguments | becomes | instance | self's initializer | arguments |; the frame of that is opened. */
static local *evaluate_construct(machine *vm, local *slot, unsigned count) {
    class *kind = (class *)slot[1].target;
    if (!object_new(vm->m, &slot[0], &instance_type, kind->text->attributes)) return NULL;
    kind = (class *)slot[1].target;
    field_store(vm->m, slot[0].target, &((instance *)slot[0].target)->class, &kind->base.header);
    field *initializer = &dict_entries(vm->world[WORLD_MODULE].target)[PROGRAM_BUILTINS + kind->text->initializer].value;
    local_set(vm->m, &slot[1], field_peek(initializer));
    local *base = evaluate_open(vm->m, &slot[1], slot + 1, count + 1);
    local_set(vm->m, &base[FRAME_VARIABLES], slot[0].target);
    return base;
}

/* --- the loop --------------------------------------------------------------------------------------------------- */

bool machine_run(machine *vm, local *result) {
    mutator *m = vm->m;
    unsigned depth = 0;
    local *main = frame_open(m, 1), *base, *top;
    const program_instruction *next, *start;

    local_set(m, main, field_peek(&dict_entries(vm->world[WORLD_MODULE].target)[PROGRAM_BUILTINS + vm->text->main].value));
    base = evaluate_open(m, main, NULL, 0);
    top = base + FRAME_VARIABLES + evaluate_text(base)->locals;
    start = next = evaluate_text(base)->code;

    for (;;) {
        program_instruction now = *next++;
        uint32_t argument = now.argument;
        bool jumps = false;
        switch (now.operation) {
        case RESUME:
        case PRECALL:
            break;
        case LOAD_FAST:
            local_set(m, top++, base[FRAME_VARIABLES + argument].target);
            break;
        case STORE_FAST:
            local_swap(--top, &base[FRAME_VARIABLES + argument]);
            local_set(m, top, NULL);
            break;
        case LOAD_CONST:
            local_set(m, top++, field_peek((field *)object_extra_units(base[FRAME_CODE].target) + argument));
            break;
        case LOAD_GLOBAL_CALL:
            top++;                                      /* where the method would be, if this were one */
            /* fall through */
        case LOAD_GLOBAL:
            field_load(m, top++, vm->world[WORLD_MODULE].target, &dict_entries(vm->world[WORLD_MODULE].target)[argument].value);
            break;
        case POP_TOP:
            top = evaluate_pop(m, top, 1);
            break;
        case BINARY_OP:
            if (!evaluate_binary(vm, argument, &top[-2], &top[-1], top)) goto refused;
            top = evaluate_pop(m, top, 1);
            break;
        case COMPARE_OP: {
            bool holds = evaluate_compare(argument, top[-2].target, top[-1].target);
            top = evaluate_pop(m, top, 2);
            if (next->operation != POP_JUMP_IF_FALSE && next->operation != POP_JUMP_IF_TRUE) {
                local_set(m, top++, machine_single(vm, holds ? SINGLE_TRUE : SINGLE_FALSE));
                break;
            }
            jumps = holds == (next->operation == POP_JUMP_IF_TRUE);
            argument = next++->argument;
            break;
        }
        case CONTAINS_OP: {
            bool found = dict_find(top[-1].target, top[-2].target) != NULL;
            top = evaluate_pop(m, top, 2);
            local_set(m, top++, machine_single(vm, found != argument ? SINGLE_TRUE : SINGLE_FALSE));
            break;
        }
        case BINARY_SUBSCR:
            evaluate_load_item(m, &top[-2], top[-1].target);
            top = evaluate_pop(m, top, 1);
            break;
        case STORE_SUBSCR:
            if (!evaluate_store_item(m, &top[-3], &top[-2], top[-1].target)) goto refused;
            top = evaluate_pop(m, top, 3);
            break;
        case BUILD_LIST:
            if (!evaluate_build_list(m, top - argument, argument, top)) goto refused;
            top = top - argument + 1;
            break;
        case BUILD_MAP:
            if (!dict_new(m, top++)) goto refused;
            break;
        case LOAD_ATTR:
            field_load(m, &top[-1], top[-1].target, evaluate_attribute(top[-1].target, argument));
            break;
        case STORE_ATTR:
            field_move(m, top[-1].target, evaluate_attribute(top[-1].target, argument), &top[-2]);
            top = evaluate_pop(m, top, 2);
            break;
        case LOAD_METHOD:
            evaluate_load_method(vm, &top[-1], argument);
            top++;
            break;
        case GET_ITER:
            if (!evaluate_iterate(m, &top[-1], top)) goto refused;
            break;
        case FOR_ITER:
            jumps = evaluate_is_exhausted(top[-1].target);
            if (jumps) top = evaluate_pop(m, top, 1);
            else if (!evaluate_next(vm, top[-1].target, top)) goto refused;
            else top++;
            break;
        case JUMP:
            jumps = true;
            break;
        case POP_JUMP_IF_FALSE:
        case POP_JUMP_IF_TRUE:
            jumps = evaluate_truth(top[-1].target) == (now.operation == POP_JUMP_IF_TRUE);
            top = evaluate_pop(m, top, 1);
            break;
        case POP_JUMP_IF_NONE:
        case POP_JUMP_IF_NOT_NONE:
            jumps = (top[-1].target == machine_single(vm, SINGLE_NONE)) == (now.operation == POP_JUMP_IF_NONE);
            top = evaluate_pop(m, top, 1);
            break;
        case CALL: {
            local *slot = top - argument - 2;           /* | NULL | callable | arguments | or | method | self | arguments | */
            bool method = slot[0].target != NULL;
            local *callee = method ? slot : slot + 1;
            const object_type *type = callee->target->type;
            mutator_poll(m);
            if (type == &builtin_type) {
                unsigned which = (unsigned)((builtin *)callee->target)->which;
                if (!builtin_call(vm, which, callee + 1, argument + method, slot, top)) goto refused;
                evaluate_pop(m, top, argument + 1);
                top = slot + 1;
                break;
            }
            assert(depth < MACHINE_DEPTH);
            vm->calls[depth++] = (activation){.next = next, .base = base, .top = slot, .constructs = type == &class_type};
            base = type == &class_type ? evaluate_construct(vm, slot, argument)
                                       : evaluate_open(m, callee, callee + 1, argument + method);
            if (base == NULL) goto refused;
            top = base + FRAME_VARIABLES + evaluate_text(base)->locals;
            start = next = evaluate_text(base)->code;
            break;
        }
        case RETURN_VALUE: {
            if (depth == 0) {
                local_swap(--top, result);
                frame_close(m, main);
                return true;
            }
            activation caller = vm->calls[--depth];
            if (!caller.constructs) local_swap(--top, caller.top);
            frame_close(m, base);
            base = caller.base;
            top = caller.top + 1;
            next = caller.next;
            start = evaluate_text(base)->code;
            break;
        }
        }
        if (jumps) {
            if (start + argument < next) mutator_poll(m);
            next = start + argument;
        }
    }
refused:
    frame_close(m, main);
    return false;
}
