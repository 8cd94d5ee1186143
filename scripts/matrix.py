# SPDX-License-Identifier: MIT
"""matrix.py - what is to be measured: read, expand, narrow.

A matrix is a TOML file of *groups*. A group is one workload with its parameters; its configurations are
compared with each other and with nothing else, so they share a method, a baseline and an A/A pair
(pair = "": none, where no time is compared):

    [[group]]
    name           = "calls"
    workload       = "calls"
    parameters     = { depth = 8 }
    configurations = ["leak/bump", "refcount/system", "cyclic/system"]     # collector/allocator
    baseline       = "refcount/system"

Workloads on blocks have no collector: their configurations are allocators alone. `configurations` may name
a list of [sets]. With `sizes = { count = [1000, 10000] }` a group stands for one group at each value of that
parameter, and together they are a *curve*: cost against size. An option that one row alone has is written into it,
"marksweep,heap_bytes=4000000/system". Anything not said in a group is taken from the top of the file, then from DEFAULTS.
"""
from __future__ import annotations

import hashlib
import json
import math
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import net
from net import BadInput

MATRICES = Path(__file__).resolve().parent / "matrices"
PAIR_MARK = "#2"            # behind the label of the second of an A/A pair


DEFAULTS: dict[str, Any] = {
    "repetitions": 5,           # invocations of each configuration
    "least_repetitions": 3,     # done even when the time is over
    "precision": 0.0,           # 0.02: instead of a fixed number of repetitions, until every ratio's interval is at
                                # most +-2 % of it; 0: as many as `repetitions` says
    "most_repetitions": 30,     # the cap, where precision is asked for
    "budget_s": 0,              # no further repetition is begun when it would end after this; 0: no bound
    "rounds": 11,               # turns of each configuration in an invocation
    "turn_ms": 10,              # a turn is as many units as fill this, at least one
    "method": "turns",          # or "blocks": whole invocations in random order
    "threads": [1],
    "seed": 1,
    "touch_s": 2,               # before all else, memory is touched for so long: the host backs it lazily
    "timeout_s": 60,            # of one turn, and of one whole invocation
    "memory_limit_mib": 6144,   # that a configuration may dirty: heap_full above it. No power of two: bump takes
                                # the largest one that fits for itself, and the harness needs some too
    "heap_budget": 2.0,         # of rows that trace: times the smallest heap in which they finish (heaps.py); 0: no bound
    "units": 0,                 # blocks: of one round; 0 lets the harness fill turn_ms
    "lead_in": 1,               # blocks: units run untimed before each round
    "block_rounds": 5,          # blocks: rounds of one invocation
    "amortise": True,           # blocks: more of them, until full collections are in the mean
    "time": True,               # measure time
    "memory": True,             # measure memory too, in invocations of their own
    "memory_repetitions": 3,
    "memory_units": 0,          # 0 lets the harness choose; the same for every row where rows leak
    "memory_rounds": 1,
    "sample_ms": 2,
    "areas": False,             # memory: at each moment, also what is resident of text, data, heap, stack ...
    "pauses": False,            # record pauses too, in invocations of their own
    "pause_repetitions": 3,
    "pause_rounds": 100,
    "heap": False,              # look into the heap after every round, in invocations of their own
    "heap_repetitions": 1,
    "heap_rounds": 200,
    "heap_units": 1,            # of a round
    "bias_turns": 5,            # consecutive turns of two rows, to check that turns do not bias; 0: no check
}
AT_LEAST_ONE = {"repetitions", "most_repetitions", "rounds", "turn_ms", "block_rounds", "memory_limit_mib", "memory_rounds", "sample_ms",
                "pause_rounds", "heap_rounds", "heap_units"}
GROUP_KEYS = {"name", "title", "workload", "parameters", "configurations", "baseline", "pair", "options", "figure", "sizes"}
TOP_KEYS = {"about", "sets", "group"}


@dataclass(frozen=True)
class Configuration:
    """One row: a workload on a collector on an allocator, with so many threads."""
    workload: str
    parameters: tuple[tuple[str, Any], ...]
    collector: str | None
    allocator: str
    threads: int = 1
    options: tuple[tuple[str, Any], ...] = ()
    twin: bool = False          # the second of an A/A pair
    variant: str = ""           # of the collector: the options that this row has of its own, as written

    @property
    def label(self) -> str:
        allocator = net.readable(Path(self.allocator).name) if "/" in self.allocator else self.allocator
        where = f"{self.collector}{self.variant}/{allocator}" if self.collector else allocator
        return where + (f"@{self.threads}" if self.threads > 1 else "") + (PAIR_MARK if self.twin else "")

    @property
    def executable(self) -> str:
        return self.collector or "blocks"


@dataclass(frozen=True)
class Group:
    """Configurations that are compared with each other."""
    name: str
    workload: str
    parameters: dict[str, Any]
    configurations: tuple[Configuration, ...]       # the twin of the A/A pair included
    baseline: str                                   # a label
    pair: str                                       # label of the row that is measured twice
    figure: str                                     # "allocators", "collectors" or "threads": where it is drawn
    title: str
    settings: dict[str, Any] = field(default_factory=dict)
    curve: str = ""                                 # name of the groups that differ in size alone, or nothing
    size: int = 0                                   # on the curve

    def __getitem__(self, key: str) -> Any:
        return self.settings[key]

    @property
    def most_threads(self) -> int:
        """Of any row: all of them go to cores of one kind, so that they can be compared."""
        return max([*self.settings.get("threads", []), *(c.threads for c in self.configurations)], default=1)

    def labelled(self, label: str) -> Configuration | None:
        return next((c for c in self.configurations if c.label == label), None)


@dataclass(frozen=True)
class Matrix:
    name: str
    about: str
    groups: tuple[Group, ...]
    settings: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.settings[key]

    def described(self) -> dict[str, Any]:
        """The whole plan as plain data, for run.json."""
        return {"name": self.name, "about": self.about, "settings": self.settings, "groups": [
            {"name": g.name, "title": g.title, "workload": g.workload, "parameters": g.parameters,
             "method": g["method"], "baseline": g.baseline, "pair": g.pair, "figure": g.figure,
             **({"curve": g.curve, "size": g.size} if g.curve else {}),
             "settings": {k: v for k, v in g.settings.items() if v != self.settings.get(k)},
             "configurations": [c.label for c in g.configurations],
             "options": {c.label: dict(c.options) for c in g.configurations if c.options}} for g in self.groups]}

    def digest(self) -> str:
        text = json.dumps(self.described(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


# --- reading ---------------------------------------------------------------------------------------

def known_matrices() -> list[str]:
    return sorted(p.stem for p in MATRICES.glob("*.toml"))


def read(name: str) -> Matrix:
    """The matrix of this name, or in the .toml file at this path."""
    path = Path(name) if name.endswith(".toml") else MATRICES / f"{name}.toml"
    if not path.is_file():
        raise net.unknown("matrix", name, known_matrices(), ", or the path of a file that ends in .toml")
    data = read_toml(path)
    _refuse_unknown(data, TOP_KEYS | DEFAULTS.keys(), path.name)
    _refuse_kinds(data, path.name)
    settings = {**DEFAULTS, **{k: v for k, v in data.items() if k in DEFAULTS}}
    groups = [_group(g, settings, data.get("sets", {}), path.name)
              for table in data.get("group", []) for g in _at_each_size(table, path.name)]
    names = [g.name for g in groups]
    if not groups or len(set(names)) < len(names):
        raise BadInput(f"{path.name}: needs at least one [[group]], and each a name of its own")
    return Matrix(net.readable(path.stem), data.get("about", ""), tuple(groups), settings)


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(net.text_of(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(f"{path.name}: {error}") from None


def _refuse_unknown(table: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(table.keys() - known)
    if unknown:
        raise net.unknown("key", unknown[0], known, where=f"{where}: ")


def _is_list_of(kind: type, value: Any) -> bool:
    return isinstance(value, list) and all(type(v) is kind for v in value)


def _is_number(value: Any, least: float) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= least


# What a value must be, in words, by key: of the file itself and of its groups. What is not here is as its default is.
KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **{key: ("a text", lambda v: isinstance(v, str)) for key in ("about", "name", "title", "workload", "baseline", "pair", "figure")},
    **{key: ("a table of numbers and words", lambda v: isinstance(v, dict) and all(type(x) in (int, str) for x in v.values()))
       for key in ("parameters", "options")},
    "configurations": ("a list of texts, or the name of one in [sets]", lambda v: isinstance(v, str) or v != [] and _is_list_of(str, v)),
    "sets": ("a table of lists of texts", lambda v: isinstance(v, dict) and all(_is_list_of(str, x) and x for x in v.values())),
    "group": ("written [[group]]", lambda v: _is_list_of(dict, v)),
    "threads": ("a list of whole numbers from 1 on", lambda v: _is_list_of(int, v) and v != [] and min(v) >= 1),
}


def _refuse_kinds(table: dict[str, Any], where: str) -> None:
    """BadInput where a value is not of the kind that its key has."""
    for key, value in table.items():
        words, fits = KINDS.get(key) or _kind_of_default(key)
        if not fits(value):
            raise BadInput(f"{where}: {key} = {json.dumps(value, default=str)[:60]}: it must be {words}")


def _kind_of_default(key: str) -> tuple[str, Callable[[Any], bool]]:
    default, least = DEFAULTS.get(key), int(key in AT_LEAST_ONE)
    if isinstance(default, bool):
        return "true or false", lambda v: isinstance(v, bool)
    if isinstance(default, float) or key.endswith("_s"):
        return "a number, 0 or more", lambda v: _is_number(v, 0)
    if isinstance(default, int):
        return f"a whole number, {least} or more", lambda v: type(v) is int and least <= v < 1 << 63
    return "a text", lambda v: default is None or isinstance(v, str)


def _at_each_size(table: dict[str, Any], where: str) -> list[dict[str, Any]]:
    """A group with sizes as a group for each of them."""
    if "sizes" not in table:
        return [table]
    sizes, name = table["sizes"], table.get("name", "?")
    values = list(sizes.values())[0] if isinstance(sizes, dict) and len(sizes) == 1 else None
    if not isinstance(values, list) or not values or not all(isinstance(v, int) and v > 0 for v in values):
        raise BadInput(f"{where}: group '{name}': sizes is one parameter and its values, as in {{ size = [1000, 10000] }}")
    return [{"title": name, **table, "name": f"{name} {value}", "parameters": {**table.get("parameters", {}), list(sizes)[0]: value},
             "figure": "sizes", "sizes": {name: value}} for value in values]


def _group(table: dict[str, Any], top: dict[str, Any], sets: dict[str, list[str]], where: str) -> Group:
    where = f"{where}: group '{table.get('name', '?')}'"
    _refuse_unknown(table, GROUP_KEYS | DEFAULTS.keys(), where)
    _refuse_kinds(table, where)
    missing = sorted({"name", "workload", "configurations"} - table.keys())
    if missing:
        raise BadInput(f"{where}: '{missing[0]}' is missing")
    wanted = table["configurations"]
    if isinstance(wanted, str):
        if wanted not in sets:
            raise BadInput(f"{where}: no list '{wanted}' in [sets]; there are {', '.join(sorted(sets)) or 'none'}")
        wanted = sets[wanted]
    settings = {**top, **{k: v for k, v in table.items() if k in DEFAULTS}}
    if settings["method"] not in ("turns", "blocks"):
        raise BadInput(f"{where}: method is 'turns' or 'blocks', not '{settings['method']}'")
    if settings["method"] == "turns" and settings["threads"] != [1]:
        raise BadInput(f"{where}: threads are measured in blocks, never in turns; say method = \"blocks\"")
    parameters, options = table.get("parameters", {}), table.get("options", {})
    rows = [_configuration(spec, table["workload"], parameters, options, threads)
            for threads in settings["threads"] for spec in wanted]
    baseline = table.get("baseline", rows[0].label if rows else "")
    figure = table.get("figure", "collectors" if rows and rows[0].collector else "allocators")
    title = table.get("title", table["name"])
    group = Group(table["name"], table["workload"], parameters, tuple(rows), baseline,
                  table.get("pair", baseline), figure, title, settings, *list(table.get("sizes", {}).items() or [("", 0)])[0])
    for label in (group.baseline, group.pair):
        if label and not group.labelled(label):
            raise BadInput(f"{where}: '{label}' is not one of its configurations: {', '.join(c.label for c in rows)}")
    return _paired(group)


def _configuration(spec: str, workload: str, parameters: dict, options: dict, threads: int) -> Configuration:
    collector, slash, allocator = spec.partition("/")
    if not slash or spec.endswith(".so") or spec.startswith(("/", "./", "../")):    # the path of a library has slashes of its own
        collector, allocator = "", spec
    collector, comma, own = collector.partition(",")
    if comma:
        options = {**options, **_row_options(spec, own)}
    return Configuration(workload, tuple(sorted(parameters.items())), collector or None, allocator, threads,
                         tuple(sorted(options.items())) if collector else (), variant=comma + own)


def _row_options(spec: str, text: str) -> dict[str, int]:
    pairs = [re.fullmatch(r"(\w+)=(-?\d+)", part) for part in text.split(",")]
    if not all(pairs):
        raise BadInput(f"configuration '{spec}': write collector,option=number/allocator")
    return {pair[1]: int(pair[2]) for pair in pairs}


def _paired(group: Group) -> Group:
    """With the twin of the A/A pair, next to the row that it repeats."""
    rows = [c for c in group.configurations if not c.twin]
    twin = [replace(c, twin=True) for c in rows if c.label == group.pair]
    return replace(group, configurations=tuple(rows + twin))


def share(text: str) -> float:
    """'2%' or '0.02' as 0.02; BadInput where it is neither, or not between 0 and 1."""
    try:
        value = float(text.rstrip("% ")) / (100 if text.strip().endswith("%") else 1)
        if 0 < value < 1:
            return value
    except ValueError:
        pass
    raise BadInput(f"'{text}' is not a share: say 2% or 0.02")


def to_precision(matrix: Matrix, wanted: float) -> Matrix:
    """The same, measured until every ratio is known so well; what the time budget allows no longer matters."""
    new = {"precision": wanted, "budget_s": 0}
    groups = tuple(replace(g, settings={**g.settings, **new}) for g in matrix.groups)
    return replace(matrix, groups=groups, settings={**matrix.settings, **new})


def up_to(matrix: Matrix, largest: int) -> Matrix:
    """Without the points of curves whose size is above `largest`."""
    groups = tuple(g for g in matrix.groups if g.size <= largest)
    if not groups:
        raise BadInput(f"matrix '{matrix.name}' has nothing up to {largest}: its smallest size is {min(g.size for g in matrix.groups)}")
    return replace(matrix, groups=groups)


# --- narrowing -------------------------------------------------------------------------------------

def names(text: str | None) -> list[str]:
    """'a, b c' as a list; in 'a,keep=all,b' the parameter belongs to the name before it. A text that is a file's path is
    one name, whatever is in it."""
    if text and "/" in text and Path(text).is_file():
        return [text]
    return [name for name in re.split(r"\s+|,(?!\w+=)", text or "") if name]


def narrow(matrix: Matrix, workloads: list[str], collectors: list[str], allocators: list[str]) -> Matrix:
    """Only what is named; an empty list names everything. A backend that is named and that the matrix does
    not have is added to every group it fits, so that a new file can be raced before any matrix knows it."""
    groups = [g for g in matrix.groups if not workloads or g.workload in workloads or g.name in workloads]
    for name in workloads:
        if not any(name in (g.workload, g.name) for g in matrix.groups):
            raise _lacks(matrix, "workload", name)
    groups = [_narrow_group(g, collectors, allocators) for g in groups]
    groups = [g for g in groups if g.configurations]
    if not groups:
        raise BadInput(f"matrix '{matrix.name}' has nothing that fits: {_groups_of(matrix)}")
    rows = [c for g in groups for c in g.configurations]
    for kind, asked, there in (("collector", collectors, {c.collector for c in rows}), ("allocator", allocators, {c.allocator for c in rows})):
        for name in asked:
            if name not in there:
                raise _lacks(matrix, kind, name)
    return replace(matrix, groups=tuple(groups))


def _lacks(matrix: Matrix, kind: str, name: str) -> BadInput:
    return BadInput(f"matrix '{matrix.name}' has no group for the {kind} '{name}': {_groups_of(matrix)}; or take another matrix")


def _groups_of(matrix: Matrix) -> str:
    return "its groups are " + ", ".join(dict.fromkeys(f"{g.curve or g.name} ({g.workload})" for g in matrix.groups))


def _narrow_group(group: Group, collectors: list[str], allocators: list[str]) -> Group:
    rows = [c for c in group.configurations if not c.twin]
    on_objects = any(c.collector for c in rows)
    if collectors and not on_objects:
        return replace(group, configurations=())
    if on_objects and collectors:
        here = {c.collector for c in rows}
        model = [c for c in rows if c.collector == next(r.collector for r in rows if r.label == group.baseline)]
        rows = [c for c in rows if c.collector in collectors]
        rows += [replace(c, collector=new) for new in collectors if new not in here for c in model]
    if allocators:
        here = {c.allocator for c in rows}
        kept = [c for c in rows if c.allocator in allocators]
        usual = [c for c in rows if c.allocator != "bump"] if on_objects else rows[:1]
        kept += [replace(c, allocator=new) for new in allocators if new not in here for c in usual]
        rows = list(dict.fromkeys(kept))
    labels = [c.label for c in rows]
    baseline = group.baseline if group.baseline in labels else (labels[0] if labels else "")
    pair = group.pair if group.pair in labels else baseline
    return _paired(replace(group, configurations=tuple(rows), baseline=baseline, pair=pair))
