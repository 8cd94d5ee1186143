#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Run what was built for aarch64, under qemu-user where this machine is another: tests/cross.py BUILD ROW...

Contract tests on our own allocators, all tests of the rows given, and one run of each executable. Nothing is preloaded: the
other machine's jemalloc and the like are not here. The last line is: N passed, N failed, N skipped.

qemu-user executes the other machine's instructions on this one's kernel, and on its memory model: x86-64 orders more memory
accesses than aarch64 promises, so that a missing barrier is not found here. ThreadSanitizer looks for those.
"""
from __future__ import annotations

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "scripts")]           # python3 -P leaves the first out
import net

net.spread(__name__)

import concurrent.futures
import json
import platform
import shutil
import subprocess
import time
from pathlib import Path

from run import JOB_BYTES, TOP, Job, Outcome, collectors, limits, report, run

# each allocator and each wrapper once: what differs in parameters alone differs nowhere in what a machine does
SPECS = ("system", "bump", "pymalloc", "magazine,keep=none", "pyobject", "counted:failing:pymalloc", "debug:magazine",
         "locked:debug:pymalloc-3.9")
EMULATORS = ("qemu-aarch64", "qemu-aarch64-static")
RUN = ("chain", "size=1000", "--units=1", "--rounds=1")


def emulator() -> list[str]:
    """What stands before a program: nothing on an aarch64 machine. BadInput where nothing can run it."""
    if platform.machine() == "aarch64":
        return []
    found = next(filter(None, map(shutil.which, EMULATORS)), None)
    if found is None:
        raise net.BadInput(f"{EMULATORS[0]} is missing; install qemu-user, or run `scripts/deps.sh cross`")
    return [found]


def programs(build: str, folder: str) -> list[Path]:
    """What was built of these tests: the Makefile's test-cross says what."""
    return sorted(p for p in (TOP / build / "tests" / folder).glob("*") if os.access(p, os.X_OK) and p.is_file())


def contract_jobs(build: str, before: list[str]) -> list[Job]:
    jobs = []
    for program in programs(build, "allocators"):
        jobs += [Job(f"{build}: allocators/{program.name} [{spec}]", [*before, str(program)], env={"REFARENA_ALLOCATOR": spec})
                 for spec in (SPECS if program.name == "contract" else ("system",))]
    return jobs


def row_jobs(build: str, rows: list[str], before: list[str]) -> list[Job]:
    parallel = collectors("stop_the_world", "none")
    return [Job(f"{build}: {row}/{program.name}", [*before, str(program)],
                env={"REFARENA_ALLOCATOR": "locked:pymalloc" if row in parallel else "pymalloc"})
            for row in rows for program in programs(build, row)]


def run_executables(build: str, rows: list[str], before: list[str]) -> Outcome:
    """A workload on each row: all ends well, with the same checksum."""
    job = Job(f"{build}: bin/*, {' '.join(RUN)}", [])
    start, failed, checksums = time.monotonic(), [], {}
    for row in rows:
        done = subprocess.run([*before, str(TOP / build / "bin" / row), *RUN], cwd=TOP, capture_output=True, encoding="utf-8", errors="replace",
                              timeout=60, check=False)
        try:
            line = json.loads(done.stdout)
            checksums[row] = line["rounds"][0]["checksum"]
            if line["outcome"] != "ok":
                failed.append(f"{row}: {line['outcome']}: {line['message']}")
        except (ValueError, LookupError):
            failed.append(f"{row}: status {done.returncode}, no line of JSON: {done.stderr.strip()[-200:]}")
    if len(set(checksums.values())) > 1:
        failed.append(f"the rows do not agree: {checksums}")
    return Outcome(job, len(rows) if not failed else 0, failed, [], time.monotonic() - start, "")


def main() -> int:
    if len(sys.argv) < 3:
        raise net.BadInput("say which build and which rows: tests/cross.py build/aarch64 cyclic gil")
    build, rows, before = sys.argv[1], sys.argv[2:], emulator()
    jobs = contract_jobs(build, before) + row_jobs(build, rows, before)
    if not jobs:
        raise net.BadInput(f"nothing is built in {build}; run `make test-cross`")
    outcomes = [run_executables(build, rows, before)]
    report(outcomes[0])
    with concurrent.futures.ThreadPoolExecutor(limits.jobs(JOB_BYTES)) as pool:
        for outcome in pool.map(run, jobs):
            report(outcome)
            outcomes.append(outcome)
    passed, failed = sum(o.passed for o in outcomes), sum(len(o.failed) for o in outcomes)
    print(f"{passed} passed, {failed} failed, {sum(len(o.skipped) for o in outcomes)} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    net.run("test-cross", main)
