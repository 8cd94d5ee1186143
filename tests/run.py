#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Build and run every test there is, and end with one line: N passed, N failed, N skipped.

    make test                    all of it
    make test ONLY=pattern       the jobs whose name has this regular expression; only what they need is built
    make check                   a broad look in a minute: five rows, the usual settings, nothing sanitized
    make test-repeat             each ten times, beside a load of all cores: TIMES= ONLY=

What runs where (a program is skipped, with its reason, where it cannot run):

    plain     contract tests on every registered allocator, preloaded and wrapped ones too; all the rest
    address   our own allocators and collectors under ASan and UBSan (a preloaded malloc cannot be)
    thread    what threads share, under TSan

C tests speak TAP (cmocka), Python tests unittest, a process a file. Which programs there are, the Makefile says
(`make test-list`). As many jobs run at once as there are cores and memory; a Python file that says ALONE = True runs
when all others have ended.
"""
from __future__ import annotations

import os
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests"), str(TOP / "scripts")]          # python3 -P leaves the first out
import net

net.spread(__name__)

import concurrent.futures
import contextlib
import functools
import json
import platform
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import limits

SECONDS = 600                       # a job's longest time
SKIPPED = 77                        # status of a C program that skips all it has
JOB_BYTES = 1 << 30                 # what one job may need
TIMES = TOP / "build/test-times.json"                    # of the last run: the longest job starts first
PRELOADED = ("jemalloc", "mimalloc", "tcmalloc")
OWN = ("system", "bump", "pymalloc", "pymalloc-3.9", "pymalloc,arena=256K,keep=all", "pymalloc,pool=4K,keep=3", "magazine",
       "magazine,keep=none", "pyobject", "locked:pyobject", "locked:pymalloc", "locked:bump", "counted:pymalloc", "failing:pymalloc",
       "debug:pymalloc", "debug:magazine", "locked:debug:pymalloc-3.9")
SETTINGS = {                        # of the allocators' contract test, by build
    "build": OWN + PRELOADED + tuple(f"locked:{p}" for p in PRELOADED),
    "build/address": OWN,
    "build/thread": ("system", "magazine", "magazine,keep=none", "debug:magazine", "locked:pymalloc", "counted:locked:pymalloc"),
}
CHECK_SETTINGS = ("system", "pymalloc", "magazine", "debug:pymalloc", "locked:pymalloc")
CHECK_ROWS = ("cyclic", "gil", "atomic", "biased", "marksweep")     # each kind of count, of threads, of finding what is garbage
PAGES_MATTER_TO = ("bump", "pymalloc", "pymalloc-3.9", "magazine,keep=none")
SANITIZERS = {
    "ASAN_OPTIONS": "allocator_may_return_null=1:detect_leaks=0:detect_stack_use_after_return=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:allocator_may_return_null=1:second_deadlock_stack=1",
}
LOAD = ["stress-ng", "--quiet", "--cpu", "0", "--vm", "1", "--vm-bytes", "1G", "--vm-keep"]
RUNTIMES = {"build/address": b"__asan_init", "build/thread": b"__tsan_init"}
PYTHON_NEEDS = ("all", "build/tests/harness_fake", "build/tests/cyclic/model")


@dataclass
class Job:
    """One program run with one setting. build and needs: which make targets it takes."""
    name: str
    argv: list[str]
    build: str = "build"
    needs: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    alone: bool = False


@dataclass
class Outcome:
    job: Job
    passed: int
    failed: list[str]
    skipped: list[str]                  # reasons
    seconds: float
    text: str


# --- what there is ---------------------------------------------------------------------------------

def make(*arguments: str, **more: object) -> subprocess.CompletedProcess:
    """make, with the variables that we were called with; the jobs of the make above are its own."""
    flags = re.sub(r"(^|\s)(-j\d*|--jobserver-\S+)", "", os.environ.get("MAKEFLAGS", ""))
    return subprocess.run(["make", "--no-print-directory", *arguments], cwd=TOP, env={**os.environ, "MAKEFLAGS": flags}, text=True,
                          check=False, **more)


@functools.cache
def programs(build: str) -> list[str]:
    """The C test programs of one build, as the Makefile lists them."""
    listed = make("-s", *_sanitize(build), "test-list", stdout=subprocess.PIPE)
    if listed.returncode != 0:
        raise net.BadInput("make cannot list the tests, see above")
    return listed.stdout.split()


def _sanitize(build: str) -> list[str]:
    kind = build.partition("/")[2]
    return [f"SANITIZE={kind}"] if kind else []


def collectors(*threads: str) -> list[str]:
    """Names of the registry's rows; only those with one of these threads policies, if any are named."""
    text = (TOP / "collectors/collectors.def").read_text(encoding="utf-8")
    rows = re.findall(r"^(?:COUNTING|TRACING)\((\w+),.*?(\w+)\)", text, re.M)
    return [name for name, policy in rows if not threads or policy in threads]


def program_jobs(build: str) -> Iterable[Job]:
    """Each C program of a build with each of its settings."""
    parallel = collectors("stop_the_world", "none")
    for program in programs(build):
        folder, name = program.removeprefix(f"{build}/tests/").rpartition("/")[::2]
        def job(setting: str = "", **env: str) -> Job:
            return Job(f"{program}{f' [{setting}]' * bool(setting)}", [str(TOP / program)], build, (program,), env)
        if folder == "allocators":
            for spec in SETTINGS[build] if name == "contract" else ("system",):
                yield job(spec, REFARENA_ALLOCATOR=spec)
        elif folder == "workloads":
            yield job()
        elif folder:
            yield job(REFARENA_ALLOCATOR="locked:pymalloc" if folder in parallel else "pymalloc")
            if name == "model" and build == "build":
                yield job("the heap walked after every step", REFARENA_CHECK="1", REFARENA_PROGRAMS="1000")


def python_jobs() -> Iterable[Job]:
    for path in sorted((TOP / "tests").glob("test_*.py")):
        alone = _says(path, "ALONE")
        yield Job(f"tests/{path.name}", [sys.executable, "-m", "unittest", "discover", "-v", "-s", "tests", "-p", path.name],
                  "build", PYTHON_NEEDS, {}, alone)


def larger_page_jobs() -> Iterable[Job]:
    """What maps memory, on a kernel that seems to have larger pages. The path is relative: LD_PRELOAD takes no blank."""
    pretender = "build/tests/larger_pages.so"
    for program in programs("build"):
        folder, name = program.removeprefix("build/tests/").rpartition("/")[::2]
        specs = (PAGES_MATTER_TO if (folder, name) == ("allocators", "contract")
                 else ("system",) if folder == "allocators" and name in ("pages", "pymalloc", "malloc")
                 else ("locked:pymalloc",) if f"{folder}/{name}" in ("marksweep/chunks", "marksweep/tracing", "biased/threads", "cyclic/counts")
                 else ())
        long = folder == "allocators" and name in ("pymalloc", "malloc")         # one larger size will do
        for size, spec in ((size, spec) for size in (16384, 65536)[long:] for spec in specs):
            yield Job(f"{program} [{spec}, pages of {size // 1024} KiB]", [str(TOP / program)], "build", (program, pretender),
                      {"REFARENA_ALLOCATOR": spec, "LD_PRELOAD": pretender, "REFARENA_PAGE_BYTES": str(size)})


def _says(path: Path, word: str) -> bool:
    """Is this constant of a test's module True?"""
    return re.search(rf"^{word} = True", path.read_text(encoding="utf-8"), re.M) is not None


def all_jobs() -> list[Job]:
    return [*python_jobs(), *(job for build in SETTINGS for job in program_jobs(build)), *larger_page_jobs()]


def in_check(job: Job) -> bool:
    """Is it part of the short look?"""
    if job.build != "build":
        return False
    if job.name.startswith("tests/"):
        return not _says(TOP / job.name, "SLOW")
    folder = job.argv[0].split("/")[-2]
    if "LD_PRELOAD" in job.env:
        return False
    setting = job.env.get("REFARENA_ALLOCATOR", "")
    return folder == "workloads" or folder in CHECK_ROWS and "REFARENA_CHECK" not in job.env or folder == "allocators" and setting in CHECK_SETTINGS


# --- building --------------------------------------------------------------------------------------

def build(jobs: list[Job], at_once: int) -> int:
    """The status of the first make that failed."""
    for kind in SETTINGS:
        targets = sorted({need for job in jobs if job.build == kind for need in job.needs})
        done = make(f"-j{at_once}", *_sanitize(kind), *targets) if targets else None
        if done and done.returncode != 0:
            return done.returncode
    return 0


# --- running ---------------------------------------------------------------------------------------

@functools.cache
def fixed_addresses(bits: Path = Path("/proc/sys/vm/mmap_rnd_bits")) -> tuple[list[str], str]:
    """What to put before a sanitized program, or why none can run: gcc 12's runtimes die at start where the kernel
    draws mappings from 32 bits, unless addresses are not drawn at all."""
    command = ["setarch", platform.machine(), "-R"]
    try:
        if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return command, ""
    except OSError:
        pass
    try:
        drawn = int(bits.read_text(encoding="ascii"))
    except (OSError, ValueError):
        drawn = 0
    return [], "" if drawn <= 28 else f"setarch -R is refused, and mappings are drawn from {drawn} bits: a sanitizer would die at start"


def run(job: Job) -> Outcome:
    start = time.monotonic()
    before, refused = fixed_addresses() if job.build in RUNTIMES else ([], "")
    if refused:
        return Outcome(job, 0, [], [refused], 0.0, "")
    env = {**os.environ, **SANITIZERS, "CMOCKA_MESSAGE_OUTPUT": "TAP", **job.env}
    try:
        done = subprocess.run([*before, *job.argv], env=env, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", timeout=SECONDS, check=False)
        text, status = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        text, status = (late.stdout or b"").decode(errors="replace") + f"\ntimed out after {SECONDS} s", -1
    passed, failed, skipped = (read_tap if job.needs != PYTHON_NEEDS else read_unittest)(text, status)
    return Outcome(job, passed, failed, skipped, time.monotonic() - start, text)


def read_tap(text: str, status: int) -> tuple[int, list[str], list[str]]:
    """Passed, failed, skipped of one C program; one that died without a plan is a failure."""
    lines = [line for line in text.splitlines() if re.match(r"(not )?ok \d+", line)]
    reasons = re.findall(r"^# skipped: (.*)$", text, re.M)         # in their order; not every skip says one
    skipped = [line for line in lines if "# SKIP" in line]
    skipped = reasons[:len(skipped)] + [re.sub(r"^(not )?ok \d+( -)? |\s*# SKIP.*", "", line) for line in skipped[len(reasons):]]
    failed = [line for line in lines if line.startswith("not ok") and "# SKIP" not in line]
    if status == SKIPPED:
        return 0, [], skipped or [(text.strip().splitlines() or ["it cannot run here"])[-1]]
    plan = re.search(r"^1\.\.(\d+)", text, re.M)
    passed = len(lines) - len(skipped) - len(failed)
    if status != 0 and not failed or plan is None or int(plan[1]) != len(lines):
        failed.append(f"the program ended with status {status}, {len(lines)} tests reported")
    return passed, failed, skipped


def read_unittest(text: str, status: int) -> tuple[int, list[str], list[str]]:
    count = re.search(r"^Ran (\d+) test", text, re.M)
    failed = re.findall(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (.*)$", text, re.M)
    skipped = re.findall(r"\.\.\. skipped (.*)$", text, re.M)
    none_ran = status == 5 and count and int(count[1]) <= len(skipped)      # from 3.12 on, where all are skipped
    if not failed and (status != 0 and not none_ran or not count or count[1] == "0"):
        failed = [f"unittest ended with status {status}, and ran {count[1] if count else 'no'} tests"]
    return max(0, (int(count[1]) if count else 0) - len(failed) - len(skipped)), failed, skipped


def check_sanitizers(jobs: list[Job]) -> Outcome:
    """A sanitizer build that is not one would pass everything."""
    built = [job for job in jobs if job.build in RUNTIMES and job.argv[0].endswith("allocators/contract")]
    symbols = {job.argv[0]: RUNTIMES[job.build] for job in built}
    failed = [f"{path} is not sanitized: it has no {symbol.decode()}" for path, symbol in symbols.items()
              if symbol not in Path(path).read_bytes()]
    return Outcome(Job("sanitizers: the builds are what they say", []), len(symbols) - len(failed), failed, [], 0.0, "")


def report(outcome: Outcome) -> None:
    mark = "FAIL" if outcome.failed else "ok" if outcome.passed else "skip"
    print(f"{mark:4} {outcome.job.name:<60} {outcome.passed:4} passed {len(outcome.skipped):3} skipped {outcome.seconds:6.1f} s", flush=True)
    for reason in dict.fromkeys(outcome.skipped):
        print(f"     skipped: {reason}")
    if outcome.failed:
        setting = " ".join(f"{k}='{v}'" for k, v in outcome.job.env.items())
        print("     again: " + (setting + " " if setting else "") + " ".join(outcome.job.argv).replace(str(TOP) + "/", ""))
        print("     " + "\n     ".join(outcome.failed + outcome.text.splitlines()[-60:]), flush=True)


@contextlib.contextmanager
def load(wanted: bool) -> Iterator[None]:
    """Beside what runs in it: a machine that is busy, and whose memory is asked for."""
    if not wanted:
        yield
        return
    with subprocess.Popen(LOAD, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as stress:
        try:
            yield
        finally:
            stress.terminate()


def run_all(jobs: list[Job], at_once: int) -> list[Outcome]:
    """The longest first, by what they took the last time; each is reported when it ends."""
    try:
        times: dict[str, float] = json.loads(TIMES.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        times = {}
    jobs = sorted(jobs, key=lambda job: -times.get(job.name, SECONDS if job.needs == PYTHON_NEEDS else 0))
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        try:
            for ended in concurrent.futures.as_completed([pool.submit(run, job) for job in jobs if not job.alone]):
                outcomes.append(ended.result())
                report(outcomes[-1])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for job in (job for job in jobs if job.alone):
        outcomes.append(run(job))
        report(outcomes[-1])
    outcomes.append(check_sanitizers(jobs))
    TIMES.parent.mkdir(exist_ok=True)
    TIMES.write_text(json.dumps({**times, **{o.job.name: round(o.seconds, 1) for o in outcomes}}), encoding="utf-8")
    return outcomes


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="test", description="Build and run the tests.")
    parser.add_argument("--only", default="", metavar="PATTERN", help="only jobs whose name has this regular expression")
    parser.add_argument("--check", action="store_true", help="the short look")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="each job so many times")
    parser.add_argument("--load", action="store_true", help="beside a load of all cores and a GiB of memory")
    parser.add_argument("--list", action="store_true", help="print the jobs' names and run nothing")
    options = parser.parse_args(arguments)
    try:
        wanted = re.compile(options.only)
    except re.error as error:
        raise net.BadInput(f"ONLY={options.only}: {error}") from None
    if options.times < 1:
        raise net.BadInput(f"TIMES={options.times}: give 1 or more")
    if options.load and not shutil.which(LOAD[0]):
        raise net.BadInput(f"the load is {LOAD[0]}'s: install it with `scripts/deps.sh repeat`")
    jobs = [job for job in all_jobs() if wanted.search(job.name) and (not options.check or in_check(job))]
    if not jobs:
        raise net.BadInput(f"ONLY={options.only}: no job has this in its name; `tests/run.py --list` prints all")
    if options.list:
        print("\n".join(job.name for job in jobs))
        return 0
    at_once, begun = limits.jobs(JOB_BYTES), time.monotonic()
    status = build(jobs, at_once)
    if status:
        print("0 passed, 1 failed")
        raise net.Stopped("the tests cannot be built, see above")
    built = time.monotonic()
    with load(options.load):
        outcomes = [outcome for _ in range(options.times) for outcome in run_all(jobs, at_once)]
    ended = time.monotonic()
    passed, failed, skipped = (sum(len(part) if isinstance(part, list) else part for part in parts)
                               for parts in zip(*((o.passed, o.failed, o.skipped) for o in outcomes)))
    if options.times > 1:
        print("failures by job: " + (", ".join(f"{name} {count}" for name, count in Counter(o.job.name for o in outcomes if o.failed).items()) or "none"))
    print(f"{options.times * len(jobs)} jobs, {at_once} at a time: built in {built - begun:.0f} s, run in {ended - built:.0f} s")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    net.run("test", lambda: main(sys.argv[1:]))
