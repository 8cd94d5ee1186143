# SPDX-License-Identifier: MIT
"""whole_programs.py - real programs, started on one malloc or another: what they say, how long they take, what they hold.

Peak RSS is the kernel's VmHWM, read when the program is about to end but still has its memory: the process is traced
(PTRACE_SEIZE) for nothing but its exit, which costs it one stop. Where tracing is not allowed, VmHWM is looked at
every millisecond instead. The ru_maxrss of a child is not used: it starts from what its parent had.
"""
from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import preload

TOP = Path(__file__).resolve().parent.parent
SECONDS = 300                   # a run that takes longer is ended
SEIZE, CONT, TRACE_EXIT, EVENT_EXIT = 0x4206, 7, 0x40, 6       # of sys/ptrace.h
WALL = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


@dataclass(frozen=True)
class Program:
    name: str
    argv: tuple[str, ...]
    stdin: str = ""
    writes: str = ""            # a file that it writes, to be compared too

    @property
    def installed(self) -> bool:
        return shutil.which(self.argv[0]) is not None


@dataclass(frozen=True)
class Run:
    digest: str                 # of all it said and wrote, and its exit status
    seconds: float
    peak_bytes: int             # 0: not seen
    complaint: str              # first line of its standard error, or how it ended
    loaded: bool | None         # the library was in the process; None: not looked at


def run(program: Program, library: str, scratch: Path) -> Run:
    """library: a path or soname for LD_PRELOAD, or "" for the C library's own malloc."""
    env = {**os.environ, "PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "1", "LC_ALL": "C", "PERL_HASH_SEED": "0",
           "GIT_CONFIG_NOSYSTEM": "1"}
    env.pop("LD_PRELOAD", None)
    if library:
        env["LD_PRELOAD"] = preload.value(library)
    source, out, err = scratch / "stdin", scratch / "stdout", scratch / "stderr"
    source.write_text(program.stdin, encoding="utf-8")
    if program.writes:
        Path(program.writes).unlink(missing_ok=True)
    with source.open(encoding="utf-8") as stdin, out.open("wb") as stdout, err.open("wb") as stderr:
        start = time.perf_counter()
        child = subprocess.Popen(program.argv, stdin=stdin, stdout=stdout, stderr=stderr, env=env)
        watched = _Watched(child.pid, Path(library).name)
        status = watched.until_it_ends()
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
    digest = hashlib.sha256(f"{child.returncode}\n".encode() + out.read_bytes())
    if program.writes and Path(program.writes).exists():
        digest.update(Path(program.writes).read_bytes())
    complaint = err.read_text(encoding="utf-8", errors="replace").strip().splitlines()[:1]
    if child.returncode and not complaint:
        complaint = [f"ended with status {child.returncode}"]
    return Run(digest.hexdigest(), seconds, watched.peak_bytes, complaint[0] if complaint else "", watched.loaded)


class _Watched:
    """A child, until it ends."""

    def __init__(self, pid: int, library: str) -> None:
        self.pid, self.library = pid, library
        self.peak_bytes, self.loaded = 0, None
        self.traced = _libc.ptrace(SEIZE, pid, None, TRACE_EXIT) == 0

    def until_it_ends(self) -> int:
        """Its status, as waitpid gives it."""
        late = threading.Timer(SECONDS, os.kill, (self.pid, signal.SIGKILL))
        late.start()
        try:
            while True:
                pid, status = os.waitpid(self.pid, WALL | (0 if self.traced else os.WNOHANG))
                if pid == 0:
                    self._look()
                    time.sleep(0.001)
                elif os.WIFSTOPPED(status):
                    self._go_on(status)
                else:
                    return status
        finally:
            late.cancel()

    def _go_on(self, status: int) -> None:
        """From a stop: the exit that was waited for, or a signal on its way, which is passed on."""
        passed = os.WSTOPSIG(status)
        if status >> 16:
            passed = 0
            if status >> 16 == EVENT_EXIT:
                self._look()
        _libc.ptrace(CONT, self.pid, None, passed)

    def _look(self) -> None:
        try:
            fields = dict(line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8", errors="replace").splitlines())
            self.peak_bytes = max(self.peak_bytes, int(fields["VmHWM"].split()[0]) * 1024)
            if self.library and not self.loaded:
                self.loaded = self.library.split(".so")[0] in Path(f"/proc/{self.pid}/maps").read_text(encoding="utf-8", errors="replace")
        except (OSError, KeyError, ValueError):
            pass                                        # it has ended meanwhile


# --- what they do: `scale` times as much work -----------------------------------------------------------

PYTHON_PROGRAM = """
import ast, collections, json, re, threading
words = [f"word{{i * 7919 % 100003}}" for i in range({scale} * 100000)]
counts = collections.Counter(word[:6] for word in words)
text = json.dumps({{word: [i, str(i)] for i, word in enumerate(words)}})
found = [json.loads(text)[word][1] for word in words[:2]]
tree = ast.parse("\\n".join(f"def f{{i}}(a, b={{i}}): return [a + b * {{i}} for a in range(b)]" for i in range({scale} * 2000)))
sums = [0] * 4
def work(k):
    sums[k] = sum(len(str(i) * 3) for i in range({scale} * 30000))
threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(counts.most_common(5), found, len(ast.dump(tree)), sums, len(re.findall(r"1\\d+2", text)))
"""

SQL = """
CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, value REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {scale} * 400000)
INSERT INTO t SELECT i, printf('name-%d', i * 7919 % 100003), i * 0.5 FROM n;
CREATE INDEX by_name ON t(name);
SELECT count(*), sum(value), min(name), max(name) FROM t;
SELECT substr(name, 6, 2) AS head, count(*), group_concat(id) FROM t WHERE id % 97 = 0 GROUP BY head ORDER BY head;
SELECT a.name FROM t a JOIN t b ON a.name = b.name AND a.id < b.id ORDER BY a.name LIMIT 20;
"""

PERL_PROGRAM = r"""
my %count; my @lines = map {{ join ' ', map {{ $_ * 7919 % 10007 }} $_ .. $_ + 9 }} 1 .. {scale} * 90000;
for (@lines) {{ $count{{$_}}++ for split / / }}
my $text = join "\n", sort {{ $count{{$b}} <=> $count{{$a}} || $a cmp $b }} keys %count;
(my $changed = $text) =~ s/(\d)(\d)/$2$1/g;
print length($text), ' ', scalar(keys %count), ' ', unpack('%32C*', $changed), "\n";
"""


def c_source(functions: int) -> str:
    """A program of some length for the compiler: its own preprocessor has nothing to do, its optimizer has."""
    body = "\n".join(f"int f{i}(int *a, int n) {{ int s = {i}; for (int k = 0; k < n; k++) s += a[k] * {i} ^ k;"
                     f" switch (s & 7) {{ case 1: return s + f{i - 1 if i else 0}(a, n / 2); case 2: return s * 3;"
                     f" default: return s; }} }}" for i in range(functions))
    return body + "\n"


def programs(scratch: Path, scale: int = 1) -> list[Program]:
    """Four programs, installed or not. The compiler is cc1 itself: gcc starts it, and does no work of its own."""
    (scratch / "program.py").write_text(PYTHON_PROGRAM.format(scale=scale), encoding="utf-8")
    (scratch / "program.c").write_text(c_source(scale * 100), encoding="utf-8")
    (scratch / "program.pl").write_text(PERL_PROGRAM.format(scale=scale), encoding="utf-8")
    cc1 = subprocess.run(["gcc", "-print-prog-name=cc1"], capture_output=True, text=True, encoding="utf-8", errors="replace", check=False).stdout.strip() \
        if shutil.which("gcc") else ""
    return [
        Program("python3", ("/usr/bin/python3", "-I", str(scratch / "program.py"))),
        Program("sqlite3", ("sqlite3", ":memory:"), stdin=SQL.format(scale=scale)),
        Program("gcc (cc1)", (cc1 or "cc1", "-quiet", "-O2", str(scratch / "program.c"), "-o", str(scratch / "program.s")),
                writes=str(scratch / "program.s")),
        Program("perl", ("perl", str(scratch / "program.pl"))),
    ]


# --- on which malloc ------------------------------------------------------------------------------------

def own_libraries(folder: Path) -> dict[str, str]:
    """Our allocators as malloc, by name."""
    found = {p.name[len("refarena-"):-len(".so")]: str(p) for p in sorted(folder.glob("refarena-*.so"))}
    found.pop("recorder", None)
    return found
