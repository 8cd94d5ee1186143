# SPDX-License-Identifier: MIT
"""Instructions: counted for every configuration of a run, to the instruction, beside the run's times."""
import ctypes.util
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import fake_run
from run_support import ROOT

MATRIX = """
[[group]]
name = "chain"
workload = "chain"
parameters = { size = 300 }
configurations = ["refcount/pymalloc", "cyclic/pymalloc"]
[[group]]
name = "churn"
workload = "churn"
parameters = { size = 300 }
configurations = ["pymalloc", "bump", "jemalloc"]
"""


@unittest.skipUnless(shutil.which("valgrind") and os.access(ROOT / "build/bin/cyclic", os.X_OK), "valgrind, or the harness, is missing")
class Instructions(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="refarena-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.run_folder = fake_run.write(cls.folder / "run", ns={"cyclic/pymalloc": 100.0, "": 10.0}, invocations=5, text=MATRIX)
        cls.done = cls.count(str(cls.run_folder))

    @classmethod
    def count(cls, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, str(ROOT / "scripts/instructions.py"), *arguments], capture_output=True, text=True,
                              timeout=200, check=False)

    def rows(self) -> dict[str, dict[str, str]]:
        header, *rows = (self.run_folder / "instructions.tsv").read_text().splitlines()
        return {r["label"]: r for r in (dict(zip(header.split("\t"), row.split("\t"))) for row in rows)}

    def test_every_configuration_is_counted_and_repeats_to_the_instruction(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        self.assertEqual(set(self.rows()), {"refcount/pymalloc", "cyclic/pymalloc", "pymalloc", "bump", "jemalloc"})
        for label, row in self.rows().items():
            if label == "jemalloc" and not ctypes.util.find_library("jemalloc"):
                self.assertEqual(row["outcome"], "not_installed")
                continue
            self.assertEqual((row["outcome"], row["repeats"]), ("ok", "yes"), label)
            self.assertTrue(5 < float(row["per_operation"]) < 3000, row)
        self.assertLess(float(self.rows()["bump"]["ratio"]), 1)

    def test_a_time_that_instructions_do_not_explain_is_marked(self):
        self.assertEqual((self.rows()["cyclic/pymalloc"]["disagrees"], self.rows()["refcount/pymalloc"]["disagrees"]), ("yes", ""))
        self.assertIn("time and instructions disagree", self.done.stdout)

    def test_against_an_earlier_count_the_change_is_told_to_the_instruction(self):
        before = self.folder / "before"
        if not before.exists():
            shutil.copytree(self.run_folder, before)
        text, number = (before / "instructions.tsv").read_text(), int(self.rows()["bump"]["instructions"])
        (before / "instructions.tsv").write_text(text.replace(f"\t{number}\t", f"\t{number - 7}\t"))
        done = self.count(str(self.run_folder), "--against", str(before), "--workloads", "churn", "--repeats", "1")
        self.assertIn("+7 in a unit", done.stdout)
        self.assertEqual(done.stdout.count("in a unit"), 1)

    @unittest.skipUnless(ctypes.util.find_library("jemalloc"), "jemalloc is not installed")
    def test_a_preloaded_allocator_is_counted_by_its_own_instructions(self):
        counts = {label: int(row["instructions"]) for label, row in self.rows().items() if row["group"] == "churn"}
        self.assertEqual(len(set(counts.values())), 3, counts)

    def test_what_was_never_counted_is_one_line(self):
        other = fake_run.write(self.folder / "other", invocations=2)
        done = self.count(str(self.run_folder), "--against", str(other))
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1))
        self.assertIn("make instructions RUN=", done.stderr)


if __name__ == "__main__":
    unittest.main()
