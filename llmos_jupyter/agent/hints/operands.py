"""What the parts of a failing expression came to that have no name, as `np.repeat(a, 2)` in `np.repeat(a, 2)[mask]`.

They are worked out once more, so only in the copy of the kernel that ends with the run, and only where that took less
than a moment, for they are a part of it. What failed is not worked out again, nor anything behind it.
"""

from __future__ import annotations

import ast
import contextlib
import io
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

# Seconds that the whole run took at the most.
MOMENT = 1.0
_UNTOLD = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Starred)
_PARTS = (ast.Call, ast.Subscript, ast.BinOp, ast.Compare, ast.UnaryOp)
Span = tuple[int, int, int, int]


def operands(
    nodes: list[ast.expr], span: Span, frame: FrameType, known: Callable[[ast.expr], bool]
) -> Iterator[tuple[ast.expr, Any]]:
    """The parts that the failing instruction worked on, and what each gives, save for those that are `known` without.
    `span`: where the instruction stands in the code."""
    for part in _worked_on(nodes, span):
        plain = isinstance(part, _PARTS) and not any(isinstance(node, _UNTOLD) for node in ast.walk(part))
        if plain and not known(part):
            # What failed once may fail again: then there is no value to tell of.
            with contextlib.suppress(Exception, SystemExit), contextlib.redirect_stdout(io.StringIO()):
                yield part, eval(_compiled(part), frame.f_globals, dict(frame.f_locals))


def _compiled(part: ast.expr) -> CodeType:
    code: CodeType = compile(ast.Expression(part), "<part>", "eval")
    return code


def _worked_on(nodes: list[ast.expr], span: Span) -> Iterator[ast.expr]:
    every = [node for top in nodes for node in ast.walk(top) if isinstance(node, ast.expr)]
    failing = next((node for node in every if _place(node) == span), None)
    if isinstance(failing, ast.Tuple) and isinstance(failing.ctx, ast.Store):
        yield from nodes[nodes.index(failing) + 1 :] if failing in nodes else []  # what could not be unpacked
    elif isinstance(failing, ast.Call):
        yield from [failing.func.value] if isinstance(failing.func, ast.Attribute) else []
        yield from [*failing.args, *(keyword.value for keyword in failing.keywords)]
    elif failing is not None:
        yield from (part for part in ast.iter_child_nodes(failing) if isinstance(part, ast.expr))


def _place(node: ast.expr) -> Span:
    return node.lineno, node.end_lineno or 0, node.col_offset, node.end_col_offset or 0
