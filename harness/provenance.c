/* SPDX-License-Identifier: MIT
 * provenance.c - compiler, flags, commit, and the versions of libraries as they are in this process.
 *
 * What was linked against is not what runs: versions are asked of the loaded library where it has a
 * function for that, and read off the file its name resolves to (libbenchmark.so.1.7.1) where not.
 */
#include "provenance.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "../allocators/allocator.h"

#ifndef REFARENA_FLAGS
#define REFARENA_FLAGS "unknown"
#endif
#ifndef REFARENA_COMMIT
#define REFARENA_COMMIT "unknown"
#endif

#ifdef __clang__
#define PROVENANCE_COMPILER __VERSION__
#else
#define PROVENANCE_COMPILER "gcc " __VERSION__
#endif

typedef struct provenance_search { const char *name; char path[4096]; } provenance_search;

static int provenance_visit(struct dl_phdr_info *library, size_t bytes, void *context) {
    provenance_search *search = context;
    const char *slash = strrchr(library->dlpi_name, '/');
    (void)bytes;
    if (slash == NULL || strncmp(slash + 1, search->name, strlen(search->name)) != 0)
        return 0;
    return realpath(library->dlpi_name, search->path) != NULL;
}

/* What follows ".so." in the file name of a library of this process, or NULL. */
static json_t *provenance_file_version(const char *library) {
    provenance_search search = { .name = library };
    if (!dl_iterate_phdr(provenance_visit, &search))
        return json_null();
    const char *version = strstr(strrchr(search.path, '/'), ".so.");
    return version ? json_string(version + 4) : json_null();
}

/* 209 is 2.0.9; since its parts may have two digits, 30600 is 3.6.0. */
static json_t *provenance_mimalloc_version(int number) {
    int base = number < 10000 ? 10 : 100;
    return json_sprintf("%d.%d.%d", number / base / base, number / base % base, number % base);
}

/* Each allocator says its version in its own way; asked by name, because it is there only when preloaded. */
static json_t *provenance_allocator_version(void) {
    int (*control)(const char *, void *, size_t *, void *, size_t);
    int (*number)(void);
    const char *(*text)(int *, int *, const char **);
    const char *version = NULL;
    size_t bytes = sizeof version;

    if ((*(void **)&control = dlsym(RTLD_DEFAULT, "mallctl")) &&
        control("version", (void *)&version, &bytes, NULL, 0) == 0)
        return json_string(version);
    if ((*(void **)&number = dlsym(RTLD_DEFAULT, "mi_version")))
        return provenance_mimalloc_version(number());
    if ((*(void **)&text = dlsym(RTLD_DEFAULT, "tc_version")))
        return json_string(text(NULL, NULL, NULL));
    return json_null();
}

/* Where libgc is linked: its version, and with how many threads it marks. By name, as the allocators. */
static json_t *provenance_libgc(void) {
    unsigned (*version)(void);
    int (*helpers)(void);
    if (!(*(void **)&version = dlsym(RTLD_DEFAULT, "GC_get_version")) || !(*(void **)&helpers = dlsym(RTLD_DEFAULT, "GC_get_parallel")))
        return json_null();
    return json_sprintf("%u.%u.%u, %d marking", version() >> 16, version() >> 8 & 255, version() & 255, helpers() + 1);
}

json_t *provenance_json(void) {
    const char *version, *library = allocator_preloaded_library(), *loaded = allocator_loaded_library(&version);
    json_t *build = json_object();
    json_object_set_new(build, "compiler", json_string(PROVENANCE_COMPILER));
    json_object_set_new(build, "flags", json_string(REFARENA_FLAGS));
    json_object_set_new(build, "commit", json_string(REFARENA_COMMIT));
    json_object_set_new(build, "glibc", json_string(gnu_get_libc_version()));
    json_object_set_new(build, "google_benchmark", provenance_file_version("libbenchmark.so"));
    json_object_set_new(build, "jansson", json_string(jansson_version_str()));
    json_object_set_new(build, "zstd", json_string(ZSTD_versionString()));
    json_object_set_new(build, "libgc", provenance_libgc());
    json_object_set_new(build, "allocator_library", library ? json_string(library) : loaded ? json_string(loaded) : json_null());
    json_object_set_new(build, "allocator_version",
                        library ? provenance_allocator_version() : loaded ? json_string(version) : json_null());
    return build;
}
