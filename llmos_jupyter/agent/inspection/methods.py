"""What methods of pandas and polars frames, and functions given frames, need and return."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent.inspection import frames
from llmos_jupyter.agent.inspection.frames import check, check_label
from llmos_jupyter.agent.inspection.values import (
    UNKNOWN,
    Const,
    Dict,
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
from llmos_jupyter.agent.inspection.words import words

if TYPE_CHECKING:
    from llmos_jupyter.agent.inspection.walk import Walk

NONE = Const(None)
TRUE = Const(True)

# Methods of a DataFrame that return one with the same columns, or some of them.
_SAME = words(
    "copy head tail sample sort_values sort_index dropna drop_duplicates fillna ffill bfill replace "
    "round abs astype nlargest nsmallest clip convert_dtypes infer_objects interpolate shift diff "
    "cumsum cumprod cummax cummin rank query where mask truncate tz_localize tz_convert between_time "
    "at_time isna notna isnull notnull map applymap select_dtypes pct_change filter explode describe "
    "corr cov quantile_ to_period to_timestamp"
)
# Which arguments of a method name columns: (position or None, keyword, whether index levels count).
_NEEDS: dict[str, list[tuple[int | None, str, bool]]] = {
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
_STRINGS_ONLY = frozenset({"plot", "value_counts"})
_REDUCTIONS = words("sum mean median min max count std var first last prod nunique sem any all idxmin idxmax skew")
_LIKE_INPUT = words("transform cumsum cumprod cummax cummin cumcount rank shift diff pct_change ffill bfill fillna")
_SERIES_SAME = words(
    "head tail fillna dropna astype sort_values sort_index round abs shift cumsum diff rank copy clip "
    "replace nlargest nsmallest map ffill bfill sample drop_duplicates interpolate pct_change where "
    "mask drop add sub mul div"
)
_SERIES_MASKS = words("isin isna notna isnull notnull between duplicated eq ne gt lt ge le")
_STR_MASKS = words(
    "contains startswith endswith match fullmatch isalpha isdigit isnumeric isalnum isupper islower isspace istitle"
)


class Call:
    """The arguments of one call of a method."""

    def __init__(self, node: ast.Call, args: list[Value], keywords: dict[str, Value]) -> None:
        self.node = node
        self.args = args
        self.keywords = keywords
        self.opaque = any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords)
        self.owner: ast.AST = node.func.value if isinstance(node.func, ast.Attribute) else node.func

    def get(self, position: int | None, keyword: str) -> Value | None:
        if keyword in self.keywords:
            return self.keywords[keyword]
        return self.args[position] if position is not None and position < len(self.args) else None


def method(walk: Walk, part: Part, node: ast.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """The value of a method call on a frame, series or groupby."""
    call = Call(node, args, keywords)
    if isinstance(part.of, Frame):
        if call.opaque:
            walk.forget(part.of)
            return UNKNOWN
        if walk.facts(part.of.handle).library == "polars":
            return _polars(walk, part.of, part.name, call)
        return _frame(walk, part.of, part.name, call)
    if isinstance(part.of, Series):
        return _series(walk, part.of, part.name, call)
    if isinstance(part.of, Group):
        return UNKNOWN if call.opaque else _group(walk, part.of, part.name, call)
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


# --- pandas DataFrame -------------------------------------------------------------------------


def _frame(walk: Walk, frame: Frame, name: str, call: Call) -> Value:
    handle = frame.handle
    facts = walk.facts(handle)
    axis = call.get({"drop": 1, "rename": None}.get(name), "axis")
    sideways = axis in (Const(1), Const("columns"))
    if axis is not None and not isinstance(axis, Const):
        walk.forget(frame)
        return UNKNOWN
    if not facts.nested and not (sideways and name in {"sort_values", "dropna"}):
        for position, keyword, keys in _NEEDS.get(name, []):
            value = call.get(position, keyword)
            if value is not None:
                check(walk, handle, value, call.node, call.owner, keys=keys, strings=name in _STRINGS_ONLY)
        _needs_mapping(walk, handle, name, call, sideways)
    if facts.nested:
        facts = facts.forget()
    result = _frame_result(walk, frame, facts, name, call, sideways)
    inplace = call.keywords.get("inplace")
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
            _check_keys(walk, handle, mapping, node, owner, "" if strict else ", so nothing is renamed")
    elif name in {"astype", "agg", "aggregate"} and isinstance(first, Dict):
        _check_keys(walk, handle, first, node, owner)
    elif name == "fillna" and isinstance(first, Dict):
        _check_keys(walk, handle, first, node, owner, ", so nothing is filled there")
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
        _merge_keys(walk, frame_of(handle), right, call, 1)
    if name in {"agg", "aggregate"}:
        _named(walk, handle, call)


def frame_of(handle: int) -> Frame:
    return Frame(handle)


def _check_keys(walk: Walk, handle: int, mapping: Dict, node: ast.AST, owner: ast.AST, warn: str = "") -> None:
    for key in mapping.keys:
        if isinstance(key, Const):
            check_label(walk, handle, key.value, node, owner, warn=warn)


def _named(walk: Walk, handle: int, call: Call) -> list[str]:
    """Named aggregations, `total=('price', 'sum')`: their columns are checked, their names returned."""
    names = []
    for keyword, value in call.keywords.items():
        if isinstance(value, Seq) and value.cls is tuple and len(value.items) == 2:
            names.append(keyword)
            if isinstance(value.items[0], Const):
                check(walk, handle, value.items[0], call.node, call.owner)
        elif isinstance(value, Ref) and (value.path or "").endswith("NamedAgg()"):
            names.append(keyword)
    return names


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
    if name in _SAME:
        return walk.new_frame(replace(facts, index=(None,)) if name in {"describe", "corr", "cov"} else facts)
    known = facts.columns
    if name == "assign":
        return walk.new_frame(facts.with_columns(*call.keywords))
    if name == "insert":
        column = call.get(1, "column")
        added, complete = labels(column) if column is not None else ([], False)
        walk.state.heap[frame.handle] = facts.with_columns(*added) if complete else replace(facts, columns=None)
        return NONE
    if name == "pop":
        frames.remove(walk, frame.handle, labels(call.get(0, "item") or UNKNOWN)[0])
        return UNKNOWN
    if name == "pipe":
        walk.forget(frame)
        return UNKNOWN
    if name == "eval":
        text = call.get(0, "expr")
        if isinstance(text, Const) and isinstance(text.value, str) and re.search(r"(?<![=<>!])=(?!=)", text.value):
            names = re.findall(r"(?:^|\n|;)\s*(\w+)\s*=(?!=)", text.value)
            return walk.new_frame(facts.with_columns(*names))
        return UNKNOWN
    if name in {"rename_axis", "set_flags", "reindex", "set_axis"}:
        cut = facts if name == "rename_axis" else replace(facts, columns=None)
        return walk.new_frame(replace(cut, index=None))
    if name == "rename":
        return _rename(walk, facts, call, sideways)
    if name == "drop":
        gone = call.keywords.get("columns") or (call.get(0, "labels") if sideways else None)
        left = None if known is None else {c: v for c, v in known.items() if gone is None or c not in labels(gone)[0]}
        return walk.new_frame(replace(facts, columns=left))
    if name == "reset_index":
        return walk.new_frame(_reset(facts, call))
    if name == "set_index":
        keys = call.get(0, "keys") or UNKNOWN
        names, complete = labels(keys)
        drop = call.get(1, "drop") in (None, TRUE)
        left = known if known is None or not drop else {c: v for c, v in known.items() if c not in names}
        whole = complete and bool(names) and "append" not in call.keywords and len(call.args) < 3
        return walk.new_frame(replace(facts, columns=left, index=tuple(names) if whole else None))
    if name == "groupby":
        by = call.get(0, "by")
        names, complete = labels(by) if by is not None else ([], False)
        as_index = call.keywords.get("as_index", TRUE)
        if as_index not in (TRUE, Const(False)) or "level" in call.keywords or len(call.args) > 1:
            return UNKNOWN
        return Group(frame.handle, tuple(names) if names and complete else None, as_index == TRUE)
    if name == "merge":
        return _merge(walk, frame, call.get(0, "right"), call, 1)
    if name == "join":
        return _join(walk, facts, call)
    if name == "melt":
        return _melt(walk, facts, call, 0)
    if name == "pivot_table":
        return _pivot_table(walk, facts, call, 0)
    return UNKNOWN


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


def _reset(facts: Facts, call: Call) -> Facts:
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


def _merge_keys(walk: Walk, left: Value | None, right: Value | None, call: Call, shift: int) -> None:
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


def _merge(walk: Walk, left: Value | None, right: Value | None, call: Call, shift: int) -> Value:
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


def _join(walk: Walk, facts: Facts, call: Call) -> Value:
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


def _melt(walk: Walk, facts: Facts, call: Call, at: int) -> Value:
    kept, complete = labels(call.get(at, "id_vars") or Seq(()))
    variable = call.get(at + 2, "var_name") or Const("variable")
    value = call.get(at + 3, "value_name") or Const("value")
    if not (complete and isinstance(variable, Const) and isinstance(value, Const)):
        return walk.new_frame(Facts())
    return walk.new_frame(Facts(columns=dict.fromkeys([*kept, variable.value, value.value]), index=None))


def _pivot_table(walk: Walk, facts: Facts, call: Call, at: int) -> Value:
    index, complete = labels(call.get(at + 1, "index") or UNKNOWN)
    aggregate = call.get(at + 3, "aggfunc")
    values = call.get(at, "values")
    single = aggregate is None or isinstance(aggregate, Const)
    rows = tuple(index) if complete else None
    if call.get(at + 2, "columns") is not None or not single or facts.columns is None:
        return walk.new_frame(Facts(index=rows))
    chosen, whole = labels(values) if values is not None else (list(facts.columns), True)
    return walk.new_frame(Facts(columns=dict.fromkeys(chosen) if whole else None, index=rows))


# --- Series and groupby -----------------------------------------------------------------------


def _series(walk: Walk, series: Series, name: str, call: Call) -> Value:
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
        base = Facts(columns={label: None}, index=series.index)
        return walk.new_frame(_reset(base, call))
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


def _group(walk: Walk, group: Group, name: str, call: Call) -> Value:
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
        return walk.new_frame(facts) if group.selected is None else frames.select(walk, group.handle, group.selected)
    if name in {"head", "tail", "filter", "sample", "nth"} and not group.one:
        return walk.new_frame(facts)
    return UNKNOWN


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
    if isinstance(first, Dict):
        _check_keys(walk, group.handle, first, call.node, owner)
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
        names = _named(walk, group.handle, call)
        return walk.new_frame(_grouped(group, names)) if len(names) == len(call.keywords) else UNKNOWN
    return _reduced(walk, group, facts) if isinstance(first, Const) else UNKNOWN


# --- polars -----------------------------------------------------------------------------------

_POLARS_SAME = words("filter sort head tail limit slice sample unique reverse clone fill_null fill_nan drop_nulls")
_POLARS_LABELS = words("select sort group_by unique get_column drop drop_nulls top_k bottom_k partition_by")
_POLARS_EXPRESSIONS = frozenset(["select", "filter", "with_columns", "sort", "group_by"])


def _polars(walk: Walk, frame: Frame, name: str, call: Call) -> Value:
    handle = frame.handle
    if name in _POLARS_LABELS and call.keywords.get("strict", TRUE) == TRUE:
        values = list(call.args if name not in {"top_k", "bottom_k"} else [])
        values += [call.keywords[k] for k in ("by", "subset") if k in call.keywords]
        for value in values:
            for label in labels(value)[0]:
                if type(label) is str and label != "*" and not label.startswith("^"):
                    check_label(walk, handle, label, call.node, call.owner)
    if name in _POLARS_EXPRESSIONS:
        for part in [*call.node.args, *(k.value for k in call.node.keywords)]:
            for label in _polars_columns(walk, part):
                check_label(walk, handle, label, call.node, call.owner)
    facts = walk.facts(handle)
    if name in _POLARS_SAME:
        return walk.new_frame(facts)
    if name == "with_columns" and not call.args:
        return walk.new_frame(facts.with_columns(*call.keywords))
    if name == "drop" and facts.columns is not None:
        gone = {label for v in call.args for label in labels(v)[0]}
        return walk.new_frame(replace(facts, columns={c: v for c, v in facts.columns.items() if c not in gone}))
    if name in {"with_columns", "select", "rename", "join"}:
        return walk.new_frame(replace(facts, columns=None))
    return UNKNOWN


def _polars_columns(walk: Walk, node: ast.AST) -> list[str]:
    """Names written as `pl.col('name')` in an expression."""
    found: list[str] = []
    for part in ast.walk(node):
        if not isinstance(part, ast.Call):
            continue
        name = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
        holder = walk.lookup(part.func.value.id) if _on_name(part.func) else UNKNOWN  # type: ignore[attr-defined]
        direct = walk.lookup(name) if isinstance(part.func, ast.Name) else holder
        path = direct.path or "" if isinstance(direct, Ref) else ""
        if name == "col" and path.startswith("polars"):
            constants = [a.value for a in part.args if isinstance(a, ast.Constant)]
            found += [c for c in constants if isinstance(c, str) and c not in {"", "*"} and not c.startswith("^")]
    return found


def _on_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)


# --- functions given frames -------------------------------------------------------------------

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
            _merge_keys(walk, call.get(0, "left"), call.get(1, "right"), call, 2)
        return _merge(walk, call.get(0, "left"), call.get(1, "right"), call, 2)
    if name == "concat":
        return _concat(walk, call)
    if name in {"melt", "pivot_table"} and args and isinstance(args[0], Frame) and not call.opaque:
        call.owner = node.args[0]
        facts = walk.facts(args[0].handle)
        for position, keyword, keys in _NEEDS[name]:
            value = call.get(None if position is None else position + 1, keyword)
            if value is not None and not facts.nested:
                check(walk, args[0].handle, value, node, call.owner, keys=keys)
        return _melt(walk, facts, call, 1) if name == "melt" else _pivot_table(walk, facts, call, 1)
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
