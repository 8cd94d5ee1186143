#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench_programs.py - whole programs under every allocator: `make bench-programs`.

    python3 (PYTHONMALLOC=malloc), sqlite3, gcc's cc1 and perl do some seconds of real work, with each allocator as
    their malloc by LD_PRELOAD. In every round each allocator has each program once, in an order that is drawn anew.

What is compared is the whole: time from start to end, of which malloc is a part, and peak resident memory. Ratios are
to glibc, within a round; their median, and a bootstrap over rounds (stats.py). glibc runs twice: what the twins differ
by is the noise floor. A program that says anything else than on glibc has no time. Results: results/programs.tsv
(one line a program and allocator), programs.json (every run, and the machine), plots/programs_*.svg and .png.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import json
import random
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import console
import machine
import names
import plots
import record
import registry
import stats
import table
import whole_programs
from net import BadInput
from record import shown
from stats import Estimate
from whole_programs import TOP, Program, Run

BASE, TWIN = "system", "system#2"
CHECKERS = ("debug-pymalloc",)      # libraries that check and do not race; by name only


@dataclass
class Row:
    """A program on an allocator, and all its runs, by round."""
    program: str
    allocator: str
    library: str
    outcome: str = "ok"
    runs: dict[int, Run] = field(default_factory=dict)

    def times(self) -> stats.Rounds:
        return {number: {0: (run.seconds, 1.0)} for number, run in self.runs.items()}

    def peaks(self) -> stats.Rounds:
        return {number: {0: (float(run.peak_bytes), 1.0)} for number, run in self.runs.items() if run.peak_bytes}


def allocators(folder: Path, wanted: list[str]) -> dict[str, str]:
    """Name -> what to preload: the registry's real ones, our own libraries, or the path of any malloc."""
    real = {name: library.found() for name, library in registry.libraries().items() if library.preloaded}
    own = whole_programs.own_libraries(folder)
    known = {BASE: "", **real, **own}
    usual = [name for name in known if name not in CHECKERS]
    chosen = {BASE: ""}
    for name in wanted or usual:
        if name not in known and not ("/" in name and Path(name).is_file()):
            raise net.unknown("allocator", name, known, ", or the path of a library")
        chosen[name] = known.get(name) if name in known else str(Path(name).resolve())
    return {**chosen, TWIN: ""}


def rounds(rows: list[Row], programs: dict[str, Program], repetitions: int, seed: int, scratch: Path) -> Iterator[str]:
    """Fill in the rows; says what is running."""
    draw = random.Random(seed)
    for number in range(repetitions):
        order = [row for row in rows if row.outcome == "ok"]
        draw.shuffle(order)
        for row in order:
            yield f"round {number + 1} of {repetitions}: {row.program} on {row.allocator}"
            run = whole_programs.run(programs[row.program], row.library, scratch)
            if run.loaded is False or (row.library and "cannot be preloaded" in run.complaint):
                row.outcome = "not_installed"
            else:
                row.runs[number] = run
    _judge(rows)


def _judge(rows: list[Row]) -> None:
    """What was said otherwise than on glibc is a wrong result, whatever its time."""
    for row in rows:
        base = next(r for r in rows if (r.program, r.allocator) == (row.program, BASE))
        said = {run.digest for run in base.runs.values()}
        if row.outcome == "ok" and not {run.digest for run in row.runs.values()} <= said:
            row.outcome = "crash" if any("ended with status -" in r.complaint for r in row.runs.values()) else "checksum"
        if row.outcome == "ok" and len(said) != 1:
            row.outcome = "checksum"


# --- what comes out ---------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Found:
    row: Row
    seconds: Estimate | None
    ratio: Estimate | None
    peak: Estimate | None
    peak_ratio: Estimate | None


def findings(rows: list[Row]) -> list[Found]:
    found = []
    for row in rows:
        if row.outcome != "ok":
            found.append(Found(row, None, None, None, None))
            continue
        base = next(r for r in rows if (r.program, r.allocator) == (row.program, BASE))
        found.append(Found(row, stats.median_of(row.times()), stats.ratio_of(row.times(), base.times(), False),
                           stats.median_of(row.peaks()), stats.ratio_of(row.peaks(), base.peaks(), False)))
    return found


def floor_of(found: list[Found], program: str, of: str = "ratio") -> float:
    twin = next((f for f in found if (f.row.program, f.row.allocator) == (program, TWIN)), None)
    return stats.noise_floor(getattr(twin, of) if twin else None)


def _verdict(f: Found, floor: float) -> str:
    if f.row.outcome != "ok":
        return plots.OUTCOMES.get(f.row.outcome, f.row.outcome)
    return "baseline" if f.row.allocator == BASE else stats.verdict(f.ratio, floor)


def printed(found: list[Found], shown_as: dict[str, str] = plots.BASE_NAMES) -> str:
    """shown_as: allocators with their versions."""
    lines = []
    def name(f: Found) -> str:
        return f"{shown_as.get(f.row.allocator, f.row.allocator):<{width}}"
    width = max([14, *(len(shown_as.get(f.row.allocator, f.row.allocator)) for f in found)])
    for program in dict.fromkeys(f.row.program for f in found):
        floor = floor_of(found, program)
        lines += ["", f"{program}: noise floor {100 * floor:.1f} %" if floor == floor else f"{program}: noise floor not known",
                  f"  {'allocator':<{width}} {'seconds':>8} {'of glibc':>9}  {'95 % interval':<15} {'peak RSS':>10} "
                  f"{'of glibc':>9}  verdict"]
        for f in (f for f in found if f.row.program == program and f.row.allocator != TWIN):
            if f.seconds is None:
                lines.append(f"  {name(f)} {'-':>8} {'-':>9}  {'':<15} {'-':>10} {'-':>9}  {_verdict(f, floor)}")
                continue
            between = f"{f.ratio.low:.3f} .. {f.ratio.high:.3f}" if f.ratio.low == f.ratio.low else "-"
            peak = (table.in_bytes(f.peak.value), f"{f.peak_ratio.value:.2f}") if f.peak and f.peak_ratio else ("-", "-")
            lines.append(f"  {name(f)} {f.seconds.value:8.3f} {f.ratio.value:9.3f}  {between:<15} {peak[0]:>10} "
                         f"{peak[1]:>9}  {_verdict(f, floor)}")
    return "\n".join(lines[1:])


COLUMNS = ("program allocator outcome seconds seconds_low seconds_high ratio ratio_low ratio_high noise_floor peak_rss_bytes "
           "peak_ratio peak_ratio_low peak_ratio_high runs verdict")


def tsv(found: list[Found]) -> str:
    lines = ["\t".join(COLUMNS.split())]
    for f in found:
        floor = floor_of(found, f.row.program)
        values = (f.row.program, f.row.allocator, f.row.outcome, *_three(f.seconds), *_three(f.ratio), floor,
                  f.peak.value if f.peak else None, *_three(f.peak_ratio), len(f.row.runs), _verdict(f, floor))
        lines.append("\t".join("" if v is None or v != v else f"{v:.6g}" if isinstance(v, float) else str(v) for v in values))
    return "\n".join(lines) + "\n"


def _three(estimate: Estimate | None) -> tuple[float | None, ...]:
    return (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)


def draw(place: Path, found: list[Found], shown_as: dict[str, str] = plots.BASE_NAMES) -> list[Path]:
    """Two figures: speed and peak memory, relative to glibc."""
    shown_rows = [f for f in found if f.row.allocator != TWIN]
    programs, on = (list(dict.fromkeys(key(f) for f in shown_rows))
                       for key in (lambda f: f.row.program, lambda f: f.row.allocator))
    drawn = []
    for name, invert, title, sub in (
            ("programs_time", True, "Does a whole program run faster on another malloc?",
             "Speed of the whole program, start to end"),
            ("programs_memory", False, "Does a whole program need less memory on another malloc?",
             "Peak resident memory of the whole program")):
        rows, extremes = [], [0.8, 1.25]
        for f in shown_rows:
            base = next(b for b in shown_rows if (b.row.program, b.row.allocator) == (f.row.program, BASE))
            ratio = f.ratio if invert else f.peak_ratio
            bar = _bar(ratio, invert) if ratio else ("NaN",) * 3
            extremes += bar if ratio else ()
            absolute = base.seconds if invert else base.peak
            amount = absolute and (f"{absolute.value:.2f} s" if invert else table.in_bytes(absolute.value))
            rows.append((programs.index(f.row.program), f.row.program, f"glibc {amount}" if amount else "",
                         on.index(f.row.allocator) + 1, f.row.allocator, int(f.row.allocator == BASE), *bar,
                         plots.OUTCOMES.get(f.row.outcome, f.row.outcome),
                         f"{bar[0]:.2f}" if ratio else ""))
        plots._tsv(place / f"{name}.tsv", "place group baseline_text backend label baseline value low high outcome text", rows)
        spread = (max(extremes) / min(extremes)) ** 0.22
        drawn += plots._gnuplot(place, name, {
            "TITLE": title, "SUB": f"{sub}, relative to glibc (the line); logarithmic; whiskers: 95 % intervals",
            "BACKENDS": plots._words(Path(n).name for n in on), "FADED": plots._words("0" for _ in on),
            "NAMES": plots._words(shown_as.get(n, Path(n).name) for n in on), "GROUPS": len(programs),
            "YMIN": min(extremes) / spread, "YMAX": max(extremes) * spread})
    return drawn


def _bar(ratio: Estimate, invert: bool) -> tuple[float, float, float]:
    low, high = (ratio.low, ratio.high) if ratio.low == ratio.low else (ratio.value, ratio.value)
    return (1 / ratio.value, 1 / high, 1 / low) if invert else (ratio.value, low, high)


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="bench_programs.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("--lib", type=Path, default=TOP / "build/lib", help="our own allocators as libraries (default: build/lib)")
    parser.add_argument("--repetitions", type=int, default=5, help="rounds (default: 5)")
    parser.add_argument("--scale", type=int, default=1, help="times the usual work, a second or two a program (default: 1)")
    parser.add_argument("--programs", default="", help="only these: python3, sqlite3, gcc, perl")
    parser.add_argument("--allocators", default="", help="only these, by name or path; glibc is always there")
    parser.add_argument("--seed", type=int, default=1, help="of the order (default: 1)")
    parser.add_argument("--out", type=Path, default=record.RESULTS, help="folder of the results (default: results)")
    parser.add_argument("--check", action="store_true", help="only look whether the call is right; nothing need be built")
    asked = parser.parse_args(arguments)
    if asked.repetitions < 1 or asked.scale < 1:
        raise BadInput("--repetitions and --scale: give 1 or more")
    if asked.check:
        return 0
    before = machine.state()
    with tempfile.TemporaryDirectory(prefix="refarena-programs-") as folder:
        programs = {p.name: p for p in whole_programs.programs(Path(folder), asked.scale)}
        wanted = asked.programs.replace(",", " ").split()
        unknown = [w for w in wanted if w not in {name.split()[0] for name in programs}]
        if unknown:
            raise net.unknown("program", unknown[0], [n.split()[0] for n in programs])
        on = allocators(asked.lib.resolve(), asked.allocators.replace(",", " ").split())
        rows = [Row(p.name, name, library, "ok" if p.installed else "not_installed") for p in programs.values()
                if not wanted or p.name.split()[0] in wanted for name, library in on.items()]
        for doing in rounds(rows, programs, asked.repetitions, asked.seed, Path(folder)):
            start, end = ("\r\033[K", "") if console.moves(sys.stderr) else ("", "\n")
            print(f"{start}{doing}", end=end, file=sys.stderr, flush=True)
    found, here = findings(rows), machine.provenance()
    shown_as = names.of_packages(here)
    place = plots.folder_of(asked.out / "plots")
    record.write_whole(asked.out / "programs.tsv", tsv(found))
    record.write_whole(asked.out / "programs.json", json.dumps({
        "machine": here, "before": before, "after": machine.state(), "scale": asked.scale, "seed": asked.seed,
        "rows": [{"program": r.program, "allocator": r.allocator, "outcome": r.outcome,
                  "runs": {number: asdict(run) for number, run in r.runs.items()}} for r in rows]}, indent=1) + "\n")
    print(printed(found, shown_as))
    print(f"\n{shown(asked.out / 'programs.tsv')}, {', '.join(shown(p) for p in draw(place, found, shown_as) if p.suffix == '.png')}")
    return 0 if all(row.outcome in ("ok", "not_installed") for row in rows) else 1


if __name__ == "__main__":
    net.run("bench-programs", lambda: main(sys.argv[1:]))
