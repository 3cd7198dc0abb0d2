"""Variables of the notebook that a candidate writes out anew: small models begin with it unasked.

What they write down is what they were told of the variable, a few of its values, or made up. It is a doubt and never
taken out: data written in code may well be what the user wants.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent.cells import is_data
from llmos_jupyter.agent.inspection import live

# Values of a live object that are compared with those of a copy; a longer one is never the same.
VALUES = 100_000


def written_anew(code: str, request: str, namespace: Mapping[str, Any]) -> list[str]:
    """Variables that the code replaces by written-out data which are neither the same nor given in the request."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = []
    for node in tree.body:
        name = _assigned(node)
        if isinstance(node, ast.Assign) and name in namespace and _holds_data(namespace[name]) and is_data(node.value):
            same = set(_values(node.value)) - set(_keys(node.value)) == _held(namespace[name])
            if not same and not _users_own(node.value, request):
                found.append(name)
    return found


def _assigned(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _values(node: ast.expr) -> Iterator[Any]:
    """The constants that an expression writes out, names of arguments' settings left out."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, (str, int, float)):
            yield inner.value


def _keys(node: ast.expr) -> list[Any]:
    first = next((inner for inner in ast.walk(node) if isinstance(inner, ast.Dict)), None)
    return [key.value for key in first.keys if isinstance(key, ast.Constant)] if first else []


def _users_own(node: ast.expr, request: str) -> bool:
    """Whether all values stand in the request: the labels that the code gives them need not."""
    labels = set(_keys(node))
    return all(_stands_in(value, request) for value in set(_values(node)) - labels)


def _stands_in(value: Any, request: str) -> bool:
    return str(value) in request or (isinstance(value, float) and f"{value:g}" in request)


def _held(value: Any) -> set[Any]:
    """The plain values that a live object holds; none where there are too many to look at."""
    if live.is_frame(value):
        if value.size > VALUES:
            return set()
        columns = [value.iloc[:, place] for place in range(value.shape[1])]
        return {item for column in columns for item in column.tolist() if isinstance(item, (str, int, float))}
    if live.is_series(value) or live.class_name(type(value)) == "ndarray":
        flat = value if live.is_series(value) else value.ravel()
        return set(flat.tolist()) if value.size <= VALUES else set()
    items = list(value.values()) if type(value) is dict else list(value) if len(value) <= VALUES else []
    found = set()
    for item in items:
        inner = item if type(item) in (list, tuple, set) else [*item, *item.values()] if type(item) is dict else [item]
        found |= {leaf for leaf in inner if isinstance(leaf, (str, int, float))}
    return found


def _holds_data(value: object) -> bool:
    if type(value) in (list, dict, tuple, set):
        return True
    home = live.class_module(type(value)).partition(".")[0]
    return home in ("pandas", "numpy") and live.class_name(type(value)) in ("DataFrame", "Series", "ndarray")
