# SPDX-License-Identifier: MIT
"""Any environment: commands really run in each, on the fake harness, and either work or refuse in one line with status 2.

`/usr/bin/python3 tests/test_environments.py --table` prints what was tried and what came of it.
"""
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import fake_run
from run_support import EXECUTABLES, ROOT

ODD = "it's \"my\" folder, 100%s größer; $HOME & co"        # of a path: what shells, gnuplot, make and lists stumble over
NOBODY = 54321                                                  # a user whom no passwd file knows
MATRIX = """
about = "für Tests: größer × kleiner"
repetitions = 2
least_repetitions = 2
rounds = 2
turn_ms = 1
block_rounds = 1
memory_repetitions = 1
bias_turns = 0
touch_s = 0
timeout_s = 20
[[group]]
name = "churn"
title = "Blöcke, 50 % größer"
workload = "churn"
configurations = ["system", "jemalloc"]
"""
CLAIM = """
id = "slower"
sentence = "Zählen kostet Zeit: größer."
source = "gc: a place"
kind = "shape"
measured = "time of one over the other"
criterion = "time(churn: system) / time(churn: jemalloc) < 9"
not_shown = "all else"
"""
Result = subprocess.CompletedProcess
Command = Callable[["Place"], tuple[list[str], Callable[["Place", Result], None]]]


SLOW = True             # not part of the short look (make check)


@dataclass
class Place:
    """A copy of the checkout, results and a matrix, under a folder of some name."""
    top: Path
    test: unittest.TestCase

    @property
    def results(self) -> Path:
        return self.top / "Ergebnisse"

    @property
    def options(self) -> list[str]:
        return ["--results", str(self.results)]

    def lay_out(self) -> None:
        for path in ("scripts", "claims"):
            shutil.copytree(ROOT / path, self.top / path, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (*ROOT.glob("*/*.def"), *ROOT.glob("results/*.json"), ROOT / "README.md", ROOT / "tests/fake_harness.py"):
            (self.top / path.relative_to(ROOT)).parent.mkdir(exist_ok=True)
            shutil.copy(path, self.top / path.relative_to(ROOT))
        (self.top / "bin").mkdir()
        for name in EXECUTABLES:
            (self.top / "bin" / name).symlink_to("../tests/fake_harness.py")
        (self.top / "größer.toml").write_text(MATRIX, encoding="utf-8")
        (self.top / "my claims/experiments").mkdir(parents=True)
        (self.top / "my claims/experiments/one.toml").write_text(MATRIX, encoding="utf-8")
        (self.top / "my claims/sources.toml").write_text('gc = "das Handbuch, größer"\n', encoding="utf-8")
        (self.top / "my claims/slower.toml").write_text(CLAIM.lstrip(), encoding="utf-8")
        for name, ns in (("früher", 10.0), ("später", 12.0)):
            fake_run.write(self.results / name, ns={"churn/jemalloc": ns}, invocations=6, text=fake_run.MATRIX.replace("steady state", "stetig, größer"))


def measured(place: Place) -> tuple[list[str], Callable]:
    def right(place: Place, done: Result) -> None:
        place.test.assertIn("noise floor", done.stdout)
        newest = (place.results / "latest").resolve()
        place.test.assertIn(json.dumps("größer × kleiner")[1:-1], text(newest / "index.html"))
        place.test.assertTrue(newest.name.endswith("-größer"), newest)
        place.test.assertRegex(text(newest / "summary.tsv"), r"\nchurn\tchurn\t.*\tjemalloc\t")
        assert_no_mojibake(place.test, newest)
    return ["run.py", "--matrix", str(place.top / "größer.toml"), "--bin", str(place.top / "bin"), "--no-plots", *place.options], right


def compared(place: Place) -> tuple[list[str], Callable]:
    def right(place: Place, done: Result) -> None:
        place.test.assertRegex(done.stdout, r"churn  jemalloc +1\.\d+")
    return ["compare.py", "früher", "später", *place.options], right


def reported(place: Place) -> tuple[list[str], Callable]:
    def right(place: Place, done: Result) -> None:
        page = place.results / "früher/index.html"
        if not page.exists():                   # where it cannot be: the last words say where it is
            page = Path(done.stdout.strip())
        place.test.assertIn(json.dumps("stetig, größer")[1:-1], text(page))
        place.test.assertIn("<title>refarena: früher</title>", text(page))
        if page.parent != place.results / "früher":
            shutil.rmtree(page.parent)
        assert_no_mojibake(place.test, place.results / "früher")
    return ["report.py", "früher", *place.options], right


def reported_elsewhere(place: Place) -> tuple[list[str], Callable]:
    def right(place: Place, done: Result) -> None:
        place.test.assertIn(json.dumps("stetig, größer")[1:-1], text(place.top / "free/page.html"))
    return ["report.py", "früher", *place.options, "--out", str(place.top / "free/page.html")], right


def listed(place: Place) -> tuple[list[str], Callable]:
    def right(place: Place, done: Result) -> None:
        place.test.assertIn("churn", done.stdout)
        place.test.assertRegex(done.stdout, r"fr..?her +")
    return ["refarena", "list", *place.options, "--bin", str(place.top / "bin")], right


def drawn(place: Place) -> tuple[list[str], Callable]:
    def right(place: Place, done: Result) -> None:
        svg = text(place.results / "früher/plots/throughput_allocators.svg")
        place.test.assertIn("▲", svg)
        place.test.assertRegex(svg, "jemalloc")
    return ["plots.py", "--run", "früher", *place.options], right


def examined(place: Place) -> tuple[list[str], Callable]:
    return ["doctor.py", "--json"], lambda place, done: place.test.assertIn("governor", done.stdout)


def judged(place: Place) -> tuple[list[str], Callable]:
    def right(place: Place, done: Result) -> None:
        place.test.assertIn("REPRODUCED", done.stdout)
        place.test.assertIn("größer", text(place.results / "latest/claims.md"))
    return ["claims.py", "--claim", "slower", "--claims", str(place.top / "my claims"), "--bin", str(place.top / "bin"), *place.options], right


def helped(place: Place) -> tuple[list[str], Callable]:
    return ["compare.py", "--help"], lambda place, done: place.test.assertIn("no difference  the effect is under the noise floor", done.stdout)


ALL = (measured, compared, reported, listed, drawn, examined, judged, helped)
SOME = (measured, compared, reported, listed)


@dataclass
class Environment:
    """What is different there. refused: the commands that cannot work, and what their line must say."""
    name: str
    commands: tuple[Command, ...] = SOME
    variables: dict[str, str | None] = field(default_factory=dict)     # None: unset
    folder: str = "refarena"
    prefix: tuple[str, ...] = ()
    umask: int = 0o022
    another_user: bool = False
    read_only: str = ""                                         # a folder, from the top
    shell: str = "{}"                                           # around the command
    refused: dict[str, str] = field(default_factory=dict)       # name of the command -> words
    needs: Callable[[], str] = lambda: ""                       # why it cannot be tried here, or ''
    also: Callable[[unittest.TestCase, Place], None] = lambda test, place: None


def needs_root() -> str:
    return "" if os.getuid() == 0 and shutil.which("setpriv") else "only root can be another user, and setpriv must be there"


def needs(program: str) -> Callable[[], str]:
    return lambda: "" if shutil.which(program) else f"{program} is not installed"


def needs_locale() -> str:
    return "" if latin_1() else "localedef or the sources of locales (package locales) are not installed"


def latin_1() -> str:
    """A folder with de_DE.ISO-8859-1 in it, or ''; made once."""
    global _latin_1
    if _latin_1 is None:
        folder = tempfile.mkdtemp(prefix="refarena-locale-")
        unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
        made = shutil.which("localedef") and all(subprocess.run(
            ["localedef", "-i", "de_DE", "-f", charmap, f"{folder}/{name}"], capture_output=True, check=False).returncode in (0, 1)
            and Path(folder, name, "LC_CTYPE").exists() for charmap, name in (("ISO-8859-1", "de_DE.ISO-8859-1"), ("UTF-8", "de_DE.UTF-8")))
        _latin_1 = folder if made else ""
    return _latin_1


_latin_1: str | None = None


def private(test: unittest.TestCase, place: Place) -> None:
    """Under umask 077 nothing that was written is anybody else's to read."""
    for path in (place.results / "latest").resolve().rglob("*"):
        test.assertEqual(path.stat().st_mode & 0o077, 0, path)


def environments() -> Iterator[Environment]:
    yield Environment("as usual", (measured, compared))
    yield Environment("a path with blanks, quotes, a comma, umlauts, a percent sign, a dollar", ALL, folder=ODD)
    yield Environment("the same for temporary files", (measured, judged), {"TMPDIR": "{top}/free/" + ODD})
    yield Environment("LC_ALL=C", SOME + (drawn,), {"LC_ALL": "C"}, folder="größer")
    yield Environment("LC_ALL=POSIX, and Python told to believe it", SOME + (drawn, helped), {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"})
    for name, commands in (("de_DE.UTF-8", (measured, drawn)), ("de_DE.ISO-8859-1", SOME + (drawn, judged))):
        yield Environment(f"LC_ALL={name}", commands, {"LC_ALL": name, "LANG": name, "LOCPATH": "{latin_1}"}, needs=needs_locale)
    yield Environment("HOME is not set", (measured, examined), {"HOME": None})
    yield Environment("no HOME, and a user without a passwd entry", (measured, drawn, judged), {"HOME": None, "USER": None, "LOGNAME": None}, another_user=True, needs=needs_root)
    yield Environment("PYTHONSAFEPATH=1", ALL, {"PYTHONSAFEPATH": "1"})
    yield Environment("PYTHONOPTIMIZE=2", ALL, {"PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1"})
    yield Environment("umask 077", (measured, reported), umask=0o077, also=private)
    yield Environment("results that cannot be written", (compared, listed, reported, reported_elsewhere, drawn, measured), another_user=True,
                      read_only="Ergebnisse", needs=needs_root,
                      refused={"drawn": "plots: Permission denied", "measured": "Permission denied"})
    yield Environment("a checkout that cannot be written", (measured, reported), another_user=True, read_only="scripts", needs=needs_root)
    yield Environment("a full disk on standard output", (compared, listed, helped), shell="{} > /dev/full",
                      refused={name: "standard output: No space left on device" for name in ("compared", "listed", "helped")})
    yield Environment("one core", (measured, listed), prefix=("taskset", "-c", str(min(os.sched_getaffinity(0)))), needs=needs("taskset"))
    yield Environment("another python3 first on PATH", (measured, judged), {"PATH": "{top}/other:" + os.environ["PATH"]})
    yield Environment("no gnuplot", (measured, compared, drawn), {"PATH": "{top}/nothing"}, refused={"drawn": "gnuplot is not installed"})
    yield Environment("modules of our names elsewhere on PYTHONPATH", (compared, listed), {"PYTHONPATH": "{top}/other"})
    yield Environment("no standard input, output closed", (measured, compared), shell="{} <&- 2>&1 | cat")


def text(path: Path) -> str:
    """Files are UTF-8, whoever wrote them."""
    return path.read_text(encoding="utf-8")


def assert_no_mojibake(test: unittest.TestCase, folder: Path) -> None:
    for path in (p for p in folder.rglob("*") if p.suffix in (".html", ".tsv", ".json", ".jsonl", ".md")):
        test.assertNotRegex(text(path), "Ã|â€|\ufffd", path)


class Environments(unittest.TestCase):
    tried: list[tuple[str, str, str]] = []

    def place(self, environment: Environment) -> Place:
        above = Path(tempfile.mkdtemp(prefix="refarena-test-"))
        self.addCleanup(shutil.rmtree, above, ignore_errors=True)
        self.addCleanup(subprocess.run, ["chmod", "-R", "u+w", str(above)], check=False)
        place = Place(above / environment.folder, self)
        place.top.mkdir()
        place.lay_out()
        (place.top / "free" / ODD).mkdir(parents=True)
        (place.top / "nothing").mkdir()
        (place.top / "other").mkdir()
        (place.top / "other/python3").write_text("#!/bin/sh\necho 'I am another python3' >&2\nexit 99\n", encoding="utf-8")
        (place.top / "other/python3").chmod(0o755)
        for name in ("table", "record", "net", "stats"):
            (place.top / "other" / f"{name}.py").write_text("raise SystemExit('not this one')\n", encoding="utf-8")
        if environment.another_user:
            subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(above)], check=True)
        if environment.read_only:
            subprocess.run(["chmod", "-R", "a-w", str(place.top / environment.read_only)], check=True)
        return place

    def run_there(self, environment: Environment, place: Place, arguments: list[str]) -> Result:
        variables = {k: v for k, v in os.environ.items() if k not in ("FAKE", "RESUME", "LC_ALL", "LANG", "PYTHONPATH")} | {"LC_ALL": "C.UTF-8", "FAKE": "{}"}
        for name, value in environment.variables.items():
            variables.pop(name, None)
            if value is not None:
                variables[name] = value.replace("{top}", str(place.top)).replace("{latin_1}", _latin_1 or "")
        user = ("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups") if environment.another_user else ()
        script = str(place.top / "scripts" / arguments[0])
        command = [*(shutil.which(p) or p if n == 0 else p for n, p in enumerate(environment.prefix)), *user[:0], *((shutil.which("setpriv"), *user[1:]) if user else ()),
                   "/usr/bin/python3", script, *arguments[1:]]
        return subprocess.run(["/bin/bash", "-c", environment.shell.format('"$@"'), "bash", *command], capture_output=True, encoding="utf-8", errors="replace",
                              timeout=200, cwd=place.top, env=variables, umask=environment.umask, check=False)

    def try_in(self, environment: Environment) -> None:
        place = self.place(environment)
        for command in environment.commands:
            arguments, right = command(place)
            with self.subTest(environment=environment.name, command=command.__name__):
                done = self.run_there(environment, place, arguments)
                said = done.stdout + done.stderr
                self.assertNotIn("Traceback", said)
                words = environment.refused.get(command.__name__)
                if words:
                    self.assertEqual(done.returncode, 2, said)
                    lines = done.stderr.strip().splitlines()
                    self.assertEqual(len(lines), 1, said)
                    self.assertIn(words, lines[0])
                    self.tried.append((environment.name, arguments[0], f"refused: {lines[0].replace(str(place.top), '...')}"))
                else:
                    self.assertIn(done.returncode, (0, 1) if command is examined else (0,), said)
                    right(place, done)
                    self.tried.append((environment.name, arguments[0], "worked" + (f", and said: {done.stderr.strip().replace(str(place.top), '...')}"
                                                                                   if done.stderr.strip() and "no figures" in done.stderr else "")))
        environment.also(self, place)

    def test_every_command_works_or_refuses_in_one_line(self):
        for environment in environments():
            why = environment.needs()
            if why:
                self.tried.append((environment.name, "-", f"not tried: {why}"))
                with self.subTest(environment=environment.name):
                    self.skipTest(why)
            else:
                self.try_in(environment)

    def test_a_path_that_is_no_utf_8_is_measured_compared_and_reported(self):
        environment = Environment("a path that is no UTF-8", SOME, folder=os.fsdecode(b"gr\xf6\xdfer"))
        self.try_in(environment)


class Terminal(fake_run.InFolder):
    """Colours and bars only where somebody sees them."""

    def on_a_terminal(self, **variables: str | None) -> bytes:
        environment = {k: v for k, v in {**os.environ, "NO_COLOR": None, "TERM": "xterm", **variables}.items() if v is not None}
        parent, child = pty.openpty()
        process = subprocess.Popen([sys.executable, str(ROOT / "scripts/refarena"), "list", "matrices"], stdout=child, stderr=child, env=environment)
        os.close(child)
        said = b""
        while True:
            try:
                part = os.read(parent, 1 << 16)
            except OSError:
                part = b""
            if not part:
                break
            said += part
        os.close(parent)
        self.assertEqual(process.wait(), 0)
        return said

    def test_a_terminal_has_colours_and_a_dumb_one_none(self):
        self.assertIn(b"\033[", self.on_a_terminal())
        for variables in ({"TERM": "dumb"}, {"TERM": None}, {"NO_COLOR": "1"}):
            self.assertNotIn(b"\033", self.on_a_terminal(**variables), variables)


def print_table() -> int:
    outcome = unittest.TextTestRunner(verbosity=0).run(unittest.defaultTestLoader.loadTestsFromTestCase(Environments))
    print("| environment | command | what came of it |\n| --- | --- | --- |")
    for row in Environments.tried:
        print("| " + " | ".join(re.sub(r"\s+", " ", cell).replace("|", "/").encode("utf-8", "replace").decode() for cell in row) + " |")
    return 0 if outcome.wasSuccessful() else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["--table"]:
        sys.exit(print_table())
    unittest.main()
