"""Containers of Python's library: lists, dicts, sets, deques."""

from __future__ import annotations

import collections
import itertools
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import LATE, Kind, beside, register
from llmos_jupyter.effects.kinds.values.tuples import PLAIN_KEYS, checked_keys
from llmos_jupyter.effects.objects.hashing import quiet
from llmos_jupyter.effects.objects.layout import put_dict, set_attributes
from llmos_jupyter.effects.table import Malformed, checked, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


class Container(Kind):
    """Items, and the attributes that a subclass has beside them. The state is a pair of both."""

    changes = True

    def __init__(self, base: Any) -> None:
        self.name, self._base = base.__name__, base

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        cls = None if type(obj) is self._base else pack.value(type(obj))
        return [cls, pack.attributes(beside(obj, self._base)), *self._items(obj, pack)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls = content_of(content, *range(2, 9))[0]
        made_of = self._base if cls is None else build.cls(cls, self._base)
        return self._base.__new__(made_of)

    def decode(self, content: list[Any], build: Builder) -> Any:
        held = content_of(content, *range(2, 9))[1]
        return None if held is None else build.attributes(held), self._read(content[2:], build)

    def state(self, obj: Any, new: Any) -> Any:
        return beside(obj, self._base), self._now(obj)

    def put(self, obj: Any, state: Any) -> None:
        held, items = state
        self._fill(obj, items)
        if held is not None:
            set_attributes(obj, held)

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        state = self.decode(content, build)
        if self._waits(state[1]):
            build.later(LATE, lambda: self.put(obj, state))
        else:
            self.put(obj, state)

    def _waits(self, items: Any) -> bool:
        """Whether the items can be put in only when all other objects are complete."""
        return False

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        held = beside(obj, self._base)
        items, value = self._mark(obj)
        return (items if not held else [*items, *held.values()]), (value, [*held] if held else None)

    def _hashes(self, keys: list[Any]) -> bool:
        return not PLAIN_KEYS.issuperset(map(type, keys))

    def _items(self, obj: Any, pack: Packer) -> list[Any]:
        raise NotImplementedError

    def _read(self, content: list[Any], build: Builder) -> Any:
        raise NotImplementedError

    def _now(self, obj: Any) -> Any:
        raise NotImplementedError

    def _fill(self, obj: Any, items: Any) -> None:
        raise NotImplementedError

    def _mark(self, obj: Any) -> tuple[list[Any], Any]:
        return list(self._base.__iter__(obj)), None


class ListKind(Container):
    def _items(self, obj: Any, pack: Packer) -> list[Any]:
        return [pack.values(list.__iter__(obj))]

    def _read(self, content: list[Any], build: Builder) -> Any:
        return build.values(content_of(content, 1)[0])

    def _now(self, obj: Any) -> Any:
        return list(list.__iter__(obj))

    def _fill(self, obj: Any, items: Any) -> None:
        list.__setitem__(obj, slice(None), items)


class DequeKind(Container):
    def _items(self, obj: Any, pack: Packer) -> list[Any]:
        return [pack.values(self._base.__iter__(obj)), obj.maxlen]

    def blank(self, content: list[Any], build: Builder) -> Any:
        made = super().blank(content, build)
        most = content_of(content, 4)[3]
        if most is not None:
            if checked(most, int) < 0:
                raise Malformed("a deque of no length")
            collections.deque.__init__(made, (), most)
        return made

    def _read(self, content: list[Any], build: Builder) -> Any:
        return build.values(content_of(content, 2)[0])

    def _now(self, obj: Any) -> Any:
        return list(collections.deque.__iter__(obj))

    def _fill(self, obj: Any, items: Any) -> None:
        collections.deque.clear(obj)
        collections.deque.extend(obj, items)


# Asked by their C getters: a subclass may have an attribute of that name, or a way of its own to look for one.
_factory: Any = collections.defaultdict.__dict__["default_factory"]


class DictKind(Container):
    """Dicts of every kind; a defaultdict has its factory beside."""

    def _items(self, obj: Any, pack: Packer) -> list[Any]:
        keys = list(self._base.keys(obj))
        values = map(dict.__getitem__, itertools.repeat(obj), keys)
        factory = pack.value(_factory.__get__(obj)) if self._base is collections.defaultdict else None
        for key in keys:
            checked_keys([key])
        return [pack.values(keys), pack.values(values), factory]

    def _read(self, content: list[Any], build: Builder) -> Any:
        keys, values, factory = content_of(content, 3)
        keys, values = build.values(keys), build.values(values)
        if len(keys) != len(values):
            raise Malformed("a dict whose keys and values do not match")
        return _Pairs(keys, values), build.value(factory)

    def _now(self, obj: Any) -> Any:
        keys = list(self._base.keys(obj))
        values = [dict.__getitem__(obj, key) for key in keys]
        return _Pairs(keys, values), _factory.__get__(obj) if self._base is collections.defaultdict else None

    def _fill(self, obj: Any, items: Any) -> None:
        pairs, factory = items
        checked_keys(pairs.keys)
        with quiet(pairs.keys if self._hashes(pairs.keys) else ()):
            put_dict(obj, dict(zip(pairs.keys, pairs.values, strict=True)), self._base)
        if self._base is collections.defaultdict:
            _factory.__set__(obj, factory)

    def _waits(self, items: Any) -> bool:
        return self._hashes(items[0].keys)

    def _mark(self, obj: Any) -> tuple[list[Any], Any]:
        keys = list(self._base.keys(obj))
        found = [*keys, *dict.values(obj)]
        if self._base is collections.defaultdict:
            found.append(_factory.__get__(obj))
        return found, None


class _Pairs:
    def __init__(self, keys: list[Any], values: list[Any]) -> None:
        self.keys, self.values = keys, values


class SetKind(Container):
    def _items(self, obj: Any, pack: Packer) -> list[Any]:
        items = list(set.__iter__(obj))
        checked_keys(items)
        return [pack.values(items)]

    def _read(self, content: list[Any], build: Builder) -> Any:
        return build.values(content_of(content, 1)[0])

    def _waits(self, items: Any) -> bool:
        return self._hashes(items)

    def _now(self, obj: Any) -> Any:
        return list(set.__iter__(obj))

    def _fill(self, obj: Any, items: Any) -> None:
        checked_keys(items)
        with quiet(items if self._hashes(items) else ()):
            set.clear(obj)
            set.update(obj, items)


register(ListKind(list), structure=list)
register(DequeKind(collections.deque), structure=collections.deque)
register(DictKind(dict), structure=dict)
register(DictKind(collections.OrderedDict), structure=collections.OrderedDict)
register(DictKind(collections.defaultdict), structure=collections.defaultdict)
register(SetKind(set), structure=set)
