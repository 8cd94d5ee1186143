# SPDX-License-Identifier: MIT
"""fake_run.py - a finished run, written and not measured: for tests of what is made from runs."""
import json
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))
import matrix as matrices  # noqa: E402
from run import line_of    # noqa: E402

MATRIX = """
about = "for tests"
[[group]]
name = "churn"
title = "steady state"
workload = "churn"
configurations = ["system", "jemalloc", "pymalloc"]
[[group]]
name = "calls"
title = "calls with boxed integers"
workload = "calls"
configurations = ["refcount/pymalloc", "cyclic/pymalloc", "leak/bump"]
[[group]]
name = "own"
title = "each thread its own object"
workload = "shared"
figure = "threads"
method = "blocks"
threads = [1, 2]
configurations = ["refcount/system", "gil/system"]
"""
MACHINE = {"cpu_model": "a CPU", "kernel": "6.1", "transparent_huge_pages": "madvise", "cores": 2, "memory_bytes": 1 << 34,
           "distribution": "Debian", "commit": "0123456789abcdef", "dirty": False, "governor": None}
BUILD = {"compiler": "gcc 12", "flags": "-O2", "commit": "0123456789ab", "allocator_library": None}


class InFolder(unittest.TestCase):
    """Each test has a folder, and runs scripts on the runs that it writes there."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="refarena-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, str(SCRIPTS / name), *arguments], capture_output=True, text=True, timeout=200, check=False)

    def assert_refused(self, done: subprocess.CompletedProcess, words: str) -> None:
        """One line, that says so, and status 2."""
        self.assertEqual((done.returncode, len(done.stderr.strip().splitlines())), (2, 1), done.stdout + done.stderr)
        self.assertIn(words, done.stderr)


def write(folder: Path, ns: dict[str, float] | None = None, noise: float = 0.003, invocations: int = 8, seed: int = 1,
          machine: dict | None = None, outcomes: dict[str, str] | None = None, text: str = MATRIX, pauses: bool = False) -> Path:
    """ns: of "group/label", or a label, or "" for all others; outcomes: the same, where there is no number."""
    folder.mkdir(parents=True)
    toml = folder / "m.toml"
    toml.write_text(text)
    plan = matrices.read(str(toml))
    toml.unlink()
    draw, lines = random.Random(seed), []
    for repetition in range(invocations):
        for group in plan.groups:
            weather = [draw.gauss(1, noise) for _ in range(5)]
            for row in group.configurations:
                lines.append(_line(group, row, repetition, draw, weather, noise, ns or {}, outcomes or {}))
                if repetition == 0 and not row.twin:
                    lines.append({**lines[-1], "purpose": "memory", "memory": _memory(draw)})
                if repetition == 0 and pauses and row.collector and not row.twin:
                    lines.append({**lines[-2], "purpose": "pauses", "pauses": _pauses()})
    about = {"schema": 1, "matrix": plan.described(), "matrix_digest": plan.digest(), "code_digest": "c", "command": "scripts/run.py",
             "seed": 1, "asked": {}, "workloads": {g.workload: {"operation": "step", "idea": "fake"} for g in plan.groups},
             "machine": {**MACHINE, **(machine or {})}, "begun": "2026-01-01T00:00:00Z", "before": {"load": [0, 0, 0], "steal_s": 0},
             "after": {"load": [0, 0, 0], "steal_s": 0}, "sittings": 1, "finished": "2026-01-01T00:10:00Z"}
    (folder / "run.json").write_text(json.dumps(about))
    (folder / "invocations.jsonl").write_text("".join(json.dumps(l) + "\n" for l in lines))
    return folder


def _line(group, row, repetition, draw, weather, noise, ns, outcomes) -> dict:
    def of(table: dict, other: object) -> object:
        plain = row.label.removesuffix("#2")
        return next((table[k] for k in (f"{group.name}/{row.label}", f"{group.name}/{plain}", plain, "") if k in table), other)
    outcome, layout = of(outcomes, "ok"), draw.gauss(1, noise)
    rounds = [{"round": i, "units": 10, "lead_in_units": 2, "operations": 10000, "checksum": "aa", "collections": [0, 0, 0],
               "wall_ns": round(10000 * of(ns, 10.0) * w * layout), "cpu_ns": round(10000 * of(ns, 10.0)), "valid": True,
               "run_delay_ns": 0, "involuntary_switches": 0} for i, w in enumerate(weather)]
    found = {"outcome": outcome, "message": "" if outcome == "ok" else f"fake {outcome}", "kept": outcome == "ok", "rejected": 0,
             "declared": {"operations": 1000, "allocations": 10, "bytes": 100, "references": 0} if outcome == "ok" else None, "rounds": rounds if outcome == "ok" else [], "build": BUILD, "reclaims": True, "renewed": False,
             "capacity": {"before": 1.9, "after": 1.9} if row.threads > 1 else None}
    return line_of(group, row, repetition, "time", found, 0.1)


def _memory(draw: random.Random) -> dict:
    peak = draw.randrange(10 << 20, 60 << 20)
    return {"baseline_rss": 1 << 20, "baseline_uss": 1 << 19, "peak_rss": peak, "end_rss": peak, "end_pss": peak, "end_uss": peak,
            "end_lazyfree": 0, "finished_rss": 2 << 20, "finished_after_200ms_rss": 2 << 20, "finished_trimmed_rss": 1 << 20,
            "workload_bytes": 0, "held_bytes": peak - (1 << 20), "used_bytes": 6 << 20, "requested_peak_bytes": 5 << 20,
            "live_bytes": 5 << 20, "overhead": (peak - (1 << 20)) / (5 << 20), "moments": [],
            "series": [[i * 10**6, (1 << 20) + peak * i // 20, (peak // 2) * i // 20] for i in range(21)]}


def _pauses() -> dict:
    def kind(count: int) -> dict:
        return {"count": count, "sum_ns": count * 2000, "max_ns": 9000, "p50_ns": 2000, "p90_ns": 3000, "p99_ns": None,
                "p99.9_ns": None, "p99.99_ns": None, "histogram": [[1000, count // 2], [3000, count - count // 2]] if count else []}
    names = ("cascade", "young", "middle", "full", "safepoint", "stopped", "gil", "any")
    return {"total_ns": 10**8, "mutator_ns": 9 * 10**7, "collector_ns": 10**7, "gil_ns": 0, "stamps_ns": 40,
            "kinds": {n: kind(200 if n in ("young", "any") else 0) for n in names},
            "mmu": [[1, 0.2], [10, 0.8], [100, None]], "mmu_without_gil": [[1, 0.2], [10, 0.8], [100, None]],
            "idle": {"stalls": kind(3), "mmu": [[1, 0.9], [10, 0.99], [100, 1.0]]}}
