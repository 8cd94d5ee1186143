# SPDX-License-Identifier: MIT
"""autograd and views on CPython and NumPy, beside the workloads of those names: memory goes where it is said to go."""
from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
ELEMENTS = 2_000_000                                    # large enough to be a mapping of its own
ARRAY_MIB = 8 * ELEMENTS / (1 << 20)
SLACK_MIB = 1.0


def script(path: str, *arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, TOP / "scripts" / path, *map(str, arguments)], capture_output=True, text=True, check=False)


@unittest.skipUnless(importlib.util.find_spec("numpy"), "numpy is not installed")
@unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
class Beside(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        with tempfile.TemporaryDirectory() as folder:
            done = script("beside_cpython.py", "--results", folder, "--iterations", 30, "--elements", ELEMENTS)
            if done.returncode:
                raise AssertionError(done.stderr)
            cls.picture_bytes = Path(folder, "beside_cpython.png").stat().st_size
            _, *rows = (line.split("\t") for line in Path(folder, "beside_cpython.tsv").read_text().splitlines())
        cls.points: dict[tuple[str, ...], list[tuple[float, float]]] = {}
        for panel, line, who, x, mib in rows:
            cls.points.setdefault((panel, line, who), []).append((float(x), float(mib)))

    def test_a_view_keeps_the_array_and_a_copy_lets_it_go_here_and_there(self) -> None:
        for who in ("simulated", "real"):
            for mode, after_the_name in (("keep", ARRAY_MIB), ("copy", 0)):
                found = [mib for _, mib in self.points["views", mode, who]]
                for mib, expected in zip(found, [0, ARRAY_MIB, ARRAY_MIB, after_the_name, 0], strict=True):
                    self.assertAlmostEqual(mib, expected, delta=SLACK_MIB, msg=f"{who} {mode}: {found}")

    def test_without_a_collector_strong_outputs_pile_up_and_weak_ones_do_not(self) -> None:
        for who in ("simulated", "real"):
            strong, weak = (self.points["autograd", f"{outputs}, no collector", who] for outputs in ("strong", "weak"))
            self.assertGreater(strong[-1][1] - strong[0][1], 5, who)            # 30 iterations of more than 0.5 MiB
            self.assertLess(weak[-1][1] - weak[0][1], 2, who)

    def test_every_line_of_the_plot_is_there_from_the_first_iteration_to_the_last(self) -> None:
        self.assertEqual(len(self.points), 2 * (3 + 2))
        for (panel, line, who), points in self.points.items():
            with self.subTest(f"{panel} {line} {who}"):
                self.assertEqual((points[0][0] <= 1, points[-1][0]), (True, 30 if panel == "autograd" else 4))
        self.assertGreater(self.picture_bytes, 20000)


class Refusals(unittest.TestCase):
    def test_what_is_asked_wrongly_is_refused_by_name(self) -> None:
        for path, arguments, word in (("beside_cpython.py", ["--iterations", "1"], "20 iterations"),
                                      ("cpython/autograd.py", ["outputs=none"], "outputs=strong|weak"),
                                      ("cpython/autograd.py", ["size=0"], "'size=0'"),
                                      ("cpython/views.py", ["keep", "9"], "10 at least"),
                                      ("cpython/views.py", ["lend", "100"], "keep or copy")):
            done = script(path, *arguments)
            if "numpy" in done.stderr:
                self.skipTest("numpy is not installed")
            self.assertEqual((done.returncode, done.stdout), (2, ""), path)
            self.assertIn(word, done.stderr.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
