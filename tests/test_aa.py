# SPDX-License-Identifier: MIT
"""A/A: what does not differ passes, a planted difference does not, and too little to compare is refused."""
import re
import unittest

import fake_run

import aa

TWINS = '[[group]]\nname = "aa"\nworkload = "calls"\nconfigurations = ["cyclic/pymalloc"]\n'


class AA(fake_run.InFolder):
    def told(self, invocations: int, **how: object):
        return self.script("aa.py", str(fake_run.write(self.folder / "run", invocations=invocations, text=TWINS, **how)))

    def test_a_hundred_comparisons_of_nothing_have_at_most_five_alarms(self) -> None:
        done = self.told(500, noise=0.02)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        said = re.search(r"(\d+) false alarms in 100 comparisons \(100 as measured\)", done.stdout)
        self.assertLessEqual(int(said[1]), 5)

    def test_a_run_with_too_few_says_how_many_were_measured(self) -> None:
        self.assertIn("(2 as measured, the others with labels exchanged)", self.told(11).stdout)

    def test_twins_of_which_one_is_slower_fail(self) -> None:
        done = self.told(500, ns={"aa/cyclic/pymalloc#2": 10.5, "": 10.0})
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("100 false alarms", done.stdout)

    def test_fewer_than_five_invocations_are_one_line(self) -> None:
        self.assert_refused(self.told(4), "make aa")

    def test_exchanging_labels_leaves_a_planted_difference_of_one_pair_in_half_of_the_repetitions(self) -> None:
        one, other = {i: {0: (100.0, 1.0)} for i in range(5)}, {i: {0: (200.0, 1.0)} for i in range(5)}
        first, *others = aa.comparisons([(one, other, True)], wanted=50)
        self.assertEqual(first.value, 0.5)
        self.assertTrue({r.value for r in others} <= {0.5, 2})
        self.assertEqual(len({r.value for r in others}), 2)


if __name__ == "__main__":
    unittest.main()
