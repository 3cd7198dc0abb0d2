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
        _position(request, tree, shape, namespace),
        _one_wanted(request, tree, shape, namespace),
        _ungrouped(request, tree, shape, namespace),
    ]
    return [told for told in found if told]


def _position(request: str, tree: ast.Module, shape: Shape, namespace: Mapping[str, Any]) -> str:
    """A row number, or the largest value itself, where who or which was asked."""
    if shape.kind not in ("number", "whole number") or _AMOUNT.search(request):
        return ""
    who, which = _WHO.search(request), _WHICH.search(request)
    call = _final_call(tree)
    called = _called(call)
    if call is None or not (who or which) or called not in _POSITIONS | _EXTREMES:
        return ""
    if not who and which and (which[1] or "").lower() in _NUMERIC:
        return ""
    there = _lookup(request, call, namespace)
    if called in _POSITIONS:
        if shape.kind != "whole number":
            return ""
        return f"`{called}` gives the position, a number; the request asks for what stands there{there}."
    return f"`{called}` gives the value itself; the request asks who or which it belongs to{there}."


def _lookup(request: str, call: ast.Call, namespace: Mapping[str, Any]) -> str:
    """The expression that gives what was asked for, as an example; empty if the code and the request do not say."""
    code, called = ast.unparse(call), _called(call)
    words = {_stem(word) for word in re.findall(r"\w+", request)}
    values = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(values, ast.Subscript) and isinstance(values.value, ast.Name):
        frame: Any = namespace.get(values.value.id)
        if not _is_data(frame) or not hasattr(frame, "columns"):
            return ""
        used = values.slice.value if isinstance(values.slice, ast.Constant) else None
        columns = [column for column in frame.columns if isinstance(column, str) and column != used]
        asked = [column for column in columns if _stem(column) in words]
        column = (
            asked or [c for c in columns if str(frame[c].dtype) in ("object", "str", "string", "category")] or [""]
        )[0]
        if not column:
            return ""
        if called in ("argmax", "argmin"):
            return f": `{values.value.id}[{column!r}].iloc[{code}]`"
        position = code if called in _POSITIONS else f"{ast.unparse(values)}.idx{called[-3:]}()"
        return f": `{values.value.id}.loc[{position}, {column!r}]`"
    [of] = call.args if len(call.args) == 1 else [None]
    if isinstance(of, ast.Call) and isinstance(of.func, ast.Attribute) and of.func.attr == "values":
        of = of.func.value
    if isinstance(of, ast.Name) and called in ("max", "min") and type(namespace.get(of.id)) is dict:
        return f": `{called}({of.id}, key={of.id}.get)`"
    if called in _POSITIONS:
        for name in re.findall(r"[A-Za-z_]\w*", request):
            other = namespace.get(name)
            if _is_data(other) and name not in code and not hasattr(other, "columns"):
                return f": `{name}[{code}]`"
    return ""


def _one_wanted(request: str, tree: ast.Module, shape: Shape, namespace: Mapping[str, Any]) -> str:
    """A column where one number was asked for."""
    if shape.kind != "column" or shape.rows < 2 or not _ONE.search(request) or _MANY.search(request):
        return ""
    if shape.rows not in {len(value) for value in _data(tree, namespace)}:
        return ""
    told = f"The result has {shape.rows} values; the request asks for one number over all rows"
    value = _final_value(tree)
    if isinstance(value, ast.BinOp) and isinstance(value.right, ast.Call) and not value.right.args:
        outer = value.right.func
        if isinstance(outer, ast.Attribute):
            whole = ast.BinOp(value.left, value.op, outer.value)
            return f"{told}: `({ast.unparse(whole)}).{outer.attr}()`."
    return f"{told}."


def _ungrouped(request: str, tree: ast.Module, shape: Shape, namespace: Mapping[str, Any]) -> str:
    """All rows where one for each group was asked for."""
    if shape.kind not in ("column", "table") or shape.rows < 4 or _NOT_GROUPS.search(request):
        return ""
    wanted = {_stem(word) for word in _GROUPS.findall(request)}
    for frame in _data(tree, namespace):
        if len(frame) != shape.rows or not hasattr(frame, "columns"):
            continue
        for column in frame.columns:
            if isinstance(column, str) and _stem(column) in wanted:
                return (
                    "The result has one row for each row of the data; the request asks for one for each "
                    f"{column}: use `.groupby({column!r})`."
                )
    return ""


def _final_value(tree: ast.Module) -> ast.expr | None:
    """The expression whose value the code ends with; of a bare name, the last it was given."""
    if not tree.body or not isinstance(tree.body[-1], ast.Expr):
        return None
    value = tree.body[-1].value
    if isinstance(value, ast.Name):
        made = [
            node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == value.id for t in node.targets)
        ]
        return made[-1] if made else None
    return value


def _final_call(tree: ast.Module) -> ast.Call | None:
    value = _final_value(tree)
    while isinstance(value, ast.Call) and _called(value) in ("int", "print") and len(value.args) == 1:
        value = value.args[0]
    return value if isinstance(value, ast.Call) else None


def _called(call: ast.Call | None) -> str:
    if call is None:
        return ""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


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
