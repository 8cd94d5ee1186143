# SPDX-License-Identifier: MIT
"""The run: what was measured stays, whatever happens; outcomes are rows; bad input is one line and status 2."""
import json
import os
import re
import resource
import signal
import subprocess
import time
import unittest
from pathlib import Path

from run_support import DRAWN, ROOT, SMALL, Bench

import run

try:
    import jsonschema
except ImportError:
    jsonschema = None


SLOW = True             # not part of the short look (make check)


class Finished(Bench):
    """What one run leaves behind."""

    SHARED = {"*": {"noise": 0.0001}, "pymalloc": {"ns": 5}, "jemalloc": {"crash_at": 1}, "bump": {"outcome": "not_installed"},
              "cyclic/system": {"full_at": 1}}
    MATRIX = SMALL.replace('"pymalloc"]', '"pymalloc", "bump"]')

    def test_a_run_has_all_its_files_and_latest_points_to_it(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        folder = self.runs()[0]
        self.assertEqual((self.results / "latest").resolve(), folder.resolve())
        pictures = ("plots/throughput_allocators.png", "plots/throughput_allocators.svg", "plots/rss_over_time.png") if DRAWN else ()
        for name in ("run.json", "invocations.jsonl", "summary.tsv", "benchmark.json", *pictures):
            self.assertGreater((folder / name).stat().st_size, 0, name)

    def test_the_table_has_ratio_interval_peak_floor_and_the_next_command(self):
        said = self.done.stdout
        self.assertRegex(said, r"pymalloc +\d[\d.]+ +\d.* \.\. .* 0\.500 .* MiB +2\.00x faster")
        for word in ("95 % interval", "noise floor", "peak RSS", "next: `make", str(self.runs()[0].name)):
            self.assertIn(word, said)

    @unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
    def test_every_line_fits_the_schema_whatever_its_outcome(self):
        schema = json.loads((ROOT / "results/schema.json").read_text())
        jsonschema.Draft7Validator.check_schema(schema)
        for line in self.lines():
            jsonschema.validate(line, schema)
        self.assertEqual({l["outcome"] for l in self.lines()}, {"ok", "crash", "not_installed", "heap_full"})

    def test_run_json_has_provenance_and_names_no_host_and_no_folder_of_the_user(self):
        text = (self.runs()[0] / "run.json").read_text()
        about = json.loads(text)
        for key in ("commit", "kernel", "cpu_model", "clock_source", "transparent_huge_pages", "overcommit", "aslr", "packages"):
            self.assertIn(key, about["machine"])
        self.assertTrue(about["before"]["load"] and about["after"]["load"] and about["finished"])
        self.assertNotRegex(text, rf"\b{re.escape(os.uname().nodename)}\b")      # a word: a host "vm" is not in "kvm-clock"
        self.assertNotIn(str(ROOT) + "/", text)

    def test_benchmark_json_is_google_benchmarks(self):
        data = json.loads((self.runs()[0] / "benchmark.json").read_text())
        entries = [b for b in data["benchmarks"] if b["run_name"] == "churn/system"]
        self.assertEqual([b["repetition_index"] for b in entries if b["run_type"] == "iteration"], [0, 1])
        self.assertAlmostEqual(next(b["real_time"] for b in entries if b.get("aggregate_name") == "median"), 10, delta=1)
        self.assertTrue(any(b.get("error_occurred") for b in data["benchmarks"] if b["run_name"] == "churn/jemalloc"))

    def test_googles_compare_reads_it(self):
        compare = Path("/usr/share/benchmark/compare.py")
        if not compare.exists() or subprocess.run(["/usr/bin/python3", "-c", "import scipy"], check=False, capture_output=True).returncode:
            self.skipTest("libbenchmark-tools or scipy is not installed")
        file = str(self.runs()[0] / "benchmark.json")
        done = subprocess.run(["/usr/bin/python3", str(compare), "--no-color", "benchmarks", file, file],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("churn/system_pvalue", done.stdout)

    def test_every_configuration_gets_a_turn_in_every_round(self):
        turns = [l.split()[1] for l in self.log.read_text().splitlines() if l.startswith("churn") and l.endswith(" 0 turn")]
        self.assertEqual(turns[:3], ["system", "jemalloc", "pymalloc"])        # to size the turns: not kept
        for line in (l for l in self.lines() if l["mode"] == "turns" and l["outcome"] == "ok"):
            self.assertEqual([r["round"] for r in line["rounds"]], [0, 1, 2])


class Outcomes(Bench):
    def test_a_crash_a_hang_and_a_full_heap_end_their_own_rows_only(self):
        self.matrix(SMALL.replace('["system", "jemalloc", "pymalloc"]', '["system", "jemalloc", "pymalloc", "bump", "mimalloc"]')
                    .replace("timeout_s = 60", "timeout_s = 4"))         # the others' answers take milliseconds, or on a busy machine tenths
        done = self.bench(fake={"jemalloc": {"crash_at": 3}, "pymalloc": {"hang_at": 2}, "bump": {"full_at": 3}})
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = self.summary()
        self.assertEqual([rows["churn", n]["outcome"] for n in ("system", "jemalloc", "pymalloc", "bump", "mimalloc")],
                         ["ok", "crash", "timeout", "heap_full", "ok"])
        self.assertIn("SIGSEGV", rows["churn", "jemalloc"]["message"])
        for word in ("crash", "timeout", "heap full"):
            self.assertIn(word, done.stdout)

    def test_a_crash_in_one_of_three_invocations_leaves_the_others(self):
        self.matrix(SMALL.replace("repetitions = 2", "repetitions = 3"))
        self.bench("--workloads", "churn", fake={"jemalloc": {"crash_on_repetition": 1}})
        row = self.summary()["churn", "jemalloc"]
        self.assertEqual((row["outcome"], row["invocations"]), ("ok", "2"))
        self.assertIn("crash in 1 of 3", row["notes"])

    def test_without_the_baseline_there_is_no_ratio(self):
        done = self.bench(fake={"system": {"crash_at": 2}})
        self.assertEqual(self.summary()["churn", "jemalloc"]["ratio"], "")
        self.assertEqual(self.summary()["churn", "jemalloc"]["outcome"], "ok")
        self.assertIn("no ratios: the baseline system has no time", done.stdout)

    def test_a_different_checksum_is_loud_and_ends_with_status_1(self):
        done = self.bench(fake={"pymalloc": {"checksum": "00000000000000bb"}})
        self.assertEqual(done.returncode, 1)
        self.assertIn("WRONG RESULT: pymalloc in group churn", done.stderr)
        self.assertEqual(self.summary()["churn", "pymalloc"]["outcome"], "checksum")
        self.assertEqual(self.summary()["churn", "jemalloc"]["outcome"], "ok")

    def test_what_cannot_change_is_not_tried_again(self):
        self.bench(fake={"jemalloc": {"outcome": "not_installed"}})
        starts = [l for l in self.log.read_text().splitlines() if l.startswith("churn jemalloc") and l.endswith("start")]
        self.assertEqual(len(starts), 1)
        self.assertEqual(self.summary()["churn", "jemalloc"]["outcome"], "not_installed")

    def test_a_collector_left_out_for_want_of_its_library_is_a_row_that_says_so(self):
        for method in ("turns", "blocks"):
            self.matrix(self.MATRIX.replace('"cyclic/system"]', '"boehm/system"]').replace('"blocks"', f'"{method}"'))
            self.bench("--workloads", "cycles")
            row = self.summary()["cycles", "boehm/system"]
            self.assertEqual(row["outcome"], "not_installed")
            self.assertIn("libgc-dev", row["message"])

    def test_what_never_reclaims_is_refused_in_turns_and_measured_in_blocks(self):
        self.bench(fake={"pymalloc": {"reclaims": False}, "refcount/system": {"reclaims": False}})
        self.assertEqual(self.summary()["churn", "pymalloc"]["outcome"], "unsupported")
        self.assertEqual(self.summary()["cycles", "refcount/system"]["outcome"], "ok")
        self.assertIn("never reclaims", self.summary()["cycles", "refcount/system"]["notes"])

    def test_an_answer_that_the_harness_refuses_is_a_row_with_its_words(self):
        self.bench(fake={"jemalloc": {"bad": "blocks: no such thing; do that"}})
        row = self.summary()["churn", "jemalloc"]
        self.assertEqual((row["outcome"], row["message"]), ("bad_input", "blocks: no such thing; do that"))


class Gates(Bench):
    def test_disturbed_turns_are_rejected_counted_and_in_the_end_said(self):
        self.bench(fake={"jemalloc": {"delay": 0.3}})
        row = self.summary()["churn", "jemalloc"]
        self.assertGreater(int(row["rejected"]), 0)
        self.assertIn("disturbed", row["notes"])
        self.assertFalse(any(r["valid"] for l in self.lines() if l["label"] == "jemalloc" and l["purpose"] == "time" for r in l["rounds"]))

    def test_threads_without_cores_are_kept_out_with_a_word(self):
        self.matrix(SMALL + '[[group]]\nname = "shared"\nworkload = "shared"\nmethod = "blocks"\nthreads = [1, 2]\n'
                    'configurations = ["refcount/system", "gil/system"]\n')
        done = self.bench("--workloads", "shared", fake={"gil/system@2": {"capacity": 1.3}})
        rows = self.summary()
        self.assertEqual(rows["shared", "refcount/system@2"]["outcome"], "ok")
        self.assertEqual(rows["shared", "gil/system@2"]["outcome"], "no_capacity")
        self.assertIn("1.30x", done.stdout)
        line = next(l for l in self.lines() if l["label"] == "gil/system@2")
        self.assertEqual((line["kept"], line["rejected"]), (False, 3))

    def test_an_invocation_with_too_few_full_collections_is_run_again_longer_and_the_next_begins_so(self):
        self.matrix(SMALL.replace("block_rounds = 2", "block_rounds = 1"))
        self.bench("--workloads", "cycles", fake={"cyclic/system": {"collections": [9, 2, 1]}, "refcount/system": {"collections": [9, 0, 0]}})
        def rounds(label):
            return [len(l["rounds"]) for l in self.lines() if (l["label"], l["purpose"]) == (label, "time")]
        self.assertEqual([set(rounds(f"{name}/system")) for name in ("cyclic", "refcount")], [{5}, {10}])
        self.assertNotIn("amortised", self.summary()["cycles", "cyclic/system"]["notes"])
        self.assertIn("not amortised", self.summary()["cycles", "refcount/system"]["notes"])

    def test_with_a_precision_it_repeats_until_the_intervals_are_narrow_or_the_cap_is_reached(self):
        self.matrix(SMALL.replace("bias_turns = 0", "bias_turns = 0\nmost_repetitions = 8").replace("rounds = 3", "rounds = 2"))
        done = self.bench("--precision", "3%", fake={"*": {"noise": 0.0001}, "cyclic/system": {"noise": 0.5}})
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = self.summary()
        self.assertEqual(rows["churn", "jemalloc"]["invocations"], "6")
        self.assertEqual(rows["cycles", "cyclic/system"]["invocations"], "8")
        self.assertRegex(done.stdout, r"asked for \+-3 %, reached \+-\d+ % \(cyclic/system\) in 8 invocations")

    def test_an_a_a_pair_that_differs_is_said(self):
        done = self.bench(fake={"system#2": {"ns": 14}})
        self.assertIn("the A/A pair differs", done.stdout)


class Resume(Bench):
    SLOW = {"*": {"sleep_s": 0.02}}

    def start(self, fake: dict | None = None) -> subprocess.Popen:
        process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=self.environment(fake or self.SLOW), start_new_session=True)
        self.addCleanup(self.end, process)
        return process

    def end(self, process: subprocess.Popen) -> None:
        process.kill()
        process.communicate()

    def test_after_a_kill_nothing_is_lost_and_nothing_repeated(self):
        for lines in (0, 4, 8, 13):
            process = self.start()
            self.wait_for(process, lines)
            time.sleep(0.05)
            self.end(process)
        before = self.lines()
        done = self.bench()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("going on with", done.stdout)
        self.assertEqual(len(self.runs()), 1)
        self.assertEqual(self.lines()[:len(before)], before)
        self.assert_each_once()

    def test_ctrl_c_ends_the_children_says_how_to_go_on_and_gives_130(self):
        process = self.start({"*": {"sleep_s": 0.02}, "cyclic/system": {"hang_at": 2}})
        self.wait_for(process, 4)
        self.until(self.alive, "a child")                       # the one that hangs, at the latest
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertRegex(said, r"interrupted; \d+ invocations kept in .*; `make bench MATRIX=.*` goes on from there")
        self.assertEqual(self.alive(), [])
        self.bench()
        self.assert_each_once()

    def test_a_torn_line_and_half_a_group_are_dropped_and_measured_again(self):
        self.bench()
        folder = self.runs()[0]
        lines = (folder / "invocations.jsonl").read_text().splitlines(keepends=True)
        (folder / "invocations.jsonl").write_text("".join(lines[:2]) + lines[2][:40])
        about = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**about, "finished": None}))
        done = self.bench()
        self.assertIn("0 invocations are done", done.stdout)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_each_once()

    def test_a_finished_run_is_not_resumed_and_resume_no_begins_anew(self):
        self.bench()
        self.bench()
        self.assertEqual(len(self.runs()), 2)
        process = self.start()
        self.until(lambda: len(self.runs()) == 3, "a third run")
        self.end(process)
        self.assertNotIn("going on with", self.bench(RESUME="no").stdout)
        self.assertEqual(len(self.runs()), 4)

    def test_other_code_is_another_run(self):
        process = self.start()
        self.wait_for(process, 4)
        self.end(process)
        (self.folder / "bin/gil").unlink()
        self.assertNotIn("going on with", self.bench().stdout)

    def test_two_runs_do_not_disturb_each_other(self):
        process = self.start()
        self.wait_for(process, 1)
        done = self.bench()
        self.end(process)
        self.assertEqual(done.returncode, 2)
        self.assertIn("another run is measuring", done.stderr)


class BadInput(Bench):
    def refused(self, *more: str, **environment: str) -> str:
        done = self.bench(*more, **environment)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        return done.stderr

    def test_unknown_names_are_refused_with_the_known_ones(self):
        self.assertIn("churn, cycles", self.refused("--workloads", "chrun"))
        self.assertIn("cyclic, gil, refcount", self.refused("--collectors", "gli"))
        self.assertIn("jemalloc, mimalloc", self.refused("--allocators", "jmalloc"))
        self.assertIn("no such allocator library", self.refused("--allocators", "/nowhere/lib.so"))
        self.assertIn("default, ", self.refused("--matrix", "nothing"))
        self.assertFalse(self.results.exists())

    def test_a_resume_that_is_neither_auto_nor_no_is_refused(self):
        self.assertIn("'auto' or 'no'", self.refused(RESUME="maybe"))

    def test_a_precision_alone_is_two_per_cent(self):
        self.assertEqual(run._options(["--precision"]).precision, "2%")
        self.assertEqual(run._options([]).precision, "")

    def test_a_precision_that_is_no_share_is_refused(self):
        for word in ("much", "0", "200%", "-2%"):
            self.assertIn("is not a share: say 2% or 0.02", self.refused("--precision=" + word))

    def test_a_harness_that_is_not_built_is_said(self):
        self.assertIn("make all", self.refused("--bin", str(self.folder / "nothing")))

    def test_a_results_folder_that_is_a_file_is_refused(self):
        self.results.write_text("")
        self.assertIn("not a folder", self.refused())

    def test_a_folder_that_cannot_be_written_is_one_line(self):
        self.assertIn("--results", self.refused("--results", "/proc/nothing"))

    def test_damage_in_the_middle_of_a_journal_is_named_by_line(self):
        self.bench()
        folder = self.runs()[0]
        lines = (folder / "invocations.jsonl").read_text().splitlines(keepends=True)
        (folder / "invocations.jsonl").write_text(lines[0] + "garbage\n" + "".join(lines[2:]))
        about = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**about, "finished": None}))
        self.assertIn("line 2 is damaged", self.refused())

    def test_a_full_disk_is_one_line_and_what_was_measured_stays(self):
        def small_files() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (12000, 12000))
        done = subprocess.run(self.command(), capture_output=True, text=True, timeout=300, env=self.environment(),
                              preexec_fn=small_files, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        kept = self.lines()
        self.assertGreater(len(kept), 0)
        self.bench()
        self.assertEqual(self.lines(self.runs()[0])[:len(kept)], kept)
        self.assert_each_once()


if __name__ == "__main__":
    unittest.main()
