"""In the copy: what the notebook's names reach before the code runs, and what of it is different afterwards.

Lists and dicts, of which there may be hundreds of thousands, are compared by C loops over their items; other kinds by
their marks. Items are compared by identity, and what was seen is held, so that no address is given to another object.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import operator
import types
from collections.abc import Iterable, Iterator
from typing import Any

from llmos_jupyter.effects.kind import KINDS, Kind, Look, kind_of
from llmos_jupyter.effects.objects.alike import (
    FEWEST,
    MACHINERY,
    Alike,
    Items,
    by_class,
    items,
    only_attributes,
    same_items,
)
from llmos_jupyter.effects.objects.layout import class_module, class_name, is_users, library_module
from llmos_jupyter.effects.objects.reach import LOCKS, mentioned, progress
from llmos_jupyter.effects.objects.walk import levels
from llmos_jupyter.effects.table import Cannot

_LIST: frozenset[Any] = frozenset({list})
_DICT: frozenset[Any] = frozenset({dict})
_QUIET: frozenset[Any] = frozenset({tuple, frozenset, types.CodeType, memoryview})


class Census:
    """Every object that the roots reach, with what is needed to see a change."""

    def __init__(self, roots: dict[str, Any]) -> None:
        """`roots`: by name, the notebook's variables and what else the code may change."""
        self.roots = dict(roots)
        self._met: list[list[Any]] = []
        self._lists: list[Any] = []
        self._dicts: list[Any] = []
        self.marked: list[tuple[Any, Kind, Look]] = []  # what may change, save plain lists and dicts
        self.refused: list[tuple[Any, str]] = []  # what changed and cannot be put into another state, and why
        self._alike: list[Alike] = []  # many instances of one class, looked at at once
        self._unseen: list[tuple[Any, Any]] = []
        for kind in KINDS.values():
            kind.begin()
        for level in levels(roots.values()):
            self._met.append(level.objects)
            dicts, others = level.divided(_DICT)
            lists, others = others.divided(_LIST)
            self._dicts += dicts.objects
            self._lists += lists.objects
            for cls, objects in by_class(others.divided(_QUIET)[1].objects).items():
                self._note(cls, objects)
        self._list_items = items(self._lists, iter)
        self._dict_keys = items(self._dicts, iter)
        self._dict_values = items(self._dicts, dict.values)

    @functools.cached_property
    def old(self) -> dict[int, Any]:
        """By address, every object that the roots reached. Made when first asked for, as that takes as long as the
        walk: code that makes something new alone never asks."""
        found: dict[int, Any] = {}
        for met in self._met:
            found.update(zip(map(id, met), met, strict=True))
        return found

    def _note(self, cls: type, objects: list[Any]) -> None:
        if len(objects) >= FEWEST and only_attributes(cls):
            with contextlib.suppress(AttributeError):
                self._alike.append(Alike(cls, objects))
                return
        for obj in objects:
            self._mark(obj, cls)

    def _mark(self, obj: Any, cls: type) -> None:
        if class_module(cls).startswith(MACHINERY):
            if cls in LOCKS:
                self._unseen.append((obj, progress(obj)))
            return
        kind = kind_of(cls)
        if kind is None:
            self._unseen.append((obj, progress(obj)))
        elif kind.changes or kind.refuses_change:
            if issubclass(cls, type) and not is_users(obj):
                return
            if cls is types.FunctionType and library_module(obj.__globals__.get("__name__")):
                return
            try:
                self.marked.append((obj, kind, kind.marks(obj)))
                if kind.notes:
                    kind.note(obj)
            except Exception:  # a library's object in a state of its own
                self._unseen.append((obj, None))

    def changed(self, code: str) -> tuple[list[Any], list[Cannot]]:
        """The old objects that are different now, and what of the old may have changed unseen."""
        found = _different(self._lists, self._list_items, iter)
        dicts = _different(self._dicts, self._dict_keys, iter)
        known = set(map(id, dicts))
        values = _different(self._dicts, self._dict_values, dict.values)
        found += dicts + [held for held in values if id(held) not in known]
        for alike in self._alike:
            found += alike.changed()
        refused = []
        for obj, kind, (objects, plain) in self.marked:
            try:
                now, plain_now = kind.marks(obj)
            except Exception:  # its class changed, or it is broken
                refused.append((obj, f"a {class_name(type(obj))} in it can no longer be read"))
                continue
            if type(obj) and len(now) == len(objects) and all(map(operator.is_, now, objects)) and plain_now == plain:
                continue
            if kind.refuses_change:
                refused.append((obj, kind.refusal(obj)))
            else:
                found.append(obj)
        cannot = self._cannot(code, refused)
        self.refused = refused
        return found, cannot

    @staticmethod
    def close() -> None:
        """Let go of what kinds have noted, in a process that goes on."""
        for kind in KINDS.values():
            kind.begin()

    def changeable(self) -> Iterator[tuple[Any, Kind]]:
        """All that may change, each with its kind."""
        for obj in itertools.chain(self._lists, self._dicts):
            if (kind := kind_of(type(obj))) is not None:
                yield obj, kind
        for alike in self._alike:
            for obj in alike.objects:
                yield obj, alike.kind
        for obj, kind, _ in self.marked:
            yield obj, kind

    def unseen(self) -> list[Any]:
        """Objects that nobody can look into."""
        return [obj for obj, _ in self._unseen]

    def marks_before(self, objects: Iterable[Any]) -> dict[int, Look]:
        """What these old objects were when they were met, as their kinds mark it."""
        wanted = {id(obj) for obj in objects}
        found = {id(obj): marks for obj, _, marks in self.marked if id(obj) in wanted}
        for alike in self._alike:
            found |= alike.marks_before(wanted)
        found |= {at: (held, None) for at, held in _items_of(self._lists, self._list_items, wanted)}
        values = dict(_items_of(self._dicts, self._dict_values, wanted))
        for at, keys in _items_of(self._dicts, self._dict_keys, wanted):
            found[at] = [*keys, *values[at]], None
        return found

    def _cannot(self, code: str, refused: list[tuple[Any, str]]) -> list[Cannot]:
        unseen = []
        for obj, before in self._unseen:
            now = progress(obj)
            if before is None or now is None:
                unseen.append(obj)
            elif now != before:
                went = "was taken or given back" if type(obj) in LOCKS else "went on, and cannot be wound back"
                refused.append((obj, f"a {class_name(type(obj))} {went}"))
        within: set[int] = set()
        if unseen:
            # Only what the code can reach by its text may have changed.
            reached = mentioned(code, self.roots)
            within = {id(obj) for level in levels(reached.values()) for obj in level.objects}
        unseen = [obj for obj in unseen if id(obj) in within]
        owners = self.owners([*(obj for obj, _ in refused), *unseen]) if refused or unseen else {}
        found = [Cannot(owners.get(id(obj), ""), class_name(type(obj)), why) for obj, why in refused]
        for obj in unseen:
            why = f"what a {class_name(type(obj))} holds cannot be seen, and the code can reach it"
            found.append(Cannot(owners.get(id(obj), ""), class_name(type(obj)), why))
        return found

    def owners(self, objects: Iterable[Any]) -> dict[int, str]:
        """By which name each of these old objects is reached now, or was: the first of those that reach it."""
        wanted = {id(obj) for obj in objects}
        found: dict[int, str] = {}
        seen: dict[int, Any] = {}
        for name, root in self.roots.items():
            for level in levels([root], seen):
                if len(found) == len(wanted):
                    return found
                met = wanted.intersection(map(id, level.objects))
                found.update(dict.fromkeys(met, name))
        return found


def _items_of(containers: list[Any], before: Items, wanted: set[int]) -> Iterator[tuple[int, list[Any]]]:
    """By the addresses of these containers, the items that they had."""
    lengths, items_before = before
    ends = list(itertools.accumulate(lengths))
    for at in itertools.compress(range(len(lengths)), map(wanted.__contains__, map(id, containers))):
        yield id(containers[at]), items_before[ends[at] - lengths[at] : ends[at]]


def _different(containers: list[Any], before: Items, each: Any) -> list[Any]:
    """The containers whose items are no longer the same objects in the same order."""
    lengths, items_before = before
    lengths_now, items_now = now_all = items(containers, each)
    if same_items(now_all, before):
        return []
    found, was, now = [], 0, 0
    for container, length, length_now in zip(containers, lengths, lengths_now, strict=True):
        same = length == length_now and all(
            map(operator.is_, items_now[now : now + length_now], items_before[was : was + length])
        )
        if not same:
            found.append(container)
        was, now = was + length, now + length_now
    return found
