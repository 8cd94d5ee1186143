/* SPDX-License-Identifier: MIT
 * library.h - shared objects: where one is, whether it is a malloc, and whose malloc this process has.
 *
 * All of it without loading anything: a malloc that is loaded and not used would leave its marks in RSS.
 */
#ifndef REFARENA_LIBRARY_H
#define REFARENA_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

enum { LIBRARY_PATH_BYTES = 4096 };

#ifdef REFARENA_SANITIZED
enum { LIBRARY_PRELOADS = false };      /* a sanitizer is a malloc itself, and stays the first one */
#else
enum { LIBRARY_PRELOADS = true };
#endif

/* The absolute path of `name`: a path, or a soname that is looked for where the dynamic loader looks.
 * False: no such file there. */
bool library_find(const char *name, char *path, size_t path_bytes);

/* The same for the first of several sonames, blanks between them, that is there. */
bool library_find_first(const char *sonames, char *path, size_t path_bytes);

/* Whether `path` is a shared object of this machine that defines the malloc family; else one line of why. */
bool library_is_malloc(const char *path, char *why, size_t why_bytes);

/* Path of the object that this process's malloc is from. */
const char *library_of_malloc(void);

/* Whether that object is the C library; whether it is the file at `path`. */
bool library_has_malloc_of_libc(void);
bool library_has_malloc_of_process(const char *path);

/* `symbol`, if the object that defines malloc defines it too; else NULL. What another object defines must
 * not be used on its blocks: malloc_usable_size of glibc would read the wrong header. */
void *library_symbol_beside_malloc(const char *symbol);

#endif
