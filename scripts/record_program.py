#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""record_program.py - run a program and record what it allocates: `scripts/refarena record FILE PROGRAM ...`

The file is a trace for the workload replay: build/bin/blocks replay trace=FILE. Where its name contains %p, every
process that the program starts records too, each to a file of its own.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import argparse
import shutil
from pathlib import Path

import preload
from machine import ROOT

RECORDER = ROOT / "build/lib/refarena-recorder.so"


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="refarena record", description=net.doc(__doc__, __file__).splitlines()[2],
                                     epilog="example: scripts/refarena record sort.trace.zst sort /usr/share/dict/words")
    parser.add_argument("file", type=Path, help="the trace to write, as in name.trace.zst")
    parser.add_argument("program", nargs=argparse.REMAINDER, help="the program and its arguments")
    options = parser.parse_args(arguments)
    trouble = _trouble(options.file, options.program)
    if trouble:
        raise net.BadInput(trouble)
    environment = {**os.environ, "REFARENA_RECORD": str(options.file.absolute()), "LD_PRELOAD": preload.value(RECORDER)}
    os.execvpe(options.program[0], options.program, environment)


def _trouble(file: Path, program: list[str]) -> str:
    if not program:
        return "name the program whose allocations are to be recorded, behind the file"
    if not RECORDER.is_file():
        return "the recorder is not built: `make all`"
    if not os.access(file.absolute().parent, os.W_OK):
        return f"{file.parent} is not a folder that can be written"
    return "" if shutil.which(program[0]) else f"there is no program '{program[0]}'"


if __name__ == "__main__":
    net.run("record", lambda: main(sys.argv[1:]))
