# SPDX-License-Identifier: MIT
"""names.py - what a configuration is called where people read: the library that really ran, with its version.

A row's key stays its label, which is how it is asked for ("refcount/tcmalloc@2"). Shown is what was in the process,
as each invocation says it in `build` ("refcount/gperftools 2.10 @2"): a name alone is another allocator on another
release. Where nothing is known of a library, the label is shown.
"""
from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import registry

LIBGC = "boehm"                         # the collector that is a library itself
UPSTREAM = {"tcmalloc": "gperftools"}   # whose tcmalloc it is: Google's own of today is another


class Names:
    """Of one run: what its lines say of the allocators and of libgc."""

    def __init__(self, lines: Iterable[dict[str, Any]]) -> None:
        found: dict[str, dict[str, None]] = defaultdict(dict)       # ordered, each once
        libgc: dict[str, None] = {}
        for line in lines:
            build = line.get("build") or {}
            name = _named(base(line["allocator"]), build)
            if name:
                found[base(line["allocator"])][name] = None
            if line.get("collector") == LIBGC and build.get("libgc"):
                libgc[f"{LIBGC} {build['libgc'].partition(',')[0]}"] = None
        self.of_base = {name: " and ".join(all_) for name, all_ in found.items()}
        self.libgc = " and ".join(libgc)

    def allocator(self, spec: str) -> str:
        """A spec with its library's name and version: locked:jemalloc is locked:jemalloc 5.3.0."""
        plain = base(spec)
        wrappers, _, parameters = spec.rpartition(plain) if "/" not in spec else ("", "", "")
        return wrappers + self.of_base.get(plain, Path(plain).name) + parameters

    def label(self, label: str, collector: str | None, allocator: str) -> str:
        plain = Path(allocator).name if "/" in allocator else allocator
        before, found, behind = label.rpartition(plain)
        if not found or behind and behind[0] not in "@#":
            return label
        shown = self.allocator(allocator)
        if shown == plain:
            behind = found + behind
        else:
            behind = shown + (" " if behind.startswith("@") else "") + behind
        if collector == LIBGC and self.libgc:
            before = before.replace(LIBGC, self.libgc, 1)
        return before + behind


def base(spec: str) -> str:
    """What stands behind the wrappers, without parameters; a path stays one."""
    return spec if "/" in spec else spec.rpartition(":")[2].partition(",")[0]


def _named(name: str, build: dict[str, Any]) -> str:
    """'' where the invocation does not say what was in the process."""
    version = build.get("allocator_version")
    if name == "system":
        return f"glibc {build['glibc']}" if build.get("glibc") else ""
    if not version:
        return ""
    word = Path(name).name
    if version.startswith("libpython"):                 # "libpython 3.13.5, with an interpreter"
        number, _, with_ = version.removeprefix("libpython ").partition(", ")
        return f"{word} {number}" + (f" {with_}" if with_ else "")
    if re.match(r"[a-z]", version):                     # says its name itself: "gperftools 2.10"
        return version if "/" not in name else f"{word} ({version})"
    return f"{word} {short(version)}"


def of_packages(machine: dict[str, Any]) -> dict[str, str]:
    """What the registry's libraries are called, by the packages of a run's machine: where nothing was in our process."""
    packages, found = machine.get("packages", {}), {}
    if machine.get("libc"):
        found["system"] = machine["libc"]
    for name, library in registry.libraries().items():
        version = next((packages[p] for p in library.packages if p in packages), None)
        if version:
            found[name] = f"{UPSTREAM.get(name, name)} {short(version)}"
    return found


def short(version: str) -> str:
    """5.3.0-0-g54eaed1d... is 5.3.0; of Debian's 2.0.9+ds-2 and 1:2.1-3 the upstream part."""
    return re.split(r"[-+~]", version.partition(":")[2] or version)[0]
