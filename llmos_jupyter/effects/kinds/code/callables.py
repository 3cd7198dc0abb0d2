"""Callables with something of their own: partials, caches, getters; nothing is called."""

from __future__ import annotations

import functools
import operator
import types
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import LATE, Kind, register
from llmos_jupyter.effects.objects.layout import attributes, set_attributes
from llmos_jupyter.effects.table import Malformed, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


class PartialKind(Kind):
    """`functools.partial`: a function and some of its arguments; nothing is called."""

    name = "partial"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [*pack.values([obj.func, pack.keep(obj.args), obj.keywords]), pack.attributes(attributes(obj) or None)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        function, args, keywords, held = content_of(content, 4)
        function, args, keywords = build.values([function, args, keywords])
        if not callable(function) or type(args) is not tuple or type(keywords) is not dict:
            raise Malformed("a partial of no function")
        made = functools.partial(_nothing)
        state = (function, args, keywords, build.attributes(held) if held else {})
        build.later(LATE, lambda: self.put(made, state))
        return made

    def put(self, obj: Any, state: Any) -> None:
        if not {str}.issuperset(map(type, state[2])):
            raise Malformed("keywords that are no names")
        functools.partial.__setstate__(obj, state)  # type: ignore[attr-defined]


def _nothing() -> None:
    """Stands in a partial until its function is known."""


register(PartialKind(), functools.partial)


class _Asked(tuple[int, ...]):
    """How often a cache was asked. Later is as good as earlier: only one that was emptied differs."""

    def __eq__(self, earlier: object) -> bool:
        return isinstance(earlier, _Asked) and all(map(operator.ge, self, earlier))

    __hash__ = None  # type: ignore[assignment]


class CacheKind(Kind):
    """A function with `functools.lru_cache`: its cache comes home empty."""

    name = "lru_cache"
    refuses_change = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        parameters = obj.cache_parameters()
        held = pack.attributes(attributes(obj))
        return [pack.value(obj.__wrapped__), parameters["maxsize"], parameters["typed"], held]

    def blank(self, content: list[Any], build: Builder) -> Any:
        function, size, typed, held = content_of(content, 4)
        function = build.value(function)
        if type(function) is not types.FunctionType or type(size) not in (int, type(None)) or type(typed) is not bool:
            raise Malformed("a cache of no function")
        made = functools.lru_cache(size, typed)(function)
        build.later(LATE, lambda: set_attributes(made, build.attributes(held)))
        return made

    def children(self, obj: Any) -> list[Any]:
        return [obj.__wrapped__]  # not what it remembers: a cache that was filled is no change

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        info = obj.cache_info()
        return [], _Asked((info.hits, info.misses))

    def refusal(self, obj: Any) -> str:
        return "its cache was emptied"


class GetterKind(Kind):
    """`operator.itemgetter`, `attrgetter` and `methodcaller`: their arguments."""

    name = "getter"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        maker, args = obj.__reduce__()[:2]
        keywords = None
        if type(maker) is functools.partial:  # a methodcaller with keywords
            args, keywords = (*maker.args, *args), pack.attributes(maker.keywords)
        return [type(obj).__name__, pack.values(args), keywords]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, args, keywords = content_of(content, 3)
        cls = _GETTERS.get(name) if type(name) is str else None
        args = build.values(args)
        if cls is None or not args or (cls is not operator.itemgetter and type(args[0]) is not str):
            raise Malformed("a getter of nothing")
        if cls is operator.attrgetter and not {str}.issuperset(map(type, args)):
            raise Malformed("a getter of nothing")
        if keywords is not None:
            if cls is not operator.methodcaller:
                raise Malformed("a getter of nothing")
            return operator.methodcaller(*args, **build.attributes(keywords))
        return cls(*args)


_GETTERS: dict[str, Any] = {
    cls.__name__: cls for cls in (operator.itemgetter, operator.attrgetter, operator.methodcaller)
}
register(GetterKind(), *_GETTERS.values())
register(CacheKind(), type(functools.lru_cache(_nothing)))
