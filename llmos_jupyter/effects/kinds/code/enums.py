"""Enums: their members are made again from plain values, by the enum module itself."""

from __future__ import annotations

import enum
import keyword
import types
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import CHOOSERS, Kind, register
from llmos_jupyter.effects.objects.layout import attributes, class_dict, is_a, runs_users_code
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer

_BASES: dict[str, Any] = {
    name: getattr(enum, name) for name in ("Enum", "IntEnum", "Flag", "IntFlag", "StrEnum") if hasattr(enum, name)
} | {"int": int, "str": str}
_VALUES = (int, str, float, bool, bytes, type(None), tuple)
_OWN = frozenset({"_value_", "_name_", "__objclass__", "_sort_order_"})
_RUN = ("__new__", "__new_member__", "_missing_", "__eq__", "__hash__", "__del__", "__init_subclass__")


def describe_enum(cls: Any, pack: Packer) -> list[Any]:
    """An enum's bases, members and methods."""
    bases = [base.__name__ for base in cls.__bases__]
    if any(_BASES.get(name) is not base for name, base in zip(bases, cls.__bases__, strict=True)):
        raise CannotComeHome(f"the enum {cls.__name__} has bases of its own")
    held = class_dict(cls)
    if any(_is_own(held.get(name), cls) for name in _RUN):
        raise CannotComeHome(f"the enum {cls.__name__} runs code of its own when it is made")
    members = {name: member._value_ for name, member in cls.__members__.items()}
    methods = {name: value for name, value in held.items() if name not in members and _is_own(value, cls)}
    doc = held.get("__doc__")
    names = [cls.__name__, cls.__module__, cls.__qualname__, doc if type(doc) is str else None]
    given = [attributes(member) for member in cls._member_map_.values()]
    given = [{name: value for name, value in held.items() if name not in _OWN} for held in given]
    described = [list(members), pack.values(members.values())]
    return ["enum", names, bases, described, pack.attributes(methods), [pack.attributes(held) for held in given]]


def _is_own(value: Any, cls: type) -> bool:
    """Whether something in an enum's dict was written in its body, and is a method of some sort."""
    if type(value) in (staticmethod, classmethod):
        value = value.__func__
    if type(value) is property:
        value = value.fget
    return type(value) is types.FunctionType and value.__module__ == cls.__module__


def make_enum(content: list[Any], build: Builder) -> type:
    """An enum with its members, without its methods."""
    names, bases, members, _, _ = content_of(content, 5)
    name, module, path, doc = content_of(names, 4)
    held = build.attributes(members)
    found: list[Any] = [_BASES.get(base) if type(base) is str else None for base in checked(bases, list)]
    if not found or None in found or not issubclass(found[-1], enum.Enum):
        raise Malformed("an enum without bases")
    if not _is_name(checked(name, str)) or not all(_is_name(member) and member[:1] != "_" for member in held):
        raise Malformed("an enum whose members have no names")
    if not all(_is_plain(value) for value in held.values()):
        raise CannotComeHome(f"the enum {name} has values that are not plain", "enum")
    checked(module, str), checked(path, str), checked(doc, str, type(None))

    def fill(namespace: Any) -> None:
        namespace["__module__"], namespace["__qualname__"], namespace["__doc__"] = module, path, doc
        for member, value in held.items():
            namespace[member] = value

    try:
        return types.new_class(name, tuple(found), exec_body=fill)
    except (TypeError, ValueError):
        raise Malformed("an enum that is none") from None


def decode_enum(content: list[Any], build: Builder) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """An enum's methods, and by member the attributes that its `__init__` gave it."""
    _, _, members, methods, given = content_of(content, 5)
    names = checked(members[0], list)
    if len(checked(given, list)) > len(names):
        raise Malformed("an enum whose members do not match")
    held = {name: build.attributes(said) for name, said in zip(names, given, strict=False)}
    if any(not _OWN.isdisjoint(attributes_of) for attributes_of in held.values()):
        raise Malformed("an enum whose members are not its own")
    return build.attributes(methods), held


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)


def _is_plain(value: Any) -> bool:
    return type(value) in _VALUES and (type(value) is not tuple or all(map(_is_plain, value)))


class MemberKind(Kind):
    """A member of an enum."""

    name = "enum member"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        name = obj._name_
        if name is None or type(obj)._member_map_.get(name) is not obj:
            if isinstance(obj, enum.Flag):
                return [pack.value(type(obj)), None, int(obj._value_)]
            raise CannotComeHome("a member of an enum that has no name")
        return [pack.value(type(obj)), name, 0]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls, name, value = content_of(content, 3)
        cls = build.value(cls)
        if not is_a(cls, enum.EnumMeta):
            raise Malformed("a member of no enum")
        if name is None:
            if not issubclass(cls, enum.Flag) or runs_users_code(cls, "_missing_"):
                raise Malformed("a member without a name")
            try:
                return enum.Flag.__dict__["_missing_"].__func__(cls, checked(value, int))
            except (ValueError, TypeError):
                raise Malformed("a flag that is none") from None
        member = cls._member_map_.get(checked(name, str))
        if member is None:
            raise Malformed("a member that its enum does not have")
        return member


MEMBER = register(MemberKind())
CHOOSERS.append(lambda cls: MEMBER if issubclass(cls, enum.Enum) else None)
