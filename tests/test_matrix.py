# SPDX-License-Identifier: MIT
"""Matrices: what is written is what is measured; mistakes are named; narrowing keeps what it can."""
import tempfile
import unittest

import run_support  # noqa: F401  (puts scripts/ on the path)

import matrix
from matrix import BadInput

TEXT = """
repetitions = 4
[sets]
both = ["system", "jemalloc"]
[[group]]
name = "churn"
workload = "churn"
parameters = { size = 10 }
configurations = "both"
[[group]]
name = "calls"
workload = "calls"
rounds = 3
configurations = ["refcount/system", "leak/bump", "cyclic/system", "cyclic/pymalloc"]
[[group]]
name = "shared"
workload = "shared"
method = "blocks"
threads = [1, 2]
configurations = ["refcount/system", "gil/system"]
"""


class Matrices(unittest.TestCase):
    def read(self, text: str) -> matrix.Matrix:
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as stream:
            stream.write(text)
            stream.flush()
            return matrix.read(stream.name)

    def labels(self, plan: matrix.Matrix) -> list[list[str]]:
        return [[c.label for c in g.configurations] for g in plan.groups]

    def assert_refused(self, text: str, *words: str) -> None:
        with self.assertRaises(BadInput) as caught:
            self.read(text)
        for word in words:
            self.assertIn(word, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_groups_expand_to_rows_with_their_twin_at_the_end(self):
        self.assertEqual(self.labels(self.read(TEXT)), [
            ["system", "jemalloc", "system#2"],
            ["refcount/system", "leak/bump", "cyclic/system", "cyclic/pymalloc", "refcount/system#2"],
            ["refcount/system", "gil/system", "refcount/system@2", "gil/system@2", "refcount/system#2"]])

    def test_a_groups_word_stands_over_the_matrixs_and_that_over_the_default(self):
        plan = self.read(TEXT)
        self.assertEqual((plan.groups[1]["rounds"], plan.groups[1]["repetitions"]), (3, 4))
        self.assertEqual((plan.groups[0]["rounds"], plan["turn_ms"]), (11, 10))

    def test_mistakes_are_named(self):
        self.assert_refused(TEXT.replace("rounds = 3", "round = 3"), "'round'", "calls")
        self.assert_refused(TEXT.replace('"both"', '"bth"'), "'bth'", "both")
        self.assert_refused(TEXT.replace('"blocks"', '"turns"'), "threads", "blocks")
        self.assert_refused(TEXT.replace('rounds = 3', 'baseline = "gil/system"'), "gil/system", "leak/bump")
        self.assert_refused(TEXT.replace('name = "calls"', 'name = "churn"'), "name")
        self.assert_refused("[[group", "toml")
        self.assert_refused("", "group")

    def test_the_digest_changes_with_what_is_measured(self):
        plan = self.read(TEXT)
        other = matrix.narrow(plan, ["churn"], [], [])
        self.assertNotEqual(plan.digest(), other.digest())
        self.assertNotEqual(plan.described(), self.read(TEXT.replace("size = 10", "size = 20")).described())

    def test_workloads_narrow_by_workload_or_group(self):
        self.assertEqual(len(matrix.narrow(self.read(TEXT), ["churn", "shared"], [], []).groups), 2)

    def test_allocators_narrow_and_unlisted_ones_are_added(self):
        plan = matrix.narrow(self.read(TEXT), ["churn"], [], ["jemalloc", "./libmine.so"])
        self.assertEqual(self.labels(plan), [["jemalloc", "libmine.so", "jemalloc#2"]])
        self.assertEqual(plan.groups[0].baseline, "jemalloc")

    def test_collectors_narrow_and_leave_groups_of_blocks_out(self):
        plan = matrix.narrow(self.read(TEXT), [], ["cyclic", "census"], ["system"])
        self.assertEqual(self.labels(plan)[0], ["cyclic/system", "census/system", "cyclic/system#2"])
        self.assertEqual([g.name for g in plan.groups], ["calls", "shared"])

    def test_a_twin_follows_the_baseline_that_is_left(self):
        plan = matrix.narrow(self.read(TEXT), ["calls"], ["cyclic"], [])
        self.assertEqual(self.labels(plan), [["cyclic/system", "cyclic/pymalloc", "cyclic/system#2"]])

    def test_nothing_left_is_refused(self):
        with self.assertRaises(BadInput):
            matrix.narrow(self.read(TEXT), ["churn"], ["cyclic"], [])

    def test_the_matrices_that_come_with_the_project_can_be_read(self):
        self.assertLessEqual({"allocators", "classics", "default", "full", "objects", "quick", "sizes"}, set(matrix.known_matrices()))
        self.assertLessEqual({"pair", "batch", "churn", "replay"}, {g.workload for g in matrix.read("allocators").groups})
        self.assertLessEqual({"names", "lists", "views", "strings", "instances", "sum", "binary_trees", "gcbench", "json", "queue", "lru", "mutate"},
                             {g.workload for g in matrix.read("objects").groups})
        for name in ("default", "full", "quick"):
            workloads = {g.workload for g in matrix.read(name).groups}
            self.assertLessEqual({"churn", "replay", "calls", "chain", "cycles", "autograd", "shared"}, workloads)

    def test_rows_that_differ_in_who_may_run_stand_on_one_thread_safe_allocator(self):
        for name in matrix.known_matrices():
            for group in matrix.read(name).groups:
                shared = {c.allocator for c in group.configurations if c.collector in ("segregated", "locked_object", "locked_global", "atomic", "biased", "free_threaded")}
                self.assertLessEqual(len(shared), 1, f"{name}: {group.name}: {shared}")
                self.assertLessEqual(shared, {"tcmalloc", "locked:bump"}, f"{name}: {group.name}")


if __name__ == "__main__":
    unittest.main()
