# SPDX-License-Identifier: MIT
"""claim_verdicts.py - the rule, and nothing but the rule.

    REPRODUCED      every criterion holds for the whole 95 % interval of its quantity
    REFUTED         for some criterion the whole interval lies outside; of several criteria Holm decides (1979)
    INCONCLUSIVE    an interval lies across a bound
    UNTESTABLE      a gate is closed: no free cores before or after the sample, a program or library that is not here,
                    or an effect smaller than what two identical programs differ by (the A/A pair's noise floor)

An exact claim has no interval: its criterion must hold in every invocation, and is refuted by one in which it does
not. No verdict rests on a single invocation. Each claim is judged on its own interval; nothing is adjusted for the
number of claims, and the number of verdicts expected to be wrong is said instead (expected_false).
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import stats
from claim_criteria import Criterion, Quantity
from claim_files import EACH, REAL, Claim
from claim_metrics import Closed, Found, Measured

REPRODUCED, REFUTED, INCONCLUSIVE, UNTESTABLE = "REPRODUCED", "REFUTED", "INCONCLUSIVE", "UNTESTABLE"
VERDICTS = (REPRODUCED, REFUTED, INCONCLUSIVE, UNTESTABLE)


@dataclass(frozen=True)
class Finding:
    """One criterion, and where its quantity was found."""
    criterion: Criterion
    state: str                      # inside, outside, across, closed
    found: Found | None = None
    reason: str = ""                # of closed
    exact: bool = False
    on: str = "refarena"            # or the interpreter

    @property
    def verdict(self) -> str:
        return {"inside": REPRODUCED, "outside": REFUTED, "across": INCONCLUSIVE, "closed": UNTESTABLE}[self.state]


@dataclass(frozen=True)
class Judgement:
    claim: Claim
    verdict: str
    reason: str                     # "" where the figures say it all
    findings: tuple[Finding, ...] = ()
    real: dict[str, tuple[Finding, ...]] | None = None      # by interpreter

    @property
    def agrees(self) -> str:
        """Does the first interpreter say what the simulation says?"""
        if not self.real:
            return "-"
        theirs = verdict_of(next(iter(self.real.values())))
        ours = verdict_of(self.findings[:len(next(iter(self.real.values())))])
        if not {ours, theirs} <= {REPRODUCED, REFUTED}:
            return "unclear"
        return "yes" if ours == theirs else "no"


def judge(claim: Claim, measured: Measured, interpreters: list[str]) -> Judgement:
    if claim.untestable:
        return Judgement(claim, UNTESTABLE, claim.untestable)
    first = interpreters[0] if interpreters else "*"
    findings = tuple(_finding(c, _of(c.quantity, first), measured, claim.kind == "exact") for c in claim.criteria)
    real = {name: tuple(_finding(c, _of(quantity, name), measured, claim.kind == "exact")
                        for c, quantity in zip(claim.criteria, claim.real))
            for name in interpreters} if claim.real else None
    return Judgement(claim, verdict_of(findings), "; ".join(dict.fromkeys(f.reason for f in findings if f.reason)), findings, real)


def verdict_of(findings: tuple[Finding, ...]) -> str:
    """All must hold. One that surely does not refutes them together, if it does so among as many as there are."""
    outside = [f for f in findings if f.state == "outside"]
    if outside and any(stats.holm([_p(f) for f in findings])):
        return REFUTED
    for verdict in (UNTESTABLE, INCONCLUSIVE):
        if any(f.verdict == verdict for f in findings):
            return verdict
    return INCONCLUSIVE if outside else REPRODUCED


def _p(finding: Finding) -> float:
    """Of what was found, were the criterion true: 0 for an exact one that failed, which chance does not explain."""
    if finding.state != "outside":
        return float("nan") if finding.found is None else 1.0
    return 0.0 if finding.exact else max(finding.found.estimate.p_of(edge) for edge in finding.criterion.edges)


def _of(quantity: Quantity, interpreter: str) -> Quantity:
    """The same, of this interpreter's rows."""
    operands = [replace(o, label=o.label.replace(EACH, interpreter)) for o in quantity.operands]
    return Quantity(*operands)


def _finding(criterion: Criterion, quantity: Quantity, measured: Measured, exact: bool) -> Finding:
    collector, _, interpreter = quantity.of.label.partition("/")
    on = f"CPython {interpreter.partition('@')[0]}" if collector == REAL else "refarena"
    return replace(_state(criterion, quantity, measured, exact), on=on)


def _state(criterion: Criterion, quantity: Quantity, measured: Measured, exact: bool) -> Finding:
    try:
        found = measured.find(quantity)
    except Closed as closed:
        return Finding(criterion, "closed", reason=str(closed))
    if exact:
        return Finding(criterion, "inside" if all(map(criterion.met, found.values)) else "outside", found, exact=True)
    low, high = found.estimate.low, found.estimate.high
    if criterion.inside(low, high) or criterion.outside(low, high):
        state = "inside" if criterion.inside(low, high) else "outside"
        if _under_the_floor(criterion, found):
            return Finding(criterion, "closed", found, f"a ratio of {found.estimate.value:.3f} is nearer to the bound of {criterion.bound} than two "
                           f"identical programs are to each other: noise floor {100 * found.floor:.1f} %")
        return Finding(criterion, state, found)
    return Finding(criterion, "across", found)


def _under_the_floor(criterion: Criterion, found: Found) -> bool:
    """Is the way from the value to the nearest bound shorter than the noise floor?"""
    if found.floor != found.floor:
        return False
    return min(stats.effect(found.estimate.value / edge) for edge in criterion.edges if edge) <= found.floor


def expected_false(judgements: list[Judgement]) -> float:
    """At most so many REPRODUCED or REFUTED are expected to be wrong: the error of an interval, for each that has one."""
    judged = [j for j in judgements if j.verdict in (REPRODUCED, REFUTED) and j.claim.kind != "exact"]
    return (1 - stats.LEVEL) * len(judged)
