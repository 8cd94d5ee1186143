# SPDX-License-Identifier: MIT
"""machine.py - what the machine is, and whether it was ours while we measured.

Two jobs. Provenance: everything about the machine that a reader needs to judge a number, without naming it.
The gates: a measurement counts only if nothing else ran. A turn tells of itself how long it waited for its
core and how often it was switched out; /proc/stat tells of the other cores and of time stolen by the host.
"""
from __future__ import annotations

import functools
import hashlib
import mmap
import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import limits
import net
import registry
import topology

ROOT = Path(__file__).resolve().parent.parent

# Bounds of the gates. A switch costs some 5 us beside the wait, so 1 % of wait is about 1 % of error.
RUN_DELAY_SHARE = 0.01          # of a turn's wall time
SWITCHES_PER_S = 200            # involuntary
OTHERS_CORES = 0.5              # used by others, of the cores that the residents do not use
STEAL_SHARE = 0.02              # of the wall time of a round
CAPACITY_LEAST = 1.7            # what two spinning threads must reach over one
TOUCH_MOST, TOUCH_LEAST = 256 << 20, 8 << 20    # bytes of one step
# what is asked of dpkg beside the packages of allocators.def; a release names a library by its version: hence the *
PACKAGES = "gcc libc6 libbenchmark1* libgc1 libzstd1 libjansson4 gnuplot-nox python3 python3-numpy".split()


# --- gates -----------------------------------------------------------------------------------------

@dataclass(frozen=True)
class CpuTimes:
    """Seconds since boot, per core, and our own."""
    at: float
    busy: dict[int, float]
    steal: float
    own: float
    throttled: float = 0.0      # by a CPU quota


def cpu_times() -> CpuTimes:
    tick = os.sysconf("SC_CLK_TCK")
    busy, steal = {}, 0.0
    for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines():
        if line.startswith("cpu") and line[3].isdigit():
            name, *columns = line.split()
            user, nice, system, _idle, _wait, irq, softirq, stolen = (int(c) / tick for c in columns[:8])
            busy[int(name[3:])] = user + nice + system + irq + softirq
            steal += stolen
    own = os.times()
    throttled = limits.throttled_s() if _has_quota() else 0.0
    return CpuTimes(time.monotonic(), busy, steal, own.user + own.system, throttled)


@functools.lru_cache(maxsize=1)
def _has_quota() -> bool:
    return limits.read().cpu_quota is not None


def disturbance(before: CpuTimes, after: CpuTimes, core: int | None) -> str:
    """Why the stretch between two readings is not ours, or ''. core: where the residents ran (their own
    waits show what happened there); None where they ran anywhere, and only steal can be told."""
    elapsed = max(after.at - before.at, 1e-9)
    steal = after.steal - before.steal
    if steal > STEAL_SHARE * elapsed and steal >= 0.03:     # /proc/stat counts in steps of 10 ms
        return f"{steal / elapsed:.0%} of a core was stolen by the host"
    if after.throttled - before.throttled > RUN_DELAY_SHARE * elapsed:
        return f"the CPU quota stopped us for {after.throttled - before.throttled:.2f} s"
    if core is not None:
        others = sum(after.busy[c] - before.busy[c] for c in after.busy if c != core and c in before.busy)
        others -= after.own - before.own
        if others > OTHERS_CORES * elapsed and others >= 0.05:
            return f"other programs used {others / elapsed:.1f} cores"
    return ""


def turn_is_ours(turn: dict[str, Any]) -> bool:
    """Did the process have its core to itself for the measured units of this round?"""
    wall = turn.get("wall_ns") or 0
    delay, switches = turn.get("run_delay_ns") or 0, turn.get("involuntary_switches") or 0
    return delay <= max(RUN_DELAY_SHARE * wall, 50_000) and switches <= max(2, SWITCHES_PER_S * wall / 1e9)


def capacity_suffices(capacity: dict[str, float] | None) -> bool:
    """Were there two cores, before and after?"""
    return not capacity or min(capacity["before"], capacity["after"]) >= CAPACITY_LEAST


def measuring_core(threads: int = 1) -> int:
    """A core of the fastest kind; beside rows of so many threads, of theirs (topology.py)."""
    return topology.here().measuring_core(threads)


def thread_cores(threads: int, most: int = 0) -> str:
    """Where so many threads go, for --cpus; most: of any row that they are compared with."""
    return ",".join(map(str, topology.here().order(max(threads, most))[:threads]))


def touch_memory(seconds: float, share: float = 0.5) -> int:
    """Have the host back our memory before anything is timed: it does so lazily. Bytes touched. Each step asks what is
    left and takes an eighth of it at most: a container that is full kills, and what is refused is not wanted."""
    touched, held = 0, []
    until = time.monotonic() + seconds
    bound = share * available_bytes()
    try:
        while time.monotonic() < until and bound - touched >= TOUCH_LEAST:
            step = min(TOUCH_MOST, bound - touched, available_bytes() // 8) // mmap.PAGESIZE * mmap.PAGESIZE
            if step < TOUCH_LEAST:
                break
            held.append(mmap.mmap(-1, int(step), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE))
            touched += int(step)
    except (OSError, ValueError, MemoryError):
        pass                                            # refused: then that is all there is
    for part in held:
        part.close()
    return touched


def available_bytes() -> int:
    """Left to this process: by the machine, by its container, by its shell (limits.py)."""
    return limits.memory_left()


# --- provenance ------------------------------------------------------------------------------------

def state() -> dict[str, Any]:
    """What changes while we measure: taken before and after."""
    times = cpu_times()
    return {"utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "load": list(os.getloadavg()),
            "steal_s": round(times.steal, 2), "available_bytes": available_bytes()}


def provenance() -> dict[str, Any]:
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return {
        "commit": commit(), "dirty": dirty(),
        "kernel": platform.release(), "machine": platform.machine(), "libc": " ".join(platform.libc_ver()),
        "distribution": _os_release(), "cpu_model": _cpuinfo(cpu, "model name"), "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)), "limits": limits.read().described(), "topology": chosen_cores(),
        "l2_l3": _caches(),
        "hypervisor": "hypervisor" in _cpuinfo(cpu, "flags"), "memory_bytes": _meminfo("MemTotal"),
        "clock_source": _read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "transparent_huge_pages": _chosen(_read("/sys/kernel/mm/transparent_hugepage/enabled")),
        "overcommit": _read("/proc/sys/vm/overcommit_memory"), "aslr": _read("/proc/sys/kernel/randomize_va_space"),
        "page_bytes": os.sysconf("SC_PAGE_SIZE"), "packages": packages(),
    }


def chosen_cores() -> dict[str, Any]:
    """Where time is measured, and where threads go."""
    found = topology.here()
    core, pair = found.measuring_core(), found.order(2)[:2]
    return {"physical_cores": found.physical_cores(), "kinds": found.kinds(), "measuring_core": core,
            "measuring_kind": found.kind_of(core) or None, "two_threads": list(pair),
            "siblings": found.share_a_core(pair) or len(pair) < 2}


def commit() -> str | None:
    return _git("rev-parse", "HEAD")


def dirty() -> bool | None:
    """Are files changed that are under version control? Results are not: they are what we make."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!results")
    return None if changed is None else bool(changed)


def packages() -> dict[str, str]:
    """Those of them that are installed, with their versions."""
    return _installed([*PACKAGES, *(p for library in registry.libraries().values() for p in library.packages)])


def _installed(names: list[str]) -> dict[str, str]:
    answer = _run(["dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\n", *names]) or ""
    rows = (line.split() for line in answer.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 3 and row[2] == "installed"}


def package_of(path: str | Path) -> tuple[str, str] | None:
    """Package and version that this very file is from; None: dpkg does not know it."""
    real = str(Path(path).resolve())
    merged = real.removeprefix("/usr") if real.startswith("/usr/lib") else f"/usr{real}"     # /lib is in /usr, and dpkg may not know
    for known in (real, merged):
        answer = _run(["dpkg-query", "-S", known]) or ""
        name = answer.partition(":")[0]
        if name and " " not in name and name in (found := _installed([name])):
            return name, found[name]
    return None


def file_digest(path: str | Path) -> str | None:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None


def relative(text: str) -> str:
    """A path or argument as seen from the project's folder, so that no user's folder is published."""
    text = net.readable(text)
    home = os.path.expanduser("~")                      # "~" itself where neither HOME nor the passwd file knows one
    return text.replace(f"{ROOT}/", "").replace(f"{home}/", "~/") if home.startswith("/") and home != "/" else text.replace(f"{ROOT}/", "")


def _run(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=20, cwd=ROOT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 or command[0] == "dpkg-query" else None


def _git(*arguments: str) -> str | None:
    """Without its optional locks: were we killed meanwhile, the repository would stay locked."""
    return _run(["git", "--no-optional-locks", *arguments])


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _chosen(text: str | None) -> str | None:
    return text[text.index("[") + 1:text.index("]")] if text and "[" in text else text


def _cpuinfo(text: str, key: str) -> str:
    return next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(key)), "")


def _meminfo(key: str) -> int:
    text = _read("/proc/meminfo") or ""
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(key + ":")), 0)


def _os_release() -> str | None:
    text = _read("/etc/os-release") or ""
    return next((line.partition("=")[2].strip('"') for line in text.splitlines() if line.startswith("PRETTY_NAME=")), None)


def _caches() -> list[str]:
    found = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, size = _read(str(index / "level")), _read(str(index / "size"))
        if level in ("2", "3") and size:
            found.append(f"L{level} {size}")
    return found
