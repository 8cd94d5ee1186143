/* SPDX-License-Identifier: MIT
 * failing.h - when failing:<allocator> refuses.
 *
 * To prove that a refusal changes nothing, refuse each request in turn: run the code with (1, 1), then
 * (2, 1) and so on, until failing_refused() stays 0 and the code has been through without one.
 */
#ifndef REFARENA_FAILING_H
#define REFARENA_FAILING_H

#include <stdint.h>

/* Refuse `count` requests, beginning with number `first` from now (1 is the next one). A request is an
 * alloc, alloc_zeroed or resize. (0, 0) refuses none; (n, UINT64_MAX) all from the nth on. */
void failing_refuse(uint64_t first, uint64_t count);

uint64_t failing_requests(void);        /* since the last failing_refuse */
uint64_t failing_refused(void);         /* of those */

#endif
