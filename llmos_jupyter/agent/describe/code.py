"""Functions and classes in words: signatures, docstrings, members. Nothing of theirs is called."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, cast

from llmos_jupyter.agent.describe.basics import (
    class_dict,
    class_module,
    class_name,
    fit,
    is_exactly,
    is_kind,
    label,
    own_attributes,
    plain,
)
from llmos_jupyter.agent.describe.brief import brief

DOC_CHARS = 100


def unwrapped(function: types.FunctionType) -> types.FunctionType:
    """The function below its decorators, if they told (`functools.wraps`)."""
    for _ in range(10):
        inner = function.__dict__.get("__wrapped__")
        if type(inner) is not types.FunctionType:
            break
        function = inner
    return function


def signature(function: types.FunctionType, *, method: bool = False) -> str:
    """`(a, b=1, *args, key: str = 'x') -> int`, with defaults and annotations that run nothing."""
    function = unwrapped(function)
    if "__signature__" in function.__dict__:  # it may be anything
        return "(...)"
    parts: list[str] = []
    found = inspect.signature(function, follow_wrapped=False)
    parameters = list(found.parameters.values())
    if method and parameters and parameters[0].kind in (0, 1):
        parameters = parameters[1:]
    starred = False
    for i, parameter in enumerate(parameters):
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
        starred = starred or parameter.kind in (parameter.VAR_POSITIONAL, parameter.KEYWORD_ONLY)
        stars = (
            "*"
            if parameter.kind is parameter.VAR_POSITIONAL
            else "**"
            if parameter.kind is parameter.VAR_KEYWORD
            else ""
        )
        hint = annotation(parameter.annotation)
        text = stars + plain(parameter.name, 60) + (f": {hint}" if hint else "")
        if parameter.default is not parameter.empty:
            given = brief(parameter.default, 0)
            given = "..." if given.startswith("<") else given  # an object that is only there to be the default
            text += f" = {given}" if hint else f"={given}"
        parts.append(text)
        if parameter.kind is parameter.POSITIONAL_ONLY and (
            i + 1 == len(parameters) or parameters[i + 1].kind is not parameter.POSITIONAL_ONLY
        ):
            parts.append("/")
    result = annotation(found.return_annotation)
    return f"({', '.join(parts)})" + (f" -> {result}" if result else "")


def annotation(hint: Any, depth: int = 3) -> str:
    """A type hint in words; empty if there is none, or none that can be written safely."""
    if hint is inspect.Parameter.empty or depth == 0:
        return ""
    if hint is None or hint is type(None):
        return "None"
    if type(hint) is str:
        return plain(hint, 60)
    if is_kind(hint, types.GenericAlias, types.UnionType):
        origin, args = getattr(hint, "__origin__", None), hint.__args__
    elif class_module(type(hint)) == "typing":
        own = own_attributes(hint)
        origin, args = own.get("__origin__"), own.get("__args__", ())
        if origin is None:
            return plain(own["_name"]) if type(own.get("_name")) is str else ""
    elif is_kind(hint, type):
        return class_name(hint)
    else:
        return ""
    inner = [annotation(arg, depth - 1) or "..." for arg in cast("tuple[object, ...]", args)[:6]]
    if origin is None or origin is typing.Union:
        return " | ".join(inner)
    return f"{annotation(origin, depth - 1)}[{', '.join(inner)}]"


def first_line(doc: object) -> str:
    if type(doc) is not str:
        return ""
    lines = doc[:2000].strip().splitlines()
    return plain(lines[0].strip(), DOC_CHARS) if lines else ""


def describe_function(value: types.FunctionType) -> str:
    inner = unwrapped(value)
    kind = (
        "async function"
        if inner.__code__.co_flags & inspect.CO_COROUTINE
        else "generator function"
        if inner.__code__.co_flags & inspect.CO_GENERATOR
        else "function"
    )
    name = "lambda " if inner.__name__ == "<lambda>" else f"{kind} {plain(inner.__name__, 60)}"
    text = name + signature(value)
    doc = first_line(value.__doc__)
    return f"{text}: {doc}" if doc else text


def describe_class(value: type, room: int) -> str:
    names = class_dict(value)
    bases = [b for b in type.__dict__["__bases__"].__get__(value) if b is not object]
    head = f"class {class_name(value)}"
    if bases:
        head += f"({', '.join(class_name(b) for b in bases[:4])})"
    if doc := first_line(names.get("__doc__")):
        # What `dataclass`, `namedtuple` and, before Python 3.11, `Enum` write says nothing new.
        written = doc.startswith(f"{class_name(value)}(") or doc == "An enumeration."
        head += "" if written else f": {doc}"
    lines: list[str] = []
    members = names.get("_member_names_")
    if is_exactly(members, list):
        lines.append("members: " + ", ".join(label(m) for m in cast("list[object]", members)[:20]))
    hints = names.get("__annotations__")
    if type(named := names.get("_fields")) is tuple and not hints:
        lines.append("fields: " + ", ".join(label(k) for k in named[:20]))
    # A dataclass's `__init__` says the same and the defaults as well.
    if is_exactly(hints, dict) and not ("__dataclass_fields__" in names and "__init__" in names):
        fields = [
            f"{label(k)}: {annotation(v) or '?'}"
            for k, v in islice(cast("dict[str, object]", hints).items(), 20)
            if not k.startswith("_")
        ]
        if fields:
            lines.append("fields: " + ", ".join(fields))
    lines += list(islice(_methods(names), 20))
    return fit(head + ("\n  " if lines else ""), lines, len(lines), "", room, sep="\n  ")


def _methods(names: Mapping[str, Any]) -> Iterator[str]:
    for name, entry in names.items():
        if name.startswith("_") and name not in ("__init__", "__call__"):
            continue
        if type(entry) is property or type(entry) is functools.cached_property:
            yield f"property {label(name)}"
            continue
        static = type(entry) is staticmethod
        function = entry.__func__ if static or type(entry) is classmethod else entry
        if type(function) is types.FunctionType:
            yield f"{label(name)}{signature(function, method=not static)}"
