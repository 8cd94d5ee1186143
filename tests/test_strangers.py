# SPDX-License-Identifier: MIT
"""On a stranger's machine other programs run too, with any names: what we find and end there is what we started."""
import re
import unittest

from run_support import ROOT

# in pieces, so that this file is not found itself
BY_NAME = re.compile(r"\b(p(?:grep|kill)|kill" r"all|pid" r"of|process_" r"iter)\b")


class Processes(unittest.TestCase):
    def test_none_is_found_or_ended_by_its_name(self) -> None:
        places = [p for folder in ("scripts", "tests", ".ci", ".github") for p in (ROOT / folder).rglob("*") if p.is_file()]
        for path in [ROOT / "Makefile", *places]:
            if "__pycache__" not in path.parts:
                found = BY_NAME.search(path.read_text(encoding="utf-8", errors="replace"))
                self.assertIsNone(found, f"{path}: {found and found[0]}")

    def test_every_test_file_can_run_beside_any_other_or_says_why_not(self) -> None:
        """ALONE = True, with the reason behind it, keeps a file from running beside others."""
        for path in (ROOT / "tests").glob("test_*.py"):
            for line in re.findall(r"^ALONE\b.*$", path.read_text(encoding="utf-8"), re.M):
                self.assertRegex(line, r"^ALONE = True +# \w+", path.name)


if __name__ == "__main__":
    unittest.main()
