#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""cases.py - which collector passes which semantic case: `make cases`.

The cases are the tests of tests/collectors/ whose names begin with an id (O07_a_chain_dies_at_once ...); their
expected values came from running them on CPython 3.11. Every collector that claims what a case needs runs it; the
others say what they do not claim. The table goes to results/cases.md.
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

import record

TOP = Path(__file__).resolve().parent.parent
TABLE = TOP / "results/cases.md"
PROGRAMS = ("counts", "cycles", "generations")
IDS = [f"O{n:02}" for n in range(1, 49)] + ["O43w"]
# what a case may need, and a letter for it
LETTERS = {"COLLECTOR_FREES": "r", "COLLECTOR_FREES_CYCLES": "c", "COLLECTOR_WEAK_REFERENCES": "w",
           "COLLECTOR_FINALIZERS": "f", "COLLECTOR_EXACT_COUNTS": "e"}
LEGEND = {"r": "nothing is reclaimed", "c": "cycles are not found", "w": "no weak references", "f": "no finalizers",
          "e": "nothing dies at its last reference: there is no count, or an inexact one", "g": "what only CPython's generations have",
          "s": "conservative: what dies, and when, is not exact"}


@dataclass(frozen=True)
class Case:
    id: str
    test: str
    needs: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return self.test.split("_", 1)[1].replace("_", " ")


def cases() -> list[Case]:
    found = []
    for program in PROGRAMS:
        text = (TOP / f"tests/collectors/{program}.c").read_text(encoding="utf-8")
        for test, needs in re.findall(r"^TEST\((O\d+w?_\w+)\) \{\n(?: *NEEDS\((.*)\);)?", text, re.M):
            found.append(Case(test.split("_")[0], test, tuple(re.findall(r"COLLECTOR_\w+", needs))))
    return sorted(found, key=lambda case: IDS.index(case.id))


def collectors() -> list[str]:
    text = (TOP / "collectors/collectors.def").read_text(encoding="utf-8")
    return re.findall(r"^(?:COUNTING|TRACING)\((\w+),", text, re.M)


def abilities(collector: str) -> set[str]:
    done = subprocess.run([TOP / "build/bin" / collector, "--list=json"], capture_output=True, text=True, encoding="utf-8", errors="replace", check=True)
    return set(json.loads(done.stdout)["abilities"])


def results(collector: str) -> dict[str, str]:
    """ok, not ok or skip, by the name of the test."""
    found = {}
    for program in PROGRAMS:
        done = subprocess.run([TOP / "build/tests" / collector / program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, encoding="utf-8", errors="replace", env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}, check=False)
        for said, skipped, test in re.findall(r"^(ok|not ok) \d+ (?:-|(# SKIP)) (\w+)", done.stdout, re.M):
            found[test] = "skip" if skipped else said
    return found


def cell(case: Case, result: str | None, can: set[str]) -> str:
    if result == "ok":
        return "✓"
    if result == "not ok":
        return "FAILS"
    if result is None:
        return "g"
    missing = [LETTERS[need] for need in case.needs if need.removeprefix("COLLECTOR_").lower() not in can]
    return missing[0] if missing else "s"


def table(known: list[Case], names: list[str]) -> tuple[str, bool]:
    """Markdown, and whether nothing fails."""
    columns = {name: (results(name), abilities(name)) for name in names}
    lines = ["| case | " + " | ".join(f"`{name}`" for name in names) + " |", "|".join(["", *["---"] * (len(names) + 1), ""])]
    for case in known:
        cells = [cell(case, columns[name][0].get(case.test), columns[name][1]) for name in names]
        lines.append(f"| {case.id} {case.sentence} | " + " | ".join(cells) + " |")
    text = "\n".join(lines)
    return text, "FAILS" not in text


def main() -> int:
    known, names = cases(), [name for name in collectors() if (TOP / "build/bin" / name).exists()]
    absent = sorted(set(IDS) - {case.id for case in known})
    unbuilt = [n for n in names for p in PROGRAMS if not (TOP / "build/tests" / n / p).exists()]
    if absent or unbuilt or not names:
        why = f"no test of {', '.join(absent)}" if absent else f"the tests of {', '.join(unbuilt) or 'all'} are not built; run `make cases`"
        print(f"cases: {why}", file=sys.stderr)
        return 2
    text, good = table(known, names)
    legend = "\n".join(f"- {letter}: {meaning}" for letter, meaning in LEGEND.items())
    record.write_whole(TABLE, "# Semantic cases against collectors\n\nWritten by `make cases`, from the tests that ran. A tick: passes, with CPython "
                     f"3.11's values.\nA letter: not claimed, because\n\n{legend}\n\n{text}\n")
    print(f"{text}\n\n{legend}\n\n{TABLE.relative_to(TOP)}")
    return 0 if good else 1


if __name__ == "__main__":
    net.run("cases", main)
