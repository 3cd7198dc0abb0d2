"""The walk itself: each statement, expression and attribute is given to the module that knows its kind."""

from __future__ import annotations

import ast
import sys
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection.dataflow import expressions, frames, label_checks, statements
from llmos_jupyter.agent.inspection.dataflow.values import (
    UNKNOWN,
    Const,
    Dict,
    Frame,
    Group,
    Part,
    Ref,
    Seq,
    Series,
    Value,
    labels,
)
from llmos_jupyter.agent.inspection.dataflow.walk import Walk
from llmos_jupyter.agent.mending.nearest import did_you_mean, nearest


class Interpreter(Walk):
    """One walk; `findings` and `misses` are its result."""

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

    def expr(self, node: ast.expr) -> Value:
        self.visits += 1
        method = getattr(expressions, f"of_{type(node).__name__}", None)
        if method is not None:
            value: Value = method(self, node)
            return value
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expr(child)
        return UNKNOWN
