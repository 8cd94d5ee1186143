# SPDX-License-Identifier: MIT
"""Heap snapshots: what a script counted in CPython's graph is what our collectors find in the rebuilt one."""
from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
SCRIPT = TOP / "scripts/cpython/snapshot.py"

PROGRAM = """
class Node: pass
def ring(n):
    nodes = [Node() for _ in range(n)]
    for i in range(n): nodes[i].next = nodes[i - 1]
    return nodes
kept = [ring(n) for n in range(1, 40)]
plain = [(i, str(i), [i]) for i in range(1000, 2000)]
"""


def taken(folder: Path, program: str) -> Path:
    (folder / "program.py").write_text(program)
    out = folder / "x.snapshot.zst"
    subprocess.run([sys.executable, "-S", SCRIPT, "--out", out, folder / "program.py"], check=True, timeout=60)
    return out


def facts(path: Path) -> dict[str, int]:
    names, values = (line.split("\t") for line in subprocess.run(
        [SCRIPT, "--describe", path], capture_output=True, text=True, check=True).stdout.splitlines())
    return {name: int(value) for name, value in list(zip(names, values))[2:]}


def collected(collector: str, path: Path | str, roots: str) -> int:
    own = ["--set", "automatic=0"] if collector != "marksweep" else []
    done = subprocess.run([TOP / "build/bin" / collector, "snapshot", f"graph={path}", f"roots={roots}", "--units=1",
                           "--rounds=1", *own], capture_output=True, text=True, timeout=120)
    line = json.loads(done.stdout)
    if line["outcome"] != "ok":
        raise AssertionError(line["message"])
    return line["rounds"][0]["collected"]


class Snapshots(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_nothing_is_found_unreachable_while_the_roots_are_held(self) -> None:
        path = taken(self.folder, PROGRAM)
        for collector in ("cyclic", "segregated", "marksweep"):
            self.assertEqual(collected(collector, path, "held"), 0, collector)

    def test_collectors_find_what_the_script_has_counted(self) -> None:
        for path in (taken(self.folder, PROGRAM), TOP / "workloads/recordings/cpython.snapshot.zst"):
            said = facts(path)
            self.assertEqual(said["freed_by_counting"] + said["left"], said["objects"])
            for collector in ("cyclic", "segregated", "atomic", "biased"):
                self.assertEqual(collected(collector, path, "cut"), said["found"], collector)
            # a tracer finds all, and the list that held the roots
            self.assertEqual(collected("marksweep", path, "cut"), said["objects"] + 1)

    def test_the_program_is_in_the_snapshot(self) -> None:
        empty, full = (facts(taken(self.folder, program)) for program in ("", PROGRAM))
        self.assertGreaterEqual(full["tracked"] - empty["tracked"], 780 + 2000)     # nodes; lists, and tuples that hold them

    def test_what_is_wrong_with_a_snapshot_is_one_line_and_status_2(self) -> None:
        path = taken(self.folder, PROGRAM)
        whole = path.read_bytes()
        for cut in (0, 10, 300, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:cut])
            done = subprocess.run([TOP / "build/bin/cyclic", "snapshot", f"graph={path}"], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), done.stderr)
            self.assertIn("truncated", done.stderr)
            described = subprocess.run([SCRIPT, "--describe", path], capture_output=True, text=True)
            self.assertEqual((described.returncode, described.stderr.count("\n")), (2, 1), described.stderr)

    def test_a_program_that_is_not_there_is_one_line_and_status_2(self) -> None:
        done = subprocess.run([SCRIPT, "--out", self.folder / "x", self.folder / "none.py"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
        self.assertFalse((self.folder / "x").exists())


if __name__ == "__main__":
    unittest.main()
