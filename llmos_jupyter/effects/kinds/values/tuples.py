"""Tuples, frozensets, and what may be a key: of these nothing runs code of the user's when it is hashed."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import Kind, register
from llmos_jupyter.effects.objects.hashing import hashed_values
from llmos_jupyter.effects.objects.layout import (
    attributes,
    class_dict,
    is_a,
    is_users,
    mro,
    runs_users_code,
    set_attributes,
    solid,
)
from llmos_jupyter.effects.table import CannotComeHome, Malformed, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


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
        elif (values_of := hashed_values(value)) is not None:
            checked_keys(values_of)
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
