#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""latency.py - how long those wait who come while memory is managed: `make latency`

The workload `requests` is an open loop: requests are due by a schedule of their own. Of each it tells latencies:

    simple     from when the server took it up until it was answered: what a closed loop would see
    metered    from when it was due: whoever comes during a pause waits for the rest of it, and so does the queue behind
    smoothed   what DaCapo, which knows only when requests were taken up, makes of these; in the table alone

as percentiles of an invocation, each only where ten requests at least lie above it (workloads/objects/latencies.h).
Here they become medians over invocations, a table, and a figure.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

from collections.abc import Iterable
from pathlib import Path

import plots
import record
import stats
import summary
import table
from net import BadInput
from record import Line, shown
from stats import Estimate
from summary import GroupSummary

DRAWN = ("simple", "metered")
KINDS = (*DRAWN, "smoothed")
# name of a figure, words, and one in how many is longer; of the longest, as many as there were
PLACES = (("p50", "50 %", 2), ("p90", "90 %", 10), ("p99", "99 %", 100), ("p999", "99.9 %", 1000), ("max", "longest", None))


def latency(lines: Iterable[Line], name: str) -> Estimate | None:
    """The median over invocations of one figure of this row's, in ns or a share; None where none tells it."""
    told = {l["repetition"]: l["figures"][name]["mean"] for l in lines
            if l["purpose"] == "time" and l["outcome"] == "ok" and l["kept"] and name in (l.get("figures") or {})}
    return stats.median_of(stats.single(told)) if told else None


def latencies(lines: Iterable[Line]) -> dict[str, list[tuple[str, int, Estimate]]]:
    """By kind: words, one in how many is longer, and the latency."""
    lines = list(lines)
    size = max((l["declared"]["operations"] for l in lines if l.get("declared")), default=0)
    found = {kind: [(words, beyond or size, estimate) for place, words, beyond in PLACES
                    if (estimate := latency(lines, f"{kind}_{place}_ns"))] for kind in KINDS}
    return {kind: each for kind, each in found.items() if each} if all(found[kind] for kind in DRAWN) else {}


def rows(groups: list[GroupSummary], lines: list[Line]) -> list[tuple[GroupSummary, summary.Row, list[Line]]]:
    """Those that tell latencies, with their lines."""
    found = [(g, r, [l for l in lines if (l["group"], l["label"]) == (g.name, r.label)]) for g in groups for r in g.rows if not r.twin]
    return [(g, r, mine) for g, r, mine in found if latencies(mine)]


def printed(shown_rows: list[tuple[GroupSummary, summary.Row, list[Line]]]) -> str:
    cells = [["configuration", "late", "latency", *(words for _, words, _ in PLACES)]]
    for _, row, lines in shown_rows:
        late = latency(lines, "late_share")
        before = [row.shown, f"{100 * late.value:.1f} %" if late else "-"]
        for kind, each in latencies(lines).items():
            told = {words: plots._duration(estimate.value) for words, _, estimate in each}
            cells.append([*before, kind, *(told.get(words, "withheld") for _, words, _ in PLACES)])
            before = ["", ""]
    return table.aligned(cells)


def draw(folder: Path, group: GroupSummary, shown_rows: list[tuple[GroupSummary, summary.Row, list[Line]]]) -> list[Path]:
    place = plots.folder_of(folder / "plots")
    backends = {key: number for number, key in enumerate(dict.fromkeys(plots.backend_of(group, r).key for _, r, _ in shown_rows), 1)}
    points = [(panel, backends[plots.backend_of(group, r).key], r.label, at, words, *plots._three(estimate))
              for _, r, lines in shown_rows for panel, kind in enumerate(DRAWN, 1)
              for at, (words, _, estimate) in enumerate(latencies(lines)[kind], 1)]
    plots._tsv(place / "latency.tsv", "panel backend label place words ns low high", points)
    return plots._gnuplot(place, "latency", {
        "TITLE": "How long does a request wait?", **plots._series(backends),
        "SUB": f"{group.title[0].upper()}{group.title[1:]}; logarithmic; whiskers: 95 % intervals",
        "PLACES": plots._words(words.replace('%', '%%') for _, words, _ in PLACES), "LOW": min(p[6] for p in points) / 1.6, "HIGH": max(p[7] for p in points) * 1.6})


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="latency.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("run", nargs="?", default="latest", help="a run of the matrix latency; latest by default")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    options = parser.parse_args(arguments)
    folder = record.find(options.run, options.results)
    about, lines = record.read_run(folder), record.read_lines(folder)
    told = rows(summary.summarise(about["matrix"], lines), lines)
    if not told:
        raise BadInput(f"{shown(folder)} has no row that tells latencies: measure them with `make latency`")
    for name in dict.fromkeys(g.name for g, _, _ in told):
        mine = [t for t in told if t[0].name == name]
        print(f"{mine[0][0].title}\n{printed(mine)}")
        for path in plots.or_said(lambda: draw(folder, mine[0][0], mine))[-1:]:
            print(f"  plot   {shown(path)}")
    return 0


if __name__ == "__main__":
    net.run("latency", lambda: main(sys.argv[1:]))
