# SPDX-License-Identifier: MIT
"""Looks into the heap: exact on small programs, by the oracle; floating garbage and drag by their definitions; drawn and shown."""
import json
import pathlib
import shutil
import subprocess
import unittest

import fake_run
import matrix as matrices

import heap_looks

BIN = pathlib.Path(__file__).resolve().parent.parent / "build/bin"
MATRIX = '[[group]]\nname = "rings"\nworkload = "cycles"\ntime = false\nmemory = false\nheap = true\nconfigurations = ["refcount/system", "cyclic/system"]\npair = ""\n'


def looks(collector: str, *more: str) -> list[dict]:
    """Of rings of three objects, made and dropped: two rings a unit."""
    done = subprocess.run([BIN / collector, "cycles", "size=2", "ring=3", "--units=1", "--lead-in=0", "--heap", *more], capture_output=True,
                          text=True, check=True)
    return json.loads(done.stdout)["heap"]


def floating(look: dict) -> int:
    return look["born"] - look["died"] - look["live_objects"]


def floating_bytes(look: dict) -> int:
    return look["born_bytes"] - look["died_bytes"] - look["live_bytes"]


class Looks(unittest.TestCase):
    def test_what_counting_alone_drops_in_rings_floats_for_ever(self) -> None:
        seen = looks("refcount", "--rounds=5")
        self.assertEqual([b["born"] - a["born"] for a, b in zip(seen, seen[1:])], [6] * 5)
        self.assertEqual([floating(b) - floating(a) for a, b in zip(seen, seen[1:])], [6] * 5)
        self.assertEqual({look["tracked"] for look in seen}, {None})
        each, = {floating_bytes(look) / floating(look) for look in seen[1:]}                   # all are nodes of one size
        self.assertEqual(each % 8, 0)
        self.assertGreater(each, 0)

    def test_bytes_float_as_objects_do_whatever_finds_them_arrays_included(self) -> None:
        for collector in ("refcount", "cyclic", "segregated", "atomic", "biased", "marksweep"):
            done = subprocess.run([BIN / collector, "requests", "size=40", "table=50", "rate=1000000000", "--units=1", "--rounds=30", "--heap"],
                                  capture_output=True, text=True, check=True)
            for look in json.loads(done.stdout)["heap"]:
                self.assertGreaterEqual(floating(look), 0)
                self.assertGreaterEqual(floating_bytes(look), 8 * floating(look), (collector, look))
                if floating(look) == 0: self.assertEqual(floating_bytes(look), 0, (collector, look))

    def test_a_young_collection_comes_at_the_threshold_and_nothing_floats_after_it(self) -> None:
        seen = looks("cyclic", "--rounds=40", "--set", "threshold0=59")
        for look in seen:
            self.assertLessEqual(look["tracked"][0], 60)
            self.assertEqual(floating(look), sum(look["tracked"]) - look["live_objects"])     # all that is born here is tracked
        self.assertLess(min(map(floating, seen)), 6)
        self.assertGreater(max(map(floating, seen)), 48)

    def test_nothing_dies_where_nothing_is_ever_freed_and_the_oracle_still_knows_what_lives(self) -> None:
        done = subprocess.run([BIN / "leak", "queue", "size=50", "length=20", "--units=1", "--rounds=3", "--heap", "--allocator=system"],
                              capture_output=True, text=True, check=True)
        seen = json.loads(done.stdout)["heap"]
        self.assertEqual([(look["live_objects"], look["died"]) for look in seen], [(20, 0)] * len(seen))
        self.assertEqual([floating(b) - floating(a) for a, b in zip(seen, seen[1:])], [50] * 3)

    def test_what_leaks_and_what_lives_are_told_apart(self) -> None:
        done = subprocess.run([BIN / "refcount", "queue", "size=50", "length=20", "--units=1", "--rounds=3", "--heap"], capture_output=True, text=True,
                              check=True)
        for look in json.loads(done.stdout)["heap"]:
            self.assertEqual((look["live_objects"], floating(look), look["live_bytes"]), (20, 0, 20 * 16))

    def test_a_collector_that_does_not_say_what_it_reclaims_is_a_recorded_outcome(self) -> None:
        if not (BIN / "boehm").exists():
            self.skipTest("libgc is not installed")
        done = subprocess.run([BIN / "boehm", "cycles", "--heap"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, json.loads(done.stdout)["outcome"]), (3, "unsupported"))

    def test_bad_input_is_one_line(self) -> None:
        for executable, *rest in (("blocks", "churn", "--heap"), ("cyclic", "cycles", "--heap", "--resident"), ("cyclic", "cycles", "--heap", "--nominals")):
            done = subprocess.run([BIN / executable, *rest], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
            self.assertEqual((done.returncode, len(done.stderr.strip().splitlines())), (2, 1), done.stderr)


class Heap(fake_run.InFolder):
    def run_with(self, made: dict[str, list[tuple[int, int, int]]]) -> pathlib.Path:
        """A run whose rows' looks are these: born, died, live."""
        run = fake_run.write(self.folder / "run", invocations=1, text=MATRIX)
        lines = [json.loads(l) for l in (run / "invocations.jsonl").read_text().splitlines()]
        told = [{**l, "purpose": "heap", "heap": [
            {"ns": i, "born": born, "died": died, "live_objects": live, "live_bytes": 16 * live, "born_bytes": 16 * born, "died_bytes": 16 * died,
             "tracked": [born - died, 0, 0, 0]}
            for i, (born, died, live) in enumerate(made[l["label"]])]} for l in lines if l["purpose"] == "time" and l["label"] in made]
        (run / "invocations.jsonl").write_text("".join(json.dumps(l) + "\n" for l in told))
        return run

    def test_drag_is_the_area_of_floating_objects_over_those_that_died(self) -> None:
        # each object floats for the next ten births: ten of them at every look
        line = {"group": "g", "label": "l", "collector": "c", "rounds": [{"collections": [2, 0, 0]}], "heap": [
            {"born": b, "died": b - 10, "born_bytes": 32 * b, "died_bytes": 32 * (b - 10), "live_objects": 0, "live_bytes": 0, "tracked": None}
            for b in range(10, 1010, 10)]}
        found = heap_looks.heap_of(line)
        self.assertEqual((found.mean, found.peak, found.drag, found.collections), (10, 10, 10, 2))
        self.assertEqual((found.mean_bytes, found.peak_bytes), (320, 320))
        for look in line["heap"]: del look["born_bytes"]
        self.assertIsNone(heap_looks.heap_of(line).mean_bytes)                        # a run from before bytes were told
        self.assertIsNone(heap_looks.heap_of({**line, "reclaims": False}).drag)       # some of it floats for ever: there is no mean

    @unittest.skipIf(shutil.which("gnuplot") is None, "gnuplot is not installed")
    def test_they_are_told_drawn_and_in_the_report(self) -> None:
        run = self.run_with({"refcount/system": [(n, 0, 2) for n in range(2, 100)], "cyclic/system": [(n, n // 20 * 20, n % 20) for n in range(2, 100)]})
        done = self.script("heap.py", str(run), "--no-occupancy")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"refcount/system +2 +4\d +97 +7\d\d +1,552 +for ever")
        for name in ("heap_floating", "heap_generations"):
            self.assertGreater((run / f"plots/{name}.svg").stat().st_size, 4000)
        page = (run / "index.html").read_text()
        self.assertEqual(page.count("data:image/svg+xml;base64,"), 2)
        self.assertIn('["rings","refcount/system","2",', page)

    def test_a_run_without_looks_is_one_line(self) -> None:
        self.assert_refused(self.script("heap.py", str(fake_run.write(self.folder / "run", invocations=1))), "make heap")

    def test_the_matrix_looks_at_what_counts_and_what_traces(self) -> None:
        for group in matrices.read("heap").groups:
            self.assertTrue(group["heap"] and not group["time"])
            self.assertLessEqual({"refcount", "cyclic", "marksweep"}, {c.collector for c in group.configurations})


if __name__ == "__main__":
    unittest.main()
