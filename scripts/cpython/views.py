#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""views.py - workloads/objects/views.c on the running CPython and NumPy: who keeps whose numbers alive.

    scripts/cpython/views.py keep 10000000      label, ns, rss at the moments of the workload; keep or copy, elements
"""
from __future__ import annotations

import os
import sys

if __name__ == "__main__":                      # python3 -P leaves both out; ours of a name comes before scripts/'s
    sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)), os.path.dirname(os.path.dirname(os.path.realpath(__file__)))]
import net

net.spread(__name__)

import numpy as np

from resident import Series

KEPT = 10


def main() -> None:
    if len(sys.argv) != 3 or sys.argv[1] not in ("keep", "copy") or not sys.argv[2].isdigit() or int(sys.argv[2]) < KEPT:
        print(f"{sys.argv[0]}: give keep or copy, and a number of elements, {KEPT} at least", file=sys.stderr)
        sys.exit(2)
    np.arange(KEPT, dtype=np.float64)[:KEPT].copy()
    series = Series()
    series.sample("before")
    array = np.arange(int(sys.argv[2]), dtype=np.float64)
    series.sample("array")
    part = array[:KEPT] if sys.argv[1] == "keep" else array[:KEPT].copy()
    if (part.base is array) != (sys.argv[1] == "keep"):
        raise net.Stopped("NumPy made a copy where a view was asked for, or a view of a copy: nothing to be shown")
    series.sample("shared")
    del array
    series.sample("array dropped")
    del part
    series.sample("all dropped")
    series.write()


if __name__ == "__main__":
    net.run("views", main)
