# SPDX-License-Identifier: MIT
"""Aims: an interval on one side of a factor decides, one across it does not, and what is missing is said."""
import subprocess
import sys
import unittest
from dataclasses import replace

from run_support import ROOT, Bench

import bars
import bench_collectors
import stats
from stats import Estimate
from summary import GroupSummary, Row


def rounds(ns: float) -> stats.Rounds:
    return {repetition: {i: (ns * 1000 * (1 + 0.001 * i), 1000) for i in range(5)} for repetition in range(5)}


def group(name: str, times: dict[str, float | None], **memory: float) -> GroupSummary:
    rows = [Row(name, label, "pair", {}, None, label, 1, outcome="ok" if ns else "not_installed",
                sample=rounds(ns) if ns else {}, **memory) for label, ns in times.items()]
    return GroupSummary(name, name, "pair", {}, "turns", "pyobject", "allocators", rows)


class Aims(unittest.TestCase):
    def verdicts(self, *groups: GroupSummary) -> dict[tuple[str, str], str]:
        return {(line[0], line[1]): line[-1] for line in bars.judge(list(groups))}

    def test_an_interval_decides_only_where_all_of_it_is_on_one_side(self):
        for low, high, at_least, at_most in ((1.3, 1.5, "met", "missed"), (1.0, 1.1, "missed", "met"),
                                             (1.1, 1.3, "not sure", "not sure"), (1.2, 1.2, "met", "met")):
            found = Estimate((low + high) / 2, low, high)
            self.assertEqual((stats.reaches(found, 1.2, False), stats.reaches(found, 1.2, True)), (at_least, at_most))
        self.assertEqual(stats.reaches(Estimate(9.0, float("nan"), float("nan")), 1.2, False), "not sure")

    def test_speed_is_the_inverse_of_time(self):
        said = self.verdicts(group("pair", {"pyobject": 13.0, "pymalloc": 10.0, "magazine": 10.0, "mimalloc": 10.5}))
        self.assertEqual(said["pair", "pymalloc is at least 1.2x as fast as pyobject"], "met")
        self.assertEqual(said["pair", "magazine is at least 1.5x as fast as pyobject"], "missed")
        self.assertEqual(said["pair", "magazine is at least 1.1x as fast as mimalloc"], "missed")

    def test_the_floor_bounds_from_above(self):
        said = self.verdicts(group("cpython", {"bump": 10.0, "pymalloc": 21.0, "magazine": 23.0}))
        self.assertEqual(said["cpython", "pymalloc takes at most 2.2x the time of bump"], "met")
        self.assertEqual(said["cpython", "magazine takes at most 2.2x the time of bump"], "missed")

    def test_memory_is_held_against_both_figures_of_live_bytes(self):
        said = self.verdicts(group("steady 1M", {"pymalloc": 10.0}, end_rss=102.0, end_low=102.0, end_high=102.0,
                                   used_bytes=100.0, live_bytes=90.0))
        self.assertEqual(said["steady 1M", "pymalloc keeps at most 1.03x of what is set aside"], "met")
        self.assertEqual(said["steady 1M", "pymalloc keeps at most 1.03x of what is asked for"], "missed")

    def test_what_is_missing_is_said(self):
        said = self.verdicts(group("pair", {"pyobject": None, "pymalloc": 10.0, "magazine": 9.0}))
        self.assertEqual(said["pair", "pymalloc is at least 1.2x as fast as pyobject"], "pyobject: not installed")
        self.assertEqual(said["pair", "magazine is at least 1.1x as fast as mimalloc"], "mimalloc: not measured")
        self.assertEqual(said["cpython", "magazine is at least 1x as fast as mimalloc"], "not measured")


class AimsOfCollectors(unittest.TestCase):
    def verdict(self, aim: str, *groups: GroupSummary) -> str:
        return next(line for line in bench_collectors.bars(list(groups)) if aim in line)

    def judged(self, name: str, label: str, low: float, high: float) -> GroupSummary:
        found = group(name, {label: 10.0})
        return replace(found, rows=[replace(row, ratio=Estimate((low + high) / 2, low, high)) for row in found.rows])

    def test_each_ratio_is_held_against_its_bound(self):
        for name, label, aim, bound in (("counts", "refcount", "plain counts", 1.10), ("lock", "gil", "polling", 1.05)):
            for low, high, verdict in ((0.9, 1, "met"), (1.001, 1.01, "missed"), (0.99, 1.01, "not sure")):
                said = self.verdict(aim, self.judged(name, label, low * bound, high * bound))
                self.assertTrue(said.startswith(verdict), said)

    def test_two_threads_under_the_lock_are_held_against_one(self):
        for both, verdict in ((10.1, "met"), (10.3, "missed")):
            found = group("lock_threads", {"gil": 10.0, "gil@2": both})
            rows = [replace(row, time=Estimate(10.0, 10.0, 10.0)) for row in found.rows]
            self.assertTrue(self.verdict("two threads", replace(found, rows=rows)).startswith(verdict))

    def test_graphs_that_take_longer_than_cpython_are_named(self):
        slow = replace(self.judged("live", "cyclic", 1.1, 1.2), workload="graph", parameters={"size": 1000}, title="live")
        quick = replace(self.judged("dead", "cyclic", 0.5, 0.6), workload="graph", parameters={"size": 1000}, title="dead")
        said = bench_collectors.bars([slow, quick])
        self.assertIn("1 of 2 graphs: generational surely takes no longer than CPython, by more than the noise", said)
        self.assertEqual([line.split()[0] for line in said if "CPython's time" in line], ["missed"])

    def test_a_difference_within_the_noise_of_its_group_decides_nothing(self):
        found = replace(self.judged("live", "cyclic", 0.90, 0.98), workload="graph", parameters={"size": 1000}, title="live")
        for floor, verdict in ((0.02, "1 of 1"), (0.10, "0 of 1")):
            with self.subTest(floor):
                said = bench_collectors.bars([replace(found, floor=floor)])
                self.assertTrue(any(line.startswith(verdict) for line in said), said)

    def test_what_was_not_measured_is_said(self):
        self.assertTrue(self.verdict("plain counts").startswith("not measured"))


class Pauses(unittest.TestCase):
    def line(self, repetition: int, histogram: list[list[int]], mmu: float) -> dict:
        kind = {"count": sum(n for _, n in histogram), "max_ns": max(ns for ns, _ in histogram), "histogram": histogram}
        return {"purpose": "pauses", "label": "cyclic", "repetition": repetition, "options": {},
                "pauses": {"kinds": {"any": kind}, "collector_ns": 10, "total_ns": 100, "mmu": [[10, mmu], [100, 0.5]]}}

    def test_the_invocations_of_a_row_are_one_distribution(self):
        lines = [self.line(0, [[1000, 95], [5000, 5]], 0.4), self.line(1, [[1000, 85], [9000, 15]], 0.2)]
        _, row = bench_collectors.pauses_rows(lines)
        self.assertEqual(row, ["cyclic", "no bound", "200", "1.00 µs", "-", "-", "9.00 µs", "10.0%", "20%", "50%"])

    def test_a_percentile_has_ten_pauses_beyond_it(self):
        kinds = [self.line(0, [[1000, 989], [5000, 11]], 0.4)["pauses"]["kinds"]["any"]]
        self.assertEqual(bench_collectors.percentile(kinds, 1000, 0.99), 5000)
        self.assertEqual(bench_collectors.percentile(kinds, 1000, 0.5), 1000)
        self.assertIsNone(bench_collectors.percentile(kinds, 900, 0.99))


class OfARun(Bench):
    def test_the_aims_of_a_run_are_printed_and_those_not_met_again(self):
        self.matrix(self.MATRIX.replace('"churn"', '"pair"', 1))
        self.bench("--workloads", "churn", fake={"*": {"noise": 0.0001}})
        done = subprocess.run([sys.executable, str(ROOT / "scripts/bars.py"), "--results", str(self.results)],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("0 of", done.stdout)
        self.assertIn("pyobject: not measured", done.stdout)

    def test_where_the_baseline_is_not_installed_the_next_row_stands_in(self):
        done = self.bench(fake={"system": {"outcome": "not_installed"}, "pymalloc": {"ns": 5}})
        self.assertIn("system is not installed: ratios are to jemalloc", done.stdout)
        self.assertEqual(self.summary()["churn", "pymalloc"]["baseline"], "jemalloc")


if __name__ == "__main__":
    unittest.main()
