"""Loggers, which belong to the process and are found by their name."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import Kind, register
from llmos_jupyter.effects.table import CannotComeHome, checked, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


class LoggerKind(Kind):
    """A logger by its name. Its level comes home by itself (`ambient.py`); what it writes to is the process's."""

    name = "logger"
    refuses_change = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        name: str = obj.name
        if type(obj) is not logging.RootLogger and logging.root.manager.loggerDict.get(name) is not obj:
            raise CannotComeHome(f"the logger {name} is not found by its name")
        return [name]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return logging.getLogger(checked(content_of(content, 1)[0], str))

    def children(self, obj: Any) -> list[Any]:
        return []

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return list(obj.handlers), [obj.disabled, obj.propagate]


register(LoggerKind(), logging.Logger, logging.RootLogger)
