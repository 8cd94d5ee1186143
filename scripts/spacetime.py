#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""spacetime.py - time against memory: what each collector makes of more of it. `make spacetime`

A tracer's heap is swept from just over the smallest in which the work gets done to six times that; a counting
collector's young threshold from often to seldom. Each point is one such row: resident memory at its peak, and
time. A curve that lies below and left of another is better at any price of memory; where two cross, the price decides.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

from dataclasses import dataclass
from pathlib import Path
from math import log
from typing import Any

import plots
import record
import summary
from net import BadInput
from record import Line, shown
from stats import Estimate
from summary import GroupSummary


@dataclass(frozen=True)
class Point:
    """One setting of one collector. knob: the heap as a multiple of the smallest, or the threshold."""
    collector: str
    knob: float
    text: str
    peak_rss: float
    time: Estimate


def points(plan: dict[str, Any], lines: list[Line], groups: list[GroupSummary]) -> list[Point]:
    """Every row that was given a heap or a threshold and has time and memory, a collector at a time, from tight to generous."""
    options = {(l["group"], l["label"]): l.get("options") or {} for l in lines}
    settings = {g["name"]: {**plan.get("settings", {}), **g.get("settings", {})} for g in plan["groups"]}
    planned = {g["name"]: g.get("options", {}) for g in plan["groups"]}        # a line leaves out what is the default
    found = []
    for group in groups:
        for row in (r for r in group.rows if r.collector and r.time and r.peak_rss and not r.twin):
            asked = {**planned[group.name].get(row.label, {}), **options[group.name, row.label]}
            if "heap_bytes" in asked:
                budget = settings[group.name]["heap_budget"]
                found.append(Point(row.collector, budget, f"{budget:g}x", row.peak_rss, row.time))
            elif "threshold0" in asked:
                found.append(Point(row.collector, asked["threshold0"], f"{asked['threshold0']:,}", row.peak_rss, row.time))
    return sorted(found, key=lambda p: (p.collector, p.knob))


def labelled(found: list[Point], apart: float = 0.035) -> set[Point]:
    """Those whose words find room: the ends of each collector's sweep, and what is so far from all of them, as a share of
    the figure."""
    ends = [p for name in dict.fromkeys(p.collector for p in found) for of in [[p for p in found if p.collector == name]]
            for p in dict.fromkeys((of[0], of[-1]))]
    width = log(max(p.peak_rss for p in found) / min(p.peak_rss for p in found)) or 1.0
    height = log(max(p.time.value for p in found) / min(p.time.value for p in found)) or 1.0
    def far(p: Point, others: list[Point]) -> bool:
        return all(abs(log(p.peak_rss / o.peak_rss)) / width + abs(log(p.time.value / o.time.value)) / height > apart for o in others)
    shown_: list[Point] = []
    for p in [*ends, *(p for p in found if p not in ends)]:
        if far(p, shown_):
            shown_.append(p)
    return set(shown_)


def draw(folder: Path, found: list[Point]) -> list[Path]:
    place, names = plots.folder_of(folder / "plots"), list(dict.fromkeys(p.collector for p in found))
    sure = lambda p: (p.time.low, p.time.high) if p.time.low == p.time.low else (p.time.value, p.time.value)
    said = labelled(found)
    rows = [(names.index(p.collector) + 1, p.collector, p.knob, p.text if p in said else "", p.peak_rss / 2**20, p.time.value / 1e3, *(v / 1e3 for v in sure(p))) for p in found]
    plots._tsv(place / "spacetime.tsv", "backend collector knob text mib us low high", rows)
    return plots._gnuplot(place, "spacetime", {
        "TITLE": "What does memory buy?", "BACKENDS": plots._words(names), "TOP": max(r[7] for r in rows) * 1.6, "LOW": min(r[6] for r in rows) / 1.3,
        "NEAR": min(r[4] for r in rows) / 1.3, "FAR": max(r[4] for r in rows) * 1.6,
        "SUB": "Written on it: a tracer's heap, as a multiple of the smallest that will do; a counting collector's young threshold"})


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="spacetime.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("run", nargs="?", default="latest", help="a run of the matrix spacetime; latest by default")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    options = parser.parse_args(arguments)
    folder = record.find(options.run, options.results)
    about, lines = record.read_run(folder), record.read_lines(folder)
    found = points(about["matrix"], lines, summary.summarise(about["matrix"], lines))
    if not found:
        raise BadInput(f"{shown(folder)} has no row with a heap or a threshold of its own: measure them with `make spacetime`")
    for p in found:
        print(f"{p.collector:12} {p.text:>8}  {p.peak_rss / 2**20:8.1f} MiB  {p.time.value / 1e3:10.1f} µs an operation")
    for path in plots.or_said(lambda: draw(folder, found))[-1:]:
        print(f"  plot   {shown(path)}")
    return 0


if __name__ == "__main__":
    net.run("spacetime", lambda: main(sys.argv[1:]))
