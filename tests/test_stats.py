# SPDX-License-Identifier: MIT
"""The statistics: estimators against known truths, the interval's coverage by simulation, scipy where it is."""
import math
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
import stats  # noqa: E402

try:
    import scipy.stats
except ImportError:
    scipy = None


def simulated(draw: np.random.Generator, invocations: int, rounds: int, ns: float, between: float, within: float,
              weather: np.ndarray | None = None) -> stats.Rounds:
    """A sample with noise between invocations, within them, and a drift that both sides of a ratio share."""
    weather = np.ones((invocations, rounds)) if weather is None else weather
    return {i: {r: (1000 * ns * layout * draw.lognormal(0, within) * weather[i, r], 1000.0) for r in range(rounds)}
            for i, layout in enumerate(draw.lognormal(0, between, invocations))}


class Estimators(unittest.TestCase):
    def test_inside_an_invocation_time_is_summed_so_that_rare_long_rounds_count(self):
        rounds = {r: (100.0, 10.0) for r in range(9)} | {9: (1100.0, 10.0)}
        self.assertAlmostEqual(stats.per_operation(rounds), 20.0)

    def test_across_invocations_the_median_is_taken(self):
        sample = {0: {0: (10.0, 1.0)}, 1: {0: (11.0, 1.0)}, 2: {0: (500.0, 1.0)}}
        self.assertEqual(stats.median_of(sample).value, 11.0)

    def test_one_invocation_has_no_interval(self):
        estimate = stats.median_of({0: {0: (10.0, 1.0), 1: (12.0, 1.0)}})
        self.assertEqual((estimate.value, math.isnan(estimate.low)), (11.0, True))

    def test_no_valid_round_is_no_estimate(self):
        self.assertIsNone(stats.median_of({0: {}}))
        self.assertIsNone(stats.ratio_of({0: {0: (1.0, 1.0)}}, {1: {0: (1.0, 1.0)}}, True))

    def test_a_drift_shared_by_both_sides_cancels_in_a_paired_ratio(self):
        draw = np.random.default_rng(5)
        weather = draw.uniform(1, 3, (5, 11))
        a = simulated(draw, 5, 11, 10, 0.0, 0.002, weather)
        b = simulated(draw, 5, 11, 15, 0.0, 0.002, weather)
        ratio = stats.ratio_of(b, a, True)
        self.assertAlmostEqual(ratio.value, 1.5, delta=0.01)
        self.assertLess(ratio.half_width, 0.01)
        self.assertGreater(stats.ratio_of(b, a, False).half_width, 5 * ratio.half_width)

    def test_a_round_missing_on_one_side_is_left_out_of_a_paired_ratio(self):
        a = {i: {0: (10.0, 1.0), 1: (99.0, 1.0)} for i in range(5)}
        b = {i: {0: (20.0, 1.0)} for i in range(5)}
        self.assertEqual(stats.ratio_of(b, a, True).value, 2.0)

    def test_the_same_seed_gives_the_same_interval(self):
        sample = simulated(np.random.default_rng(1), 5, 11, 10, 0.01, 0.02)
        once, again = stats.median_of(sample), stats.median_of(sample)
        self.assertEqual((once.low, once.high), (again.low, again.high))


class Coverage(unittest.TestCase):
    """How often the 95 % interval holds the truth, of 200 simulated measurements."""

    def setUp(self) -> None:
        self.addCleanup(setattr, stats, "DRAWS", stats.DRAWS)
        stats.DRAWS = 400

    def covered(self, invocations: int, rounds: int, between: float, within: float, paired: bool = True) -> float:
        draw, hits = np.random.default_rng(invocations * 100 + rounds), 0
        for _ in range(200):
            a = simulated(draw, invocations, rounds, 10, between, within)
            b = simulated(draw, invocations, rounds, 13, between, within)
            hits += (stats.ratio_of(b, a, True) if paired else stats.ratio_of_medians(b, a)).holds(1.3)
        return hits / 200

    def test_of_a_ratio_is_93_in_100_with_any_number_of_invocations(self):
        for invocations in (2, 3, 4, 5, 6, 7, 8, 11, 13):
            with self.subTest(f"{invocations} invocations"):
                self.assertGreaterEqual(self.covered(invocations, 5, 0.01, 0.001), 0.93)

    def test_of_a_ratio_with_many_invocations_is_not_far_too_wide(self):
        self.assertLessEqual(self.covered(15, 5, 0.02, 0.01), 0.995)

    def test_of_a_ratio_whose_noise_is_all_within_invocations(self):
        self.assertGreaterEqual(self.covered(5, 11, 0.0, 0.02), 0.93)

    def test_of_two_runs(self):
        self.assertGreaterEqual(self.covered(5, 5, 0.01, 0.01, paired=False), 0.93)
        self.assertGreaterEqual(self.covered(9, 5, 0.01, 0.001, paired=False), 0.93)

    def test_survives_that_one_stops_as_soon_as_the_interval_is_narrow(self):
        stats.DRAWS, hits, stopped = 300, 0, []
        draw = np.random.default_rng(11)
        for _ in range(120):
            a, b = (simulated(draw, 20, 5, 10, 0.012, 0.005) for _ in range(2))
            before = now = None
            for n in range(stats.FEWEST, 21):
                before, now = now, stats.ratio_of({i: b[i] for i in range(n)}, {i: a[i] for i in range(n)}, True)
                if before and stats.enough([now], [before], 0.02):
                    break
            hits += now.holds(1.0)
            stopped.append(n)
        self.assertGreaterEqual(hits / 120, 0.93)
        self.assertTrue(stats.FEWEST < np.median(stopped) < 20, stopped)


class Stopping(unittest.TestCase):
    NARROW, WIDE = stats.Estimate(1.0, 0.99, 1.01), stats.Estimate(1.0, 0.9, 1.1)

    def test_one_narrow_look_may_be_luck_and_does_not_stop(self):
        self.assertFalse(stats.enough([self.NARROW], [self.WIDE], 0.02))
        self.assertFalse(stats.enough([self.WIDE], [self.NARROW], 0.02))
        self.assertTrue(stats.enough([self.NARROW], [self.NARROW], 0.02))

    def test_the_widest_row_decides_and_one_without_a_ratio_does_not_keep_us(self):
        self.assertFalse(stats.precise([self.NARROW, self.WIDE], 0.02))
        self.assertTrue(stats.precise([self.NARROW, None], 0.02))
        self.assertFalse(stats.precise([stats.Estimate(1.0, math.nan, math.nan)], 0.02))


class MannWhitney(unittest.TestCase):
    def test_eight_below_eight_others_is_one_choice_of_12870_on_either_side(self):
        self.assertAlmostEqual(stats.mann_whitney(list(range(8)), list(range(8, 16))), 2 / 12870)

    def test_a_sample_and_itself_do_not_differ(self):
        values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]
        self.assertEqual(stats.mann_whitney(values, values), 1.0)

    def test_it_is_the_same_from_either_side_and_with_ties(self):
        draw = np.random.default_rng(2)
        a, b = list(draw.integers(0, 6, 9)), list(draw.integers(1, 8, 12))
        self.assertAlmostEqual(stats.mann_whitney(a, b), stats.mann_whitney(b, a))
        self.assertLess(stats.mann_whitney(a, b), 1)

    def test_fewer_than_eight_have_no_test(self):
        self.assertTrue(math.isnan(stats.mann_whitney(list(range(7)), list(range(20)))))

    def test_two_runs_of_eight_invocations_are_tested_exactly(self):
        fast, slow = ({i: {0: (ns + i, 1.0)} for i in range(8)} for ns in (100.0, 200.0))
        self.assertAlmostEqual(stats.ratio_of_medians(slow, fast).p_one, 2 / 12870)


class Judging(unittest.TestCase):
    def test_the_noise_floor_is_the_worse_of_width_and_distance(self):
        self.assertAlmostEqual(stats.noise_floor(stats.Estimate(1.001, 0.99, 1.012)), 0.011)
        self.assertAlmostEqual(stats.noise_floor(stats.Estimate(1.05, 1.04, 1.06)), 0.05)
        self.assertTrue(math.isnan(stats.noise_floor(None)))

    def test_an_effect_under_the_floor_is_no_difference_and_over_it_has_a_direction(self):
        self.assertEqual(stats.verdict(stats.Estimate(1.02, 1.01, 1.03), 0.03), "no difference")
        self.assertEqual(stats.verdict(stats.Estimate(0.98, 0.97, 0.99), 0.03), "no difference")
        self.assertEqual(stats.verdict(stats.Estimate(1.50, 1.40, 1.60), 0.03), "1.50x slower")
        self.assertEqual(stats.verdict(stats.Estimate(0.50, 0.40, 0.60), 0.03), "2.00x faster")
        self.assertEqual(stats.verdict(stats.Estimate(1.10, 0.90, 1.30), 0.03), "unclear")

    def test_pairs_are_judged_together_so_that_twelve_good_ones_seldom_fail(self):
        self.assertEqual(stats.holm([0.04] * 12), [False] * 12)
        self.assertEqual(stats.holm([0.001, 0.04, float("nan")]), [True, True, False])
        self.assertEqual(stats.holm([0.03, 0.04]), [False, False])

    def test_identical_programs_differ_in_a_twentieth_of_measurements(self):
        draw, alarms, kept = np.random.default_rng(3), 0, stats.DRAWS
        stats.DRAWS = 500
        try:
            for _ in range(200):
                a, b = (simulated(draw, 5, 11, 10, 0.01, 0.02) for _ in range(2))
                alarms += stats.ratio_of(b, a, True).p_one < 0.05
        finally:
            stats.DRAWS = kept
        self.assertLessEqual(alarms / 200, 0.05)


@unittest.skipIf(scipy is None, "scipy is not installed")
class AgainstScipy(unittest.TestCase):
    def test_the_interval_of_a_median_is_scipys_percentile_bootstrap(self):
        values = np.random.default_rng(7).normal(100, 3, 12)
        theirs = scipy.stats.bootstrap((values,), np.median, method="percentile", n_resamples=20000,
                                       confidence_level=1 - 2 * stats.OUTSIDE,
                                       random_state=1).confidence_interval
        ours = stats.median_of({i: {0: (v, 1.0)} for i, v in enumerate(values)})
        self.assertAlmostEqual(ours.low, theirs.low, delta=0.5)
        self.assertAlmostEqual(ours.high, theirs.high, delta=0.5)

    def test_the_exact_test_of_ranks_is_scipys(self):
        draw = np.random.default_rng(4)
        for n, m in ((8, 8), (9, 13), (20, 25)):
            a, b = draw.normal(0, 1, n), draw.normal(0.7, 1, m)
            theirs = scipy.stats.mannwhitneyu(a, b, method="exact").pvalue
            self.assertAlmostEqual(stats.mann_whitney(list(a), list(b)), theirs, delta=1e-9)

    def test_with_ties_it_is_all_permutations_of_scipy(self):
        a, b = [1, 1, 2, 3, 3, 3, 5, 8], [2, 3, 3, 5, 5, 8, 8, 9]
        theirs = scipy.stats.permutation_test((a, b), lambda x, y: scipy.stats.rankdata([*x, *y])[:8].sum(),
                                              vectorized=False, n_resamples=np.inf).pvalue
        self.assertAlmostEqual(stats.mann_whitney(a, b), theirs, delta=1e-9)

    def test_the_widening_for_few_invocations_is_students(self):
        for n, wider in stats._WIDER.items():
            exact = scipy.stats.t.ppf(0.975, n - 1) / scipy.stats.norm.ppf(0.975) * math.sqrt(n / (n - 1))
            self.assertAlmostEqual(wider, exact, delta=0.005 * exact)


class Students(unittest.TestCase):
    def test_the_tail_is_that_of_the_tables_for_odd_and_even_degrees(self) -> None:
        for freedom, t in ((1, 12.706), (2, 4.3027), (3, 3.1824), (4, 2.7764), (7, 2.3646), (8, 2.3060), (21, 2.0796)):
            self.assertAlmostEqual(stats.student_tail(t, freedom), 0.05, places=5)
        self.assertAlmostEqual(stats.student_tail(9, 8), 1.853e-5, places=8)
        self.assertEqual(stats.student_tail(0, 5), 1)

    def test_the_chance_of_a_paired_ratio_is_students_of_its_logarithms(self) -> None:
        base = {i: {0: (100.0, 1.0)} for i in range(5)}
        twice = {i: {0: (100.0 * r, 1.0)} for i, r in enumerate((1.9, 2.0, 2.1, 2.0, 2.05))}
        logs = [math.log(r) for r in (1.9, 2.0, 2.1, 2.0, 2.05)]
        t = sum(logs) / 5 / (float(np.std(logs, ddof=1)) / 5 ** 0.5)
        self.assertAlmostEqual(stats.ratio_of(twice, base, True).p_one, stats.student_tail(t, 4), places=12)
        self.assertTrue(math.isnan(stats.ratio_of({0: base[0]}, base, True).p_one))
        self.assertEqual(stats.ratio_of(base, base, True).p_one, 1)

    @unittest.skipIf(scipy is None, "scipy is not installed")
    def test_two_runs_of_few_invocations_are_welchs(self) -> None:
        draw = np.random.default_rng(3)
        for _ in range(20):
            one, other = draw.lognormal(sigma=0.1, size=5), draw.lognormal(sigma=0.3, size=6)
            found = stats.ratio_of_medians(stats.single(dict(enumerate(one))), stats.single(dict(enumerate(other)))).p_one
            exact = scipy.stats.ttest_ind(np.log(one), np.log(other), equal_var=False).pvalue
            self.assertTrue(exact <= found <= exact * 1.6 + 1e-9, (exact, found))      # whole degrees of freedom, rounded down


if __name__ == "__main__":
    unittest.main()
