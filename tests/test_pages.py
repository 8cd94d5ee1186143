# SPDX-License-Identifier: MIT
"""Pages of the OS that are larger than 4 KiB: work as usual up to 64 KiB, and one line above that."""
import json
import os
import subprocess
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
KERNEL = "build/tests/larger_pages.so"                  # relative: LD_PRELOAD takes no blank
BRIEF = ("--units=1", "--rounds=1")


def run(*argv: str, page_bytes: int = 0, preload: str = "") -> subprocess.CompletedProcess:
    """A program on a kernel with such pages; 0: on this one."""
    libraries = ":".join(filter(None, (preload, KERNEL if page_bytes else "")))
    environment = {**os.environ, **({"LD_PRELOAD": libraries} if libraries else {}), "REFARENA_PAGE_BYTES": str(page_bytes)}
    return subprocess.run(argv, env=environment, cwd=TOP, capture_output=True, text=True, timeout=120, check=False)


def measured(done: subprocess.CompletedProcess) -> tuple[str, str]:
    line = json.loads(done.stdout)
    return line["outcome"], line["rounds"][0]["checksum"]


@unittest.skipUnless((TOP / KERNEL).exists(), "build/tests/larger_pages.so is not built")
class LargerPages(unittest.TestCase):
    def test_a_workload_gives_the_same_result_with_any_size_of_pages(self):
        for program in (("blocks", "large", "--allocator=system"), ("blocks", "churn", "--allocator=magazine"),
                        ("blocks", "churn", "--allocator=bump"), ("marksweep", "binary_trees", "depth=8"), ("cyclic", "chain", "size=1000")):
            argv = (f"build/bin/{program[0]}", *program[1:], *BRIEF)
            usual = run(*argv)
            self.assertEqual(usual.returncode, 0, usual.stderr)
            for page_bytes in (16384, 65536):
                done = run(*argv, page_bytes=page_bytes)
                self.assertEqual((done.returncode, done.stderr), (0, ""), argv)
                self.assertEqual(measured(done), measured(usual), argv)

    def assert_one_line(self, text: str) -> None:
        self.assertEqual(len(text.strip().splitlines()), 1, text)
        self.assertIn("131072", text)

    def test_pages_that_no_arena_can_be_made_of_are_refused_in_one_line(self):
        for argv in (("build/bin/blocks", "churn", *BRIEF), ("build/bin/marksweep", "chain", *BRIEF)):
            done = run(*argv, page_bytes=131072)
            self.assertEqual((done.returncode, done.stdout), (2, ""), argv)
            self.assert_one_line(done.stderr)

    def test_what_allocates_nothing_answers_on_any_kernel(self):
        self.assertEqual(run("build/bin/blocks", "--list", page_bytes=131072).returncode, 0)

    def test_a_library_of_ours_refuses_such_pages_in_one_line_too(self):
        done = run("build/bin/blocks", "--list", page_bytes=131072, preload="build/lib/refarena-pymalloc.so")
        self.assertLess(done.returncode, 0)
        self.assert_one_line(done.stderr)


@unittest.skipUnless((TOP / KERNEL).exists(), "build/tests/larger_pages.so is not built")
class Kernel(unittest.TestCase):
    """The pretended kernel refuses what a real one would; else the tests on it would say nothing."""

    def test_an_address_that_is_no_page_is_refused_and_noticed_though_nobody_looks(self):
        bad = "import ctypes, mmap; c = ctypes.CDLL(None); m = mmap.mmap(-1, 1 << 20); p = ctypes.addressof(ctypes.c_char.from_buffer(m))\n" \
              "c.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]\nprint(p % 65536, c.madvise(p + 4096, 4096, 4))"
        done = run("/usr/bin/python3", "-c", bad, page_bytes=65536)
        self.assertEqual(done.stdout, "0 -1\n")
        self.assertIn("madvise", done.stderr)
        self.assertEqual(done.returncode, 70)


if __name__ == "__main__":
    unittest.main()
