# SPDX-License-Identifier: MIT
"""preload.py - what LD_PRELOAD is to be for a library: its path, or that of a link where the loader could not read it.

LD_PRELOAD is a list, separated by blanks and colons, and knows no escapes (ld.so(8)). The link lies in a folder of this
user's own, and stays: programs that the first one starts load it too, however long they live.
"""
from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from net import Stopped

UNREADABLE = frozenset(" \t\n:;$")          # the separators, and what begins a token such as $ORIGIN


def value(library: str | Path) -> str:
    path = str(library)
    if not UNREADABLE & set(path):
        return path
    link = _folder() / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.so"
    beside = link.with_name(f"{link.name}.{os.getpid()}")
    beside.symlink_to(os.path.abspath(path))
    os.replace(beside, link)
    return str(link)


def _folder() -> Path:
    """Ours alone: nobody else may put a library there that our programs would load."""
    for place in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):
        if UNREADABLE & set(place) or not os.access(place, os.W_OK):
            continue
        folder = Path(place) / f"refarena-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        about = folder.lstat()
        return folder if stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid() and not about.st_mode & 0o022 else Path(tempfile.mkdtemp(dir=place))
    raise Stopped("a library whose path has a blank or a colon is preloaded through a link, and no temporary folder can hold it: set TMPDIR")
