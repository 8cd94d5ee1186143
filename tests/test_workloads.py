# SPDX-License-Identifier: MIT
"""Workloads across backends: the same checksum everywhere, and work that the compiler has not deleted.

Instructions are counted by callgrind over the measured region alone, so that they repeat on any machine.
"""
from __future__ import annotations

import atexit
import concurrent.futures
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from run_support import needs

import limits

TOP = pathlib.Path(__file__).resolve().parent.parent
BIN = TOP / "build/bin"
PARALLEL = re.findall(r"^(?:COUNTING|TRACING)\((\w+),.*(?:stop_the_world|none)\)", (TOP / "collectors/collectors.def").read_text(), re.M)


SLOW = True             # not part of the short look (make check)


@functools.cache
def small_snapshot() -> str:
    """Of a Python that has just started: its file."""
    folder = tempfile.mkdtemp(prefix="refarena-snapshot-")
    atexit.register(shutil.rmtree, folder)
    (path := pathlib.Path(folder, "empty.py")).write_text("")
    out = f"{folder}/small.snapshot.zst"
    subprocess.run([sys.executable, "-S", TOP / "scripts/cpython/snapshot.py", "--out", out, path], check=True)
    return out


SMALL = {"calls": [["size=500"], ["size=500", "argument=five"]], "names": [["size=500"]],
         "chain": [["size=500"], ["size=200", "bytes=1000"]], "cycles": [["size=200", "ring=3"], ["size=50", "ring=2"], ["size=50", "ring=1"]],
         "autograd": [["size=50", "iterations=3", "outputs=strong"], ["size=50", "iterations=3", "outputs=weak"]],
         "race": [["size=500", f"order={order}"] for order in ("apart", "mixed", "takes", "drops")],
         "io": [["size=5", "sleep_us=100"], ["size=50", "kind=pipe"]],
         "requests": [["size=500", "table=100", "rate=1000000", f"arrivals={arrivals}"] for arrivals in ("exponential", "uniform")],
         "areas": [["size=500"]], "sum": [["size=500", "numbers=boxed"], ["size=500", "numbers=unboxed"]],
         "lists": [["size=500", "act=append"], ["size=500", "act=slice", "slices=20"]],
         "views": [["size=500", f"mode={mode}"] for mode in ("keep", "copy", "slices", "write", "mask", "nested")],
         "strings": [["size=500", f"act={act}", f"length={n}"] for act in ("make", "intern", "hash", "hash_again") for n in (1, 30)],
         "instances": [["size=500", "form=dict"], ["size=500", "form=slots"]],
         "fork": [["size=500", f"child={child}", f"objects={objects}"] for child in ("reads", "collects")
                  for objects in ("counted", "immortal", "frozen")],
         "shared": [["size=500", "objects=one"], ["size=500", "objects=own"], ["size=500", "objects=own", "between=30"], ["size=500", "objects=count"], ["size=500", "objects=immortal"]],
         "interpreter": [["size=1", "program=methods"], ["size=1", "program=text", "world=own"]],
         "binary_trees": [["depth=5"], ["depth=5", "bytes=40"]],
         "gcbench": [["depth=5", "array=100"]], "queue": [["size=500", "length=50"], ["size=100", "length=20", "bytes=40000"]],
         "mutate": [["size=500", "nodes=200"], ["size=500", "nodes=200", "bytes=64"]], "lru": [["size=500", "capacity=50"]], "json": [["size=1"]],
         "replace": [["size=100", "table=50", "longest=100"]],
         "graph": [["size=500", f"shape=live_{shape}", f"collection={c}"] for shape in ("array", "random", "chain", "shuffled")
                   for c in ("first", "repeated")] + [["size=500", f"shape=dead_{s}", "collection=first"] for s in ("pairs", "random")],
         "snapshot": [["graph=SMALL", f"roots={roots}"] for roots in ("held", "cut")],
         "churn": [["size=500"]], "pair": [["count=500"], ["count=500", "held=0", "size=7"]],
         "batch": [["count=3000", f"order={order}"] for order in ("lifo", "fifo", "random")] + [["count=3000", "look=some"]],
         "replay": [["trace=sqlite3"], ["trace=sqlite3", "check=full"], ["trace=lld"]],
         "larson": [["size=300"]], "producers": [["count=3000", "batch=100"]],
         "false_sharing": [["count=50", f"blocks={blocks}"] for blocks in ("own", "given")],
         "growth": [["size=50", f"growth={growth}"] for growth in ("eighth", "half", "double")],
         "phases": [["size=3000", f"survivors={who}"] for who in ("placed", "random", "together")],
         "spawn": [["guests=3", "count=500", "left=50"]], "large": [["size=4"], ["size=4", "pages=left"]], "cache": [["size=3000"]]}


# nothing here is timed
POOL = concurrent.futures.ThreadPoolExecutor(limits.jobs(1 << 30))


@functools.cache
def listed(name: str) -> dict:
    return json.loads(subprocess.run([BIN / name, "--list=json"], capture_output=True, text=True, check=True).stdout)


def executables() -> list[str]:
    return sorted(p.name for p in BIN.iterdir() if os.access(p, os.X_OK))


def allocators(name: str) -> list[str]:
    """To try under an executable."""
    own = ["locked:pymalloc"] if name in PARALLEL else ["pymalloc", "bump"]
    return ["system", *own, *(["jemalloc", "mimalloc", "tcmalloc"] if name == "blocks" else [])]


def invocation(name: str, *arguments: str) -> dict:
    done = subprocess.run([BIN / name, *arguments, "--units=2", "--rounds=1", "--no-capacity"],
                          capture_output=True, text=True, cwd=TOP)
    if done.returncode == 2:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def instructions(name: str, *arguments: str) -> int:
    """Of one measured unit, in the whole process, kernel excluded."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={folder}/out.%p",
                        BIN / name, *arguments, "--units=1", "--rounds=1"],
                       check=True, capture_output=True, cwd=TOP)
        totals = [int(m[1]) for p in pathlib.Path(folder).iterdir()
                  if (m := re.search(r"^(?:totals|summary): (\d+)", p.read_text(), re.M))]
    return max(totals)


class EveryBackend(unittest.TestCase):
    def test_checksums_are_equal_on_all_of_them(self) -> None:
        for workload, settings in SMALL.items():
            for parameters in settings:
                parameters = [f"graph={small_snapshot()}" if p == "graph=SMALL" else p for p in parameters]
                seen: dict[str, list[str]] = {}
                backends = [(name, allocator) for name in executables() if workload in [w["name"] for w in listed(name)["workloads"]]
                            for allocator in allocators(name)]
                lines = POOL.map(lambda b: invocation(b[0], workload, *parameters, f"--allocator={b[1]}"), backends)
                for (name, allocator), line in zip(backends, lines):
                    if line["outcome"] in ("not_installed", "unsupported"):
                        continue
                    self.assertEqual(line["outcome"], "ok", line["message"])
                    seen.setdefault(line["rounds"][0]["checksum"], []).append(f"{name}/{allocator}")
                self.assertEqual(len(seen), 1, f"{workload} {parameters}: {seen}")
                self.assertNotIn(None, seen)

    def test_every_workload_of_the_registry_is_tried_here(self) -> None:
        registry = (TOP / "workloads/workloads.def").read_text()
        self.assertEqual(set(re.findall(r"^(?:BLOCKS|OBJECTS)\((\w+)\)", registry, re.M)), set(SMALL))

    def test_checksums_of_threads_are_equal_on_all_allocators_that_threads_may_share(self) -> None:
        workloads = [w["name"] for w in listed("blocks")["workloads"] if w["threaded"]]
        for workload in workloads:
            for threads in (2, 4):
                seen: dict[str, list[str]] = {}
                for allocator in ("system", "magazine", "locked:pymalloc", "jemalloc", "mimalloc", "tcmalloc"):
                    line = invocation("blocks", workload, *SMALL[workload][-1], f"--allocator={allocator}", f"--threads={threads}")
                    if line["outcome"] not in ("not_installed", "unsupported"):
                        self.assertEqual(line["outcome"], "ok", line["message"])
                        seen.setdefault(line["rounds"][0]["checksum"], []).append(allocator)
                self.assertEqual(len(seen), 1, f"{workload} on {threads} threads: {seen}")
                self.assertNotIn(None, seen)

    def test_one_that_threads_may_not_share_is_refused_to_them_by_name(self) -> None:
        for workload in ("larson", "producers", "spawn"):
            line = invocation("blocks", workload, *SMALL[workload][0], "--allocator=pymalloc", "--threads=2")
            self.assertEqual(line["outcome"], "unsupported")
            self.assertIn("locked:pymalloc", line["message"])

    def test_two_threads_give_twice_the_checksum_of_one_on_each_that_can(self) -> None:
        for name in {"gil", *PARALLEL} & {*executables()}:          # libgc's is not everywhere
            for workload, size in {"calls": 500, "chain": 500, "shared": 500, "interpreter": 1, "mutate": 200, "lru": 200, "json": 1}.items():
                one, two = (invocation(name, workload, f"size={size}", f"--threads={n}")["rounds"][0]["checksum"] for n in (1, 2))
                self.assertEqual(int(two, 16), 2 * int(one, 16) % 2**64, f"{name} {workload}")


@needs("valgrind")
class Doubling(unittest.TestCase):
    """Twice the size is twice the work: catches work that the compiler deleted."""

    def check(self, name: str, workload: str, parameter: str, size: int, *rest: str) -> None:
        runs = [(name, workload, f"{parameter}={value}", *rest) for value in (size, 2 * size)]
        counts = list(POOL.map(lambda run: instructions(*run), runs))
        declared = [invocation(*run)["declared"]["operations"] for run in runs]
        self.assertEqual(declared[1], 2 * declared[0], f"{name} {workload}: declared")
        ratio = counts[1] / counts[0]
        self.assertTrue(1.8 <= ratio <= 2.2, f"{name} {workload}: {counts[0]} and {counts[1]} instructions, x {ratio:.2f}")

    def test_twice_the_objects_take_twice_the_instructions(self) -> None:
        for name, options in (("leak", ()), ("refcount", ()), ("cyclic", ("--set", "automatic=0")),
                              ("locked_object", ("--set", "automatic=0"))):     # collections come in steps
            for workload, size in (("calls", 3000), ("chain", 8000), ("cycles", 4000), ("shared", 20000)):
                with self.subTest(f"{name} {workload}"):
                    self.check(name, workload, "size", size, *options)
            with self.subTest(f"{name} autograd"):
                self.check(name, "autograd", "iterations", 4, "size=100", *options)
        with self.subTest("a count alone"):
            self.check("refcount", "shared", "size", 20000, "objects=count")

    def test_twice_the_blocks_take_twice_the_instructions(self) -> None:
        for allocator in ("system", "pymalloc", "bump"):
            with self.subTest(f"churn {allocator}"):
                self.check("blocks", "churn", "size", 3000, f"--allocator={allocator}")
            with self.subTest(f"pair {allocator}"):
                self.check("blocks", "pair", "count", 20000, f"--allocator={allocator}")
            with self.subTest(f"batch {allocator}"):
                self.check("blocks", "batch", "count", 20000, "order=random", f"--allocator={allocator}")

        for workload, parameter, size in (("larson", "size", 3000), ("producers", "count", 20000), ("cache", "size", 8000),
                                          ("false_sharing", "count", 500)):
            with self.subTest(workload):
                self.check("blocks", workload, parameter, size, "--allocator=pymalloc")

    def test_the_count_of_instructions_repeats(self) -> None:
        first, second = (instructions("refcount", "chain", "size=2000", "--allocator=pymalloc") for _ in range(2))
        self.assertEqual(first, second)


if __name__ == "__main__":
    unittest.main()
