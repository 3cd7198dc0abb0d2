"""Kinds of Python's library that change in place: containers, and what else holds a state of its own."""

from __future__ import annotations

import array
import collections
import functools
import io
import itertools
import operator
import random
import re
import threading
import types
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import LATE, Kind, beside, content_of, register
from llmos_jupyter.effects.kinds_plain import PLAIN_KEYS, checked_keys
from llmos_jupyter.effects.layout import attributes, put_dict, set_attributes
from llmos_jupyter.effects.reach import progress
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, checked_ints

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
_typecode: Any = array.array.__dict__["typecode"]


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
        put_dict(obj, dict(zip(pairs.keys, pairs.values, strict=True)), self._base)
        if self._base is collections.defaultdict:
            _factory.__set__(obj, factory)

    def _waits(self, items: Any) -> bool:
        return not PLAIN_KEYS.issuperset(map(type, items[0].keys))

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
        return not PLAIN_KEYS.issuperset(map(type, items))

    def _now(self, obj: Any) -> Any:
        return list(set.__iter__(obj))

    def _fill(self, obj: Any, items: Any) -> None:
        checked_keys(items)
        set.clear(obj)
        set.update(obj, items)


register(ListKind(list), structure=list)
register(DequeKind(collections.deque), structure=collections.deque)
register(DictKind(dict), structure=dict)
register(DictKind(collections.OrderedDict), structure=collections.OrderedDict)
register(DictKind(collections.defaultdict), structure=collections.defaultdict)
register(SetKind(set), structure=set)


class BufferKind(Kind):
    """A bytearray or an `array.array`."""

    changes = True

    def __init__(self, base: Any) -> None:
        self.name, self._base = f"buffer of a {base.__name__}", base

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        cls = None if type(obj) is self._base else pack.value(type(obj))
        code = obj.typecode if self._base is array.array else "B"
        return [cls, code, pack.buffers.place(memoryview(obj)), pack.attributes(beside(obj, self._base))]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls, code, _, _ = content_of(content, 4)
        made_of = self._base if cls is None else build.cls(cls, self._base)
        if self._base is bytearray:
            return bytearray.__new__(made_of)
        if code not in list(array.typecodes):
            raise Malformed("an array of no type")
        return array.array.__new__(made_of, code)

    def decode(self, content: list[Any], build: Builder) -> Any:
        _, code, place, held = content_of(content, 4)
        data = bytes(build.buffers.bytes(place))
        if self._base is array.array:
            if code not in list(array.typecodes) or len(data) % array.array(code).itemsize:
                raise Malformed("an array of no type")
            if code in "uw" and any(number > 0x10FFFF for number in memoryview(data).cast("I")):
                raise Malformed("a character that is none")
            values: Any = array.array(code)
            values.frombytes(data)
        else:
            values = bytearray(data)
        return values, None if held is None else build.attributes(held)

    def state(self, obj: Any, new: Any) -> Any:
        return self._base.__getitem__(obj, slice(None)), beside(obj, self._base)

    def put(self, obj: Any, state: Any) -> None:
        values, held = state
        if self._base is array.array and values.typecode != _typecode.__get__(obj):
            raise CannotComeHome("an array whose type changed")
        self._base.__setitem__(obj, slice(None), values)
        if held is not None:
            set_attributes(obj, held)

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return self.children(obj), bytes(memoryview(obj))

    def children(self, obj: Any) -> list[Any]:
        return list((beside(obj, self._base) or {}).values())


register(BufferKind(bytearray), structure=bytearray)
register(BufferKind(array.array), structure=array.array)


class MemoryFileKind(Kind):
    """A file of memory alone: its content and where it stands."""

    changes = True

    def __init__(self, base: Any) -> None:
        self.name, self._base = base.__name__, base

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if obj.closed:
            return [None, 0]
        content = self._base.getvalue(obj)
        return [pack.buffers.place(content) if self._base is io.BytesIO else content, self._base.tell(obj)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return self._base()

    def decode(self, content: list[Any], build: Builder) -> Any:
        held, at = content_of(content, 2)
        if held is not None:
            held = bytes(build.buffers.bytes(held)) if self._base is io.BytesIO else checked(held, str)
        return held, checked_ints([at])[0]

    def state(self, obj: Any, new: Any) -> Any:
        return (None, 0) if obj.closed else (self._base.getvalue(obj), self._base.tell(obj))

    def put(self, obj: Any, state: Any) -> None:
        content, at = state
        if content is None:
            obj.close()
            return
        if obj.closed:
            raise CannotComeHome("a closed file opened again")
        obj.seek(0)
        obj.truncate()
        obj.write(content)
        obj.seek(at)

    def children(self, obj: Any) -> list[Any]:
        return []

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [], self.state(obj, None)


register(MemoryFileKind(io.StringIO), io.StringIO)
register(MemoryFileKind(io.BytesIO), io.BytesIO)


class ClosedFileKind(Kind):
    """A file that is closed; an open one cannot come home."""

    name = "closed file"
    refuses_change = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if not obj.closed:
            raise CannotComeHome(f"it is an open file ({type(obj).__name__})")
        return [type(obj).__name__, str(getattr(obj, "name", "")), attributes(obj).get("mode")]

    def blank(self, content: list[Any], build: Builder) -> Any:
        kind, name, mode = content_of(content, 3)
        raw = _ClosedRaw()
        raw.name = checked(name, str)
        if kind == "FileIO":
            made: Any = raw
        elif kind == "BufferedReader":
            made = io.BufferedReader(raw)
        elif kind == "BufferedWriter":
            made = io.BufferedWriter(raw)
        elif kind == "TextIOWrapper":
            made = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8")
        else:
            raise Malformed("a file of no kind")
        made.close()
        if mode is not None:
            made.mode = checked(mode, str)
        return made

    def children(self, obj: Any) -> list[Any]:
        return []

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [], progress(obj)


class _ClosedRaw(io.RawIOBase):
    """Stands for a file that was opened and closed in the copy."""

    name = ""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True


register(ClosedFileKind(), io.TextIOWrapper, io.BufferedReader, io.BufferedWriter, io.FileIO)


class RandomKind(Kind):
    """A `random.Random`."""

    name = "Random"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        version, numbers, following = random.Random.getstate(obj)
        return [version, list(numbers), following]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return random.Random(0)

    def decode(self, content: list[Any], build: Builder) -> Any:
        return random_state(content)

    def state(self, obj: Any, new: Any) -> Any:
        return random.Random.getstate(obj)

    def put(self, obj: Any, state: Any) -> None:
        random.Random.setstate(obj, state)

    def children(self, obj: Any) -> list[Any]:
        return []

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [], random.Random.getstate(obj)


def random_state(content: list[Any]) -> tuple[int, tuple[int, ...], float | None]:
    """The state of a Mersenne Twister as `random.setstate` takes it."""
    version, numbers, following = content_of(content, 3)
    checked_ints(numbers, most=(1 << 32) - 1)
    if version != 3 or len(numbers) != 625 or numbers[624] > 624 or type(following) not in (float, type(None)):
        raise Malformed("a random state that is none")
    return 3, tuple(numbers), following


register(RandomKind(), random.Random)


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


class CacheKind(Kind):
    """A function with `functools.lru_cache`: its cache comes home empty."""

    name = "lru_cache"

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


class GetterKind(Kind):
    """`operator.itemgetter`, `attrgetter` and `methodcaller`: their arguments."""

    name = "getter"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        reduced = obj.__reduce__()
        if type(reduced[0]) is functools.partial:
            raise CannotComeHome("a methodcaller with keywords")
        return [type(obj).__name__, pack.values(reduced[1])]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, args = content_of(content, 2)
        cls = _GETTERS.get(name) if type(name) is str else None
        args = build.values(args)
        if cls is None or not args or (cls is not operator.itemgetter and type(args[0]) is not str):
            raise Malformed("a getter of nothing")
        if cls is operator.attrgetter and not {str}.issuperset(map(type, args)):
            raise Malformed("a getter of nothing")
        return cls(*args)


_GETTERS: dict[str, Any] = {
    cls.__name__: cls for cls in (operator.itemgetter, operator.attrgetter, operator.methodcaller)
}
register(GetterKind(), *_GETTERS.values())
register(CacheKind(), type(functools.lru_cache(_nothing)))


class CountKind(Kind):
    """`itertools.count`, with which libraries number things. A new one starts where the copy's stands; an old one that
    went on cannot be wound back by undo, and so is refused."""

    name = "count"
    refuses_change = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        found = re.fullmatch(r"count\((-?\d+)(?:, (-?\d+))?\)", repr(obj))
        if found is None:
            raise CannotComeHome("a count of what are no integers")
        return [int(found[1]), int(found[2] or 1)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return itertools.count(*checked_ints(content_of(content, 2), least=-(1 << 62)))

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [], repr(obj)


register(CountKind(), itertools.count)
