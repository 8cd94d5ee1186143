# SPDX-License-Identifier: MIT
"""scenes_memory.py - resident memory on the running CPython: lists, views, releases, forks, and DeZero's step 17."""
from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
import weakref
from pathlib import Path

Seen = tuple[int, dict[str, float]]


def rss() -> int:
    """Bytes resident now."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def private_dirty() -> int:
    text = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8")
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Private_Dirty:"))


def lists(size: int = 1_000_000) -> Seen:
    """A list of one pointer each, and half of it as a slice: bytes a pointer that came with each."""
    before = rss()
    whole = [None] * size
    after = rss()
    half = whole[:size // 2]
    sliced = rss()
    return size, {"list_bytes": (after - before) / size, "slice_bytes": (sliced - after) / (size // 2), "kept": len(half)}


def views(megabytes: int = 200) -> Seen:
    """A large array, a view of ten elements, and what stays when only the view is left; the same with a copy."""
    import numpy
    count = megabytes * 2**20 // 8
    start = rss()
    base = numpy.ones(count)
    full = rss() - start
    half = base[:count // 2]
    sliced = rss() - start - full
    del half
    view = base[:10]
    del base
    pinned = rss() - start
    shared = float(view.base is not None and view.base.size == count)
    del view
    gone = rss() - start
    base = numpy.ones(count)
    copied = base[:10].copy()
    del base
    after_copy = rss() - start
    view = copied[2:5]
    nested = view[1:2]
    nested[0] = 7.0
    return count, {"array_bytes": full, "slice_share": sliced / full, "pinned_share": pinned / full, "left_share": gone / full,
                   "copy_share": after_copy / full, "base_is_owner": shared, "nested_base_is_owner": float(nested.base is copied),
                   "write_through": float(copied[3] == 7.0)}


def release(megabytes: int = 200, tcmalloc: int = 0) -> Seen:
    """A large array is deleted: the share of it that is still resident, on glibc or under a preloaded tcmalloc."""
    import numpy
    if tcmalloc and "REFARENA_PRELOADED" not in os.environ:
        return _preloaded(megabytes)
    start = rss()
    array = numpy.ones(megabytes * 2**20 // 8)
    full = rss() - start
    watch = weakref.ref(array)
    del array
    return 1, {"kept_share": (rss() - start) / full, "freed": float(watch() is None)}


def _preloaded(megabytes: int) -> Seen:
    sys.path.append(str(Path(__file__).resolve().parent.parent))
    import registry
    tcmalloc = registry.libraries()["tcmalloc"]
    library = tcmalloc.found()
    if registry.path_of(library) is None:
        raise ImportError(tcmalloc.missing(), name=tcmalloc.missing())
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import scenes_memory as s; print(s.release({megabytes}, 1)[1])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", errors="replace", check=True,
                          env={**os.environ, "LD_PRELOAD": library, "REFARENA_PRELOADED": "1"})
    import ast
    return 1, ast.literal_eval(done.stdout)


def fork(objects: int = 1_000_000, frozen: int = 0) -> Seen:
    """A child reads as many objects as the parent made: bytes of private dirty pages that this costs it."""
    held = [float(i) for i in range(objects)]
    gc.collect()
    if frozen:
        gc.freeze()
    ours, theirs = os.pipe()
    if os.fork() == 0:
        gc.disable()
        before = private_dirty()
        for number in held:
            pass
        read = private_dirty() - before
        gc.collect()
        collected = private_dirty() - before - read
        os.write(theirs, f"{read} {collected}".encode())
        os._exit(0)
    os.wait()
    read, collected = map(int, os.read(ours, 100).split())
    return objects, {"read_bytes": read / objects, "collect_bytes": collected / objects}


def autograd(iterations: int = 200, elements: int = 10_000, weak: int = 0, collector: int = 1) -> Seen:
    """Three squares and backward, again and again: DeZero's step 17 reduced to what holds memory."""
    import numpy
    class Variable:
        def __init__(self, data: object) -> None:
            self.data, self.grad, self.creator, self.generation = data, None, None, 0
    class Square:
        def __call__(self, x: Variable) -> Variable:
            y = Variable(x.data ** 2)
            y.creator, self.generation, y.generation = self, x.generation, x.generation + 1
            self.inputs, self.outputs = [x], [weakref.ref(y) if weak else y]
            return y
    def backward(last: Variable) -> None:
        last.grad = numpy.ones_like(last.data)
        pending = [last.creator]
        while pending:
            function = pending.pop()
            output = function.outputs[0]() if weak else function.outputs[0]
            for x in function.inputs:
                x.grad = 2 * x.data * output.grad
                if x.creator is not None:
                    pending.append(x.creator)
    gc.collect()
    (gc.enable if collector else gc.disable)()
    data, start = numpy.random.rand(elements), rss()
    peak, begun = start, time.perf_counter_ns()
    for number in range(iterations):
        y = Square()(Square()(Square()(Variable(data))))
        backward(y)
        if number % 10 == 9:
            peak = max(peak, rss())
    took = time.perf_counter_ns() - begun
    return iterations, {"iteration_ns": took / iterations, "growth_bytes": peak - start}


SCENES = {"lists": lists, "views": views, "release": release, "fork": fork, "autograd": autograd}
