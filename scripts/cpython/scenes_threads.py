# SPDX-License-Identifier: MIT
"""scenes_threads.py - threads on the running CPython: what two of them do, and how late one wakes beside a busy one."""
from __future__ import annotations

import os
import sys
import threading
import time

Seen = tuple[int, dict[str, float]]
TURNS = 5


def _work(count: int) -> int:
    """Boxed arithmetic, calls and attribute-free locals: all of it under the lock, if there is one."""
    total = 0
    for i in range(count):
        total = (total * 31 + i) % 1_000_003
    return total


def _seconds(threads: int, count: int) -> float:
    workers = [threading.Thread(target=_work, args=(count,)) for _ in range(threads)]
    begun = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - begun


def two_threads(count: int = 300_000) -> Seen:
    """One thread, two threads with as much each, and the same one after another, in turns: throughput and time."""
    _seconds(1, count // 4)
    one = two = apart = 0.0
    for _ in range(TURNS):
        one += _seconds(1, count)
        two += _seconds(2, count)
        apart += _seconds(1, count) + _seconds(1, count)
    return 5 * TURNS * count, {"one_ns": one / TURNS / count * 1e9, "speed_up": 2 * one / two, "together_over_apart": two / apart}


def wake(interval_us: int = 5000, wakes: int = 40) -> Seen:
    """A thread sleeps a millisecond beside one that computes: how late it wakes."""
    sys.setswitchinterval(interval_us / 1e6)
    over = threading.Event()
    def compute() -> None:
        while not over.is_set():
            _work(500)
    def late() -> float:
        begun = time.perf_counter_ns()
        time.sleep(0.001)
        return time.perf_counter_ns() - begun - 1e6
    alone = sorted(late() for _ in range(wakes))
    busy = threading.Thread(target=compute)
    busy.start()
    beside = sorted(late() for _ in range(wakes))
    over.set()
    busy.join()
    middle = wakes // 2
    return 2 * wakes, {"alone_ns": alone[middle], "late_ns": beside[middle], "late_intervals": beside[middle] / (interval_us * 1e3)}


def convoy(interval_us: int = 5000, seconds_tenths: int = 3) -> Seen:
    """Short system calls on a pipe, alone and beside a thread that computes: calls a second."""
    sys.setswitchinterval(interval_us / 1e6)
    over = threading.Event()
    out, into = os.pipe()
    def rate() -> float:
        count, begun = 0, time.perf_counter()
        until = begun + seconds_tenths / 10
        while time.perf_counter() < until:
            os.write(into, b"x")
            os.read(out, 1)
            count += 1
        return count / (time.perf_counter() - begun)
    def compute() -> None:
        while not over.is_set():
            _work(500)
    alone = rate()
    busy = threading.Thread(target=compute)
    busy.start()
    beside = rate()
    over.set()
    busy.join()
    return 1, {"alone_rate": alone, "beside_rate": beside, "slow_down": alone / beside}


SCENES = {"two_threads": two_threads, "wake": wake, "convoy": convoy}
