#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Run the random programs of tests/model/program.h on the real CPython and print what each step did.

    scripts/cpython/programs.py SEED [COUNT]

The byte-code, the types and the log are defined in tests/model/program.h; the output is that of
`build/tests/cyclic/model --print SEED COUNT`, line by line: the step's letter, what gc.collect returned, how
many tracked objects of the program exist, and what ran. Automatic collection is off; gc.collect(g) is called.

What had to be arranged so that the same objects are counted:
  - a node is an instance with __slots__ (one tracked object, no __dict__), a row a list, a leaf a float
    (not tracked), a weak reference a weakref.ref: callbacks are one shared bound method, known by the id()
    of the weak reference, because a closure for each would be a tracked object more
  - everything that exists before a program, this file's own lists too, is frozen; what is tracked afterwards
    is the program's
  - a Python frame holds a reference only where driver.c's has a frame of its own that does

Where CPythons themselves differ: cascades deeper than 50 (programs with op h). 3.13's trashcan goes by the C
stack, and in 3.10 the frame of a running finalizer counts towards the 50; 3.11 and 3.12 are as modelled.
"""
from __future__ import annotations

import os
import sys

if __name__ == "__main__":                      # python3 -P leaves both out; ours of a name comes before scripts/'s
    sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)), os.path.dirname(os.path.dirname(os.path.realpath(__file__)))]
import net

net.spread(__name__)

import gc
import weakref
from typing import Any, Callable

OPS = "nnnnnnhhwwwwwssssddddddddllllttttttttaaaaaaaaixxxrrrgggccccoepfu"
TYPES = "NNNFFFFPPMCBRRRL"
FRAME, FRAMES, GLOBALS, SAVED, SAVES, ITEMS, OBJECTS, GENERATIONS = 4, 4, 6, 2, 4, 8, 1024, 3
MASK = 2**64 - 1

Step = tuple[int, int, int, int]


def random(seed: int):
    """splitmix64."""
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = seed
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
        yield z ^ z >> 31


def program(seed: int) -> list[Step]:
    numbers = random(seed)
    count = 8 + next(numbers) % 113
    return [tuple((next(numbers) & 0xFFFFFFFF).to_bytes(4, "little")) for _ in range(count)]


class N:
    __slots__ = ("a", "b", "c", "id", "number", "__weakref__")


class F(N):
    __slots__ = ()

    def __del__(self) -> None:
        machine.log_finalizer(self)


class P(N):
    __slots__ = ()

    def __del__(self) -> None:
        machine.log_finalizer(self)
        machine.globals[SAVED + self.number % SAVES] = self


class M(N):
    __slots__ = ()

    def __del__(self) -> None:
        machine.log_finalizer(self)
        partner = self.a
        if isinstance(partner, N):
            partner.b = self


class C(N):
    __slots__ = ()

    def __del__(self) -> None:
        machine.log_finalizer(self)
        self.a = None
        self.b = None
        self.c = None


class B(N):
    __slots__ = ()

    def __del__(self) -> None:
        machine.log_finalizer(self)
        born = machine.birth("N")
        if born is None:
            return
        self.c = born
        machine.log.append(f"r{gc.collect(self.id % GENERATIONS)}")


CLASSES = {"N": N, "F": F, "P": P, "M": M, "C": C, "B": B}
FIELDS = "abc"
COUNTED = {*CLASSES.values(), list, weakref.ref}


class Machine:
    """The state of one program. Its own containers are frozen before the program starts."""

    def __init__(self) -> None:
        self.locals: list[Any] = [None] * (FRAME * FRAMES)
        self.globals: list[Any] = [None] * GLOBALS
        self.log: list[str] = []
        self.names: dict[int, int] = {}         # id() of a weak reference with callback: its number
        self.rows: dict[int, int] = {}          # id() of a row: its number
        self.open = FRAME
        self.ids = self.phoenixes = 0
        self.called = self.call_back            # one bound method for all weak references

    # --- births, finalizers, callbacks ---------------------------------------------------------------

    def birth(self, letter: str) -> Any:
        if self.ids >= OBJECTS:
            return None
        self.ids += 1
        if letter == "R":
            row: list[Any] = []
            self.rows[id(row)] = self.ids
            return row
        if letter == "L":
            return float(self.ids)
        node = CLASSES[letter]()
        node.a = node.b = node.c = None
        node.id = self.ids
        if letter == "P":
            node.number = self.phoenixes
            self.phoenixes += 1
        return node

    def seen(self, value: Any) -> int:
        if value is None:
            return 0
        if type(value) is weakref.ref:
            target = value()
            return -1 - (0 if target is None else target.id)
        return self.rows[id(value)] if type(value) is list else int(value) if type(value) is float else value.id

    def log_finalizer(self, node: N) -> None:
        self.log.append(f"f{node.id}({self.seen(node.a)} {self.seen(node.b)} {self.seen(node.c)})")

    def call_back(self, weak: weakref.ref) -> None:
        number = self.names[id(weak)]
        self.log.append(f"c{number}")
        if weak() is not None:
            self.log.append(f"!{number}")
        if number % 4 == 2:
            self.globals[number % GLOBALS] = None
        elif number % 4 == 3 and self.ids < OBJECTS:
            born = self.birth("F")              # held here meanwhile, as driver.c's frame holds it
            self.globals[number % GLOBALS] = born

    # --- steps: each returns what collect returned, or None where its operands do not fit -------------

    def field_of(self, holder: Any, z: int) -> str | int | None:
        """The name or index of the field that z picks."""
        if isinstance(holder, N):
            return FIELDS[z % 3]
        return z % len(holder) if type(holder) is list and holder else None

    def put(self, holder: Any, z: int, value: Any) -> int | None:
        field = self.field_of(holder, z)
        if field is None:
            return None
        if type(field) is str:
            setattr(holder, field, value)
        else:
            holder[field] = value
        return 0

    def n(self, x: int, y: int, z: int) -> int | None:
        if self.ids >= OBJECTS:
            return None
        self.locals[x % self.open] = self.birth(TYPES[y & 15])
        return 0

    def h(self, x: int, y: int, z: int) -> int | None:
        letter, count, x = TYPES[z & 15], 10 + y % 70, x % self.open
        if letter not in CLASSES or self.ids + count > OBJECTS:
            return None
        for _ in range(count):
            born = self.birth(letter)
            if born is not None:
                born.a = self.locals[x]
                self.locals[x] = born
        return 0

    def w(self, x: int, y: int, z: int) -> int | None:
        target = self.locals[y % self.open]
        if not isinstance(target, N) or self.ids >= OBJECTS:
            return None
        self.ids += 1
        if z & 1:
            weak = weakref.ref(target, self.called)
            self.names[id(weak)] = self.ids
        else:
            weak = weakref.ref(target)
        del target
        self.locals[x % self.open] = weak
        return 0

    def s(self, x: int, y: int, z: int) -> int:
        self.locals[x % self.open] = self.locals[y % self.open]
        return 0

    def d(self, x: int, y: int, z: int) -> int:
        self.locals[x % self.open] = None
        return 0

    def l(self, x: int, y: int, z: int) -> int | None:
        field = self.field_of(self.locals[y % self.open], z)
        if field is None:
            return None
        if type(field) is str:
            self.locals[x % self.open] = getattr(self.locals[y % self.open], field)
        else:
            self.locals[x % self.open] = self.locals[y % self.open][field]
        return 0

    def t(self, x: int, y: int, z: int) -> int | None:
        return self.put(self.locals[x % self.open], z, self.locals[y % self.open])

    def x(self, x: int, y: int, z: int) -> int | None:
        return self.put(self.locals[x % self.open], z, None)

    def a(self, x: int, y: int, z: int) -> int | None:
        if self.field_of(self.locals[x % self.open], z) is None or self.ids >= OBJECTS:
            return None
        return self.put(self.locals[x % self.open], z, self.birth(TYPES[y & 15]))

    def r(self, x: int, y: int, z: int) -> int | None:
        row, count = self.locals[x % self.open], y % (ITEMS + 1)
        if type(row) is not list:
            return None
        if count < len(row):
            del row[count:]
        else:
            row.extend([None] * (count - len(row)))
        return 0

    def g(self, x: int, y: int, z: int) -> int | None:
        if type(self.locals[y % self.open]) is not weakref.ref:
            return None
        self.locals[x % self.open] = self.locals[y % self.open]()
        return 0

    def c(self, x: int, y: int, z: int) -> int:
        return gc.collect(x % GENERATIONS)

    def o(self, x: int, y: int, z: int) -> int | None:
        if self.open == FRAME * FRAMES:
            return None
        self.open += FRAME
        return 0

    def e(self, x: int, y: int, z: int) -> int | None:
        if self.open == FRAME:
            return None
        for i in range(self.open - FRAME, self.open):
            self.locals[i] = None
        self.open -= FRAME
        return 0

    def p(self, x: int, y: int, z: int) -> int:
        self.globals[x % GLOBALS] = self.locals[y % self.open]
        return 0

    def f(self, x: int, y: int, z: int) -> int:
        self.locals[x % self.open] = self.globals[y % GLOBALS]
        return 0

    def u(self, x: int, y: int, z: int) -> int:
        self.globals[x % GLOBALS] = None
        return 0

    def i(self, x: int, y: int, z: int) -> None:
        """Nothing can be made immortal here."""


machine: Machine


def tracked() -> int:
    return sum(type(o) in COUNTED for o in gc.get_objects())


def act(letter: str, x: int, y: int, z: int) -> str:
    result = getattr(machine, letter)(x, y, z)
    events = " ".join(machine.log)
    machine.log.clear()
    return f"{'-' if result is None else letter} {result or 0} {tracked()}{' ' if events else ''}{events}"


def run(seed: int, out: Callable[[str], Any]) -> None:
    """Step by step, then everything is dropped and collected, as compare.c's end of a program."""
    global machine
    machine = Machine()
    steps = [(OPS[code & 63], x, y, z) for code, x, y, z in program(seed)]
    ending = [("d", i) for i in range(FRAME)] + 3 * ([("u", i) for i in range(GLOBALS)] + [("c", 2)])
    lines: list[str] = []
    gc.collect()
    gc.freeze()
    for step in steps:
        lines.append(act(*step))
    while machine.open > FRAME:
        lines.append(act("e", 0, 0, 0))
    for letter, i in ending:
        lines.append(act(letter, i, 0, 0))
    out(f"seed {seed}")
    for line in lines:
        out(line)


def main() -> int:
    if len(sys.argv) not in (2, 3) or not all(a.isdigit() for a in sys.argv[1:]):
        print("programs.py: say which program: programs.py SEED [COUNT]", file=sys.stderr)
        return 2
    if sys.implementation.name != "cpython" or not (3, 10) <= sys.version_info < (3, 14):
        print("programs.py: needs CPython 3.10 to 3.13, whose collector is the one modelled", file=sys.stderr)
        return 2
    gc.disable()
    first, count = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for seed in range(first, first + count):
        run(seed, print)
    return 0


if __name__ == "__main__":
    net.run("programs", main)
