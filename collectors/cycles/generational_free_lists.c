/* SPDX-License-Identifier: MIT
 * generational_free_lists.c - stacks of dead objects, found by type and number of extra units. */
#include "../collector.h"

enum { FREE_LISTS = 64 };               /* a type and length that finds no room has no list */

typedef struct free_list {
    const object_type *type;
    size_t             extra, count;
    object            *first;           /* linked through the word behind the type */
} free_list;

static struct { bool used; free_list lists[FREE_LISTS]; } free_lists;

static object **link_of(object *o) { return (object **)(o + 1); }

static free_list *list_of(const object_type *type, size_t extra) {
    size_t at = ((uintptr_t)type >> 4) + extra;
    for (size_t i = 0; i < FREE_LISTS; i++) {
        free_list *list = &free_lists.lists[(at + i) % FREE_LISTS];
        if (list->type == NULL) *list = (free_list){.type = type, .extra = extra};
        if (list->type == type && list->extra == extra) return list;
    }
    return NULL;
}

void free_lists_open(bool used) {
    memset(&free_lists, 0, sizeof free_lists);
    free_lists.used = used;
}

object *free_lists_take(const object_type *type, size_t extra) {
    if (!free_lists.used || type->free_list == 0 || extra > FREE_LISTS_LARGEST_EXTRA) return NULL;
    free_list *list = list_of(type, extra);
    if (list == NULL || list->first == NULL) return NULL;
    object *o = list->first;
    list->first = *link_of(o);
    list->count--;
    return o;
}

bool free_lists_give(object *o) {
    if (!free_lists.used || o->type->free_list == 0) return false;
    size_t extra = object_extra(o);
    free_list *list = extra <= FREE_LISTS_LARGEST_EXTRA ? list_of(o->type, extra) : NULL;
    if (list == NULL || list->count >= o->type->free_list) return false;
    *link_of(o) = list->first;
    list->first = o;
    list->count++;
    return true;
}

void free_lists_empty(void) {
    for (size_t i = 0; i < FREE_LISTS; i++) {
        free_list *list = &free_lists.lists[i];
        while (list->first != NULL) {
            object *o = list->first;
            list->first = *link_of(o);
            size_t prefix_bytes = list->type->tracked ? CYCLES_PREFIX_BYTES : 0;
            size_t bytes = prefix_bytes + list->type->bytes + list->extra * list->type->extra_unit_bytes;
            refcounted_memory->release((char *)o - prefix_bytes, bytes);
        }
        list->count = 0;
    }
}
