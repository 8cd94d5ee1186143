# SPDX-License-Identifier: MIT
"""The heap of what traces: found to a twentieth, given in full, and never touched where it would mean nothing."""
import unittest
from unittest import mock

from run_support import ROOT

import heaps
import matrix
from resident import Ended, Harness

MIB = 1 << 20
KNOWN = {"marksweep": {"collector": {"counts": "none", "options": [{"name": "heap_bytes"}, {"name": "growth_percent"}]}},
         "leak": {"collector": {"counts": "none", "options": []}},
         "cyclic": {"collector": {"counts": "plain", "options": [{"name": "heap_bytes"}]}}}


def plan(*collectors: str, options: tuple = (), **settings: object) -> matrix.Matrix:
    rows = tuple(matrix.Configuration("chain", (), c, "system", options=options) for c in collectors)
    group = matrix.Group("chain", "chain", {}, rows, rows[0].label, rows[0].label, "collectors", "chain", {**matrix.DEFAULTS, **settings})
    return matrix.Matrix("m", "", (group,), group.settings)


class Finding(unittest.TestCase):
    def budgeted(self, needed: int, **settings: object) -> dict:
        """The options that marksweep gets, if it needs so many bytes to finish."""
        self.probes = []

        def whole(harness, group, row, repetition, core, flags):
            self.probes.append(dict(row.options)["heap_bytes"])
            if self.probes[-1] < needed // 2:
                raise Ended("timeout", "")                              # a heap much too small may only be slow
            return {"outcome": "ok" if self.probes[-1] >= needed else "heap_full"}

        self.heaps = settings.pop("heaps", {})
        with mock.patch.object(heaps, "whole", whole):
            found = heaps.budgeted(plan("marksweep", **settings), None, KNOWN, self.heaps)
        return dict(found.groups[0].configurations[0].options)

    def test_the_smallest_heap_is_found_to_a_twentieth_and_given_twice(self) -> None:
        for needed in (3 * MIB, 5 * MIB + 12345, 700 * MIB):
            given = self.budgeted(needed)
            self.assertTrue(2 * needed <= given["heap_bytes"] <= 2 * needed * heaps.EXACT, needed)
            self.assertEqual(given["growth_percent"], 0)
            self.assertLess(len(self.probes), 20)

    def test_what_finishes_in_the_smallest_there_is_gets_twice_that(self) -> None:
        self.assertEqual(self.budgeted(10)["heap_bytes"], 2 * MIB)

    def test_the_matrix_says_how_many_times(self) -> None:
        self.assertEqual(self.budgeted(10, heap_budget=3)["heap_bytes"], 3 * MIB)
        self.assertEqual(self.budgeted(10, heap_budget=0), {})

    def test_what_finishes_nowhere_is_left_to_say_so_itself(self) -> None:
        self.assertEqual(self.budgeted(1 << 50), {})

    def test_a_heap_is_no_larger_than_what_rows_may_take_here(self) -> None:
        self.assertEqual(self.budgeted(8 * MIB, memory_limit_mib=10)["heap_bytes"], 10 * MIB)

    def test_what_was_found_before_is_not_sought_again(self) -> None:
        self.assertEqual(self.budgeted(3 * MIB, heaps={"chain marksweep/system": 123})["heap_bytes"], 123)
        self.assertEqual(self.probes, [])

    def test_only_tracers_that_collect_by_themselves_are_bounded(self) -> None:
        for collectors, options in ((("leak", "cyclic"), ()), (("marksweep",), (("automatic", 0),))):
            before = plan(*collectors, options=options)
            self.assertEqual(heaps.budgeted(before, None, KNOWN, {}), before)


@unittest.skipUnless((ROOT / "build/bin/marksweep").exists(), "marksweep is not built")
class Real(unittest.TestCase):
    def test_marksweep_finishes_in_the_heap_that_was_found_and_not_in_half_of_it(self) -> None:
        harness = Harness(ROOT / "build/bin")
        group = plan("marksweep").groups[0]
        row = matrix.Configuration("chain", (("size", 100000),), "marksweep", "system")
        size = heaps.smallest(harness, group, row, {"growth_percent"}, None)
        self.assertGreater(size, 2 * MIB)                               # 100,000 nodes of 24 bytes, and more
        for share, outcome in ((1, "ok"), (0.5, "heap_full")):
            bounded = heaps.bounded(row, int(size * share), {"growth_percent"})
            self.assertEqual(heaps.whole(harness, group, bounded, 0, None, heaps.PROBE)["outcome"], outcome)


if __name__ == "__main__":
    unittest.main()
