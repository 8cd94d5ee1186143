#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""report.py - a run as one page that needs nothing but itself: results/<run>/index.html. `make report RUN=...`

The page is scripts/report/page.html with its style, its scripts and the run's data put in; it draws its figures
from the data. Here is only what the data are: rows as summary.py judges them, each with its invocations, its
memory over time and its pauses, thinned to what a picture can show. Colours are those of plots/style.gp.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import base64
import html
import json
import re
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import heap_looks
import latency
import memory_metrics
import overhead
import plots
import record
import stats
import summary
import table
from collector_plots import percentiles
from net import BadInput, Stopped
from record import Line, shown
from summary import GroupSummary, Row

PARTS = Path(__file__).resolve().parent / "report"
SCRIPTS = ("charts.js", "table.js", "page.js")
POINTS = 160                    # of a curve: more than the page has pixels for is thinned
# figures that the page does not draw itself, by what their names begin with
PICTURES = ("heap_", "occupancy", "attribution_", "spacetime", "latency", "sizes", "price", "collector_costs", "pauses")
DOWNLOADS = ("summary.tsv", "invocations.jsonl", "benchmark.json", "run.json", "claims.json", "claims.md", "instructions.tsv")


def write(folder: Path, about: dict[str, Any], lines: list[Line], groups: list[GroupSummary], out: Path | None = None) -> Path:
    """Make the page, in the run's folder or at `out`; what else the folder has (claims, instructions, figures) is found there."""
    data = json.dumps(page_data(folder, about, lines, groups), separators=(",", ":"), allow_nan=False)
    values = {"title": f"refarena: {html.escape(net.readable(folder.name))}", "style": _part("style.css"), "script": "\n".join(_part(s) for s in SCRIPTS),
              "data": data.replace("</", "<\\/")}
    page = re.sub(r"\{\{(\w+)\}\}", lambda m: values[m[1]], _part("page.html"))
    record.write_whole(out or folder / "index.html", page)
    return out or folder / "index.html"


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


# --- the data ------------------------------------------------------------------------------------------

def page_data(folder: Path, about: dict[str, Any], lines: list[Line], groups: list[GroupSummary]) -> dict[str, Any]:
    palette, words, damaged = colours(), about.get("workloads", {}), []
    mine: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        mine.setdefault((line["group"], line["label"]), []).append(line)
    counted, judged = instructions(folder, damaged), claims(folder, damaged)
    told = [_group(g, palette, (words.get(g.workload) or {}).get("operation") or "operation", mine, counted) for g in groups]
    rows = sum(len(g["rows"]) for g in told)
    return {"title": about["matrix"].get("about") or about["matrix"]["name"], "lead": " ".join([_lead(about), *_absent(about, groups), *damaged]), "claims": judged, "groups": told, "pictures": pictures(folder),
            "heap": {"columns": ["group", *heap_looks.COLUMNS], "rows": [[h.group, *heap_looks.row(h)] for h in heap_looks.heaps(lines)]},
            "facts": [[f"{len(told)}", "groups"], [f"{rows}", "configurations"], [f"{len(lines):,}", "invocations"], *_floors(groups),
                      [f"{sum(l['rejected'] for l in lines):,}", "disturbed, taken again"]],
            "machine": _machine(about.get("machine", {})), "origin": _origin(about, lines),
            "files": [[n, (folder / n).stat().st_size] for n in _files(folder)]}


def _lead(about: dict[str, Any]) -> str:
    machine = about.get("machine", {})
    place = [machine.get("cpu_model"), f"{machine['cores']} cores" if machine.get("cores") else "",
             f"{machine['memory_bytes'] / 2**30:.0f} GiB" if machine.get("memory_bytes") else "", machine.get("distribution")]
    state = "" if about.get("finished") else " Not finished: this is what it has so far."
    return f"The matrix “{about['matrix']['name']}”, measured {_day(about)} on {', '.join(p for p in place if p)}.{state}"


def _absent(about: dict[str, Any], groups: list[GroupSummary]) -> list[str]:
    there = {g.name for g in groups}
    absent = [g["name"] for g in about["matrix"]["groups"] if g["name"] not in there]
    return [f"Not measured, though planned: {', '.join(absent)}."] if absent else []


def _day(about: dict[str, Any]) -> str:
    """'on 21 November 2026'; nothing where the run does not say."""
    try:
        return f"on {datetime.fromisoformat(about['begun'].replace('Z', '+00:00')):%-d %B %Y}"
    except (KeyError, ValueError, AttributeError):
        return ""


def _floors(groups: list[GroupSummary]) -> list[list[str]]:
    known = sorted(100 * g.floor for g in groups if g.floor == g.floor)
    return [[f"{known[0]:.1f}–{known[-1]:.1f} %", "noise floor, by group"]] if known else []


def _files(folder: Path) -> list[str]:
    figures = sorted(p.relative_to(folder).as_posix() for p in folder.glob("plots/*.svg"))
    return [n for n in DOWNLOADS if (folder / n).is_file()] + figures


def _group(group: GroupSummary, palette: dict[str, str], operation: str, lines: dict[tuple[str, str], list[Line]],
           counted: dict[tuple[str, str], float]) -> dict[str, Any]:
    how = "in turns on one core" if group.method == "turns" else "in whole invocations, random order"
    chosen = " ".join(f"{k}={v}" for k, v in sorted(group.parameters.items()))
    floor = f"; noise floor {100 * group.floor:.1f} %" if group.floor == group.floor else ""
    rows = [_row(group, r, palette, operation, lines.get((group.name, r.label), []), counted) for r in group.rows if not r.twin]
    bounds = overhead.lower_bounds(group, [l for r in group.rows for l in lines.get((group.name, r.label), [])])
    for row in rows:
        row["lbo"] = bounds[row["label"]].value if row["label"] in bounds else None
    return {"name": group.name, "title": group.title, "figure": group.figure, "baseline": group.baseline, "operation": operation,
            "words": f"{group.workload} {chosen}".strip() + f"; {how}{floor}", "floor": _number(group.floor) or 0, "notes": group.notes, "rows": rows}


def _row(group: GroupSummary, row: Row, palette: dict[str, str], operation: str, lines: list[Line],
         counted: dict[tuple[str, str], float]) -> dict[str, Any]:
    series = plots.backend_of(group, row)
    memory = [l for l in lines if l["purpose"] == "memory" and l["outcome"] == "ok" and l["memory"]]
    told = {"id": re.sub(r"[^\w@]+", "-", f"{group.name}/{row.label}"), "group": group.name, "label": row.label, "name": row.shown, "workload": row.workload,
            "backend": row.collector or row.allocator, "colour": palette.get(series.style, palette[""]), "hollow": series.faded,
            "outcome": row.outcome, "message": row.message, "verdict": row.verdict, "notes": row.notes,
            "ns": row.time and _number(row.time.value), "low": row.time and _number(row.time.low), "high": row.time and _number(row.time.high),
            "cpu": row.cpu and _number(row.cpu.value), "ratio": row.ratio and _number(row.ratio.value),
            "ratio_low": row.ratio and _number(row.ratio.low), "ratio_high": row.ratio and _number(row.ratio.high),
            "peak": row.peak_rss, "peak_low": row.peak_low, "peak_high": row.peak_high, "end": row.end_rss, "live": row.live_bytes,
            "overhead": row.overhead, "instructions": counted.get((group.name, row.label)), **memory_metrics.of(memory),
            "values": [_invocation(row.sample[r]) for r in sorted(row.sample) if row.sample[r]],
            "series": _series(memory[0]) if memory else [], "pauses": _pauses(lines),
            "latency": {kind: [[beyond, e.value] for _, beyond, e in each] for kind, each in latency.latencies(lines).items()}}
    told["sentence"] = f"{group.title}: {row.workload}" + (f", {row.threads} threads" if row.threads > 1 else "") + f"; an operation is one {operation}."
    told["numbers"] = _numbers(row, told)
    return told


def _invocation(rounds: dict[int, tuple[float, float]]) -> list[float]:
    """Nanoseconds an operation: of the invocation, of its fastest round and of its slowest."""
    each = [time / operations for time, operations in rounds.values()]
    return [stats.per_operation(rounds), min(each), max(each)]


def _series(line: Line) -> list[list[float]]:
    samples, base = line["memory"].get("series") or [], summary.floor_bytes(line)
    return [[round(ns / 1e6, 3), max(0, rss - base), asked] for ns, rss, asked in _thinned(samples)]


def _thinned(samples: list[list[int]]) -> list[list[int]]:
    """Of each stretch of samples the one with the largest RSS: a peak is never thinned away."""
    stride = max(1, len(samples) // POINTS)
    return [max(samples[i:i + stride], key=lambda s: s[1]) for i in range(0, len(samples), stride)]


def _pauses(lines: list[Line]) -> dict[str, Any] | None:
    """Of all invocations that recorded pauses, together: a percentile is withheld where too few were seen."""
    known = [l["pauses"] for l in lines if l["purpose"] == "pauses" and l.get("pauses")]
    if not known:
        return None
    kinds = [p["kinds"]["any"] for p in known]
    points = percentiles(kinds)
    def at(share: float) -> float | None:
        return next((ns for _, s, ns, enough in points if s >= share and enough), None)
    def left(key: str) -> list[list[float]]:
        """The least share of each window, ms, over all invocations that can say it."""
        windows = [(w, [dict(map(tuple, p[key])).get(w) for p in known]) for w, _ in known[0][key]]
        return [[w, min(us)] for w, us in windows if None not in us]
    return {"count": sum(k["count"] for k in kinds), "p50": at(0.5), "p99": at(0.99), "max": max(k["max_ns"] or 0 for k in kinds),
            "curve": [[beyond, ns] for beyond, _, ns, enough in points if enough][::max(1, len(points) // POINTS)],
            "mmu": left("mmu"), "mmu_without_gil": left("mmu_without_gil") if any(p["gil_ns"] for p in known) else []}


def _numbers(row: Row, told: dict[str, Any]) -> list[list[str]]:
    found = [["outcome", row.outcome], ["verdict", row.verdict], ["notes", "; ".join(row.notes)], ["invocations", str(row.invocations)],
             ["taken again", str(row.rejected)], ["collector", row.collector or ""], ["allocator", row.allocator], ["the library", row.shown_allocator if row.shown_allocator != row.allocator else ""], ["threads", str(row.threads)],
             ["parameters", " ".join(f"{k}={v}" for k, v in row.parameters.items())]]
    if row.time:
        found += [["ns per operation", table.in_ns(row.time.value)], ["CPU ns per operation", table.in_ns(row.cpu.value)]]
    if row.peak_rss is not None:
        found += [["peak RSS", table.in_bytes(row.peak_rss)], ["at the end", table.in_bytes(row.end_rss)]]
    found += [[words, table.in_bytes(told[key])] for words, key in (("the process's alone (USS)", "uss"), ("held by the allocator", "held")) if told[key]]
    if told["instructions"]:
        found.append(["instructions per operation", f"{told['instructions']:,.1f}"])
    return [[k, v] for k, v in found if v]


def instructions(folder: Path, damaged: list[str]) -> dict[tuple[str, str], float]:
    """Instructions an operation by group and label, where `make instructions` counted them for this run."""
    try:
        header, *rows = (folder / "instructions.tsv").read_text(encoding="utf-8").splitlines()
        named = [dict(zip(header.split("\t"), r.split("\t"))) for r in rows]
        return {(r["group"], r["label"]): float(r["per_operation"]) for r in named if r.get("per_operation")}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError):
        damaged.append("instructions.tsv is damaged: count again with `make instructions`.")
        return {}


def claims(folder: Path, damaged: list[str]) -> list[dict[str, str]]:
    """Verdicts, where claims were judged in this run: claims.json of results/README.md."""
    try:
        told = json.loads((folder / "claims.json").read_text(encoding="utf-8"))["claims"]
        return [{"verdict": c["verdict"], "sentence": c.get("sentence", ""), "finding": _finding(c),
                 "source": "; ".join(f"{s['publication']}, {s['place']}" for s in c.get("source", []))} for c in told]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        damaged.append("claims.json is damaged: judge again with `make claims`.")
        return []


def _finding(claim: dict[str, Any]) -> str:
    """What was measured, criterion by criterion, and why the verdict is none where it is none."""
    told = []
    for c in claim.get("criteria", []):
        interval = f" ({c['low']:.3g} .. {c['high']:.3g})" if c.get("low") is not None else ""
        if c.get("value") is not None:
            told.append(f"{c['measured']}: {c['value']:.3g}{interval} {c['unit']}".rstrip() + f", to be {c['criterion']}")
    return "; ".join([*told, *([claim["reason"]] if claim.get("reason") else [])])


def pictures(folder: Path) -> list[tuple[str, str]]:
    """Figures that the page does not draw itself, as they are: words and data."""
    found = [path for path in sorted((folder / "plots").glob("*.svg")) if path.name.startswith(PICTURES)]
    return [(path.stem.replace("_", " "), f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}") for path in found]


def _number(value: float) -> float | None:
    return None if value != value else value


# --- provenance --------------------------------------------------------------------------------------------

def _machine(machine: dict[str, Any]) -> list[list[str]]:
    names = {"cpu_model": "CPU", "cores": "cores", "l2_l3": "caches", "memory_bytes": "memory", "hypervisor": "virtual", "kernel": "kernel",
             "distribution": "system", "libc": "C library", "clock_source": "clock", "governor": "governor", "transparent_huge_pages": "huge pages",
             "overcommit": "overcommit", "aslr": "ASLR", "page_bytes": "page"}
    return [[words, _plain(key, machine[key])] for key, words in names.items() if machine.get(key) not in (None, "", [])]


def _plain(key: str, value: Any) -> str:
    if key in ("memory_bytes", "page_bytes"):
        return table.in_bytes(value)
    return ", ".join(value) if isinstance(value, list) else ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _origin(about: dict[str, Any], lines: list[Line]) -> list[list[str]]:
    machine, build = about.get("machine", {}), next((l["build"] for l in lines if l.get("build")), {})
    commit = machine.get("commit") or ""
    load = lambda when: " ".join(f"{x:.2f}" for x in about.get(when, {}).get("load", []))
    found = [["commit", commit[:12] + (" and changes" if machine.get("dirty") else "")], ["command", about.get("command", "")],
             ["compiler", build.get("compiler")], ["flags", build.get("flags")], ["begun", about.get("begun")], ["finished", about.get("finished") or "no"],
             ["sittings", about.get("sittings")], ["seed", about.get("seed")], ["load before", load("before")], ["load after", load("after")],
             ["packages", ", ".join(f"{k} {v}" for k, v in machine.get("packages", {}).items())]]
    return [[k, str(v)] for k, v in found if v not in (None, "")]


def colours(style: Path = plots.GNUPLOT / "style.gp") -> dict[str, str]:
    """The colour of each backend, from the one place that says it; '' for one that has none of its own."""
    text = style.read_text(encoding="utf-8")
    lines = {int(n): c for n, c in re.findall(r"^set style line (\d+) lc rgb '(#\w{6})'", text, re.M)}
    found = {"": lines[25]}
    for names, first in (("STYLE_ALLOCATORS", 1), ("STYLE_COLLECTORS", 11)):
        listed = re.search(rf"^{names} = '([^']*)'", text, re.M)[1].split()
        found |= {name: lines[first + i] for i, name in enumerate(listed)}
    return found


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="report.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("run", nargs="?", default="latest", help="a run's folder or name; latest by default")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    parser.add_argument("--out", type=Path, help="where to write the page, where the run's folder cannot be written")
    options = parser.parse_args(arguments)
    folder = record.find(options.run, options.results)
    about, lines = record.read_run(folder), record.read_lines(folder)
    if not lines:
        raise BadInput(f"{shown(folder)} is empty: nothing was measured; go on with it, or take another run")
    groups = summary.summarise(about["matrix"], lines)
    try:
        page = write(folder, about, lines, groups, options.out)
    except Stopped as trouble:                          # a run that is only to be read has a page too
        if options.out:
            raise
        page = write(folder, about, lines, groups, Path(tempfile.mkdtemp(prefix="refarena-")) / "index.html")
        print(f"report: {trouble}; the page is elsewhere (--out says where)", file=sys.stderr)
    print(shown(page))
    return 0


if __name__ == "__main__":
    net.run("report", lambda: main(sys.argv[1:]))
