/* SPDX-License-Identifier: MIT
 * preload.c - makes this process one whose malloc is the library that was asked for.
 *
 * A malloc can only be replaced when a process starts, so the process executes itself anew in place, with
 * LD_PRELOAD set. Before that the file is examined, because the loader would only warn; after it malloc's
 * origin is verified, and LD_PRELOAD is unset so that no child inherits it. Whatever else would tune a
 * malloc from outside is taken out of the environment: a setting left over in a shell is no measurement.
 *
 * LD_PRELOAD is a list, separated by blanks and colons, and knows no escapes (ld.so(8)). A path that has one in it is
 * opened, and the loader is given /proc/self/fd/N: a descriptor outlives execve, and needs no file beside the library.
 */
#include "registry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

#define PRELOAD_MARK "REFARENA_PRELOADED"       /* set in the process that was executed anew */

static bool preload_begins(const char *text, const char *with) {
    return !strncmp(text, with, strlen(with));
}

/* Settings of glibc, jemalloc, mimalloc and tcmalloc, by their manuals. */
static bool preload_is_setting(const char *variable) {
    static const char *const settings[] = {
        "GLIBC_TUNABLES=", "MALLOC_", "_RJEM_MALLOC_CONF=", "MIMALLOC_", "TCMALLOC_", "HEAPPROFILE", "HEAPCHECK",
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (preload_begins(variable, settings[i]))
            return true;
    return false;
}

static bool preload_keeps_settings(void) {
    const char *keep = getenv("REFARENA_KEEP_ENV");
    return keep && !strcmp(keep, "1");
}

static bool preload_has_settings(void) {
    for (char **variable = environ; *variable; variable++)
        if (preload_is_setting(*variable))
            return true;
    return false;
}

/* By its name, where it still has one: under valgrind /proc/self/exe reads as this program, and executes valgrind. */
static void preload_execute_self(char *const argv[], char *const environment[]) {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length > 0) {
        path[length] = '\0';
        execve(path, argv, environment);
    }
    execve("/proc/self/exe", argv, environment);
}

/* What the loader is to be given for this path: itself, or a descriptor of it that stays open. False: it cannot be opened. */
static bool preload_written(const char *path, char *written, size_t bytes, char *why, size_t why_bytes) {
    if (!strpbrk(path, ": ;$\t\n"))         /* "$" begins a token that the loader replaces, as $ORIGIN */
        return (size_t)snprintf(written, bytes, "%s", path) < bytes;
    int opened = open(path, O_RDONLY);
    if (opened < 0)
        return snprintf(why, why_bytes, "%s: %s", path, strerror(errno)), false;
    snprintf(written, bytes, "/proc/self/fd/%d", opened);
    return true;
}

/* Does not return where it succeeds. `library` may be NULL: then only the environment is cleaned. */
static void preload_execute(const char *library, char *const argv[], char *why, size_t why_bytes) {
    static char preload[LIBRARY_PATH_BYTES + sizeof "LD_PRELOAD="], mark[LIBRARY_PATH_BYTES + sizeof PRELOAD_MARK "="];
    char written[LIBRARY_PATH_BYTES];
    if (library && !preload_written(library, written, sizeof written, why, why_bytes))
        return;
    size_t count = 0;
    while (environ[count])
        count++;
    char **cleaned = calloc(count + 3, sizeof *cleaned);
    if (!cleaned) {
        snprintf(why, why_bytes, "no memory for a new environment");
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool replaced = preload_begins(environ[i], PRELOAD_MARK "=")
                     || (library && preload_begins(environ[i], "LD_PRELOAD="));
        if (!replaced && (preload_keeps_settings() || !preload_is_setting(environ[i])))
            cleaned[kept++] = environ[i];
    }
    snprintf(mark, sizeof mark, PRELOAD_MARK "=%s", library ? library : "");
    cleaned[kept++] = mark;
    if (library) {
        snprintf(preload, sizeof preload, "LD_PRELOAD=%s", written);
        cleaned[kept++] = preload;
    }
    preload_execute_self(argv, cleaned);
    snprintf(why, why_bytes, "cannot execute /proc/self/exe anew: %s", strerror(errno));
    free(cleaned);
}

static bool preload_locate(const registry_spec *parsed, char *path, bool *missing, char *why, size_t why_bytes) {
    const char *library = registry_library(parsed);
    if ((*missing = registry_is_missing(parsed, why, why_bytes)))
        return false;
    if (!registry_library_file(parsed, path, LIBRARY_PATH_BYTES))
        return snprintf(why, why_bytes, "%s: no such library", library), false;
    return library_is_malloc(path, why, why_bytes);
}

bool allocator_preload(const char *spec, char *const argv[], bool *missing, char *why, size_t why_bytes) {
    registry_spec parsed;
    char path[LIBRARY_PATH_BYTES];
    bool wanted, anew = getenv(PRELOAD_MARK) != NULL;
    *missing = false;
    unsetenv(PRELOAD_MARK);
    if (!registry_parse(spec, &parsed, why, why_bytes))
        return false;
    wanted = registry_library(&parsed) != NULL;
    if (!wanted && (*missing = registry_is_missing(&parsed, why, why_bytes)))
        return false;
    if (!LIBRARY_PRELOADS && wanted)
        return snprintf(why, why_bytes, "%s: unsupported in a sanitizer build", parsed.base), false;
    if (!LIBRARY_PRELOADS)
        return *missing = !registry_load(&parsed, why, why_bytes), !*missing;
    if (wanted && !preload_locate(&parsed, path, missing, why, why_bytes))
        return false;
    bool there = !wanted || library_has_malloc_of_process(path);
    bool clean = preload_keeps_settings() || !preload_has_settings();
    if (!anew && (!there || !clean))
        return preload_execute(wanted ? path : NULL, argv, why, why_bytes), false;
    if (!there)
        return snprintf(why, why_bytes, "%s: the loader did not take %s: malloc is from %s", parsed.base, path,
                        library_of_malloc()), false;
    if (wanted)
        unsetenv("LD_PRELOAD");
    *missing = !registry_load(&parsed, why, why_bytes);
    return !*missing;
}

const char *allocator_preloaded_library(void) {
    if (!LIBRARY_PRELOADS || library_has_malloc_of_libc())
        return NULL;
    return library_of_malloc();
}
