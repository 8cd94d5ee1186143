# SPDX-License-Identifier: MIT
"""claim_metrics.py - from a run's lines to the numbers that claims compare: one sample a row, or why there is none.

A time keeps its rounds. Every other metric is one number an invocation. What was not kept (a gate was closed) or
did not end well has no number, and the reason is handed on.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import claim_criteria
import claim_files
import stats
import summary
from claim_criteria import Operand, Quantity
from record import Line
from stats import Estimate
from summary import GroupSummary


class Closed(Exception):
    """There is no number, or none to trust: a gate is closed, or something is not on this machine."""


def _above_floor(key: str) -> Callable[[Line], float | None]:
    return lambda line: line["memory"][key] - summary.floor_bytes(line)


def _share(part: str) -> Callable[[Line], float | None]:
    return lambda line: line["pauses"][part] / line["pauses"]["total_ns"]


def _collections(generation: int) -> Callable[[Line], float | None]:
    return lambda line: float(sum(r["collections"][generation] for r in line["rounds"] if r["collections"]))


def _found(line: Line) -> float:
    return sum(r["collected"] for r in line["rounds"]) / sum(r["operations"] for r in line["rounds"])


METRICS: dict[str, Callable[[Line], float | None]] = {
    "peak_rss": _above_floor("peak_rss"), "end_rss": _above_floor("end_rss"), "finished_rss": _above_floor("finished_rss"),
    "trimmed_rss": _above_floor("finished_trimmed_rss"),
    **{key: (lambda line, key=key: line["memory"][key]) for key in ("live_bytes", "used_bytes", "held_bytes", "overhead")},
    "longest_pause": lambda line: line["pauses"]["kinds"]["any"]["max_ns"] or 0,
    "p50_pause": lambda line: line["pauses"]["kinds"]["any"]["p50_ns"],
    "p99_pause": lambda line: line["pauses"]["kinds"]["any"]["p99_ns"],
    "pause_share": _share("collector_ns"), "gil_share": _share("gil_ns"),
    "worst_10ms": lambda line: dict(line["pauses"]["mmu"])[10],
    "references": lambda line: line["declared"]["references"] / line["declared"]["operations"],
    "young_collections": _collections(0), "full_collections": _collections(2), "found": _found,
}


@dataclass(frozen=True)
class Found:
    """A quantity as it was measured."""
    values: tuple[float, ...]           # one an invocation (or pair of invocations), in order of repetition
    estimate: Estimate
    floor: float = float("nan")         # noise floor of the group, where two times are compared


class Measured:
    """All that a run has, by group and row."""

    def __init__(self, plan: dict[str, Any], lines: list[Line]) -> None:
        self.groups: dict[str, GroupSummary] = {g.name: g for g in summary.summarise(plan, lines)}
        self.lines: dict[tuple[str, str], list[Line]] = {}
        for line in lines:
            self.lines.setdefault((line["group"], line["label"]), []).append(line)

    def sample(self, operand: Operand) -> stats.Rounds:
        """Closed where there is none."""
        lines = [l for l in self.lines.get((operand.group, operand.label), [])
                 if l["purpose"] == claim_criteria.purpose(operand.metric)]
        if not lines:
            raise Closed("there is no CPython on this machine" if operand.label.startswith(f"{claim_files.REAL}/{claim_files.EACH}")
                         else f"{operand.label} of {operand.group} was not measured")
        kept = [l for l in lines if l["outcome"] == "ok" and l["kept"]]
        row = next((r for r in self.groups[operand.group].rows if r.label == operand.label), None)
        if row and row.outcome == "checksum":
            raise Closed(f"{operand.label}: {row.message}")
        if not kept or len(kept) * 2 < len(lines):
            raise Closed(_why(operand.label, lines))
        if operand.metric in ("time", "cpu"):
            key = "wall_ns" if operand.metric == "time" else "cpu_ns"
            return {l["repetition"]: {r["round"]: (r[key], r["operations"]) for r in summary.valid_rounds(l)[0]} for l in kept}
        return stats.single({l["repetition"]: _value(operand, l) for l in kept})

    def find(self, quantity: Quantity) -> Found:
        """Closed where a side is missing, or where there is only one invocation."""
        of = self.sample(quantity.of)
        if quantity.to is None:
            values, estimate, floor = _each(of), stats.median_of(of), float("nan")
        else:
            to = self.sample(quantity.to)
            if any(value == 0 for value in _each(to)):
                raise Closed(f"{quantity.to} is 0 in an invocation: no ratio")
            values, estimate = self._ratio(quantity, of, to)
            floor = self._floor(quantity)
        if estimate is None or len(values) < 2:
            raise Closed(f"{quantity}: fewer than two invocations that can be compared")
        return Found(values, estimate, floor)

    def _ratio(self, quantity: Quantity, of: stats.Rounds, to: stats.Rounds) -> tuple[tuple[float, ...], Estimate | None]:
        """Within a repetition where both are of one group; each side for itself where they are not."""
        if quantity.of.group != quantity.to.group:
            middle = stats.middle(list(_each(to)))
            return tuple(v / middle for v in _each(of)), stats.ratio_of_medians(of, to)
        turns = self.groups[quantity.of.group].method == "turns" and quantity.of.metric in ("time", "cpu")
        common = sorted(of.keys() & to.keys())
        return (tuple(stats.per_operation(of[r]) / stats.per_operation(to[r]) for r in common),
                stats.ratio_of(of, to, turns))

    def _floor(self, quantity: Quantity) -> float:
        if quantity.of.metric not in ("time", "cpu"):
            return float("nan")
        return max((self.groups[o.group].floor for o in quantity.operands), default=float("nan"))


def _each(sample: stats.Rounds) -> tuple[float, ...]:
    return tuple(stats.per_operation(sample[r]) for r in sorted(sample))


def _value(operand: Operand, line: Line) -> float:
    metric, *name = operand.metric.split(".")
    value = _named(metric, name, line) if name else METRICS[metric](line)
    if value is None:
        raise Closed(f"{operand}: " + ("the program tells no such figure" if name else "cannot be said here"))
    return float(value)


def _named(metric: str, name: list[str], line: Line) -> float | None:
    """figure.NAME: the mean of what the workload said; figure.NAME.most and the like. moment.NAME: RSS when it told so,
    area.KIND.NAME: of that, one kind of mapping."""
    if metric == "figure":
        return ((line.get("figures") or {}).get(name[0]) or {}).get((*name, "mean")[1])
    moments = [m for m in line["memory"]["moments"] if m["label"].replace(" ", "_") == name[-1]]
    if metric == "area":
        return next((m["areas"].get(name[0]) for m in reversed(moments) if m.get("areas")), None)
    seen = [m["rss"] for m in moments]
    return seen[-1] - summary.floor_bytes(line) if seen else None


def _why(label: str, lines: list[Line]) -> str:
    """Of an invocation that failed, or of threads that found no cores: with the figures of the gate."""
    failed = next((l for l in lines if l["outcome"] != "ok"), None)
    if failed:
        return f"{label}: {failed['outcome'].replace('_', ' ')}" + (f": {failed['message']}" if failed["message"] else "")
    probed = [l["capacity"] for l in lines if l.get("capacity")]
    if not probed:
        return f"{label}: no invocation was kept"
    least = min(min(c["before"], c["after"]) for c in probed)
    crossing = [c["core_to_core_ns"] for c in probed if c.get("core_to_core_ns")]
    return (f"{label}: no cores to spare: two spinning threads reached {least:.2f}x one"
            + (f"; core to core {stats.middle(crossing):.0f} ns" if crossing else ""))


def core_to_core_ns(lines: list[Line]) -> float | None:
    """Over all threaded invocations of a run."""
    seen = [l["capacity"]["core_to_core_ns"] for l in lines if (l.get("capacity") or {}).get("core_to_core_ns")]
    return stats.middle(seen) if seen else None
