"""The library's function that a failing line calls: its signature, and what it is for."""

from __future__ import annotations

import ast
import builtins
import inspect as std
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.describe.basics import plain
from llmos_jupyter.agent.hints.of_failure import if_library

SIGNATURE = 300
PURPOSE = 120

Value = Callable[[ast.expr], Any]
Span = tuple[int, int, int, int]


def function_called(nodes: list[ast.expr], value: Value, tb: TracebackType, span: Span | None) -> str:
    """`DataFrame.merge(self, right, how='inner', ...)  Merge DataFrame or ...`; empty if none is to be blamed.

    `value` resolves simple expressions, `span` is where the failing instruction stands.
    """
    calls = [node for top in nodes for node in ast.walk(top) if isinstance(node, ast.Call)]
    inner = list(_inner_frames(tb))
    call = _failing(calls, span) or _entered(calls, inner)
    if call is None:
        return ""
    named = _static(call.func, value) or _of_frames(call.func, inner)
    return _told(*named) if named else ""


def _failing(calls: list[ast.Call], span: Span | None) -> ast.Call | None:
    """The call whose instruction failed. Of a method's call Python tells the place of the method's name, or all."""
    if span is None:
        return None
    line, end_line, column, end_column = span
    for call in calls:
        if (call.end_lineno, call.end_col_offset) != (end_line, end_column):
            continue
        func = call.func
        starts = [(call.lineno, call.col_offset)]
        if isinstance(func, ast.Attribute):
            starts.append((func.end_lineno or 0, (func.end_col_offset or 0) - len(func.attr.encode())))
        if (line, column) in starts:
            return call
    return None


def _entered(calls: list[ast.Call], inner: list[FrameType]) -> ast.Call | None:
    """The call of the function that was entered, by its name, where the place is not known."""
    entered = {frame.f_code.co_name for frame in inner[:4]}
    return next((call for call in calls if _name(call.func) in entered), None)


def _name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _inner_frames(tb: TracebackType) -> Iterator[FrameType]:
    entry = tb.tb_next
    while entry is not None:
        yield entry.tb_frame
        entry = entry.tb_next


def _static(func: ast.expr, value: Value) -> tuple[str, Any] | None:
    """What the expression calls, by the live objects."""
    if isinstance(func, ast.Name):
        found = value(func)
        found = live.static(builtins, func.id) if found is live.MISSING else found
        return _library(func.id, found)
    if not isinstance(func, ast.Attribute):
        return None
    owner = value(func.value)
    if owner is live.MISSING:
        return None
    if live.is_module(owner) or live.is_class(owner):
        return _library(ast.unparse(func), live.static(owner, func.attr))
    return _library(f"{live.class_name(type(owner))}.{func.attr}", live.static(type(owner), func.attr))


def _of_frames(func: ast.expr, inner: list[FrameType]) -> tuple[str, Any] | None:
    """The method that was entered, by the object it was entered with; decorators may stand before it."""
    if not isinstance(func, ast.Attribute):
        return None
    for frame in inner[:4]:
        owner = frame.f_locals.get("self", live.MISSING) if "self" in frame.f_code.co_varnames[:1] else live.MISSING
        if owner is not live.MISSING:
            return _library(f"{live.class_name(type(owner))}.{func.attr}", live.static(type(owner), func.attr))
    return None


def _library(name: str, found: Any) -> tuple[str, Any] | None:
    function = if_library(found)
    return None if function is None else (name, function)


def _told(name: str, function: Any) -> str:
    doc = live.static(function, "__doc__") if live.is_class(function) else function.__doc__
    lines = doc.replace("`", "").strip().splitlines() if type(doc) is str else []
    first = next(iter(lines), "")
    signature = _signature(function)
    if not signature and "(" in first:
        # Functions written in C often tell their arguments in the first lines of their documentation.
        text, lines = first, [line for line in lines[1:] if line.strip() and "->" not in line]
    else:
        text = f"{name}{signature or '(...)'}"
    if len(text) > SIGNATURE:
        text = text[: text.rfind(", ", 0, SIGNATURE - 6)] + ", ...)"
    return f"{text}  {plain(lines[0].strip(), PURPOSE)}" if lines else text


def _signature(function: Any) -> str:
    """The arguments without their types, which say little at such length; empty if Python does not know them."""
    try:
        signature = std.signature(function)
    except (ValueError, TypeError):
        return ""
    bare = [parameter.replace(annotation=std.Parameter.empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=std.Signature.empty))
