# SPDX-License-Identifier: MIT
"""test_explain.py - what --explain prints is what the collectors do, word for word where it is a table of a talk."""
from __future__ import annotations

import json
import re
import subprocess
import unittest

from test_harness import BUILD

BIN = BUILD / "bin"
GRAPHS = ("ring", "chain", "live-ring", "dezero", "rescue")

RESCUE = """\
cyclic: plain counts, bare loads, generational cycles, one threads
rescue: b is walked before a, which holds it; c holds itself

     a -> b   c -> c   local -> a

1. The graph is built; then the locals that built it let go
     count   b 1  a 1  c 1

2. A collection copies the counts
     gc_refs   b 1  a 1  c 1

3. and subtracts the references that come from inside: what remains comes from outside
     gc_refs   b 0  a 1  c 0

4. It walks the list: reachable is what has gc_refs left, and all it refers to
     b  gc_refs 0: tentatively unreachable
     a  gc_refs 1: reachable, and rescues b
     c  gc_refs 0: tentatively unreachable
     b  gc_refs 1: reachable

5. The rest is trash. Its references are cleared, and counting frees it
     c  is cleared: it lets go of what it refers to
     c  has no reference left: dies

   object  count  copied  subtracted  reason                   tentatively unreachable  rescued  reclaimed
   b       1      1       0           reached from a           yes                      by a     no
   a       1      1       1           held from outside        -                        -        no
   c       1      1       0           only trash refers to it  yes                      -        by the collection
"""

RING = """\
4. It walks the list: reachable is what has gc_refs left, and all it refers to
     a  gc_refs 0: tentatively unreachable
     b  gc_refs 0: tentatively unreachable
     c  gc_refs 0: tentatively unreachable

5. The rest is trash. Its references are cleared, and counting frees it
     a  is cleared: it lets go of what it refers to
         b  has no reference left: dies, and lets go of what it refers to
             c  has no reference left: dies, and lets go of what it refers to
     a  has no reference left: dies
"""

CHAIN = """\
refcount: plain counts, bare loads, uncollected cycles, one threads
chain: four objects in a row; the local that holds the first lets go

     a -> b   b -> c   c -> d

1. The graph is built; then the locals that built it let go
     a  has no reference left: dies, and lets go of what it refers to
         b  has no reference left: dies, and lets go of what it refers to
             c  has no reference left: dies, and lets go of what it refers to
                 d  has no reference left: dies

   object  count  reason               reclaimed
   a       0      nobody refers to it  by counting
   b       0      nobody refers to it  by counting
   c       0      nobody refers to it  by counting
   d       0      nobody refers to it  by counting
"""

MARKS = """\
2. A collection marks what locals hold, and all that is reached from there
     a  is marked, and marks b
     b  is marked

3. The rest is swept

   object  reason                   reclaimed
   b       reached from a           no
   a       held from outside        no
   c       only trash refers to it  by the collection
"""

# what is left where nothing looks for cycles, and where something does
STAY = {"ring": "", "chain": "", "live-ring": "abc", "dezero": "x", "rescue": "ab"}
STAY_UNCOLLECTED = {"ring": "abc", "chain": "", "live-ring": "abc", "dezero": "xfy", "rescue": "abc"}


def explained(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BIN / name), *arguments], capture_output=True, text=True, timeout=60, check=False)


@unittest.skipUnless((BIN / "cyclic").exists(), f"{BIN} is not built")
class Explain(unittest.TestCase):
    maxDiff = None

    def text(self, name: str, graph: str) -> str:
        done = explained(name, f"--explain={graph}")
        self.assertEqual((done.returncode, done.stderr), (0, ""), f"{name} {graph}")
        return done.stdout

    def test_the_generational_collector_shows_every_column_of_the_talk(self) -> None:
        self.assertEqual(self.text("cyclic", "rescue"), RESCUE)
        self.assertIn(RING, self.text("cyclic", "ring"))

    def test_the_ring_is_the_usual_graph(self) -> None:
        self.assertEqual(explained("cyclic", "--explain").stdout, self.text("cyclic", "ring"))

    def test_counting_shows_the_cascade(self) -> None:
        self.assertEqual(self.text("refcount", "chain"), CHAIN)

    def test_marking_shows_who_marks_whom(self) -> None:
        self.assertIn(MARKS, self.text("marksweep", "rescue"))

    def test_subtraction_is_the_same_without_lists(self) -> None:
        def numbers(name: str, graph: str) -> list[str]:
            return re.findall(r"^ +(?:count|gc_refs) .*$", self.text(name, graph), re.M)
        for name in ("segregated", "atomic", "biased", "locked_object", "gil"):
            for graph in GRAPHS:
                self.assertEqual(numbers(name, graph), numbers("cyclic", graph), f"{name} {graph}")

    def test_every_collector_says_of_every_graph_what_it_reclaims(self) -> None:
        for path in sorted(BIN.iterdir()):
            listed = json.loads(explained(path.name, "--list=json").stdout)
            able = set(listed["abilities"])
            if listed["collector"] is None or "weak_references" not in able or "conservative" in able:
                continue
            stay = STAY if "frees_cycles" in able else STAY_UNCOLLECTED
            for graph in GRAPHS:
                rows = re.findall(r"^   (\w) .* (no|by counting|by the collection)$", self.text(path.name, graph), re.M)
                left = {name for name, end in rows if end == "no"}
                if "frees" not in able:
                    self.assertEqual(left, {name for name, _ in rows}, path.name)
                else:
                    self.assertEqual(left, set(stay[graph]), f"{path.name} {graph}")

    def test_a_graph_that_nobody_knows_is_refused_with_the_known_ones(self) -> None:
        done = explained("cyclic", "--explain=ting")
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
        for graph in GRAPHS:
            self.assertIn(graph, done.stderr)

    def test_where_there_is_no_collector_there_is_nothing_to_explain(self) -> None:
        done = explained("blocks", "--explain")
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
        self.assertIn("no collector", done.stderr)


if __name__ == "__main__":
    unittest.main()
