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

import machine
from matrix import Configuration, Group
from resident import Ended, Harness, whole

TRIES = 4


def in_random_order(rows: Iterable[Configuration], seed: str) -> list[Configuration]:
    rows = list(rows)
    random.Random(seed).shuffle(rows)
    return rows


def time_flags(group: Group) -> list[str]:
    units = [f"--units={group['units']}"] if group["units"] else []
    return [*units, f"--rounds={group['block_rounds']}", f"--lead-in={group['lead_in']}"]


def memory_flags(group: Group) -> list[str]:
    units = [f"--units={group['memory_units']}"] if group["memory_units"] else []
    return [*units, f"--rounds={group['memory_rounds']}", "--lead-in=0", "--memory", f"--sample-ms={group['sample_ms']}"]


def timed(harness: Harness, group: Group, row: Configuration, repetition: int, core: int) -> dict[str, Any]:
    """One invocation that counts, or the last try: a line, with what the gates said of it."""
    rejected, line = 0, {}
    for attempt in range(TRIES):
        before = machine.cpu_times()
        line = _once(harness, group, row, repetition, core if row.threads == 1 else None, time_flags(group))
        disturbed = machine.disturbance(before, machine.cpu_times(), core if row.threads == 1 else None)
        line["kept"] = _judge(line, row, bool(disturbed))
        if line["outcome"] != "ok" or (line["kept"] and _mostly_valid(line)):
            break
        rejected += attempt < TRIES - 1
        time.sleep(0.05)
    return {**line, "rejected": rejected}


def memory(harness: Harness, group: Group, row: Configuration, repetition: int, core: int) -> dict[str, Any]:
    """One invocation that looks at memory; its time is not used, so that no gate applies."""
    line = _once(harness, group, row, repetition, core if row.threads == 1 else None, memory_flags(group))
    _judge(line, row, False)
    return {**line, "kept": line["outcome"] == "ok", "rejected": 0}


def pauses(harness: Harness, group: Group, row: Configuration, repetition: int, core: int) -> dict[str, Any]:
    """One invocation that records pauses; stamps slow it, so that its time is not used. Threads need cores here too."""
    flags = ["--pauses", f"--rounds={group['pause_rounds']}", "--lead-in=1"]
    line = _once(harness, group, row, repetition, core if row.threads == 1 else None, flags)
    return {**line, "kept": _judge(line, row, False) and line["outcome"] == "ok", "rejected": 0}


def _once(harness: Harness, group: Group, row: Configuration, repetition: int, core: int | None,
          flags: list[str]) -> dict[str, Any]:
    try:
        return whole(harness, group, row, repetition, core, flags)
    except Ended as end:
        return {"outcome": end.outcome, "message": end.message}


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
