#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Run every test there is and end with one line: N passed, N failed, N skipped.

What runs where (a program is skipped, with its reason, where it cannot run):

    plain     contract tests on every registered allocator, preloaded and wrapped ones too; all the rest
    address   our own allocators and collectors under ASan and UBSan (a preloaded malloc cannot be)
    thread    what threads share, under TSan

C tests speak TAP (cmocka), Python tests unittest; the programs are those the Makefile built.
"""
from __future__ import annotations

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field

TOP = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 600
SKIPPED = 77
PRELOADED = ("jemalloc", "mimalloc", "tcmalloc")
OWN = ("system", "bump", "pymalloc", "pymalloc-3.9", "pymalloc,arena=256K,keep=all", "pymalloc,pool=4K,keep=3", "magazine",
       "magazine,keep=none", "pyobject", "locked:pyobject", "locked:pymalloc", "locked:bump", "counted:pymalloc", "failing:pymalloc",
       "debug:pymalloc", "debug:magazine", "locked:debug:pymalloc-3.9")
PAGES_MATTER_TO = ("bump", "pymalloc", "pymalloc-3.9", "magazine,keep=none")

SANITIZERS = {
    "ASAN_OPTIONS": "allocator_may_return_null=1:detect_leaks=0:detect_stack_use_after_return=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:allocator_may_return_null=1:second_deadlock_stack=1",
}


@dataclass
class Job:
    """One program run with one setting."""
    name: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)


@dataclass
class Outcome:
    job: Job
    passed: int
    failed: list[str]
    skipped: int
    seconds: float
    text: str


def programs(build: str, folder: str) -> list[pathlib.Path]:
    return sorted(p for p in (TOP / build / "tests" / folder).glob("*") if os.access(p, os.X_OK) and p.is_file())


def collectors(*threads: str) -> list[str]:
    """Names of the registry's rows; only those with one of these threads policies, if any are named."""
    rows = re.findall(r"^(?:COUNTING|TRACING)\((\w+),.*?(\w+)\)", (TOP / "collectors/collectors.def").read_text(), re.M)
    return [name for name, policy in rows if not threads or policy in threads]


def allocator_jobs(build: str, specs: tuple[str, ...]) -> list[Job]:
    jobs = []
    for program in programs(build, "allocators"):
        settings = specs if program.name == "contract" else ("system",)
        jobs += [Job(f"{build}: allocators/{program.name} [{spec}]", [str(program)], {"REFARENA_ALLOCATOR": spec})
                 for spec in settings]
    return jobs


def collector_jobs(build: str, names: list[str], only: tuple[str, ...] = ()) -> list[Job]:
    jobs = []
    parallel = collectors("stop_the_world", "none")
    for name in names:
        memory = "locked:pymalloc" if name in parallel else "pymalloc"
        jobs += [Job(f"{build}: {name}/{program.name}", [str(program)], {"REFARENA_ALLOCATOR": memory})
                 for program in programs(build, name) if not only or program.name in only]
    return jobs


def larger_page_jobs(build: str) -> list[Job]:
    """What maps memory, on a kernel that seems to have larger pages: tests/larger_pages.c. Its path is relative: LD_PRELOAD takes no blank."""
    rows = [TOP / build / "tests" / p for p in ("marksweep/chunks", "marksweep/tracing", "biased/threads", "cyclic/counts")]
    wanted = ([(p, spec) for p in programs(build, "allocators") if p.name == "contract" for spec in PAGES_MATTER_TO]
              + [(p, "system") for p in programs(build, "allocators") if p.name in ("pages", "pymalloc", "malloc")]
              + [(p, "locked:pymalloc") for p in rows if p.exists()])
    return [Job(f"{build}: {p.parent.name}/{p.name} [{spec}], pages of {bytes_ // 1024} KiB", [str(p)],
                {"REFARENA_ALLOCATOR": spec, "LD_PRELOAD": f"{build}/tests/larger_pages.so", "REFARENA_PAGE_BYTES": str(bytes_)})
            for bytes_ in (16384, 65536) for p, spec in wanted if bytes_ == 65536 or p.name not in ("pymalloc", "malloc")]


def all_jobs() -> list[Job]:
    return (allocator_jobs("build", OWN + PRELOADED + tuple(f"locked:{p}" for p in PRELOADED))
            + collector_jobs("build", collectors())
            + larger_page_jobs("build")
            + [Job(f"build: {name}/{p.name}, the heap walked after every step", [str(p)], {"REFARENA_CHECK": "1", "REFARENA_PROGRAMS": "1000"})
               for name in collectors() for p in programs("build", name) if p.name == "model"]
            + [Job(f"build: workloads/{p.name}", [str(p)]) for p in programs("build", "workloads")]
            + allocator_jobs("build/address", OWN)
            + collector_jobs("build/address", collectors())
            + [Job(f"build/address: workloads/{p.name}", [str(p)]) for p in programs("build/address", "workloads")]
            + allocator_jobs("build/thread", ("system", "magazine", "magazine,keep=none", "debug:magazine", "locked:pymalloc", "counted:locked:pymalloc"))
            + collector_jobs("build/thread", collectors("gil", "tick_gil", "stop_the_world", "none"), ("threads", "immortals", "chunks", "tracing")))


def run_tap(job: Job) -> Outcome:
    """One C program: its TAP lines; a program that died without a plan is one failure."""
    start = time.monotonic()
    env = {**os.environ, **SANITIZERS, "CMOCKA_MESSAGE_OUTPUT": "TAP", **job.env}
    try:
        done = subprocess.run(job.argv, env=env, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=SECONDS)
        text, status = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        text, status = (late.stdout or b"").decode(errors="replace") + f"\ntimed out after {SECONDS} s", -1
    lines = [line for line in text.splitlines() if re.match(r"(not )?ok \d+", line)]
    skipped = [line for line in lines if "# SKIP" in line]
    failed = [line for line in lines if line.startswith("not ok") and "# SKIP" not in line]
    passed = len(lines) - len(skipped) - len(failed)
    if status == SKIPPED:
        return Outcome(job, 0, [], max(1, len(skipped)), time.monotonic() - start, text)
    plan = re.search(r"^1\.\.(\d+)", text, re.M)
    if status != 0 and not failed or plan is None or int(plan[1]) != len(lines):
        failed.append(f"the program ended with status {status}, {len(lines)} tests reported")
    return Outcome(job, passed, failed, len(skipped), time.monotonic() - start, text)


def check_sanitizers() -> Outcome:
    """A sanitizer build that is not one would pass everything."""
    job = Job("sanitizers: the builds are what they say", [])
    failed = []
    for kind, symbol in (("address", "__asan_init"), ("thread", "__tsan_init")):
        for program in [p for p in programs(f"build/{kind}", "allocators") if p.name == "contract"]:
            if symbol.encode() not in program.read_bytes():
                failed.append(f"build/{kind} is not sanitized: no {symbol} in {program.name}")
    return Outcome(job, 0 if failed else 2, failed, 0, 0.0, "")


def run_python() -> Outcome:
    """The unittest files, one process, in order: some of them time things."""
    job = Job("python: tests/test_*.py", [sys.executable, "-m", "unittest", "discover", "-v", "-s", "tests", "-p", "test_*.py"])
    start = time.monotonic()
    done = subprocess.run(job.argv, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    count = re.search(r"^Ran (\d+) test", done.stdout, re.M)
    bad = re.findall(r"^(?:FAIL|ERROR): (.*)$", done.stdout, re.M)
    skips = re.search(r"skipped=(\d+)", done.stdout.splitlines()[-1] if done.stdout.strip() else "")
    skipped = int(skips[1]) if skips else 0
    if done.returncode != 0 and not bad:
        bad = [f"unittest ended with status {done.returncode}"]
    passed = max(0, (int(count[1]) if count else 0) - len(bad) - skipped)
    return Outcome(job, passed, bad, skipped, time.monotonic() - start, done.stdout)


def report(outcome: Outcome) -> None:
    mark = "FAIL" if outcome.failed else "ok" if outcome.passed else "skip"
    print(f"{mark:4} {outcome.job.name:<52} {outcome.passed:4} passed {outcome.skipped:3} skipped {outcome.seconds:6.1f} s", flush=True)
    if outcome.failed:
        setting = " ".join(f"{k}={v}" for k, v in outcome.job.env.items())
        print("     again: " + (setting + " " if setting else "") + " ".join(outcome.job.argv).replace(str(TOP) + "/", ""))
        print("     " + "\n     ".join(outcome.failed + outcome.text.splitlines()[-60:]), flush=True)


def main() -> int:
    jobs = all_jobs()
    if not jobs:
        print("tests/run.py: nothing is built; run `make test`", file=sys.stderr)
        return 2
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(run_tap, jobs):
            report(outcome)
            outcomes.append(outcome)
    for last in (check_sanitizers, run_python):
        outcomes.append(last())
        report(outcomes[-1])
    passed, failed = sum(o.passed for o in outcomes), sum(len(o.failed) for o in outcomes)
    print(f"{passed} passed, {failed} failed, {sum(o.skipped for o in outcomes)} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
