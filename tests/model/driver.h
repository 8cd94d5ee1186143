/* SPDX-License-Identifier: MIT
 * driver.h - run a program on the collector that is compiled in and on the model, and compare.
 *
 * After every step: what the program can see (all that locals and globals reach, object by object), what
 * ran (finalizers, callbacks: in order, or as sets where the collector promises no order), how many
 * objects are alive, what collect returned. Collectors that do not count are compared in what died only
 * after collections, which are repeated until nothing more is found.
 */
#ifndef REFARENA_TESTS_DRIVER_H
#define REFARENA_TESTS_DRIVER_H

#include "model.h"

enum { DRIVER_WHY = 512 };

/* How a program is run. */
typedef struct driver_setting {
    int64_t     thresholds[MODEL_GENERATIONS];  /* of automatic collections; first 0: none */
    model_fault fault;                          /* planted in the model */
    bool        check;                          /* collector_check after every step */
    FILE       *print;                          /* steps and what they did, for people; or NULL */
    FILE       *record;                         /* the same for programs (see driver_record); or NULL */
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

/* The program as text, and as bytes for a regression test. */
void driver_print_program(FILE *to, const program *p, const driver_setting *s);

#endif
