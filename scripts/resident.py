# SPDX-License-Identifier: MIT
"""resident.py - processes of the harness: the residents that wait for turns, and whole invocations.

Each is a process group of its own, so that a timeout ends one configuration and nothing else, and so that
Ctrl-C reaches us alone: we end the children, in order. Should we be killed, they are killed too.
The protocol is in results/README.md: one command a line in, one JSON object a line out.
"""
from __future__ import annotations

import ctypes
import errno
import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import limits
import machine
from matrix import Configuration, Group
from net import BadInput

OPTIONAL = {"boehm": "libgc-dev"}       # executables that the Makefile leaves out where a package is missing
START_S = 15.0                          # within which a process says what it is, also on a loaded machine
OURS = {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM}     # what ends the run, for no other row would do better
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Ended(Exception):
    """The process is gone, or as good as gone. It has an outcome of results/README.md and a line of why."""

    def __init__(self, outcome: str, message: str = "") -> None:
        super().__init__(message)
        self.outcome, self.message = outcome, message


@dataclass(frozen=True)
class Harness:
    """Where the executables are, and how they are called."""
    folder: Path

    def command(self, row: Configuration, seed: int, repetition: int, memory_limit: int) -> list[str]:
        return [str(self.folder / row.executable), row.workload,
                *(f"{name}={value}" for name, value in row.parameters),
                f"--allocator={row.allocator}", f"--threads={row.threads}", f"--seed={seed}",
                *(part for name, value in row.options for part in ("--set", f"{name}={value}")),
                f"--memory-limit={memory_limit}", f"--label={row.label}", f"--repetition={repetition}"]

    def knows(self) -> dict[str, dict[str, Any]]:
        """What each executable says with --list=json, by its name; what hangs or crashes meanwhile has an empty answer
        that says so under "broken", and stays a name: its rows will say the same."""
        answers = {}
        for path in sorted(self.folder.iterdir()) if self.folder.is_dir() else []:
            if path.is_file() and os.access(path, os.X_OK):
                answer = _listed(path)
                if answer is not None:
                    answers[path.name] = answer
        return answers

    def try_library(self, path: str) -> None:
        """BadInput where this library can be the malloc of no process. One that hangs or crashes is a row that says so."""
        child = None
        try:
            child = Child([str(self.folder / "blocks"), "churn", "size=1", "--units=1", f"--allocator={path}"], False)
            if child.hear(START_S) is None and (death := child.death()).outcome == "bad_input":
                raise BadInput(death.message.split(": ", 1)[-1] or f"{path} cannot be used")
        except Ended:
            pass
        finally:
            if child:
                child.close()


def _listed(path: Path) -> dict[str, Any] | None:
    """What an executable lists; None for one that is not of the harness."""
    child = None
    try:
        child = Child([str(path), "--list=json"], False)
        answer = child.hear(START_S)
        if answer is None:
            death = child.death()
            if not death.message.startswith("killed by"):       # it ended by itself, and lists nothing
                return None
            raise death
        if isinstance(answer, dict) and isinstance(answer.get("workloads"), list) and isinstance(answer.get("allocators"), list):
            return answer
        raise Ended("crash", "lists something that is no list")
    except Ended as end:
        return {"collector": None if path.name == "blocks" else {"name": path.name}, "abilities": [], "workloads": [], "allocators": [],
                "broken": f"{end.outcome} while it listed what it knows: {end.message}"}
    finally:
        if child:
            child.close()


class Child:
    """One process of the harness. Lines in, JSON objects out, within a time."""

    def __init__(self, command: list[str], commands_follow: bool) -> None:
        self.errors = tempfile.TemporaryFile()              # a pipe that nobody reads could fill and block it
        self.kills_before, self.killed = limits.oom_kills(), False
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE if commands_follow else subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=self.errors, start_new_session=True, preexec_fn=_die_with_parent)
        except OSError as error:
            self.errors.close()
            if error.errno in OURS:
                raise
            name = Path(command[0]).name
            if name in OPTIONAL and not Path(command[0]).exists():
                raise Ended("not_installed", f"{name}: not built; it needs the package {OPTIONAL[name]}") from None
            raise Ended("crash", f"{name}: {error.strerror}") from None
        self.pending = b""
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def say(self, line: str) -> None:
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            pass                                            # it ended: the next hear() says how

    def hear(self, seconds: float) -> dict[str, Any] | None:
        """The next JSON object, or None at the end of its output. Ended where it takes too long."""
        until = time.monotonic() + seconds
        while b"\n" not in self.pending:
            left = until - time.monotonic()
            if left <= 0 or not self.selector.select(left):
                self.kill()
                raise Ended("timeout", f"no answer within {seconds:g} s")
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            if not part:
                return None
            self.pending += part
        line, _, self.pending = self.pending.partition(b"\n")
        try:
            return json.loads(line)
        except ValueError:
            self.kill()
            raise Ended("crash", f"answered with something that is not JSON: {line[:60]!r}") from None

    def death(self, seconds: float = 5.0) -> Ended:
        """It closed its output: how did it end?"""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return Ended("timeout", "closed its output and did not end")
        said = self.said()
        if status < 0:
            why = said or (self._memory_ran_out() if status == -signal.SIGKILL and not self.killed else "")
            return Ended("crash", f"killed by {signal.Signals(-status).name}" + (f": {why}" if why else ""))
        if status == 2:
            return Ended("bad_input", said)
        return Ended("crash", f"ended with status {status} and no result" + (f": {said}" if said else ""))

    def _memory_ran_out(self) -> str:
        """Was it the kernel's OOM killer? It tells nobody but its counters."""
        if limits.oom_kills() <= self.kills_before:
            return ""
        limit = limits.read().memory_limit
        return "the OOM killer: no memory left" + (f" in the container, whose limit is {limit >> 20} MiB" if limit else "")

    def said(self) -> str:
        """Its last line on standard error."""
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else ""

    def kill(self) -> None:
        """End it and all it started; safe to call again."""
        if self.process.poll() is None:
            self.killed = True
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def close(self) -> None:
        self.kill()
        self.selector.close()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            if stream:
                try:
                    stream.close()
                except OSError:
                    pass


def _die_with_parent() -> None:
    """And before it, where memory runs out: the kernel then ends a row and not the run."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        with open("/proc/self/oom_score_adj", "r+b", buffering=0) as score:
            if int(score.read()) < 500:
                score.write(b"500")
    except (OSError, ValueError):
        pass


class Resident:
    """A configuration that waits for its turns. Use as a context, so that it is ended whatever happens."""

    def __init__(self, harness: Harness, group: Group, row: Configuration, repetition: int, core: int) -> None:
        self.row, self.timeout = row, float(group["timeout_s"])
        limit = group["memory_limit_mib"] << 20
        self.child = Child([*harness.command(row, group["seed"], repetition, limit), f"--cpu={core}", "--resident"], True)
        self.facts: dict[str, Any] = {}
        self.unit_ns = 0.0

    def ready(self) -> None:
        self.facts = self._expect("ready")
        self.unit_ns = float(self.facts.pop("unit_ns", 0) or 0)

    def turn(self, units: int, lead_in: int) -> dict[str, Any]:
        self.child.say(f"turn {units} {lead_in}")
        return self._expect("turn")

    def quit(self) -> dict[str, Any]:
        """Its last words: the outcome, and memory where it was asked for."""
        self.child.say("quit")
        answer = self._expect("bye")
        self.close()
        return answer

    def close(self) -> None:
        self.child.close()

    def _expect(self, event: str) -> dict[str, Any]:
        answer = self.child.hear(self.timeout)
        if answer is None:
            raise self.child.death()
        heard = answer.pop("event", None)
        if heard == event and (event != "bye" or answer.get("outcome", "ok") == "ok"):
            return answer
        if heard == "bye":
            self.facts = {**self.facts, **{k: v for k, v in answer.items() if k not in ("outcome", "message", "rounds")}}
            raise Ended(answer.get("outcome", "crash"), answer.get("message", ""))
        self.child.kill()
        raise Ended("crash", f"said {heard!r} where {event!r} was due")


def whole(harness: Harness, group: Group, row: Configuration, repetition: int, core: int | None,
          flags: list[str]) -> dict[str, Any]:
    """One whole invocation: its line. Ended where there is none."""
    limit = group["memory_limit_mib"] << 20
    pin = [f"--cpu={core}"] if core is not None else [f"--cpus={machine.thread_cores(row.threads, group.most_threads)}"]
    child = Child([*harness.command(row, group["seed"], repetition, limit), *pin, *flags], False)
    try:
        line, until = None, time.monotonic() + group["timeout_s"]
        while (answer := child.hear(max(0.01, until - time.monotonic()))) is not None:
            line = answer
        if line is None:
            raise child.death()
        death = child.death()
        if death.message.startswith("killed by"):           # it reported, and then crashed on its way out
            raise death
        return line
    finally:
        child.close()
