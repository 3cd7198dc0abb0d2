"""Containers that hold what is in them weakly: made anew, and filled with what is still there."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import LATE, Kind, register
from llmos_jupyter.effects.kinds.values.tuples import checked_keys
from llmos_jupyter.effects.objects.layout import is_users
from llmos_jupyter.effects.table import CannotComeHome, Malformed, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


class WeakContainer(Kind):
    """A WeakValueDictionary, a WeakKeyDictionary or a WeakSet. The state is the list of its keys and that of values."""

    changes = True

    def __init__(self, cls: Any) -> None:
        self.name, self._cls = cls.__name__, cls

    def _now(self, obj: Any) -> tuple[list[Any], list[Any]]:
        if self._cls is weakref.WeakSet:
            return list(obj), []
        pairs = list(obj.items())
        return [key for key, _ in pairs], [value for _, value in pairs]

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        keys, values = self._now(obj)
        checked_keys(keys)
        pack.keep((keys, values))
        return [pack.values(keys), pack.values(values)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return self._cls()

    def decode(self, content: list[Any], build: Builder) -> Any:
        keys, values = (build.values(part) for part in content_of(content, 2))
        if self._cls is not weakref.WeakSet and len(keys) != len(values):
            raise Malformed("keys and values that do not match")
        for value in values if self._cls is weakref.WeakValueDictionary else keys:
            if is_users(type(value)) and "__weakref__" not in dir(type(value)):
                raise Malformed("a weak reference to what has none")
        return keys, values

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        state = self.decode(content, build)
        build.later(LATE, lambda: self.put(obj, state))

    def state(self, obj: Any, new: Any) -> Any:
        return self._now(obj)

    def put(self, obj: Any, state: Any) -> None:
        keys, values = state
        checked_keys(keys)
        obj.clear()
        try:
            if self._cls is weakref.WeakSet:
                obj.update(keys)
            else:
                obj.update(zip(keys, values, strict=True))
        except TypeError:
            raise CannotComeHome("a weak reference to what has none", self.name) from None

    def children(self, obj: Any) -> list[Any]:
        keys, values = self._now(obj)
        return [*keys, *values]

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return self.children(obj), None


for _cls in (weakref.WeakValueDictionary, weakref.WeakKeyDictionary, weakref.WeakSet):
    register(WeakContainer(_cls), _cls)
