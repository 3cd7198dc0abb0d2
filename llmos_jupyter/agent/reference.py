"""Requests that speak of the last answer's result ("only those with"), and code that goes back to its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from llmos_jupyter.agent.inspection import live

_SPEAKS = re.compile(
    r"\b(?:those|them|these|of it|is that|are they|from it|the ones)\b|^(?:and |now |but )?(?:only|just)\b|"
    r"其中|它们|这些|里面",
    re.I,
)


def referred(
    request: str, tree: ast.Module, code: str, answers: Sequence[str], namespace: Mapping[str, Any]
) -> tuple[str, str]:
    """What is told, and the code on the last result instead of its source; two empty texts where nothing is amiss."""
    if not answers or not _SPEAKS.search(request):
        return "", ""
    try:
        last = ast.parse(answers[-1])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "", ""
    result = _result(last)
    used, made = _names(tree, ast.Load), _names(tree, ast.Store)
    if result not in namespace or result in used:
        return "", ""
    value = namespace[result]
    sources = [name for name in _names(last, ast.Load) & used if type(namespace.get(name)) is type(value)]
    if len(sources) != 1 or sources[0] in made or not _has_columns(value, tree, namespace[sources[0]]):
        return "", ""
    if not (live.is_frame(value) or live.class_name(type(value)) in ("Series", "ndarray", "list", "dict")):
        return "", ""
    return f"The request is about the last result, `{result}`; the code went back to `{sources[0]}`", _renamed(
        tree, code, sources[0], result
    )


def on_a_copy(tree: ast.Module, code: str, name: str) -> str:
    """The code working on a copy of a variable; empty if it gives the name a new value before it reads it."""
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    first = min(uses, key=lambda node: (node.lineno, node.col_offset), default=None)
    whole = any(
        isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
        and not any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node.value))
        for node in ast.walk(tree)
    )
    if first is None or whole:
        return ""
    copy = f"{name}_copy"
    return f"{copy} = {name}.copy()\n{_renamed(tree, code, name, copy)}"


def _result(tree: ast.Module) -> str:
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Name):
        return last.value.id
    if isinstance(last, ast.Assign) and len(last.targets) == 1 and isinstance(last.targets[0], ast.Name):
        return last.targets[0].id
    return ""


def _names(tree: ast.AST, context: type[ast.expr_context]) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, context)}


def _has_columns(value: Any, tree: ast.AST, source: Any) -> bool:
    """Whether every column of the source that the code names is in the result too."""
    if not live.is_frame(value):
        return True
    known = set(live.column_labels(value) or [])
    labels = {label for label in live.column_labels(source) or [] if type(label) is str}
    named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is str}
    named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return named & labels <= known


def _renamed(tree: ast.AST, code: str, old: str, new: str) -> str:
    lines = [line.encode() for line in code.split("\n")]
    places = [(n.lineno, n.col_offset) for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == old]
    for number, column in sorted(places, reverse=True):
        line = lines[number - 1]
        lines[number - 1] = line[:column] + new.encode() + line[column + len(old.encode()) :]
    return b"\n".join(lines).decode()
