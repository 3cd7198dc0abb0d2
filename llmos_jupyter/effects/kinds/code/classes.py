"""Classes that the code defines: made empty, then given their attributes one by one. No class body, decorator,
metaclass, `__init_subclass__` or `__set_name__` of the user's runs again.
"""

from __future__ import annotations

import abc
import collections
import dataclasses
import enum
import keyword
import operator
import types
import typing
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects import libraries
from llmos_jupyter.effects.kind import CHOOSERS, Kind, register
from llmos_jupyter.effects.kinds.code.enums import decode_enum, describe_enum, make_enum
from llmos_jupyter.effects.kinds.code.references import GLOBAL
from llmos_jupyter.effects.kinds.code.typing_forms import (
    ALIASES,
    TYPED_DICT,
    base_of,
    describe_typed_dict,
    make_base,
    make_typed_dict,
)
from llmos_jupyter.effects.objects.layout import class_dict, is_a, is_users, library_module, mro, runs_users_code, solid
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer

_METACLASSES: dict[str, Any] = {cls.__name__: cls for cls in (type, abc.ABCMeta, type(typing.Protocol))}
# Made by the class statement itself, by the metaclass, or by what a kind below calls again.
_OWN = frozenset({"__dict__", "__weakref__", "__slots__", "__qualname__", "__match_args__", "_abc_impl"})
_OWN |= {"__static_attributes__", "__firstlineno__", "__annotate__", "__annotate_func__", "__annotations_cache__"}
_FIELD = ("default", "default_factory", "init", "repr", "hash", "compare", "metadata", "kw_only")
_NO_METADATA: types.MappingProxyType[str, Any] = types.MappingProxyType({})
_PARAMETERS = ("init", "repr", "eq", "order", "unsafe_hash", "frozen")


class ClassKind(Kind):
    """A class of the user's, its metaclass `type` or `ABCMeta`; dataclasses among them."""

    name = "class"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if not is_users(obj) and not (_is_namedtuple(obj) and libraries.address_of(obj) is None):
            return ["global", *GLOBAL.describe(obj, pack)]
        if issubclass(obj, enum.Enum):
            return describe_enum(obj, pack)
        meta = type(obj).__name__
        if type(obj) is TYPED_DICT:
            return describe_typed_dict(obj, pack)
        if _METACLASSES.get(meta) is not type(obj):
            raise CannotComeHome(f"the class {obj.__name__} has the metaclass {meta}")
        held = class_dict(obj)
        if "__del__" in held:
            raise CannotComeHome(f"the class {obj.__name__} runs code when its objects end")
        if _is_namedtuple(obj):
            fields = obj.__dict__["_fields"]
            defaults = [obj.__dict__["_field_defaults"].get(field) for field in fields]
            count = len(obj.__dict__["_field_defaults"])
            names = [obj.__name__, obj.__module__, obj.__qualname__, obj.__doc__]
            typed = {name: value for name, value in held.items() if not _of_namedtuple(name, value, fields)}
            parts = [names, list(fields), pack.values(defaults[len(fields) - count :]), pack.attributes(typed)]
            return ["namedtuple", *parts]
        slots = held.get("__slots__")
        if slots is not None:
            slots = [slots] if type(slots) is str else list(slots)
        data = _describe_dataclass(obj, pack) if "__dataclass_params__" in held else None
        left_out = _generated(obj) if data else frozenset()
        members = {
            name: value
            for name, value in held.items()
            if name not in _OWN and name not in left_out and type(value) is not types.MemberDescriptorType
        }
        members = {n: v for n, v in members.items() if type(v) is not types.GetSetDescriptorType}
        bases, generated = _bases(obj, pack)
        for name in generated:
            members.pop(name, None)
        members.pop("__annotations__", None)
        if not data and (annotations := _annotations(obj)):
            members["__annotations__"] = pack.keep(annotations)
        names = [obj.__name__, obj.__qualname__]
        return ["class", meta, names, slots, bases, pack.attributes(members), data]

    def blank(self, content: list[Any], build: Builder) -> Any:
        what, *rest = content or [None]
        if what == "global":
            found = GLOBAL.blank(rest, build)
            if not is_a(found, type):
                raise Malformed("a class that is none")
            return found
        if what == "namedtuple":
            return _make_namedtuple(rest, build)
        if what == "enum":
            return make_enum(rest, build)
        if what == "typed dict":
            return make_typed_dict(rest, build)
        if what != "class":
            raise Malformed("a class of no kind")
        meta, names, slots, bases, _, _ = content_of(rest, 6)
        return _make_class(meta, names, slots, checked(bases, list), build)

    def decode(self, content: list[Any], build: Builder) -> Any:
        what, *rest = content
        if what == "enum":
            return _Beside(*decode_enum(rest, build))
        if what == "namedtuple":
            return _Beside(build.attributes(content_of(rest, 4)[3]))
        if what != "class":
            return None
        members = build.attributes(content_of(rest, 6)[4])
        if not _OWN.isdisjoint(members) or "__del__" in members or "__class__" in members:
            raise Malformed("a class with members that are not its own")
        return members, None if rest[5] is None else _decode_dataclass(rest[5], build)

    def put(self, obj: Any, state: Any) -> None:
        if state is None:
            return
        if type(state) is _Beside:
            for member, held in state.members.items():
                object.__getattribute__(obj._member_map_[member], "__dict__").update(held)
            for name, value in state.held.items():
                if issubclass(obj, tuple) and (name in _NAMEDTUPLE or name in class_dict(obj)["_fields"]):
                    raise Malformed("a namedtuple with members that are not its own")
                if name in ("__del__", "__class__", "__slots__"):
                    raise Malformed("a class with members that are not its own")
                type.__setattr__(obj, name, value)
                if issubclass(obj, tuple) and name == "__annotations__":
                    obj.__new__.__annotations__ = value
            return
        members, data = state
        if data is not None and "__dataclass_params__" not in class_dict(obj):
            _make_dataclass(obj, members, data)
            return
        skipped = {*_generated(obj), *_OWN} if "__dataclass_params__" in class_dict(obj) else _OWN
        now = {
            name: value
            for name, value in class_dict(obj).items()
            if name not in skipped and type(value) not in (types.MemberDescriptorType, types.GetSetDescriptorType)
        }
        for name in now.keys() - members.keys() - _by_typing(obj):
            if name not in ("__module__", "__doc__", "__abstractmethods__", "__annotations__"):
                type.__delattr__(obj, name)
        for name, value in members.items():
            if now.get(name) is not value or name not in now:
                type.__setattr__(obj, name, value)

    def fits(self, obj: Any, content: list[Any], build: Builder) -> None:
        if not is_users(obj) or issubclass(obj, enum.Enum) or content[:1] != ["class"]:
            raise Malformed("a change of a class that is not the notebook's")

    def state(self, obj: Any, new: Any) -> Any:
        members = dict(class_dict(obj))
        return {n: v for n, v in members.items() if n not in _OWN and type(v) is not types.MemberDescriptorType}, None

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        if not is_users(obj):
            return [], None
        held = {name: value for name, value in class_dict(obj).items() if name not in _OWN}
        held = {
            n: v for n, v in held.items() if not n.startswith("_abc_") and type(v) not in (types.GetSetDescriptorType,)
        }
        held.pop("__doc__", None)
        held.pop("__annotations__", None)
        return list(held.values()), list(held)


class _Beside:
    """What an enum has beside its members, and a namedtuple beside its fields."""

    def __init__(self, held: dict[str, Any], members: dict[str, dict[str, Any]] | None = None) -> None:
        """`members`: the attributes that an enum's `__init__` gave to its members."""
        self.held, self.members = held, members or {}


CLASS = register(ClassKind())
CHOOSERS.append(lambda cls: CLASS if issubclass(cls, type) else None)


def _annotations(cls: type) -> dict[str, Any]:
    found = (
        cls.__annotations__ if "__annotations__" in class_dict(cls) or "__annotate_func__" in class_dict(cls) else {}
    )
    return dict(found)


def _bases(cls: Any, pack: Packer) -> tuple[list[Any], list[str]]:
    """The bases, those with parameters as what they are made of; and which members their library writes again."""
    held, protocol = class_dict(cls), type(typing.Protocol)
    given = held.get("__orig_bases__", cls.__bases__)
    aliases = {id(base): base_of(base, pack) for base in given}
    plain = any(aliases.values()) is False and given is not cls.__bases__
    bases = pack.values(cls.__bases__) if plain else [aliases[id(base)] or pack.value(base) for base in given]
    generated = ["__parameters__", *([] if plain else ["__orig_bases__"])] if typing.Generic in mro(cls) else []
    if type(cls) is protocol:
        generated += _PROTOCOL
        if not is_users_function(held.get("__init__")):
            generated.append("__init__")
    return bases, generated


def _by_typing(cls: Any) -> set[str]:
    """What typing wrote into a class as it was made."""
    if typing.Generic not in mro(cls):
        return set()
    made = {"__init__"} if not is_users_function(class_dict(cls).get("__init__")) else set()
    return made | {"__parameters__", "__orig_bases__", *_PROTOCOL}


_PROTOCOL = ("_is_protocol", "__subclasshook__", "__protocol_attrs__", "__non_callable_proto_members__")


def is_users_function(value: Any) -> bool:
    """Whether a member is a function that no library wrote."""
    return type(value) is types.FunctionType and not library_module(value.__globals__.get("__name__"))


def _make_class(meta: Any, names: Any, slots: Any, said: list[Any], build: Builder) -> type:
    metaclass = _METACLASSES.get(meta) if type(meta) is str else None
    name, path = content_of(names, 2)
    given = [make_base(base, build) if type(base) is list and len(base) == 2 else build.value(base) for base in said]
    if not all(is_a(base, (type, *ALIASES)) for base in given):
        raise Malformed("a class without bases")
    bases = list(types.resolve_bases(given))
    if metaclass is None or not bases or not all(is_a(base, type) for base in bases):
        raise Malformed("a class without bases")
    held: dict[str, Any] = {"__module__": "__main__", "__qualname__": checked(path, str)}
    if slots is not None:
        checked(slots, list)
        if not all((type(slot) is str and _is_name(slot)) or slot in ("__dict__", "__weakref__") for slot in slots):
            raise Malformed("slots that are no names")
        held["__slots__"] = tuple(slots)
    if any(runs_users_code(base, "__init_subclass__") for base in bases):
        return _beneath(metaclass, checked(name, str), bases, held)
    if any(type(base) not in _METACLASSES.values() for base in bases):
        raise CannotComeHome(f"the class {name} has a base with a metaclass of its own", "class")
    if any(base.__module__ == "typing" and base not in (typing.Generic, typing.Protocol) for base in bases):
        raise CannotComeHome(f"the class {name} is derived from a class of typing", "class")
    if len(given) != len(bases) or any(map(operator.is_not, given, bases)):
        held["__orig_bases__"] = tuple(given)
    try:
        made: type = metaclass.__new__(metaclass, checked(name, str), tuple(bases), held)
    except (TypeError, ValueError) as error:
        raise CannotComeHome(f"the class {name} cannot be made ({error})", "class") from None
    return made


def _beneath(metaclass: Any, name: str, bases: list[Any], held: dict[str, Any]) -> type:
    """A class whose bases have an `__init_subclass__` of the user's: it gets them afterwards, which does not run it."""
    if any(solid(base) is not object for base in bases):
        raise CannotComeHome(f"the class {name} has a base that runs code when it is derived from", "class")
    try:
        made: type = metaclass.__new__(metaclass, name, (_Base,), held)
        made.__bases__ = tuple(bases)
    except TypeError as error:
        raise CannotComeHome(f"the class {name} cannot be made ({error})", "class") from None
    return made


class _Base:
    """Stands in for the bases of a class while it is made."""


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)


# --- namedtuples ----------------------------------------------------------------------------------


def _is_namedtuple(cls: type) -> bool:
    held = class_dict(cls)
    return cls.__bases__ == (tuple,) and "_fields" in held and "_field_defaults" in held and "_make" in held


_NAMEDTUPLE = _OWN | {"_fields", "_field_defaults", "__new__", "_make", "_replace", "_asdict", "__getnewargs__"}
_NAMEDTUPLE |= {"__module__", "__doc__", "__replace__"}


def _of_namedtuple(name: str, value: Any, fields: Any) -> bool:
    """Whether a member of a namedtuple is made with it."""
    return name in _NAMEDTUPLE or name in fields or (name == "__repr__" and not is_users_function(value))


def _make_namedtuple(content: list[Any], build: Builder) -> type:
    names, fields, defaults, _ = content_of(content, 4)
    name, module, path, doc = content_of(names, 4)
    if not all(type(field) is str and _is_name(field) for field in [name, *checked(fields, list)]):
        raise Malformed("a namedtuple whose fields have no names")
    values = build.values(defaults)
    if len(values) > len(fields) or len(set(fields)) < len(fields):
        raise Malformed("a namedtuple with too many defaults")
    try:
        made: Any = collections.namedtuple(name, fields, defaults=values)  # type: ignore[misc]
    except ValueError:
        raise Malformed("a namedtuple that is none") from None
    made.__module__, made.__qualname__ = checked(module, str), checked(path, str)
    made.__doc__ = checked(doc, str, type(None))
    cls: type = made
    return cls


# --- dataclasses ----------------------------------------------------------------------------------


def _generated(cls: Any) -> frozenset[str]:
    """What the decorator made: it makes it again."""
    found = {"__dataclass_fields__", "__dataclass_params__", "__match_args__"}
    for name, value in class_dict(cls).items():
        function = getattr(value, "__wrapped__", value)
        if type(function) is types.FunctionType and function.__code__.co_filename == "<string>":
            found.add(name)
    for name in ("__replace__", "__getstate__", "__setstate__"):
        function = class_dict(cls).get(name)
        if type(function) is types.FunctionType and function.__module__ == "dataclasses":
            found.add(name)
    if class_dict(cls).get("__hash__", 0) is None:
        found.add("__hash__")
    return frozenset(found)


def _describe_dataclass(cls: Any, pack: Packer) -> list[Any]:
    held = class_dict(cls)
    parameters = held["__dataclass_params__"]
    own = _annotations(cls)
    fields = {name: field for name, field in held["__dataclass_fields__"].items() if name in own}
    described = []
    for name, field in fields.items():
        values = {part: getattr(field, part, dataclasses.MISSING) for part in _FIELD}
        given = {part: value for part, value in values.items() if value is not dataclasses.MISSING}
        if not given.get("metadata"):
            given.pop("metadata", None)
        described.append([name, pack.attributes(given)])
    return [[bool(getattr(parameters, name)) for name in _PARAMETERS], described, pack.attributes(own)]


def _decode_dataclass(data: Any, build: Builder) -> Any:
    parameters, fields, annotations = content_of(data, 3)
    content_of(parameters, len(_PARAMETERS))
    found = {}
    for field in checked(fields, list):
        name, given = content_of(field, 2)
        if type(name) is not str or not _is_name(name):
            raise Malformed("a field that has no name")
        values = build.attributes(given)
        plain = {part: value for part, value in values.items() if part not in (*_FIELD[:2], "metadata")}
        if not values.keys() <= set(_FIELD) or not {bool, type(None)}.issuperset(map(type, plain.values())):
            raise Malformed("a field with parts that are none")
        if type(values.get("metadata", _NO_METADATA)) is not types.MappingProxyType:
            raise Malformed("a field whose metadata are none")
        found[name] = values
    return [checked(value, bool) for value in parameters], found, build.attributes(annotations)


def _make_dataclass(cls: Any, members: dict[str, Any], data: Any) -> None:
    parameters, fields, annotations = data
    if not all(map(_is_name, annotations)):
        raise Malformed("a dataclass whose fields have no names")
    members = {**members, "__annotations__": annotations}
    for name, value in members.items():
        type.__setattr__(cls, name, value)
    if type(members.get("__doc__")) is not str:
        cls.__doc__ = cls.__name__  # otherwise the decorator writes it with the defaults' own `__repr__`
    for base in mro(cls)[1:]:
        inherited = class_dict(base).get("__dataclass_fields__", {})
        if not all(type(name) is str and _is_name(name) for name in inherited):
            raise Malformed("a dataclass whose bases have no names")
    # What the slots are reached by stands where a field's default does while the decorator looks.
    slots = {name: value for name, value in class_dict(cls).items() if type(value) is types.MemberDescriptorType}
    for name, values in fields.items():
        try:
            type.__setattr__(cls, name, dataclasses.field(**values))
        except (TypeError, ValueError):
            raise Malformed("a field that is none") from None
    try:
        dataclasses.dataclass(cls, **dict(zip(_PARAMETERS, parameters, strict=True)))
    except (TypeError, ValueError) as error:
        raise CannotComeHome(f"the dataclass {cls.__name__} cannot be made ({error})", "class") from None
    for name, value in slots.items():
        type.__setattr__(cls, name, value)
    if slots and hasattr(cls.__dataclass_params__, "slots"):  # since Python 3.12
        cls.__dataclass_params__.slots = True
    if slots and parameters[_PARAMETERS.index("frozen")]:
        helpers: Any = dataclasses
        cls.__getstate__, cls.__setstate__ = helpers._dataclass_getstate, helpers._dataclass_setstate
