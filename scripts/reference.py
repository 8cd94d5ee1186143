#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""reference.py - the runs that the README shows: `make reference`.

Copies a finished run to results/reference/ (one of a matrix with tables or pictures of its own in the README, to
results/reference-<matrix>/) and writes the README's tables from it, between the comments <!-- table: NAME --> and
<!-- end -->, so that no figure in the README is typed by hand. With --check it only says whether README and references
agree. What whole programs took is no run of a matrix: `make bench-programs OUT=results/reference-programs` keeps it.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import csv
import json
import re
from pathlib import Path

import attribution
import bars
import bench_collectors
import names
import record
import stats
import summary
import table
from stats import Estimate
from summary import GroupSummary, Row

TOP = Path(__file__).resolve().parent.parent
README = TOP / "README.md"
REFERENCE = record.RESULTS / "reference"
OF_ALLOCATORS = record.RESULTS / "reference-allocators"         # of `make bench-allocators`
OF_COLLECTORS = record.RESULTS / "reference-collectors"         # of `make bench-collectors`
OF_COUNTS = record.RESULTS / "reference-counts"                 # of its counts alone, PART=counts
OF_ATTRIBUTION = record.RESULTS / "reference-attribution"       # of `make attribution`
OF_SIZES = record.RESULTS / "reference-sizes"                   # of `make sizes`
OF_PROGRAMS = record.RESULTS / "reference-programs"             # of `make bench-programs` and `make beside-cpython`
# matrices that the README shows beside the default one
OF_THEIR_OWN = ("allocators", "collectors", "counts", "attribution", "sizes", "latency", "heap", "spacetime", "aa")


class Run:
    """A run's rows by group and label."""

    def __init__(self, folder: Path) -> None:
        about = record.read_run(folder)
        self.lines = record.read_lines(folder)
        self.groups = {g.name: g for g in summary.summarise(about["matrix"], self.lines)}

    def row(self, group: str, label: str) -> Row | None:
        return next((r for r in self.groups[group].rows if r.label == label), None) if group in self.groups else None

    def ratio(self, group: str, label: str, to: str) -> str:
        """label's throughput over to's: their times the other way round."""
        mine, theirs = self.row(group, label), self.row(group, to)
        if not mine or not theirs or not mine.time or not theirs.time:
            return mine.outcome if mine and mine.outcome != "ok" else "-"
        estimate = stats.ratio_of(theirs.sample, mine.sample, self.groups[group].method == "turns")
        return f"{estimate.value:.2f}x ({estimate.low:.2f} .. {estimate.high:.2f})" if estimate else "-"

    def peak(self, group: str, label: str) -> str:
        row = self.row(group, label)
        return table.in_bytes(row.peak_rss) if row and row.peak_rss is not None else "-"

    def in_ns(self, group: str, label: str) -> str:
        row = self.row(group, label)
        return f"{table.in_ns(row.time.value)} ns" if row and row.time else row.outcome if row else "-"


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def backends(run: Run) -> str:
    """The backends people come for."""
    def objects(name: str, words: str, alone: tuple[str, str, str], threads: bool = True) -> list[str]:
        label = f"{name}/tcmalloc"
        two = run.ratio("two", f"{label}@2", label) if threads else "one thread only"
        return [words, f"`{name}`", run.ratio(*alone), two, run.peak("cycles", label), run.peak("strong", label)]
    plain = ("calls", "{}/tcmalloc", "refcount/tcmalloc")
    safe = ("safety", "{}/tcmalloc", "segregated/tcmalloc")
    def against(which: tuple[str, str, str], name: str) -> tuple[str, str, str]:
        return which[0], which[1].format(name), which[2]
    rows = [
        ["pymalloc-style arenas, pools and blocks", "`pymalloc`",
         run.ratio("cpython", "pymalloc", "system") + " of glibc", "under a lock only", "-", "-"],
        objects("refcount", "reference counting alone", against(plain, "refcount"), threads=False),
        objects("cyclic", "reference counting plus a cyclic collector", against(plain, "cyclic"), threads=False),
        objects("gil", "the same under a GIL", ("calls", "gil/tcmalloc", "cyclic/tcmalloc")),
        objects("locked_object", "counts behind a lock in each object", against(safe, "locked_object")),
        objects("locked_global", "counts behind one lock for all", against(safe, "locked_global")),
        objects("atomic", "atomic counts", against(safe, "atomic")),
        objects("biased", "biased counts", against(safe, "biased")),
        objects("free_threaded", "biased counts, and what threads share immortal (PEP 703)", against(safe, "free_threaded")),
    ]
    return _markdown(["backend", "name", "one thread", "two threads over one", "rings leak", "autograd, strong"], rows)


def shown(groups: list[GroupSummary]) -> dict[str, str]:
    """Each configuration by its label, as people read it."""
    return {r.label: r.shown for g in groups for r in g.rows if not r.twin}


def _matrix(run: Run, names: list[str], of: str) -> str:
    groups = [run.groups[n] for n in names if n in run.groups]
    labels = shown(groups)
    rows = [[f"`{name}`", *(run.in_ns(g.name, label) if run.row(g.name, label) else "-" for g in groups)] for label, name in labels.items()]
    floors = ["noise floor", *(f"{100 * g.floor:.1f} %" if g.floor == g.floor else "-" for g in groups)]
    return _markdown([of, *(g.name for g in groups)], [*rows, floors])


def _between(estimate: Estimate | None) -> str:
    return "-" if not estimate else f"{table.in_ns(estimate.value)} ({table.in_ns(estimate.low)} .. {table.in_ns(estimate.high)})"


def speed(run: Run) -> str:
    """Every group of `make bench-allocators`, with its intervals; and what is resident over what was asked for."""
    groups = list(run.groups.values())
    labels = shown(groups)
    def kept(label: str) -> str:
        row = run.row("steady 1M", label)
        return f"{row.end_rss / row.live_bytes:.3f}x" if row and row.end_rss and row.live_bytes else "-"
    def cell(group: GroupSummary, label: str) -> str:
        row = run.row(group.name, label)
        return "-" if row is None else _between(row.time) if row.time else row.outcome.replace("_", " ")
    rows = [[f"`{name}`", *(cell(g, label) for g in groups), kept(label)] for label, name in labels.items()]
    floors = ["noise floor", *(f"{100 * g.floor:.1f} %" if g.floor == g.floor else "-" for g in groups), ""]
    return _markdown(["ns per operation", *(g.name for g in groups), "resident / live"], [*rows, floors])


def aims(run: Run) -> str:
    return _markdown(list(bars.COLUMNS), [list(line) for line in bars.judge(list(run.groups.values()))])


def layers(run: Run) -> str:
    """What each layer adds to an operation, by collector, in ns."""
    falls = attribution.attribute(run.groups["calls"])
    prices = [{step.layer: step.price for step in fall} for fall in falls]
    names = list(dict.fromkeys(name for of in prices for name in of))
    rows = [[name, *(_between(of.get(name)) for of in prices)] for name in (*(n for n in names if n != "all"), "all")]
    return _markdown(["`calls`, ns", *(f"`{fall[0].collector}`" for fall in falls)], rows)


def growth(run: Run) -> str:
    """The power of the size with which the time of all operations grows, by curve and backend."""
    found = summary.curves(list(run.groups.values()))
    labels = shown([g for curve in found for g in curve.groups])
    def cell(curve: summary.Curve, label: str) -> str:
        fit = curve.exponents.get(label)
        return f"{fit.value:.2f} ({fit.low:.2f} .. {fit.high:.2f})" if fit else "-"
    return _markdown(["time of all grows as size to the", *(c.name for c in found)],
                     [[f"`{name}`", *(cell(c, label) for c in found)] for label, name in labels.items()])


def programs(folder: Path) -> str:
    """Each whole program on each malloc: its time and its peak memory, over glibc's."""
    with (folder / "programs.tsv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    programs_ = list(dict.fromkeys(r["program"] for r in rows))
    def cell(row: dict[str, str] | None) -> str:
        if row is None or row["outcome"] != "ok":
            return row["outcome"].replace("_", " ") if row else "-"
        time_, low, high, peak = (float(row[k]) for k in ("ratio", "ratio_low", "ratio_high", "peak_ratio"))
        return f"{time_:.2f} ({low:.2f} .. {high:.2f}), {peak:.2f}"
    of = {(r["program"], r["allocator"]): r for r in rows}
    told = folder / "programs.json"
    shown_as = names.of_packages(json.loads(told.read_text(encoding="utf-8"))["machine"]) if told.exists() else {}
    return _markdown(["time over glibc's, peak memory over glibc's", *programs_],
                     [[f"`{shown_as.get(a, a)}`", *(cell(of.get((n, a))) for n in programs_)] for a in dict.fromkeys(r["allocator"] for r in rows)])


def _all(rows: list[list[str]]) -> str:
    return _markdown(rows[0], rows[1:])


TABLES = {
    "backends": (REFERENCE, backends),
    "allocators": (REFERENCE, lambda run: _matrix(run, ["small", "churn", "cpython", "sqlite3", "cc1"], "ns per operation")),
    "collectors": (REFERENCE, lambda run: _matrix(run, ["calls", "chain", "cycles", "strong", "weak"], "ns per operation")),
    "speed": (OF_ALLOCATORS, speed),
    "aims": (OF_ALLOCATORS, aims),
    "counts": (OF_COUNTS, lambda run: _all(bench_collectors.counts_rows(list(run.groups.values())))),
    "collections": (OF_COLLECTORS, lambda run: _all(bench_collectors.graphs_rows(list(run.groups.values())))),
    "pauses": (OF_COLLECTORS, lambda run: _all(bench_collectors.pauses_rows(run.lines))),
    "layers": (OF_ATTRIBUTION, layers),
    "growth": (OF_SIZES, growth),
    "programs": (OF_PROGRAMS, programs),
}


def rewritten(text: str) -> str:
    """A table whose run is not there stays as it is."""
    runs = {folder: folder if folder == OF_PROGRAMS else Run(folder) for folder in {where for where, _ in TABLES.values()} if folder.is_dir()}
    for name, (folder, make) in TABLES.items():
        if folder in runs:
            text = re.sub(rf"(<!-- table: {name} -->\n).*?(<!-- end -->)",
                          lambda m: m[1] + make(runs[folder]) + "\n" + m[2], text, flags=re.S)
    return text


def keep(folder: Path) -> None:
    """In the place of the reference of its kind. Without its page: `make report` writes that from the rest."""
    about = record.read_run(folder)
    if not summary.summarise(about["matrix"], record.read_lines(folder)):
        raise record.BadInput(f"{record.shown(folder)} is empty: nothing was measured; show another run")
    name = about["matrix"]["name"]
    place = REFERENCE.with_name(f"reference-{name}") if name in OF_THEIR_OWN else REFERENCE
    if folder != place:
        record.keep(folder, place, "index.html")


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="reference.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("--run", default="latest", help="the finished run to show")
    parser.add_argument("--check", action="store_true", help="do README and results/reference agree?")
    options = parser.parse_args(arguments)
    if not options.check:
        keep(record.find(options.run, record.RESULTS).resolve())
    text = README.read_text(encoding="utf-8")
    fresh = rewritten(text)
    if options.check:
        if fresh != text:
            print("reference: README.md does not show its reference runs: run scripts/reference.py --run reference", file=sys.stderr)
        return int(fresh != text)
    record.write_whole(README, fresh)
    return 0


if __name__ == "__main__":
    net.run("reference", lambda: main(sys.argv[1:]))
