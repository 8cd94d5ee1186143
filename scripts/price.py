# SPDX-License-Identifier: MIT
"""price.py - the price of thread safety: the figure, and the table under it.

    x   one thread: time against plain counts, all else equal
    y   two threads: throughput against the same policy with one

A policy on the diagonal y = x breaks even: its two threads do what one thread with plain counts does. Each mark has
its interval in both directions; `racy`, which loses updates, is crossed out; hollow marks are real interpreters.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import claim_files
import claim_metrics
import plots
import table
from claim_criteria import Operand, Quantity
from claim_metrics import Closed, Measured
from record import Line
from stats import Estimate

ALONE, THREADS, RACE, RINGS, PAUSES, REAL = "price_alone", "price_threads", "race", "rings", "pauses", "real_threads"
GROUPS = (ALONE, THREADS, RACE, RINGS, PAUSES, REAL)


@dataclass(frozen=True)
class Policy:
    """A backend, and the one that is the same with plain counts and no thread but one."""
    name: str
    words: str
    plain: str


POLICIES = (
    Policy("refcount", "reference counting alone", "refcount"),
    Policy("cyclic", "counting and a cyclic collector", "cyclic"),
    Policy("gil", "the same under a GIL", "cyclic"),
    Policy("locked_object", "a lock in each object", "segregated"),
    Policy("locked_global", "one lock for all counts", "segregated"),
    Policy("atomic", "atomic counts", "segregated"),
    Policy("biased", "biased counts", "segregated"),
    Policy("free_threaded", "biased counts, what is shared immortal (PEP 703)", "segregated"),
    Policy("racy", "no safety at all", "refcount"),
    Policy("marksweep", "mark-sweep at 2x heap", "segregated"),
)
TITLE = "What does thread safety cost one thread, and what do two gain?"
SHOWN_IN_FIGURE = ("gil", "locked_object", "locked_global", "atomic", "biased", "free_threaded", "racy", "marksweep")


def rows(plan: dict[str, Any], lines: list[Line], interpreters: list[str]) -> list[dict[str, Any]]:
    """For claims.json: each policy and each interpreter, with what is known of it."""
    measured = Measured(plan, lines)
    if ALONE not in measured.groups:
        return []
    return [_policy(p, measured) for p in POLICIES] + [_interpreter(name, interpreters, measured) for name in interpreters]


def _policy(policy: Policy, measured: Measured) -> dict[str, Any]:
    def label(group: str, name: str) -> str:
        """The row of this collector with one thread, whatever allocator and options it has there."""
        rows_ = measured.groups[group].rows if group in measured.groups else []
        return next((r.label.partition("@")[0] for r in rows_ if r.collector == name and not r.twin), name)
    alone = Quantity(Operand("time", ALONE, label(ALONE, policy.name)), Operand("time", ALONE, label(ALONE, policy.plain)))
    one = label(THREADS, policy.name)
    both = Quantity(Operand("time", THREADS, one), Operand("time", THREADS, f"{one}@2"))
    slow, slow_why = (Estimate(1.0, 1.0, 1.0), "") if policy.name == policy.plain else _find(measured, alone)
    fast, fast_why = _find(measured, both)
    lost, _ = _find(measured, Quantity(Operand("figure.lost_takes", RACE, f"{label(RACE, policy.name)}@2")))
    leak, _ = _find(measured, Quantity(Operand("end_rss", RINGS, label(RINGS, policy.name))))
    peak, _ = _find(measured, Quantity(Operand("peak_rss", RINGS, label(RINGS, policy.name))))
    pause, _ = _find(measured, Quantity(Operand("longest_pause", PAUSES, label(PAUSES, policy.name))))
    return {"name": policy.name, "words": policy.words, "real": False, "slow_down": _three(slow), "slow_down_why": slow_why,
            "speed_up": _three(fast), "speed_up_why": fast_why, "lost_updates": _three(lost), "leak_bytes": _three(leak),
            "peak_bytes": _three(peak), "longest_pause_ns": _three(pause)}


def _interpreter(name: str, all_: list[str], measured: Measured) -> dict[str, Any]:
    """Against the first interpreter that counts plainly: the one with a GIL."""
    def of(figure: str, who: str) -> Operand:
        return Operand(f"figure.{figure}", REAL, f"{claim_files.REAL}/{who}@2")
    plain = next((n for n in all_ if not n.endswith("t")), name)
    slow, slow_why = (Estimate(1.0, 1.0, 1.0), "") if plain == name else _find(measured, Quantity(of("one_ns", name), of("one_ns", plain)))
    fast, fast_why = _find(measured, Quantity(of("speed_up", name)))
    return {"name": f"CPython {name}", "words": "free-threaded" if name.endswith("t") else "with its GIL", "real": True,
            "slow_down": _three(slow), "slow_down_why": slow_why, "speed_up": _three(fast), "speed_up_why": fast_why,
            "lost_updates": None, "leak_bytes": None, "peak_bytes": None, "longest_pause_ns": None}


def _find(measured: Measured, quantity: Quantity) -> tuple[Estimate | None, str]:
    try:
        return measured.find(quantity).estimate, ""
    except Closed as closed:
        return None, str(closed)


def _three(estimate: Estimate | None) -> list[float] | None:
    return None if estimate is None else [estimate.value, estimate.low, estimate.high]


# --- the figure ----------------------------------------------------------------------------------------

def draw(folder: Path, told: list[dict[str, Any]]) -> list[Path]:
    shown = [r for r in told if r["slow_down"] and r["speed_up"] and (r["real"] or r["name"] in SHOWN_IN_FIGURE)]
    if not shown:
        return []
    place = plots.folder_of(folder / "plots")
    box = {"XMAX": max(2.2, *(r["slow_down"][2] for r in shown)) * 1.25, "YMAX": max(2.2, *(r["speed_up"][2] for r in shown)) * 1.12,
           "XMIN": min(0.9, *(r["slow_down"][1] for r in shown)) * 0.95, "YMIN": min(0.8, *(r["speed_up"][1] for r in shown)) * 0.85}
    texts = [r["name"].replace("_", " ") + _lost(r) for r in shown]
    places = _beside([(r["slow_down"][0], r["speed_up"][0]) for r in shown], texts, box)
    lines = [(i, r["name"], text, int(r["real"]), int(r["name"] == "racy"), *r["slow_down"], *r["speed_up"], *at)
             for i, (r, text, at) in enumerate(zip(shown, texts, places), 1)]
    plots._tsv(place / "price.tsv", "row backend text real crossed x x_low x_high y y_low y_high text_x text_y", lines)
    drawn = plots._gnuplot(place, "price", {
        "TITLE": TITLE,
        "SUB": "Against the same collector with plain counts; dashed: break even; bars: 95 % intervals; hollow: a real interpreter",
        "BACKENDS": plots._words(r["name"] for r in shown), **box})
    return [p for p in drawn if p.suffix == ".png"]


LETTER, LINE, MARK = 0.0092, 0.042, 0.014        # of the width and height of the plot: a letter, a line, half a mark


def _beside(marks: list[tuple[float, float]], texts: list[str], box: dict[str, float]) -> list[tuple[float, float]]:
    """A place for each text, as near its mark as there is room: the first that covers no other mark and no other text."""
    def share(value: float, axis: str) -> float:
        return math.log(value / box[f"{axis}MIN"]) / math.log(box[f"{axis}MAX"] / box[f"{axis}MIN"])
    def back(part: float, axis: str) -> float:
        return box[f"{axis}MIN"] * (box[f"{axis}MAX"] / box[f"{axis}MIN"]) ** part
    points = [(share(x, "X"), share(y, "Y")) for x, y in marks]
    taken = [(x - MARK, x + MARK, y - MARK * 1.6, y + MARK * 1.6) for x, y in points]
    found = []
    for (x, y), text in zip(points, texts):
        wide = LETTER * len(text)
        tries = [(left, y + up * LINE) for up in (0.7, -0.7, 1.5, -1.5, 2.4, -2.4, 3.3, -3.3) for left in (x + 1.4 * MARK, x - 1.4 * MARK - wide)]
        left, at = next((t for t in tries if t[0] >= 0 and t[0] + wide <= 1 and not any(
            t[0] < r and l < t[0] + wide and t[1] - LINE / 2 < high and low < t[1] + LINE / 2 for l, r, low, high in taken)), tries[0])
        taken.append((left, left + wide, at - LINE / 2, at + LINE / 2))
        found.append((back(left, "X"), back(at, "Y")))
    return found


def _lost(row: dict[str, Any]) -> str:
    return f": {row['lost_updates'][0]:,.0f} updates lost" if row["name"] == "racy" and row["lost_updates"] else ""


# --- the table -----------------------------------------------------------------------------------------

FOUR = ("refcount", "cyclic", "gil", "locked_object", "locked_global")


def markdown(told: list[dict[str, Any]]) -> str:
    """The backends of the README's first table."""
    head = ["backend", "name", "one thread takes", "two threads do", "lost updates", "rings leak", "longest pause", "peak RSS"]
    rows_ = [head, ["---"] * len(head)]
    for row in (r for r in told if r["real"] or r["name"] in FOUR):
        rows_.append([row["words"], f"`{row['name']}`" if not row["real"] else row["name"], _times(row["slow_down"]),
                      _times(row["speed_up"]) if row["speed_up"] else _short(row["speed_up_why"]),
                      *(_cell(row[key], show) for key, show in (("lost_updates", lambda v: f"{v:,.0f}"), ("leak_bytes", table.in_bytes),
                                                                ("longest_pause_ns", plots._duration), ("peak_bytes", table.in_bytes)))])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows_)


def _times(three: list[float] | None) -> str:
    if three is None:
        return "-"
    value, low, high = three
    return f"{value:.2f}x" if low == high else f"{value:.2f}x ({low:.2f} .. {high:.2f})"


def _short(why: str) -> str:
    return "one thread only" if "unsupported" in why else "no free cores" if "no cores" in why else "-"


def _cell(three: list[float] | None, show: Any) -> str:
    return "-" if three is None else show(max(0.0, three[0]))
