"""Kinds that cannot change: numbers, texts and what else Python's library makes of plain values."""

from __future__ import annotations

import decimal
import fractions
import gc
import ipaddress
import os
import pathlib
import re
import struct
import time
import types
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import Kind, register
from llmos_jupyter.effects.objects.layout import (
    attributes,
    set_attributes,
)
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


class Atom(Kind):
    """What is made of a few atoms by a function that is written here, and never by one that the table names."""

    def __init__(self, name: str, take: Callable[[Any], list[Any]], make: Callable[..., Any], *atoms: type) -> None:
        self.name, self._take, self._make, self._atoms = name, take, make, atoms

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return self._take(obj)

    def blank(self, content: list[Any], build: Builder) -> Any:
        for value, atom in zip(content_of(content, len(self._atoms)), self._atoms, strict=True):
            checked(value, atom)
        try:
            return self._make(*content)
        except (ValueError, TypeError, OverflowError, ArithmeticError, LookupError, re.error, struct.error) as error:
            raise Malformed(f"a {self.name} that is none ({type(error).__name__})") from None


def _number(text: str) -> int:
    if len(text) > 10_000_000:
        raise ValueError("too long")
    return int(text, 16)


def _singleton(name: str) -> Any:
    return {"Ellipsis": Ellipsis, "NotImplemented": NotImplemented}[name]


_PATHS = {cls.__name__: cls for cls in (pathlib.PurePosixPath, pathlib.PureWindowsPath, type(pathlib.Path()))}
_ADDRESSES = {
    cls.__name__: cls
    for cls in (ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network)
}

register(Atom("int", lambda n: [hex(n)], _number, str), int)
register(Atom("complex", lambda z: [z.real, z.imag], complex, float, float), complex)
register(Atom("singleton", lambda s: [repr(s)], _singleton, str), type(...), type(NotImplemented))


register(Atom("decimal", lambda d: [str(d)], decimal.Decimal, str), decimal.Decimal)
register(Atom("uuid", lambda u: [hex(u.int)], lambda text: uuid.UUID(int=int(text, 16)), str), uuid.UUID)
register(
    Atom("path", lambda p: [type(p).__name__, str(p)], lambda name, text: _PATHS[name](text), str, str),
    *_PATHS.values(),
)
register(
    Atom("address", lambda a: [type(a).__name__, str(a)], lambda name, text: _ADDRESSES[name](text), str, str),
    *_ADDRESSES.values(),
)


register(Atom("struct", lambda s: [s.format], struct.Struct, str), struct.Struct)


class SequenceKind(Kind):
    """A tuple of C whose parts have names, as `time.struct_time`."""

    name = "structure"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        _, (values, beside) = obj.__reduce__()
        return [type(obj).__name__, pack.values(values), pack.attributes(beside)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, values, beside = content_of(content, 3)
        cls = _STRUCTURES.get(name) if type(name) is str else None
        if cls is None:
            raise Malformed("a structure that is none")
        try:
            return cls(build.values(values), build.attributes(beside))
        except (TypeError, ValueError):
            raise Malformed("a structure that is none") from None


_STRUCTURES: dict[str, Any] = {
    cls.__name__: cls for cls in (time.struct_time, os.stat_result, os.terminal_size, os.times_result, os.uname_result)
}
register(SequenceKind(), *_STRUCTURES.values())


class PatternKind(Kind):
    """A compiled regular expression of text or of bytes."""

    name = "regular expression"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [obj.pattern, obj.flags]

    def blank(self, content: list[Any], build: Builder) -> Any:
        text, flags = content_of(content, 2)
        checked(flags, int)
        try:
            return re.compile(checked(text, str, bytes), flags)
        except (re.error, ValueError, OverflowError, RecursionError):
            raise Malformed("a regular expression that is none") from None


register(PatternKind(), re.Pattern)


class MatchKind(Kind):
    """A match: found again in the same text."""

    name = "match"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if type(obj.string) not in (str, bytes):
            raise CannotComeHome("a match in what is no text")
        return [pack.value(obj.re), pack.value(obj.string), obj.start(), obj.endpos, obj.end()]

    def blank(self, content: list[Any], build: Builder) -> Any:
        pattern, text, start, last, end = content_of(content, 5)
        pattern = build.value(pattern)
        text = checked(build.value(text), str, bytes)
        if type(pattern) is not re.Pattern or type(pattern.pattern) is not type(text):
            raise Malformed("a match of no pattern")
        checked_ints([start, last, end])
        found = pattern.match(text, start, last)
        if found is None or found.span() != (start, end):
            raise CannotComeHome("a match of a regular expression that depends on what stands before it")
        return found


register(MatchKind(), re.Match)


class BytesKind(Kind):
    """Bytes too many for the table."""

    name = "bytes"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [pack.buffers.place(obj)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return bytes(build.buffers.bytes(content_of(content, 1)[0]))


register(BytesKind(), bytes)


class FractionKind(Kind):
    name = "fraction"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [hex(obj.numerator), hex(obj.denominator)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        try:
            above, below = (_number(checked(text, str)) for text in content_of(content, 2))
            return fractions.Fraction(above, below)
        except (ValueError, ZeroDivisionError):
            raise Malformed("a fraction that is none") from None


register(FractionKind(), fractions.Fraction)


class PartsKind(Kind):
    """`range` and `slice`: three parts."""

    def __init__(self, cls: type) -> None:
        self.name, self._cls = cls.__name__, cls

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return pack.values([obj.start, obj.stop, obj.step])

    def blank(self, content: list[Any], build: Builder) -> Any:
        parts = build.values(content_of(content, 3))
        if self._cls is range and not {int}.issuperset(map(type, parts)):
            raise Malformed("a range that is none")
        try:
            return self._cls(*parts)
        except ValueError:
            raise Malformed("a range that is none") from None


register(PartsKind(range), range)
register(PartsKind(slice), slice)


class Subclassed(Kind):
    """An instance of a subclass of a number or a text: its plain value, and its attributes."""

    changes = True

    def __init__(self, base: Any) -> None:
        self.name, self._base = f"{base.__name__} of a class", base

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        plain = self._base.__new__(self._base, obj) if self._base is not int else int.__add__(obj, 0)
        return [pack.value(type(obj)), pack.value(pack.keep(plain)), pack.attributes(attributes(obj))]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls, value, _ = content_of(content, 3)
        plain = build.value(value)
        if type(plain) is not self._base:
            raise Malformed(f"not a {self._base.__name__}")
        return self._base.__new__(build.cls(cls, self._base), plain)

    def decode(self, content: list[Any], build: Builder) -> Any:
        return build.attributes(content_of(content, 3)[2])

    def state(self, obj: Any, new: Any) -> Any:
        return attributes(obj)

    def put(self, obj: Any, state: Any) -> None:
        set_attributes(obj, state)

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        held = attributes(obj)
        return [type(obj), *held.values()], list(held)


for _base in (int, float, str, bytes, complex):
    register(Subclassed(_base), structure=_base)


class ProxyKind(Kind):
    """A read-only view of a dict."""

    name = "mapping proxy"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        held = gc.get_referents(obj)[0]
        return [pack.value(held if type(held) is dict else pack.keep(dict(obj)))]

    def blank(self, content: list[Any], build: Builder) -> Any:
        held = build.value(content_of(content, 1)[0])
        if type(held) is not dict:
            raise Malformed("a view of no dict")
        return types.MappingProxyType(held)


register(ProxyKind(), types.MappingProxyType)
