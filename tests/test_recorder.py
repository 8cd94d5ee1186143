#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The recorder on real programs: none behaves otherwise for it, and every trace is whole and replays."""
from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from run_support import COMPILER, ROOT, needs

import recordings

RECORDER = ROOT / "build/lib/refarena-recorder.so"
BLOCKS = ROOT / "build/bin/blocks"
ALLOC, ZEROED, ALIGNED, RESIZE, RELEASE = range(5)


@needs(COMPILER[0])
@unittest.skipUnless(RECORDER.exists() and BLOCKS.exists(), "the recorder, or the harness, is not built")
class RecorderTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.trace = self.folder / "x.trace.zst"

    @classmethod
    def setUpClass(cls) -> None:
        cls.built = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.subject = str(cls.built / "subject")
        subprocess.run([*COMPILER, "-std=c11", "-D_GNU_SOURCE", "-O1", "-fno-builtin", "-pthread",
                        str(ROOT / "tests/recorder_subject.c"), "-o", cls.subject], check=True)

    def run_program(self, *command: str, record: str | None = None, **more) -> subprocess.CompletedProcess:
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}
        if record is not None:
            environment |= {"LD_PRELOAD": str(RECORDER), "REFARENA_RECORD": record}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, **more)

    def record(self, *command: str, status: int = 0, record: str | None = None, **more) -> recordings.Trace:
        done = self.run_program(*command, record=record or str(self.trace), **more)
        self.assertEqual((done.returncode, done.stderr), (status, ""))
        self.output = done.stdout
        return recordings.Trace(self.trace)

    def replay(self, trace: Path, allocator: str = "system") -> subprocess.CompletedProcess:
        return subprocess.run([str(BLOCKS), "replay", f"trace={trace}", "check=full", f"--allocator={allocator}",
                               "--rounds=1", "--units=1"], capture_output=True, text=True, timeout=120)

    def assert_replays(self, trace: Path) -> None:
        checksums = set()
        for allocator in ("system", "pymalloc"):
            done = self.replay(trace, allocator)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            line = json.loads(done.stdout)
            self.assertEqual(line["outcome"], "ok")
            self.assertEqual(line["declared"]["allocations"], line["counted"]["allocations"])
            checksums.add(line["rounds"][0]["checksum"])
        self.assertEqual(len(checksums), 1)

    # --- one program, every call --------------------------------------------------------------------------

    def test_every_call_of_the_family_is_recorded_in_order(self) -> None:
        trace = self.record(self.subject)
        mine = [(kind, size) for kind, _, size in trace.numbers() if kind < RELEASE and 100000 < size < 100110]
        self.assertEqual(mine, [(ALLOC, 100001), (ZEROED, 100010), (RESIZE, 100003), (ALIGNED, 100032),
                                (ALIGNED, 100005), (ALIGNED, 100006), (ALIGNED, 100004), (ALLOC, 100107),
                                (ALLOC, 100008), (ALLOC, 100009)])
        aligned = [(first, last) for kind, first, last in trace.numbers() if kind == ALIGNED]
        self.assertEqual(aligned, [(6, 100032), (8, 100005), (12, 100006), (12, 8192), (12, 100004)])
        self.assertEqual(trace.head["threads"], 1)
        self.assert_replays(self.trace)

    def test_the_same_program_leaves_the_same_trace(self) -> None:
        first = self.record(self.subject).raw
        self.assertEqual(self.record(self.subject).raw, first)

    # --- threads and processes ------------------------------------------------------------------------------

    def test_threads_are_recorded_in_one_true_order(self) -> None:
        trace = self.record(self.subject, "threads")
        self.assertEqual(trace.head["threads"], 9)
        self.assertGreaterEqual(trace.head["allocations"], 8 * 3000)
        self.assert_replays(self.trace)             # the reader refuses a release before its birth

    def test_a_forked_child_is_left_out_and_its_parent_is_whole(self) -> None:
        trace = self.record(self.subject, "forks")
        self.assertEqual(trace.head["threads"], 5)
        self.assertLess(trace.head["allocations"], 6 * 3000)
        self.assert_replays(self.trace)

    def test_with_p_in_the_name_every_process_has_a_trace_of_its_own(self) -> None:
        done = self.run_program(self.subject, "forks", record=str(self.folder / "%p.trace.zst"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        traces = sorted(self.folder.glob("*.trace.zst"))
        self.assertEqual(len(traces), 21)
        threads = [recordings.Trace(path).head["threads"] for path in traces]
        self.assertEqual(sorted(threads), [1] * 20 + [5])
        self.assert_replays(traces[0])
        self.assert_replays(traces[20])

    def test_a_shell_that_forks_and_execs(self) -> None:
        self.record("sh", "-c", "ls / >/dev/null; (exit 3); echo $? | cat; exec true")
        self.assertEqual(self.output, "3\n")
        self.assert_replays(self.trace)
        self.run_program("sh", "-c", "ls /; cat /dev/null", record=str(self.folder / "%p.trace.zst"))
        traces = [path for path in self.folder.glob("*.trace.zst") if path != self.trace]
        commands = sorted(recordings.Trace(path).command for path in traces)
        self.assertEqual(commands[:2], ["cat /dev/null", "ls /"])

    # --- how programs end -----------------------------------------------------------------------------------

    def test_every_orderly_end_leaves_a_whole_trace(self) -> None:
        for end, status in (("_exit", 3), ("quick_exit", 4), ("execlp", 0), ("execvp", 0)):
            with self.subTest(end):
                trace = self.record(self.subject, end, status=status)
                self.assertEqual(trace.command, f"{self.subject} {end}")
                self.assert_replays(self.trace)

    def test_recording_goes_on_after_an_exec_that_failed(self) -> None:
        trace = self.record(self.subject, "no_exec")
        self.assertEqual(trace.sizes()[200001], 1)
        self.assert_replays(self.trace)

    def test_a_program_that_closes_all_files_and_changes_its_folder(self) -> None:
        trace = self.record(self.subject, "closes", record=self.trace.name, cwd=self.folder)
        self.assertEqual(trace.head["threads"], 9)
        self.assert_replays(self.trace)

    def test_a_killed_program_leaves_a_trace_that_is_refused_in_one_line(self) -> None:
        done = self.run_program(self.subject, "kill", record=str(self.trace))
        self.assertEqual(done.returncode, -9)
        with self.assertRaisesRegex(recordings.BadTrace, "unfinished"):
            recordings.Trace(self.trace)
        done = self.replay(self.trace)
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
        self.assertIn("unfinished", done.stderr)

    def test_a_cut_trace_is_refused_in_one_line_that_says_where(self) -> None:
        self.record(self.subject, "threads")
        self.trace.write_bytes(self.trace.read_bytes()[:-100])
        done = self.replay(self.trace)
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
        self.assertRegex(done.stderr, r"truncated after event \d+; record it again with `make recordings`")
        described = subprocess.run([ROOT / "scripts/recordings.py", self.trace], capture_output=True, text=True)
        self.assertEqual((described.returncode, described.stderr.count("\n")), (2, 1))

    # --- where it cannot write ------------------------------------------------------------------------------

    def test_a_file_that_cannot_be_written_ends_the_program_at_once(self) -> None:
        for path in ("/nonexistent/x.zst", "/dev/full", str(self.folder)):
            with self.subTest(path):
                done = self.run_program(self.subject, record=path)
                self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
                self.assertIn(f"refarena-recorder: {path}: cannot be written", done.stderr)

    def test_without_a_file_to_record_to_nothing_happens(self) -> None:
        done = self.run_program(self.subject, "forks", record="")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(list(self.folder.iterdir()), [])

    # --- real programs ---------------------------------------------------------------------------------------

    def test_real_programs_do_what_they_do_without_it(self) -> None:
        programs = [["ls", "/usr"], ["sort", "/etc/passwd"],
                    ["perl", "-e", "my %h; $h{$_ % 97} .= \"x$_\" for 1..5000; print join ',', map {$h{$_}} sort keys %h"],
                    ["/usr/bin/python3", "-c", "import json, subprocess; print(json.dumps(sorted(range(999))), "
                                               "subprocess.check_output(['echo', 'child']))"],
                    ["/usr/bin/python3", "-c", "import threading\n"
                     "t = [threading.Thread(target=lambda: [str(i) for i in range(2000)]) for _ in range(3)]\n"
                     "[x.start() for x in t]\n[x.join() for x in t]"]]
        for program in programs:
            with self.subTest(program[0]):
                if not shutil.which(program[0]):
                    self.skipTest(f"{program[0]} is not installed")
                plain = self.run_program(*program)
                self.record(*program)
                self.assertEqual(self.output, plain.stdout)
                self.assert_replays(self.trace)

    # --- make recordings ---------------------------------------------------------------------------------------

    @needs("sqlite3", "gcc", "perl", "jq", "ld.lld")
    def test_recordings_are_made_afresh_whole_and_alike(self) -> None:
        made, programs = [], ("cc1", "cpython", "jq", "lld", "perl", "sqlite3")
        for name in ("a", "b"):
            folder = self.folder / name
            folder.mkdir()
            done = subprocess.run([ROOT / "scripts/recordings.sh", folder], capture_output=True, text=True, timeout=120)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(sorted(path.name for path in folder.iterdir()),
                             sorted(["PROVENANCE.tsv", "SNAPSHOTS.tsv", "cpython.snapshot.zst", "syntax.json",
                                     *(f"{program}.trace.zst" for program in programs)]))
            made.append({program: recordings.Trace(folder / f"{program}.trace.zst") for program in programs})
        first, second = made
        for program in ("jq", "perl", "sqlite3"):
            self.assertEqual(first[program].raw, second[program].raw, program)
        self.assertGreater(first["lld"].head["threads"], 2)
        # CPython stats files: whether an attribute needs an int of its own depends on the file
        events = [one["cpython"].head["allocations"] for one in made]
        self.assertLess(abs(events[0] - events[1]), events[0] / 1000)
        self.assert_replays(folder / "sqlite3.trace.zst")

    def test_a_folder_that_is_none_is_refused_in_one_line(self) -> None:
        done = subprocess.run([ROOT / "scripts/recordings.sh", "/nonexistent"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))


if __name__ == "__main__":
    unittest.main()
