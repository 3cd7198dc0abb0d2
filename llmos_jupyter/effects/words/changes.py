"""What happened to each name between a census and now: created, rebound, changed in place, deleted, and how.

An object's own change is told by what its kind had as marks before and has now; a name's by the nearest changed object
that it reaches.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Literal

from llmos_jupyter.effects.kind import Look, kind_of
from llmos_jupyter.effects.objects import memory
from llmos_jupyter.effects.objects.census import Census
from llmos_jupyter.effects.objects.layout import class_module
from llmos_jupyter.effects.objects.walk import levels
from llmos_jupyter.effects.table import ATOMS
from llmos_jupyter.effects.words.labels import is_same, pairs_changed, type_of
from llmos_jupyter.protocol import NameChange

NODES = 5_000  # objects looked at for one name, to tell by what it changed
SECONDS = 1.0  # for all names

_RANDOM = frozenset({"Random", "bit generator", "random generator", "torch generator"})
_ADVANCED = "random state advanced"
_VALUES = frozenset({"tensor", "polars series", "polars frame", "picture"})


class Changes:
    """What differs from a census. To be made after `census.changed()` has been asked."""

    def __init__(self, census: Census, changed: list[Any], before: dict[int, Look] | None = None) -> None:
        """`before`: what the changed objects were, where that was asked already."""
        self._before = census.marks_before(changed) if before is None else before
        self._changed = {id(obj): obj for obj in [*changed, *(obj for obj, _ in census.refused)]}
        self._refused = {id(obj) for obj, _ in census.refused}
        self._census = census
        self._frames = self._touched_frames()

    def names(self, before: dict[str, Any], now: dict[str, Any]) -> list[NameChange]:
        """What happened to the user's names. `before` and `now`: the variables."""
        found: list[NameChange] = []
        same: dict[str, Any] = {}
        before, now = _without_pythons_own(before), _without_pythons_own(now)
        for name, value in before.items():
            if name not in now:
                found.append(NameChange(name=name, kind="deleted"))
            elif now[name] is not value and not same_atom(value, now[name]):
                found.append(_change(name, "rebound", now[name]))
            elif type(value) not in ATOMS:
                same[name] = value
        if self._changed:
            found += [_change(name, "mutated", same[name], words) for name, words in self._mutated(same).items()]
        new = [name for name in now if name not in before]
        return found + [_change(name, "created", now[name]) for name in new]

    def _mutated(self, names: dict[str, Any]) -> dict[str, str]:
        deadline = time.perf_counter() + SECONDS
        found: dict[str, str] = {}
        missed = False
        for name, root in names.items():
            words, complete = self._reached(root, deadline)
            missed |= not complete
            if words:
                found[name] = words
        if missed:  # at least the first name that reaches each
            owners = self._census.owners(self._changed.values())
            for address, name in owners.items():
                if name in names and name not in found:
                    words = self._words(self._changed[address])
                    is_own = names[name] is self._changed[address] or words == _ADVANCED
                    found[name] = words if is_own else f"inside: {words}"
        return found

    def _reached(self, root: Any, deadline: float) -> tuple[str, bool]:
        """The words of the nearest change within an object, and whether all that it reaches was looked at."""
        met = 0
        shown: set[int] = set()  # arrays of which a view was looked at
        for depth, level in enumerate(levels([root])):
            for obj in level.objects:
                if id(obj) not in shown and (words := self._own(obj, shown)):
                    return (words if not depth or words == _ADVANCED else f"inside: {words}"), True
            met += len(level.objects)
            if met > NODES or time.perf_counter() > deadline:
                return "", False
        return "", True

    def _own(self, obj: Any, shown: set[int]) -> str:
        if class_module(type(obj)) == "pandas.core.dtypes.dtypes":  # they keep their own hashes
            return ""
        if id(obj) in self._frames:
            return self._of_frame(obj)
        if id(obj) in self._changed:
            return self._words(obj)
        return self._of_view(obj, shown)

    def _words(self, obj: Any) -> str:
        if id(obj) in self._refused:
            return "advanced" if hasattr(type(obj), "__next__") else "changed"
        try:
            return difference(obj, self._before[id(obj)])
        except Exception:  # words for the eye; the object may be broken in any way by now
            return "changed"

    def _of_frame(self, frame: Any) -> str:
        from llmos_jupyter.effects.words.frames import frame_changes

        was = self._before.get(id(frame)) or self._frames[id(frame)]
        try:
            return frame_changes(frame, was, self._changed, self._before)
        except Exception:
            return "changed"

    def _of_view(self, obj: Any, shown: set[int]) -> str:
        """An array whose memory is another's shows what was written there."""
        numpy = sys.modules.get("numpy")
        if numpy is None or not issubclass(type(obj), numpy.ndarray):
            return ""
        base = numpy.ndarray.base.__get__(obj)
        was = self._before.get(id(base))
        if was is None or not issubclass(type(base), numpy.ndarray) or memory.plain(base).dtype.hasobject:
            return ""
        shown.add(id(base))
        low = memory.lowest(memory.plain(obj)) - memory.lowest(memory.plain(base))
        high = low + len(memory.memory_of(memory.plain(obj)))
        before = was[1][-1]
        if type(before) is not bytes or not memory.plain(base).flags.c_contiguous:
            return "values changed"
        return "values changed" if memory.plain(base).tobytes()[low:high] != before[low:high] else ""

    def _touched_frames(self) -> dict[int, Look]:
        """The pandas frames that changed, themselves or in what they are made of, with what they were."""
        known = set(self._changed)
        frames: dict[int, Look] = {}
        if not known:
            return frames
        parts = [part for part in self._census.marked if class_module(type(part[0])).startswith("pandas")]
        for _ in range(3):  # an array within an array of pandas' within a frame
            for obj, kind, marks in parts:
                if id(obj) in known or any(id(part) in known for part in marks[0]):
                    known.add(id(obj))
                    if kind.name == "frame":
                        frames[id(obj)] = marks
        return frames


def _without_pythons_own(names: dict[str, Any]) -> dict[str, Any]:
    """Names but for those that Python keeps beside the user's, as the registry of warnings."""
    return {name: value for name, value in names.items() if not (name[:2] == name[-2:] == "__")}


def same_atom(was: Any, now: Any) -> bool:
    """Whether a name was bound anew to an equal plain value, which nobody can tell from the old one."""
    return type(was) is type(now) and type(now) in ATOMS and type(now) is not float and bool(was == now)


def _change(name: str, kind: Literal["created", "rebound", "mutated"], value: Any, detail: str = "") -> NameChange:
    return NameChange(name=name, kind=kind, type=type_of(value), detail=detail)


# --- one object -----------------------------------------------------------------------------------


def difference(obj: Any, before: Look) -> str:
    """How an object differs from its marks before, in a few words."""
    kind = kind_of(type(obj))
    if kind is None:
        return "changed"
    now = kind.marks(obj)
    if kind.name in ("list", "deque"):
        return _sequence(_items(before), _items(now))
    if kind.name in ("dict", "OrderedDict", "defaultdict"):
        return pairs_changed(_pairs(before), _pairs(now), "key") or "order of keys"
    if kind.name == "set":
        was, count = len(_items(before)), len(_items(now))
        return f"{was} -> {count} items" if was != count else "items changed"
    if kind.name == "array":
        return _array(before[1], now[1])
    if kind.name in _RANDOM:
        return _ADVANCED
    if hasattr(type(obj), "__next__"):
        return "advanced"
    if kind.name in _VALUES:
        return "values changed"
    if kind.name == "index":
        from llmos_jupyter.effects.words.frames import index_changes

        return index_changes(obj)
    if type(before[1]) is bytes and type(now[1]) is bytes:
        return f"{len(before[1])} -> {len(now[1])} bytes" if len(before[1]) != len(now[1]) else "values changed"
    return _attributes(before, now)


def _items(marks: Look) -> list[Any]:
    """A container's items, without the attributes that a subclass has beside them."""
    objects, beside = marks
    return objects[: len(objects) - len(beside)] if beside else objects


def _pairs(marks: Look) -> list[tuple[Any, Any]]:
    items = _items(marks)
    half = len(items) // 2
    return list(zip(items[:half], items[half : 2 * half], strict=True))


def _sequence(before: list[Any], now: list[Any]) -> str:
    if len(before) != len(now):
        return f"{len(before)} -> {len(now)} items"
    changed = sum(not is_same(was, item) for was, item in zip(before, now, strict=True))
    return f"{changed} of {len(now)} items changed" if changed else ""


def _array(before: Any, now: Any) -> str:
    if before[0] != now[0]:
        return f"shape {before[0]} -> {now[0]}"
    if before[1] != now[1]:
        return f"dtype {before[1]} -> {now[1]}"
    return "values changed"


def _attributes(before: Look, now: Look) -> str:
    """Of what is nothing but attributes: their names are the plain part of the marks, their values the last objects."""
    held = []
    for objects, names in (before, now):
        if type(names) is not list or not {str}.issuperset(map(type, names)) or len(names) > len(objects):
            return "changed"
        pairs = zip(names, objects[len(objects) - len(names) :], strict=True)
        held.append([(name, value) for name, value in pairs if name != "_cache"])  # pandas' own
    words = pairs_changed(held[0], held[1], "attribute")
    only_cached = len(held[0]) < len(before[1]) or len(held[1]) < len(now[1])
    return words or ("" if only_cached else "changed")
