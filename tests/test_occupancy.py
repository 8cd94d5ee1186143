# SPDX-License-Identifier: MIT
"""The map of pymalloc's pools: each moment is there, its blocks are those that live, and it can be drawn."""
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
COUNT = 20000


class Occupancy(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="refarena-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def blocks(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([TOP / "build/bin/blocks", *arguments, "--units=1", "--rounds=1"], cwd=self.folder,
                              capture_output=True, text=True, check=False)

    def mapped(self, *arguments: str) -> dict[str, list[list[int]]]:
        """Rows of each moment; of one that comes twice, the last."""
        done = self.blocks("batch", f"count={COUNT}", "order=random", "--map=occupancy.map", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = {}
        for part in (self.folder / "occupancy.map").read_text().split("\n\n\n"):
            if part:
                name, header, *rows = part.splitlines()
                self.assertEqual(header, "arena pool class_bytes used capacity")
                found[name.removeprefix("# ")] = [[int(cell) for cell in row.split()] for row in rows]
        return found

    def test_used_blocks_are_those_alive_at_each_moment(self) -> None:
        for allocator in ("pymalloc", "pymalloc-3.9", "locked:pymalloc"):
            moments = self.mapped(f"--allocator={allocator}")
            alive = {name: sum(row[3] for row in rows) for name, rows in moments.items()}
            self.assertEqual(alive, {"prepared": 0, "peak": COUNT, "a tenth left": COUNT // 10,
                                     "a thousandth left": COUNT // 1000, "end": 0}, allocator)
            self.assertTrue(all(row[3] <= row[4] for rows in moments.values() for row in rows))

    def test_who_has_no_pools_and_what_cannot_be_written_are_refused_in_one_line(self) -> None:
        for arguments, words in ((("--allocator=system", "--map=x"), "no pools"),
                                 (("--allocator=pymalloc", "--map=nonesuch/x"), "cannot be written")):
            done = self.blocks("batch", "count=10", *arguments)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
            self.assertIn(words, done.stderr)

    @unittest.skipIf(shutil.which("gnuplot") is None, "gnuplot is not installed")
    def test_it_is_drawn(self) -> None:
        self.mapped("--allocator=pymalloc")
        for form in ("png", "svg"):
            done = subprocess.run(["gnuplot", "-e", f"set loadpath '{TOP}/scripts/plots'; fmt='{form}'; out='occupancy'",
                                   TOP / "scripts/plots/occupancy.gp"], cwd=self.folder, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertGreater((self.folder / f"occupancy.{form}").stat().st_size, 5000)
        text = re.sub(r"<[^>]*>", "", (self.folder / "occupancy.svg").read_text())
        self.assertIn(f"{COUNT} blocks", text)


if __name__ == "__main__":
    unittest.main()
