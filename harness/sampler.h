/* SPDX-License-Identifier: MIT
 * sampler.h - the resident set over time.
 */
#ifndef REFARENA_SAMPLER_H
#define REFARENA_SAMPLER_H

#include <stdint.h>

typedef struct sampler_sample { int64_t ns, rss; } sampler_sample;     /* since sampler_start; bytes */

void sampler_start(unsigned interval_ms);
void sampler_stop(void);                    /* harmless when not started */
const sampler_sample *sampler_series(unsigned *count);

#endif
