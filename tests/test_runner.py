# SPDX-License-Identifier: MIT
"""tests/run.py itself: nothing that failed is counted as passed, what cannot run says why, and a call is looked at first."""
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from run_support import ROOT

# by its path: scripts/ has a run.py too
SPEC = importlib.util.spec_from_file_location("tests_run", ROOT / "tests/run.py")
runner = importlib.util.module_from_spec(SPEC)
sys.modules["tests_run"] = runner
SPEC.loader.exec_module(runner)


class Reading(unittest.TestCase):
    def test_a_program_that_dies_without_a_plan_is_a_failure(self):
        self.assertEqual(runner.read_tap("ok 1 - a\n", -11), (1, ["the program ended with status -11, 1 tests reported"], []))

    def test_a_plan_that_was_not_kept_is_a_failure(self):
        passed, failed, _ = runner.read_tap("1..3\nok 1 - a\nok 2 - b\n", 0)
        self.assertEqual((passed, len(failed)), (2, 1))

    def test_a_skip_is_none_of_both_and_gives_its_reason(self):
        text = "1..3\nok 1 - a\n# skipped: no such kernel\nnot ok 2 - b # SKIP\nok 3 - c # SKIP\n"
        self.assertEqual(runner.read_tap(text, 0), (1, [], ["no such kernel", "c"]))

    def test_a_program_that_cannot_run_here_is_a_skip_with_its_last_words(self):
        self.assertEqual(runner.read_tap("jemalloc is not installed\n", runner.SKIPPED), (0, [], ["jemalloc is not installed"]))

    def test_failures_and_errors_of_unittest_are_failures(self):
        text = "test_a (x) ... ok\nFAIL: test_b (x)\nERROR: test_c (x)\nRan 4 tests in 1 s\ntest_d (x) ... skipped 'why'\n"
        self.assertEqual(runner.read_unittest(text, 1), (1, ["test_b (x)", "test_c (x)"], ["'why'"]))

    def test_a_unittest_that_dies_is_a_failure(self):
        self.assertEqual(runner.read_unittest("Segmentation fault", -11)[1], ["unittest ended with status -11, and ran no tests"])

    def test_a_file_without_a_test_is_a_failure_and_one_whose_tests_are_all_skipped_is_none(self):
        self.assertEqual(len(runner.read_unittest("Ran 0 tests in 0 s\nOK\n", 0)[1]), 1)
        self.assertEqual(runner.read_unittest("a (x) ... skipped 'why'\nRan 1 test in 0 s\n", 5), (0, [], ["'why'"]))
        self.assertEqual(len(runner.read_unittest("a (x) ... skipped 'why'\nRan 1 test in 0 s\n", 1)[1]), 1)


class Addresses(unittest.TestCase):
    """gcc 12's sanitizers need addresses that are not drawn from too many bits."""

    def asked(self, setarch: str, bits: str) -> tuple[list[str], str]:
        with tempfile.TemporaryDirectory(prefix="refarena-test-") as folder:
            program, drawn = Path(folder) / "setarch", Path(folder) / "bits"
            program.write_text(f"#!/bin/sh\n{setarch}\n", encoding="utf-8")
            program.chmod(0o755)
            drawn.write_text(bits, encoding="utf-8")
            with mock.patch.dict(os.environ, {"PATH": f"{folder}:{os.environ['PATH']}"}):
                return runner.fixed_addresses.__wrapped__(drawn)

    def test_setarch_stands_before_a_sanitized_program(self):
        self.assertEqual(self.asked("exit 0", "32")[0][::2], ["setarch", "-R"])

    def test_where_it_is_refused_and_not_needed_nothing_does(self):
        self.assertEqual(self.asked("exit 1", "28"), ([], ""))

    def test_where_it_is_refused_and_needed_the_program_is_skipped_with_the_reason(self):
        before, why = self.asked("exit 1", "32")
        self.assertEqual(before, [])
        self.assertIn("32 bits", why)


class Call(unittest.TestCase):
    def make(self, *arguments: str) -> subprocess.CompletedProcess:
        """make as a user calls it: nothing of the make that runs this test."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
        return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)

    def test_a_variable_that_nobody_reads_is_refused_with_the_nearest(self):
        done = self.make("bench", "MATRX=quick", "DEPS=no")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("unknown variable MATRX=: did you mean MATRIX=?", done.stderr)

    def test_one_that_is_like_none_is_refused_with_all(self):
        self.assertIn("known are", self.make("bench", "XYZZY=1").stderr)

    def test_a_wrong_name_is_refused_before_anything_is_built(self):
        for verb, variable, words in (("bench", "MATRIX=nope", "unknown matrix 'nope'"), ("bench", "WORKLOADS=chian", "did you mean 'chain'?"),
                                      ("bench", "COLLECTORS=gli", "did you mean 'gil'?"), ("claims", "CLAIM=nope", "unknown claim 'nope'"),
                                      ("bench-collectors", "DEPTH=deep", "invalid choice: 'deep'"), ("bench", "RESUME=maybe", "'auto' or 'no'"),
                                      ("claims-soak", "RUNS=x", "invalid int value: 'x'"), ("bench-programs", "ROUNDS=0", "give 1 or more"),
                                      ("instructions", "RUN=nope", "'nope' is not a run"), ("all", "SANITIZE=adress", "known are address thread valgrind"),
                                      ("test-fresh", "WHO=root", "known are user")):
            done = self.make("--no-print-directory", verb, variable, "DEPS=no")
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(words, done.stderr)

    def test_a_folder_that_cannot_be_built_into_is_one_line(self):
        done = self.make("--no-print-directory", "all", "BUILD=/proc/build")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("/proc/build/ cannot be written", done.stderr.splitlines()[0])
        self.assertEqual(len([line for line in done.stderr.splitlines() if "***" not in line and "Waiting" not in line]), 1, done.stderr)

    def test_what_says_no_is_no(self):
        flags = [self.make("-n", "build/flags", f"CI={word}").stdout for word in ("false", "true")]
        self.assertEqual(["-Werror" in text for text in flags], [False, True])

    def test_whatever_is_in_a_value_it_is_one_word_of_a_script(self):
        """Each line that make would run is split by a shell: the value must come out as it went in."""
        nasty = "a$$b'c\"d; touch x `e` (f"          # make reads $$ as one dollar
        for verb, names in (("bench", ("MATRIX", "WORKLOADS", "COLLECTORS", "ALLOCATORS", "PRECISION", "LARGEST")), ("compare", ("A", "B", "FAIL_ON")),
                            ("report", ("RUN", "OUT")), ("bench-collectors", ("DEPTH", "PART")), ("claims", ("CLAIM", "PYTHON")),
                            ("claims-soak", ("RUNS",)), ("instructions", ("RUN", "AGAINST")), ("bench-programs", ("ROUNDS", "OUT")),
                            ("plots", ("RUN",)), ("test", ("ONLY",)), ("test-repeat", ("TIMES",)), ("test-fresh", ("SUITE",))):
            for name in names:
                other = ["A=x", "B=y"] if verb == "compare" else []
                done = self.make("-n", "--no-print-directory", verb, *(o for o in other if not o.startswith(name)), f"{name}={nasty}", "DEPS=no")
                words = [word for line in done.stdout.splitlines() if "scripts/" in line or "tests/run.py" in line for word in shlex.split(line)]
                self.assertIn(nasty, [word.replace("a$b", "a$$b") for word in words], f"{verb} {name}: {done.stdout[-600:]}{done.stderr}")

    def test_another_version_of_a_compiler_is_another_stamp(self):
        with tempfile.TemporaryDirectory(prefix="refarena-test-") as folder:
            stamps = []
            for version in ("played 1.0", "played 2.0"):
                (Path(folder) / "cc").write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
                (Path(folder) / "cc").chmod(0o755)
                stamps.append(self.make("-n", "build/flags", f"CC={folder}/cc").stdout)
        self.assertIn("played 1.0", stamps[0])
        self.assertEqual(stamps[0].replace("played 1.0", "played 2.0"), stamps[1])

    def test_a_pattern_that_fits_nothing_is_refused(self):
        done = subprocess.run([sys.executable, str(ROOT / "tests/run.py"), "--only", "no such job"], capture_output=True, encoding="utf-8", check=False)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
        self.assertIn("no job has this in its name", done.stderr)

    def test_a_number_of_times_that_is_none_is_refused(self):
        for times in ("0", "x"):
            done = subprocess.run([sys.executable, str(ROOT / "tests/run.py"), "--times", times], capture_output=True, encoding="utf-8", check=False)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)

    def test_the_short_look_has_something_of_everything(self):
        done = subprocess.run([sys.executable, str(ROOT / "tests/run.py"), "--list", "--check"], capture_output=True, encoding="utf-8", check=False)
        for job in ("allocators/contract [magazine]", "biased/threads", "workloads/replay", "tests/test_matrix.py"):
            self.assertIn(job, done.stdout)
        self.assertNotIn("build/address", done.stdout)


class Fresh(unittest.TestCase):
    """scripts/fresh.sh where no root can be made, and scripts/compilers.sh with a played one."""

    def run_script(self, script: str, *arguments: str, **played: str) -> subprocess.CompletedProcess:
        """played: commands that stand first on PATH."""
        with tempfile.TemporaryDirectory(prefix="refarena-test-") as folder:
            for name, body in played.items():
                (Path(folder) / name).write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
                (Path(folder) / name).chmod(0o755)
            return subprocess.run([script, *arguments], env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "FRESH_CACHE": f"{folder}/cache"},
                                  capture_output=True, encoding="utf-8", check=False)

    def refused(self, status: int, words: str, *arguments: str, **played: str) -> None:
        done = self.run_script(str(ROOT / "scripts/fresh.sh"), *arguments, **played)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (status, 1), done.stderr)
        self.assertIn(words, done.stderr)

    def test_a_wrong_call_is_refused(self):
        self.refused(2, "say which suite", "bookworm")
        self.refused(2, "is no suite", "book; worm", "true")

    def test_where_no_root_can_be_made_the_reason_is_said_with_a_status_of_its_own(self):
        root, there = "echo 0", "exit 0"
        self.refused(77, "only root may", "bookworm", "true", id="echo 1000")
        self.refused(77, "namespaces are refused", "bookworm", "true", id=root, mmdebstrap=there, unshare="exit 1")
        self.refused(77, "no repository of git", "bookworm", "true", id=root, mmdebstrap=there, git="exit 128")
        done = self.run_script(str(ROOT / "scripts/fresh.sh"), "bookworm", "true", id=root, unshare=there, mmdebstrap="echo no mirror >&2; exit 1")
        self.assertEqual(done.returncode, 77)
        self.assertIn("no mirror", done.stderr)
        self.assertIn("mmdebstrap failed for bookworm", done.stderr)

    def compilers(self, fresh: str, *arguments: str) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory(prefix="refarena-test-") as folder:
            shutil.copy(ROOT / "scripts/compilers.sh", folder)
            (Path(folder) / "fresh.sh").write_text(f"#!/bin/bash\n{fresh}\n", encoding="utf-8")
            (Path(folder) / "fresh.sh").chmod(0o755)
            return self.run_script(f"{folder}/compilers.sh", *arguments)

    def test_compilers_of_which_none_could_be_tried_have_not_passed(self):
        self.assertEqual(self.compilers("exit 77").returncode, 1)

    def test_one_that_cannot_be_had_is_named_and_the_others_count(self):
        done = self.compilers('[ "$1" = sid ] && { echo no sid; exit 77; }; echo 3 passed, 0 failed')
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (0, "4 compilers passed, 0 failed"))
        self.assertIn("could not be had: no sid", done.stdout)

    def test_a_compiler_that_fails_fails_and_an_unknown_one_is_refused(self):
        self.assertEqual(self.compilers("exit 2", "gcc-14").returncode, 1)
        done = self.compilers("exit 0", "gcc-41")
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1))


class Ci(unittest.TestCase):
    """.ci/run in a tree where make and the fresh root are played."""

    def run_with(self, make: str, fresh: str) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory(prefix="refarena-test-") as name:
            tree = Path(name)
            for path, body in (("scripts/deps.sh", "echo deps.sh $1"), ("scripts/fresh.sh", fresh), ("bin/make", make)):
                (tree / path).parent.mkdir(exist_ok=True)
                (tree / path).write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
                (tree / path).chmod(0o755)
            (tree / ".ci").mkdir()
            shutil.copy(ROOT / ".ci/run", tree / ".ci/run")
            return subprocess.run(["bash", ".ci/run"], cwd=tree, env={**os.environ, "PATH": f"{tree}/bin:{os.environ['PATH']}"},
                                  capture_output=True, encoding="utf-8", check=False)

    IN_A_ROOT = 'shift; exec "$@"'
    NO_ROOT = "exit 77"

    def test_the_last_line_sums_what_all_suites_said(self):
        done = self.run_with('[ "$1" = bench ] || echo 5 passed, 0 failed, 2 skipped', self.IN_A_ROOT)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (0, "10 passed, 0 failed, 4 skipped"))
        self.assertNotIn("reduced", done.stdout)
        self.assertEqual(done.stdout.count("deps.sh"), 1, "what CI needs is installed here, and never in the root")

    def test_where_no_root_can_be_made_it_runs_here_and_says_so(self):
        done = self.run_with('[ "$1" = bench ] || echo 5 passed, 0 failed, 2 skipped', self.NO_ROOT)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-2:]), (0, ["reduced: no fresh root", "10 passed, 0 failed, 4 skipped"]))

    def test_a_command_that_fails_without_a_word_is_a_failure_and_the_others_still_run(self):
        for fresh in (self.IN_A_ROOT, self.NO_ROOT):
            done = self.run_with('[ "$1" = bench ] && exit 2; echo 5 passed, 0 failed, 2 skipped', fresh)
            self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (1, "10 passed, 1 failed, 4 skipped"))

    def test_a_failed_test_fails_it(self):
        done = self.run_with('[ "$1" = bench ] || { echo 5 passed, 1 failed, 2 skipped; exit 1; }', self.IN_A_ROOT)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (1, "10 passed, 2 failed, 4 skipped"))

    def test_where_nothing_ran_it_fails(self):
        self.assertEqual(self.run_with("exit 0", self.IN_A_ROOT).returncode, 1)


if __name__ == "__main__":
    unittest.main()
