/* SPDX-License-Identifier: MIT
 * registry.h - what allocators.def declares, and how a spec is read; for the files of this folder alone.
 *
 * A *spec* is what --allocator takes: wrappers from left to right, each at most once because each keeps
 * its state in its file, then a registered name or the path of a .so: "counted:locked:pymalloc". Behind a
 * registered name may stand parameters, the last of each counts: "locked:pymalloc,arena=256K,keep=all".
 */
#ifndef REFARENA_REGISTRY_H
#define REFARENA_REGISTRY_H

#include "allocator.h"
#include "library.h"

/* What an OPENED allocator has loaded. */
typedef struct registry_loaded {
    const allocator *table;
    char             path[LIBRARY_PATH_BYTES];
    char             version[64];       /* as it calls itself, for people */
} registry_loaded;

/* OWN: the table. OPENED: loads the library at `path`, once, and gives the table that fits it; NULL: it cannot be
 * used, with one line of why. WRAPPER: makes its table around `inner`, which it then stands before until it is made
 * anew around another; never fails. */
#define OWN(name)                              extern const allocator name##_allocator;
#define PRESET(name, own, parameters, idea)
#define PRELOADED(name, sonames, packages, idea)
#define OPENED(name, sonames, packages)        const registry_loaded *name##_load(const char *path, char *why, size_t why_bytes); \
                                               extern const char name##_idea[];
#define WRAPPER(name)                          const allocator *name##_wrap(const allocator *inner); \
                                               extern const char name##_idea[];
#include "allocators.def"
#undef OWN
#undef PRESET
#undef PRELOADED
#undef OPENED
#undef WRAPPER

enum { REGISTRY_WRAPPERS = 8, REGISTRY_NAME_BYTES = 256 };

typedef struct registry_spec {
    const allocator_entry *wrappers[REGISTRY_WRAPPERS];     /* outermost first */
    size_t                 wrapper_count;
    const char            *base;        /* what stands behind the last wrapper, with its parameters */
    const allocator_entry *entry;       /* of the base; NULL: it is a path */
    bool                   has_parameters;      /* of a preset, or given */
} registry_spec;

/* False: a name that is not known, a wrapper in a wrong place, or a parameter that is not accepted; one line
 * in `why`. What is accepted is set, for the next open. */
bool registry_parse(const char *spec, registry_spec *parsed, char *why, size_t why_bytes);

/* The library to preload, by sonames or path, or NULL; and the file that this is. False: no such file. */
const char *registry_library(const registry_spec *parsed);
bool registry_library_file(const registry_spec *parsed, char *path, size_t path_bytes);

/* Whether a registered allocator's library is not there; then one line in `why`, with the packages that have it. */
bool registry_is_missing(const registry_spec *parsed, char *why, size_t why_bytes);

/* Load what an OPENED allocator stands on, once; of all others there is nothing to load. False: not there, or it cannot
 * be used; one line in `why`. */
bool registry_load(const registry_spec *parsed, char *why, size_t why_bytes);

/* A count that a parameter gives: "none", "all" or a number. NULL gives usual. False: anything else. */
bool registry_read_count(const char *text, size_t usual, size_t *count);

/* "locked:pymalloc" into name, for the table of a wrapper. */
void registry_wrapped_name(char name[REGISTRY_NAME_BYTES], const char *wrapper, const allocator *inner);

#endif
