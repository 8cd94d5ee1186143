# SPDX-License-Identifier: MIT
"""net.py - under every command: whatever happens, its user reads one line, never a traceback.

    status 0       done
    status 1       done, and a gate failed: a result is wrong, a row is slower than --fail-on allows
    status 2       cannot be done: a name that nobody knows, a damaged file, a full disk. The line says what, where, what to do
    status 70      a bug of ours (sysexits.h: EX_SOFTWARE). The line says where its traceback was written
    status 130     interrupted: Ctrl-C, SIGTERM, or SIGHUP

A script begins with `net.spread(__name__)`, before it imports anything that may be missing, and ends with
`net.run("its verb", main)`. Standard output goes on as long as somebody reads it: a reader who has enough
(`| head -1`) ends the output and not the work, so that a gate behind a pipe still has its status.

Imported by scripts/cpython/ too, whatever CPython runs them: nothing here needs more than 3.8.
"""
from __future__ import annotations

import argparse
import errno
import io
import os
import re
import signal
import sys
from collections.abc import Callable, Collection
from typing import Any, NoReturn

DONE, FAILED, REFUSED, BUG, INTERRUPTED = 0, 1, 2, 70, 130
HERE = os.path.dirname(os.path.abspath(__file__))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What the machine or the user's files can do to us, and what helps. An OSError of another kind is a bug.
NO_RIGHT = "you may not; give another place, or ask its owner"
ADVICE = {
    errno.ENOSPC: "make room; what was written before stays", errno.EDQUOT: "make room; what was written before stays",
    errno.EFBIG: "files may not grow so large here (ulimit -f); what was written before stays",
    errno.EACCES: NO_RIGHT, errno.EPERM: NO_RIGHT, errno.EROFS: "give a place that can be written",
    errno.ENOENT: "look at the name", errno.ENOTDIR: "a part of the path is a file", errno.EISDIR: "name a file in it",
    errno.EEXIST: "remove it, or give another name", errno.ENOTEMPTY: "remove it, or give another name",
    errno.ELOOP: "a link leads back to itself", errno.ENAMETOOLONG: "give a shorter path",
    errno.EMFILE: "too many files are open (ulimit -n)", errno.ENFILE: "too many files are open on this machine",
    errno.ENOMEM: "too little memory is free", errno.EAGAIN: "too many processes run (ulimit -u)",
    errno.EIO: "the disk or the network behind it fails", errno.ESTALE: "the disk or the network behind it fails",
    errno.ENXIO: "name a file that can be read", errno.ENODEV: "name a file that can be read", errno.ETXTBSY: "it is being run or written: wait",
    errno.ENOEXEC: "this machine cannot run it; build it here",
}


class BadInput(Exception):
    """The user's mistake, in one line that says what, where and what to do. Exit status 2."""


class Stopped(Exception):
    """The machine cannot take or give more. One line; what was measured stays. Exit status 2."""


class Interrupted(KeyboardInterrupt):
    """By Ctrl-C or a polite kill; says what is kept, where there is something to say. Exit status 130."""


# --- the net -----------------------------------------------------------------------------------------

def spread(module: str) -> None:
    """For a script's first lines: also what is missing when it imports others is one line. module: its __name__."""
    if module != "__main__":
        return
    verb = os.path.basename(sys.argv[0]) or "refarena"
    _open_streams()
    sys.excepthook = lambda _kind, error, _trace: sys.exit(_told(verb, error))
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:          # nohup, or a job in the background: as its owner wants it
            signal.signal(number, _interrupt)


def run(verb: str, main: Callable[[], int | None]) -> NoReturn:
    """Ends the process with what main() returns, or with one line and the status of what it raised."""
    try:
        status = main() or DONE
    except SystemExit as end:
        status = end.code
        if isinstance(status, str):
            status = _say(verb, status, REFUSED)
    except BaseException as error:                              # noqa: B902: that is what a net is
        status = _told(verb, error)
    sys.exit(_last_words(verb, status or DONE))


def _interrupt(number: int, _frame: Any) -> NoReturn:
    raise Interrupted(signal.Signals(number).name)


def _told(verb: str, error: BaseException) -> Any:
    """Says what happened; the status."""
    if isinstance(error, SystemExit):
        return error.code
    if isinstance(error, KeyboardInterrupt):
        words = str(error)
        return _say(verb, "interrupted" + (f"; {words}" if words and not words.startswith("SIG") else ""), INTERRUPTED, before="\n")
    words = _known(error)
    return _say(verb, words, REFUSED) if words else _say(verb, _bug(verb, error), BUG)


def _known(error: BaseException) -> str:
    """What is no bug of ours, in one line; '' for a bug."""
    import subprocess
    if isinstance(error, (BadInput, Stopped)):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory: give it more (ulimit -v, the container's limit), or measure less at once"
    if isinstance(error, ImportError):
        return _missing_module(error)
    if isinstance(error, (subprocess.CalledProcessError, subprocess.TimeoutExpired)):
        return _failed_program(error, isinstance(error, subprocess.TimeoutExpired))
    if isinstance(error, OSError):
        return in_words(error)
    return ""


def in_words(error: OSError) -> str:
    """An OSError as what, where, and what to do; '' where it is none that a machine or a user can cause."""
    if error.errno not in ADVICE:
        return ""
    names = [_text(name) for name in (error.filename, error.filename2) if isinstance(name, (str, bytes, os.PathLike))]
    return ": ".join([*names[-1:], f"{error.strerror}; {ADVICE[error.errno]}"])


def _missing_module(error: ImportError) -> str:
    if (error.path or "").startswith(HERE + os.sep):            # it is there, and has not what was asked of it
        return ""
    name = (error.name or str(error)).partition(".")[0]
    if os.path.exists(os.path.join(HERE, f"{name}.py")):
        return ""
    return (f"{sys.executable or 'this python3'} cannot load '{name}': install it with `make deps-bench`, and run the scripts "
            "as they are or with /usr/bin/python3")


def _failed_program(error: Any, late: bool) -> str:
    command = error.cmd if isinstance(error.cmd, (str, bytes)) else " ".join(_text(part) for part in error.cmd)
    said = error.stderr or b""
    said = (said.decode("utf-8", "replace") if isinstance(said, bytes) else said).strip().splitlines()[-1:]
    how = f"did not end within {error.timeout:g} s" if late else f"ended with status {error.returncode}"
    return f"{_text(command)[:200]}: {how}" + "".join(f": {line}" for line in said)


def _text(name: Any) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _bug(verb: str, error: BaseException) -> str:
    """One line, and a file that says the rest."""
    import traceback
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    what = f"a bug in refarena: {type(error).__name__}: {error}{where}"
    whole = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    try:
        import tempfile
        descriptor, path = tempfile.mkstemp(prefix=f"refarena-{verb}-".replace(os.sep, "-"), suffix=".traceback.txt")
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(f"{sys.version}\n{sys.argv}\n\n{whole}")
        return f"{what}; please report it with {path}"
    except OSError as trouble:
        return f"{what}; its traceback could not be written ({trouble.strerror}): set TMPDIR to a folder that can be"


def _say(verb: str, words: str, status: int, before: str = "") -> int:
    print(f"{before}{verb}: " + " ".join(str(words).split("\n")), file=sys.stderr, flush=True)
    return status


# --- standard output and standard error ---------------------------------------------------------------

class _Out(io.RawIOBase):
    """A descriptor that never raises. What it could not take is dropped, and the first trouble is remembered."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor = descriptor
        self.trouble: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def isatty(self) -> bool:
        return os.isatty(self.descriptor)

    def write(self, data: Any) -> int:
        if self.trouble is None:
            try:
                return os.write(self.descriptor, data)
            except BlockingIOError:
                raise
            except OSError as error:
                self.trouble = error
        return len(data)


def _open_streams() -> None:
    """Ours: they replace what cannot be encoded, and outlive their reader."""
    for descriptor in range(3):                                 # one that is closed would be the next file's
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name, descriptor, errors in (("stdout", 1, "replace"), ("stderr", 2, "backslashreplace")):
        old = getattr(sys, name)
        if old is not None:
            old.flush()
        raw = _Out(descriptor)
        fresh = io.TextIOWrapper(io.BufferedWriter(raw), encoding=getattr(old, "encoding", None) or "utf-8", errors=errors,
                                 line_buffering=raw.isatty() or name == "stderr")
        setattr(sys, name, fresh)


def _last_words(verb: str, status: Any) -> Any:
    """Everything that was said is out, or the status says that it is not."""
    stream = sys.stdout
    if stream is None:
        return status
    try:
        stream.flush()
        trouble = getattr(getattr(getattr(stream, "buffer", None), "raw", None), "trouble", None)
    except OSError as error:                                    # the interpreter's own stream
        trouble = error
    if trouble is None or isinstance(trouble, BrokenPipeError):
        return status
    _say(verb, f"standard output: {trouble.strerror}; what it could not take is lost", REFUSED)
    return status or REFUSED


# --- what every script says the same way ----------------------------------------------------------------

class Parser(argparse.ArgumentParser):
    """argparse's, whose refusal is one line: with the option that was perhaps meant, and where all of them are told."""

    def error(self, message: str) -> NoReturn:
        match = re.match(r"unrecognized arguments: (--[^\s=]+)", message)
        near = nearest(match[1], self._option_string_actions) if match else ""
        raise BadInput(f"{message};" + (f" did you mean {near}?" if near else "") + " --help tells all")


def doc(text: str | None, file: str) -> str:
    """A module's docstring (text: its __doc__), also where python3 -OO has dropped it."""
    if text is None:
        import ast
        with open(file, encoding="utf-8") as stream:
            text = ast.get_docstring(ast.parse(stream.read()), clean=False) or ""
    return text


def readable(name: Any) -> str:
    """A file's name, or what has one in it, for people and for files: names are bytes, and ours are UTF-8 whatever the locale."""
    try:
        return os.fsencode(name).decode("utf-8")
    except UnicodeError:
        return str(name).encode("utf-8", "backslashreplace").decode("utf-8")


def on_disk(name: str) -> str:
    """The other way: what to call open() with for this text, so that it has the same bytes in every locale."""
    return os.fsdecode(name.encode("utf-8", "surrogateescape"))


def unknown(kind: str, name: str, known: Collection[str], more: str = "", where: str = "") -> BadInput:
    """BadInput for a name that is not one of those known: the nearest first, then all."""
    near = nearest(name, known)
    meant = f" did you mean '{near}'?" if near else ""
    return BadInput(f"{where}unknown {kind} '{name}';{meant} known are {', '.join(sorted(known) if isinstance(known, (set, frozenset)) else known) or 'none'}{more}")


def nearest(name: str, known: Collection[str]) -> str:
    """The known name that this one was perhaps meant to be, or ''."""
    import difflib
    by_lower = {k.lower(): k for k in sorted(known)}
    near = difflib.get_close_matches(name.lower(), by_lower, 1, 0.6)
    return by_lower[near[0]] if near else ""


def bytes_of(path: Any) -> bytes:
    """What is in a file of the user; BadInput where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise BadInput(in_words(error) or f"{path}: {error.strerror}") from None


def text_of(path: Any) -> str:
    """The same as text, which is UTF-8 whatever the locale."""
    try:
        return bytes_of(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: byte {error.start + 1} is not UTF-8; write it anew in UTF-8") from None
