"""What the line that failed worked on: its values as they were, and the library's function that it calls.

Made where the code ran, for a candidate's own variables are gone with the rehearsal. It looks and never acts: values
are described as for the prompt, secrets masked, and none of the user's code runs, but that parts of the line are worked
out again where that is allowed (`operands.py`).
"""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, FrameType, FunctionType, MethodType, TracebackType
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.describe.basics import label as labelled
from llmos_jupyter.agent.describe.variables import describe_variable
from llmos_jupyter.agent.hints.failing_function import function_called
from llmos_jupyter.agent.hints.operands import operands
from llmos_jupyter.agent.hints.unknown_name import own_expressions
from llmos_jupyter.agent.inspection import source
from llmos_jupyter.agent.inspection.dataflow.column_values import column, plain_dtype
from llmos_jupyter.privacy.masking import mask, mask_value
from llmos_jupyter.privacy.secret_names import secret_name

SECONDS = 0.1  # to look at values
LINES = 6
CHARACTERS = 160
PART = 60  # characters of an expression
_LABELS = 1_000  # rows, or keys of a dict, that are looked through for one

_MISSING: Any = live.MISSING
_OF_TABLES = frozenset(["columns", "index", "shape", "dtypes"])
Span = tuple[int, int, int, int]


def failing_line(tb: TracebackType, code: str, line: int, *, again: bool = False) -> tuple[list[str], str]:
    """The values at the line, and the function that it calls. Never raises.

    `tb`: the entry of the candidate's own innermost frame; `line`: of `code`, where that frame stood; `again`: parts
    that stand under no name may be worked out once more. A line that is part of a longer statement stands for the whole
    statement, save for what its blocks hold.
    """
    try:
        nodes, whole = _parts(code, line)
        names = Names(tb.tb_frame)
        span = _span(tb) if whole else None
        values = list(_described(nodes, names, span))
        if again and span is not None:
            values = [*_parts_described(nodes, span, tb.tb_frame, names), *values][:LINES]
        return values, function_called(nodes, names.value, tb, span)
    except Exception:  # whatever the candidate left behind: the report of its error must not fail for it
        return [], ""


class Names:
    """The variables of a frame, found without running anything."""

    def __init__(self, frame: FrameType) -> None:
        here = frame.f_locals
        # A class's body may have a namespace of its own making; those of functions are dicts, or Python's proxies.
        plain = type(here) is dict or live.class_name(type(here)) == "FrameLocalsProxy"
        self._scopes: list[Mapping[str, Any]] = [here if type(here) is dict else dict(here)] if plain else []
        self._scopes.append(frame.f_globals)

    def value(self, node: ast.expr) -> Any:
        """The value of a name, a constant's item of it, or an attribute that is plainly stored; else MISSING."""
        if isinstance(node, ast.Name):
            return next((scope[node.id] for scope in self._scopes if node.id in scope), _MISSING)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            return _item(self.value(node.value), node.slice.value)
        if isinstance(node, ast.Attribute):
            return _attribute(self.value(node.value), node.attr)
        return _MISSING


def _item(base: Any, key: Any) -> Any:
    if not live.kind(key, str, int):
        return _MISSING
    if live.is_frame(base):
        found = column(base, key)
        return _MISSING if found is None else found
    if live.is_series(base):
        return _of_series(base, key)
    if live.is_polars(base):
        return base.get_column(key) if key in base.columns else _MISSING
    if type(base) is dict:
        # Asking the dict would compare with its keys, which may be of the user's making.
        pairs = list(base.items()) if len(base) <= _LABELS else []
        return next((value for own, value in pairs if type(own) is type(key) and own == key), _MISSING)
    if live.kind(base, list, tuple) and type(key) is int:
        return base[key] if -len(base) <= key < len(base) else _MISSING
    return _MISSING


def _of_series(series: Any, key: Any) -> Any:
    """One value by its label, as of a table's row."""
    found = live.plain_labels(series.index.tolist()) if len(series) <= _LABELS and plain_dtype(series.dtype) else None
    places = [at for at, other in enumerate(found or []) if type(other) is type(key) and other == key]
    return series.iloc[places[0]] if len(places) == 1 else _MISSING


def _attribute(base: Any, name: str) -> Any:
    if base is _MISSING:
        return _MISSING
    if live.is_frame(base):
        if name in _OF_TABLES:
            return getattr(base, name)
        return _item(base, name) if live.static(type(base), name) is _MISSING else _MISSING
    if live.is_module(base) or live.is_class(base):
        return live.static(base, name)
    own = live.instance_dict(base)
    return own.get(name, _MISSING) if own is not None else _MISSING


def _described(nodes: list[ast.expr], names: Names, span: Span | None) -> Iterator[str]:
    """Lines for what the instruction that failed worked on, then for the rest of the statement."""
    mask("")  # it loads what it needs once, which is no part of the time for looking
    ends = time.perf_counter() + SECONDS
    told: set[str] = set()
    for node in sorted(_looked_at(nodes), key=lambda node: not _within(node, span)):
        text = ast.unparse(node)
        left = ends - time.perf_counter()
        if text in told or len(text) > PART or left <= 0 or len(told) == LINES:
            continue
        value = names.value(node)
        if value is _MISSING or _function(value) or live.is_module(value) or live.is_class(value):
            continue
        told.add(text)
        yield _line(node, text, value, min(left, SECONDS / LINES))


def _parts_described(nodes: list[ast.expr], span: Span, frame: FrameType, names: Names) -> Iterator[str]:
    ends = time.perf_counter() + SECONDS
    for part, value in operands(nodes, span, frame, lambda part: names.value(part) is not _MISSING):
        text = ast.unparse(part)
        text = text if len(text) <= PART else f"{text[: PART - 3]}..."
        left = ends - time.perf_counter()
        if left > 0 and not _function(value):
            yield _line(part, text, value, min(left, SECONDS / LINES))


def _line(node: ast.expr, text: str, value: Any, deadline: float) -> str:
    words = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    words += [n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)]
    words += [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    name = next((word for word in words if secret_name(word)), "value")
    head = f"{labelled(name)}: "
    room = CHARACTERS - len(text) - 2
    said = describe_variable(name, value, max_chars=room + len(head), deadline=deadline).removeprefix(head)
    line = f"{text}: " + "; ".join(part.strip() for part in said.split("\n"))
    return mask_value(name, line)[:CHARACTERS]


def _function(value: Any) -> bool:
    return live.kind(value, FunctionType, BuiltinFunctionType, MethodType)


def _looked_at(nodes: list[ast.expr]) -> Iterator[ast.expr]:
    """Items and attributes of names first, which are the more telling, then names."""
    every = [node for top in nodes for node in ast.walk(top)]
    called = {id(node.func) for node in every if isinstance(node, ast.Call)}
    simple = [
        node
        for node in every
        if isinstance(node, ast.Subscript | ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and id(node) not in called
        and isinstance(node.value, ast.Name)
    ]
    names = [node for node in every if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    for kind in (simple, names):
        yield from sorted(kind, key=lambda node: (node.lineno, node.col_offset))


def _parts(code: str, line: int) -> tuple[list[ast.expr], bool]:
    """The expressions of the statement that stands in the line, and whether their places are those of the code."""
    read = source.read(code, None)
    if read.numbered and read.tree.body:
        held = [node for node in ast.walk(read.tree) if isinstance(node, ast.stmt)]
        held = [node for node in held if node.lineno <= line <= (node.end_lineno or node.lineno)]
        if held:
            return list(own_expressions(max(held, key=lambda node: (node.lineno, node.col_offset)))), True
    lines = code.splitlines()
    alone = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    try:
        tree = ast.parse(f"{alone} pass" if alone.endswith(":") else alone)
    except SyntaxError:
        return [], False
    return [part for node in tree.body for part in own_expressions(node)], False


def _span(tb: TracebackType) -> Span | None:
    """Where the instruction that failed stands in the code: lines and bytes; Python 3.10 does not know."""
    positions = getattr(tb.tb_frame.f_code, "co_positions", None)
    if positions is None or tb.tb_lasti < 0:
        return None
    for at, span in enumerate(positions()):
        if at == tb.tb_lasti // 2:
            return None if None in span else span
    return None


def _within(node: ast.expr, span: Span | None) -> bool:
    if span is None:
        return False
    line, end_line, column, end_column = span
    return (line, column) <= (node.lineno, node.col_offset) and (node.end_lineno or 0, node.end_col_offset or 0) <= (
        end_line,
        end_column,
    )
