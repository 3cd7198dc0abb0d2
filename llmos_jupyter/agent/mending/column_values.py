"""Calls that the values of a live column are certain to make fail, written as those values demand.

Dates whose day stands first, as one of them proves; `.dt` of a column of dates that are still text; rows and groups of
lists, which pandas cannot compare. What would need a guess is left to the model, with a hint (`hints/of_values.py`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection.dataflow.column_values import column, dates, holds_lists, texts
from llmos_jupyter.agent.mending.literals import column_named, root_name, written_by_call
from llmos_jupyter.agent.mending.names import Edits, Told

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")
# Columns that are looked at for lists.
COLUMNS = 100


def by_values(tree: ast.Module, namespace: Mapping[str, Any]) -> tuple[Edits, list[Told]]:
    """The first such place that can be written anew."""
    pandas = _pandas(tree, namespace)
    for node in _before_any_change(tree):
        new = why = ""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "to_datetime":
                new, why = _day_first(node, namespace)
            elif node.func.attr in ("drop_duplicates", "duplicated"):
                new, why = _rows_with_lists(node, node.func, namespace)
            elif node.func.attr == "groupby":
                new, why = _groups_of_lists(node, node.func, namespace)
        elif isinstance(node, ast.Attribute) and node.attr == "dt" and pandas:
            new, why = _converted(node, pandas, namespace)
        if new and isinstance(node, ast.expr):
            here = (node.lineno, node.col_offset, node.end_col_offset or 0)
            return {here: new}, [(f"{why}: `{ast.unparse(node)}` was written `{new}`", node.lineno, "values")]
    return {}, []


def _pandas(tree: ast.Module, namespace: Mapping[str, Any]) -> str:
    """The name by which the code can say pandas; empty if there is none."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "pandas":
                    return alias.asname or alias.name
    held = (name for name in ("pd", "pandas") if live.is_module(namespace.get(name)))
    return next((name for name in held if live.module_name(namespace[name]) == "pandas"), "")


def _before_any_change(tree: ast.Module) -> Iterator[ast.AST]:
    """Expressions on one line that read tables as the notebook has them: outside functions, and not behind a statement
    that binds or writes into their table. Of an assignment the value is read before the target is written."""
    changed: set[str] = set()
    for statement in tree.body:
        nodes = [] if isinstance(statement, _BLOCKS) else list(ast.walk(statement))
        inner = {node.arg for node in nodes if isinstance(node, ast.arg)}  # of a lambda; of a comprehension
        inner |= {root_name(target) for node in nodes if isinstance(node, ast.comprehension) for target in _parts(node)}
        for node in nodes:
            if isinstance(node, ast.expr) and node.lineno == node.end_lineno and _table(node) not in changed | inner:
                yield node
        for node in ast.walk(statement):
            if isinstance(node, (ast.Name, ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
                changed.add(root_name(node))
            elif (owner := written_by_call(node)) is not None:
                changed.add(root_name(owner))


def _parts(loop: ast.comprehension) -> list[ast.expr]:
    return [node for node in ast.walk(loop.target) if isinstance(node, ast.Name)]


# What is run later, more than once, or perhaps not at all.
_BLOCKS = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.AsyncFor, ast.While, ast.If, ast.Try, ast.With,
    ast.AsyncWith, ast.Match,
)  # fmt: skip


def _table(node: ast.expr) -> str:
    """The variable that the expression is about."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "to_datetime":
        return root_name(node.args[0]) if node.args else ""
    return root_name(node.func) if isinstance(node, ast.Call) else root_name(node)


def _column(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    owner, label = column_named(node)
    return column(namespace.get(owner), label) if owner and label else None


def _day_first(call: ast.Call, namespace: Mapping[str, Any]) -> tuple[str, str]:
    """`pd.to_datetime` of such dates, which pandas reads month first where the first of them can be."""
    if len(call.args) != 1 or any(k.arg in ("format", "dayfirst", "yearfirst", "unit", None) for k in call.keywords):
        return "", ""
    written = dates(texts(_column(call.args[0], namespace)))
    if not written or not written.proof or written.first == written.proof:
        return "", ""
    dayfirst = ast.keyword("dayfirst", ast.Constant(True))
    new = ast.unparse(ast.Call(call.func, call.args, [*call.keywords, dayfirst]))
    return new, f"the day stands first, as {written.proof} shows"


def _converted(node: ast.Attribute, pandas: str, namespace: Mapping[str, Any]) -> tuple[str, str]:
    """The dates behind `.dt` of a column of text, where nothing about them is unclear."""
    values = texts(_column(node.value, namespace))
    if not values:
        return "", ""
    if all(map(_ISO.fullmatch, values)):
        how = "" if len(set(map(len, values))) == 1 else ", format='ISO8601'"
    elif (written := dates(values)) and written.proof:
        how = ", dayfirst=True"
    else:
        return "", ""
    return f"{pandas}.to_datetime({ast.unparse(node.value)}{how}).dt", "the dates are text"


def _rows_with_lists(call: ast.Call, func: ast.Attribute, namespace: Mapping[str, Any]) -> tuple[str, str]:
    """Columns of lists are compared as text."""
    table = namespace.get(func.value.id) if isinstance(func.value, ast.Name) else None
    if not live.is_frame(table) or any(k.arg not in ("subset", "keep") for k in call.keywords) or len(call.args) > 1:
        return "", ""
    labels = [label for label in (live.column_labels(table) or [])[:COLUMNS] if type(label) is str]
    subset = _labels_given(call, "subset")
    compared = labels if subset is None else [label for label in labels if label in subset]
    lists = [label for label in compared if holds_lists(column(table, label))]
    if not lists or len(compared) == 1:  # of one column pandas compares the objects themselves
        return "", ""
    name = ast.unparse(func.value)
    as_text = f"{name}.astype({{{', '.join(f'{label!r}: str' for label in lists)}}})"
    given = ast.unparse(ast.Call(ast.Name("duplicated"), call.args, call.keywords))
    new = f"{as_text}.{given}" if func.attr == "duplicated" else f"{name}[~{as_text}.{given}]"
    return new, "lists cannot be compared"


def _groups_of_lists(call: ast.Call, func: ast.Attribute, namespace: Mapping[str, Any]) -> tuple[str, str]:
    """Groups by a column of lists are groups by their items."""
    table = namespace.get(func.value.id) if isinstance(func.value, ast.Name) else None
    lists = [label for label in _labels_given(call, "by") or [] if holds_lists(column(table, label))]
    if len(lists) != 1:
        return "", ""
    func = ast.Attribute(ast.parse(f"{ast.unparse(func.value)}.explode({lists[0]!r})", mode="eval").body, "groupby")
    return ast.unparse(ast.Call(func, call.args, call.keywords)), "lists cannot be grouped, their items can"


def _labels_given(call: ast.Call, keyword: str) -> list[Any] | None:
    """The labels that the first argument gives; None where it is not given; empty where only a run could tell them."""
    given = next((k.value for k in call.keywords if k.arg == keyword), call.args[0] if call.args else None)
    if given is None:
        return None
    parts = given.elts if isinstance(given, (ast.List, ast.Tuple)) else [given]
    constants = [part.value for part in parts if isinstance(part, ast.Constant)]
    return constants if len(constants) == len(parts) else []
