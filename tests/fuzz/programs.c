/* SPDX-License-Identifier: MIT
 * programs.c - libFuzzer drives random programs by coverage; a difference from the model is a crash.
 *
 * The first byte says when the collector may collect (driver.h), the rest is the program (program.h), of
 * any bytes. `make fuzz COLLECTOR=cyclic SECONDS=60`.
 */
#include <stdlib.h>

#include "../model/driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
const char *__asan_default_options(void);

/* Not every collector frees everything; how many objects live is compared anyway. */
const char *__asan_default_options(void) { return "detect_leaks=0"; }

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (count == 0) return 0;
    driver_setting s = {.when = (driver_when)(bytes[0] % 3), .check = true};
    driver_difference d;
    program p;
    program_from_bytes(&p, bytes + 1, count - 1);
    if (!driver_can(&s) || driver_run(&p, &s, &d)) return 0;
    fprintf(stderr, "step %zu: %s\n", d.step, d.why);
    driver_print_program(stderr, &p, &s);
    abort();
}
