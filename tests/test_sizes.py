# SPDX-License-Identifier: MIT
"""Cost against size: a group at each size, the power that was planted, a figure that says all."""
import csv
import shutil
import unittest

from run_support import Bench

import matrix
import stats

MATRIX = """
about = "for tests"
repetitions = 2
least_repetitions = 2
bias_turns = 0
rounds = 2
turn_ms = 1
memory = false
touch_s = 0
timeout_s = 5
[[group]]
name = "blocks"
title = "blocks that are replaced"
workload = "churn"
sizes = { size = [1000, 10000] }
configurations = ["system", "jemalloc", "pymalloc"]
[[group]]
name = "blocks"
title = "blocks that are replaced"
workload = "churn"
sizes = { size = [100000] }
configurations = ["system", "jemalloc", "pymalloc"]
pair = ""
[[group]]
name = "rings"
workload = "cycles"
sizes = { size = [1000, 10000, 100000] }
configurations = ["refcount/system", "cyclic/system"]
"""


@unittest.skipIf(shutil.which("gnuplot") is None, "gnuplot is not installed")
class Sizes(Bench):
    MATRIX = MATRIX
    SHARED = {"system": {"ns": 20}, "pymalloc": {"ns": 3, "power": 0.25}, "jemalloc": {"outcome": "heap_full"},
              "cyclic/system": {"ns": 8, "power": 0.1}}

    def table(self, name: str) -> list[dict[str, str]]:
        with open(self.runs()[0] / "plots" / name, encoding="utf-8") as stream:
            return list(csv.DictReader(stream, delimiter="\t"))

    def test_the_power_that_was_planted_is_found(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        found = {(f["curve"], f["label"]): (float(f["low"]), float(f["b"]), float(f["high"])) for f in self.table("sizes_fits.tsv")}
        for where, power in ((("blocks", "system"), 1.0), (("blocks", "pymalloc"), 1.25), (("rings", "cyclic/system"), 1.1)):
            low, b, high = found[where]
            self.assertAlmostEqual(b, power, delta=0.02)
            self.assertTrue(low < b < high and high - low < 0.3, f"{where}: {found[where]}")

    def test_the_figures_data_have_every_size_and_every_outcome(self):
        points = {(p["curve"], p["label"], int(p["size"])): p for p in self.table("sizes.tsv")}
        self.assertEqual(len(points), 3 * 3 + 2 * 3)
        self.assertAlmostEqual(float(points["blocks", "pymalloc", 100000]["ns"]) / 53.35, 1, delta=0.05)
        self.assertEqual(points["blocks", "jemalloc", 1000]["outcome"], "heap full")
        for form in ("png", "svg"):
            self.assertTrue((self.runs()[0] / f"plots/sizes.{form}").is_file())
        self.assertIn("b = 1.25", (self.runs()[0] / "plots/sizes.svg").read_text())

    def test_the_table_has_a_line_for_each_configuration_and_a_column_for_each_size(self):
        line = next(l.split() for l in self.done.stdout.splitlines() if l.startswith("  pymalloc"))
        self.assertEqual(len(line), 1 + 3 + 1 + 3)
        self.assertIn("1.2", line[4])
        self.assertIn("heap full", self.done.stdout)

    def test_only_sizes_up_to_the_largest_that_is_asked_for_are_measured(self):
        done = self.bench("--largest", "10000", "--resume", "no")
        self.assertEqual(done.returncode, 0, done.stderr)
        sizes = {l["parameters"]["size"] for l in self.lines()}
        shutil.rmtree(self.runs()[-1])
        self.assertEqual(sizes, {1000, 10000})
        refused = self.bench("--largest", "10")
        self.assertEqual((refused.returncode, refused.stderr.count("\n")), (2, 1))
        self.assertIn("1000", refused.stderr)


class Reading(unittest.TestCase):
    def test_the_sizes_of_the_repository_go_from_a_thousand_to_ten_million_on_several_backends(self):
        curves: dict[str, set[int]] = {}
        for group in matrix.read("sizes").groups:
            curves.setdefault(group.curve, set()).add(group.size)
            self.assertEqual(list(group.parameters.values()).count(group.size), 1)
            self.assertGreater(len({c.label for c in group.configurations if not c.twin}), 1)
        self.assertEqual(len(curves), 3)
        self.assertTrue(all(sizes == {10**n for n in range(3, 8)} for sizes in curves.values()))

    def test_sizes_that_are_none_are_refused_in_one_line(self):
        group = {"name": "g", "workload": "churn", "configurations": ["system"]}
        for wrong in ({}, [1000], {"size": []}, {"size": 1000}, {"size": ["many"]}, {"size": [0]}, {"a": [1], "b": [2]}):
            with self.assertRaisesRegex(matrix.BadInput, "sizes is one parameter"):
                matrix._at_each_size({**group, "sizes": wrong}, "x.toml")

    def test_two_sizes_or_a_single_invocation_give_no_interval(self):
        def sample(invocations: int, ns: float) -> stats.Rounds:
            return {i: {0: (ns * (1 + 0.01 * i), 1.0)} for i in range(invocations)}
        self.assertIsNone(stats.exponent_of({10: sample(3, 5), 100: sample(3, 5)}))
        found = stats.exponent_of({10: sample(1, 1), 100: sample(1, 10), 1000: sample(1, 100)})
        self.assertAlmostEqual(found.value, 2.0)
        self.assertNotEqual(found.low, found.low)


if __name__ == "__main__":
    unittest.main()
