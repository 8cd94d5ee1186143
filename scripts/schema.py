# SPDX-License-Identifier: MIT
"""schema.py - is this what results/*.schema.json say it is? So that a damaged result is named where it is read.

Only what those schemas use of JSON Schema (draft 7) is known here, and two things are left out on purpose: keys
that a schema does not know (a later version may write more), and patterns. A number is finite: a reader divides by it.
"""
from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent.parent / "results"
FILES = {"line": "schema.json", "run": "run-schema.json", "claims": "claims-schema.json"}
DAMAGED = object()                                      # what is no JSON
LARGEST = 1 << 64                                       # no integer of a result is so large
TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda v: v is None, "boolean": lambda v: isinstance(v, bool), "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list), "object": lambda v: isinstance(v, dict),
    "integer": lambda v: type(v) is int and abs(v) < LARGEST,
    "number": lambda v: type(v) is int and abs(v) < LARGEST or type(v) is float and math.isfinite(v),
}


def parsed(text: bytes) -> Any:
    """The value, or DAMAGED."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):                # not UTF-8 is a ValueError too
        return DAMAGED


def trouble(kind: str, value: Any) -> str:
    """Where the value (of a kind in FILES) is not what its schema says, and why; '' where it is."""
    return "not JSON" if value is DAMAGED else _against(_schema(kind), value, _schema(kind))


@functools.cache
def _schema(kind: str) -> dict[str, Any]:
    return json.loads((RESULTS / FILES[kind]).read_text(encoding="utf-8"))


def _against(rule: dict[str, Any], value: Any, whole: dict[str, Any], where: str = "") -> str:
    if "$ref" in rule:
        rule = whole["definitions"][rule["$ref"].rpartition("/")[2]]
    if "anyOf" in rule:
        found = [_against(r, value, whole, where) for r in rule["anyOf"]]
        return "" if "" in found else found[-1]
    if "if" in rule and not _against(rule["if"], value, whole, where) and (wrong := _against(rule["then"], value, whole, where)):
        return wrong
    types = rule.get("type", [])
    if types and not any(TYPES[t](value) for t in ([types] if isinstance(types, str) else types)):
        return f"{where or 'it'} is no {types if isinstance(types, str) else ' or '.join(types)}"
    if "const" in rule and value != rule["const"] or "enum" in rule and value not in rule["enum"]:
        return f"{where} is not one of its values"
    if isinstance(value, (int, float)) and not rule.get("minimum", -math.inf) <= value <= rule.get("maximum", math.inf):
        return f"{where} is out of range"
    if isinstance(value, (list, str)) and not rule.get("minItems", rule.get("minLength", 0)) <= len(value) <= rule.get("maxItems", math.inf):
        return f"{where} has a wrong length"
    if isinstance(value, dict):
        return _object(rule, value, whole, where)
    return _array(rule, value, whole, where) if isinstance(value, list) and "items" in rule else ""


def _object(rule: dict[str, Any], value: dict[str, Any], whole: dict[str, Any], where: str) -> str:
    for key in rule.get("required", ()):
        if key not in value:
            return f"'{key}' is missing" + (f" in {where}" if where else "")
    named, rest = rule.get("properties", {}), rule.get("additionalProperties")
    for key, part in value.items():
        inner = named.get(key, rest)
        if isinstance(inner, dict) and (wrong := _against(inner, part, whole, f"{where}.{key}" if where else key)):
            return wrong
    return ""


def _array(rule: dict[str, Any], value: list[Any], whole: dict[str, Any], where: str) -> str:
    items = rule["items"]
    pairs = zip(items, value) if isinstance(items, list) else ((items, part) for part in value)
    return next((wrong for each, part in pairs if (wrong := _against(each, part, whole, f"an item of {where}"))), "")
