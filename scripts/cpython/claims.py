#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""claims.py - the real CPython's side of the claims: one scene, once, as one JSON line of results/README.md.

    scripts/cpython/claims.py SCENE [name=value ...]        --list: the scenes

The line is an invocation's, with what the scene saw in `figures`; its one round is the time of the scene as a whole.
A scene that needs numpy says so where there is none. A scene that runs threads probes the machine's cores before and
after, with processes, as the harness does with threads. Standard library, and numpy where a scene is about it.
"""
from __future__ import annotations

import os
import sys

if __name__ == "__main__":                      # python3 -P leaves both out; ours of a name comes before scripts/'s
    sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)), os.path.dirname(os.path.dirname(os.path.realpath(__file__)))]
import net

net.spread(__name__)

import json
import multiprocessing
import resource
import time
from pathlib import Path
from typing import Any

import scenes_memory
import scenes_objects
import scenes_threads

sys.path.append(str(Path(__file__).resolve().parent.parent))
import topology  # noqa: E402

SCENES = {**scenes_objects.SCENES, **scenes_memory.SCENES, **scenes_threads.SCENES}
THREADED = set(scenes_threads.SCENES)
PROBE_S = 0.06


def _spin(counted: Any) -> None:
    until = time.monotonic() + PROBE_S
    while time.monotonic() < until:
        for _ in range(2000):
            pass
        counted.value += 1


def probe() -> float:
    """Throughput of two spinning processes over one. Processes, because threads may be what is to be tested."""
    def together(number: int) -> int:
        counts = [multiprocessing.RawValue("q", 0) for _ in range(number)]
        spinners = [multiprocessing.get_context("fork").Process(target=_spin, args=(c,)) for c in counts]
        for spinner in spinners:
            spinner.start()
        for spinner in spinners:
            spinner.join()
        return sum(c.value for c in counts)
    alone = both = 0
    for _ in range(2):
        alone += together(1)
        both += together(2)
    return both / alone if alone else -1.0


def delay_ns() -> int:
    with open("/proc/thread-self/schedstat", encoding="ascii") as stream:
        return int(stream.read().split()[1])


def to_cores(scene: str) -> tuple[int, ...]:
    """Threads and the probe on two physical cores of one kind, as the harness has them. The cores."""
    cores = topology.here().order(2)[:2]
    if scene in THREADED:
        os.sched_setaffinity(0, cores)
    return cores


def play(scene: str, asked: dict[str, int]) -> dict[str, Any]:
    cores = to_cores(scene)
    capacity = {"before": probe(), "after": -1.0} if scene in THREADED else None
    delay, switches = delay_ns(), resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    outcome, message, operations, figures = "ok", "", 1, {}
    try:
        operations, figures = SCENES[scene](**asked)
    except ImportError as error:
        outcome, message = "not_installed", f"{error.name} is not installed for this interpreter"
    wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
    taken = {"units": 1, "lead_in_units": 0, "operations": max(1, operations), "wall_ns": wall, "cpu_ns": cpu, "checksum": "0" * 16,
             "collections": [0, 0, 0], "run_delay_ns": delay_ns() - delay,
             "involuntary_switches": resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw - switches}
    if capacity:
        capacity["after"] = probe()
    return {"schema": 1, "outcome": outcome, "message": message, "capacity": capacity,
            "cpus": list(cores) if scene in THREADED else None,
            "share_a_core": scene in THREADED and (len(cores) < 2 or topology.here().share_a_core(cores)),
            "figures": {name: {"count": 1, "mean": value, "least": value, "most": value} for name, value in figures.items()},
            "declared": {"operations": operations, "allocations": 0, "bytes": 0, "references": 0},
            "rounds": [taken] if outcome == "ok" else [], "build": {"python": sys.version.split()[0]}}


def refuse(why: str) -> int:
    print(f"claims.py: {why}", file=sys.stderr)
    return 2


def main(arguments: list[str]) -> int:
    if arguments == ["--list"]:
        print("\n".join(SCENES))
        return 0
    if not arguments or arguments[0] not in SCENES:
        return refuse(f"name one of the scenes {', '.join(SCENES)}")
    scene, asked = arguments[0], {}
    for argument in arguments[1:]:
        if argument.startswith("--cpu=") and scene not in THREADED:
            os.sched_setaffinity(0, {int(argument[6:])})
        elif not argument.startswith("--"):
            name, _, value = argument.partition("=")
            if not value.lstrip("-").isdigit() or name not in SCENES[scene].__code__.co_varnames[:SCENES[scene].__code__.co_argcount]:
                return refuse(f"'{argument}': the scene {scene} takes "
                              f"{', '.join(SCENES[scene].__code__.co_varnames[:SCENES[scene].__code__.co_argcount]) or 'nothing'}, as name=number")
            asked[name] = int(value)
    print(json.dumps(play(scene, asked)), flush=True)
    return 0


if __name__ == "__main__":
    net.run("scenes", lambda: main(sys.argv[1:]))
