# SPDX-License-Identifier: MIT
"""test_harness.py - the harness says what is so, and nothing else.

Most cases run build/tests/harness_fake: the real harness with a workload and a collector that misbehave as
told (tests/harness/). What the executables of users have is asked of build/bin/*. Builds nothing itself.
"""
from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("REFARENA_BUILD", ROOT / "build"))
FAKE = BUILD / "tests" / "harness_fake"
PAGE_BYTES = os.sysconf("SC_PAGESIZE")
MIB = 1 << 20
QUICK = ["--units=2", "--rounds=2"]
SANITIZED = BUILD.name in ("address", "thread")

INVOCATION_KEYS = {
    "schema", "outcome", "message", "mode", "label", "repetition", "workload", "parameters", "collector", "allocator", "objects_in",
    "threads", "options", "seed", "declared", "counted", "renewed", "reclaims", "rounds", "memory", "pauses", "figures", "capacity",
    "build",
}
ROUND_KEYS = {
    "units", "lead_in_units", "operations", "wall_ns", "cpu_ns", "checksum", "collections", "collected", "run_delay_ns",
    "involuntary_switches",
}
MEMORY_KEYS = {
    "baseline_rss", "baseline_uss", "peak_rss", "end_rss", "end_pss", "end_uss", "end_lazyfree", "finished_rss",
    "finished_after_200ms_rss", "finished_trimmed_rss", "workload_bytes", "held_bytes", "used_bytes", "requested_peak_bytes", "live_bytes",
    "overhead", "moments", "series",
}


def run(*arguments: str, executable: Path = FAKE, text: str = "",
        **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(executable), *arguments], input=text, capture_output=True, text=True, timeout=120,
                          check=False, **more)


def line_of(*arguments: str, **more: Any) -> dict[str, Any]:
    """The one JSON line of an invocation."""
    done = run(*arguments, **more)
    lines = done.stdout.splitlines()
    if len(lines) != 1:
        raise AssertionError(f"{arguments}: {len(lines)} lines, status {done.returncode}: {done.stderr}")
    return json.loads(lines[0])


RUNNER_KEYS = {"group", "purpose", "kept", "rejected", "took_s", "round", "valid"}     # added to a line by scripts/


def schema_problems(line: dict[str, Any]) -> list[str]:
    """What results/schema.json has against it, where there is something that reads schemas."""
    try:
        import jsonschema
    except ImportError:
        return []
    schema = json.loads((ROOT / "results/schema.json").read_text())
    for part in (schema, schema["definitions"]["round"]):
        part["required"] = [key for key in part["required"] if key not in RUNNER_KEYS]
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(line)]


@unittest.skipUnless(FAKE.exists(), f"{FAKE} is not built: make test builds it")
class HarnessTest(unittest.TestCase):
    def outcome(self, expected: str, *arguments: str) -> dict[str, Any]:
        done = run(*arguments)
        line = json.loads(done.stdout)
        self.assertEqual((line["outcome"], done.returncode), (expected, 0 if expected == "ok" else 3), line["message"])
        self.assertEqual(line["message"] == "", expected == "ok")
        return line

    def refused(self, pattern: str, *arguments: str, **more: Any) -> None:
        """Bad input: one line on standard error, nothing on standard output, status 2."""
        done = run(*arguments, **more)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertRegex(done.stderr, pattern)


class Line(HarnessTest):
    def test_an_invocation_is_one_line_with_all_keys(self) -> None:
        line = self.outcome("ok", "fake", "--memory", *QUICK)
        self.assertLessEqual(INVOCATION_KEYS, set(line))
        self.assertEqual(set(line["rounds"][0]), ROUND_KEYS)
        self.assertEqual(set(line["memory"]), MEMORY_KEYS)
        self.assertEqual(schema_problems(line), [])

    def test_what_was_asked_is_in_the_line(self) -> None:
        line = line_of("fake_objects", "sleep_ms=1", "mode=plain", "file=some.trace", "--seed=7", "--label=L#2",
                       "--repetition=3", "--set", "threshold=9", "--units=3", "--rounds=4", "--lead-in=2")
        self.assertEqual((line["seed"], line["label"], line["repetition"], line["mode"]), (7, "L#2", 3, "blocks"))
        self.assertEqual((line["workload"], line["collector"], line["allocator"]), ("fake_objects", "fake", "system"))
        self.assertEqual((line["options"], line["threads"]), ({"threshold": 9}, 1))
        parameters = line["parameters"]
        self.assertEqual((parameters["sleep_ms"], parameters["mode"], parameters["file"]), (1, "plain", "some.trace"))
        self.assertEqual(len(line["rounds"]), 4)
        for taken in line["rounds"]:
            self.assertEqual((taken["units"], taken["lead_in_units"], taken["operations"]), (3, 2, 3 * 64))

    def test_a_workload_on_blocks_has_no_collector(self) -> None:
        line = line_of("fake", *QUICK)
        self.assertIsNone(line["collector"])
        self.assertIsNone(line["memory"])
        self.assertIsNone(line["capacity"])

    def test_wall_time_is_the_units_and_cpu_time_is_not_sleep(self) -> None:
        taken = line_of("fake", "sleep_ms=20", "--units=3", "--rounds=1")["rounds"][0]
        self.assertGreaterEqual(taken["wall_ns"], 60e6)
        self.assertLess(taken["cpu_ns"], 30e6)

    def test_units_are_calibrated_to_ten_milliseconds(self) -> None:
        def units(sleep_ms: int) -> int:
            return line_of("fake", f"sleep_ms={sleep_ms}", "--rounds=1")["rounds"][0]["units"]
        seen: list[int] = []
        while len(seen) < 100 and 3 not in seen:            # a sleep of 4 ms may take more on a busy machine, never less
            seen.append(units(4))
            self.assertLessEqual(seen[-1], 3)
        self.assertIn(3, seen)
        self.assertEqual(units(120), 1)

    def test_collections_are_those_of_the_measured_units(self) -> None:
        taken = line_of("fake_objects", "--units=5", "--rounds=1", "--lead-in=3")["rounds"][0]
        self.assertEqual(taken["collections"], [5, 0, 0])

    def test_build_says_what_is_in_the_process(self) -> None:
        build = line_of("fake", *QUICK)["build"]
        self.assertRegex(build["compiler"], r"gcc|[Cc]lang")
        for library in ("glibc", "google_benchmark", "jansson", "zstd"):
            self.assertRegex(build[library], r"^\d+\.\d+")
        self.assertIsNone(build["libgc"])

    @unittest.skipUnless((BUILD / "bin/boehm").exists(), "libgc is not installed")
    def test_build_says_with_how_many_threads_libgc_marks(self) -> None:
        sums = set()
        for more, markers in (((), 1), (("--set", "markers=2"), 2)):
            done = subprocess.run([BUILD / "bin/boehm", "cycles", "size=20000", *QUICK, *more], capture_output=True, text=True, check=True)
            line = json.loads(done.stdout)
            self.assertRegex(line["build"]["libgc"], rf"^\d+\.\d+\.\d+, {markers} marking$")
            sums.add(line["rounds"][0]["checksum"])
        self.assertEqual(len(sums), 1)

    def test_a_core_can_be_chosen(self) -> None:
        self.outcome("ok", "fake", f"--cpu={min(os.sched_getaffinity(0))}", *QUICK)


class Figures(HarnessTest):
    """The fake workload says which unit it is in, from 1 since it was prepared."""

    def test_a_figure_is_kept_of_the_measured_units_alone(self) -> None:
        line = self.outcome("ok", "fake", "--units=4", "--rounds=1", "--lead-in=2")      # one unit of warming up
        self.assertEqual(line["figures"], {"unit": {"count": 4, "mean": 5.5, "least": 4, "most": 7}})
        self.assertEqual(schema_problems(line), [])

    def test_each_thread_has_its_say(self) -> None:
        unit = line_of("fake", "--units=4", "--rounds=1", "--threads=3", "--no-capacity")["figures"]["unit"]
        self.assertEqual(unit, {"count": 12, "mean": 3.5, "least": 2, "most": 5})

    def test_there_are_none_where_nothing_was_measured(self) -> None:
        self.assertEqual(self.outcome("heap_full", "fake", "fail=1")["figures"], {})


def smaps_rss(pid: int) -> int:
    """Resident bytes of all mappings but the kernel's own: vdso, vvar, vsyscall."""
    total, kernels = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match("[0-9a-f]+-", line):
            kernels = "[v" in line
        elif line.startswith("Rss:") and not kernels:
            total += int(line.split()[1]) << 10
    return total


@unittest.skipIf(SANITIZED, "a sanitizer's shadow is resident too")
class Areas(HarnessTest):
    NAMES = {"text", "constants", "data", "heap", "mapped", "stack", "locals", "tables"}

    def moments(self, *arguments: str, **more: Any) -> dict[str, dict[str, Any]]:
        line = line_of(*arguments, "--areas", "--units=1", "--rounds=1", **more)
        self.assertEqual(schema_problems(line), [])
        return {moment["label"]: moment for moment in reversed(line["memory"]["moments"])}      # the first of each

    def test_they_are_the_resident_set(self) -> None:
        """By smaps, which another process reads of one that waits: VmRSS lags behind by up to 64 pages a core on some kernels."""
        for allocator in ("system", "pymalloc", *preloaded()):
            with self.subTest(allocator), Resident("fake", f"bytes={10 * MIB}", "--areas", f"--allocator={allocator}") as resident:
                areas = resident.ready["memory"]["moments"][-1]["areas"]
                self.assertEqual(set(areas), self.NAMES)
                rss = smaps_rss(resident.process.pid)
                # what it touches to report: a few pages of its heap, and of its text 16 at a time
                self.assertAlmostEqual(sum(areas.values()), rss, delta=256 << 10, msg=str(areas))

    def test_a_large_block_is_mapped_and_a_small_one_on_the_heap(self) -> None:
        none, large, small = (self.moments("fake", f"bytes={n}")["prepared"]["areas"] for n in (0, 10 * MIB, 100 << 10))
        self.assertAlmostEqual(large["mapped"] - none["mapped"], 10 * MIB, delta=MIB // 4)
        self.assertAlmostEqual(large["heap"], none["heap"], delta=4 * PAGE_BYTES)
        self.assertAlmostEqual(small["heap"] - none["heap"], 100 << 10, delta=16 << 10)

    def test_memory_right_behind_zeroed_data_is_not_data(self) -> None:
        """The kernel may place any mapping there, and it makes one of the two."""
        none = self.moments("fake")["prepared"]["areas"]
        for _ in range(10):                     # where addresses are random, what is there once is elsewhere the next time
            done = run("fake", "mode=behind", f"bytes={MIB // 4}", "--areas", *QUICK)
            if done.returncode == 0:
                behind = json.loads(done.stdout)["memory"]["moments"][0]["areas"]
                self.assertAlmostEqual(behind["mapped"] - none["mapped"], MIB // 4, delta=4 * PAGE_BYTES)
                self.assertAlmostEqual(behind["data"], none["data"], delta=4 * PAGE_BYTES)
                return
            self.assertIn("right behind the zeroed data", done.stderr)
        self.skipTest("the heap begins right behind the program's data: addresses are not random here")

    def test_zeroed_data_is_data_where_the_heap_begins_right_behind_it(self) -> None:
        fixed = ["setarch", "-R", str(FAKE), "fake", "--areas", *QUICK]
        if not shutil.which("setarch") or subprocess.run(["setarch", "-R", "true"], capture_output=True, check=False).returncode:
            self.skipTest("setarch -R is not installed, or not allowed here")
        none = self.moments("fake")["prepared"]["areas"]
        done = subprocess.run(fixed, capture_output=True, text=True, timeout=120, check=True)
        apart = json.loads(done.stdout)["memory"]["moments"][0]["areas"]
        for name in ("data", "heap"):
            self.assertAlmostEqual(apart[name], none[name], delta=8 * PAGE_BYTES, msg=f"{name}: {apart} {none}")

    def test_calls_deepen_the_stack_and_the_locals_and_their_objects_the_heap(self) -> None:
        """10,000 calls, each with a C frame of 48 bytes at least, two locals, and two integers of 32 bytes with malloc's head."""
        moments = self.moments("areas", "--allocator=system", executable=BUILD / "bin" / "refcount")
        before, deepest = (moments[label]["areas"] for label in ("after", "deepest"))
        self.assertGreater(deepest["stack"] - before["stack"], 10000 * 48)
        self.assertAlmostEqual(deepest["locals"] - before["locals"], 10000 * 16, delta=2 * PAGE_BYTES)
        self.assertAlmostEqual(deepest["heap"] - before["heap"], (10000 - 256) * 32, delta=MIB // 8)
        self.assertAlmostEqual(deepest["text"], before["text"], delta=deepest["text"] // 10)      # more of it comes 16 pages at a time
        self.assertAlmostEqual(deepest["data"], before["data"], delta=8 * PAGE_BYTES)

    def test_without_being_asked_for_there_are_none(self) -> None:
        self.assertNotIn("areas", line_of("fake", "--memory", *QUICK)["memory"]["moments"][0])


class Checks(HarnessTest):
    def test_units_that_differ_have_no_checksum(self) -> None:
        first, second = line_of("fake", "differ=5", "--units=4", "--rounds=2", "sleep_ms=10")["rounds"]
        self.assertIn(None, (first["checksum"], second["checksum"]))
        self.assertRegex(line_of("fake", *QUICK)["rounds"][0]["checksum"], r"^[0-9a-f]{16}$")

    def test_a_workload_that_made_less_than_it_declares_is_refused(self) -> None:
        line = self.outcome("miscounted", "fake", "miscount=1")
        self.assertEqual((line["counted"]["allocations"], line["declared"]["allocations"]), (64, 65))
        self.assertEqual(line["rounds"], [])
        self.outcome("miscounted", "fake_objects", "miscount=1", "--threads=2", "--no-capacity")

    def test_counted_is_one_unit_of_all_threads(self) -> None:
        line = line_of("fake", "--threads=2", "--no-capacity", *QUICK)
        self.assertEqual(line["counted"], {"allocations": 128, "bytes": 12800})

    def test_a_refused_unit_is_a_full_heap(self) -> None:
        self.outcome("heap_full", "fake", "fail=1")
        line = self.outcome("heap_full", "fake", "fail=30", "sleep_ms=1", "--units=20", "--rounds=3")
        self.assertLess(len(line["rounds"]), 3)
        self.outcome("heap_full", "fake", "mode=refuse")
        self.outcome("heap_full", "fake_objects", "mode=refuse", "--threads=3", "--no-capacity")

    def test_a_refusal_with_a_reason_is_bad_input(self) -> None:
        self.refused("none.trace: planted: the file is damaged at byte 7", "fake", "mode=why")

    def test_a_crash_is_a_crash_to_who_looks_from_outside(self) -> None:
        done = run("fake", "mode=crash")
        self.assertEqual(done.stdout, "")
        self.assertTrue(SANITIZED or done.returncode == -signal.SIGSEGV, done.returncode)

    def test_what_does_not_fit_together_is_unsupported(self) -> None:
        line = self.outcome("unsupported", "fake", "--allocator=pymalloc", "--threads=2")
        self.assertIn("use locked:pymalloc", line["message"])
        self.outcome("unsupported", "fake_single", "--threads=2")
        self.outcome("ok", "fake", "--allocator=locked:pymalloc", "--threads=2", "--no-capacity", *QUICK)


class Renewed(HarnessTest):
    def test_an_allocator_that_never_frees_is_reset_between_units(self) -> None:
        line = line_of("fake", "--allocator=bump", "leak=1000000", "--units=50", "--rounds=3", "--memory")
        self.assertEqual((line["renewed"], line["reclaims"]), (True, False))
        self.assertEqual({taken["checksum"] for taken in line["rounds"]}, {"%016x" % (63 * 64 // 2)})
        line = line_of("fake_objects", "--allocator=bump", *QUICK)
        self.assertEqual((line["renewed"], line["outcome"]), (True, "ok"))

    def test_one_that_frees_is_not(self) -> None:
        line = line_of("fake", *QUICK)
        self.assertEqual((line["renewed"], line["reclaims"]), (False, True))

    def test_a_collector_that_cannot_free_cycles_does_not_reclaim_them(self) -> None:
        self.assertFalse(line_of("fake_objects", *QUICK)["reclaims"])


class Memory(HarnessTest):
    def memory(self, *arguments: str) -> dict[str, Any]:
        return line_of("fake", "--memory", *arguments)["memory"]

    @unittest.skipIf(SANITIZED, "a sanitizer's shadow is resident too")
    def test_a_known_allocation_is_right_within_five_percent(self) -> None:
        m = self.memory(f"bytes={64 * MIB}", *QUICK)
        for figure in ("peak_rss", "end_rss"):
            self.assertAlmostEqual(m[figure] - m["baseline_rss"], 64 * MIB, delta=0.05 * 64 * MIB)
        self.assertEqual((m["live_bytes"], m["requested_peak_bytes"]), (64 * MIB, 64 * MIB + 6400))
        self.assertAlmostEqual(m["overhead"], 1, delta=0.05)
        self.assertLess(m["finished_trimmed_rss"] - m["baseline_rss"], 2 * MIB)

    @unittest.skipIf(SANITIZED, "a sanitizer's shadow is resident too")
    def test_a_planted_leak_is_seen(self) -> None:
        m = self.memory("leak=1000000", "--units=30", "--rounds=1")
        self.assertGreater(m["end_rss"] - m["baseline_rss"], 30e6)
        self.assertGreater(m["finished_trimmed_rss"] - m["baseline_rss"], 30e6)

    @unittest.skipIf(SANITIZED, "a sanitizer's shadow is resident too")
    def test_rss_is_what_another_process_reads(self) -> None:
        try:
            import psutil
        except ImportError:
            self.skipTest("python3-psutil is not installed")
        with Resident("fake", f"bytes={64 * MIB}", "--memory") as resident:
            seen = psutil.Process(resident.process.pid).memory_info().rss
            self.assertLessEqual(abs(resident.ready["memory"]["end_rss"] - seen), PAGE_BYTES)

    @unittest.skipIf(SANITIZED, "a sanitizer's shadow is resident too")
    def test_the_peak_is_reset_before_the_baseline(self) -> None:
        """The counting pass peaks in a child, and a parent's peak is not inherited through exec."""
        ballast = bytearray(128 * MIB)
        m = self.memory(*QUICK)
        self.assertLess(m["peak_rss"], 64 * MIB, len(ballast))

    def test_moments_say_what_is_live(self) -> None:
        m = self.memory("bytes=1000000", "--units=2", "--rounds=3")
        labels = [moment["label"] for moment in m["moments"]]
        self.assertEqual(labels, ["prepared"] + ["working"] * 4 + ["end"])      # one in the warm-up, one a round
        self.assertEqual({moment["live_bytes"] for moment in m["moments"]}, {1000000})
        objects = line_of("fake_objects", "--memory", *QUICK)["memory"]["moments"][-1]
        self.assertEqual((objects["live_objects"], objects["live_bytes"]), (3, 300))

    def test_samples_cover_the_units(self) -> None:
        m = self.memory("sleep_ms=100", "--units=3", "--rounds=2", "--sample-ms=5")
        times = [ns for ns, _, _ in m["series"]]
        self.assertEqual(times, sorted(times))
        self.assertGreater(times[-1] - times[0], 400e6)     # of 600 ms, and as many as a busy machine makes of them
        self.assertTrue(all(rss > 0 for _, rss, _ in m["series"]))

    @unittest.skipIf(SANITIZED, "a sanitizer's shadow does not fit under a limit")
    def test_a_limit_makes_a_full_heap_of_every_allocator(self) -> None:
        for allocator in ("system", "pymalloc", *preloaded()):
            with self.subTest(allocator):
                line = self.outcome("heap_full", "fake", "leak=1000000", f"--allocator={allocator}",
                                    "--memory-limit=64M", "--units=1000", "--memory")
                peak = line["memory"]["peak_rss"] - line["memory"]["baseline_rss"]
                self.assertTrue(32 * MIB < peak < 96 * MIB + reserved_bytes(line["build"]["allocator_library"]), peak)

    def test_under_a_limit_that_suffices_all_is_well(self) -> None:
        for limit in ("268435456", "262144K", "256M", "1G"):
            self.outcome("ok", "fake", "bytes=1000000", f"--memory-limit={limit}", *QUICK)


class Threads(HarnessTest):
    def test_operations_and_checksums_are_summed_over_threads(self) -> None:
        one = line_of("fake", *QUICK)["rounds"][0]
        two = line_of("fake", "--threads=2", "--no-capacity", *QUICK)["rounds"][0]
        self.assertEqual(two["operations"], 2 * one["operations"])
        self.assertEqual(int(two["checksum"], 16), 2 * int(one["checksum"], 16))

    def test_threads_run_at_once(self) -> None:
        taken = line_of("fake", "sleep_ms=50", "--threads=8", "--no-capacity", "--units=2", "--rounds=1")["rounds"][0]
        self.assertTrue(100e6 <= taken["wall_ns"] < 800e6, taken["wall_ns"])      # one after the other they sleep for 800 ms

    def test_a_thread_that_waits_for_orders_holds_no_gil(self) -> None:
        """The fake collector's lock would block all others for good; it aborts at wrong orders."""
        line = self.outcome("ok", "fake_objects", "--threads=3", "--no-capacity", "--memory", "--rounds=5")
        self.assertEqual(line["memory"]["moments"][-1]["live_objects"], 3)

    def test_capacity_is_probed_before_and_after(self) -> None:
        """Of two spinners beside one: up to 2, but for the share that a busy machine gives to each."""
        seen = []
        for _ in range(20):
            capacity = line_of("fake", "--threads=2", *QUICK)["capacity"]
            crossing = capacity["core_to_core_ns"]          # null where the second core was not there for long enough
            self.assertTrue(crossing is None or crossing > 1, capacity)
            self.assertGreater(min(capacity["before"], capacity["after"]), 0, capacity)
            seen.append(capacity)
            if all(0.4 < capacity[when] < 2.5 for when in ("before", "after")) and (crossing is None or crossing < 10_000):
                return
        self.fail(str(seen))


class Resident:
    """A resident process and its lines."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen([str(FAKE), *arguments, "--resident"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self) -> Resident:
        self.ready = self.hear()
        return self

    def __exit__(self, *unused: object) -> None:
        self.process.communicate(timeout=60)

    def hear(self) -> dict[str, Any]:
        return json.loads(self.process.stdout.readline())

    def say(self, line: str) -> dict[str, Any]:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.hear()


class Protocol(HarnessTest):
    def test_turns_are_rounds_and_quit_says_bye(self) -> None:
        with Resident("fake", "--label=A", "--memory") as resident:
            self.assertEqual((resident.ready["event"], resident.ready["mode"]), ("ready", "turns"))
            self.assertNotIn("rounds", resident.ready)
            self.assertLessEqual(INVOCATION_KEYS - {"rounds"}, set(resident.ready))
            self.assertGreater(resident.ready["unit_ns"], 0)
            for units, lead_in in ((1, 0), (7, 2), (100, 20)):
                taken = resident.say(f"turn {units} {lead_in}")
                self.assertEqual((taken.pop("event"), taken["units"], taken["lead_in_units"]), ("turn", units, lead_in))
                self.assertEqual(set(taken), ROUND_KEYS)
            bye = resident.say("quit")
            self.assertEqual((bye["event"], bye["outcome"]), ("bye", "ok"))
            self.assertGreater(bye["memory"]["finished_rss"], 0)
            self.assertEqual(resident.process.wait(timeout=60), 0)

    def test_end_of_input_is_quit(self) -> None:
        done = run("fake", "--resident", text="turn 1 0\n")
        self.assertEqual([json.loads(line)["event"] for line in done.stdout.splitlines()], ["ready", "turn", "bye"])
        self.assertEqual(done.returncode, 0)

    def test_bad_commands_end_it_with_a_line(self) -> None:
        for command in ("turn", "turn 0 0", "turn 1", "turn -1 0", "turn 1 -1", "turn 1 1 1", "turn x 1", "go", "",
                        "turn 9999999999 0", "TURN 1 1", "x" * 5000):
            with self.subTest(command):
                done = run("fake", "--resident", text=command + "\nquit\n")
                bye = json.loads(done.stdout.splitlines()[-1])
                self.assertEqual((bye["event"], bye["outcome"], done.returncode), ("bye", "bad_input", 2))
                self.assertEqual(done.stderr.count("\n"), 1)
                self.assertIn("unknown command", done.stderr)

    def test_a_heap_that_fills_says_bye(self) -> None:
        done = run("fake", "fail=60", "sleep_ms=1", "--resident", text="turn 100 0\nturn 1 0\n")
        bye = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual((bye["event"], bye["outcome"], done.returncode), ("bye", "heap_full", 3))

    def test_what_cannot_start_says_bye_at_once(self) -> None:
        done = run("fake", "miscount=1", "--resident")
        self.assertEqual(json.loads(done.stdout)["event"], "bye")
        self.assertEqual((json.loads(done.stdout)["outcome"], done.returncode), ("miscounted", 3))
        self.refused("unknown workload", "nothing", "--resident")
        self.refused("damaged", "fake", "mode=why", "--resident")

    def test_residents_have_threads_and_renewals_too(self) -> None:
        for arguments in (("fake_objects", "--threads=2", "--no-capacity"), ("fake", "--allocator=bump")):
            with Resident(*arguments) as resident:
                self.assertEqual(resident.say("turn 5 1")["units"], 5)
                self.assertEqual(resident.say("quit")["outcome"], "ok")


class BadInput(HarnessTest):
    def test_names_that_are_not_known(self) -> None:
        self.refused("unknown workload 'nothing'; known: fake fake_objects fake_single", "nothing")
        self.refused("unknown parameter 'size' of workload 'fake'; known: bytes leak", "fake", "size=3")
        self.refused("unknown option 'x' of collector 'fake'; known: frees threshold", "fake_objects", "--set", "x=1")
        self.refused("unknown allocator .nothing.*system.*pymalloc", "fake", "--allocator=nothing")
        self.refused("--nonsense", "fake", "--nonsense")
        self.refused("no workload", "--threads=1")

    def test_values_that_are_no_numbers(self) -> None:
        for option in ("--threads", "--seed", "--units", "--rounds", "--lead-in", "--sample-ms", "--repetition",
                       "--cpu"):
            for value in ("", "x", "1x", "1.5", " 1", "0x10", "+1"):
                with self.subTest(f"{option}={value}"):
                    self.refused(f"{option}: '.*' is not a whole number", "fake", f"{option}={value}")
        self.refused("'many' is not a whole number", "fake", "bytes=many")
        self.refused("'yes' is not a whole number", "fake_objects", "--set", "frees=yes")

    def test_values_out_of_range(self) -> None:
        for option in ("--threads=0", "--threads=65", "--seed=-1", "--units=0", "--rounds=0", "--lead-in=-1",
                       "--sample-ms=0", "--repetition=-1", "--seed=99999999999999999999"):
            with self.subTest(option):
                self.refused("is out of range; give", "fake", option)
        self.refused("leak of fake: -1 is out of range; give 0 to", "fake", "leak=-1")
        self.refused("frees of collector fake: 2 is out of range; give 0 to 1", "fake_objects", "--set", "frees=2")
        self.refused("is not a core this process may use", "fake", "--cpu=1000")

    @unittest.skipUnless((BUILD / "bin/cyclic").exists(), "no collector is built")
    def test_a_heap_too_small_to_start_with_and_options_that_a_collector_has_not(self) -> None:
        for name, setting, said in (("cyclic", "heap_bytes=10", "too small to start with; give 0 (no limit), or"),
                                    ("segregated", "heap_bytes=10", "too small to start with; give 0 (no limit), or"),
                                    ("marksweep", "heap_bytes=10", "too small to start with; give 0 (no limit), or"),
                                    ("boehm", "heap_bytes=10", "too small to start with; give 0 (no limit), or"),
                                    ("leak", "heap_bytes=10", "known: none"),
                                    ("cyclic", "threshold0=-1", "is out of range; give"),
                                    ("refcount", "threshold0=5", "known: ")):
            if name == "boehm" and not (BUILD / "bin/boehm").exists():
                continue                                    # libgc is not installed
            with self.subTest(f"{name} {setting}"):
                done = subprocess.run([BUILD / "bin" / name, "chain", "--set", setting], capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
                self.assertIn(said, done.stderr)

    def test_sizes(self) -> None:
        for size in ("", "M", "64X", "64MB", "-1", "1.5G", "99999999999999999999"):
            with self.subTest(size):
                self.refused("--memory-limit", "fake", f"--memory-limit={size}")
        self.refused("out of range", "fake", "--memory-limit=0")
        self.refused("out of range", "fake", "--memory-limit=9999999999999G")

    def test_shapes(self) -> None:
        self.refused("'bytes' after the workload is not a parameter; write name=value", "fake", "bytes")
        self.refused("mode of fake: 'odd' is none of plain|why", "fake", "mode=odd")
        self.refused("write --set option=value", "fake_objects", "--set", "frees")
        self.refused("--set needs a value", "fake_objects", "--set")
        self.refused("give --list or --list=json", "--list=xml")
        self.refused("exclude each other", "fake", "--resident", "--")

    @unittest.skipIf(SANITIZED, "a preload does not go with a sanitizer")
    def test_libraries(self) -> None:
        self.refused("absent.so", "fake", "--allocator=./absent.so")
        self.refused("README.md", "fake", f"--allocator={ROOT / 'README.md'}")


def preloaded() -> list[str]:
    """Installed allocators that come by LD_PRELOAD."""
    if not FAKE.exists() or SANITIZED:
        return []
    known = json.loads(run("--list=json").stdout)["allocators"]
    return [each["name"] for each in known if each["kind"] == "preloaded" and each["installed"]]


def reserved_bytes(library: str | None) -> int:
    """Writable memory that a malloc maps when it starts and has not touched: what a later limit does not bound. mimalloc 3
    has a gigabyte of it."""
    if library is None:
        return 0
    text = subprocess.run(["cat", "/proc/self/status"], env={**os.environ, "LD_PRELOAD": library}, capture_output=True, text=True,
                          check=True).stdout
    data, touched = (int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) << 10 for name in ("VmData", "RssAnon"))
    return data - touched


class Preloaded(HarnessTest):
    def test_the_library_asked_for_is_the_one_in_the_process(self) -> None:
        for name in preloaded():
            with self.subTest(name):
                build = self.outcome("ok", "fake", f"--allocator={name}", *QUICK)["build"]
                self.assertIn(name, build["allocator_library"])
                self.assertRegex(build["allocator_version"], r"\d+\.\d+")

    @unittest.skipIf(SANITIZED, "a preload does not go with a sanitizer")
    def test_any_malloc_given_as_a_path_will_do(self) -> None:
        for name in preloaded()[:1]:
            path = line_of("fake", f"--allocator={name}", *QUICK)["build"]["allocator_library"]
            line = self.outcome("ok", "fake", f"--allocator={path}", *QUICK)
            self.assertEqual(line["allocator"], path)

    @unittest.skipIf(SANITIZED, "a preload does not go with a sanitizer")
    def test_a_library_whose_path_the_loader_could_not_be_told_is_preloaded_too(self) -> None:
        for name in preloaded()[:1]:
            path = line_of("fake", f"--allocator={name}", *QUICK)["build"]["allocator_library"]
            for odd in ("a b.so", "a:b.so", "ü,'%s.so", "$ORIGIN.so", "a;b.so"):
                with self.subTest(odd), tempfile.TemporaryDirectory(prefix="my folder ") as folder:
                    there = shutil.copy(path, Path(folder) / odd)
                    line = self.outcome("ok", "fake", f"--allocator={there}", *QUICK)
                    self.assertEqual((line["allocator"], line["build"]["allocator_library"]), (str(there), str(there)))

    @unittest.skipUnless(SANITIZED, "for sanitizer builds")
    def test_a_sanitizer_build_says_unsupported(self) -> None:
        self.outcome("unsupported", "fake", "--allocator=jemalloc")


class GoogleBenchmark(HarnessTest):
    QUICK = "--benchmark_min_time=0.01"

    def test_its_flags_are_taken_after_two_dashes(self) -> None:
        done = run("fake", "--label=mine", "--", self.QUICK, "--benchmark_format=json", "--benchmark_repetitions=2")
        self.assertEqual(done.returncode, 0, done.stderr)
        runs = json.loads(done.stdout)["benchmarks"]
        self.assertEqual([each["name"] for each in runs[:2]], ["mine/manual_time"] * 2)
        self.assertGreater(runs[0]["items_per_second"], 0)

    def test_a_file_is_written(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "out.json"
            done = run("fake", "--", self.QUICK, f"--benchmark_out={path}", "--benchmark_out_format=json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(json.loads(path.read_text())["benchmarks"]), 1)

    def test_a_filter_that_matches_nothing_is_an_error_and_leaves_no_file(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "out.json"
            self.refused("matches nothing; the only benchmark here is 'fake/blocks/system'", "fake", "--",
                         "--benchmark_filter=other", f"--benchmark_out={path}")
            self.assertFalse(path.exists())

    def test_bad_flags(self) -> None:
        self.refused("--benchmark_bogus is not a flag", "fake", "--", "--benchmark_bogus")
        self.refused("--benchmark_format=xml", "fake", "--", "--benchmark_format=xml")
        self.refused("/absent/out.json: cannot be written", "fake", "--", "--benchmark_out=/absent/out.json")

    def test_the_list_is_one_name(self) -> None:
        self.assertEqual(run("fake", "--", "--benchmark_list_tests").stdout, "fake/blocks/system/manual_time\n")

    def test_outcomes_are_said_there_too(self) -> None:
        done = run("fake", "fail=9", "--", self.QUICK)
        self.assertEqual(done.returncode, 3)
        self.assertIn("heap_full", done.stderr)


class Lists(HarnessTest):
    def test_help_has_examples_and_the_word_on_debug(self) -> None:
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("Examples:", "--allocator", "--resident", "DEBUG", "--memory-limit", "--set option=value"):
            self.assertIn(word, done.stdout)

    def test_every_option_of_the_help_is_taken(self) -> None:
        for option in re.findall(r"^  (--[a-z-]+)", run("--help").stdout, re.M):
            self.assertNotIn(f"option {option} ", run(option, "nothing=").stderr)

    def test_the_list_is_readable(self) -> None:
        done = run("--list")
        self.assertEqual(done.returncode, 0)
        for word in ("workloads", "fake_objects", "allocators", "system", "threshold"):
            self.assertIn(word, done.stdout)


@unittest.skipUnless((BUILD / "bin").is_dir(), f"{BUILD / 'bin'} is not built: make builds it")
class Executables(unittest.TestCase):
    def executables(self) -> list[Path]:
        return [path for path in sorted((BUILD / "bin").iterdir()) if os.access(path, os.X_OK)]

    def test_each_lists_what_it_has(self) -> None:
        for path in [*self.executables(), *([FAKE] if FAKE.exists() else [])]:
            with self.subTest(path.name):
                known = json.loads(run("--list=json", executable=path).stdout)
                self.assertEqual(set(known), {"collector", "abilities", "allocator_use", "workloads", "allocators"})
                self.assertEqual(known["collector"] is None, path.name == "blocks")
                self.assertIn(known["allocator_use"], ("objects", "chunks", "none"))
                for each in known["workloads"]:
                    self.assertEqual(set(each), {"name", "idea", "operation", "kind", "threaded", "parameters"})
                    for parameter in each["parameters"]:
                        self.assertEqual(set(parameter), {"name", "meaning", "default", "minimum", "maximum",
                                                          "choices"})
                        self.assertTrue(not parameter["choices"] or parameter["default"] in parameter["choices"])
                self.assertLessEqual({"system", "jemalloc", "bump", "pymalloc", "locked"},
                                     {each["name"] for each in known["allocators"]})
                if known["collector"] and path != FAKE:
                    self.assertEqual(known["collector"]["name"], path.name)

    def test_every_workload_runs_with_the_parameters_it_has_by_itself(self) -> None:
        """Each on one executable after the other, until it has run once; test_workloads.py runs each small on every one."""
        having: dict[str, list[Path]] = {}
        for path in self.executables():
            for each in json.loads(run("--list=json", executable=path).stdout)["workloads"]:
                having.setdefault(each["name"], []).append(path)
        for number, (name, paths) in enumerate(having.items()):
            for path in paths[number % len(paths):] + paths[:number % len(paths)]:
                line = line_of(name, "--units=1", "--rounds=1", executable=path, cwd=ROOT)
                self.assertIn(line["outcome"], ("ok", "unsupported"), f"{path.name} {name}: {line['message']}")
                self.assertEqual(schema_problems(line), [], f"{path.name} {name}")
                if line["outcome"] == "ok":
                    self.assertIsNotNone(line["rounds"][0]["checksum"])
                    break
            else:
                self.fail(f"{name} runs nowhere")


del HarnessTest     # a base, not a case of its own

if __name__ == "__main__":
    unittest.main()
