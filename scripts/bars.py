#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bars.py - which of our aims a run of the matrix `allocators` reaches: `make bench-allocators`.

An aim is a factor between two rows of one group: how many times as fast one is as the other (at least), how many
times the other's time it takes, or how many times its live bytes it keeps resident (at most). It is

    met         when all of the 95 % interval is on the right side
    missed      when all of it is on the wrong side
    not sure    when it lies across; more invocations make it shorter

Live bytes are given twice: as they were asked for, and at the size that the allocator set aside for them. Between
the two is what rounding up to size classes costs, which no allocator with classes of 16 bytes can avoid.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

from dataclasses import dataclass
from pathlib import Path

import record
import stats
import summary
from record import shown
from stats import Estimate
from summary import GroupSummary, Row


@dataclass(frozen=True)
class Bar:
    group: str
    ours: str
    against: str                # an allocator; or "asked for", "set aside": of memory
    factor: float
    at_most: bool = False       # else at least, and of speed

    @property
    def of_memory(self) -> bool:
        return self.against in ("asked for", "set aside")

    def sentence(self) -> str:
        if self.of_memory:
            return f"{self.ours} keeps at most {self.factor:g}x of what is {self.against}"
        return (f"{self.ours} takes at most {self.factor:g}x the time of {self.against}" if self.at_most
                else f"{self.ours} is at least {self.factor:g}x as fast as {self.against}")


BATCHES = ("batch lifo", "batch fifo", "batch random")
BARS = (
    Bar("pair", "pymalloc", "pyobject", 1.2),
    *(Bar(group, "pymalloc", "pyobject", 1.05) for group in (*BATCHES, "cpython")),
    Bar("steady 1M", "pymalloc", "pyobject", 1.0),
    Bar("pair", "magazine", "pyobject", 1.5),
    Bar("batch random", "magazine", "pyobject", 2.6),
    Bar("steady 1M", "magazine", "pyobject", 1.3),
    Bar("cpython", "magazine", "pyobject", 1.75),
    Bar("cpython", "magazine", "mimalloc", 1.0),
    Bar("batch random", "magazine", "mimalloc", 1.0),
    Bar("pair", "magazine", "mimalloc", 1.1),
    *(Bar("cpython", ours, "bump", 2.2, at_most=True) for ours in ("pymalloc", "magazine")),
    *(Bar("steady 1M", ours, live, 1.03, at_most=True)
      for ours in ("pymalloc", "magazine") for live in ("set aside", "asked for")),
)
COLUMNS = ("group", "aim", "found", "95 % interval", "verdict")


def judge(groups: list[GroupSummary]) -> list[tuple[str, ...]]:
    """One line of cells for each aim."""
    return [(bar.group, bar.sentence(), *_cells(bar, {g.name: g for g in groups}.get(bar.group))) for bar in BARS]


def _cells(bar: Bar, group: GroupSummary | None) -> tuple[str, str, str]:
    if group is None:
        return "-", "", "not measured"
    found, why = _memory(bar, group) if bar.of_memory else _time(bar, group)
    if found is None:
        return "-", "", why
    between = f"{found.low:.3f} .. {found.high:.3f}" if found.low == found.low else "-"
    return f"{found.value:.3f}", between, stats.reaches(found, bar.factor, bar.at_most)


def _row(group: GroupSummary, label: str) -> Row | None:
    return next((r for r in group.rows if r.label == label), None)


def _time(bar: Bar, group: GroupSummary) -> tuple[Estimate | None, str]:
    rows = [_row(group, bar.ours), _row(group, bar.against)]
    for label, row in zip((bar.ours, bar.against), rows):
        if row is None or not row.sample:
            return None, f"{label}: {row.outcome.replace('_', ' ') if row else 'not measured'}"
    ours, theirs = (row.sample for row in rows)
    turns = group.method == "turns"
    found = stats.ratio_of(ours, theirs, turns) if bar.at_most else stats.ratio_of(theirs, ours, turns)
    return found, "no repetition has both"


def _memory(bar: Bar, group: GroupSummary) -> tuple[Estimate | None, str]:
    row = _row(group, bar.ours)
    live = row and (row.used_bytes if bar.against == "set aside" else row.live_bytes)
    if not row or row.end_rss is None or not live:
        return None, f"{bar.ours}: memory not measured"
    return Estimate(row.end_rss / live, row.end_low / live, row.end_high / live), ""


def printed(lines: list[tuple[str, ...]]) -> str:
    widths = [max(len(line[i]) for line in [COLUMNS, *lines]) for i in range(len(COLUMNS))]
    table = ["  ".join(c.rjust(w) if i in (2, 3) else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths))).rstrip()
             for line in [COLUMNS, *lines]]
    short = [line for line in lines if line[-1] != "met"]
    count = f"{len(lines) - len(short)} of {len(lines)} aims are met"
    return "\n".join([*table, "", count + ("; these are not:" if short else ""),
                      *(f"  {group}: {aim}: {found}, {verdict}" for group, aim, found, _, verdict in short)])


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="bars.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("run", nargs="?", default="latest", help="a run's folder or name; latest by default")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    options = parser.parse_args(arguments)
    folder = record.find(options.run, options.results)
    about = record.read_run(folder)
    print(f"aims of our allocators, in {shown(folder)}\n")
    print(printed(judge(summary.summarise(about["matrix"], record.read_lines(folder)))))
    return 0


if __name__ == "__main__":
    net.run("bars", lambda: main(sys.argv[1:]))
