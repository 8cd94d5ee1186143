# SPDX-License-Identifier: MIT
"""Attribution: each layer is the difference of two rows, what is left over is a term of its own, and a picture."""
import shutil
import unittest

import fake_run

import attribution
import matrix as matrices
import stats

NS = {"leak/bump": 20.0, "refcount/bump": 35.0, "refcount/pymalloc": 49.0, "cyclic/bump": 42.0,
      "cyclic/pymalloc": 55.0, "gil/bump": 45.0, "gil/pymalloc": 57.0, "segregated/locked:bump": 45.0, "atomic/locked:bump": 55.0}


def samples(ns: dict[str, float], invocations: int = 5) -> dict[str, stats.Rounds]:
    """Rounds whose weather is shared by all rows, as in turns."""
    return {row: {i: {r: (value * (1000 + 10 * i + r), 1000.0) for r in range(5)} for i in range(invocations)} for row, value in ns.items()}


class Steps(unittest.TestCase):
    def fall(self, name: str, ns: dict[str, float] = NS) -> dict[str, attribution.Step]:
        of = next(c for c in attribution.COLLECTORS if c.name == name)
        return {s.layer: s for s in attribution.steps(of, samples(ns), True)}

    def test_a_layer_is_the_difference_of_two_rows_and_the_interaction_is_what_is_left(self):
        found = {layer: step.price.value for layer, step in self.fall("gil").items()}
        for layer, ns in (("mutator", 20), ("counting", 15), ("cycles", 7), ("GIL", 3), ("allocator", 14), ("interaction", -2), ("all", 57)):
            self.assertAlmostEqual(found[layer], ns, delta=0.03 * abs(ns) + 0.1, msg=layer)

    def test_an_interaction_may_be_negative_or_none(self):
        self.assertNotIn("interaction", self.fall("refcount"))
        self.assertLess(self.fall("cyclic")["interaction"].price.high, 0)

    def test_a_waterfall_begins_where_the_last_bar_ended(self):
        steps = list(self.fall("cyclic").values())[:-1]
        for before, after in zip(steps, steps[1:]):
            self.assertEqual(before.end, after.start)

    def test_rows_that_lie_on_each_other_leave_no_interaction(self):
        self.assertEqual(list(self.fall("atomic")), ["mutator", "counting", "cycles, own pages", "atomics", "all"])

    def test_a_collector_of_which_a_row_is_missing_has_no_waterfall(self):
        self.assertEqual(self.fall("cyclic", {k: v for k, v in NS.items() if k != "cyclic/bump"}), {})

    def test_shared_weather_does_not_widen_a_difference(self):
        price = self.fall("cyclic")["cycles"].price
        self.assertLess(price.half_width, 0.2)
        self.assertFalse(price.holds(0.0))

    def test_the_matrix_has_every_row_that_a_layer_needs(self):
        there = {c.label for g in matrices.read("attribution").groups for c in g.configurations}
        for of in attribution.COLLECTORS:
            self.assertLessEqual({of.whole, *(row for _, *rows in of.layers for row in rows)}, there)


class Run(fake_run.InFolder):
    @unittest.skipIf(shutil.which("gnuplot") is None, "gnuplot is not installed")
    def test_a_run_is_read_in_words_and_drawn(self):
        rows = ", ".join(f'"{row}"' for row in NS)
        run = fake_run.write(self.folder / "run", ns=NS, noise=0.01, text=f'[[group]]\nname = "calls"\nworkload = "calls"\nconfigurations = [{rows}]\n')
        done = self.script("attribution.py", str(run))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"gil takes 5[678]\.\d ns, (19|20)\.\d of them the program's own; counting \+1[45]")
        self.assertGreater((run / "plots/attribution_calls.svg").stat().st_size, 4000)
        self.assertIn("interaction", (run / "plots/attribution_calls.tsv").read_text())

    def test_a_run_without_such_rows_is_one_line(self):
        self.assert_refused(self.script("attribution.py", str(fake_run.write(self.folder / "run", invocations=2))), "make attribution")


if __name__ == "__main__":
    unittest.main()
