#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""plots.py - the figures of a run: `make plots RUN=...`.

Each figure is a complete data file (.tsv, with a header) and a gnuplot script that draws it; the scripts and
the one style are in scripts/plots/. What does not depend on the measuring is drawn again at any time:
a run's lines are all that is read.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import contextlib
import math
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import record
import summary
import table
from net import Stopped
from record import Line, shown
from stats import Estimate
from summary import GroupSummary, Row

GNUPLOT = Path(__file__).resolve().parent / "plots"
FORMATS = ("svg", "png")
BASE_NAMES = {"system": "glibc"}
OUTCOMES = {"ok": "ok", "no_capacity": "no free cores", "not_installed": "not installed", "heap_full": "heap full",
            "bad_input": "refused", "checksum": "WRONG RESULT", "miscounted": "miscounted"}


# --- backends as the figures show them -----------------------------------------------------------------

class Backend:
    """A series: its colour is the collector's (or the allocator's); the same collector on another allocator is paler."""

    def __init__(self, row: Row, usual_allocator: str) -> None:
        self.style = row.collector or Path(row.allocator).name
        floor = row.collector == "leak"
        own_heap = "objects in own heap" in row.notes           # what the allocator is called does not matter then
        self.faded = bool(row.collector) and row.allocator != usual_allocator and not floor and not own_heap
        self.name = self.style.replace("_", " ") if row.collector else shown_allocator(row)
        if self.faded:
            self.name += f" on {shown_allocator(row)}"

    @property
    def key(self) -> tuple[str, bool, str]:
        return self.style, self.faded, self.name


def shown_allocator(row: Row) -> str:
    """With its version; where that is not known, by the name that people know."""
    name = Path(row.allocator).name
    return row.shown_allocator if row.shown_allocator != row.allocator else BASE_NAMES.get(name, name.replace("_", " "))


def _backends(groups: list[GroupSummary]) -> dict[tuple[str, bool, str], int]:
    """All series of some groups, numbered from 1 in order of appearance."""
    found: dict[tuple[str, bool, str], int] = {}
    for group in groups:
        for row in group.rows:
            if not row.twin:
                found.setdefault(backend_of(group, row).key, len(found) + 1)
    return found


def backend_of(group: GroupSummary, row: Row) -> Backend:
    base = next((r for r in group.rows if r.label == group.baseline), group.rows[0])
    return Backend(row, base.allocator)


def _words(items: Iterable[str]) -> str:
    return " ".join('"' + str(i).replace('"', "'") + '"' for i in items)


def _series(backends: dict[tuple[str, bool, str], int]) -> dict[str, str]:
    return {"BACKENDS": _words(k[0] for k in backends), "NAMES": _words(k[2] for k in backends),
            "FADED": _words("1" if k[1] else "0" for k in backends)}


def _outcome(row: Row) -> str:
    return OUTCOMES.get(row.outcome, row.outcome)


# --- a run -----------------------------------------------------------------------------------------

def draw_run(folder: Path, about: dict[str, Any], lines: list[Line], groups: list[GroupSummary]) -> list[Path]:
    """All figures that the run has data for; the paths of the PNGs."""
    place = folder_of(folder / "plots")
    drawn = []
    for kind in ("allocators", "collectors"):
        chosen = [g for g in groups if g.figure == kind]
        timed = [g for g in chosen if any(r.time or r.outcome != "ok" for r in g.rows)]
        if timed:
            drawn += _bars(place, f"throughput_{kind}", timed, _speed, "ns")
        chosen = [g for g in chosen if any(r.peak_rss for r in g.rows)]
        if chosen:
            drawn += _bars(place, f"peak_rss_{kind}", chosen, _peak, "MiB")
    drawn += _over_time(place, [(groups, lines)], [])
    drawn += _threads(place, groups)
    drawn += _sizes(place, summary.curves(groups))
    return [p for p in drawn if p.suffix == ".png"]


def or_said(draw: Callable[[], list[Path]]) -> list[Path]:
    """What is drawn; where it cannot be, a line says why. A table goes without its figures."""
    try:
        return draw()
    except Stopped as error:
        print(f"no figures: {error}", file=sys.stderr, flush=True)
        return []


def folder_of(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
        return path
    except OSError as error:
        raise Stopped(f"{shown(path)}: {error.strerror}") from None


Bar = tuple[float, float, float]


def _speed(group: GroupSummary, row: Row) -> Bar | None:
    """Operations per second over the baseline's: the inverse of the ratio of times."""
    if row.label == group.baseline and row.time:
        return 1.0, 1.0, 1.0
    if not row.ratio:
        return None
    r = row.ratio
    return (1 / r.value, 1 / r.high, 1 / r.low) if r.low == r.low else (1 / r.value,) * 3


def _peak(group: GroupSummary, row: Row) -> Bar | None:
    base = next((r.peak_rss for r in group.rows if r.label == group.baseline), None)
    if not base or not row.peak_rss or row.peak_rss <= 0:
        return None
    return row.peak_rss / base, row.peak_low / base, row.peak_high / base


def _bars(place: Path, name: str, groups: list[GroupSummary], value: Any, unit: str) -> list[Path]:
    backends = _backends(groups)
    rows, extremes = [], [0.55, 1.8]
    for number, group in enumerate(groups):
        base = next((r for r in group.rows if r.label == group.baseline), None)
        for row in group.rows:
            if row.twin:
                continue
            bar = value(group, row)
            outcome = _outcome(row) if unit == "ns" or row.peak_rss is None else "ok"
            if bar is None and outcome == "ok":
                outcome = "no ratio" if unit == "ns" else "not measured"
            extremes += bar or ()
            rows.append((number, group.name, _base_text(base, unit), backends[backend_of(group, row).key], row.label,
                         int(row.label == group.baseline), *(bar or ("NaN",) * 3), outcome, *_absolute(row, unit),
                         _bar_text(row, bar, unit)))
    columns = "place group baseline_text backend label baseline value low high outcome absolute absolute_low absolute_high text"
    _tsv(place / f"{name}.tsv", columns, rows)
    base_name = backend_of(groups[0], next(r for r in groups[0].rows if r.label == groups[0].baseline)).name
    what = ("Throughput", "95 % intervals") if unit == "ns" else ("Peak memory above the empty process", "least and most seen")
    titles = {"throughput_allocators": f"Is another allocator faster than {base_name}?",
              "throughput_collectors": "What does it cost to manage objects safely?",
              "peak_rss_allocators": f"Does another allocator need less memory than {base_name}?",
              "peak_rss_collectors": "How much memory does each way of managing objects need?"}
    sub = f"{what[0]} relative to {base_name} (the line); logarithmic; whiskers: {what[1]}"
    spread = (max(extremes) / min(extremes)) ** (0.16 if unit == "ns" else 0.34)     # room for what is written on bars
    return _gnuplot(place, name, {"TITLE": titles[name], "SUB": sub, **_series(backends), "GROUPS": len(groups),
                                  "YMIN": min(extremes) / spread, "YMAX": max(extremes) * spread})


def _bar_text(row: Row, bar: Bar | None, unit: str) -> str:
    """What is written at the end of a bar: of speeds the factor, of memory the amount."""
    if bar is None:
        return ""
    if unit == "MiB":
        return table.in_bytes(row.peak_rss)
    return f"{bar[0]:.{0 if bar[0] >= 9.95 else 1 if bar[0] >= 1.95 else 2 if bar[0] >= 0.0995 else 3}f}"


def _base_text(base: Row | None, unit: str) -> str:
    if base is None:
        return ""
    name = base.collector or shown_allocator(base)
    if unit == "ns":
        return f"{name} {_duration(base.time.value)}" if base.time else f"{name}: {_outcome(base)}"
    return f"{name} {table.in_bytes(base.peak_rss)}" if base.peak_rss else f"{name}: {_outcome(base)}"


def _duration(ns: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= 10 * size:
            return f"{table.in_ns(ns / size)} {unit}"
    return f"{table.in_ns(ns)} ns"


def _absolute(row: Row, unit: str) -> tuple[Any, ...]:
    if unit == "ns":
        return (row.time.value, row.time.low, row.time.high) if row.time else ("NaN",) * 3
    return (row.peak_rss, row.peak_low, row.peak_high) if row.peak_rss is not None else ("NaN",) * 3


# --- memory over time --------------------------------------------------------------------------------

TIMED_WORKLOADS = ("cycles", "autograd")


def _over_time(place: Path, runs: list[tuple[list[GroupSummary], list[Line]]], names: list[str]) -> list[Path]:
    """Panels for the groups whose memory over time is the finding, all on one scale. names: of two runs."""
    groups = [g for g in runs[-1][0] if g.workload in TIMED_WORKLOADS
              and any(l["group"] == g.name and _samples(l) for l in runs[-1][1])][:3]
    if not groups:
        return []
    backends = _backends(groups)
    numbers = {key[:2]: number for key, number in backends.items()}     # another version of a library keeps its colour
    rows: list[tuple] = []
    for panel, group in enumerate(groups, start=1):
        for number, (there, lines) in enumerate(runs, start=1):
            same = next((g for g in there if g.name == group.name), None)
            for row in (r for r in (same.rows if same else []) if not r.twin):
                line = next((l for l in lines if (l["group"], l["label"]) == (group.name, row.label) and _samples(l)), None)
                key = backend_of(group, row).key[:2]
                if line and key in numbers:
                    rows += _curve(panel, group.name, numbers[key], row.label, number, line)
    _tsv(place / "rss_over_time.tsv", "panel group backend label run ms mib asked_mib", rows)
    faded = {number for key, number in backends.items() if key[1]}
    widest = [max(r[5] for r in rows if r[0] == panel and (r[2] not in faded or len(faded) == len(backends))) * 1.02
              for panel in range(1, len(groups) + 1)]
    sub = "The same number of units. Thick: resident memory; thin: asked for and not yet given back"
    if names:
        sub = f"Thin: A, {names[0]}; thick: B, {names[1]}"
    return _gnuplot(place, "rss_over_time", {
        "TITLE": "Who gives memory back, and when?", "SUB": sub, **_series(backends), "GROUPS": len(groups),
        "PANELS": _words(g.title for g in groups), "TOP": max(r[6] for r in rows) * 1.06 + 0.5, "RUNS": len(runs),
        "WIDEST": _words(f"{w:.4g}" for w in widest), "STEPS": _words(f"{_step(w):g}" for w in widest)})


def _samples(line: Line) -> list[list[float]]:
    return (line["memory"] or {}).get("series") or [] if line["purpose"] == "memory" else []


def _curve(panel: int, group: str, backend: int, label: str, run: int, line: Line) -> list[tuple]:
    base = summary.floor_bytes(line)
    return [(panel, group, backend, label, run, ns / 1e6, max(0.0, (rss - base) / 2**20), asked / 2**20)
            for ns, rss, asked in _samples(line)]


def _step(width: float) -> float:
    """Between two tics, so that there are three or four."""
    power = 10 ** math.floor(math.log10(max(width, 1e-6) / 3))
    return next(power * m for m in (1, 2, 5, 10) if width / (power * m) <= 4.5)


# --- threads -----------------------------------------------------------------------------------------

def _threads(place: Path, groups: list[GroupSummary]) -> list[Path]:
    groups = [g for g in groups if g.figure == "threads" and any(r.time for r in g.rows)]
    if not groups:
        return []
    backends = _backends(groups)
    rows, outcomes, rates = [], [], []
    for panel, group in enumerate(groups, start=1):
        failed = 0
        for row in group.rows:
            if row.twin:
                continue
            number = backends[backend_of(group, row).key]
            if row.time:
                low, high = (row.time.low, row.time.high) if row.time.low == row.time.low else (row.time.value,) * 2
                rate = (1e9 / row.time.value, 1e9 / high, 1e9 / low)
                rates += rate
                rows.append((panel, group.name, number, row.label, row.threads, *(f"{r:.6g}" for r in rate)))
            else:
                failed += 1
                name = next(k[2] for k, n in backends.items() if n == number)
                outcomes.append((panel, failed, f"{name}, {row.threads} thread{'s' * (row.threads > 1)}: {_outcome(row)}"))
    rows.sort(key=lambda r: (r[0], r[2], r[4]))         # a line is drawn through neighbours in the file
    _tsv(place / "threads.tsv", "panel group backend label threads rate low high", rows)
    _tsv(place / "threads_outcomes.tsv", "panel line text", outcomes or [(0, 0, "")])
    most = max(r.threads for g in groups for r in g.rows)
    return _gnuplot(place, "threads", {
        "TITLE": f"Do {most} threads do more than one?", **_series(backends), "GROUPS": len(groups), "THREADS": most,
        "SUB": "Operations of the workload, all threads together; logarithmic; whiskers: 95 % intervals",
        "PANELS": _words(g.title for g in groups), "LOW": min(rates) / 1.6, "HIGH": max(rates) * 1.6})


# --- cost against size -------------------------------------------------------------------------------

def _sizes(place: Path, curves: list[summary.Curve]) -> list[Path]:
    """A panel for each curve, up to three, all on one scale; what each line is, is written over the lines."""
    curves = [c for c in curves if any(r.time for at in c.rows.values() for r in at.values())][:3]
    if not curves:
        return []
    backends = _backends([g for c in curves for g in c.groups])
    points, fits, costs = [], [], []
    for panel, curve in enumerate(curves, start=1):
        for line, (label, at) in enumerate(curve.rows.items()):
            key = backend_of(curve.groups[0], next(iter(at.values()))).key
            points += [(panel, curve.name, backends[key], label, size, *_three(row.time), _outcome(row)) for size, row in at.items()]
            costs += [row.time.value for row in at.values() if row.time]
            fit = curve.exponents.get(label)
            fits.append((panel, curve.name, backends[key], label, line, *_three(fit), f"{key[2]}  {_power(fit, at)}"))
    _tsv(place / "sizes.tsv", "panel curve backend label size ns low high outcome", points)
    _tsv(place / "sizes_fits.tsv", "panel curve backend label line b low high text", fits)
    sizes = [p[4] for p in points]
    longest = max(len(c.rows) for c in curves)
    return _gnuplot(place, "sizes", {
        "TITLE": "What does an object cost when there are many?", **_series(backends), "GROUPS": len(curves),
        "SUB": "Time per object; both axes logarithmic; whiskers: 95 % intervals. b: the time of all n grows as n to the b",
        "PANELS": _words(c.groups[0].title for c in curves), "LEFT_END": min(sizes) / 1.5, "RIGHT_END": max(sizes) * 1.5,
        "LOW": min(costs) / 1.5, "HIGH": max(costs) * 1.5, "LINES": longest})


def _three(estimate: Estimate | None) -> tuple[Any, ...]:
    if estimate is None:
        return ("NaN",) * 3
    return (estimate.value, estimate.low, estimate.high) if estimate.low == estimate.low else (estimate.value,) * 3


def _power(fit: Estimate | None, at: dict[int, Row]) -> str:
    """The exponent; where there is none, why."""
    if fit is None:
        return next((_outcome(r) for r in at.values() if r.outcome != "ok"), "fewer than three sizes")
    return f"b = {fit.value:.2f}" + (f" ({fit.low:.2f} .. {fit.high:.2f})" if fit.low == fit.low else "")


# --- two runs ----------------------------------------------------------------------------------------

def draw_versus(place: Path, a: str, b: str, rows: list[tuple]) -> list[Path]:
    """B over A: rows of versus.tsv, by the columns below."""
    _tsv(place / "versus.tsv", "row name time time_low time_high time_sure peak peak_sure", rows)
    height = 330 + 38 * len(rows)
    return _gnuplot(place, "versus", {
        "TITLE": "What changed?", "ROWS": len(rows), "H": height,
        "SUB": f"A: {a}   B: {b}.   Grey: no sure difference (of memory: under 5 %)",
        "TIMES": _axis([0.95, 1.05, *(v for r in rows for v in r[3:5])]),
        "PEAKS": _axis([0.95, 1.05, *(r[6] for r in rows if r[6] != "NaN")]),
        "TITLE_AT": 1 - 45 / height, "SUB_AT": 1 - 95 / height, "TOP_AT": 1 - 150 / height, "BOTTOM_AT": 110 / height})


def draw_both_over_time(place: Path, a: str, b: str, runs: list[tuple[list[GroupSummary], list[Line]]]) -> list[Path]:
    """Memory over time of two runs, one over the other."""
    return _over_time(place, runs, [a, b])


def _axis(values: list[float]) -> str:
    known = [v for v in values if v == v]
    room = (max(known) / min(known)) ** 0.3                  # to the right: for what is written there
    return f"{min(known) / 1.05:.4g} {max(known) * max(1.1, room):.4g}"


# --- writing and drawing -----------------------------------------------------------------------------

def _tsv(path: Path, columns: str, rows: list[tuple]) -> None:
    text = ["\t".join(columns.split())] + ["\t".join(_cell(v) for v in row) for row in rows]
    record.write_whole(path, "\n".join(text) + "\n")


def _cell(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text.replace("\t", " ").replace("\n", " ").replace('"', "'") or " "     # gnuplot takes a quote for a string's begin


ENDINGS = {"png": b"IEND\xaeB`\x82", "svg": b"</svg>"}     # of a file that is whole


def _gnuplot(place: Path, script: str, settings: dict[str, Any], name: str = "") -> list[Path]:
    """Draw one figure in all formats, into files of the script's name or another. gnuplot finds its scripts beside the style, its data where it stands."""
    drawn = []
    for form in FORMATS:
        part, whole = place / f"{name or script}.part.{form}", place / f"{name or script}.{form}"
        values = {"fmt": form, "out": f"{name or script}.part", **settings}
        said = "; ".join(f"{k}='{_quoted(v)}'" if isinstance(v, str) else f"{k}={v!r}" for k, v in values.items())
        where = b"set loadpath '" + os.fsencode(_quoted(str(GNUPLOT))) + b"'; "     # a path is bytes, words are UTF-8: in any locale
        command = ["gnuplot", "-d", "-e", where + said.encode("utf-8", "backslashreplace"), str(GNUPLOT / f"{script}.gp")]
        try:
            done = subprocess.run(command, cwd=place, env={**os.environ, "LC_ALL": "C.UTF-8"}, capture_output=True, text=True,
                                  encoding="utf-8", errors="replace", timeout=120, check=False)
        except FileNotFoundError:
            raise Stopped("gnuplot is not installed: `make deps-bench` installs it; then `make plots RUN=...`") from None
        complaint = done.stderr.strip()
        if done.returncode != 0:
            with contextlib.suppress(OSError):
                part.unlink()
            raise Stopped(f"gnuplot could not draw {script}: {complaint.splitlines()[-1] if complaint else done.returncode}")
        if not part.read_bytes().rstrip().endswith(ENDINGS[form]):
            part.unlink()
            raise Stopped(f"{shown(whole)} could not be written whole (is the disk full?); what was drawn before stays")
        os.replace(part, whole)
        drawn.append(whole)
    return drawn


def _quoted(text: str) -> str:
    return text.replace("'", "''")


# --- the command line --------------------------------------------------------------------------------

def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="plots.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("--run", default=None, help="a run's folder or name; latest by default")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    options = parser.parse_args(arguments)
    folder = record.find(options.run or "latest", options.results)
    about, lines = record.read_run(folder), record.read_lines(folder)
    drawn = draw_run(folder, about, lines, summary.summarise(about["matrix"], lines))
    for path in drawn:
        if path.suffix == ".png":
            print(os.path.relpath(path) if path.is_relative_to(Path.cwd()) else shown(path))
    return 0


if __name__ == "__main__":
    net.run("plots", lambda: main(sys.argv[1:]))
