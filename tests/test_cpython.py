# SPDX-License-Identifier: MIT
"""Random programs on the real CPython and on `cyclic`: step by step the same.

What gc.collect(g) returns, how many tracked objects are left, which finalizers and callbacks ran, in which
order, and what finalizers saw. scripts/cpython/programs.py runs them here, build/tests/cyclic/model there.
"""
from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent
MODEL = TOP / "build/tests/cyclic/model"
SCRIPT = TOP / "scripts/cpython/programs.py"
PROGRAMS = 1000
SAME_TRASHCAN = sys.version_info[:2] in ((3, 11), (3, 12))      # elsewhere long cascades are deferred at another depth


def blocks(*command: object) -> dict[str, list[str]]:
    """What was printed, by seed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=TOP, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
    by_seed: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("seed "):
            by_seed[line] = []
        else:
            by_seed[next(reversed(by_seed))].append(line)
    return by_seed


def comparable(lines: list[str]) -> bool:
    return SAME_TRASHCAN or not any(line.startswith("h") for line in lines)


@unittest.skipUnless(sys.implementation.name == "cpython" and (3, 10) <= sys.version_info < (3, 14),
                     "not a CPython 3.10 to 3.13, whose collector is the one modelled")
@unittest.skipUnless(MODEL.exists(), f"{MODEL.name} is not built")
class Programs(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.ours = blocks(MODEL, "--print", 1, PROGRAMS)
        cls.theirs = blocks(sys.executable, SCRIPT, 1, PROGRAMS)

    def test_every_step_of_every_program_does_the_same_on_both(self) -> None:
        self.assertEqual(list(self.ours), list(self.theirs))
        compared = 0
        for seed, ours in self.ours.items():
            if not comparable(ours):
                continue
            compared += 1
            for number, (our, their) in enumerate(zip(ours, self.theirs[seed], strict=True)):
                self.assertEqual(our, their, f"{seed}, step {number}: {MODEL.relative_to(TOP)} --print {seed.split()[1]} shows it")
        self.assertGreaterEqual(compared, 250)

    def test_the_programs_do_what_is_worth_comparing(self) -> None:
        text = "\n".join(line for lines in self.theirs.values() for line in lines)
        for what, pattern, least in (("collections that found something", r"^c [1-9]", 200), ("finalizers", r" f\d+\(", 10000),
                                     ("callbacks", r" c\d+", 100), ("collections by a finalizer", r" r[1-9]", 10),
                                     ("weak references that a finalizer saw", r" f\d+\([^)]*-\d", 10)):
            self.assertGreaterEqual(len(re.findall(pattern, text, re.M)), least, what)


class Definition(unittest.TestCase):
    def test_the_script_has_the_byte_code_of_the_header(self) -> None:
        header = (TOP / "tests/model/program.h").read_text()
        script = SCRIPT.read_text()
        for name in ("OPS", "TYPES"):
            self.assertEqual(re.search(rf'#define PROGRAM_{name} +"(\w+)"', header)[1],
                             re.search(rf'^{name} = "(\w+)"', script, re.M)[1])
        numbers = dict(re.findall(r"PROGRAM_(\w+) = (\d+)", header))
        names, values = re.search(r"^(FRAME, .*) = (.*)$", script, re.M).groups()
        for name, value in zip(names.split(", "), values.split(", "), strict=True):
            if name in numbers:
                self.assertEqual(value, numbers[name], name)

    def test_the_script_says_what_it_needs(self) -> None:
        done = subprocess.run([sys.executable, SCRIPT, "many"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))


if __name__ == "__main__":
    unittest.main()
