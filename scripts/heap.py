#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""heap.py - what lies in the heap: garbage that floats, how long it does, and how objects grow old. `make heap`

The figures, as heap_looks.py defines them, and the map of pymalloc's pools, which is measured with them.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import subprocess
from pathlib import Path
from typing import Any

import plots
import record
import report
import summary
import table
from heap_looks import COLUMNS, Heap, heaps, row, silent
from net import BadInput, Stopped
from record import shown

BLOCKS = Path(__file__).resolve().parent.parent / "build/bin/blocks"


def told(found: list[Heap]) -> str:
    cells = [COLUMNS]
    for group in dict.fromkeys(h.group for h in found):
        cells += [(f"{group}:", *("" for _ in COLUMNS[1:])), *(("  " + label, *rest) for label, *rest in (row(h) for h in found if h.group == group))]
    return table.aligned(cells)


def draw(folder: Path, about: dict[str, Any], found: list[Heap]) -> list[Path]:
    place = plots.folder_of(folder / "plots")
    titles = {g["name"]: g["title"] for g in about["matrix"]["groups"]}
    groups = list(dict.fromkeys(h.group for h in found))
    backends = list(dict.fromkeys(h.collector for h in found))
    plots._tsv(place / "heap_floating.tsv", "panel backend label births floating live",
               [(groups.index(h.group) + 1, backends.index(h.collector) + 1, h.label, *at) for h in found for at in zip(h.births, h.floating, h.live)])
    shared = {"GROUPS": len(groups), "PANELS": plots._words(titles[g] for g in groups),
              "FAR": plots._words(str(max(h.births[-1] for h in found if h.group == g)) for g in groups)}
    drawn = plots._gnuplot(place, "heap_floating", {
        "TITLE": "How much garbage floats, and for how long?", "BACKENDS": plots._words(backends), **shared,
        "SUB": "Objects out of reach and not given back yet, while objects are born; logarithmic above ten"})
    aged = [h for h in found if h.tracked and any(map(any, h.tracked))]
    if aged:
        groups = list(dict.fromkeys(h.group for h in aged))
        plots._tsv(place / "heap_generations.tsv", "panel label births young middle old permanent",
                   [(groups.index(h.group) + 1, h.label, births, *tracked) for h in aged for births, tracked in zip(h.births, h.tracked)])
        drawn += plots._gnuplot(place, "heap_generations", {
            "TITLE": "How do objects grow old?", **shared, "GROUPS": len(groups), "PANELS": plots._words(titles[g] for g in groups),
            "SUB": f"Objects that {aged[0].collector} tracks, by generation, while objects are born; a step down is a collection"})
    return drawn


def occupancy(folder: Path) -> list[Path]:
    """How full each pool of pymalloc is while blocks die in no order: measured with the run, and then kept. Nothing where
    the harness is not built."""
    place = plots.folder_of(folder / "plots")
    if not BLOCKS.exists() and not (place / "occupancy.map").exists():
        return []
    if not (place / "occupancy.map").exists():
        done = subprocess.run([BLOCKS, "batch", "count=260000", "order=random", "--allocator=pymalloc", "--units=1", "--rounds=1",
                        f"--map={place / 'occupancy.map'}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace", check=False)
        if done.returncode != 0:
            raise Stopped(f"the map of pools was not taken: {done.stderr.strip()}")
    return plots._gnuplot(place, "occupancy", {})


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="heap.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("run", nargs="?", default="latest", help="a run of the matrix heap; latest by default")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    parser.add_argument("--no-occupancy", action="store_true", help="leave the map of pools out")
    options = parser.parse_args(arguments)
    folder = record.find(options.run, options.results)
    about, lines = record.read_run(folder), record.read_lines(folder)
    found = heaps(lines)
    if not found:
        raise BadInput(f"{shown(folder)} has no looks into a heap: take them with `make heap`")
    drawn = plots.or_said(lambda: draw(folder, about, found) + ([] if options.no_occupancy else occupancy(folder)))
    print("\n".join([told(found), *(f"  {words}" for words in silent(lines))]))
    for path in (p for p in drawn if p.suffix == ".png"):
        print(f"  plot   {shown(path)}")
    print(f"  report {shown(report.write(folder, about, lines, summary.summarise(about['matrix'], lines)))}")
    return 0


if __name__ == "__main__":
    net.run("heap", lambda: main(sys.argv[1:]))
