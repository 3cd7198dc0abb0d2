"""Instances, exceptions, and what else is nothing but attributes: made without any `__new__`, `__init__`,
`__setstate__` or `__reduce__` of theirs.
"""

from __future__ import annotations

import threading
import types
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects import libraries
from llmos_jupyter.effects.kind import CHOOSERS, Kind, register
from llmos_jupyter.effects.objects.layout import (
    attributes,
    class_dict,
    is_a,
    is_users,
    mro,
    put_dict,
    set_attributes,
    solid,
)
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


def _before_its_methods(cls: Any) -> Any:
    """An instance of a new class that gets the methods which its base wants only when it is filled."""
    wanted = cls.__abstractmethods__
    type.__setattr__(cls, "__abstractmethods__", frozenset())
    try:
        return object.__new__(cls)
    finally:
        type.__setattr__(cls, "__abstractmethods__", wanted)


class InstanceKind(Kind):
    """An object that is nothing but its class, its `__dict__` and its slots. The state is its class and attributes."""

    name = "instance"
    changes = only_attributes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if (why := libraries.may_be_made(type(obj))) is not None:
            raise CannotComeHome(why)
        return [pack.value(type(obj)), pack.attributes(attributes(obj))]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls = build.cls(content_of(content, 2)[0], object)
        try:
            return object.__new__(cls)
        except TypeError:
            for base in mro(cls):
                # A class of Cython's without a structure of its own, which wants to be asked all the same.
                if (base.__module__, base.__name__) == ("pandas._libs.interval", "IntervalMixin"):
                    return base.__new__(cls)  # type: ignore[call-overload]
            if is_users(cls) and class_dict(cls).get("__abstractmethods__"):
                return _before_its_methods(cls)
            raise CannotComeHome(f"a {cls.__name__} is abstract", cls.__name__) from None

    def decode(self, content: list[Any], build: Builder) -> Any:
        cls, held = content_of(content, 2)
        return build.cls(cls, object), build.attributes(held)

    def state(self, obj: Any, new: Any) -> Any:
        return type(obj), attributes(obj)

    def put(self, obj: Any, state: Any) -> None:
        cls, held = state
        if type(obj) is not cls:
            object.__setattr__(obj, "__class__", cls)
        set_attributes(obj, held)

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        held = attributes(obj)
        return [type(obj), *held.values()], list(held)


INSTANCE = register(InstanceKind(), structure=object)


class ObjectKind(Kind):
    """A bare `object()`: a mark, known by its identity."""

    name = "object"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return []

    def blank(self, content: list[Any], build: Builder) -> Any:
        return object()


register(ObjectKind(), object)


_args: Any = BaseException.__dict__["args"]


class ExceptionKind(Kind):
    """An exception: class, arguments, attributes. Traceback, cause and context stay behind."""

    name = "exception"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [pack.value(type(obj)), pack.value(obj.args), pack.attributes(_beside_args(obj))]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls = build.value(content_of(content, 3)[0])
        if not is_a(cls, type) or not issubclass(cls, BaseException) or not _simple_exception(cls):
            raise Malformed("an exception that is none")
        if (why := libraries.may_be_made(cls)) is not None:
            raise CannotComeHome(why, cls.__name__)
        made: Any = solid(cls)
        return made.__new__(cls)

    def decode(self, content: list[Any], build: Builder) -> Any:
        _, args, held = content_of(content, 3)
        args = build.value(args)
        if type(args) is not tuple:
            raise Malformed("an exception without arguments")
        return args, build.attributes(held)

    def state(self, obj: Any, new: Any) -> Any:
        return _args.__get__(obj), _beside_args(obj)

    def put(self, obj: Any, state: Any) -> None:
        args, held = state
        _args.__set__(obj, args)
        # A field that says None was never set, and differs from one that was set to None.
        unset = {name: value for name, value in attributes(obj).items() if value is None}
        set_attributes(obj, {**unset, **held})

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        args, held = self.state(obj, None)
        return [*args, *held.values()], list(held)


def _simple_exception(cls: type) -> bool:
    """Whether an exception's C structure holds arguments and plain fields only."""
    size = solid(cls).__basicsize__
    known: tuple[type, ...] = (OSError, ImportError, StopIteration, SystemExit, AttributeError, NameError)
    return size == BaseException.__basicsize__ or any(
        issubclass(cls, base) and size == base.__basicsize__ for base in known
    )


def _beside_args(obj: Any) -> dict[str, Any]:
    fields = {name for base in mro(type(obj)) if base.__module__ == "builtins" for name in class_dict(base)}
    return {name: value for name, value in attributes(obj).items() if value is not None or name not in fields}


EXCEPTION = register(ExceptionKind())
CHOOSERS.append(lambda cls: EXCEPTION if issubclass(cls, BaseException) and _simple_exception(cls) else None)


class LockKind(Kind):
    """A lock that nobody holds."""

    name = "lock"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if "unlocked" not in repr(obj):
            raise CannotComeHome("a lock that is held")
        return [type(obj) is type(threading.RLock())]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return threading.RLock() if checked(content_of(content, 1)[0], bool) else threading.Lock()


register(LockKind(), type(threading.Lock()), type(threading.RLock()))


class NamespaceKind(Kind):
    """`types.SimpleNamespace`, a cell, and other C objects that are nothing but attributes."""

    name = "SimpleNamespace"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        cls = None if type(obj) is types.SimpleNamespace else pack.value(type(obj))
        return [cls, pack.attributes(self.state(obj, None))]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls = content_of(content, 2)[0]
        made_of = types.SimpleNamespace if cls is None else build.cls(cls, types.SimpleNamespace)
        return types.SimpleNamespace.__new__(made_of)

    def decode(self, content: list[Any], build: Builder) -> Any:
        return build.attributes(content_of(content, 2)[1])

    def state(self, obj: Any, new: Any) -> Any:
        return dict(types.SimpleNamespace.__dict__["__dict__"].__get__(obj))

    def put(self, obj: Any, state: Any) -> None:
        put_dict(types.SimpleNamespace.__dict__["__dict__"].__get__(obj), state, dict)

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        held = self.state(obj, None)
        return list(held.values()), list(held)


register(NamespaceKind(), structure=types.SimpleNamespace)
