# SPDX-License-Identifier: MIT
"""claim_criteria.py - the grammar of criteria: METRIC(group: row), a ratio of two, and where it must lie.

    time(safety: atomic/tcmalloc) / time(safety: segregated/tcmalloc) > 1.05
    peak_rss(rings: cyclic/pymalloc) < 1 MiB
    longest_pause(pauses: gil/tcmalloc) in 1 ms .. 20 ms

What cannot be read is a ValueError that says what would be right; claim_files.py adds file and line.
"""
from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

# metric -> its unit. figure.NAME[.mean|least|most|count]: what a workload says by that name; moment.NAME: RSS when it
# says that this moment is come; area.KIND.NAME: of that, what is resident of text, data, heap, stack ...
METRICS = {"time": "ns", "cpu": "ns", "peak_rss": "bytes", "end_rss": "bytes", "finished_rss": "bytes", "trimmed_rss": "bytes",
           "live_bytes": "bytes", "used_bytes": "bytes", "held_bytes": "bytes", "overhead": "", "longest_pause": "ns", "p50_pause": "ns",
           "p99_pause": "ns", "pause_share": "", "gil_share": "", "full_collections": "", "young_collections": "", "found": "",
           "worst_10ms": "", "references": "", "figure": "", "moment": "bytes", "area": "bytes"}
NAMED = ("figure", "moment", "area")
STATISTICS = ("mean", "least", "most", "count")
UNITS = {"": 1, "%": 0.01, "ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq}
_OPERAND = r"([a-z_0-9]+(?:\.[A-Za-z_0-9]+)*)\(\s*([a-z0-9_]+)\s*:\s*([^\s()]+)\s*\)"
_NUMBER = r"([-+]?[0-9.]+(?:e[-+]?[0-9]+)?)\s*([a-zA-Zµ%]*)"
_CRITERION = re.compile(rf"\s*(?P<quantity>.+?)\s*(?:(?P<op>>=|<=|>|<|==)\s*{_NUMBER}|in\s+{_NUMBER}\s*\.\.\s*{_NUMBER})\s*")
_QUANTITY = re.compile(rf"{_OPERAND}(?:\s*/\s*{_OPERAND})?")


@dataclass(frozen=True)
class Operand:
    """One number an invocation, of one row."""
    metric: str
    group: str
    label: str

    def __str__(self) -> str:
        return f"{self.metric}({self.group}: {self.label})"


@dataclass(frozen=True)
class Quantity:
    """A metric, or a ratio of two."""
    of: Operand
    to: Operand | None = None

    @property
    def unit(self) -> str:
        """x: a ratio. A figure's is at the end of its name."""
        last = self.of.metric.removesuffix(".mean").rpartition("_")[2]
        return "x" if self.to else last if last in ("ns", "bytes") else METRICS[self.of.metric.split(".")[0]]

    @property
    def operands(self) -> tuple[Operand, ...]:
        return (self.of, self.to) if self.to else (self.of,)

    def __str__(self) -> str:
        return " / ".join(map(str, self.operands))


@dataclass(frozen=True)
class Criterion:
    """Where a quantity must lie: on one side of a bound, or in a band."""
    quantity: Quantity
    op: str                     # of OPERATORS, or "in"
    low: float
    high: float                 # low, but for a band
    bound: str                  # as written

    def met(self, value: float) -> bool:
        return self.low <= value <= self.high if self.op == "in" else OPERATORS[self.op](value, self.low)

    @property
    def edges(self) -> tuple[float, ...]:
        return (self.low, self.high) if self.op == "in" else (self.low,)

    def inside(self, low: float, high: float) -> bool:
        return self.met(low) and self.met(high)

    def outside(self, low: float, high: float) -> bool:
        """No value of this interval is in the criterion."""
        below, above = not self.met(low), not self.met(high)
        spans = self.op in ("in", "==") and low <= self.low and self.high <= high
        return below and above and not spans


def criterion(text: str) -> Criterion:
    found = _CRITERION.fullmatch(text)
    if not found:
        raise ValueError(f"'{text}' is no criterion; write QUANTITY > NUMBER (or <, >=, <=, ==), or QUANTITY in LOW .. HIGH")
    parts = found.groups()[2:]
    numbers = [_number(parts[i], parts[i + 1]) for i in (0, 2, 4) if parts[i] is not None]
    if numbers[0] > numbers[-1]:
        raise ValueError(f"the band of '{text}' ends before it begins")
    bound = text[found.end("quantity"):].strip()
    return Criterion(quantity(found["quantity"]), found["op"] or "in", numbers[0], numbers[-1], bound)


def _number(digits: str, unit: str) -> float:
    if unit not in UNITS:
        raise ValueError(f"unknown unit '{unit}'; known are {' '.join(u for u in UNITS if u)}")
    return float(digits) * UNITS[unit]


def quantity(text: str) -> Quantity:
    found = _QUANTITY.fullmatch(text.strip())
    if not found:
        raise ValueError(f"'{text}' is no quantity; write METRIC(group: row), or METRIC(group: row) / METRIC(group: row)")
    operands = [Operand(*found.groups()[i:i + 3]) for i in (0, 3) if found.group(i + 1)]
    for operand in operands:
        metric, *name = operand.metric.split(".")
        if metric not in METRICS or not _is_named_well(metric, name):
            raise ValueError(f"unknown metric '{operand.metric}'; known are "
                             f"{', '.join(m + '.NAME' * (m in NAMED) for m in METRICS)}, .NAME.{', '.join(STATISTICS)} of a figure, "
                             "and area.KIND.NAME of a moment")
    return Quantity(*operands)


def _is_named_well(metric: str, name: list[str]) -> bool:
    if metric == "area":
        return len(name) == 2
    if metric == "figure":
        return len(name) == 1 or len(name) == 2 and name[1] in STATISTICS
    return len(name) == (metric in NAMED)


def purpose(metric: str) -> str:
    """The kind of invocation that a metric is taken from."""
    if metric.startswith("figure."):
        return "time"
    if metric in ("longest_pause", "p50_pause", "p99_pause", "pause_share", "gil_share", "worst_10ms"):
        return "pauses"
    if metric.endswith(("_rss", "_bytes", "_collections")) or metric == "overhead" or metric.startswith(("moment.", "area.")):
        return "memory"
    return "time"
