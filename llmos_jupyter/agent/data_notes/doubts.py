"""What the live data say against a candidate that nothing failed in: doubts, never errors."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.describe.basics import literal, module_dict
from llmos_jupyter.agent.describe.columns import Budget, column_facts
from llmos_jupyter.agent.inspection.dataflow.column_values import column
from llmos_jupyter.agent.mending.literals import root_name, strangers, written_by_call
from llmos_jupyter.protocol import NameChange

# Words of a column that are told.
WORDS = 12
# Columns of which it is told what stands in them, and seconds to look at each.
COLUMNS = 2
SECONDS = 0.02


def data_doubts(code: str, namespace: Mapping[str, Any]) -> list[str]:
    """The texts that a column is searched for in vain, unless the code writes one beside them that stands in it."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    written = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is str}
    doubts = []
    for stranger in strangers(tree, namespace):
        if not stranger.words & written:
            some = ", ".join(repr(word) for word in sorted(stranger.words)[:WORDS])
            doubts.append(f"No {stranger.text!r} stands in the column {stranger.label!r}; what stands in it: {some}.")
    return doubts


def without_effect(code: str, namespace: Mapping[str, Any], changes: Sequence[NameChange]) -> list[str]:
    """The tables, lists and dicts that code writes into and that are the same after its run. `namespace`: as it was
    before; `changes`: what the run changed."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    changed = {change.name for change in changes}
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names = dict.fromkeys(name for name in _written_into(tree) if name not in changed | bound)
    return [
        f"It writes into `{name}`, and `{name}` is the same as before.{_columns_named(tree, namespace[name])}"
        for name in names
        if name in namespace and _is_data(namespace[name])
    ]


def _columns_named(tree: ast.AST, table: Any) -> str:
    """What stands in the columns that the code names, which says why nothing was written: no missing value, other words
    than the code looks for."""
    constants = dict.fromkeys(node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    columns = ((label, column(table, label)) for label in constants if live.kind(label, str, int))
    facts = [
        f" {literal(str(label))} holds {text}."
        for label, series in islice(((label, series) for label, series in columns if series is not None), COLUMNS)
        if (text := column_facts(module_dict("pandas"), series, Budget.of(SECONDS)).text())
    ]
    return "".join(facts)


def _written_into(tree: ast.AST) -> Iterator[str]:
    """The names of objects into which statements write, those of functions and classes left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
            yield root_name(node)
        elif (owner := written_by_call(node)) is not None:
            yield root_name(owner)
        yield from _written_into(node)


def _is_data(value: Any) -> bool:
    return live.is_frame(value) or live.is_series(value) or type(value) in (list, dict)
