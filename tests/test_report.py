# SPDX-License-Identifier: MIT
"""The report's data: complete, in one file, in the plots' colours, and a word for what cannot be shown."""
import json
import re
import tempfile
import unittest
from pathlib import Path

import fake_run

import memory_metrics
import overhead
import record
import report
import summary


class Report(fake_run.InFolder):
    def page(self, run: Path) -> tuple[str, dict]:
        done = self.script("report.py", str(run))
        self.assertEqual(done.returncode, 0, done.stderr)
        text = (run / "index.html").read_text()
        return text, json.loads(re.search(r'<script type="application/json" id="run">(.*?)</script>', text, re.S)[1])

    def test_every_configuration_of_the_run_is_a_row_with_its_invocations(self):
        run = fake_run.write(self.folder / "run", invocations=6, outcomes={"leak/bump": "heap_full"}, pauses=True)
        _, data = self.page(run)
        rows = {(r["group"], r["label"]): r for g in data["groups"] for r in g["rows"]}
        self.assertEqual(len(rows), 10)
        self.assertEqual(len(rows["churn", "system"]["values"]), 6)
        self.assertEqual((rows["calls", "leak/bump"]["outcome"], rows["calls", "leak/bump"]["ns"]), ("heap_full", None))
        self.assertEqual(rows["calls", "cyclic/pymalloc"]["pauses"]["max"], 9000)
        self.assertIsNone(rows["calls", "cyclic/pymalloc"]["pauses"]["p99"])

    def test_it_asks_for_nothing_from_outside(self):
        text, _ = self.page(fake_run.write(self.folder / "run", invocations=2))
        self.assertEqual(set(re.findall(r"https?://[^\s\"']+", text)), {"http://www.w3.org/2000/svg"})
        self.assertNotIn("{{", text)

    def test_a_colour_is_that_of_the_plots(self):
        colours = report.colours()
        self.assertEqual((colours["pymalloc"], colours["cyclic"], colours["system"]), ("#D55E00", "#117733", "#333333"))

    def test_words_of_a_run_cannot_end_the_script_that_holds_them(self):
        text, data = self.page(fake_run.write(self.folder / "run", invocations=2, text=fake_run.MATRIX.replace("steady state", "</script><b>")))
        self.assertEqual(data["groups"][0]["title"], "</script><b>")

    def test_what_cannot_be_shown_is_one_line_and_status_2(self):
        run = fake_run.write(self.folder / "run", invocations=2)
        (run / "invocations.jsonl").write_text("")
        self.assert_refused(self.script("report.py", str(run)), "is empty")

    def test_what_is_damaged_or_was_not_measured_is_said_and_the_rest_is_shown(self):
        run = fake_run.write(self.folder / "run", invocations=2)
        (run / "claims.json").write_text("{}")
        (run / "instructions.tsv").write_text("group\tlabel\tper_operation\nchurn\tsystem\tmany\n")
        lines = [l for l in (run / "invocations.jsonl").read_text().splitlines(keepends=True)
                 if '"group": "calls"' not in l and '"label": "jemalloc"' not in l]
        (run / "invocations.jsonl").write_text("".join(lines))
        _, data = self.page(run)
        for words in ("claims.json is damaged", "instructions.tsv is damaged", "Not measured, though planned: calls"):
            self.assertIn(words, data["lead"])
        self.assertEqual([g["name"] for g in data["groups"]], ["churn", "own"])
        self.assertTrue(any("not measured, though planned: jemalloc" in note for note in data["groups"][0]["notes"]), data["groups"][0]["notes"])

    def test_half_a_run_with_a_group_missing_is_shown_and_says_so(self):
        run = fake_run.write(self.folder / "run", invocations=2)
        lines = [l for l in (run / "invocations.jsonl").read_text().splitlines(keepends=True) if '"group": "calls"' not in l]
        (run / "invocations.jsonl").write_text("".join(lines))
        (run / "run.json").write_text(json.dumps({**json.loads((run / "run.json").read_text()), "finished": None}))
        _, data = self.page(run)
        self.assertEqual([g["name"] for g in data["groups"]], ["churn", "own"])
        self.assertIn("Not finished", data["lead"])

    def test_the_peak_of_a_long_curve_of_memory_is_never_thinned_away(self):
        run = fake_run.write(self.folder / "run")
        lines = [json.loads(l) for l in (run / "invocations.jsonl").read_text().splitlines()]
        for line in lines:
            if line["purpose"] == "memory":
                line["memory"]["series"] = [[i * 10**6, 10**9 if i == 777 else 10**7, 0] for i in range(1000)]
        (run / "invocations.jsonl").write_text("".join(json.dumps(l) + "\n" for l in lines))
        curves = [r["series"] for g in self.page(run)[1]["groups"] for r in g["rows"] if r["series"]]
        self.assertTrue(curves)
        for curve in curves:
            self.assertGreater(max(point[1] for point in curve), 9 * 10**8)
            self.assertLess(len(curve), 400)

    def test_utilisation_is_told_without_waits_for_the_gil_where_there_were_some(self):
        run = fake_run.write(self.folder / "run", pauses=True)
        lines = [json.loads(l) for l in (run / "invocations.jsonl").read_text().splitlines()]
        for line in lines:
            if line["purpose"] == "pauses" and line["collector"] == "gil":
                line["pauses"] |= {"gil_ns": 10**6, "mmu_without_gil": [[1, 0.5], [10, 0.9], [100, None]]}
        (run / "invocations.jsonl").write_text("".join(json.dumps(l) + "\n" for l in lines))
        told = [r for g in self.page(run)[1]["groups"] for r in g["rows"] if r["pauses"]]
        self.assertLessEqual({"gil", "cyclic"}, {r["backend"] for r in told})
        for row in told:
            self.assertEqual(row["pauses"]["mmu"], [[1, 0.2], [10, 0.8]])
            self.assertEqual(row["pauses"]["mmu_without_gil"], [[1, 0.5], [10, 0.9]] if row["backend"] == "gil" else [])

    def test_every_collector_with_a_time_has_its_lower_bound_in_the_page(self):
        rows = [r for g in self.page(fake_run.write(self.folder / "run"))[1]["groups"] if g["name"] == "calls" for r in g["rows"]]
        self.assertTrue(rows)
        for row in rows:
            self.assertGreaterEqual(row["lbo"], 1)


class LowerBound(unittest.TestCase):
    def bounds(self, **how: object) -> dict:
        with tempfile.TemporaryDirectory() as folder:
            run = fake_run.write(Path(folder) / "run", ns={"leak/bump": 5.0, "cyclic/pymalloc": 20.0}, **how)
            about, lines = record.read_run(run), record.read_lines(run)
            groups = {g.name: g for g in summary.summarise(about["matrix"], lines)}
            return {name: overhead.lower_bounds(groups[name], lines) for name in ("calls", "churn")}

    def test_it_is_time_over_the_cheapest_collectors(self):
        found = self.bounds()["calls"]
        self.assertEqual(found["leak/bump"].value, 1.0)
        self.assertAlmostEqual(found["cyclic/pymalloc"].value, 4.0, delta=0.1)

    def test_what_the_cheapest_was_seen_to_stop_is_not_the_mutators(self):
        self.assertAlmostEqual(self.bounds(pauses=True)["calls"]["leak/bump"].value, 1 / 0.9, delta=0.01)

    def test_allocators_have_none(self):
        self.assertEqual(self.bounds()["churn"], {})


class Memory(unittest.TestCase):
    LINE = {"memory": {"baseline_rss": 100, "workload_bytes": 0, "series": [[0, 100, 0], [10**9, 300, 50], [3 * 10**9, 300, 60]],
                       "held_bytes": 200, "used_bytes": 80}}

    def test_the_integral_is_bytes_times_seconds_above_the_empty_process(self):
        self.assertAlmostEqual(memory_metrics.integral(self.LINE), 100 + 400)

    def test_fragmentation_is_what_nobody_asked_for_and_what_is_in_no_block(self):
        self.assertAlmostEqual(memory_metrics.internal(self.LINE), 1 - 60 / 80)
        self.assertAlmostEqual(memory_metrics.external(self.LINE), 1 - 80 / 200)

    def test_what_an_allocator_cannot_say_is_none(self):
        silent = {"memory": {**self.LINE["memory"], "held_bytes": None, "used_bytes": None}}
        self.assertEqual((memory_metrics.internal(silent), memory_metrics.external(silent)), (None, None))
        self.assertIsNone(memory_metrics.of([])["integral"])


if __name__ == "__main__":
    unittest.main()
