# SPDX-License-Identifier: MIT
"""Tables show the library that ran, with its version; and scripts find it whatever a release calls it."""
from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

import fake_run
import machine
import names
import plots
import record
import reference
import registry
import report
import summary
import table

JEMALLOC = {"glibc": "2.36", "allocator_version": "5.3.0-0-g54eaed1d", "allocator_library": "/usr/lib/libjemalloc.so.2"}


def line(allocator: str, collector: str | None = None, **build: str | None) -> dict:
    return {"allocator": allocator, "collector": collector, "build": build or None}


class Shown(unittest.TestCase):
    named = names.Names([
        line("system", glibc="2.36"), line("jemalloc", **JEMALLOC), line("locked:mimalloc", glibc="2.36", allocator_version="3.0.1"),
        line("tcmalloc", "refcount", glibc="2.36", allocator_version="gperftools 2.10"), line("pymalloc", glibc="2.36", allocator_version=None),
        line("pyobject", allocator_version="libpython 3.13.5, with an interpreter"), line("bump"),
        line("/opt/lib/libother.so", allocator_version="5.3.0"), line("/opt/lib/libthird.so", allocator_version="gperftools 2.16"),
        line("system", "boehm", glibc="2.36", libgc="8.2.2, 1 marking"),
    ])

    def test_an_allocator_is_its_library_and_version(self) -> None:
        for spec, shown in {"system": "glibc 2.36", "jemalloc": "jemalloc 5.3.0", "locked:jemalloc": "locked:jemalloc 5.3.0",
                            "mimalloc": "mimalloc 3.0.1", "tcmalloc": "gperftools 2.10", "pymalloc,arena=256K": "pymalloc,arena=256K",
                            "pyobject": "pyobject 3.13.5 with an interpreter", "bump": "bump", "/opt/lib/libother.so": "libother.so 5.3.0",
                            "/opt/lib/libthird.so": "libthird.so (gperftools 2.16)", "never:measured": "never:measured"}.items():
            self.assertEqual(self.named.allocator(spec), shown, spec)

    def test_a_label_keeps_what_stands_around_the_allocator(self) -> None:
        for (label, collector, allocator), shown in {
                ("system", None, "system"): "glibc 2.36", ("system#2", None, "system"): "glibc 2.36#2",
                ("refcount/tcmalloc@2", "refcount", "tcmalloc"): "refcount/gperftools 2.10 @2",
                ("cyclic[threshold=7]/jemalloc@2#2", "cyclic", "jemalloc"): "cyclic[threshold=7]/jemalloc 5.3.0 @2#2",
                ("locked:jemalloc@2", None, "locked:jemalloc"): "locked:jemalloc 5.3.0 @2",
                ("libother.so", None, "/opt/lib/libother.so"): "libother.so 5.3.0",
                ("pymalloc,arena=256K,keep=all", None, "pymalloc,arena=256K,keep=all"): "pymalloc,arena=256K,keep=all",
                ("boehm/system", "boehm", "system"): "boehm 8.2.2/glibc 2.36", ("gil/pymalloc@2", "gil", "pymalloc"): "gil/pymalloc@2",
                ("anything", "python", "3.11.2"): "anything"}.items():
            self.assertEqual(self.named.label(label, collector, allocator), shown)

    def test_two_versions_in_one_run_are_both_named(self) -> None:
        both = names.Names([line("jemalloc", **JEMALLOC), line("jemalloc", **{**JEMALLOC, "allocator_version": "5.3.1-0-gabc"})])
        self.assertEqual(both.allocator("jemalloc"), "jemalloc 5.3.0 and jemalloc 5.3.1")

    def test_versions_of_packages_are_those_of_their_authors(self) -> None:
        for version, short in {"5.3.0-1": "5.3.0", "2.0.9+ds-2": "2.0.9", "1:8.2.2-3": "8.2.2", "3.0.1+ds-2.1": "3.0.1", "2.10": "2.10"}.items():
            self.assertEqual(names.short(version), short)

    def test_packages_of_either_release_give_the_versions(self) -> None:
        self.assertEqual(names.of_packages({"libc": "glibc 2.36", "packages": {"libmimalloc2.0": "2.0.9+ds-2", "libtcmalloc-minimal4": "2.10-1"}}),
                         {"system": "glibc 2.36", "mimalloc": "mimalloc 2.0.9", "tcmalloc": "gperftools 2.10"})
        self.assertEqual(names.of_packages({"libc": "glibc 2.41", "packages": {"libmimalloc3": "3.0.1+ds-2.1", "libtcmalloc-minimal4t64": "2.16-1"}}),
                         {"system": "glibc 2.41", "mimalloc": "mimalloc 3.0.1", "tcmalloc": "gperftools 2.16"})
        self.assertEqual(names.of_packages({}), {})


class InTables(unittest.TestCase):
    """A run whose lines say what was in the process."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        run = fake_run.write(Path(folder.name) / "run")
        self.about, self.lines = record.read_run(run), record.read_lines(run)
        for l in self.lines:
            l["build"] = {**l["build"], "glibc": "2.36", **(JEMALLOC if l["allocator"] == "jemalloc" else {})}
        self.groups = summary.summarise(self.about["matrix"], self.lines)

    def test_the_printed_table_the_page_and_the_legend_have_versions(self) -> None:
        text = table.printed(self.groups, {})
        self.assertRegex(text, r"(?m)^  glibc 2\.36 ")
        self.assertRegex(text, r"(?m)^  jemalloc 5\.3\.0 ")
        self.assertIn("as they are asked for: glibc 2.36 is system", text)
        page = report.page_data(Path("nowhere"), self.about, self.lines, self.groups)
        self.assertIn(("jemalloc", "jemalloc 5.3.0"), [(r["label"], r["name"]) for g in page["groups"] for r in g["rows"]])
        shown = {plots.backend_of(g, r).name for g in self.groups for r in g.rows if not r.collector}
        self.assertLessEqual({"glibc 2.36", "jemalloc 5.3.0"}, shown)

    def test_the_key_of_a_row_stays(self) -> None:
        text = table.summary_tsv(self.groups, self.lines)
        self.assertIn("\tjemalloc\t", text)
        self.assertNotIn("5.3.0", text)

    def test_a_table_of_the_readme_has_versions(self) -> None:
        self.assertEqual(reference.shown(self.groups)["jemalloc"], "jemalloc 5.3.0")


class Libraries(unittest.TestCase):
    def test_the_registry_is_read_whole(self) -> None:
        found = registry.libraries()
        self.assertEqual([n for n, l in found.items() if l.preloaded], ["jemalloc", "mimalloc", "tcmalloc"])
        self.assertIn("libpython3.13.so.1.0", found["pyobject"].sonames)
        self.assertEqual(found["mimalloc"].packages, ("libmimalloc2.0", "libmimalloc3"))
        self.assertEqual(found["mimalloc"].missing(), "libmimalloc2.0 or libmimalloc3")

    def test_the_soname_that_the_loader_finds_is_taken(self) -> None:
        library = registry.Library("x", True, ("libnonexistent.so.7", "libm.so.6"), ("a", "b"))
        self.assertEqual(library.found(), "libm.so.6")
        self.assertTrue(registry.path_of("libm.so.6").exists())
        self.assertIsNone(registry.path_of("libnonexistent.so.7"))
        self.assertEqual(registry.Library("x", True, ("libnonexistent.so.7",), ("a",)).found(), "libnonexistent.so.7")

    @unittest.skipUnless(Path("/usr/bin/dpkg-query").exists(), "no dpkg here")
    def test_the_package_of_the_file_that_is_used_is_found(self) -> None:
        package, version = machine.package_of(registry.path_of("libc.so.6"))
        self.assertEqual(package, "libc6")
        self.assertEqual(machine.packages()["libc6"], version)
        self.assertIsNone(machine.package_of(__file__))

    def test_without_dpkg_there_are_no_packages_and_no_complaint(self) -> None:
        with mock.patch.object(machine, "_run", return_value=None):
            self.assertEqual(machine.packages(), {})
            self.assertIsNone(machine.package_of("/lib/libc.so.6"))

    def test_a_scene_without_tcmalloc_names_the_packages_of_every_release(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            code = (f"import sys; sys.path[:0] = [{str(ROOT / 'scripts/cpython')!r}, {str(ROOT / 'scripts')!r}]\n"
                    "import registry, scenes_memory\nregistry.path_of = lambda soname: None\n"
                    "try: scenes_memory._preloaded(1)\nexcept ImportError as error: print(error.name)")
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder, env=os.environ)
        self.assertEqual(done.stdout.strip(), "libtcmalloc-minimal4 or libtcmalloc-minimal4t64")


if __name__ == "__main__":
    unittest.main()
