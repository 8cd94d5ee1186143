# SPDX-License-Identifier: MIT
"""The README's tables are those of results/reference, and its links lead somewhere."""
from __future__ import annotations

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

from run_support import Bench

import reference

TOP = Path(__file__).resolve().parent.parent


SLOW = True             # not part of the short look (make check)


class Readme(unittest.TestCase):
    def test_its_tables_are_written_from_the_reference_run(self) -> None:
        done = subprocess.run([sys.executable, TOP / "scripts/reference.py", "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_table_has_rows(self) -> None:
        tables = dict(re.findall(r"<!-- table: (\w+) -->\n(.*?)<!-- end -->", (TOP / "README.md").read_text(), re.S))
        self.assertEqual(sorted(tables), sorted(reference.TABLES))
        for name, (run, _) in reference.TABLES.items():
            if run.is_dir():
                self.assertGreater(len(tables[name].splitlines()), 5, name)

    def test_its_links_and_pictures_exist(self) -> None:
        for target in re.findall(r"\]\(([^)#]+)\)", (TOP / "README.md").read_text()):
            if not target.startswith("http"):
                self.assertTrue((TOP / target).exists(), target)

    def test_every_make_verb_it_names_is_one_that_help_lists(self) -> None:
        listed = subprocess.run(["make", "-s", "help"], cwd=TOP, capture_output=True, text=True, check=True).stdout
        named = set(re.findall(r"`make ([a-z-]+)", (TOP / "README.md").read_text()))
        for verb in named:
            self.assertRegex(listed, rf"make {verb}\b")


class OfAllocators(Bench):
    def test_a_run_of_that_matrix_has_a_place_and_tables_of_its_own(self) -> None:
        self.bench()
        run, place = self.runs()[-1], self.results / "reference-allocators"
        about = json.loads((run / "run.json").read_text(encoding="utf-8"))
        about["matrix"]["name"] = "allocators"
        (run / "run.json").write_text(json.dumps(about), encoding="utf-8")
        with mock.patch.object(reference, "REFERENCE", self.results / "reference"):
            reference.keep(run)
        self.assertTrue((place / "run.json").is_file())
        self.assertFalse((self.results / "reference").exists())
        shown = reference.speed(reference.Run(place))
        self.assertRegex(shown, r"\| `pymalloc` \| [\d.,]+ \([\d.,]+ \.\. [\d.,]+\) \|")
        self.assertIn("not measured", reference.aims(reference.Run(place)))


if __name__ == "__main__":
    unittest.main()
