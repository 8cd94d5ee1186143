# SPDX-License-Identifier: MIT
"""The net under every command: what happens to it is one line and a status, never a traceback."""
import ast
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import fake_run
from run_support import ROOT, Bench

import net

SLOW = True             # not part of the short look (make check)
SCRIPTS = ROOT / "scripts"
# Read by python3 before the script: the first call of main() (of the script that was started) raises this.
PLANTED = """
import sys
def plant(frame, event, _argument):
    if event == "call" and frame.f_code.co_name == "main" and frame.f_globals.get("__name__") == "__main__":
        sys.setprofile(None)
        raise {what}
sys.setprofile(plant)
"""


def commands() -> list[Path]:
    """Every script that can be started."""
    found = [p for p in [*sorted(SCRIPTS.rglob("*")), ROOT / "tests/run.py", ROOT / "tests/cross.py"]
             if p.is_file() and (p.suffix == ".py" or os.access(p, os.X_OK))]
    return [p for p in found if re.search(r'^if __name__ == "__main__":\n    [^s]', p.read_text(encoding="utf-8", errors="replace"), re.M)]


class EveryCommand(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="refarena-test-")
        self.addCleanup(self.folder.cleanup)

    def planted(self, script: Path, what: str) -> subprocess.CompletedProcess:
        (Path(self.folder.name) / "sitecustomize.py").write_text(PLANTED.format(what=what), encoding="utf-8")
        return subprocess.run([sys.executable, str(script)], capture_output=True, encoding="utf-8", timeout=60, check=False,
                              env={**os.environ, "PYTHONPATH": self.folder.name, "TMPDIR": self.folder.name})

    def test_every_script_with_a_main_is_found_and_goes_through_the_net(self):
        names = {p.name for p in commands()}
        self.assertTrue({"refarena", "run.py", "compare.py", "gc_cost.py", "listing.py"} <= names, names)
        with_main = {p.name for p in SCRIPTS.rglob("*.py") if re.search(r"^def main\(", p.read_text(encoding="utf-8"), re.M)}
        self.assertEqual(with_main - names, set())
        for script in commands():
            text = script.read_text(encoding="utf-8")
            self.assertRegex(text, r'\nif __name__ == "__main__":\n    net\.run\("[\w-]+", (main|lambda: main\(sys\.argv\[1:\]\))\)\n$', script)
            first = re.search(r"^import (?!os\b|sys\b)(\w+)", text, re.M)
            self.assertEqual(first[1], "net", f"{script}: what is imported before the net cannot be caught by it")
            self.assertIn("net.spread(__name__)", text, script)

    def test_a_bug_is_one_line_with_the_place_of_its_traceback_and_status_70(self):
        for script in commands():
            with self.subTest(script=script.name):
                done = self.planted(script, "KeyError('planted')")
                self.assertEqual((done.returncode, len(done.stderr.splitlines())), (70, 1), done.stderr)
                self.assertIn("KeyError: 'planted'", done.stderr)
                path = re.search(r"please report it with (\S+)", done.stderr)[1]
                self.assertIn("Traceback (most recent call last)", Path(path).read_text(encoding="utf-8"))

    def test_what_a_user_or_a_machine_can_cause_is_one_line_and_status_2(self):
        for what, words in (("OSError(28, 'No space left on device', '/there/x')", "/there/x: No space left on device; make room"),
                            ("PermissionError(13, 'Permission denied', 'x')", "x: Permission denied; you may not"),
                            ("OSError(30, 'Read-only file system', 'x')", "give a place that can be written"),
                            ("FileNotFoundError(2, 'No such file or directory', 'x')", "x: No such file"),
                            ("MemoryError()", "out of memory"),
                            ("ModuleNotFoundError('no', name='numpy')", "cannot load 'numpy'"),
                            ("__import__('subprocess').TimeoutExpired(['x', 'y'], 3)", "x y: did not end within 3 s"),
                            ("__import__('subprocess').CalledProcessError(4, ['x'], stderr='first\\nlast')", "x: ended with status 4: last")):
            done = self.planted(SCRIPTS / "compare.py", what)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
            self.assertIn(words, done.stderr)

    def test_an_interruption_is_one_line_and_status_130(self):
        done = self.planted(SCRIPTS / "compare.py", "KeyboardInterrupt()")
        self.assertEqual((done.returncode, done.stderr), (130, "\ncompare: interrupted\n"))

    def test_a_bug_whose_traceback_has_no_place_still_says_so(self):
        (Path(self.folder.name) / "sitecustomize.py").write_text(PLANTED.format(what="KeyError(1)") + "import tempfile\ntempfile.tempdir = '/nowhere'\n", encoding="utf-8")
        done = subprocess.run([sys.executable, str(SCRIPTS / "compare.py")], capture_output=True, encoding="utf-8", timeout=60, check=False,
                              env={**os.environ, "PYTHONPATH": self.folder.name})
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (70, 1), done.stderr)
        self.assertIn("set TMPDIR", done.stderr)


class Streams(fake_run.InFolder):
    """Standard output may end, fill up, or not be there."""

    def shell(self, line: str) -> subprocess.CompletedProcess:
        return subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, encoding="utf-8", timeout=400, check=False, cwd=ROOT)

    def test_a_reader_who_leaves_ends_the_output_quietly(self):
        for command in ("list", "--help", "compare --help", "list --json"):
            done = self.shell(f"scripts/refarena {command} | true")
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)

    def test_a_gate_behind_a_pipe_that_nobody_reads_keeps_its_status(self):
        fake_run.write(self.folder / "a")
        fake_run.write(self.folder / "b", ns={"": 15.0})
        done = self.shell(f"scripts/compare.py {self.folder}/a {self.folder}/b --no-plots --fail-on slower:5% | true")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("SLOWER", done.stderr)

    def test_a_full_disk_on_standard_output_is_one_line_and_status_2(self):
        done = self.shell("scripts/refarena list matrices > /dev/full")
        self.assertEqual(done.returncode, 2)
        self.assertIn("standard output: No space left on device", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_closed_streams_hurt_nobody(self):
        for closed in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
            self.assertEqual(self.shell(f"scripts/refarena list matrices {closed}").returncode, 0, closed)


class Source(unittest.TestCase):
    """What the sources must not do, because it depends on who runs them."""

    def test_no_text_is_read_or_written_in_the_encoding_of_the_locale(self):
        for path in sorted(SCRIPTS.rglob("*.py")):
            for call in (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)):
                with self.subTest(where=f"{path.name}:{call.lineno}"):
                    self.assertFalse(self.depends_on_locale(call), ast.unparse(call)[:100])

    @staticmethod
    def depends_on_locale(call: ast.Call) -> bool:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        keywords = {k.arg: k.value for k in call.keywords}
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == "os":
            return False
        if name in ("read_text", "write_text"):
            return "encoding" not in keywords
        if name == "open":
            modes = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)] + [ast.unparse(keywords.get("mode", ast.Constant("")))]
            return not any("b" in m and len(m) <= 4 for m in modes) and "encoding" not in keywords
        return ("text" in keywords or "universal_newlines" in keywords) and "encoding" not in keywords

    def test_nothing_is_validated_by_an_assert(self):
        for path in sorted(SCRIPTS.rglob("*.py")):
            found = [n.lineno for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Assert)]
            self.assertEqual(found, [], path.name)

    def test_a_docstring_is_used_only_where_it_may_be_missing(self):
        for path in commands():
            self.assertEqual(re.findall(r"__doc__\.", path.read_text(encoding="utf-8")), [], path.name)


class Options(unittest.TestCase):
    def test_a_wrong_option_is_one_line_that_names_the_nearest(self):
        for script, arguments, words in (("doctor.py", ["--jsn"], "did you mean --json?"), ("compare.py", [], "are required: a, b"),
                                         ("bench_collectors.py", ["--depth", "deep"], "choose from")):
            done = subprocess.run([sys.executable, str(ROOT / "scripts" / script), *arguments], capture_output=True, encoding="utf-8", check=False)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
            self.assertIn(words, done.stderr)

    def test_every_script_parses_by_the_net(self):
        for path in [*(ROOT / "scripts").glob("*.py"), *(ROOT / "scripts/cpython").glob("*.py")]:
            if path.name != "net.py":
                self.assertNotIn("ArgumentParser(", path.read_text(encoding="utf-8"), path.name)


class Nearest(unittest.TestCase):
    def test_an_unknown_name_is_answered_with_the_nearest_known_one(self):
        known = ["churn", "calls", "cycles"]
        for name, near in (("chrun", "churn"), ("CALLS", "calls"), ("cycle", "cycles"), ("zzz", "")):
            self.assertEqual(net.nearest(name, known), near)
            self.assertEqual("did you mean" in str(net.unknown("workload", name, known)), bool(near))


class Names(Bench):
    """Bad calls, caught before any work begins."""

    def refused(self, words: str, *arguments: str, script: str = "run.py") -> None:
        done = subprocess.run([sys.executable, str(SCRIPTS / script), *arguments], capture_output=True, encoding="utf-8", timeout=60, check=False)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stdout + done.stderr)
        self.assertIn(words, done.stderr)

    def test_a_check_needs_no_harness_and_names_the_nearest(self):
        for words, arguments in (("did you mean 'quick'?", ("--matrix", "qiuck")), ("did you mean 'churn'?", ("--workloads", "churns")),
                                 ("did you mean 'jemalloc'?", ("--allocators", "locked:jemaloc")), ("did you mean 'cyclic'?", ("--collectors", "cylic")),
                                 ("is not a share", ("--precision", "much"))):
            self.refused(words, "--check", *arguments)
        done = subprocess.run([sys.executable, str(SCRIPTS / "run.py"), "--check", "--matrix", "quick", "--workloads", "calls"],
                              capture_output=True, encoding="utf-8", timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_every_matrix_passes_the_check(self):
        for path in sorted((SCRIPTS / "matrices").glob("*.toml")):
            done = subprocess.run([sys.executable, str(SCRIPTS / "run.py"), "--check", "--matrix", path.stem], capture_output=True, encoding="utf-8", timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_known_name_that_the_matrix_lacks_is_refused_also_beside_one_that_it_has(self):
        for arguments in (("--workloads", "calls,larson"), ("--workloads", "larson")):
            self.refused("matrix 'quick' has no group for the workload 'larson'", "--check", "--matrix", "quick", *arguments)
        (self.folder / "blocks.toml").write_text('[[group]]\nname = "churn"\nworkload = "churn"\nconfigurations = ["system"]\n', encoding="utf-8")
        self.refused("matrix 'blocks' has nothing that fits", "--check", "--matrix", str(self.folder / "blocks.toml"), "--collectors", "gil")
        (self.folder / "leak.toml").write_text('[[group]]\nname = "calls"\nworkload = "calls"\nconfigurations = ["leak/bump"]\n', encoding="utf-8")
        self.refused("nothing that fits", "--check", "--matrix", str(self.folder / "leak.toml"), "--allocators", "jemalloc")

    def test_a_results_folder_that_is_none_is_refused_by_all_that_read_runs(self):
        for script, *arguments in (("listing.py",), ("compare.py", "a", "b"), ("report.py", "a"), ("plots.py", "--run", "a"), ("bars.py", "a"),
                                   ("attribution.py", "a"), ("heap.py", "a"), ("latency.py", "a"), ("spacetime.py", "a"), ("instructions.py", "a")):
            for place in ("/etc/passwd", str(self.folder / "nowhere")):
                self.refused(f"{place} is not a folder", *arguments, "--results", place, script=script)

    def test_a_value_of_the_wrong_kind_in_a_matrix_is_named_with_its_key(self):
        group = '[[group]]\nname = "churn"\nworkload = "churn"\nconfigurations = ["system"]\n'
        for text in ('repetitions = "five"\n' + group, "repetitions = 0\n" + group, "budget_s = -1\n" + group, "seed = 1.5\n" + group, "memory = 1\n" + group,
                     group + "threads = 2\n", group + "threads = [0]\n", group + "parameters = 3\n", group + "parameters = { size = [1] }\n",
                     group + "title = 3\n", "sets = 3\n" + group, "group = 3\n", group.replace('["system"]', "[1]"), group.replace('["system"]', "[]"),
                     group.replace('"churn"\nwork', '["a"]\nwork'), "timeout_s = nan\n" + group, "about = [1]\n" + group):
            (self.folder / "bad.toml").write_text(text, encoding="utf-8")
            self.refused("it must be ", "--check", "--matrix", str(self.folder / "bad.toml"))
        (self.folder / "bad.toml").write_bytes(b'about = "\xfc"\n')
        self.refused("is not UTF-8", "--check", "--matrix", str(self.folder / "bad.toml"))


class Stopped(Bench):
    """A run that is ended from outside, a harness that hangs."""

    def test_each_signal_ends_a_run_in_one_line_and_what_was_measured_is_kept(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number.name):
                process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                                           env=self.environment({"*": {"sleep_s": 0.05}}), start_new_session=True)
                self.wait_for(process, 2 + (len(self.lines()) if self.runs() else 0))
                kept = self.lines()
                process.send_signal(number)
                _, said = process.communicate(timeout=100)
                self.assertEqual((process.returncode, len(said.strip().splitlines())), (130, 1), said)
                self.assertRegex(said, r"interrupted; \d+ invocations kept in .*; `make bench MATRIX=.*` goes on from there")
                self.assertEqual(self.lines()[:len(kept)], kept)
                self.until(lambda: not self.alive(), "the end of its children")     # one that had just begun is the kernel's to end
        done = self.bench()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.runs()), 1)
        self.assert_each_once()

    def test_under_nohup_a_hangup_does_not_end_it(self):
        def ignored() -> None:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        process = subprocess.Popen(self.command("--workloads", "churn"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                                   env=self.environment({"*": {"sleep_s": 0.02}}), preexec_fn=ignored)
        self.wait_for(process, 1)
        process.send_signal(signal.SIGHUP)
        _, said = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 0, said)

    def test_an_executable_that_hangs_or_crashes_while_it_starts_is_a_row_that_says_so(self):
        self.matrix(re.sub("timeout_s = .*", "timeout_s = 2", self.MATRIX).replace("repetitions = 2", "repetitions = 1"))
        slow = ("import sys; sys.path.insert(0, sys.argv[1]); import resident, run; resident.START_S = 2; import net; "
                "net.run('bench', lambda: run.main(sys.argv[2:]))")
        for name, body, outcome in (("cyclic", "sleep 100", "timeout"), ("cyclic", "kill -SEGV $$", "crash"), ("blocks", "sleep 100", "timeout")):
            with self.subTest(name=name, outcome=outcome):
                (self.folder / "bin" / name).unlink()
                (self.folder / "bin" / name).write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
                (self.folder / "bin" / name).chmod(0o755)
                done = subprocess.run([sys.executable, "-c", slow, str(SCRIPTS), *self.command()[2:]], capture_output=True, encoding="utf-8", timeout=400,
                                      env=self.environment(RESUME="no"), check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                rows = self.summary()
                row = rows["cycles", "cyclic/system"] if name == "cyclic" else rows["churn", "jemalloc"]
                self.assertEqual(row["outcome"], outcome)
                self.assertEqual(rows["cycles", "refcount/system"]["outcome"], "ok")
                self.until(lambda: not children_in(self.folder / "bin"), "the end of its children")
                (self.folder / "bin" / name).unlink()
                (self.folder / "bin" / name).symlink_to(ROOT / "tests/fake_harness.py")

    def test_a_run_that_may_open_too_few_files_is_one_line(self):
        for few in (6, 8, 10):
            done = subprocess.run(self.command(), capture_output=True, encoding="utf-8", timeout=50, env=self.environment(), check=False,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (few, few)))
            self.assertIn(done.returncode, (0, 2), done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), int(done.returncode == 2), done.stderr)


def children_in(folder: Path) -> list[str]:
    """Command lines of processes that were started from this folder, and still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"{folder}/" in words:
            found.append(words.replace("\0", " "))
    return found


if __name__ == "__main__":
    unittest.main()
