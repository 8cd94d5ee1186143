#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""autograd.py - workloads/objects/autograd.c on the running CPython and NumPy: y = square(square(square(x))), y.backward().

    scripts/cpython/autograd.py size=10000 iterations=300 outputs=strong collector=on      label, ns, rss of each iteration

A Variable knows the Function that made it and a Function its outputs, as in DeZero's step 17 (K. Saito, "Deep Learning
from Scratch 3"): with outputs=strong each pair is a cycle, which only the collector frees; with weak none is.
"""
from __future__ import annotations

import os
import sys

if __name__ == "__main__":                      # python3 -P leaves both out; ours of a name comes before scripts/'s
    sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)), os.path.dirname(os.path.dirname(os.path.realpath(__file__)))]
import net

net.spread(__name__)

import gc
import weakref

import numpy as np

from resident import Series

DEFAULTS = {"size": "10000", "iterations": "300", "outputs": "strong", "collector": "on"}
CHOICES = {"outputs": ("strong", "weak"), "collector": ("on", "off")}


class Variable:
    def __init__(self, data: np.ndarray) -> None:
        self.data = data
        self.grad: np.ndarray | None = None
        self.creator: Square | None = None
        self.generation = 0

    def backward(self) -> None:
        self.grad = np.ones_like(self.data)
        waiting, seen = [self.creator], {id(self.creator)}
        while waiting:
            function = waiting.pop()
            before = function.step_back()
            if before is not None and id(before) not in seen:
                seen.add(id(before))
                waiting.append(before)
                waiting.sort(key=lambda f: f.generation)


class Square:
    weak = False

    def __call__(self, x: Variable) -> Variable:
        y = Variable(x.data * x.data)
        self.inputs = (x,)
        self.generation = x.generation
        y.creator, y.generation = self, x.generation + 1
        self.outputs = [weakref.ref(y) if self.weak else y]
        return y

    def step_back(self) -> Square | None:
        """The gradient goes to the input; whose creator comes next."""
        output = self.outputs[0]() if self.weak else self.outputs[0]
        x, = self.inputs
        gradient = 2 * x.data * output.grad
        x.grad = gradient if x.grad is None else x.grad + gradient
        return x.creator


def iteration(size: int) -> None:
    x = y = Variable(0.5 + np.arange(size) / (2 * size))
    for _ in range(3):
        y = Square()(y)
    y.backward()


def asked(arguments: list[str]) -> dict[str, str]:
    """name=value, each checked; ends the process with one line and status 2 where it is wrong."""
    values = dict(DEFAULTS)
    for argument in arguments:
        name, _, value = argument.partition("=")
        fits = value in CHOICES[name] if name in CHOICES else name in DEFAULTS and value.isdigit() and int(value) > 0
        if not fits:
            known = ", ".join(f"{k}={'|'.join(CHOICES.get(k, ('N',)))}" for k in DEFAULTS)
            print(f"{sys.argv[0]}: '{argument}': give {known}", file=sys.stderr)
            sys.exit(2)
        values[name] = value
    return values


def main() -> None:
    values = asked(sys.argv[1:])
    Square.weak = values["outputs"] == "weak"
    iteration(int(values["size"]))                      # imports and caches come before the first sample
    gc.collect()
    if values["collector"] == "off":
        gc.disable()
    series = Series()
    for _ in range(int(values["iterations"])):
        iteration(int(values["size"]))
        series.sample("iteration")
    series.write()


if __name__ == "__main__":
    net.run("autograd", main)
