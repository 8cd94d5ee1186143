# SPDX-License-Identifier: MIT
"""table.py - the rows, for people and for other programs.

    printed          one table a group: ns/operation, interval, ratio to the baseline, peak RSS, verdict
    summary.tsv      the same rows, unrounded, one header line
    benchmark.json   every invocation in Google Benchmark's own format: readable by its compare.py
"""
from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import memory_metrics
import names
import overhead
from record import Line
from stats import Estimate, middle
from summary import Curve, GroupSummary, Row, curves

COLUMNS = ("configuration", "ns/op", "95 % interval", "ratio", "95 % interval", "peak RSS", "verdict")


def printed(groups: list[GroupSummary], operations: dict[str, str]) -> str:
    """operations: what one operation of each workload is, in a word."""
    tables = [_group(g, operations.get(g.workload, "operation")) for g in groups if not g.curve and _says_something(g)]
    return "\n\n".join(tables + [_curve(c, operations.get(c.groups[0].workload, "operation")) for c in curves(groups)] + _asked_as(groups))


def _asked_as(groups: list[GroupSummary]) -> list[str]:
    """Names that the tables show and no command takes."""
    plain = {names.base(r.shown_allocator): names.base(r.allocator) for g in groups for r in g.rows}
    told = [f"{shown} is {asked}" for shown, asked in plain.items() if "/" not in asked and not shown.startswith(asked)]
    return [f"  as they are asked for: {', '.join(told)}"] if told else []


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, one a line: the first column to the left, all others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  " + "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip()
                     for row in rows)


def _says_something(group: GroupSummary) -> bool:
    """Not where neither time nor memory was measured: pauses or the heap were."""
    return any(r.time or r.peak_rss is not None or r.outcome != "ok" for r in group.rows)


def _group(group: GroupSummary, operation: str) -> str:
    how = "in turns on one core" if group.method == "turns" else "in whole invocations, random order"
    chosen = " ".join(f"{k}={v}" for k, v in sorted(group.parameters.items()))
    command = group.workload + (f" {chosen}" if chosen else "")
    title = command if group.title == group.name else f"{group.title} ({command})"
    head = f"{group.name}: {title}; ns per {operation}; {how}"
    rows = [_cells(r) for r in group.rows]
    widths = [max(len(c[i]) for c in [COLUMNS, *rows]) for i in range(len(COLUMNS))]
    lines = [head] + [_line(cells, widths) for cells in [COLUMNS, *rows]]
    lines += [f"  {r.shown}: {r.message}" for r in group.rows if r.message and not r.twin]
    return "\n".join(lines + [f"  {_floor(group)}"] + [f"  ! {note}" for note in group.notes])


def _curve(curve: Curve, operation: str) -> str:
    """Nanoseconds an operation at each size, and the power of the size with which the time of all of them grows."""
    sizes = [g.size for g in curve.groups]
    head = f"{curve.name}: {curve.groups[0].title}; ns per {operation} at each size; the time of all grows as size^b"
    cells = [("configuration", *(f"{s:,}" for s in sizes), "b", "95 % interval")]
    for label, at in curve.rows.items():
        fit = curve.exponents.get(label)
        cells.append((next(iter(at.values())).shown, *(_at_size(at.get(s)) for s in sizes), f"{fit.value:.3f}" if fit else "-",
                      _between(fit, "{:.3f}") if fit else "-"))
    widths = [max(len(c[i]) for c in cells) for i in range(len(cells[0]))]
    lines = [head] + [_line(c, widths) for c in cells]
    lines.append("  noise floor at each size: " + ", ".join("not known" if g.floor != g.floor else f"{100 * g.floor:.1f} %"
                                                            for g in curve.groups))
    return "\n".join(lines + [f"  ! {g.size:,}: {note}" for g in curve.groups for note in g.notes])


def _at_size(row: Row | None) -> str:
    return "-" if row is None else in_ns(row.time.value) if row.time else row.outcome.replace("_", " ")


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    aligned = [c.ljust(w) if i in (0, len(cells) - 1) else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths))]
    return ("  " + "  ".join(aligned)).rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    verdict = row.verdict + (f" ({', '.join(row.notes)})" if row.notes else "")
    peak = in_bytes(row.peak_rss) if row.peak_rss is not None else "-"
    if row.time is None:
        return (row.shown, "-", "-", "-", "-", peak, verdict)
    ratio = ("1.00", "") if row.ratio is None and row.verdict == "baseline" else ("-", "-")
    if row.ratio:
        ratio = (f"{row.ratio.value:.3f}", _between(row.ratio, "{:.3f}"))
    return (row.shown, in_ns(row.time.value), _between(row.time), *ratio, peak, verdict)


def _between(estimate: Estimate, form: str | None = None) -> str:
    if estimate.low != estimate.low:
        return "-"
    low, high = (form.format(v) if form else in_ns(v) for v in (estimate.low, estimate.high))
    return f"{low} .. {high}"


def _floor(group: GroupSummary) -> str:
    if group.pair is None:
        return "noise floor: not known, the A/A pair has no times"
    if group.floor != group.floor:
        return "noise floor: not known from one invocation"
    pair = group.pair
    return (f"noise floor {100 * group.floor:.1f} %: the same configuration twice gave "
            f"{pair.value:.3f} ({_between(pair, '{:.3f}')})")


def in_ns(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value >= 100 else f"{value:#.3g}"


def in_bytes(size: float) -> str:
    """Three digits, or whole pages of memory where it is little."""
    if size < 2**20:
        return f"{size / 2**10:,.0f} KiB"
    return f"{size / 2**20:,.{1 if size < 100 * 2**20 else 0}f} MiB"


# --- for other programs ------------------------------------------------------------------------------

def summary_tsv(groups: list[GroupSummary], measured: list[Line]) -> str:
    names = ("group workload parameters label collector allocator threads method outcome ns_per_op ns_low ns_high "
             "cpu_ns_per_op ratio ratio_low ratio_high baseline noise_floor peak_rss_bytes live_bytes overhead "
             "invocations rejected verdict notes message figures end_rss_bytes end_uss_bytes used_bytes held_bytes "
             "byte_seconds internal external lbo lbo_low lbo_high").split()
    lines = ["\t".join(names)]
    for g in groups:
        bounds = overhead.lower_bounds(g, [l for l in measured if l["group"] == g.name])
        for r in g.rows:
            memory = memory_metrics.of([l for l in measured if (l["group"], l["label"], l["purpose"], l["outcome"]) ==
                                        (g.name, r.label, "memory", "ok") and l["memory"]])
            values = (g.name, g.workload, " ".join(f"{k}={v}" for k, v in sorted(r.parameters.items())), r.label,
                      r.collector, r.allocator, r.threads, g.method, r.outcome, *_three(r.time),
                      r.cpu.value if r.cpu else None, *_three(r.ratio), g.baseline, g.floor, r.peak_rss, r.live_bytes,
                      r.overhead, r.invocations, r.rejected, r.verdict, "; ".join(r.notes), r.message,
                      " ".join(f"{name}={value:.6g}" for name, value in r.figures.items()),
                      r.end_rss, memory["uss"], r.used_bytes, memory["held"], memory["integral"], memory["internal"],
                      memory["external"], *_three(bounds.get(r.label)))
            lines.append("\t".join(_plain(v) for v in values))
    return "\n".join(lines) + "\n"


def _three(estimate: Estimate | None) -> tuple[float | None, ...]:
    return (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)


def _plain(value: Any) -> str:
    if value is None or value != value:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text.replace("\t", " ").replace("\n", " ")


def benchmark_json(groups: list[GroupSummary], lines: list[Line], about: dict[str, Any]) -> str:
    """One entry an invocation, then the aggregates; a failed one carries Google Benchmark's error fields."""
    machine = about.get("machine", {})
    context = {"date": about.get("begun"), "executable": "build/bin", "num_cpus": machine.get("cores"),
               "mhz_per_cpu": 0, "cpu_scaling_enabled": machine.get("governor") not in (None, "performance"),
               "caches": [], "load_avg": about.get("before", {}).get("load", []), "library_build_type": "release"}
    timed = [l for l in lines if l["purpose"] == "time"]
    entries: list[dict[str, Any]] = []
    for family, row in enumerate(r for g in groups for r in g.rows):
        mine = [l for l in timed if (l["group"], l["label"]) == (row.group, row.label)]
        entries += _entries(family, row, mine)
    return json.dumps({"context": context, "benchmarks": entries}, indent=1, allow_nan=False) + "\n"


def _entries(family: int, row: Row, lines: list[Line]) -> list[dict[str, Any]]:
    name = f"{row.group}/{row.label}"
    common = {"family_index": family, "per_family_instance_index": 0, "run_name": name,
              "repetitions": len(lines), "threads": row.threads}
    runs = []
    for line in lines:
        entry = {"name": name, **common, "run_type": "iteration", "repetition_index": line["repetition"], "time_unit": "ns"}
        rounds = line["rounds"]
        operations = sum(r["operations"] for r in rounds)
        if line["outcome"] != "ok" or not operations:
            why = f"{line['outcome']}: {line['message']}".rstrip(": ")
            runs.append({**entry, "error_occurred": True, "error_message": why,
                         "iterations": 0, "real_time": 0.0, "cpu_time": 0.0})
            continue
        runs.append({**entry, "iterations": operations, "real_time": sum(r["wall_ns"] for r in rounds) / operations,
                     "cpu_time": sum(r["cpu_ns"] for r in rounds) / operations})
    good = [r for r in runs if "error_occurred" not in r]
    if len(good) < 2:
        return runs
    def aggregate(word: str, of: Any) -> dict[str, Any]:
        return {"name": f"{name}_{word}", **common, "run_type": "aggregate", "aggregate_name": word,
                "aggregate_unit": "time", "iterations": len(good), "time_unit": "ns",
                **{key: of([r[key] for r in good]) for key in ("real_time", "cpu_time")}}
    return runs + [aggregate("mean", lambda v: sum(v) / len(v)), aggregate("median", middle)]
