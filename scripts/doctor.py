#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""doctor.py - is this machine fit to measure on, and what would make it fitter? `make doctor`

Each line is one thing that is known to move numbers: what it is, whether that is good, and what to do about it.
Nothing is changed. Status 1 where something would make a run useless, 0 otherwise.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import console
import limits
import machine
import topology

GOOD, LOOK, BAD = "good", "look", "bad"
COLOURS = {GOOD: "green", LOOK: "yellow", BAD: "red"}
LOOK_S = 0.5                    # how long load and steal are watched
LEAST_BYTES = 2 << 30           # free: the largest rows of the default matrix take half of it


@dataclass
class Finding:
    name: str
    value: str
    state: str
    advice: str = ""


def read(path: str) -> str | None:
    """A file of the kernel; None where this kernel or machine has none."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def governor(value: str | None) -> Finding:
    if value is None:
        return Finding("governor", "not visible here", LOOK, "a virtual machine: the host decides on the clock; turns cancel its drift")
    good = value == "performance"
    return Finding("governor", value, GOOD if good else LOOK, "" if good else "cpupower frequency-set -g performance")


def turbo(no_turbo: str | None, boost: str | None) -> Finding:
    if no_turbo is None and boost is None:
        return Finding("turbo", "not visible here", LOOK, "a virtual machine: the host decides")
    on = no_turbo == "0" if no_turbo is not None else boost == "1"
    where = "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo" if no_turbo is not None else "echo 0 > /sys/devices/system/cpu/cpufreq/boost"
    return Finding("turbo", "on" if on else "off", LOOK if on else GOOD, where if on else "")


def huge_pages(value: str | None) -> Finding:
    advice = {"always": "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled: else RSS counts pages that nobody touched"}
    return Finding("huge pages", value or "none", LOOK if value in advice else GOOD, advice.get(value or "", ""))


def aslr(value: str | None) -> Finding:
    good = value == "2"
    return Finding("ASLR", {"2": "full", "1": "partial", "0": "off"}.get(value or "", "unknown"), GOOD if good else LOOK,
                   "" if good else "sysctl kernel.randomize_va_space=2: invocations must sample layouts, or one lucky layout is the result")


def load(busy_cores: float) -> Finding:
    state = GOOD if busy_cores < 0.1 else LOOK if busy_cores < machine.OTHERS_CORES else BAD
    return Finding("load", f"others use {busy_cores:.2f} cores", state, "" if state == GOOD else "end what runs beside; turns it disturbs are taken again, three times at most")


def steal(share: float) -> Finding:
    state = GOOD if share < 0.005 else LOOK if share < machine.STEAL_SHARE else BAD
    return Finding("steal", f"{share:.1%} of a core", state, "" if state == GOOD else "the host is busy: measure at another hour, or on another host")


def memory(free: int, bound: str = "machine") -> Finding:
    """bound: what leaves no more, as limits.py names it."""
    good = free >= LEAST_BYTES
    where = "" if bound == "machine" else f" ({bound})"
    advice = {"machine": "free 2 GiB: what swaps is not measured", "cgroup": "give the container 2 GiB more: rows that need it will be heap full"}
    return Finding("free memory", f"{free / 2**30:.1f} GiB{where}", GOOD if good else BAD,
                   "" if good else advice.get(bound, f"raise {bound}: rows that need more will be heap full"))


def cores(usable: int, physical: int | None = None) -> Finding:
    """Those that we may use; physical: how many they are without second hyperthreads."""
    physical = usable if physical is None else physical
    value = str(usable) if physical == usable else f"{usable}, hyperthreads of {physical}"
    why = ("one core: rows with two threads will have no capacity" if usable < 2
           else "hyperthread siblings: two threads share a core; allow cores of which `lscpu -e` shows another CORE" if physical < 2 else "")
    return Finding("cores", value, LOOK if why else GOOD, why)


def kinds(count: int) -> Finding:
    return Finding("kinds of cores", str(count), LOOK if count > 1 else GOOD,
                   "time is measured on the fastest kind, threads on one kind: numbers of two kinds are not compared" if count > 1 else "")


def quota(quota_cores: float | None) -> Finding:
    """What stops every process for a part of each tenth of a second cannot be measured in."""
    if quota_cores is None:
        return Finding("CPU quota", "none", GOOD)
    return Finding("CPU quota", f"{quota_cores:g} cores", BAD,
                   "times cannot be measured here: the quota stops programs in the middle; start the container without --cpus, "
                   "give it cores of its own with --cpuset-cpus")


def container(kind: str | None) -> Finding:
    return Finding("container", kind or "none seen", GOOD)


def clock(source: str | None) -> Finding:
    slow = source in ("hpet", "acpi_pm", "jiffies")
    return Finding("clock", source or "unknown", BAD if slow else GOOD, "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource" if slow else "")


def examine() -> list[Finding]:
    before = machine.cpu_times()
    time.sleep(LOOK_S)
    after = machine.cpu_times()
    busy = sum(after.busy[c] - before.busy.get(c, after.busy[c]) for c in after.busy) - (after.own - before.own)
    cpu, elapsed = "/sys/devices/system/cpu/", after.at - before.at
    facts, ours, found = machine.provenance(), limits.read(), topology.here()
    return [governor(facts["governor"]), turbo(read(cpu + "intel_pstate/no_turbo"), read(cpu + "cpufreq/boost")),
            huge_pages(facts["transparent_huge_pages"]), load(max(0.0, busy) / elapsed), steal((after.steal - before.steal) / elapsed),
            aslr(facts["aslr"]), cores(facts["usable_cores"], found.physical_cores()), kinds(found.kinds()), quota(ours.cpu_quota),
            memory(ours.memory_left, ours.memory_bound), container(ours.container), clock(facts["clock_source"])]


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="doctor.py", description=net.doc(__doc__, __file__).splitlines()[2])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quiet", action="store_true", help="only what is not good")
    options = parser.parse_args(arguments)
    found = examine()
    if options.json:
        print(json.dumps([asdict(f) for f in found], indent=1))
    else:
        for f in (f for f in found if f.state != GOOD or not options.quiet):
            print(f"{console.paint(f'{f.state:4}', COLOURS[f.state])}  {f.name:14} {f.value}" + (f"\n      {f.advice}" if f.advice else ""))
    return int(any(f.state == BAD for f in found))


if __name__ == "__main__":
    net.run("doctor", lambda: main(sys.argv[1:]))
