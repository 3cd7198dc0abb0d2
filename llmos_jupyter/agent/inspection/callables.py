"""Where a live function, class or method comes from, told without asking it."""

from __future__ import annotations

import types
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection import outside


def callable_path(obj: Any) -> str | None:
    """Module and name of a live function, class or method, without asking the object itself."""
    if type(obj) is types.MethodType:
        function = obj.__func__  # any callable, perhaps the user's
        name = function.__name__ if type(function) is types.FunctionType else ""
        return f"{outside.instance_path(type(obj.__self__))}.{name}"
    if type(obj) is types.BuiltinFunctionType and not live.is_module(obj.__self__) and obj.__self__ is not None:
        return f"{outside.instance_path(type(obj.__self__))}.{obj.__name__}"
    if live.kind(obj, types.FunctionType, types.BuiltinFunctionType):
        if obj.__name__ == "_modified_open":  # IPython's own `open`, the same but for three descriptors
            return "builtins.open"
        module = obj.__module__
        return f"{module}.{obj.__qualname__}" if type(module) is str else None
    if live.is_class(obj):
        return f"{live.class_module(obj)}.{live.class_name(obj)}"
    return None
