"""Data that the notebook holds and a candidate writes out anew: small models begin with it unasked.

What they write down is what they were told of the variable: a few of its values. Such a copy is dropped, and the user's
own data stay. What holds any value that the notebook does not is new data: it is never touched.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent.cells import is_data
from llmos_jupyter.agent.inspection import live
from llmos_jupyter.protocol import Finding

# Values of a live object that are compared with those of a copy; a longer one is taken to hold anything.
VALUES = 100_000


def drop_recreated(code: str, request: str, namespace: Mapping[str, Any]) -> tuple[str, Finding | None]:
    """The code without its leading copies of data that exists.

    `request` only protects: data that the user has written there is the user's, and is kept.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code, None
    copies = {node: real for node in tree.body if (real := _copied(node, request, namespace))}
    if not copies or all(node in copies or isinstance(node, (ast.Import, ast.ImportFrom)) for node in tree.body):
        return code, None
    if any(_share_lines(node, other) for node in copies for other in tree.body if other is not node):
        return code, None
    lines = code.split("\n")
    for node, real in reversed(copies.items()):
        name = node.targets[0].id  # type: ignore[attr-defined]
        lines[node.lineno - 1 : node.end_lineno] = [] if name == real else [f"{name} = {real}"]
    names = " and ".join(f"`{name}`" for name in dict.fromkeys(copies.values()))
    told = f"Mended without the model: {names} of the notebook was kept, and not made anew."
    finding = Finding(kind="mended", severity="note", message=told, name=next(iter(copies.values())))
    return "\n".join(lines).strip("\n"), finding


def written_anew(code: str, request: str, namespace: Mapping[str, Any]) -> list[str]:
    """Variables of the notebook that the code replaces by data which stand neither there nor in the request."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = []
    for node in tree.body:
        name = _assigned(node)
        if name in namespace and _holds_data(namespace[name]) and is_data(node.value):  # type: ignore[attr-defined]
            if not _users_own(node.value, request):  # type: ignore[attr-defined]
                found.append(name)
    return found


def _copied(node: ast.stmt, request: str, namespace: Mapping[str, Any]) -> str:
    """The variable of the notebook that a statement copies out of the prompt; empty if it does not."""
    name = _assigned(node)
    value = node.value if isinstance(node, ast.Assign) else None
    if not name or value is None or not is_data(value):
        return ""
    values = set(_values(value))
    if not values or _users_own(value, request):
        return ""
    if name in namespace:
        held = namespace[name]
        return name if _holds_data(held) and values <= _held(held) else ""
    # The same table under another name: `df` for the notebook's only table with these columns.
    twins = [
        other
        for other, held in namespace.items()
        if type(other) is str and not other.startswith("_") and live.is_frame(held)
        if values <= _held(held) and set(live.column_labels(held) or []) == set(_keys(value))
    ]
    return twins[0] if len(twins) == 1 else ""


def _assigned(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _share_lines(node: ast.stmt, other: ast.stmt) -> bool:
    return node.lineno <= (other.end_lineno or other.lineno) and other.lineno <= (node.end_lineno or node.lineno)


def _values(node: ast.expr) -> Iterator[Any]:
    """The constants that an expression writes out, names of arguments' settings left out."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, (str, int, float)):
            yield inner.value


def _keys(node: ast.expr) -> list[Any]:
    first = next((inner for inner in ast.walk(node) if isinstance(inner, ast.Dict)), None)
    return [key.value for key in first.keys if isinstance(key, ast.Constant)] if first else []


def _users_own(node: ast.expr, request: str) -> bool:
    """Whether all values stand in the request: the labels that the code gives them need not."""
    labels = set(_keys(node))
    return all(_stands_in(value, request) for value in set(_values(node)) - labels)


def _stands_in(value: Any, request: str) -> bool:
    return str(value) in request or (isinstance(value, float) and f"{value:g}" in request)


def _held(value: Any) -> set[Any]:
    """The plain values and labels that a live object holds; none where there are too many to look at."""
    if live.is_frame(value):
        labels = live.column_labels(value) or []
        if value.size > VALUES:
            return set()
        columns = [value.iloc[:, place] for place in range(len(labels))]
        found = {item for column in columns for item in column.tolist() if isinstance(item, (str, int, float))}
        dates = {str(item) for column in columns if column.dtype.kind == "M" for item in column.tolist()}
        days = {text[:10] for text in dates}
        return found | dates | days | {label for label in labels if isinstance(label, (str, int, float))}
    if live.is_series(value) or live.class_name(type(value)) == "ndarray":
        flat = value if live.is_series(value) else value.ravel()
        return set(flat.tolist()) if value.size <= VALUES else set()
    items = [*value, *value.values()] if type(value) is dict else list(value) if len(value) <= VALUES else []
    found = set()
    for item in items:
        inner = item if type(item) in (list, tuple, set) else [*item, *item.values()] if type(item) is dict else [item]
        found |= {leaf for leaf in inner if isinstance(leaf, (str, int, float))}
    return found


def _holds_data(value: object) -> bool:
    if type(value) in (list, dict, tuple, set):
        return True
    home = live.class_module(type(value)).partition(".")[0]
    return home in ("pandas", "numpy") and live.class_name(type(value)) in ("DataFrame", "Series", "ndarray")
