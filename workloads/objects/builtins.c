/* SPDX-License-Identifier: MIT
 * builtins.c - the functions and methods in C that the interpreter's programs call. */
#include <stdio.h>

#include "machine.h"
#include "string.h"

static bool builtin_range(machine *vm, local *a, unsigned count, local *result) {
    if (!object_new(vm->m, result, &range_type, 0)) return false;
    range *made = (range *)result->target;
    made->next = count > 1 ? integer_value(a[0].target) : 0;
    made->stop = integer_value(a[count > 1].target);
    made->step = count > 2 ? integer_value(a[2].target) : 1;
    return true;
}

static bool builtin_len(machine *vm, const object *o, local *result) {
    return machine_integer(vm, result, (int64_t)(o->type == &list_type ? list_used(o) : string_length(o)));
}

static bool builtin_str(machine *vm, const object *o, local *result) {
    char text[24];
    int length = snprintf(text, sizeof text, "%lld", (long long)integer_value(o));
    return string_new(vm->m, result, text, (size_t)length);
}

static bool builtin_append(machine *vm, local *a, local *result) {
    if (!list_push(vm->m, &a[0], &a[1])) return false;
    local_set(vm->m, result, machine_single(vm, SINGLE_NONE));
    return true;
}

static bool builtin_get(machine *vm, local *a, local *result) {
    if (!dict_get(vm->m, result, a[0].target, a[1].target)) local_set(vm->m, result, a[2].target);
    return true;
}

static size_t builtin_joined_length(object *items, size_t between) {
    size_t count = list_used(items), length = count > 1 ? (count - 1) * between : 0;
    for (size_t i = 0; i < count; i++)
        length += string_length(field_peek(&list_items(items)[i]));
    return length;
}

/* The text is written while nobody else knows the string. */
static bool builtin_join(machine *vm, local *a, local *result, local *scratch) {
    size_t between = string_length(a[0].target);
    if (!string_new(vm->m, scratch, NULL, builtin_joined_length(a[1].target, between))) return false;
    char *to = string_text(scratch->target);
    for (size_t i = 0; i < list_used(a[1].target); i++) {
        const object *item = field_peek(&list_items(a[1].target)[i]);
        if (i > 0) memcpy(to, string_text(a[0].target), between), to += between;
        memcpy(to, string_text(item), string_length(item));
        to += string_length(item);
    }
    local_swap(scratch, result);
    local_set(vm->m, scratch, NULL);
    return true;
}

static bool builtin_split(machine *vm, local *a, local *result, local *scratch) {
    enum { WORDS, WORD };
    bool made = list_new(vm->m, &scratch[WORDS]);
    for (size_t at = 0; made;) {
        const char *text = string_text(a[0].target), *found = strstr(text + at, string_text(a[1].target));
        size_t length = found != NULL ? (size_t)(found - text) - at : string_length(a[0].target) - at;
        made = string_new(vm->m, &scratch[WORD], NULL, length);
        if (!made) break;
        memcpy(string_text(scratch[WORD].target), string_text(a[0].target) + at, length);
        made = list_push(vm->m, &scratch[WORDS], &scratch[WORD]);
        if (found == NULL) break;
        at += length + string_length(a[1].target);
    }
    if (made) local_swap(&scratch[WORDS], result);
    local_set(vm->m, &scratch[WORDS], NULL);
    return made;
}

bool builtin_call(machine *vm, unsigned which, local *arguments, unsigned count, local *result, local *scratch) {
    switch (which) {
    case BUILTIN_RANGE: return builtin_range(vm, arguments, count, result);
    case BUILTIN_LEN:   return builtin_len(vm, arguments[0].target, result);
    case BUILTIN_STR:   return builtin_str(vm, arguments[0].target, result);
    case BUILTIN_INT:   return machine_integer(vm, result, (int64_t)real_value(arguments[0].target));
    case METHOD_APPEND: return builtin_append(vm, arguments, result);
    case METHOD_GET:    return builtin_get(vm, arguments, result);
    case METHOD_JOIN:   return builtin_join(vm, arguments, result, scratch);
    default:            assert(which == METHOD_SPLIT); return builtin_split(vm, arguments, result, scratch);
    }
}
