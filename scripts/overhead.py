# SPDX-License-Identifier: MIT
"""overhead.py - the lower-bound overhead of each collector (LBO).

No machine can tell what a program would take with no memory management at all. But it takes at most what it took
under the cheapest collector, less the time that this one was seen to stop it. Time over that is a bound from below
on what a collector costs (Cai, Blackburn, Bond, Maas: Distilling the Real Cost of Production Garbage Collectors,
ISPASS 2022). The bound is the tighter, the less the cheapest collector does: leak on touched memory does nothing.
"""
from __future__ import annotations

from dataclasses import replace

import stats
from record import Line
from stats import Estimate
from summary import GroupSummary


def lower_bounds(group: GroupSummary, lines: list[Line]) -> dict[str, Estimate]:
    """By label: time over the cheapest mutator's. Empty for groups of allocators, where nothing has a time, and where
    requests come by the clock, because their time is the schedule's, whoever manages the memory."""
    rows = [r for r in group.rows if r.collector and r.time and r.sample and r.threads == 1]
    if not rows or any(r.open_loop for r in rows):
        return {}
    mutator = {r.label: mutator_share([l for l in lines if (l["group"], l["label"]) == (group.name, r.label)]) for r in rows}
    cheapest = min(rows, key=lambda r: r.time.value * mutator[r.label])
    share, found = mutator[cheapest.label], {}
    for row in rows:
        ratio = Estimate(1.0, 1.0, 1.0) if row is cheapest else stats.ratio_of(row.sample, cheapest.sample, group.method == "turns")
        if ratio:
            found[row.label] = replace(ratio, value=ratio.value / share, low=ratio.low / share, high=ratio.high / share)
    return found


def mutator_share(lines: list[Line]) -> float:
    """Of the time, what was seen to be the program's own; all of it where no pauses were recorded."""
    known = [1 - l["pauses"]["collector_ns"] / l["pauses"]["total_ns"] for l in lines
             if l["purpose"] == "pauses" and l.get("pauses") and l["pauses"]["total_ns"]]
    return stats.middle(known) if known else 1.0
