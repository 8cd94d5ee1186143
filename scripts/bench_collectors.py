#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench_collectors.py - what each collector costs: `make bench-collectors`.

    counts      a take and a drop: one thread, two on objects of their own, two on one object; floor: an addition
                and a subtraction in memory
    graphs      nanoseconds an object of one full collection, on equal graphs, beside CPython's gc.collect() and
                libgc's; the first after building, and one like it again
    lock        what polling under the global lock costs, and what two threads under it get done
    headers     bytes before an object's payload, as declared, beside CPython's
    pauses      recorded in invocations of their own, on a table of chains of which random ones are replaced

Measured like any other matrix (turns in one run, or blocks where threads contend): this file only writes the
plan, and reads the lines as the questions of the table. The statistics are those of stats.py.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import collector_plots
import machine
import plots
import record
import run
import stats
import summary
import table
from matrix import DEFAULTS, Configuration, Group, Matrix
from net import BadInput
from record import Journal, shown
from resident import Harness
from summary import GroupSummary, Row

COUNTS = ("refcount", "immortal", "locked_object", "parked_object", "locked_global", "atomic", "biased", "racy",
          "locked_object_immortal", "parked_object_immortal", "locked_global_immortal", "atomic_immortal", "free_threaded")
IMMORTALS = ("locked_object_immortal", "parked_object_immortal", "locked_global_immortal", "atomic_immortal", "free_threaded")
THREADED = ("gil", "tick_gil", "locked_object", "parked_object", "locked_global", "atomic", "biased", "racy", *IMMORTALS)
FLOOR, CPYTHON = "two instructions", "CPython"
FINDERS = {"cyclic": "pymalloc", "segregated": "pymalloc", "marksweep": "system", "boehm": "system"}
GRAPHS = [(shape, collection) for shape in ("live_array", "live_random", "live_chain", "live_shuffled")
          for collection in ("first", "repeated")] + [("dead_pairs", "first"), ("dead_random", "first")]
PAUSED = ("refcount", "cyclic", "marksweep", "boehm")
CPYTHON_HEADERS = (16, 32)          # an object's, and with the two words of a tracked one: CPython 3.11


@dataclass(frozen=True)
class Depth:
    """How long to look."""
    sizes: tuple[int, ...]
    graphs: tuple[tuple[str, str], ...]
    repetitions: int
    graph_repetitions: tuple[int, ...]      # by size: large ones take most of the time
    rounds: int                     # of small graphs; large ones get fewer
    touch_s: float
    pause_rounds: int
    pause_repetitions: int


QUICK = Depth((10_000,), tuple(g for g in GRAPHS if g[0] in ("live_random", "live_array", "dead_pairs", "dead_random")),
              3, (3,), 3, 0, 100, 1)
USUAL = Depth((10_000, 100_000, 1_000_000), tuple(GRAPHS), 7, (4, 4, 6), 11, 2, 500, 2)
THOROUGH = replace(USUAL, sizes=(*USUAL.sizes, 10_000_000), graph_repetitions=(*USUAL.graph_repetitions, 3))
LOCKS = 3                           # times the repetitions: seven invocations cannot tell their bars from what is measured
FIRST_UP_TO = 1_000_000             # larger live graphs are collected repeatedly alone: to build one takes half a minute
PARTS = {"all": "what each collector costs", "counts": "what counts and locks cost", "graphs": "what full collections cost",
         "pauses": "how long collectors stop a program"}
DEPTHS = {"quick": QUICK, "usual": USUAL, "thorough": THOROUGH}


# --- the plan ----------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Named(Configuration):
    """A row under a name of its own."""
    name: str = ""

    @property
    def label(self) -> str:
        return self.name + (f"@{self.threads}" if self.threads > 1 else "") + ("#2" if self.twin else "")


class Mixed(Harness):
    """Our executables, and the script that is CPython's side of the graphs."""

    def command(self, row: Configuration, seed: int, repetition: int, memory_limit: int) -> list[str]:
        if row.collector != "cpython":
            return super().command(row, seed, repetition, memory_limit)
        return ["/usr/bin/python3", str(machine.ROOT / "scripts/cpython/gc_cost.py"), row.workload,
                *(f"{name}={value}" for name, value in row.parameters), f"--seed={seed}"]


def _group(name: str, title: str, rows: list[Named], baseline: str, pair: str, depth: Depth, **settings: Any) -> Group:
    usual = {**DEFAULTS, "repetitions": depth.repetitions, "least_repetitions": 99, "memory": False,
             "bias_turns": 0, "rounds": depth.rounds, "block_rounds": depth.rounds, "touch_s": depth.touch_s,
             "timeout_s": 300}
    twins = [replace(row, twin=True) for row in rows if row.label == pair]
    return Group(name, rows[-1].workload, dict(rows[-1].parameters), (*rows, *twins), baseline, pair, "costs", title,
                 {**usual, **settings})


def _row(name: str, workload: str, parameters: dict[str, Any], collector: str, allocator: str, threads: int = 1,
         **options: int) -> Named:
    return Named(workload, tuple(sorted(parameters.items())), collector, allocator, threads, tuple(options.items()), name=name)


def _counts(name: str, title: str, objects: str, depth: Depth) -> Group:
    floor = _row(FLOOR, "shared", {"size": 100_000, "objects": "bare"}, "refcount", "system")
    rows = [_row(c, "shared", {"size": 100_000, "objects": objects}, c, "system") for c in COUNTS]
    return _group(name, title, [floor, *rows], FLOOR, "refcount", depth)


def _threads(objects: str, depth: Depth) -> Group:
    immortal = objects == "immortal"
    rows = [_row(c, "shared", {"size": 100_000, "objects": objects}, c, "system", n)
            for c in (IMMORTALS if immortal else THREADED) for n in (1, 2)]
    baseline = "atomic_immortal" if immortal else "atomic"
    return _group(f"threads_{objects}", f"take and drop, threads on {objects}", rows, baseline, baseline, depth, method="blocks")


def _lock(depth: Depth) -> Group:
    rows = [_row(c, "calls", {"size": 20_000}, c, "pymalloc") for c in ("cyclic", "gil", "tick_gil")]
    return _group("lock", "calls that poll, one thread", rows, "cyclic", "cyclic", depth, repetitions=LOCKS * depth.repetitions)


def _busy(depth: Depth) -> Group:
    """Rounds of a tenth of a second, twenty switch intervals: in shorter ones a single late hand-over decides."""
    rows = [_row("gil", "calls", {"size": 20_000}, "gil", "pymalloc", n) for n in (1, 2)]
    return _group("lock_threads", "calls that poll, two threads under the GIL", rows, "gil", "gil", depth, method="blocks", units=100,
                  repetitions=LOCKS * depth.repetitions)


def _graph(shape: str, collection: str, size: int, depth: Depth) -> Group:
    parameters = {"size": size, "shape": shape, "collection": collection}
    rows = [_row(name, "graph", parameters, name, allocator, automatic=0) for name, allocator in FINDERS.items()]
    rows.append(_row(CPYTHON, "graph", parameters, "cpython", "pymalloc"))
    rounds = depth.rounds if size < 100_000 else max(2, depth.rounds // (2 if size < 1_000_000 else 5))
    return _group(f"{shape}_{collection}_{size}", f"{shape}, {collection}", rows, CPYTHON, "cyclic", depth, rounds=rounds,
                  repetitions=depth.graph_repetitions[depth.sizes.index(size)])


def _pause_group(depth: Depth) -> Group:
    rows = [_row(c, "replace", {}, c, "pymalloc" if c in ("refcount", "cyclic") else "system") for c in PAUSED]
    return _group("pauses", "chains of a live table are replaced", rows, "refcount", "", depth, time=False, pauses=True,
                  repetitions=depth.pause_repetitions, pause_repetitions=depth.pause_repetitions, pause_rounds=depth.pause_rounds)


def plan(depth: Depth, part: str) -> Matrix:
    groups: list[Group] = []
    if part in ("all", "counts"):
        groups += [_counts("counts", "take and drop, one thread", "count", depth),
                   _counts("locals", "the same, kept in a local meanwhile", "own", depth),
                   _lock(depth), _busy(depth), *(_threads(objects, depth) for objects in ("own", "one", "immortal"))]
    if part in ("all", "graphs"):
        groups += [_graph(shape, collection, size, depth) for size in depth.sizes for shape, collection in depth.graphs
                   if size <= FIRST_UP_TO or collection == "repeated" or shape.startswith("dead")]
    if part in ("all", "pauses"):
        groups.append(_pause_group(depth))
    return Matrix("collectors" if part == "all" else part, PARTS[part], tuple(groups), groups[0].settings)


# --- the table -----------------------------------------------------------------------------------------

def _between(estimate: stats.Estimate) -> str:
    return f"{estimate.low:.2f}..{estimate.high:.2f}" if estimate.low == estimate.low else "one invocation"


def _ns(row: Row | None) -> str:
    if row is None:
        return "-"
    return table.in_ns(row.time.value) if row.time else row.outcome.replace("_", " ")


def _find(groups: list[GroupSummary], group: str, label: str) -> Row | None:
    return next((r for g in groups if g.name == group for r in g.rows if r.label == label), None)


def counts_rows(groups: list[GroupSummary]) -> list[list[str]]:
    """The count alone and through a local have the floor beside them; threads go through locals."""
    rows = [["a take and a drop, ns", "count alone", "over the floor", "95 % interval", "through a local", "over the floor",
             "2 threads, own", "2 threads, one", "2 threads, one immortal"]]
    names = dict.fromkeys(r.label for g in groups if g.name in ("counts", "threads_own") for r in g.rows if not r.twin)
    for name in (n for n in names if "@" not in n):
        alone, local = _find(groups, "counts", name), _find(groups, "locals", name)
        rows.append([name, _ns(alone), _over(alone), _interval(alone),
                     "" if name == FLOOR else _ns(local or _find(groups, "threads_own", name)), _over(local),
                     *("" if name == FLOOR else _ns(_find(groups, f"threads_{where}", f"{name}@2"))
                       for where in ("own", "one", "immortal"))])
    return rows


def _over(row: Row | None) -> str:
    return f"{row.ratio.value:.2f}" if row and row.ratio else ""


def _interval(row: Row | None) -> str:
    return _between(row.ratio) if row and row.ratio else ""


def graphs_rows(groups: list[GroupSummary]) -> list[list[str]]:
    rows = [["a full collection, ns an object", "objects", *FINDERS, CPYTHON, "cyclic / CPython", "95 % interval", "noise"]]
    for group in (g for g in groups if g.workload == "graph"):
        found = {r.label: r for r in group.rows}
        cyclic = found.get("cyclic")
        rows.append([group.title, f"{group.parameters['size']:,}", *(_ns(found.get(name)) for name in [*FINDERS, CPYTHON]),
                     _over(cyclic) or "-", _interval(cyclic) or "-", _percent(group.floor)])
    return rows


LIBGC_SWEEPS = "libgc sweeps when it next allocates: what dead objects cost it is not in here"


def _percent(floor: float) -> str:
    return "-" if floor != floor else f"{100 * floor:.0f} %" if floor < 1 else "over 100 %"


def headers_table(known: dict[str, Any]) -> str:
    rows = [["bytes before the payload", "untracked", "tracked"]]
    rows += [[name, str(c["header_bytes"]), str(c["tracked_header_bytes"])]
             for name, answer in known.items() if (c := answer.get("collector")) and "header_bytes" in c]
    return table.aligned([*rows, ["CPython 3.11", *(str(b) for b in CPYTHON_HEADERS)]])


def pauses_rows(lines: list[record.Line]) -> list[list[str]]:
    """All invocations of a row together, as in the figure."""
    rows = [["pauses", "heap", "number", "p50", "p99", "p99.9", "longest", "in pauses", "MMU 10 ms", "MMU 100 ms"]]
    known = [line for line in lines if line["purpose"] == "pauses"]
    for label in dict.fromkeys(line["label"] for line in known):
        mine = [line for line in known if line["label"] == label]
        found = [line["pauses"] for line in mine if line["pauses"]]
        if not found:
            rows.append([label, "", mine[0]["outcome"].replace("_", " "), *[""] * 7])
            continue
        kinds, size = [p["kinds"]["any"] for p in found], mine[0]["options"].get("heap_bytes")
        count = sum(k["count"] for k in kinds)
        shares = (sum(p[key] for p in found) for key in ("collector_ns", "total_ns"))
        rows.append([label, table.in_bytes(size) if size else "no bound", f"{count:,}",
                     *(_us(percentile(kinds, count, share)) for share in (0.5, 0.99, 0.999)), _us(max(k["max_ns"] for k in kinds)),
                     f"{next(shares) / next(shares):.1%}", *(_mmu(found, window) for window in (10, 100))])
    return rows


def percentile(kinds: list[dict[str, Any]], count: int, share: float) -> int | None:
    """Of the histograms together, the bucket that so many of the pauses do not pass; None: fewer than ten lie beyond."""
    if count * (1 - share) < 10:
        return None
    below = 0
    for ns, number in collector_plots.buckets(kinds):
        below += number
        if below >= share * count:
            return ns
    return None


def _mmu(found: list[dict[str, Any]], window: int) -> str:
    least = [dict(map(tuple, p["mmu"]))[window] for p in found]
    return "-" if None in least else f"{min(least):.0%}"


HEAPS = f"what traces has {DEFAULTS['heap_budget']:g} times the smallest heap in which it finishes"


def _us(ns: float | None) -> str:
    return "-" if ns is None else f"{table.in_ns(ns / 1000)} µs"


# --- the bars --------------------------------------------------------------------------------------------

def bars(groups: list[GroupSummary]) -> list[str]:
    """What was promised, and whether it holds: one line each, a summary for the graphs."""
    said = [_bar("plain counts at most 1.1 of two bare instructions", _ratio(groups, "counts", "refcount"), 1.10),
            _bar("polling under the GIL at most 1.05 of the same collector without", _ratio(groups, "lock", "gil"), 1.05)]
    alone, both = (_find(groups, "lock_threads", label) for label in ("gil", "gil@2"))
    pair = stats.ratio_of(both.sample, alone.sample, False) if alone and both and alone.time and both.time else None
    said.append(_bar("two threads under the GIL at least 0.98 of one (time at most 1.02)", pair, 1 / 0.98))
    graphs = [(_graph_name(g), next((r.ratio for r in g.rows if r.label == "cyclic"), None)) for g in groups if g.workload == "graph"]
    floors = {_graph_name(g): g.floor for g in groups if g.workload == "graph"}
    lines = [_bar(f"generational at most CPython's time: {name}", ratio, 1.0, floors[name]) for name, ratio in graphs]
    if lines:
        met = sum(line.startswith("met") for line in lines)
        said += [f"{met} of {len(lines)} graphs: generational surely takes no longer than CPython, by more than the noise",
                 *(line for line in lines if not line.startswith("met"))]
    return said


def _ratio(groups: list[GroupSummary], group: str, label: str) -> stats.Estimate | None:
    row = _find(groups, group, label)
    return row.ratio if row else None


def _graph_name(group: GroupSummary) -> str:
    return f"{group.title}, {group.parameters['size']:,}"


def _bar(what: str, ratio: stats.Estimate | None, bar: float, floor: float = 0.0) -> str:
    """With a floor, a ratio that is nearer to the bar than two equal rows were to each other decides nothing."""
    if ratio is None:
        return f"not measured  {what}"
    verdict, noise = stats.reaches(ratio, bar, True), ""
    if floor > 0 and abs(ratio.value / bar - 1) <= floor:
        verdict, noise = "not sure", f", noise {_percent(floor)}"
    return f"{verdict:<12}  {what}: {ratio.value:.3f} ({_between(ratio)}{noise})"


# --- the run ---------------------------------------------------------------------------------------------

def _finish(folder: Path, about: dict[str, Any], journal: Journal, known: dict[str, Any], options: argparse.Namespace) -> int:
    groups = summary.summarise(about["matrix"], journal.lines)
    about["after"] = machine.state()
    about["finished"] = about["after"]["utc"]
    record.write_whole(folder / "summary.tsv", table.summary_tsv(groups, journal.lines))
    record.write_whole(folder / "benchmark.json", table.benchmark_json(groups, journal.lines, about))
    drawn = [] if options.no_plots else plots.or_said(lambda: collector_plots.draw(folder, groups, journal.lines))
    record.write_run(folder, about)
    wrong = [f"WRONG RESULT: {r.label} in group {g.name}: {r.message}" for g in groups for r in g.rows if r.outcome == "checksum"]
    tables = [(counts_rows(groups), ""), (graphs_rows(groups), f"\n  {LIBGC_SWEEPS}"), (pauses_rows(journal.lines), f"\n  {HEAPS}")]
    parts = [*(table.aligned(rows) + remark for rows, remark in tables if len(rows) > 1), headers_table(known), *wrong,
             "\n".join(bars(groups)), "\n".join(f"! {g.name}: {note}" for g in groups for note in g.notes)]
    said = "\n\n".join(part for part in parts if part)
    record.write_whole(folder / "table.txt", said + "\n")
    print(f"\n{said}\n\nresults: {shown(folder)}/  (table.txt, summary.tsv, invocations.jsonl)")
    for path in drawn:
        print(f"  plot   {shown(path)}")
    return 1 if wrong else 0


def _run(options: argparse.Namespace, arguments: list[str]) -> int:
    depth = DEPTHS[options.depth]
    harness = Mixed(options.bin.absolute())
    known = harness.knows()
    if not known:
        raise BadInput(f"no harness in {shown(options.bin)}: build it first with `make all`")
    matrix = plan(depth, options.part)
    lock = record.lock(options.results)
    folder, about = run.open_run(options, matrix, harness, known, arguments)
    about["command"] = machine.relative(" ".join(["scripts/bench_collectors.py", *arguments]))
    journal = Journal(folder)
    try:
        run.measure(run.budgeted(matrix, harness, known, folder, about), harness, journal, folder)
        return _finish(folder, about, journal, known, options)
    except net.Interrupted:
        raise net.Interrupted(f"{len(journal.lines)} invocations kept in {shown(folder)}; the same command goes on from there") from None
    finally:
        journal.close()
        os.close(lock)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = net.Parser(prog="bench_collectors.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("--depth", default="usual", choices=DEPTHS,
                        help="quick: a minute or two, the smallest graphs, three invocations; "
                             "usual: about half an hour; thorough: an hour more, graphs of ten million objects too")
    parser.add_argument("--quick", dest="depth", action="store_const", const="quick", help="the same as --depth quick")
    parser.add_argument("--thorough", dest="depth", action="store_const", const="thorough", help="the same as --depth thorough")
    parser.add_argument("--part", default="all", choices=PARTS, help="all, or only counts and locks, graphs, or pauses")
    run.add_folder_options(parser)
    parser.add_argument("--check", action="store_true", help="only look whether the names are known; nothing need be built")
    parser.set_defaults(matrix="collectors")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    return 0 if options.check else _run(options, arguments)


if __name__ == "__main__":
    net.run("bench-collectors", lambda: main(sys.argv[1:]))
