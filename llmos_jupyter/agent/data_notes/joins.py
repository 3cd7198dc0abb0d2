"""Notes of joins whose keys repeat on both sides, so that rows multiply."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

from llmos_jupyter.agent import live
from llmos_jupyter.agent.data_notes.uses import Chain, Note, Uses, argument, labels_of
from llmos_jupyter.agent.describe.basics import is_missing
from llmos_jupyter.agent.inspection.dataflow.column_values import plain_dtype

_ROWS = 500_000  # of either table
_OBJECTS = 20_000  # the same where keys are Python's objects, or several


class _Join(NamedTuple):
    left: Chain
    right: Chain
    left_keys: list[Any] | None  # None: the rows' labels
    right_keys: list[Any] | None
    how: str


def multiplied(uses: Uses) -> Iterator[Note]:
    for call, name in uses.calls():
        join = _merge(uses, call) if name == "merge" else _joined(uses, call) if name == "join" else None
        if join is not None and argument(call, None, "validate") is None:
            yield from _told(join, call.lineno)


def _table(chain: Chain | None) -> bool:
    """Whether it is a live table with all its rows, whatever its columns."""
    return (
        chain is not None and chain.table is not None and not (chain.one or chain.steps or chain.masks or chain.group)
    )


def _merge(uses: Uses, call: ast.Call) -> _Join | None:
    function = uses.is_library(call.func, "pandas")
    if not isinstance(call.func, ast.Attribute):
        return None
    shift = 1 if function else 0
    first = argument(call, 0, "left") if function else call.func.value
    second = argument(call, shift, "right")
    left = uses.chain(first) if first is not None else None
    right = uses.chain(second) if second is not None else None
    if left is None or right is None or not (_table(left) and _table(right)):
        return None
    if any(k.arg in ("left_index", "right_index") for k in call.keywords) or len(call.args) > shift + 5:
        return None
    how = _how(argument(call, shift + 1, "how"), "inner")
    on = argument(call, shift + 2, "on")
    sides = argument(call, shift + 3, "left_on"), argument(call, shift + 4, "right_on")
    if on is not None:
        keys = labels_of(on), labels_of(on)
    elif sides[0] is not None and sides[1] is not None:
        keys = labels_of(sides[0]), labels_of(sides[1])
    else:
        other = set(right.chosen)
        keys = [label for label in left.chosen if label in other], [label for label in left.chosen if label in other]
    return _Join(left, right, *keys, how) if how and keys[0] and len(keys[0]) == len(keys[1]) else None


def _joined(uses: Uses, call: ast.Call) -> _Join | None:
    """`a.join(b)` by the rows' labels, of `b` at least."""
    other = argument(call, 0, "other")
    if not isinstance(call.func, ast.Attribute) or other is None:
        return None
    left, right = uses.chain(call.func.value), uses.chain(other)
    if left is None or right is None or not _table(left):
        return None
    right_keys: list[Any] | None = None
    if [step.name for step in right.steps] == ["set_index"] and right.steps[0].call is not None:
        right_keys = labels_of(argument(right.steps[0].call, 0, "keys"))
        right = Chain(right.name, right.table, labels=right.labels, masks=right.masks, changed=right.changed)
    on = argument(call, 1, "on")
    left_keys = labels_of(on) if on is not None else None
    how = _how(argument(call, 2, "how"), "left")
    if not _table(right) or not how or left_keys == [] or right_keys == []:
        return None
    return _Join(left, right, left_keys, right_keys, how)


def _how(node: ast.expr | None, usual: str) -> str:
    if node is None:
        return usual
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) and value in ("inner", "left", "right", "outer") else ""


def _told(join: _Join, line: int) -> Iterator[Note]:
    if join.left.rows > _ROWS or join.right.rows > _ROWS:
        return
    one, other = _keys(join.left, join.left_keys), _keys(join.right, join.right_keys)
    if one is None or other is None or one.is_unique or other.is_unique:
        return
    # Missing keys meet in pandas, so they count.
    left, right = one.value_counts(dropna=False), other.value_counts(dropna=False)
    both = left.index.intersection(right.index)
    here, there = left.reindex(both).to_numpy(), right.reindex(both).to_numpy()
    repeated = (here > 1) & (there > 1)
    if not repeated.any():
        return
    at = int((here * there * repeated).argmax())
    rows = int((here * there).sum())
    if join.how in ("left", "outer"):
        rows += join.left.rows - int(here.sum())
    if join.how in ("right", "outer"):
        rows += join.right.rows - int(there.sum())
    labels = join.left_keys or join.right_keys
    names = ", ".join(f"`{label}`" for label in labels) if labels else "of the rows"
    key = f"The keys {names} repeat" if labels and len(labels) > 1 else f"The key {names} repeats"
    yield Note(
        f"{key} in both tables: {here[at]} rows of `{join.left.name}` meet {there[at]} of `{join.right.name}`, so "
        f"rows multiply ({join.left.rows} -> {rows}).",
        line,
        str(labels[0]) if labels else join.left.name,
    )


def _keys(chain: Chain, labels: list[Any] | None) -> Any:
    """The keys of a table's rows as an index; None if comparing them could run anyone's code, or takes long."""
    if labels is None:
        index = chain.table.index
        plain = live.class_name(type(index)) in ("Index", "RangeIndex", "DatetimeIndex") and plain_dtype(index.dtype)
        return index if plain and (index.dtype.kind != "O" or _few_and_plain(index)) else None
    columns = [chain.series(label) for label in labels]
    if any(one is None or (str(one.dtype) in ("object", "category") and not _few_and_plain(one)) for one in columns):
        return None
    pandas = live.library("pandas")
    if len(columns) == 1:
        return pandas.Index(columns[0])
    return pandas.MultiIndex.from_arrays(columns) if chain.rows <= _OBJECTS else None


def _few_and_plain(held: Any) -> bool:
    return len(held) <= _OBJECTS and all(
        is_missing(value) or live.kind(value, str, int, float, bool) for value in held.to_numpy(dtype=object).tolist()
    )
