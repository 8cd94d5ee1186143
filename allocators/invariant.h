/* SPDX-License-Identifier: MIT
 * invariant.h - how check() dies: by name.
 *
 * A check states each invariant as a condition and a sentence that begins with its letter and number in
 * the header of the file that keeps it; the one that is broken is the last thing the process says.
 */
#ifndef REFARENA_INVARIANT_H
#define REFARENA_INVARIANT_H

#include <stdio.h>
#include <stdlib.h>

#define INVARIANT(condition, name) ((condition) ? (void)0 : invariant_broken(__FILE__, name, #condition))

_Noreturn static inline void invariant_broken(const char *file, const char *name, const char *condition) {
    fprintf(stderr, "%s: broken invariant %s: not so: %s\n", file, name, condition);
    abort();
}

#endif
