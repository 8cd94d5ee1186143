/* SPDX-License-Identifier: MIT
 * pyobject.c - CPython's own object allocator: PyObject_Malloc of an installed libpython, as it was compiled there.
 *
 * What pymalloc is measured against. The library is loaded before anything is limited or measured.
 *
 *   up to 3.11   the allocator's state is static and needs no interpreter, and none is started: nothing else of
 *                Python is in the figures but its mapped pages. So this version is taken where there are several.
 *   from 3.12    each interpreter has a heap of its own (Objects/obmalloc.c), found through the calling thread's
 *                state. An isolated interpreter is started, without site and signal handlers; its objects lie in the
 *                same pools as our blocks. Only the thread that started it has a state: thread_bound.
 *
 * Isolation takes PYTHONMALLOC and its like out, so no debug hooks come in by the environment. The GIL is the
 * lock of these functions; here the only thread that calls them holds it or needs none: they are not thread-safe.
 * They have no call that aligns: such blocks are malloc's, and PyObject_Free and PyObject_Realloc pass on to malloc
 * what is not in an arena. Figures of the allocator are not asked for. A free-threaded build has mimalloc there,
 * which demands a collector's calls: it is refused.
 *
 * The library has no headers here, which would fix its version: its functions are looked up by name. The structures
 * that it fills in are opaque, in more room than any version needs (some 500 bytes).
 *
 * Source: https://docs.python.org/3.13/c-api/memory.html#object-allocators,
 * https://docs.python.org/3.14/c-api/init_config.html (PyConfig; PyInitConfig from 3.14 on, PEP 741)
 */
#include "allocator.h"
#include "registry.h"
#include "system.h"

#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char pyobject_idea[] = "CPython's own: PyObject_Malloc of libpython; from 3.12 on with an interpreter, on one thread";

static struct {
    void *(*alloc)(size_t bytes);
    void *(*alloc_zeroed)(size_t count, size_t bytes);
    void *(*resize)(void *block, size_t bytes);
    void  (*release)(void *block);
} pyobject;

/* --- calls ------------------------------------------------------------------------------------------- */

static void *pyobject_alloc(size_t bytes, size_t alignment) {
    if (alignment > ALLOCATOR_ALIGNMENT)
        return system_allocator.alloc(bytes, alignment);
    return bytes <= SYSTEM_LARGEST_BYTES ? pyobject.alloc(bytes) : NULL;
}

static void *pyobject_alloc_zeroed(size_t bytes, size_t alignment) {
    if (alignment > ALLOCATOR_ALIGNMENT)
        return system_allocator.alloc_zeroed(bytes, alignment);
    return bytes <= SYSTEM_LARGEST_BYTES ? pyobject.alloc_zeroed(1, bytes) : NULL;
}

static void *pyobject_resize(void *block, size_t old_bytes, size_t new_bytes) {
    (void)old_bytes;
    return new_bytes <= SYSTEM_LARGEST_BYTES ? pyobject.resize(block, new_bytes) : NULL;
}

static void pyobject_release(void *block, size_t bytes) {
    (void)bytes;
    pyobject.release(block);
}

static size_t pyobject_usable_bytes(const void *block) {
    (void)block;
    return 0;
}

#define PYOBJECT_TABLE \
    .name = "pyobject", .thread_safe = false, .frees = true, .largest_bytes = SYSTEM_LARGEST_BYTES, \
    .open = allocator_opens, .alloc = pyobject_alloc, .alloc_zeroed = pyobject_alloc_zeroed, \
    .resize = pyobject_resize, .release = pyobject_release, .usable_bytes = pyobject_usable_bytes, \
    .stats = allocator_cannot_say, .trim = allocator_nothing, .reset = allocator_cannot_reset, \
    .walk = allocator_cannot_walk, .check = allocator_nothing, .thread_exit = allocator_nothing, \
    .fork_prepare = allocator_nothing, .fork_parent = allocator_nothing, .fork_child = allocator_nothing

static const allocator pyobject_plain = {
    PYOBJECT_TABLE, .idea = "CPython's own: PyObject_Malloc of libpython",
};
static const allocator pyobject_with_interpreter = {
    PYOBJECT_TABLE, .idea = "CPython's own: PyObject_Malloc of libpython, with an interpreter", .thread_bound = true,
};

/* --- an interpreter ---------------------------------------------------------------------------------- */

/* POSIX lets dlsym's pointer be a function's, which ISO C has no cast for. */
static bool pyobject_find(void *library, const char *symbol, void *function) {
    void *address = dlsym(library, symbol);
    memcpy(function, &address, sizeof address);
    return address != NULL;
}

/* Where the standard library is, without which an interpreter ends the process: the nearest folder above the shared
 * object that has lib/python<version>/os.py. False: not installed. */
static bool pyobject_home(const char *path, const char *version, char *home, size_t home_bytes) {
    char landmark[LIBRARY_PATH_BYTES + 64];
    snprintf(home, home_bytes, "%s", path);
    for (char *slash; (slash = strrchr(home, '/')); ) {
        *slash = '\0';
        snprintf(landmark, sizeof landmark, "%s/lib/python%s/os.py", home, version);
        if (!access(landmark, R_OK))
            return true;
    }
    return false;
}

typedef struct pyobject_status { int type; const char *function, *message; int exit_code; } pyobject_status;   /* PyStatus */
typedef union pyobject_opaque { max_align_t aligned; char bytes[8192]; } pyobject_opaque;

/* From 3.14 on: a configuration that begins isolated, by names. */
static bool pyobject_start_by_names(void *library, const char *home) {
    void *(*create)(void), (*drop)(void *config);
    int (*set_number)(void *config, const char *name, int64_t value);
    int (*set_text)(void *config, const char *name, const char *value);
    int (*start)(void *config);
    if (!pyobject_find(library, "PyInitConfig_Create", &create) || !pyobject_find(library, "PyInitConfig_Free", &drop)
        || !pyobject_find(library, "PyInitConfig_SetInt", &set_number)
        || !pyobject_find(library, "PyInitConfig_SetStr", &set_text)
        || !pyobject_find(library, "Py_InitializeFromInitConfig", &start))
        return false;
    void *config = create();
    bool started = config && !set_number(config, "site_import", 0) && !set_number(config, "write_bytecode", 0)
        && !set_text(config, "home", home) && !start(config);
    if (config)
        drop(config);
    return started;
}

/* Before: an isolated beginning (no locale is set, no environment read), then the options of a command line, which
 * need no field of a structure: isolated, without site, without writing bytecode. */
static bool pyobject_start_by_options(void *library, const char *home, const char *version) {
    static pyobject_opaque before, config;
    void (*init_before)(void *), (*init)(void *), (*clear)(void *);
    pyobject_status (*start_before)(const void *), (*set)(void *, ssize_t, char *const *), (*start)(const void *);
    if (!pyobject_find(library, "PyPreConfig_InitIsolatedConfig", &init_before)
        || !pyobject_find(library, "Py_PreInitialize", &start_before)
        || !pyobject_find(library, "PyConfig_InitPythonConfig", &init)
        || !pyobject_find(library, "PyConfig_SetBytesArgv", &set)
        || !pyobject_find(library, "Py_InitializeFromConfig", &start) || !pyobject_find(library, "PyConfig_Clear", &clear))
        return false;
    char program[LIBRARY_PATH_BYTES + 64];
    snprintf(program, sizeof program, "%s/bin/python%s", home, version);        /* from which it finds its library */
    char *const options[] = { program, "-I", "-S", "-B", NULL };
    init_before(&before);
    if (start_before(&before).type)
        return false;
    init(&config);
    bool started = !set(&config, 4, options).type && !start(&config).type;
    clear(&config);
    return started;
}

/* A command line's Python takes SIGINT, SIGPIPE and SIGXFSZ for itself; they are ours again. */
static bool pyobject_start(void *library, const char *home, const char *version) {
    static const int taken[] = { SIGINT, SIGPIPE, SIGXFSZ };
    struct sigaction ours[sizeof taken / sizeof *taken];
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaction(taken[i], NULL, &ours[i]);
    bool started = dlsym(library, "PyInitConfig_Create") ? pyobject_start_by_names(library, home)
                                                         : pyobject_start_by_options(library, home, version);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaction(taken[i], &ours[i], NULL);
    return started;
}

/* --- loading ----------------------------------------------------------------------------------------- */

/* "3.13.5 (main, ...) [GCC ...]" to "3.13", 13 and "3.13.5". */
static int pyobject_read_version(const char *says, char *major_minor, char *full, size_t bytes) {
    int major = 0, minor = 0;
    sscanf(says, "%d.%d", &major, &minor);
    snprintf(major_minor, bytes, "%d.%d", major, minor);
    snprintf(full, bytes, "%.*s", (int)strcspn(says, " "), says);
    return major == 3 ? minor : 0;
}

static bool pyobject_load_calls(void *library) {
    return pyobject_find(library, "PyObject_Malloc", &pyobject.alloc)
        && pyobject_find(library, "PyObject_Calloc", &pyobject.alloc_zeroed)
        && pyobject_find(library, "PyObject_Realloc", &pyobject.resize)
        && pyobject_find(library, "PyObject_Free", &pyobject.release);
}

/* With its interpreter where it needs one. False: it cannot be used, with one line of why. */
static bool pyobject_try(const char *path, registry_loaded *loaded, char *why, size_t why_bytes) {
    const char *(*version)(void);
    char major_minor[32], full[32], home[LIBRARY_PATH_BYTES];
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return snprintf(why, why_bytes, "%.150s cannot be loaded: %s", path, dlerror()), false;
    if (!pyobject_find(library, "Py_GetVersion", &version) || !pyobject_load_calls(library))
        return snprintf(why, why_bytes, "%.150s is no libpython: it has no PyObject_Malloc", path), false;
    int minor = pyobject_read_version(version(), major_minor, full, sizeof full);
    if (strstr(version(), "free-threading"))
        return snprintf(why, why_bytes, "%.150s is a free-threaded build, whose PyObject_Malloc is mimalloc: install the usual "
                        "libpython%s", path, major_minor), false;
    bool needs_interpreter = minor >= 12;
    if (needs_interpreter && !pyobject_home(path, major_minor, home, sizeof home))
        return snprintf(why, why_bytes, "libpython %s needs its standard library, and no lib/python%s/os.py is in a folder "
                        "above %.150s: apt-get install libpython%s", full, major_minor, path, major_minor), false;
    if (needs_interpreter && !pyobject_start(library, home, major_minor))
        return snprintf(why, why_bytes, "libpython %s could not start an interpreter on %.150s/lib/python%s; libpython3.11 "
                        "needs none", full, home, major_minor), false;
    snprintf(loaded->path, sizeof loaded->path, "%s", path);
    snprintf(loaded->version, sizeof loaded->version, "libpython %s%s", full, needs_interpreter ? ", with an interpreter" : "");
    loaded->table = needs_interpreter ? &pyobject_with_interpreter : &pyobject_plain;
    return system_allocator.open();
}

/* Once: an interpreter that could not start is not tried again. */
const registry_loaded *pyobject_load(const char *path, char *why, size_t why_bytes) {
    static registry_loaded loaded;
    static char refusal[512];
    if (!loaded.table && !*refusal)
        pyobject_try(path, &loaded, refusal, sizeof refusal);
    if (!loaded.table)
        snprintf(why, why_bytes, "%s", refusal);
    return loaded.table ? &loaded : NULL;
}
