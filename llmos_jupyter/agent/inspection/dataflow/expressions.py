"""What is known of the value of each kind of expression."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection import outside
from llmos_jupyter.agent.inspection.dataflow import calls, frames, label_checks
from llmos_jupyter.agent.inspection.dataflow.statements import items_of
from llmos_jupyter.agent.inspection.dataflow.values import (
    UNKNOWN,
    Const,
    Dict,
    Frame,
    Function,
    Ref,
    Seq,
    Series,
    Value,
    join,
)

if TYPE_CHECKING:
    from llmos_jupyter.agent.inspection.dataflow.walk import Walk


def of_Constant(walk: Walk, node: ast.Constant) -> Value:
    return UNKNOWN if node.value is Ellipsis else Const(node.value)


def of_Name(walk: Walk, node: ast.Name) -> Value:
    return walk.lookup(node.id)


def of_NamedExpr(walk: Walk, node: ast.NamedExpr) -> Value:
    value = walk.expr(node.value)
    walk.assign(node.target, value)
    return value


def of_JoinedStr(walk: Walk, node: ast.JoinedStr) -> Value:
    for part in node.values:
        walk.expr(part)
    if all(isinstance(p, ast.Constant) for p in node.values):
        return Const("".join(str(p.value) for p in node.values if isinstance(p, ast.Constant)))
    first = node.values[0]
    start = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return Ref(outside.URL if outside.is_url(start) else None, cls=str)


def of_FormattedValue(walk: Walk, node: ast.FormattedValue) -> Value:
    walk.expr(node.value)
    return UNKNOWN


def _sequence(walk: Walk, node: ast.List | ast.Tuple | ast.Set, cls: type) -> Value:
    values = [walk.expr(e) for e in node.elts]
    if any(isinstance(e, ast.Starred) for e in node.elts):
        return Ref(cls=cls)
    return Seq(tuple(values), cls)


def of_List(walk: Walk, node: ast.List) -> Value:
    return _sequence(walk, node, list)


def of_Tuple(walk: Walk, node: ast.Tuple) -> Value:
    return _sequence(walk, node, tuple)


def of_Set(walk: Walk, node: ast.Set) -> Value:
    return _sequence(walk, node, set)


def of_Dict(walk: Walk, node: ast.Dict) -> Value:
    keys = [walk.expr(k) if k is not None else UNKNOWN for k in node.keys]
    values = [walk.expr(v) for v in node.values]
    return Dict(tuple(keys), tuple(values))


def of_Attribute(walk: Walk, node: ast.Attribute) -> Value:
    return walk.attribute(walk.expr(node.value), node.attr, node)


def of_Subscript(walk: Walk, node: ast.Subscript) -> Value:
    base = walk.expr(node.value)
    key = walk.expr(node.slice)
    if base == Const(None):
        owner = label_checks.shown(node.value, "The value")
        text = f"{owner} is None here, which has no items: check what was assigned to it."
        walk.error("unknown-attribute", text, node, "None")
        return UNKNOWN
    if isinstance(base, Ref):
        if base.path == "builtins" or (base.path or "").endswith(".__dict__"):
            if isinstance(key, Const) and isinstance(key.value, str):
                owner = (base.path or "").removesuffix(".__dict__")
                return walk.attribute(walk.module(owner), key.value, node)
            return UNKNOWN
        if type(base.obj) is dict and isinstance(key, Const) and type(key.value) is str:
            # Asking the dict would compare with its keys, which may be of the user's making.
            texts = {own: value for own, value in list(base.obj.items()) if type(own) is str}
            found = texts.get(key.value, live.MISSING)
            return UNKNOWN if found is live.MISSING else walk.lift(found)
        return UNKNOWN
    if isinstance(base, Dict) and isinstance(key, Const):
        for k, v in zip(base.keys, base.values, strict=True):
            if k == key:
                return v
        return UNKNOWN
    if isinstance(base, Seq) and isinstance(key, Const) and type(key.value) is int:
        return base.items[key.value] if -len(base.items) <= key.value < len(base.items) else UNKNOWN
    return frames.item(walk, base, key, node)


def of_Slice(walk: Walk, node: ast.Slice) -> Value:
    for part in (node.lower, node.upper, node.step):
        if part is not None:
            walk.expr(part)
    return Ref("slice")


def of_Starred(walk: Walk, node: ast.Starred) -> Value:
    walk.expr(node.value)
    return UNKNOWN


def of_Await(walk: Walk, node: ast.Await) -> Value:
    return walk.expr(node.value)


def of_Compare(walk: Walk, node: ast.Compare) -> Value:
    values = [walk.expr(node.left), *(walk.expr(c) for c in node.comparators)]
    plain = not any(isinstance(op, ast.In | ast.NotIn | ast.Is | ast.IsNot) for op in node.ops)
    return Series(mask=True) if plain and any(isinstance(v, Series) for v in values) else UNKNOWN


def of_UnaryOp(walk: Walk, node: ast.UnaryOp) -> Value:
    value = walk.expr(node.operand)
    if isinstance(node.op, ast.USub) and isinstance(value, Const) and type(value.value) in (int, float):
        return Const(-value.value)
    if isinstance(value, Series) and not isinstance(node.op, ast.Not):
        return Series(mask=value.mask and isinstance(node.op, ast.Invert))
    return UNKNOWN


def of_BinOp(walk: Walk, node: ast.BinOp) -> Value:
    left, right = walk.expr(node.left), walk.expr(node.right)
    if isinstance(left, Const) and isinstance(right, Const) and isinstance(node.op, ast.Add):
        if type(left.value) is str and type(right.value) is str and len(left.value) + len(right.value) < 10_000:
            return Const(left.value + right.value)
        return UNKNOWN
    if isinstance(left, Const) and isinstance(left.value, str) and outside.is_url(left.value):
        return Ref(outside.URL, cls=str)
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


def of_BoolOp(walk: Walk, node: ast.BoolOp) -> Value:
    walk.expr(node.values[0])
    _perhaps(walk, node.values[1:])
    return UNKNOWN


def of_IfExp(walk: Walk, node: ast.IfExp) -> Value:
    walk.expr(node.test)
    start = walk.state.copy()
    _perhaps(walk, [node.body])
    taken, walk.state = walk.state, start
    _perhaps(walk, [node.orelse])
    walk.state = join(taken, walk.state)
    return UNKNOWN


def _perhaps(walk: Walk, nodes: list[ast.expr]) -> None:
    certain, walk.certain = walk.certain, False
    for node in nodes:
        walk.expr(node)
    walk.certain = certain


def of_Lambda(walk: Walk, node: ast.Lambda) -> Value:
    function = Function(node)
    walk.deferred.append(function)
    return function


def _comprehension(walk: Walk, node: Any) -> Value:
    outer = dict(walk.state.names)
    certain = walk.certain
    parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    first = node.generators[0]
    iterable = walk.expr(first.iter)
    items = items_of(walk, iterable) if len(node.generators) == 1 and not first.ifs else []
    if items and not isinstance(node, ast.GeneratorExp):
        for item in items:
            walk.assign(first.target, item)
            for part in parts:
                walk.expr(part)
    else:
        walk.certain = False
        for i, generator in enumerate(node.generators):
            if i:
                walk.expr(generator.iter)
            walk.assign(generator.target, UNKNOWN)
            for test in generator.ifs:
                walk.expr(test)
        for part in parts:
            walk.expr(part)
    walk.certain = certain
    walk.state.names = outer
    if isinstance(node, ast.GeneratorExp):
        return UNKNOWN
    return Ref(cls={ast.ListComp: list, ast.SetComp: set, ast.DictComp: dict}[type(node)])


of_ListComp = of_SetComp = of_DictComp = of_GeneratorExp = _comprehension


def of_Call(walk: Walk, node: ast.Call) -> Value:
    return calls.call(walk, node)
