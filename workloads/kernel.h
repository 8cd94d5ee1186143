/* SPDX-License-Identifier: MIT
 * kernel.h - sizes that the kernel tells of this process.
 */
#ifndef REFARENA_KERNEL_H
#define REFARENA_KERNEL_H

#include <stdint.h>

/* The first lines of /proc's `path` that begin with `names` (as "\nPss:"), in bytes; 0: not there. Allocates nothing;
 * one thread at a time. */
void kernel_read(const char *path, const char *const *names, uint64_t *bytes, unsigned count);

/* Bytes of pages that this process alone has written to. */
uint64_t kernel_private_dirty(void);

#endif
