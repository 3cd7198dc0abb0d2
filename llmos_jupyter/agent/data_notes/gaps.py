"""Notes of what is left out unseen: missing values, unknown answers, and rows that count twice."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.data_notes.rows import every, gaps, rows, values
from llmos_jupyter.agent.data_notes.uses import Chain, Note, Uses, argument, is_constant, labels_of
from llmos_jupyter.agent.describe.basics import is_missing
from llmos_jupyter.agent.inspection.dataflow.column_values import plain_dtype

SHARE = 0.05  # of values that are missing, up to which nothing is said
REPEATED = 0.2  # of rows that are duplicates, beyond which they are how the table is meant
_CELLS = 200_000  # of a table whose rows are compared

_STATISTICS = frozenset(
    ["mean", "sum", "median", "std", "var", "sem", "skew", "prod", "count", "corr", "cov", "quantile"]
)
_GAPS = frozenset(["fillna", "ffill", "bfill", "interpolate", "dropna", "isna", "isnull", "notna", "notnull"])
_AGGREGATES = frozenset(["agg", "aggregate"])
_COUNTING = frozenset(["sum", "mean", "count", "size", "median", "std", "var", "value_counts"])
# Steps that leave values and gaps as they are.
_NEUTRAL = frozenset(
    ["astype", "round", "abs", "sort_values", "sort_index", "copy", "reset_index", "to_numpy", "values", "rename",
     "convert_dtypes", "infer_objects"]
)  # fmt: skip


def statistics(uses: Uses) -> Iterator[tuple[ast.Call, str, Chain, tuple[Any, ...]]]:
    """Each statistic: the call, its name, what it is of, and the labels of the columns that go into it."""
    for call, name in uses.calls():
        if not isinstance(call.func, ast.Attribute):
            continue
        if name in ("mean", "sum", "median", "std", "var") and uses.is_library(call.func, "numpy") and call.args:
            found = uses.columns_in(call.args[0])
        else:
            found = uses.columns_in(call.func.value)
        for chain in found:
            if not chain.passed <= _NEUTRAL:
                continue
            if name in _STATISTICS | {"size", "value_counts"}:
                yield call, name, chain, chain.chosen
            elif name in _AGGREGATES:
                yield call, name, chain, _aggregated(call, chain)


def _aggregated(call: ast.Call, chain: Chain) -> tuple[Any, ...]:
    """The labels that `agg` is given."""
    first = argument(call, 0, "func")
    if isinstance(first, ast.Dict):
        pairs = zip(first.keys, first.values, strict=True)
        return tuple(key.value for key, how in pairs if isinstance(key, ast.Constant) and _leaves_out(how))
    if first is None:
        tuples = [k.value.elts for k in call.keywords if isinstance(k.value, ast.Tuple) and len(k.value.elts) == 2]
        return tuple(one.value for one, how in tuples if isinstance(one, ast.Constant) and _leaves_out(how))
    return chain.chosen if _leaves_out(first) else ()


def _leaves_out(how: ast.expr) -> bool:
    """Whether one of the statistics, named or listed, leaves missing values out."""
    parts = how.elts if isinstance(how, ast.List | ast.Tuple) else [how]
    return any(isinstance(part, ast.Constant) and part.value in _STATISTICS for part in parts)


# --- missing values ----------------------------------------------------------------------------


def missing(uses: Uses) -> Iterator[Note]:
    """Values that a statistic leaves out, unless the code itself deals with that column's gaps."""
    minded = _minded(uses)
    for call, name, chain, labels in statistics(uses):
        if chain.group is not None and not chain.keeps_gaps:
            for key in chain.group:
                if key not in minded:
                    yield from _left_out(uses, chain, key, call)
        if name == "size" or is_constant(argument(call, None, "skipna"), False):
            continue
        if name == "value_counts" and (not chain.one or is_constant(argument(call, None, "dropna"), False)):
            continue
        if name == "count" and not chain.one:
            continue  # the counts show it
        for label in labels:
            if label in minded:
                continue
            if chain.one or name in _AGGREGATES or _numeric(chain, label):
                yield from _left_out(uses, chain, label, call)


def _minded(uses: Uses) -> set[Any]:
    """The columns whose gaps the code fills, drops or counts."""
    found: set[Any] = set()
    for call, name in uses.calls():
        if name in _GAPS and isinstance(call.func, ast.Attribute):
            chain = uses.chain(call.func.value)
            subset = labels_of(argument(call, None, "subset"))
            found.update(chain.chosen if chain is not None and chain.one else subset)
    return found


def _numeric(chain: Chain, label: Any) -> bool:
    series = chain.series(label)
    return series is not None and series.dtype.kind in "iufb"


def _left_out(uses: Uses, chain: Chain, label: Any, call: ast.Call) -> Iterator[Note]:
    series = chain.series(label)
    if series is None or is_boolean(series) or not series.isna().any():
        return
    step = every(chain)
    kept = rows(uses, chain, step)
    if kept is None:
        return
    gone = [gap for gap, keep in zip(gaps(series, step), kept, strict=True) if keep]
    count, total = sum(gone), len(gone)
    if total and count > SHARE * total:
        some = f"{count} of {total} values" if step == 1 else f"About {100 * count / total:.0f} % of the values"
        are = "is" if (count, step) == (1, 1) else "are"
        text = f"{some} of `{label}` {are} missing and left out."
        yield Note(text, call.lineno, str(label))


# --- unknown answers ---------------------------------------------------------------------------


def is_boolean(series: Any) -> bool:
    """Whether the column holds True and False, perhaps among missing values."""
    if str(series.dtype) in ("bool", "boolean"):
        return True
    if str(series.dtype) != "object":
        return False
    present = [value for value in values(series.iloc[:1_000], 1) if not is_missing(value)]
    return bool(present) and all(type(value) is bool for value in present)


def unknown(uses: Uses) -> Iterator[Note]:
    """Answers of yes and no that are neither."""
    for node in ast.walk(uses.tree):
        asked: ast.expr | None = None
        nullable_only = False
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
            asked, nullable_only = node.operand, True
        elif isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            truth = isinstance(node.comparators[0], ast.Constant) and type(node.comparators[0].value) is bool
            asked, nullable_only = (node.left if truth else None), isinstance(node.ops[0], ast.NotEq)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            counts = node.func.attr in ("sum", "mean", "value_counts") and not _keeps(node)
            asked = node.func.value if counts else None
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            asked, nullable_only = node.slice, True
        if asked is not None:
            yield from _unknown_in(uses, asked, nullable_only)


def _keeps(call: ast.Call) -> bool:
    return is_constant(argument(call, None, "dropna"), False) or is_constant(argument(call, None, "skipna"), False)


def _unknown_in(uses: Uses, node: ast.expr, nullable_only: bool) -> Iterator[Note]:
    chain = uses.chain(node)
    if chain is None or not chain.one or chain.steps:
        return
    label = chain.chosen[0]
    series = chain.series(label)
    if series is None or not is_boolean(series) or (nullable_only and str(series.dtype) != "boolean"):
        return
    if not series.isna().any():
        return
    step = every(chain)
    kept = rows(uses, chain, step)
    count = 0 if kept is None else sum(a and b for a, b in zip(gaps(series, step), kept, strict=True))
    if count:
        some = f"{count} values" if step == 1 else f"About {count * step} values"
        are = f"{some} of `{label}` are" if (count, step) != (1, 1) else f"1 value of `{label}` is"
        text = f"{are} unknown and counted as neither."
        yield Note(text, node.lineno, str(label))


# --- rows that stand twice ---------------------------------------------------------------------


def duplicates(uses: Uses) -> Iterator[Note]:
    words = {node.attr for node in ast.walk(uses.tree) if isinstance(node, ast.Attribute)}
    if words & {"drop_duplicates", "duplicated", "nunique", "unique"}:
        return
    told: set[str] = set()
    for call, name, chain, labels in statistics(uses):
        if name in _COUNTING or (name in _AGGREGATES and labels):
            yield from _twice(uses, chain, call.lineno, told)
    for call, name in uses.calls():
        if name == "len" and isinstance(call.func, ast.Name) and len(call.args) == 1:
            chain_of = uses.chain(call.args[0])
            if chain_of is not None and not chain_of.steps:
                yield from _twice(uses, chain_of, call.lineno, told)


def _twice(uses: Uses, chain: Chain, line: int, told: set[str]) -> Iterator[Note]:
    table = chain.table
    if table is None or chain.changed or chain.name in told:
        return
    if table.shape[1] < 2 or not 0 < table.size <= _CELLS or not _comparable(table):
        return
    kept = rows(uses, chain, 1)
    if kept is None:
        return
    repeats = [again for again, keep in zip(table.duplicated().tolist(), kept, strict=True) if keep]
    count = sum(repeats)
    if 0 < count <= REPEATED * len(repeats):
        told.add(chain.name)
        text = "duplicate row; it counts twice here." if count == 1 else "duplicate rows; they count twice here."
        yield Note(f"`{chain.name}` has {count} {text}", line, chain.name)


def _comparable(table: Any) -> bool:
    """Whether comparing the rows runs nobody's code."""
    for position in range(table.shape[1]):
        series = table.iloc[:, position]
        if not plain_dtype(series.dtype):
            return False
        kind = str(series.dtype)
        held = values(series, 1) if kind == "object" else series.cat.categories.tolist() if kind == "category" else []
        if not all(live.kind(value, str, int, float, bool) or is_missing(value) for value in held):
            return False
    return True
