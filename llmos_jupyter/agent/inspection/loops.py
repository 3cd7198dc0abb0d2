"""Loops with no way out."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.protocol import Finding

_ENDLESS = frozenset({"count", "cycle", "repeat"})
_EXITS = frozenset({"exit", "quit", "_exit", "abort"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def endless(tree: ast.Module, namespace: Mapping[str, Any] | None = None) -> Iterator[Finding]:
    """`while True`, a `while` over numbers that never change, and loops over `itertools.count` that nothing ends."""
    aliases = _itertools_names(tree)
    numbers = _numbers(tree, namespace or {})
    for node in ast.walk(tree):
        if isinstance(node, ast.While):
            if _always(node.test) and not _ends(node.body):
                yield _finding(node, "`while` with a condition that is always true")
            elif still := _standing(node, numbers):
                yield _finding(node, f"a `while` in which `{still}` never changes")
        elif isinstance(node, ast.For):
            name = _endless_iterator(node.iter, aliases)
            if name and not _ends(node.body):
                yield _finding(node, f"a loop over `{name}`")
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp):
            name = _endless_iterator(node.generators[0].iter, aliases)
            if name:
                yield _finding(node, f"a comprehension over `{name}`")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
            name = _endless_iterator(node.args[0], aliases)
            if name and node.func.id in {"list", "tuple", "set", "sum", "max", "min", "sorted"}:
                yield _finding(node, f"`{node.func.id}` over `{name}`")


def _finding(node: ast.AST, what: str) -> Finding:
    return Finding(
        kind="endless-loop",
        severity="warning",
        message=f"This is {what}, with nothing that ends it: add a `break` or a limit.",
        line=getattr(node, "lineno", None),
    )


def _itertools_names(tree: ast.AST) -> dict[str, str]:
    """Names under which the candidate has endless iterators: {'count': 'count', 'it.cycle': 'cycle'}."""
    names = {f"itertools.{n}": n for n in _ENDLESS}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "itertools":
            names.update({a.asname or a.name: a.name for a in node.names if a.name in _ENDLESS})
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "itertools" and alias.asname:
                    names.update({f"{alias.asname}.{n}": n for n in _ENDLESS})
    return names


def _endless_iterator(node: ast.expr, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "enumerate" and node.args:
        return _endless_iterator(node.args[0], names)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
        return None
    found = names.get(ast.unparse(node.func))
    if found == "repeat" and (len(node.args) > 1 or node.keywords):
        return None
    return found


def _always(test: ast.expr) -> bool:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and isinstance(test.operand, ast.Constant):
        return not test.operand.value
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Constant) and len(test.comparators) == 1:
        right = test.comparators[0]
        return isinstance(right, ast.Constant) and isinstance(test.ops[0], ast.Eq) and test.left.value == right.value
    return isinstance(test, ast.Constant) and bool(test.value)


def _numbers(tree: ast.Module, namespace: Mapping[str, Any]) -> frozenset[str]:
    """Names that hold plain numbers, so that nothing but an assignment changes what they are compared with."""
    found = {name for name, value in namespace.items() if live.kind(value, int, float, bool)}
    other = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(target := node.targets[0], ast.Name):
            number = isinstance(node.value, ast.Constant) and type(node.value.value) in (int, float, bool)
            (found if number else other).add(target.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            other.update(node.names)  # a function that is called in the loop may change them
    return frozenset(found - other)


def _standing(loop: ast.While, numbers: frozenset[str]) -> str:
    """The name whose comparison decides the loop, if nothing in the loop can change it."""
    parts = list(ast.walk(loop.test))
    plain = (ast.Name, ast.Constant, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.operator, ast.cmpop)
    if not all(isinstance(part, (*plain, ast.boolop, ast.unaryop, ast.expr_context)) for part in parts):
        return ""
    tested = [part.id for part in parts if isinstance(part, ast.Name)]
    bound = {
        node.id
        for statement in loop.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del)
    }
    if not tested or not set(tested) <= numbers or bound & set(tested) or _ends(loop.body):
        return ""
    return tested[0]


def _ends(body: list[ast.stmt], nested: bool = False) -> bool:
    return any(_leaves(node, nested) for node in body)


def _leaves(node: ast.AST, nested: bool) -> bool:
    """Whether something in a loop's body may end the loop; a generator hands control back at each turn."""
    if isinstance(node, _SCOPES):
        return False
    if isinstance(node, ast.Return | ast.Raise | ast.Yield | ast.YieldFrom):
        return True
    if isinstance(node, ast.Break):
        return not nested
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _EXITS or name == "next":
            return True
    if isinstance(node, ast.For | ast.AsyncFor | ast.While):
        return _ends(node.body, True) or _ends(node.orelse, nested)
    return any(_leaves(child, nested) for child in ast.iter_child_nodes(node))
