"""Buffers, files of memory, and files that are closed."""

from __future__ import annotations

import array
import io
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import Kind, beside, register
from llmos_jupyter.effects.objects.layout import attributes, set_attributes
from llmos_jupyter.effects.objects.reach import progress
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


# Asked by its C getter: a subclass may have an attribute of that name, or a way of its own to look for one.
_typecode: Any = array.array.__dict__["typecode"]


class BufferKind(Kind):
    """A bytearray or an `array.array`."""

    changes = True

    def __init__(self, base: Any) -> None:
        self.name, self._base = f"buffer of a {base.__name__}", base

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        cls = None if type(obj) is self._base else pack.value(type(obj))
        code = obj.typecode if self._base is array.array else "B"
        return [cls, code, pack.buffers.place(memoryview(obj)), pack.attributes(beside(obj, self._base))]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls, code, _, _ = content_of(content, 4)
        made_of = self._base if cls is None else build.cls(cls, self._base)
        if self._base is bytearray:
            return bytearray.__new__(made_of)
        if code not in list(array.typecodes):
            raise Malformed("an array of no type")
        return array.array.__new__(made_of, code)

    def decode(self, content: list[Any], build: Builder) -> Any:
        _, code, place, held = content_of(content, 4)
        data = bytes(build.buffers.bytes(place))
        if self._base is array.array:
            if code not in list(array.typecodes) or len(data) % array.array(code).itemsize:
                raise Malformed("an array of no type")
            if code in "uw" and any(number > 0x10FFFF for number in memoryview(data).cast("I")):
                raise Malformed("a character that is none")
            values: Any = array.array(code)
            values.frombytes(data)
        else:
            values = bytearray(data)
        return values, None if held is None else build.attributes(held)

    def state(self, obj: Any, new: Any) -> Any:
        return self._base.__getitem__(obj, slice(None)), beside(obj, self._base)

    def put(self, obj: Any, state: Any) -> None:
        values, held = state
        if self._base is array.array and values.typecode != _typecode.__get__(obj):
            raise CannotComeHome("an array whose type changed")
        self._base.__setitem__(obj, slice(None), values)
        if held is not None:
            set_attributes(obj, held)

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return self.children(obj), bytes(memoryview(obj))

    def children(self, obj: Any) -> list[Any]:
        return list((beside(obj, self._base) or {}).values())


register(BufferKind(bytearray), structure=bytearray)
register(BufferKind(array.array), structure=array.array)


class MemoryFileKind(Kind):
    """A file of memory alone: its content and where it stands."""

    changes = True

    def __init__(self, base: Any) -> None:
        self.name, self._base = base.__name__, base

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if obj.closed:
            return [None, 0]
        content = self._base.getvalue(obj)
        return [pack.buffers.place(content) if self._base is io.BytesIO else content, self._base.tell(obj)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return self._base()

    def decode(self, content: list[Any], build: Builder) -> Any:
        held, at = content_of(content, 2)
        if held is not None:
            held = bytes(build.buffers.bytes(held)) if self._base is io.BytesIO else checked(held, str)
        return held, checked_ints([at])[0]

    def state(self, obj: Any, new: Any) -> Any:
        return (None, 0) if obj.closed else (self._base.getvalue(obj), self._base.tell(obj))

    def put(self, obj: Any, state: Any) -> None:
        content, at = state
        if content is None:
            obj.close()
            return
        if obj.closed:
            raise CannotComeHome("a closed file opened again")
        obj.seek(0)
        obj.truncate()
        obj.write(content)
        obj.seek(at)

    def children(self, obj: Any) -> list[Any]:
        return []

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [], self.state(obj, None)


register(MemoryFileKind(io.StringIO), io.StringIO)
register(MemoryFileKind(io.BytesIO), io.BytesIO)


class ClosedFileKind(Kind):
    """A file that is closed; an open one cannot come home."""

    name = "closed file"
    refuses_change = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if not obj.closed:
            raise CannotComeHome(f"it is an open file ({type(obj).__name__})")
        return [type(obj).__name__, str(getattr(obj, "name", "")), attributes(obj).get("mode")]

    def blank(self, content: list[Any], build: Builder) -> Any:
        kind, name, mode = content_of(content, 3)
        raw = _ClosedRaw()
        raw.name = checked(name, str)
        if kind == "FileIO":
            made: Any = raw
        elif kind == "BufferedReader":
            made = io.BufferedReader(raw)
        elif kind == "BufferedWriter":
            made = io.BufferedWriter(raw)
        elif kind == "TextIOWrapper":
            made = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8")
        else:
            raise Malformed("a file of no kind")
        made.close()
        if mode is not None:
            made.mode = checked(mode, str)
        return made

    def children(self, obj: Any) -> list[Any]:
        return []

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [], progress(obj)


class _ClosedRaw(io.RawIOBase):
    """Stands for a file that was opened and closed in the copy."""

    name = ""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True


register(ClosedFileKind(), io.TextIOWrapper, io.BufferedReader, io.BufferedWriter, io.FileIO)
