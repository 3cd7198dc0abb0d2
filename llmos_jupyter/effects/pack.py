"""In the copy: objects become nodes of a table. An old object is named by its address, which the parent looks up."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np

from llmos_jupyter.effects import reasons
from llmos_jupyter.effects.code import CodePlaces
from llmos_jupyter.effects.objects.layout import class_name, library_module
from llmos_jupyter.effects.objects.memory import is_lent, lowest, memory_of
from llmos_jupyter.effects.table import ATOMS, BufferWriter, Cannot, CannotComeHome, fits

LARGEST = 5_000_000  # nodes
_MAY_BE_OF_A_MODULE = frozenset({"instance", "drawn", "array"})


class Describer(Protocol):
    """What describes the objects of one kind: see `kind.Kind`."""

    name: str

    def describe(self, obj: Any, pack: Packer) -> list[Any]: ...


class Packer:
    """Describes objects, each once. What cannot be described is noted in `cannot`, and nothing comes home then."""

    def __init__(
        self,
        old: dict[int, Any],
        known: dict[int, str],
        buffers: BufferWriter,
        places: CodePlaces,
        describer: Callable[[Any], Describer | None],
    ) -> None:
        """`old`: by address, what the names reached before the run; `known`: objects with a name on both sides;
        `describer`: by a class, `kind.kind_of`."""
        self.nodes: list[Any] = []
        self.cannot: list[Cannot] = []
        self.buffers = buffers
        self.places = places
        self.beside: dict[str, Any] = {}  # what kinds note for themselves
        self._old, self._known = old, known
        self._describer = describer
        self._number: dict[int, int] = {}
        self.objects: list[Any] = []  # by the number of their node; held, so that no other gets its address
        self._kept: list[Any] = []
        self._queue: deque[tuple[int, Any, str]] = deque()
        self._owner = ""
        self._modules: dict[str, dict[int, str]] = {}

    def named(self, name: str, obj: Any) -> Any:
        """A value for the table; what in it cannot come home is told under `name`."""
        self._owner = name
        value = self.value(obj)
        self.finish()
        return value

    def value(self, obj: Any) -> Any:
        """An atom, or a reference to a node that will be described."""
        cls = type(obj)
        # pandas asks of a missing value whether it is `np.nan` itself.
        if (
            obj is not np.nan
            and cls in ATOMS
            and (cls is not int or fits(obj))
            and (cls is not bytes or len(obj) < 1 << 16)
        ):
            return obj
        address = id(obj)
        number = self._number.get(address)
        if number is None:
            number = self._number[address] = len(self.nodes)
            self.objects.append(obj)
            if self._old.get(address) is obj:
                self.nodes.append(["old", address])
            elif address in self._known:
                self.nodes.append(["known", self._known[address]])
            else:
                self.nodes.append(None)
                self._queue.append((number, obj, self._owner))
        return [number]

    def values(self, objects: Iterable[Any]) -> list[Any]:
        return [self.value(obj) for obj in objects]

    def attributes(self, held: dict[str, Any] | None) -> Any:
        """Names and values; None stays None."""
        if held is None:
            return None
        if not {str}.issuperset(map(type, held)):
            raise CannotComeHome("it has attributes whose names are no text")
        return [list(held), self.values(held.values())]

    def state(self, name: str, obj: Any) -> Any:
        """The new state of an old object: `[reference, kind, content]`; None where it cannot be told."""
        self._owner = name
        reference = self.value(obj)
        described = self._described(obj, name)
        self.finish()
        return None if described is None else [reference[0], described]

    def is_old(self, obj: Any) -> bool:
        """Whether an object was there before the run."""
        return self._old.get(id(obj)) is obj

    def array_at(self, address: int, size: int) -> Any:
        """An array that was there, or was described already, in whose memory these bytes lie; None if there is none."""
        for obj in [*self._old.values(), *self.objects]:
            if type(obj) is np.ndarray and obj.nbytes and not obj.dtype.hasobject and not is_lent(obj):
                start = lowest(obj)
                if start <= address and address + size <= start + len(memory_of(obj)):
                    return obj
        return None

    def keep(self, obj: Any) -> Any:
        """Hold a temporary object, so that no other gets its address."""
        self._kept.append(obj)
        return obj

    def finish(self) -> None:
        """Describe all that was referred to."""
        while self._queue:
            number, obj, self._owner = self._queue.popleft()
            self.nodes[number] = self._described(obj, self._owner)
            if len(self.nodes) > LARGEST:
                self.cannot.append(Cannot(self._owner, class_name(type(obj)), "it holds too many objects"))
                self._queue.clear()

    def _of_module(self, obj: Any) -> list[str] | None:
        """Where a library's module defines an object that is one of its own, as `dataclasses.MISSING`."""
        name = type(obj).__module__
        if type(name) is not str or not library_module(name) or name not in sys.modules:
            return None
        if name not in self._modules:
            held = object.__getattribute__(sys.modules[name], "__dict__")
            self._modules[name] = {id(value): path for path, value in list(held.items())}
        path = self._modules[name].get(id(obj))
        return None if path is None else [name, path]

    def _described(self, obj: Any, name: str) -> Any:
        cls = type(obj)
        try:
            kind = self._describer(cls)
            if kind is not None and kind.name in _MAY_BE_OF_A_MODULE and (place := self._of_module(obj)) is not None:
                return ["library function", *place]
            if kind is None:
                raise CannotComeHome(reasons.of_class(cls) or f"what a {class_name(cls)} holds cannot be seen")
            return [kind.name, *kind.describe(obj, self)]
        except CannotComeHome as why:
            self.cannot.append(Cannot(name, why.kind or class_name(cls), why.reason))
        except RecursionError:
            self.cannot.append(Cannot(name, class_name(cls), f"a {class_name(cls)} in it is nested too deeply"))
        except Exception as error:  # an object of anybody's class was asked, and may raise
            said = f"a {class_name(cls)} in it cannot be read ({type(error).__name__})"
            self.cannot.append(Cannot(name, class_name(cls), said))
        return None
