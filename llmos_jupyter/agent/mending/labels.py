"""Repairs of labels that are the same as text: 2021 for '2021', 'price ' for 'price', a tuple for its joined parts."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection.dataflow.interpreter import Interpreter
from llmos_jupyter.agent.inspection.dataflow.reshape import NEEDS
from llmos_jupyter.agent.inspection.dataflow.same_labels import Miss, meant_by

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
    for miss in Interpreter(tree, namespace).misses:
        real = meant_by(miss)
        if real is live.MISSING:
            continue
        places = dict(places_of(tree, miss, repr(real)))
        if places:
            edits |= places
            line = getattr(miss.node, "lineno", 1)
            what = "row label" if miss.rows else "column"
            text = f"the {what} {miss.label!r} was written {real!r}"
            told.setdefault((text, line), (text, line, str(miss.label)))
    return edits, list(told.values())


def places_of(tree: ast.Module, miss: Miss, right: str) -> Iterator[tuple[tuple[int, int, int], str]]:
    """Where the label stands, and what belongs there: line, first byte, last byte."""
    node = miss.node
    if isinstance(node, ast.Subscript):
        # The same label of the same table elsewhere too: stored under another label, it would be another column.
        base = ast.dump(node.value)
        for other in ast.walk(tree):
            if isinstance(other, ast.Subscript) and ast.dump(other.value) == base:
                yield from _constants(_of_subscript(other, miss.rows), miss.label, right)
        if isinstance(node.slice, ast.Name) and not miss.rows:
            yield from _constants(_of_name(tree, node.slice.id, base), miss.label, right)
    elif isinstance(node, ast.Call):
        yield from _constants(_of_call(node, text=type(miss.label) is str), miss.label, right)
    elif isinstance(node, ast.Attribute) and node.value.end_lineno == node.end_lineno:
        yield (node.end_lineno or 0, node.value.end_col_offset or 0, node.end_col_offset or 0), f"[{right}]"


def _of_name(tree: ast.Module, name: str, base: str) -> Iterator[ast.expr]:
    """The labels that a name stands for, as in `for year in ['2021', '2022']`.

    Only if it serves for nothing but these labels, and for being shown, where text and number look the same.
    """
    bound = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load)]
    used = sum(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(tree))
    served = 0
    given: ast.expr | None = None
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and getattr(node.slice, "id", "") == name:
            served += ast.dump(node.value) == base
        elif isinstance(node, ast.FormattedValue) and getattr(node.value, "id", "") == name:
            served += node.format_spec is None and node.conversion == -1
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
            served += sum(getattr(argument, "id", "") == name for argument in node.args)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and node.targets[0] in bound:
            given = node.value
        elif isinstance(node, ast.For | ast.comprehension) and node.target in bound:
            given = node.iter if isinstance(node.iter, ast.List | ast.Tuple) else None
    if len(bound) == 1 and served == used and given is not None:
        yield from given.elts if isinstance(given, ast.List | ast.Tuple) else [given]


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
