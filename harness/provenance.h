/* SPDX-License-Identifier: MIT
 * provenance.h - what this executable was made of.
 */
#ifndef REFARENA_PROVENANCE_H
#define REFARENA_PROVENANCE_H

#include <jansson.h>

/* The key `build` of an invocation. */
json_t *provenance_json(void);

#endif
