"""Repairs of calls of builtins that a variable of the notebook hides: `sum = 12` makes `sum(...)` fail."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from typing import Any

from llmos_jupyter.agent import live

Edits = dict[tuple[int, int, int], str]
Told = tuple[str, int, str]


def hidden(tree: ast.Module, namespace: Mapping[str, Any]) -> tuple[Edits, list[Told]]:
    """Calls of what is no function, and by that name a builtin: Python's own is meant, for nothing else can be."""
    if namespace.get("builtins", builtins) is not builtins:
        return {}, []
    own = bound(tree)
    called = [
        node.func
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in own
        if live.hides_builtin(namespace, node.func.id)
    ]
    if not called or "builtins" in own:
        return {}, []
    edits: Edits = {(1, 0, 0): "import builtins\n"}
    edits |= {(name.lineno, name.col_offset, name.end_col_offset or 0): f"builtins.{name.id}" for name in called}
    told = {
        name.id: (
            f"`{name.id}` was written `builtins.{name.id}`, as a variable of the notebook hides Python's function",
            name.lineno,
            name.id,
        )
        for name in reversed(called)
    }
    return edits, list(told.values())[::-1]


def bound(tree: ast.AST) -> set[str]:
    """Every name that the code binds anywhere, in whatever way."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            names.update(node.names)
    return names
