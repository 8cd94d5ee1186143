# SPDX-License-Identifier: MIT
"""The command line: verbs, words for people and data for programs, and what the doctor says of a machine."""
import json
import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path
from unittest import mock

import fake_run
from run_support import ROOT, Bench

import doctor
import preload

REFARENA = str(ROOT / "scripts/refarena")


class Command(Bench):
    def refarena(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run([REFARENA, *arguments], capture_output=True, text=True, timeout=100, env=self.environment(**environment), check=False)

    def test_help_names_every_verb_and_each_verb_has_its_own(self):
        text = self.refarena("--help").stdout
        verbs = re.findall(r"^  (\w+)   ", text, re.M)
        self.assertTrue({"list", "run", "compare", "report", "record", "doctor"} <= set(verbs), verbs)
        for verb in verbs:
            self.assertIn("usage:", self.refarena(verb, "--help").stdout, verb)

    def test_an_unknown_verb_is_one_line_and_none_is_the_help(self):
        done = self.refarena("measure")
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1))
        self.assertIn("known are list", done.stderr)
        self.assertEqual(self.refarena().returncode, 2)

    def test_list_shows_what_is_here_as_words_or_as_json_and_a_damaged_run_hides_no_other(self):
        fake_run.write(self.results / "one", invocations=2)
        (fake_run.write(self.results / "two", invocations=2) / "run.json").write_text("{")
        place = ("--results", str(self.results), "--bin", str(self.folder / "bin"))
        found = json.loads(self.refarena("list", "--json", *place).stdout)
        self.assertEqual([r["name"] for r in found["runs"]], ["one", "two"])
        self.assertIn("damaged", found["runs"][1]["words"])
        self.assertIn("churn", [w["name"] for w in found["workloads"]])
        self.assertEqual(self.refarena("list", "collectors", "--quiet", *place).stdout.split(), ["cyclic", "gil", "refcount"])

    def test_without_a_terminal_nothing_is_coloured(self):
        self.assertNotIn("\033", self.refarena("list", "matrices").stdout)
        self.assertNotIn("\033", self.refarena("doctor").stdout)

    def test_a_run_prints_rows_for_programs_and_its_words_elsewhere(self):
        done = self.bench("--workloads", "churn", "--json")
        told = json.loads(done.stdout)
        self.assertEqual({r["label"] for r in told["rows"]}, {"system", "jemalloc", "pymalloc", "system#2"})
        self.assertIn("noise floor", done.stderr)
        again = self.bench("--workloads", "churn", "--tsv", "--quiet")
        self.assertEqual((again.stdout.split("\t")[0], again.stderr), ("group", ""))

    def test_a_quiet_run_says_nothing_and_a_verbose_one_says_where_it_is(self):
        self.assertEqual(self.bench("--workloads", "churn", "--quiet").stdout, "")
        self.assertIn("churn, repetition 2 of 2", self.bench("--workloads", "churn", "--verbose").stdout)

    @unittest.skipUnless((ROOT / "build/lib/refarena-recorder.so").exists(), "the recorder is not built")
    def test_record_writes_a_trace_of_any_program(self):
        trace = self.folder / "true.trace.zst"
        self.assertEqual(self.refarena("record", str(trace), "sort", os.devnull).returncode, 0)
        self.assertGreater(trace.stat().st_size, 50)
        for wrong in ((str(trace),), (str(trace), "no-such-program"), ("/nowhere/x", "true")):
            done = self.refarena("record", *wrong)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)


@unittest.skipUnless((ROOT / "build/lib/refarena-recorder.so").exists() and (ROOT / "build/bin/blocks").exists(), "the recorder and blocks are not built")
class OddPaths(Bench):
    """A checkout, traces and maps whose paths have a blank, a colon, umlauts: the loader's list has no escapes."""

    def test_a_trace_is_recorded_replayed_and_mapped_there(self):
        place = self.folder / "my: größere, 100% \"Kopie\""
        shutil.copytree(ROOT / "scripts", place / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        (place / "build").symlink_to(ROOT / "build")
        trace, drawn = place / "über.trace.zst", place / "eine karte.map"
        done = subprocess.run([str(place / "scripts/refarena"), "record", str(trace), "sort", os.devnull], capture_output=True, encoding="utf-8",
                              timeout=100, check=False, env={**os.environ, "TMPDIR": str(self.folder)})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertGreater(trace.stat().st_size, 50)
        blocks = ROOT / "build/bin/blocks"
        for arguments in (("replay", f"trace={trace}", "--units=1"), ("batch", "count=1000", "--allocator=pymalloc", "--units=1", "--rounds=1", f"--map={drawn}")):
            done = subprocess.run([str(blocks), *arguments], capture_output=True, encoding="utf-8", timeout=100, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["outcome"], "ok")
        self.assertGreater(drawn.stat().st_size, 0)

    def test_the_link_that_is_preloaded_lies_in_a_folder_that_is_ours_alone(self):
        with mock.patch("tempfile.gettempdir", return_value=str(self.folder)):
            link = Path(preload.value(self.folder / "a b.so"))
            self.assertEqual((os.readlink(link), link.parent.stat().st_mode & 0o077), (str(self.folder / "a b.so"), 0))
            self.assertEqual(preload.value("/usr/lib/libx.so.1"), "/usr/lib/libx.so.1")
            self.assertEqual(preload.value(self.folder / "a b.so"), str(link))
            link.parent.chmod(0o777)
            self.assertNotEqual(Path(preload.value(self.folder / "a b.so")).parent, link.parent)


class Doctor(unittest.TestCase):
    def test_what_moves_numbers_has_advice_and_what_is_good_has_none(self):
        for finding in (doctor.governor("powersave"), doctor.turbo("0", None), doctor.huge_pages("always"), doctor.aslr("0"),
                        doctor.load(1.5), doctor.steal(0.2), doctor.memory(1 << 20), doctor.cores(1), doctor.clock("hpet")):
            self.assertTrue(finding.state != doctor.GOOD and finding.advice, finding)
        for finding in (doctor.governor("performance"), doctor.turbo("1", None), doctor.huge_pages("madvise"), doctor.aslr("2"),
                        doctor.load(0.0), doctor.steal(0.0), doctor.memory(1 << 34), doctor.cores(2), doctor.clock("tsc")):
            self.assertTrue(finding.state == doctor.GOOD and not finding.advice, finding)

    def test_a_busy_machine_is_bad_as_the_gates_of_a_run_have_it(self):
        self.assertEqual((doctor.load(0.6).state, doctor.load(0.2).state), (doctor.BAD, doctor.LOOK))
        self.assertEqual((doctor.steal(0.03).state, doctor.steal(0.01).state), (doctor.BAD, doctor.LOOK))

    def test_it_examines_this_machine(self):
        names = {f.name for f in doctor.examine()}
        self.assertEqual(names, {"governor", "turbo", "huge pages", "load", "steal", "ASLR", "cores", "kinds of cores", "CPU quota",
                                 "free memory", "container", "clock"})


if __name__ == "__main__":
    unittest.main()
