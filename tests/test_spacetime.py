# SPDX-License-Identifier: MIT
"""Space against time: every swept row is a point with its knob, and the points are drawn."""
import json
import shutil
import unittest

import fake_run
import spacetime
import stats
import summary
import matrix as matrices

MATRIX = "".join(f'[[group]]\nname = "heap_{b}"\nworkload = "autograd"\nconfigurations = ["marksweep/system"]\nheap_budget = {b}\n' for b in (1.5, 3.0)) + \
         "".join(f'[[group]]\nname = "threshold_{t}"\nworkload = "autograd"\nconfigurations = ["cyclic/pymalloc"]\noptions = {{ threshold0 = {t} }}\n'
                 for t in (700, 5000))


class SpaceTime(fake_run.InFolder):
    @unittest.skipIf(shutil.which("gnuplot") is None, "gnuplot is not installed")
    def test_every_swept_row_is_a_point_from_tight_to_generous(self):
        run = fake_run.write(self.folder / "run", ns={"heap_1.5/marksweep/system": 9000.0, "": 5000.0}, text=MATRIX)
        lines = [json.loads(l) for l in (run / "invocations.jsonl").read_text().splitlines()]
        for line in (l for l in lines if l["collector"] == "marksweep"):
            line["options"] = {"heap_bytes": 1 << 22}           # as a run writes it that found the smallest heap
        (run / "invocations.jsonl").write_text("".join(json.dumps(l) + "\n" for l in lines))
        done = self.script("spacetime.py", str(run))
        self.assertEqual(done.returncode, 0, done.stderr)
        header, *rows = [l.split("\t") for l in (run / "plots/spacetime.tsv").read_text().splitlines()]
        points = [dict(zip(header, r)) for r in rows]
        self.assertEqual([(p["collector"], float(p["knob"])) for p in points],
                         [("cyclic", 700), ("cyclic", 5000), ("marksweep", 1.5), ("marksweep", 3)])
        self.assertAlmostEqual(float(points[2]["us"]), 9.0, delta=0.2)
        self.assertGreater((run / "plots/spacetime.svg").stat().st_size, 4000)

    def test_a_threshold_that_is_the_default_is_a_point_though_its_line_does_not_say_so(self):
        run = fake_run.write(self.folder / "run", text=MATRIX)
        lines = [{**json.loads(l), "options": {}} for l in (run / "invocations.jsonl").read_text().splitlines()]
        about = json.loads((run / "run.json").read_text())
        found = spacetime.points(about["matrix"], lines, summary.summarise(about["matrix"], lines))
        self.assertEqual([p.knob for p in found], [700, 5000])

    def test_words_are_on_the_ends_of_a_sweep_and_where_there_is_room(self):
        def point(knob: float, mib: float, ns: float) -> spacetime.Point:
            return spacetime.Point("boehm", knob, f"{knob:g}x", mib * 2**20, stats.Estimate(ns, ns, ns))
        sweep = [point(1.1, 1, 50), point(2, 2, 45), point(3, 2.02, 45), point(4, 2.04, 45.1), point(6, 4, 40)]
        self.assertEqual({p.text for p in spacetime.labelled(sweep)}, {"1.1x", "2x", "6x"})
        self.assertEqual(spacetime.labelled(sweep[:1]), {sweep[0]})

    def test_a_run_without_swept_rows_is_one_line(self):
        self.assert_refused(self.script("spacetime.py", str(fake_run.write(self.folder / "run", invocations=2))), "make spacetime")

    def test_the_matrix_sweeps_from_tight_to_six_times(self):
        budgets = [g["heap_budget"] for g in matrices.read("spacetime").groups if g.name.startswith("heap")]
        self.assertEqual((min(budgets), max(budgets)), (1.1, 6.0))


if __name__ == "__main__":
    unittest.main()
