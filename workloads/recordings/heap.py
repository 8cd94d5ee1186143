# SPDX-License-Identifier: MIT
"""heap.py - a process to take a snapshot of: a good part of the standard library, and what it made of some work.

Documents, syntax trees, tables and a scheduler: containers of many kinds, a good part of them in cycles (nodes that know
their parents, closures that know themselves, tasks and loops), as programs have them.
"""
import ast
import asyncio
import collections
import concurrent.futures
import csv
import dataclasses
import decimal
import email.message
import enum
import functools
import http.server
import importlib
import inspect
import io
import json
import logging
import pathlib
import sqlite3
import unittest
import weakref
import xml.dom.minidom
import xml.etree.ElementTree


@dataclasses.dataclass
class Order:
    number: int
    customer: str
    lines: list
    shipped: bool = False


class Node:
    """A tree whose nodes know their parent."""

    def __init__(self, name, parent=None):
        self.name, self.parent, self.children = name, parent, []
        if parent is not None:
            parent.children.append(self)


def source(module):
    return pathlib.Path(inspect.getsourcefile(module)).read_text()


# three modules as syntax trees
trees = {module.__name__: ast.parse(source(module)) for module in (dataclasses, csv, weakref)}

# a document of JSON, another of XML: its nodes know their parents and siblings
document = json.loads(json.dumps([{"id": i, "name": f"item {i}", "tags": [f"t{i % 17}", f"u{i % 5}"],
                                   "price": i / 7, "stock": {"here": i % 13, "there": i % 3}} for i in range(3000)]))
page = xml.dom.minidom.parseString("<page>" + "".join(
    f"<row id='r{i}'><cell>{i}</cell><cell class='c{i % 7}'>{i * i}</cell></row>" for i in range(800)) + "</page>")
elements = xml.etree.ElementTree.fromstring("<l>" + "<i><a/><b>x</b></i>" * 800 + "</l>")

# orders, indexed twice; a cache of results; a tree of nodes
orders = [Order(i, f"customer {i % 211}", [(f"sku{i * j % 97}", j) for j in range(i % 6)]) for i in range(4000)]
by_customer = collections.defaultdict(list)
for order in orders:
    by_customer[order.customer].append(order)


@functools.lru_cache(maxsize=2048)
def spelled(number):
    return [digit for digit in str(number ** 7)]


for number in range(3000):
    spelled(number)
root = Node("root")
level = [root]
for depth in range(5):
    level = [Node(f"{parent.name}/{i}", parent) for parent in level for i in range(5)]


# tasks that ran, and what they left; a table of the database; a log that was written
async def work(number, results):
    await asyncio.sleep(0)
    results.append({"task": number, "done": True})


async def all_work(results):
    await asyncio.gather(*(work(number, results) for number in range(500)))


results = []
asyncio.run(all_work(results))
table = sqlite3.connect(":memory:")
table.execute("CREATE TABLE t(a, b)")
table.executemany("INSERT INTO t VALUES(?, ?)", ((i, str(i)) for i in range(1000)))
rows = table.execute("SELECT * FROM t ORDER BY b").fetchall()
written = io.StringIO()
logger = logging.getLogger("heap")
logger.addHandler(logging.StreamHandler(written))
logger.warning("done")
