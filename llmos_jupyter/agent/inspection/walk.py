"""A walk through the candidate in the order in which it would run, knowing what little is certain.

A forward abstract interpretation over `values`: assignments update what is known, branches join,
whatever cannot be followed becomes UNKNOWN. Findings of severity `error` are made only where the
statement is certain to run (`certain`): not in a branch, a `try`, or after a possible early exit.
"""

from __future__ import annotations

import ast
import builtins
import copy
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

from llmos_jupyter.agent.inspection import calls, frames, imports, live, outside
from llmos_jupyter.agent.inspection.nearest import did_you_mean, nearest
from llmos_jupyter.agent.inspection.values import (
    UNKNOWN,
    Const,
    Dict,
    Facts,
    Frame,
    Function,
    Group,
    Part,
    Ref,
    Seq,
    Series,
    State,
    Value,
    frame_facts,
    join,
    labels,
)
from llmos_jupyter.protocol import Capability, Finding, FindingKind

# Visits of expressions after which loops are no longer unrolled nor calls followed.
_BUDGET = 20_000
_UNROLLED = 8
_INLINE_DEPTH = 2
# Context managers that let every exception through.
_TRANSPARENT = ("open", "option_context", "catch_warnings", "errstate", "context", "rc_context", "StringIO", "Pool",
                "tqdm", "localcontext", "printoptions", "TemporaryDirectory", "ExcelWriter", "connect")  # fmt: skip


class Walk:
    """One walk; `findings` is its result."""

    def __init__(self, tree: ast.Module, namespace: Mapping[str, Any]) -> None:
        self.namespace = namespace
        self.state = State()
        self.findings: list[Finding] = []
        self.certain = True
        self.maybe: set[Any] = set()  # labels stored into something that could be any frame
        self.identities = outside.Identities()
        self.depth = 0
        self._visits = 0
        self._deferred: list[Function] = []
        attributes = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
        self.stored = {n.attr for n in attributes if not isinstance(n.ctx, ast.Load)}
        called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        self.patched = bool({"setattr", "delattr", "exec"} & called)
        self.path_changed = any(
            n.attr == "path" and isinstance(n.value, ast.Name) and n.value.id == "sys" for n in attributes
        )
        self.installs = False
        self.block(tree.body)
        self._bodies()

    # --- findings ---

    def error(
        self, kind: FindingKind, message: str, node: ast.AST, name: str | None = None, near: Iterable[str] = ()
    ) -> None:
        """Report code that cannot work, where it is certain to run."""
        if self.certain:
            self._add(kind, "error", message, node, name, near)

    def warn(
        self,
        kind: FindingKind,
        message: str,
        node: ast.AST,
        name: str | None = None,
        near: Iterable[str] = (),
        capability: Capability | None = None,
    ) -> None:
        self._add(kind, "warning", message, node, name, near, capability)

    def _add(
        self,
        kind: FindingKind,
        severity: Any,
        message: str,
        node: ast.AST,
        name: str | None,
        near: Iterable[str],
        capability: Capability | None = None,
    ) -> None:
        self.findings.append(
            Finding(
                kind=kind,
                severity=severity,
                message=message,
                line=getattr(node, "lineno", None),
                name=name,
                suggestions=list(near),
                capability=capability,
            )
        )

    # --- frames ---

    def facts(self, handle: int) -> Facts:
        return self.state.heap.get(handle) or Facts()

    def new_frame(self, facts: Facts) -> Frame:
        handle = -1 - len(self.state.heap)
        while handle in self.state.heap:
            handle -= 1
        self.state.heap[handle] = facts
        return Frame(handle)

    def forget(self, value: Value) -> None:
        """The value may have been changed by code that is not seen."""
        if isinstance(value, Frame):
            self.state.heap[value.handle] = self.facts(value.handle).forget()
        elif isinstance(value, Seq):
            for item in value.items:
                self.forget(item)
        elif isinstance(value, Dict):
            for item in value.values:
                self.forget(item)
        elif isinstance(value, Ref) and value.obj is not live.MISSING:
            self.state.dirty |= {id(value.obj)}

    def forget_all(self) -> None:
        for handle in self.state.heap:
            self.state.heap[handle] = self.state.heap[handle].forget()
        self.state.names.update({n: UNKNOWN for n, v in self.state.names.items() if isinstance(v, Seq | Dict | Frame)})
        self.state.all_dirty = True

    # --- names and live objects ---

    def lookup(self, name: str) -> Value:
        if name in self.state.names:
            return self.state.names[name]
        if name in self.namespace:
            obj = self.namespace[name]
            origin = live.class_module(type(obj))
            if name in {"exit", "quit"} and origin.startswith(("IPython.", "_sitebuiltins")):
                return Ref("builtins.exit")
            return self.lift(obj)
        if name == "__builtins__":
            return Ref("builtins", builtins)
        found = live.static(builtins, name)
        if found is not live.MISSING:
            return Ref(f"builtins.{name}", found)
        return Ref(f"builtins.{name}") if name in {"exit", "quit", "input"} else UNKNOWN

    def lift(self, obj: Any, path: str | None = None) -> Value:
        """What is known of a live object."""
        if live.is_frame(obj) or live.is_polars(obj):
            if self.state.all_dirty and id(obj) not in self.state.heap:
                return self.new_frame(frame_facts(obj).forget())
            if id(obj) not in self.state.heap:
                self.state.heap[id(obj)] = frame_facts(obj)
            return Frame(id(obj))
        if live.is_series(obj):
            return Series(None, live.index_names(obj), obj)
        if obj is None or type(obj) in (str, int, float, bool, bytes):
            return Const(obj)
        stale = self.state.all_dirty or id(obj) in self.state.dirty
        if stale and not (live.is_module(obj) or live.is_class(obj) or callable_path(obj)):
            return Ref(outside.instance_path(type(obj)))
        return Ref(path or self._path(obj), obj)

    def _path(self, obj: Any) -> str:
        if live.is_module(obj):
            return live.module_name(obj)
        return self.identities.path(obj) or callable_path(obj) or outside.instance_path(type(obj))

    def module(self, path: str) -> Ref:
        loaded = sys.modules.get(path)
        return Ref(path, live.MISSING if loaded is None else loaded)

    def attribute(self, base: Value, name: str, node: ast.AST, called: bool = False) -> Value:
        """The value of `base.name`; reports an attribute that cannot be there."""
        if name == "__subclasses__":
            self.warn(
                "hidden-code", "`__subclasses__` reaches classes by a hidden way: say which class is meant.", node, name
            )
        if isinstance(base, Frame | Series | Group | Part):
            return frames.attribute(self, base, name, node, called)
        if isinstance(base, Ref):
            return self._ref_attribute(base, name, node)
        if isinstance(base, Const | Seq | Dict):
            cls = type(base.value) if isinstance(base, Const) else base.cls if isinstance(base, Seq) else dict
            return self._ref_attribute(Ref(cls=cls), name, node)
        return UNKNOWN

    def _ref_attribute(self, base: Ref, name: str, node: ast.AST) -> Value:
        path = f"{base.path}.{name}" if base.path else None
        if base.obj is live.MISSING:
            if base.cls is not None and live.closed(base.cls) and live.static(base.cls, name) is live.MISSING:
                self._no_attribute(f"A {live.class_name(base.cls)}", base.cls, name, node)
            if path in {"pathlib.Path().parent", "pathlib.Path().absolute"}:
                return Ref("pathlib.Path()") if name == "parent" else Ref(path)
            return Ref(path) if path else UNKNOWN
        obj = base.obj
        if live.is_module(obj) or live.is_class(obj):
            if name not in self.stored and not self.patched and live.lacks(obj, name):
                what = (
                    f"The module {live.module_name(obj)}"
                    if live.is_module(obj)
                    else f"The class {live.class_name(obj)}"
                )
                self._no_attribute(what, obj, name, node)
                return UNKNOWN
            found = live.static(obj, name)
            if found is live.MISSING:
                sub = sys.modules.get(path or "")
                return Ref(path, sub) if sub is not None else Ref(path)
            if type(found) in (staticmethod, classmethod):
                return Ref(path, found.__func__)
            if live.is_module(obj) and (live.is_frame(found) or live.is_series(found) or live.is_polars(found)):
                return self.lift(found)
            if live.is_module(obj) or live.is_class(found):
                return Ref(live.module_name(found) if live.is_module(found) else path, found)
            return Ref(path)
        if id(obj) in self.state.dirty or self.state.all_dirty:
            return Ref(path)
        own = live.closed_dict(obj)
        if own is not None and name in own and live.plain_lookup(type(obj)):
            return self.lift(own[name])
        if name not in self.stored and not self.patched and live.lacks(obj, name):
            self._no_attribute(f"A {live.class_name(type(obj))}", obj, name, node)
            return UNKNOWN
        return Ref(path)

    def _no_attribute(self, what: str, obj: Any, name: str, node: ast.AST) -> None:
        near = nearest(name, live.members(obj))
        advice = frames.REPLACED.get(name) if not near or what.startswith("The module") else None
        hint = f": use {advice}" if advice else did_you_mean(near) + "; use one it has"
        self.error("unknown-attribute", f"{what} has no attribute `{name}`{hint}.", node, name, near)

    # --- statements ---

    def block(self, body: list[ast.stmt]) -> None:
        before = self.certain
        for node in body:
            self.statement(node)
            if _may_leave(node):
                self.certain = False
        if not any(_may_leave(node) for node in body):
            self.certain = before

    def statement(self, node: ast.stmt) -> None:
        method = getattr(self, f"_do_{type(node).__name__}", None)
        if method is not None:
            method(node)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expr(child)

    def _do_Assign(self, node: ast.Assign) -> None:
        value = self.expr(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _do_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.expr(node.value))

    def _do_AugAssign(self, node: ast.AugAssign) -> None:
        value = self.expr(node.value)
        if isinstance(node.target, ast.Name):
            self.forget(self.lookup(node.target.id)) if not isinstance(self.lookup(node.target.id), Frame) else None
            self.state.names[node.target.id] = UNKNOWN
            return
        load = _as_load(node.target)
        self.expr(load)
        self.assign(node.target, value if isinstance(value, Series) else UNKNOWN)

    def _do_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                base = self.expr(target.value)
                frames.delete_item(self, base, self.expr(target.slice), target)
            elif isinstance(target, ast.Name):
                self.state.names[target.id] = UNKNOWN
            elif isinstance(target, ast.Attribute):
                self.forget(self.expr(target.value))

    def assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.state.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            items = value.items if isinstance(value, Seq) and len(value.items) == len(target.elts) else None
            for i, element in enumerate(target.elts):
                inner = element.value if isinstance(element, ast.Starred) else element
                self.assign(inner, items[i] if items and not isinstance(element, ast.Starred) else UNKNOWN)
        elif isinstance(target, ast.Subscript):
            base = self.expr(target.value)
            key = self.expr(target.slice)
            if not frames.store_item(self, base, key, target):
                self.maybe.update(labels(key)[0])
                self.forget_name(target.value, base)
        elif isinstance(target, ast.Attribute):
            base = self.expr(target.value)
            if not frames.store_attribute(self, base, target.attr, value):
                self.forget(base)
            if not self.certain and target.attr == "columns":
                self.forget(base)

    def forget_name(self, node: ast.expr, value: Value) -> None:
        """A container that stands under a name was changed."""
        self.forget(value) if isinstance(value, Ref) else None
        if isinstance(node, ast.Name) and isinstance(value, Seq | Dict):
            self.state.names[node.id] = Ref(cls=value.cls if isinstance(value, Seq) else dict)

    def _do_Import(self, node: ast.Import) -> None:
        self._check_import(node)
        for alias in node.names:
            path = alias.name if alias.asname else alias.name.partition(".")[0]
            self.state.names[alias.asname or path] = self.module(path)

    def _do_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._check_import(node)
        for alias in node.names:
            if alias.name == "*":
                module = sys.modules.get(node.module or "")
                for name in live.members(module) if module is not None and live.is_module(module) else []:
                    self.state.names[name] = Ref(f"{node.module}.{name}", live.static(module, name))
                continue
            found = imports.member(node, alias.name)
            path = None if node.level else f"{node.module}.{alias.name}"
            if found is not live.MISSING and live.is_module(found):
                path = live.module_name(found)
            known: Value = Ref(path, found) if path else UNKNOWN
            if live.is_frame(found) or live.is_series(found) or live.is_polars(found):
                known = self.lift(found)
            self.state.names[alias.asname or alias.name] = known

    def _check_import(self, node: ast.Import | ast.ImportFrom) -> None:
        if self.certain and not self.installs and not self.path_changed:
            self.findings.extend(imports.check(node))

    def _do_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]:
            self.expr(part)
        function = Function(node)
        self._deferred.append(function)
        self.state.names[node.name] = UNKNOWN if node.decorator_list else function

    _do_AsyncFunctionDef = _do_FunctionDef

    def _do_ClassDef(self, node: ast.ClassDef) -> None:
        for part in [*node.decorator_list, *node.bases, *(k.value for k in node.keywords)]:
            self.expr(part)
        outer = dict(self.state.names)
        self.block(node.body)
        self.state.names = {**outer, node.name: UNKNOWN}

    def _do_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.expr(node.value)

    def _do_Raise(self, node: ast.Raise) -> None:
        raised = self.expr(node.exc) if node.exc is not None else UNKNOWN
        if isinstance(raised, Ref) and raised.path in {"builtins.SystemExit", "builtins.SystemExit()"}:
            calls.report_capability(self, Capability.EXIT, "SystemExit", node)

    def _do_If(self, node: ast.If) -> None:
        test = self.expr(node.test)
        if isinstance(test, Const) and isinstance(node.test, ast.Constant):
            self.block(node.body if test.value else node.orelse)
            return
        start = self.state.copy()
        self._maybe(node.body)
        taken = self.state
        self.state = start
        self._maybe(node.orelse)
        self.state = join(taken, self.state) if not _always_leaves(node.body) else self.state

    def _maybe(self, body: list[ast.stmt]) -> None:
        """A block that may not run."""
        certain, self.certain = self.certain, False
        self.block(body)
        self.certain = certain

    def _do_For(self, node: ast.For | ast.AsyncFor) -> None:
        iterable = self.expr(node.iter)
        items = self._items(iterable, node.body)
        start = self.state.copy()
        certain = self.certain
        if items:
            for item in items:
                self.assign(node.target, item)
                self.block(node.body)
                if any(_leaves_loop(n) for n in node.body):
                    self.certain = False
            self.certain = certain
        else:
            self.assign(node.target, UNKNOWN)
            self.certain = certain and _nonempty(iterable)
            self.block(node.body)
            self.certain = certain
            self.state = join(start, self.state)
        self._maybe(node.orelse)

    _do_AsyncFor = _do_For

    def _items(self, iterable: Value, body: list[ast.stmt]) -> list[Value]:
        if self._visits > _BUDGET:
            return []
        if isinstance(iterable, Seq) and 0 < len(iterable.items) <= _UNROLLED:
            return list(iterable.items)
        if isinstance(iterable, Ref) and type(iterable.obj) in (list, tuple) and 0 < len(iterable.obj) <= _UNROLLED:
            return [self.lift(item) for item in iterable.obj]
        return []

    def _do_While(self, node: ast.While) -> None:
        self.expr(node.test)
        start = self.state.copy()
        always = isinstance(node.test, ast.Constant) and bool(node.test.value)
        certain, self.certain = self.certain, self.certain and always
        self.block(node.body)
        self.certain = certain
        self.state = join(start, self.state)
        self._maybe(node.orelse)

    def _do_Try(self, node: ast.Try) -> None:
        if not node.handlers:
            self.block(node.body)
        else:
            start = self.state.copy()
            self._maybe(node.body)
            ends = [self.state]
            for handler in node.handlers:
                self.state = join(start, ends[0])
                if handler.name:
                    self.state.names[handler.name] = UNKNOWN
                if handler.type is not None:
                    self.expr(handler.type)
                self._maybe(handler.body)
                ends.append(self.state)
            self.state = ends[0]
            for end in ends[1:]:
                self.state = join(self.state, end)
            self._maybe(node.orelse)
        self.block(node.finalbody)

    _do_TryStar = _do_Try

    def _do_With(self, node: ast.With | ast.AsyncWith) -> None:
        transparent = True
        for item in node.items:
            value = self.expr(item.context_expr)
            path = (value.path or "") if isinstance(value, Ref) else ""
            transparent &= any(part in path for part in _TRANSPARENT)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value if path else UNKNOWN)
        if transparent:
            self.block(node.body)
        else:
            self._maybe(node.body)

    _do_AsyncWith = _do_With

    def _do_Match(self, node: ast.Match) -> None:
        self.expr(node.subject)
        start = self.state.copy()
        for case in node.cases:
            before = start.copy()
            for part in ast.walk(case.pattern):
                name = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(name, str):
                    before.names[name] = UNKNOWN
            end, self.state = self.state, before
            if case.guard is not None:
                self.expr(case.guard)
            self._maybe(case.body)
            self.state = join(end, self.state)

    # --- expressions ---

    def expr(self, node: ast.expr) -> Value:
        self._visits += 1
        method = getattr(self, f"_of_{type(node).__name__}", None)
        if method is not None:
            value: Value = method(node)
            return value
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expr(child)
        return UNKNOWN

    def _of_Constant(self, node: ast.Constant) -> Value:
        return UNKNOWN if node.value is Ellipsis else Const(node.value)

    def _of_Name(self, node: ast.Name) -> Value:
        return self.lookup(node.id)

    def _of_NamedExpr(self, node: ast.NamedExpr) -> Value:
        value = self.expr(node.value)
        self.assign(node.target, value)
        return value

    def _of_JoinedStr(self, node: ast.JoinedStr) -> Value:
        for part in node.values:
            self.expr(part)
        if all(isinstance(p, ast.Constant) for p in node.values):
            return Const("".join(str(p.value) for p in node.values if isinstance(p, ast.Constant)))
        return Ref(cls=str)

    def _of_FormattedValue(self, node: ast.FormattedValue) -> Value:
        self.expr(node.value)
        return UNKNOWN

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set, cls: type) -> Value:
        values = [self.expr(e) for e in node.elts]
        if any(isinstance(e, ast.Starred) for e in node.elts):
            return Ref(cls=cls)
        return Seq(tuple(values), cls)

    def _of_List(self, node: ast.List) -> Value:
        return self._sequence(node, list)

    def _of_Tuple(self, node: ast.Tuple) -> Value:
        return self._sequence(node, tuple)

    def _of_Set(self, node: ast.Set) -> Value:
        return self._sequence(node, set)

    def _of_Dict(self, node: ast.Dict) -> Value:
        keys = [self.expr(k) if k is not None else UNKNOWN for k in node.keys]
        values = [self.expr(v) for v in node.values]
        return Dict(tuple(keys), tuple(values))

    def _of_Attribute(self, node: ast.Attribute) -> Value:
        return self.attribute(self.expr(node.value), node.attr, node)

    def _of_Subscript(self, node: ast.Subscript) -> Value:
        base = self.expr(node.value)
        key = self.expr(node.slice)
        if isinstance(base, Ref):
            if base.path == "builtins" or (base.path or "").endswith(".__dict__"):
                if isinstance(key, Const) and isinstance(key.value, str):
                    owner = (base.path or "").removesuffix(".__dict__")
                    return self.attribute(self.module(owner), key.value, node)
                return UNKNOWN
            if type(base.obj) is dict and isinstance(key, Const) and type(key.value) is str:
                found = dict.get(base.obj, key.value, live.MISSING)
                return UNKNOWN if found is live.MISSING else self.lift(found)
            return UNKNOWN
        if isinstance(base, Dict) and isinstance(key, Const):
            for k, v in zip(base.keys, base.values, strict=True):
                if k == key:
                    return v
            return UNKNOWN
        if isinstance(base, Seq) and isinstance(key, Const) and type(key.value) is int:
            return base.items[key.value] if -len(base.items) <= key.value < len(base.items) else UNKNOWN
        return frames.item(self, base, key, node)

    def _of_Slice(self, node: ast.Slice) -> Value:
        for part in (node.lower, node.upper, node.step):
            if part is not None:
                self.expr(part)
        return Ref("slice")

    def _of_Starred(self, node: ast.Starred) -> Value:
        self.expr(node.value)
        return UNKNOWN

    def _of_Await(self, node: ast.Await) -> Value:
        return self.expr(node.value)

    def _of_Compare(self, node: ast.Compare) -> Value:
        values = [self.expr(node.left), *(self.expr(c) for c in node.comparators)]
        plain = not any(isinstance(op, ast.In | ast.NotIn | ast.Is | ast.IsNot) for op in node.ops)
        return Series(mask=True) if plain and any(isinstance(v, Series) for v in values) else UNKNOWN

    def _of_UnaryOp(self, node: ast.UnaryOp) -> Value:
        value = self.expr(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(value, Const) and type(value.value) in (int, float):
            return Const(-value.value)
        if isinstance(value, Series) and not isinstance(node.op, ast.Not):
            return Series(mask=value.mask and isinstance(node.op, ast.Invert))
        return UNKNOWN

    def _of_BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.expr(node.left), self.expr(node.right)
        if isinstance(left, Const) and isinstance(right, Const) and isinstance(node.op, ast.Add):
            if type(left.value) is str and type(right.value) is str and len(left.value) + len(right.value) < 10_000:
                return Const(left.value + right.value)
            return UNKNOWN
        if isinstance(left, Seq) and isinstance(right, Seq) and isinstance(node.op, ast.Add) and left.cls is right.cls:
            return Seq((*left.items, *right.items), left.cls)
        if isinstance(left, Series) or isinstance(right, Series):
            if isinstance(left, Frame) or isinstance(right, Frame):
                return UNKNOWN
            both = isinstance(left, Series) and isinstance(right, Series) and left.mask and right.mask
            return Series(mask=both and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.BitXor))
        if isinstance(left, Ref) and left.path == "pathlib.Path()" and isinstance(node.op, ast.Div):
            return left
        return UNKNOWN

    def _of_BoolOp(self, node: ast.BoolOp) -> Value:
        self.expr(node.values[0])
        self._perhaps(node.values[1:])
        return UNKNOWN

    def _of_IfExp(self, node: ast.IfExp) -> Value:
        self.expr(node.test)
        start = self.state.copy()
        self._perhaps([node.body])
        taken, self.state = self.state, start
        self._perhaps([node.orelse])
        self.state = join(taken, self.state)
        return UNKNOWN

    def _perhaps(self, nodes: list[ast.expr]) -> None:
        certain, self.certain = self.certain, False
        for node in nodes:
            self.expr(node)
        self.certain = certain

    def _of_Lambda(self, node: ast.Lambda) -> Value:
        function = Function(node)
        self._deferred.append(function)
        return function

    def _comprehension(self, node: Any) -> Value:
        outer = dict(self.state.names)
        certain = self.certain
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        first = node.generators[0]
        iterable = self.expr(first.iter)
        items = self._items(iterable, []) if len(node.generators) == 1 and not first.ifs else []
        if items and not isinstance(node, ast.GeneratorExp):
            for item in items:
                self.assign(first.target, item)
                for part in parts:
                    self.expr(part)
        else:
            self.certain = False
            for i, generator in enumerate(node.generators):
                if i:
                    self.expr(generator.iter)
                self.assign(generator.target, UNKNOWN)
                for test in generator.ifs:
                    self.expr(test)
            for part in parts:
                self.expr(part)
        self.certain = certain
        self.state.names = outer
        if isinstance(node, ast.GeneratorExp):
            return UNKNOWN
        return Ref(cls={ast.ListComp: list, ast.SetComp: set, ast.DictComp: dict}[type(node)])

    _of_ListComp = _of_SetComp = _of_DictComp = _of_GeneratorExp = _comprehension

    def _of_Call(self, node: ast.Call) -> Value:
        return calls.call(self, node)

    # --- functions ---

    def inline(self, function: Function, node: ast.Call, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        """Follow a call of a function of the candidate; None if it is not simple enough."""
        definition = function.node
        simple = isinstance(definition, ast.FunctionDef) and not any(
            isinstance(n, ast.Yield | ast.YieldFrom | ast.Global | ast.Nonlocal) for n in ast.walk(definition)
        )
        if not simple or not isinstance(definition, ast.FunctionDef):
            return None
        spec = definition.args
        if spec.vararg or spec.kwarg or self.depth >= _INLINE_DEPTH or self._visits > _BUDGET:
            return None
        names = [a.arg for a in [*spec.posonlyargs, *spec.args]]
        bound: dict[str, Value] = dict.fromkeys([*names, *(a.arg for a in spec.kwonlyargs)], UNKNOWN)
        bound.update(zip(names, args, strict=False))
        bound.update({k: v for k, v in keywords.items() if k in bound})
        outer, certain = dict(self.state.names), self.certain
        local = {n.id for n in ast.walk(definition) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.state.names.update(dict.fromkeys(local - bound.keys(), UNKNOWN))
        self.state.names.update(bound)
        self.depth += 1
        self.block(definition.body[:-1])
        last = definition.body[-1]
        early = any(isinstance(n, ast.Return) for s in definition.body[:-1] for n in ast.walk(s))
        result: Value = UNKNOWN
        if isinstance(last, ast.Return) and last.value is not None:
            result = self.expr(last.value)
        else:
            self.block([last])
        self.depth -= 1
        self.state.names, self.certain = outer, certain
        return UNKNOWN if early else result

    def _bodies(self) -> None:
        """Bodies of functions, with the names as they are at the end: nothing in them is certain."""
        self.certain = False
        done = 0
        while done < len(self._deferred):
            node = self._deferred[done].node
            done += 1
            outer = dict(self.state.names)
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            self.state.names.update({a.arg: UNKNOWN for a in every if a is not None})
            if isinstance(node, ast.Lambda):
                self.expr(node.body)
            else:
                self.block(node.body)
            self.state.names = outer


def callable_path(obj: Any) -> str | None:
    """Module and name of a live function, class or method, without asking the object itself."""
    if type(obj) is types.MethodType:
        return f"{outside.instance_path(type(obj.__self__))}.{getattr(obj.__func__, '__name__', '')}"
    if type(obj) is types.BuiltinFunctionType and not live.is_module(obj.__self__) and obj.__self__ is not None:
        return f"{outside.instance_path(type(obj.__self__))}.{obj.__name__}"
    if type(obj) in (types.FunctionType, types.BuiltinFunctionType):
        if obj.__name__ == "_modified_open":  # IPython's own `open`, the same but for three descriptors
            return "builtins.open"
        module = obj.__module__
        return f"{module}.{obj.__qualname__}" if type(module) is str else None
    if live.is_class(obj):
        return f"{live.class_module(obj)}.{live.class_name(obj)}"
    return None


def _as_load(node: ast.expr) -> ast.expr:
    loaded = copy.copy(node)
    loaded.ctx = ast.Load()  # type: ignore[attr-defined]
    return loaded


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def _may_leave(node: ast.AST, loop: bool = False) -> bool:
    """Whether a statement may end the block it stands in early."""
    if isinstance(node, _SCOPES):
        return False
    if isinstance(node, ast.Return | ast.Raise):
        return True
    if isinstance(node, ast.Break | ast.Continue):
        return not loop
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in {"exit", "quit", "_exit", "abort"}:
            return True
    inner = loop or isinstance(node, ast.For | ast.AsyncFor | ast.While)
    return any(_may_leave(child, inner) for child in ast.iter_child_nodes(node))


def _leaves_loop(node: ast.AST) -> bool:
    return _may_leave(node)


def _always_leaves(body: list[ast.stmt]) -> bool:
    return any(isinstance(n, ast.Return | ast.Raise | ast.Break | ast.Continue) for n in body)


def _nonempty(value: Value) -> bool:
    if isinstance(value, Seq | Dict):
        return bool(value.items if isinstance(value, Seq) else value.keys)
    if isinstance(value, Const):
        return isinstance(value.value, str) and bool(value.value)
    if isinstance(value, Ref) and type(value.obj) in (list, tuple, dict, set, str):
        return len(value.obj) > 0
    return isinstance(value, Ref) and value.path == "nonempty"
