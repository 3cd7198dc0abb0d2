"""Types with parameters, and what else `typing` makes."""

from __future__ import annotations

import types
import typing
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects import libraries
from llmos_jupyter.effects.kind import Kind, content_of, register
from llmos_jupyter.effects.layout import (
    attributes,
    is_a,
    runs_users_code,
)
from llmos_jupyter.effects.table import CannotComeHome, Malformed

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


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
