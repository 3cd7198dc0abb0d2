"""What attributes, subscripts and stores on pandas and polars objects mean, and which columns they need."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection.dataflow import row_labels
from llmos_jupyter.agent.inspection.dataflow.label_checks import check, check_label, shown
from llmos_jupyter.agent.inspection.dataflow.values import (
    UNKNOWN,
    Const,
    Facts,
    Frame,
    Group,
    Part,
    Ref,
    Seq,
    Series,
    Value,
    is_list,
    labels,
)
from llmos_jupyter.agent.mending.nearest import closeness, did_you_mean, nearest

if TYPE_CHECKING:
    from llmos_jupyter.agent.inspection.dataflow.walk import Walk

# Names that libraries removed, with what stands in their place; used only where the name is gone.
REPLACED = {
    "append": "`pd.concat`", "iteritems": "`items`", "applymap": "`map`", "ix": "`loc` or `iloc`", "mad": "`std`",
    "as_matrix": "`to_numpy`", "get_value": "`at`", "lookup": "`loc`", "swaplevel_": "`swaplevel`", "float": "`float`",
    "int": "`int`", "object": "`object`", "str": "`str`", "float_": "`np.float64`", "unicode_": "`np.str_`",
    "asscalar": "`item`", "groupby": "`group_by`", "with_column": "`with_columns`", "apply": "`map_elements`",
    "trapz": "`np.trapezoid`", "in1d": "`np.isin`", "row_stack": "`np.vstack`", "product": "`np.prod`",
    "cumproduct": "`np.cumprod`", "alltrue": "`np.all`", "sometrue": "`np.any`", "Inf": "`np.inf`", "NaN": "`np.nan`",
}  # fmt: skip
_LABELS_READ = 2_000  # rows of an index that are looked through for a label
_PARTS = frozenset({"loc", "iloc", "at", "iat", "plot", "index", "columns", "str", "dt", "cat"})


# --- attributes -------------------------------------------------------------------------------


def _class(library: str, name: str) -> Any:
    module = sys.modules.get(library)
    return live.MISSING if module is None else live.static(module, name)


def attribute(walk: Walk, base: Value, name: str, node: ast.AST, called: bool) -> Value:
    if name.startswith("_"):
        return UNKNOWN
    owner = node.value if isinstance(node, ast.Attribute) else node
    if isinstance(base, Frame):
        return _frame_attribute(walk, base, name, node, owner, called)
    if isinstance(base, Series):
        return _series_attribute(walk, base, name, node, owner, called)
    if isinstance(base, Group):
        return _group_attribute(walk, base, name, node, owner, called)
    if isinstance(base, Part) and base.name in _PARTS:
        return Part(base, name)
    return UNKNOWN


def _frame_attribute(walk: Walk, base: Frame, name: str, node: ast.AST, owner: ast.AST, called: bool) -> Value:
    facts = walk.facts(base.handle)
    cls = _class(facts.library, "DataFrame")
    if cls is live.MISSING:
        return UNKNOWN
    found = live.static(cls, name)
    if found is not live.MISSING:
        plain = name in _PARTS or not isinstance(found, property)
        return Part(base, name) if plain else UNKNOWN
    if name in walk.stored or walk.patched or name in walk.maybe:
        return UNKNOWN
    if facts.library == "polars":
        _unknown_attribute(walk, facts, cls, name, node, owner)
        return UNKNOWN
    if facts.columns is None:
        if called:
            _unknown_attribute(walk, facts, cls, name, node, owner)
        return UNKNOWN
    if name in facts.columns:
        return UNKNOWN if facts.nested else Series(name, facts.index, column=(facts.columns[name], name))
    methods = nearest(name, live.members(cls))
    columns = nearest(name, (c for c in facts.columns if type(c) is str))
    better = closeness(name, columns) >= closeness(name, methods)
    if called or (name in REPLACED) or (methods and not better and closeness(name, methods) > 0.7):
        _unknown_attribute(walk, facts, cls, name, node, owner)
    else:
        check_label(walk, base.handle, name, node, owner)
    return UNKNOWN


def _unknown_attribute(walk: Walk, facts: Facts, cls: Any, name: str, node: ast.AST, owner: ast.AST) -> None:
    columns = [c for c in facts.columns or {} if type(c) is str]
    near = nearest(name, [*live.members(cls), *columns])
    if name in REPLACED:
        hint = f": use {REPLACED[name]}"
        near = list(dict.fromkeys([REPLACED[name].strip("`"), *near]))[:3]
    else:
        hint = did_you_mean(near)
    if facts.library == "polars" and name in columns:
        hint, near = f": write ['{name}']", [name]
    text = f"{shown(owner)} is a {facts.library} DataFrame, which has no attribute `{name}`{hint}."
    walk.error("unknown-attribute", text, node, name, near)


def _series_attribute(walk: Walk, base: Series, name: str, node: ast.AST, owner: ast.AST, called: bool) -> Value:
    cls = _class("pandas", "Series")
    if cls is live.MISSING:
        return UNKNOWN
    found = live.static(cls, name)
    if found is not live.MISSING:
        if name in {"str", "dt"}:
            _accessor(walk, base, name, node, owner)
        return Part(base, name) if name in _PARTS or not isinstance(found, property) else UNKNOWN
    if name in walk.stored or walk.patched:
        return UNKNOWN
    if called or _unlabelled(base, name):
        near = nearest(name, live.members(cls))
        hint = f": use {REPLACED[name]}" if name in REPLACED else did_you_mean(near)
        text = f"{shown(owner)} is a pandas Series, which has no attribute `{name}`{hint}."
        walk.error("unknown-attribute", text, node, name, near)
    return UNKNOWN


def _unlabelled(series: Series, name: str) -> bool:
    """Whether no row is called by that name, as in `s.label`."""
    holder = series.obj if series.obj is not live.MISSING else series.column[0] if series.column else None
    if holder is None:
        return False
    if series.obj is live.MISSING and series.index != live.index_names(holder):
        return False  # the index is no longer that of the live frame
    kind = live.class_name(type(holder.index))
    if kind in {"RangeIndex", "DatetimeIndex", "TimedeltaIndex", "PeriodIndex"} or holder.index.dtype.kind in "iuf":
        return True
    found = live.plain_labels(holder.index.tolist()) if kind == "Index" and len(holder.index) <= _LABELS_READ else None
    return found is not None and name not in found


def _accessor(walk: Walk, base: Series, name: str, node: ast.AST, owner: ast.AST) -> None:
    if base.obj is not live.MISSING:
        dtype = str(base.obj.dtype)
    elif base.column and base.column[0] is not None:
        dtype = live.dtype_of(base.column[0], base.column[1])
    else:
        return
    number = dtype.lower().rstrip("0123456789") in {"int", "uint", "float", "bool"}
    if name == "str" and (number or dtype.startswith(("datetime64", "timedelta64"))):
        text = f"{shown(owner)} holds {dtype}, so it has no `.str`: convert it with `.astype(str)` first."
        walk.error("unknown-attribute", text, node, name, ["astype(str)"])
    elif name == "dt" and (number or dtype in {"str", "string", "object"}):
        text = f"{shown(owner)} holds {dtype}, so it has no `.dt`: convert it with `pd.to_datetime` first."
        walk.error("unknown-attribute", text, node, name, ["pd.to_datetime"])


def _group_attribute(walk: Walk, base: Group, name: str, node: ast.AST, owner: ast.AST, called: bool) -> Value:
    generic = sys.modules.get("pandas.core.groupby.generic")
    cls = live.MISSING if generic is None else live.static(generic, "SeriesGroupBy" if base.one else "DataFrameGroupBy")
    facts = walk.facts(base.handle)
    if cls is live.MISSING or live.static(cls, name) is not live.MISSING:
        return Part(base, name)
    if base.one or (facts.columns is not None and name not in facts.columns):
        methods = nearest(name, live.members(cls))
        columns = [] if base.one else nearest(name, (c for c in facts.columns or {} if type(c) is str))
        if not base.one and not called and closeness(name, columns) >= closeness(name, methods):
            made = isinstance(owner, ast.Call) and isinstance(owner.func, ast.Attribute)
            check_label(walk, base.handle, name, node, owner.func.value if made else owner)  # type: ignore[attr-defined]
            return UNKNOWN
        near = [*methods, *columns][:3]
        text = (
            f"{shown(owner)} is a pandas groupby, which has no attribute `{name}`{did_you_mean(near)}; use one it has."
        )
        walk.error("unknown-attribute", text, node, name, near)
        return UNKNOWN
    return replace(base, selected=(name,), one=True) if facts.columns is not None else UNKNOWN


# --- subscripts -------------------------------------------------------------------------------


def is_slice(value: Value) -> bool:
    return isinstance(value, Ref) and value.path == "slice"


def _rows(value: Value) -> bool:
    """Whether the value selects some rows: a mask or a slice."""
    return is_slice(value) or (isinstance(value, Series) and value.mask)


def select(walk: Walk, handle: int, chosen: Iterable[Any]) -> Frame:
    """A frame of some of the columns."""
    facts = walk.facts(handle)
    old = facts.columns or {}
    return walk.new_frame(replace(facts, columns={c: old.get(c) for c in chosen}))


def item(walk: Walk, base: Value, key: Value, node: ast.Subscript) -> Value:
    """The value of `base[key]`."""
    owner = node.value
    if isinstance(base, Frame):
        return _frame_item(walk, base, key, node, owner)
    if isinstance(base, Part) and isinstance(base.of, Frame):
        inner = owner.value if isinstance(owner, ast.Attribute) else owner
        if base.name in {"loc", "at"}:
            return _loc(walk, base.of, key, node, inner, base.name)
        if base.name == "iloc" and (_rows(key) or is_list(key)):
            return walk.new_frame(walk.facts(base.of.handle))
        return UNKNOWN
    if isinstance(base, Group):
        known, complete = labels(key)
        if isinstance(key, Seq) and key.cls is tuple:
            _tuple_key(walk, node, owner, known)
            return UNKNOWN
        check(walk, base.handle, key, node, owner.func.value if _is_method(owner) else owner)  # type: ignore[attr-defined]
        return replace(base, selected=tuple(known), one=isinstance(key, Const)) if known and complete else UNKNOWN
    if isinstance(base, Series) and _rows(key):
        return replace(base, mask=False)
    return UNKNOWN


def _is_method(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)


def _frame_item(walk: Walk, base: Frame, key: Value, node: ast.AST, owner: ast.AST) -> Value:
    facts = walk.facts(base.handle)
    if _rows(key):
        return walk.new_frame(facts)
    known, complete = labels(key)
    if facts.library == "polars":
        if isinstance(key, Const) or is_list(key):
            check(walk, base.handle, key, node, owner, strings=True)
        return select(walk, base.handle, known) if is_list(key) and complete and facts.columns is not None else UNKNOWN
    if is_list(key):
        if known and all(type(k) is bool for k in known):
            return walk.new_frame(facts)
        check(walk, base.handle, key, node, owner)
        ok = complete and known and not facts.nested
        return select(walk, base.handle, known) if ok else UNKNOWN
    if isinstance(key, Seq) and key.cls is tuple:
        plain = facts.columns is not None and not any(type(c) is tuple for c in facts.columns)
        if plain and complete and known and all(type(k) is str for k in known):
            _tuple_key(walk, node, owner, known)
        return UNKNOWN
    if isinstance(key, Const):
        check(walk, base.handle, key, node, owner)
        if type(key.value) is str and facts.columns is not None and key.value in facts.columns and not facts.nested:
            return Series(key.value, facts.index, column=(facts.columns[key.value], key.value))
    return UNKNOWN


def _tuple_key(walk: Walk, node: ast.AST, owner: ast.AST, known: list[Any]) -> None:
    wanted = ", ".join(repr(k) for k in known)
    text = f"{shown(owner)} takes several columns as a list: write [[{wanted}]] instead of [{wanted}]."
    walk.error("unknown-column", text, node, wanted, [f"[[{wanted}]]"])


def _loc(walk: Walk, base: Frame, key: Value, node: ast.AST, owner: ast.AST, how: str) -> Value:
    facts = walk.facts(base.handle)
    row_labels.check(walk, base.handle, key, node, owner)
    if not (isinstance(key, Seq) and key.cls is tuple):
        return walk.new_frame(facts) if _rows(key) else UNKNOWN
    if len(key.items) != 2:
        return UNKNOWN
    rows, columns = key.items
    if not _rows(rows) and (facts.index is None or len(facts.index) != 1):
        return UNKNOWN  # with a MultiIndex of rows both parts may be rows
    known, complete = labels(columns)
    if known and all(type(k) is bool for k in known):
        return UNKNOWN
    if isinstance(columns, Const) or is_list(columns):
        check(walk, base.handle, columns, node, owner)
    if how == "at" or not _rows(rows) or facts.nested or facts.columns is None:
        return UNKNOWN
    if is_slice(columns):
        return walk.new_frame(facts)
    if is_list(columns):
        return select(walk, base.handle, known) if complete else UNKNOWN
    if isinstance(columns, Const) and columns.value in facts.columns:
        return Series(columns.value, facts.index, column=(facts.columns[columns.value], columns.value))
    return UNKNOWN


# --- stores -----------------------------------------------------------------------------------


def store_item(walk: Walk, base: Value, key: Value, node: ast.Subscript) -> bool:
    """`base[key] = ...`; False if the base is nothing of ours."""
    if isinstance(base, Series | Group):
        return True
    if isinstance(base, Part):
        frame = base.of
        if isinstance(frame, Frame) and base.name in {"loc", "at"}:
            if isinstance(key, Seq) and key.cls is tuple and len(key.items) == 2:
                _add(walk, frame, key.items[1])
            else:
                walk.state.heap[frame.handle] = walk.facts(frame.handle).unsourced()
            return True
        if isinstance(frame, Frame) and base.name in {"iloc", "iat"}:
            walk.state.heap[frame.handle] = walk.facts(frame.handle).unsourced()
            return True
        while isinstance(frame, Part):
            frame = frame.of
        walk.forget(frame)
        return True
    if not isinstance(base, Frame):
        return False
    _add(walk, base, key)
    return True


def _add(walk: Walk, frame: Frame, key: Value) -> None:
    facts = walk.facts(frame.handle)
    if _rows(key):
        walk.state.heap[frame.handle] = facts.unsourced()
        return
    known, complete = labels(key)
    if isinstance(key, Seq) and key.cls is tuple:
        known = [tuple(known), known[0]] if complete and known else []
    walk.state.heap[frame.handle] = facts.with_columns(*known) if complete and known else replace(facts, columns=None)


def store_attribute(walk: Walk, base: Value, name: str, value: Value) -> bool:
    """`base.name = ...`; False if the base is nothing of ours."""
    if isinstance(base, Part):
        frame = base.of
        if isinstance(frame, Frame) and base.name == "index":
            walk.state.heap[frame.handle] = replace(walk.facts(frame.handle), index=None)
        elif isinstance(frame, Frame):
            walk.forget(frame)
        return True
    if not isinstance(base, Frame):
        return isinstance(base, Series | Group)
    facts = walk.facts(base.handle)
    if name == "columns":
        known, complete = labels(value)
        fresh = dict.fromkeys(known) if complete and is_list(value) else None
        walk.state.heap[base.handle] = replace(facts, columns=fresh, nested=False)
    elif name == "index":
        walk.state.heap[base.handle] = replace(facts, index=None)
    elif facts.columns is not None and name in facts.columns:
        walk.state.heap[base.handle] = facts.with_columns(name)
    return True


def delete_item(walk: Walk, base: Value, key: Value, node: ast.Subscript) -> None:
    """`del base[key]`."""
    if isinstance(base, Frame):
        check(walk, base.handle, key, node, node.value)
        remove(walk, base.handle, labels(key)[0])
    else:
        walk.forget(base)


def remove(walk: Walk, handle: int, gone: Iterable[Any]) -> None:
    facts = walk.facts(handle)
    if facts.columns is not None and not facts.nested:
        left = {c: v for c, v in facts.columns.items() if c not in set(gone)}
        walk.state.heap[handle] = replace(facts, columns=left)
