"""pandas: frames and series by the blocks beneath them, so that what did not change is a reference. Copy-on-write
goes on: which blocks share memory (`BlockValuesRefs`) travels with them.

Registered once pandas is imported.
"""

from __future__ import annotations

import itertools
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas._libs.arrays import NDArrayBacked
from pandas._libs.internals import BlockPlacement, BlockValuesRefs
from pandas.core.internals.blocks import new_block
from pandas.core.internals.managers import BlockManager, SingleBlockManager

from llmos_jupyter.effects.kind import CHOOSERS, FRAMES, Kind, register
from llmos_jupyter.effects.libraries import may_be_made
from llmos_jupyter.effects.objects.layout import is_users, solid
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


NDFrame = pd.core.generic.NDFrame
ExtensionArray = pd.api.extensions.ExtensionArray
_OWN = ("_mgr", "_item_cache", "_cacher", "_cache")
_held_by = object.__getattribute__


def _beside(frame: Any) -> dict[str, Any]:
    """The other attributes: `attrs`, and those of a subclass. A frame's flags become the one thing that they say."""
    held = {name: value for name, value in _held_by(frame, "__dict__").items() if name not in _OWN}
    if type(flags := held.get("_flags")) is pd.Flags:
        held["_flags"] = bool(getattr(flags, "_allows_duplicate_labels", True))
    return held


def _manager(frame: Any) -> Any:
    return _held_by(frame, "__dict__").get("_mgr")


class RefsKind(Kind):
    """Which blocks share memory: an object of its own, in which the blocks enter themselves as they are made."""

    name = "block references"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return []

    def blank(self, content: list[Any], build: Builder) -> Any:
        return BlockValuesRefs()

    def children(self, obj: Any) -> list[Any]:
        return []


register(RefsKind(), BlockValuesRefs)


def is_shared(obj: Any) -> bool:
    """Whether this is what says that memory is shared among blocks, and it is."""
    return type(obj) is BlockValuesRefs and bool(obj.has_reference())


def share(refs: Any) -> object:
    """Make memory count as shared for as long as what is returned lives: with a block that is elsewhere."""
    elsewhere = new_block(np.empty((1, 0)), BlockPlacement(slice(0, 1)), ndim=2)
    if not refs.has_reference():
        refs.add_reference(elsewhere)
    return elsewhere


class FrameState:
    """A frame: class, blocks as (values, places, references), axes, and other attributes."""

    def __init__(self, cls: type, blocks: list[Any], axes: list[Any], beside: dict[str, Any]) -> None:
        self.cls, self.blocks, self.axes, self.beside = cls, blocks, axes, beside


class FrameKind(Kind):
    """A DataFrame or a Series."""

    name = "frame"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if (why := may_be_made(type(obj))) is not None:
            raise CannotComeHome(why)
        manager = _manager(obj)
        blocks = [
            [pack.value(block.values), block.mgr_locs.as_array.tolist(), pack.value(block.refs)]
            for block in manager.blocks
        ]
        return [pack.value(type(obj)), blocks, pack.values(manager.axes), pack.attributes(_beside(obj))]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return object.__new__(_frame_class(build.value(content_of(content, 4)[0])))

    def decode(self, content: list[Any], build: Builder) -> Any:
        cls, blocks, axes, beside = content_of(content, 4)
        cls = _frame_class(build.value(cls))
        found = []
        for block in checked(blocks, list):
            values, places, refs = content_of(block, 3)
            found.append((build.value(values), np.array(checked_ints(places), "i8"), build.value(refs)))
        return FrameState(cls, found, build.values(axes), build.attributes(beside))

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        state = self.decode(content, build)
        build.later(FRAMES, lambda: self.put(obj, state))

    def state(self, obj: Any, new: Any) -> Any:
        manager = _manager(obj)
        blocks = [(block.values, block.mgr_locs.as_array, block.refs) for block in manager.blocks]
        return FrameState(type(obj), blocks, list(manager.axes), _beside(obj))

    def put(self, obj: Any, state: FrameState) -> None:
        _check_frame(state)
        held = _held_by(obj, "__dict__")
        manager = held.get("_mgr")
        known = {id(block.values): block for block in manager.blocks} if manager is not None else {}
        blocks = []
        for values, places, refs in state.blocks:
            placement = BlockPlacement(_as_slice(places))
            block = known.get(id(values))
            if block is not None and block.refs is refs:
                block._mgr_locs = placement
            else:
                block = new_block(values, placement, ndim=len(state.axes), refs=refs)
            blocks.append(block)
        if manager is None or (len(state.axes) == 1) != (type(manager) is SingleBlockManager):
            held["_mgr"] = _new_manager(blocks, state.axes)
        else:
            _refill(manager, blocks, state.axes)
        if type(obj) is not state.cls:
            object.__setattr__(obj, "__class__", state.cls)
        for name in _beside(obj).keys() - state.beside.keys():
            del held[name]
        held.update(state.beside)
        held.pop("_item_cache", None)
        if type(flags := held.get("_flags")) is bool:
            held["_flags"] = pd.Flags(obj, allows_duplicate_labels=flags)

    def fits(self, obj: Any, content: list[Any], build: Builder) -> None:
        if len(_manager(obj).axes) != len(checked(content[2], list)):
            raise Malformed("a frame of another dimension")

    def look(self, obj: Any, state: Any) -> tuple[list[Any], Any]:
        """By column: pandas rearranges blocks when a frame is only read. Data written since are seen by the arrays."""
        manager = _manager(obj)
        labels = [_labels(axis) for axis in manager.axes]
        columns = {int(place): str(block.dtype) for block in manager.blocks for place in block.mgr_locs.as_array}
        prints = itertools.chain.from_iterable(map(_column_print, manager.blocks))
        return [], [labels, sorted(columns.items()), sorted(prints)]

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        manager = _manager(obj)
        beside = _beside(obj)
        parts = [part for block in manager.blocks for part in (block.values, block.refs)]
        places = [block.mgr_locs.as_array.tolist() for block in manager.blocks]
        return [type(obj), *manager.axes, *parts, *beside.values()], [places, list(beside)]


_LABELS = 100_000


def _labels(axis: Any) -> Any:
    """The labels of an axis, texts and numbers by their values and all else by identity; of a long one the length."""
    if len(axis) > _LABELS:
        return len(axis)
    return [label if type(label) in (str, int, float, bool) else id(label) for label in axis.tolist()]


def _column_print(block: Any) -> list[tuple[int, int]]:
    """A checksum of each column of numbers in a block."""
    values = block.values
    if type(values) is not np.ndarray or values.dtype.hasobject or values.nbytes > _HASHED:
        return []
    rows = values if values.ndim == 2 else values[None, :]
    places = block.mgr_locs.as_array.tolist() if values.ndim == 2 else [0]
    return [(place, zlib.crc32(np.ascontiguousarray(row))) for place, row in zip(places, rows, strict=True)]


_HASHED = 256 << 20  # bytes of a block that are hashed, to see a later change


def _as_slice(places: Any) -> Any:
    if len(places) and int(places[-1]) - int(places[0]) == len(places) - 1 and bool((np.diff(places) == 1).all()):
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def _frame_class(cls: Any) -> Any:
    if not issubclass(type(cls), type) or not issubclass(cls, NDFrame):
        raise Malformed("a frame of no class")
    if (why := may_be_made(cls)) is not None:
        raise CannotComeHome(why, cls.__name__)
    return cls


def _check_frame(state: FrameState) -> None:
    """What pandas takes for granted of its blocks, and would crash without."""
    axes = state.axes
    for part in [*axes, *(values for values, _, _ in state.blocks)]:
        if is_users(type(part)):  # pandas will ask its methods
            raise CannotComeHome(f"a frame with a {type(part).__name__} in it", type(part).__name__)
    dimensions = 2 if issubclass(state.cls, pd.DataFrame) else 1
    if len(axes) != dimensions or not all(issubclass(type(axis), pd.Index) for axis in axes):
        raise Malformed("a frame without axes")
    rows, columns = len(axes[-1]), len(axes[0]) if dimensions == 2 else 1
    taken: list[int] = []
    for values, places, refs in state.blocks:
        if type(refs) is not BlockValuesRefs:
            raise Malformed("a block without references")
        _check_block(values, len(places), rows, dimensions)
        taken += places.tolist() if dimensions == 2 else [0]
    if sorted(taken) != list(range(columns)):
        raise Malformed("columns without data")


def _check_block(values: Any, width: int, rows: int, dimensions: int) -> None:
    cls = type(values)
    if cls is np.ndarray or issubclass(cls, NDArrayBacked):
        shape = values.shape
        one_row = issubclass(cls, NDArrayBacked) and values._ndarray.ndim == 1 and not _may_be_2d(values)
        if dimensions == 2 and one_row:
            good = shape == (rows,) and width == 1
        else:
            good = shape == ((width, rows) if dimensions == 2 else (rows,))
    elif issubclass(cls, ExtensionArray):
        good = len(values) == rows and (dimensions == 1 or width == 1)
    else:
        good = False
    if not good:
        raise Malformed("a block that does not fit its frame")


def _may_be_2d(values: Any) -> bool:
    return (
        values.dtype.kind in "mM" and not issubclass(type(values), pd.arrays.PeriodArray) and values._ndarray.ndim == 2
    )


def _new_manager(blocks: list[Any], axes: list[Any]) -> Any:
    if len(axes) == 1:
        return SingleBlockManager(blocks[0], axes[0])
    return BlockManager(tuple(blocks), axes, verify_integrity=False)


def _refill(manager: Any, blocks: list[Any], axes: list[Any]) -> None:
    manager.blocks, manager.axes = tuple(blocks), list(axes)
    if len(axes) == 2:
        manager._blknos = manager._blklocs = None
        manager._known_consolidated = manager._is_consolidated = False
        manager._rebuild_blknos_and_blklocs()
    if (reset := getattr(manager, "_reset_cache", None)) is not None:
        reset()


FRAME = register(FrameKind())
CHOOSERS.append(lambda cls: FRAME if issubclass(cls, NDFrame) and solid(cls) is solid(pd.DataFrame) else None)
