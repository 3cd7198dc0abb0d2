"""In the copy: what the notebook's names reach before the code runs, and what of it is different afterwards.

Lists and dicts, of which there may be hundreds of thousands, are compared by C loops over their items; other kinds by
their marks. Items are compared by identity, and what was seen is held, so that no address is given to another object.
"""

from __future__ import annotations

import itertools
import operator
import types
from collections.abc import Iterable
from typing import Any

from llmos_jupyter.effects.kind import KINDS, Kind, kind_of
from llmos_jupyter.effects.objects.layout import class_module, class_name, is_users, library_module
from llmos_jupyter.effects.objects.reach import mentioned, progress
from llmos_jupyter.effects.objects.walk import MACHINERY, levels
from llmos_jupyter.effects.table import Cannot

_QUIET: frozenset[Any] = frozenset({list, dict, tuple, frozenset, types.CodeType, memoryview})


class Census:
    """Every object that the roots reach, with what is needed to see a change."""

    def __init__(self, roots: dict[str, Any]) -> None:
        """`roots`: by name, the notebook's variables and what else the code may change."""
        self.roots = dict(roots)
        self.old: dict[int, Any] = {}
        self._lists: list[Any] = []
        self._dicts: list[Any] = []
        self._marked: list[tuple[Any, Kind, tuple[list[Any], Any]]] = []
        self._unseen: list[tuple[Any, Any]] = []
        for kind in KINDS.values():
            kind.begin()
        for level in levels(roots.values(), self.old):
            classes = list(map(type, level))
            present = set(classes)
            if list in present:
                self._lists += itertools.compress(level, map(operator.is_, classes, itertools.repeat(list)))
            if dict in present:
                self._dicts += itertools.compress(level, map(operator.is_, classes, itertools.repeat(dict)))
            if not present <= _QUIET:
                for obj in itertools.compress(level, map(operator.not_, map(_QUIET.__contains__, classes))):
                    self._mark(obj, type(obj))
        self._list_items = _items(self._lists, list.__iter__)
        self._dict_keys = _items(self._dicts, dict.__iter__)
        self._dict_values = _items(self._dicts, dict.values)

    def _mark(self, obj: Any, cls: type) -> None:
        if class_module(cls).startswith(MACHINERY):
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
                self._marked.append((obj, kind, kind.marks(obj)))
                if kind.notes:
                    kind.note(obj)
            except Exception:  # a library's object in a state of its own
                self._unseen.append((obj, None))

    def changed(self, code: str) -> tuple[list[Any], list[Cannot]]:
        """The old objects that are different now, and what of the old may have changed unseen."""
        found = _different(self._lists, self._list_items, list.__iter__)
        dicts = _different(self._dicts, self._dict_keys, dict.__iter__)
        known = set(map(id, dicts))
        values = _different(self._dicts, self._dict_values, dict.values)
        found += dicts + [held for held in values if id(held) not in known]
        refused = []
        for obj, kind, (objects, plain) in self._marked:
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
        return found, self._cannot(code, refused)

    def _cannot(self, code: str, refused: list[tuple[Any, str]]) -> list[Cannot]:
        unseen = []
        for obj, before in self._unseen:
            now = progress(obj)
            if before is None or now is None:
                unseen.append(obj)
            elif now != before:
                refused.append((obj, f"a {class_name(type(obj))} went on, and cannot be wound back"))
        within: set[int] = set()
        if unseen:
            # Only what the code can reach by its text may have changed.
            reached = mentioned(code, self.roots)
            within = {id(obj) for level in levels(reached.values()) for obj in level}
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
                met = wanted.intersection(map(id, level))
                found.update(dict.fromkeys(met, name))
        return found


def _items(containers: list[Any], each: Any) -> tuple[list[int], list[Any]]:
    """How many items each container has, and all items one after the other."""
    return list(map(len, containers)), list(itertools.chain.from_iterable(map(each, containers)))


def _different(containers: list[Any], before: tuple[list[int], list[Any]], each: Any) -> list[Any]:
    """The containers whose items are no longer the same objects in the same order."""
    lengths, items = before
    lengths_now, items_now = _items(containers, each)
    if lengths_now == lengths and all(map(operator.is_, items_now, items)):
        return []
    found, was, now = [], 0, 0
    for container, length, length_now in zip(containers, lengths, lengths_now, strict=True):
        same = length == length_now and all(
            map(operator.is_, items_now[now : now + length_now], items[was : was + length])
        )
        if not same:
            found.append(container)
        was, now = was + length, now + length_now
    return found
