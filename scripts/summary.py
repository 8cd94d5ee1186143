# SPDX-License-Identifier: MIT
"""summary.py - from a run's lines to the rows that tables and plots show.

Nothing is left out: a configuration that has no number has an outcome. Nothing is judged anywhere else:
which rounds count, what the noise floor is, whether checksums agree.
"""
from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import names
import stats
from matrix import PAIR_MARK
from record import Line
from stats import Estimate

AMORTISED_COLLECTIONS = 5       # full ones in an invocation, for their price to be in the mean


@dataclass
class Row:
    """One configuration, summed up."""
    group: str
    label: str
    workload: str
    parameters: dict[str, Any]
    collector: str | None
    allocator: str
    threads: int
    outcome: str = "ok"
    message: str = ""
    time: Estimate | None = None            # ns an operation, wall
    cpu: Estimate | None = None             # the same, CPU of all threads
    ratio: Estimate | None = None           # of time, to the group's baseline
    peak_rss: float | None = None           # bytes above the process's own before the workload: median
    peak_low: float | None = None           # least and most seen
    peak_high: float | None = None
    end_rss: float | None = None            # the same, after the last unit, everything still alive
    end_low: float | None = None
    end_high: float | None = None
    live_bytes: float | None = None         # as they were asked for
    used_bytes: float | None = None         # in blocks at the size set aside for them, where the allocator can say
    overhead: float | None = None
    invocations: int = 0                    # that counted
    rejected: int = 0                       # turns and invocations that did not, and were run again
    verdict: str = ""
    notes: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)     # what the workload itself told: medians over invocations
    sample: stats.Rounds = field(default_factory=dict, repr=False)
    shown: str = ""                         # the label for people, with versions; names.py
    shown_allocator: str = ""

    def __post_init__(self) -> None:
        self.shown = self.shown or self.label
        self.shown_allocator = self.shown_allocator or self.allocator

    @property
    def twin(self) -> bool:
        return self.label.endswith(PAIR_MARK)

    @property
    def open_loop(self) -> bool:
        """Requests came by the clock: the time is the schedule's, and the latencies are what was measured."""
        return "late_share" in self.figures


@dataclass
class GroupSummary:
    name: str
    title: str
    workload: str
    parameters: dict[str, Any]
    method: str
    baseline: str
    figure: str
    rows: list[Row]
    pair: Estimate | None = None            # ratio of the A/A pair
    floor: float = float("nan")             # noise floor, relative
    notes: list[str] = field(default_factory=list)
    curve: str = ""                         # that it is a point of, or nothing
    size: int = 0


@dataclass
class Curve:
    """Groups that differ in size alone: what each configuration's cost does as the size grows."""
    name: str
    groups: list[GroupSummary]                      # by size
    rows: dict[str, dict[int, Row]]                 # by label, then size
    exponents: dict[str, Estimate]                  # by label, where there are three sizes or more


def curves(groups: list[GroupSummary]) -> list[Curve]:
    found = []
    for name in dict.fromkeys(g.curve for g in groups if g.curve):
        points = sorted((g for g in groups if g.curve == name), key=lambda g: g.size)
        rows: dict[str, dict[int, Row]] = defaultdict(dict)
        for group in points:
            for row in (r for r in group.rows if not r.twin):
                rows[row.label][group.size] = row
        fits = {label: stats.exponent_of({size: r.sample for size, r in at.items() if r.sample}) for label, at in rows.items()}
        found.append(Curve(name, points, dict(rows), {label: fit for label, fit in fits.items() if fit}))
    return found


def summarise(plan: dict[str, Any], lines: list[Line]) -> list[GroupSummary]:
    """All groups of the plan that have lines, in its order. plan: Matrix.described()."""
    by_group: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_group[line["group"]].append(line)
    groups = [_group({**g, "settings": {**plan["settings"], **g["settings"]}}, by_group[g["name"]])
              for g in plan["groups"] if by_group[g["name"]]]
    named = names.Names(lines)
    for row in (r for g in groups for r in g.rows):
        row.shown, row.shown_allocator = named.label(row.label, row.collector, row.allocator), named.allocator(row.allocator)
    pairs = [g.pair.p_one if g.pair else float("nan") for g in groups]
    planned = {g["name"]: g for g in plan["groups"]}
    for group in groups:
        _precision(group, {**plan.get("settings", {}), **planned[group.name].get("settings", {})})
        _missing(group, planned[group.name]["configurations"])
    for group, fails in zip(groups, stats.holm(pairs)):
        if fails:
            group.notes.append(f"the A/A pair differs ({group.pair.value:.3f}): the machine was not steady, "
                               "and this group's numbers are not to be trusted")
    return groups


def _missing(group: GroupSummary, planned: list[str]) -> None:
    """What the plan has and no line tells of is said, not left out."""
    there = {r.label for r in group.rows}
    absent = [label for label in planned if label not in there]
    if absent:
        group.notes.append(f"not measured, though planned: {', '.join(absent)}")


def wrong_checksums(lines: list[Line]) -> set[tuple[str, int]]:
    """(label, repetition) of the lines of one group whose checksum is not that of most."""
    seen: dict[tuple[int, int], list[tuple[str, int, str | None]]] = defaultdict(list)
    for line in lines:
        if line["outcome"] == "ok":
            for turn in line["rounds"] or []:
                seen[line["threads"], line["seed"]].append((line["label"], line["repetition"], turn["checksum"]))
    wrong = set()
    for answers in seen.values():
        usual = Counter(a[2] for a in answers if a[2]).most_common(1)
        right = usual[0][0] if usual else None
        wrong |= {(label, repetition) for label, repetition, sum_ in answers if sum_ != right}
    return wrong


def _group(plan: dict[str, Any], lines: list[Line]) -> GroupSummary:
    method = plan["method"]
    wrong = wrong_checksums(lines)
    summary = GroupSummary(plan["name"], plan["title"], plan["workload"], plan["parameters"], method,
                           plan["baseline"], plan["figure"], [], curve=plan.get("curve", ""), size=plan.get("size", 0))
    for label in plan["configurations"]:
        mine = [l for l in lines if l["label"] == label]
        if mine:
            summary.rows.append(_row(plan, mine, {r for l, r in wrong if l == label}))
    _replace_baseline(summary)
    _judge(summary, {r.label: r.sample for r in summary.rows}, plan["pair"])
    _bias(summary, lines)
    return summary


def _row(plan: dict[str, Any], lines: list[Line], wrong: set[int]) -> Row:
    first = lines[0]
    row = Row(plan["name"], first["label"], first["workload"], first["parameters"], first["collector"],
              first["allocator"], first["threads"])
    if first.get("objects_in") in ("own pages", "own heap"):
        row.notes.append(f"objects in {first['objects_in']}")
    if first["options"].get("heap_bytes"):
        row.notes.append(f"heap {first['options']['heap_bytes'] / 2**20:.1f} MiB, "
                         f"{plan['settings'].get('heap_budget', 0):g}x the smallest it finishes in")
    timed = [l for l in lines if l["purpose"] == "time"]
    kept = [l for l in timed if l["outcome"] == "ok" and l["kept"]]
    row.rejected = sum(l["rejected"] for l in timed)
    row.invocations = len(kept)
    sample: stats.Rounds = {}
    cpu: stats.Rounds = {}
    disturbed = 0
    for line in kept:
        rounds, enough = valid_rounds(line)
        disturbed += not enough
        sample[line["repetition"]] = {r["round"]: (r["wall_ns"], r["operations"]) for r in rounds}
        cpu[line["repetition"]] = {r["round"]: (r["cpu_ns"], r["operations"]) for r in rounds}
    row.figures = {name: stats.middle([l["figures"][name]["mean"] for l in kept if name in (l.get("figures") or {})])
                   for name in sorted({n for l in kept for n in l.get("figures") or {}})}
    _outcome(row, lines, timed, kept, wrong)
    if row.outcome == "ok":
        row.sample, row.time, row.cpu = sample, stats.median_of(sample), stats.median_of(cpu)
    if disturbed:
        row.notes.append(f"disturbed in {disturbed} of {len(kept)} invocations")
    if any(l.get("share_a_core") for l in timed):
        row.notes.append("hyperthread siblings")
    if any(times_too_short(l) > 1 for l in kept):
        row.notes.append("not amortised")
    if any(l["renewed"] for l in kept):
        row.notes.append("emptied between units")
    elif any(l["reclaims"] is False for l in kept):
        row.notes.append("never reclaims")
    _memory(row, [l for l in lines if l["purpose"] == "memory" and l["outcome"] == "ok" and l["memory"]])
    return row


def valid_rounds(line: Line) -> tuple[list[dict[str, Any]], bool]:
    """The rounds that nothing outside disturbed; all of them where fewer than half are, and then False."""
    valid = [r for r in line["rounds"] if r["valid"]]
    enough = 2 * len(valid) >= len(line["rounds"])
    return (valid if enough and valid else line["rounds"]), enough


def _outcome(row: Row, lines: list[Line], timed: list[Line], kept: list[Line], wrong: set[int]) -> None:
    failed = [l for l in timed if l["outcome"] != "ok"] or ([] if timed else [l for l in lines if l["outcome"] != "ok"])
    if wrong:
        row.outcome, row.message = "checksum", "its results differ from the other configurations'"
    elif failed and not kept:
        row.outcome, row.message = failed[0]["outcome"], failed[0]["message"]
    elif timed and not kept:
        worst = min(min(l["capacity"]["before"], l["capacity"]["after"]) for l in timed)
        row.outcome, row.message = "no_capacity", f"the machine had no cores to spare: two threads reached {worst:.2f}x one"
    elif failed:
        row.notes.append(f"{failed[0]['outcome'].replace('_', ' ')} in {len(failed)} of {len(timed)} invocations")
    broken = [l for l in lines if l["purpose"] == "memory" and l["outcome"] != "ok"]
    if broken and row.outcome == "ok":
        row.notes.append(f"memory: {broken[0]['outcome'].replace('_', ' ')}")


def times_too_short(line: Line) -> int:
    """How many times longer an invocation must be for the price of full collections to be in its mean: 1, where there
    are enough of them, or none of any kind."""
    collections = [r.get("collections") for r in line["rounds"]]
    counts = [sum(of_one) for of_one in zip(*collections)] if collections and all(collections) else []
    return math.ceil(AMORTISED_COLLECTIONS / max(counts[-1], 1)) if sum(counts) else 1


def _memory(row: Row, lines: list[Line]) -> None:
    def middle(values: list[float | None]) -> float | None:
        known = [v for v in values if v is not None]
        return stats.middle(known) if known else None
    peaks = [l["memory"]["peak_rss"] - floor_bytes(l) for l in lines]
    if peaks:
        row.peak_rss, row.peak_low, row.peak_high = stats.middle(peaks), min(peaks), max(peaks)
        ends = [l["memory"]["end_rss"] - floor_bytes(l) for l in lines]
        row.end_rss, row.end_low, row.end_high = stats.middle(ends), min(ends), max(ends)
        row.live_bytes = middle([l["memory"].get("live_bytes") for l in lines])
        row.used_bytes = middle([l["memory"].get("used_bytes") for l in lines])
        row.overhead = middle([l["memory"].get("overhead") for l in lines])


def floor_bytes(line: Line) -> int:
    """RSS that is not the backend's: the process before the workload, and the workload's own tables."""
    return line["memory"]["baseline_rss"] + (line["memory"]["workload_bytes"] or 0)


def _replace_baseline(summary: GroupSummary) -> None:
    """One that this machine does not have is no mishap of the run: the next row that has times stands in for it."""
    missing = next((r for r in summary.rows if r.label == summary.baseline and r.outcome == "not_installed"), None)
    there = next((r for r in summary.rows if r.sample and not r.twin), None)
    if missing and there:
        summary.notes.append(f"{missing.label} is not installed: ratios are to {there.label}")
        summary.baseline = there.label


def _judge(summary: GroupSummary, samples: dict[str, stats.Rounds], pair: str) -> None:
    """Ratios, the noise floor, and what they say together."""
    if any(r.open_loop for r in summary.rows):
        summary.notes.append("an open loop: its time is the schedule's, and says nothing of a backend; its latencies do (make latency)")
        for row in summary.rows:
            row.verdict = "open loop" if row.outcome == "ok" else row.outcome.replace("_", " ")
        return
    turns = summary.method == "turns"
    if samples.get(pair) and samples.get(pair + PAIR_MARK):
        summary.pair = stats.ratio_of(samples[pair + PAIR_MARK], samples[pair], turns)
        summary.floor = stats.noise_floor(summary.pair)
    base = samples.get(summary.baseline)
    if not base and any(samples.values()):
        summary.notes.append(f"no ratios: the baseline {summary.baseline} has no time")
    for row in summary.rows:
        if row.outcome != "ok":
            row.verdict = row.outcome.replace("_", " ")
        elif row.label == summary.baseline:
            row.verdict = "baseline"
        elif base and row.time and samples[row.label]:
            row.ratio = stats.ratio_of(samples[row.label], base, turns)
            if row.ratio:
                row.verdict = "the pair's other half" if row.twin else stats.verdict(row.ratio, summary.floor)
    judged = [r for r in summary.rows if r.ratio and not r.twin]
    for row, sure in zip(judged, stats.holm([r.ratio.p_one for r in judged])):
        if not sure and row.verdict.endswith(("slower", "faster")):
            row.verdict = "unclear"


def _bias(summary: GroupSummary, lines: list[Line]) -> None:
    """Turns next to other residents must give the ratio that consecutive turns give."""
    apart = [l for l in lines if l["purpose"] == "time" and l["outcome"] == "ok" and l.get("consecutive")]
    labels = list(dict.fromkeys(l["label"] for l in apart))
    if len(labels) != 2:
        return
    def sample(label: str, key: str) -> stats.Rounds:
        return {l["repetition"]: {i: (r["wall_ns"], r["operations"]) for i, r in enumerate(l[key]) if r["valid"]}
                for l in apart if l["label"] == label}
    turns, consecutive = (stats.ratio_of(sample(labels[1], key), sample(labels[0], key), False)
                          for key in ("rounds", "consecutive"))
    if not turns or not consecutive or consecutive.high != consecutive.high:
        return
    apart_by = stats.effect(turns.value / consecutive.value)
    if apart_by > max(summary.floor, consecutive.half_width / consecutive.value):
        summary.notes.append(f"turns bias this group: {labels[1]} / {labels[0]} is {turns.value:.2f} in turns and "
                             f"{consecutive.value:.2f} in consecutive turns; measure it with method = \"blocks\"")


def _precision(group: GroupSummary, settings: dict[str, Any]) -> None:
    """Where a precision was asked for and the cap came first: say what was reached."""
    wanted = settings.get("precision", 0.0)
    known = [(r.ratio.precision, r) for r in group.rows if r.ratio and r.ratio.precision == r.ratio.precision]
    if wanted and known:
        worst, row = max(known, key=lambda k: k[0])
        if worst > wanted:
            group.notes.append(f"asked for +-{100 * wanted:.3g} %, reached +-{100 * worst:.2g} % ({row.label}) "
                               f"in {row.invocations} invocations")
