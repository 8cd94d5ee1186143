#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""run.py - measure a matrix: `make bench`.

    choose     read the matrix, narrow it, refuse what nobody knows
    open       a new folder of results, or the newest unfinished one of the same matrix and code
    measure    repetition by repetition, each group once: time in turns or blocks, then memory
    finish     run.json, summary.tsv, benchmark.json, plots, results/latest, and the table

Repetitions are the outer loop, so that each configuration meets the machine at many times of the run, and
so that a run that must stop early has something of everything.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import argparse
import contextlib
import hashlib
import io
import json
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import blocks
import console
import heaps
import limits
import machine
import matrix as matrices
import plots
import record
import registry
import report
import stats
import summary
import table
import turns
from matrix import Configuration, Group, Matrix
from net import BadInput, Interrupted
from record import Journal, Line, shown
from resident import OPTIONAL, Harness

START_S = 0.35              # a guess of what it takes to start, count and calibrate one process: for the bar


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    if options.check:
        check(options)
        return 0
    return _told(options, arguments)


def _told(options: argparse.Namespace, arguments: list[str]) -> int:
    """The run, and its rows for other programs where they are asked for."""
    words = io.StringIO() if options.quiet else sys.stderr if options.json or options.tsv else sys.stdout
    with contextlib.redirect_stdout(words):
        status, folder = _run(options, arguments)
    if options.json or options.tsv:
        print(_rows(folder, options.json), end="")
    return status


def add_folder_options(parser: argparse.ArgumentParser) -> None:
    """What every program that measures takes: where to, with what, and whether to go on."""
    parser.add_argument("--resume", default=os.environ.get("RESUME") or "auto",
                        help="auto: go on with the newest unfinished run of the same matrix and code; no: begin anew")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    parser.add_argument("--bin", type=Path, default=machine.ROOT / "build/bin", help="folder of the harness's executables")
    parser.add_argument("--no-plots", action="store_true", help="leave the pictures out")


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = net.Parser(prog="run.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("--matrix", default="default",
                        help=f"{', '.join(matrices.known_matrices())}, or the path of a .toml file")
    parser.add_argument("--workloads", default="", help="only these workloads or groups")
    parser.add_argument("--collectors", default="", help="only these collectors")
    parser.add_argument("--allocators", default="", help="only these allocators; a path of a .so adds it")
    parser.add_argument("--precision", default="", nargs="?", const="2%",
                        help="a share, alone 2%%: repeat until every ratio's interval is at most this wide on either side, or the cap is reached")
    parser.add_argument("--largest", type=int, default=0, help="of sizes, only those up to this; 0: all")
    add_folder_options(parser)
    parser.add_argument("--check", action="store_true", help="only look whether the names are known; nothing need be built")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors, and what --json or --tsv asks for")
    parser.add_argument("--verbose", action="store_true", help="say which group is measured, and for which time")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the rows as JSON; words go to standard error")
    form.add_argument("--tsv", action="store_true", help="print the rows as a table for other programs; words go to standard error")
    return parser.parse_args(arguments)


def _rows(folder: Path, as_json: bool) -> str:
    """The run's rows for other programs."""
    text = (folder / "summary.tsv").read_text(encoding="utf-8")
    header, *rows = [line.split("\t") for line in text.splitlines()]
    return json.dumps({"run": shown(folder), "rows": [dict(zip(header, row)) for row in rows]}, indent=1) + "\n" if as_json else text


def _run(options: argparse.Namespace, arguments: list[str]) -> tuple[int, Path]:
    harness = Harness(options.bin.absolute())
    known = harness.knows()
    plan = choose(options, harness, known)
    lock = record.lock(options.results)
    folder, about = open_run(options, plan, harness, known, arguments)
    journal = Journal(folder)
    try:
        plan = budgeted(plan, harness, known, folder, about)
        measure(plan, harness, journal, folder, options.verbose)
        return finish(folder, about, journal, options), folder
    except Interrupted:
        kept = len(journal.lines)
        again = "make bench " + " ".join(f"{k}={shlex.quote(v)}" for k, v in _asked(options).items())
        raise Interrupted(f"{kept} invocation{'s' * (kept != 1)} kept in {shown(folder)}; "
                          f"`{again.strip()}` goes on from there") from None
    finally:
        journal.close()
        os.close(lock)


# --- choose ----------------------------------------------------------------------------------------

def choose(options: argparse.Namespace, harness: Harness, known: dict[str, dict[str, Any]]) -> Matrix:
    """The matrix, narrowed; BadInput where a name is not known."""
    if not known:
        raise BadInput(f"no harness in {shown(options.bin)}: build it first with `make all`")
    names = registry.listed(known)
    if any("broken" in answer for answer in known.values()):    # what it would have listed is asked for all the same: its rows say why not
        names |= registry.written()
    plan = _narrowed(options, names)
    for name in matrices.names(options.allocators):
        if "/" in name:
            harness.try_library(name)
    return plan


def check(options: argparse.Namespace) -> None:
    """BadInput where a name is not known, before anything is built."""
    _refuse_resume(options)
    _narrowed(options, registry.written())


def _refuse_resume(options: argparse.Namespace) -> None:
    if options.resume not in ("auto", "no"):
        raise BadInput(f"RESUME is 'auto' or 'no', not '{options.resume}'")


def _narrowed(options: argparse.Namespace, names: registry.Names) -> Matrix:
    workloads, collectors, allocators = (matrices.names(t) for t in (options.workloads, options.collectors, options.allocators))
    plan = matrices.read(options.matrix)
    known_collectors = names.collectors | OPTIONAL.keys()
    _refuse("workload", workloads, names.workloads | {g.name for g in plan.groups})
    _refuse("collector", collectors, known_collectors)
    _refuse("allocator", allocators, names.allocators, path=True)
    plan = matrices.narrow(plan, workloads, collectors, allocators)
    if options.largest:
        plan = matrices.up_to(plan, options.largest)
    if options.precision:
        plan = matrices.to_precision(plan, matrices.share(options.precision))
    for group in plan.groups:
        where = f"matrix '{plan.name}', group '{group.name}': "
        _refuse("workload", [group.workload], names.workloads, where)
        _refuse("collector", [c.collector for c in group.configurations if c.collector], known_collectors, where)
        _refuse("allocator", [c.allocator for c in group.configurations], names.allocators, where, path=True)
    return plan


def _refuse(kind: str, asked: list[str], known: set[str], where: str = "", path: bool = False) -> None:
    for name in asked:
        if path and "/" in name:
            if not Path(name).is_file():
                raise BadInput(f"{where}no such allocator library: {name}")
            continue
        for part in name.split(",")[0].split(":") if path else [name]:
            if part not in known:
                raise net.unknown(kind, part, known, ", locked:<allocator>, or the path of a .so" if path else "", where)


# --- open ------------------------------------------------------------------------------------------

def open_run(options: argparse.Namespace, plan: Matrix, harness: Harness, known: dict[str, Any],
             arguments: list[str]) -> tuple[Path, dict[str, Any]]:
    """The folder to measure into, and what run.json says of it."""
    code = _code_digest(harness, known)
    _refuse_resume(options)
    folder = record.unfinished(options.results, plan.digest(), code) if options.resume == "auto" else None
    if folder:
        about = record.read_run(folder)
        done = len(record.read_lines(folder))
        print(f"going on with {shown(folder)}: {done} invocations are done (RESUME=no begins anew)", flush=True)
        about["sittings"] = about.get("sittings", 1) + 1
    else:
        folder = record.begin(options.results, plan.name)
        words = {w["name"]: {"operation": w.get("operation"), "idea": w.get("idea")}
                 for answer in known.values() for w in answer["workloads"]}
        about = {"schema": 1, "matrix": plan.described(), "matrix_digest": plan.digest(), "code_digest": code,
                 "command": machine.relative(" ".join(["scripts/run.py", *arguments])), "seed": plan["seed"],
                 "asked": _asked(options), "workloads": words, "machine": machine.provenance(),
                 "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "before": machine.state(),
                 "sittings": 1, "finished": None}
        rows = sum(len(g.configurations) for g in plan.groups)
        print(f"measuring '{plan.name}' into {shown(folder)}: {len(plan.groups)} groups, {rows} rows"
              + (f", about {plan['budget_s'] / 60:.0f} min on a quiet machine" if plan["budget_s"] else ""), flush=True)
    record.write_run(folder, about)
    return folder, about


def _asked(options: argparse.Namespace) -> dict[str, str]:
    """As variables of make. Other scripts that measure have fewer of them."""
    narrowing = ("workloads", "collectors", "allocators", "precision", "largest")
    pairs = {"MATRIX": options.matrix if options.matrix != "default" else "",
             **{name.upper(): str(getattr(options, name, None) or "") for name in narrowing}}
    return {k: net.readable(",".join(matrices.names(v))) for k, v in pairs.items() if v}


def _code_digest(harness: Harness, known: dict[str, Any]) -> str:
    """Of the executables: the code that is measured. Another build is another run."""
    digests = [f"{name} {machine.file_digest(harness.folder / name)}" for name in sorted(known)]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:16]


def budgeted(plan: Matrix, harness: Harness, known: dict[str, Any], folder: Path, about: dict[str, Any]) -> Matrix:
    """The plan with bounded heaps for what traces; which, is kept in run.json, so that a resumed run has the same."""
    found = about.setdefault("heaps", {})
    plan, words = heaps.fitted(plan, limits.read())
    about["memory_limits"] = [*about.get("memory_limits", []), *words]
    for text in words:
        print(text, flush=True)
    plan = heaps.budgeted(plan, harness, known, found)
    record.write_run(folder, about)
    return plan


# --- measure ---------------------------------------------------------------------------------------

def measure(plan: Matrix, harness: Harness, journal: Journal, folder: Path, verbose: bool = False) -> None:
    """Everything that is not in the journal yet."""
    plan, _ = heaps.fitted(plan, limits.read())
    bar = Bar(plan)
    begun = time.monotonic()
    spent_before = sum(l["took_s"] for l in journal.lines)
    touched = False
    try:
        for repetition in range(max(_most(g) for g in plan.groups)):
            spent = spent_before + time.monotonic() - begun
            if repetition >= plan["least_repetitions"] and _over(plan["budget_s"], spent, repetition):
                bar.say(f"{repetition} repetitions took {spent:.0f} s: a further one would not fit into {plan['budget_s']} s")
                break
            for group in (g for g in plan.groups if repetition < _most(g) and not _precise(plan, g, journal, repetition)):
                if not touched and not _complete(journal, group, repetition):
                    machine.touch_memory(plan["touch_s"])
                    touched = True
                bar.group(group)
                core = machine.measuring_core(group.most_threads)
                if verbose:
                    bar.say(f"{group.name}, repetition {repetition + 1} of {_most(group)} at most")
                _time(harness, group, repetition, journal, core, bar)
                _memory(harness, group, repetition, journal, core, bar)
                _apart(harness, group, repetition, journal, core, bar, "pauses", "pause_repetitions", blocks.pauses)
                _apart(harness, group, repetition, journal, core, bar, "heap", "heap_repetitions", blocks.heap)
    finally:
        bar.close()


def _most(group: Group) -> int:
    """Repetitions of a group, at most."""
    return group["most_repetitions"] if group["precision"] else group["repetitions"]


def _precise(plan: Matrix, group: Group, journal: Journal, repetitions: int) -> bool:
    """Are so many repetitions enough for the precision that is asked for?"""
    def look(first: int) -> list[stats.Estimate | None]:
        """The group's ratios (its times, where it has no ratio), from its first repetitions."""
        lines = [l for l in journal.lines if l["group"] == group.name and l["repetition"] < first]
        rows = [r for g in summary.summarise(plan.described(), lines) for r in g.rows]
        return [r.ratio for r in rows] if any(r.ratio for r in rows) else [r.time for r in rows]
    if not group["precision"] or repetitions <= stats.FEWEST:
        return False
    return stats.enough(look(repetitions), look(repetitions - 1), group["precision"])


def _over(budget: float, spent: float, repetitions: int) -> bool:
    return bool(budget) and spent * (repetitions + 1) / repetitions > budget


def _complete(journal: Journal, group: Group, repetition: int) -> bool:
    return not group["time"] or not _missing(journal, group, repetition, "time")


def _missing(journal: Journal, group: Group, repetition: int, purpose: str) -> list[Configuration]:
    """Rows without a line, less those whose outcome is known not to change."""
    settled = {l["label"] for l in journal.lines if l["group"] == group.name and l["outcome"] in turns.SETTLED
               and l["purpose"] == purpose}
    return [c for c in group.configurations if c.label not in settled
            and not journal.done(group.name, purpose, c.label, repetition)]


def _time(harness: Harness, group: Group, repetition: int, journal: Journal, core: int, bar: Bar) -> None:
    rows = _missing(journal, group, repetition, "time") if group["time"] else []
    if group["method"] == "blocks":
        for row in blocks.in_random_order(rows, f"{group['seed']}/{group.name}/{repetition}"):
            begun = time.monotonic()
            earlier = [l for l in journal.lines if (l["group"], l["purpose"], l["label"]) == (group.name, "time", row.label)]
            found = blocks.timed(harness, group, row, repetition, core, earlier)
            journal.append([line_of(group, row, repetition, "time", found, time.monotonic() - begun)])
            bar.step(_guess_s(group) / len(group.configurations))
    elif rows:
        begun = time.monotonic()
        seats = turns.measure(harness, group, rows, repetition, core, _lightest_and_heaviest(journal, group),
                              lambda share: bar.step(share * _guess_s(group)))
        each = (time.monotonic() - begun) / len(seats)
        journal.append([line_of(group, s.row, repetition, "time", {
            **s.facts, "outcome": s.outcome, "message": s.message, "rounds": s.rounds, "consecutive": s.consecutive or None,
            "kept": s.outcome == "ok", "rejected": s.rejected, "together": len(seats)}, each) for s in seats])


def _memory(harness: Harness, group: Group, repetition: int, journal: Journal, core: int, bar: Bar) -> None:
    if not group["memory"] or repetition >= group["memory_repetitions"]:
        return
    for row in (c for c in _missing(journal, group, repetition, "memory") if not c.twin):
        timed = journal.done(group.name, "time", row.label, 0)
        if timed and timed["outcome"] in ("unsupported", "not_installed", "bad_input") and group["method"] == "blocks":
            continue
        begun = time.monotonic()
        found = blocks.memory(harness, group, row, repetition, core)
        journal.append([line_of(group, row, repetition, "memory", found, time.monotonic() - begun)])
        bar.step(START_S)


def _apart(harness: Harness, group: Group, repetition: int, journal: Journal, core: int, bar: Bar, purpose: str,
           repetitions: str, measure: Callable[..., dict[str, Any]]) -> None:
    """What slows a row is recorded in invocations of its own: pauses, looks into the heap."""
    if not group[purpose] or repetition >= group[repetitions]:
        return
    rows = [c for c in _missing(journal, group, repetition, purpose) if not c.twin]
    for row in blocks.in_random_order(rows, f"{purpose}/{group['seed']}/{group.name}/{repetition}"):
        begun = time.monotonic()
        found = measure(harness, group, row, repetition, core)
        journal.append([line_of(group, row, repetition, purpose, found, time.monotonic() - begun)])
        bar.step(START_S)


def _lightest_and_heaviest(journal: Journal, group: Group) -> list[str]:
    """The two rows between which turns would show a bias of caches: known after the first repetition."""
    peaks = {l["label"]: l["memory"]["peak_rss"] for l in journal.lines
             if l["group"] == group.name and l["purpose"] == "memory" and l["memory"] and l["outcome"] == "ok"}
    ordered = sorted(peaks, key=peaks.__getitem__)
    return [ordered[0], ordered[-1]] if len(ordered) > 1 else []


def line_of(group: Group, row: Configuration, repetition: int, purpose: str, found: dict[str, Any], took_s: float) -> Line:
    """An invocation as results/README.md has it: what the process said, on top of what we knew."""
    base = {"schema": 1, "outcome": "ok", "message": "", "mode": "turns" if "together" in found else "blocks",
            "label": row.label, "repetition": repetition, "workload": row.workload, "parameters": dict(row.parameters),
            "collector": row.collector, "allocator": row.allocator, "threads": row.threads, "options": dict(row.options),
            "seed": group["seed"], "declared": None, "counted": None, "renewed": None, "reclaims": None, "rounds": [],
            "memory": None, "pauses": None, "heap": None, "capacity": None, "cpus": None, "share_a_core": None, "build": None}
    own = {"label": row.label, "repetition": repetition, "mode": base["mode"], "group": group.name, "purpose": purpose,
           "kept": found["kept"], "rejected": found["rejected"], "consecutive": found.get("consecutive"),
           "together": found.get("together"), "took_s": round(took_s, 3)}
    line = {**base, **found, **own}
    line["rounds"] = line["rounds"] or []
    line["message"] = machine.relative(line["message"])
    return line


# --- progress --------------------------------------------------------------------------------------

def _guess_s(group: Group) -> float:
    """What one repetition of a group's times may take."""
    rows = len(group.configurations)
    if group["method"] == "turns":
        return rows * (START_S + 1.3 * group["rounds"] * group["turn_ms"] / 1000)
    return rows * (START_S + 1.3 * group["block_rounds"] * group["turn_ms"] / 1000)


class Bar:
    """Progress with the time left, in guessed seconds; on a terminal only."""

    def __init__(self, plan: Matrix) -> None:
        total = sum(_most(g) * g["time"] * _guess_s(g) + len(g.configurations) * START_S *
                    sum(g[what] * min(g[f"{of}_repetitions"], _most(g))
                        for what, of in (("memory", "memory"), ("pauses", "pause"), ("heap", "heap"))) for g in plan.groups)
        self.bar = None
        if console.moves(sys.stderr):
            from tqdm import tqdm
            self.bar = tqdm(total=total, bar_format="{desc:<14.14} {percentage:3.0f}% |{bar}| {elapsed} gone, {remaining} left")

    def group(self, group: Group) -> None:
        if self.bar is not None:
            self.bar.set_description_str(group.name)

    def step(self, seconds: float) -> None:
        if self.bar is not None:
            self.bar.update(min(seconds, self.bar.total - self.bar.n))

    def say(self, text: str) -> None:
        if self.bar is not None:
            self.bar.clear()
        print(text, flush=True)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.leave = False
            self.bar.close()


# --- finish ----------------------------------------------------------------------------------------

def finish(folder: Path, about: dict[str, Any], journal: Journal, options: argparse.Namespace) -> int:
    """Write what is drawn from the lines, and show it. 1 where results of backends differ."""
    about["after"] = machine.state()
    about["allocator_libraries"] = _libraries(journal.lines)
    about["finished"] = about["after"]["utc"]
    groups = summary.summarise(about["matrix"], journal.lines)
    record.write_whole(folder / "summary.tsv", table.summary_tsv(groups, journal.lines))
    record.write_whole(folder / "benchmark.json", table.benchmark_json(groups, journal.lines, about))
    drawn = [] if options.no_plots else plots.or_said(lambda: plots.draw_run(folder, about, journal.lines, groups))
    record.write_run(folder, about)
    page = report.write(folder, about, journal.lines, groups)
    record.point_latest(folder)
    print(f"\n{table.printed(groups, {name: w['operation'] or 'operation' for name, w in about['workloads'].items()})}\n")
    _closing_words(folder, about, groups, [*drawn, page], options)
    wrong = [(g, r) for g in groups for r in g.rows if r.outcome == "checksum"]
    for group, row in wrong:
        print(f"WRONG RESULT: {row.label} in group {group.name}: {row.message}", file=sys.stderr)
    return 1 if wrong else 0


def _libraries(lines: list[Line]) -> dict[str, dict[str, str | None]]:
    """The allocators that are libraries: file, digest, version, and the package that dpkg says the file is from."""
    found = {}
    for line in lines:
        path = (line.get("build") or {}).get("allocator_library")
        if path and line["allocator"] not in found:
            package = machine.package_of(path)
            found[line["allocator"]] = {"file": Path(path).name, "sha256": machine.file_digest(path),
                                        "version": line["build"].get("allocator_version"),
                                        "package": " ".join(package) if package else None}
    return found


def _closing_words(folder: Path, about: dict[str, Any], groups: list[summary.GroupSummary], drawn: list[Path],
                   options: argparse.Namespace) -> None:
    floors = sorted((f"{100 * g.floor:.1f}" for g in groups if g.floor == g.floor), key=float)
    if floors:
        between = floors[0] if floors[0] == floors[-1] else f"{floors[0]} to {floors[-1]}"
        print(f"noise floor of the run: {between} %, by group; a smaller effect is no difference")
    rejected = sum(r.rejected for g in groups for r in g.rows)
    if rejected:
        print(f"{rejected} measurements were disturbed from outside, rejected and taken again")
    print(f"\nresults: {shown(folder)}/  (summary.tsv, invocations.jsonl, benchmark.json)")
    for path in drawn:
        print(f"  {'report' if path.suffix == '.html' else 'plot  '} {shown(path)}")
    print(f"\nnext: {_next(folder, groups, about, options)}")


def _next(folder: Path, groups: list[summary.GroupSummary], about: dict[str, Any], options: argparse.Namespace) -> str:
    """The command that most likely comes next."""
    earlier = _earlier(folder, about["matrix_digest"])
    if earlier:
        return f"`make compare A={earlier.name} B={folder.name}` says what changed since the run before"
    if options.matrix == "quick":
        return "`make bench` takes some minutes and gives intervals that can be quoted"
    slow = max(groups, key=lambda g: g.floor if g.floor == g.floor else 0)
    return f"`make bench MATRIX=full WORKLOADS={slow.workload}` measures the noisiest group with more invocations"


def _earlier(folder: Path, digest: str) -> Path | None:
    """The newest finished run before this one that measured the same."""
    for other in sorted((p.parent for p in folder.parent.glob("*/run.json")), reverse=True):
        if other.name < folder.name and not other.is_symlink():
            try:
                about = record.read_run(other)
            except BadInput:
                continue
            if about.get("finished") and about.get("matrix_digest") == digest:
                return other
    return None


if __name__ == "__main__":
    net.run("bench", lambda: main(sys.argv[1:]))
