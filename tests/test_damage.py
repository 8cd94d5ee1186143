# SPDX-License-Identifier: MIT
"""Damaged results: every reader names the file and the line in one line, and none takes damage for a result."""
import io
import json
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import fake_run
from run_support import ROOT

import net
import record
import report
import schema
import summary
import table

# What reads a run, as script and arguments; "RUN" stands for its folder.
READERS = (("compare.py", "RUN", "RUN", "--no-plots"), ("report.py", "RUN"), ("plots.py", "--run", "RUN"), ("aa.py", "RUN"), ("bars.py", "RUN"),
           ("attribution.py", "RUN"), ("heap.py", "RUN"), ("latency.py", "RUN"), ("spacetime.py", "RUN"), ("instructions.py", "RUN"),
           ("reference.py", "--run", "RUN"))


SLOW = True             # not part of the short look (make check)


class EveryReader(fake_run.InFolder):
    def setUp(self) -> None:
        super().setUp()
        self.run_folder = fake_run.write(self.folder / "run", invocations=3, pauses=True)
        self.journal, self.about = self.run_folder / "invocations.jsonl", self.run_folder / "run.json"

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess:
        """What would write into README and results is started in a copy of them."""
        if "reference" not in name:
            return super().script(name, *arguments)
        copy = self.folder / "copy"
        if not copy.exists():
            (copy / "results").mkdir(parents=True)
            shutil.copytree(ROOT / "scripts", copy / "scripts")
            for path in (ROOT / "README.md", *(ROOT / "results").glob("*.json")):
                shutil.copy(path, copy / path.relative_to(ROOT))
        return subprocess.run([sys.executable, str(copy / "scripts" / name), *arguments], capture_output=True, encoding="utf-8", timeout=200, check=False)

    def refused_by_all(self, words: str) -> None:
        for script, *arguments in READERS:
            with self.subTest(reader=script):
                self.assert_refused(self.script(script, *(str(self.run_folder) if a == "RUN" else a for a in arguments)), words)

    def test_a_corrupted_line_is_named_by_its_number(self):
        lines = self.journal.read_bytes().splitlines(keepends=True)
        for bad in (lines[4][:200] + b"\n", lines[4].replace(b'"wall_ns"', b'"wall_nt"'), lines[4].replace(b'"rounds": [', b'"rounds": [7, '),
                    b"\xff\xfe" + lines[4], b"[1, 2]\n", lines[4].replace(b'"operations": 10000', b'"operations": 0')):
            self.journal.write_bytes(b"".join([*lines[:4], bad, *lines[5:]]))
            for script, *arguments in (READERS[0], READERS[3]):
                with self.subTest(reader=script, bad=bad[:60]):
                    self.assert_refused(self.script(script, *(str(self.run_folder) if a == "RUN" else a for a in arguments)), "line 5 is damaged")
        self.refused_by_all("invocations.jsonl: line 5 is damaged")

    def test_a_run_json_that_is_cut_or_means_nothing_is_named(self):
        text = self.about.read_bytes()
        for bad in (b"[]", b"", text.replace(b'"groups"', b'"grups"')):
            self.about.write_bytes(bad)
            self.assert_refused(self.script("compare.py", str(self.run_folder), str(self.run_folder)), "run.json is damaged")
        self.about.write_bytes(text[:len(text) // 2])
        self.refused_by_all("run.json is damaged")

    def test_other_files_that_are_damaged_are_named_too(self):
        (self.run_folder / "instructions.tsv").write_bytes(b"group\tlabel\n\xff\n")
        self.assert_refused(self.script("instructions.py", str(self.run_folder), "--against", str(self.run_folder)), "instructions.tsv")
        (self.run_folder / "claims.json").write_bytes(b'{"claims": 3}')
        self.assert_refused(self.script("claims_soak.py", "--of", str(self.run_folder)), "claims.json")
        self.assert_refused(self.script("claims_reference.py", "--run", str(self.run_folder)), "claims.json")
        bad = self.folder / "google.json"
        for text in (b"{", b"[]", b'{"context": {}, "benchmarks": [3]}', b'{"context": 1, "benchmarks": []}', b"\xff"):
            bad.write_bytes(text)
            self.assert_refused(self.script("compare.py", str(bad), str(bad)), str(bad))

    def test_a_folder_where_a_file_should_be_is_named(self):
        self.journal.unlink()
        self.journal.mkdir()
        self.refused_by_all("invocations.jsonl: Is a directory")


class AnyDamage(unittest.TestCase):
    """Bytes that flip, fall out, or double, a thousand times: read as they are, or refused; never something else."""

    def read(self, folder: Path) -> None:
        about, lines = record.read_run(folder), record.read_lines(folder)
        groups = summary.summarise(about["matrix"], lines)
        words = {name: w["operation"] or "operation" for name, w in about["workloads"].items()}
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            table.printed(groups, words)
            table.summary_tsv(groups, lines)
            json.dumps(report.page_data(folder, about, lines, groups), allow_nan=False)

    def damaged(self, data: bytes, draw: random.Random) -> bytes:
        at, length = draw.randrange(len(data)), draw.choice((1, 1, 1, 8, 200))
        return draw.choice((data[:at] + bytes(draw.choice(b'0123456789"{}[],:eE-.xn\xff') for _ in range(length)) + data[at + length:],
                            data[:at] + data[at + length:], data[:at] + data[at:at + length] + data[at:], data[:at]))

    def test_it_is_read_or_refused(self):
        draw, refused = random.Random(1), 0
        with tempfile.TemporaryDirectory() as place:
            folder = fake_run.write(Path(place) / "run", invocations=2, pauses=True)
            whole = {name: (folder / name).read_bytes() for name in ("run.json", "invocations.jsonl")}
            for number in range(300):
                name = draw.choice(("run.json", "invocations.jsonl"))
                (folder / name).write_bytes(self.damaged(whole[name], draw))
                try:
                    self.read(folder)
                except net.BadInput:
                    refused += 1
                except Exception as error:
                    self.fail(f"damage {number} of {name}: {type(error).__name__}: {error}")
                finally:
                    (folder / name).write_bytes(whole[name])
        self.assertGreater(refused, 100)


class Schema(unittest.TestCase):
    def test_all_reference_runs_fit(self):
        for path in sorted((ROOT / "results").glob("reference*/run.json")):
            record.read_run(path.parent)
            record.read_lines(path.parent)

    def test_a_number_is_finite_and_a_truth_is_no_number(self):
        line = json.loads((ROOT / "results/reference/invocations.jsonl").read_text(encoding="utf-8").split("\n")[0])
        self.assertEqual(schema.trouble("line", line), "")
        for key, bad in (("took_s", float("inf")), ("took_s", float("nan")), ("rejected", True), ("repetition", -1), ("threads", 0), ("seed", 1 << 70),
                         ("label", ""), ("outcome", "fine"), ("kept", 1), ("parameters", []), ("rounds", [])):
            self.assertNotEqual(schema.trouble("line", {**line, key: bad}), "", key)
        self.assertEqual(schema.trouble("line", {k: v for k, v in line.items() if k != "kept"}), "'kept' is missing")


if __name__ == "__main__":
    unittest.main()
