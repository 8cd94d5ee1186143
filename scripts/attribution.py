#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""attribution.py - what each layer of a collector costs, on one workload: `make attribution WORKLOADS=calls`

A layer's price is the difference of two rows that differ in that layer alone:

    mutator      leak on bump: the program itself, on memory that was touched before, nothing counted, nothing freed
    counting     refcount/bump - leak/bump
    cycles       cyclic/bump - refcount/bump          (of collectors in pages of their own: segregated - refcount/bump)
    lock         gil/bump - cyclic/bump               (and so locks in objects, atomic and biased counts, over segregated)
    allocator    refcount/pymalloc - refcount/bump    (on leak it would be the price of fresh pages: leak frees nothing)
    interaction  what the whole row takes beyond their sum: caches that two layers share, work that one saves another

The interaction is a term of its own, with its interval, and nothing is made to add up. Where each row
lies on the one before it there is none: counting alone, and collectors with pages of their own, which are their
allocator (bump under a lock has only what is not an object). All terms come from the same
rounds of the same turns, and are drawn together.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

from dataclasses import dataclass
from pathlib import Path

import plots
import record
import stats
import summary
import table
from net import BadInput
from record import shown
from stats import Estimate
from summary import GroupSummary

Terms = dict[str, float]                    # row -> weight
OWN = "locked:bump"                         # under collectors that several threads may enter
COUNTING = ("counting", "refcount/bump", "leak/bump")
CYCLES = ("cycles", "cyclic/bump", "refcount/bump")
PAGES = ("cycles, own pages", f"segregated/{OWN}", "refcount/bump")
ALLOCATOR = ("allocator", "refcount/pymalloc", "refcount/bump")
FLOOR = "leak/bump"


@dataclass(frozen=True)
class Layered:
    """A collector's whole row, and its layers above the mutator: a name, the row with it, the row without."""
    name: str
    whole: str
    layers: tuple[tuple[str, str, str], ...]


COLLECTORS = (
    Layered("refcount", "refcount/pymalloc", (COUNTING, ALLOCATOR)),
    Layered("cyclic", "cyclic/pymalloc", (COUNTING, CYCLES, ALLOCATOR)),
    Layered("gil", "gil/pymalloc", (COUNTING, CYCLES, ("GIL", "gil/bump", "cyclic/bump"), ALLOCATOR)),
    *(Layered(c, f"{c}/{OWN}", (COUNTING, PAGES, (words, f"{c}/{OWN}", f"segregated/{OWN}")))
      for c, words in (("locked_object", "locks"), ("atomic", "atomics"), ("biased", "biasing"), ("locked_global", "one lock"))),
)


@dataclass(frozen=True)
class Step:
    """One bar of a waterfall: nanoseconds an operation, and from where to where it reaches."""
    collector: str
    layer: str
    price: Estimate
    start: float
    end: float


def steps(of: Layered, samples: dict[str, stats.Rounds], paired: bool) -> list[Step]:
    """The waterfall of one collector: the mutator, each layer, the interaction, the whole; [] where a row has no time."""
    needed = {FLOOR, of.whole, *(row for _, *rows in of.layers for row in rows)}
    if not all(samples.get(row) for row in needed):
        return []
    priced: list[tuple[str, Terms]] = [("mutator", {FLOOR: 1.0})]
    priced += [(name, {having: 1.0, without: -1.0}) for name, having, without in of.layers]
    rest: Terms = {of.whole: 1.0}
    for _, terms in priced:
        for row, weight in terms.items():
            rest[row] = rest.get(row, 0.0) - weight
    if any(rest.values()):
        priced.append(("interaction", {row: weight for row, weight in rest.items() if weight}))
    found, height = [], 0.0
    for name, terms in priced:
        price = stats.combination_of([(weight, samples[row]) for row, weight in terms.items()], paired)
        found.append(Step(of.name, name, price, height, height + price.value))
        height += price.value
    whole = stats.combination_of([(1.0, samples[of.whole])], paired)
    return [*found, Step(of.name, "all", whole, 0.0, whole.value)]


def attribute(group: GroupSummary) -> list[list[Step]]:
    samples = {r.label: r.sample for r in group.rows if r.sample and not r.twin}
    return [found for of in COLLECTORS if (found := steps(of, samples, group.method == "turns"))]


def reading(group: GroupSummary, falls: list[list[Step]]) -> str:
    """The picture in words: which prices are surely more than nothing."""
    said = []
    for fall in falls:
        layers = [s for s in fall if s.layer not in ("mutator", "all")]
        sure = ", ".join(f"{s.layer} {s.price.value:+.1f} ({s.price.low:+.1f} .. {s.price.high:+.1f})" for s in layers if not s.price.holds(0.0))
        unsure = ", ".join(s.layer for s in layers if s.price.holds(0.0))
        said.append(f"{fall[0].collector} takes {table.in_ns(fall[-1].price.value)} ns, {table.in_ns(fall[0].price.value)} of them the program's own"
                    + (f"; {sure}" if sure else "") + (f"; not told from nothing: {unsure}" if unsure else ""))
    return f"{group.name}, nanoseconds an operation: " + ".\n  ".join(said) + "."


def draw(folder: Path, group: GroupSummary, falls: list[list[Step]]) -> list[Path]:
    place, name = plots.folder_of(folder / "plots"), f"attribution_{group.name}"
    rows = [(panel, s.collector, number, s.layer, s.price.value, s.price.low, s.price.high, s.start, s.end)
            for panel, fall in enumerate(falls, start=1) for number, s in enumerate(fall, start=1)]
    plots._tsv(place / f"{name}.tsv", "panel collector step layer ns low high start end", rows)
    reach = [v for r in rows for v in (r[7], r[8], r[8] + r[6] - r[4])]
    return plots._gnuplot(place, "attribution", {
        "TITLE": f"Where do the nanoseconds go? {group.title}", "PANELS": " ".join(f[0].collector for f in falls), "STEPS": max(map(len, falls)),
        "SUB": "Each bar is the difference of two rows that differ in that layer alone; whiskers: 95 % intervals",
        "LOW": min(0.0, min(reach)) * 1.1, "TOP": max(reach) * 1.12, "DATA": f"{name}.tsv"}, name)


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="attribution.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("run", nargs="?", default="latest", help="a run of the matrix attribution; latest by default")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    options = parser.parse_args(arguments)
    folder = record.find(options.run, options.results)
    about, lines = record.read_run(folder), record.read_lines(folder)
    found = [(g, falls) for g in summary.summarise(about["matrix"], lines) if (falls := attribute(g))]
    if not found:
        raise BadInput(f"{shown(folder)} has no rows that differ in one layer: measure them with `make attribution`")
    for group, falls in found:
        print(reading(group, falls))
        for path in plots.or_said(lambda: draw(folder, group, falls))[-1:]:
            print(f"  plot   {shown(path)}")
        print()
    return 0


if __name__ == "__main__":
    net.run("attribution", lambda: main(sys.argv[1:]))
