# SPDX-License-Identifier: MIT
"""heap_looks.py - what lies in the heap, from the looks that invocations took between rounds (harness/looks.h).

Against the oracle of reachability:

    floating    born - died - reachable: unreachable, and not given back yet; in objects, and in bytes without headers
    drag        for how many births an object floats, in the mean. Little's law, L = lambda W (Little, A proof for the queuing
                formula, Operations Research 9(3), 1961): floating objects, in the mean over all births, are the objects that die
                in a birth, times the births that each floats. Drag as a name: Rojemo and Runciman, Lag, drag, void and
                use, ICFP 1996, where it runs from the last use; here it runs from when the object is out of reach.

The clock is births, so that slow collectors and fast ones are compared at the same point of the program.
"""
from __future__ import annotations

from dataclasses import dataclass

import summary
from record import Line

FEW = summary.AMORTISED_COLLECTIONS     # fewer are no mean


@dataclass(frozen=True)
class Heap:
    """One row's looks, summed up. Births and objects; drag is None where some garbage is never given back: it has no mean."""
    group: str
    label: str
    collector: str
    births: list[int]
    floating: list[int]
    live: list[int]
    tracked: list[list[int]]            # by look, by generation; empty where it has none
    mean: float
    peak: int
    mean_bytes: float | None            # of floating garbage, as the objects; None where the run is from before they were told
    peak_bytes: int | None
    drag: float | None
    collections: int


def heap_of(line: Line) -> Heap:
    looks = line["heap"]
    births = [look["born"] - looks[0]["born"] for look in looks]
    floating = [look["born"] - look["died"] - look["live_objects"] for look in looks]
    in_bytes = [look["born_bytes"] - look["died_bytes"] - look["live_bytes"] for look in looks] if "born_bytes" in looks[0] else []
    mean = _mean(births, floating)
    died = looks[-1]["died"] - looks[0]["died"]
    reclaims = line.get("reclaims") is not False and died > 0
    return Heap(line["group"], line["label"], line["collector"], births, floating, [look["live_objects"] for look in looks],
                [look["tracked"] for look in looks if look["tracked"]], mean, max(floating), _mean(births, in_bytes) if in_bytes else None, max(in_bytes, default=None),
                mean * births[-1] / died if reclaims else None,
                sum(sum(r["collections"]) for r in line["rounds"]))


def _mean(births: list[int], values: list[int]) -> float:
    """Over births, straight between looks."""
    area = sum((b - a) * (m + n) / 2 for a, b, m, n in zip(births, births[1:], values, values[1:]))
    return area / births[-1] if births[-1] else 0.0


def heaps(lines: list[Line]) -> list[Heap]:
    return [heap_of(l) for l in lines if _tells(l) and l["repetition"] == 0]


def _tells(line: Line) -> bool:
    looks = line.get("heap")
    return line["purpose"] == "heap" and line["outcome"] == "ok" and bool(looks) and all(look["live_objects"] is not None for look in looks)


def silent(lines: list[Line]) -> list[str]:
    """Rows that were asked and told nothing, with their outcome."""
    return [f"{l['group']}, {l['label']}: {l['outcome'].replace('_', ' ')}" + (f": {l['message']}" if l["message"] else "")
            for l in lines if l["purpose"] == "heap" and not _tells(l)]


COLUMNS = ("configuration", "live", "floating, mean", "at most", "bytes, mean", "at most", "drag, births")


def row(h: Heap) -> tuple[str, ...]:
    drag = "for ever" if h.drag is None else f"{h.drag:,.0f}" + (" (few collections)" if h.collections < FEW else "")
    in_bytes = ("-", "-") if h.mean_bytes is None else (f"{h.mean_bytes:,.0f}", f"{h.peak_bytes:,}")
    return h.label, f"{h.live[-1]:,}", f"{h.mean:,.0f}", f"{h.peak:,}", *in_bytes, drag
