# SPDX-License-Identifier: MIT
"""memory_metrics.py - what an invocation's memory says beside its peak.

    integral    resident bytes over the process's floor, summed over the time of the units (byte-seconds): what a
                machine shared by the second would be billed for
    internal    internal fragmentation: of the bytes in blocks handed out, the share that nobody asked for
                (rounded up to a size class); Wilson et al., IWMM 1995
    external    external fragmentation: of the bytes held from the OS, the share in no block
    held        bytes that the allocator holds from the OS at the end of the units
    uss         what is the process's alone at the end of the units, over its floor: resident bytes that no other shares
Where the allocator cannot say what it holds or uses, the value is None.
"""
from __future__ import annotations

import stats
import summary
from record import Line


def of(lines: list[Line]) -> dict[str, float | None]:
    """The medians over invocations. lines: those that looked at memory and ended well."""
    return {name: _middle([rule(l) for l in lines]) for name, rule in
            (("integral", integral), ("internal", internal), ("external", external),
             ("held", lambda l: l["memory"].get("held_bytes")), ("uss", uss))}


def integral(line: Line) -> float | None:
    """By trapezoids between the samples."""
    series, floor = line["memory"].get("series") or [], summary.floor_bytes(line)
    if len(series) < 2:
        return None
    return sum((b[0] - a[0]) * 1e-9 * (max(0, a[1] - floor) + max(0, b[1] - floor)) / 2 for a, b in zip(series, series[1:]))


def internal(line: Line) -> float | None:
    series, used = line["memory"].get("series") or [], line["memory"].get("used_bytes")
    if not used or not series or series[-1][2] > used:
        return None
    return 1 - series[-1][2] / used


def external(line: Line) -> float | None:
    held, used = line["memory"].get("held_bytes"), line["memory"].get("used_bytes")
    return 1 - used / held if held and used is not None and used <= held else None


def uss(line: Line) -> float | None:
    end, before = line["memory"].get("end_uss"), line["memory"].get("baseline_uss")
    return None if end is None or before is None else end - before - (line["memory"].get("workload_bytes") or 0)


def _middle(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return stats.middle(known) if known else None
