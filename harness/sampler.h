/* SPDX-License-Identifier: MIT
 * sampler.h - the resident set over time.
 */
#ifndef REFARENA_SAMPLER_H
#define REFARENA_SAMPLER_H

#include <stdint.h>

typedef struct sampler_sample {
    int64_t ns, rss;                        /* since sampler_start; bytes */
    int64_t asked;                          /* bytes asked for and not released, where `counted:` is in the spec */
} sampler_sample;

void sampler_start(unsigned interval_ms);
void sampler_stop(void);                    /* harmless when not started */
const sampler_sample *sampler_series(unsigned *count);

#endif
