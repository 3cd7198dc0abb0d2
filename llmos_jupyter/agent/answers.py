"""Whether a result can be what the request asks for, told from the request's own words.

Small models answer "which day had the most steps?" with a row number, and "the total revenue" with a column. Such code
runs without error; only the request shows that something else was wanted. What is found here is a doubt, not an error:
other candidates are asked for, told of it, and the first stands if they come to the same.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmos_jupyter.agent.amending import amended
from llmos_jupyter.agent.coverage import asked_columns, asks_how_many, plot_left_out, unasked, unchanged, uncovered
from llmos_jupyter.agent.followup import followed_up
from llmos_jupyter.agent.inspection import live
from llmos_jupyter.agent.inspection.literals import strangers
from llmos_jupyter.agent.reference import on_a_copy, referred
from llmos_jupyter.protocol import NameChange, Shape

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
_MANY_WANTED = re.compile(r"\b(?:rows|two|three|\d+|all|list|table|order|sort\w*|rank\w*)\b|列出|排", re.I)
_GROUPS = re.compile(
    r"(?<!sorted )(?<!sort )(?<!order )(?<!ordered )\b(?:by|per|for each|in each|of each|each)\s+(\w+)", re.I
)
_NOT_GROUPS = re.compile(
    r"\b(?:sort\w*|order\w*|rank\w*|divid\w*|multipl\w*|increas\w*|decreas\w*|scal\w*|plus|reduc\w*|filter\w*|row|add|column|"
    r"colou?r\w*|running|rolling|cumulative|share|within)\b", re.I
)  # fmt: skip


@dataclass(frozen=True)
class Mismatch:
    """`told` says to the model and the user why the result looks like something else than was asked for; `instead` is
    the whole code that gives what was asked for, where the data and the request leave no doubt."""

    told: str
    instead: str = ""


def mismatches(
    request: str,
    code: str,
    shape: Shape,
    namespace: Mapping[str, Any],
    changes: Sequence[NameChange] = (),
    answers: Sequence[str] = (),
) -> list[Mismatch]:
    """What of the request the result cannot be an answer to; mostly nothing. `changes`: those that the code makes in
    the namespace; `answers`: the notebook's earlier ones."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    told, instead = amended(request, tree, code, namespace)
    found = [Mismatch(f"{told}.", instead)] if told else []
    changed = followed_up(request, answers, namespace)
    if changed and ast.dump(ast.parse(changed)) != ast.dump(tree):
        return [Mismatch("The request changes one thing of the last answer, and this is something else.", changed)]
    about, instead = referred(request, tree, code, answers, namespace)
    found += [Mismatch(f"{about}.", instead)] if about else []
    other = _of_another_kind(request, tree, code, shape, namespace)
    lacking = unchanged(request, changes, namespace)
    found += [Mismatch(told, on_a_copy(tree, code, name)) for told, name in unasked(request, changes, namespace)]
    # One of another kind lacks words of the request too: that would be said twice.
    lacking += plot_left_out(request, shape, answers)
    lacking += [] if other else uncovered(request, tree, shape, namespace)
    for stranger in strangers(tree, namespace):
        some = ", ".join(repr(word) for word in sorted(stranger.words)[:12])
        lacking.append(f"No {stranger.text!r} stands in the column {stranger.label!r}; what stands in it: {some}.")
    return found + other + [Mismatch(sentence) for sentence in lacking]


def _of_another_kind(
    request: str, tree: ast.Module, code: str, shape: Shape, namespace: Mapping[str, Any]
) -> list[Mismatch]:
    if wanted := asked_columns(request, shape):
        told = f"The request asks for the columns {', '.join(wanted)}; the result has {', '.join(shape.columns)}."
        return [Mismatch(told, _with_columns(tree, code, wanted, shape, namespace))]
    value = _final_value(tree)
    if value is None:
        return []
    if whole := _one_of_all(request, value, shape, tree, code, namespace) or _count(request, value, shape, tree, code):
        return [whole]
    for found in (_position(request, value, shape, namespace), _one_wanted(request, tree, value, shape, namespace)):
        if found:
            told, example, certain = found
            if not example:
                return [Mismatch(f"{told}.")]
            instead = _with(code, value, example) if certain else ""
            return [Mismatch(f"{told}: `{example}`.", instead)]
    return _ungrouped(request, tree, shape, namespace)


_EXTREME = re.compile(
    r"\b(?:most|highest|largest|biggest|best|greatest|longest|oldest|heaviest|lowest|smallest|least|fewest|worst|shortest|"
    r"youngest|cheapest|lightest)\b|最",
    re.I,
)


def _one_of_all(
    request: str, value: ast.expr, shape: Shape, tree: ast.Module, code: str, namespace: Mapping[str, Any]
) -> Mismatch | None:
    """The whole sorted table, or the whole row, where it was asked who or which stands first."""
    asked = (_WHO.search(request) or _WHICH.search(request)) and _EXTREME.search(request)
    last = tree.body[-1]
    if not asked or _MANY_WANTED.search(request) or not isinstance(last, ast.Expr):
        return None
    name, call = _whole_row(value) or _sorted_table(value)
    if not name or not live.is_frame(namespace.get(name)) or shape.kind not in ("table", "column"):
        return None
    told = "The result is more than the name; the request asks who or which it is"
    column = call.func.value if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else None
    if not isinstance(call, ast.Call) or not isinstance(column, ast.Subscript):
        return Mismatch(f"{told}.")
    example, _ = _in_table(request, call, column, name, namespace)
    return Mismatch(f"{told}: `{example}`.", _with(code, last.value, example)) if example else Mismatch(f"{told}.")


def _whole_row(value: ast.expr) -> tuple[str, ast.expr | None] | None:
    """`table.loc[table['x'].idxmax()]`: the table, and the call that finds the row."""
    owner = value.value if isinstance(value, ast.Subscript) else None
    if not isinstance(owner, ast.Attribute) or owner.attr != "loc" or not isinstance(value, ast.Subscript):
        return None
    found = _called(value.slice) in ("idxmax", "idxmin")
    return (getattr(owner.value, "id", ""), value.slice) if found else None


def _sorted_table(value: ast.expr) -> tuple[str, ast.expr | None]:
    """`table.sort_values('x', ascending=False)`: the table, and the call that finds its first row."""
    if not isinstance(value, ast.Call) or _called(value) != "sort_values" or not isinstance(value.func, ast.Attribute):
        return "", None
    name = getattr(value.func.value, "id", "")
    given = [k.value for k in value.keywords if k.arg == "by"] + value.args[:1]
    by = given[0].value if len(given) == 1 and isinstance(given[0], ast.Constant) else None
    if not name or not isinstance(by, str):
        return name, None
    down = any(k.arg == "ascending" and getattr(k.value, "value", True) is False for k in value.keywords)
    return name, ast.parse(f"{name}[{by!r}].{'idxmax' if down else 'idxmin'}()", mode="eval").body


def _count(request: str, value: ast.expr, shape: Shape, tree: ast.Module, code: str) -> Mismatch | None:
    """The rows themselves, or yes and no for each, where it was asked how many there are."""
    last = tree.body[-1]
    if not asks_how_many(request) or shape.rows < 2 or not isinstance(last, ast.Expr):
        return None
    told = f"The request asks how many; the result is not a number but has {shape.rows} entries"
    text = ast.unparse(last.value)
    if isinstance(value, ast.Compare) or _called(value) in ("isna", "isnull", "notna", "isnan", "duplicated", "isin"):
        example = f"({text}).sum()" if shape.kind == "column" else ""
    elif _is_selection(value) or (shape.kind == "list" and _called(value) in ("split", "splitlines", "findall")):
        example = f"len({text})"
    else:
        return Mismatch(f"{told}.")
    return Mismatch(f"{told}: `{example}`.", _with(code, last.value, example)) if example else Mismatch(f"{told}.")


def _is_selection(value: ast.expr) -> bool:
    """Whether a value is those of some that fulfil a condition."""
    if isinstance(value, ast.Subscript):
        return isinstance(value.slice, (ast.Compare, ast.BinOp, ast.UnaryOp, ast.Call))
    return isinstance(value, ast.ListComp) and bool(value.generators[0].ifs)


# What is wrong, the expression that was wanted if it is known, and whether there is no doubt of it.
_Found = tuple[str, str, bool] | None


def _position(request: str, value: ast.expr, shape: Shape, namespace: Mapping[str, Any]) -> _Found:
    """A row number, or the largest value itself, where who or which was asked."""
    if shape.kind not in ("number", "whole number") or _AMOUNT.search(request):
        return None
    who, which = _WHO.search(request), _WHICH.search(request)
    while isinstance(value, ast.Call) and _called(value) in ("int", "print") and len(value.args) == 1:
        value = value.args[0]
    called = _called(value)
    if not isinstance(value, ast.Call) or not (who or which) or called not in _POSITIONS | _EXTREMES:
        return None
    if not who and which and (which[1] or "").lower() in _NUMERIC:
        return None
    if called in _POSITIONS and shape.kind != "whole number":
        return None
    example, certain = _lookup(request, value, namespace)
    if called in _POSITIONS:
        return f"`{called}` gives the position, a number; the request asks for what stands there", example, certain
    return f"`{called}` gives the value itself; the request asks who or which it belongs to", example, certain


def _lookup(request: str, call: ast.Call, namespace: Mapping[str, Any]) -> tuple[str, bool]:
    """The expression that gives what was asked for, and whether nothing else can be meant."""
    values = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(values, ast.Subscript) and isinstance(values.value, ast.Name):
        return _in_table(request, call, values, values.value.id, namespace)
    code, called = ast.unparse(call), _called(call)
    of = call.args[0] if len(call.args) == 1 else None
    if isinstance(of, ast.Call) and isinstance(of.func, ast.Attribute) and of.func.attr == "values":
        of = of.func.value
    if not isinstance(of, ast.Name):
        return "", False
    data = namespace.get(of.id)
    if type(data) is dict and called in ("max", "min"):
        return f"{called}({of.id}, key={of.id}.get)", True
    if type(data) is list and called in ("max", "min"):
        # Lists side by side: the one of texts says whose each value is.
        beside = [
            name
            for name, other in namespace.items()
            if type(other) is list and name != of.id and len(other) == len(data) and all(type(x) is str for x in other)
        ]
        return (f"{beside[0]}[{of.id}.index({code})]", True) if len(beside) == 1 else ("", False)
    if called in _POSITIONS:
        for name in re.findall(r"[A-Za-z_]\w*", request):
            other = namespace.get(name)
            if name != of.id and _is_data(other) and not hasattr(other, "columns"):
                return f"{name}[{code}]", True
    return "", False


def _in_table(
    request: str, call: ast.Call, values: ast.Subscript, name: str, namespace: Mapping[str, Any]
) -> tuple[str, bool]:
    """As `_lookup`, of `table['column'].idxmax()`: another column, which the request names, or the first with words."""
    frame: Any = namespace.get(name)
    if not _is_data(frame) or not hasattr(frame, "columns"):
        return "", False
    words = {_stem(word) for word in re.findall(r"\w+", request)}
    used = values.slice.value if isinstance(values.slice, ast.Constant) else None
    columns = [column for column in frame.columns if isinstance(column, str) and column != used]
    asked = [column for column in columns if _stem(column) in words]
    text = [column for column in columns if str(frame[column].dtype) in ("object", "str", "string", "category")]
    if not (asked or text):
        return "", False
    column, code, called = (asked or text)[0], ast.unparse(call), _called(call)
    certain = len(asked) == 1
    if called in ("argmax", "argmin"):
        return f"{name}[{column!r}].iloc[{code}]", certain
    position = code if called in _POSITIONS else f"{ast.unparse(values)}.idx{called[-3:]}()"
    return f"{name}.loc[{position}, {column!r}]", certain


def _one_wanted(request: str, tree: ast.Module, value: ast.expr, shape: Shape, namespace: Mapping[str, Any]) -> _Found:
    """A column where one number was asked for."""
    if shape.kind != "column" or shape.rows < 2 or not _ONE.search(request) or _MANY.search(request):
        return None
    if shape.rows not in {len(data) for data in _data(tree, namespace)}:
        return None
    told = f"The result has {shape.rows} values; the request asks for one number over all rows"
    if isinstance(value, ast.BinOp) and isinstance(value.right, ast.Call) and not value.right.args:
        outer = value.right.func
        if isinstance(outer, ast.Attribute) and outer.attr in ("sum", "mean", "median", "max", "min"):
            whole = ast.unparse(ast.BinOp(value.left, value.op, outer.value))
            # `a - b.mean()` may mean what it says; a product that is summed is summed last.
            return told, f"({whole}).{outer.attr}()", isinstance(value.op, ast.Mult) and outer.attr == "sum"
    return told, "", False


def _ungrouped(request: str, tree: ast.Module, shape: Shape, namespace: Mapping[str, Any]) -> list[Mismatch]:
    """All rows where one for each group was asked for."""
    if shape.kind not in ("column", "table") or shape.rows < 4 or _NOT_GROUPS.search(request):
        return []
    wanted = {_stem(word) for word in _GROUPS.findall(request)}
    for frame in _data(tree, namespace):
        if len(frame) != shape.rows or not hasattr(frame, "columns"):
            continue
        for column in frame.columns:
            if isinstance(column, str) and _stem(column) in wanted:
                told = (
                    "The result has one row for each row of the data; the request asks for one for each "
                    f"{column}: use `.groupby({column!r})`."
                )
                return [Mismatch(told)]
    return []


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


def _called(call: ast.expr) -> str:
    """The last part of the name of the function that is called; empty if none is."""
    if not isinstance(call, ast.Call):
        return ""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _with(code: str, old: ast.expr, new: str) -> str:
    """The code with one expression replaced; empty if it stands on several lines."""
    lines = code.split("\n")
    if old.end_lineno != old.lineno or old.end_col_offset is None:
        return ""
    line = lines[old.lineno - 1].encode()
    lines[old.lineno - 1] = (line[: old.col_offset] + new.encode() + line[old.end_col_offset :]).decode()
    return "\n".join(lines)


def _with_columns(tree: ast.Module, code: str, wanted: list[str], shape: Shape, namespace: Mapping[str, Any]) -> str:
    """The code with these columns in the table it makes and ends with: those of more than these, or as many of other
    names, in their order. Empty if it is not a table of its own, or neither fits."""
    last = tree.body[-1]
    name = last.value.id if isinstance(last, ast.Expr) and isinstance(last.value, ast.Name) else ""
    if not name or name in namespace:
        return ""
    lines = code.split("\n")
    if set(wanted) < set(shape.columns):
        change = f"[{wanted!r}]"
    elif len(wanted) == len(shape.columns) and set(wanted) & set(shape.columns):
        free = iter(column for column in wanted if column not in shape.columns)
        renamed = {column: next(free) for column in shape.columns if column not in wanted}
        change = f".rename(columns={renamed!r})"
    else:
        return ""
    lines[last.lineno - 1 :] = [f"{name} = {name}{change}", name]
    return "\n".join(lines)


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
