#!/usr/bin/python3 -SE
# SPDX-License-Identifier: MIT
"""fake_harness.py - speaks as the harness does, and measures nothing: for the tests of the run.

Its name is its collector ("blocks": none). FAKE in the environment is a JSON object: label -> what happens,
of ns (an operation), power (of the parameter size, that ns grows with), noise (relative), checksum, outcome, crash_at, hang_at, full_at (turn or round number),
crash_on_repetition, delay (share of wall), capacity, reclaims, peak, figures (name -> value),
sleep_s (a turn or invocation), eat_mib (of memory), share_a_core. "*" is for all.
FAKE_LOG names a file that gets one line per process and turn; FAKE_PIDS one that gets each process's id, and when it
started in the kernel's ticks: together they name a process for good, where an id alone may be given again.
"""
import argparse
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

ALLOCATORS = ["system", "jemalloc", "mimalloc", "pymalloc", "bump"]
WORKLOADS = {"blocks": ["churn", "replay"], "objects": ["calls", "cycles", "shared"]}
OPERATIONS = 1000


def listed(me: str) -> dict:
    kind = "blocks" if me == "blocks" else "objects"
    return {"collector": None if me == "blocks" else {"name": me}, "abilities": [], "allocator_use": "objects",
            "workloads": [{"name": n, "idea": "fake", "operation": "step", "threaded": n == "shared",
                           "parameters": []} for n in WORKLOADS[kind]],
            "allocators": [{"name": n, "kind": "own", "idea": "fake", "package": None, "installed": True} for n in ALLOCATORS]}


class Fake:
    def __init__(self, options: argparse.Namespace, me: str) -> None:
        self.options, self.me = options, me
        plan = json.loads(os.environ.get("FAKE", "{}"))
        plain = options.label.removesuffix("#2")
        self.plan = {**plan.get("*", {}), **plan.get(plain, {}), **plan.get(options.label, {})}
        self.noise = random.Random(f"{options.label}/{options.repetition}")
        self.turns = 0

    def log(self, word: str) -> None:
        if "FAKE_LOG" in os.environ:
            with open(os.environ["FAKE_LOG"], "a", encoding="utf-8") as stream:
                stream.write(f"{self.options.workload} {self.options.label} {self.options.repetition} {word}\n")

    def facts(self) -> dict:
        o = self.options
        return {"schema": 1, "outcome": "ok", "message": "", "mode": "turns" if o.resident else "blocks", "label": o.label,
                "repetition": o.repetition, "workload": o.workload,
                "parameters": {k: int(v) if v.isdigit() else v for k, v in (p.split("=") for p in o.parameters)},
                "collector": None if self.me == "blocks" else self.me, "allocator": o.allocator, "threads": o.threads,
                "options": {}, "seed": o.seed,
                "declared": {"operations": OPERATIONS, "allocations": 10, "bytes": 100, "references": 0},
                "counted": {"allocations": 10, "bytes": 100}, "renewed": False,
                "reclaims": self.plan.get("reclaims", True), "memory": None,
                "figures": {name: {"count": 1, "mean": value, "least": value, "most": value}
                            for name, value in self.plan.get("figures", {}).items()},
                "capacity": self.capacity(), "cpus": [int(n) for n in o.cpus.split(",")] if o.cpus else [o.cpu],
                "share_a_core": self.plan.get("share_a_core", False), "build": {"compiler": "none", "allocator_library": None}}

    def capacity(self) -> dict | None:
        if self.options.threads == 1:
            return None
        value = self.plan.get("capacity", 1.95)
        return {"before": value, "after": value}

    def round(self, units: int, lead_in: int) -> dict:
        self.turns += 1
        self.misbehave()
        slower = int(self.facts()["parameters"].get("size", 1)) ** self.plan.get("power", 0)
        wall = units * OPERATIONS * self.plan.get("ns", 10) * slower * self.noise.gauss(1, self.plan.get("noise", 0.01))
        return {"units": units, "lead_in_units": lead_in, "operations": units * OPERATIONS * self.options.threads,
                "wall_ns": round(wall), "cpu_ns": round(wall * self.options.threads),
                "checksum": self.plan.get("checksum", "00000000000000aa"), "collections": self.plan.get("collections", [0, 0, 0]),
                "run_delay_ns": round(wall * self.plan.get("delay", 0)), "involuntary_switches": 0}

    def misbehave(self) -> None:
        time.sleep(self.plan.get("sleep_s", 0))
        self.eaten = [bytearray(b"x") * (1 << 20) for _ in range(self.plan.get("eat_mib", 0))]
        if self.turns == self.plan.get("crash_at") or self.options.repetition == self.plan.get("crash_on_repetition"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.turns == self.plan.get("hang_at"):
            time.sleep(1000)
        if self.turns == self.plan.get("full_at"):
            self.end("heap_full")

    def end(self, outcome: str) -> None:
        event = {"event": "bye"} if self.options.resident else {}
        say({**self.facts(), **event, "outcome": outcome, "message": f"fake {outcome}", "rounds": []})
        sys.exit(3)

    def memory(self) -> dict:
        peak = self.plan.get("peak", 10 << 20)
        return {"baseline_rss": 1 << 20, "baseline_uss": 1 << 19, "peak_rss": peak, "end_rss": peak, "end_pss": peak,
                "end_uss": peak, "end_lazyfree": 0, "finished_rss": 2 << 20, "finished_after_200ms_rss": 2 << 20,
                "finished_trimmed_rss": 1 << 20, "workload_bytes": 0, "held_bytes": None, "used_bytes": None, "requested_peak_bytes": 5 << 20,
                "live_bytes": 5 << 20, "overhead": (peak - (1 << 20)) / (5 << 20), "moments": [],
                "series": [[i * 10**6, (1 << 20) + peak * i // 20, peak * i // 20] for i in range(21)]}

    def resident(self) -> None:
        say({"event": "ready", **self.facts(), "unit_ns": OPERATIONS * self.plan.get("ns", 10)})
        for line in sys.stdin:
            word, *numbers = line.split()
            if word == "quit":
                break
            self.log("turn")
            say({"event": "turn", **self.round(*map(int, numbers))})
        say({"event": "bye", "outcome": "ok", "memory": None})

    def whole(self) -> None:
        rounds = [self.round(self.options.units or 100, self.options.lead_in) for _ in range(self.options.rounds)]
        say({**self.facts(), "rounds": rounds, "memory": self.memory() if self.options.memory else None})


def say(answer: dict) -> None:
    print(json.dumps(answer), flush=True)


def sign_in() -> None:
    if "FAKE_PIDS" in os.environ:
        started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
        with open(os.environ["FAKE_PIDS"], "a", encoding="utf-8") as stream:
            stream.write(f"{os.getpid()} {started}\n")


def main() -> None:
    me = Path(sys.argv[0]).name
    sign_in()
    if sys.argv[1:] == ["--list=json"]:
        say(listed(me))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("parameters", nargs="*")
    for name, kind in (("allocator", str), ("label", str), ("threads", int), ("seed", int), ("cpu", int), ("units", int),
                       ("rounds", int), ("lead-in", int), ("sample-ms", int), ("memory-limit", int), ("repetition", int)):
        parser.add_argument(f"--{name}", type=kind, default=1 if kind is int and name != "units" else 0)
    parser.add_argument("--cpus", default="")
    for name in ("resident", "memory"):
        parser.add_argument(f"--{name}", action="store_true")
    fake = Fake(parser.parse_args(), me)
    fake.log("start memory" if fake.options.memory else "start")
    if "bad" in fake.plan:
        print(fake.plan["bad"], file=sys.stderr)
        sys.exit(2)
    if "outcome" in fake.plan:
        fake.end(fake.plan["outcome"])
    fake.resident() if fake.options.resident else fake.whole()


if __name__ == "__main__":
    main()
