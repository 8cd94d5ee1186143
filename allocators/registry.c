/* SPDX-License-Identifier: MIT
 * registry.c - finds an allocator by name, or by the path of a .so, and puts its wrappers around it.
 *
 * allocators.def is read three times: for the declarations (registry.h), for the list of entries, and for
 * the tables and wrappers behind them. A new allocator is therefore one line there and nothing here.
 */
#include "registry.h"
#include "system.h"

#include <stdlib.h>
#include <string.h>

static allocator_entry registry_list[] = {
#define OWN(name)                              { #name, ALLOCATOR_OWN, NULL, NULL, NULL },
#define PRESET(name, own, parameters, idea)    { name, ALLOCATOR_OWN, NULL, NULL, idea },
#define PRELOADED(name, sonames, packages, idea) { #name, ALLOCATOR_PRELOADED, sonames, packages, idea },
#define OPENED(name, sonames, packages)        { #name, ALLOCATOR_OPENED, sonames, packages, name##_idea },
#define WRAPPER(name)                          { #name, ALLOCATOR_WRAPPER, NULL, NULL, name##_idea },
#include "allocators.def"
#undef OWN
#undef PRESET
#undef PRELOADED
#undef OPENED
#undef WRAPPER
    { NULL, ALLOCATOR_OWN, NULL, NULL, NULL },
};

static const struct {
    const allocator *own;
    const char      *parameters;        /* of a preset */
    const allocator *(*wrap)(const allocator *);
    const registry_loaded *(*load)(const char *path, char *why, size_t why_bytes);
} registry_tables[] = {
#define OWN(name)                              { &name##_allocator, NULL, NULL, NULL },
#define PRESET(name, own, parameters, idea)    { &own##_allocator, parameters, NULL, NULL },
#define PRELOADED(name, sonames, packages, idea) { NULL, NULL, NULL, NULL },
#define OPENED(name, sonames, packages)        { NULL, NULL, NULL, name##_load },
#define WRAPPER(name)                          { NULL, NULL, name##_wrap, NULL },
#include "allocators.def"
#undef OWN
#undef PRESET
#undef PRELOADED
#undef OPENED
#undef WRAPPER
};

const allocator_entry *allocator_entries(void) {
    /* An own table says its idea itself, which C does not accept as a constant. */
    for (size_t i = 0; registry_list[i].name; i++)
        if (registry_tables[i].own && !registry_list[i].idea)
            registry_list[i].idea = registry_tables[i].own->idea;
    return registry_list;
}

static const allocator_entry *registry_find(const char *name, size_t length) {
    for (const allocator_entry *entry = allocator_entries(); entry->name; entry++)
        if (strlen(entry->name) == length && !memcmp(entry->name, name, length))
            return entry;
    return NULL;
}

static bool registry_is_path(const char *base) {
    return strchr(base, '/') || strstr(base, ".so");
}

static void registry_say_known(const char *spec, const char *base, char *why, size_t why_bytes) {
    int said = snprintf(why, why_bytes, "unknown allocator \"%s\"%s%s%s: known are", base,
                        base == spec ? "" : " in \"", base == spec ? "" : spec, base == spec ? "" : "\"");
    for (const allocator_entry *entry = allocator_entries(); entry->name; entry++)
        if (said >= 0 && (size_t)said < why_bytes)
            said += snprintf(why + said, why_bytes - (size_t)said, " %s%s,", entry->name,
                             entry->kind == ALLOCATOR_WRAPPER ? ":<allocator>" : "");
    if (said >= 0 && (size_t)said < why_bytes)
        snprintf(why + said, why_bytes - (size_t)said, " or the path of a .so");
}

/* --- parameters --- */

bool registry_read_count(const char *text, size_t usual, size_t *count) {
    char *end = NULL;
    unsigned long long number = text && *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    *count = !text ? usual : !strcmp(text, "all") ? SIZE_MAX : (size_t)number;
    return !text || !strcmp(text, "all") || !strcmp(text, "none") || (end && !*end && number <= UINT32_MAX);
}

static void registry_list_parameters(const allocator *own, char *list, size_t list_bytes) {
    *list = '\0';
    for (const allocator_parameter *p = own->parameters; p && p->name; p++) {
        size_t used = strlen(list);
        snprintf(list + used, list_bytes - used, "%s%s=%s", used ? "; " : "", p->name, p->accepts);
    }
}

/* One of them, "name=value", is written from `text` to `end`. */
static bool registry_set(const allocator *own, const char *text, const char *end, char *why, size_t why_bytes) {
    char value[32], list[256];
    size_t length = (size_t)(end - text), name = strcspn(text, "=,");
    for (const allocator_parameter *p = own->parameters; p && p->name; p++) {
        if (strlen(p->name) != name || memcmp(p->name, text, name) || text[name] != '=')
            continue;
        snprintf(value, sizeof value, "%.*s", (int)(length - name - 1), text + name + 1);
        if (length - name - 1 < sizeof value && p->set(value))
            return true;
        return snprintf(why, why_bytes, "%s of %s cannot be \"%.*s\": give %s", p->name, own->name,
                        (int)(length - name - 1), text + name + 1, p->accepts), false;
    }
    registry_list_parameters(own, list, sizeof list);
    return snprintf(why, why_bytes, "%s has no parameter \"%.*s\"; it has %s", own->name, (int)length, text,
                    *list ? list : "none"), false;
}

static bool registry_set_all(const allocator *own, const char *text, char *why, size_t why_bytes) {
    for (const char *end; text; text = *end ? end + 1 : NULL) {
        end = text + strcspn(text, ",");
        if (!registry_set(own, text, end, why, why_bytes))
            return false;
    }
    return true;
}

/* Those of the preset, then those that were given. */
static bool registry_parameters(registry_spec *parsed, const char *given, char *why, size_t why_bytes) {
    size_t index = (size_t)(parsed->entry - registry_list);
    const allocator *own = registry_tables[index].own;
    const char *preset = registry_tables[index].parameters;
    if (!own)
        return !given || (snprintf(why, why_bytes, "%s has no parameters", parsed->entry->name), false);
    for (const allocator_parameter *p = own->parameters; p && p->name; p++)
        p->set(NULL);
    parsed->has_parameters = preset || given;
    return registry_set_all(own, preset, why, why_bytes) && registry_set_all(own, given, why, why_bytes);
}

/* --- specs --- */

bool registry_parse(const char *spec, registry_spec *parsed, char *why, size_t why_bytes) {
    *parsed = (registry_spec){ .base = spec };
    for (const char *colon; (colon = strchr(parsed->base, ':')); parsed->base = colon + 1) {
        const allocator_entry *entry = registry_find(parsed->base, (size_t)(colon - parsed->base));
        if (!entry || entry->kind != ALLOCATOR_WRAPPER)
            break;
        for (size_t i = 0; i < parsed->wrapper_count; i++)
            if (parsed->wrappers[i] == entry)
                return snprintf(why, why_bytes, "\"%s\" names the wrapper %s twice: each can stand once",
                                spec, entry->name), false;
        if (parsed->wrapper_count == REGISTRY_WRAPPERS)
            return snprintf(why, why_bytes, "\"%s\" has more than %d wrappers", spec, REGISTRY_WRAPPERS), false;
        parsed->wrappers[parsed->wrapper_count++] = entry;
    }
    if (registry_is_path(parsed->base))
        return true;
    size_t name = strcspn(parsed->base, ",");
    parsed->entry = registry_find(parsed->base, name);
    if (parsed->entry && parsed->entry->kind == ALLOCATOR_WRAPPER)
        return snprintf(why, why_bytes, "%s is a wrapper: write %s:<allocator>, as in %s:pymalloc",
                        parsed->base, parsed->base, parsed->base), false;
    if (!parsed->entry)
        return registry_say_known(spec, parsed->base, why, why_bytes), false;
    return registry_parameters(parsed, parsed->base[name] ? parsed->base + name + 1 : NULL, why, why_bytes);
}

const char *registry_library(const registry_spec *parsed) {
    if (parsed->entry)
        return parsed->entry->kind == ALLOCATOR_PRELOADED ? parsed->entry->library : NULL;
    return parsed->base;
}

bool registry_library_file(const registry_spec *parsed, char *path, size_t path_bytes) {
    return parsed->entry ? library_find_first(parsed->entry->library, path, path_bytes)
                         : library_find(parsed->base, path, path_bytes);
}

/* "a", "a or b", "a, b or c" of words with blanks between them. */
static void registry_list_words(const char *words, char *list, size_t list_bytes) {
    size_t used = 0;
    *list = '\0';
    for (const char *at = words; *at && used < list_bytes; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        bool last = !at[length];
        used += (size_t)snprintf(list + used, list_bytes - used, "%s%.*s", at == words ? "" : last ? " or " : ", ",
                                 (int)length, at);
        at += length;
    }
}

bool registry_is_missing(const registry_spec *parsed, char *why, size_t why_bytes) {
    char path[LIBRARY_PATH_BYTES], sonames[256], packages[256];
    const allocator_entry *entry = parsed->entry;
    if (!entry || !entry->library || library_find_first(entry->library, path, sizeof path))
        return false;
    registry_list_words(entry->library, sonames, sizeof sonames);
    registry_list_words(entry->package, packages, sizeof packages);
    snprintf(why, why_bytes, "%s: %s is not installed: apt-get install %s%s", parsed->base, sonames, packages,
             strchr(entry->package, ' ') ? ", whichever this release has" : "");
    return true;
}

const char *allocator_preload_for(const char *spec) {
    registry_spec parsed;
    char why[1];
    return registry_parse(spec, &parsed, why, sizeof why) ? registry_library(&parsed) : NULL;
}

/* --- libraries that are loaded, and not malloc --- */

static const registry_loaded *registry_last_loaded;

bool registry_load(const registry_spec *parsed, char *why, size_t why_bytes) {
    char path[LIBRARY_PATH_BYTES], reason[512];
    if (!parsed->entry || parsed->entry->kind != ALLOCATOR_OPENED)
        return true;
    if (registry_is_missing(parsed, why, why_bytes) || !registry_library_file(parsed, path, sizeof path))
        return false;
    const registry_loaded *loaded = registry_tables[parsed->entry - registry_list].load(path, reason, sizeof reason);
    if (!loaded)
        return snprintf(why, why_bytes, "%s: %s", parsed->base, reason), false;
    registry_last_loaded = loaded;
    return true;
}

const char *allocator_loaded_library(const char **version) {
    if (version)
        *version = registry_last_loaded ? registry_last_loaded->version : NULL;
    return registry_last_loaded ? registry_last_loaded->path : NULL;
}

void registry_wrapped_name(char name[REGISTRY_NAME_BYTES], const char *wrapper, const allocator *inner) {
    snprintf(name, REGISTRY_NAME_BYTES, "%s:%s", wrapper, inner->name);
}

/* The process has one malloc, so one table does for whichever library it is from: system's, renamed. */
static const allocator *registry_preloaded(const registry_spec *parsed, char *why, size_t why_bytes) {
    static allocator table;
    static char name[REGISTRY_NAME_BYTES];
    const char *library = registry_library(parsed);
    char path[LIBRARY_PATH_BYTES];
    if (!LIBRARY_PRELOADS)
        return snprintf(why, why_bytes, "%s: unsupported in a sanitizer build", parsed->base), NULL;
    if (!registry_library_file(parsed, path, sizeof path))
        return snprintf(why, why_bytes, "%s: %s is not there", parsed->base, library), NULL;
    if (!library_has_malloc_of_process(path))
        return snprintf(why, why_bytes, "%s: malloc of this process is from %s, not from %s: preload it",
                        parsed->base, library_of_malloc(), path), NULL;
    snprintf(name, sizeof name, "%s", parsed->base);
    if (!system_allocator.open())
        return snprintf(why, why_bytes, "%s: cannot start", parsed->base), NULL;
    table = system_allocator;
    table.largest_alignment = system_largest_alignment();
    table.name = name;
    table.idea = parsed->entry ? parsed->entry->idea : "a malloc given by its path";
    return &table;
}

/* The table for parameters, under the name they were given with. */
static const allocator *registry_with_parameters(const registry_spec *parsed, const allocator *own) {
    static allocator table;
    static char name[REGISTRY_NAME_BYTES];
    snprintf(name, sizeof name, "%s", parsed->base);
    table = own->with_parameters ? *own->with_parameters : *own;
    table.name = name;
    return &table;
}

static const allocator *registry_base(const registry_spec *parsed, char *why, size_t why_bytes) {
    if (!parsed->entry || parsed->entry->kind == ALLOCATOR_PRELOADED)
        return registry_preloaded(parsed, why, why_bytes);
    if (parsed->entry->kind == ALLOCATOR_OPENED)
        return registry_load(parsed, why, why_bytes) ? registry_last_loaded->table : NULL;
    const allocator *own = registry_tables[parsed->entry - registry_list].own;
    if (own == &system_allocator && allocator_preloaded_library())
        return snprintf(why, why_bytes, "system: malloc of this process is from %s: unset LD_PRELOAD",
                        allocator_preloaded_library()), NULL;
    return parsed->has_parameters ? registry_with_parameters(parsed, own) : own;
}

const allocator *allocator_open(const char *spec, char *why, size_t why_bytes) {
    registry_spec parsed;
    if (!registry_parse(spec, &parsed, why, why_bytes))
        return NULL;
    const allocator *opened = registry_base(&parsed, why, why_bytes);
    if (!opened)
        return NULL;
    for (size_t i = parsed.wrapper_count; i-- > 0;)
        opened = registry_tables[parsed.wrappers[i] - registry_list].wrap(opened);
    if (!opened->open())
        return snprintf(why, why_bytes, "%s: cannot start: the OS refused memory or to load its library, or it has blocks under other parameters",
                        spec), NULL;
    return opened;
}
