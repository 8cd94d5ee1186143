# SPDX-License-Identifier: MIT
"""A libpython that cannot serve is refused in one line: stubs, compiled here, stand in for those that this machine lacks."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCKS = ROOT / "build/bin/blocks"
STUB = """
#include <stdlib.h>
const char *Py_GetVersion(void) { return "%s"; }
void *PyObject_Malloc(size_t n) { return malloc(n); }
void *PyObject_Calloc(size_t k, size_t n) { return calloc(k, n); }
void *PyObject_Realloc(void *p, size_t n) { return realloc(p, n); }
void PyObject_Free(void *p) { free(p); }
"""


@unittest.skipUnless(BLOCKS.exists(), "build/bin/blocks is not built")
@unittest.skipUnless(shutil.which("gcc"), "gcc is not installed")
class Libpython(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="refarena libpython ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def stub(self, source: str) -> None:
        (self.folder / "stub.c").write_text(source)
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", self.folder / "libpython3.11.so.1.0", self.folder / "stub.c"], check=True)

    def line(self, *more: str, allocator: str = "pyobject") -> dict:
        done = subprocess.run([BLOCKS, "churn", "size=100", f"--allocator={allocator}", "--units=1", "--rounds=1", *more],
                              capture_output=True, text=True, check=False, env={**os.environ, "LD_LIBRARY_PATH": str(self.folder)})
        self.assertIn(done.returncode, (0, 3), done.stderr)
        return json.loads(done.stdout)

    def refused(self, *parts: str) -> None:
        line = self.line()
        self.assertEqual(line["outcome"], "not_installed", line["message"])
        for part in ("pyobject: ", *parts):
            self.assertIn(part, line["message"])
        self.assertNotIn("\n", line["message"])

    def test_an_early_one_needs_no_interpreter_and_says_its_version(self) -> None:
        self.stub(STUB % "3.10.7 (main) [GCC]")
        line = self.line()
        self.assertEqual(line["outcome"], "ok", line["message"])
        self.assertEqual(line["build"]["allocator_version"], "libpython 3.10.7")
        self.assertEqual(line["build"]["allocator_library"], str(self.folder / "libpython3.11.so.1.0"))

    def test_a_free_threaded_build_is_refused(self) -> None:
        for version in ("3.13.1 experimental free-threading build (main) [GCC]", "3.14.0 free-threading build (main) [GCC]"):
            with self.subTest(version):
                self.stub(STUB % version)
                self.refused("free-threaded build")

    def test_one_without_its_standard_library_is_refused(self) -> None:
        self.stub(STUB % "3.12.4 (main) [GCC]")
        self.refused("needs its standard library", "lib/python3.12/os.py", "apt-get install libpython3.12")

    def test_one_that_cannot_start_an_interpreter_is_refused(self) -> None:
        (self.folder / "lib/python3.12").mkdir(parents=True)
        (self.folder / "lib/python3.12/os.py").touch()
        self.stub(STUB % "3.12.4 (main) [GCC]")                 # it has no function that could
        self.refused("could not start an interpreter")

    def test_the_installed_one_serves_one_thread_and_more_where_it_has_no_interpreter(self) -> None:
        one = self.line(allocator="locked:pyobject")
        if one["outcome"] == "not_installed":
            self.skipTest(one["message"])
        self.assertEqual(one["outcome"], "ok", one["message"])
        two = self.line("--threads=2", "--no-capacity", allocator="locked:pyobject")
        if "with an interpreter" in one["build"]["allocator_version"]:
            self.assertEqual(two["outcome"], "unsupported", two["message"])
            self.assertIn("can only be called by the thread that opened it", two["message"])
        else:
            self.assertEqual(two["outcome"], "ok", two["message"])

    def test_something_else_under_its_name_is_refused(self) -> None:
        self.stub("int nothing;")
        self.refused("is no libpython")


if __name__ == "__main__":
    unittest.main()
