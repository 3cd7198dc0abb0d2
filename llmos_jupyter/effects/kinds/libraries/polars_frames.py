"""Polars' frames and series. They travel by their physical values: numbers as their bytes, all else as plain lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from llmos_jupyter.effects.kind import Kind, register
from llmos_jupyter.effects.objects.memory import Pages
from llmos_jupyter.effects.table import ATOMS, CannotComeHome, Malformed, checked, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer

_NUMBERS = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64")
_TIMES = {"Date": pl.Int32, "Time": pl.Int64, "Datetime": pl.Int64, "Duration": pl.Int64}
_TEXTS = ("String", "Binary", "Boolean", "Categorical", "Null")
_DEPTH = 20


def _describe_dtype(dtype: Any, depth: int = 0) -> list[Any]:
    name = type(dtype).__name__
    if name in (*_NUMBERS, *_TEXTS, "Date", "Time"):
        return [name]
    if name == "Datetime":
        return [name, dtype.time_unit, dtype.time_zone]
    if name == "Duration":
        return [name, dtype.time_unit]
    if name == "Enum":
        return [name, dtype.categories.to_list()]
    if name == "List" and _is_nestable(dtype.inner) and depth < _DEPTH:
        return [name, _describe_dtype(dtype.inner, depth + 1)]
    if name == "Struct" and all(_is_nestable(field.dtype) for field in dtype.fields) and depth < _DEPTH:
        return [name, [[field.name, _describe_dtype(field.dtype, depth + 1)] for field in dtype.fields]]
    raise CannotComeHome(f"a polars column of the type {dtype}")


def _is_nestable(dtype: Any) -> bool:
    """Whether the values within lists are plain in Python."""
    return type(dtype).__name__ in (*_NUMBERS, "String", "Binary", "Boolean", "Null", "List", "Struct")


def _read_dtype(said: Any, depth: int = 0) -> Any:
    name, *rest = checked(said, list) or [None]
    if type(name) is not str or depth > _DEPTH:
        raise Malformed("a type of column that is none")
    if name in (*_NUMBERS, *_TEXTS, "Date", "Time"):
        return getattr(pl, name)()
    if name == "Datetime" and len(rest) == 2:
        return pl.Datetime(checked(rest[0], str), checked(rest[1], str, type(None)))
    if name == "Duration" and len(rest) == 1:
        return pl.Duration(checked(rest[0], str))
    if name == "Enum" and len(rest) == 1 and {str}.issuperset(map(type, checked(rest[0], list))):
        return pl.Enum(rest[0])
    if name == "List" and len(rest) == 1:
        return pl.List(_read_dtype(rest[0], depth + 1))
    if name == "Struct" and len(rest) == 1:
        fields = [content_of(field, 2) for field in checked(rest[0], list)]
        return pl.Struct({checked(field, str): _read_dtype(inner, depth + 1) for field, inner in fields})
    raise Malformed("a type of column that is none")


def _describe(series: Any, pack: Packer) -> list[Any]:
    """Name, type, and values: `["bytes", which are there, numbers]`, or `["list", values]`."""
    if Pages.written is not None:
        raise CannotComeHome("polars' threads cannot be copied by a fork", "Series")
    said, name = _describe_dtype(series.dtype), type(series.dtype).__name__
    if name not in (*_NUMBERS, *_TIMES):
        return [series.name, said, ["list", series.to_list()]]
    there = series.is_not_null().to_numpy().tobytes() if series.null_count() else b""
    numbers = series.to_physical().fill_null(0).to_numpy()
    return [series.name, said, ["bytes", pack.buffers.place(there), pack.buffers.place(numbers.tobytes())]]


def _read(content: Any, build: Builder) -> Any:
    name, said, data = content_of(content, 3)
    checked(name, str)
    try:
        dtype = _read_dtype(said)
        what, *values = checked(data, list)
        if what == "list":
            return pl.Series(name, _plain(checked(content_of(values, 1)[0], list)), dtype=dtype, strict=True)
        if what != "bytes":
            raise Malformed("a column without values")
        physical = _TIMES.get(said[0], dtype)
        there, numbers = (build.buffers.bytes(place) for place in content_of(values, 2))
        # polars keeps no hold of memory that it is given: it is copied.
        array = np.frombuffer(numbers, str(physical).lower()).copy()
        series = pl.Series(name, array, dtype=physical).cast(dtype)
        if len(there):
            series = series.set(~pl.Series(np.frombuffer(there, "?").copy()), None)
        return series
    except (CannotComeHome, Malformed, KeyboardInterrupt):
        raise
    except BaseException as error:  # a panic of Rust's is no Exception
        raise Malformed(f"a column that cannot be made ({type(error).__name__})") from None


def _plain(value: Any, depth: int = 0) -> Any:
    if depth > 2 * _DEPTH:
        raise Malformed("a column nested too deeply")
    if type(value) is list:
        for part in value:
            if type(part) not in ATOMS:
                _plain(part, depth + 1)
    elif type(value) is dict:
        for part in value.values():
            _plain(part, depth + 1)
    elif type(value) not in ATOMS:
        raise Malformed("a column of what is not plain")
    return value


class _Content:
    """What a frame or series holds, to be compared later. Its columns are shared, and copied when they are written."""

    def __init__(self, obj: Any) -> None:
        self.held = obj.clone()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Content):
            return False
        mine, theirs = self.held, other.held
        if isinstance(mine, pl.DataFrame):
            return bool(mine.schema == theirs.schema and mine.equals(theirs, null_equal=True))
        named = mine.name == theirs.name and mine.dtype == theirs.dtype
        return bool(named and mine.equals(theirs, null_equal=True))

    __hash__ = None  # type: ignore[assignment]


class _PolarsKind(Kind):
    changes = True
    cls: Any
    holder = ""  # the attribute in which the library's own object is

    def blank(self, content: list[Any], build: Builder) -> Any:
        return self.cls()

    def state(self, obj: Any, new: Any) -> Any:
        return obj.clone()

    def size(self, state: Any) -> int:
        return int(state.estimated_size())

    def put(self, obj: Any, state: Any) -> None:
        setattr(obj, self.holder, getattr(state.clone(), self.holder))

    def children(self, obj: Any) -> list[Any]:
        return []

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        # In a fork polars cannot compute, and code that uses it does not run there.
        return [], None if Pages.written is not None else _Content(obj)


class SeriesKind(_PolarsKind):
    """A series."""

    name = "polars series"
    cls = pl.Series
    holder = "_s"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return _describe(obj, pack)

    def decode(self, content: list[Any], build: Builder) -> Any:
        return _read(content, build)


class FrameKind(_PolarsKind):
    """A data frame."""

    name = "polars frame"
    cls = pl.DataFrame
    holder = "_df"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [_describe(column, pack) for column in obj.get_columns()]

    def decode(self, content: list[Any], build: Builder) -> Any:
        columns = [_read(column, build) for column in content]
        if len({len(column) for column in columns}) > 1 or len({column.name for column in columns}) < len(columns):
            raise Malformed("a frame whose columns do not fit each other")
        return pl.DataFrame(columns)


register(SeriesKind(), pl.Series)
register(FrameKind(), pl.DataFrame)
