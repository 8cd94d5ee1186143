#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""nominals.py - what each workload does to memory, as a table: `make nominals`.

Reads the registry from the executables, runs every workload once with its default parameters, and where one workload
is several programs (SETTINGS), once each, and writes workloads/nominals.tsv and workloads/nominals.md. Nothing in the
table but the rate depends on the machine. The three invocations behind a row:

    census, or blocks       --nominals: sizes, lifetimes, live bytes, cyclic share, over prepare, three units and finish
    gil, or blocks          the same on two threads, where the workload can: which blocks die on another thread
    cyclic, or blocks       times a few units, for the rate

census counts references, and is CPython's collector; what it cannot run is run on the next that can (FALLBACKS). What
cannot be run, or takes too long, is a row that says so.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import record
from net import Stopped
from record import shown

TOP = Path(__file__).resolve().parent.parent
SECONDS = 60                        # an invocation that takes longer is a row without figures
FALLBACKS = ("census", "gil", "racy", "leak")
TRACES = sorted(p.name.split(".")[0] for p in (TOP / "workloads/recordings").glob("*.trace.zst"))

# Workloads that are several programs: parameters other than the default ones.
SETTINGS: dict[str, tuple[str, ...]] = {
    "replay": tuple(f"trace={name}" for name in TRACES),
    "autograd": ("outputs=strong", "outputs=weak"),
    "phases": ("survivors=placed", "survivors=random"),
    "batch": ("order=lifo", "order=fifo", "order=random"),
    "graph": ("shape=live_random", "shape=dead_random collection=first"),
    "snapshot": ("roots=held", "roots=cut"),
    "shared": ("objects=own", "objects=one"),
    "sum": ("numbers=boxed", "numbers=unboxed"),
    "lists": ("act=append", "act=slice"),
    "views": ("mode=keep", "mode=copy", "mode=slices"),
    "strings": ("act=make", "act=intern"),
    "instances": ("form=dict", "form=slots"),
    "interpreter": tuple(f"program={path.stem}" for path in sorted((TOP / "workloads/programs").glob("*.py"))),
}

COLUMNS = ("workload parameters kind outcome operation operations allocations bytes references live_bytes "
           "live_objects peak_bytes turnover bytes_per_operation bytes_per_second size_p10 size_p50 size_p90 "
           "size_p99 size_max lifetime_p10 lifetime_p50 lifetime_p90 lifetime_p99 lifetime_max "
           "references_per_allocation cyclic_share cross_thread_share").split()


@dataclass(frozen=True)
class Workload:
    name: str
    kind: str                       # blocks, objects
    operation: str
    threaded: bool


def registry(binaries: Path) -> list[Workload]:
    """As the executables list it, in the order of workloads.def."""
    found = {}
    for executable in ("blocks", "census"):
        outcome, line = invoke([binaries / executable, "--list=json"])
        if outcome != "ok":
            raise Stopped(f"{binaries / executable} does not list its workloads ({outcome}); run `make nominals`")
        found |= {w["name"]: Workload(w["name"], w["kind"], w["operation"], w["threaded"]) for w in line["workloads"]}
    names = re.findall(r"^(?:BLOCKS|OBJECTS)\((\w+)\)", (TOP / "workloads/workloads.def").read_text(encoding="utf-8"), re.M)
    return [found[name] for name in names if name in found]


def invoke(command: list[Any]) -> tuple[str, dict[str, Any]]:
    """(outcome, its line); the outcome is in words where there is no line."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=SECONDS, cwd=TOP, check=False)
    except subprocess.TimeoutExpired:
        return f"takes more than {SECONDS} s", {}
    except FileNotFoundError:
        return "not built", {}
    if done.returncode == 0:
        return "ok", json.loads(done.stdout)
    if done.returncode < 0:
        return "crash", {}
    complaint = (done.stderr.strip().splitlines() or ["failed"])[-1].split(": ", 1)[-1]       # who says it is known
    said = complaint.split(": ")[0]
    return (said if said in ("unsupported", "heap_full", "not_installed", "miscounted") else complaint), {}


def nominal(binaries: Path, workload: Workload, parameters: list[str]) -> tuple[str, dict[str, Any]]:
    outcome, line = "unsupported", {}
    for executable in ("blocks",) if workload.kind == "blocks" else FALLBACKS:
        outcome, line = invoke([binaries / executable, workload.name, *parameters, "--nominals"])
        if outcome not in ("unsupported", "not built"):
            break
    return outcome, line


def cross_thread_share(binaries: Path, workload: Workload, parameters: list[str]) -> float | None:
    executable = "blocks" if workload.kind == "blocks" else "gil"
    if not workload.threaded:
        return 0.0                                      # there is no other thread
    outcome, line = invoke([binaries / executable, workload.name, *parameters, "--nominals", "--threads=2"])
    return line["deaths_elsewhere"] / line["deaths"] if outcome == "ok" and line["deaths"] else None


def bytes_per_second(binaries: Path, workload: Workload, parameters: list[str], unit_bytes: int) -> float | None:
    executable = "blocks" if workload.kind == "blocks" else "cyclic"
    outcome, line = invoke([binaries / executable, workload.name, *parameters, "--rounds=3", "--no-capacity"])
    if outcome != "ok" or line["outcome"] != "ok":
        return None
    units, wall_ns = (sum(r[key] for r in line["rounds"]) for key in ("units", "wall_ns"))
    return unit_bytes * units / wall_ns * 1e9


def row(binaries: Path, workload: Workload, parameters: list[str]) -> dict[str, Any]:
    outcome, line = nominal(binaries, workload, parameters)
    made: dict[str, Any] = {"workload": workload.name, "parameters": " ".join(parameters), "kind": workload.kind,
                            "outcome": outcome, "operation": workload.operation}
    if outcome != "ok":
        return made
    unit, live, objects = line["declared"], line["live_bytes"], line["objects"]
    made |= {key: unit[key] for key in ("operations", "allocations", "bytes", "references")}
    made |= {"live_bytes": live, "peak_bytes": line["peak_bytes"]}
    if objects:
        made["live_objects"] = objects["live"]
        made["cyclic_share"] = objects["collected"] / objects["died"] if objects["died"] else None
        made["references_per_allocation"] = unit["references"] / unit["allocations"] if unit["allocations"] else None
    made["turnover"] = unit["bytes"] / live if live else None
    made["bytes_per_operation"] = unit["bytes"] / unit["operations"] if unit["operations"] else None
    made["bytes_per_second"] = bytes_per_second(binaries, workload, parameters, unit["bytes"]) if unit["bytes"] else None
    for name in ("size", "lifetime"):
        made |= dict(zip((f"{name}_{p}" for p in ("p10", "p50", "p90", "p99", "max")), line[f"{name}s"]))
    made["cross_thread_share"] = cross_thread_share(binaries, workload, parameters)
    return made


# --- the table, for programs and for people --------------------------------------------------------------

def tsv(rows: list[dict[str, Any]]) -> str:
    return "\n".join(["\t".join(COLUMNS), *("\t".join(_plain(r.get(c)) for c in COLUMNS) for r in rows)]) + "\n"


def _plain(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


HEAD = """# Nominal statistics

What each workload does to memory, whoever manages it, with its default parameters or those named: made by `make nominals`,
complete in [nominals.tsv](nominals.tsv). Of the columns only the rate depends on the machine.

- **live**: the most bytes reachable at once (of blocks: asked for and not released), without headers.
- **peak**: the most bytes asked for and not released, with headers, and with garbage that no collection has found yet.
- **turnover**: bytes that a unit asks for, over live bytes: how often it replaces what lives.
- **an operation, a second**: bytes asked for; the latter on glibc's malloc (objects: and `cyclic`), on the machine of the last run.
- **sizes**: of blocks when they are born: the median, and what 90 % and 99 % do not exceed. Objects are blocks with their
  headers: 16 bytes, and 16 more where tracked. Owned arrays are blocks, too.
- **lifetimes**: bytes asked for from a block's birth to its death; over prepare, three units and finish.
- **references**: taken for each allocation of a unit, by assignments and loads: what a count counts. Each is dropped, too.
- **cyclic**: of the objects that died, those that no count found: only a collection did.
- **elsewhere**: of the blocks that died, those released by another thread than asked for them; on two threads.

A dash: there is no such thing (a workload that allocates nothing in its units has no turnover).
"""
SHOWN = ("workload", "live", "peak", "turnover", "an operation", "a second", "size p50", "p90", "p99", "lifetime p50", "p90", "p99",
         "references", "cyclic", "elsewhere")


def _bytes(value: float | None) -> str:
    if value is None:
        return "-"
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} B"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _share(value: float | None) -> str:
    return "-" if value is None else "0" if value == 0 else f"{100 * value:.0f} %" if value >= 0.01 else f"{100 * value:.1g} %"


def _cells(r: dict[str, Any]) -> list[str]:
    name = f"`{r['workload']}`" + (f" {r['parameters']}" if r["parameters"] else "")
    if r["outcome"] != "ok":
        return [name, r["outcome"], *[""] * (len(SHOWN) - 2)]
    allocates = r["bytes"] or None
    spreads = (r.get(f"{what}_{p}") for what in ("size", "lifetime") for p in ("p50", "p90", "p99"))
    return [name, _bytes(r["live_bytes"]), _bytes(r["peak_bytes"]), _number(allocates and r["turnover"]),
            _bytes(allocates and r["bytes_per_operation"]), _bytes(r["bytes_per_second"]), *map(_bytes, spreads),
            _number(r.get("references_per_allocation")), _share(r.get("cyclic_share")) if r["kind"] == "objects" else "-",
            _share(r["cross_thread_share"])]


def markdown(rows: list[dict[str, Any]]) -> str:
    parts = [HEAD]
    for kind, title in (("blocks", "On blocks"), ("objects", "On objects")):
        lines = [_cells(r) for r in rows if r["kind"] == kind]
        parts.append("\n".join([f"## {title}\n", f"| {' | '.join(SHOWN)} |", f"|{' --- |' * len(SHOWN)}",
                                *(f"| {' | '.join(line)} |" for line in lines)]) + "\n")
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="nominals.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("--bin", type=Path, default=TOP / "build/bin", help="the executables (default: build/bin)")
    parser.add_argument("--workloads", default="", help="only these; the files are then not written")
    parser.add_argument("--out", type=Path, default=TOP / "workloads", help="folder of the table (default: workloads)")
    asked = parser.parse_args(arguments)
    wanted = asked.workloads.replace(",", " ").split()
    known = registry(asked.bin)
    unknown = [name for name in wanted if name not in {w.name for w in known}]
    if unknown:
        raise net.unknown("workload", unknown[0], [w.name for w in known])
    rows = []
    for workload in (w for w in known if not wanted or w.name in wanted):
        for setting in SETTINGS.get(workload.name, ("",)):
            print(f"nominals: {workload.name} {setting}".rstrip(), file=sys.stderr, flush=True)
            rows.append(row(asked.bin, workload, setting.split()))
    if wanted:
        print(tsv(rows), end="")
        return 0
    record.write_whole(asked.out / "nominals.tsv", tsv(rows))
    record.write_whole(asked.out / "nominals.md", markdown(rows))
    print(f"{shown(asked.out / 'nominals.md')}, {shown(asked.out / 'nominals.tsv')}: {len(rows)} rows")
    return 0


if __name__ == "__main__":
    net.run("nominals", lambda: main(sys.argv[1:]))
