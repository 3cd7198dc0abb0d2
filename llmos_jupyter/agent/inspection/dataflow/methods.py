"""What the methods of pandas DataFrames need, return and change."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from llmos_jupyter.agent.inspection.dataflow import frames, grouped, polars_frames, reshape
from llmos_jupyter.agent.inspection.dataflow.label_checks import check, check_keys, check_label, named
from llmos_jupyter.agent.inspection.dataflow.values import (
    NONE,
    TRUE,
    UNKNOWN,
    Call,
    Const,
    Dict,
    Facts,
    Frame,
    Group,
    Part,
    Series,
    Value,
    labels,
)
from llmos_jupyter.agent.inspection.words import words

if TYPE_CHECKING:
    from llmos_jupyter.agent.inspection.dataflow.walk import Walk

# Methods of a DataFrame that return some of its rows as they are, perhaps in another order.
_ROWS = words(
    "copy head tail sample sort_values sort_index dropna drop_duplicates nlargest nsmallest query truncate "
    "between_time at_time select_dtypes filter"
)
# Methods that return one with the same columns, or some of them, of other values.
_SAME = words(
    "fillna ffill bfill replace round abs astype clip convert_dtypes infer_objects interpolate shift diff "
    "cumsum cumprod cummax cummin rank where mask tz_localize tz_convert isna notna isnull notnull map applymap "
    "pct_change explode describe corr cov to_period to_timestamp"
)
# Methods that find a text among the columns of several levels, or the levels of the index, or fail.
_NAMING = frozenset({"sort_values", "groupby", "nlargest", "nsmallest"})
_STRINGS_ONLY = frozenset({"plot", "value_counts"})
_STR_MASKS = words(
    "contains startswith endswith match fullmatch isalpha isdigit isnumeric isalnum isupper islower isspace istitle"
)


def method(walk: Walk, part: Part, node: ast.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """The value of a method call on a frame, series or groupby."""
    call = Call(node, args, keywords)
    if isinstance(part.of, Frame):
        if call.opaque:
            walk.forget(part.of)
            return UNKNOWN
        if walk.facts(part.of.handle).library == "polars":
            return polars_frames.method(walk, part.of, part.name, call)
        return _frame(walk, part.of, part.name, call)
    if isinstance(part.of, Series):
        return grouped.series_method(walk, part.of, part.name, call)
    if isinstance(part.of, Group):
        return UNKNOWN if call.opaque else grouped.group_method(walk, part.of, part.name, call)
    if isinstance(part.of, Part):
        return _nested(walk, part.of, part.name, call)
    return UNKNOWN


def _nested(walk: Walk, outer: Part, name: str, call: Call) -> Value:
    """`df.plot.bar(...)`, `s.str.contains(...)`, `df.index.rename(...)`."""
    if isinstance(outer.of, Series):
        if outer.name == "str" and name in _STR_MASKS:
            return Series(mask=True)
        return UNKNOWN
    if not isinstance(outer.of, Frame) or call.opaque:
        return UNKNOWN
    inner = call.owner.value if isinstance(call.owner, ast.Attribute) else call.owner
    if outer.name == "plot":
        for keyword in ("x", "y", "column", "by"):
            position = {"x": 0, "y": 1}.get(keyword)
            value = call.get(position, keyword)
            if value is not None:
                check(walk, outer.of.handle, value, call.node, inner, keys=True, strings=True)
    elif name in {"rename", "set_names"}:
        walk.state.heap[outer.of.handle] = replace(walk.facts(outer.of.handle), index=None)
    return UNKNOWN


def _frame(walk: Walk, frame: Frame, name: str, call: Call) -> Value:
    handle = frame.handle
    facts = walk.facts(handle)
    axis = call.get({"drop": 1, "rename": None}.get(name), "axis")
    sideways = axis in (Const(1), Const("columns"))
    if axis is not None and not isinstance(axis, Const):
        walk.forget(frame)
        return UNKNOWN
    if not facts.nested and not (sideways and name in {"sort_values", "dropna"}):
        for position, keyword, keys in reshape.NEEDS.get(name, []):
            value = call.get(position, keyword)
            if value is not None:
                check(walk, handle, value, call.node, call.owner, keys=keys, strings=name in _STRINGS_ONLY)
        _needs_mapping(walk, handle, name, call, sideways)
    elif facts.nested and name in _NAMING and not sideways:
        for position, keyword, _ in reshape.NEEDS[name]:
            check(walk, handle, call.get(position, keyword) or UNKNOWN, call.node, call.owner, keys=True, strings=True)
    if facts.nested:
        facts = facts.forget()
    result = _frame_result(walk, frame, facts, name, call, sideways)
    inplace = call.keywords.get("inplace")
    if inplace is not None:
        walk.state.dirty |= {handle}  # its rows may have other labels
    if inplace is None or inplace == Const(False):
        return result
    if inplace == TRUE and isinstance(result, Frame):
        walk.state.heap[handle] = walk.facts(result.handle)
        return NONE
    walk.forget(frame)
    return NONE if inplace == TRUE else UNKNOWN


def _needs_mapping(walk: Walk, handle: int, name: str, call: Call, sideways: bool) -> None:
    node, owner = call.node, call.owner
    first = call.get(0, {"astype": "dtype", "fillna": "value", "agg": "func", "aggregate": "func"}.get(name, "func"))
    if name == "rename":
        mapping = call.keywords.get("columns") or (call.get(0, "mapper") if sideways else None)
        strict = call.keywords.get("errors") == Const("raise")
        if isinstance(mapping, Dict):
            check_keys(walk, handle, mapping, node, owner, "" if strict else ", so nothing is renamed")
    elif name in {"astype", "agg", "aggregate"} and isinstance(first, Dict):
        check_keys(walk, handle, first, node, owner)
    elif name == "fillna" and isinstance(first, Dict):
        check_keys(walk, handle, first, node, owner, ", so nothing is filled there")
    elif name == "drop" and call.keywords.get("errors", Const("raise")) == Const("raise"):
        gone = call.keywords.get("columns") or (call.get(0, "labels") if sideways else None)
        if gone is not None:
            check(walk, handle, gone, node, owner)
    elif name in {"query", "eval"}:
        text = call.get(0, "expr")
        if isinstance(text, Const) and isinstance(text.value, str):
            _expression(walk, handle, text.value, node, owner)
    elif name == "merge":
        right = call.get(0, "right")
        reshape.merge_keys(walk, Frame(handle), right, call, 1)
    if name in {"agg", "aggregate"}:
        named(walk, handle, call)


_EXPRESSION_NAMES = words(
    "index True False None sin cos exp log expm1 log1p sqrt sinh cosh tanh arcsin arccos arctan "
    "arccosh arcsinh arctanh abs log10 floor ceil arctan2 nan inf NaN columns ilevel_0 ilevel_1 "
    "ilevel_2 ilevel_3"
)


def _expression(walk: Walk, handle: int, text: str, node: ast.AST, owner: ast.AST) -> list[str]:
    """Check the columns in a `query` or `eval` expression; the names it assigns are returned."""
    quoted: dict[str, str] = {}

    def name_quoted(match: re.Match[str]) -> str:
        name = f"_quoted_{len(quoted)}_"
        quoted[name] = match.group(1)
        return name

    plain = re.sub(r"`([^`]+)`", name_quoted, text.strip())
    plain = re.sub(r"@\s*([A-Za-z_]\w*)", r"_local_\1", plain)
    try:
        tree = ast.parse(plain)
    except (SyntaxError, ValueError):
        try:
            tree = ast.parse(plain.replace("&&", " and ").replace("\n", " "), mode="exec")
        except (SyntaxError, ValueError):
            return []
    stored: list[str] = []
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    for name in ast.walk(tree):
        if not isinstance(name, ast.Name) or id(name) in called:
            continue
        label = quoted.get(name.id, name.id)
        if isinstance(name.ctx, ast.Store):
            stored.append(label)
        elif label not in stored and label not in _EXPRESSION_NAMES and not name.id.startswith(("_local_", "__")):
            check_label(walk, handle, label, node, owner, keys=True)
    return stored


def _frame_result(walk: Walk, frame: Frame, facts: Facts, name: str, call: Call, sideways: bool) -> Value:
    if name in _ROWS:
        return walk.new_frame(facts)
    if name in _SAME:
        fresh = facts.unsourced()
        return walk.new_frame(replace(fresh, index=(None,)) if name in {"describe", "corr", "cov"} else fresh)
    if name in {"insert", "pop", "pipe", "update"}:
        return _changed_in_place(walk, frame, facts, name, call)
    if name == "assign":
        return walk.new_frame(facts.with_columns(*call.keywords))
    if name == "eval":
        return _eval(walk, facts, call)
    if name == "rename_axis":
        title = call.get(0, "mapper")
        names, complete = labels(title) if title is not None and not sideways else ([], False)
        return walk.new_frame(replace(facts, index=tuple(names) if complete and names else None))
    if name in {"set_flags", "reindex", "set_axis"}:
        return walk.new_frame(replace(facts, columns=None, index=None))
    if name == "rename":
        return _rename(walk, facts, call, sideways)
    if name == "drop":
        gone = call.keywords.get("columns") or (call.get(0, "labels") if sideways else None)
        return walk.new_frame(_without(facts, [] if gone is None else labels(gone)[0]))
    if name == "reset_index":
        return walk.new_frame(reshape.reset(facts, call))
    if name == "set_index":
        return _set_index(walk, facts, call)
    if name == "groupby":
        return _groupby(frame, call)
    if name == "merge":
        return reshape.merge(walk, frame, call.get(0, "right"), call, 1)
    if name == "join":
        return reshape.join(walk, facts, call)
    if name == "melt":
        return reshape.melt(walk, facts, call, 0)
    if name == "pivot_table":
        return reshape.pivot_table(walk, facts, call, 0)
    return UNKNOWN


def _changed_in_place(walk: Walk, frame: Frame, facts: Facts, name: str, call: Call) -> Value:
    """What `insert`, `pop`, `update` and `pipe` return; the frame itself is another one afterwards."""
    if name == "insert":
        column = call.get(1, "column")
        added, complete = labels(column) if column is not None else ([], False)
        walk.state.heap[frame.handle] = facts.with_columns(*added) if complete else replace(facts, columns=None)
        return NONE
    if name == "pop":
        frames.remove(walk, frame.handle, labels(call.get(0, "item") or UNKNOWN)[0])
    else:
        walk.state.heap[frame.handle] = facts.unsourced() if name == "update" else facts.forget()
    return UNKNOWN


def _eval(walk: Walk, facts: Facts, call: Call) -> Value:
    text = call.get(0, "expr")
    if isinstance(text, Const) and isinstance(text.value, str) and re.search(r"(?<![=<>!])=(?!=)", text.value):
        names = re.findall(r"(?:^|\n|;)\s*(\w+)\s*=(?!=)", text.value)
        return walk.new_frame(facts.with_columns(*names))
    return UNKNOWN


def _without(facts: Facts, gone: Collection[object]) -> Facts:
    """A frame without some of its columns."""
    known = facts.columns
    return replace(facts, columns=None if known is None else {c: v for c, v in known.items() if c not in gone})


def _set_index(walk: Walk, facts: Facts, call: Call) -> Value:
    names, complete = labels(call.get(0, "keys") or UNKNOWN)
    left = _without(facts, names) if call.get(1, "drop") in (None, TRUE) else facts
    whole = complete and bool(names) and "append" not in call.keywords and len(call.args) < 3
    return walk.new_frame(replace(left, index=tuple(names) if whole else None))


def _groupby(frame: Frame, call: Call) -> Value:
    by = call.get(0, "by")
    names, complete = labels(by) if by is not None else ([], False)
    as_index = call.keywords.get("as_index", TRUE)
    if as_index not in (TRUE, Const(False)) or "level" in call.keywords or len(call.args) > 1:
        return UNKNOWN
    return Group(frame.handle, tuple(names) if names and complete else None, as_index == TRUE)


def _rename(walk: Walk, facts: Facts, call: Call, sideways: bool) -> Value:
    mapping = call.keywords.get("columns") or (call.get(0, "mapper") if sideways else None)
    if "index" in call.keywords or (mapping is None and call.args):
        facts = replace(facts, index=facts.index)
    if mapping is None or facts.columns is None:
        return walk.new_frame(facts)
    if not isinstance(mapping, Dict) or not all(isinstance(v, Const) for v in (*mapping.keys, *mapping.values)):
        return walk.new_frame(replace(facts, columns=None))
    pairs = zip(mapping.keys, mapping.values, strict=True)
    new = {k.value: v.value for k, v in pairs if isinstance(k, Const) and isinstance(v, Const)}
    renamed = {new.get(c, c): (None if c in new else v) for c, v in facts.columns.items()}
    return walk.new_frame(replace(facts, columns=renamed))
