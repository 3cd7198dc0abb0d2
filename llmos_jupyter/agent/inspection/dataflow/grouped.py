"""What methods of pandas Series and groupbys return."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent.inspection.dataflow import reshape
from llmos_jupyter.agent.inspection.dataflow.label_checks import check_keys, named
from llmos_jupyter.agent.inspection.dataflow.values import (
    NONE,
    TRUE,
    UNKNOWN,
    Call,
    Const,
    Dict,
    Facts,
    Group,
    Ref,
    Seq,
    Series,
    Value,
    is_list,
    labels,
)
from llmos_jupyter.agent.inspection.words import words

if TYPE_CHECKING:
    from llmos_jupyter.agent.inspection.dataflow.walk import Walk

_REDUCTIONS = words("sum mean median min max count std var first last prod nunique sem any all idxmin idxmax skew")
_LIKE_INPUT = words("transform cumsum cumprod cummax cummin cumcount rank shift diff pct_change ffill bfill fillna")
_SERIES_SAME = words(
    "head tail fillna dropna astype sort_values sort_index round abs shift cumsum diff rank copy clip "
    "replace nlargest nsmallest map ffill bfill sample drop_duplicates interpolate pct_change where "
    "mask drop add sub mul div"
)
_SERIES_MASKS = words("isin isna notna isnull notnull between duplicated eq ne gt lt ge le")


def series_method(walk: Walk, series: Series, name: str, call: Call) -> Value:
    if call.keywords.get("inplace", Const(False)) == TRUE:
        return NONE
    if name in _SERIES_MASKS:
        return Series(mask=True)
    if name in _SERIES_SAME:
        return Series(series.name, series.index)
    if name == "reset_index" and not call.opaque:
        if call.get(1, "drop") == TRUE:
            return Series(series.name, (None,))
        title = call.get(2, "name")
        label = title.value if isinstance(title, Const) else series.name
        if series.index is None or label is None or (title is not None and not isinstance(title, Const)):
            return walk.new_frame(Facts())
        return walk.new_frame(reshape.reset(Facts(columns={label: None}, index=series.index), call))
    if name == "value_counts" and series.name is not None:
        share = call.get(0, "normalize") not in (None, Const(False))
        return Series("proportion" if share else "count", (series.name,))
    if name == "rename" and len(call.args) == 1 and isinstance(call.args[0], Const):
        return Series(call.args[0].value, series.index)
    if name == "rename_axis":
        given = labels(call.args[0]) if len(call.args) == 1 and not call.keywords else ([], False)
        return Series(series.name, tuple(given[0]) if given[1] and given[0] else None)
    if name == "to_frame":
        title = call.get(0, "name")
        label = title.value if isinstance(title, Const) else series.name if title is None else None
        known = None if label is None else {label: None}
        return walk.new_frame(Facts(columns=known, index=series.index))
    return UNKNOWN


def group_method(walk: Walk, group: Group, name: str, call: Call) -> Value:
    facts = walk.facts(group.handle)
    if facts.nested:
        return UNKNOWN
    if name in {"agg", "aggregate"}:
        return _aggregate(walk, group, facts, call)
    if name == "size":
        if group.as_index:
            return Series(None, group.keys)
        return walk.new_frame(_grouped(group, ["size"]))
    if name in _REDUCTIONS:
        return _reduced(walk, group, facts)
    if name in _LIKE_INPUT:
        if group.one and group.selected:
            return Series(group.selected[0], facts.index)
        if group.selected is None:
            return walk.new_frame(facts.unsourced())
        return walk.new_frame(replace(facts, columns=dict.fromkeys(group.selected)))
    if name in {"head", "tail", "filter", "sample", "nth"} and not group.one:
        return walk.new_frame(facts)
    return UNKNOWN


def _several(walk: Walk, group: Group, facts: Facts, first: Value | None, call: Call) -> Value | None:
    """The frame that several statistics of each column make, whose columns have two levels; None for one of each."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(first, Dict) and any(isinstance(v, Seq) for v in first.values):
        for key, value in zip(first.keys, first.values, strict=True):
            names, complete = labels(value)
            if not (isinstance(key, Const) and complete and isinstance(value, Const | Seq)):
                return None
            pairs += [(key.value, name) for name in names]
        check_keys(walk, group.handle, first, call.node, call.owner)
    elif first is not None and is_list(first):
        names, complete = labels(first)
        chosen = group.selected or (None if facts.columns is None else facts.columns)
        if not complete or chosen is None or group.keys is None:
            return None
        pairs = [(column, name) for column in chosen if column not in group.keys for name in names]
    if not pairs or not group.as_index or not all(type(name) is str for _, name in pairs):
        return None
    made: dict[Any, Any] = dict.fromkeys(pairs)
    made.update(dict.fromkeys(column for column, _ in pairs))
    made.update(dict.fromkeys((column,) for column, _ in pairs))
    return walk.new_frame(Facts(columns=made, index=group.keys, nested=True))


def _grouped(group: Group, columns: Iterable[Any]) -> Facts:
    if group.as_index:
        return Facts(columns=dict.fromkeys(columns), index=group.keys)
    if group.keys is None:
        return Facts()
    return Facts(columns=dict.fromkeys([*group.keys, *columns]), index=(None,))


def _reduced(walk: Walk, group: Group, facts: Facts) -> Value:
    if group.one and group.selected and group.as_index:
        return Series(group.selected[0], group.keys)
    if group.selected is not None:
        return walk.new_frame(_grouped(group, group.selected))
    if facts.columns is None:
        return walk.new_frame(Facts())
    return walk.new_frame(_grouped(group, [c for c in facts.columns if c not in (group.keys or ())]))


def _aggregate(walk: Walk, group: Group, facts: Facts, call: Call) -> Value:
    first = call.get(0, "func")
    owner = (
        call.owner.func.value
        if isinstance(call.owner, ast.Call) and isinstance(call.owner.func, ast.Attribute)
        else call.owner
    )
    call.owner = owner
    if group.one:
        if first is None and call.keywords:
            return walk.new_frame(_grouped(group, call.keywords))
        if isinstance(first, Const):
            return _reduced(walk, group, facts)
        names, complete = labels(first) if first is not None and is_list(first) else ([], False)
        return walk.new_frame(_grouped(group, names)) if complete and names else UNKNOWN
    several = _several(walk, group, facts, first, call)
    if several is not None:
        return several
    if isinstance(first, Dict):
        check_keys(walk, group.handle, first, call.node, owner)
        keys = [k.value for k in first.keys if isinstance(k, Const)]
        plain = all(isinstance(v, Const) or (isinstance(v, Ref) and v.path) for v in first.values)
        if (
            plain
            and len(keys) == len(first.keys)
            and not any(v.cls is list for v in first.values if isinstance(v, Ref))
        ):
            return walk.new_frame(_grouped(group, keys))
        return UNKNOWN
    if first is None and call.keywords:
        names = named(walk, group.handle, call)
        return walk.new_frame(_grouped(group, names)) if len(names) == len(call.keywords) else UNKNOWN
    return _reduced(walk, group, facts) if isinstance(first, Const) else UNKNOWN
