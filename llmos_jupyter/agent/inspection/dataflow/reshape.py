"""Functions and methods that make a frame of others, and plots of one: which columns they need and make."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent.inspection.dataflow.label_checks import check
from llmos_jupyter.agent.inspection.dataflow.values import (
    NONE,
    TRUE,
    UNKNOWN,
    Call,
    Const,
    Dict,
    Facts,
    Frame,
    Seq,
    Value,
    is_list,
    labels,
)
from llmos_jupyter.agent.inspection.words import words

if TYPE_CHECKING:
    from llmos_jupyter.agent.inspection.dataflow.walk import Walk


def merge_keys(walk: Walk, left: Value | None, right: Value | None, call: Call, shift: int) -> None:
    """Check the keys of a merge; `shift` is the position of `how`."""
    on = call.get(shift + 1, "on")
    node = call.node
    for side, keyword, position in ((left, "left_on", shift + 2), (right, "right_on", shift + 3)):
        if not isinstance(side, Frame):
            continue
        index = 0 if side is left else (0 if shift == 1 else 1)
        if side is left and shift == 1:
            owner: ast.AST = call.owner
        else:
            owner = node.args[index] if index < len(node.args) else ast.Name(id="the other DataFrame")
        for value in (on, call.get(position, keyword)):
            if value is not None:
                check(walk, side.handle, value, node, owner, keys=True)


def merge(walk: Walk, left: Value | None, right: Value | None, call: Call, shift: int) -> Value:
    if not isinstance(left, Frame) or not isinstance(right, Frame) or call.opaque:
        return UNKNOWN
    a, b = walk.facts(left.handle), walk.facts(right.handle)
    if a.columns is None or b.columns is None or a.nested or b.nested:
        return walk.new_frame(Facts())
    on = call.get(shift + 1, "on")
    sides = [call.get(shift + 2, "left_on"), call.get(shift + 3, "right_on")]
    on_index = bool({"left_index", "right_index"} & call.keywords.keys()) or len(call.args) > shift + 4
    keys: set[Any] = set()
    if on is not None and on != NONE:
        names, complete = labels(on)
        if not complete:
            return walk.new_frame(Facts())
        keys = set(names)
    elif all(s is None for s in sides) and not on_index:
        keys = set(a.columns) & set(b.columns)
    kept = {k for s in sides if s is not None for k in labels(s)[0]}
    suffixes = call.keywords.get("suffixes", Seq((Const("_x"), Const("_y")), tuple))
    ends = labels(suffixes)[0]
    if len(ends) != 2:
        return walk.new_frame(Facts())
    columns: dict[Any, Any] = {}
    shared = (set(a.columns) & set(b.columns)) - keys
    for facts, end in ((a, ends[0]), (b, ends[1])):
        for label in facts.columns or {}:
            if label in shared:
                columns[f"{label}{end or ''}"] = None
                if label in kept:
                    columns[label] = None
            else:
                columns[label] = None
    if "indicator" in call.keywords:
        named = call.keywords["indicator"]
        columns[named.value if isinstance(named, Const) and isinstance(named.value, str) else "_merge"] = None
    if call.get(shift, "how") not in (None, *(Const(h) for h in ("left", "right", "inner", "outer", "cross"))):
        return walk.new_frame(Facts())
    levels = [n for facts in (a, b) for n in facts.index or () if n in keys | kept]
    return walk.new_frame(
        Facts(columns={**columns, **dict.fromkeys(levels)}, index=None if on_index or levels else (None,))
    )


def join(walk: Walk, facts: Facts, call: Call) -> Value:
    other = call.get(0, "other")
    if not isinstance(other, Frame) or facts.columns is None:
        return walk.new_frame(Facts())
    b = walk.facts(other.handle)
    if b.columns is None or b.nested:
        return walk.new_frame(Facts())
    shared = set(facts.columns) & set(b.columns)
    columns: dict[Any, Any] = dict.fromkeys([*facts.columns, *b.columns])
    for keyword in ("lsuffix", "rsuffix"):
        ends = labels(call.keywords.get(keyword, Const("")))[0]
        if not ends:
            return walk.new_frame(Facts())
        columns.update(dict.fromkeys(f"{label}{ends[0]}" for label in shared))
    return walk.new_frame(Facts(columns=columns))


def melt(walk: Walk, facts: Facts, call: Call, at: int) -> Value:
    kept, complete = labels(call.get(at, "id_vars") or Seq(()))
    variable = call.get(at + 2, "var_name") or Const("variable")
    value = call.get(at + 3, "value_name") or Const("value")
    if not (complete and isinstance(variable, Const) and isinstance(value, Const)):
        return walk.new_frame(Facts())
    return walk.new_frame(Facts(columns=dict.fromkeys([*kept, variable.value, value.value]), index=None))


def pivot_table(walk: Walk, facts: Facts, call: Call, at: int) -> Value:
    index, complete = labels(call.get(at + 1, "index") or UNKNOWN)
    aggregate = call.get(at + 3, "aggfunc")
    values = call.get(at, "values")
    single = aggregate is None or isinstance(aggregate, Const)
    rows = tuple(index) if complete else None
    if call.get(at + 2, "columns") is not None or not single or facts.columns is None:
        return walk.new_frame(Facts(index=rows))
    chosen, whole = labels(values) if values is not None else (list(facts.columns), True)
    return walk.new_frame(Facts(columns=dict.fromkeys(chosen) if whole else None, index=rows))


# Which arguments of a method name columns: (position or None, keyword, whether index levels count).
NEEDS: dict[str, list[tuple[int | None, str, bool]]] = {
    "sort_values": [(0, "by", True)],
    "drop_duplicates": [(0, "subset", False)],
    "duplicated": [(0, "subset", False)],
    "dropna": [(None, "subset", False)],
    "nlargest": [(1, "columns", False)],
    "nsmallest": [(1, "columns", False)],
    "explode": [(0, "column", False)],
    "value_counts": [(0, "subset", True)],
    "set_index": [(0, "keys", False)],
    "groupby": [(0, "by", True)],
    "pivot_table": [(0, "values", False), (1, "index", True), (2, "columns", True)],
    "pivot": [(None, "index", True), (None, "columns", True), (None, "values", False)],
    "melt": [(0, "id_vars", False), (1, "value_vars", False)],
    "hist": [(0, "column", False), (1, "by", False)],
    "boxplot": [(0, "column", False), (1, "by", False)],
    "plot": [(0, "x", True), (1, "y", True)],
    "join": [(1, "on", True)],
    "pop": [(0, "item", False)],
    "resample": [(None, "on", False)],
    "rolling": [(None, "on", False)],
    "to_csv": [(None, "columns", False)],
    "to_excel": [(None, "columns", False)],
    "to_html": [(None, "columns", False)],
}
_PLOT_COLUMNS = {
    "seaborn": words("x y hue size style col row units"),
    "plotly": words(
        "x y z color size symbol hover_name text facet_row facet_col animation_frame animation_group "
        "names values line_group pattern_shape path dimensions parents lat lon locations r theta a b c "
        "error_x error_y"
    ),
}
_PLOTLY_WIDE = frozenset({"variable", "value", "index"})
_FRAME_READERS = frozenset({"read_csv", "read_table", "read_parquet", "read_feather"})


def function(walk: Walk, path: str, node: ast.Call, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    """The value of a library function that makes frames or is given one; None if it is no such function."""
    top, _, _ = path.partition(".")
    name = path.rpartition(".")[2]
    call = Call(node, args, keywords)
    if top in _PLOT_COLUMNS:
        data = call.get(0, "data_frame" if top == "plotly" else "data") or keywords.get("data")
        if isinstance(data, Frame) and not call.opaque:
            _plot_columns(walk, top, data, call)
        return None
    if top != "pandas" or "()" in path:
        return None
    if name == "DataFrame":
        return _new_frame(walk, call)
    if name in _FRAME_READERS and not {"chunksize", "iterator"} & keywords.keys() and not call.opaque:
        return walk.new_frame(Facts())
    if name == "merge":
        if not call.opaque:
            merge_keys(walk, call.get(0, "left"), call.get(1, "right"), call, 2)
        return merge(walk, call.get(0, "left"), call.get(1, "right"), call, 2)
    if name == "concat":
        return _concat(walk, call)
    if name in {"melt", "pivot_table"} and args and isinstance(args[0], Frame) and not call.opaque:
        call.owner = node.args[0]
        facts = walk.facts(args[0].handle)
        for position, keyword, keys in NEEDS[name]:
            value = call.get(None if position is None else position + 1, keyword)
            if value is not None and not facts.nested:
                check(walk, args[0].handle, value, node, call.owner, keys=keys)
        return melt(walk, facts, call, 1) if name == "melt" else pivot_table(walk, facts, call, 1)
    return None


def _plot_columns(walk: Walk, library: str, data: Frame, call: Call) -> None:
    facts = walk.facts(data.handle)
    if facts.library == "polars" and library == "seaborn":
        return
    where = call.keywords.get("data") or call.keywords.get("data_frame")
    owner: ast.AST = call.node.args[0] if where is None else ast.Name(id="the DataFrame")
    for k in call.node.keywords:
        if k.arg in {"data", "data_frame"}:
            owner = k.value
    wide = library == "plotly" and any(
        is_list(call.keywords.get(k, UNKNOWN)) or k not in call.keywords for k in ("x", "y")
    )
    for keyword in _PLOT_COLUMNS[library]:
        value = call.keywords.get(keyword)
        if value is None or (wide and any(label in _PLOTLY_WIDE for label in labels(value)[0])):
            continue
        check(walk, data.handle, value, call.node, owner, keys=True, strings=True)


def _new_frame(walk: Walk, call: Call) -> Value:
    data, given = call.get(0, "data"), call.get(2, "columns")
    index: tuple[Any, ...] | None = (None,) if call.get(1, "index") is None else None
    if call.opaque:
        return walk.new_frame(Facts())
    if given is not None:
        names, complete = labels(given)
        return walk.new_frame(Facts(columns=dict.fromkeys(names) if complete else None, index=index))
    if data is None:
        return walk.new_frame(Facts(columns={}, index=index))
    parts = [data] if isinstance(data, Dict) else list(data.items) if isinstance(data, Seq) and data.cls is list else []
    keys = [k for p in parts if isinstance(p, Dict) for k in p.keys]
    if parts and all(isinstance(p, Dict) for p in parts) and all(isinstance(k, Const) for k in keys):
        return walk.new_frame(Facts(columns=dict.fromkeys(k.value for k in keys if isinstance(k, Const)), index=None))
    if isinstance(data, Frame):
        return walk.new_frame(walk.facts(data.handle))
    return walk.new_frame(Facts())


def _concat(walk: Walk, call: Call) -> Value:
    parts = call.get(0, "objs")
    if not isinstance(parts, Seq) or not all(isinstance(p, Frame) for p in parts.items) or call.opaque:
        return UNKNOWN
    columns: dict[Any, Any] = {}
    for part in parts.items:
        facts = walk.facts(part.handle) if isinstance(part, Frame) else Facts()
        if facts.columns is None or facts.nested or facts.library != "pandas":
            return walk.new_frame(Facts())
        columns.update(facts.columns)
    axis = call.get(1, "axis")
    if axis is not None and (not isinstance(axis, Const) or (axis.value in (1, "columns") and "keys" in call.keywords)):
        return walk.new_frame(Facts())
    if axis in (Const(1), Const("columns")) and "ignore_index" in call.keywords:
        return walk.new_frame(Facts())
    return walk.new_frame(Facts(columns=dict.fromkeys(columns), index=None))


def reset(facts: Facts, call: Call) -> Facts:
    """The facts after `reset_index`: the levels of the index become columns."""
    drop = call.get(1, "drop")
    if drop == TRUE:
        return replace(facts, index=(None,))
    if facts.index is None or facts.columns is None or drop not in (None, Const(False)):
        return replace(facts, columns=None, index=None)
    names: list[Any] = []
    for i, level in enumerate(facts.index):
        if level is not None:
            names.append(level)
        elif len(facts.index) > 1:
            names.append(f"level_{i}")
        else:
            names.append("index" if "index" not in facts.columns else "level_0")
    if "names" in call.keywords:
        given, complete = labels(call.keywords["names"])
        if not complete:
            return replace(facts, columns=None, index=None)
        names = given
    partly = call.get(0, "level") not in (None, NONE)
    index = facts.index if partly else (None,)
    return replace(facts, columns={**dict.fromkeys(names), **facts.columns}, index=index)
