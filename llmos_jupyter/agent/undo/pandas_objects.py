"""Frames, series and indexes: kept through the block manager beneath them, so that the columns that did not change
cost nothing. A column that the run replaced is kept by reference; one that it wrote into is copied by an `Array`.
"""

from __future__ import annotations

import sys
import warnings
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from llmos_jupyter.agent.undo.kinds import Array, Attributes, Fingerprint, Framed, Memento, _checksum
from llmos_jupyter.agent.undo.snapshot_kinds import names
from llmos_jupyter.agent.undo.snapshot_pandas import _by_label, _column, _same_index

_HASHED = 256 << 20  # bytes of changed columns that are hashed after a run; of more, a later change is not seen

Look = Callable[[object], "Memento | None"]


def pandas_memento(obj: Any, look: Look) -> Memento:
    pd = sys.modules["pandas"]
    cls = type(obj)
    if issubclass(cls, pd.core.generic.NDFrame):
        return Frame(obj, look)
    if issubclass(cls, pd.Index):
        return Index(obj)
    if issubclass(cls, pd.api.extensions.ExtensionArray):
        return Extension(obj)
    return Attributes(obj)


class Extension(Attributes):
    """An array of pandas' own; some keep their numpy array where only C sees it."""

    def children(self) -> Iterable[object]:
        inner = getattr(self.obj, "_ndarray", None)
        return [*super().children(), *([] if inner is None else [inner])]


class Index(Memento):
    """Immutable in all but its names."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj)
        self.before = self._names()

    def _names(self) -> dict[str, Any]:
        held = object.__getattribute__(self.obj, "__dict__")
        return {key: held[key] for key in ("_name", "_names") if key in held}

    def _print(self, found: dict[str, Any]) -> Fingerprint:
        return {key: [*map(id, value)] if key == "_names" else id(value) for key, value in found.items()}

    def changed(self) -> bool:
        return self._print(self.before) != self.fingerprint()

    def fingerprint(self) -> Fingerprint:
        return self._print(self._names())

    def restore(self) -> None:
        held = object.__getattribute__(self.obj, "__dict__")
        for key in self._names().keys() - self.before.keys():
            del held[key]
        held.update(self.before)


class Frame(Framed):
    """A DataFrame or a Series. `look` finds the memento of a block's array."""

    def __init__(self, obj: Any, look: Look) -> None:
        super().__init__(obj)
        self.look = look
        self.cls = type(obj)
        self.manager = object.__getattribute__(obj, "_mgr")
        self.axes = tuple(self.manager.axes)
        self.blocks = [(block, block.values, block.mgr_locs) for block in self.manager.blocks]
        self.beside: dict[str, Any] = self._beside()
        self.bytes = 200 * len(self.blocks)
        self._hashes: dict[Any, int | None] = {}
        self._after_axes: tuple[Any, ...] = ()

    def _beside(self) -> dict[str, Any]:
        held = object.__getattribute__(self.obj, "__dict__")
        return {key: value for key, value in held.items() if key not in ("_mgr", "_item_cache", "_cacher")}

    def arrays(self) -> list[Any]:
        return [values for _, values, _ in self.blocks]

    def children(self) -> Iterable[object]:
        return [*self.arrays(), *self.axes, *self.beside.values()]

    def hold(self) -> bool:
        """Let pandas copy what is written, when it is: under copy-on-write a second owner is all that needs."""
        pd = sys.modules["pandas"]
        if int(pd.__version__.partition(".")[0]) < 3 and not pd.get_option("mode.copy_on_write"):
            return False
        base = pd.DataFrame if len(self.axes) == 2 else pd.Series
        self.shallow = base.copy(self.obj, deep=False)
        return True

    def _structure(self) -> tuple[object, ...]:
        manager = object.__getattribute__(self.obj, "_mgr")
        return (
            tuple(map(id, manager.axes)),
            [(id(block.values), block.mgr_locs.as_array.tolist()) for block in manager.blocks],
            [(key, id(value)) for key, value in self._beside().items()],
        )

    def _was(self) -> tuple[object, ...]:
        return (
            tuple(map(id, self.axes)),
            [(id(values), places.as_array.tolist()) for _, values, places in self.blocks],
            [(key, id(value)) for key, value in self.beside.items()],
        )

    def rearranged(self) -> bool:
        return self._structure() != self._was()

    def changed(self) -> bool:
        return self.rearranged() or any(self._written(values) for values in self.arrays())

    def _written(self, values: object) -> bool:
        inner = self.look(values)
        return inner is not None and (inner.changed() if inner.ran_changed is None else inner.ran_changed)

    def fingerprint(self) -> Fingerprint:
        return self._structure()

    def settle(self) -> None:
        """Hash the columns that the run changed, to know them again after pandas or the user rearranged the blocks."""
        self._after_axes = tuple(object.__getattribute__(self.obj, "_mgr").axes)
        self._hashes, spent = {}, 0
        now = self._columns_now()
        for key in self._changed_columns(now):
            if key not in now:
                continue
            values = _column(now[key][1], now[key][2])
            size = int(getattr(values, "nbytes", 0))
            self._hashes[key] = _hash(values) if spent + size <= _HASHED else None
            spent += size

    def _columns(self) -> dict[Any, tuple[object, Any, int]]:
        return _by_label(self.axes, [(values, places) for _, values, places in self.blocks])

    def _columns_now(self) -> dict[Any, tuple[object, Any, int]]:
        manager = object.__getattribute__(self.obj, "_mgr")
        return _by_label(tuple(manager.axes), [(block.values, block.mgr_locs) for block in manager.blocks])

    def _changed_columns(self, now: dict[Any, tuple[object, Any, int]]) -> list[Any]:
        before = self._columns()
        found = []
        for key in {**before, **now}:
            old, new = before.get(key), now.get(key)
            if old is None or new is None:
                found.append(key)
            elif old[1] is new[1] and old[2] == new[2]:
                if self._written(old[1]):
                    inner = self.look(old[1])
                    rows = inner.rows if isinstance(inner, Array) else None
                    if rows is None or old[2] in rows:
                        found.append(key)
            elif not _same_memory(_column(old[1], old[2]), _column(new[1], new[2])):
                found.append(key)
        return found

    def detail(self) -> str:
        if len(self.axes) == 1:
            return ""
        before, now = self._columns(), self._columns_now()
        labels = [(before.get(key) or now[key])[0] for key in self._changed_columns(now)]
        if not labels:
            return "" if _same_index(self.axes[-1], self._after_axes[-1]) else "index"
        return ("column " if len(labels) == 1 else "columns ") + names(labels)

    def restore(self) -> None:
        if type(self.obj) is not self.cls:
            object.__setattr__(self.obj, "__class__", self.cls)
        manager = self.manager
        for block, values, places in self.blocks:
            if block.values is not values:
                block.values = values
            block._mgr_locs = places
        manager.blocks = tuple(block for block, _, _ in self.blocks)
        manager.axes = list(self.axes)
        if len(self.axes) == 2:
            manager._blknos = manager._blklocs = None
            manager._known_consolidated = manager._is_consolidated = False
            manager._rebuild_blknos_and_blklocs()
        reset = getattr(manager, "_reset_cache", None)
        if reset is not None:
            reset()
        held = object.__getattribute__(self.obj, "__dict__")
        for key in self._beside().keys() - self.beside.keys():
            del held[key]
        held.update(self.beside)
        held["_mgr"] = manager
        if "_item_cache" in held:
            held["_item_cache"].clear()

    def merge(self) -> list[str] | None:
        """Column by column. The arrays themselves were put back before this is called."""
        manager = object.__getattribute__(self.obj, "_mgr")
        if len(self.axes) != len(manager.axes) or not _same_index(manager.axes[-1], self._after_axes[-1]):
            return None
        now = self._columns_now()
        same = {key: key in now and self._same_hash(key, now[key]) for key in self._elsewhere(now)}
        if len(self.axes) == 1 or not _same_index(self.axes[-1], self._after_axes[-1]):
            if all(same.values()) and now.keys() <= {*self._hashes}:
                self.restore()
                return []
            return None
        if not (manager.axes[0].is_unique and self.axes[0].is_unique):
            return None
        return self._merge_columns(now, same)

    def _merge_columns(self, now: dict[Any, tuple[object, Any, int]], same: dict[Any, bool]) -> list[str]:
        pd = sys.modules["pandas"]
        before, left = self._columns(), []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of fragmentation and chained assignment: not the user's doing
            for key, untouched in same.items():
                label = now[key][0] if key in now else before[key][0]
                if not untouched:
                    left.append(f"column {names([label])}")
                elif key not in before:
                    pd.DataFrame.__delitem__(self.obj, label)
                else:
                    pd.DataFrame.__setitem__(self.obj, label, self._series(before[key]))
            for place, (key, (label, values, row)) in enumerate(before.items()):
                if key not in self._hashes and key not in now and self._was_removed(key):
                    count = len(object.__getattribute__(self.obj, "_mgr").axes[0])
                    pd.DataFrame.insert(self.obj, min(place, count), label, self._series((label, values, row)))
        return left

    def _was_removed(self, key: Any) -> bool:
        label = self._columns()[key][0]
        return label not in self._after_axes[0]

    def _series(self, column: tuple[object, Any, int]) -> Any:
        pd = sys.modules["pandas"]
        values = _column(column[1], column[2])
        axes = object.__getattribute__(self.obj, "_mgr").axes
        return pd.Series(values.copy(), index=axes[-1], dtype=values.dtype)

    def written_since(self) -> bool:
        now = self._columns_now()
        return any(key in now and not self._same_hash(key, now[key]) for key in self._elsewhere(now))

    def _elsewhere(self, now: dict[Any, tuple[object, Any, int]]) -> list[Any]:
        """The changed columns that do not lie where they lay: of the others, the array's own memento takes care."""
        before = self._columns()
        return [
            key
            for key in self._hashes
            if key not in now
            or key not in before
            or not _same_memory(_column(*now[key][1:]), _column(*before[key][1:]))
        ]

    def _same_hash(self, key: Any, column: tuple[object, Any, int]) -> bool:
        known = self._hashes[key]
        return known is None or known == _hash(_column(column[1], column[2]))


def _same_memory(old: Any, new: Any) -> bool:
    """Whether two columns are the same memory: a split block is seen through views."""
    ndarray = sys.modules["numpy"].ndarray
    if isinstance(old, ndarray) and isinstance(new, ndarray):
        return bool(Array(old).state == Array(new).state)
    return old is new


def _hash(values: Any) -> int:
    if isinstance(values, sys.modules["numpy"].ndarray):
        return zlib.crc32(str(values.dtype).encode(), _checksum(values))
    pd = sys.modules["pandas"]
    try:
        hashed = pd.util.hash_array(values, categorize=False)
    except TypeError:  # elements that cannot be hashed
        return 0
    return zlib.crc32(str(values.dtype).encode(), _checksum(hashed))
