# SPDX-License-Identifier: MIT
"""Threads go to different physical cores of one kind, and time to a core of the fastest kind: on machines made of files."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "scripts"))
import topology  # noqa: E402


class Machine:
    """A folder that looks like a machine's /sys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, path: str, text: object) -> None:
        file = self.folder / "sys/devices" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    def core(self, *hyperthreads: int, socket: int = 0, capacity: int = 0, khz: int = 0) -> None:
        for number in hyperthreads:
            cpu = f"system/cpu/cpu{number}"
            self.put(f"{cpu}/topology/physical_package_id", socket)
            self.put(f"{cpu}/topology/core_id", hyperthreads[0])
            self.put(f"{cpu}/topology/thread_siblings_list", ",".join(map(str, hyperthreads)))
            if capacity:
                self.put(f"{cpu}/cpu_capacity", capacity)
            if khz:
                self.put(f"{cpu}/cpufreq/cpuinfo_max_freq", khz)

    def nodes(self, **lists: str) -> None:
        self.put("system/node/online", f"0-{len(lists) - 1}")
        for name, cpus in lists.items():
            self.put(f"system/node/{name}/cpulist", cpus)


def laptop(m: Machine) -> set[int]:
    """4 cores of 2 hyperthreads; as Linux numbers them, and two of them favoured by the chip."""
    for core in range(4):
        m.core(core, core + 4, khz=5_000_000 if core in (1, 2) else 4_700_000)
    return set(range(8))


def hybrid(m: Machine) -> set[int]:
    """2 performance cores of 2 hyperthreads, 8 efficiency cores."""
    m.core(0, 1, khz=4_700_000)
    m.core(2, 3, khz=4_700_000)
    for cpu in range(4, 12):
        m.core(cpu, khz=3_500_000)
    m.put("cpu_core/cpus", "0-3")
    m.put("cpu_atom/cpus", "4-11")
    return set(range(12))


def big_little(m: Machine) -> set[int]:
    """4 little, 3 middle, 1 prime, as phones have them: the fast ones have the high numbers."""
    for cpu in range(8):
        m.core(cpu, capacity=325 if cpu < 4 else 828 if cpu < 7 else 1024)
    return set(range(8))


def two_sockets(m: Machine) -> set[int]:
    """2 sockets of 2 memory nodes of 2 cores of 2 hyperthreads, numbered across the sockets."""
    for core in range(8):
        m.core(core, core + 8, socket=core % 2)
    m.nodes(node0="0,2,8,10", node1="1,3,9,11", node2="4,6,12,14", node3="5,7,13,15")
    return set(range(16))


def dark(_: Machine) -> set[int]:
    """A kernel that tells nothing."""
    return {0, 1, 2, 3}


class OnMachine(unittest.TestCase):
    def setUp(self) -> None:
        self.machine = Machine(Path(self.enterContext(tempfile.TemporaryDirectory())))

    def read(self, build, allowed: set[int] | None = None) -> topology.Topology:
        everything = build(self.machine)
        return topology.read(self.machine.folder, everything if allowed is None else allowed)


class Order(OnMachine):
    def test_on_a_laptop_with_hyperthreads_threads_have_cores_of_their_own_as_long_as_there_are_any(self) -> None:
        found = self.read(laptop)
        self.assertEqual(found.order(2), (0, 1, 2, 3, 4, 5, 6, 7))
        self.assertEqual((found.physical_cores(), found.kinds()), (4, 1))
        self.assertFalse(found.share_a_core(found.order(4)[:4]))
        self.assertTrue(found.share_a_core(found.order(5)[:5]))

    def test_two_hyperthreads_numbered_side_by_side_are_still_one_core(self) -> None:
        self.machine.core(0, 1)
        self.machine.core(2, 3)
        self.assertEqual(self.read(dark).order(2), (0, 2, 1, 3))

    def test_on_a_hybrid_two_threads_have_performance_cores_and_more_have_cores_of_one_kind(self) -> None:
        found = self.read(hybrid)
        self.assertEqual(found.order(2)[:2], (0, 2))
        for threads in (3, 4, 8):
            self.assertEqual(found.order(threads)[:threads], tuple(range(4, 4 + threads)))
        self.assertEqual(found.order(10), (0, 2, 4, 5, 6, 7, 8, 9, 10, 11, 1, 3))

    def test_a_hybrid_whose_kernel_does_not_name_types_is_told_by_its_clock_rates(self) -> None:
        hybrid(self.machine)
        shutil.rmtree(self.machine.folder / "sys/devices/cpu_core")
        shutil.rmtree(self.machine.folder / "sys/devices/cpu_atom")
        self.assertEqual(topology.read(self.machine.folder, set(range(12))).order(2)[:2], (0, 2))

    def test_on_big_and_little_cores_the_fastest_kind_that_has_enough_is_taken(self) -> None:
        found = self.read(big_little)
        self.assertEqual(found.kinds(), 3)
        self.assertEqual([found.order(n)[:n] for n in (1, 3, 4)], [(7,), (4, 5, 6), (0, 1, 2, 3)])
        self.assertEqual(found.order(8), (7, 4, 5, 6, 0, 1, 2, 3))

    def test_on_two_sockets_threads_stay_on_one_memory_node_then_on_one_socket(self) -> None:
        found = self.read(two_sockets)
        self.assertEqual(found.order(8), (0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15))

    def test_where_an_affinity_leaves_more_cores_of_the_second_socket_threads_go_there(self) -> None:
        found = self.read(two_sockets, {0, 1, 3, 5})
        self.assertEqual(found.order(2), (1, 3, 5, 0))

    def test_cores_that_are_offline_have_no_place_and_their_siblings_stand_alone(self) -> None:
        laptop(self.machine)
        self.machine.core(5)                            # 1 is offline: the kernel lists it no longer
        found = topology.read(self.machine.folder, {0, 2, 3, 4, 5, 6, 7})
        self.assertEqual(found.order(4), (0, 2, 3, 5, 4, 6, 7))

    def test_an_affinity_that_leaves_only_siblings_is_told(self) -> None:
        found = self.read(laptop, {2, 6})
        self.assertEqual((found.order(2), found.physical_cores()), ((2, 6), 1))
        self.assertTrue(found.share_a_core((2, 6)))

    def test_without_a_word_from_the_kernel_cores_are_taken_by_number(self) -> None:
        found = self.read(dark)
        self.assertEqual((found.order(2), found.measuring_core(), found.kinds()), ((0, 1, 2, 3), 3, 1))

    def test_clock_rates_that_not_every_core_tells_are_not_used(self) -> None:
        big_little(self.machine)
        (self.machine.folder / "sys/devices/system/cpu/cpu0/cpu_capacity").unlink()
        self.assertEqual(topology.read(self.machine.folder, set(range(8))).kinds(), 1)


class MeasuringCore(OnMachine):
    def test_time_is_measured_on_the_last_core_of_the_fastest_kind_and_not_on_a_second_hyperthread(self) -> None:
        for build, core in ((laptop, 3), (hybrid, 2), (big_little, 7), (two_sockets, 2), (dark, 3)):
            with self.subTest(build.__doc__):
                self.setUp()
                self.assertEqual(self.read(build).measuring_core(), core)

    def test_beside_rows_with_threads_it_is_of_their_kind(self) -> None:
        self.assertEqual((self.read(hybrid).measuring_core(2), self.read(hybrid).measuring_core(4)), (2, 11))

    def test_its_kind_has_a_word_where_there_are_kinds(self) -> None:
        found = self.read(big_little)
        self.assertEqual([found.kind_of(n) for n in (7, 5, 0)], ["fastest", "middle", "slowest"])
        self.setUp()
        self.assertEqual(self.read(laptop).kind_of(3), "")


@unittest.skipUnless(shutil.which(os.environ.get("CC", "cc")), "no C compiler")
class Harness(OnMachine):
    """An executable that is run by hand chooses as the runner does."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.subject = str(Path(cls.enterClassContext(tempfile.TemporaryDirectory())) / "subject")
        subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-g",
                        TOP / "tests/topology_subject.c", TOP / "harness/topology.c", "-o", cls.subject], check=True)

    def test_the_harness_and_the_runner_have_one_rule(self) -> None:
        for build in (laptop, hybrid, big_little, two_sockets, dark):
            for left_out in ((), (0,), (1, 2, 3), (4, 5, 6, 7)):
                self.setUp()
                allowed = build(self.machine) - set(left_out)
                found = topology.read(self.machine.folder, allowed) if allowed else None
                for threads in (1, 2, 3, 4, 7, 20) if found else ():
                    with self.subTest(build.__doc__, left_out=left_out, threads=threads):
                        done = subprocess.run([self.subject, self.machine.folder, ",".join(map(str, allowed)), str(threads)],
                                              capture_output=True, text=True, check=True)
                        *order, shares = done.stdout.split()
                        self.assertEqual(tuple(map(int, order)), found.order(threads))
                        self.assertEqual(shares == "shared", found.share_a_core(found.order(threads)[:threads]))


if __name__ == "__main__":
    unittest.main()
