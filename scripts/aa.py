#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""aa.py - how often do we see a difference where there is none? `make aa`

Every group of a run measures one configuration under two labels. Five repetitions of such twins are one
comparison of a program with itself; an interval without 1 is a false alarm, and 5 % of 95 % intervals may be.
A run with too few repetitions for a hundred comparisons is used more than once: which twin is called which is
drawn anew in every repetition, and where there is no difference that is as good as another measurement.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import random
from pathlib import Path

import record
import stats
import summary
from matrix import PAIR_MARK
from net import BadInput
from record import shown
from summary import GroupSummary

COMPARISONS, INVOCATIONS, ALLOWED = 100, 5, 0.05
Twins = tuple[stats.Rounds, stats.Rounds, bool]         # the last: measured in turns, so that rounds are pairs


def twins(groups: list[GroupSummary]) -> list[Twins]:
    """Both halves of every pair, cut into stretches of five repetitions."""
    found = []
    for group in groups:
        samples = {r.label: r.sample for r in group.rows if r.sample}
        for label in (l for l in samples if l + PAIR_MARK in samples):
            mine, theirs = samples[label], samples[label + PAIR_MARK]
            both = sorted(r for r in mine.keys() & theirs.keys() if mine[r] and theirs[r])
            stretches = [both[i:i + INVOCATIONS] for i in range(0, len(both) - INVOCATIONS + 1, INVOCATIONS)]
            found += [({r: mine[r] for r in s}, {r: theirs[r] for r in s}, group.method == "turns") for s in stretches]
    return found


def comparisons(pairs: list[Twins], wanted: int = COMPARISONS, seed: int = 1) -> list[stats.Estimate]:
    """So many ratios of something to itself: each pair as it was measured, then with its labels exchanged by lot."""
    draw, ratios = random.Random(seed), []
    for number in range(wanted):
        mine, theirs, paired = pairs[number % len(pairs)]
        swapped = {r for r in mine if number >= len(pairs) and draw.random() < 0.5}
        ratios.append(stats.ratio_of({r: theirs[r] if r in swapped else mine[r] for r in mine},
                                     {r: mine[r] if r in swapped else theirs[r] for r in mine}, paired))
    return ratios


def report(folder: Path) -> bool:
    """One line on a run; False where there were too many alarms."""
    about = record.read_run(folder)
    pairs = twins(summary.summarise(about["matrix"], record.read_lines(folder)))
    if not pairs:
        raise BadInput(f"{shown(folder)} has no twins with {INVOCATIONS} invocations each: measure with `make aa`")
    ratios = comparisons(pairs)
    alarms = sum(not r.holds(1.0) for r in ratios)
    off = sorted(abs(r.value - 1) for r in ratios)
    how = f"{min(len(pairs), COMPARISONS)} as measured" + (", the others with labels exchanged" if len(pairs) < COMPARISONS else "")
    print(f"{shown(folder)}: {alarms} false alarms in {len(ratios)} comparisons ({how}); "
          f"off by {100 * off[len(off) // 2]:.1f} % in the middle, by {100 * off[int(0.95 * len(off))]:.1f} % in one of twenty")
    return alarms <= ALLOWED * len(ratios)


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="aa.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("runs", nargs="*", default=["reference"], help="folders or names of runs")
    options = parser.parse_args(arguments)
    return 0 if all([report(record.find(name)) for name in options.runs]) else 1


if __name__ == "__main__":
    net.run("aa", lambda: main(sys.argv[1:]))
