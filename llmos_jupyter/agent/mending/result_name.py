"""The name that a request spells out for its result: quoted, back-ticked or in snake_case.

Small models forget it. Giving a shown result one more name changes nothing of what the code computes. A plain word is
never taken for a name: in no language can it be told from the sentence around it.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import keyword
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.protocol import Finding

_SPELT = re.compile(r"`([A-Za-z_]\w*)`|(?<![\w.'\"`])([A-Za-z]\w*_\w*\w)(?![\w.'\"`(\[])")
# Values of a column that are compared with a name.
ROWS = 10_000


def requested_name(request: str, namespace: Mapping[str, Any]) -> str:
    """The new variable that the request spells out; empty if there is none, or more than one."""
    names = {next(filter(None, found.groups())) for found in _SPELT.finditer(request)}
    names = {name for name in names if name.isascii() and not _known(name, namespace)}
    return names.pop() if len(names) == 1 else ""


def _known(name: str, namespace: Mapping[str, Any]) -> bool:
    """Whether a name is something else already: of Python, of the notebook, of a library, a label, a value."""
    if keyword.iskeyword(name) or hasattr(builtins, name) or name in namespace or name in sys.modules:
        return True
    if any(label == name for value in namespace.values() for label in _labels(value)):
        return True
    libraries = [sys.modules.get(library) for library in ("pandas", "numpy")]
    holders = [holder for library in libraries if library is not None for holder in (library, *_classes(library))]
    if any(live.static(holder, name) is not live.MISSING for holder in holders):
        return True
    return importlib.util.find_spec(name) is not None


def _classes(library: Any) -> Iterator[Any]:
    for name in ("DataFrame", "Series", "Index", "ndarray"):
        if (found := live.static(library, name)) is not live.MISSING:
            yield found


def _labels(value: Any) -> Iterator[Any]:
    """The labels of a table and the short texts that stand in it; the keys of a dict."""
    if live.is_frame(value):
        yield from live.column_labels(value) or []
        yield from live.index_names(value) or []
        for place, dtype in enumerate(value.dtypes.tolist()):
            if str(dtype) in ("object", "str", "string", "category"):
                yield from (text for text in value.iloc[:ROWS, place].tolist() if type(text) is str)
    elif type(value) is dict:
        yield from value
    elif type(value) is list:
        yield from (text for text in value[:ROWS] if type(text) is str)


def give_name(code: str, name: str, namespace: Mapping[str, Any]) -> tuple[str, Finding | None]:
    """The code with its result under this name too, if it ends by showing a result that has none or another."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code, None
    if not tree.body or not isinstance(last := tree.body[-1], ast.Expr) or re.search(rf"\b{name}\b", code):
        return code, None
    lines = code.split("\n")
    shared = any(node is not last and (node.end_lineno or 0) >= last.lineno for node in tree.body)
    if shared or isinstance(last.value, ast.Constant):
        return code, None
    if isinstance(last.value, ast.Name):
        old = last.value.id
        bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        if old not in bound or old in namespace:
            return code, None
        lines[last.lineno - 1 :] = [f"{name} = {old}", name]
    elif isinstance(last.value, ast.Call) and isinstance(last.value.func, ast.Name) and last.value.func.id == "print":
        return code, None
    else:
        lines[last.lineno - 1] = f"{name} = {lines[last.lineno - 1]}"
        lines.append(name)
    told = f"Mended without the model: the result was given the name `{name}` that the request spells out."
    return "\n".join(lines), Finding(kind="mended", severity="note", message=told, name=name)
