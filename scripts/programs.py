#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Real programs on our own allocators: do they say the same as on glibc, how long do they take, what do they hold?

    make programs          or          scripts/programs.py [--repetitions 3] [--programs git,perl] [--allocators bump]

Each program runs with LD_PRELOAD=build/lib/refarena-<allocator>.so. Its standard output, its exit status and what
it wrote must be those of the run on glibc, byte by byte, with the library in the process: nothing else is a pass.
Times are the least of the repetitions, taken in turns over all allocators; `make bench-programs` compares them. These
are whole programs, most of whose time is not spent in malloc.
Exit status: 0 where every output is the same, 1 where one is not, 2 for bad input.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import whole_programs
from net import BadInput
from whole_programs import TOP, Program, Run

GLIBC = "glibc"


def listed(scratch: Path) -> list[Program]:
    """What whole_programs has, and git where the sources came with their history."""
    found = whole_programs.programs(scratch)
    head = subprocess.run(["git", "-C", str(TOP), "rev-parse", "HEAD"], capture_output=True, text=True, encoding="utf-8", errors="replace").stdout.strip() \
        if shutil.which("git") else ""
    if head:
        found.append(Program("git", ("git", "-C", str(TOP), "--no-pager", "log", "-p", "--stat", "--no-color",
                                     "--no-ext-diff", head)))
    return found


def row(program: str, allocator: str, runs: list[Run], base: list[Run]) -> dict:
    same = all(r.digest == base[0].digest and r.loaded is not False for r in runs)
    return {"program": program, "allocator": allocator, "same_output": same,
            "seconds": min(r.seconds for r in runs), "peak_rss_bytes": max(r.peak_bytes for r in runs),
            "complaint": next((r.complaint for r in runs if r.complaint), "")}


def show(rows: list[dict]) -> None:
    print(f"{'program':<12} {'allocator':<16} {'same output':<12} {'seconds':>8} {'of glibc':>9} {'peak RSS MiB':>13}")
    base = {r["program"]: r["seconds"] for r in rows if r["allocator"] == GLIBC}
    for r in rows:
        print(f"{r['program']:<12} {r['allocator']:<16} {'yes' if r['same_output'] else 'NO':<12} {r['seconds']:8.3f}"
              f" {r['seconds'] / base[r['program']]:8.2f}x {r['peak_rss_bytes'] / 2**20:13.1f}"
              + (f"   {r['complaint']}" if r["complaint"] and not r["same_output"] else ""))


def libraries(folder: Path, wanted: list[str]) -> dict[str, str]:
    found = whole_programs.own_libraries(folder)
    missing = [name for name in wanted if name not in found]
    if missing or not found:
        raise BadInput(f"no {folder}/refarena-{(missing or ['<name>'])[0]}.so: run `make all`, or name one of "
                       f"{', '.join(found) or 'none'}")
    return {name: found[name] for name in (wanted or found)}


def main() -> int:
    parser = net.Parser(description="Real programs on our own allocators, compared with glibc.")
    parser.add_argument("--lib", type=Path, default=TOP / "build/lib", help="where the libraries are (default: build/lib)")
    parser.add_argument("--repetitions", type=int, default=3, help="runs of each program on each allocator (default: 3)")
    parser.add_argument("--programs", default="", help="only these: python3, sqlite3, gcc, perl, git")
    parser.add_argument("--allocators", default="", help="only these: pymalloc, magazine, bump, debug-pymalloc")
    parser.add_argument("--json", action="store_true", help="one line of JSON a row instead of a table")
    options = parser.parse_args()
    rows: list[dict] = []
    if options.repetitions < 1:
        raise BadInput(f"--repetitions {options.repetitions}: give 1 or more")
    on = {GLIBC: "", **libraries(options.lib.resolve(), options.allocators.replace(",", " ").split())}
    with tempfile.TemporaryDirectory(prefix="refarena-programs-") as folder:
        scratch = Path(folder)
        wanted = options.programs.replace(",", " ").split()
        asked = [p for p in listed(scratch) if not wanted or p.name.split()[0] in wanted]
        chosen = [p for p in asked if p.installed]
        if not chosen:
            raise BadInput(f"--programs {options.programs}: none of them is known and installed")
        for program in (p for p in asked if not p.installed):
            print(f"{program.name} is not installed, and left out", file=sys.stderr)
        for program in chosen:
            runs: dict[str, list[Run]] = {name: [] for name in on}
            for _ in range(options.repetitions):
                for name, library in on.items():
                    runs[name].append(whole_programs.run(program, library, scratch))
            rows += [row(program.name, name, runs[name], runs[GLIBC]) for name in on]
    if options.json:
        for r in rows:
            print(json.dumps(r))
    else:
        show(rows)
    return 0 if all(r["same_output"] for r in rows) else 1


if __name__ == "__main__":
    net.run("programs", main)
