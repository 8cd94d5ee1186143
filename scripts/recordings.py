#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Describe recorded traces: one line of facts each, or the sizes that programs ask for.

    scripts/recordings.py TRACE...           a table of provenance, tab separated, on standard output
    scripts/recordings.py --sizes N TRACE    the trace's sizes at allocation as N weighted points

The format is documented in allocators/recorder.h. zstd is reached through its shared library, because
Python's standard library cannot unpack it.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import collections
import ctypes
import itertools
import struct
from pathlib import Path

HEAD = struct.Struct("<II8sII10Q512sQ")
NUMBERS = ("threads", "allocations", "resizes", "releases", "peak_blocks", "peak_bytes", "peak_event",
           "total_bytes", "raw_bytes", "raw_checksum")
FRAME_BYTES, LEVEL = 1 << 20, 19
ALLOC, ZEROED, ALIGNED, RESIZE, RELEASE, THREAD = range(6)


class BadTrace(net.BadInput):
    """One line: which file, and what is wrong with it."""


class Trace:
    """The head of a trace, and its events unpacked but not decoded."""

    def __init__(self, path: Path) -> None:
        packed = path.read_bytes()
        if len(packed) < HEAD.size or packed[8:16] != b"refarena":
            raise BadTrace(f"{path}: not a recorded trace; record it with `make recordings`")
        fields = HEAD.unpack_from(packed)
        self.path, self.packed_bytes = path, len(packed)
        self.version, self.finished = fields[3:5]
        self.command = fields[15].split(b"\0")[0].decode(errors="replace")
        self.head = dict(zip(NUMBERS, fields[5:15]))
        if not self.finished:
            raise BadTrace(f"{path}: unfinished: its program was killed, or is still running")
        self.raw = unpack(packed[HEAD.size:], self.head["raw_bytes"], path)

    def numbers(self):
        """(kind, first number, second number or 0) of each event."""
        at, raw, end = 0, self.raw, len(self.raw)
        while at < end:
            kind = raw[at]
            at += 1
            found = []
            for _ in range(2 if kind in (ALIGNED, RESIZE) else 1):
                shift = number = 0
                while raw[at] & 0x80:
                    number |= (raw[at] & 0x7F) << shift
                    shift, at = shift + 7, at + 1
                found.append(number | raw[at] << shift)
                at += 1
            yield kind, found[0], found[-1]

    def sizes(self) -> collections.Counter[int]:
        """How often each size was asked for at a block's birth."""
        counts: collections.Counter[int] = collections.Counter()
        for kind, first, last in self.numbers():
            if kind <= ALIGNED:
                counts[last] += 1
        return counts


def _zstd() -> ctypes.CDLL:
    zstd = ctypes.CDLL("libzstd.so.1")
    zstd.ZSTD_decompress.restype = zstd.ZSTD_compress.restype = zstd.ZSTD_compressBound.restype = ctypes.c_size_t
    zstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    zstd.ZSTD_compress.argtypes = [*zstd.ZSTD_decompress.argtypes, ctypes.c_int]
    zstd.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
    return zstd


def pack(raw: bytes) -> bytes:
    """As frames of at most FRAME_BYTES each: so far may the readers look back."""
    zstd, frames = _zstd(), []
    for at in range(0, len(raw), FRAME_BYTES):
        part = raw[at:at + FRAME_BYTES]
        frame = ctypes.create_string_buffer(zstd.ZSTD_compressBound(len(part)))
        used = zstd.ZSTD_compress(frame, len(frame), part, len(part), LEVEL)
        frames.append(frame.raw[:used])
    return b"".join(frames)


def checksum(raw: bytes) -> int:
    """FNV-1a, 64 bits, as in allocators/recorder.h."""
    value = 0xCBF29CE484222325
    for byte in raw:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def unpack(packed: bytes, raw_bytes: int, path: Path) -> bytes:
    zstd = _zstd()
    raw = ctypes.create_string_buffer(max(raw_bytes, 1))
    if zstd.ZSTD_decompress(raw, raw_bytes, packed, len(packed)) != raw_bytes:
        raise BadTrace(f"{path}: truncated or damaged; record it again with `make recordings`")
    return raw.raw[:raw_bytes]


def percentile(counts: collections.Counter[int], share: float) -> int:
    """The smallest size that `share` of all requests do not exceed."""
    left = share * counts.total()
    for size in sorted(counts):
        left -= counts[size]
        if left <= 0:
            return size
    return 0


def describe(traces: list[Trace], programs: list[str]) -> None:
    shares = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0)
    names = ["trace", "program", "command", "file_bytes", "threads", "events", "allocations", "resizes", "releases",
             "peak_blocks", "peak_live_bytes", "total_bytes"]
    print(*names, *(f"size_p{share * 100:g}" for share in shares), sep="\t")
    for trace, program in itertools.zip_longest(traces, programs[:len(traces)], fillvalue=""):
        head, sizes = trace.head, trace.sizes()
        events = head["allocations"] + head["resizes"] + head["releases"]
        print(trace.path.name.split(".")[0], program, trace.command, trace.packed_bytes, head["threads"], events,
              head["allocations"], head["resizes"], head["releases"], head["peak_blocks"], head["peak_bytes"],
              head["total_bytes"], *(percentile(sizes, share) for share in shares), sep="\t")


def weighted_points(counts: collections.Counter[int], points: int) -> list[tuple[int, int]]:
    """(size, weight), weights summing to `points`: the size in the middle of each of `points` equal shares."""
    middles = collections.Counter(percentile(counts, (point + 0.5) / points) for point in range(points))
    return sorted(middles.items())


def main() -> int:
    parser = net.Parser(description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("--sizes", type=int, metavar="N", help="print sizes as N weighted points")
    parser.add_argument("--program", action="append", default=[], metavar="TEXT",
                        help="what was recorded and its version; once a trace, in their order")
    parser.add_argument("traces", nargs="+", type=Path, metavar="TRACE")
    asked = parser.parse_args()
    traces = [Trace(path) for path in asked.traces]
    if not asked.sizes:
        describe(traces, asked.program)
        return 0
    counts = sum((trace.sizes() for trace in traces), collections.Counter())
    print(*(f"{{{size}, {weight}}}," for size, weight in weighted_points(counts, asked.sizes)))
    return 0


if __name__ == "__main__":
    net.run("recordings", main)
