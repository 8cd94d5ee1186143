# SPDX-License-Identifier: MIT
"""claim_report.py - verdicts as JSON, as markdown, and as the table on the terminal. claims.json is in results/README.md."""
from __future__ import annotations

from typing import Any

import claim_metrics
import console
import table
from claim_verdicts import VERDICTS, Finding, Judgement, expected_false
from record import Line

COLOURS = {"REPRODUCED": "32", "REFUTED": "31", "INCONCLUSIVE": "33", "UNTESTABLE": "90"}


# --- numbers for people ----------------------------------------------------------------------------------

def in_unit(value: float, unit: str) -> str:
    if unit == "bytes":
        return table.in_bytes(value) if abs(value) >= 1024 else f"{number(value)} B"
    if unit == "ns":
        return in_time(value)
    return number(value) + ("x" if unit == "x" else "")


def number(value: float) -> str:
    if value != 0 and abs(value) < 0.1:
        return f"{value:.2g}"
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) and abs(value) >= 10 else f"{value:.3g}"


def in_time(ns: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(ns) >= size:
            return f"{number(ns / size)} {unit}"
    return f"{number(ns)} ns"


def interval(finding: dict[str, Any]) -> str:
    """'1.52x (1.48 .. 1.57)', '3 in 5 of 5'."""
    if finding["value"] is None:
        return "-"
    unit = finding["unit"]
    shown = in_unit(finding["value"], unit)
    if finding["low"] is None or finding["low"] == finding["high"]:
        return shown
    return f"{shown} ({in_unit(finding['low'], unit)} .. {in_unit(finding['high'], unit)})"


# --- JSON ------------------------------------------------------------------------------------------------

def as_json(about: dict[str, Any], lines: list[Line], judgements: list[Judgement], cited: dict[str, str],
            headline: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schema": 1, "machine": about["machine"], "begun": about["begun"], "finished": about["finished"],
            "claims_digest": about["claims_digest"], "interpreters": about["interpreters"],
            "core_to_core_ns": claim_metrics.core_to_core_ns(lines),
            "verdicts": {v: sum(j.verdict == v for j in judgements) for v in VERDICTS},
            "expected_false": round(expected_false(judgements), 2),
            "claims": [_claim(j, cited) for j in judgements], "price": headline}


def _claim(j: Judgement, cited: dict[str, str]) -> dict[str, Any]:
    c = j.claim
    return {"id": c.id, "sentence": c.sentence, "kind": c.kind, "published": c.published, "not_shown": c.not_shown,
            "source": [{"tag": tag, "publication": cited[tag], "place": place} for tag, place in c.source],
            "verdict": j.verdict, "reason": j.reason, "agrees": j.agrees,
            "criteria": [_finding(f, words) for f, words in zip(j.findings, c.measured)],
            "real": [{"interpreter": name, "criteria": [_finding(f, words, str(q)) for f, words, q in zip(findings, c.measured, c.real)]}
                     for name, findings in (j.real or {}).items()],
            "plot": f"plots/claims/{c.id}" if j.findings else None}


def _finding(f: Finding, words: str, quantity: str = "") -> dict[str, Any]:
    c, estimate = f.criterion, f.found.estimate if f.found else None
    known = estimate is not None and estimate.low == estimate.low
    return {"measured": words, "on": f.on, "quantity": quantity or str(c.quantity), "criterion": c.bound, "unit": c.quantity.unit, "state": f.state,
            "op": c.op, "bounds": list(c.edges), "reason": f.reason,
            "value": estimate.value if estimate else None, "low": estimate.low if known else None,
            "high": estimate.high if known else None, "invocations": len(f.found.values) if f.found else 0,
            "noise_floor": f.found.floor if f.found and f.found.floor == f.found.floor else None}


def counted(told: dict[str, Any]) -> str:
    verdicts = ", ".join(f"{n} {v}" for v, n in told["verdicts"].items() if n)
    crossing = f"; core to core {told['core_to_core_ns']:.0f} ns" if told["core_to_core_ns"] else ""
    return (f"{len(told['claims'])} claims: {verdicts}. Of the verdicts that rest on 95 % intervals at most "
            f"{told['expected_false']:.1f} are expected to be wrong{crossing}.")


# --- the terminal ----------------------------------------------------------------------------------------

def printed(told: dict[str, Any], colour: bool | None = None) -> str:
    if colour is None:
        colour = console.colours()
    head = ["claim", "verdict", "found", "criterion", _real_name(told), "agree"]
    rows = [_row(claim) for claim in told["claims"]]
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in [head, *rows]]
    if colour:
        lines = [lines[0], *(line.replace(row[1], f"\033[{COLOURS[row[1]]}m{row[1]}\033[0m", 1) for line, row in zip(lines[1:], rows))]
    reasons = [f"  {c['id']}: {c['reason']}" for c in told["claims"] if c["reason"]]
    return "\n".join([*lines, *(["", "why not:", *reasons] if reasons else []), "", counted(told)])


def _real_name(told: dict[str, Any]) -> str:
    return f"CPython {told['interpreters'][0]}" if told["interpreters"] else "no CPython here"


def _row(claim: dict[str, Any]) -> list[str]:
    """The criterion that decided: the first that is not inside, or the first."""
    deciding = next((f for f in claim["criteria"] if f["state"] != "inside"), None) or next(iter(claim["criteria"]), None)
    real = claim["real"][0]["criteria"] if claim["real"] else []
    place = claim["criteria"].index(deciding) if deciding else 0
    theirs = real[min(place, len(real) - 1)] if real else None
    if deciding and deciding["on"] != "refarena":           # the real interpreter is all there is
        deciding, theirs = {**deciding, "value": None}, deciding
    return [claim["id"], claim["verdict"], interval(deciding) if deciding else "-", deciding["criterion"] if deciding else "-",
            interval(theirs) if theirs else "-", claim["agrees"]]


# --- markdown --------------------------------------------------------------------------------------------

def verdict_table(told: dict[str, Any], link: str = "plots/claims/") -> str:
    lines = [f"| claim | verdict | found | criterion | {_real_name(told)} | agree |", "| --- | --- | --- | --- | --- | --- |"]
    for claim in told["claims"]:
        _, verdict, *rest = _row(claim)
        sentence = f"[{claim['sentence']}]({link}{claim['id']}.png)" if claim["plot"] else claim["sentence"]
        lines.append("| " + " | ".join([sentence, verdict, *rest]) + " |")
    return "\n".join(lines)


def markdown(told: dict[str, Any]) -> str:
    parts = ["# Claims", counted(told), verdict_table(told)]
    parts += [_section(claim) for claim in told["claims"]]
    return "\n\n".join(parts) + "\n"


def _section(claim: dict[str, Any]) -> str:
    lines = [f"## {claim['sentence']}", "", f"**{claim['verdict']}**" + (f": {claim['reason']}" if claim["reason"] else "") +
             f" (`{claim['id']}`, {claim['kind']})", ""]
    lines += [f"- {f['measured']}, `{f['quantity']} {f['criterion']}`: {interval(f)}, {f['state']}, {f['invocations']} invocations"
              + (f", noise floor {100 * f['noise_floor']:.1f} %" if f["noise_floor"] is not None else "") for f in claim["criteria"]]
    lines += [f"- CPython {r['interpreter']}: `{f['quantity']}`: {interval(f)}, {f['state']}"
              + (f" ({f['reason']})" if f["reason"] else "") for r in claim["real"] for f in r["criteria"]]
    lines += [f"- Source: {s['publication']}" + (f", {s['place']}" if s["place"] else "") for s in claim["source"]]
    lines += [f"- Published: {claim['published']}"] if claim["published"] else []
    lines += [f"- Not shown: {claim['not_shown']}"]
    return "\n".join(lines)
