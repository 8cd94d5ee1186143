/* SPDX-License-Identifier: MIT
 * os_page.h - how large the OS's pages are: asked once, never assumed.
 *
 * x86-64 has 4 KiB. On aarch64 it is 4, 16 or 64 KiB, as the kernel was built. What is given back or protected must begin
 * at a page, or the kernel refuses it; a length is taken for the whole pages that it touches.
 * Arenas, pools and chunks have sizes of their own. They are multiples of any page up to OS_PAGE_MOST_BYTES: each file
 * that depends on it asserts that. Where pages are larger, nothing may start: os_page_fits says so.
 *
 * Source: Linux, Documentation/arch/arm64/memory.rst; munmap(2), madvise(2).
 */
#ifndef REFARENA_OS_PAGE_H
#define REFARENA_OS_PAGE_H

#include <stdbool.h>
#include <stddef.h>

enum { OS_PAGE_MOST_BYTES = 65536 };

/* A power of two. */
size_t os_page_bytes(void);

/* `bytes`, at most SIZE_MAX less a page, as whole pages. */
size_t os_page_up(size_t bytes);

/* False: one line in `why` (why_bytes long, always ended) says that these pages are too large for us. */
bool os_page_fits(char *why, size_t why_bytes);

#endif
