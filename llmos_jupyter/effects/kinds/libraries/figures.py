"""matplotlib: figures and what is drawn in them. Most of it is plain attributes; three kinds keep weak references or
belong to the canvas, and go by the library's own rules for pickling.
"""

from __future__ import annotations

import itertools
import types
import weakref
from typing import TYPE_CHECKING, Any

from matplotlib.artist import Artist
from matplotlib.axes._base import _AxesBase
from matplotlib.backend_bases import FigureCanvasBase, RendererBase
from matplotlib.cbook import CallbackRegistry, Grouper
from matplotlib.figure import (  # type: ignore[attr-defined] # not in the stubs
    Figure,
    _AxesStack,
)
from matplotlib.transforms import TransformNode

from llmos_jupyter.effects.kind import CHOOSERS, LAST, Kind, register
from llmos_jupyter.effects.kinds.values.instances import InstanceKind
from llmos_jupyter.effects.libraries import may_be_made
from llmos_jupyter.effects.objects.layout import attributes, is_a, is_users, set_attributes, solid
from llmos_jupyter.effects.table import CannotComeHome, Malformed, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


class TransformKind(Kind):
    """A transform knows those that depend on it by weak references that remove themselves."""

    name = "transform"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        held, parents = self.state(obj, None)[1:]
        return [pack.value(type(obj)), pack.attributes(held), pack.values(parents)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls = build.cls(content_of(content, 3)[0], object)
        if not issubclass(cls, TransformNode):
            raise Malformed("a transform that is none")
        return object.__new__(cls)

    def decode(self, content: list[Any], build: Builder) -> Any:
        cls, held, parents = content_of(content, 3)
        found = build.values(parents)
        if not all(issubclass(type(parent), TransformNode) for parent in found):
            raise Malformed("a transform that depends on what is none")
        return build.cls(cls, object), build.attributes(held), found

    def state(self, obj: Any, new: Any) -> Any:
        held = attributes(obj)
        parents = [parent for ref in held.get("_parents", {}).values() if (parent := ref()) is not None]
        held["_parents"] = None
        return type(obj), held, parents

    def put(self, obj: Any, state: Any) -> None:
        cls, held, parents = state
        if type(obj) is not cls:
            object.__setattr__(obj, "__class__", cls)
        known = object.__getattribute__(obj, "__dict__").get("_parents")
        known = {} if known is None else known
        known.clear()
        for parent in parents:
            key = id(parent)
            known[key] = weakref.ref(parent, lambda _, pop=known.pop, key=key: pop(key, None))  # type: ignore[misc]
        set_attributes(obj, {**held, "_parents": known})

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        _, held, parents = self.state(obj, None)
        return [*held.values(), *parents], list(held)


TRANSFORM = register(TransformKind())


class DrawnKind(InstanceKind):
    """A part of a figure that keeps the renderer it was last drawn with: that stays behind, as when it is pickled."""

    name = "drawn"
    only_attributes = False

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if (why := may_be_made(type(obj))) is not None:
            raise CannotComeHome(why)
        return [pack.value(type(obj)), pack.attributes(_without_renderer(obj))]

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        held = _without_renderer(obj)
        return [type(obj), *held.values()], list(held)


def _without_renderer(obj: Any) -> dict[str, Any]:
    return {name: None if is_a(value, RendererBase) else value for name, value in attributes(obj).items()}


DRAWN = register(DrawnKind())


class PickledKind(Kind):
    """A figure, axes, or registry: its state is what the library itself would pickle, and it takes that in again."""

    name = "part of a figure"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if (why := may_be_made(type(obj))) is not None:
            raise CannotComeHome(why)
        if pack.is_old(obj):
            return ["attributes", *DRAWN.describe(obj, pack)]
        state = dict(pack.keep(obj.__getstate__()))
        state.pop("_restore_to_pylab", None)
        if "stale_callback" in state:  # not pickled, and needed by figures that are shown again
            state["stale_callback"] = object.__getattribute__(obj, "__dict__").get("stale_callback")
        return ["pickled", pack.value(type(obj)), pack.attributes(state)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        what, cls, _ = content_of(content, 3)
        made_of = build.cls(cls, object)
        if what != "pickled" or not issubclass(made_of, _PICKLED):
            raise Malformed("a part of no figure")
        if is_users(made_of):
            raise CannotComeHome(f"a {made_of.__name__} would run code as it is restored", made_of.__name__)
        return object.__new__(made_of)

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        state = build.attributes(content[2])
        state.pop("_restore_to_pylab", None)
        build.later(LAST, lambda: _restore(obj, state))

    def decode(self, content: list[Any], build: Builder) -> Any:
        if content_of(content, 3)[0] != "attributes":
            raise Malformed("an old part of a figure that is new")
        return DRAWN.decode(content[1:], build)

    def state(self, obj: Any, new: Any) -> Any:
        return DRAWN.state(obj, new)

    def put(self, obj: Any, state: Any) -> None:
        DRAWN.put(obj, state)

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return DRAWN.marks(obj)

    def children(self, obj: Any) -> list[Any]:
        """A registry's count of its callbacks goes on as a figure is drawn and changed, and is its alone."""
        held = _without_renderer(obj)
        counts = ("_cid_gen",) if issubclass(type(obj), CallbackRegistry) else ()
        return [type(obj), *(value for name, value in held.items() if name not in counts)]


class StackKind(InstanceKind):
    """A figure's axes in their order, with a count that says which was made last. A count cannot be wound back, so the
    stack gets another one."""

    name = "axes stack"
    only_attributes = False

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        held = attributes(obj)
        kept = [value for value in held.values() if type(value) is not itertools.count]
        return [type(obj), *kept], [*held, *(repr(value) for value in held.values() if type(value) is itertools.count)]


STACK = register(StackKind())


def _restore(obj: Any, state: dict[str, Any]) -> None:
    """The library's own `__setstate__`, if nothing that it will touch is of a class of the notebook's."""
    held = list(state.values())
    for name in ("_shared_axes", "callbacks"):
        inner = state.get(name)
        if type(inner) is dict:
            held += [part for group in inner.values() for part in (group.values() if type(group) is dict else group)]
    held += state.get("_twinned_axes") or ()
    for value in held:
        owner = value.__self__ if type(value) is types.MethodType else value
        if is_users(type(owner)):
            raise CannotComeHome(f"a part of a figure is a {type(owner).__name__}", type(obj).__name__)
    obj.__setstate__(state)


_PICKLED = (Figure, _AxesBase, CallbackRegistry, Grouper)
PICKLED = register(PickledKind())


def _choose(cls: type) -> Kind | None:
    if issubclass(cls, TransformNode):
        return TRANSFORM
    if issubclass(cls, _PICKLED):
        return PICKLED
    if issubclass(cls, _AxesStack):
        return STACK
    return DRAWN if issubclass(cls, (Artist, FigureCanvasBase)) and solid(cls) is object else None


CHOOSERS.append(_choose)
