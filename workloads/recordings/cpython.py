# SPDX-License-Identifier: MIT
"""What Python programs do all day, bounded by its data: the program behind cpython.trace.zst.

A small library's catalogue is made up, written to JSON and read back, searched with regular expressions,
turned into instances of classes, indexed in dictionaries, sorted and printed as text. Everything follows
from a fixed seed and a fixed hash seed (PYTHONHASHSEED=0), so that each run allocates alike.
"""
from __future__ import annotations

import collections
import dataclasses
import json
import random
import re

WORDS = """arena block collector count cycle dictionary field finalizer frame generation heap index
interpreter iterator lambda list local lock memory module mutator name object pool reference release
root search set slice slot sort stack string thread trace tuple type value weak zone""".split()


@dataclasses.dataclass
class Book:
    number: int
    title: str
    author: str
    year: int
    tags: list[str]
    loans: list["Loan"] = dataclasses.field(default_factory=list)

    def key(self) -> tuple[str, int, str]:
        return (self.author, self.year, self.title)


class Loan:
    def __init__(self, book: Book, reader: str, days: int) -> None:
        self.book = book
        self.reader = reader
        self.days = days
        book.loans.append(self)

    @property
    def late(self) -> bool:
        return self.days > 28


class Node:
    """A binary search tree of keys: small instances that point to each other."""

    __slots__ = ("key", "value", "left", "right")

    def __init__(self, key: tuple[str, int, str], value: int) -> None:
        self.key, self.value = key, value
        self.left: Node | None = None
        self.right: Node | None = None

    def insert(self, key: tuple[str, int, str], value: int) -> None:
        node = self
        while True:
            side = "left" if key < node.key else "right"
            child = getattr(node, side)
            if child is None:
                setattr(node, side, Node(key, value))
                return
            node = child

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.key, self.value
        if self.right:
            yield from self.right


def make_catalogue(dice: random.Random, count: int) -> str:
    people = [f"{dice.choice(WORDS).title()} {dice.choice(WORDS).title()}" for _ in range(count // 8)]
    rows = [
        {
            "number": number,
            "title": " ".join(dice.choices(WORDS, k=dice.randint(2, 6))).capitalize(),
            "author": dice.choice(people),
            "year": dice.randint(1950, 2024),
            "tags": sorted(set(dice.choices(WORDS, k=dice.randint(0, 5)))),
            "isbn": "-".join(str(dice.randint(0, 9999)) for _ in range(4)),
            "price": round(dice.uniform(3, 90), 2),
            "note": " ".join(dice.choices(WORDS, k=dice.randint(5, 60))) if dice.random() < 0.2 else None,
        }
        for number in range(count)
    ]
    return json.dumps({"name": "catalogue", "books": rows}, indent=1)


def read_catalogue(text: str) -> list[Book]:
    return [Book(row["number"], row["title"], row["author"], row["year"], row["tags"])
            for row in json.loads(text)["books"]]


def lend(dice: random.Random, books: list[Book], count: int) -> list[Loan]:
    return [Loan(dice.choice(books), f"reader {dice.randint(1, 200)}", dice.randint(1, 40)) for _ in range(count)]


def count_words(text: str) -> list[tuple[str, int]]:
    words: dict[str, int] = collections.defaultdict(int)
    for match in re.finditer(r"[A-Za-z]+", text):
        words[match.group().lower()] += 1
    return sorted(words.items(), key=lambda pair: (-pair[1], pair[0]))


def tokens(source: str) -> list[tuple[str, str]]:
    pattern = re.compile(r"(?P<number>\d+(?:\.\d+)?)|(?P<name>\w+)|(?P<operator>[-+*/(){}\[\]:,.=])|\s+|(?P<other>.)")
    return [(match.lastgroup, match.group()) for match in pattern.finditer(source) if match.lastgroup]


def report(books: list[Book]) -> str:
    by_author: dict[str, list[Book]] = {}
    for book in books:
        by_author.setdefault(book.author, []).append(book)
    lines = []
    for author, written in sorted(by_author.items()):
        late = sum(loan.late for book in written for loan in book.loans)
        lines.append(f"{author:<30} {len(written):>3} books, {late:>3} loans late")
        lines += ["    {} ({})".format(book.title, book.year) for book in sorted(written, key=Book.key)]
    return "\n".join(lines)


def main() -> None:
    dice = random.Random(3)
    text = make_catalogue(dice, 700)
    books = read_catalogue(text)
    loans = lend(dice, books, 1500)
    root = Node(books[0].key(), 0)
    for book in books[1:]:
        root.insert(book.key(), book.number)
    order = [number for _, number in root]
    shelves = {tag: {book.title for book in books if tag in book.tags} for tag in WORDS}
    common = count_words(text[:80000])[:5]
    kinds = collections.Counter(kind for kind, _ in tokens(text[:20000]))
    page = report(books)
    changed = re.sub(r"\b(\w+) (\w+)\b", lambda match: match.group(2) + " " + match.group(1), page)
    squares = {n: [n * n + k for k in range(n % 7)] for n in range(2000, 5000)}
    late = collections.Counter(loan.reader for loan in loans if loan.late).most_common(3)
    print(len(order), len(shelves), common[0], kinds["name"], len(page), len(changed), len(squares), late[0])


if __name__ == "__main__":
    main()
