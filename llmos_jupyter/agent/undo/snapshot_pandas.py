"""Frames, series and indexes, remembered through the block manager beneath them.

Public pandas calls would build views and caches, and a frame's subclass may override them; the manager
(pandas 2 and 3 alike) names the arrays that really hold the data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from llmos_jupyter.agent.undo.snapshot_kinds import Array, Instance, Look, Means, Node, _key, counted, names

COMPARED = 64 << 20  # bytes a column that moved may have, to be compared value by value
LABELS = 100_000  # columns, beyond which only their number is compared

ALL = frozenset({-1})  # stands for a block of which it is not known which columns

_ARRAY_PARTS = ("_ndarray", "_data", "_mask", "_pa_array", "_left", "_right", "_sparse_values", "_sparse_index")


def remember_pandas(obj: Any, means: Means) -> Node | None:
    pd = sys.modules["pandas"]
    cls = type(obj)
    if issubclass(cls, pd.core.generic.NDFrame):
        return Frame(obj, means)
    if issubclass(cls, pd.Index):
        return Index(obj, means)
    if issubclass(cls, pd.api.extensions.ExtensionArray):
        return Extension(obj, means)
    return Instance(obj, means)


class Extension:
    """An array of pandas' own: categories, masked numbers, strings, Arrow."""

    def __init__(self, obj: Any, means: Means) -> None:
        self.obj = obj
        self.held = self._held()

    def _held(self) -> dict[str, object]:
        held: dict[str, object] = {}
        for name in _ARRAY_PARTS:
            try:
                held[name] = object.__getattribute__(self.obj, name)
            except AttributeError:
                continue
        return held

    def children(self) -> Iterable[object]:
        return self.held.values()

    def difference(self, look: Look) -> str | None:
        now = self._held()
        # A property among the names gives a new view each time; the view's memory is what counts.
        if now.keys() == self.held.keys() and all(_same_memory(value, now[name]) for name, value in self.held.items()):
            return None
        return "values changed"


def _same_memory(before: object, after: object) -> bool:
    if before is after:
        return True
    ndarray = sys.modules["numpy"].ndarray
    if isinstance(before, ndarray) and isinstance(after, ndarray):
        return Array._state(before) == Array._state(after)
    return False


class Index:
    """Immutable in all but its names."""

    def __init__(self, obj: Any, means: Means) -> None:
        self.obj = obj
        self.names = self._names()

    def _names(self) -> list[object]:
        held = object.__getattribute__(self.obj, "__dict__")
        return list(held["_names"]) if "_names" in held else [held.get("_name")]

    def children(self) -> Iterable[object]:
        data = object.__getattribute__(self.obj, "__dict__").get("_data")
        return () if data is None else (data,)

    def difference(self, look: Look) -> str | None:
        now = self._names()
        return None if [_key(n) for n in now] == [_key(n) for n in self.names] else f"name: {names(now)}"


class Frame:
    """A DataFrame or a Series."""

    def __init__(self, obj: Any, means: Means) -> None:
        self.obj = obj
        self.manager, self.axes, self.blocks = _layout(obj)
        self.name = _name(obj)
        self.attrs = object.__getattribute__(obj, "__dict__").get("_attrs")

    def children(self) -> Iterable[object]:
        return [*(values for values, _ in self.blocks), *self.axes, self.attrs]

    def difference(self, look: Look) -> str | None:
        _, axes, blocks = _layout(self.obj)
        found: list[str] = []
        old_shape, new_shape = _shape(self.axes), _shape(axes)
        if len(axes) == 2 and (columns := _columns(self.axes[0], axes[0])):
            found.append(columns)
        if old_shape[0] != new_shape[0]:
            found.append(f"shape {old_shape} -> {new_shape}")
        elif not _same_index(self.axes[-1], axes[-1]):
            found.append("index")
        if old_shape[0] == new_shape[0] and (values := self._values(axes, blocks, look)):
            found.append(values)
        if _key(self.name) != _key(_name(self.obj)):
            found.append(f"name: {names([_name(self.obj)])}")
        return "; ".join(found) or None

    def _values(self, axes: tuple[Any, ...], blocks: list[Any], look: Look) -> str:
        """Which columns' values or dtypes changed, of those there before and after."""
        changed: list[object] = []
        dtypes: list[str] = []
        somewhere = False
        same_blocks = len(blocks) == len(self.blocks) and all(
            a[0] is b[0] for a, b in zip(blocks, self.blocks, strict=True)
        )
        written = {id(values): _rows_written(look(values), look) for values, _ in self.blocks}
        if same_blocks and not any(written.values()):
            return ""
        before, after = _by_label(self.axes, self.blocks), _by_label(axes, blocks)
        for key, (label, values, row) in before.items():
            if key not in after:
                continue
            _, new_values, new_row = after[key]
            if values is new_values:
                rows = written[id(values)]
                if rows is ALL and getattr(values, "ndim", 1) == 2 and len(values) > 1:
                    somewhere = True
                elif rows is ALL or row in rows:
                    changed.append(label)
                continue
            old, new = _column(values, row), _column(new_values, new_row)
            if old.dtype != new.dtype:
                dtypes.append(f"{names([label])} {old.dtype} -> {new.dtype}")
            elif not _equal(old, new):
                changed.append(label)
        parts = []
        if dtypes:
            parts.append(
                "dtype: " + ", ".join(dtypes[:5]) + (f" and {len(dtypes) - 5} more" if len(dtypes) > 5 else "")
            )
        if somewhere:
            parts.append("values changed")
        elif changed:
            parts.append("values changed" + (f": {names(changed)}" if len(axes) == 2 else ""))
        return "; ".join(parts)


def _layout(obj: Any) -> tuple[Any, tuple[Any, ...], list[tuple[Any, Any]]]:
    manager = object.__getattribute__(obj, "_mgr")
    return manager, tuple(manager.axes), [(block.values, block.mgr_locs) for block in manager.blocks]


def _name(obj: Any) -> object:
    return object.__getattribute__(obj, "__dict__").get("_name")


def _shape(axes: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(len(axis) for axis in reversed(axes))


def _columns(before: Any, after: Any) -> str:
    if before is after:
        return ""
    if max(len(before), len(after)) > LABELS:
        return "" if len(before) == len(after) else f"{len(before)} -> {len(after)} columns"
    old = {_key(label): label for label in before.tolist()}
    new = {_key(label): label for label in after.tolist()}
    added = [label for key, label in new.items() if key not in old]
    removed = [label for key, label in old.items() if key not in new]
    text = counted(added, removed, [], "column")
    if not text and list(new) != list(old):
        return "order of columns"
    return text


def _same_index(before: Any, after: Any) -> bool:
    if before is after:
        return True
    if before.dtype != after.dtype or before.dtype == object:
        return len(before) <= LABELS and [_key(x) for x in before.tolist()] == [_key(x) for x in after.tolist()]
    return bool(before.equals(after))


def _by_label(axes: tuple[Any, ...], blocks: list[tuple[Any, Any]]) -> dict[Any, tuple[object, Any, int]]:
    if len(axes) == 1:
        return {None: ("", blocks[0][0], 0)} if blocks else {}
    labels = axes[0].tolist()
    found: dict[Any, tuple[object, Any, int]] = {}
    for values, places in blocks:
        for row, place in enumerate(places.as_array.tolist()):
            key = _key(labels[place])
            found[(key, place) if key in found else key] = (labels[place], values, row)
    return found


def _column(values: Any, row: int) -> Any:
    return values[row] if isinstance(values, sys.modules["numpy"].ndarray) and values.ndim == 2 else values


def _equal(before: Any, after: Any) -> bool:
    if before.nbytes > COMPARED:
        return False
    if isinstance(before, sys.modules["numpy"].ndarray):
        return isinstance(after, sys.modules["numpy"].ndarray) and before.tobytes() == after.tobytes()
    return bool(before.equals(after)) if before.dtype != object else False


def _differs(node: Node, look: Look) -> bool:
    """Whether an array, or an array it is made of, changed."""
    if node.difference(look):
        return True
    if isinstance(node, Extension):
        return any((inner := look(child)) is not None and _differs(inner, look) for child in node.children())
    return False


def _rows_written(node: Node | None, look: Look) -> frozenset[int]:
    """Which columns of a block changed; `ALL` where that was not remembered."""
    if node is None or not _differs(node, look):
        return frozenset()
    if not isinstance(node, Array) or len(node.state[0]) < 2:
        return ALL
    rows = node.rows_changed()
    return ALL if rows is None else frozenset(rows)
