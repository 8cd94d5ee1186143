# SPDX-License-Identifier: MIT
"""Nominal statistics: figures that can be worked out by hand come out so, and the table has every workload."""
from __future__ import annotations

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BIN = TOP / "build/bin"
sys.path.insert(0, str(TOP / "scripts"))
import nominals  # noqa: E402


def nominal(executable: str, *arguments: str) -> dict:
    done = subprocess.run([BIN / executable, *arguments, "--nominals"], capture_output=True, text=True, cwd=TOP, timeout=120)
    if done.returncode:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


class Figures(unittest.TestCase):
    def test_a_pair_that_is_freed_at_once_lives_for_no_bytes(self) -> None:
        line = nominal("blocks", "pair", "count=1000", "held=0", "size=64")
        self.assertEqual((line["sizes"], line["lifetimes"][:4]), ([64] * 5, [0] * 4))
        self.assertEqual((line["births"], line["deaths"]), (3000, 3000))
        self.assertEqual(line["deaths_elsewhere"], 0)

    def test_links_of_a_chain_die_with_it_and_none_is_left_to_a_collector(self) -> None:
        line = nominal("census", "chain", "size=1000", "--set", "automatic=0")
        self.assertEqual(line["sizes"], [48] * 5)                   # two words of links, header, next and id
        self.assertEqual((line["births"], line["deaths"]), (3000, 3000))
        self.assertEqual(line["objects"], {"born": 3000, "died": 3000, "collected": 0, "live": 1000})
        self.assertEqual(line["live_bytes"], 1000 * 16)             # without headers
        median = line["lifetimes"][1]
        self.assertTrue(abs(median - 500 * 48) < 0.02 * 500 * 48, median)   # born last, dies last but one ... on average half

    def test_rings_die_by_collection_alone(self) -> None:
        line = nominal("census", "cycles", "size=100", "ring=3", "--set", "automatic=0")
        self.assertEqual(line["objects"]["collected"], line["objects"]["died"])
        self.assertEqual(line["objects"]["died"], 3 * 300)

    def test_a_linker_frees_blocks_of_other_threads(self) -> None:
        one, four = (nominal("blocks", "replay", "trace=lld", f"--threads={n}", "--units=1") for n in (1, 4))
        self.assertEqual(one["deaths_elsewhere"], 0)
        self.assertEqual(one["births"], four["births"])
        self.assertTrue(0.1 < four["deaths_elsewhere"] / four["deaths"] < 0.5, four)

    def test_what_cannot_be_counted_is_one_line_and_status_2_or_3(self) -> None:
        for executable, arguments, status in (("blocks", ["pair", "--memory"], 2), ("blocks", ["replay", "trace=none"], 2),
                                              ("segregated", ["chain"], 3)):
            done = subprocess.run([BIN / executable, *arguments, "--nominals"], capture_output=True, text=True, cwd=TOP)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (status, "", 1), done.stderr)


class Table(unittest.TestCase):
    def test_every_workload_of_the_registry_is_found_and_the_table_has_no_other(self) -> None:
        registry = re.findall(r"^(?:BLOCKS|OBJECTS)\((\w+)\)", (TOP / "workloads/workloads.def").read_text(), re.M)
        self.assertEqual([w.name for w in nominals.registry(BIN)], registry)
        header, *lines = ((TOP / "workloads/nominals.tsv").read_text()).splitlines()
        self.assertEqual(header.split("\t"), nominals.COLUMNS)
        self.assertLessEqual({line.split("\t")[0] for line in lines}, set(registry), "run `make nominals`")

    def test_settings_name_workloads_and_parameters_that_there_are(self) -> None:
        for executable in ("blocks", "census"):
            done = subprocess.run([BIN / executable, "--list=json"], capture_output=True, text=True, check=True)
            for workload in json.loads(done.stdout)["workloads"]:
                known = {p["name"]: p["choices"] for p in workload["parameters"]}
                for setting in nominals.SETTINGS.get(workload["name"], ()):
                    for name, value in (part.split("=") for part in setting.split()):
                        self.assertIn(name, known, workload["name"])
                        if known[name]:
                            self.assertIn(value, known[name])

    def test_a_workload_that_cannot_run_is_a_row_that_says_so(self) -> None:
        made = nominals.row(BIN, nominals.Workload("replay", "blocks", "call", True), ["trace=nothing"])
        self.assertNotEqual(made["outcome"], "ok")
        self.assertIn(made["outcome"], nominals.markdown([made]))
        self.assertEqual(len(nominals.tsv([made]).splitlines()[1].split("\t")), len(nominals.COLUMNS))


if __name__ == "__main__":
    unittest.main()
