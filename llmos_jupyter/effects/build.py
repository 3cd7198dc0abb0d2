"""In the parent: nodes of the copy's table become objects. Nothing in the table is trusted, and nothing in it can name
a function that is called here: each kind makes its own objects.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from llmos_jupyter.effects.code import CompiledCell
from llmos_jupyter.effects.libraries import may_be_made
from llmos_jupyter.effects.objects.layout import is_a, solid
from llmos_jupyter.effects.table import ATOMS, BufferReader, CannotComeHome, Malformed, checked

DEPTH = 400  # of immutable objects within each other


class Maker(Protocol):
    """What makes the objects of one kind: see `kind.Kind`."""

    changes: bool

    def blank(self, content: list[Any], build: Builder) -> Any: ...

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None: ...


class Builder:
    """Makes the objects of one table."""

    def __init__(
        self,
        nodes: Any,
        old: dict[int, Any],
        known: dict[str, Any],
        buffers: BufferReader,
        cell: CompiledCell,
        maker: Callable[[Any], Maker],
    ) -> None:
        """`maker`: by the name of a kind, `kind.kind_named`."""
        self.nodes: list[Any] = checked(nodes, list)
        self.buffers = buffers
        self.cell = cell
        self.known = known
        self._old = old
        self._maker = maker
        self._made: dict[int, Any] = {}
        self._busy: set[int] = set()
        self._count = 0
        self._unfilled: deque[tuple[Maker, Any, list[Any]]] = deque()
        self._later: list[tuple[int, int, Callable[[], object]]] = []

    def value(self, value: Any) -> Any:
        """The object that stands for a value of the table."""
        if type(value) is list:
            if len(value) != 1 or type(value[0]) is not int:
                raise Malformed("not a reference")
            return self.at(value[0])
        if type(value) not in ATOMS:
            raise Malformed("not a value")
        return value

    def values(self, values: Any) -> list[Any]:
        return [self.value(value) for value in checked(values, list)]

    def attributes(self, value: Any) -> dict[str, Any]:
        """Attributes by name."""
        if type(value) is not list or len(value) != 2:
            raise Malformed("not attributes")
        names, held = checked(value[0], list), self.values(value[1])
        if not {str}.issuperset(map(type, names)) or len(names) != len(held) or len(set(names)) != len(names):
            raise Malformed("attributes that do not match their names")
        return dict(zip(names, held, strict=True))

    def at(self, number: int) -> Any:
        """The object of a node: made now, and filled when `finish` is called."""
        if number in self._made:
            return self._made[number]
        if not 0 <= number < len(self.nodes):
            raise Malformed("a reference to nothing")
        node = self.nodes[number]
        if type(node) is not list or not node:
            raise Malformed("an empty node")
        if node[0] == "old":
            made = self._found(node)
        elif node[0] == "known":
            if len(node) != 2 or type(node[1]) is not str or node[1] not in self.known:
                raise Malformed("something known that is not")
            made = self.known[node[1]]
        else:
            made = self._new(number, node)
        self._made[number] = made
        return made

    def _new(self, number: int, node: list[Any]) -> Any:
        kind, content = self._maker(node[0]), node[1:]
        if number in self._busy:
            raise CannotComeHome("an object that cannot change refers to itself")
        if len(self._busy) > DEPTH:
            raise CannotComeHome("it is nested too deeply")
        self._busy.add(number)
        try:
            made = kind.blank(content, self)
        finally:
            self._busy.discard(number)
        if kind.changes and number not in self._made:
            self._unfilled.append((kind, made, content))
        return self._made.setdefault(number, made)

    def _found(self, node: list[Any]) -> Any:
        found = self._old.get(node[1]) if len(node) == 2 and type(node[1]) is int else None
        if found is None:
            raise CannotComeHome("an object that was there is not found again")
        return found

    def finish(self) -> None:
        """Fill all that was made."""
        while self._unfilled or self._later:
            while self._unfilled:
                kind, made, content = self._unfilled.popleft()
                kind.fill(made, content, self)
            if self._later:
                heapq.heappop(self._later)[2]()

    def made(self) -> dict[int, Any]:
        """By their nodes' numbers, the objects that there are so far."""
        return dict(self._made)

    def later(self, order: int, act: Callable[[], object]) -> None:
        """Do something when all is filled that comes before it; what was asked for last comes first, as what contains
        is made before what is contained."""
        self._count += 1
        heapq.heappush(self._later, (order, -self._count, act))

    # --- what kinds ask for ---------------------------------------------------------------------

    def cls(self, value: Any, structure: type) -> type:
        """A class whose instances may be made here, with this C structure."""
        found: Any = self.value(value)
        if not is_a(found, type):
            raise Malformed("a class that is none")
        if solid(found) is not structure:
            raise Malformed(f"a {found.__name__} is no {structure.__name__}")
        if (why := may_be_made(found)) is not None:
            raise CannotComeHome(why, found.__name__)
        made_of: type = found
        return made_of
