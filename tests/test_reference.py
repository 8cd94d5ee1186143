# SPDX-License-Identifier: MIT
"""The README's tables are those of results/reference, and its links lead somewhere."""
from __future__ import annotations

import re
import subprocess
import sys
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


class Readme(unittest.TestCase):
    def test_its_tables_are_written_from_the_reference_run(self) -> None:
        done = subprocess.run([sys.executable, TOP / "scripts/reference.py", "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_table_has_rows(self) -> None:
        tables = re.findall(r"<!-- table: \w+ -->\n(.*?)<!-- end -->", (TOP / "README.md").read_text(), re.S)
        self.assertEqual(len(tables), 3)
        for table in tables:
            self.assertGreater(len(table.splitlines()), 5)

    def test_its_links_and_pictures_exist(self) -> None:
        for target in re.findall(r"\]\(([^)#]+)\)", (TOP / "README.md").read_text()):
            if not target.startswith("http"):
                self.assertTrue((TOP / target).exists(), target)

    def test_every_make_verb_it_names_is_one_that_help_lists(self) -> None:
        listed = subprocess.run(["make", "-s", "help"], cwd=TOP, capture_output=True, text=True, check=True).stdout
        named = set(re.findall(r"`make ([a-z-]+)", (TOP / "README.md").read_text()))
        for verb in named:
            self.assertRegex(listed, rf"make {verb}\b")


if __name__ == "__main__":
    unittest.main()
