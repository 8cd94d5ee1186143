# SPDX-License-Identifier: MIT
"""registry.py - the names of what there is, read from the registries themselves: known before anything is built."""
from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


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
    return Names(_of("workloads/workloads.def"), _of("collectors/collectors.def"), _of("allocators/allocators.def"))


def listed(known: dict[str, dict[str, Any]]) -> Names:
    """All that the executables list. known: Harness.knows()."""
    return Names(frozenset(w["name"] for answer in known.values() for w in answer["workloads"]),
                 frozenset(name for name, answer in known.items() if answer.get("collector")),
                 frozenset(a["name"] for answer in known.values() for a in answer["allocators"]))


def _of(path: str) -> frozenset[str]:
    return frozenset(re.findall(r'^[A-Z]+\("?([\w.-]+)', (ROOT / path).read_text(encoding="utf-8"), re.M))
