"""Repairs of columns called like a method: `box.rank.idxmin()` asks the method, `box['rank'].idxmin()` the column."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.mending.builtin_names import bound

Edits = dict[tuple[int, int, int], str]
Told = tuple[str, int, str]

# Properties whose values are of a plain type: what these lack can only be asked of the column.
_PLAIN: dict[str, type] = {"size": int, "ndim": int, "empty": bool, "shape": tuple}
# Builtins that a method cannot be given to alone.
_OF_MANY = frozenset(["sum", "max", "min", "len", "sorted", "list", "set", "tuple", "any", "all", "enumerate"])


def columns(tree: ast.Module, namespace: Mapping[str, Any]) -> tuple[Edits, list[Told]]:
    """Methods of a table that are used as if they were values, where the table has a column of that name."""
    edits: Edits = {}
    told: list[Told] = []
    own = bound(tree)
    for node, used in _uses(tree):
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        table = namespace.get(owner)
        if owner in own or not live.is_frame(table) or node.attr not in (live.column_labels(table) or []):
            continue
        if node.lineno != node.end_lineno or not _column_meant(type(table), node.attr, used):
            continue
        edits[(node.lineno, node.col_offset, node.end_col_offset or 0)] = f"{owner}[{node.attr!r}]"
        text = f"`{owner}.{node.attr}` is a part of every table, the column is `{owner}[{node.attr!r}]`"
        if text not in [known for known, _, _ in told]:
            told.append((text, node.lineno, node.attr))
    return edits, told


def _uses(tree: ast.AST) -> Iterator[tuple[ast.Attribute, str]]:
    """Attributes that are used as values: what is asked of them, or empty where they are calculated with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            if isinstance(node.value, ast.Attribute):
                yield node.value, node.attr
            continue
        inner: list[ast.expr] = []
        if isinstance(node, ast.Subscript):
            inner = [node.value]
        elif isinstance(node, ast.Compare) and not any(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            inner = [node.left, *node.comparators]
        elif isinstance(node, ast.BinOp):
            inner = [node.left, node.right]
        elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
            inner = [node.operand]
        elif isinstance(node, ast.For | ast.comprehension):
            inner = [node.iter]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _OF_MANY:
            inner = node.args if len(node.args) == 1 else []
        for part in inner:
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Load):
                yield part, ""


def _column_meant(cls: type, name: str, used: str) -> bool:
    """Whether the table's own attribute of that name cannot be used so, while a column can."""
    found = live.static(cls, name)
    series = live.static(live.library("pandas"), "Series")
    if found is live.MISSING or (used and live.static(series, used) is live.MISSING):
        return False
    if live.class_name(type(found)) == "function":
        return not used or live.static(found, used) is live.MISSING
    plain = _PLAIN.get(name)
    return plain is not None and bool(used) and live.static(plain, used) is live.MISSING
