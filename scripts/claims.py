#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""claims.py - put what is said of Python's memory and the GIL to the test: `make claims`.

    choose      the claims (all, or those named), and the groups of experiments that they read
    measure     those groups, as any matrix: turns or blocks, five invocations, gates (run.py)
    judge       each claim by the rule of claim_verdicts.py
    extend      what is not settled, once: to twice the invocations; --thorough goes on doubling
    write       claims.md, claims.json, a plot a claim, the figure of the price of thread safety, and the table

The claims and their criteria were read before anything was measured, and run.json keeps their digest.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import argparse
import hashlib
import json
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import claim_files
import claim_metrics
import claim_plots
import claim_report
import claim_verdicts
import machine
import matrix as matrices
import plots
import price
import record
import report
import run
import summary
import table
from claim_files import Claim
from claim_verdicts import INCONCLUSIVE, UNTESTABLE, Judgement
from matrix import DEFAULTS, Configuration, Group, Matrix
from net import BadInput
from record import Journal, shown
from resident import Harness

SCENES = machine.ROOT / "scripts/cpython/claims.py"
BUDGET_S = 600                  # the extension is left out where it would end after this; --thorough has no bound
MOST_DOUBLINGS = 4              # of --thorough: eighty invocations


@dataclass(frozen=True)
class Laboratory(Harness):
    """Our executables, and the interpreters that play the scenes of scripts/cpython/claims.py."""
    interpreters: dict[str, str] = field(default_factory=dict)      # name -> path

    def command(self, row: Configuration, seed: int, repetition: int, memory_limit: int) -> list[str]:
        if row.collector != claim_files.REAL:
            return super().command(row, seed, repetition, memory_limit)
        return [self.interpreters[row.allocator], str(SCENES), row.workload, *(f"{n}={v}" for n, v in row.parameters)]


# --- interpreters --------------------------------------------------------------------------------------

_NAME = ("import sys, sysconfig as s; print('.'.join(map(str, sys.version_info[:3])) "
         "+ ('t' if s.get_config_var('Py_GIL_DISABLED') else ''))")


def interpreters(asked: str) -> dict[str, str]:
    """Name (its version, t: free-threaded) -> path, in the order given. BadInput where one does not run."""
    found: dict[str, str] = {}
    for path in matrices.names(asked):
        try:
            done = subprocess.run([path, "-c", _NAME], capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=20, check=False)
            name = done.stdout.strip() if done.returncode == 0 else ""
        except (OSError, subprocess.TimeoutExpired):
            name = ""
        if name:
            found.setdefault(name, path)
        elif path != "/usr/bin/python3":
            raise BadInput(f"PYTHON={path}: this does not run as a CPython")
    return found


def scenes() -> list[str]:
    done = subprocess.run(["/usr/bin/python3", str(SCENES), "--list"], capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=20, check=True)
    return done.stdout.split()


# --- choose --------------------------------------------------------------------------------------------

def choose(asked: str, folder: Path) -> list[Claim]:
    claims = claim_files.read_all(folder)
    wanted = matrices.names(asked)
    unknown = sorted(set(wanted) - {c.id for c in claims})
    if unknown:
        raise net.unknown("claim", unknown[0], [c.id for c in claims])
    return [c for c in claims if not wanted or c.id in wanted]


def plan_for(claims: list[Claim], groups: list[Group], names: list[str], headline: bool) -> Matrix:
    """The groups that these claims read; for the headline also the group that it is drawn from."""
    wanted = {name for claim in claims for name in claim.groups} | (set(price.GROUPS) if headline else set())
    spreaded = [claim_files.spread(g, names) for g in groups if g.name in wanted]
    return Matrix("claims", "claims and their verdicts", tuple(g for g in spreaded if g.configurations), {**DEFAULTS, "least_repetitions": 99})


def digest(folder: Path) -> str:
    """Of all claims and experiments as they were before the measurement."""
    texts = (path.read_bytes() for path in sorted(folder.rglob("*.toml")))
    return hashlib.sha256(b"\0".join(texts)).hexdigest()[:16]


# --- extend --------------------------------------------------------------------------------------------

def extended(plan: Matrix, judgements: list[Judgement], times: int) -> Matrix:
    """What is not settled, with so many times the invocations: the rows in question and the A/A pairs."""
    open_ = [j.claim for j in judgements if j.verdict in (INCONCLUSIVE, UNTESTABLE) and not j.claim.untestable]
    labels: dict[str, set[str]] = {}
    for quantity in (q for c in open_ for q in (*(c_.quantity for c_ in c.criteria), *c.real)):
        for operand in quantity.operands:
            labels.setdefault(operand.group, set()).add(operand.label)
    return replace(plan, groups=tuple(_longer(g, labels[g.name], times) for g in plan.groups if g.name in labels))


def _longer(group: Group, labels: set[str], times: int) -> Group:
    rows = tuple(r for r in group.configurations
                 if r.collector == claim_files.REAL or {r.label, replace(r, twin=False).label} & (labels | {group.pair}))
    counts = {key: group[key] * times for key in ("repetitions", "memory_repetitions", "pause_repetitions")}
    return replace(group, configurations=rows, settings={**group.settings, **counts})


def _seconds(journal: Journal, plan: Matrix) -> float:
    """What doubling these rows may take: what they took."""
    rows = {(g.name, r.label) for g in plan.groups for r in g.configurations}
    return sum(l["took_s"] for l in journal.lines if (l["group"], l["label"]) in rows)


def measure(plan: Matrix, claims: list[Claim], harness: Laboratory, journal: Journal, folder: Path, thorough: bool) -> list[Judgement]:
    described, names = plan.described(), list(harness.interpreters)
    def judged() -> list[Judgement]:
        measured = claim_metrics.Measured(described, journal.lines)
        return [claim_verdicts.judge(claim, measured, names) for claim in claims]
    run.measure(plan, harness, journal, folder)
    judgements, times = judged(), 1
    while times < 2 ** (MOST_DOUBLINGS if thorough else 1):
        times *= 2
        more = extended(plan, judgements, times)
        spent, needed = sum(l["took_s"] for l in journal.lines), _seconds(journal, more)
        if not more.groups:
            break
        if not thorough and spent + needed > BUDGET_S:
            print(f"not extended: {needed:.0f} s more would not fit into {BUDGET_S} s; make claims THOROUGH=yes goes on", flush=True)
            break
        print(f"not settled yet: {', '.join(j.claim.id for j in judgements if j.verdict in (INCONCLUSIVE, UNTESTABLE) and not j.claim.untestable)}; "
              f"{times} times the invocations, about {needed:.0f} s", flush=True)
        run.measure(more, harness, journal, folder)
        judgements = judged()
    return judgements


# --- the run -------------------------------------------------------------------------------------------

def _run(options: argparse.Namespace, arguments: list[str]) -> int:
    claims = choose(options.claim, options.claims)
    groups = claim_files.experiments(options.claims)
    for claim in claims:
        claim_files.check(claim, {g.name: g for g in groups})
    harness = Laboratory(options.bin.absolute(), interpreters(options.python))
    known = harness.knows()
    if not known:
        raise BadInput(f"no harness in {shown(options.bin)}: build it first with `make all`")
    plan = plan_for(claims, groups, list(harness.interpreters), headline=not options.claim)
    played = scenes()
    for group in plan.groups:
        claim_files.check_group(group, known, played)
    lock = record.lock(options.results)
    folder, about = run.open_run(options, plan, harness, known, arguments)
    about.update(command=machine.relative(" ".join(["scripts/claims.py", *arguments])), claims_digest=digest(options.claims),
                 interpreters=list(harness.interpreters))
    record.write_run(folder, about)
    journal = Journal(folder)
    try:
        plan = run.budgeted(plan, harness, known, folder, about)
        judgements = measure(plan, claims, harness, journal, folder, options.thorough)
        return finish(folder, about, journal, judgements, options)
    except net.Interrupted:
        raise net.Interrupted(f"{len(journal.lines)} invocations kept in {shown(folder)}; the same command goes on from there") from None
    finally:
        journal.close()
        os.close(lock)


def finish(folder: Path, about: dict[str, Any], journal: Journal, judgements: list[Judgement], options: argparse.Namespace) -> int:
    about["after"] = machine.state()
    about["finished"] = about["after"]["utc"]
    groups = summary.summarise(about["matrix"], journal.lines)
    priced = price.rows(about["matrix"], journal.lines, about["interpreters"])
    told = claim_report.as_json(about, journal.lines, judgements, claim_files.sources(options.claims), priced)
    drawn = [] if options.no_plots else plots.or_said(lambda: claim_plots.draw(folder, told) + price.draw(folder, priced))
    record.write_whole(folder / "summary.tsv", table.summary_tsv(groups, journal.lines))
    record.write_whole(folder / "claims.json", json.dumps(told, indent=1, allow_nan=False) + "\n")
    record.write_whole(folder / "claims.md", claim_report.markdown(told))
    record.write_run(folder, about)
    page = report.write(folder, about, journal.lines, groups)
    record.point_latest(folder)
    print(f"\n{claim_report.printed(told)}\n\nresults: {shown(folder)}/  (claims.md, claims.json, {page.name})")
    if drawn:
        print(f"  plots  {shown(folder)}/plots/claims/, {shown(drawn[-1])}")
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = net.Parser(prog="claims.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("--claim", default="", help="only these claims, by id")
    parser.add_argument("--thorough", action="store_true", help="double the invocations until every verdict is settled")
    parser.add_argument("--python", default="/usr/bin/python3", help="interpreters to hold beside, separated by commas; "
                        "the first has the column, all are in the headline figure")
    run.add_folder_options(parser)
    parser.add_argument("--claims", type=Path, default=claim_files.CLAIMS, help="folder of claims")
    parser.add_argument("--check", action="store_true", help="only look whether the names are known; nothing need be built")
    parser.set_defaults(matrix="claims")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    if options.check:
        choose(options.claim, options.claims)
        interpreters(options.python)
        return 0
    return _run(options, arguments)


if __name__ == "__main__":
    net.run("claims", lambda: main(sys.argv[1:]))
