# SPDX-License-Identifier: MIT
"""topology.py - which cores to measure on: the fastest kind, and threads on different physical cores of one kind.

    2 fast cores of 2 hyperthreads, 4 slow ones      0 1 | 2 3 | 4 | 5 | 6 | 7
    one thread, two threads                          2; 0 2
    three or four                                    4 5 6 7, all of one kind
    five and more                                    0 2 4 5 6 7, then the second hyperthreads 1 3

Two hyperthreads of a core share all that is measured here, and an efficiency core takes twice the time: either makes
a gain from threads vanish for reasons that are not the program's. The rule, for n threads: the fastest kind of core
that has n physical ones, on one socket and memory node if one has so many; without such a kind all physical cores,
the fastest first; then second hyperthreads. Where the kernel tells nothing, each core is a physical one of one kind.

harness/topology.c has the same rule for executables that are run by hand, and tests/test_topology.py holds the two
against each other on every machine that it knows. Standard library alone: any CPython may import this.

Sources: Documentation/ABI/stable/sysfs-devices-system-cpu; perf's cpu_core and cpu_atom (Intel hybrids); cpu_capacity
(Arm, Documentation/scheduler/sched-capacity.rst).
"""
from __future__ import annotations

import functools
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

# Speeds that differ by less are one kind: favoured cores of one chip boost some per cent higher than their equals.
SAME_KIND = 90                  # per cent
TYPES = ("cpu_core", "cpu_atom", "cpu_lowpower")        # as perf names the kinds of Intel's hybrids, the fastest first


@dataclass(frozen=True)
class Cpu:
    number: int
    core: int                   # equal on the hyperthreads of one physical core
    socket: int
    node: int                   # of memory
    kind: int                   # 0: the fastest that we may use


@dataclass(frozen=True)
class Topology:
    """The cores that we may use."""
    cpus: tuple[Cpu, ...]       # by number

    def order(self, threads: int) -> tuple[int, ...]:
        """All cores; the first `threads` are where so many threads go."""
        first = [c for c in self.cpus if not self._is_second(c)]
        kinds, sockets = Counter(c.kind for c in first), Counter((c.kind, c.socket) for c in first)
        nodes = Counter((c.kind, c.socket, c.node) for c in first)
        chosen = next((k for k in sorted(kinds) if kinds[k] >= threads), None)
        return tuple(c.number for c in sorted(self.cpus, key=lambda c: (
            self._is_second(c), c.kind != chosen, c.kind, -sockets[c.kind, c.socket], c.socket,
            -nodes[c.kind, c.socket, c.node], c.node, c.number)))

    def measuring_core(self, threads: int = 1) -> int:
        """Where one thread is timed beside rows of so many: of the cores like the first one, on its node, the last, because
        the first ones serve most interrupts."""
        by_number = {c.number: c for c in self.cpus}
        best = by_number[self.order(threads)[0]]
        return max(c.number for c in self.cpus
                   if not self._is_second(c) and (c.kind, c.socket, c.node) == (best.kind, best.socket, best.node))

    def _is_second(self, cpu: Cpu) -> bool:
        return any(other.core == cpu.core and other.number < cpu.number for other in self.cpus)

    def share_a_core(self, numbers: tuple[int, ...]) -> bool:
        """Are two of these hyperthreads of one physical core?"""
        cores = [c.core for c in self.cpus if c.number in numbers]
        return len(set(cores)) < len(cores)

    def kind_of(self, number: int) -> str:
        """In words; '' where all cores that we may use are of one kind."""
        kinds = 1 + max(c.kind for c in self.cpus)
        kind = next((c.kind for c in self.cpus if c.number == number), 0)
        return "" if kinds == 1 else "fastest" if kind == 0 else "slowest" if kind == kinds - 1 else "middle"

    def physical_cores(self) -> int:
        return len({c.core for c in self.cpus})

    def kinds(self) -> int:
        return len({c.kind for c in self.cpus})


def read(root: str | Path = "/", allowed: set[int] | None = None) -> Topology:
    """allowed: what we may use; by default the affinity of this process."""
    root = Path(root)
    numbers = sorted(os.sched_getaffinity(0) if allowed is None else allowed)
    kinds = _kinds(root, numbers)
    nodes = _nodes(root)
    return Topology(tuple(Cpu(n, _core(root, n), _socket(root, n), nodes.get(n, 0), kinds[n]) for n in numbers))


@functools.lru_cache(maxsize=1)
def here() -> Topology:
    """This machine, asked once."""
    return read()


# --- sysfs -------------------------------------------------------------------------------------------

def _core(root: Path, number: int) -> int:
    siblings = _list(_cpu(root, number) / "topology/thread_siblings_list")
    return min(siblings) if number in siblings else number


def _socket(root: Path, number: int) -> int:
    return max(0, _number(_cpu(root, number) / "topology/physical_package_id"))


def _nodes(root: Path) -> dict[int, int]:
    """Core -> memory node; empty where there are none."""
    folder = root / "sys/devices/system/node"
    return {cpu: node for node in sorted(_list(folder / "online"), reverse=True) for cpu in _list(folder / f"node{node}/cpulist")}


def _kinds(root: Path, numbers: list[int]) -> dict[int, int]:
    """By type, then by speed: a kind ends where a core is slower than SAME_KIND per cent of its fastest."""
    types = {n: rank for rank, name in reversed(list(enumerate(TYPES))) for n in _list(root / "sys/devices" / name / "cpus")}
    speeds = _speeds(root, numbers)
    kinds, kind, top = {}, -1, (-1, 0)
    for n in sorted(numbers, key=lambda n: (types.get(n, 0), -speeds[n])):
        if types.get(n, 0) != top[0] or 100 * speeds[n] < SAME_KIND * top[1]:
            kind, top = kind + 1, (types.get(n, 0), speeds[n])
        kinds[n] = kind
    return kinds


def _speeds(root: Path, numbers: list[int]) -> dict[int, int]:
    """What the scheduler thinks a core can do, or its highest clock rate; all 0 where not every core tells."""
    for name in ("cpu_capacity", "cpufreq/cpuinfo_max_freq"):
        found = {n: _number(_cpu(root, n) / name) for n in numbers}
        if min(found.values(), default=0) > 0:
            return found
    return dict.fromkeys(numbers, 0)


def _cpu(root: Path, number: int) -> Path:
    return root / f"sys/devices/system/cpu/cpu{number}"


def _number(path: Path) -> int:
    """-1 where there is none."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return -1


def _list(path: Path) -> set[int]:
    """'0-3,8' as a set; empty where there is none."""
    try:
        parts = path.read_text(encoding="ascii").strip().split(",")
        ranges = [part.partition("-") for part in parts if part]
        return {n for first, _, last in ranges for n in range(int(first), int(last or first) + 1)}
    except (OSError, ValueError):
        return set()
