# SPDX-License-Identifier: MIT
"""claim_plots.py - one figure a claim, to stand alone on a slide: the sentence, the verdict, where the figures lie.

A panel a criterion: the region in which it holds is shaded, our figure is a filled mark with its interval, each
interpreter's a hollow one. What could not be measured says why in its row.
"""
from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import claim_report
import plots

WIDTH = 78                  # characters of a title line
TALLEST = 2000
LOG_FROM = 20               # a wider span than this factor is drawn on a logarithmic axis


def draw(folder: Path, told: dict[str, Any]) -> list[Path]:
    """A PNG and an SVG for each claim that was measured, in plots/claims/."""
    place = plots.folder_of(folder / "plots" / "claims")
    drawn: list[Path] = []
    for claim in told["claims"]:
        if claim["plot"]:
            drawn += _claim(place, claim)
    return [p for p in drawn if p.suffix == ".png"]


def _claim(place: Path, claim: dict[str, Any]) -> list[Path]:
    rows, axes = [], []
    for number, finding in enumerate(claim["criteria"], 1):
        marks = [(finding["on"], int(finding["on"] != "refarena"), finding)] + [(f"CPython {r['interpreter']}", 1, r["criteria"][number - 1])
                                              for r in claim["real"] if len(r["criteria"]) >= number]
        axes.append(_axis(finding, [f for _, _, f in marks]))
        rows += [(number, place_, name, hollow, *_three(f), _text(f)) for place_, (name, hollow, f) in enumerate(marks, 1)]
    plots._tsv(place / f"{claim['id']}.tsv", "panel row name hollow value low high text", rows)
    title = textwrap.wrap(claim["sentence"], WIDTH)[:2]
    most = max(r[1] for r in rows)
    return plots._gnuplot(place, "claim", {
        "TITLE": title[0], "TITLE_2": title[1] if len(title) > 1 else "", "SUB": _subtitle(claim), "VERDICT": claim["verdict"], "DATA": f"{claim['id']}.tsv", "PANELS": len(axes),
        "NAMES": plots._words(f["measured"] for f in claim["criteria"]), "ROWS": most,
        "LOWS": plots._words(f"{a[0]:.9g}" for a in axes), "HIGHS": plots._words(f"{a[1]:.9g}" for a in axes),
        "LOGS": plots._words(str(int(a[2])) for a in axes),
        "FROMS": plots._words(f"{a[3]:.9g}" for a in axes), "TOS": plots._words(f"{a[4]:.9g}" for a in axes),
        "WHOLE": plots._words(str(int(f["op"] == "==")) for f in claim["criteria"]), "UNITS": plots._words(_scale(f)[1] or "-" for f in claim["criteria"]),
      "H": min(TALLEST, 480 + len(axes) * (90 + 75 * most))}, claim["id"])


def _subtitle(claim: dict[str, Any]) -> str:
    if claim["reason"]:
        return textwrap.shorten(claim["reason"], 118, placeholder=" ...")
    kind = {"exact": "in every invocation", "shape": "95 % interval", "magnitude": "95 % interval"}[claim["kind"]]
    found = ";  ".join(claim_report.interval(f) for f in claim["criteria"])
    return textwrap.shorten(f"{found}: {kind}", 100, placeholder=" ...") + {"yes": ";  CPython agrees", "no": ";  CPython does not agree"}.get(claim["agrees"], "")


def _three(f: dict[str, Any]) -> tuple[Any, ...]:
    if f["value"] is None:
        return ("NaN",) * 3
    scale = _scale(f)[0]
    low, high = (f["low"], f["high"]) if f["low"] is not None else (f["value"],) * 2
    return f["value"] / scale, low / scale, high / scale


def _text(f: dict[str, Any]) -> str:
    return claim_report.interval(f) if f["value"] is not None else textwrap.shorten(f["reason"], 90, placeholder=" ...")


def _scale(f: dict[str, Any]) -> tuple[float, str]:
    """The axis in a unit that fits the bound: divisor and its name."""
    most = max(abs(b) for b in f["bounds"])
    steps = {"bytes": ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")), "ns": ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns")),
             "x": ((1, "×"),)}.get(f["unit"], ())
    return next(((size, name) for size, name in steps if most >= size), {"bytes": (1, "bytes"), "ns": (1, "ns")}.get(f["unit"], (1, "")))


def _axis(f: dict[str, Any], shown: list[dict[str, Any]]) -> tuple[float, float, bool, float, float]:
    """Low, high, logarithmic?, and where the shading begins and ends."""
    scale = _scale(f)[0]
    bounds = [b / scale for b in f["bounds"]]
    values = bounds + [v / scale for s in shown for v in (s["low"], s["value"], s["high"]) if v is not None]
    values += [1.0] if f["unit"] == "x" else []
    low, high = min(values), max(values)
    log = low > 0 and high / low > LOG_FROM
    if log:
        low, high = low / 1.6, high * 2.5
    elif f["op"] == "==":                                   # whole numbers: one more on either side
        low, high = low - 1.5, high + 1.5
    else:
        span = (high - low) or max(1.0, abs(high)) * 0.5
        low, high = (0.0 if 0 <= low < span * 0.6 else low - 0.12 * span), high + 0.3 * span
    begins, ends = {">": (bounds[0], high), ">=": (bounds[0], high), "<": (low, bounds[0]), "<=": (low, bounds[0]),
                    "in": (bounds[0], bounds[-1]), "==": (bounds[0], bounds[0])}[f["op"]]
    if begins == ends:
        begins, ends = begins - 0.006 * (high - low), ends + 0.006 * (high - low)
    return low, high, log, begins, ends
