"""An idiom's names put into the notebook's own: `table` becomes the table that is meant, `'group'` its groups' column.

A small model copies an example's names as they stand; so they must be the right ones before it sees them. What cannot
be told from the request and the live variables keeps the idiom from being shown.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent.describe_basics import class_name
from llmos_jupyter.agent.inspection import live

# The names that stand in idioms for a variable, by the kinds of variable that can take their place.
_NAMES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(["table", "left", "right"], ("DataFrame",)),
    **dict.fromkeys(["values", "matrix", "array", "points", "vector", "x", "y", "X"], ("ndarray", "Series")),
    **dict.fromkeys(["text", "sentence"], ("str",)),
    **dict.fromkeys(
        ["lines", "words", "names", "items", "numbers", "first", "second", "nested", "rows", "pairs", "records"],
        ("list",),
    ),
    "d": ("dict",),
    **dict.fromkeys(["start", "end"], ("date", "datetime", "Timestamp", "str")),
}
# The labels that stand in idioms for a column: what is in it, and the words that its own label may have.
_NUMBERS = {
    "value": "",
    "value2": "",
    "target": "",
    "price": "price|cost|fee|rate|价",
    "quantity": "qty|quantity|unit|count|pieces|number|sold|数量",
    "weight": "weight|权重",
}
_GROUPS = ("group", "group2", "category", "key")
_ANY = ("a", "b")
_LABELS = frozenset([*_NUMBERS, *_GROUPS, *_ANY, "name", "date", "numbers", "words"])


def filled(code: str, request: str, variables: Mapping[str, Any]) -> str:
    """The idiom's code in the notebook's own names; empty where one of them cannot be told."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return ""
    made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    chosen: dict[str, str] = {}
    for name in dict.fromkeys(names):
        if name in _NAMES and (name not in made or name == "table"):
            chosen[name] = _variable(_NAMES[name], request, variables, set(chosen.values()))
    labels = _labels(tree, request, variables.get(chosen.get("table", "")))
    if not all(chosen.values()) or not all(labels.values()):
        return ""
    for name, other in chosen.items():
        code = re.sub(rf"(?<![\w'.]){name}(?![\w'=])", other, code)
    for label, columns in labels.items():
        code = re.sub(rf"'{label}'", ", ".join(map(repr, columns)), code)
    return code


def _variable(kinds: tuple[str, ...], request: str, variables: Mapping[str, Any], taken: set[str]) -> str:
    """The one variable of these kinds that the request names, or that has the columns it names, or that there is."""
    fitting = [name for name, value in variables.items() if class_name(type(value)) in kinds and name not in taken]
    named = [name for name in fitting if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", request, re.I)]
    if named:
        return min(named, key=lambda name: request.lower().find(name.lower()))
    if len(fitting) > 1 and kinds == ("DataFrame",):
        counted = sorted(((len(list(mentioned(request, variables[name]))), name) for name in fitting), reverse=True)
        return counted[0][1] if counted[0][0] > counted[1][0] else ""
    return fitting[0] if len(fitting) == 1 else ""


def mentioned(request: str, table: Any) -> Iterator[str]:
    """The table's columns that the request names, in its order."""
    words = [_stem(word) for word in re.findall(r"[^\W_]+", request)]
    found = []
    for label in live.column_labels(table) or []:
        parts = [_stem(part) for part in re.findall(r"[^\W_]+", label)] if type(label) is str else []
        at = next((i for i in range(len(words)) if parts and words[i : i + len(parts)] == parts), None)
        if at is None and parts and not label.isascii() and label in request:
            at = request.find(label)
        if at is not None:
            found.append((at, label))
    return (label for _, label in sorted(found))


def _labels(tree: ast.AST, request: str, table: Any) -> dict[str, list[str]]:
    """The placeholders of columns, and the real ones: none where it cannot be told which."""
    wanted = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is str]
    placeholders = [label for label in dict.fromkeys(wanted) if label in _LABELS]
    if not live.is_frame(table):
        return {placeholder: [] for placeholder in placeholders}
    dtypes = {
        label: str(dtype)
        for label, dtype in zip(table.columns.tolist(), table.dtypes.tolist(), strict=True)
        if type(label) is str
    }
    asked = list(mentioned(request, table))
    numeric = [label for label, dtype in dtypes.items() if dtype.startswith(("int", "float", "Int", "Float"))]
    dates = [label for label in dtypes if dtypes[label].startswith("datetime") or re.search(r"date|日期", label, re.I)]
    words = [label for label in dtypes if label not in numeric and label not in dates]
    found: dict[str, list[str]] = {}
    taken: list[str] = []
    for placeholder in placeholders:
        fit = ""
        if like := _NUMBERS.get(placeholder):
            named = [label for label in numeric if re.search(like, label, re.I) and label not in taken]
            fit = named[0] if len(named) == 1 else _pick(numeric, asked, taken)
        elif placeholder in _NUMBERS:
            fit = _pick(numeric, asked, taken)
        elif placeholder in _GROUPS:
            fit = _pick(words, asked, taken) or next((x for x in asked if x not in taken), "")
        elif placeholder == "name":
            free = [x for x in words if x not in taken]
            fit = next((x for x in asked if x in free), "") or next(
                (x for x in free if re.search("name|名", x, re.I)), ""
            )
            fit = fit or (free[0] if len(free) == 1 else "")
        elif placeholder == "date":
            fit = dates[0] if len(dates) == 1 else ""
        elif placeholder in _ANY:
            fit = next((x for x in asked if x not in taken), "")
        elif placeholder in ("numbers", "words"):
            left = [x for x in (numeric if placeholder == "numbers" else words) if x not in taken]
            found[placeholder] = [x for x in asked if x in left] or left
            continue
        found[placeholder] = [fit] if fit else []
        taken.append(fit)
    return found


def _pick(fitting: list[str], asked: list[str], taken: list[str]) -> str:
    """Of the columns that fit the first that is asked for; without any, the only one."""
    free = [label for label in fitting if label not in taken]
    named = [label for label in asked if label in free]
    return named[0] if named else (free[0] if len(free) == 1 else "")


def _stem(word: str) -> str:
    word = word.lower()
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
