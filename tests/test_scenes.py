# SPDX-License-Identifier: MIT
"""The scenes of talks on CPython's memory: what each shows is in its figures, on the collectors that can show it."""
from __future__ import annotations

import sys
import unittest

from test_workloads import invocation


def figures(name: str, *arguments: str) -> dict[str, float]:
    """Of an invocation that went well: what each figure was in every one of its units, or its mean."""
    line = invocation(name, *arguments)
    if line["outcome"] != "ok":
        raise AssertionError(f"{name} {arguments}: {line['message']}")
    return {key: value["mean"] for key, value in line["figures"].items()}


class Names(unittest.TestCase):
    def test_only_integers_above_256_are_born(self) -> None:
        for name in ("refcount", "cyclic", "immortal", "segregated"):
            said = figures(name, "names", "size=500")
            self.assertEqual((said["objects_born"], said["objects_died"]), (1500, 1500), name)

    def test_a_count_follows_the_names_where_there_are_counts(self) -> None:
        for name in ("refcount", "cyclic", "immortal", "atomic", "biased", "free_threaded"):
            said = figures(name, "names", "size=1")
            self.assertEqual([said[f] for f in ("born", "shared", "left", "gone")], [1, 2, 1, 1], name)
        self.assertNotIn("born", figures("marksweep", "names", "size=1"))

    def test_a_call_with_small_integers_makes_and_frees_nothing(self) -> None:
        for name in ("refcount", "cyclic", "segregated", "marksweep"):
            self.assertEqual(figures(name, "calls", "argument=five", "size=500"), {"objects_born": 0, "objects_died": 0}, name)
        self.assertGreater(figures("cyclic", "calls", "size=500")["objects_died"], 500)

    def test_calls_however_deep_free_what_they_make(self) -> None:
        for name in ("refcount", "cyclic", "segregated"):
            said = figures(name, "areas", "size=1000")
            self.assertEqual((said["objects_born"], said["objects_died"]), (2 * (1000 - 256), 2 * (1000 - 256)), name)


class Sequences(unittest.TestCase):
    def test_a_boxed_number_takes_four_times_the_bytes(self) -> None:
        self.assertEqual([figures("cyclic", "sum", "size=500", f"numbers={n}")["bytes_per_number"] for n in ("boxed", "unboxed")],
                         [8 + 16 + 8, 8])

    def test_a_list_grows_as_pythons_and_a_slice_is_a_copy(self) -> None:
        grown: list[int] = []
        items: list[None] = []
        for _ in range(5000):                           # Debian's Python is a 3.11 or later; they grow alike
            items.append(None)
            if (room := sys.getsizeof(items)) not in grown:
                grown.append(room)
        self.assertEqual(figures("refcount", "lists", "act=append", "size=5000")["grown"], len(grown))
        self.assertEqual(figures("refcount", "lists", "act=slice", "size=5000")["slice_bytes"], 2500 * 8)

    def test_a_view_keeps_the_array_and_a_copy_lets_it_go(self) -> None:
        for name in ("refcount", "cyclic", "locked_object", "atomic", "biased"):
            self.assertEqual(figures(name, "views", "size=500", "mode=keep"), {"died_with_name": 0, "died_in_all": 2}, name)
            self.assertEqual(figures(name, "views", "size=500", "mode=copy"), {"died_with_name": 1, "died_in_all": 2}, name)
        self.assertEqual(figures("refcount", "views", "mode=slices", "size=500")["view_bytes"], 112)      # NumPy's

    def test_characters_of_a_short_string_are_dear(self) -> None:
        for length in (1, 10, 1000):
            self.assertAlmostEqual(figures("refcount", "strings", f"length={length}", "size=20")["bytes_per_character"],
                                   (49 + length) / length, 5)

    def test_equal_interned_strings_are_one(self) -> None:
        self.assertEqual(figures("refcount", "strings", "act=intern", "size=1000")["texts"], 100)

    def test_a_dict_of_its_own_costs_an_instance_four_times_its_slots(self) -> None:
        header = 16
        table = 5 * 24 + 8                              # entries that eight slots may use; their indices
        self.assertEqual([figures("refcount", "instances", "size=20", f"form={form}")["bytes_per_instance"] for form in ("dict", "slots")],
                         [header + 8 + header + 32 + table, header + 4 * 8])


class Race(unittest.TestCase):
    def race(self, name: str, order: str, size: int) -> dict[str, float]:
        return figures(name, "race", f"order={order}", f"size={size}", "--threads=2")

    def test_a_count_that_is_safe_loses_nothing(self) -> None:
        for name in ("gil", "tick_gil", "locked_object", "locked_global", "parked_object", "atomic", "biased", "free_threaded"):
            for order in ("apart", "mixed", "takes", "drops"):
                said = self.race(name, order, 20000)
                self.assertEqual({key: n for key, n in said.items() if n}, {}, f"{name} {order}")

    def test_a_plain_count_loses_updates_and_the_dead_that_are_touched_are_counted(self) -> None:
        lost = early = 0.0
        for _ in range(200):                            # on a busy machine the threads may miss each other
            said = self.race("racy", "apart", 500000)
            lost += said["lost_takes"]
            early += said["premature_touches"]
            if lost and early:
                return
        self.fail(f"lost takes: {lost}, touches of the dead: {early}")

    def test_only_a_lost_take_ends_a_life_early(self) -> None:
        for order, lost, never in (("takes", "premature_touches", ("lost_drops",)),
                                   ("drops", "lost_drops", ("lost_takes", "premature_touches", "double_deaths"))):
            seen = []
            while len(seen) < 5 or (len(seen) < 200 and not any(seen)):
                said = self.race("racy", order, 300000)
                self.assertEqual([said[name] for name in never], [0] * len(never), order)
                seen.append(said[lost])
            self.assertGreater(sum(seen), 0, f"{order}: {lost}")


class Io(unittest.TestCase):
    def test_wake_ups_and_bytes_have_latencies(self) -> None:
        for name, threads in (("refcount", 1), ("gil", 2), ("atomic", 2)):
            for kind in ("sleep", "pipe"):
                said = figures(name, "io", f"kind={kind}", "size=20", "sleep_us=100", f"--threads={threads}")
                self.assertLessEqual(0, said["latency_p50_ns"])
                self.assertLessEqual(said["latency_p50_ns"], said["latency_max_ns"])
                self.assertEqual("computed_per_s" in said, threads == 2)
                self.assertNotIn("latency_p90_ns", said)            # of 20, two lie above it


class Fork(unittest.TestCase):
    """Of 20,000 objects of 48 bytes, or 32 without the collector's links."""

    def share(self, name: str, child: str, objects: str) -> float:
        return figures(name, "fork", "size=20000", f"child={child}", f"objects={objects}")["dirtied_share"]

    def test_a_child_that_counts_gets_copies_of_what_it_reads(self) -> None:
        for name in ("refcount", "cyclic", "atomic"):
            self.assertGreater(self.share(name, "reads", "counted"), 0.9, name)
        for name in ("leak", "marksweep"):
            self.assertLess(self.share(name, "reads", "counted"), 0.1, name)

    def test_immortal_objects_stay_shared(self) -> None:
        self.assertLess(self.share("immortal", "reads", "immortal"), 0.1)

    def test_frozen_objects_stay_shared_under_a_collection_and_not_under_reads(self) -> None:
        self.assertGreater(self.share("cyclic", "collects", "counted"), 0.9)
        self.assertLess(self.share("cyclic", "collects", "frozen"), 0.1)
        self.assertGreater(self.share("cyclic", "reads", "frozen"), 0.9)

    def test_what_a_collector_cannot_do_is_said(self) -> None:
        for objects, missing in (("immortal", "immortal objects"), ("frozen", "freezing")):
            line = invocation("refcount", "fork", "size=100", f"objects={objects}")
            self.assertEqual(line["outcome"], "unsupported")
            self.assertIn(missing, line["message"])


if __name__ == "__main__":
    unittest.main()
