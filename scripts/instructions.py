#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""instructions.py - how many instructions an operation takes, counted and not measured: `make instructions RUN=...`

callgrind counts the instructions of exactly one unit of every configuration of a run that has one thread
(harness/session.c switches the counting on and off). A count does not know the weather: it repeats to the
instruction on any machine with the same executables and libraries, so that two commits can be compared by it.
It does not know caches, contention and the kernel either. So a count stands beside the run's times: where the two
ratios to the baseline differ by more than 20 %, the row says so, and the time has a reason that is no instruction.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import argparse
import concurrent.futures
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import limits
import machine
import matrix as matrices
import record
import report
import stats
import summary
from matrix import Configuration
from net import BadInput
from record import shown
from resident import Harness
from summary import GroupSummary, Row

DISAGREE = 0.20
TIMEOUT_S = 300
COLUMNS = "group label instructions operations per_operation repeats ratio time_ratio disagrees outcome".split()


@dataclass
class Count:
    """Of one unit: all instructions outside the kernel, and what the workload declares as its operations."""
    group: str
    label: str
    baseline: bool
    time_ratio: float | None
    instructions: list[int]
    operations: int = 0
    outcome: str = "ok"

    @property
    def per_operation(self) -> float | None:
        return self.instructions[0] / self.operations if self.outcome == "ok" else None

    @property
    def repeats(self) -> bool:
        return len(set(self.instructions)) == 1


def once(command: list[str]) -> tuple[str, int, int]:
    """Outcome, instructions and operations of one invocation with one measured unit."""
    with tempfile.TemporaryDirectory() as folder:
        watched = ["valgrind", "--tool=callgrind", "--trace-children=yes", "--collect-atstart=no", f"--callgrind-out-file={folder}/%p", *command]
        try:
            done = subprocess.run(watched, capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=TIMEOUT_S, cwd=machine.ROOT, check=False)
        except subprocess.TimeoutExpired:
            return "timeout", 0, 0
        try:
            line = json.loads(done.stdout)
        except ValueError:
            return ("bad_input" if done.returncode == 2 else "crash"), 0, 0
        totals = [int(m[1]) for p in Path(folder).iterdir() if (m := re.search(r"^(?:totals|summary): (\d+)", p.read_text(encoding="utf-8", errors="replace"), re.M))]
    if line["outcome"] != "ok":
        return line["outcome"], 0, 0
    return "ok", max(totals, default=0), line["rounds"][0]["operations"]


def configuration(row: Row) -> Configuration:
    return Configuration(row.workload, tuple(sorted(row.parameters.items())), row.collector, row.allocator)


def count(harness: Harness, group: GroupSummary, row: Row, options: list[str], seed: int, repeats: int) -> Count:
    command = [*harness.command(configuration(row), seed, 0, 1 << 33), *options, "--units=1", "--rounds=1", "--lead-in=1"]
    taken = [once(command) for _ in range(repeats)]
    base = row.label == group.baseline
    found = Count(group.name, row.label, base, 1.0 if base and row.time else row.ratio.value if row.ratio else None,
                  [t[1] for t in taken], taken[0][2])
    found.outcome = next((t[0] for t in taken if t[0] != "ok"), "ok" if found.instructions[0] else "uncounted")
    return found


def ratios(counts: list[Count]) -> list[dict[str, Any]]:
    """Rows of instructions.tsv: each count over its group's baseline (the first row that has both, where that has none),
    beside the ratio of times."""
    base: dict[str, Count] = {}
    for c in sorted((c for c in counts if c.per_operation and c.time_ratio), key=lambda c: not c.baseline):
        base.setdefault(c.group, c)
    rows = []
    for c in counts:
        to = base.get(c.group)
        ratio = c.per_operation / to.per_operation if c.per_operation and to else None
        time_ratio = c.time_ratio / to.time_ratio if c.time_ratio and to else None
        apart = ratio is not None and time_ratio is not None and stats.effect(time_ratio / ratio) > DISAGREE
        rows.append(dict(zip(COLUMNS, (c.group, c.label, c.instructions[0] or None, c.operations or None, c.per_operation,
                                       "yes" if c.repeats else "no", ratio, time_ratio, "yes" if apart else "", c.outcome))))
    return rows


def tsv(rows: list[dict[str, Any]]) -> str:
    cell = lambda v: "" if v is None else f"{v:.9g}" if isinstance(v, float) else str(v)
    return "\n".join(["\t".join(COLUMNS), *("\t".join(cell(r[c]) for c in COLUMNS) for r in rows)]) + "\n"


def read(folder: Path) -> dict[tuple[str, str], str]:
    """(group, label) -> instructions, of a run that was counted."""
    try:
        header, *rows = (folder / "instructions.tsv").read_text(encoding="utf-8").splitlines()
        named = [dict(zip(header.split("\t"), r.split("\t"))) for r in rows]
        return {(r["group"], r["label"]): r["instructions"] for r in named}
    except (OSError, ValueError, KeyError):
        raise BadInput(f"{shown(folder)} has no instructions.tsv: count it with `make instructions RUN={shown(folder)}`") from None


def _others(folder: Path, counted: set[str]) -> str:
    """Lines of groups that were counted before and not now."""
    path = folder / "instructions.tsv"
    old = path.read_text(encoding="utf-8").splitlines(keepends=True)[1:] if path.is_file() else []
    return "".join(line for line in old if line.split("\t")[0] not in counted)


def printed(rows: list[dict[str, Any]], against: dict[tuple[str, str], str]) -> str:
    cells = [("group", "configuration", "instructions/op", "ratio", "ratio of times", "")]
    for r in rows:
        old = against.get((r["group"], r["label"]))
        words = ["differs between repeats"] * (r["repeats"] == "no") + ["time and instructions disagree"] * (r["disagrees"] == "yes")
        words += [f"{r['instructions'] - int(old):+,} in a unit"] if old and r["instructions"] and int(old) != r["instructions"] else []
        number = lambda v, form: "-" if v is None else format(v, form)
        cells.append((r["group"], r["label"], number(r["per_operation"], ",.2f"), number(r["ratio"], ".3f"), number(r["time_ratio"], ".3f"),
                      ", ".join(words) if r["outcome"] == "ok" else r["outcome"].replace("_", " ")))
    widths = [max(len(c[i]) for c in cells) for i in range(6)]
    return "\n".join("  ".join(c.rjust(w) if i in (2, 3, 4) else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip() for row in cells)


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="instructions.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("run", nargs="?", default="latest", help="the run whose configurations are counted; latest by default")
    parser.add_argument("--against", default="", help="a run that was counted before: say what changed, to the instruction")
    parser.add_argument("--workloads", default="", help="only these workloads or groups")
    parser.add_argument("--repeats", type=int, default=2, help="how often each is counted; two, to see that it repeats")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    parser.add_argument("--bin", type=Path, default=machine.ROOT / "build/bin", help="folder of the harness's executables")
    parser.add_argument("--check", action="store_true", help="only look whether the call is right; nothing need be built")
    options = parser.parse_args(arguments)
    if options.check:
        for name in filter(None, (options.run, options.against)):
            record.find(name, options.results)
        return 0
    return _count_run(options)


def _count_run(options: argparse.Namespace) -> int:
    folder = record.find(options.run, options.results)
    about, lines = record.read_run(folder), record.read_lines(folder)
    against = read(record.find(options.against, options.results)) if options.against else {}
    groups, only = summary.summarise(about["matrix"], lines), matrices.names(options.workloads)
    groups = [g for g in groups if not only or g.name in only or g.workload in only]
    if not groups:
        raise BadInput(f"{shown(folder)} has nothing to count" + (f" in {options.workloads}" if only else ""))
    said = {(l["group"], l["label"]): [p for k, v in (l.get("options") or {}).items() for p in ("--set", f"{k}={v}")] for l in lines}
    wanted = [(g, r) for g in groups for r in g.rows if r.threads == 1 and not r.twin]
    with concurrent.futures.ThreadPoolExecutor(max(1, int(limits.cores()))) as pool:
        counts = list(pool.map(lambda w: count(Harness(options.bin.absolute()), *w, said.get((w[0].name, w[1].label), []), about["seed"],
                                               options.repeats), wanted))
    rows = ratios(counts)
    record.write_whole(folder / "instructions.tsv", tsv(rows) + _others(folder, {g.name for g in groups}))
    report.write(folder, about, lines, summary.summarise(about["matrix"], lines))
    print(printed(rows, against))
    print(f"\n{sum(c.repeats and c.outcome == 'ok' for c in counts)} of {len(counts)} counts repeat to the instruction; "
          f"{shown(folder / 'instructions.tsv')}")
    return 0


if __name__ == "__main__":
    net.run("instructions", lambda: main(sys.argv[1:]))
