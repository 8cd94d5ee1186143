# SPDX-License-Identifier: MIT
"""scenes_objects.py - counts, names, chains and cycles on the running CPython. A scene: () -> operations, figures."""
from __future__ import annotations

import gc
import sys
import time
import weakref

Seen = tuple[int, dict[str, float]]


class Node:
    __slots__ = ("next", "other", "__weakref__")

    def __init__(self) -> None:
        self.next = self.other = None


def _count(thing: object) -> int:
    """References beside the two of looking: this call's argument and getrefcount's."""
    return sys.getrefcount(thing) - 2


def names() -> Seen:
    """x = Node(); y = x; del x; del y: the count by every step, and whether the object is gone at the end."""
    def seen() -> dict[str, float]:
        x = Node()
        watch = weakref.ref(x)
        figures = {"born": _count(x) - 0.0}
        y = x
        figures["shared"] = _count(y)
        del x
        figures["left"] = _count(y)
        del y
        figures["gone"] = float(watch() is None)
        return figures
    base = _base_of_a_name()
    figures = {k: v - (base if k != "gone" else 0) for k, v in seen().items()}
    return 1, figures


def _base_of_a_name() -> int:
    """What _count adds for being called with a local: interpreters since 3.14 may borrow it."""
    only = Node()
    return _count(only) - 1


def small_integers() -> Seen:
    """Equal integers made twice at run time: the same object up to 256, another from 257 on."""
    same = [int(str(n)) is int(str(n)) for n in range(-10, 300)]
    kept = [n for n, one in zip(range(-10, 300), same) if one]
    def f2(x: int) -> int:
        return x + 1
    def f1(y: int) -> int:
        return f2(y * 2)
    def births(y: int) -> float:
        """Integers that f1 makes: values that are not kept."""
        return float(sum(int(str(v)) is not int(str(v)) for v in (y, y * 2, f1(y))))
    return 310, {"least": kept[0], "most": kept[-1], "made_by_5": births(5), "made_by_1000": births(1000)}


def chain(size: int = 100_000) -> Seen:
    """Drop the head of a chain: how long the dominoes fall, in all and a link."""
    gc.disable()
    head = None
    for _ in range(size):
        node = Node()
        node.next = head
        head = node
    del node
    begun = time.perf_counter_ns()
    head = None
    pause = time.perf_counter_ns() - begun
    return size, {"pause_ns": pause, "link_ns": pause / size}


def cycles(size: int = 100_000) -> Seen:
    """Rings of two are dropped: what stays without the collector, what one collection finds, what stays with it."""
    from scenes_memory import rss
    def drop() -> None:
        for _ in range(size):
            one, other = Node(), Node()
            one.next, other.next = other, one
    gc.collect()
    gc.enable()
    before = rss()
    drop()
    with_collector = rss() - before
    gc.collect()
    gc.disable()
    before = rss()
    drop()
    leaked = rss() - before
    begun = time.perf_counter_ns()
    found = gc.collect()
    took = time.perf_counter_ns() - begun
    return 2 * size, {"leaked_bytes": leaked, "collected_bytes": with_collector, "found_share": found / (2 * size),
                      "object_ns": took / (2 * size)}


def collection(size: int = 100_000) -> Seen:
    """A full collection of live objects, of a tenth of them, and of the tenth beside dead ones: nanoseconds each."""
    gc.disable()
    def once() -> int:
        begun = time.perf_counter_ns()
        gc.collect()
        return time.perf_counter_ns() - begun
    gc.collect()
    gc.freeze()
    few = [Node() for _ in range(size // 10)]
    once()
    small = min(once() for _ in range(3))
    many = [Node() for _ in range(size - len(few))]
    once()
    large = min(once() for _ in range(3))
    del many
    return size, {"small_ns": small, "large_ns": large, "growth": large / small, "object_ns": large / size}


def strings() -> Seen:
    """Bytes of a str beside its characters, and whether its hash is kept."""
    text = "x" * 50_000_000
    begun = time.perf_counter_ns()
    hash(text)
    first = time.perf_counter_ns() - begun
    begun = time.perf_counter_ns()
    hash(text)
    again = time.perf_counter_ns() - begun
    return 1, {"ascii_overhead": sys.getsizeof("x" * 10) - 10, "latin_overhead": sys.getsizeof("\xe9" * 10) - 10,
               "hangul_overhead": sys.getsizeof("\uac00" * 10) - 20, "short_ratio": sys.getsizeof("x" * 10) / 10,
               "long_ratio": sys.getsizeof("x" * 1_000_000) / 1_000_000, "hash_again_share": again / first}


def survivors(objects: int = 200_000) -> Seen:
    """A tree is built while garbage without cycles comes and goes: what collections found of all they looked at."""
    gc.collect()
    before = [s["collected"] for s in gc.get_stats()]
    runs = [s["collections"] for s in gc.get_stats()]
    kept = [{"id": i, "name": str(i), "tags": [i, i + 1]} for i in range(objects // 2)]
    for i in range(objects):
        {"id": i, "tags": [i]}["id"]
    collected = sum(s["collected"] - b for s, b in zip(gc.get_stats(), before))
    looks = gc.get_stats()[0]["collections"] - runs[0]
    return objects, {"found": collected, "young_collections": looks, "found_share": collected / max(1, looks * gc.get_threshold()[0]),
                     "kept": len(kept)}


SCENES = {"names": names, "small_integers": small_integers, "chain": chain, "cycles": cycles, "collection": collection,
          "strings": strings, "survivors": survivors}
