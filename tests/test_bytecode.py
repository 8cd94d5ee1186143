# SPDX-License-Identifier: MIT
"""The interpreter's programs: compiled by CPython, and executed by the model instruction for instruction as by CPython.

What the C interpreter then does is compared with the model by tests/collectors/workloads.c: births and takes, exactly.
"""
from __future__ import annotations

import importlib.util
import pathlib
import re
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("bytecode", TOP / "scripts/cpython/bytecode.py")
assert spec and spec.loader
bytecode = importlib.util.module_from_spec(spec)
sys.modules["bytecode"] = bytecode
sys.path.insert(0, str(TOP / "scripts"))        # of what it imports
spec.loader.exec_module(bytecode)

SAME_COMPILER = unittest.skipUnless(sys.version_info[:2] == (3, 11), "the instructions are those of CPython 3.11")


class Programs(unittest.TestCase):
    def test_every_program_gives_here_what_the_interpreter_checks(self) -> None:
        written = dict(re.findall(r'\.name = "(\w+)",\n    \.functions.*?\.result = (-?\d+),', bytecode.OUTPUT.read_text(), re.S))
        sources = sorted(bytecode.FOLDER.glob("*.py"))
        self.assertEqual(sorted(written), [path.stem for path in sources])
        for path in sources:
            space: dict = {"__name__": path.stem}
            exec(compile(path.read_text(), path.name, "exec"), space)
            self.assertEqual(space["main"](), int(written[path.stem]), path.stem)

    def test_the_workload_offers_every_program_in_the_order_of_the_table(self) -> None:
        offered = re.search(r'"of workloads/programs/", \.choices = "([^"]+)"', (TOP / "workloads/objects/interpreter.c").read_text())
        assert offered
        table = re.findall(r"&(\w+)_program", bytecode.OUTPUT.read_text())
        self.assertEqual(offered[1].split("|"), table)

    @SAME_COMPILER
    def test_the_table_is_what_the_compiler_makes_of_the_sources(self) -> None:
        self.assertEqual(bytecode.OUTPUT.read_text(), bytecode.whole_text(bytecode.programs()))

    @SAME_COMPILER
    def test_cpython_executes_the_instructions_that_the_model_counts(self) -> None:
        for program in bytecode.programs():
            profile = bytecode.Model(program).run()
            result, seen = bytecode.executed(program)
            self.assertEqual(result, profile.result, program.name)
            self.assertEqual(bytecode.as_executed(profile.bytecodes), bytecode.as_interpreted(seen), program.name)

    @SAME_COMPILER
    def test_references_per_bytecode_are_those_of_an_interpreter(self) -> None:
        for program in bytecode.programs():
            profile = bytecode.Model(program).run()
            share = (profile.takes + profile.drops) / profile.bytecodes.total()
            self.assertTrue(bytecode.PUBLISHED[0] <= share <= bytecode.PUBLISHED[1], f"{program.name}: {share:.2f}")


if __name__ == "__main__":
    unittest.main()
