# SPDX-License-Identifier: MIT
"""run_support.py - a bench on the fake harness, in a folder of its own, for the tests of the run."""
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

COMPILER = shlex.split(os.environ.get("CC", "")) or ["cc"]


def needs(*programs: str) -> Callable:
    """A decorator: where one of these programs is missing, the test is skipped and says which."""
    missing = [program for program in programs if not shutil.which(program)]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


DRAWN = shutil.which("gnuplot") is not None
EXECUTABLES = ("blocks", "refcount", "cyclic", "gil")
SMALL = """
about = "for tests"
repetitions = 2
least_repetitions = 2
rounds = 3
turn_ms = 1
block_rounds = 2
memory_repetitions = 1
bias_turns = 0
timeout_s = 60
touch_s = 0
[[group]]
name = "churn"
workload = "churn"
configurations = ["system", "jemalloc", "pymalloc"]
[[group]]
name = "cycles"
workload = "cycles"
method = "blocks"
configurations = ["refcount/system", "cyclic/system"]
"""


class Bench(unittest.TestCase):
    """Each test has a folder: bin (the fake under several names), results, small.toml. Where a class only reads what
    one run left, it says so in SHARED (what the fake does in it), and all its tests share that run."""

    SHARED: dict | None = None
    MATRIX = SMALL

    @classmethod
    def setUpClass(cls) -> None:
        if cls.SHARED is not None:
            cls.one = cls()
            cls.one.lay_out()
            cls.shared_done = cls.one.bench(fake=cls.SHARED, plots=DRAWN)

    @classmethod
    def tearDownClass(cls) -> None:
        if cls.SHARED is not None:
            cls.one.doCleanups()

    def setUp(self) -> None:
        if self.SHARED is None:
            self.lay_out()
        else:
            self.folder, self.results, self.log, self.done = (self.one.folder, self.one.results, self.one.log, self.shared_done)

    def lay_out(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="refarena-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "bin").mkdir()
        for name in EXECUTABLES:
            (self.folder / "bin" / name).symlink_to(ROOT / "tests/fake_harness.py")
        self.results = self.folder / "results"
        self.log, self.pids = self.folder / "log", self.folder / "pids"
        self.matrix(self.MATRIX)

    def matrix(self, text: str) -> None:
        (self.folder / "small.toml").write_text(text)

    def command(self, *more: str, plots: bool = False) -> list[str]:
        return [sys.executable, str(ROOT / "scripts/run.py"), "--matrix", str(self.folder / "small.toml"), "--bin",
                str(self.folder / "bin"), "--results", str(self.results), *([] if plots else ["--no-plots"]), *more]

    def environment(self, fake: dict | None = None, **more: str) -> dict[str, str]:
        return {**os.environ, "FAKE": json.dumps(fake or {}), "FAKE_LOG": str(self.log), "FAKE_PIDS": str(self.folder / "pids"), **more}

    def bench(self, *more: str, fake: dict | None = None, plots: bool = False, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(*more, plots=plots), capture_output=True, text=True, timeout=300,
                              env=self.environment(fake, **environment), check=False)

    def alive(self) -> list[int]:
        """Ids of the fakes of this test that have not ended; a zombie has."""
        found = []
        for pid, started in (line.split() for line in self.pids.read_text().splitlines()) if self.pids.exists() else ():
            try:
                state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if state not in "ZX" and fields[18] == started:
                found.append(int(pid))
        return found

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits for it: for a minute, which is no measure of anything."""
        late = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), late, f"waited in vain for {what}")
            time.sleep(0.01)

    def wait_for(self, process: subprocess.Popen, lines: int) -> None:
        def written() -> int:               # the last line may be half written as we look
            return sum(path.read_text(encoding="utf-8").count("\n") for path in self.results.glob("*/invocations.jsonl"))
        self.until(lambda: process.poll() is not None or (self.runs() and written() >= lines), f"{lines} invocations")
        self.assertIsNone(process.poll(), "the run ended before it could be interrupted")

    def runs(self) -> list[Path]:
        return sorted(p.parent for p in self.results.glob("*/run.json") if not p.parent.is_symlink())

    def lines(self, folder: Path | None = None) -> list[dict]:
        text = ((folder or self.runs()[-1]) / "invocations.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def summary(self) -> dict[tuple[str, str], dict[str, str]]:
        header, *rows = ((self.runs()[-1]) / "summary.tsv").read_text().splitlines()
        table = [dict(zip(header.split("\t"), row.split("\t"))) for row in rows]
        return {(row["group"], row["label"]): row for row in table}

    def assert_each_once(self, folder: Path | None = None, repetitions: int = 2) -> None:
        """No invocation lost, none repeated."""
        keys = [(l["group"], l["purpose"], l["label"], l["repetition"]) for l in self.lines(folder)]
        self.assertEqual(len(keys), len(set(keys)), "an invocation was repeated")
        wanted = {(g, "time", label, r) for r in range(repetitions)
                  for g, labels in (("churn", ("system", "jemalloc", "pymalloc", "system#2")),
                                    ("cycles", ("refcount/system", "cyclic/system", "refcount/system#2"))) for label in labels}
        wanted |= {(g, "memory", label, 0) for g, _, label, _ in wanted if not label.endswith("#2")}
        self.assertEqual(set(keys), wanted)
