"""The label, attribute or name that a failing line asks for in vain, and what could stand in its place.

Made where the code ran, for only there the objects are as they were when it failed. It looks and never acts.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import BuiltinFunctionType, FrameType, FunctionType
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection import source
from llmos_jupyter.agent.inspection.dataflow.interpreter import Interpreter
from llmos_jupyter.agent.inspection.dataflow.same_labels import Miss, meant_by, whole_tuples
from llmos_jupyter.agent.inspection.names import IPYTHON_NAMES, callable_kind
from llmos_jupyter.agent.mending.labels import places_of
from llmos_jupyter.agent.mending.nearest import nearest
from llmos_jupyter.protocol import UnknownName

# Of more names than these, so many of the nearest are told.
MOST = 600
NEAREST = 40


def unknown_name(error: BaseException, frame: FrameType, code: str, line: int) -> UnknownName | None:
    """What is missing at a line of `code`, where `frame` stood. None where that is not certain. Never raises."""
    try:
        read = source.read(code, None)
        statement = _statement(read.tree, line) if read.numbered else None
        here = frame.f_locals
        if statement is None or not (type(here) is dict or live.class_name(type(here)) == "FrameLocalsProxy"):
            return None
        if isinstance(error, ImportError):
            return _of_import(error, statement)
        parts = [*own_expressions(statement)]
        scope = {**frame.f_globals, **dict(here)}
        if isinstance(error, AttributeError):
            return _of_object(error, parts)
        if isinstance(error, NameError):
            return _of_scope(error, parts, scope)
        return _of_table(error, parts, read.tree, scope) or _of_dict(parts, scope)
    except Exception:  # whatever the candidate left behind: the report of its error must not fail for it
        return None


def own_expressions(node: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement; of one with blocks, those of its head."""
    for field, value in ast.iter_fields(node):
        if field in ("body", "orelse", "finalbody", "handlers", "cases", "decorator_list"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.expr):
                yield part
            elif isinstance(part, ast.withitem):
                yield part.context_expr


def _statement(tree: ast.Module, line: int) -> ast.stmt | None:
    held = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    held = [node for node in held if node.lineno <= line <= (node.end_lineno or node.lineno)]
    return max(held, key=lambda node: (node.lineno, node.col_offset), default=None)


def _loaded(parts: Iterable[ast.expr]) -> Iterator[ast.AST]:
    for part in parts:
        for node in ast.walk(part):
            if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript) or isinstance(node.ctx, ast.Load):
                yield node


def _of_table(
    error: BaseException, parts: list[ast.expr], tree: ast.Module, scope: Mapping[str, Any]
) -> UnknownName | None:
    """A label of a table's columns, as inspection finds it, with the variables as they are at this line."""
    found = Interpreter(ast.Module([ast.Expr(part, lineno=1, col_offset=0) for part in parts], []), scope).misses
    message = str(error)
    miss = next((miss for miss in found if str(miss.label) in message), None)
    if miss is None:
        return None
    first = getattr(miss.node, "lineno", 1)
    places = sorted(place for place, _ in places_of(tree, miss, "") if place[0] >= first)
    meant = meant_by(miss)
    right = "" if meant is live.MISSING else repr(meant)
    if isinstance(miss.node, ast.Attribute):  # `.price` gives way to `['price ']`, or to nothing that is told here
        right = right and f"[{right}]"
        return _told(str(miss.label), places, [], right)
    return _told(repr(miss.label), places, _labels(miss), right)


def _labels(miss: Miss) -> list[str]:
    tuples: list[Any] = whole_tuples(miss.among)
    plain = live.plain_labels(tuples or [label for label in miss.among if type(label) is not tuple])
    kinds = (str,) if miss.strings else (str, int, float, tuple)
    return [repr(label) for label in plain or [] if live.kind(label, *kinds)]


def _of_dict(parts: list[ast.expr], scope: Mapping[str, Any]) -> UnknownName | None:
    for node in _loaded(parts):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and _text(node.slice):
            held, key = scope.get(node.value.id), node.slice
            keys = [own for own in held if type(own) is str] if type(held) is dict else []
            if isinstance(key, ast.Constant) and keys and key.value not in keys:
                return _told(repr(key.value), [_place(key)], [repr(own) for own in keys])
    return None


def _text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is str and node.lineno == node.end_lineno


def _of_object(error: AttributeError, parts: list[ast.expr]) -> UnknownName | None:
    name, obj = getattr(error, "name", None), getattr(error, "obj", None)
    asked = [node for node in _loaded(parts) if isinstance(node, ast.Attribute) and node.attr == name]
    if len(asked) != 1 or obj is None or live.static(obj, asked[0].attr) is not live.MISSING:
        return None
    line, end = asked[0].end_lineno or 0, asked[0].end_col_offset or 0
    labels = live.column_labels(obj) or [] if live.is_frame(obj) or live.is_polars(obj) else []
    real = [label for label in labels if type(label) is str and label.isidentifier()] + _public(obj)
    return _misspelt(asked[0].attr, (line, end - len(asked[0].attr.encode()), end), real)


def _public(obj: Any) -> list[str]:
    """The names that an object or module offers: of a module, none of those that it only uses."""
    names = live.members(obj)
    if not live.is_module(obj):
        return names
    exported = live.static(obj, "__all__")
    if live.kind(exported, list, tuple):
        return [name for name in names if name in exported]
    package = live.module_name(obj).partition(".")[0]
    held = {name: live.static(obj, name) for name in names}
    return [name for name, value in held.items() if callable_kind(value) and _home(value).partition(".")[0] == package]


def _home(value: Any) -> str:
    plain = live.kind(value, FunctionType, BuiltinFunctionType)
    home = live.class_module(value) if live.is_class(value) else value.__module__ if plain else ""
    return home if type(home) is str else ""


def _of_import(error: ImportError, statement: ast.stmt) -> UnknownName | None:
    module = sys.modules.get(statement.module or "") if isinstance(statement, ast.ImportFrom) else None
    if not isinstance(statement, ast.ImportFrom) or module is None or statement.level:
        return None
    for alias in statement.names:
        if alias.name != "*" and live.lacks(module, alias.name) and alias.lineno == alias.end_lineno:
            end = alias.col_offset + len(alias.name.encode())
            return _misspelt(alias.name, (alias.lineno, alias.col_offset, end), _public(module))
    return None


def _of_scope(error: NameError, parts: list[ast.expr], scope: Mapping[str, Any]) -> UnknownName | None:
    name = getattr(error, "name", None)
    nodes = list(_loaded(parts))
    asked = [node for node in nodes if isinstance(node, ast.Name) and node.id == name]
    if not asked:
        return None
    called = any(isinstance(node, ast.Call) and node.func is asked[0] for node in nodes)
    wanted = {node.attr for node in nodes if isinstance(node, ast.Attribute) and node.value is asked[0]}
    real = [
        other
        for other, value in scope.items()
        if not other.startswith("_") and other not in IPYTHON_NAMES and not live.is_module(value)
        if called == callable_kind(value) or wanted
        if not any(live.lacks(value, attribute) for attribute in wanted)
    ]
    return _told(asked[0].id, [_place(asked[0])], real)


def _place(node: ast.expr) -> tuple[int, int, int]:
    return node.lineno, node.col_offset, node.end_col_offset or 0


def _misspelt(written: str, place: tuple[int, int, int], real: list[str]) -> UnknownName | None:
    """An attribute with a near one. Of one that is like none nothing is told: what does that stands elsewhere."""
    return _told(written, [place], real) if nearest(written, real, 1) else None


def _told(written: str, places: list[tuple[int, int, int]], real: list[str], meant: str = "") -> UnknownName | None:
    if not places or not (real or meant):
        return None
    real = list(dict.fromkeys(real))
    if len(real) > MOST:
        real = nearest(written, real, NEAREST)
    return UnknownName(written=written, places=[list(place) for place in places], real=real, meant=meant)
