"""Where an array lies in memory, and what tells whether that was written."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from llmos_jupyter.sandbox.process.pages import PAGE, WrittenPages, edges

SMALL = 64 << 10  # bytes up to which an array is copied, to compare it
ROWS = 1_000  # rows of a two-dimensional array that are looked at one by one


LENDERS: dict[type, Callable[[Any], Any]] = {}  # whose memory an array may have, and how it is had as bytes


class Pages:
    """Which pages the copy has written; set once in the copy."""

    written: WrittenPages | None = None
    edges_alone = False


class Print(NamedTuple):
    """What tells whether a large array was written: the bytes at its ends, how many of its pages were written or a
    checksum, and the same of each of its rows."""

    edges: bytes
    whole: Any = None
    rows: tuple[Any, ...] = ()


@contextlib.contextmanager
def edges_alone() -> Iterator[None]:
    """Let large arrays be told by their ends: at once, whatever their size."""
    Pages.edges_alone = True
    try:
        yield
    finally:
        Pages.edges_alone = False


def plain(array: Any) -> Any:
    """The same memory without the subclass."""
    return array if type(array) is np.ndarray else np.ndarray.view(array, np.ndarray)


def is_lent(array: Any) -> bool:
    """Whether an array lies in the memory of what is no array."""
    base = array.base
    while issubclass(type(base), np.ndarray):
        base = np.ndarray.base.__get__(base)
    return type(base) in LENDERS


def extent(shape: tuple[int, ...], strides: tuple[int, ...], size: int) -> tuple[int, int]:
    """The bytes that an array spans, from its first element's address: how far below, and how far above."""
    if 0 in shape:
        return 0, 0
    reach = [(length - 1) * stride for length, stride in zip(shape, strides, strict=True)]
    return sum(min(0, r) for r in reach), sum(max(0, r) for r in reach) + size


def address_of(array: Any) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def lowest(array: Any) -> int:
    """The address of the first byte that an array spans."""
    return address_of(array) + extent(array.shape, array.strides, array.itemsize)[0]


class Window:
    """Lends an array's memory in another layout."""

    def __init__(self, base: Any, interface: dict[str, Any]) -> None:
        self.base, self.__array_interface__ = base, interface


def lender_of(base: Any) -> Any:
    """What an array's `base` stands for: NumPy's `as_strided` and `Window` put something between it and the array."""
    while type(base) is Window or type(base) is _STRIDED:
        base = base.base
    return base


_STRIDED = type(np.ndarray.base.__get__(np.lib.stride_tricks.as_strided(np.zeros(2), (1,))))


def memory_of(array: Any) -> Any:
    """All bytes that an array spans, as an array that shares them; those of others' between its own as well."""
    low, high = extent(array.shape, array.strides, array.itemsize)
    interface = {"version": 3, "shape": (high - low,), "typestr": "|u1"}
    window = Window(array, {**interface, "data": (address_of(array) + low, not array.flags.writeable)})
    return np.asarray(window)


def axes_of(array: Any) -> list[int]:
    """The order of axes in which an array lies in memory."""
    return [int(axis) for axis in np.argsort([-abs(stride) for stride in array.strides], kind="stable")]


def written_ranges(array: Any) -> list[list[int]] | None:
    """Which bytes of an old array lie on pages that the copy wrote; the ends, which share theirs, always. None where
    that cannot be told, or is most of it."""
    pages = Pages.written
    ordered = array.transpose(axes_of(array))
    if pages is None or not pages.works or not ordered.flags.c_contiguous:
        return None
    address, size = address_of(ordered), ordered.nbytes
    own = pages.own(address, size)
    if own is None or own.sum() * 2 > len(own):
        return None
    own, first, last = own.astype("i1"), -(-address // PAGE), (address + size) // PAGE
    steps = np.flatnonzero(np.diff(np.concatenate([[0], own, [0]])))
    middle = [
        [int(a + first) * PAGE - address, int(b + first) * PAGE - address]
        for a, b in zip(*[iter(steps)] * 2, strict=True)
    ]
    bounds = [[0, first * PAGE - address], *middle, [last * PAGE - address, size]]
    return [bound for bound in bounds if bound[1] > bound[0]]


def print_of(array: Any) -> bytes | Print:
    """What tells whether an array's memory was written: small ones by their bytes, large ones by their pages or a
    checksum, of up to ROWS rows each by itself: they are the columns of a frame."""
    if array.nbytes <= SMALL:
        content: bytes = array.tobytes()
        return content
    ordered = array.transpose(axes_of(array))
    if not ordered.flags.c_contiguous:
        whole = None if Pages.edges_alone else zlib.crc32(np.ascontiguousarray(array).reshape(-1).view("u1"))
        return Print(b"", whole)
    address = address_of(ordered)
    ends = edges(address, array.nbytes)
    if Pages.edges_alone:
        return Print(ends)
    flat = ordered.reshape(-1).view("u1")
    in_rows = ordered.ndim == 2 and len(ordered) <= ROWS
    width = array.nbytes // len(ordered) if in_rows else 0
    starts = range(0, array.nbytes, width) if in_rows else ()
    pages = Pages.written
    if pages is not None and pages.works and (count := pages.written(address, array.nbytes)) is not None:
        counts = pages.written_rows(address, width, len(ordered)) if in_rows else None
        rows = tuple((edges(address + at, width), rows) for at, rows in zip(starts, counts or (), strict=False))
        return Print(ends, count, rows)
    if in_rows:
        return Print(ends, None, tuple(zlib.crc32(flat[at : at + width]) for at in starts))
    return Print(ends, zlib.crc32(flat))
