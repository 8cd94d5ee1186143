# SPDX-License-Identifier: MIT
"""blocks.py - whole invocations, one process at a time, in random order.

For what turns would falsify: threads that contend, memory over time, and configurations that never reclaim
(their heap grows with every turn, and would grow by another amount for each row). Within a repetition the
order is drawn; the ratio is taken within the repetition.

An invocation counts if the machine was its own: with one thread, if at least half of its rounds were
undisturbed; with more, if a probe before and after found the cores that they need. Otherwise it is run again,
three times at most. Threads that found no cores stay out of the numbers and are reported.
"""
from __future__ import annotations

import random
import time
from collections.abc import Iterable
from typing import Any

import limits
import machine
import summary
from matrix import Configuration, Group
from record import Line
from resident import Ended, Harness, whole

TRIES = 4
LONGEST = 10        # times the rounds of its group that an invocation may take, for its full collections to be amortised


def in_random_order(rows: Iterable[Configuration], seed: str) -> list[Configuration]:
    rows = list(rows)
    random.Random(seed).shuffle(rows)
    return rows


def time_flags(group: Group, longer: int) -> list[str]:
    units = [f"--units={group['units']}"] if group["units"] else []
    return [*units, f"--rounds={longer * group['block_rounds']}", f"--lead-in={group['lead_in']}"]


def memory_flags(group: Group) -> list[str]:
    units = [f"--units={group['memory_units']}"] if group["memory_units"] else []
    return [*units, f"--rounds={group['memory_rounds']}", "--lead-in=0", "--memory", f"--sample-ms={group['sample_ms']}",
            *["--areas"] * group["areas"]]


def timed(harness: Harness, group: Group, row: Configuration, repetition: int, core: int,
          earlier: Iterable[Line] = ()) -> dict[str, Any]:
    """One invocation that counts, or the last try: a line, with what the gates said of it. It takes as many rounds as
    the row's earlier lines have shown to hold enough full collections; one that holds too few is run again, longer."""
    if why := limits.too_few_cores(row.threads):
        return _not_run(why)
    longer = max((len(l["rounds"]) // group["block_rounds"] for l in earlier if l["rounds"]), default=1)
    rejected, attempt = 0, 0
    while True:
        before = machine.cpu_times()
        line = _once(harness, group, row, repetition, core if row.threads == 1 else None, time_flags(group, longer))
        disturbed = machine.disturbance(before, machine.cpu_times(), core if row.threads == 1 else None)
        line["kept"] = _judge(line, row, bool(disturbed))
        needed = longer
        if line["outcome"] == "ok" and group["amortise"]:
            needed = min(LONGEST, longer * summary.times_too_short(line))
        if needed > longer:
            longer = needed
            continue
        attempt += 1
        if line["outcome"] != "ok" or (line["kept"] and _mostly_valid(line)) or attempt == TRIES:
            return {**line, "rejected": rejected}
        rejected += 1
        time.sleep(0.05)


def memory(harness: Harness, group: Group, row: Configuration, repetition: int, core: int) -> dict[str, Any]:
    """One invocation that looks at memory; its time is not used, so that no gate applies."""
    line = _once(harness, group, row, repetition, core if row.threads == 1 else None, memory_flags(group))
    _judge(line, row, False)
    return {**line, "kept": line["outcome"] == "ok", "rejected": 0}


def pauses(harness: Harness, group: Group, row: Configuration, repetition: int, core: int) -> dict[str, Any]:
    """One invocation that records pauses; stamps slow it, so that its time is not used. Threads need cores here too."""
    if why := limits.too_few_cores(row.threads):
        return _not_run(why)
    flags = ["--pauses", f"--rounds={group['pause_rounds']}", "--lead-in=1"]
    line = _once(harness, group, row, repetition, core if row.threads == 1 else None, flags)
    return {**line, "kept": _judge(line, row, False) and line["outcome"] == "ok", "rejected": 0}


def heap(harness: Harness, group: Group, row: Configuration, repetition: int, core: int) -> dict[str, Any]:
    """One invocation that looks into the heap between its rounds; its time is not used."""
    flags = ["--heap", f"--units={group['heap_units']}", f"--rounds={group['heap_rounds']}", "--lead-in=0"]
    line = _once(harness, group, row, repetition, core if row.threads == 1 else None, flags)
    _judge(line, row, False)
    return {**line, "kept": line["outcome"] == "ok", "rejected": 0}


def _once(harness: Harness, group: Group, row: Configuration, repetition: int, core: int | None,
          flags: list[str]) -> dict[str, Any]:
    try:
        return whole(harness, group, row, repetition, core, flags)
    except Ended as end:
        return {"outcome": end.outcome, "message": end.message}


def _not_run(why: str) -> dict[str, Any]:
    """Threads that share a core because there is none for each of them would be a verdict on the machine."""
    return {"outcome": "no_capacity", "message": why, "kept": False, "rejected": 0}


def _judge(line: dict[str, Any], row: Configuration, disturbed: bool) -> bool:
    """Mark each round; is the invocation one that counts? Waiting for a core tells nothing of threads that
    wait for each other: theirs are judged by the probe alone."""
    for number, turn in enumerate(line.get("rounds") or []):
        turn["round"] = number
        turn["valid"] = row.threads > 1 or (not disturbed and machine.turn_is_ours(turn))
    return machine.capacity_suffices(line.get("capacity"))


def _mostly_valid(line: dict[str, Any]) -> bool:
    rounds = line.get("rounds") or []
    return 2 * sum(r["valid"] for r in rounds) >= len(rounds)
