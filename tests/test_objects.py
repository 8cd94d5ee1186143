# SPDX-License-Identifier: MIT
"""Workloads on objects against what is known of them from elsewhere: counts of trees, Python's own json, a model of a cache."""
from __future__ import annotations

import json
import pathlib
import struct
import subprocess
import tempfile
import unittest
from typing import Any

TOP = pathlib.Path(__file__).resolve().parent.parent
CYCLIC = TOP / "build/bin/cyclic"
DOCUMENT = TOP / "workloads/recordings/syntax.json"
MASK = 2**64 - 1


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CYCLIC, *arguments, "--units=1", "--rounds=1"], capture_output=True, text=True, cwd=TOP, check=False)


def line(*arguments: str) -> dict:
    done = run(*arguments)
    if done.returncode != 0:
        raise AssertionError(f"{arguments}: {done.stderr}{done.stdout[:500]}")
    return json.loads(done.stdout)


def checksum(*arguments: str) -> int:
    return int(line(*arguments)["rounds"][0]["checksum"], 16)


def nodes(depth: int) -> int:
    return 2 ** (depth + 1) - 1


def digest_value(value: Any) -> int:
    if value is None or isinstance(value, bool):
        return {None: 1, True: 2, False: 3}[value]
    if isinstance(value, int):
        return value & MASK
    if isinstance(value, float):
        return struct.unpack("<Q", struct.pack("<d", value))[0]
    if isinstance(value, str):
        digest = 0
        for c in value:
            digest = (digest * 31 + ord(c)) & MASK
        return digest
    return len(value)


def digest(value: Any) -> int:
    """Of all keys and values in the order of the document."""
    total = 0
    todo = [value]
    while todo:
        at = todo.pop()
        if isinstance(at, tuple):                       # a key, then its value
            total = (total * 31 + digest_value(at[0])) & MASK
            at = at[1]
        total = (total * 31 + digest_value(at)) & MASK
        inside = at.items() if isinstance(at, dict) else at if isinstance(at, list) else ()
        todo += reversed(list(inside))
    return total


class Trees(unittest.TestCase):
    def test_binary_trees_counts_every_node(self) -> None:
        swept = sum(2 ** (6 - depth + 4) * nodes(depth) for depth in (4, 6))
        self.assertEqual(checksum("binary_trees", "size=3", "depth=6"), 3 * swept + nodes(6))

    def test_gcbench_counts_every_tree_built_either_way(self) -> None:
        expected = 0
        for depth in (4, 6):
            for _ in range(2 * (2 * nodes(8) // nodes(depth))):
                expected = (expected * 31 + nodes(depth)) & MASK
        self.assertEqual(checksum("gcbench", "depth=6", "array=500"), expected + nodes(6) + 500)

    def test_every_node_leaves_the_queue_in_its_turn(self) -> None:
        self.assertEqual(checksum("queue", "size=1234", "length=77"), 1234)


class Json(unittest.TestCase):
    def digest_of(self, text: str) -> int:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(text)
            file.flush()
            return checksum("json", f"document={file.name}")

    def test_the_tree_in_memory_is_the_one_that_python_reads(self) -> None:
        self.assertEqual(checksum("json"), digest(json.loads(DOCUMENT.read_text())))

    def test_escapes_numbers_and_empty_containers_are_read_as_python_reads_them(self) -> None:
        for text in ('[]', '{}', '[[], {}, [[1]]]', '{"a": {"b": []}}', ' [1, -2, 300, 1e3, -0.5, 12.25E-1, 9223372036854775807] ',
                     r'["\"\\\/\b\f\n\r\t", "", null, true, false]', '7', '"word"'):
            self.assertEqual(self.digest_of(text), digest(json.loads(text)), text)

    def test_a_document_cut_off_anywhere_is_refused_in_one_line(self) -> None:
        text = '{"a": [1, 2.5, {"b": null}], "c": "x\\n"}'
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "cut.json"
            for length in range(len(text)):
                path.write_text(text[:length])
                done = run("json", f"document={path}")
                self.assertEqual((done.returncode, done.stdout), (2, ""), text[:length])
                self.assertRegex(done.stderr, r"^[^\n]*cut\.json: byte \d+: [^\n]+\n$")

    def test_a_missing_document_is_named(self) -> None:
        done = run("json", "document=nothing")
        self.assertEqual(done.returncode, 2)
        self.assertIn("workloads/recordings/nothing.json", done.stderr)


class Cache(unittest.TestCase):
    def test_as_many_requests_hit_as_were_asked_for_and_each_gets_its_value(self) -> None:
        size, capacity = 1000, 2                        # of two entries the newer half is the newest: nothing is left to chance
        for share in (0, 33, 70, 100):
            made, found, expected = capacity, 0, 0
            for i in range(size):
                if (i + 1) * share // 100 != i * share // 100:
                    found += 1
                else:
                    made += 1
                expected = (expected * 31 + 1000 + made - 1) & MASK
            self.assertEqual(checksum("lru", f"size={size}", f"capacity={capacity}", f"hits={share}"), (expected * 31 + found) & MASK)


if __name__ == "__main__":
    unittest.main()
