# SPDX-License-Identifier: MIT
"""The figures: drawn again without measuring, laid over each other, complete in their data, outcomes written."""
import csv
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import fake_run
from run_support import ROOT, Bench

MATRIX = """
about = "for tests"
repetitions = 2
least_repetitions = 2
rounds = 2
turn_ms = 1
block_rounds = 2
memory_repetitions = 1
bias_turns = 0
touch_s = 0
[[group]]
name = "churn"
workload = "churn"
configurations = ["system", "jemalloc", "pymalloc"]
[[group]]
name = "cycles"
workload = "cycles"
method = "blocks"
configurations = ["refcount/system", "cyclic/system", "refcount/pymalloc"]
[[group]]
name = "own"
workload = "shared"
figure = "threads"
method = "blocks"
threads = [1, 2]
configurations = ["refcount/system", "gil/system"]
"""


@unittest.skipIf(shutil.which("gnuplot") is None, "gnuplot is not installed")
class Plots(Bench):
    def setUp(self) -> None:
        super().setUp()
        self.matrix(MATRIX)

    def plots(self, *more: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, str(ROOT / "scripts/plots.py"), "--results", str(self.results), *more],
                              capture_output=True, text=True, timeout=300, check=False)

    def table(self, path: Path) -> list[dict[str, str]]:
        with open(path, encoding="utf-8") as stream:
            return list(csv.DictReader(stream, delimiter="\t"))

    def test_a_run_is_drawn_again_without_measuring_and_its_data_are_complete(self):
        self.bench(fake={"jemalloc": {"crash_at": 1}, "gil/system@2": {"capacity": 1.1}, "refcount/system@2": {"outcome": "unsupported"}})
        before = (self.runs()[0] / "invocations.jsonl").read_bytes()
        done = self.plots()
        self.assertEqual(done.returncode, 0, done.stderr)
        folder = self.runs()[0] / "plots"
        for name in ("throughput_allocators", "throughput_collectors", "peak_rss_allocators", "peak_rss_collectors",
                     "rss_over_time", "threads"):
            for form in ("svg", "png"):
                self.assertGreater((folder / f"{name}.{form}").stat().st_size, 2000, name)
            self.assertIn(f"{name}.png", done.stdout)
        rows = {r["label"]: r for r in self.table(folder / "throughput_allocators.tsv")}
        self.assertEqual(set(rows), {"system", "jemalloc", "pymalloc"})
        self.assertEqual((rows["jemalloc"]["outcome"], rows["jemalloc"]["value"]), ("crash", "NaN"))
        self.assertIn("crash", (folder / "throughput_allocators.svg").read_text())
        self.assertIn("no free cores", (folder / "threads.svg").read_text())
        self.assertEqual((self.runs()[0] / "invocations.jsonl").read_bytes(), before)

    def test_a_backend_has_one_colour_in_every_figure(self):
        folder = fake_run.write(self.results / "run", invocations=2, text=MATRIX) / "plots"
        self.assertEqual(self.plots("--run", str(folder.parent)).returncode, 0)
        pymalloc, cyclic = r"rgb\(213, +94, +0\)", r"rgb\( *17, 119, +51\)"
        for name, colour in (("throughput_allocators", pymalloc), ("peak_rss_allocators", pymalloc),
                             ("throughput_collectors", cyclic), ("rss_over_time", cyclic)):
            self.assertTrue(re.search(colour, (folder / f"{name}.svg").read_text()), name)

    def test_what_is_not_a_run_is_one_line_and_status_2(self):
        fake_run.write(self.results / "run", invocations=2)
        (self.results / "other").mkdir()
        for arguments in (("--run", "other"), ("--run", "/nowhere")):
            done = self.plots(*arguments)
            self.assertEqual((done.returncode, len(done.stderr.strip().splitlines())), (2, 1), done.stderr)

    def test_a_run_of_failures_only_is_still_drawn(self):
        done = self.bench("--workloads", "churn", fake={"*": {"outcome": "not_installed"}}, plots=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("not installed", (self.runs()[0] / "plots/throughput_allocators.svg").read_text())

    def test_a_run_of_one_row_is_drawn(self):
        done = self.bench("--workloads", "cycles", "--collectors", "cyclic", "--allocators", "system", plots=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.runs()[0] / "plots/throughput_collectors.png").is_file())

    def test_a_damaged_run_json_is_one_line(self):
        run = fake_run.write(self.results / "run", invocations=2)
        (run / "run.json").write_text("{")
        done = self.plots("--run", str(run))
        self.assertEqual((done.returncode, len(done.stderr.strip().splitlines())), (2, 1), done.stderr)


if __name__ == "__main__":
    unittest.main()
