/* SPDX-License-Identifier: MIT
 * fake_collector.h - the fake collector's side for mutators.
 */
#ifndef REFARENA_FAKE_COLLECTOR_H
#define REFARENA_FAKE_COLLECTOR_H

#include "../../collectors/linked.h"
#include "../../workloads/workload.h"

/* One object of 100 bytes is born, and dies when the option `frees` is 1. */
bool fake_collector_unit(workload_run *run);

#endif
