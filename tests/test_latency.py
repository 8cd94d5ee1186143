# SPDX-License-Identifier: MIT
"""Latency: a pause is seen by whoever was due while it lasted; medians over invocations are told and drawn."""
import json
import pathlib
import shutil
import subprocess
import unittest
from collections.abc import Callable

import fake_run
from run_support import needs

import matrix as matrices
import compare
import overhead
import record
import summary
import table

BIN = pathlib.Path(__file__).resolve().parent.parent / "build/bin"
MATRIX = '[[group]]\nname = "requests"\nworkload = "requests"\nmethod = "blocks"\nconfigurations = ["refcount/system", "cyclic/system"]\n'


def requests(*more: str) -> dict[str, float]:
    """The figures of one unit."""
    done = subprocess.run([BIN / "cyclic", "requests", "table=100", *more, "--units=1", "--rounds=1"], capture_output=True, text=True, check=True)
    return {name: said["mean"] for name, said in json.loads(done.stdout)["figures"].items()}


class Server(unittest.TestCase):
    def once(self, expected: Callable[[dict[str, float]], bool], *arguments: str) -> None:
        """A trial takes 40 ms at most. A busy machine stops the server in many of them, and its stops are in the figures too:
        what is expected of one that nobody disturbs shows in one of a hundred."""
        told: dict[str, float] = {}
        for _ in range(100):
            if expected(told := requests(*arguments)):
                return
        self.fail(f"{arguments}: {told}")

    def test_a_planted_pause_is_in_the_metered_latencies_and_not_in_the_simple_ones(self) -> None:
        self.once(lambda calm: calm["metered_p90_ns"] < 1e6, "size=400", "rate=100000")
        stalled = ("size=4000", "rate=100000", "stall_us=20000")
        self.once(lambda told: told["simple_p99_ns"] < 1e6, *stalled)
        told = requests(*stalled)
        self.assertGreaterEqual(told["metered_max_ns"], 19.9e6)         # who was due as it began
        self.assertGreater(told["metered_p90_ns"], 5e6)                 # half of the 4,000 were due in the meantime
        self.assertGreater(told["late_share"], 0.3)

    def test_a_percentile_is_withheld_where_fewer_than_ten_lie_above_it(self) -> None:
        told = requests("size=999", "rate=1000000")
        self.assertIn("metered_p90_ns", told)
        self.assertNotIn("metered_p99_ns", told)
        self.assertIn("metered_p99_ns", requests("size=1000", "rate=1000000"))

    def test_metered_and_smoothed_are_never_less_than_simple(self) -> None:
        for arrivals in ("exponential", "uniform"):
            told = requests("size=2000", "rate=100000", f"arrivals={arrivals}")
            for place in ("p50", "p90", "p99", "max"):
                for kind in ("metered", "smoothed"):
                    self.assertLessEqual(told[f"simple_{place}_ns"], told[f"{kind}_{place}_ns"], (arrivals, kind, place))

    def test_smoothing_finds_the_planted_pause_in_the_starts_if_the_window_is_longer_than_it(self) -> None:
        stalled = ("size=4000", "rate=100000", "arrivals=uniform", "stall_us=20000")
        # of 40 ms, or of few more, evenly told: half of it, before the pause
        self.once(lambda wide: wide["smoothed_max_ns"] > 10e6 and wide["smoothed_p90_ns"] > 2e6, *stalled, "window_ms=100")
        self.once(lambda narrow: narrow["smoothed_p99_ns"] < 1e6, *stalled, "window_ms=1")
        self.assertGreater(requests(*stalled, "window_ms=1")["metered_p90_ns"], 5e6)      # which needs no window

    def test_uniform_requests_are_due_at_the_same_distances_whatever_the_seed(self) -> None:
        def took_ns(*more: str) -> int:
            done = subprocess.run([BIN / "cyclic", "requests", "size=1000", "rate=20000", "table=10", *more, "--units=1", "--rounds=1"],
                                  capture_output=True, text=True, check=True)
            return json.loads(done.stdout)["rounds"][0]["wall_ns"]
        for seed in (1, 2, 3):                                  # 50 ms, and the sorting; exponential gaps scatter by 3 %
            self.assertGreaterEqual(took_ns("arrivals=uniform", f"--seed={seed}"), 50e6)
        self.assertTrue(any(took_ns(f"--seed={seed}") < 49.9e6 for seed in range(1, 100)))      # one that nothing holds up

    def test_two_threads_answer_the_same_and_wrong_arrivals_are_refused(self) -> None:
        told = subprocess.run([BIN / "gil", "requests", "size=2000", "table=100", "rate=20000", "--units=1", "--rounds=2", "--threads=2", "--no-capacity"],
                              capture_output=True, text=True, check=True)
        self.assertEqual(len({r["checksum"] for r in json.loads(told.stdout)["rounds"]}), 1)
        for wrong in ("arrivals=never", "window_ms=0"):
            done = subprocess.run([BIN / "cyclic", "requests", wrong], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), done.stderr)


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

    @needs("gnuplot")
    def test_they_are_told_and_drawn_and_what_was_withheld_says_so(self) -> None:
        one = {f"{kind}_{place}_ns": at * factor for kind, factor in (("simple", 1), ("metered", 7), ("smoothed", 5))
               for place, at in (("p50", 1000.0), ("p90", 2000.0), ("p99", 30000.0), ("max", 400000.0))}
        run = self.run_with({"refcount/system": {**one, "late_share": 0.25}, "cyclic/system": {n: 3 * v for n, v in one.items()}})
        done = self.script("latency.py", str(run))
        self.assertEqual(done.returncode, 0, done.stderr)
        said = done.stdout.splitlines()
        at = next(i for i, l in enumerate(said) if "refcount/system" in l)
        for line, told in zip(said[at:], (("25.0 %", "simple", "1,000 ns", "withheld"), ("metered", "210 µs", "withheld", "2,800 µs"),
                                          ("smoothed", "150 µs", "2,000 µs"))):
            for words in told:
                self.assertIn(words, line)
        header, *rows = [l.split("\t") for l in (run / "plots/latency.tsv").read_text().splitlines()]
        self.assertEqual(len(rows), 2 * 2 * 4)
        self.assertGreater((run / "plots/latency.svg").stat().st_size, 4000)
        self.assertIn("metered", self.script("report.py", str(run)).stdout + (run / "index.html").read_text())

    @needs("gnuplot")
    def test_a_run_from_before_smoothing_is_told_without_it(self) -> None:
        run = self.run_with({"refcount/system": {f"{kind}_{place}_ns": 1000.0 for kind in ("simple", "metered") for place in ("p50", "max")}})
        done = self.script("latency.py", str(run))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("metered", done.stdout)
        self.assertNotIn("smoothed", done.stdout)

    def test_there_is_no_overhead_of_requests_whose_time_is_the_schedules(self) -> None:
        for figures, bounded in (({}, True), ({"refcount/system": {"late_share": 0.25}}, False)):
            lines = record.read_lines(run := self.run_with(figures))
            group, = summary.summarise(record.read_run(run)["matrix"], lines)
            self.assertEqual(bool(overhead.lower_bounds(group, lines)), bounded)
            judged = {r.label: (r.verdict, r.ratio is None) for r in group.rows}
            self.assertEqual(judged["cyclic/system"] == ("open loop", True), not bounded, judged)
            self.assertEqual("late_share=0.25" in table.summary_tsv([group], lines), not bounded)
            change, = [c for c in compare.compare(*[compare.side(str(run), self.folder)] * 2) if "refcount" in c.name]
            self.assertEqual("open loop" in change.why, not bounded, change)
            shutil.rmtree(run)

    def test_a_run_without_latencies_is_one_line(self) -> None:
        self.assert_refused(self.script("latency.py", str(self.run_with({}))), "make latency")

    def test_the_matrix_is_an_open_loop_on_what_counts_and_what_traces(self) -> None:
        group, = matrices.read("latency").groups
        self.assertLessEqual({"refcount", "gil", "marksweep"}, {c.collector for c in group.configurations})
        self.assertEqual((group["units"], group["block_rounds"]), (1, 1))


if __name__ == "__main__":
    unittest.main()
