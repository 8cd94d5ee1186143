#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The object graph of a running CPython, written down: all tracked objects, and all that they refer to.

    scripts/cpython/snapshot.py --out FILE.snapshot.zst PROGRAM.py     runs the program, then writes what lives
    scripts/cpython/snapshot.py --describe FILE.snapshot.zst ...       a table of facts, tab separated

A snapshot is what CPython's own collector sees: gc.get_objects(), what they refer to by gc.get_referents() (which
calls tp_traverse), and as roots those whose count is more than the references found, as gc_refs would be. The format
is documented in workloads/recordings/README.md, its C side is workloads/object_graph.h.

Beside the graph stands what must come out when all roots are let go at once, found here by plain counting and
marking: how many objects die of it, how many are left, and how many of these a collector of cycles finds.
"""
from __future__ import annotations

import os
import sys

if __name__ == "__main__":                      # python3 -P leaves both out; ours of a name comes before scripts/'s
    sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)), os.path.dirname(os.path.dirname(os.path.realpath(__file__)))]
import net

net.spread(__name__)

import gc
import runpy
import struct
from pathlib import Path
from typing import Any

import recordings

HEAD = struct.Struct("<II8sII11Q256sQ")
NAMES = ("types", "objects", "references", "roots", "tracked", "bytes", "freed_by_counting", "left", "found",
         "raw_bytes", "raw_checksum")
VERSION = 1
HEADER_BYTES = 16               # count and type: what __sizeof__ includes and a payload does not
TRACKED, ROOT = 1, 2


class Graph:
    """Objects by number, in the order in which the collector has them, then those that only they refer to."""

    def __init__(self) -> None:
        self.program = ""
        self.types: list[str] = []
        self.type: list[int] = []
        self.bytes: list[int] = []
        self.flags: list[int] = []
        self.references: list[list[int]] = []

    def left_by_counting(self) -> list[int]:
        """Numbers of the objects that are still there when nothing holds the roots any more."""
        counts = [0] * len(self.type)
        for targets in self.references:
            for target in targets:
                counts[target] += 1
        dead = [number for number, count in enumerate(counts) if count == 0]
        for number in dead:                             # grows while we go
            for target in self.references[number]:
                counts[target] -= 1
                if counts[target] == 0:
                    dead.append(target)
        gone = set(dead)
        return [number for number in range(len(self.type)) if number not in gone]

    def found_by_collector(self, left: list[int]) -> list[int]:
        """Of these, the tracked ones but for what an object holds that the collector does not look at."""
        tracked = [self.flags[number] & TRACKED != 0 for number in range(len(self.flags))]
        held = {target for number in left if not tracked[number] for target in self.references[number] if tracked[target]}
        kept = set(self._reached(sorted(held)))
        return [number for number in left if tracked[number] and number not in kept]

    def reachable(self) -> list[int]:
        return sorted(self._reached([number for number, flags in enumerate(self.flags) if flags & ROOT]))

    def _reached(self, found: list[int]) -> list[int]:
        seen = bytearray(len(self.type))
        for number in found:
            seen[number] = 1
        for number in found:                            # grows while we go
            for target in self.references[number]:
                if not seen[target]:
                    seen[target] = 1
                    found.append(target)
        return found

    def only(self, kept: list[int]) -> Graph:
        number_of = {number: place for place, number in enumerate(kept)}
        graph = Graph()
        graph.program, graph.types = self.program, self.types
        graph.type, graph.bytes, graph.flags = ([column[number] for number in kept]
                                                for column in (self.type, self.bytes, self.flags))
        graph.references = [[number_of[target] for target in self.references[number]] for number in kept]
        return graph


def capture() -> Graph:
    """What lives in this process now, but for this function's own lists. No comprehension here sees a name of the
    function: it would be held by a cell, and through it our lists would hold all that we look at."""
    gc.collect()
    gc.disable()
    graph, number_of, objects = Graph(), {}, []
    own = list(map(id, (graph, vars(graph), number_of, objects, *vars(graph).values())))
    probe = [object()]
    listed = sys.getrefcount(probe[0])                  # what a list and a call add to the count
    found = target = None
    for found in gc.get_objects():
        if id(found) not in own:
            number_of[id(found)] = len(objects)
            objects.append(found)
    tracked = len(objects)
    for found in objects:                               # which grows by what is not tracked
        targets = []
        for target in gc.get_referents(found):
            number = number_of.setdefault(id(target), len(objects))
            if number == len(objects):
                objects.append(target)
            targets.append(number)
        graph.references.append(targets)
    del found, target
    holders = [-listed] * len(objects)                  # of each object, that are not in the graph
    for number in range(len(objects)):
        holders[number] += sys.getrefcount(objects[number])
    for targets in graph.references:
        for number in targets:
            holders[number] -= 1
    _describe(graph, objects, tracked, holders)
    gc.enable()
    return graph.only(graph.reachable())


def _describe(graph: Graph, objects: list, tracked: int, holders: list[int]) -> None:
    type_number: dict[str, int] = {}
    for number, found in enumerate(objects):
        kind = type(found)
        graph.type.append(type_number.setdefault(kind.__name__, len(type_number)))
        graph.bytes.append(max(_size(found), HEADER_BYTES))
        graph.flags.append((TRACKED if number < tracked else 0) | (ROOT if holders[number] > 0 else 0))
    graph.types = list(type_number)


def _size(value: object) -> int:
    try:
        return type(value).__sizeof__(value)
    except Exception:                                   # a program's own __sizeof__ may do anything
        return object.__sizeof__(value)


# --- the file ----------------------------------------------------------------------------------------------

def _number(raw: bytearray, value: int) -> None:
    while value >= 0x80:
        raw.append(value & 0x7F | 0x80)
        value >>= 7
    raw.append(value)


def stream(graph: Graph) -> bytes:
    raw = bytearray()
    for name in graph.types:
        text = name.encode()[:255]
        _number(raw, len(text))
        raw += text
    for number, targets in enumerate(graph.references):
        _number(raw, graph.type[number] << 2 | graph.flags[number])
        _number(raw, graph.bytes[number])
        _number(raw, len(targets))
        before = number
        for target in targets:
            _number(raw, (target - before) << 1 if target >= before else (before - target) << 1 | 1)
            before = target
    return bytes(raw)


def write(graph: Graph, path: Path) -> None:
    left, raw = graph.left_by_counting(), stream(graph)
    flags = graph.flags
    facts = {"types": len(graph.types), "objects": len(graph.type), "references": sum(map(len, graph.references)),
             "roots": sum(f & ROOT != 0 for f in flags), "tracked": sum(f & TRACKED != 0 for f in flags),
             "bytes": sum(graph.bytes), "freed_by_counting": len(flags) - len(left), "left": len(left),
             "found": len(graph.found_by_collector(left)),
             "raw_bytes": len(raw), "raw_checksum": recordings.checksum(raw)}
    head = HEAD.pack(0x184D2A5A, HEAD.size - 8, b"refaheap", VERSION, 1, *(facts[name] for name in NAMES),
                     graph.program.encode()[:255], 0)[:-8]
    path.write_bytes(head + struct.pack("<Q", recordings.checksum(head)) + recordings.pack(raw))


def describe(paths: list[Path]) -> None:
    print("snapshot", "program", "file_bytes", *NAMES[:-1], sep="\t")
    for path in paths:
        packed = path.read_bytes()
        if len(packed) < HEAD.size or packed[8:16] != b"refaheap":
            raise recordings.BadTrace(f"{path}: not a heap snapshot; record it with `make recordings`")
        fields = HEAD.unpack_from(packed)
        facts, program = dict(zip(NAMES, fields[5:])), fields[5 + len(NAMES)].split(b"\0")[0].decode(errors="replace")
        recordings.unpack(packed[HEAD.size:], facts["raw_bytes"], path)
        print(path.name.split(".")[0], program, len(packed), *list(facts.values())[:-1], sep="\t")


def main() -> int:
    parser = net.Parser(description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("--out", type=Path, metavar="FILE", help="run PROGRAM and write what lives in the end")
    parser.add_argument("--describe", action="store_true", help="print a table of facts of snapshots")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the program, or the snapshots")
    asked = parser.parse_args()
    if asked.describe:
        describe(asked.files)
        return 0
    if not asked.out or len(asked.files) != 1:
        parser.error("give --out FILE and one program, or --describe and snapshots")
    kept = _played(asked.files[0])                      # its names are held while we look
    graph = capture()
    graph.program = f"Python {sys.version.split()[0]}, {asked.files[0].name}"
    write(graph, asked.out)
    del kept
    return 0


def _played(program: Path) -> dict[str, Any]:
    """The program's names after it has run; what it raises is its own mistake, not ours."""
    try:
        return runpy.run_path(str(program))
    except Exception as error:
        raise net.BadInput(f"{program} ended with {type(error).__name__}: {error}") from None


if __name__ == "__main__":
    net.run("snapshot", main)
