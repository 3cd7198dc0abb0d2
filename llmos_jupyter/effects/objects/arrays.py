"""The memory of arrays: what of it travels, how a new array lies in it, and how an old one takes it in."""

from __future__ import annotations

import mmap
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from llmos_jupyter.agent.undo.pages import PAGE, WrittenPages, edges
from llmos_jupyter.effects.kind import content_of
from llmos_jupyter.effects.table import CannotComeHome, HomeBuffer, Malformed, checked, checked_ints

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer

LENDERS: dict[type, Callable[[Any], Any]] = {}  # whose memory an array may have, and how it is had as bytes
SMALL = 64 << 10  # bytes up to which an array is copied, to compare it
_CHUNK = 1 << 17
Layout = tuple[tuple[int, ...], Any, tuple[int, ...]]


class Pages:
    """Which pages the copy has written; set once in the copy."""

    written: WrittenPages | None = None


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


def plain(array: Any) -> Any:
    """The same memory without the subclass."""
    return array if type(array) is np.ndarray else np.ndarray.view(array, np.ndarray)


def extent(shape: tuple[int, ...], strides: tuple[int, ...], size: int) -> tuple[int, int]:
    """The bytes that an array spans, from its first element's address: how far below, and how far above."""
    if 0 in shape:
        return 0, 0
    reach = [(length - 1) * stride for length, stride in zip(shape, strides, strict=True)]
    return sum(min(0, r) for r in reach), sum(max(0, r) for r in reach) + size


def _address(array: Any) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def lowest(array: Any) -> int:
    """The address of the first byte that an array spans."""
    return _address(array) + extent(array.shape, array.strides, array.itemsize)[0]


def is_lent(array: Any) -> bool:
    """Whether an array lies in the memory of what is no array."""
    base = array.base
    while issubclass(type(base), np.ndarray):
        base = np.ndarray.base.__get__(base)
    return type(base) in LENDERS


def memory_of(array: Any) -> Any:
    """All bytes that an array spans, as an array that shares them; those of others' between its own as well."""
    low, high = extent(array.shape, array.strides, array.itemsize)
    interface = {"version": 3, "shape": (high - low,), "typestr": "|u1"}
    window = _Window(array, {**interface, "data": (_address(array) + low, not array.flags.writeable)})
    return np.asarray(window)


def _axes(array: Any) -> list[int]:
    """The order of axes in which an array lies in memory."""
    return [int(axis) for axis in np.argsort([-abs(stride) for stride in array.strides], kind="stable")]


# --- in the copy ----------------------------------------------------------------------------------


def describe_data(array: Any, pack: Packer, base: Any = None, *, was_there: bool) -> Any:
    """The memory of an array: its bytes, its objects, or where it lies in another array, its `base`."""
    if array.dtype.kind == "T":
        if issubclass(type(base), np.ndarray) and not was_there:
            raise CannotComeHome("a view of an array of texts")
        return ["texts", pack.values(array.ravel().tolist())]
    if not was_there and issubclass(type(base), np.ndarray) and array.size:
        return ["view", pack.value(base), _address(array) - _address(plain(base))]
    if not was_there and (lent := LENDERS.get(type(base))) is not None and array.size:
        return ["lent", pack.value(pack.keep(base)), _address(array) - _address(lent(base))]
    if base is not None and not was_there and not issubclass(type(base), (np.ndarray, bytes, HomeBuffer)):
        owner = base.obj if type(base) is memoryview else base
        if issubclass(type(owner), (bytearray, mmap.mmap)) and array.flags.writeable:
            raise CannotComeHome("an array in the memory of something else")
    if array.dtype.hasobject:
        if array.dtype.kind != "O":
            raise CannotComeHome("an array of records that hold objects")
        return ["items", pack.values(array.ravel().tolist())]
    if was_there and array.nbytes > SMALL and (bounds := written_ranges(array)) is not None:
        flat = array.transpose(_axes(array)).reshape(-1).view("u1")
        return ["ranges", bounds, pack.buffers.place(np.concatenate([flat[a:b] for a, b in bounds]))]
    axes = _axes(array)
    ordered = array.transpose(axes)
    if not ordered.flags.c_contiguous:
        axes, ordered = list(range(array.ndim)), np.ascontiguousarray(array)
    return ["bytes", axes, pack.buffers.place(ordered.reshape(-1).view("u1") if array.nbytes else b"")]


def written_ranges(array: Any) -> list[list[int]] | None:
    """Which bytes of an old array lie on pages that the copy wrote; the ends, which share theirs, always. None where
    that cannot be told, or is most of it."""
    pages = Pages.written
    ordered = array.transpose(_axes(array))
    if pages is None or not pages.works or not ordered.flags.c_contiguous:
        return None
    address, size = _address(ordered), ordered.nbytes
    first, last = -(-address // PAGE), (address + size) // PAGE
    file, found = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC), []
    try:
        for start in range(first, last, _CHUNK):
            found.append(np.frombuffer(os.pread(file, 8 * min(_CHUNK, last - start), 8 * start), "<u8"))
    finally:
        os.close(file)
    flags = np.concatenate(found) if found else np.empty(0, "u8")
    # The bits are explained in `pages`.
    own = ((flags >> 56) & (flags >> 63) & ~(flags >> 61) & 1).astype("i1")
    if len(flags) < last - first or bool((flags >> 62 & 1).any()) or own.sum() * 2 > len(own):
        return None
    steps = np.flatnonzero(np.diff(np.concatenate([[0], own, [0]])))
    middle = [
        [int(a + first) * PAGE - address, int(b + first) * PAGE - address]
        for a, b in zip(*[iter(steps)] * 2, strict=True)
    ]
    bounds = [[0, first * PAGE - address], *middle, [last * PAGE - address, size]]
    return [bound for bound in bounds if bound[1] > bound[0]]


def print_of(array: Any) -> Any:
    """What tells whether an array's memory was written: small ones by their bytes, large ones by their pages."""
    ordered = array.transpose(_axes(array))
    if array.nbytes <= SMALL or not ordered.flags.c_contiguous:
        return (
            array.tobytes() if array.nbytes <= SMALL else zlib.crc32(np.ascontiguousarray(array).reshape(-1).view("u1"))
        )
    address = _address(ordered)
    if Pages.written is not None and Pages.written.works:
        count = Pages.written.written(address, array.nbytes)
        if count is not None:
            return edges(address, array.nbytes), count
    return zlib.crc32(ordered.reshape(-1).view("u1"))


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
    from llmos_jupyter.effects.kinds.numpy_arrays import checked_characters

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
    ordered = base.transpose(_axes(base))
    if ordered.flags.c_contiguous:
        return np.ndarray(shape, dtype, ordered, offset, strides)
    interface = {"version": 3, "shape": shape, "strides": strides, "typestr": dtype.str, "descr": dtype.descr}
    if dtype.names is not None:
        raise CannotComeHome("a view of records with gaps", "ndarray")
    return np.asarray(_Window(base, {**interface, "data": (_address(base) + offset, not base.flags.writeable)}))


def _lent(dtype: Any, shape: tuple[int, ...], strides: tuple[int, ...], data: Any, build: Builder) -> Any:
    lender, offset = build.value(content_of(data, 3)[1]), checked(data[2], int)
    if type(lender) not in LENDERS or dtype.hasobject:
        raise Malformed("an array in the memory of nothing")
    memory = LENDERS[type(lender)](lender)
    low, high = extent(shape, strides, dtype.itemsize)
    if offset + low < 0 or offset + high > len(memory):
        raise Malformed("an array outside what lends its memory")
    return np.ndarray(shape, dtype, memory, offset, strides)


class _Window:
    """Lends an array's memory in another layout."""

    def __init__(self, base: Any, interface: dict[str, Any]) -> None:
        self.base, self.__array_interface__ = base, interface


def _view_of_objects(base: Any, dtype: Any, shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Any:
    if dtype != base.dtype or dtype.kind != "O" or offset % 8 or any(stride % 8 for stride in strides):
        raise Malformed("a view that takes objects for something else")
    flat = base.transpose(_axes(base))
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
        now.dtype.hasobject or not now.transpose(_axes(now)).flags.c_contiguous or data.bounds[-1][1] > now.nbytes
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
        flat = array.transpose(_axes(array)).reshape(-1).view("u1")
        return Ranges(new.bounds, np.concatenate([flat[low:high] for low, high in new.bounds]))
    return Whole(array.copy(order="K"))


def checksum(array: Any, part: Data) -> int:
    """Of the bytes of an array that `part` covers."""
    ordered = array.transpose(_axes(array))
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
            flat, at = target.transpose(_axes(target)).reshape(-1).view("u1"), 0
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
