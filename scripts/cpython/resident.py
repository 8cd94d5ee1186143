# SPDX-License-Identifier: MIT
"""resident.py - the resident set of this process over time, for what is laid beside the simulated."""
from __future__ import annotations

import os
import time

_PAGE = os.sysconf("SC_PAGESIZE")


def rss() -> int:
    """Bytes, by /proc/self/statm."""
    with open("/proc/self/statm", "rb", buffering=0) as statm:
        return int(statm.read().split()[1]) * _PAGE


class Series:
    """Samples above the first, as lines of `label ns rss`, tab-separated."""

    def __init__(self) -> None:
        self.start, self.base = time.monotonic_ns(), rss()
        self.samples: list[tuple[str, int, int]] = []

    def sample(self, label: str) -> None:
        self.samples.append((label, time.monotonic_ns() - self.start, rss() - self.base))

    def write(self) -> None:
        print("label\tns\trss")
        for sample in self.samples:
            print(*sample, sep="\t")
