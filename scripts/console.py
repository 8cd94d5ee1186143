# SPDX-License-Identifier: MIT
"""console.py - colour, where a person reads: on a terminal that is not dumb, and unless NO_COLOR is set (no-color.org)."""
from __future__ import annotations

import os
import sys
from typing import TextIO

CODES = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}


def moves(stream: TextIO) -> bool:
    """A terminal that can go back in a line: a bar can be drawn there."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def colours() -> bool:
    """Would somebody see colours on standard output, and want to?"""
    return moves(sys.stdout) and not os.environ.get("NO_COLOR")


def paint(text: str, colour: str | None) -> str:
    """The text in this colour; as it is without one, or where nobody would see it."""
    if not colour or not colours():
        return text
    return f"\033[{CODES[colour]}m{text}\033[0m"
