# SPDX-License-Identifier: MIT
"""memcheck sees through the pools of our allocators: a block ends where the request ended, and with its release."""
from __future__ import annotations

import subprocess
import tempfile
import unittest
from pathlib import Path

from run_support import COMPILER, needs
from run_support import ROOT as TOP

NOT_LINKED = {"recorder.c", "malloc.c", "large.c"}      # libraries of their own


@needs("valgrind", COMPILER[0])
class Memcheck(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.subject = str(folder / "subject")
        sources = [p for p in sorted((TOP / "allocators").rglob("*.c")) if p.name not in NOT_LINKED]
        subprocess.run([*COMPILER, "-std=c11", "-D_GNU_SOURCE", "-DREFARENA_VALGRIND", "-O1", "-g", "-pthread",
                        "-fno-builtin", f"-I{TOP}", TOP / "tests/watch_subject.c", *sources, "-ldl", "-o", cls.subject], check=True)

    def said_of(self, allocator: str, mistake: str) -> tuple[int, str]:
        done = subprocess.run(["valgrind", "-q", "--error-exitcode=9", self.subject, allocator, mistake],
                              capture_output=True, text=True, timeout=120)
        return done.returncode, done.stderr

    def test_a_touch_of_what_is_not_granted_is_reported(self) -> None:
        for allocator in ("pymalloc", "magazine"):
            for mistake, words in (("beyond", "Invalid write of size 1"), ("shrunk", "Invalid write of size 1"),
                                   ("never granted", "Invalid read of size 1"), ("released", "Invalid read of size 1")):
                with self.subTest(f"{allocator}, {mistake}"):
                    status, said = self.said_of(allocator, mistake)
                    self.assertEqual(status, 9, said)
                    self.assertIn(words, said)

    def test_a_program_without_a_mistake_is_left_alone(self) -> None:
        for allocator in ("pymalloc", "magazine"):
            self.assertEqual(self.said_of(allocator, "none"), (0, ""))


if __name__ == "__main__":
    unittest.main()
