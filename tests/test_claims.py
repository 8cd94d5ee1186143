# SPDX-License-Identifier: MIT
"""Claims: every file resolves, the rule gives the verdict that the figures ask for, and a planted fault flips it.

The verdicts are tried on the fake harness, which has whatever speed it is told: slow, noisy, without cores.
"""
from __future__ import annotations

import contextlib
import io
import json
import math
import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from run_support import DRAWN, ROOT, needs

import claim_criteria
import claim_files
import claim_metrics
import claim_plots
import claim_report
import claim_verdicts
import claims
import claims_soak
import machine
import price
import run
import stats
from claim_metrics import Found
from matrix import BadInput, Configuration, Group, Matrix

BIN = ROOT / "build/bin"
PYTHON = "/usr/bin/python3"
EXPERIMENT = """
repetitions = 5
rounds = 3
block_rounds = 2
turn_ms = 1
memory = false
bias_turns = 0
touch_s = 0
timeout_s = 60
[[group]]
name = "alone"
workload = "calls"
configurations = ["refcount/system", "cyclic/system", "gil/system"]
[[group]]
name = "threads"
workload = "shared"
configurations = ["gil/system"]
method = "blocks"
threads = [1, 2]
[[group]]
name = "real"
workload = "small_integers"
configurations = ["cpython/*"]
method = "blocks"
pair = ""
"""
CLAIM = """
id = "{id}"
sentence = "Cycle detection costs."
source = ["gc: a place"]
kind = "{kind}"
measured = "time over counting alone"
criterion = {criterion}
not_shown = "Anything."
{more}
"""
SLOWER = '"time(alone: cyclic/system) / time(alone: refcount/system) > 1.2"'


SLOW = True             # not part of the short look (make check)


class Folder(unittest.TestCase):
    """A folder of claims of a test's own, and the fake harness."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="refarena-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "claims/experiments").mkdir(parents=True)
        (self.folder / "claims/experiments/one.toml").write_text(EXPERIMENT)
        (self.folder / "claims/sources.toml").write_text('gc = "the manual"\n')
        (self.folder / "bin").mkdir()
        for name in ("blocks", "refcount", "cyclic", "gil"):
            (self.folder / "bin" / name).symlink_to(ROOT / "tests/fake_harness.py")

    def write(self, id: str = "slower", kind: str = "shape", criterion: str = SLOWER, more: str = "") -> Path:
        path = self.folder / "claims" / f"{id}.toml"
        path.write_text(CLAIM.format(id=id, kind=kind, criterion=criterion, more=more).lstrip())
        return path

    def run_claims(self, *more: str, fake: dict | None = None, python: str = "", plots: bool = False) -> subprocess.CompletedProcess:
        return subprocess.run([PYTHON, str(ROOT / "scripts/claims.py"), "--claims", str(self.folder / "claims"), "--bin",
                               str(self.folder / "bin"), "--results", str(self.folder / "results"), "--python", python,
                               "--resume", "no", *([] if plots else ["--no-plots"]), *more], capture_output=True, text=True, timeout=300,
                              env={**os.environ, "FAKE": json.dumps(fake or {})}, check=False)

    def told(self, *more: str, **settings) -> dict:
        done = self.run_claims(*more, **settings)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads((self.folder / "results/latest/claims.json").read_text())

    def judged(self, repetitions: int = 5, **fake: dict) -> claim_verdicts.Judgement:
        """The first claim on made-up lines. fake: what happens, by label (with _ for /, @ and #)."""
        claim, = claim_files.read_all(self.folder / "claims")
        groups = [claim_files.spread(g, []) for g in claim_files.experiments(self.folder / "claims")]
        plan = Matrix("claims", "", tuple(groups), {})
        lines = [made_up(g, row, repetition, fake) for g in groups for row in g.configurations for repetition in range(repetitions)]
        return claim_verdicts.judge(claim, claim_metrics.Measured(plan.described(), lines), [])

    def verdict(self, **fake: dict) -> str:
        return self.judged(**fake).verdict


def made_up(group: Group, row: Configuration, repetition: int, fake: dict[str, dict]) -> dict:
    """An invocation's line, as the run writes it."""
    what = {**fake.get("all", {}), **fake.get(re.sub(r"[/@#]", "_", row.label), {})}
    noise = random.Random(f"{row.label}/{repetition}")
    def taken(number: int) -> dict:
        wall = 1000 * what.get("ns", 10) * noise.gauss(1, what.get("noise", 0.01))
        return {"wall_ns": wall, "cpu_ns": wall, "operations": 1000, "round": number, "valid": True, "checksum": "0" * 16, "collections": [0]}
    capacity = {"before": what.get("capacity", 1.95), "after": 1.95, "core_to_core_ns": 43} if row.threads > 1 else None
    outcome = what.get("outcome", "ok")
    return run.line_of(group, row, repetition, "time", {
        "outcome": outcome, "rounds": [taken(i) for i in range(5)] if outcome == "ok" else [], "capacity": capacity, "rejected": 0,
        "kept": outcome == "ok" and machine.capacity_suffices(capacity),
        "figures": {name: {"count": 1, "mean": v, "least": v, "most": v} for name, v in what.get("figures", {}).items()}}, 0.1)


class EveryFile(unittest.TestCase):
    def setUp(self) -> None:
        self.claims, self.groups = claim_files.read_all(), claim_files.experiments()

    def test_there_are_forty_claims_or_more_on_at_most_twenty_experiments(self) -> None:
        self.assertGreaterEqual(len(self.claims), 40)
        self.assertLessEqual(len(list((claim_files.CLAIMS / "experiments").glob("*.toml"))), claim_files.MOST_EXPERIMENTS)

    def test_every_row_and_metric_that_a_claim_names_is_measured_by_an_experiment(self) -> None:
        groups = {g.name: g for g in self.groups}
        for claim in self.claims:
            claim_files.check(claim, groups)

    def test_every_metric_has_its_way_out_of_a_line(self) -> None:
        self.assertEqual({*claim_metrics.METRICS, "time", "cpu", *claim_criteria.NAMED}, set(claim_criteria.METRICS))

    def test_every_group_is_read_by_a_claim_or_by_the_headline(self) -> None:
        read = set().union(*(c.groups for c in self.claims)) | set(price.GROUPS)
        self.assertEqual({g.name for g in self.groups} - read, set())

    def test_every_source_is_cited(self) -> None:
        self.assertEqual(set(claim_files.sources()) - {tag for c in self.claims for tag, _ in c.source}, set())

    @unittest.skipUnless((BIN / "blocks").exists(), "the harness is not built")
    def test_the_executables_know_every_configuration(self) -> None:
        known, scenes = claims.Laboratory(BIN).knows(), claims.scenes()
        for group in self.groups:
            claim_files.check_group(group, known, scenes)

    def test_every_figure_of_cpython_that_a_claim_reads_is_one_that_its_scene_tells(self) -> None:
        asked: dict[str, set[str]] = {}
        for claim in self.claims:
            for quantity in (*(c.quantity for c in claim.criteria), *claim.real):
                for operand in quantity.operands:
                    if operand.label.startswith(claim_files.REAL):
                        asked.setdefault(operand.group, set()).add(operand.metric.split(".")[1])
        texts = "".join(p.read_text() for p in (ROOT / "scripts/cpython").glob("scenes_*.py"))
        for group, names in asked.items():
            for name in names:
                self.assertIn(f'"{name}"', texts, group)

    def test_the_pages_show_the_reference_run(self) -> None:
        done = subprocess.run([PYTHON, ROOT / "scripts/claims_reference.py", "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


class Malformed(Folder):
    def refused(self, old: str, new: str, line: int) -> str:
        path = self.write()
        path.write_text(path.read_text().replace(old, new, 1))
        with self.assertRaises(BadInput) as caught:
            claim_files.read_all(self.folder / "claims")
        self.assertIn(f"claims/slower.toml:{line}: ", str(caught.exception))
        return str(caught.exception)

    def test_file_line_and_what_is_wrong_are_said(self) -> None:
        self.assertIn("unknown key 'critrion'", self.refused("criterion", "critrion", 6))
        self.assertIn("'sentence' is missing", self.refused('sentence = "Cycle detection costs."\n', "", 1))
        self.assertIn("one of exact, shape, magnitude", self.refused('"shape"', '"shapely"', 4))
        self.assertIn("no source 'gcc'", self.refused('"gc: a', '"gcc: a', 3))
        self.assertIn("unknown metric 'tome'", self.refused("time(alone", "tome(alone", 6))
        self.assertIn("is no criterion", self.refused("> 1.2", "about 1.2", 6))
        self.assertIn("unknown unit 'parsec'", self.refused("> 1.2", "> 1.2 parsec", 6))
        self.assertIn("ends before it begins", self.refused("> 1.2", "in 2 .. 1", 6))
        self.assertIn("the file slower.toml", self.refused('id = "slower"', 'id = "faster"', 1))
        self.assertIn("== is for exact claims", self.refused("> 1.2", "== 1.2", 6))
        self.assertIn("says in words", self.refused('measured = "time over counting alone"\n', "", 5))
        self.refused('kind = "shape"', "kind = shape", 4)

    def test_a_refusal_is_one_line_and_leaves_nothing(self) -> None:
        self.write(kind="shapely")
        done = self.run_claims()
        self.assertEqual((done.returncode, len(done.stderr.strip().splitlines())), (2, 1), done.stderr)
        self.assertFalse((self.folder / "results").exists())

    def unmeasured(self, criterion: str) -> str:
        self.write(criterion=criterion)
        with self.assertRaises(BadInput) as caught:
            claim_files.check(*claim_files.read_all(self.folder / "claims"),
                              {g.name: g for g in claim_files.experiments(self.folder / "claims")})
        return str(caught.exception)

    def test_a_row_group_or_purpose_that_no_experiment_has_is_refused(self) -> None:
        self.assertIn("no such row; there are refcount/system, cyclic/system", self.unmeasured('"time(alone: boehm/system) > 1"'))
        self.assertIn("no experiment has a group 'lonely'; there are alone, ", self.unmeasured('"time(lonely: cyclic/system) > 1"'))
        self.assertIn("does not measure memory", self.unmeasured('"peak_rss(alone: cyclic/system) > 1"'))

    def test_what_no_executable_knows_is_refused(self) -> None:
        known = {name: {"workloads": [{"name": "calls", "parameters": []}], "allocators": [{"name": "system"}]} for name in ("refcount", "cyclic", "gil")}
        def refused(old: str, new: str) -> str:
            (self.folder / "claims/experiments/one.toml").write_text(EXPERIMENT.replace(old, new))
            with self.assertRaises(BadInput) as caught:
                claim_files.check_group(claim_files.experiments(self.folder / "claims")[0], known, [])
            return str(caught.exception)
        self.assertIn("unknown workload 'cells'; did you mean 'calls'? known are calls", refused('"calls"', '"cells"'))
        self.assertIn("unknown collector 'gill'", refused("gil/system", "gill/system"))
        self.assertIn("unknown allocator", refused("gil/system", "gil/sistem"))
        self.assertIn("no option 'speed'", refused("gil/system", "gil,speed=9/system"))

    def test_a_claim_that_is_not_there_is_answered_with_those_that_are(self) -> None:
        self.write()
        done = self.run_claims("--claim", "other")
        self.assertEqual(done.returncode, 2)
        self.assertIn("unknown claim 'other'; known are slower", done.stderr)

    def test_an_interpreter_that_does_not_run_is_refused(self) -> None:
        self.write()
        self.assertIn("does not run as a CPython", self.run_claims(python="/bin/false").stderr)


# Small, of allocators that are there on every machine; what a claim says of it is not changed.
PLANTED = """
repetitions = 5
rounds = 5
block_rounds = 1
turn_ms = 2
memory = false
bias_turns = 0
touch_s = 0
[[group]]
name = "race"
workload = "race"
parameters = { size = 20000, order = "apart" }
configurations = ["racy/system"]
method = "blocks"
threads = [2]
pair = ""
units = 5
[[group]]
name = "pair"
workload = "shared"
parameters = { size = 10000, objects = "own" }
configurations = ["refcount/system", "atomic/system"]
"""


@unittest.skipUnless((BIN / "racy").exists(), "the harness is not built")
class Planted(Folder):
    """A fault in the real thing: the executable of one collector stands in for that of another. Whether two cores are free
    is not probed: that is this machine's affair, and no claim's."""

    def verdict(self, claim: str, **stands_for: str) -> str:
        (self.folder / "claims/experiments/one.toml").write_text(PLANTED)
        shutil.copy(claim_files.CLAIMS / "sources.toml", self.folder / "claims")
        text = (claim_files.CLAIMS / f"{claim}.toml").read_text()
        (self.folder / f"claims/{claim}.toml").write_text(text.replace("/tcmalloc", "/system"))
        for name in ("racy", "atomic", "refcount"):
            (path := self.folder / "bin" / name).unlink(missing_ok=True)
            path.write_text(f'#!/bin/sh\nexec "{BIN}/{stands_for.get(name, name)}" "$@" --no-capacity\n')
            path.chmod(0o755)
        return self.told("--claim", claim)["claims"][0]["verdict"]

    def test_a_racy_count_made_atomic_loses_nothing_and_the_claim_that_it_does_is_refuted(self) -> None:
        self.assertEqual(self.verdict("racy_counts_lose", racy="atomic"), "REFUTED")

    def test_plain_counts_made_slow_reproduce_the_claim_that_atomic_ones_are_free(self) -> None:
        self.assertEqual(self.verdict("uncontended_atomics_free", refcount="locked_global"), "REPRODUCED")      # and honestly REFUTED


class Extension(unittest.TestCase):
    """What is not settled is measured again with twice the invocations: once, or with --thorough until it is."""

    def times(self, thorough: bool, settled_at: int, took_s: float = 1.0) -> list[int]:
        """By how much the invocations were multiplied; settled_at: the multiple from which on the verdict stands."""
        measured: list[int] = []
        def measure(plan: SimpleNamespace, *_: object) -> None:
            measured.append(plan.times)
        def judge(claim: object, *_: object) -> SimpleNamespace:
            return SimpleNamespace(claim=claim, verdict="REPRODUCED" if measured[-1] >= settled_at else "INCONCLUSIVE")
        def extended(plan: object, judgements: list[SimpleNamespace], times: int) -> SimpleNamespace:
            return SimpleNamespace(groups=[j for j in judgements if j.verdict == "INCONCLUSIVE"], times=times)
        claim, journal = SimpleNamespace(id="one", untestable=""), SimpleNamespace(lines=[{"took_s": took_s}])
        with mock.patch.multiple(claims, extended=extended, _seconds=lambda *_: took_s), mock.patch.object(claims.run, "measure", measure), \
             mock.patch.object(claims.claim_metrics, "Measured"), mock.patch.object(claims.claim_verdicts, "judge", judge), \
             contextlib.redirect_stdout(io.StringIO()):
            found, = claims.measure(SimpleNamespace(described=dict, times=1), [claim], SimpleNamespace(interpreters={}), journal, Path("x"), thorough)
        self.assertEqual(found.verdict, "REPRODUCED" if measured[-1] >= settled_at else "INCONCLUSIVE")
        return measured

    def test_once_by_default_and_until_settled_or_sixteen_times_when_thorough(self) -> None:
        self.assertEqual(self.times(False, settled_at=1), [1])
        self.assertEqual(self.times(False, settled_at=8), [1, 2])
        self.assertEqual(self.times(True, settled_at=8), [1, 2, 4, 8])
        self.assertEqual(self.times(True, settled_at=999), [1, 2, 4, 8, 16])

    def test_what_would_not_fit_into_the_time_of_a_run_is_not_extended_unless_it_is_thorough(self) -> None:
        self.assertEqual(self.times(False, settled_at=2, took_s=claims.BUDGET_S), [1])
        self.assertEqual(self.times(True, settled_at=2, took_s=claims.BUDGET_S), [1, 2])

    def test_one_verdict_in_twenty_that_rests_on_an_interval_is_expected_to_be_wrong_and_none_that_is_exact(self) -> None:
        def judged(verdict: str, kind: str) -> SimpleNamespace:
            return SimpleNamespace(verdict=verdict, claim=SimpleNamespace(kind=kind))
        told = [judged("REPRODUCED", "shape")] * 30 + [judged("REFUTED", "magnitude")] * 10 + \
               [judged("INCONCLUSIVE", "shape"), judged("UNTESTABLE", "shape"), judged("REPRODUCED", "exact")]
        self.assertAlmostEqual(claim_verdicts.expected_false(told), 2)


class Verdicts(Folder):
    """The claim is that `cyclic` takes more than 1.2 times as long as `refcount`; the lines say how long each took."""

    def test_a_claim_that_holds_is_reproduced_and_the_planted_fault_refutes_it(self) -> None:
        self.write()
        self.assertEqual(self.verdict(cyclic_system={"ns": 20}), "REPRODUCED")
        self.assertEqual(self.verdict(cyclic_system={"ns": 20}, refcount_system={"ns": 40}, refcount_system_2={"ns": 40}), "REFUTED")

    def test_an_interval_across_the_bound_is_inconclusive(self) -> None:
        self.write()
        self.assertEqual(self.verdict(cyclic_system={"ns": 12, "noise": 0.2}), "INCONCLUSIVE")

    def test_a_distance_below_the_noise_floor_is_untestable_and_says_so(self) -> None:
        self.write(criterion=SLOWER.replace("1.2", "1"))
        judged = self.judged(cyclic_system={"ns": 10.8, "noise": 0.001}, refcount_system_2={"ns": 13})
        self.assertEqual(judged.verdict, "UNTESTABLE")
        self.assertRegex(judged.reason, r"two identical programs .* noise floor \d+\.\d %")

    def test_threads_without_cores_are_untestable_with_the_figures_of_the_gate(self) -> None:
        self.write(criterion='"time(threads: gil/system) / time(threads: gil/system@2) < 1.2"')
        self.assertEqual(self.verdict(gil_system_2={"ns": 10}), "REPRODUCED")
        self.assertEqual(self.verdict(gil_system_2={"ns": 5}), "REFUTED")
        judged = self.judged(all={"capacity": 1.3})
        self.assertEqual(judged.verdict, "UNTESTABLE")
        self.assertIn("two spinning threads reached 1.30x one; core to core 43 ns", judged.reason)

    def test_a_program_that_is_not_here_and_a_single_invocation_are_untestable(self) -> None:
        self.write()
        self.assertIn("not installed", self.judged(cyclic_system={"outcome": "not_installed"}).reason)
        self.assertIn("fewer than two invocations", self.judged(repetitions=1, cyclic_system={"ns": 90}).reason)

    def test_exact_claims_hold_in_every_invocation_or_are_refuted(self) -> None:
        self.write(kind="exact", criterion='"figure.lost(alone: cyclic/system) > 0"')
        self.assertEqual(self.verdict(cyclic_system={"figures": {"lost": 17}}), "REPRODUCED")
        self.assertEqual(self.verdict(cyclic_system={"figures": {"lost": 0}}), "REFUTED")      # the race made atomic
        self.assertIn("tells no such figure", self.judged().reason)

    def test_all_criteria_must_hold(self) -> None:
        faster = SLOWER.replace("cyclic", "gil").replace("> 1.2", "< 0.8")
        path = self.write(criterion=f"[{SLOWER}, {faster}]")
        path.write_text(path.read_text().replace('measured = "time over counting alone"', 'measured = ["a", "b"]'))
        self.assertEqual(self.verdict(cyclic_system={"ns": 20}, gil_system={"ns": 5}), "REPRODUCED")
        self.assertEqual(self.verdict(cyclic_system={"ns": 20}, gil_system={"ns": 15}), "REFUTED")

    def test_what_is_not_settled_is_measured_twice_as_often_and_then_left(self) -> None:
        self.write()
        (self.folder / "claims/experiments/one.toml").write_text(EXPERIMENT.replace("repetitions = 5", "repetitions = 2"))
        claim = self.told(fake={"cyclic/system": {"ns": 12, "noise": 0.4}})["claims"][0]
        self.assertEqual((claim["verdict"], claim["criteria"][0]["invocations"]), ("INCONCLUSIVE", 4))


class Real(Folder):
    def setUp(self) -> None:
        super().setUp()
        (self.folder / "claims/experiments/one.toml").write_text(EXPERIMENT.replace("repetitions = 5", "repetitions = 2"))
        self.write(kind="exact", criterion='"figure.most(alone: cyclic/system) == 256"', more='real = "figure.most(real: cpython/*)"')

    def test_the_interpreters_figure_stands_beside_ours(self) -> None:
        told = self.told(python=PYTHON, fake={"cyclic/system": {"figures": {"most": 256}}}, plots=DRAWN)
        claim = told["claims"][0]
        self.assertEqual((claim["verdict"], claim["agrees"], claim["real"][0]["criteria"][0]["value"]), ("REPRODUCED", "yes", 256))
        folder = self.folder / "results/latest"
        self.assertIn(f"CPython {told['interpreters'][0]}", (folder / "claims.md").read_text())
        if DRAWN:
            self.assertGreater((folder / "plots/claims/slower.png").stat().st_size, 10_000)

    def test_a_model_that_is_wrong_does_not_agree(self) -> None:
        claim = self.told(python=PYTHON, fake={"cyclic/system": {"figures": {"most": 1024}}})["claims"][0]
        self.assertEqual((claim["verdict"], claim["agrees"]), ("REFUTED", "no"))

    def test_without_a_cpython_the_column_says_so(self) -> None:
        done = self.run_claims(fake={"cyclic/system": {"figures": {"most": 256}}})
        self.assertIn("no CPython here", done.stdout)


class Criteria(unittest.TestCase):
    def test_intervals_lie_inside_outside_or_across(self) -> None:
        more = claim_criteria.criterion("time(a: b/c) > 2")
        self.assertEqual([more.inside(2.1, 3), more.inside(2, 3), more.outside(1, 2), more.outside(1, 2.1)], [True, False, True, False])
        band = claim_criteria.criterion("time(a: b/c) in 1 .. 2")
        self.assertEqual([band.inside(1, 2), band.outside(0.5, 0.9), band.outside(2.1, 9), band.outside(0.5, 9), band.outside(0.5, 1)],
                         [True, True, True, False, False])

    def test_numbers_take_units(self) -> None:
        self.assertEqual(claim_criteria.criterion("peak_rss(a: b/c) < 1.5 MiB").low, 1.5 * 2**20)
        self.assertEqual(claim_criteria.criterion("longest_pause(a: b/c) in 2 ms .. 0.5 s").edges, (2e6, 5e8))

    def test_of_many_criteria_holm_decides_whether_one_refutes(self) -> None:
        """Two of ten lie just outside: a chance of 4 % each is none for ten of them together."""
        bound = claim_criteria.criterion("time(a: b/c) < 1")
        import numpy
        draws = numpy.concatenate([numpy.full(3920, 1.1), numpy.full(80, 0.9)])
        barely = Found((1.0, 1.0), stats.Estimate(1.1, 1.01, 1.2, draws=draws))
        surely = Found((2.0, 2.0), stats.Estimate(2.0, 1.9, 2.1, draws=numpy.full(4000, 2.0)))
        well = claim_verdicts.Finding(bound, "inside", Found((0.5, 0.5), stats.Estimate(0.5, 0.4, 0.6)))
        def verdict(found: Found, others: int) -> str:
            return claim_verdicts.verdict_of((claim_verdicts.Finding(bound, "outside", found), *[well] * others))
        self.assertEqual([verdict(barely, 0), verdict(barely, 9), verdict(surely, 9)], ["REFUTED", "INCONCLUSIVE", "REFUTED"])


class Scenes(unittest.TestCase):
    """The real CPython's side is a line of the same form, and bad input is one line."""

    def play(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([PYTHON, str(claims.SCENES), *arguments], capture_output=True, text=True, timeout=60, check=False)

    def test_small_scenes_tell_their_figures(self) -> None:
        for scene, *arguments in (("names",), ("small_integers",), ("chain", "size=2000"), ("cycles", "size=2000"), ("collection", "size=5000"),
                                  ("survivors", "objects=3000"), ("lists", "size=100000"), ("fork", "objects=20000"), ("wake", "wakes=5")):
            line = json.loads(self.play(scene, *arguments).stdout)
            self.assertEqual(line["outcome"], "ok", line["message"])
            self.assertTrue(all(math.isfinite(f["mean"]) for f in line["figures"].values()))
            self.assertEqual(len(line["rounds"]), 1)

    def test_counts_and_small_integers_are_those_of_the_manual(self) -> None:
        figures = {k: v["mean"] for k, v in json.loads(self.play("names").stdout)["figures"].items()}
        self.assertEqual(figures, {"born": 1, "shared": 2, "left": 1, "gone": 1})

    def test_what_it_does_not_know_is_refused(self) -> None:
        for arguments, said in ((("nothing",), "name one of the scenes"), (("chain", "length=3"), "takes size"), (("chain", "size=x"), "takes size")):
            done = self.play(*arguments)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
            self.assertIn(said, done.stderr)


class Soak(unittest.TestCase):
    def test_only_reproduced_against_refuted_is_a_contradiction(self) -> None:
        def run(**verdicts: str) -> dict:
            return {"claims": [{"id": name, "verdict": verdict} for name, verdict in verdicts.items()]}
        seen = claims_soak.table([run(a="REPRODUCED", b="REFUTED", c="REPRODUCED"), run(a="INCONCLUSIVE", b="REPRODUCED", c="REPRODUCED")])
        self.assertEqual(claims_soak.contradictions(seen), ["b"])
        self.assertIn("1 of 3 claims have the same verdict", claims_soak.printed(seen))


class Pictures(unittest.TestCase):
    @needs("gnuplot")
    def test_the_headline_is_drawn_with_hollow_and_crossed_marks(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="refarena-test-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        def row(name: str, x: float, y: float, real: bool = False, lost: list[float] | None = None) -> dict:
            return {"name": name, "real": real, "slow_down": [x, x * 0.96, x * 1.05], "speed_up": [y, y * 0.9, y * 1.1], "lost_updates": lost}
        drawn = price.draw(folder, [row("gil", 1.01, 0.98), row("racy", 1.0, 1.9, lost=[12345.0, 1, 1]), row("CPython 3.11.2", 1, 1.0, True)])
        self.assertEqual([p.name for p in drawn], ["price.png"])
        text = (folder / "plots/price.tsv").read_text()
        self.assertIn("racy: 12,345 updates lost", text)

    def test_numbers_are_shown_in_a_unit_that_fits(self) -> None:
        self.assertEqual([claim_report.in_unit(1.5e6, "ns"), claim_report.in_unit(2.5, "x"), claim_report.in_unit(0.0123, "")],
                         ["1.5 ms", "2.5x", "0.012"])
        low, high, log, begins, ends = claim_plots._axis({"unit": "x", "bounds": [2], "op": ">", "low": 60, "value": 70, "high": 80}, [])
        self.assertTrue(low < begins == 2 and ends == high and not log)


class Documented(unittest.TestCase):
    def test_every_key_of_claims_json_is_in_the_results_readme(self) -> None:
        text = (ROOT / "results/README.md").read_text()
        for key in re.findall(r'"([a-z_]+)":', (ROOT / "scripts/claim_report.py").read_text()):
            self.assertIn(f"`{key}`", text, key)


if __name__ == "__main__":
    unittest.main()
