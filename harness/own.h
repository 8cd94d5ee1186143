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

/* 16-byte aligned; where the OS refuses, ends the process as own_at_refusal says. */
void *own_alloc(size_t bytes);
void  own_free(void *block);

/* A zeroed, touched table that is never given back; ends the process in the same way. */
void *own_table(size_t bytes);

/* From now on a refusal is told to `tell`, with one line of why, and from a reserve it can have some memory more: enough
 * for a short report. Before, or where `tell` returns or is refused too: one line on standard error and status 3. */
void own_at_refusal(void (*tell)(const char *why));

#ifdef __cplusplus
}
#endif
#endif
