# SPDX-License-Identifier: MIT
"""Memory and cores are what containers, shells and quotas leave: on machines made of files, and in a real cgroup."""
from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from run_support import ROOT, Bench
from run_support import SMALL as HASTY

import doctor
import heaps
import limits
import machine
import matrix as matrices
import topology

MIB, GIB = 1 << 20, 1 << 30
SMALL = HASTY.replace("timeout_s = 2", "timeout_s = 60")      # a busy machine takes a while to fill a gigabyte
V1_MOUNTS = """\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 {root} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
37 31 0:34 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
"""
V2_MOUNTS = "41 31 0:38 {root} /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID_MOUNTS = V1_MOUNTS + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"


class OnMachine(unittest.TestCase):
    """A machine made of files: 16 GiB, of which 10 are available, 8 cores, nothing limited."""

    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.put("proc/meminfo", f"MemTotal: {16 << 20} kB\nMemFree: {1 << 20} kB\nMemAvailable: {10 << 20} kB\n")
        self.status()
        self.rlimits()

    def put(self, path: str, text: object) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    def status(self, cpus: str = "0-7", size_kib: int = 200 << 10, data_kib: int = 50 << 10) -> None:
        self.put("proc/self/status", f"VmSize:\t{size_kib} kB\nVmData:\t{data_kib} kB\nCpus_allowed_list:\t{cpus}")

    def rlimits(self, address: object = "unlimited", data: object = "unlimited") -> None:
        self.put("proc/self/limits", "Limit                     Soft Limit           Hard Limit           Units     \n"
                                     f"Max data size             {data}            unlimited            bytes     \n"
                                     f"Max address space         {address}            unlimited            bytes     ")

    def v1(self, path: str, mounts: str = V1_MOUNTS, root: str = "/") -> None:
        self.put("proc/self/cgroup", f"9:name=systemd:/\n4:memory:{path}\n1:cpu,cpuacct:{path}\n0::/")
        self.put("proc/self/mountinfo", mounts.format(root=root))

    def v1_memory(self, folder: str, limit: int, usage: int, files: int = 0, above: int = limits.UNLIMITED) -> None:
        place = f"sys/fs/cgroup/memory{folder}"
        self.put(f"{place}/memory.limit_in_bytes", limit)
        self.put(f"{place}/memory.usage_in_bytes", usage)
        self.put(f"{place}/memory.stat", f"inactive_file 1\nhierarchical_memory_limit {above}\ntotal_inactive_file {files}\ntotal_active_file 0")

    def v2(self, path: str, root: str = "/") -> None:
        self.put("proc/self/cgroup", f"0::{path}")
        self.put("proc/self/mountinfo", V2_MOUNTS.format(root=root))

    def v2_memory(self, folder: str, limit: object, usage: int, files: int = 0, high: object = "max") -> None:
        place = f"sys/fs/cgroup{folder}"
        self.put(f"{place}/memory.max", limit)
        self.put(f"{place}/memory.high", high)
        self.put(f"{place}/memory.current", usage)
        self.put(f"{place}/memory.stat", f"anon {usage}\ninactive_file {files}\nactive_file 0")

    def read(self) -> limits.Limits:
        return limits.read(self.root)


class Memory(OnMachine):
    def test_without_any_limit_it_is_what_the_machine_has_available(self) -> None:
        found = self.read()
        self.assertEqual((found.memory_limit, found.memory_left, found.memory_bound), (None, 10 * GIB, "machine"))

    def test_of_a_v1_container_it_is_the_limit_less_what_is_used_and_cannot_be_given_back(self) -> None:
        self.v1("/box")
        self.v1_memory("", 9223372036854771712, 8 * GIB)
        self.v1_memory("/box", GIB, 600 * MIB, files=200 * MIB)
        found = self.read()
        self.assertEqual((found.memory_limit, found.memory_left, found.memory_bound), (GIB, GIB - 400 * MIB, "cgroup"))

    def test_a_parents_limit_binds_too_even_where_the_parent_is_out_of_sight(self) -> None:
        self.v1("/box/inner")
        self.v1_memory("/box", GIB, 700 * MIB)
        self.v1_memory("/box/inner", 4 * GIB, 100 * MIB)
        self.assertEqual((self.read().memory_limit, self.read().memory_left), (GIB, GIB - 700 * MIB))
        self.v1("/")                                    # a container sees its own part of the hierarchy as all there is
        self.v1_memory("", 9223372036854771712, 100 * MIB, above=512 * MIB)
        self.assertEqual((self.read().memory_limit, self.read().memory_left), (512 * MIB, 412 * MIB))

    def test_a_part_of_the_hierarchy_mounted_alone_is_found(self) -> None:
        self.v1("/docker/abc", root="/docker/abc")
        self.v1_memory("", GIB, 0)
        self.assertEqual(self.read().memory_limit, GIB)
        self.v1("/docker/abc/inner", root="/docker/abc")
        self.v1_memory("/inner", 512 * MIB, 0)
        self.assertEqual(self.read().memory_limit, 512 * MIB)

    def test_a_path_that_is_not_there_is_the_mount_point_itself(self) -> None:
        for path in ("/kubepods/pod1/abc", "/../../other"):
            self.v1(path)
            self.v1_memory("", GIB, 0)
            self.assertEqual(self.read().memory_limit, GIB, path)

    def test_of_a_v2_container_max_is_no_limit_and_each_level_counts(self) -> None:
        self.v2("/a/b/c")
        self.v2_memory("/a", 2 * GIB, 500 * MIB)
        self.v2_memory("/a/b", "max", 400 * MIB)
        self.v2_memory("/a/b/c", 3 * GIB, 300 * MIB)
        found = self.read()
        self.assertEqual((found.memory_limit, found.memory_left, found.memory_bound), (2 * GIB, 2 * GIB - 500 * MIB, "cgroup"))

    def test_above_memory_high_a_program_is_slowed_down_so_that_it_is_a_limit(self) -> None:
        self.v2("/a")
        self.v2_memory("/a", 2 * GIB, 0, high=GIB)
        self.assertEqual(self.read().memory_left, GIB)

    def test_on_a_hybrid_machine_the_memory_controller_is_found_on_its_version(self) -> None:
        self.v1("/box", HYBRID_MOUNTS)
        self.v1_memory("/box", GIB, 0)
        (self.root / "sys/fs/cgroup/unified").mkdir()
        self.assertEqual(self.read().memory_limit, GIB)

    def test_a_mount_point_with_a_blank_is_read(self) -> None:
        self.put("proc/self/cgroup", "0::/")
        self.put("proc/self/mountinfo", "41 31 0:38 / /mnt/c\\040g rw - cgroup2 cgroup2 rw")
        self.put("mnt/c g/memory.max", GIB)
        self.assertEqual(self.read().memory_limit, GIB)

    def test_more_used_than_allowed_leaves_nothing_and_not_less(self) -> None:
        self.v2("/a")
        self.v2_memory("/a", GIB, 2 * GIB)
        self.assertEqual(self.read().memory_left, 0)

    def test_a_shell_limits_the_address_space_and_the_data_of_this_process(self) -> None:
        self.rlimits(address=GIB)
        found = self.read()
        self.assertEqual((found.address_space, found.memory_left, found.memory_bound), (GIB, GIB - 200 * MIB, "ulimit -v"))
        self.rlimits(data=GIB)
        self.assertEqual((self.read().memory_left, self.read().memory_bound), (GIB - 50 * MIB, "ulimit -d"))

    def test_a_machine_whose_proc_is_hidden_is_no_traceback(self) -> None:
        found = limits.read(self.root / "nowhere")
        self.assertEqual((found.memory_limit, found.cpus, found.cpu_quota), (None, (), None))

    def test_the_kernels_kills_are_counted(self) -> None:
        self.v2("/a")
        self.put("sys/fs/cgroup/a/memory.events", "oom 3\noom_kill 2")
        self.assertEqual(limits.oom_kills(self.root), 2)
        self.v1("/box")
        self.put("sys/fs/cgroup/memory/box/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5")
        self.assertEqual(limits.oom_kills(self.root), 5)
        self.put("proc/self/mountinfo", "")
        self.put("proc/vmstat", "nr_free 1\noom_kill 7")
        self.assertEqual(limits.oom_kills(self.root), 7)


class Cores(OnMachine):
    def test_they_are_those_of_the_affinity(self) -> None:
        self.status(cpus="0-2,5")
        self.assertEqual((self.read().cpus, self.read().cores), ((0, 1, 2, 5), 4))

    def test_a_quota_of_either_version_leaves_fewer(self) -> None:
        self.v2("/a/b")
        self.put("sys/fs/cgroup/a/cpu.max", "150000 100000")
        self.put("sys/fs/cgroup/a/b/cpu.max", "max 100000")
        self.assertEqual((self.read().cpu_quota, self.read().cores), (1.5, 1.5))
        self.v1("/box")
        self.put("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", 50000)
        self.put("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", 100000)
        self.put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", -1)
        self.assertEqual((self.read().cpu_quota, self.read().cores), (0.5, 0.5))

    def test_how_long_the_quota_stopped_us_is_told_in_seconds(self) -> None:
        self.v2("/a")
        self.put("sys/fs/cgroup/a/cpu.stat", "nr_throttled 2\nthrottled_usec 1500000")
        self.assertEqual(limits.throttled_s(self.root), 1.5)
        self.v1("/box")
        self.put("sys/fs/cgroup/cpu,cpuacct/box/cpu.stat", "nr_throttled 2\nthrottled_time 2500000000")
        self.assertEqual(limits.throttled_s(self.root), 2.5)

    def test_a_stretch_in_which_the_quota_stopped_us_is_not_ours(self) -> None:
        before, after = (machine.CpuTimes(at, {0: 0.0}, 0.0, 0.0, throttled) for at, throttled in ((0, 1.0), (1, 1.2)))
        self.assertIn("quota", machine.disturbance(before, after, 0))

    def test_the_cpuset_of_the_nearest_cgroup_is_told(self) -> None:
        self.v2("/a/b")
        self.put("sys/fs/cgroup/a/cpuset.cpus.effective", "0-3")
        self.put("sys/fs/cgroup/a/b/cpuset.cpus.effective", "2-3")
        self.assertEqual(self.read().cpuset, "2-3")

    def test_more_threads_than_cores_have_a_reason_in_words_and_one_thread_always_runs(self) -> None:
        self.status(cpus="3")
        with mock.patch.object(limits, "read", lambda root="/", read=limits.read: read(self.root)):
            self.assertIn("2 threads need as many, 1 to use", limits.too_few_cores(2))
            self.assertEqual(limits.too_few_cores(1), "")
            self.status(cpus="0-7")
            self.assertEqual(limits.too_few_cores(8), "")
            self.v2("/")
            self.put("sys/fs/cgroup/cpu.max", "150000 100000")
            self.assertIn("the CPU quota is 1.5", limits.too_few_cores(2))

    def test_a_container_is_known_by_its_traces(self) -> None:
        self.assertIsNone(self.read().container)
        self.put("proc/self/cgroup", "0::/kubepods/burstable/pod1")
        self.assertEqual(self.read().container, "kubepods")
        self.put("run/.containerenv", "")
        self.assertEqual(self.read().container, "podman")


class Obeying(OnMachine):
    def test_rows_may_take_what_is_left_and_not_what_the_matrix_says(self) -> None:
        self.v1("/box")
        self.v1_memory("/box", GIB, 100 * MIB)
        plan = matrices.read("quick")
        fitted, words = heaps.fitted(plan, self.read())
        self.assertEqual({g["memory_limit_mib"] for g in fitted.groups}, {1024 - 100 - 64})
        self.assertEqual(words, ["memory: 924 MiB are left here (cgroup); rows may take 860 MiB, not 6144"])
        self.assertEqual(plan.digest(), matrices.read("quick").digest())
        self.v1_memory("/box", 100 * GIB, 0)
        self.assertEqual(heaps.fitted(plan, self.read()), (plan, []))

    def test_the_doctor_does_not_measure_under_a_quota_and_counts_memory_in_the_container(self) -> None:
        self.assertEqual((doctor.quota(None).state, doctor.quota(1.5).state), (doctor.GOOD, doctor.BAD))
        self.assertIn("cannot be measured", doctor.quota(2.0).advice)
        found = doctor.memory(GIB, "cgroup")
        self.assertEqual((found.state, found.value), (doctor.BAD, "1.0 GiB (cgroup)"))
        self.assertIn("ulimit -v", doctor.memory(GIB, "ulimit -v").advice)
        self.assertIn("hyperthread siblings", doctor.cores(2, 1).advice)

    def test_provenance_has_the_limits_and_the_chosen_cores_and_no_path_of_a_cgroup(self) -> None:
        facts = machine.provenance()
        self.assertEqual(set(facts["limits"]), {"memory_limit", "address_space", "data", "cpu_quota", "cpuset", "cpus", "container"})
        self.assertIn(facts["topology"]["measuring_core"], os.sched_getaffinity(0))


def bounded(command: list[str], bound, **more) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=100, preexec_fn=bound, check=False, **more)


TOUCH = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r}); import machine; print(machine.touch_memory(5))"]


def address_space(bytes_: int):
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (bytes_, bytes_))


class UnderUlimit(Bench):
    def test_touching_memory_stops_where_the_shell_does(self) -> None:
        for mib in (150, 400, 1171):
            done = bounded(TOUCH, address_space(mib * MIB))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertLess(int(done.stdout), mib * MIB)

    def test_a_run_ends_with_rows_and_says_what_they_may_take(self) -> None:
        self.matrix(SMALL.replace("touch_s = 0", "touch_s = 1"))
        done = bounded(self.command(), address_space(1200000 << 10), env=self.environment())
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stderr)
        self.assertRegex(done.stdout, r"memory: \d+ MiB are left here \(ulimit -v\); rows may take \d+ MiB, not 6144")
        about = json.loads((self.runs()[0] / "run.json").read_text())
        self.assertEqual(about["machine"]["limits"]["address_space"], 1200000 << 10)
        self.assertEqual(len(about["memory_limits"]), 1)
        self.assertEqual({row["outcome"] for row in self.summary().values()}, {"ok"})


THREADED = SMALL + """
[[group]]
name = "shared"
workload = "shared"
method = "blocks"
threads = [1, 2]
configurations = ["refcount/system"]
"""


class Threads(Bench):
    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "one core")
    def test_they_go_to_the_cores_that_the_topology_chose_and_a_shared_core_is_noted(self) -> None:
        self.matrix(THREADED)
        self.bench("--workloads", "shared", fake={"refcount/system@2": {"share_a_core": True}})
        chosen = topology.here()
        lines = {l["label"]: l for l in self.lines() if l["purpose"] == "time"}
        self.assertEqual(lines["refcount/system@2"]["cpus"], list(chosen.order(2)[:2]))
        self.assertEqual(lines["refcount/system"]["cpus"], [chosen.measuring_core(2)])
        rows = self.summary()
        self.assertIn("hyperthread siblings", rows["shared", "refcount/system@2"]["notes"])
        self.assertNotIn("siblings", rows["shared", "refcount/system"]["notes"])


class OneCore(Bench):
    def test_rows_for_two_threads_say_so_and_all_others_are_measured(self) -> None:
        self.matrix(THREADED)
        core = min(os.sched_getaffinity(0))
        done = bounded(self.command(), lambda: os.sched_setaffinity(0, {core}), env=self.environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = self.summary()
        self.assertEqual((rows["shared", "refcount/system"]["outcome"], rows["shared", "refcount/system@2"]["outcome"]), ("ok", "no_capacity"))
        self.assertIn("no cores for it: 2 threads need as many, 1 to use", rows["shared", "refcount/system@2"]["message"])
        self.assertIn("no capacity", done.stdout)
        self.assertEqual(rows["churn", "jemalloc"]["outcome"], "ok")


class V1Cgroup:
    """A cgroup of our own; skips the test where there is none to make."""

    def __init__(self, case: unittest.TestCase, controller: str, file: str, value: int) -> None:
        place = next((folder for version, folder in limits._levels(Path("/"), controller) if version == 1), None)
        if place is None:
            case.skipTest(f"no {controller} controller of cgroup v1 on this machine")
        self.folder = place / f"refarena-test-{os.getpid()}-{time.monotonic_ns()}"
        try:
            self.folder.mkdir()
            case.addCleanup(self.remove)
            (self.folder / file).write_text(str(value))
        except OSError as error:
            case.skipTest(f"no cgroup of {controller} can be made: {error.strerror}")

    def enter(self) -> None:
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self) -> None:
        for _ in range(50):
            with contextlib.suppress(OSError):
                self.folder.rmdir()
                return
            time.sleep(0.1)


class UnderAQuota(Bench):
    """1.5 cores, for real."""

    def setUp(self) -> None:
        super().setUp()
        self.cgroup = V1Cgroup(self, "cpu", "cpu.cfs_quota_us", 150000)

    def test_the_doctor_says_that_it_cannot_measure_there(self) -> None:
        done = bounded([sys.executable, str(ROOT / "scripts/doctor.py"), "--json"], self.cgroup.enter)
        found = next(f for f in json.loads(done.stdout) if f["name"] == "CPU quota")
        self.assertEqual((done.returncode, found["value"], found["state"]), (1, "1.5 cores", "bad"))

    def test_rows_for_two_threads_say_so(self) -> None:
        self.matrix(THREADED)
        done = bounded(self.command("--workloads", "shared"), self.cgroup.enter, env=self.environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the CPU quota is 1.5", self.summary()["shared", "refcount/system@2"]["message"])


class InACgroup(Bench):
    """1 GiB, for real."""

    def setUp(self) -> None:
        super().setUp()
        self.cgroup = V1Cgroup(self, "memory", "memory.limit_in_bytes", GIB)

    def test_touching_memory_is_not_killed(self) -> None:
        done = bounded(TOUCH, self.cgroup.enter)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(0 < int(done.stdout) <= GIB // 2, done.stdout)

    def test_a_run_ends_with_rows_and_one_that_takes_too_much_was_killed_by_the_kernel(self) -> None:
        self.matrix(SMALL.replace("touch_s = 0", "touch_s = 1"))
        done = bounded(self.command(), self.cgroup.enter, env=self.environment({"jemalloc": {"eat_mib": 1500}}))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stderr)
        self.assertRegex(done.stdout, r"memory: \d+ MiB are left here \(cgroup\); rows may take \d+ MiB, not 6144")
        rows = self.summary()
        self.assertEqual((rows["churn", "system"]["outcome"], rows["churn", "pymalloc"]["outcome"]), ("ok", "ok"))
        self.assertEqual(rows["churn", "jemalloc"]["outcome"], "crash")
        self.assertIn("killed by SIGKILL: the OOM killer: no memory left in the container, whose limit is 1024 MiB",
                      rows["churn", "jemalloc"]["message"])
        self.assertEqual(json.loads((self.runs()[0] / "run.json").read_text())["machine"]["limits"]["memory_limit"], GIB)

    @unittest.skipUnless((ROOT / "build/bin/blocks").exists(), "blocks is not built")
    def test_a_real_row_that_needs_more_is_heap_full(self) -> None:
        self.matrix('about = "t"\nrepetitions = 1\nleast_repetitions = 1\nrounds = 2\ntouch_s = 0\nmemory = false\nbias_turns = 0\n'
                    '[[group]]\nname = "batch"\nworkload = "batch"\nparameters = { count = 100000000 }\nconfigurations = ["system"]\n')
        command = self.command()
        command[command.index("--bin") + 1] = str(ROOT / "build/bin")
        done = bounded(command, self.cgroup.enter)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.summary()["batch", "system"]["outcome"], "heap_full", self.summary())


if __name__ == "__main__":
    unittest.main()
