#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""claims_soak.py - the same claims, several times over: does any verdict contradict another? `make claims-soak`.

A contradiction is REPRODUCED in one run and REFUTED in another. INCONCLUSIVE and UNTESTABLE contradict nothing: they
say that the machine could not tell. Exit status 1 where there is a contradiction.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import argparse
import subprocess
from pathlib import Path
from typing import Any

import record
import schema
from claim_verdicts import REFUTED, REPRODUCED
from net import BadInput
from record import shown

CLAIMS = Path(__file__).resolve().parent / "claims.py"
SHORT = {"REPRODUCED": "+", "REFUTED": "-", "INCONCLUSIVE": "?", "UNTESTABLE": "x"}


def told(folder: Path) -> dict[str, Any]:
    path = folder / "claims.json"
    if not path.is_file():
        raise BadInput(f"{shown(folder)} has no claims.json: it is no finished run of `make claims`")
    found = schema.parsed(net.bytes_of(path))
    wrong = schema.trouble("claims", found)
    if wrong:
        raise BadInput(f"{shown(path)} is damaged ({wrong}): judge again with `make claims`")
    return found


def table(runs: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Claim -> its verdict in each run."""
    by_run = [{c["id"]: c["verdict"] for c in run["claims"]} for run in runs]
    return {claim: [verdicts.get(claim, "UNTESTABLE") for verdicts in by_run] for claim in dict.fromkeys(i for r in by_run for i in r)}


def contradictions(verdicts: dict[str, list[str]]) -> list[str]:
    return [claim for claim, seen in verdicts.items() if {REPRODUCED, REFUTED} <= set(seen)]


def printed(verdicts: dict[str, list[str]]) -> str:
    width = max(map(len, verdicts))
    lines = [f"{claim:<{width}}  {' '.join(SHORT[v] for v in seen)}" for claim, seen in verdicts.items()]
    alike = sum(len(set(seen)) == 1 for seen in verdicts.values())
    wrong = contradictions(verdicts)
    return "\n".join([*lines, "", "+ REPRODUCED  - REFUTED  ? INCONCLUSIVE  x UNTESTABLE",
                      f"{alike} of {len(verdicts)} claims have the same verdict in every run; "
                      + (f"CONTRADICTED: {', '.join(wrong)}" if wrong else "none is contradicted")])


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="claims_soak.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="how often")
    parser.add_argument("--of", nargs="*", default=[], help="finished runs to look at, in place of new ones")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder of runs")
    parser.add_argument("--check", action="store_true", help="only look whether the call is right; nothing need be built")
    parser.add_argument("claims", nargs=argparse.REMAINDER, help="behind --: arguments of claims.py")
    options = parser.parse_args(arguments)
    if options.runs < 1:
        raise BadInput(f"--runs {options.runs}: give 1 or more")
    if options.check:
        return 0
    folders = [record.find(name, options.results) for name in options.of]
    for number in range(0 if folders else options.runs):
        print(f"run {number + 1} of {options.runs}", flush=True)
        done = subprocess.run([sys.executable, str(CLAIMS), "--results", str(options.results), "--resume", "no", "--no-plots",
                               *(a for a in options.claims if a != "--")], check=False)
        if done.returncode != 0:
            return done.returncode
        folders.append((options.results / "latest").resolve())
    verdicts = table([told(folder) for folder in folders])
    print(printed(verdicts))
    return int(bool(contradictions(verdicts)))


if __name__ == "__main__":
    net.run("claims-soak", lambda: main(sys.argv[1:]))
