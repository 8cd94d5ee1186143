# SPDX-License-Identifier: MIT
"""Dependencies: only what is missing is installed, by a line that is shown, and never by asking for a password."""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "scripts/deps.sh"


class Deps(unittest.TestCase):
    """A folder of commands stands first on PATH: a dpkg-query that knows some packages, an apt-get that only notes."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="refarena-deps-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        for name in ("dpkg", "dpkg-query", "apt-get", "apt-cache", "sudo"):
            (self.folder / name).touch(mode=0o755)
        self.command("dpkg", "echo amd64")
        self.knows("all")
        self.suite_has("make", "libmimalloc2.0", "libtcmalloc-minimal4", "libpython3.11", "libjemalloc2", "libgc-dev", "sqlite3", "lld",
                       "jq", "perl", "locales")
        self.apt(f'echo "$@" >>{self.folder}/asked')
        self.command("sudo", "exit 1")

    def command(self, name: str, body: str) -> None:
        (self.folder / name).write_text(f"#!/bin/sh\n{body}\n")

    def knows(self, *missing: str) -> None:
        lines = "\n".join(f'{name}) exit 1;;' for name in missing)
        self.command("dpkg-query", f'for p; do :; done\ncase "$p" in\n{lines}\nesac\necho installed all')

    def suite_has(self, *packages: str) -> None:
        """What the lists of packages name, of those that are asked for by apt-cache."""
        self.command("apt-cache", f'case "$2" in\n{"|".join(packages)}) echo "Package: $2";;\nesac')

    def apt(self, body: str) -> None:
        self.command("apt-get", body)

    def run_for(self, what: str, **more: str) -> subprocess.CompletedProcess:
        ours = {k: v for k, v in os.environ.items() if k != "DEPS"}         # of `make test DEPS=no`
        environment = {**ours, "PATH": f"{self.folder}:{os.environ['PATH']}", "DEPS_UID": "0",
                       "DEPS_UNAME": "Linux x86_64", **more}
        return subprocess.run([str(SCRIPT), *what.split()], capture_output=True, text=True, timeout=120, env=environment, check=False)

    def asked(self) -> str:
        path = self.folder / "asked"
        return path.read_text() if path.exists() else ""

    def test_nothing_missing_is_silent_and_installs_nothing(self):
        done = self.run_for("all")
        self.assertEqual((done.returncode, done.stdout, done.stderr, self.asked()), (0, "", "", ""))

    def test_only_what_is_missing_is_installed_and_the_line_is_shown_first(self):
        self.knows("gnuplot-nox", "libcmocka-dev")
        done = self.run_for("bench")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("apt-get install -y -q --no-install-recommends gnuplot-nox\n", done.stdout)
        self.assertNotIn("libcmocka", self.asked())
        self.assertIn("libcmocka-dev", self.run_for("test").stdout)

    def test_each_verb_asks_for_all_it_needs_on_an_empty_machine(self):
        for what in ("bench", "test", "recordings"):
            self.command("dpkg-query", "exit 1")
            asked = self.run_for(what).stdout
            for package in ("gcc", "g++", "libbenchmark-dev", "libjansson-dev", "libzstd-dev", "libjemalloc2"):
                self.assertIn(package, asked, what)

    def test_a_package_that_is_here_for_two_architectures_is_here(self):
        self.command("dpkg-query", 'echo "installed arm64"; echo "installed amd64"')
        self.assertEqual((self.run_for("bench").stdout, self.asked()), ("", ""))

    def test_a_package_of_another_architecture_alone_is_missing(self):
        self.command("dpkg-query", 'echo "installed arm64"')
        self.assertIn("libbenchmark-dev", self.run_for("bench").stdout)

    def test_lists_are_fetched_once_and_only_after_a_failure(self):
        self.knows("gcc")
        self.apt(f'echo "$1" >>{self.folder}/asked; [ "$1" = update ] && touch {self.folder}/fresh; [ -e {self.folder}/fresh ]')
        self.assertEqual(self.run_for("bench").returncode, 0)
        self.assertEqual(self.asked().split(), ["install", "update", "install"])

    def test_an_optional_allocator_that_cannot_be_had_is_not_a_failure(self):
        self.knows("libmimalloc2.0", "libmimalloc3")
        self.apt("exit 100")
        done = self.run_for("bench")
        self.assertEqual(done.returncode, 0)
        self.assertIn("libmimalloc2.0 cannot be had", done.stderr)

    def test_of_alternatives_the_one_that_this_suite_has_is_installed(self):
        self.knows("libmimalloc2.0", "libmimalloc3", "libtcmalloc-minimal4", "libtcmalloc-minimal4t64")
        self.suite_has("make", "libmimalloc3", "libtcmalloc-minimal4t64", "libjemalloc2")
        self.assertEqual(self.run_for("bench").returncode, 0)
        self.assertTrue(self.asked().endswith("libmimalloc3 libtcmalloc-minimal4t64\n"), self.asked())

    def test_an_alternative_that_is_installed_is_enough(self):
        self.knows("libmimalloc2.0", "libtcmalloc-minimal4", "libpython3.11", "libpython3.12")
        self.assertEqual((self.run_for("bench").stdout, self.asked()), ("", ""))

    def test_without_lists_of_packages_they_are_fetched_before_an_alternative_is_chosen(self):
        self.knows("libmimalloc2.0", "libmimalloc3")
        self.suite_has("make")
        self.apt(f'echo "$@" >>{self.folder}/asked; [ "$1" = update ] && printf \'#!/bin/sh\\n[ $2 = libmimalloc3 ] && echo yes\' >{self.folder}/apt-cache; true')
        self.assertEqual(self.run_for("bench").returncode, 0)
        self.assertEqual(self.asked().splitlines()[0], "update -q")
        self.assertTrue(self.asked().endswith("libmimalloc3\n"), self.asked())

    def test_one_optional_package_that_cannot_be_had_does_not_keep_the_others_away(self):
        self.knows("libjemalloc2", "libgc-dev")
        self.apt(f'case "$*" in *libjemalloc2*) exit 100;; esac; echo "$@" >>{self.folder}/asked')
        done = self.run_for("bench")
        self.assertEqual(done.returncode, 0)
        self.assertIn("libjemalloc2 cannot be had", done.stderr)
        self.assertTrue(self.asked().endswith("libgc-dev\n"), self.asked())

    def test_tests_ask_for_the_programs_that_are_recorded_but_do_without(self):
        self.knows("sqlite3", "lld")
        self.assertEqual(self.run_for("test").returncode, 0)
        self.assertTrue(self.asked().endswith("sqlite3 lld\n"), self.asked())

    def test_a_needed_package_that_cannot_be_had_is_status_2(self):
        self.knows("gcc")
        self.apt("echo no network >&2; exit 100")
        done = self.run_for("bench")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no network", done.stderr)
        self.assertIn("still missing: gcc", done.stderr)

    def test_a_user_without_sudo_is_told_the_exact_line(self):
        self.knows("gcc", "libjemalloc2")
        done = self.run_for("bench", DEPS_UID="1000")
        self.assertEqual((done.returncode, self.asked()), (2, ""))
        self.assertIn("sudo apt-get update && sudo apt-get install -y --no-install-recommends gcc libjemalloc2", done.stderr)

    def test_a_user_whose_sudo_asks_nothing_installs_through_it(self):
        self.knows("gcc")
        self.command("sudo", '[ "$1" = -n ] && shift; exec "$@"')
        done = self.run_for("bench", DEPS_UID="1000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("+ sudo -n env", done.stdout)

    def test_deps_no_skips_everything(self):
        self.knows("gcc")
        self.assertEqual((self.run_for("bench", DEPS="no").returncode, self.asked()), (0, ""))

    def test_other_systems_get_one_line_and_status_2(self):
        for system in ("Darwin arm64", "Linux armv7l"):
            done = self.run_for("all", DEPS_UNAME=system)
            self.assertEqual((done.returncode, len(done.stderr.strip().splitlines())), (2, 1))
            self.assertIn(system, done.stderr)

    def foreign(self, *architectures: str) -> None:
        """A dpkg that has these architectures beside its own, and notes what it is asked to add."""
        lines = "".join(f"echo {name};" for name in architectures)
        self.command("dpkg", f'[ "$1" = --print-architecture ] && echo amd64 && exit\ncase "$1" in --print-foreign-architectures) {lines} ;; *) echo dpkg "$@" >>{self.folder}/asked;; esac')
        (self.folder / "dpkg").chmod(0o755)

    def test_cross_adds_the_other_architecture_before_it_asks_for_its_packages(self):
        self.foreign("i386")
        self.knows("libzstd-dev:arm64", "qemu-user", "libjemalloc2")
        done = self.run_for("cross")
        self.assertEqual(done.returncode, 0, done.stderr)
        dpkg, *apt = self.asked().splitlines()
        self.assertEqual(dpkg, "dpkg --add-architecture arm64")
        self.assertEqual(apt, ["install -y -q --no-install-recommends libzstd-dev:arm64 qemu-user"])

    def test_cross_adds_no_architecture_that_is_there_and_none_where_nothing_is_missing(self):
        self.foreign()
        self.assertEqual((self.run_for("cross").returncode, self.asked()), (0, ""))
        self.foreign("arm64")
        self.knows("qemu-user")
        self.assertEqual(self.run_for("cross").returncode, 0)
        self.assertNotIn("dpkg", self.asked())

    def test_a_user_without_sudo_is_told_of_the_architecture_too(self):
        self.foreign()
        self.knows("qemu-user")
        done = self.run_for("cross", DEPS_UID="1000")
        self.assertEqual((done.returncode, self.asked()), (2, ""))
        self.assertIn("sudo dpkg --add-architecture arm64 && sudo apt-get update && ", done.stderr)

    def test_an_aarch64_machine_needs_neither_another_architecture_nor_an_emulator(self):
        self.foreign()
        self.command("dpkg-query", "exit 1")
        done = self.run_for("cross", DEPS_UNAME="Linux aarch64")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(" gcc g++ ", done.stdout)
        for absent in ("dpkg --add", "qemu-user", "gcc-aarch64"):
            self.assertNotIn(absent, done.stdout + self.asked())

    def test_an_unknown_purpose_is_status_2(self):
        self.assertEqual(self.run_for("everything").returncode, 2)


if __name__ == "__main__":
    unittest.main()
