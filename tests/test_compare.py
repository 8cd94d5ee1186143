# SPDX-License-Identifier: MIT
"""compare: a planted slow-down is caught and its twin passes; what cannot be compared says why; a gate for CI."""
import json
import shutil
import subprocess
import unittest
from pathlib import Path

import fake_run
import numpy as np

import compare

PLANTED = {"churn/jemalloc": 10.5}


SLOW = True             # not part of the short look (make check)


class Compare(fake_run.InFolder):
    def run_of(self, name: str, **how: object) -> str:
        return str(fake_run.write(self.folder / name, **how))

    def compare(self, a: str, b: str, *more: str) -> subprocess.CompletedProcess:
        plots = [] if "--plots" in more else ["--no-plots"]
        return self.script("compare.py", a, b, *plots, *(m for m in more if m != "--plots"))

    def rows(self, a: str, b: str, *more: str) -> dict[str, dict]:
        done = self.compare(a, b, "--json", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {row["configuration"]: row for row in json.loads(done.stdout)["rows"]}

    def refused(self, *arguments: str) -> str:
        done = self.compare(*arguments)
        self.assert_refused(done, "")
        return done.stderr

    def test_a_planted_slow_down_of_5_percent_is_caught_and_its_twin_passes(self):
        a, b, twin = self.run_of("a"), self.run_of("b", ns=PLANTED, seed=2), self.run_of("twin", seed=3)
        caught = self.compare(a, b, "--fail-on", "slower:5%")
        self.assertEqual(caught.returncode, 1, caught.stdout + caught.stderr)
        self.assertRegex(caught.stderr, r"^SLOWER: churn  jemalloc: 1\.0[45]\d")
        self.assertEqual(len(caught.stderr.splitlines()), 1)
        self.assertEqual(self.compare(a, twin, "--fail-on", "slower:5%").returncode, 0)
        self.assertEqual({r["verdict"] for r in self.rows(a, twin).values()} - {"no difference", "unclear"}, set())

    def test_the_largest_effect_comes_first_and_faster_is_an_effect_too(self):
        a, b = self.run_of("a"), self.run_of("b", ns={**PLANTED, "churn/pymalloc": 5.0}, seed=2)
        rows = list(self.rows(a, b).values())
        self.assertEqual([(r["configuration"], r["verdict"]) for r in rows[:2]],
                         [("churn/pymalloc", "faster"), ("churn/jemalloc", "slower")])
        self.assertTrue(rows[0]["low"] <= 0.5 <= rows[0]["high"], rows[0])

    def test_two_configurations_of_one_run_are_paired_group_by_group(self):
        a = self.run_of("a", ns={"calls/cyclic/pymalloc": 12.0}, noise=0.05)
        rows = self.rows(f"{a}::refcount/pymalloc", f"{a}::cyclic/pymalloc")
        self.assertEqual(set(rows), {"calls"})
        self.assertAlmostEqual(rows["calls"]["ratio"], 1.2, delta=0.1)

    def test_another_machine_kernel_or_setting_is_not_comparable_and_says_which(self):
        a = self.run_of("a")
        for number, (key, other, word) in enumerate((("cpu_model", "another CPU", "machine"), ("kernel", "6.2", "kernel"),
                                                     ("transparent_huge_pages", "always", "huge pages"))):
            b = self.run_of(f"b{number}", machine={key: other})
            row = self.rows(a, b)["churn/system"]
            self.assertEqual(row["verdict"], "not comparable")
            self.assertIn(f"different {word}", row["why"])
            self.assertIn("nothing could be compared", self.refused(a, b, "--fail-on", "slower:5%"))
        self.assertEqual(self.rows(a, b, "--anyway")["churn/system"]["verdict"], "no difference")

    def test_a_side_without_a_number_or_without_the_row_says_so_and_the_rest_is_compared(self):
        a = self.run_of("a")
        b = self.run_of("b", seed=2, outcomes={"churn/jemalloc": "crash"},
                        text=fake_run.MATRIX.replace(', "leak/bump"', ""))
        rows = self.rows(a, b)
        self.assertEqual(rows["churn/jemalloc"]["why"], "crash in b")
        self.assertEqual(rows["calls/leak/bump"]["why"], "only in a")
        self.assertEqual(rows["churn/system"]["verdict"], "no difference")

    def test_files_of_google_benchmark_are_compared(self):
        paths = []
        for name, ns in (("a", 10.0), ("b", 10.5)):
            runs = [{"name": "bm/64", "run_name": "bm/64", "run_type": "iteration", "time_unit": "us", "iterations": 100,
                     "real_time": ns * (1 + i / 1000), "cpu_time": ns} for i in range(9)]
            paths.append(self.folder / f"{name}.json")
            paths[-1].write_text(json.dumps({"context": {"num_cpus": 2}, "benchmarks": runs}))
        row = self.rows(*map(str, paths))["bm/64"]
        self.assertEqual(row["verdict"], "slower")
        self.assertAlmostEqual(row["ratio"], 1.05, delta=0.002)
        self.assertAlmostEqual(row["p"], 2 / 48620, delta=1e-6)
        self.assertEqual(self.compare(*map(str, paths), "--fail-on", "slower:5%").returncode, 1)

    def test_what_cannot_be_read_is_one_line_and_status_2(self):
        a = self.run_of("a")
        damaged, other = self.run_of("damaged"), self.run_of("other")
        (Path(damaged) / "run.json").write_text("{")
        text = json.loads((Path(other) / "run.json").read_text())
        (Path(other) / "run.json").write_text(json.dumps({**text, "schema": 2}))
        empty = self.run_of("empty")
        (Path(empty) / "invocations.jsonl").write_text("")
        bad = self.folder / "bad.json"
        bad.write_text("[]")
        self.assertIn("damaged", self.refused(a, damaged))
        self.assertIn("another version", self.refused(a, other))
        self.assertIn("is empty", self.refused(a, empty))
        self.assertIn("Google Benchmark", self.refused(a, str(bad)))
        self.assertIn("is not a run", self.refused(a, "nowhere"))
        self.assertIn("refcount/pymalloc", self.refused(f"{a}::nothing", a))
        self.assertIn("say slower:5%", self.refused(a, a, "--fail-on", "faster:5%"))

    def test_a_run_that_was_not_finished_is_compared_with_a_word(self):
        a, b = self.run_of("a"), self.run_of("b", seed=2)
        text = json.loads((Path(b) / "run.json").read_text())
        (Path(b) / "run.json").write_text(json.dumps({**text, "finished": None}))
        done = self.compare(a, b)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("b is not finished", done.stdout)

    @unittest.skipIf(shutil.which("gnuplot") is None, "gnuplot is not installed")
    def test_it_is_drawn_beside_the_later_run(self):
        a, b = self.run_of("a"), self.run_of("b", ns=PLANTED, seed=2)
        done = self.compare(a, b, "--plots")
        self.assertEqual(done.returncode, 0, done.stderr)
        place = Path(b) / "plots/versus-a"
        header, first = (place / "versus.tsv").read_text().splitlines()[:2]
        row = dict(zip(header.split("\t"), first.split("\t")))
        self.assertEqual((row["name"], row["time_sure"]), ("churn  jemalloc", "1"))
        self.assertGreater((place / "versus.svg").stat().st_size, 2000)


class ManyRows(unittest.TestCase):
    """Holm's correction over all that is compared."""

    @staticmethod
    def side(name: str, rows: int, draw: np.random.Generator, slower: float = 1.0) -> compare.Side:
        def sample() -> dict:
            return {i: {0: (100 * slower * draw.lognormal(sigma=0.02), 1.0)} for i in range(5)}
        return compare.Side(name, {}, {f"group  {n}": compare.Entry(sample(), "ok", floor=0.005) for n in range(rows)})

    def test_150_rows_that_are_all_a_fifth_slower_are_said_to_be(self):
        draw = np.random.default_rng(1)
        changes = compare.compare(self.side("a", 150, draw), self.side("b", 150, draw, slower=1.2))
        self.assertGreater(sum(c.verdict == "slower" for c in changes), 135)
        self.assertTrue(compare.failing(changes, 0.05))

    def test_of_many_rows_that_do_not_differ_none_is_said_to_in_19_of_20_comparisons(self):
        draw = np.random.default_rng(2)
        alarms = sum(any(c.verdict in ("slower", "faster") for c in compare.compare(self.side("a", 60, draw), self.side("b", 60, draw)))
                     for _ in range(30))
        self.assertLessEqual(alarms, 4)         # 1.5 are expected at most; 5 of 30 by chance in 2 %


if __name__ == "__main__":
    unittest.main()
