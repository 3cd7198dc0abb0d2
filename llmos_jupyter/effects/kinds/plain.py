"""Kinds that cannot change: numbers, texts, dates, tuples and what else Python's library makes of plain values."""

from __future__ import annotations

import datetime
import decimal
import fractions
import ipaddress
import pathlib
import re
import types
import uuid
import weakref
import zoneinfo
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects import libraries
from llmos_jupyter.effects.kind import Kind, content_of, register
from llmos_jupyter.effects.layout import (
    attributes,
    class_dict,
    installed,
    is_a,
    is_users,
    library_module,
    mro,
    runs_users_code,
    set_attributes,
    solid,
)
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, checked_ints

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
        except (ValueError, TypeError, OverflowError, ArithmeticError, LookupError, re.error) as error:
            raise Malformed(f"a {self.name} that is none ({type(error).__name__})") from None


def _number(text: str) -> int:
    if len(text) > 10_000_000:
        raise ValueError("too long")
    return int(text, 16)


def _zone(key: str) -> zoneinfo.ZoneInfo:
    if not re.fullmatch(r"[\w+\-]+(/[\w+\-]+)*", key):
        raise ValueError("not a zone")
    return zoneinfo.ZoneInfo(key)


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
register(
    Atom("date", lambda d: [d.year, d.month, d.day], datetime.date, int, int, int),
    datetime.date,
)
register(
    Atom("timedelta", lambda d: [d.days, d.seconds, d.microseconds], datetime.timedelta, int, int, int),
    datetime.timedelta,
)
register(Atom("zone", lambda z: [z.key or ""], _zone, str), zoneinfo.ZoneInfo)
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
        if type(obj.string) is not str:
            raise CannotComeHome("a match in what is no text")
        return [pack.value(obj.re), obj.string, obj.start(), obj.endpos, obj.end()]

    def blank(self, content: list[Any], build: Builder) -> Any:
        pattern, text, start, last, end = content_of(content, 5)
        pattern = build.value(pattern)
        if type(pattern) is not re.Pattern or type(pattern.pattern) is not str:
            raise Malformed("a match of no pattern")
        checked_ints([start, last, end])
        found = pattern.match(checked(text, str), start, last)
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


class TimeKind(Kind):
    """`datetime.datetime` and `datetime.time`, with their time zone."""

    def __init__(self, cls: type) -> None:
        self.name, self._cls = cls.__name__, cls

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        day = [obj.year, obj.month, obj.day] if self._cls is datetime.datetime else []
        return [[*day, obj.hour, obj.minute, obj.second, obj.microsecond], pack.value(obj.tzinfo), obj.fold]

    def blank(self, content: list[Any], build: Builder) -> Any:
        parts, zone, fold = content_of(content, 3)
        zone = time_zone(build.value(zone))
        try:
            return self._cls(*checked_ints(parts), tzinfo=zone, fold=checked(fold, int))
        except (ValueError, TypeError):
            raise Malformed(f"a {self.name} that is none") from None


def time_zone(zone: Any) -> Any:
    """A time zone whose code is a library's."""
    if zone is not None and (not is_a(zone, datetime.tzinfo) or runs_users_code(type(zone), "utcoffset")):
        raise CannotComeHome("a time with a time zone that is not known")
    return zone


register(TimeKind(datetime.datetime), datetime.datetime)
register(TimeKind(datetime.time), datetime.time)


class TimezoneKind(Kind):
    """A fixed offset from UTC."""

    name = "timezone"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        args = obj.__getinitargs__()
        offset = args[0]
        return [offset.days, offset.seconds, offset.microseconds, args[1] if len(args) > 1 else None]

    def blank(self, content: list[Any], build: Builder) -> Any:
        days, seconds, parts, name = content_of(content, 4)
        checked_ints([seconds, parts])
        try:
            offset = datetime.timedelta(checked(days, int), seconds, parts)
            if name is None:
                return datetime.timezone(offset) if offset else datetime.timezone.utc
            return datetime.timezone(offset, checked(name, str))
        except (ValueError, OverflowError):
            raise Malformed("a time zone that is none") from None


register(TimezoneKind(), datetime.timezone)


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


class FixedKind(Kind):
    """Tuples and frozensets, and their subclasses: their items, and beside them attributes."""

    def __init__(self, base: Any) -> None:
        self.name, self._base = base.__name__, base

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        cls = type(obj)
        if cls is self._base:
            return [None, pack.values(obj), None]
        held = attributes(obj)
        return [pack.value(cls), pack.values(self._base.__iter__(obj)), pack.attributes(held or None)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls, items, beside = content_of(content, 3)
        made_of = self._base if cls is None else build.cls(cls, self._base)
        values = build.values(items)
        if self._base is frozenset:
            checked_keys(values)
            if any(solid(type(value)) is object and is_users(type(value)) for value in values):
                raise CannotComeHome("a frozenset of objects of the notebook's classes", "frozenset")
        made = self._base.__new__(made_of, values)
        if beside is not None:
            set_attributes(made, build.attributes(beside))
        return made


def checked_keys(values: Any) -> None:
    """Raise CannotComeHome for what runs code of the user's when it is hashed or compared, and Malformed for what has
    no hash."""
    for value in values:
        cls = type(value)
        if cls in PLAIN_KEYS:
            continue
        if cls is tuple or cls is frozenset:
            checked_keys(value)
        elif is_a(value, type):
            if runs_users_code(cls, "__hash__"):
                raise CannotComeHome(f"a class whose {cls.__name__} runs code to be hashed")
        elif _hashed_by_fields(cls):
            checked_keys(attributes(value).values())
        elif runs_users_code(cls, "__hash__") or runs_users_code(cls, "__eq__"):
            raise CannotComeHome(f"a key whose {cls.__name__} runs code to be hashed", cls.__name__)
        elif cls.__hash__ is None:
            raise Malformed("a key that has no hash")
        elif issubclass(cls, tuple):
            checked_keys(tuple.__iter__(value))


def _hashed_by_fields(cls: type) -> bool:
    """Whether a class is a dataclass whose hash and equality the decorator wrote."""
    for base in mro(cls):
        held = class_dict(base)
        if "__hash__" in held:
            methods = [held["__hash__"], held.get("__eq__")]
            written = [getattr(method, "__code__", None) for method in methods]
            return "__dataclass_params__" in held and all(
                code is not None and code.co_filename == "<string>" for code in written
            )
    return False


PLAIN_KEYS = frozenset({type(None), bool, int, float, str, bytes, complex, datetime.date, datetime.datetime, uuid.UUID})

register(FixedKind(tuple), structure=tuple)
register(FixedKind(frozenset), structure=frozenset)


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


class GlobalKind(Kind):
    """A class or function of a library's: where it is found."""

    name = "global"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        found = libraries.address_of(obj)
        if found is None:
            raise CannotComeHome(f"the {type(obj).__name__} {getattr(obj, '__name__', '')} is not found by its name")
        return list(found)

    def blank(self, content: list[Any], build: Builder) -> Any:
        module, path = content_of(content, 2)
        return libraries.attribute(module, path)


GLOBAL = register(GlobalKind())


class ModuleKind(Kind):
    """A module, by its name. What code sets on a module of the user's does not come home, and is refused."""

    name = "module"
    refuses_change = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        import sys

        name = obj.__name__
        if sys.modules.get(name) is not obj or not installed(name.partition(".")[0]):
            raise CannotComeHome(f"the module {name} is the user's own and was imported by the code")
        return [name]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return libraries.module(content_of(content, 1)[0])

    def children(self, obj: Any) -> list[Any]:
        return self.marks(obj)[0]

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        if library_module(obj.__name__) or obj.__name__ == "__main__":
            return [], None
        held = {name: value for name, value in vars(obj).items() if name[:2] != "__"}
        return list(held.values()), list(held)


register(ModuleKind(), types.ModuleType)


class WeakKind(Kind):
    """A weak reference to something that stays."""

    name = "weak reference"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        target = obj()
        if target is None or obj.__callback__ is not None or type(obj) is not weakref.ref:
            raise CannotComeHome("a weak reference to nothing, or with a callback")
        return [pack.value(target)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        target = build.value(content_of(content, 1)[0])
        try:
            return weakref.ref(target)
        except TypeError:
            raise Malformed("a weak reference to what has none") from None


register(WeakKind(), structure=weakref.ref)


class ProxyKind(Kind):
    """A read-only view of a dict."""

    name = "mapping proxy"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [pack.value(pack.keep(dict(obj)))]

    def blank(self, content: list[Any], build: Builder) -> Any:
        held = build.value(content_of(content, 1)[0])
        if type(held) is not dict:
            raise Malformed("a view of no dict")
        return types.MappingProxyType(held)


register(ProxyKind(), types.MappingProxyType)


class AliasKind(Kind):
    """A type with parameters: `list[int]`, `int | None`."""

    name = "type alias"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if type(obj) is types.UnionType:
            return [None, pack.value(obj.__args__)]
        return [pack.value(obj.__origin__), pack.value(obj.__args__)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        origin, args = build.values(content_of(content, 2))
        if type(args) is not tuple or not args or any(runs_users_code(type(arg), "__or__") for arg in args):
            raise Malformed("a type without parameters")
        if origin is not None:
            if not is_a(origin, type):
                raise Malformed("parameters of no type")
            return types.GenericAlias(origin, args)
        made = args[0]
        for arg in args:
            if not is_a(arg, (type, types.GenericAlias)) or type(arg) not in (type, types.GenericAlias):
                raise CannotComeHome("a union of what are no plain classes")
        for arg in args[1:]:
            made = made | arg
        return made


register(AliasKind(), types.GenericAlias, types.UnionType)
