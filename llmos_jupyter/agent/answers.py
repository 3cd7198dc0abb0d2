"""Whether a result can be what the request asks for, told from the request's own words.

Small models answer "which day had the most steps?" with a row number, and "the total revenue" with a column. Such code
runs without error; only the request shows that something else was wanted. What is found here is a doubt, not an error:
other candidates are asked for, told of it, and the first stands if they come to the same.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from llmos_jupyter.agent.inspection import live
from llmos_jupyter.protocol import Shape

_LEAD = r"^(?:(?:and|now|then|so|but|also|ok|okay|please|tell me|show me|show|find|find out)[\s,]+)*"
_PREPOSITION = r"(?:(?:in|at|on|for|from|by|during|to)\s+)?"
_WHO = re.compile(rf"{_LEAD}{_PREPOSITION}(?:who|whose|when|where)\b|谁", re.I)
_WHICH = re.compile(rf"{_LEAD}{_PREPOSITION}(?:which|what)\b\s*(?:of\s+the\s+)?(\w*)|哪", re.I)
_AMOUNT = re.compile(r"\bhow (?:many|much)\b|多少|几", re.I)
# What is rightly answered by a number.
_NUMERIC = frozenset(
    ["is", "are", "was", "were", "year", "years", "hour", "hours", "minute", "number", "numbers", "value", "values",
     "row", "rows", "index", "position", "positions", "id", "ids", "age", "price", "percentage", "share", "fraction",
     "proportion", "quarter", "week", "month", "score", "amount", "sum", "total", "s"]
)  # fmt: skip
_POSITIONS = frozenset(["argmax", "argmin", "idxmax", "idxmin", "nanargmax", "nanargmin"])
_EXTREMES = frozenset(["max", "min", "nanmax", "nanmin", "amax", "amin"])

_ONE = re.compile(
    r"\b(?:total|sum|average|mean|median|maximum|minimum|standard deviation|how many)\b|总(?:和|数|额|共)|平均",
    re.I,
)
_MANY = re.compile(
    r"\b(?:by|per|each|every|all|group\w*|columns?|rows?|fields?|table|list|add|append|sort\w*|rank\w*|plot|draw|chart|"
    r"rolling|running|moving|cumulative|normali[sz]e\w*|scale\w*|above|below|than|where|fill|replace|subtract|divide|"
    r"difference|deviations|minus|from|top|new|averages|means|totals|sums|s)\b|每|按|各|列|行|图|大于|小于|高于|低于|填",
    re.I,
)
_GROUPS = re.compile(
    r"(?<!sorted )(?<!sort )(?<!order )(?<!ordered )\b(?:by|per|for each|in each|of each|each)\s+(\w+)", re.I
)
_NOT_GROUPS = re.compile(
    r"\b(?:sort\w*|order\w*|rank\w*|divid\w*|multipl\w*|increas\w*|decreas\w*|scal\w*|plus|reduc\w*|filter\w*|row|add|column|"
    r"colou?r\w*|running|rolling|cumulative|share|within)\b", re.I
)  # fmt: skip


def mismatches(request: str, code: str, shape: Shape, namespace: Mapping[str, Any]) -> list[str]:
    """Why the result looks like something else than was asked for, in words that the model is told; mostly nothing."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = [
        _position(request, tree, shape),
        _one_wanted(request, tree, shape, namespace),
        _ungrouped(request, tree, shape, namespace),
    ]
    return [told for told in found if told]


def _position(request: str, tree: ast.Module, shape: Shape) -> str:
    """A row number, or the largest value itself, where who or which was asked."""
    if shape.kind not in ("number", "whole number") or _AMOUNT.search(request):
        return ""
    who, which = _WHO.search(request), _WHICH.search(request)
    called = _outermost(tree)
    if not (who or which) or called not in _POSITIONS | _EXTREMES:
        return ""
    if not who and which and (which[1] or "").lower() in _NUMERIC:
        return ""
    if called in _POSITIONS:
        if shape.kind != "whole number":
            return ""
        return f"`{called}` gives the position, a number; the request asks for what stands at that position."
    return f"`{called}` gives the value itself; the request asks who or which it belongs to."


def _one_wanted(request: str, tree: ast.Module, shape: Shape, namespace: Mapping[str, Any]) -> str:
    if shape.kind != "column" or shape.rows < 2 or not _ONE.search(request) or _MANY.search(request):
        return ""
    if shape.rows not in {len(value) for value in _data(tree, namespace)}:
        return ""
    return f"The result has {shape.rows} values; the request asks for one number over all rows."


def _ungrouped(request: str, tree: ast.Module, shape: Shape, namespace: Mapping[str, Any]) -> str:
    if shape.kind not in ("column", "table") or shape.rows < 4 or _NOT_GROUPS.search(request):
        return ""
    wanted = {_stem(word) for word in _GROUPS.findall(request)}
    for frame in _data(tree, namespace):
        if len(frame) != shape.rows or not hasattr(frame, "columns"):
            continue
        for column in frame.columns:
            if isinstance(column, str) and _stem(column) in wanted:
                return f"The result has one row for each row of the data; the request asks for one for each {column}."
    return ""


def _outermost(tree: ast.Module) -> str:
    """The name of the function whose value the code ends with."""
    if not tree.body or not isinstance(tree.body[-1], ast.Expr):
        return ""
    value: ast.expr = tree.body[-1].value
    if isinstance(value, ast.Name):
        made = [
            node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == value.id for t in node.targets)
        ]
        if not made:
            return ""
        value = made[-1]
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("int", "print"):
        if len(value.args) != 1:
            return ""
        value = value.args[0]
    if not isinstance(value, ast.Call):
        return ""
    return value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")


def _data(tree: ast.Module, namespace: Mapping[str, Any]) -> list[Any]:
    """The tables, columns and arrays of the namespace that the code reads."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found = [namespace[name] for name in sorted(names & namespace.keys())]
    return [value for value in found if _is_data(value) and len(getattr(value, "shape", (1,)))]


def _is_data(value: Any) -> bool:
    cls = type(value)
    home = live.class_module(cls).partition(".")[0]
    return cls is list or (home in ("pandas", "numpy") and live.class_name(cls) in ("DataFrame", "Series", "ndarray"))


def _stem(word: str) -> str:
    """Lower case, without the plural's ending."""
    word = word.lower()
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
