"""Many instances of one class are looked at at once, by C loops over what their slots and `__dict__`s hold: a call of
Python's for each takes five times as long.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator
from typing import Any

from llmos_jupyter.effects.kind import Kind, Look, kind_of
from llmos_jupyter.effects.objects.layout import MISSING, class_module, holders_of

MACHINERY = ("IPython.core", "IPython.terminal", "ipykernel", "zmq", "asyncio", "tornado", "llmos_jupyter", "_thread")
FEWEST = 32  # instances of a class from which on that is worth while

Items = tuple[list[int], list[Any]]


def by_class(objects: list[Any]) -> dict[Any, list[Any]]:
    """The objects, by their classes."""
    found: dict[Any, list[Any]] = {}
    for obj in objects:
        found.setdefault(type(obj), []).append(obj)
    return found


def only_attributes(cls: Any) -> bool:
    """Whether the instances of a class are nothing but what its slots and `__dict__` hold, and may be the user's."""
    if class_module(cls).startswith(MACHINERY):
        return False
    kind = kind_of(cls)
    return kind is not None and kind.only_attributes


def columns(objects: list[Any], cls: Any) -> tuple[list[list[Any]], list[Any]]:
    """What instances of a class hold in each of its slots, and their `__dict__`s, if they have any. Raises
    AttributeError for a slot that was never filled, and TypeError for an instance of another class."""
    slots: list[list[Any]] = []
    dicts: list[Any] = []
    for name, get in holders_of(cls):
        if name != "__dict__":
            slots.append(list(map(get, objects)))
        elif not dicts:
            dicts = list(map(get, objects))
    return slots, dicts


class Alike:
    """Instances of one class, as they were."""

    def __init__(self, cls: Any, objects: list[Any]) -> None:
        """Raises AttributeError where one of them has a slot that was never filled."""
        kind = kind_of(cls)
        assert kind is not None  # as `only_attributes` says
        self.kind: Kind = kind
        self._cls, self.objects = cls, objects
        self._slots, self._keys, self._values = self._look()

    def _look(self) -> tuple[list[list[Any]], Items, Items]:
        slots, dicts = columns(self.objects, self._cls)
        return slots, items(dicts, dict.__iter__), items(dicts, dict.values)

    def changed(self) -> list[Any]:
        """Those that are of another class now, or hold something else."""
        try:
            slots, keys, values = self._look()
        except (AttributeError, TypeError):  # a slot was emptied, or the class is another one
            return self._one_by_one()
        same = [*map(same_objects, slots, self._slots), same_items(keys, self._keys), same_items(values, self._values)]
        if all(same) and set(map(type, self.objects)) == {self._cls}:
            return []
        return self._one_by_one()

    def marks_before(self, wanted: set[int]) -> dict[int, Look]:
        """What those of these addresses were, as their kind marks it."""
        return {
            id(obj): self._marks(slots, dict(zip(keys, values, strict=True)))
            for obj, (slots, keys, values) in self._each(wanted)
        }

    def _marks(self, slots: list[Any], held: dict[Any, Any]) -> Look:
        """In the order in which `attributes` asks."""
        found: dict[Any, Any] = {}
        columns = iter(slots)
        for name, _ in holders_of(self._cls):
            if name == "__dict__":
                found.update(held)
            else:
                found.setdefault(name, next(columns))
        return [self._cls, *found.values()], list(found)

    def _each(self, wanted: set[int] | None = None) -> Iterator[tuple[Any, tuple[list[Any], list[Any], list[Any]]]]:
        """Each object, or each of those at these addresses, and what its slots held, and the keys and values of its
        `__dict__`."""
        ends = list(itertools.accumulate(self._keys[0])) if self._keys[0] else [0] * len(self.objects)
        begins = [0, *ends]
        places: Iterable[int] = range(len(self.objects))
        if wanted is not None:
            places = itertools.compress(places, map(wanted.__contains__, map(id, self.objects)))
        for at in places:
            obj = self.objects[at]
            part = slice(begins[at], ends[at])
            yield obj, ([column[at] for column in self._slots], self._keys[1][part], self._values[1][part])

    def _one_by_one(self) -> list[Any]:
        found = []
        for obj, before in self._each():
            if type(obj) is not self._cls or not all(map(same_objects, self._of(obj), before)):
                found.append(obj)
        return found

    def _of(self, obj: Any) -> tuple[list[Any], list[Any], list[Any]]:
        slots: list[Any] = []
        held: dict[Any, Any] | None = None
        for name, get in holders_of(self._cls):
            if name != "__dict__":
                try:
                    slots.append(get(obj))
                except AttributeError:
                    slots.append(MISSING)
            elif held is None:
                held = get(obj)
        held = {} if held is None else held
        return slots, list(dict.__iter__(held)), list(dict.values(held))


def items(containers: list[Any], each: Any) -> Items:
    """How many items each container has, and all items one after the other."""
    return list(map(len, containers)), list(itertools.chain.from_iterable(map(each, containers)))


def same_items(now: Items, before: Items) -> bool:
    return now[0] == before[0] and all(map(operator.is_, now[1], before[1]))


def same_objects(now: Iterable[Any], before: Iterable[Any]) -> bool:
    now, before = list(now), list(before)
    return len(now) == len(before) and all(map(operator.is_, now, before))
