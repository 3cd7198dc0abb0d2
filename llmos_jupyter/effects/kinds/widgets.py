"""Widgets of ipywidgets: the page talks to each through the process that made it, so that one made in the sandbox is
dead at home, and a change of one at home would reach no page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import CHOOSERS, Kind, register
from llmos_jupyter.effects.objects.layout import attributes, mro
from llmos_jupyter.effects.table import CannotComeHome

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer

_VALUES = "_trait_values"


class WidgetKind(Kind):
    """A widget. The page is told of the traits that its `keys` name; its callbacks are of this process alone."""

    name = "widget"
    refuses_change = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        raise CannotComeHome(dies_with_the_sandbox(type(obj).__name__))

    def blank(self, content: list[Any], build: Builder) -> Any:
        raise CannotComeHome("a widget works only where it was made", "widget")

    def children(self, obj: Any) -> list[Any]:
        held = attributes(obj)
        traits = held.pop(_VALUES, {})
        return [type(obj), *held.values(), *traits.values()]

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        held = attributes(obj)
        traits = held.pop(_VALUES, {})
        told = [name for name in traits.get("keys", ()) if name in traits]
        return [*held.values(), *(traits[name] for name in told)], [list(held), told]


def dies_with_the_sandbox(name: str) -> str:
    """Why a widget cannot come home."""
    return f"the widget {name} works only where it was made, and the sandbox ends"


WIDGET = register(WidgetKind())


def _is_widget(cls: type) -> bool:
    return any(base.__name__ == "Widget" and base.__module__ == "ipywidgets.widgets.widget" for base in mro(cls))


CHOOSERS.append(lambda cls: WIDGET if _is_widget(cls) else None)
