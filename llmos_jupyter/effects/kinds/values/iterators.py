"""Iterators of Python's own, by what they will still give. None of them is asked for an item here, and none runs code:
what they are made of is known too. One that went to its end, or that cannot be set back, is refused where it was there
before the run.
"""

from __future__ import annotations

import functools
import gc
import itertools
import operator
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import LATE, Kind, register
from llmos_jupyter.effects.objects.reach import progress
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer

_MOST = (1 << 62) - 1
# From what: how an iterator of each class is made. A subclass's own `__iter__` is not asked.
_EXAMPLES: list[tuple[Any, Callable[[Any], Any]]] = [
    ([], list.__iter__),
    ([], list.__reversed__),
    ((), tuple.__iter__),
    (range(0), range.__iter__),
    (b"", bytes.__iter__),
    (bytearray(), bytearray.__iter__),
    ("", str.__iter__),
    ("é", str.__iter__),
]
_SOURCES = {type(make(source)).__name__: (type(source), make) for source, make in _EXAMPLES}
_TYPES = {type(make(source)) for source, make in _EXAMPLES}


def reduced(obj: Any) -> tuple[Any, ...]:
    """What an iterator is made of, as it says itself. Raises CannotComeHome where it does not say."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said: tuple[Any, ...] = obj.__reduce__()
    except TypeError:  # itertools since Python 3.14
        raise CannotComeHome(f"where a {type(obj).__name__} stands cannot be seen") from None
    return said


class PositionKind(Kind):
    """An iterator over one object: the object, and the place in it."""

    name = "iterator"
    changes = True
    end = -1

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        source, place = self._stands(obj)
        if pack.is_old(obj) and place in (None, self.end):
            raise CannotComeHome(f"a {type(obj).__name__} went to its end, and cannot be wound back")
        return [type(obj).__name__, pack.value(pack.keep(source)), place]

    def _stands(self, obj: Any) -> tuple[Any, Any]:
        """The object and the place; `end` at its end, and None where the object itself is what is left."""
        _, args, *rest = reduced(obj)
        if not rest:
            return args[0], self.end
        return args[0], rest[0]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, source, place = content_of(content, 3)
        kind = _SOURCES.get(name) if type(name) is str else None
        if kind is None or type(place) not in (int, type(None)):
            raise Malformed("an iterator over nothing")
        source = build.value(source)
        if not issubclass(type(source), kind[0]):
            raise Malformed("an iterator over something else")
        made = kind[1](source)
        if place is not None:
            # The list is filled later, and no place beyond its end can be taken.
            build.later(LATE, lambda: self._go(made, place))
        return made

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        """It was made with its object."""

    def decode(self, content: list[Any], build: Builder) -> Any:
        _, source, place = content_of(content, 3)
        checked(place, int, type(None))
        return source, place

    def fits(self, obj: Any, content: list[Any], build: Builder) -> None:
        name, source, place = content_of(content, 3)
        if name != type(obj).__name__ or type(place) not in (int, type(None)):
            raise Malformed("an iterator of another sort")
        if place in (None, self.end) or type(place) is not int:
            raise CannotComeHome(f"a {name} went to its end, and cannot be wound back", name)
        if type(build.value(source)) is not type(self._stands(obj)[0]):
            raise Malformed("an iterator over something else")

    def state(self, obj: Any, new: Any) -> Any:
        return self._stands(obj)

    def put(self, obj: Any, state: Any) -> None:
        if state[1] is not None:
            self._go(obj, state[1])

    def _go(self, obj: Any, place: int) -> None:
        if place == self.end and type(obj) is not type(reversed([])):
            for _ in obj:  # its items are only counted
                pass
        elif place == self.end:
            obj.__setstate__(-1)
        else:
            obj.__setstate__(place)

    def children(self, obj: Any) -> list[Any]:
        source = self._stands(obj)[0]
        return [] if type(source) is range else [source]

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        source, place = self._stands(obj)
        if place == self.end:
            return [], [place]
        return ([], [source, place]) if type(source) is range else ([source], [place])


register(PositionKind(), *_TYPES)


class _Unchanging(Kind):
    """An iterator that cannot be set back."""

    refuses_change = True

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [], progress(obj)

    def refusal(self, obj: Any) -> str:
        return f"a {type(obj).__name__} went on, and cannot be wound back"


class LeftKind(_Unchanging):
    """An iterator over a set or a dict: what is left of it, as a list."""

    name = "what is left"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [pack.value(pack.keep(reduced(obj)[1][0]))]

    def blank(self, content: list[Any], build: Builder) -> Any:
        left = build.value(content_of(content, 1)[0])
        if type(left) is not list:
            raise Malformed("an iterator over nothing")
        return list.__iter__(left)

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [], operator.length_hint(obj)


_EMPTY: dict[Any, Any] = {}
register(
    LeftKind(),
    type(iter(set())),
    *(type(iter(view)) for view in (_EMPTY.keys(), _EMPTY.values(), _EMPTY.items())),
    *(type(reversed(view)) for view in (_EMPTY.keys(), _EMPTY.values(), _EMPTY.items())),
)


class CountKind(_Unchanging):
    """`itertools.count`, with which libraries number things: a new one starts where the copy's stands."""

    name = "count"

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


# --- iterators around others ----------------------------------------------------------------------


def _inner(value: Any) -> Any:
    """An iterator whose next item runs no code until it is asked for one."""
    if type(value) not in _KNOWN:
        raise CannotComeHome("an iterator around what is none of Python's own", type(value).__name__)
    return value


def _pool(args: tuple[Any, ...], make: Callable[..., Any], count: int) -> Any:
    pools, rest = args[: len(args) - count], args[len(args) - count :]
    if any(type(pool) is not tuple for pool in pools) or any(type(number) is not int for number in rest):
        raise Malformed("an iterator over nothing")
    if any(not 0 <= number < 1 << 31 for number in rest):
        raise Malformed("an iterator of no length")
    return make(*args)


def _cycle(args: tuple[Any, ...]) -> Any:
    (inner,) = args
    return itertools.cycle(_inner(inner))


def _chain(args: tuple[Any, ...]) -> Any:
    if args:
        raise Malformed("a chain that is none")
    return itertools.chain()


def _called(make: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    function, *inner = args
    return make(function, *map(_inner, inner))


def _islice(args: tuple[Any, ...]) -> Any:
    inner, *bounds = args
    if any(bound is not None and (type(bound) is not int or not 0 <= bound < _MOST) for bound in bounds):
        raise Malformed("a part of nothing")
    return itertools.islice(_inner(inner), *bounds)


def _enumerate(args: tuple[Any, ...]) -> Any:
    inner, start = args
    return enumerate(_inner(inner), checked(start, int))


def _accumulate(args: tuple[Any, ...]) -> Any:
    inner, function = args
    return itertools.accumulate(_inner(inner), function)


def _repeat(args: tuple[Any, ...]) -> Any:
    value, *times = args
    return itertools.repeat(value, *[checked(number, int) for number in times])


_FORMS: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "zip": lambda args: zip(*map(_inner, args)),  # noqa: B905 - its state says whether it is strict
    "map": functools.partial(_called, map),
    "filter": functools.partial(_called, filter),
    "enumerate": _enumerate,
    "chain": _chain,
    "cycle": _cycle,
    "repeat": _repeat,
    "islice": _islice,
    "starmap": functools.partial(_called, itertools.starmap),
    "takewhile": functools.partial(_called, itertools.takewhile),
    "dropwhile": functools.partial(_called, itertools.dropwhile),
    "filterfalse": functools.partial(_called, itertools.filterfalse),
    "accumulate": _accumulate,
    "product": lambda args: _pool(args, itertools.product, 0),
    "permutations": lambda args: _pool(args, itertools.permutations, 1),
    "combinations": lambda args: _pool(args, itertools.combinations, 1),
    "combinations_with_replacement": lambda args: _pool(args, itertools.combinations_with_replacement, 1),
}
_CLASSES = [zip, map, filter, enumerate, *(vars(itertools)[name] for name in _FORMS if name in vars(itertools))]
_KNOWN = frozenset({*_TYPES, *_CLASSES, itertools.count})
_STATELESS = frozenset({"zip", "map", "filter", "starmap", "filterfalse"})
_STATES = frozenset(
    {"zip", "chain", "cycle", "islice", "takewhile", "dropwhile"}
    | {"product", "permutations", "combinations", "combinations_with_replacement"}
)


class AroundKind(_Unchanging):
    """An iterator of `itertools`, `zip`, `map` and the like: what it was made of, and where it stands."""

    name = "iterator around others"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        name = type(obj).__name__
        _, args, *rest = reduced(obj)
        state = rest[0] if rest else None
        if name not in _FORMS or (name == "accumulate" and state is not None):
            raise CannotComeHome(f"where a {name} stands cannot be told")
        if name == "accumulate" and len(args) == 1:
            args = (*args, None)
        for part in args:
            if hasattr(type(part), "__next__") and type(part) not in _KNOWN:
                raise CannotComeHome("an iterator around what is none of Python's own", type(part).__name__)
            pack.keep(part)
        return [name, pack.values(args), pack.value(pack.keep(state))]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, args, state = content_of(content, 3)
        form = _FORMS.get(name) if type(name) is str else None
        if form is None:
            raise Malformed("an iterator of no kind")
        try:
            made = form(tuple(build.values(args)))
            state = build.value(state)
            if state is not None:
                build.later(LATE, lambda: self._go(name, made, state))
        except (TypeError, ValueError, OverflowError):
            raise Malformed("an iterator that is none") from None
        return made

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        if type(obj).__name__ in _STATELESS:  # what is within it goes on, and is seen by itself
            return list(reduced(obj)[1]), None
        return super().marks(obj)

    def _go(self, name: str, made: Any, state: Any) -> None:
        if name not in _STATES:
            raise Malformed("an iterator that stands nowhere")
        if name == "chain":
            if type(state) is not tuple or len(state) > 2:
                raise Malformed("a chain that is none")
            outer = _inner(state[0])
            if type(outer) is not type(iter(())):
                raise CannotComeHome("a chain of what is no sequence", "chain")
            for part in reduced(outer)[1][0]:
                if type(part) not in (list, tuple, str, range, dict, set, frozenset, *_KNOWN):
                    raise CannotComeHome("a chain of what is none of Python's own", "chain")
            for part in state[1:]:
                _inner(part)
        elif name == "cycle" and (
            type(state) is not tuple or len(state) != 2 or type(state[0]) is not list or state[1] not in (0, 1)
        ):
            raise Malformed("a cycle that is none")
        elif name in ("zip", "takewhile", "dropwhile"):
            state = bool(checked(state, bool, int))
        elif name == "islice":
            checked_ints([state])
        elif name in _STATES - {"cycle"}:
            _check_places(state)
        try:
            made.__setstate__(state)
        except (TypeError, ValueError, OverflowError):
            raise Malformed("an iterator that stands nowhere") from None


def _check_places(state: Any) -> None:
    for place in state if type(state) is tuple else [None]:
        if type(place) is tuple:
            _check_places(place)
        elif type(place) is not int or not 0 <= place < 1 << 31:
            raise Malformed("places that are none")


register(AroundKind(), *_CLASSES)


# --- views of dicts -------------------------------------------------------------------------------

_VIEWS: dict[str, Callable[[Any], Any]] = {"dict_keys": dict.keys, "dict_values": dict.values, "dict_items": dict.items}


class ViewKind(Kind):
    """The keys, values or items of a dict: which, and the dict."""

    name = "dict view"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [type(obj).__name__, pack.value(self.children(obj)[0])]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, held = content_of(content, 2)
        held = build.value(held)
        if type(name) is not str or name not in _VIEWS or not issubclass(type(held), dict):
            raise Malformed("a view of nothing")
        return _VIEWS[name](held)

    def children(self, obj: Any) -> list[Any]:
        return gc.get_referents(obj)[:1]


register(ViewKind(), *(type(view(_EMPTY)) for view in _VIEWS.values()))
