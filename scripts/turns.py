# SPDX-License-Identifier: MIT
"""turns.py - time in turns: the configurations of a group side by side, one at a time, on one core.

A machine drifts: its clock, its neighbours, its host. Processes measured one after another differ by the
drift between them; processes that take turns of 10 ms meet the same drift, and it cancels in the ratio. So
all configurations of a group are resident at once, each waits in read(2), and we hand out turns:

    each once a round; the order drawn anew in every other round, and reversed in the one after it

A turn opens with an untimed lead-in, which pulls its working set back into the caches that the others have
used since. A turn during which the machine was not ours is rejected, counted, and taken again, three times at
most; one that stays disturbed is kept, marked invalid, and left to summary.py.

A resident that ends, ends its own row; the others go on.
"""
from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import machine
from matrix import Configuration, Group
from resident import Ended, Harness, Resident

TRIES = 4                   # the first and three more
LEAD_IN = 0.2               # of the measured work
SETTLED = {"unsupported", "not_installed", "bad_input", "timeout", "heap_full"}    # would only happen again


class Seat:
    """One configuration during one repetition: its resident, and what it has measured."""

    def __init__(self, row: Configuration) -> None:
        self.row = row
        self.resident: Resident | None = None
        self.units = self.lead_in = 1
        self.rounds: list[dict[str, Any]] = []
        self.consecutive: list[dict[str, Any]] = []
        self.rejected = 0
        self.outcome, self.message = "ok", ""
        self.facts: dict[str, Any] = {}

    @property
    def alive(self) -> bool:
        return self.resident is not None

    def sit(self, harness: Harness, group: Group, repetition: int, core: int) -> None:
        """Start, and size the turns: first by the harness's word, then by a first turn, which is not kept."""
        try:
            self.resident = Resident(harness, group, self.row, repetition, core)
            self.resident.ready()
            if self.resident.facts.get("reclaims") is False and not self.resident.facts.get("renewed"):
                raise Ended("unsupported", "never reclaims what this workload drops: measure it in blocks")
            self._size(group["turn_ms"] * 1e6, self.resident.unit_ns)
            first = self.resident.turn(self.units, self.lead_in)
            self._size(group["turn_ms"] * 1e6, first["wall_ns"] / first["units"])
        except Ended as end:
            self.end(end)

    def _size(self, turn_ns: float, unit_ns: float) -> None:
        self.units = max(1, round(turn_ns / unit_ns)) if unit_ns > 0 else 1
        self.lead_in = max(1, math.ceil(LEAD_IN * self.units))

    def take_turn(self) -> dict[str, Any] | None:
        """One turn, valid or not; None where the resident ended."""
        try:
            turn = self.resident.turn(self.units, self.lead_in)
        except Ended as end:
            self.end(end)
            return None
        return {**turn, "valid": machine.turn_is_ours(turn)}

    def leave(self) -> None:
        try:
            if self.resident:
                self.facts = {**self.resident.facts, **self.resident.quit()}
                self.resident = None
        except Ended as end:
            self.end(end)

    def end(self, end: Ended) -> None:
        self.outcome, self.message = end.outcome, end.message
        if self.resident:
            self.facts = self.resident.facts
            self.resident.close()
        self.resident = None


class Allowance:
    """How many turns may still be taken again: on a busy machine a run must end too."""

    def __init__(self, turns: int) -> None:
        self.left = turns

    def spend(self, turns: int = 1) -> bool:
        self.left -= turns
        return self.left >= 0


def measure(harness: Harness, group: Group, rows: list[Configuration], repetition: int, core: int,
            bias_rows: list[str], step: Callable[[float], None]) -> list[Seat]:
    """All rows of a group, one repetition. step(share) tells of progress."""
    seats = [Seat(row) for row in rows]
    rounds = group["rounds"]
    parts = len(seats) + rounds
    try:
        for seat in seats:
            seat.sit(harness, group, repetition, core)
            step(1 / parts)
        allowance = Allowance(rounds * len(seats))
        for number, order in zip(range(rounds), orders(len(seats), f"{group['seed']}/{group.name}/{repetition}")):
            _round([seats[i] for i in order], number, core, allowance)
            step(1 / parts)
        _consecutive([s for s in seats if s.row.label in bias_rows], group["bias_turns"])
        for seat in seats:
            seat.leave()
    finally:
        for seat in seats:
            if seat.resident:
                seat.resident.close()
    return seats


def orders(seats: int, seed: str) -> Iterator[list[int]]:
    """Drawn, then the same reversed, and so on: what drifts in a line cancels within two rounds."""
    draw = random.Random(seed)
    while True:
        order = list(range(seats))
        draw.shuffle(order)
        yield order
        yield order[::-1]


def _round(seats: list[Seat], number: int, core: int, allowance: Allowance) -> None:
    """A turn for each; the whole round again where the machine as a whole was not ours."""
    for attempt in range(TRIES):
        before = machine.cpu_times()
        taken = {seat: turn for seat in seats if seat.alive and (turn := _turn(seat, allowance))}
        disturbed = machine.disturbance(before, machine.cpu_times(), core)
        if not disturbed or attempt == TRIES - 1 or not allowance.spend(len(taken)):
            break
        for seat in taken:
            seat.rejected += 1
        time.sleep(0.02)
    for seat, turn in taken.items():
        seat.rounds.append({**turn, "round": number, "valid": turn["valid"] and not disturbed})


def _turn(seat: Seat, allowance: Allowance) -> dict[str, Any] | None:
    for _ in range(TRIES):
        turn = seat.take_turn()
        if turn is None or turn["valid"] or not allowance.spend():
            return turn
        seat.rejected += 1
    return turn


def _consecutive(seats: list[Seat], turns: int) -> None:
    """The bias gate: two rows again, each alone for several turns in a row, the first of them not kept. Their
    ratio must be the one found in turns; where caches are fought over, it is not."""
    if len(seats) != 2 or not turns:
        return
    for seat in (*seats, *reversed(seats)):
        for number in range((turns + 1) // 2 + 1):
            turn = seat.take_turn() if seat.alive else None
            if turn and number:
                seat.consecutive.append({**turn, "round": len(seat.consecutive)})
