"""Iterators, by what they will still give."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import Kind, content_of, register
from llmos_jupyter.effects.table import CannotComeHome, checked_ints

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


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
