# SPDX-License-Identifier: MIT
"""console.py - colour, where a person reads: on a terminal, and unless NO_COLOR is set (no-color.org)."""
from __future__ import annotations

import os
import sys

CODES = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}


def paint(text: str, colour: str | None) -> str:
    """The text in this colour; as it is without one, or where nobody would see it."""
    if not colour or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{CODES[colour]}m{text}\033[0m"
