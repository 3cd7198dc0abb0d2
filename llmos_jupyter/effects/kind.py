"""The one table of kinds: what can come home, how it is described, made, put into another state, and compared.

A kind serves three ends with the same few functions. `describe` (in the copy) writes an object's state as plain values;
`decode` (in the parent) reads it back, checks it and finds the objects it refers to; `put` makes an object so. A new
object is `blank` and then `put`; a changed old one is only `put`; undo is `put` with what `state` gave before.
"""

from __future__ import annotations

import collections
import gc
from collections.abc import Callable
from typing import Any

from llmos_jupyter.effects.build import Builder
from llmos_jupyter.effects.objects.layout import answers_plainly, attributes, class_name, solid
from llmos_jupyter.effects.pack import Packer
from llmos_jupyter.effects.table import Malformed

Look = tuple[list[Any], Any]  # objects, compared by identity, and a plain value
ALL: Any = object()  # stands for a state to come of which nothing is known
# When an object gets its state, where it is not at once: after indexes come arrays, then frames, then what is hashed.
INDEXES, ARRAYS, FRAMES, LATE, LAST = range(5)


class Kind:
    """One kind of object. An immutable kind has only `describe` and `blank`."""

    name = ""
    changes = False  # whether an object of this kind can change in place
    notes = False  # whether `note` is to be told of what is there before a run
    refuses_change = False  # whether it can change, but not be put into another state
    only_attributes = False  # whether its objects are their class and attributes, so that many are looked at at once

    def begin(self) -> None:
        """In the copy, before the objects of a run are noted."""

    def note(self, obj: Any) -> None:
        """In the copy: an object that is there before the run."""

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        """The state as plain values and references. Raises CannotComeHome."""
        raise NotImplementedError

    def blank(self, content: list[Any], build: Builder) -> Any:
        """A new object; of a kind that changes, without its state. Raises Malformed or CannotComeHome."""
        raise NotImplementedError

    def decode(self, content: list[Any], build: Builder) -> Any:
        """The state that `content` describes, made of real objects, all of it checked."""
        return None

    def state(self, obj: Any, new: Any) -> Any:
        """The state of an object, for undo; no more of it than `new`, the state to come, will overwrite. All of it for
        `ALL`. Raises CannotComeHome for what cannot be kept."""
        raise NotImplementedError

    def size(self, state: Any) -> int:
        """Bytes that a state holds beyond what it refers to; only large ones count."""
        return 0

    def look(self, obj: Any, state: Any) -> Look:
        """What tells whether an object was changed again, as far as `state` would overwrite it."""
        return self.marks(obj)

    def put(self, obj: Any, state: Any) -> None:
        """Make an object so, in place."""

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        """Give a new object its state, once all objects are made."""
        self.put(obj, self.decode(content, build))

    def fits(self, obj: Any, content: list[Any], build: Builder) -> None:
        """Raise Malformed where an old object cannot take such a state."""

    def children(self, obj: Any) -> list[Any]:
        """What the object refers to, as far as it can be met elsewhere or change. Never its `__dict__` itself, which
        Python makes only when it is asked for, and so has other addresses on both sides."""
        return self.marks(obj)[0] if self.changes else gc.get_referents(obj)

    def refusal(self, obj: Any) -> str:
        """Why a change of an object is refused, of a kind that `refuses_change`."""
        return f"a {class_name(type(obj))} in it changed"

    def marks(self, obj: Any) -> Look:
        """What the object refers to, compared by identity, and a plain value, compared by `==`."""
        return gc.get_referents(obj), None


KINDS: dict[str, Kind] = {}
BY_TYPE: dict[type, Kind] = {}  # exactly this class
BY_STRUCTURE: dict[type, Kind] = {}  # a class whose C structure is this class's
CHOOSERS: list[Callable[[Any], Kind | None]] = []  # asked first, in order
_CHOSEN: dict[type, Kind | None] = {}
_MOST = 8192


def register(kind: Kind, *types: type, structure: type | None = None) -> Kind:
    """Add a kind to the table."""
    assert kind.name not in KINDS, kind.name
    KINDS[kind.name] = kind
    BY_TYPE.update(dict.fromkeys(types, kind))
    if structure is not None:
        BY_STRUCTURE[structure] = kind
    return kind


def kind_of(cls: Any) -> Kind | None:
    """The kind of a class's instances; None for what cannot come home, nor be seen to change."""
    if cls not in _CHOSEN:
        if len(_CHOSEN) > _MOST:
            _CHOSEN.clear()
        _CHOSEN[cls] = _choose(cls) if answers_plainly(cls) else None
    return _CHOSEN[cls]


def forget_choices() -> None:
    """To be called when kinds were added."""
    _CHOSEN.clear()


def _choose(cls: Any) -> Kind | None:
    if (exact := BY_TYPE.get(cls)) is not None:
        return exact
    for choose in CHOOSERS:
        if (kind := choose(cls)) is not None:
            return kind
    return BY_STRUCTURE.get(solid(cls))


def kind_named(name: Any) -> Kind:
    """The kind that a node names. Raises Malformed."""
    kind = KINDS.get(name) if type(name) is str else None
    if kind is None:
        raise Malformed("an object of no kind")
    return kind


def beside(obj: Any, plain: type) -> dict[str, Any] | None:
    """The attributes that an object of a subclass has beside its content; None where the class is `plain` itself, and
    can have none."""
    return None if type(obj) is plain and plain is not collections.OrderedDict else attributes(obj)
