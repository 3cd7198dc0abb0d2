"""SymPy: of some numbers there is one each, known by identity; all else is plain attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sympy.core.singleton import Singleton

from llmos_jupyter.effects.kind import CHOOSERS, Kind, register
from llmos_jupyter.effects.objects.layout import is_users
from llmos_jupyter.effects.table import Malformed, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


class SingletonKind(Kind):
    """The one instance of a class of SymPy's, as `S.Half`."""

    name = "sympy constant"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [pack.value(type(obj))]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls = build.value(content_of(content, 1)[0])
        if type(cls) is not Singleton or is_users(cls):
            raise Malformed("a constant that SymPy does not have")
        return cls()

    def children(self, obj: Any) -> list[Any]:
        return []


SINGLETON = register(SingletonKind())
CHOOSERS.append(lambda cls: SINGLETON if type(cls) is Singleton and not is_users(cls) else None)
