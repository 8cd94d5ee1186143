/* SPDX-License-Identifier: MIT
 * tally.h - how many objects were born and died in a unit, as figures `objects_born` and `objects_died`.
 *
 * Counted by the collector; of one thread alone, since others' counters cannot be read while they run. Nothing is
 * said of deaths where the collector cannot know them.
 */
#ifndef REFARENA_TALLY_H
#define REFARENA_TALLY_H

#include "../../collectors/collector.h"
#include "../workload.h"

static inline collector_stats tally_now(const workload_run *run) {
    collector_stats now = {.born = 0};
    if (run->threads == 1) linked_collector.stats(&now);
    return now;
}

static inline void tally_say(workload_run *run, const collector_stats *before) {
    if (run->threads != 1) return;
    collector_stats now = tally_now(run);
    run->figure(run, "objects_born", (double)(now.born - before->born));
    if (!(linked_collector.abilities & COLLECTOR_CONSERVATIVE))
        run->figure(run, "objects_died", (double)(now.died - before->died));
}

#endif
