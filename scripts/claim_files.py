# SPDX-License-Identifier: MIT
"""claim_files.py - claims as data: read, and hold against what there is.

    claims/<id>.toml              a sentence, its source, its criterion
    claims/sources.toml           tag -> the publication, cited once
    claims/experiments/*.toml     matrices (matrix.py); a claim names groups and rows of them

A criterion compares one quantity with a bound or a band (claim_criteria.py); several must all hold. What is wrong in a
file is said in one line: file, line, what.
"""
from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import matrix as matrices
import net
from claim_criteria import Criterion, Quantity, criterion, purpose, quantity
from machine import ROOT
from matrix import Configuration, Group
from net import BadInput
from resident import OPTIONAL

CLAIMS = ROOT / "claims"
KINDS = ("exact", "shape", "magnitude")
MOST_EXPERIMENTS = 20
KEYS = {"id": str, "sentence": str, "source": list, "kind": str, "measured": list, "criterion": list, "real": list, "published": str,
        "not_shown": str, "untestable": str}
NEEDED = ("id", "sentence", "source", "kind", "not_shown")
REAL = "cpython"                # collector of a row that is a scene of scripts/cpython/claims.py
EACH = "*"                      # and its allocator: one row for each interpreter


@dataclass(frozen=True)
class Claim:
    id: str
    sentence: str
    source: tuple[tuple[str, str], ...]     # tag, place in it
    kind: str
    measured: tuple[str, ...]               # what, in words: one for each criterion
    criteria: tuple[Criterion, ...]
    real: tuple[Quantity, ...]              # on CPython, held against the same bounds, in order
    not_shown: str
    published: str = ""                     # what the source found, where it gives a number
    untestable: str = ""                    # why it cannot be tested here at all
    path: Path = field(default=Path(), compare=False)

    @property
    def groups(self) -> set[str]:
        return {o.group for q in (*(c.quantity for c in self.criteria), *self.real) for o in q.operands}


# --- reading -----------------------------------------------------------------------------------------

def sources(folder: Path = CLAIMS) -> dict[str, str]:
    return {tag: str(text) for tag, text in matrices.read_toml(folder / "sources.toml").items()}


def read_all(folder: Path = CLAIMS) -> list[Claim]:
    """All claims, in the order of their ids. BadInput: file, line, what."""
    known = sources(folder)
    return [read(path, known) for path in sorted(folder.glob("*.toml")) if path.name != "sources.toml"]


def read(path: Path, known_sources: dict[str, str]) -> Claim:
    text = net.text_of(path)
    def refuse(key: str, what: str) -> BadInput:
        number = next((n for n, line in enumerate(text.splitlines(), 1) if re.match(rf"{re.escape(key)}\s*=", line)), 1)
        return BadInput(f"claims/{path.name}:{number}: {what}")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        number = re.search(r"at line (\d+)", str(error))
        raise BadInput(f"claims/{path.name}:{number[1] if number else len(text.splitlines())}: {error}") from None
    for key, value in table.items():
        if key not in KEYS:
            raise refuse(key, f"unknown key '{key}'; known are {', '.join(KEYS)}")
        wanted = KEYS[key]
        if not (isinstance(value, str) or wanted is list and isinstance(value, list) and all(isinstance(v, str) for v in value)):
            raise refuse(key, f"'{key}' is a {'string or list of strings' if wanted is list else 'string'}")
    missing = [key for key in NEEDED if not table.get(key)]
    if not table.get("untestable") and not table.get("criterion"):
        missing.append("criterion")
    if missing:
        raise BadInput(f"claims/{path.name}:1: '{missing[0]}' is missing")
    if table["id"] != path.stem:
        raise refuse("id", f"id is '{table['id']}', and the file {path.name}")
    if table["kind"] not in KINDS:
        raise refuse("kind", f"kind is '{table['kind']}'; it is one of {', '.join(KINDS)}")
    try:
        cited = tuple(_citation(text_, known_sources) for text_ in _list(table["source"]))
    except ValueError as error:
        raise refuse("source", str(error)) from None
    try:
        criteria = tuple(criterion(text_) for text_ in _list(table.get("criterion", [])))
        if table["kind"] != "exact" and any(c.op == "==" for c in criteria):
            raise ValueError("== is for exact claims: no interval lies inside a point")
        if len(_list(table.get("measured", []))) != len(criteria):
            raise ValueError(f"{len(criteria)} criteria: 'measured' says in words what each one is about, in order")
    except ValueError as error:
        raise refuse("criterion", str(error)) from None
    try:
        real = tuple(quantity(text_) for text_ in _list(table.get("real", [])))
        if len(real) > len(criteria):
            raise ValueError("more quantities of CPython than criteria to hold them against")
    except ValueError as error:
        raise refuse("real", str(error)) from None
    return Claim(table["id"], table["sentence"], cited, table["kind"], tuple(_list(table.get("measured", []))), criteria, real, table["not_shown"],
                 table.get("published", ""), table.get("untestable", ""), path)


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _citation(text: str, known: dict[str, str]) -> tuple[str, str]:
    tag, _, place = text.partition(":")
    if tag not in known:
        raise ValueError(f"no source '{tag}' in claims/sources.toml; there are {', '.join(sorted(known))}")
    return tag, place.strip()


# --- experiments -------------------------------------------------------------------------------------

def experiments(folder: Path = CLAIMS) -> list[Group]:
    """The groups of all experiments, each name once."""
    files = sorted((folder / "experiments").glob("*.toml"))
    if len(files) > MOST_EXPERIMENTS:
        raise BadInput(f"{len(files)} experiments: at most {MOST_EXPERIMENTS}, so that claims share what is measured")
    groups = [group for path in files for group in matrices.read(str(path)).groups]
    for name in (g.name for g in groups):
        if sum(g.name == name for g in groups) > 1:
            raise BadInput(f"claims/experiments: two groups are called '{name}'")
    return groups


def spread(group: Group, interpreters: list[str]) -> Group:
    """With one row for each interpreter where the file has cpython/*."""
    rows: list[Configuration] = []
    for row in group.configurations:
        rows += ([replace(row, allocator=name) for name in interpreters]
                 if (row.collector, row.allocator) == (REAL, EACH) else [row])
    labels = [r.label for r in rows]
    return replace(group, configurations=tuple(rows), baseline=group.baseline if group.baseline in labels else (labels or [""])[0])


def check(claim: Claim, groups: dict[str, Group]) -> None:
    """BadInput where a claim names a group or row that no experiment has."""
    for q in (*(c.quantity for c in claim.criteria), *claim.real):
        for operand in q.operands:
            where = f"claims/{claim.path.name}: {operand}: "
            if operand.group not in groups:
                raise BadInput(f"{where}no experiment has a group '{operand.group}'; there are {', '.join(sorted(groups))}")
            group = groups[operand.group]
            if not group.labelled(operand.label):
                raise BadInput(f"{where}no such row; there are {', '.join(c.label for c in group.configurations if not c.twin)}")
            asked = purpose(operand.metric)      # its setting has the same name
            if not group[asked]:
                raise BadInput(f"{where}the group does not measure {asked}")


def check_group(group: Group, known: dict[str, dict[str, Any]], scenes: list[str]) -> None:
    """BadInput where an executable does not know what an experiment asks of it. known: what --list=json says."""
    for row in group.configurations:
        where = f"claims/experiments: group '{group.name}', {row.label}: "
        if row.collector == REAL:
            if row.workload not in scenes:
                raise BadInput(f"{where}scripts/cpython/claims.py has no scene '{row.workload}'; it has {', '.join(scenes)}")
        elif row.executable in known:
            if "broken" not in known[row.executable]:       # else its row will say why it is
                _check_row(row, known[row.executable], where)
        elif row.executable not in OPTIONAL:
            raise net.unknown("collector", row.executable, known, where=where)


def _check_row(row: Configuration, answer: dict[str, Any], where: str) -> None:
    workloads = {w["name"]: w for w in answer["workloads"]}
    if row.workload not in workloads:
        raise net.unknown("workload", row.workload, workloads, where=where)
    names = {a["name"] for a in answer["allocators"]}
    if "/" not in row.allocator and not set(row.allocator.split(",")[0].split(":")) <= names:
        raise BadInput(f"{where}unknown allocator; known are {', '.join(sorted(names))}")
    parameters = {p["name"]: p for p in workloads[row.workload]["parameters"]}
    for name, value in row.parameters:
        choices = parameters.get(name, {}).get("choices")
        if name not in parameters or (choices and value not in choices):
            raise BadInput(f"{where}{name}={value}: " + (f"one of {', '.join(choices)}" if name in parameters else
                                                         f"no such parameter; there are {', '.join(parameters)}"))
    options = {o["name"] for o in (answer.get("collector") or {}).get("options", [])}
    for name, _ in row.options:
        if name not in options:
            raise BadInput(f"{where}the collector has no option '{name}'; it has {', '.join(sorted(options)) or 'none'}")
