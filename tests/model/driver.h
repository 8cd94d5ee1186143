/* SPDX-License-Identifier: MIT
 * driver.h - run a program on the collector that is compiled in and on the model, and compare.
 *
 * After every step: what the program can see (all that locals and globals reach, object by object), what
 * ran (finalizers, callbacks: in order, or as sets where the collector promises no order), how many
 * objects are alive, what collect returned. Where it is not promised when an object dies (tracers; births
 * that may collect, outside CPython's generations), what died is compared after collections only, which are
 * repeated until nothing more is found. A conservative collector may keep more, never less.
 */
#ifndef REFARENA_TESTS_DRIVER_H
#define REFARENA_TESTS_DRIVER_H

#include "model.h"

enum { DRIVER_WHY = 512 };

/* When the collector may collect: when asked; by itself too, after few births; whenever it can. */
typedef enum driver_when { DRIVER_ASKED, DRIVER_OFTEN, DRIVER_ALWAYS } driver_when;

/* How a program is run. */
typedef struct driver_setting {
    driver_when when;
    model_fault fault;                          /* planted in the model */
    bool        check;                          /* collector_check after every step */
    FILE       *print;                          /* steps and what they did, for people; or NULL */
    FILE       *record;                         /* the same for programs to read; or NULL */
} driver_setting;

/* Where collector and model differ. */
typedef struct driver_difference { size_t step; char why[DRIVER_WHY]; } driver_difference;

/* What the collector promises: its declared abilities, in the model's words. */
model_rules driver_rules(const driver_setting *s);

/* Whether the collector can collect by itself as the setting asks. */
bool driver_can(const driver_setting *s);

/* True: no difference. */
bool driver_run(const program *p, const driver_setting *s, driver_difference *d);

/* Take steps out of p while it still fails. */
void driver_shrink(program *p, bool (*fails)(const program *p, void *context), void *context);

/* What the program does, as text, and its bytes. */
void driver_print_program(FILE *to, const program *p, const driver_setting *s);

#endif
