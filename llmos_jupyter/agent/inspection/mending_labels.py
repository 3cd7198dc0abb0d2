"""Repairs of labels that are the same as text: 2021 for '2021', 'price ' for 'price', a tuple for its joined parts."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent.inspection import live
from llmos_jupyter.agent.inspection.reshape import NEEDS
from llmos_jupyter.agent.inspection.same_labels import Miss, meant_by
from llmos_jupyter.agent.inspection.walk import Walk

Edits = dict[tuple[int, int, int], str]
Told = tuple[str, int, str]

# Arguments that name columns, whatever the method.
_KEYWORDS = frozenset(
    ["by", "subset", "columns", "column", "keys", "index", "values", "id_vars", "value_vars", "on", "left_on",
     "right_on", "func", "dtype", "labels", "item", "x", "y"]
)  # fmt: skip
# Methods whose first argument names columns and that `NEEDS` does not list.
_FIRST = frozenset(["agg", "aggregate", "astype", "drop", "rename", "fillna", "merge"])
_LOCATORS = frozenset(["loc", "at"])


def labels(tree: ast.Module, namespace: Mapping[str, Any]) -> tuple[Edits, list[Told]]:
    """What belongs in the place of labels that are not there as they are written, and only differ in their type."""
    edits: Edits = {}
    told: dict[tuple[str, int], Told] = {}
    for miss in Walk(tree, namespace).misses:
        real = meant_by(miss)
        if real is live.MISSING:
            continue
        places = dict(_places(tree, miss, repr(real)))
        if places:
            edits |= places
            line = getattr(miss.node, "lineno", 1)
            what = "row label" if miss.rows else "column"
            text = f"the {what} {miss.label!r} was written {real!r}"
            told.setdefault((text, line), (text, line, str(miss.label)))
    return edits, list(told.values())


def _places(tree: ast.Module, miss: Miss, right: str) -> Iterator[tuple[tuple[int, int, int], str]]:
    node = miss.node
    if isinstance(node, ast.Subscript):
        # The same label of the same table elsewhere too: stored under another label, it would be another column.
        base = ast.dump(node.value)
        for other in ast.walk(tree):
            if isinstance(other, ast.Subscript) and ast.dump(other.value) == base:
                yield from _constants(_of_subscript(other, miss.rows), miss.label, right)
    elif isinstance(node, ast.Call):
        yield from _constants(_of_call(node, text=type(miss.label) is str), miss.label, right)
    elif isinstance(node, ast.Attribute) and node.value.end_lineno == node.end_lineno:
        yield (node.end_lineno or 0, node.value.end_col_offset or 0, node.end_col_offset or 0), f"[{right}]"


def _constants(nodes: Iterator[ast.expr], label: Any, right: str) -> Iterator[tuple[tuple[int, int, int], str]]:
    for node in nodes:
        same = isinstance(node, ast.Constant) and type(node.value) is type(label) and node.value == label
        # A text in several parts, over several lines, is not replaced.
        if same and node.lineno == node.end_lineno:
            yield (node.lineno, node.col_offset, node.end_col_offset or 0), right


def _of_subscript(node: ast.Subscript, rows: bool) -> Iterator[ast.expr]:
    key = node.slice
    if isinstance(node.value, ast.Attribute) and node.value.attr in _LOCATORS:
        if isinstance(key, ast.Tuple) and len(key.elts) == 2:
            yield from _listed(key.elts[0 if rows else 1])
        elif rows:
            yield from _listed(key)
    elif not isinstance(key, ast.Tuple):
        yield from _listed(key)


def _listed(node: ast.expr) -> Iterator[ast.expr]:
    yield from node.elts if isinstance(node, ast.List) else [node]


def _of_call(node: ast.Call, text: bool) -> Iterator[ast.expr]:
    """The arguments that name columns: all of them where text is looked for, for a number may be a count."""
    method = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    first = {0} if method in _FIRST else set()
    positions = first | {position for position, _, _ in NEEDS.get(method, ()) if position is not None}
    for at, argument in enumerate(node.args):
        if at in positions or (text and method in NEEDS):
            yield from _named(argument)
    for keyword in node.keywords:
        if keyword.arg in _KEYWORDS:
            yield from _named(keyword.value)
        elif isinstance(keyword.value, ast.Tuple) and keyword.value.elts and method in ("agg", "aggregate"):
            yield keyword.value.elts[0]


def _named(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Dict):
        yield from (key for key in node.keys if key is not None)
    elif isinstance(node, ast.Tuple):
        yield from node.elts
    else:
        yield from _listed(node)
