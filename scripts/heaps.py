# SPDX-License-Identifier: MIT
"""heaps.py - the heap that a tracing collector is given: so many times the smallest in which its work gets done.

A tracer buys time with memory, so that its time means nothing without its heap. Before anything is measured, the
smallest heap in which a row's units still finish is found by doubling and halving, to a twentieth; the row then runs
with `heap_budget` times that (2 unless the matrix says otherwise; 0: whatever the collector likes), at most with what
the machine, the container and the shell leave (limits.py). Within its bound
a tracer lets the heap grow until it is full. Rows that collect only when asked are left alone.

Source of the custom: Blackburn, Cheng and McKinley, "Myths and realities", SIGMETRICS 2004, and most since.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Any

import limits
import machine
from matrix import PAIR_MARK, Configuration, Group, Matrix
from resident import Ended, Harness, whole

SMALLEST = 1 << 20              # below this no collector starts
EXACT = 1.05                    # the smallest heap is known to this factor
PROBE_S = 20                    # a heap so small that this does not do is too small
PROBE = ["--units=2", "--rounds=1", "--lead-in=1", "--no-capacity"]
LAZIEST = {"growth_percent": 0, "free_space_divisor": 1}        # a collection only when the heap is full


def fitted(plan: Matrix, found: limits.Limits) -> tuple[Matrix, list[str]]:
    """The plan with no row allowed more memory than this machine has left, and in words what was changed."""
    wanted = {g["memory_limit_mib"] for g in plan.groups}
    given = {mib: limits.fitted(mib << 20, found) >> 20 for mib in wanted}
    words = [f"memory: {found.memory_left >> 20} MiB are left here ({found.memory_bound}); rows may take {given[mib]} MiB, not {mib}"
             for mib in sorted(wanted) if given[mib] < mib]
    groups = tuple(replace(g, settings={**g.settings, "memory_limit_mib": given[g["memory_limit_mib"]]}) for g in plan.groups)
    return replace(plan, groups=groups), words


def budgeted(plan: Matrix, harness: Harness, known: dict[str, Any], heaps: dict[str, int]) -> Matrix:
    """The plan with each tracer's heap bounded. heaps: bytes by group and row; what is not known yet is found and added."""
    return replace(plan, groups=tuple(_budgeted_group(g, harness, known, heaps) for g in plan.groups))


def _budgeted_group(group: Group, harness: Harness, known: dict[str, Any], heaps: dict[str, int]) -> Group:
    rows, core = [], machine.measuring_core(group.most_threads)
    for row in group.configurations:
        names = _options_of_tracer(row, known) if group["heap_budget"] else set()
        key = f"{group.name} {row.label.removesuffix(PAIR_MARK)}"
        if names and key not in heaps:
            heaps[key] = min(int(group["heap_budget"] * smallest(harness, group, row, names, core)), group["memory_limit_mib"] << 20)
        rows.append(bounded(row, heaps[key], names) if names and heaps[key] else row)
    return replace(group, configurations=tuple(rows))


def _options_of_tracer(row: Configuration, known: dict[str, Any]) -> set[str]:
    """The names of its options, if it is a tracer whose heap can be bounded and that collects by itself."""
    about = (known.get(row.collector or "") or {}).get("collector")
    if not about or about.get("counts") != "none" or dict(row.options).get("automatic") == 0:
        return set()
    names = {option["name"] for option in about["options"]}
    return names if "heap_bytes" in names else set()


def bounded(row: Configuration, size: int, names: set[str]) -> Configuration:
    lazy = {name: value for name, value in LAZIEST.items() if name in names}
    return replace(row, options=tuple(sorted({**lazy, **dict(row.options), "heap_bytes": size}.items())))


def smallest(harness: Harness, group: Group, row: Configuration, names: set[str], core: int) -> int:
    """Bytes; 0 where the row does not finish in any heap, and will say so itself."""
    probed = replace(group, settings={**group.settings, "timeout_s": min(group["timeout_s"], PROBE_S)})

    def finishes(size: int) -> bool:
        try:
            return whole(harness, probed, bounded(row, size, names), 0, core if row.threads == 1 else None, PROBE)["outcome"] == "ok"
        except Ended:
            return False

    most = group["memory_limit_mib"] << 20
    high = SMALLEST
    while not finishes(high):
        high *= 2
        if high > most:
            return 0
    low = high // 2
    while high > SMALLEST and high > low * EXACT:
        middle = int((low * high) ** 0.5)
        low, high = (low, middle) if finishes(middle) else (middle, high)
    return high
