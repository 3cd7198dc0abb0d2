"""Code that ends with an assignment shows nothing: which variable its user wants to see then."""

from __future__ import annotations

import ast


def assigned_last(code: str) -> str:
    """The variable that the last statement assigns, or changes a part of; empty if that is no assignment."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    last = tree.body[-1] if tree.body else None
    targets = last.targets if isinstance(last, ast.Assign) else [last.target] if isinstance(last, ast.AugAssign) else []
    target = targets[0] if len(targets) == 1 else None
    while isinstance(target, (ast.Subscript, ast.Attribute)):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""
