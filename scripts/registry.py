# SPDX-License-Identifier: MIT
"""registry.py - what the registries (.def files) say, as scripts need it: known before anything is built.

    names       of workloads, collectors and allocators that may be asked for
    libraries   of allocators: which of them is here, and whose package. A library has other sonames and other packages in
                other releases; the registry lists them, and here is found which one the dynamic loader really takes

No other script names one. Any Python 3 may read this: the scenes of CPython do.
"""
from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEFINITIONS = ROOT / "allocators/allocators.def"
LINE = re.compile(r'^(PRELOADED|OPENED)\((\w+),\s*"([^"]*)",\s*"([^"]*)"', re.M)


# --- names -----------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Names:
    """workloads, collectors and allocators (wrappers too) that may be asked for."""
    workloads: frozenset[str]
    collectors: frozenset[str]
    allocators: frozenset[str]

    def __or__(self, other: "Names") -> "Names":
        return Names(self.workloads | other.workloads, self.collectors | other.collectors, self.allocators | other.allocators)


def written() -> Names:
    """All that the .def files name."""
    return Names(_of(ROOT / "workloads/workloads.def"), _of(ROOT / "collectors/collectors.def"), _of(DEFINITIONS))


def listed(known: dict[str, dict[str, Any]]) -> Names:
    """All that the executables list. known: Harness.knows()."""
    return Names(frozenset(w["name"] for answer in known.values() for w in answer["workloads"]),
                 frozenset(name for name, answer in known.items() if answer.get("collector")),
                 frozenset(a["name"] for answer in known.values() for a in answer["allocators"]))


def _of(path: Path) -> frozenset[str]:
    return frozenset(re.findall(r'^[A-Z]+\("?([\w.-]+)', path.read_text(encoding="utf-8"), re.M))


# --- libraries -------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Library:
    name: str
    preloaded: bool             # else loaded by the allocator itself
    sonames: tuple[str, ...]    # the first that is there is taken
    packages: tuple[str, ...]   # of Debian, that have one of them

    def found(self) -> str:
        """The soname that the loader finds; the first one where it finds none."""
        return next((s for s in self.sonames if path_of(s)), self.sonames[0])

    def missing(self) -> str:
        """The packages to install, of which a release has one."""
        return " or ".join(self.packages)


def libraries() -> dict[str, Library]:
    text = DEFINITIONS.read_text(encoding="utf-8")
    return {name: Library(name, kind == "PRELOADED", tuple(sonames.split()), tuple(packages.split()))
            for kind, name, sonames, packages in LINE.findall(text)}


def path_of(soname: str) -> Path | None:
    """Where the dynamic loader finds it: asked by its own means, which load nothing (ld.so(8), LD_TRACE_LOADED_OBJECTS)."""
    try:
        done = subprocess.run(["/bin/true"], capture_output=True, encoding="utf-8", errors="replace", check=False,
                              env={**os.environ, "LD_PRELOAD": soname, "LD_TRACE_LOADED_OBJECTS": "1"})
    except OSError:
        return None
    found = re.search(rf"^\s*{re.escape(soname)} => (/.*) \(0x", done.stdout, re.M)
    return Path(found[1]) if found else None
