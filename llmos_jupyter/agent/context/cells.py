"""A cell as the model is told of it: without the data that is written out in it, and without what is told elsewhere.

Small models copy what they see. A table written out in a cell comes back in their code, where it costs tokens and
overwrites the user's own; the variable's description says what they need of it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection

# A list or dict with so many constants is data, and not a setting.
CONSTANTS = 4
# Characters of a text that is written out.
TEXT = 200


def told(source: str, described: Collection[str]) -> str:
    """The cell's source without imports and without assignments of written-out data to variables that are described.

    Empty if nothing is left; unchanged if it is not plain Python, or there is nothing to leave out.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    dropped = [node for node in tree.body if _told_elsewhere(node, described)]
    if not dropped:
        return source
    if all(node in dropped or _imports(node) for node in tree.body):
        return ""
    lines = source.split("\n")
    shared = {
        node.lineno
        for node in tree.body
        if sum(other.lineno <= node.lineno <= (other.end_lineno or 0) for other in tree.body) > 1
    }
    for node in reversed(dropped):
        if node.lineno not in shared:
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).strip()


def _told_elsewhere(node: ast.stmt, described: Collection[str]) -> bool:
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return len(names) == len(targets) and set(names) <= set(described) and is_data(node.value)


def is_data(value: ast.expr) -> bool:
    """Whether an expression is data that is written out, as it stands or handed to a constructor."""
    for node in ast.walk(value):
        if isinstance(node, (ast.List, ast.Dict, ast.Tuple, ast.Set)):
            if sum(isinstance(inner, ast.Constant) for inner in ast.walk(node)) >= CONSTANTS:
                return True
        elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and len(node.value) > TEXT:
            return True
    return False


def _imports(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Import, ast.ImportFrom))
