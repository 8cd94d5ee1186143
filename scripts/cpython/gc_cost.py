#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""gc_cost.py - what gc.collect() of the running CPython costs on the graphs of workloads/objects/graph.c.

    scripts/cpython/gc_cost.py graph size=100000 shape=live_random collection=repeated      nanoseconds an object
    ... --resident                              waits for turns, with the protocol of results/README.md

A node is an instance with two __slots__: 48 bytes with both headers, as the C node is. What existed before is
frozen, so that a collection sees the graph alone; automatic collection is off. Options of the harness that make
no sense here are read and ignored, so that the runner can start it as any other row.
"""
from __future__ import annotations

import os
import sys

if __name__ == "__main__":                      # python3 -P leaves both out; ours of a name comes before scripts/'s
    sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)), os.path.dirname(os.path.dirname(os.path.realpath(__file__)))]
import net

net.spread(__name__)

import gc
import json
import random
import resource
import time
from array import array

SHAPES = ("live_array", "live_random", "live_chain", "live_shuffled", "dead_pairs", "dead_random")
COLLECTIONS = ("repeated", "first")
CALIBRATION_NS, ROUNDS, ROUND_NS = 5_000_000, 11, 10_000_000


class Node:
    __slots__ = ("next", "other")

    def __init__(self) -> None:
        self.next = self.other = None


class Graph:
    """One graph, and what holds it."""

    def __init__(self, size: int, shape: str, collection: str, seed: int) -> None:
        self.size, self.shape, self.collection, self.seed = size, shape, collection, seed
        self.root: object = None
        self.found = 0
        self.order, self.others = array("L"), array("L")        # of random graphs: drawn once, as building takes most of the time
        if shape.endswith(("random", "shuffled")):
            self._draw()
        gc.disable()
        gc.collect()
        gc.freeze()
        if collection == "repeated":
            self.build()

    def build(self) -> None:
        nodes = [Node() for _ in range(self.size)]
        getattr(self, "_" + self.shape.split("_")[1])(nodes)
        self.found = self._walk()
        if self.shape.startswith("dead"):
            self.root = None

    def arrange(self) -> None:
        if self.collection == "first":
            self.root = None
            gc.collect()
            self.build()

    def _array(self, nodes: list[Node]) -> None:
        self.root = nodes

    def _pairs(self, nodes: list[Node]) -> None:
        for one, other in zip(nodes[::2], nodes[1::2]):
            one.next, other.next = other, one

    def _chain(self, nodes: list[Node]) -> None:
        for one, following in zip(nodes, nodes[1:]):
            one.next = following
        self.root = nodes[0]

    def _draw(self) -> None:
        draw, order = random.Random(self.seed), list(range(self.size))
        draw.shuffle(order)
        self.order.extend(order)
        self.others.extend(int(draw.random() * self.size) for _ in range(self.size))

    def _shuffled(self, nodes: list[Node]) -> None:
        self._chain([nodes[i] for i in self.order])

    def _random(self, nodes: list[Node]) -> None:
        order = [nodes[i] for i in self.order]
        self._chain(order)
        order[-1].next = order[0]
        for node, index in zip(nodes, self.others):
            node.other = nodes[index]

    def _walk(self) -> int:
        if self.shape in ("live_array", "dead_pairs"):
            return self.size
        count, node = 1, self.root.next
        while node is not None and node is not self.root:
            count, node = count + 1, node.next
        return count

    def unit(self) -> tuple[int, int]:
        """Nanoseconds of one collection, wall and CPU."""
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        gc.collect()
        wall = time.perf_counter_ns() - wall
        return wall, time.process_time_ns() - cpu


def delay_ns() -> int:
    with open("/proc/thread-self/schedstat", encoding="ascii") as stream:
        return int(stream.read().split()[1])


def turn(graph: Graph, units: int, lead_in: int) -> dict:
    for _ in range(lead_in):
        graph.arrange()
        graph.unit()
    wall = cpu = delay = switches = 0
    for _ in range(units):
        graph.arrange()
        delay -= delay_ns()
        switches -= resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
        taken = graph.unit()
        switches += resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
        delay += delay_ns()
        wall, cpu = wall + taken[0], cpu + taken[1]
    return {"units": units, "lead_in_units": lead_in, "operations": units * graph.size, "wall_ns": wall, "cpu_ns": cpu,
            "checksum": f"{graph.found:016x}", "collections": [0, 0, units], "run_delay_ns": delay,
            "involuntary_switches": switches}


def say(event: str, **what: object) -> None:
    print(json.dumps({"event": event, **what}), flush=True)


def serve(graph: Graph) -> None:
    turn(graph, 1, 0)
    unit_ns = turn(graph, 1, 0)["wall_ns"]
    say("ready", unit_ns=unit_ns, reclaims=True, renewed=False, build={"python": sys.version.split()[0]},
        declared={"operations": graph.size, "allocations": 0, "bytes": 0, "references": 0})
    for line in sys.stdin:
        words = line.split()
        if words == ["quit"]:
            break
        say("turn", **turn(graph, int(words[1]), int(words[2])))
    say("bye", outcome="ok")


def report(graph: Graph) -> None:
    unit_ns = turn(graph, 1, 1)["wall_ns"]
    units = max(1, round(ROUND_NS / unit_ns))
    rounds = sorted(taken["wall_ns"] / taken["operations"] for taken in (turn(graph, units, 1) for _ in range(ROUNDS)))
    print(f"CPython {sys.version.split()[0]}: {rounds[ROUNDS // 2]:.2f} ns an object "
          f"({rounds[0]:.2f} .. {rounds[-1]:.2f} in {ROUNDS} rounds of {units}); "
          f"size={graph.size} shape={graph.shape} collection={graph.collection}")


def refuse(why: str) -> None:
    print(f"gc_cost.py: {why}", file=sys.stderr)
    sys.exit(2)


def main(arguments: list[str]) -> int:
    asked = {"size": "100000", "shape": "live_array", "collection": "repeated"}
    flags = dict((a[2:].split("=", 1) + [""])[:2] for a in arguments if a.startswith("--"))
    for pair in (a for a in arguments if "=" in a and not a.startswith("--")):
        name, value = pair.split("=", 1)
        if name in asked:
            asked[name] = value
    if not asked["size"].isdecimal() or int(asked["size"]) < 2:
        refuse(f"size={asked['size']}: give a whole number from 2 on")
    if asked["shape"] not in SHAPES:
        refuse(f"shape={asked['shape']}: give one of {', '.join(SHAPES)}")
    if asked["collection"] not in COLLECTIONS:
        refuse(f"collection={asked['collection']}: give one of {', '.join(COLLECTIONS)}")
    if asked["shape"].startswith("dead") and asked["collection"] == "repeated":
        refuse("a dead graph is gone after its first collection; say collection=first")
    if flags.get("cpu"):
        os.sched_setaffinity(0, {int(flags["cpu"])})
    graph = Graph(int(asked["size"]), asked["shape"], asked["collection"], int(flags.get("seed") or 1))
    if "resident" in flags:
        serve(graph)
    else:
        report(graph)
    return 0


if __name__ == "__main__":
    net.run("gc_cost", lambda: main(sys.argv[1:]))
