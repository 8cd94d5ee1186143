/* SPDX-License-Identifier: MIT
 * limit.h - a bound on what the program under test may take from the OS.
 */
#ifndef REFARENA_LIMIT_H
#define REFARENA_LIMIT_H

#include <stdint.h>

/* From now on the process may take this many bytes more than it has, or fewer where the user's own limit is nearer. */
void limit_apply(uint64_t bytes);

/* The harness takes these bytes itself: they are not on the program's account. */
void limit_raise(uint64_t bytes);

/* No bound of ours any more: the harness has a report to write. */
void limit_lift(void);

/* What else bounds this process, in a few words: " (ulimit -v is 1171 MiB)"; "" where nothing does. */
const char *limit_words(void);

#endif
