"""Which rows of a live table a chain works on, where its conditions are simple enough to be known without running."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.data_notes.uses import Chain, Uses, labels_of
from llmos_jupyter.agent.describe.basics import is_missing
from llmos_jupyter.agent.describe.columns import stride
from llmos_jupyter.agent.inspection.dataflow.column_values import is_textual

MOST = 200_000  # rows of a column that are looked at
_OBJECTS = 20_000  # the same where they are Python's objects

_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_METHODS = {"eq": ast.Eq, "ne": ast.NotEq, "lt": ast.Lt, "le": ast.LtE, "gt": ast.Gt, "ge": ast.GtE}
_Mask = list[bool]


def every(chain: Chain) -> int:
    """Every how manyth row of the chain's table is looked at."""
    tables = [chain.alone] if chain.alone is not None else [chain.series(label) for label in _all_labels(chain)]
    slow = bool(chain.masks) or any(series is not None and is_textual(series) for series in tables)
    return stride(chain.rows, _OBJECTS if slow else MOST)


def _all_labels(chain: Chain) -> list[Any]:
    """The labels of the columns and the keys; of a whole table none, for it is not read as objects."""
    return [*(chain.labels or ()), *(chain.group or ())]


def values(series: Any, step: int) -> list[Any]:
    """The looked-at values of a column as Python's objects."""
    found: list[Any] = (series.iloc[::step] if step > 1 else series).to_numpy(dtype=object).tolist()
    return found


def gaps(series: Any, step: int) -> list[bool]:
    """Where the looked-at values are missing."""
    found: list[bool] = (series.iloc[::step] if step > 1 else series).isna().tolist()
    return found


def rows(uses: Uses, chain: Chain, step: int) -> _Mask | None:
    """Which of the looked-at rows the chain's conditions leave; None if that is not known."""
    chosen: _Mask | None = None
    for condition in chain.masks:
        one = _mask(uses, chain, condition, step)
        if one is None:
            return None
        chosen = one if chosen is None else [a and b for a, b in zip(chosen, one, strict=True)]
    return [True] * len(range(0, chain.rows, step)) if chosen is None else chosen


def _mask(uses: Uses, chain: Chain, node: ast.expr, step: int) -> _Mask | None:
    node = uses.definition(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        left, right = _mask(uses, chain, node.left, step), _mask(uses, chain, node.right, step)
        if left is None or right is None:
            return None
        both = isinstance(node.op, ast.BitAnd)
        return [(a and b) if both else (a or b) for a, b in zip(left, right, strict=True)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        inner = _mask(uses, chain, node.operand, step)
        return None if inner is None else [not one for one in inner]
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _compared(uses, chain, node.left, type(node.ops[0]), node.comparators[0], step)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _asked(uses, chain, node, node.func, step)
    series = _own(uses, chain, node)
    if series is None or str(series.dtype) not in ("bool", "boolean") or _three_valued(series):
        return None
    return [value is True for value in values(series, step)]


def _own(uses: Uses, chain: Chain, node: ast.expr) -> Any:
    """The live column of the chain's own table that an expression is; None if it is another thing."""
    found = uses.chain(node)
    if found is None or not found.one or found.steps or found.masks or found.group is not None:
        return None
    same = found.table is chain.table if chain.alone is None else found.alone is chain.alone
    return found.series(found.chosen[0]) if same else None


def _asked(uses: Uses, chain: Chain, node: ast.Call, func: ast.Attribute, step: int) -> _Mask | None:
    if func.attr in _METHODS and len(node.args) == 1:
        return _compared(uses, chain, func.value, _METHODS[func.attr], node.args[0], step)
    series = _own(uses, chain, func.value)
    if series is None:
        return None
    if func.attr in ("isna", "isnull"):
        return gaps(series, step)
    if func.attr in ("notna", "notnull"):
        return [not gap for gap in gaps(series, step)]
    if func.attr == "isin" and len(node.args) == 1:
        wanted = labels_of(node.args[0])
        plain = _plain(values(series, step))
        return None if not wanted or plain is None else [value in wanted for value in plain]
    return None


def _compared(
    uses: Uses, chain: Chain, left: ast.expr, how: type[ast.cmpop], right: ast.expr, step: int
) -> _Mask | None:
    compare = _COMPARE.get(how)
    series = _own(uses, chain, left)
    if compare is None or series is None or not isinstance(right, ast.Constant) or _three_valued(series):
        return None
    plain = _plain(values(series, step))
    if plain is None or not live.kind(right.value, str, int, float, bool):
        return None
    try:
        differs = compare is operator.ne  # as what is missing does from everything
        return [differs if is_missing(value) else compare(value, right.value) is True for value in plain]
    except TypeError:
        return None


def _three_valued(series: Any) -> bool:
    """Whether conditions on the column are neither true nor false for some rows, and so is what is made of them."""
    pandas = live.library("pandas")
    return getattr(series.dtype, "na_value", None) is pandas.NA and bool(series.isna().any())


def _plain(found: list[Any]) -> list[Any] | None:
    """The values if comparing them runs nobody's code."""
    return found if all(is_missing(v) or live.kind(v, str, int, float, bool) for v in found) else None
