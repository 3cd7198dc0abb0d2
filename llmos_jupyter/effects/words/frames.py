"""pandas: which columns of a frame came, went or changed, told from the blocks beneath it.

Public calls of pandas would build views and caches, and a frame's subclass may override them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from llmos_jupyter.effects.kind import Look, kind_of
from llmos_jupyter.effects.objects import memory
from llmos_jupyter.effects.words.labels import counted, key_of, listed

COMPARED = 64 << 20  # bytes that a column which moved may have, to be compared value by value
LABELS = 100_000  # columns, beyond which only their number is compared
_ALL = frozenset({-1})  # stands for a block of which it is not known which columns

Blocks = list[tuple[Any, list[int]]]  # the values of each block, and the places of its columns


def frame_changes(frame: Any, before: Look, changed: Mapping[int, Any], marks: Mapping[int, Look]) -> str:
    """How a frame differs from its marks before. `changed`: the objects that changed in place, with their marks."""
    old_axes, old_blocks, old_name = _of_marks(before)
    manager = object.__getattribute__(frame, "__dict__")["_mgr"]
    axes = list(manager.axes)
    blocks = [(block.values, block.mgr_locs.as_array.tolist()) for block in manager.blocks]
    found: list[str] = []
    old_shape, shape = _shape(old_axes), _shape(axes)
    if len(axes) == 2 and (columns := _columns(old_axes[0], axes[0])):
        found.append(columns)
    if old_shape[0] != shape[0]:
        found.append(f"shape {old_shape} -> {shape}")
    else:
        if not _same_index(old_axes[-1], axes[-1]):
            found.append("index")
        rows = {id(values): _rows_written(values, changed, marks) for values, _ in old_blocks}
        if values_changed := _values(_by_label(old_axes, old_blocks), _by_label(axes, blocks), rows, len(axes)):
            found.append(values_changed)
    name = object.__getattribute__(frame, "__dict__").get("_name")
    if key_of(old_name) != key_of(name):
        found.append(f"name: {listed([name])}")
    return "; ".join(found)


def index_changes(index: Any) -> str:
    """An index can change in nothing but its names."""
    held = object.__getattribute__(index, "__dict__")
    return f"name: {listed(held['_names'] if '_names' in held else [held.get('_name')])}"


def _of_marks(marks: Look) -> tuple[list[Any], Blocks, object]:
    """Axes, blocks and name, out of what `FrameKind.marks` puts together."""
    objects, (places, beside) = marks
    count = 2 if issubclass(objects[0], pd.DataFrame) else 1
    axes, parts = objects[1 : 1 + count], objects[1 + count :]
    values = parts[: 2 * len(places) : 2]
    held = dict(zip(beside, parts[2 * len(places) :], strict=True))
    return axes, list(zip(values, places, strict=True)), held.get("_name")


def _values(before: Any, after: Any, written: dict[int, frozenset[int]], dimensions: int) -> str:
    """Which columns' values or dtypes changed, of those there before and after."""
    columns: list[object] = []
    dtypes: list[str] = []
    somewhere = False
    for key, (label, values, row) in before.items():
        if key not in after:
            continue
        _, new_values, new_row = after[key]
        if values is new_values or _same_memory(_column(values, row), _column(new_values, new_row)):
            rows = written[id(values)]
            if rows is _ALL and getattr(values, "ndim", 1) == 2 and len(values) > 1:
                somewhere = True
            elif rows is _ALL or row in rows:
                columns.append(label)
            continue
        old, new = _column(values, row), _column(new_values, new_row)
        if old.dtype != new.dtype:
            dtypes.append(f"{listed([label])} {old.dtype} -> {new.dtype}")
        elif not _equal(old, new):
            columns.append(label)
    parts = []
    if dtypes:
        parts.append("dtype: " + ", ".join(dtypes[:5]) + (f" and {len(dtypes) - 5} more" if len(dtypes) > 5 else ""))
    if somewhere:
        parts.append("values changed")
    elif columns:
        parts.append("values changed" + (f": {listed(columns)}" if dimensions == 2 else ""))
    return "; ".join(parts)


def _shape(axes: list[Any]) -> tuple[int, ...]:
    return tuple(len(axis) for axis in reversed(axes))


def _columns(before: Any, after: Any) -> str:
    if before is after:
        return ""
    if max(len(before), len(after)) > LABELS:
        return "" if len(before) == len(after) else f"{len(before)} -> {len(after)} columns"
    old = {key_of(label): label for label in before.tolist()}
    new = {key_of(label): label for label in after.tolist()}
    added = [label for key, label in new.items() if key not in old]
    removed = [label for key, label in old.items() if key not in new]
    text = counted(added, removed, [], "column")
    return "order of columns" if not text and list(new) != list(old) else text


def _same_index(before: Any, after: Any) -> bool:
    if before is after:
        return True
    if before.dtype != after.dtype or before.dtype == object:
        return len(before) <= LABELS and [key_of(x) for x in before.tolist()] == [key_of(x) for x in after.tolist()]
    return bool(before.equals(after))


def _by_label(axes: list[Any], blocks: Blocks) -> dict[Any, tuple[object, Any, int]]:
    """By the key of each column: its label, its block's values, and its row in them."""
    if len(axes) == 1:
        return {None: ("", blocks[0][0], 0)} if blocks else {}
    labels = axes[0].tolist()
    found: dict[Any, tuple[object, Any, int]] = {}
    for values, places in blocks:
        for row, place in enumerate(places):
            key = key_of(labels[place])
            found[(key, place) if key in found else key] = (labels[place], values, row)
    return found


def _column(values: Any, row: int) -> Any:
    return values[row] if issubclass(type(values), np.ndarray) and values.ndim == 2 else values


def _same_memory(before: Any, after: Any) -> bool:
    """Whether two columns are one: pandas makes new blocks of parts of old ones."""
    if not issubclass(type(before), np.ndarray) or not issubclass(type(after), np.ndarray):
        return False
    layouts = [(part.__array_interface__["data"][0], part.shape, part.strides, part.dtype) for part in (before, after)]
    return bool(layouts[0] == layouts[1])


def _equal(before: Any, after: Any) -> bool:
    if before.nbytes > COMPARED:
        return False
    if issubclass(type(before), np.ndarray):
        if not issubclass(type(after), np.ndarray) or before.shape != after.shape:
            return False
        if before.dtype.hasobject:
            return bool(before.tobytes() == after.tobytes())  # the same objects
        return bool(np.array_equal(np.ascontiguousarray(before).view("u1"), np.ascontiguousarray(after).view("u1")))
    return bool(before.equals(after)) if before.dtype != object else False


def _rows_written(values: Any, changed: Mapping[int, Any], marks: Mapping[int, Look]) -> frozenset[int]:
    """Which columns of a block changed in place; `_ALL` where that cannot be told."""
    if type(values) is not np.ndarray:
        kind = kind_of(type(values))
        parts = [values, *(kind.children(values) if kind is not None else ())]
        held = [part for part in parts if issubclass(type(part), (np.ndarray, pd.api.extensions.ExtensionArray))]
        return _ALL if any(id(part) in changed for part in held) else frozenset()
    owner = values
    while id(owner) not in changed and issubclass(type(owner), np.ndarray):
        owner = np.ndarray.base.__get__(owner)
    if id(owner) not in changed:
        return frozenset()
    if values.ndim != 2 or id(owner) not in marks or not issubclass(type(owner), np.ndarray):
        return _ALL
    return _rows_of(values, memory.plain(owner), marks[id(owner)])


def _rows_of(values: Any, owner: Any, before: Look) -> frozenset[int]:
    """The same of an array in whose owner's memory something was written."""
    objects, plain = before
    if values.dtype.kind == "O":
        if owner is not values:
            return _ALL
        same = np.array([a is b for a, b in zip(objects, values.ravel().tolist(), strict=True)], bool)
        return frozenset(np.flatnonzero(~same.reshape(values.shape).all(axis=1)).tolist())
    if type(plain[-1]) is bytes:
        then = np.empty_like(owner)
        then[...] = np.frombuffer(plain[-1], owner.dtype).reshape(owner.shape)
        if then.strides != owner.strides:
            return _ALL
        offset = memory.lowest(values) - memory.lowest(owner)
        was = np.ndarray(values.shape, values.dtype, memory.memory_of(then), offset, values.strides)
        differ = _bytes(was) != _bytes(values)
        return frozenset(np.flatnonzero(differ.any(axis=1)).tolist())
    whole = values.flags.c_contiguous and (memory.lowest(values), values.nbytes) == (memory.lowest(owner), owner.nbytes)
    rows, now = _rows_told(plain[-1]), _rows_told(memory.print_of(owner))
    if not whole or not len(rows) == len(now) == len(values):
        return _ALL
    return frozenset(row for row, (was, is_now) in enumerate(zip(rows, now, strict=True)) if was != is_now)


def _bytes(values: Any) -> Any:
    return np.ascontiguousarray(values).view("u1").reshape(len(values), -1)


def _rows_told(printed: Any) -> Any:
    """Of what `memory.print_of` says, the part for each row."""
    return printed.rows if type(printed) is memory.Print else ()
