#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""claims_reference.py - the verdicts that the README shows: `make claims-reference`.

Copies a finished run of `make claims` to results/reference-claims/ and writes the tables between the comments
<!-- claims: NAME --> and <!-- end --> of README.md and claims/README.md from it, so that no verdict is typed by hand.
With --check it only says whether they agree.
"""
from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # python3 -P leaves it out
import net

net.spread(__name__)

import re
from typing import Any

import claim_report
import price
import record
from claims_soak import told as read_told
from machine import ROOT
from net import BadInput

REFERENCE = record.RESULTS / "reference-claims"
PAGES = {ROOT / "README.md": "results/reference-claims/plots/claims/",
         ROOT / "claims/README.md": "../results/reference-claims/plots/claims/"}


def rewritten(text: str, told: dict[str, Any], link: str) -> str:
    figure = f"![{price.TITLE}](results/{REFERENCE.name}/plots/price.png)"
    tables = {"price": lambda: f"{figure}\n\n{price.markdown(told['price'])}", "verdicts": lambda: claim_report.verdict_table(told, link),
              "count": lambda: claim_report.counted(told)}
    for name, make in tables.items():
        text = re.sub(rf"(<!-- claims: {name} -->\n).*?(<!-- end -->)", lambda m: m[1] + make() + "\n" + m[2], text, flags=re.S)
    return text


def main(arguments: list[str]) -> int:
    parser = net.Parser(prog="claims_reference.py", description=net.doc(__doc__, __file__).splitlines()[0])
    parser.add_argument("--run", default="latest", help="the finished run to show")
    parser.add_argument("--check", action="store_true", help="do the pages show results/reference-claims?")
    options = parser.parse_args(arguments)
    if options.check and not (REFERENCE / "claims.json").exists():
        return 0
    if not options.check:
        folder = record.find(options.run)
        if not read_told(folder)["price"]:
            raise BadInput(f"{record.shown(folder)} is of single claims; show a run of all")
        if folder != REFERENCE:
            record.keep(folder, REFERENCE)
    told = read_told(REFERENCE)
    fresh = {page: rewritten(page.read_text(encoding="utf-8"), told, link) for page, link in PAGES.items()}
    stale = [page for page, text in fresh.items() if text != page.read_text(encoding="utf-8")]
    if options.check:
        for page in stale:
            print(f"claims-reference: {record.shown(page)} does not show results/reference-claims: "
                  "run scripts/claims_reference.py --run reference-claims", file=sys.stderr)
        return int(bool(stale))
    for page in stale:
        record.write_whole(page, fresh[page])
    return 0


if __name__ == "__main__":
    net.run("claims-reference", lambda: main(sys.argv[1:]))
