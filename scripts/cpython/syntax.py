#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""syntax.py - the syntax trees of workloads/programs/ as one JSON document, for workloads/objects/json.c.

    scripts/cpython/syntax.py > workloads/recordings/syntax.json

What tools that read programs hand to each other: deep, with many small objects, keys that repeat, and numbers of lines
and columns. Another version of Python may write a somewhat other tree, so that the document in the tree is a recording.
"""
from __future__ import annotations

import os
import sys

if __name__ == "__main__":                      # python3 -P leaves both out; ours of a name comes before scripts/'s
    sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)), os.path.dirname(os.path.dirname(os.path.realpath(__file__)))]
import net

net.spread(__name__)

import ast
import json
import pathlib
from typing import Any

PROGRAMS = pathlib.Path(__file__).resolve().parent.parent.parent / "workloads/programs"


def plain(node: Any) -> Any:
    """Nodes as dicts, in the order of their fields."""
    if isinstance(node, ast.AST):
        values = {name: plain(value) for name, value in ast.iter_fields(node)}
        place = {name: getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset") if hasattr(node, name)}
        return {"node": type(node).__name__, **values, **place}
    return [plain(item) for item in node] if isinstance(node, list) else node


def main() -> None:
    trees = {path.name: plain(ast.parse(path.read_text(encoding="utf-8"))) for path in sorted(PROGRAMS.glob("*.py"))}
    json.dump(trees, sys.stdout, indent=None, separators=(", ", ": "))
    print()


if __name__ == "__main__":
    net.run("syntax", main)
