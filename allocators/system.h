/* SPDX-License-Identifier: MIT
 * system.h - the process's own malloc, for the allocators here that pass requests on to it.
 */
#ifndef REFARENA_SYSTEM_H
#define REFARENA_SYSTEM_H

#include "allocator.h"

/* More than any machine here grants, and less than what makes a sanitizer's malloc abort. */
#define SYSTEM_LARGEST_BYTES ((size_t)1 << 39)

extern const allocator system_allocator;

/* Of the malloc that was found when it was opened; as in the table, 0 is the usual one. */
size_t system_largest_alignment(void);

#endif
