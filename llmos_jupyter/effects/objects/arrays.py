"""The memory of arrays: what of it travels, how a new array lies in it, and how an old one takes it in."""

from __future__ import annotations

import mmap
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from llmos_jupyter.effects.objects.memory import (
    LENDERS,
    SMALL,
    Window,
    address_of,
    axes_of,
    extent,
    is_lent,
    lender_of,
    plain,
    written_ranges,
)
from llmos_jupyter.effects.table import CannotComeHome, HomeBuffer, Malformed, checked, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer

Layout = tuple[tuple[int, ...], Any, tuple[int, ...]]


@dataclass
class Whole:
    """The content of an array. `values` has its shape and dtype."""

    values: Any


@dataclass
class Ranges:
    """Some bytes of an array, in the order of its memory."""

    bounds: list[tuple[int, int]]
    data: Any


Data = Whole | Ranges | None


# --- in the copy ----------------------------------------------------------------------------------


def describe_data(array: Any, pack: Packer, base: Any = None, *, was_there: bool) -> Any:
    """The memory of an array: its bytes, its objects, or where it lies in another array, its `base`."""
    base = lender_of(base)
    if array.dtype.kind == "T":
        if issubclass(type(base), np.ndarray) and not was_there:
            raise CannotComeHome("a view of an array of texts")
        return ["texts", pack.values(array.ravel().tolist())]
    if not was_there and issubclass(type(base), np.ndarray) and array.size:
        return ["view", pack.value(base), address_of(array) - address_of(plain(base))]
    if not was_there and (lent := LENDERS.get(type(base))) is not None and array.size:
        return ["lent", pack.value(pack.keep(base)), address_of(array) - address_of(lent(base))]
    if base is not None and not was_there and not issubclass(type(base), (np.ndarray, bytes, HomeBuffer)):
        owner = base.obj if type(base) is memoryview else base
        if issubclass(type(owner), (bytearray, mmap.mmap)) and array.flags.writeable:
            raise CannotComeHome("an array in the memory of something else")
    if array.dtype.hasobject:
        if array.dtype.kind != "O":
            raise CannotComeHome("an array of records that hold objects")
        return ["items", pack.values(array.ravel().tolist())]
    if was_there and array.nbytes > SMALL and (bounds := written_ranges(array)) is not None:
        flat = array.transpose(axes_of(array)).reshape(-1).view("u1")
        return ["ranges", bounds, pack.buffers.place(np.concatenate([flat[a:b] for a, b in bounds]))]
    axes = axes_of(array)
    ordered = array.transpose(axes)
    if not ordered.flags.c_contiguous:
        axes, ordered = list(range(array.ndim)), np.ascontiguousarray(array)
    return ["bytes", axes, pack.buffers.place(ordered.reshape(-1).view("u1") if array.nbytes else b"")]


# --- in the parent --------------------------------------------------------------------------------


def make(dtype: Any, shape: list[int], strides: list[int], data: Any, build: Builder) -> Any:
    """A new array. Raises Malformed where the data do not fill it, or it would lie outside its base."""
    if len(shape) > 32 or len(strides) != len(shape):
        raise Malformed("an array of too many dimensions")
    where = data[0] if type(data) is list and data else None
    if where == "view":
        return _view(dtype, tuple(shape), tuple(strides), data, build)
    if where == "lent":
        return _lent(dtype, tuple(shape), tuple(strides), data, build)
    items = _count(shape)
    if where == "texts":
        return _texts(data, shape, dtype, build)
    if where == "items":
        # Filled by `put`: the objects may refer to the array.
        if not dtype.hasobject or len(checked(data[1], list)) != items:
            raise Malformed("an array whose objects do not fill it")
        return np.empty(tuple(shape), dtype)
    if where != "bytes" or dtype.hasobject:
        raise Malformed("an array without data")
    return _from_bytes(dtype, shape, data, build)


def _texts(data: Any, shape: Any, dtype: Any, build: Builder) -> Any:
    """A new array of texts of any length."""
    values = build.values(content_of(data, 2)[1])
    missing = getattr(dtype, "na_object", "")
    if dtype.kind != "T" or len(values) != _count(shape):
        raise Malformed("an array whose texts do not fill it")
    if any(type(value) is not str and value is not missing for value in values):
        raise Malformed("a text that is none")
    return np.array(values, dtype).reshape(tuple(shape))


def _count(shape: Any) -> int:
    items = 1
    for length in shape:
        items *= length
    if items > 1 << 48:
        raise Malformed("an array that is too large")
    return items


def _from_bytes(dtype: Any, shape: Any, data: Any, build: Builder) -> Any:
    if len(data) != 3:
        raise Malformed("an array without data")
    axes, items = checked_ints(data[1]), _count(shape)
    if sorted(axes) != list(range(len(shape))):
        raise Malformed("axes that are none")
    if not items or not dtype.itemsize:
        return np.zeros(tuple(shape), dtype)
    buffer = build.buffers.bytes(data[2])
    if len(buffer) != items * dtype.itemsize:
        raise Malformed("an array whose data do not fill it")
    ordered = np.ndarray(tuple(shape[axis] for axis in axes), dtype, buffer)
    checked_characters(ordered.reshape(-1))
    back = sorted(range(len(axes)), key=axes.__getitem__)
    turned = ordered.transpose(back)
    if type(buffer) is not HomeBuffer:
        return turned.copy(order="K")  # memory of its own
    return np.ndarray(tuple(shape), dtype, buffer, strides=turned.strides)  # with no other array beneath it


def checked_characters(values: Any) -> None:
    """Raise Malformed for text of what are no characters, and for a bool that is neither 0 nor 1."""
    dtype = values.dtype
    if dtype.kind == "U" and values.size and dtype.itemsize:
        codes = np.ascontiguousarray(values).reshape(-1).view(dtype.byteorder.replace("|", "=") + "u4")
        if bool((codes > 0x10FFFF).any()):
            raise Malformed("a character that is none")
    elif dtype.kind == "b" and values.size and bool((values.view("u1") > 1).any()):
        raise Malformed("a truth value that is none")
    elif dtype.names is not None:
        for name in dtype.names:
            checked_characters(values[name])
    elif dtype.subdtype is not None:
        raise Malformed("an array within a scalar")


def _view(dtype: Any, shape: tuple[int, ...], strides: tuple[int, ...], data: Any, build: Builder) -> Any:
    if len(data) != 3:
        raise Malformed("a view without its array")
    base, offset = build.value(data[1]), checked(data[2], int)
    if not issubclass(type(base), np.ndarray):
        raise Malformed("a view of what is no array")
    base = plain(base)
    low, high = extent(shape, strides, dtype.itemsize)
    base_low, base_high = extent(base.shape, base.strides, base.itemsize)
    if offset + low < base_low or offset + high > base_high:
        raise Malformed("a view outside its array")
    if dtype.hasobject or base.dtype.hasobject:
        return _view_of_objects(base, dtype, shape, strides, offset)
    ordered = base.transpose(axes_of(base))
    if ordered.flags.c_contiguous:
        return np.ndarray(shape, dtype, ordered, offset, strides)
    interface = {"version": 3, "shape": shape, "strides": strides, "typestr": dtype.str, "descr": dtype.descr}
    if dtype.names is not None:
        raise CannotComeHome("a view of records with gaps", "ndarray")
    return np.asarray(Window(base, {**interface, "data": (address_of(base) + offset, not base.flags.writeable)}))


def _lent(dtype: Any, shape: tuple[int, ...], strides: tuple[int, ...], data: Any, build: Builder) -> Any:
    lender, offset = build.value(content_of(data, 3)[1]), checked(data[2], int)
    if type(lender) not in LENDERS or dtype.hasobject:
        raise Malformed("an array in the memory of nothing")
    memory = LENDERS[type(lender)](lender)
    low, high = extent(shape, strides, dtype.itemsize)
    if offset + low < 0 or offset + high > len(memory):
        raise Malformed("an array outside what lends its memory")
    return np.ndarray(shape, dtype, memory, offset, strides)


def _view_of_objects(base: Any, dtype: Any, shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Any:
    if dtype != base.dtype or dtype.kind != "O" or offset % 8 or any(stride % 8 for stride in strides):
        raise Malformed("a view that takes objects for something else")
    flat = base.transpose(axes_of(base))
    if not flat.flags.c_contiguous:
        raise CannotComeHome("a view of objects with gaps", "ndarray")
    first = flat.reshape(-1)[offset // 8 :]
    return np.lib.stride_tricks.as_strided(first, shape, strides, writeable=bool(base.flags.writeable))


def decode_data(data: Any, layout: Layout, build: Builder) -> Data:
    """The new content of an array; None where it lies in another's memory, and for a new one that has it already."""
    shape, dtype, _ = layout
    where = data[0] if type(data) is list and data else None
    if where == "items" and len(data) == 2:
        flat: Any = np.empty(_count(shape), object)
        flat[:] = _boxed(build.values(data[1]), len(flat))
        return Whole(flat.reshape(shape))
    if where == "texts":
        return Whole(_texts(data, shape, dtype, build))
    if where == "ranges" and len(data) == 3:
        bounds: list[tuple[int, int]] = []
        total = 0
        for bound in checked(data[1], list):
            low, high = checked_ints(bound) if len(checked(bound, list)) == 2 else (1, 0)
            if low >= high or (bounds and low < bounds[-1][1]):
                raise Malformed("ranges that are none")
            bounds.append((low, high))
            total += high - low
        content = build.buffers.bytes(data[2])
        if len(content) != total:
            raise Malformed("ranges whose data do not fill them")
        return Ranges(bounds, content)
    if where == "bytes" and not dtype.hasobject:
        return Whole(_from_bytes(dtype, list(shape), data, build))
    if where in ("view", "lent"):
        return None
    raise Malformed("an array without data")


def _boxed(values: list[Any], count: int) -> Any:
    """Values as an array of objects; none of them is asked whether it is a sequence."""
    if len(values) != count:
        raise Malformed("an array whose objects do not fill it")
    boxed: Any = np.empty(count, object)
    for place, value in enumerate(values):
        boxed[place] = value
    return boxed


def fill_objects(array: Any, values: list[Any]) -> None:
    """Put objects into a new array, read-only ones included."""
    now = plain(array)
    target = now if now.flags.writeable else now.view()
    target.flags.writeable = True
    np.copyto(target, _boxed(values, now.size).reshape(now.shape))


def check_fit(array: Any, state: Any) -> None:
    """Raise where an old array cannot take this state."""
    layout, data, beside, _ = state
    shape, dtype, _strides = layout
    now = plain(array)
    if _count(shape) * dtype.itemsize != now.size * now.itemsize:
        raise CannotComeHome("an array was resized in place", "ndarray")
    if dtype.hasobject != now.dtype.hasobject:
        raise Malformed("an array whose bytes become objects")
    if (dtype != now.dtype or shape != now.shape) and not now.flags.c_contiguous:
        raise CannotComeHome("an array was reshaped in place", "ndarray")
    if type(data) is Ranges and (
        now.dtype.hasobject or not now.transpose(axes_of(now)).flags.c_contiguous or data.bounds[-1][1] > now.nbytes
    ):
        raise Malformed("ranges outside their array")
    if (beside is None) != (type(array) is np.ndarray):
        raise Malformed("an array of another class")
    if not now.flags.writeable and data is not None and not _can_be_written(now):
        raise CannotComeHome("an array of read-only memory was written", "ndarray")


def _can_be_written(array: Any) -> bool:
    try:
        array.view().flags.writeable = True
    except ValueError:
        return False
    return True


def keep_data(array: Any, new: Data) -> Data:
    """What `new` will overwrite."""
    if new is None:
        return None
    if type(new) is Ranges:
        flat = array.transpose(axes_of(array)).reshape(-1).view("u1")
        return Ranges(new.bounds, np.concatenate([flat[low:high] for low, high in new.bounds]))
    return Whole(array.copy(order="K"))


def keep_all(array: Any) -> Data:
    """All that may be overwritten; of a view its owner's state is kept."""
    base = np.ndarray.base.__get__(array)
    if issubclass(type(base), np.ndarray) or is_lent(plain(array)):
        return None
    return Whole(plain(array).copy(order="K"))


def checksum(array: Any, part: Data) -> int:
    """Of the bytes of an array that `part` covers."""
    ordered = array.transpose(axes_of(array))
    if not ordered.flags.c_contiguous:
        return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view("u1")) if array.nbytes else 0
    flat: Any = ordered.reshape(-1).view("u1") if array.nbytes else np.empty(0, "u1")
    value = 0
    for low, high in part.bounds if isinstance(part, Ranges) else [(0, len(flat))]:
        value = zlib.crc32(flat[low:high], value)
    return value


def put(array: Any, layout: Layout, data: Data, writeable: bool) -> None:
    """Give an array this layout and content, in place."""
    shape, dtype, _ = layout
    now = plain(array)
    if dtype != now.dtype or shape != now.shape:
        for name, value in (("shape", (now.size,)), ("dtype", dtype), ("shape", shape)):
            np.ndarray.__dict__[name].__set__(array, value)
        now = plain(array)
    if data is not None:
        target = now
        if not target.flags.writeable:
            target = now.view()
            target.flags.writeable = True
        if isinstance(data, Ranges):
            flat, at = target.transpose(axes_of(target)).reshape(-1).view("u1"), 0
            content = np.frombuffer(data.data, "u1") if not issubclass(type(data.data), np.ndarray) else data.data
            for low, high in data.bounds:
                flat[low:high] = content[at : at + high - low]
                at += high - low
        else:
            np.copyto(target, data.values, casting="no")
    if now.flags.writeable != writeable:
        flags = np.ndarray.flags.__get__(array)
        if not writeable:
            flags.writeable = False
        elif _can_be_written(now):
            flags.writeable = True
