"""XML: elements with what is in them. Registered once `xml.etree.ElementTree` is imported."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import Kind, register
from llmos_jupyter.effects.kinds.values.tuples import checked_keys
from llmos_jupyter.effects.objects.layout import put_dict
from llmos_jupyter.effects.table import Malformed, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


class ElementKind(Kind):
    """An element: tag, texts, attributes and children. Python makes the dict of its attributes only when it is asked
    for, so that is a part of it, and no object of its own."""

    name = "xml element"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        held = obj.attrib
        return [
            pack.values([obj.tag, obj.text, obj.tail]),
            pack.values(held),
            pack.values(held.values()),
            pack.values(obj),
        ]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return ElementTree.Element("")

    def decode(self, content: list[Any], build: Builder) -> Any:
        said, names, values, children = (build.values(part) for part in content_of(content, 4))
        if len(content_of(said, 3)) and len(names) != len(values):
            raise Malformed("attributes that do not match their names")
        if any(type(child) is not ElementTree.Element for child in children):
            raise Malformed("an element in which something else is")
        checked_keys(names)
        return said, dict(zip(names, values, strict=True)), children

    def state(self, obj: Any, new: Any) -> Any:
        return [obj.tag, obj.text, obj.tail], dict(obj.attrib), list(obj)

    def put(self, obj: Any, state: Any) -> None:
        (obj.tag, obj.text, obj.tail), held, children = state
        put_dict(obj.attrib, held, dict)
        obj[:] = children

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        said, held, children = self.state(obj, None)
        return [*said, *held, *held.values(), *children], [len(held), len(children)]


register(ElementKind(), ElementTree.Element)
