"""A walk through the candidate in the order in which it would run, knowing what little is certain.

A forward abstract interpretation over `values`: assignments update what is known, branches join,
whatever cannot be followed becomes UNKNOWN. Findings of severity `error` are made only where the
statement is certain to run (`certain`): not in a branch, a `try`, or after a possible early exit.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection import outside
from llmos_jupyter.agent.inspection.callables import callable_path
from llmos_jupyter.agent.inspection.dataflow import expressions, frames, label_checks, statements
from llmos_jupyter.agent.inspection.dataflow.same_labels import Miss
from llmos_jupyter.agent.inspection.dataflow.values import (
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
    labels,
)
from llmos_jupyter.agent.mending.nearest import did_you_mean, nearest
from llmos_jupyter.protocol import Capability, Finding, FindingKind

# Visits of expressions after which loops are no longer unrolled nor calls followed.
_BUDGET = 20_000
_INLINE_DEPTH = 2


class Walk:
    """One walk; `findings` is its result."""

    def __init__(self, tree: ast.Module, namespace: Mapping[str, Any]) -> None:
        self.namespace = namespace
        self.state = State()
        self.findings: list[Finding] = []
        self.misses: list[Miss] = []
        self.certain = True
        self.maybe: set[Any] = set()  # labels stored into something that could be any frame
        self.identities = outside.Identities()
        self.depth = 0
        self._visits = 0
        self.deferred: list[Function] = []
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

    @property
    def exhausted(self) -> bool:
        """Whether so much was visited that loops are no longer unrolled nor calls followed."""
        return self._visits > _BUDGET

    # --- findings ---

    def error(
        self, kind: FindingKind, message: str, node: ast.AST, name: str | None = None, near: Iterable[str] = ()
    ) -> None:
        """Report code that cannot work, where it is certain to run."""
        if self.certain:
            self._add(kind, "error", message, node, name, near)

    def missed(self, miss: Miss, message: str, near: Iterable[str] = ()) -> None:
        """Report a label that is not there, where that is certain, and remember it for mending."""
        if self.certain:
            self.misses.append(miss)
        self.error("unknown-column", message, miss.node, str(miss.label), near)

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
        if name in {"exit", "quit"}:
            return Ref("builtins.exit")
        return Ref(f"IPython.{name}") if name in {"display", "get_ipython"} else UNKNOWN

    def lift(self, obj: Any, path: str | None = None) -> Value:
        """What is known of a live object."""
        if live.is_frame(obj) or live.is_polars(obj):
            if self.state.all_dirty and id(obj) not in self.state.heap:
                return self.new_frame(frame_facts(obj).forget())
            if id(obj) not in self.state.heap:
                if id(obj) not in self.state.origin:
                    self.state.origin[id(obj)] = frame_facts(obj)
                self.state.heap[id(obj)] = self.state.origin[id(obj)]
            return Frame(id(obj))
        if live.is_series(obj):
            return Series(None, live.index_names(obj), obj)
        if obj is None or live.kind(obj, str, int, float, bool, bytes):
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
                self._no_attribute("", base.cls, name, node)
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
            if live.kind(found, staticmethod, classmethod):
                return Ref(path, found.__func__)
            if live.is_module(obj) and (live.is_frame(found) or live.is_series(found) or live.is_polars(found)):
                return self.lift(found)
            if live.is_module(obj) or live.is_class(found):
                return Ref(live.module_name(found) if live.is_module(found) else path, found)
            return Ref(path)
        if id(obj) in self.state.dirty or self.state.all_dirty:
            return Ref(path)
        own = live.instance_dict(obj)
        if own is not None and name in own and live.plain_lookup(type(obj)):
            return self.lift(own[name])
        if name not in self.stored and not self.patched and live.lacks(obj, name):
            self._no_attribute("", obj, name, node)
            return UNKNOWN
        return Ref(path)

    def _no_attribute(self, what: str, obj: Any, name: str, node: ast.AST) -> None:
        if not what and isinstance(node, ast.Attribute):
            cls = obj if live.is_class(obj) else type(obj)
            kind = "None" if cls is type(None) else f"of type {live.class_name(cls)}"
            what = f"{label_checks.shown(node.value, 'The value')} is {kind}, which"
            what = what if cls is not type(None) else what.removesuffix(", which") + " here, which"
        near = nearest(name, live.members(obj))
        advice = frames.REPLACED.get(name) if not near or what.startswith("The module") else None
        hint = f": use {advice}" if advice else did_you_mean(near) + "; use one it has"
        self.error("unknown-attribute", f"{what} has no attribute `{name}`{hint}.", node, name, near)

    # --- statements ---

    def block(self, body: list[ast.stmt]) -> None:
        before = self.certain
        for node in body:
            self.statement(node)
            if statements.may_leave(node):
                self.certain = False
        if not any(statements.may_leave(node) for node in body):
            self.certain = before

    def statement(self, node: ast.stmt) -> None:
        method = getattr(statements, f"do_{type(node).__name__}", None)
        if method is not None:
            method(self, node)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expr(child)

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

    # --- expressions ---

    def expr(self, node: ast.expr) -> Value:
        self._visits += 1
        method = getattr(expressions, f"of_{type(node).__name__}", None)
        if method is not None:
            value: Value = method(self, node)
            return value
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expr(child)
        return UNKNOWN

    # --- functions ---

    def inline(self, function: Function, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        """Follow a call of a function of the candidate; None if it is not simple enough."""
        definition = function.node
        odd = (ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal, ast.Starred)
        if isinstance(definition, ast.AsyncFunctionDef) or any(isinstance(n, odd) for n in ast.walk(definition)):
            return None
        spec = definition.args
        if spec.vararg or spec.kwarg or self.depth >= _INLINE_DEPTH or self.exhausted:
            return None
        names = [a.arg for a in [*spec.posonlyargs, *spec.args]]
        bound: dict[str, Value] = dict.fromkeys([*names, *(a.arg for a in spec.kwonlyargs)], UNKNOWN)
        bound.update(zip(names, args, strict=False))
        bound.update({k: v for k, v in keywords.items() if k in bound})
        before, certain = self.state.copy(), self.certain
        local = {n.id for n in ast.walk(definition) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.state.names.update(dict.fromkeys(local - bound.keys(), UNKNOWN))
        self.state.names.update(bound)
        self.depth += 1
        result = self._body(definition, before)
        self.depth -= 1
        self.state.names, self.certain = before.names, certain
        return result

    def _body(self, definition: ast.FunctionDef | ast.Lambda, before: State) -> Value:
        if isinstance(definition, ast.Lambda):
            return self.expr(definition.body)
        *rest, last = definition.body
        self.block(rest)
        if isinstance(last, ast.Return) and last.value is not None:
            result = self.expr(last.value)
        else:
            self.block([last])
            result = UNKNOWN
        if any(isinstance(n, ast.Return) for s in definition.body if s is not last for n in ast.walk(s)):
            self.blur(before)
            return UNKNOWN
        return result

    def blur(self, before: State) -> None:
        """Forget whatever changed since: it was left somewhere in the middle."""
        for handle, facts in self.state.heap.items():
            if before.facts(handle) is not facts:
                self.state.heap[handle] = facts.forget()
        for name, value in self.state.names.items():
            if name not in before.names or before.names[name] != value:
                self.state.names[name] = UNKNOWN

    def forget_grown(self, before: State) -> None:
        """Forget frames that a further turn of a loop changed again."""
        frames_before = {name: v for name, v in before.names.items() if isinstance(v, Frame)}
        pairs = [(handle, handle) for handle in before.heap]
        pairs += [(v.handle, frames_before[n].handle) for n, v in self.state.names.items()
                  if isinstance(v, Frame) and n in frames_before]  # fmt: skip
        for now, then in pairs:
            new, old = self.facts(now), before.facts(then)
            if old is None or (new.columns or {}).keys() != (old.columns or {}).keys() or new.index != old.index:
                self.state.heap[now] = new.forget()

    def _bodies(self) -> None:
        """Bodies of functions, with the names as they are at the end: nothing in them is certain."""
        self.certain = False
        done = 0
        while done < len(self.deferred):
            node = self.deferred[done].node
            done += 1
            outer = dict(self.state.names)
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            self.state.names.update({a.arg: UNKNOWN for a in every if a is not None})
            if isinstance(node, ast.Lambda):
                self.expr(node.body)
            else:
                self.block(node.body)
            self.state.names = outer
