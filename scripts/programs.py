#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Real programs on our own allocators: do they say the same as on glibc, how long do they take, what do they hold?

    make programs          or          scripts/programs.py [--repetitions 3] [--programs git,perl] [--allocators bump]

Each program runs with LD_PRELOAD=build/lib/refarena-<allocator>.so. Its standard output, its exit status and what
it wrote must be those of the run on glibc, byte by byte: nothing else is a pass. Times are the least of the
repetitions, taken in turns over all allocators; peak RSS is what the kernel last said while the program ran
(VmHWM, looked at every millisecond). These are whole programs, most of whose time is not spent in malloc.
Exit status: 0 where every output is the same, 1 where one is not, 2 for bad input.
"""
from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
GLIBC = "glibc"
SECONDS = 300

PYTHON_PROGRAM = """
import ast, collections, json, re, threading
words = [f"word{i * 7919 % 100003}" for i in range(100000)]
counts = collections.Counter(word[:6] for word in words)
text = json.dumps({word: [i, str(i)] for i, word in enumerate(words)})
found = [json.loads(text)[word][1] for word in words[:2]]
tree = ast.parse("\\n".join(f"def f{i}(a, b={i}): return [a + b * {i} for a in range(b)]" for i in range(2000)))
sums = [0] * 4
def work(k):
    sums[k] = sum(len(str(i) * 3) for i in range(30000))
threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(counts.most_common(5), found, len(ast.dump(tree)), sums, len(re.findall(r"1\\d+2", text)))
"""

SQL = """
CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, value REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
INSERT INTO t SELECT i, printf('name-%d', i * 7919 % 100003), i * 0.5 FROM n;
CREATE INDEX by_name ON t(name);
SELECT count(*), sum(value), min(name), max(name) FROM t;
SELECT substr(name, 6, 2) AS head, count(*), group_concat(id) FROM t WHERE id % 97 = 0 GROUP BY head ORDER BY head;
SELECT a.name FROM t a JOIN t b ON a.name = b.name AND a.id < b.id ORDER BY a.name LIMIT 20;
"""

PERL_PROGRAM = r"""
my %count; my @lines = map { join ' ', map { $_ * 7919 % 10007 } $_ .. $_ + 9 } 1 .. 30000;
for (@lines) { $count{$_}++ for split / / }
my $text = join "\n", sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
(my $changed = $text) =~ s/(\d)(\d)/$2$1/g;
print length($text), ' ', scalar(keys %count), ' ', unpack('%32C*', $changed), "\n";
"""


@dataclass(frozen=True)
class Program:
    name: str
    argv: list[str]
    stdin: str = ""
    writes: str = ""            # a file that it writes, to be compared too


@dataclass
class Run:
    digest: str
    seconds: float
    peak_bytes: int
    complaint: str              # the first line of standard error


def c_source() -> str:
    """A program of some length for the compiler: its own preprocessor has nothing to do, its optimizer has."""
    body = "\n".join(f"int f{i}(int *a, int n) {{ int s = {i}; for (int k = 0; k < n; k++) s += a[k] * {i} ^ k;"
                     f" switch (s & 7) {{ case 1: return s + f{i - 1 if i else 0}(a, n / 2); case 2: return s * 3;"
                     f" default: return s; }} }}" for i in range(100))
    return body + "\n"


def programs(scratch: Path) -> list[Program]:
    """Those that are installed. The compiler is cc1 itself: gcc starts it, and is no work of its own."""
    (scratch / "program.py").write_text(PYTHON_PROGRAM)
    (scratch / "program.c").write_text(c_source())
    (scratch / "program.pl").write_text(PERL_PROGRAM)
    cc1 = subprocess.run(["gcc", "-print-prog-name=cc1"], capture_output=True, text=True).stdout.strip() \
        if shutil.which("gcc") else ""
    listed = [
        Program("python3", ["/usr/bin/python3", "-I", str(scratch / "program.py")]),
        Program("sqlite3", ["sqlite3", ":memory:"], stdin=SQL),
        Program("gcc (cc1)", [cc1 or "cc1", "-quiet", "-O2", str(scratch / "program.c"), "-o", str(scratch / "program.s")],
                writes=str(scratch / "program.s")),
        Program("perl", ["perl", str(scratch / "program.pl")]),
    ]
    head = subprocess.run(["git", "-C", str(TOP), "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip() \
        if shutil.which("git") else ""
    if head:                    # not where the sources came without their history
        listed.append(Program("git", ["git", "-C", str(TOP), "--no-pager", "log", "-p", "--stat", "--no-color",
                                      "--no-ext-diff", head]))
    return [p for p in listed if shutil.which(p.argv[0])]


def peak_of(pid: int, before: int) -> int:
    """Peak resident bytes of a process that still runs; what was known before where it has ended."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return before


def run(program: Program, library: Path | None, scratch: Path) -> Run:
    env = {**os.environ, "PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "1", "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1"}
    env.pop("LD_PRELOAD", None)
    if library:
        env["LD_PRELOAD"] = str(library)
    source, out, err = scratch / "stdin", scratch / "stdout", scratch / "stderr"
    source.write_text(program.stdin)
    if program.writes:
        Path(program.writes).unlink(missing_ok=True)
    with source.open() as stdin, out.open("wb") as stdout, err.open("wb") as stderr:
        start = time.perf_counter()
        child = subprocess.Popen(program.argv, stdin=stdin, stdout=stdout, stderr=stderr, env=env)
        peak = 0
        while True:
            peak = peak_of(child.pid, peak)
            try:
                child.wait(0.001)
                break
            except subprocess.TimeoutExpired:
                if time.perf_counter() - start > SECONDS:
                    child.kill()
        seconds = time.perf_counter() - start
    digest = hashlib.sha256(f"{child.returncode}\n".encode() + out.read_bytes())
    if program.writes and Path(program.writes).exists():
        digest.update(Path(program.writes).read_bytes())
    complaint = err.read_text(errors="replace").strip().splitlines()[:1]
    if child.returncode and not complaint:
        complaint = [f"ended with status {child.returncode}"]
    return Run(digest.hexdigest(), seconds, peak, complaint[0] if complaint else "")


def row(program: str, allocator: str, runs: list[Run], base: list[Run]) -> dict:
    same = all(r.digest == base[0].digest for r in runs)
    return {"program": program, "allocator": allocator, "same_output": same,
            "seconds": min(r.seconds for r in runs), "peak_rss_bytes": max(r.peak_bytes for r in runs),
            "complaint": next((r.complaint for r in runs if r.complaint), "")}


def show(rows: list[dict]) -> None:
    print(f"{'program':<12} {'allocator':<16} {'same output':<12} {'seconds':>8} {'of glibc':>9} {'peak RSS MiB':>13}")
    base = {r["program"]: r["seconds"] for r in rows if r["allocator"] == GLIBC}
    for r in rows:
        print(f"{r['program']:<12} {r['allocator']:<16} {'yes' if r['same_output'] else 'NO':<12} {r['seconds']:8.3f}"
              f" {r['seconds'] / base[r['program']]:8.2f}x {r['peak_rss_bytes'] / 2**20:13.1f}"
              + (f"   {r['complaint']}" if r["complaint"] and not r["same_output"] else ""))


def libraries(folder: Path, wanted: list[str]) -> dict[str, Path]:
    found = {p.name[len("refarena-"):-len(".so")]: p for p in sorted(folder.glob("refarena-*.so"))}
    found.pop("recorder", None)
    missing = [name for name in wanted if name not in found]
    if missing or not found:
        raise BadInput(f"no {folder}/refarena-{(missing or ['<name>'])[0]}.so: run `make all`, or name one of "
                          f"{', '.join(found) or 'none'}")
    return {name: found[name] for name in (wanted or found)}


class BadInput(Exception):
    """The user's mistake, in one line. Exit status 2."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Real programs on our own allocators, compared with glibc.")
    parser.add_argument("--lib", type=Path, default=TOP / "build/lib", help="where the libraries are (default: build/lib)")
    parser.add_argument("--repetitions", type=int, default=3, help="runs of each program on each allocator (default: 3)")
    parser.add_argument("--programs", default="", help="only these: python3, sqlite3, gcc, perl, git")
    parser.add_argument("--allocators", default="", help="only these: pymalloc, magazine, bump, debug-pymalloc")
    parser.add_argument("--json", action="store_true", help="one line of JSON a row instead of a table")
    options = parser.parse_args()
    rows: list[dict] = []
    try:
        if options.repetitions < 1:
            raise BadInput(f"--repetitions {options.repetitions}: give 1 or more")
        on = {GLIBC: None, **libraries(options.lib.resolve(), options.allocators.replace(",", " ").split())}
        with tempfile.TemporaryDirectory(prefix="refarena-programs-") as folder:
            scratch = Path(folder)
            wanted = options.programs.replace(",", " ").split()
            chosen = [p for p in programs(scratch) if not wanted or p.name.split()[0] in wanted]
            if not chosen:
                raise BadInput(f"--programs {options.programs}: none of them is known and installed")
            for program in chosen:
                runs: dict[str, list[Run]] = {name: [] for name in on}
                for _ in range(options.repetitions):
                    for name, library in on.items():
                        runs[name].append(run(program, library, scratch))
                rows += [row(program.name, name, runs[name], runs[GLIBC]) for name in on]
    except BadInput as mistake:
        print(f"programs.py: {mistake}", file=sys.stderr)
        return 2
    if options.json:
        for r in rows:
            print(json.dumps(r))
    else:
        show(rows)
    return 0 if all(r["same_output"] for r in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
