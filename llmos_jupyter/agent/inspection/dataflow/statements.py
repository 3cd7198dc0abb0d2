"""What each kind of statement does to what is known."""

from __future__ import annotations

import ast
import copy
import sys
from typing import TYPE_CHECKING

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection import imports
from llmos_jupyter.agent.inspection.dataflow import calls, frames
from llmos_jupyter.agent.inspection.dataflow.values import (
    UNKNOWN,
    Const,
    Dict,
    Frame,
    Function,
    Ref,
    Seq,
    Series,
    State,
    Value,
    join,
    may_leave,
)
from llmos_jupyter.agent.inspection.words import words
from llmos_jupyter.protocol import Capability

if TYPE_CHECKING:
    from llmos_jupyter.agent.inspection.dataflow.walk import Walk

# Loops over at most this many known items are followed turn by turn.
_UNROLLED = 8
# Context managers that let every exception through.
_TRANSPARENT = words(
    "open option_context catch_warnings errstate context rc_context StringIO BytesIO Pool tqdm localcontext "
    "printoptions TemporaryDirectory NamedTemporaryFile ExcelWriter ZipFile style"
)


def do_Assign(walk: Walk, node: ast.Assign) -> None:
    value = walk.expr(node.value)
    for target in node.targets:
        walk.assign(target, value)


def do_AnnAssign(walk: Walk, node: ast.AnnAssign) -> None:
    if node.value is not None:
        walk.assign(node.target, walk.expr(node.value))


def do_AugAssign(walk: Walk, node: ast.AugAssign) -> None:
    value = walk.expr(node.value)
    if isinstance(node.target, ast.Name):
        walk.forget(walk.lookup(node.target.id)) if not isinstance(walk.lookup(node.target.id), Frame) else None
        walk.state.names[node.target.id] = UNKNOWN
        return
    load = _as_load(node.target)
    walk.expr(load)
    walk.assign(node.target, value if isinstance(value, Series) else UNKNOWN)


def do_Delete(walk: Walk, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Subscript):
            base = walk.expr(target.value)
            frames.delete_item(walk, base, walk.expr(target.slice), target)
        elif isinstance(target, ast.Name):
            walk.state.names[target.id] = UNKNOWN
        elif isinstance(target, ast.Attribute):
            walk.forget(walk.expr(target.value))


def do_Import(walk: Walk, node: ast.Import) -> None:
    _check_import(walk, node)
    for alias in node.names:
        path = alias.name if alias.asname else alias.name.partition(".")[0]
        walk.state.names[alias.asname or path] = walk.module(path)


def do_ImportFrom(walk: Walk, node: ast.ImportFrom) -> None:
    _check_import(walk, node)
    for alias in node.names:
        if alias.name == "*":
            module = sys.modules.get(node.module or "")
            for name in live.members(module) if module is not None and live.is_module(module) else []:
                walk.state.names[name] = Ref(f"{node.module}.{name}", live.static(module, name))
            continue
        found = imports.member(node, alias.name)
        path = None if node.level else f"{node.module}.{alias.name}"
        if found is not live.MISSING and live.is_module(found):
            path = live.module_name(found)
        known: Value = Ref(path, found) if path else UNKNOWN
        if live.is_frame(found) or live.is_series(found) or live.is_polars(found):
            known = walk.lift(found)
        walk.state.names[alias.asname or alias.name] = known


def _check_import(walk: Walk, node: ast.Import | ast.ImportFrom) -> None:
    if walk.certain and not walk.installs and not walk.path_changed:
        walk.findings.extend(imports.check(node))


def do_FunctionDef(walk: Walk, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    for part in [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]:
        walk.expr(part)
    function = Function(node)
    walk.deferred.append(function)
    walk.state.names[node.name] = UNKNOWN if node.decorator_list else function


do_AsyncFunctionDef = do_FunctionDef


def do_ClassDef(walk: Walk, node: ast.ClassDef) -> None:
    for part in [*node.decorator_list, *node.bases, *(k.value for k in node.keywords)]:
        walk.expr(part)
    outer = dict(walk.state.names)
    walk.block(node.body)
    walk.state.names = {**outer, node.name: UNKNOWN}


def do_Return(walk: Walk, node: ast.Return) -> None:
    if node.value is not None:
        walk.expr(node.value)


def do_Raise(walk: Walk, node: ast.Raise) -> None:
    raised = walk.expr(node.exc) if node.exc is not None else UNKNOWN
    if isinstance(raised, Ref) and raised.path in {"builtins.SystemExit", "builtins.SystemExit()"}:
        calls.report_capability(walk, Capability.EXIT, "SystemExit", node)


def do_If(walk: Walk, node: ast.If) -> None:
    test = walk.expr(node.test)
    if isinstance(test, Const) and isinstance(node.test, ast.Constant):
        walk.block(node.body if test.value else node.orelse)
        return
    start = walk.state.copy()
    _maybe(walk, node.body)
    taken = walk.state
    walk.state = start
    _maybe(walk, node.orelse)
    walk.state = join(taken, walk.state) if not _always_leaves(node.body) else walk.state


def _maybe(walk: Walk, body: list[ast.stmt]) -> None:
    """A block that may not run."""
    certain, walk.certain = walk.certain, False
    walk.block(body)
    walk.certain = certain


def do_For(walk: Walk, node: ast.For | ast.AsyncFor) -> None:
    iterable = walk.expr(node.iter)
    items = items_of(walk, iterable)
    start = walk.state.copy()
    certain = walk.certain
    if items:
        for item in items:
            walk.assign(node.target, item)
            walk.block(node.body)
            if any(may_leave(n) for n in node.body):
                walk.certain = False
        walk.certain = certain
        if any(may_leave(n) for n in node.body):
            walk.blur(start)
    else:
        walk.assign(node.target, UNKNOWN)
        _turns(walk, node, start, certain and _nonempty(iterable))
    _maybe(walk, node.orelse)


def _turns(walk: Walk, node: ast.For | ast.AsyncFor | ast.While, start: State, certain: bool) -> None:
    """A loop whose number of turns is not known; only its first one is certain."""
    before, walk.certain = walk.certain, certain
    walk.block(node.body)
    walk.certain = False
    if walk.exhausted or any(may_leave(n) for n in node.body):
        walk.blur(start)
        walk.state = join(start, walk.state)
    else:
        once = join(start, walk.state)
        walk.state = once.copy()
        walk.block(node.body)
        walk.state = join(once, walk.state)
        walk.forget_grown(once)
    walk.certain = before


do_AsyncFor = do_For


def items_of(walk: Walk, iterable: Value) -> list[Value]:
    """The items of a short sequence, to be followed one by one; empty if it is not known."""
    if walk.exhausted:
        return []
    if isinstance(iterable, Seq) and 0 < len(iterable.items) <= _UNROLLED:
        return list(iterable.items)
    if isinstance(iterable, Ref) and live.kind(iterable.obj, list, tuple) and 0 < len(iterable.obj) <= _UNROLLED:
        return [walk.lift(item) for item in iterable.obj]
    return []


def do_While(walk: Walk, node: ast.While) -> None:
    walk.expr(node.test)
    always = isinstance(node.test, ast.Constant) and bool(node.test.value)
    _turns(walk, node, walk.state.copy(), walk.certain and always)
    _maybe(walk, node.orelse)


def do_Try(walk: Walk, node: ast.Try) -> None:
    if not node.handlers:
        walk.block(node.body)
    else:
        start = walk.state.copy()
        _maybe(walk, node.body)
        _maybe(walk, node.orelse)
        end = walk.state.copy()
        walk.blur(start)  # an exception may come anywhere in the body
        middle = join(start, walk.state)
        for handler in node.handlers:
            walk.state = middle.copy()
            if handler.name:
                walk.state.names[handler.name] = UNKNOWN
            if handler.type is not None:
                walk.expr(handler.type)
            _maybe(walk, handler.body)
            if not _always_leaves(handler.body):
                end = join(end, walk.state)
        walk.state = end
    walk.block(node.finalbody)


do_TryStar = do_Try


def do_With(walk: Walk, node: ast.With | ast.AsyncWith) -> None:
    transparent = True
    for item in node.items:
        value = walk.expr(item.context_expr)
        path = (value.path or "") if isinstance(value, Ref) else ""
        transparent &= path.removesuffix("()").rpartition(".")[2] in _TRANSPARENT
        if item.optional_vars is not None:
            walk.assign(item.optional_vars, value if path else UNKNOWN)
    if transparent:
        walk.block(node.body)
    else:
        start = walk.state.copy()
        _maybe(walk, node.body)
        walk.blur(start)  # it may swallow an exception


do_AsyncWith = do_With


def do_Match(walk: Walk, node: ast.Match) -> None:
    walk.expr(node.subject)
    start = walk.state.copy()
    for case in node.cases:
        before = start.copy()
        for part in ast.walk(case.pattern):
            name = getattr(part, "name", None) or getattr(part, "rest", None)
            if isinstance(name, str):
                before.names[name] = UNKNOWN
        end, walk.state = walk.state, before
        if case.guard is not None:
            walk.expr(case.guard)
        _maybe(walk, case.body)
        walk.state = join(end, walk.state)


def _as_load(node: ast.expr) -> ast.expr:
    loaded = copy.copy(node)
    loaded.ctx = ast.Load()  # type: ignore[attr-defined]
    return loaded


def _always_leaves(body: list[ast.stmt]) -> bool:
    return any(isinstance(n, ast.Return | ast.Raise | ast.Break | ast.Continue) for n in body)


def _nonempty(value: Value) -> bool:
    if isinstance(value, Seq | Dict):
        return bool(value.items if isinstance(value, Seq) else value.keys)
    if isinstance(value, Const):
        return isinstance(value.value, str) and bool(value.value)
    if isinstance(value, Ref) and live.kind(value.obj, list, tuple, dict, set, str):
        return len(value.obj) > 0
    return isinstance(value, Ref) and value.path == "nonempty"
