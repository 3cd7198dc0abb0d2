"""Types with parameters, and what else `typing` makes."""

from __future__ import annotations

import abc
import types
import typing
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects import libraries
from llmos_jupyter.effects.kind import Kind, register
from llmos_jupyter.effects.objects.layout import attributes, is_a, is_users, mro, runs_users_code
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


_typing: Any = typing  # whose parts a type checker wants to see used in other ways


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


class VariableKind(Kind):
    """A type variable."""

    name = "type variable"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        parts = pack.values([obj.__constraints__, obj.__bound__])
        return [obj.__name__, *parts, bool(obj.__covariant__), bool(obj.__contravariant__)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, constraints, bound, covariant, contravariant = content_of(content, 5)
        constraints, bound = build.value(constraints), build.value(bound)
        if type(constraints) is not tuple or any(is_users(type(part)) for part in [*constraints, bound]):
            raise Malformed("a type variable of what are no types")
        flags = {"covariant": checked(covariant, bool), "contravariant": checked(contravariant, bool)}
        try:
            made = _typing.TypeVar(checked(name, str), *constraints, bound=bound, **flags)
        except (TypeError, ValueError):
            raise Malformed("a type variable that is none") from None
        made.__module__ = "__main__"
        return made


register(VariableKind(), typing.TypeVar)


def base_of(alias: Any, pack: Packer) -> list[Any] | None:
    """What a base with parameters, as `Generic[T]`, is made of; None for what is none."""
    if type(alias) is not _Alias:
        return None
    return [pack.value(alias.__origin__), pack.values(alias.__args__)]


def make_base(said: Any, build: Builder) -> Any:
    """A base with parameters; neither it nor they run code of the user's."""
    origin, args = content_of(said, 2)
    origin, args = build.value(origin), build.values(args)
    if not is_a(origin, type) or not any(base is typing.Generic or base is typing.Protocol for base in mro(origin)):
        raise CannotComeHome("a class derived from a type with parameters that is not known", "class")
    if runs_users_code(origin, "__class_getitem__") or type(origin) not in (type, abc.ABCMeta, type(typing.Protocol)):
        raise CannotComeHome("a class whose base runs code when it is given parameters", "class")
    if not args or any(type(arg) not in (type, abc.ABCMeta, typing.TypeVar, types.GenericAlias) for arg in args):
        raise CannotComeHome("a class whose base has parameters that are no plain types", "class")
    try:
        return origin[tuple(args)]
    except TypeError:
        raise Malformed("a base that is none") from None


_T = typing.TypeVar("_T")
_Alias: Any = type(_typing.Generic[_T])
ALIASES: tuple[Any, ...] = (_Alias,)


class TypingKind(Kind):
    """A form of `typing`, as `Union`: found by its name. What is made of them is plain attributes."""

    name = "typing form"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        name = attributes(obj).get("_name")
        if type(name) is not str or vars(typing).get(name) is not obj:
            raise CannotComeHome("a form of typing that has no name")
        return [name]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return libraries.attribute("typing", content_of(content, 1)[0])


register(TypingKind(), *{type(typing.Union), type(typing.Any), type(list), type(tuple)} - {type})


# --- typed dicts ----------------------------------------------------------------------------------

TYPED_DICT: Any = type(_typing.TypedDict("_", {}))


def describe_typed_dict(cls: Any, pack: Packer) -> list[Any]:
    """A typed dict: its name, and its fields with their types."""
    names = [cls.__name__, cls.__qualname__, cls.__doc__ if type(cls.__doc__) is str else None]
    optional = sorted(cls.__optional_keys__)
    return ["typed dict", names, pack.attributes(pack.keep(dict(cls.__annotations__))), bool(cls.__total__), optional]


def make_typed_dict(content: list[Any], build: Builder) -> type:
    """A typed dict with these fields."""
    names, fields, total, optional = content_of(content, 4)
    name, path, doc = content_of(names, 3)
    fields = build.attributes(fields)
    if any(type(part) not in _FIELD_TYPES for part in fields.values()):
        raise CannotComeHome(f"the typed dict {name} has fields that are no plain types", "type")
    try:
        made: Any = _typing.TypedDict(checked(name, str), fields, total=checked(total, bool))
    except TypeError:
        raise Malformed("a typed dict that is none") from None
    made.__module__, made.__qualname__ = "__main__", checked(path, str)
    made.__doc__ = checked(doc, str, type(None))
    made.__annotations__ = fields
    made.__optional_keys__ = frozenset(checked(part, str) for part in checked(optional, list))
    made.__required_keys__ = frozenset(fields) - made.__optional_keys__
    found: type = made
    return found


_FIELD_TYPES: tuple[Any, ...] = (
    type,
    abc.ABCMeta,
    types.GenericAlias,
    types.UnionType,
    typing.ForwardRef,
    _Alias,
    typing.TypeVar,
)
_FIELD_TYPES += (type(typing.Any), type(_typing.Optional[int]), TYPED_DICT)
