# SPDX-License-Identifier: MIT
"""test_pauses.py - pauses are counted once, by their kind, and only when asked for.

Where the arithmetic is the subject, the fake collector pauses for as long as it is told (tests/harness/); the
rest asks the real ones. Times are bounds, never expectations: the machine may take more.
"""
from __future__ import annotations

import unittest
from typing import Any

from test_harness import BUILD, FAKE, line_of, run, schema_problems

BIN = BUILD / "bin"
MS = 1_000_000
KINDS = {"cascade", "young", "middle", "full", "safepoint", "stopped", "gil", "any"}


def fake(pause_ms: int, gil_ms: int, sleep_ms: int, units: int) -> dict[str, Any]:
    return line_of("fake_objects", f"sleep_ms={sleep_ms}", "--set", f"pause_ms={pause_ms}", "--set", f"gil_ms={gil_ms}",
                   f"--units={units}", "--rounds=1", "--pauses")


def real(collector: str, *arguments: str) -> dict[str, Any]:
    line = line_of(*arguments, "--pauses", "--no-capacity", executable=BIN / collector)
    if line["outcome"] != "ok":
        raise AssertionError(f"{collector} {arguments}: {line['outcome']}: {line['message']}")
    return line


@unittest.skipUnless(FAKE.exists(), f"{FAKE} is not built: make test builds it")
class Arithmetic(unittest.TestCase):
    def test_without_the_option_there_are_none(self) -> None:
        self.assertIsNone(line_of("fake_objects", "--units=1", "--rounds=1")["pauses"])

    def test_a_pause_inside_a_pause_is_counted_once(self) -> None:
        pauses = fake(5, 0, 5, 4)["pauses"]
        self.assertEqual(set(pauses["kinds"]), KINDS)
        counts = {name: kind["count"] for name, kind in pauses["kinds"].items() if kind["count"]}
        self.assertEqual(counts, {"full": 4, "any": 4})
        self.assertGreaterEqual(pauses["kinds"]["full"]["sum_ns"], 20 * MS)

    def test_time_is_split_without_remainder(self) -> None:
        pauses = fake(5, 3, 5, 4)["pauses"]
        self.assertEqual(pauses["total_ns"], pauses["mutator_ns"] + pauses["collector_ns"] + pauses["gil_ns"])
        self.assertGreaterEqual(pauses["collector_ns"], 20 * MS)
        self.assertGreaterEqual(pauses["gil_ns"], 12 * MS)
        self.assertGreaterEqual(pauses["mutator_ns"], 20 * MS)
        self.assertEqual(pauses["kinds"]["any"]["sum_ns"], pauses["collector_ns"])

    def test_lead_in_and_calibration_do_not_count(self) -> None:
        line = line_of("fake_objects", "--set", "pause_ms=1", "--units=3", "--rounds=2", "--lead-in=7", "--pauses")
        self.assertEqual(line["pauses"]["kinds"]["full"]["count"], 6)

    def test_the_least_utilisation_falls_with_the_window_and_rises_without_the_lock(self) -> None:
        pauses = fake(10, 10, 30, 5)["pauses"]
        with_gil, without = dict(pauses["mmu"]), dict(pauses["mmu_without_gil"])
        self.assertEqual([w for w, _ in pauses["mmu"]], [1, 2, 5, 10, 20, 50, 100])
        for window in (1, 2, 5, 10, 20):                    # 20 ms in one piece, but for a microsecond
            self.assertLess(with_gil[window], 0.01)
        self.assertLessEqual(with_gil[50], 0.6)
        longest_ms = pauses["kinds"]["any"]["max_ns"] / MS    # 10, or what the machine made of it; 40 at least to the next
        for window in (1, 2, 5, 10, 20):
            self.assertAlmostEqual(without[window], max(0, 1 - longest_ms / window), delta=0.002)
        for window in with_gil:
            self.assertLessEqual(with_gil[window], without[window])

    def test_a_window_longer_than_the_run_has_no_utilisation(self) -> None:
        pauses = fake(1, 0, 1, 2)["pauses"]
        if pauses["total_ns"] < 100 * MS:
            self.assertIsNone(dict(pauses["mmu"])[100])

    def test_a_percentile_needs_ten_pauses_beyond_it(self) -> None:
        few = fake(1, 0, 0, 19)["pauses"]["kinds"]["full"]
        self.assertIsNone(few["p50_ns"])
        enough = fake(1, 0, 0, 20)["pauses"]["kinds"]["full"]
        self.assertIsNone(enough["p90_ns"])
        self.assertGreaterEqual(enough["p50_ns"], 0.99 * MS)
        self.assertLessEqual(enough["p50_ns"], enough["max_ns"])

    def test_the_histogram_holds_every_pause_to_less_than_a_hundredth(self) -> None:
        full = fake(2, 0, 0, 7)["pauses"]["kinds"]["full"]
        self.assertEqual(sum(count for _, count in full["histogram"]), 7)
        total = sum(ns * count for ns, count in full["histogram"])
        self.assertLess(abs(total - full["sum_ns"]), 0.008 * full["sum_ns"])

    def test_the_clock_and_an_idle_thread_are_reported_beside(self) -> None:
        pauses = fake(1, 0, 0, 1)["pauses"]
        self.assertGreater(pauses["stamps_ns"], 1)
        self.assertLess(pauses["stamps_ns"], pauses["total_ns"])
        self.assertEqual(len(pauses["idle"]["mmu"]), 7)
        self.assertIsNotNone(dict(pauses["idle"]["mmu"])[100])

    def test_the_schema_knows_them(self) -> None:
        self.assertEqual(schema_problems(fake(1, 1, 1, 2)), [])

    def test_where_they_cannot_be_recorded_they_are_refused(self) -> None:
        for arguments, word in ((("fake_objects", "--resident"), "--resident"), (("fake",), "no collector")):
            done = run(*arguments, "--pauses")
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), done.stderr)
            self.assertIn(word, done.stderr)


@unittest.skipUnless(BIN.exists(), f"{BIN} is not built")
class Collectors(unittest.TestCase):
    def counts(self, line: dict[str, Any]) -> dict[str, int]:
        return {name: kind["count"] for name, kind in line["pauses"]["kinds"].items() if kind["count"]}

    def test_one_drop_is_one_cascade_however_long_it_is(self) -> None:
        for name in ("refcount", "cyclic", "segregated"):
            line = real(name, "chain", "size=2000", "--units=10", "--rounds=2", *self.off(name))
            self.assertEqual(self.counts(line), {"cascade": 20, "any": 20}, name)

    def test_a_cascade_is_told_from_its_64th_object(self) -> None:
        for size, expected in ((63, {}), (64, {"cascade": 4, "any": 4})):
            self.assertEqual(self.counts(real("refcount", "chain", f"size={size}", "--units=4", "--rounds=1")), expected)

    def test_collections_are_told_by_generation_as_often_as_they_happened(self) -> None:
        line = real("cyclic", "cycles", "size=20000", "--units=3", "--rounds=2")
        happened = [sum(column) for column in zip(*(r["collections"] for r in line["rounds"]))]
        counts = self.counts(line)
        self.assertEqual([counts.get(k, 0) for k in ("young", "middle", "full")], happened)
        self.assertEqual(counts["any"], sum(happened))

    def test_a_tracer_pauses_for_full_collections_only(self) -> None:
        for name in ("marksweep", "boehm"):
            if not (BIN / name).exists():
                continue
            line = real(name, "cycles", "size=100000", "--units=5", "--rounds=2")
            counts = self.counts(line)
            self.assertEqual(set(counts), {"full", "any"}, name)
            self.assertGreater(counts["full"], 0, name)

    def test_waiting_for_the_lock_is_a_kind_of_its_own(self) -> None:
        line = real("gil", "shared", "objects=own", "size=1000000", "--threads=2", "--units=20", "--rounds=1",
                    "--set", "interval_us=1000")
        self.assertEqual(set(self.counts(line)) - {"gil"}, set())
        self.assertGreater(line["pauses"]["gil_ns"], 0)
        self.assertEqual(line["pauses"]["collector_ns"], 0)
        mmu, without = dict(line["pauses"]["mmu"]), dict(line["pauses"]["mmu_without_gil"])
        self.assertEqual(without[1], 1)
        self.assertLess(mmu[1], 1)

    def test_stopping_the_world_pauses_the_stopped_too(self) -> None:
        for _ in range(5):              # a short collection may begin and end between two polls
            line = real("atomic", "cycles", "size=30000", "--threads=2", "--units=3", "--rounds=2", "--allocator=system")
            counts = self.counts(line)
            self.assertEqual(counts["full"] + counts.get("stopped", 0) + counts.get("cascade", 0), counts["any"])
            self.assertGreater(counts["safepoint"], 0)
            if counts.get("stopped", 0) > 0:
                break
        else:
            self.fail("no thread was ever stopped")

    @staticmethod
    def off(collector: str) -> list[str]:
        return ["--set", "automatic=0"] if collector != "refcount" else []


if __name__ == "__main__":
    unittest.main()
