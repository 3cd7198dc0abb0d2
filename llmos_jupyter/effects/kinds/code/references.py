"""What stands for something else: classes and functions of libraries, modules, weak references."""

from __future__ import annotations

import types
import weakref
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects import libraries
from llmos_jupyter.effects.kind import Kind, register
from llmos_jupyter.effects.objects.layout import (
    installed,
    library_module,
)
from llmos_jupyter.effects.table import CannotComeHome, Malformed, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


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
        if obj.__callback__ is not None or type(obj) is not weakref.ref:
            raise CannotComeHome("it is a weak reference that calls something when its object ends")
        return [pack.value(obj())]

    def blank(self, content: list[Any], build: Builder) -> Any:
        target = build.value(content_of(content, 1)[0])
        if target is None:  # a reference to what is gone
            target = _Gone()
        try:
            return weakref.ref(target)
        except TypeError:
            raise Malformed("a weak reference to what has none") from None


class _Gone:
    """Is gone as soon as a weak reference to it is made."""


register(WeakKind(), structure=weakref.ref)
