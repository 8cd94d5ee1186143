/* SPDX-License-Identifier: MIT
 * own.h - the harness's own memory, which never comes from the allocator under test.
 *
 * JSON values and all that C++ asks for (operator new) live here, so that neither a report nor Google
 * Benchmark leaves a trace in the heap that is being measured.
 */
#ifndef REFARENA_OWN_H
#define REFARENA_OWN_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 16-byte aligned; dies with one line on standard error when the OS refuses. */
void *own_alloc(size_t bytes);
void  own_free(void *block);

/* A zeroed, touched table that is never given back; dies when the OS refuses. */
void *own_table(size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
