# SPDX-License-Identifier: MIT
"""collector_plots.py - the two figures of a run of bench_collectors.py, each with its data beside it.

    collector_costs     nanoseconds an object of a full collection, against the number of objects, a panel a graph
    pauses              pauses by percentile, and minimum mutator utilisation by window
"""
from __future__ import annotations

from collections import Counter
from pathlib import Path

import plots
from record import Line
from summary import GroupSummary

SHAPES = ("live_array", "live_chain", "live_shuffled", "live_random", "dead_pairs", "dead_random")
COLLECTIONS = ("first", "repeated")
BACKENDS = ("cyclic", "segregated", "marksweep", "boehm", "CPython")
NAMES = {"cyclic": "generational", "boehm": "libgc", "refcount": "counting alone",
         "marksweep": "mark-sweep"}


def draw(folder: Path, groups: list[GroupSummary], lines: list[Line]) -> list[Path]:
    place = plots.folder_of(folder / "plots")
    drawn = _costs(place, [g for g in groups if g.workload == "graph"]) + _pauses(place, [l for l in lines if l["purpose"] == "pauses"])
    return [p for p in drawn if p.suffix == ".png"]


def _costs(place: Path, groups: list[GroupSummary]) -> list[Path]:
    rows, values = [], []
    for group in groups:
        shape, collection, size = (group.parameters[k] for k in ("shape", "collection", "size"))
        for row in (r for r in group.rows if r.label in BACKENDS and r.time):
            t = row.time
            low, high = (t.low, t.high) if t.low == t.low else (t.value, t.value)
            rows.append((SHAPES.index(shape) + 1, COLLECTIONS.index(collection) + 1, shape, collection, size,
                         BACKENDS.index(row.label) + 1, row.label, t.value, low, high))
            values.append(t.value)
    if not rows:
        return []
    rows.sort(key=lambda r: (r[1], r[0], r[5], r[4]))       # a line is drawn through neighbours in the file
    plots._tsv(place / "collector_costs.tsv", "column row shape collection size backend label ns low high", rows)
    sizes = sorted({r[4] for r in rows})
    return plots._gnuplot(place, "collector_costs", {
        "TITLE": "What does a full collection cost, per object?", "BACKENDS": " ".join(BACKENDS),
        "SUB": "Nanoseconds an object, by the number of objects; both logarithmic; whiskers: 95 % intervals",
        "NAMES": plots._words(NAMES.get(b, b) for b in BACKENDS), "SHAPES": plots._words(s.replace("_", ": ") for s in SHAPES),
        "LOW": min(values) / 2, "HIGH": max(values) * 2, "LEAST": sizes[0], "MOST": sizes[-1], "H": 1120})


def _pauses(place: Path, lines: list[Line]) -> list[Path]:
    known = [l for l in lines if l["pauses"]]
    labels = list(dict.fromkeys(l["label"] for l in known))
    if not known:
        return []
    curve, least = [], []
    for number, label in enumerate([*labels, "idle"], start=1):
        mine = [l["pauses"] for l in known if label in (l["label"], "idle")]
        parts = [p["idle"]["stalls"] if label == "idle" else p["kinds"]["any"] for p in mine]
        curve += [(number, label, *point) for point in percentiles(parts)]
        for i, (window, _) in enumerate(mine[0]["mmu"]):
            shares = [(p["idle"] if label == "idle" else p)["mmu"][i][1] for p in mine]
            if None not in shares:
                least.append((number, label, window, min(shares)))
    plots._tsv(place / "pauses.tsv", "backend label beyond share ns supported", curve)
    plots._tsv(place / "pauses_mmu.tsv", "backend label window_ms utilisation", least)
    times = [r[4] for r in curve]
    return plots._gnuplot(place, "pauses", {
        "TITLE": "How long does it stop, and how much time is left?", "BACKENDS": " ".join(labels),
        "SUB": "One workload: chains of a live table are replaced. Dashed: what an idle thread sees on this machine",
        "NAMES": plots._words(NAMES.get(b, b) for b in labels), "LOW": min(times) / 1.5, "HIGH": max(times) * 2,
        "FAR": max(r[2] for r in curve)})


def buckets(kinds: list[dict]) -> list[tuple[int, int]]:
    """(ns, how many) of all histograms together, from the shortest on."""
    together: Counter[int] = Counter()
    for kind in kinds:
        together.update(dict(map(tuple, kind["histogram"])))
    return sorted(together.items())


def percentiles(kinds: list[dict]) -> list[tuple[float, float, int, int]]:
    """(1 / (1 - share), share, ns, whether ten pauses lie beyond) at each bucket of all histograms together; the
    longest pause is where one lies beyond."""
    known = buckets(kinds)
    total, below, points = sum(count for _, count in known), 0, []
    for ns, count in known:
        points.append((total / (total - below), below / total, ns, int(total - below >= 10)))
        below += count
        if below < total:
            points.append((total / (total - below), below / total, ns, int(total - below >= 10)))
    if points:
        longest = max(k["max_ns"] for k in kinds if k["count"])
        points.append((float(total), 1 - 1 / total, longest, 0))
    return points
