"""Words that code compares a column with, against the words that stand in it: `region == 'north'` finds no 'North'."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.mending.nearest import plain

# Rows of a column that are looked at; a column of more different words than this is text, not a category.
ROWS = 10_000
DISTINCT = 200


@dataclass(frozen=True)
class Stranger:
    """A text that a column is compared with and that does not stand in it; the column's label and its words."""

    node: ast.Constant
    text: str
    label: str
    words: frozenset[str]


def strangers(tree: ast.AST, namespace: Mapping[str, Any]) -> Iterator[Stranger]:
    """The texts that columns are compared with in vain. Of tables that the code itself changes nothing is known."""
    changed = set(_changed(tree))
    for node in ast.walk(tree):
        for column, literals in _compared(node):
            owner, label = column_named(column)
            table = namespace.get(owner)
            if owner in changed or not live.is_frame(table) or label not in (live.column_labels(table) or []):
                continue
            words = words_of(table, label)
            for literal in literals:
                text = literal.value
                if words and type(text) is str and text not in words:
                    yield Stranger(literal, text, label, words)


def _changed(tree: ast.AST) -> Iterator[str]:
    """The names that code binds anew, writes into, or uses for the parameter of a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.Name, ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
            yield root_name(node)
        elif (owner := written_by_call(node)) is not None:
            yield root_name(owner)


def written_by_call(node: ast.AST) -> ast.expr | None:
    """What a call writes into: `owner.method(..., inplace=True)` and methods that always do."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    in_place = any(k.arg == "inplace" and getattr(k.value, "value", True) for k in node.keywords)
    return node.func.value if in_place or node.func.attr in _WRITING else None


# Methods of a table that write into it.
_WRITING = frozenset(["update", "insert", "pop"])


def root_name(node: ast.expr) -> str:
    """The variable at the left end of `table.loc[mask, 'label']`."""
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def meant(text: str, words: frozenset[str]) -> str:
    """The one word of a column that is the same but for case, spaces and the plural's ending; else empty."""
    same = {word for word in words if plain(word) == plain(text)}
    same = same or {word for word in words if _singular(word) == _singular(text)}
    return same.pop() if len(same) == 1 else ""


def _compared(node: ast.AST) -> Iterator[tuple[ast.expr, list[ast.Constant]]]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
        yield node.left, _texts([node.comparators[0]])
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "isin" and node.args:
        listed = node.args[0]
        yield node.func.value, _texts(listed.elts if isinstance(listed, (ast.List, ast.Tuple, ast.Set)) else [])


def _texts(nodes: list[ast.expr]) -> list[ast.Constant]:
    return [node for node in nodes if isinstance(node, ast.Constant) and type(node.value) is str]


def column_named(node: ast.expr) -> tuple[str, str]:
    """The table's name and the label, of `table['label']` or `table.label`; empty texts for anything else."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
        return node.value.id, node.slice.value if type(node.slice.value) is str else ""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id, node.attr
    return "", ""


def words_of(table: Any, label: str) -> frozenset[str]:
    """All words of a column that holds nothing else, and few different ones; otherwise none."""
    column = table[label]
    if getattr(column, "ndim", 2) != 1 or len(column) > ROWS:
        return frozenset()
    if str(column.dtype) not in ("object", "str", "string", "category"):
        return frozenset()
    values = [
        value for value in column.tolist() if not (isinstance(value, float) and value != value) and value is not None
    ]
    if not all(type(value) is str for value in values):
        return frozenset()
    words = frozenset(values)
    return words if len(words) <= DISTINCT else frozenset()


def _singular(word: str) -> str:
    word = plain(word)
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
