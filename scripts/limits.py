# SPDX-License-Identifier: MIT
"""limits.py - what of this machine is really ours: memory, cores and time, as containers and shells leave them.

    memory    the least of what the kernel calls available, what each cgroup above us has left, and what
              `ulimit -v` and `ulimit -d` still allow this process
    cores     those of our affinity (a cpuset is part of it), and at most the CPU quota

/proc/meminfo and /proc/cpuinfo tell of the host: a container with 1 GiB on a host with 64 sees 64. Every file is
read below `root`, so that a test can show another machine. Both versions of cgroups are read, because a hybrid
machine has its memory controller on the one and its processes on the other.

Sources: Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst; cgroups(7), proc(5), setrlimit(2).
"""
from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

UNLIMITED = 1 << 60             # version 1 writes "no limit" as a huge number
RESERVE = 64 << 20              # left to the runner and the kernel: a cgroup that is full to the brim kills
LEAST = 32 << 20                # no row is given less: it could not even start
CONTAINERS = {"/.dockerenv": "docker", "/run/.containerenv": "podman"}


@dataclass(frozen=True)
class Limits:
    """Bytes and cores; None: no such limit."""
    memory_limit: int | None            # the tightest of our cgroups
    memory_left: int                    # what may still be used before something refuses or kills
    memory_bound: str                   # what decides that: "machine", "cgroup", "ulimit -v" or "ulimit -d"
    address_space: int | None           # RLIMIT_AS, for each process
    data: int | None                    # RLIMIT_DATA, for each process
    cpu_quota: float | None             # cores, on average over a period
    cpuset: str | None                  # of our cgroup, where it has one
    cpus: tuple[int, ...]               # that we may run on
    container: str | None

    @property
    def cores(self) -> float:
        """That can be busy at once: with a quota it may be half a one."""
        return min(len(self.cpus), self.cpu_quota) if self.cpu_quota else len(self.cpus)

    def described(self) -> dict[str, Any]:
        """For run.json. What is left changes by the second, and is in `before` and `after`."""
        plain = asdict(self)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()
                if key not in ("memory_left", "memory_bound")}


def read(root: str | Path = "/") -> Limits:
    """The limits of this process, or of the one that the files below `root` tell of."""
    root = Path(root)
    meminfo, status = _table(root / "proc/meminfo"), _table(root / "proc/self/status")
    address, data = _rlimit(root, "Max address space"), _rlimit(root, "Max data size")
    levels = [_memory(folder, version) for version, folder in _levels(root, "memory")]
    left = {"machine": _kib(meminfo, "MemAvailable") or _kib(meminfo, "MemFree")}
    if levels:
        left["cgroup"] = min(level_left for _, level_left in levels)
    if address is not None:
        left["ulimit -v"] = max(0, address - _kib(status, "VmSize"))
    if data is not None:
        left["ulimit -d"] = max(0, data - _kib(status, "VmData"))
    bound = min(left, key=left.__getitem__)
    limits = [limit for limit, _ in levels if limit < UNLIMITED]
    return Limits(min(limits, default=None), left[bound], bound, address, data, _quota(root), _cpuset(root),
                  numbers(status.get("Cpus_allowed_list", "")), _container(root))


@functools.lru_cache(maxsize=1)
def cores() -> float:
    """Of this process, asked once: its affinity and quota do not change under it."""
    return read().cores


def memory_left(root: str | Path = "/") -> int:
    return read(root).memory_left


def fitted(wanted: int, found: Limits) -> int:
    """The bytes that a row may take where the matrix says `wanted`: no more than there are. A row that is refused
    memory has an outcome; one that fills its container is killed, and may take others with it."""
    return max(LEAST, min(wanted, found.memory_left - RESERVE))


def jobs(bytes_each: int, found: Limits | None = None) -> int:
    """How many jobs that need so much memory can run at once: a core each, at least one."""
    found = found or read()
    return max(1, min(int(found.cores), found.memory_left // bytes_each))


def too_few_cores(threads: int) -> str:
    """Why so many threads cannot run at once here, or ''."""
    found = read()
    if threads <= found.cores or threads == 1:
        return ""
    there = len(found.cpus)
    why = f"the CPU quota is {found.cpu_quota:g}" if found.cpu_quota and found.cpu_quota < min(there, threads) else f"{there} to use"
    return f"no cores for it: {threads} threads need as many, {why}"


def oom_kills(root: str | Path = "/") -> int:
    """How often the kernel has killed for want of memory: in our cgroup, and where that does not say, on the machine."""
    counts = [_pair(folder / ("memory.events" if version == 2 else "memory.oom_control")).get("oom_kill")
              for version, folder in _levels(Path(root), "memory")]
    known = [count for count in counts if count is not None]
    return sum(known) if known else _pair(Path(root) / "proc/vmstat").get("oom_kill", 0)


def throttled_s(root: str | Path = "/") -> float:
    """Seconds for which the CPU quota has stopped us so far; 0 without one."""
    stopped = 0.0
    for version, folder in _levels(Path(root), "cpu"):
        stat = _pair(folder / "cpu.stat")
        stopped = max(stopped, stat.get("throttled_usec", 0) / 1e6, stat.get("throttled_time", 0) / 1e9)
    return stopped


# --- cgroups -----------------------------------------------------------------------------------------

def _levels(root: Path, controller: str) -> Iterator[tuple[int, Path]]:
    """(version, folder) of our own cgroup and all above it that can be seen from here, for this controller."""
    own = _own_cgroups(root)
    for version, controllers, mount_root, mount_point in _mounts(root):
        path = own.get("") if version == 2 else own.get(controller) if controller in controllers else None
        if path is None:
            continue
        top = root / mount_point.lstrip("/")
        folder = top / _below(path, mount_root)
        if not folder.is_dir():                 # a container that sees only its own part of the hierarchy
            folder = top
        while True:
            yield version, folder
            if folder == top:
                break
            folder = folder.parent


def _own_cgroups(root: Path) -> dict[str, str]:
    """Controller -> path; '' stands for version 2."""
    own = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        for name in controllers.split(","):
            own[name] = path
    return own


def _mounts(root: Path) -> Iterator[tuple[int, set[str], str, str]]:
    """(version, controllers, root, mount point) of each mounted hierarchy; each hierarchy once."""
    seen = set()
    for line in _text(root / "proc/self/mountinfo").splitlines():
        left, dash, right = line.partition(" - ")
        words, kind = left.split(), right.split()
        if not dash or len(words) < 5 or len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        controllers = set(kind[2].split(",")) if kind[0] == "cgroup" else set()
        key = (kind[0], frozenset(controllers))
        if key not in seen:
            seen.add(key)
            yield 1 if controllers else 2, controllers, _unescaped(words[3]), _unescaped(words[4])


def _below(path: str, mount_root: str) -> str:
    """A cgroup's path from the mount point: what is mounted may be a part of the hierarchy (cgroup_namespaces(7))."""
    if mount_root != "/" and (path == mount_root or path.startswith(mount_root + "/")):
        path = path[len(mount_root):]
    return "" if ".." in path.split("/") else path.lstrip("/")


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)


def _memory(folder: Path, version: int) -> tuple[int, int]:
    """Limit of one cgroup and what is left in it: pages of files are given back on demand, half of the busy ones too
    (as MemAvailable counts them)."""
    stat = _pair(folder / "memory.stat")
    if version == 2:
        limit = min(_bytes(folder / "memory.max"), _bytes(folder / "memory.high"))
        used, prefix = _bytes(folder / "memory.current", 0), ""
    else:
        limit = min(_bytes(folder / "memory.limit_in_bytes"), stat.get("hierarchical_memory_limit", UNLIMITED))
        used, prefix = _bytes(folder / "memory.usage_in_bytes", 0), "total_"
    files = stat.get(f"{prefix}inactive_file", 0) + stat.get(f"{prefix}active_file", 0) // 2
    return limit, max(0, limit - used + min(files, used)) if limit < UNLIMITED else UNLIMITED


def _quota(root: Path) -> float | None:
    """Cores; the tightest of our cgroups."""
    found = []
    for version, folder in _levels(root, "cpu"):
        if version == 2:
            quota, _, period = _text(folder / "cpu.max").strip().partition(" ")
        else:
            quota, period = (_text(folder / f"cpu.cfs_{what}_us").strip() for what in ("quota", "period"))
        if quota.isdecimal() and period.isdecimal() and int(period) > 0:
            found.append(int(quota) / int(period))
    return min(found, default=None)


def _cpuset(root: Path) -> str | None:
    """Of the nearest cgroup that has one."""
    for _, folder in _levels(root, "cpuset"):
        for name in ("cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"):
            if text := _text(folder / name).strip():
                return text
    return None


def _container(root: Path) -> str | None:
    """Its kind; None where nothing shows one."""
    for path, name in CONTAINERS.items():
        if (root / path.lstrip("/")).exists():
            return name
    kind = _text(root / "run/systemd/container").strip()
    if kind:
        return kind[:20]
    text = _text(root / "proc/self/cgroup")
    return next((name for name in ("kubepods", "docker", "libpod", "lxc", "containerd") if name in text), None)


# --- files -------------------------------------------------------------------------------------------

def numbers(text: str) -> tuple[int, ...]:
    """'0-3,8' as (0, 1, 2, 3, 8)."""
    found = []
    for part in text.strip().split(","):
        first, _, last = part.strip().partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            found += range(int(first), int(last or first) + 1)
    return tuple(found)


def _rlimit(root: Path, name: str) -> int | None:
    """The soft limit of proc(5)'s limits; None: unlimited."""
    line = next((l for l in _text(root / "proc/self/limits").splitlines() if l.startswith(name)), "")
    words = line[len(name):].split()
    return int(words[0]) if words and words[0].isdecimal() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _bytes(path: Path, otherwise: int = UNLIMITED) -> int:
    """A file of one number; `otherwise` where it says "max" or is missing."""
    text = _text(path).strip()
    return int(text) if text.isdecimal() else otherwise


def _pair(path: Path) -> dict[str, int]:
    """A file of lines `name number`."""
    words = (line.split() for line in _text(path).splitlines())
    return {w[0]: int(w[1]) for w in words if len(w) == 2 and w[1].isdecimal()}


def _table(path: Path) -> dict[str, str]:
    """A file of lines `name: value`."""
    lines = (line.partition(":") for line in _text(path).splitlines())
    return {name: value.strip() for name, _, value in lines}


def _kib(table: dict[str, str], key: str) -> int:
    """Bytes."""
    words = table.get(key, "").split()
    return int(words[0]) * 1024 if words and words[0].isdecimal() else 0
