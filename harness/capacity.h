/* SPDX-License-Identifier: MIT
 * capacity.h - whether this machine really has two cores to give just now.
 */
#ifndef REFARENA_CAPACITY_H
#define REFARENA_CAPACITY_H

/* Throughput of two independent spinning threads over that of one: 2 on an idle machine with two cores, and under 1.7
 * no claim about threads can be tested. Negative: could not be measured. */
double capacity_probe(void);

/* Nanoseconds that a write takes to be seen on the other core: half a round trip of one cache line, least of a few. What
 * contended counts cost is a multiple of it. Negative: could not be measured. */
double capacity_crossing_ns(void);

#endif
