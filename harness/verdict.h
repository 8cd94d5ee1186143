/* SPDX-License-Identifier: MIT
 * verdict.h - how an invocation ended: an outcome of results/README.md, and one line of why.
 */
#ifndef REFARENA_VERDICT_H
#define REFARENA_VERDICT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

typedef enum outcome {
    OUTCOME_OK, OUTCOME_HEAP_FULL, OUTCOME_UNSUPPORTED, OUTCOME_NOT_INSTALLED, OUTCOME_MISCOUNTED,
    OUTCOME_BAD_INPUT,
} outcome;                          /* timeout and crash are for the runner to see, from outside */

typedef struct verdict {
    outcome outcome;
    char    message[768];           /* empty when ok */
} verdict;

/* Always false, so that a function can return what it says. The first verdict stands. */
__attribute__((format(printf, 3, 4)))
static inline bool verdict_say(verdict *v, outcome reached, const char *format, ...) {
    if (v->outcome != OUTCOME_OK)
        return false;
    va_list values;
    va_start(values, format);
    vsnprintf(v->message, sizeof v->message, format, values);
    va_end(values);
    v->outcome = reached;
    return false;
}

static inline const char *verdict_name(outcome reached) {
    static const char *const names[] = {
        [OUTCOME_OK] = "ok", [OUTCOME_HEAP_FULL] = "heap_full", [OUTCOME_UNSUPPORTED] = "unsupported",
        [OUTCOME_NOT_INSTALLED] = "not_installed", [OUTCOME_MISCOUNTED] = "miscounted",
        [OUTCOME_BAD_INPUT] = "bad_input",
    };
    return names[reached];
}

static inline int verdict_status(outcome reached) {
    return reached == OUTCOME_OK ? 0 : reached == OUTCOME_BAD_INPUT ? 2 : 3;
}

#endif
