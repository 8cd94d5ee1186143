#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""listing.py - what is here: runs, matrices, workloads, collectors, allocators. `scripts/refarena list`"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import json
from pathlib import Path
from typing import Any

import console
import machine
import matrix as matrices
import record
from net import BadInput
from resident import Harness

KINDS = ("runs", "matrices", "workloads", "collectors", "allocators")


def everything(results: Path, executables: Path) -> dict[str, list[dict[str, Any]]]:
    """Name and a few words of each thing; what the executables know is empty where none is built."""
    known = Harness(executables.absolute()).knows()
    workloads = {w["name"]: w["idea"] for answer in known.values() for w in answer["workloads"]}
    allocators = {a["name"]: a["idea"] + ("" if a["installed"] else " (not installed)") for answer in known.values() for a in answer["allocators"]}
    collectors = {name: answer.get("broken") or " ".join(answer["abilities"]) for name, answer in known.items() if answer.get("collector")}
    return {"runs": runs(results), "matrices": [{"name": n, "words": matrices.read(n).about} for n in matrices.known_matrices()],
            **{kind: [{"name": n, "words": w} for n, w in table.items()]
               for kind, table in (("workloads", workloads), ("collectors", collectors), ("allocators", allocators))}}


def runs(results: Path) -> list[dict[str, Any]]:
    """All runs, the newest last; one that is damaged says so and hides no other."""
    found = []
    for folder in sorted(p.parent for p in record.folder_of_runs(results).glob("*/run.json") if not p.parent.is_symlink()):
        try:
            about = record.read_run(folder)
            words = f"{about['matrix']['name']}, " + (f"finished {about['finished']}" if about.get("finished") else "not finished")
        except BadInput as error:
            words = str(error)
        found.append({"name": folder.name, "words": words})
    return found


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="refarena list", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("kind", nargs="?", choices=KINDS, help="only these")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quiet", action="store_true", help="names alone")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    parser.add_argument("--bin", type=Path, default=machine.ROOT / "build/bin", help="folder of the harness's executables")
    options = parser.parse_args(arguments)
    found = {k: v for k, v in everything(options.results, options.bin).items() if options.kind in (None, k)}
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    for kind, things in found.items():
        if not options.quiet:
            print(console.paint(kind, "bold") + ("" if things else "  none" + ("" if kind in KINDS[:2] else ": build with `make all`")))
        for thing in things:
            print(thing["name"] if options.quiet else f"  {thing['name']:28} {thing['words']}")
    return 0


if __name__ == "__main__":
    net.run("list", lambda: main(sys.argv[1:]))
