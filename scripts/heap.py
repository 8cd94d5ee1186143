#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""heap.py - what lies in the heap: garbage that floats, how long it does, and how objects grow old. `make heap`

From looks between rounds (harness/looks.h), against the oracle of reachability:

    floating    born - died - reachable: unreachable, and not given back yet
    drag        for how many births an object floats, in the mean. Little's law, L = lambda W (Little, A proof for the queuing
                formula, Operations Research 9(3), 1961): floating objects, in the mean over all births, are the objects that die
                in a birth, times the births that each floats. Drag as a name: Rojemo and Runciman, Lag, drag, void and
                use, ICFP 1996, where it runs from the last use; here it runs from when the object is out of reach.

The clock is births, so that slow collectors and fast ones are compared at the same point of the program.
"""
from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plots
import record
import report
import summary
from matrix import BadInput
from record import Line, Stopped, shown

BLOCKS = Path(__file__).resolve().parent.parent / "build/bin/blocks"
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
    drag: float | None
    collections: int


def heap_of(line: Line) -> Heap:
    looks = line["heap"]
    births = [look["born"] - looks[0]["born"] for look in looks]
    floating = [look["born"] - look["died"] - look["live_objects"] for look in looks]
    area = sum((b - a) * (m + n) / 2 for a, b, m, n in zip(births, births[1:], floating, floating[1:]))
    died = looks[-1]["died"] - looks[0]["died"]
    reclaims = line.get("reclaims") is not False and died > 0
    mean = area / births[-1] if births[-1] else 0.0
    return Heap(line["group"], line["label"], line["collector"], births, floating, [look["live_objects"] for look in looks],
                [look["tracked"] for look in looks if look["tracked"]], mean, max(floating), area / died if reclaims else None,
                sum(sum(r["collections"]) for r in line["rounds"]))


def heaps(lines: list[Line]) -> list[Heap]:
    return [heap_of(l) for l in lines if _tells(l) and l["repetition"] == 0]


def _tells(line: Line) -> bool:
    return line["purpose"] == "heap" and line["outcome"] == "ok" and all(look["live_objects"] is not None for look in line.get("heap") or [{"live_objects": None}])


def silent(lines: list[Line]) -> list[str]:
    """Rows that were asked and told nothing, with their outcome."""
    return [f"{l['group']}, {l['label']}: {l['outcome'].replace('_', ' ')}" + (f": {l['message']}" if l["message"] else "")
            for l in lines if l["purpose"] == "heap" and not _tells(l)]


def told(found: list[Heap]) -> str:
    cells = [("configuration", "live", "floating, mean", "at most", "drag, births")]
    for group in dict.fromkeys(h.group for h in found):
        cells.append((f"{group}:", "", "", "", ""))
        cells += [(f"  {h.label}", f"{h.live[-1]:,}", f"{h.mean:,.0f}", f"{h.peak:,}", "for ever" if h.drag is None else f"{h.drag:,.0f}" + (" (few collections)" if h.collections < FEW else ""))
                  for h in found if h.group == group]
    widths = [max(len(c[i]) for c in cells) for i in range(len(cells[0]))]
    return "\n".join("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))).rstrip() for line in cells)


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
        subprocess.run([BLOCKS, "batch", "count=260000", "order=random", "--allocator=pymalloc", "--units=1", "--rounds=1",
                        f"--map={place / 'occupancy.map'}"], stdout=subprocess.DEVNULL, check=True)
    return plots._gnuplot(place, "occupancy", {})


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="heap.py", description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", default="latest", help="a run of the matrix heap; latest by default")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    parser.add_argument("--no-occupancy", action="store_true", help="leave the map of pools out")
    options = parser.parse_args(arguments)
    try:
        folder = record.find(options.run, options.results)
        about, lines = record.read_run(folder), record.read_lines(folder)
        found = heaps(lines)
        if not found:
            raise BadInput(f"{shown(folder)} has no looks into a heap: take them with `make heap`")
        drawn = draw(folder, about, found) + ([] if options.no_occupancy else occupancy(folder))
        print("\n".join([told(found), *(f"  {words}" for words in silent(lines))]))
        for path in (p for p in drawn if p.suffix == ".png"):
            print(f"  plot   {shown(path)}")
        print(f"  report {shown(report.write(folder, about, lines, summary.summarise(about['matrix'], lines)))}")
    except (BadInput, Stopped) as error:
        print(f"heap: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
