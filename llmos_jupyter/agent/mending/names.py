"""Repairs of names and words that differ from the real ones as a slip does: places in the code, and what is meant."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.mending.literals import meant, strangers
from llmos_jupyter.agent.mending.nearest import plain

# What models call a table whose name they have forgotten.
_USUAL = frozenset(["df", "data", "table", "dataframe", "frame", "dataset"])

# What belongs at a line's bytes from one to another; and what to tell of it, on which line, by which name.
Edits = dict[tuple[int, int, int], str]
Told = tuple[str, int, str]


def variable(name: str, tree: ast.AST, namespace: Mapping[str, Any]) -> str:
    """The variable meant by a name that does not exist: the same but for case, or the notebook's only table."""
    own = [other for other in namespace if not other.startswith("_")]
    same = [other for other in own if plain(other) == plain(name) and other != name]
    if same:
        return same[0] if len(same) == 1 else ""
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if len(spelt := [other for other in bound if plain(other) == plain(name)]) == 1:
        return spelt[0]
    tables = [other for other in own if live.is_frame(namespace[other])]
    if name in _USUAL and len(tables) == 1:
        return tables[0]
    labels = {
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == name
        if isinstance(node.slice, ast.Constant) and type(node.slice.value) is str
    }
    asked_as_dict = any(
        isinstance(node, ast.Attribute)
        and getattr(node.value, "id", "") == name
        and node.attr in ("items", "values", "keys")
        for node in ast.walk(tree)
    )
    dicts = [other for other in own if type(namespace[other]) is dict]
    if asked_as_dict and len(dicts) == 1:
        return dicts[0]
    having = [other for other in tables if labels and labels <= set(live.column_labels(namespace[other]) or [])]
    return having[0] if len(having) == 1 else ""


_OF_DATETIME = frozenset(["timedelta", "date", "time", "timezone"])
_OF_THE_CLASS = frozenset(["now", "today", "strptime", "fromisoformat", "fromtimestamp", "combine", "utcnow"])


def datetimes(tree: ast.Module, namespace: Mapping[str, Any]) -> tuple[Edits, list[Told]]:
    """`datetime.timedelta` where `datetime` is the class, and `datetime.now()` where it is the module."""
    held = namespace.get("datetime")
    is_class = type(held) is type and live.class_module(held) == "datetime"
    imports = [n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))]
    if any(alias.name == "datetime" for node in imports for alias in node.names):
        from_class = [n for n in imports if isinstance(n, ast.ImportFrom)]
        if len(imports) != 1 and len(from_class) not in (0, len(imports)):
            return {}, []
        is_class = any(alias.name == "datetime" for node in from_class for alias in node.names)
    elif held is None:
        return {}, []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or getattr(node.value, "id", "") != "datetime":
            continue
        here = (node.lineno, node.col_offset, node.end_col_offset or 0)
        if is_class and node.attr in _OF_DATETIME:
            edits = {here: node.attr, (1, 0, 0): f"from datetime import {node.attr}\n"}
            return edits, [(f"`datetime.{node.attr}` was imported, as `datetime` is the class", node.lineno, node.attr)]
        if is_class and node.attr == "datetime":
            return {here: "datetime"}, [("`datetime` is the class itself here", node.lineno, "datetime")]
        if not is_class and node.attr in _OF_THE_CLASS:
            told = f"`datetime.{node.attr}` is `datetime.datetime.{node.attr}`, as `datetime` is the module"
            return {here: f"datetime.datetime.{node.attr}"}, [(told, node.lineno, node.attr)]
    return {}, []


def renamed(tree: ast.AST, name: str, other: str) -> Edits:
    """Every use of a name."""
    return {
        (node.lineno, node.col_offset, node.end_col_offset or 0): other
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == name
    }


def words(tree: ast.Module, namespace: Mapping[str, Any]) -> tuple[Edits, list[Told]]:
    """Texts that a column is compared with, written as they stand in it."""
    edits: Edits = {}
    told = []
    written = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is str}
    for stranger in strangers(tree, namespace):
        node = stranger.node
        real = meant(stranger.text, stranger.words) if node.lineno == node.end_lineno else ""
        if real and real not in written:  # who writes several forms of a word means each of them
            edits[(node.lineno, node.col_offset, node.end_col_offset or 0)] = repr(real)
            told.append((f"{stranger.text!r} was written {real!r}, as in {stranger.label!r}", node.lineno, real))
    return edits, told


def merged(tree: ast.Module, namespace: Mapping[str, Any]) -> tuple[Edits, list[Told]]:
    """`a.merge(b, on='key')` where one of the two has `Key`: that one, renamed."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "merge":
            continue
        on = next((k.value for k in node.keywords if k.arg == "on" and isinstance(k.value, ast.Constant)), None)
        outer = getattr(node.func.value, "id", "")
        sides = [*node.args[:2]] if outer in ("pd", "pandas") else [node.func.value, *node.args[:1]]
        tables = [side for side in sides if isinstance(side, ast.Name) and live.is_frame(namespace.get(side.id))]
        if on is None or len(tables) != 2:
            continue
        key = on.value
        columns = [live.column_labels(namespace[side.id]) or [] for side in tables]
        lacking = [at for at in (0, 1) if key not in columns[at]]
        if len(lacking) != 1 or type(key) is not str:
            continue
        side = tables[lacking[0]]
        same = [label for label in columns[lacking[0]] if type(label) is str and plain(label) == plain(key)]
        if len(same) == 1:
            new = f"{side.id}.rename(columns={{{same[0]!r}: {key!r}}})"
            told = f"the column {same[0]!r} of `{side.id}` was matched with {key!r}"
            return {(side.lineno, side.col_offset, side.end_col_offset or 0): new}, [(told, side.lineno, key)]
    return {}, []
