#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""beside_cpython.py - RSS over time of autograd and views here, beside CPython and NumPy doing the same.

    scripts/beside_cpython.py --results results        beside_cpython.tsv, .png, .svg there
    scripts/beside_cpython.py --iterations 100 --elements 1000000        smaller

Simulated: build/bin/refcount and cyclic, whose objects come from malloc as NumPy's buffers do. Real: scripts/cpython/
autograd.py and views.py on the Python that runs this. All is above what the process had before.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import json
import subprocess
from pathlib import Path

import plots
import record

TOP = Path(__file__).resolve().parent.parent
LEAST_ITERATIONS, LEAST_ELEMENTS = 20, 16   # fewer iterations are over before they are sampled
MOMENTS = ("before", "array", "shared", "array dropped", "all dropped")
AUTOGRAD = (("strong, no collector", "refcount", "strong", "off"), ("strong, collector", "cyclic", "strong", "on"),
            ("weak, no collector", "refcount", "weak", "off"))
MIB = 1 << 20

Row = tuple[str, str, str, float, float]    # panel, line, who, x, MiB


def output(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, encoding="utf-8", errors="replace", cwd=TOP, check=False)
    if done.returncode != 0:
        raise net.Stopped(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def simulated(collector: str, *arguments: str) -> dict:
    return json.loads(output(f"build/bin/{collector}", *arguments, "--memory", "--units=1", "--rounds=1"))["memory"]


def real(script: str, *arguments: object) -> list[tuple[str, int, int]]:
    lines = output(sys.executable, f"scripts/cpython/{script}.py", *arguments).splitlines()[1:]
    return [(label, int(ns), int(rss)) for label, ns, rss in (line.split("\t") for line in lines)]


def autograd(iterations: int, line: str, collector: str, outputs: str, collects: str) -> list[Row]:
    """The simulated invocation warms up with one unit of half the iterations, and measures one."""
    memory = simulated(collector, "autograd", f"iterations={iterations // 2}", f"outputs={outputs}", "--sample-ms=1")
    series, base = memory["series"], memory["baseline_rss"]
    first, last = series[0][0], series[-1][0]
    ours = [("autograd", line, "simulated", iterations * (ns - first) / (last - first), (rss - base) / MIB) for ns, rss, _ in series]
    theirs = real("autograd", f"iterations={iterations}", f"outputs={outputs}", f"collector={collects}")
    return ours + [("autograd", line, "real", i + 1, rss / MIB) for i, (_, _, rss) in enumerate(theirs)]


def views(elements: int, mode: str) -> list[Row]:
    memory = simulated("cyclic", "views", f"size={elements}", f"mode={mode}")
    base = memory["baseline_rss"]
    at = {moment["label"]: (moment["rss"] - base) / MIB for moment in reversed(memory["moments"])}
    ours = [("views", mode, "simulated", i, at.get(label, at["prepared"])) for i, label in enumerate(MOMENTS)]
    at = {label: rss / MIB for label, _, rss in real("views", mode, elements)}
    return ours + [("views", mode, "real", i, at[label]) for i, label in enumerate(MOMENTS)]


def main() -> None:
    parser = net.Parser(description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("--results", type=Path, default=TOP / "results")
    parser.add_argument("--iterations", type=int, default=400, help="of autograd")
    parser.add_argument("--elements", type=int, default=10_000_000, help="of the array that is viewed")
    asked = parser.parse_args()
    if asked.iterations < LEAST_ITERATIONS or asked.elements < LEAST_ELEMENTS:
        parser.error(f"give {LEAST_ITERATIONS} iterations and {LEAST_ELEMENTS} elements at least")
    folder = asked.results
    plots.folder_of(folder)
    rows = [row for line in AUTOGRAD for row in autograd(asked.iterations, *line)]
    rows += [row for mode in ("keep", "copy") for row in views(asked.elements, mode)]
    text = "panel\tline\twho\tx\tmib\n" + "".join("\t".join(map(str, row[:3])) + f"\t{row[3]:.3f}\t{row[4]:.3f}\n" for row in rows)
    record.write_whole(folder / "beside_cpython.tsv", text)
    version = ".".join(map(str, sys.version_info[:3]))
    plots._gnuplot(folder, "beside_cpython", {"PYTHON": version})
    print(folder / "beside_cpython.png")


if __name__ == "__main__":
    net.run("beside-cpython", main)
