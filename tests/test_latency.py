# SPDX-License-Identifier: MIT
"""Latency: a pause is seen by whoever was due while it lasted; medians over invocations are told and drawn."""
import json
import pathlib
import shutil
import subprocess
import unittest

import fake_run
import matrix as matrices

BIN = pathlib.Path(__file__).resolve().parent.parent / "build/bin"
MATRIX = '[[group]]\nname = "requests"\nworkload = "requests"\nmethod = "blocks"\nconfigurations = ["refcount/system", "cyclic/system"]\n'


def requests(*more: str) -> dict[str, float]:
    """The figures of one unit."""
    done = subprocess.run([BIN / "cyclic", "requests", "table=100", *more, "--units=1", "--rounds=1"], capture_output=True, text=True, check=True)
    return {name: said["mean"] for name, said in json.loads(done.stdout)["figures"].items()}


class Server(unittest.TestCase):
    def test_a_planted_pause_is_in_the_metered_latencies_and_not_in_the_simple_ones(self) -> None:
        calm, stalled = (requests("size=4000", "rate=100000", f"stall_us={stall}") for stall in (0, 20000))
        self.assertLess(calm["metered_p50_ns"], 1e6)
        self.assertGreaterEqual(stalled["metered_max_ns"], 19.9e6)      # who was due as it began
        self.assertGreater(stalled["metered_p90_ns"], 5e6)              # half of the 4,000 were due in the meantime
        self.assertGreater(stalled["late_share"], 0.3)
        self.assertLess(stalled["simple_p99_ns"], 1e6)

    def test_a_percentile_is_withheld_where_fewer_than_ten_lie_above_it(self) -> None:
        told = requests("size=999", "rate=1000000")
        self.assertIn("metered_p90_ns", told)
        self.assertNotIn("metered_p99_ns", told)
        self.assertIn("metered_p99_ns", requests("size=1000", "rate=1000000"))

    def test_metered_is_never_less_than_simple(self) -> None:
        told = requests("size=2000", "rate=100000")
        for place in ("p50", "p90", "p99", "max"):
            self.assertLessEqual(told[f"simple_{place}_ns"], told[f"metered_{place}_ns"])


class Latency(fake_run.InFolder):
    def run_with(self, figures: dict[str, dict[str, float]]) -> pathlib.Path:
        run = fake_run.write(self.folder / "run", invocations=5, text=MATRIX)
        lines = [json.loads(l) for l in (run / "invocations.jsonl").read_text().splitlines()]
        for line in lines:
            told = figures.get(line["label"].removesuffix("#2"), {})
            line["figures"] = {n: {"count": 1, "mean": v, "least": v, "most": v} for n, v in told.items()}
            line["declared"] = {"operations": 1000, "allocations": 1, "bytes": 1, "references": 1}
        (run / "invocations.jsonl").write_text("".join(json.dumps(l) + "\n" for l in lines))
        return run

    @unittest.skipIf(shutil.which("gnuplot") is None, "gnuplot is not installed")
    def test_they_are_told_and_drawn_and_what_was_withheld_says_so(self) -> None:
        one = {f"{kind}_{place}_ns": at * factor for kind, factor in (("simple", 1), ("metered", 7))
               for place, at in (("p50", 1000.0), ("p90", 2000.0), ("p99", 30000.0), ("max", 400000.0))}
        run = self.run_with({"refcount/system": {**one, "late_share": 0.25}, "cyclic/system": {n: 3 * v for n, v in one.items()}})
        done = self.script("latency.py", str(run))
        self.assertEqual(done.returncode, 0, done.stderr)
        row = next(l for l in done.stdout.splitlines() if "refcount/system" in l)
        for words in ("25.0 %", "1,000 ns", "withheld", "210 µs", "2,800 µs"):
            self.assertIn(words, row)
        header, *rows = [l.split("\t") for l in (run / "plots/latency.tsv").read_text().splitlines()]
        self.assertEqual(len(rows), 2 * 2 * 4)
        self.assertGreater((run / "plots/latency.svg").stat().st_size, 4000)
        self.assertIn("metered", self.script("report.py", str(run)).stdout + (run / "index.html").read_text())

    def test_a_run_without_latencies_is_one_line(self) -> None:
        self.assert_refused(self.script("latency.py", str(self.run_with({}))), "make latency")

    def test_the_matrix_is_an_open_loop_on_what_counts_and_what_traces(self) -> None:
        group, = matrices.read("latency").groups
        self.assertLessEqual({"refcount", "gil", "marksweep"}, {c.collector for c in group.configurations})
        self.assertEqual((group["units"], group["block_rounds"]), (1, 1))


if __name__ == "__main__":
    unittest.main()
