/* SPDX-License-Identifier: MIT
 * pyobject.c - CPython's own object allocator: PyObject_Malloc of an installed libpython, as it was compiled there.
 *
 * What pymalloc is measured against. The library is loaded when this allocator is opened and never initialised:
 * up to 3.11 the allocator's state is static and needs no interpreter, so that nothing else of Python is in
 * the figures but its mapped pages, which are there before any baseline. Hence 3.11 by name: from 3.12 on each
 * interpreter has a heap of its own (Objects/obmalloc.c), which does not exist before Py_Initialize.
 *
 * PYTHONMALLOC is read by that initialisation only, so no debug hooks come in by the environment. The GIL is the
 * lock of these functions; here nobody holds one, so they are not thread-safe.
 * It has no call that aligns: such blocks are malloc's, and PyObject_Free and PyObject_Realloc pass on to malloc
 * what is not in an arena. It says nothing of itself without an interpreter.
 *
 * Source: https://docs.python.org/3.11/c-api/memory.html#object-allocators
 */
#include "allocator.h"
#include "registry.h"
#include "system.h"

#include <dlfcn.h>

#define PYOBJECT_LIBRARY "libpython3.11.so.1.0"     /* as in allocators.def */

static struct {
    void *(*alloc)(size_t bytes);
    void *(*alloc_zeroed)(size_t count, size_t bytes);
    void *(*resize)(void *block, size_t bytes);
    void  (*release)(void *block);
} pyobject;

/* POSIX lets dlsym's pointer be a function's, which ISO C has no cast for. */
static bool pyobject_find(void *library, const char *symbol, void *function) {
    void *address = dlsym(library, symbol);
    *(void **)function = address;
    return address != NULL;
}

static bool pyobject_open(void) {
    if (pyobject.release)
        return true;
    void *library = dlopen(PYOBJECT_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    return library && system_allocator.open()
        && pyobject_find(library, "PyObject_Malloc", &pyobject.alloc)
        && pyobject_find(library, "PyObject_Calloc", &pyobject.alloc_zeroed)
        && pyobject_find(library, "PyObject_Realloc", &pyobject.resize)
        && pyobject_find(library, "PyObject_Free", &pyobject.release);
}

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

const allocator pyobject_allocator = {
    .name = "pyobject", .idea = "CPython's own: PyObject_Malloc of libpython 3.11",
    .thread_safe = false, .frees = true, .largest_bytes = SYSTEM_LARGEST_BYTES,
    .open = pyobject_open, .alloc = pyobject_alloc, .alloc_zeroed = pyobject_alloc_zeroed,
    .resize = pyobject_resize, .release = pyobject_release, .usable_bytes = pyobject_usable_bytes,
    .stats = allocator_cannot_say, .trim = allocator_nothing, .reset = allocator_cannot_reset,
    .walk = allocator_cannot_walk, .check = allocator_nothing, .thread_exit = allocator_nothing,
    .fork_prepare = allocator_nothing, .fork_parent = allocator_nothing, .fork_child = allocator_nothing,
};
