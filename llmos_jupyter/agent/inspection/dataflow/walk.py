"""A walk through the candidate in the order in which it would run, knowing what little is certain.

A forward abstract interpretation over `values`: assignments update what is known, branches join,
whatever cannot be followed becomes UNKNOWN. Findings of severity `error` are made only where the
statement is certain to run (`certain`): not in a branch, a `try`, or after a possible early exit.
"""

from __future__ import annotations

import ast
import builtins
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection import outside
from llmos_jupyter.agent.inspection.callables import callable_path
from llmos_jupyter.agent.inspection.dataflow.same_labels import Miss
from llmos_jupyter.agent.inspection.dataflow.values import (
    UNKNOWN,
    Const,
    Dict,
    Facts,
    Frame,
    Function,
    Ref,
    Seq,
    Series,
    State,
    Value,
    frame_facts,
    may_leave,
)
from llmos_jupyter.protocol import Capability, Finding, FindingKind

# Visits of expressions after which loops are no longer unrolled nor calls followed.
_BUDGET = 20_000
_INLINE_DEPTH = 2


class Walk(ABC):
    """What one walk knows and has found; `interpreter.Interpreter` walks. All handlers take one of these."""

    def __init__(self, tree: ast.Module, namespace: Mapping[str, Any]) -> None:
        self.namespace = namespace
        self.state = State()
        self.findings: list[Finding] = []
        self.misses: list[Miss] = []
        self.certain = True
        self.maybe: set[Any] = set()  # labels stored into something that could be any frame
        self.identities = outside.Identities()
        self.depth = 0
        self.visits = 0
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
        return self.visits > _BUDGET

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

    # --- statements ---

    def block(self, body: list[ast.stmt]) -> None:
        before = self.certain
        for node in body:
            self.statement(node)
            if may_leave(node):
                self.certain = False
        if not any(may_leave(node) for node in body):
            self.certain = before

    def forget_name(self, node: ast.expr, value: Value) -> None:
        """A container that stands under a name was changed."""
        self.forget(value) if isinstance(value, Ref) else None
        if isinstance(node, ast.Name) and isinstance(value, Seq | Dict):
            self.state.names[node.id] = Ref(cls=value.cls if isinstance(value, Seq) else dict)

    # --- what the interpreter does ---

    @abstractmethod
    def attribute(self, base: Value, name: str, node: ast.AST, called: bool = False) -> Value:
        """The value of `base.name`; reports an attribute that cannot be there."""

    @abstractmethod
    def statement(self, node: ast.stmt) -> None:
        """Follow one statement."""

    @abstractmethod
    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a target to a value."""

    @abstractmethod
    def expr(self, node: ast.expr) -> Value:
        """What is known of an expression's value."""

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
