# SPDX-License-Identifier: MIT
"""record.py - a run's folder: what was measured stays, and nothing is measured twice.

    run.json             what was asked and where; rewritten whole (a new file, renamed over the old one)
    invocations.jsonl    one line an invocation; appended in one write and synced, then never touched

(I1) Every byte of invocations.jsonl up to the last newline belongs to a finished invocation.
(I2) The lines of one group and repetition under turns were written together or are not counted: each says in
     `together` how many they are. Opening a run drops what a kill tore (half a line, part of a group).
(I3) One process measures: a lock on the folder of results, freed by the kernel when the process dies. Two
     would each be the other's disturbance.
"""
from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import net
import schema
from machine import ROOT
from net import BadInput, Stopped

RESULTS = ROOT / "results"
Line = dict[str, Any]


def shown(path: Path) -> str:
    """A path for people: from the project's folder where it is in there."""
    path = path.absolute()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


# --- reading ---------------------------------------------------------------------------------------

def find(name: str, results: Path = RESULTS) -> Path:
    """The folder of a run, given by path or by its name in results/."""
    for folder in (Path(name), results / name):
        if (folder / "run.json").is_file():
            return folder.resolve()
    runs = sorted(p.parent.name for p in folder_of_runs(results).glob("*/run.json"))
    near = net.nearest(Path(name).name, runs)
    raise BadInput(f"'{name}' is not a run: no run.json in it; " + (f"did you mean '{near}'? " if near else "")
                   + (f"runs here are {', '.join(runs[-8:])}" if runs else f"there are no runs in {shown(results)}"))


def folder_of_runs(results: Path) -> Path:
    """The same; BadInput where there is no such folder."""
    if not results.is_dir():
        raise BadInput(f"{shown(results)} is not a folder; give the folder of runs with --results")
    return results


def read_run(folder: Path) -> dict[str, Any]:
    path = folder / "run.json"
    about = schema.parsed(net.bytes_of(path))
    if isinstance(about, dict) and about.get("schema") not in (1, None):
        raise BadInput(f"{shown(folder)} was written by another version of refarena (schema {about.get('schema')}, ours is 1): "
                       "measure again, or read it with that version")
    wrong = schema.trouble("run", about)
    if wrong:
        raise BadInput(f"{shown(path)} is damaged ({wrong}): it does not say what was asked; "
                       "remove the folder, or begin anew with RESUME=no")
    return about


def read_lines(folder: Path) -> list[Line]:
    """All finished invocations, torn ends left out (I1, I2)."""
    path = folder / "invocations.jsonl"
    lines = []
    for number, text in enumerate((net.bytes_of(path) if path.exists() else b"").split(b"\n")[:-1], start=1):
        line = schema.parsed(text)
        wrong = schema.trouble("line", line)
        if wrong:
            raise BadInput(f"{shown(path)}: line {number} is damaged ({wrong}); remove that line, or begin anew with RESUME=no")
        lines.append(line)
    return _whole_groups(lines)


def _whole_groups(lines: list[Line]) -> list[Line]:
    written = Counter((l["group"], l["repetition"]) for l in lines if l.get("together"))
    return [l for l in lines if not l.get("together") or written[l["group"], l["repetition"]] == l["together"]]


# --- writing ---------------------------------------------------------------------------------------

def lock(results: Path) -> int:
    """Be the only one who measures into this folder, until the descriptor is closed (I3)."""
    try:
        results.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(results, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor
    except BlockingIOError:
        raise BadInput(f"another run is measuring into {shown(results)}; wait for it or end it") from None
    except FileExistsError:
        raise BadInput(f"{shown(results)} is not a folder; give another with --results") from None
    except OSError as error:
        raise BadInput(f"{shown(results)}: {error.strerror}; give another folder with --results") from None


class Journal:
    """The open folder of the run that is being measured."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "invocations.jsonl"
        self.lines = read_lines(folder)
        try:
            self._drop_torn()
            self.descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise BadInput(f"{shown(folder)}: {error.strerror}; give another folder with --results") from None

    def _drop_torn(self) -> None:
        """Make the file say what read_lines() said: what a kill tore is always its end."""
        whole = b"".join(_encoded(l) for l in self.lines)
        if self.path.exists() and self.path.read_bytes() != whole:
            write_whole(self.path, whole.decode())

    def append(self, lines: list[Line]) -> None:
        """All of them or none."""
        before = os.fstat(self.descriptor).st_size
        data = b"".join(_encoded(l) for l in lines)
        try:
            written = os.write(self.descriptor, data)
            if written < len(data):                     # the disk took a part: the next write says why
                os.write(self.descriptor, data[written:])
            os.fsync(self.descriptor)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self.descriptor, before)
            raise Stopped(_trouble(self.path, error)) from None
        self.lines += lines

    def done(self, group: str, purpose: str, label: str, repetition: int) -> Line | None:
        """The line of this invocation, if there is one."""
        return next((l for l in self.lines if (l["group"], l["purpose"], l["label"], l["repetition"])
                     == (group, purpose, label, repetition)), None)

    def close(self) -> None:
        os.close(self.descriptor)


def _encoded(line: Line) -> bytes:
    return json.dumps(line, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def write_whole(path: Path, text: str) -> None:
    """A file that is either the old one or the new one, never half of it."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")      # two may write at once: each a whole one
    try:
        with open(beside, "w", encoding="utf-8", errors="backslashreplace") as stream:      # a name may have been no UTF-8
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise Stopped(_trouble(path, error)) from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def _trouble(path: Path, error: OSError) -> str:
    return f"{shown(path)}: {error.strerror}" + (f"; {net.ADVICE[error.errno]}" if error.errno in net.ADVICE else "")


def write_run(folder: Path, about: dict[str, Any]) -> None:
    write_whole(folder / "run.json", json.dumps(about, indent=1) + "\n")


# --- beginning, or going on --------------------------------------------------------------------------

def unfinished(results: Path, matrix_digest: str, code_digest: str) -> Path | None:
    """The newest run of this very matrix and code that was not brought to its end."""
    for folder in sorted((p.parent for p in results.glob("*/run.json")), reverse=True):
        if folder.is_symlink():
            continue
        try:
            about = read_run(folder)
        except BadInput:
            continue
        if about.get("matrix_digest") == matrix_digest and about.get("code_digest") == code_digest:
            return None if about.get("finished") else folder
    return None


def begin(results: Path, matrix_name: str) -> Path:
    """A new folder, named by the time."""
    now = time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime())
    for suffix in ("", *(f".{n}" for n in range(1, 100))):
        folder = results / net.on_disk(f"{now}-{matrix_name}{suffix}")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            continue
        except OSError as error:
            raise BadInput(f"cannot make {shown(folder)}: {error.strerror}; give another place with --results") from None
    raise BadInput(f"{shown(results)}: too many runs in one second")


def keep(folder: Path, place: Path, *without: str) -> None:
    """A copy of a folder in the place of another, which stays until the copy is whole."""
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        shutil.copytree(folder, fresh, ignore=shutil.ignore_patterns(*without))
        shutil.rmtree(place, ignore_errors=True)
        os.replace(fresh, place)
    except shutil.Error as error:
        raise Stopped(f"{shown(place)}: {error.args[0][0][2]}; what was there stays") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def point_latest(folder: Path) -> None:
    """results/latest -> this run."""
    link = folder.parent / "latest"
    beside = folder.parent / f".latest-{os.getpid()}"
    try:
        beside.symlink_to(folder.name)
        os.replace(beside, link)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise Stopped(_trouble(link, error)) from None
