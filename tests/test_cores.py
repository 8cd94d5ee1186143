# SPDX-License-Identifier: MIT
"""The harness's threads on the cores that were named, and the harness where it is refused memory itself."""
from __future__ import annotations

import json
import os
import resource
import subprocess
import unittest
from pathlib import Path

from test_harness import FAKE, QUICK, SANITIZED, line_of, run

BLOCKS = Path(__file__).resolve().parent.parent / "build/bin/blocks"
MIB = 1 << 20
CORES = sorted(os.sched_getaffinity(0))
HARNESS = "for the harness itself"


def bounded(what: int, bytes_: int, *arguments: str, executable: Path = FAKE) -> subprocess.CompletedProcess:
    """A soft and a hard limit, as ulimit sets them."""
    return run(*arguments, executable=executable, preexec_fn=lambda: resource.setrlimit(what, (bytes_, bytes_)))


class Pinned(unittest.TestCase):
    @unittest.skipUnless(len(CORES) > 1, "one core")
    def test_thread_i_runs_on_the_ith_core_that_is_named(self) -> None:
        named = [CORES[1], CORES[0]]
        child = subprocess.Popen([str(FAKE), "fake", "--threads=2", "--no-capacity", "--resident", f"--cpus={named[0]},{named[1]}"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            ready = json.loads(child.stdout.readline())
            seen = [next(l.split()[1] for l in (task / "status").read_text().splitlines() if l.startswith("Cpus_allowed_list"))
                    for task in sorted(Path(f"/proc/{child.pid}/task").iterdir(), key=lambda p: int(p.name))]
        finally:
            child.communicate("quit\n", timeout=60)
        self.assertEqual(ready["cpus"], named)
        self.assertEqual(seen[1:], [str(n) for n in named])             # the first task gives orders, and is not pinned

    def test_one_thread_runs_on_the_first_of_them(self) -> None:
        self.assertEqual(line_of("fake", f"--cpus={','.join(map(str, reversed(CORES)))}", *QUICK)["cpus"], [CORES[-1]])

    def test_without_a_word_threads_have_cores_of_their_own_and_one_thread_is_left_to_the_os(self) -> None:
        self.assertIsNone(line_of("fake", *QUICK)["cpus"])
        line = line_of("fake", "--threads=2", "--no-capacity", *QUICK)
        self.assertEqual(len(set(line["cpus"])), min(2, len(CORES)))

    def test_two_threads_on_one_core_are_told(self) -> None:
        self.assertIs(line_of("fake", "--threads=2", "--no-capacity", f"--cpu={CORES[0]}", *QUICK)["share_a_core"], True)
        self.assertIs(line_of("fake", f"--cpu={CORES[0]}", *QUICK)["share_a_core"], False)

    def test_what_is_no_list_of_our_cores_is_refused_in_one_line(self) -> None:
        first = CORES[0]
        for wrong, words in ((f"{first},{first}", "named twice"), ("1000", "not a core this process may use"), ("", "not a whole number"),
                             (f"{first},", "not a whole number"), (f"{first};1", "not a whole number"), ("9" * 40, "out of range")):
            self.refused(words, f"--cpus={wrong}")
        self.refused("exclude each other", f"--cpus={first}", f"--cpu={first}")

    def refused(self, words: str, *arguments: str) -> None:
        done = run("fake", *arguments)
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), done.stderr)
        self.assertIn(words, done.stderr)


@unittest.skipIf(SANITIZED, "sanitizers reserve more address space than there is")
class RefusedMemory(unittest.TestCase):
    def test_under_any_limit_of_the_address_space_it_ends_with_one_line(self) -> None:
        """From too little to start a thread to enough; the table of 10,000 rounds and their report are the harness's own."""
        messages = []
        for mib in range(14, 120, 4):
            done = bounded(resource.RLIMIT_AS, mib * MIB, "fake", "--rounds=10000", "--units=1", "--memory", "--sample-ms=50")
            if done.returncode == 127:                                  # the loader could not even map the libraries
                continue
            self.assertIn(done.returncode, (0, 3), done.stderr)
            self.assertEqual((done.stdout.count("\n"), done.stderr), (1, ""), f"{mib} MiB")
            messages.append(json.loads(done.stdout)["message"])
            if done.returncode == 0:
                break
        self.assertTrue(any(HARNESS in m and "ulimit -v is" in m for m in messages), messages)
        self.assertEqual(messages[-1], "", messages)

    def test_a_resident_says_so_as_its_last_words(self) -> None:
        for mib in range(16, 60, 2):
            done = bounded(resource.RLIMIT_AS, mib * MIB, "fake", "--rounds=100000", "--resident")
            if HARNESS in done.stdout:
                bye = json.loads(done.stdout)
                self.assertEqual((bye["event"], bye["outcome"], done.returncode), ("bye", "heap_full", 3))
                return
        self.fail("no limit under which the harness alone was refused")

    @unittest.skipUnless(BLOCKS.exists(), "blocks is not built")
    def test_a_users_own_limit_is_not_raised_by_ours(self) -> None:
        done = bounded(resource.RLIMIT_DATA, 100 * MIB, "batch", "count=20000000", "--memory-limit=4G", *QUICK, executable=BLOCKS)
        line = json.loads(done.stdout)
        self.assertEqual((line["outcome"], done.returncode), ("heap_full", 3))
        self.assertIn("ulimit -d is 100 MiB", line["message"])


if __name__ == "__main__":
    unittest.main()
