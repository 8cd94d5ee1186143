# SPDX-License-Identifier: MIT
"""Whole programs on one malloc or another: what is said, what it took, and what went wrong is told apart."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "scripts"))
import bench_programs  # noqa: E402
import whole_programs  # noqa: E402
from whole_programs import Program, Run  # noqa: E402

MIB = 2**20


def python(text: str) -> Program:
    return Program("x", (sys.executable, "-S", "-c", text))


class OneRun(unittest.TestCase):
    def setUp(self) -> None:
        self.scratch = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_program(self, text: str, library: str = "") -> Run:
        return whole_programs.run(python(text), library, self.scratch)

    def test_peak_memory_is_the_programs_own_and_not_its_parents(self) -> None:
        ballast = bytearray(200 * MIB)                  # a child's ru_maxrss would begin here
        small = self.run_program("pass").peak_bytes
        large = self.run_program(f"x = b'x' * {100 * MIB}; del x").peak_bytes      # and it is seen after it went
        self.assertEqual(len(ballast), 200 * MIB)
        self.assertLess(small, 60 * MIB)
        self.assertGreater(large - small, 95 * MIB)
        self.assertLess(large - small, 130 * MIB)

    def test_what_is_said_written_and_returned_is_in_the_digest(self) -> None:
        same, again = (self.run_program("print(1)").digest for _ in range(2))
        self.assertEqual(same, again)
        self.assertNotEqual(self.run_program("print(2)").digest, same)
        self.assertNotEqual(self.run_program("print(1); exit(3)").digest, same)
        written = self.scratch / "written"
        runs = [whole_programs.run(Program("x", ("sh", "-c", f"echo {word} >{written}"), writes=str(written)), "", self.scratch)
                for word in ("a", "b")]
        self.assertNotEqual(runs[0].digest, runs[1].digest)

    def test_a_program_that_kills_itself_or_gets_signals_ends_as_it_would_alone(self) -> None:
        self.assertEqual(self.run_program("import os; os.kill(os.getpid(), 9)").complaint, "ended with status -9")
        handled = self.run_program("import os, signal; signal.signal(10, lambda *_: print('got it')); os.kill(os.getpid(), 10)")
        self.assertEqual((handled.complaint, handled.digest), ("", self.run_program("print('got it')").digest))
        self.assertEqual(self.run_program("import subprocess; subprocess.run(['true'])").complaint, "")

    def test_a_library_is_seen_in_the_process_and_one_that_is_missing_is_not(self) -> None:
        if not (TOP / "build/lib/refarena-pymalloc.so").exists():
            self.skipTest("build/lib is not built")
        self.assertTrue(self.run_program("pass", str(TOP / "build/lib/refarena-pymalloc.so")).loaded)
        self.assertFalse(self.run_program("pass", "libnothing-of-this-name.so.9").loaded)


@unittest.skipUnless((TOP / "build/lib/refarena-pymalloc.so").exists(), "build/lib is not built")
class OnOurOwn(unittest.TestCase):
    def programs(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, TOP / "scripts/programs.py", "--repetitions", "1", *arguments],
                              capture_output=True, text=True, check=False)

    def test_perl_says_on_each_of_our_allocators_what_it_says_on_glibc(self) -> None:
        done = self.programs("--programs", "perl", "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual({r["allocator"] for r in rows}, {"glibc", *whole_programs.own_libraries(TOP / "build/lib")})
        self.assertTrue(all(r["same_output"] for r in rows))

    def test_a_library_that_the_loader_does_not_take_is_no_pass(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "refarena-none.so").write_text("no library")
            done = self.programs("--programs", "perl", "--lib", folder)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"perl +none +NO ")

    def test_unknown_names_are_one_line(self) -> None:
        for arguments in (("--programs", "ed"), ("--allocators", "nosuch"), ("--repetitions", "0")):
            done = self.programs(*arguments)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), arguments)


class Comparison(unittest.TestCase):
    def rows(self, **runs: list[Run]) -> list[bench_programs.Row]:
        return [bench_programs.Row("p", name.replace("twin", "system#2"), "", runs=dict(enumerate(mine))) for name, mine in runs.items()]

    def test_ratios_are_to_glibc_in_the_same_round_with_an_interval(self) -> None:
        weather = (1.0, 1.5, 2.0, 1.1, 1.3)
        rows = self.rows(system=[Run("d", w, 10 * MIB, "", None) for w in weather],
                         fast=[Run("d", w / 2, 20 * MIB, "", True) for w in weather])
        found = bench_programs.findings(rows)[1]
        self.assertAlmostEqual(found.ratio.value, 0.5)
        self.assertTrue(found.ratio.low <= 0.5 <= found.ratio.high < 0.75)
        self.assertAlmostEqual(found.peak_ratio.value, 2)

    def test_other_output_crashes_and_missing_libraries_are_outcomes_without_a_time(self) -> None:
        good = [Run("d", 1.0, MIB, "", True)] * 2
        rows = self.rows(system=good, wrong=[good[0], Run("e", 0.5, MIB, "", True)],
                         crash=[Run("f", 0.1, MIB, "ended with status -11", True)] * 2)
        bench_programs._judge(rows)
        self.assertEqual([r.outcome for r in rows], ["ok", "checksum", "crash"])
        text = bench_programs.printed(bench_programs.findings(rows))
        self.assertIn("WRONG RESULT", text)
        self.assertIn("crash", text)
        self.assertNotIn("0.500", text)

    def test_a_program_that_is_not_installed_is_recorded_and_the_others_run(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            programs = {"x": python("print(1)"), "y": Program("y", ("no-such-program",))}
            rows = [bench_programs.Row(p, a, "", "ok" if programs[p].installed else "not_installed")
                    for p in programs for a in ("system", "system#2")]
            self.assertEqual(len(list(bench_programs.rounds(rows, programs, 2, 1, Path(folder)))), 4)
            if shutil.which("gnuplot"):
                bench_programs.draw(Path(folder), bench_programs.findings(rows))
                self.assertTrue((Path(folder) / "programs_time.png").exists())
        self.assertEqual([r.outcome for r in rows], ["ok", "ok", "not_installed", "not_installed"])
        self.assertIn("not installed", bench_programs.tsv(bench_programs.findings(rows)))

    def test_every_allocator_of_the_registry_and_our_own_are_there_and_others_are_refused(self) -> None:
        folder = TOP / "build/lib"
        on = bench_programs.allocators(folder, [])
        self.assertTrue({"system", "jemalloc", "mimalloc", "tcmalloc", "system#2"} <= on.keys())
        self.assertNotIn("recorder", on)
        done = subprocess.run([sys.executable, TOP / "scripts/bench_programs.py", "--allocators", "nosuch"],
                              capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""})
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))


if __name__ == "__main__":
    unittest.main()
