"""What a run did to the user's namespace: names created, rebound, mutated and deleted.

Taken in the rehearsal's child before and after the candidate. Names are compared by identity; whatever
they reach is walked once and remembered by kind (`snapshot_kinds`). Large buffers are not read: the pages
that were written tell (`pages`).
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from llmos_jupyter.agent.undo.pages import WrittenPages
from llmos_jupyter.agent.undo.snapshot_kinds import ATOMS, Array, Means, Node, Unchecked, parts, remember
from llmos_jupyter.protocol import NameChange

NODES_PER_NAME = 5_000
NODES = 50_000

_MISSING: Any = object()

# Objects that changed, by identity (a forked copy's are its parent's), and which entries along the first axis of an
# array, or None where that is not known.
Touched = dict[int, list[int] | None]


class ForeseenChange(NameChange):
    """A change as undo needs it: with the objects behind all of the run's changes. Never leaves the kernel."""

    touched: Touched = Field(default_factory=dict, exclude=True, repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NameChange) and self.model_dump() == NameChange.model_dump(other)

    __hash__ = None  # type: ignore[assignment]


class Snapshot:
    """The user's names as they are now; `changes` says what happened to them since."""

    def __init__(
        self,
        namespace: Mapping[str, Any],
        hidden: Mapping[str, Any],
        *,
        pages: WrittenPages | None = None,
        seconds: float = 0.15,
    ) -> None:
        """Walk for about `seconds` at most, and hash large buffers for about as long again.

        `hidden` are IPython's own names, left out like those that begin with an underscore. `pages` tells
        written memory; without it large buffers are hashed while the time lasts.
        """
        self._hidden = dict(hidden)
        self._means = Means(pages, hash_seconds=seconds)
        self._nodes: dict[int, Node] = {}
        self._parents: dict[int, set[int]] = {}
        self._done: set[int] = set()
        self._names: dict[str, int] = {}
        self._values: list[Any] = []  # kept alive, so that their identities stay theirs
        self._roots: dict[str, int] = {}
        self._partly: set[str] = set()
        self.touched: Touched = {}
        deadline = time.perf_counter() + seconds
        for name, value in self._users(namespace).items():
            self._names[name] = id(value)
            if type(value) not in ATOMS:
                self._roots[name] = id(value)
                if not self._walk(value, deadline):
                    self._partly.add(name)
        for value in self._users(namespace).values():
            node = self._nodes.get(id(value))
            if isinstance(node, Array) and id(value) not in self._parents:
                node.obj = None  # only the user's name may hold it, or `resize` would fail
            else:
                self._values.append(value)

    def _users(self, namespace: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value
            for name, value in list(namespace.items())
            if type(name) is str
            and not name.startswith("_")
            and name not in ("In", "Out")
            and self._hidden.get(name, _MISSING) is not value
        }

    def _walk(self, root: Any, deadline: float) -> bool:
        """Remember all that `root` reaches; False if that is too much."""
        queue: deque[Any] = deque([root])
        seen = 0
        while queue:
            if seen >= NODES_PER_NAME or len(self._nodes) >= NODES or time.perf_counter() > deadline:
                return False
            obj = queue.popleft()
            key = id(obj)
            if key in self._done:
                continue
            self._done.add(key)
            seen += 1
            node = remember(obj, self._means)
            if node is not None:
                self._nodes[key] = node
            for child in parts(obj) if node is None else node.children():
                if type(child) not in ATOMS:
                    self._parents.setdefault(id(child), set()).add(key)
                    queue.append(child)
        return True

    def changes(self, namespace: Mapping[str, Any]) -> tuple[list[NameChange], list[str]]:
        """What happened since, and the names (with their sizes) of which that could not be told in full."""
        now = self._users(namespace)
        for name, key in self._roots.items():
            node = self._nodes.get(key)
            if isinstance(node, Array) and id(now.get(name)) == key and isinstance(now[name], _ndarray()):
                node.obj = now[name]
        differences, unknown = self._differences()
        self.touched = {key: self._rows(key) for key in differences} | dict.fromkeys(unknown)
        changed = self._upward(differences)
        unsure = self._upward(dict.fromkeys(unknown, ""))
        found: list[NameChange] = []
        unchecked: list[str] = []
        for name, identity in self._names.items():
            if name not in now:
                found.append(NameChange(name=name, kind="deleted", type=""))
                continue
            value = now[name]
            if identity != id(value):
                found.append(_change(name, "rebound", value))
            elif (key := self._roots.get(name, 0)) in changed:
                found.append(_change(name, "mutated", value, changed[key]))
            elif key in unsure or name in self._partly:
                unchecked.append(f"{name} ({kind_of(value)})")
        found += [_change(name, "created", now[name]) for name in now if name not in self._names]
        return found, unchecked

    def _rows(self, key: int) -> list[int] | None:
        node = self._nodes[key]
        return node.rows_changed() if isinstance(node, Array) else None

    def _differences(self) -> tuple[dict[int, str], list[int]]:
        found: dict[int, str] = {}
        unknown: list[int] = []
        for key, node in self._nodes.items():
            try:
                if text := node.difference(lambda obj: self._nodes.get(id(obj))):
                    found[key] = text
            except Unchecked:
                unknown.append(key)
        return found, unknown

    def _upward(self, texts: dict[int, str]) -> dict[int, str]:
        """Everything that changed, itself or by something it reaches, with the words of the nearest."""
        found = dict(texts)
        queue = deque(texts)
        while queue:
            key = queue.popleft()
            for parent in self._parents.get(key, ()):
                if parent not in found:
                    inner = found[key]
                    found[parent] = inner if inner.startswith("inside: ") else f"inside: {inner}"
                    queue.append(parent)
        return found


def _ndarray() -> Any:
    return sys.modules["numpy"].ndarray


def _change(name: str, kind: Literal["created", "rebound", "mutated"], value: Any, detail: str = "") -> NameChange:
    return NameChange(name=name, kind=kind, type=kind_of(value), detail=detail)


def kind_of(value: Any) -> str:
    """The class's name, with the shape of arrays and frames."""
    cls = type(value)
    name = str(type.__dict__["__name__"].__get__(cls))
    np, pd = sys.modules.get("numpy"), sys.modules.get("pandas")
    if np is not None and issubclass(cls, np.ndarray):
        return f"{name} {np.ndarray.__dict__['shape'].__get__(value)} {np.ndarray.__dict__['dtype'].__get__(value)}"
    if pd is not None and issubclass(cls, pd.core.generic.NDFrame):
        axes = object.__getattribute__(value, "_mgr").axes
        return f"{name} {tuple(len(axis) for axis in reversed(axes))}"
    return name
