#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""compare.py - B against A: what became slower, what faster, and what cannot be told. `make compare A=... B=...`

A side is a run (its folder or name), one configuration of a run (results/latest::cyclic/pymalloc), or a JSON file
of Google Benchmark. What both sides have is compared, row by row:

    ratio          time of B over time of A, with its 95 % interval. Two configurations of one run were measured side
                   by side and are paired; two runs were not, and each side is drawn for itself
    slower, faster the interval leaves 1 out, also when all rows are judged together (Holm), and the effect is over
                   the noise floors of both runs
    no difference  the effect is under the noise floor
    unclear        over it, and the interval holds 1: measure longer
    not comparable another machine, kernel, compiler or setting of huge pages; or a side that has no number

--fail-on slower:5% ends with status 1 where a row is surely slower and its interval reaches 5 %: a slow-down of
that size is not ruled out. With nothing to compare it ends with status 2: a gate that compares nothing is open.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import console
import matrix as matrices
import plots
import record
import stats
import summary
from net import BadInput
from record import shown
from stats import Estimate

UNIT_NS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
VERDICTS = ("slower", "faster", "unclear", "no difference", "not comparable")
COLOURS = {"slower": "red", "faster": "green", "unclear": "yellow"}


@dataclass
class Entry:
    """What a side knows of one configuration."""
    sample: stats.Rounds
    outcome: str = "ok"
    peak_rss: float | None = None
    floor: float = float("nan")
    turns: bool = False


@dataclass
class Side:
    """One half of a comparison. facts: what must be equal for times to be comparable, by what it is."""
    name: str
    facts: dict[str, str]
    entries: dict[str, Entry]
    folder: Path | None = None
    notes: list[str] = field(default_factory=list)
    groups: list[summary.GroupSummary] = field(default_factory=list)
    lines: list[record.Line] = field(default_factory=list)


@dataclass
class Change:
    """One row of the comparison: B over A."""
    name: str
    verdict: str
    why: str = ""
    ratio: Estimate | None = None
    peak: float | None = None

    @property
    def effect(self) -> float:
        return stats.effect(self.ratio.value) if self.ratio else -1.0


# --- the sides -----------------------------------------------------------------------------------------

def side(spec: str, results: Path) -> Side:
    """What is at a place that the user named; BadInput where nothing is."""
    place, mark, label = spec.partition("::")
    if place.endswith(".json") and Path(place).is_file():
        found = _google(Path(place))
    else:
        found = _run(record.find(place, results))
    if not mark:
        return found
    chosen = {name.rsplit("  ", 1)[0]: entry for name, entry in found.entries.items() if name.rsplit("  ", 1)[-1] == label}
    if not chosen:
        known = sorted({name.rsplit("  ", 1)[-1] for name in found.entries})
        raise net.unknown("configuration", label, known, where=f"{place}: ")
    return Side(f"{found.name}::{label}", found.facts, chosen, found.folder, found.notes)


def _run(folder: Path) -> Side:
    about, lines = record.read_run(folder), record.read_lines(folder)
    groups = summary.summarise(about["matrix"], lines)
    machine, build = about.get("machine", {}), next((l["build"] for l in lines if l.get("build")), {})
    facts = {"machine": machine.get("cpu_model"), "kernel": machine.get("kernel"),
             "huge pages": machine.get("transparent_huge_pages"), "compiler": build.get("compiler"), "flags": build.get("flags")}
    entries = {f"{g.name}  {r.label}": Entry(r.sample, "an open loop, where time is the schedule's," if r.open_loop and r.outcome == "ok" else r.outcome, r.peak_rss, g.floor, g.method == "turns")
               for g in groups for r in g.rows if not r.twin}
    if not entries:
        raise BadInput(f"{shown(folder)} is empty: nothing was measured; go on with it, or take another run")
    notes = [] if about.get("finished") else [f"{folder.name} is not finished: what it has is compared"]
    return Side(net.readable(folder.name), {k: str(v) for k, v in facts.items() if v}, entries, folder, notes, groups, lines)


def _google(path: Path) -> Side:
    """A file written by --benchmark_out: each repetition a sample."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        context, runs = data["context"], [b for b in data["benchmarks"] if b.get("run_type", "iteration") == "iteration"]
        entries: dict[str, Entry] = {}
        for b in runs:
            entry = entries.setdefault(b.get("run_name", b["name"]).replace("/", "  ", 1), Entry({}))
            if b.get("error_occurred"):
                entry.outcome = str(b.get("error_message", "error")).split(":")[0]
            else:
                entry.sample[len(entry.sample)] = {0: (b["real_time"] * UNIT_NS[b.get("time_unit", "ns")], 1.0)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(f"{path} is not what Google Benchmark writes with --benchmark_out_format=json") from None
    if not entries:
        raise BadInput(f"{path} holds no benchmark")
    for entry in (e for e in entries.values() if e.sample):
        entry.outcome = "ok"
    facts = {"processors": context.get("num_cpus"), "clock": context.get("mhz_per_cpu"),
             "library": context.get("library_build_type")}
    notes = ["repetitions of Google Benchmark share a process: their intervals leave out what differs between processes"]
    return Side(net.readable(path.name), {k: str(v) for k, v in facts.items() if v}, entries, notes=notes)


# --- the comparison --------------------------------------------------------------------------------------

def compare(a: Side, b: Side, anyway: bool = False) -> list[Change]:
    """All rows of both sides, the largest effect first. anyway: other machines are compared too."""
    differs = "; ".join(f"different {k}: {a.facts[k]} and {b.facts[k]}" for k in a.facts.keys() & b.facts.keys()
                        if a.facts[k] != b.facts[k])
    if differs and not anyway:
        return [Change(name, "not comparable", differs) for name in b.entries if name in a.entries]
    paired = a.folder is not None and a.folder == b.folder
    changes = [_change(name, a, b, paired) for name in dict.fromkeys([*b.entries, *a.entries])]
    judged = [c for c in changes if c.verdict != "not comparable"]
    for change, sure in zip(judged, stats.holm([c.ratio.p_one for c in judged])):
        if not sure and change.verdict in ("slower", "faster"):
            change.verdict, change.why = "unclear", "one of many rows: chance is not ruled out"
    return sorted(changes, key=lambda c: (VERDICTS.index(c.verdict) == 4, -c.effect))


def _change(name: str, a: Side, b: Side, paired: bool) -> Change:
    for here, there in ((a, b), (b, a)):
        if name not in there.entries:
            return Change(name, "not comparable", f"only in {here.name}")
    old, new = a.entries[name], b.entries[name]
    for where, entry in ((a.name, old), (b.name, new)):
        if entry.outcome != "ok" or not entry.sample:
            return Change(name, "not comparable", f"{entry.outcome.replace('_', ' ')} in {where}")
    change = Change(name, "", peak=new.peak_rss / old.peak_rss if new.peak_rss and old.peak_rss else None)
    change.ratio = stats.ratio_of(new.sample, old.sample, new.turns) if paired else stats.ratio_of_medians(new.sample, old.sample)
    if change.ratio is None or change.ratio.low != change.ratio.low:
        change.verdict, change.why = "not comparable", "one invocation has no interval: repeat"
        return change
    floor = max((e.floor for e in (old, new) if e.floor == e.floor), default=0.0)
    if change.effect <= floor:
        change.verdict, change.why = "no difference", f"noise floor {100 * floor:.1f} %"
    elif change.ratio.holds(1.0):
        change.verdict = "unclear"
    else:
        change.verdict = "slower" if change.ratio.value > 1 else "faster"
    return change


def bound(text: str) -> float:
    """'slower:5%' as 0.05."""
    kind, _, share = text.partition(":")
    if kind != "slower":
        raise BadInput(f"--fail-on {text}: say slower:5%")
    return matrices.share(share)


def failing(changes: list[Change], share: float) -> list[Change]:
    return [c for c in changes if c.verdict == "slower" and c.ratio.high >= 1 + share]


# --- showing it --------------------------------------------------------------------------------------------

def printed(a: Side, b: Side, changes: list[Change]) -> str:
    rows = [("configuration", "B / A", "95 % interval", "peak RSS", "verdict")]
    for c in changes:
        known = c.ratio is not None and c.ratio.low == c.ratio.low
        rows.append((c.name, f"{c.ratio.value:.3f}" if c.ratio else "-",
                     f"{c.ratio.low:.3f} .. {c.ratio.high:.3f}" if known else "-",
                     f"{c.peak:.2f}" if c.peak else "-", c.verdict + (f" ({c.why})" if c.why else "")))
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    lines = [("  " + "  ".join(cell.ljust(w) if i in (0, 4) else cell.rjust(w) for i, (cell, w) in enumerate(zip(r, widths)))).rstrip()
             for r in rows]
    lines[1:] = [console.paint(line, COLOURS.get(c.verdict)) for line, c in zip(lines[1:], changes)]
    counts = ", ".join(f"{n} {v}" for v in VERDICTS if (n := sum(c.verdict == v for c in changes)))
    notes = [f"  ! {note}" for note in dict.fromkeys(a.notes + b.notes)]
    return "\n".join([f"A: {a.name}", f"B: {b.name}", "", *lines, "", *notes, f"{counts}"])


def records(changes: list[Change]) -> list[dict[str, Any]]:
    """As plain data: for JSON and TSV."""
    def finite(value: float | None) -> float | None:
        return None if value is None or value != value else value
    return [{"configuration": c.name.replace("  ", "/"), "verdict": c.verdict, "why": c.why, "peak_ratio": c.peak,
             **{key: finite(getattr(c.ratio, of, None)) for key, of in (("ratio", "value"), ("low", "low"), ("high", "high"), ("p", "p_one"))}}
            for c in changes]


def tsv(changes: list[Change]) -> str:
    data = records(changes)
    return "\n".join(["\t".join(data[0]), *("\t".join("" if v is None else f"{v:.6g}" if isinstance(v, float) else v
                                                      for v in row.values()) for row in data)])


def draw(a: Side, b: Side, changes: list[Change]) -> list[Path]:
    """The figure of the comparison, in the plots of B."""
    known = [c for c in changes if c.ratio and c.ratio.low == c.ratio.low]
    if not known or b.folder is None:
        return []
    place = plots.folder_of(b.folder / "plots" / net.on_disk(f"versus-{a.name.replace('/', '-')}"))
    rows = [(n, c.name, c.ratio.value, c.ratio.low, c.ratio.high, int(c.verdict in ("slower", "faster")), c.peak or "NaN",
             int(bool(c.peak) and abs(c.peak - 1) > 0.05)) for n, c in enumerate(known, start=1)]
    drawn = plots.draw_versus(place, a.name, b.name, rows)
    return drawn + (plots.draw_both_over_time(place, a.name, b.name, [(x.groups, x.lines) for x in (a, b)]) if a.groups and b.groups else [])


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="compare.py", description=net.doc(__doc__, __file__).splitlines()[0],
                                     formatter_class=argparse.RawDescriptionHelpFormatter, epilog="\n".join(net.doc(__doc__, __file__).splitlines()[3:]))
    parser.add_argument("a", help="before: a run, run::configuration, or a JSON file of Google Benchmark")
    parser.add_argument("b", help="after: the same")
    parser.add_argument("--fail-on", default="", metavar="slower:5%%", help="status 1 where a row is surely slower and may be by so much")
    parser.add_argument("--anyway", action="store_true", help="compare although machine, kernel or compiler differ")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--tsv", action="store_true", help="print a table for other programs")
    parser.add_argument("--no-plots", action="store_true", help="leave the picture out")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    options = parser.parse_args(arguments)
    share = bound(options.fail_on) if options.fail_on else None
    a, b = side(options.a, options.results), side(options.b, options.results)
    changes = compare(a, b, options.anyway)
    if not changes:
        raise BadInput(f"{a.name} and {b.name} have no configuration in common")
    drawn = [] if options.no_plots else plots.or_said(lambda: draw(a, b, changes))
    if options.json:
        print(json.dumps({"a": a.name, "b": b.name, "rows": records(changes)}, indent=1))
    else:
        print(tsv(changes) if options.tsv else printed(a, b, changes))
    if not (options.json or options.tsv):
        for path in (p for p in drawn if p.suffix == ".png"):
            print(f"  plot   {shown(path)}")
    return 0 if share is None else _gate(changes, share)


def _gate(changes: list[Change], share: float) -> int:
    if all(c.verdict == "not comparable" for c in changes):
        print(f"compare: nothing could be compared: {changes[0].why}", file=sys.stderr)
        return 2
    slower = failing(changes, share)
    for c in slower:
        print(f"SLOWER: {c.name}: {c.ratio.value:.3f} ({c.ratio.low:.3f} .. {c.ratio.high:.3f})", file=sys.stderr)
    return 1 if slower else 0


if __name__ == "__main__":
    net.run("compare", lambda: main(sys.argv[1:]))
