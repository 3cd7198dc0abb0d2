"""Loops with no way out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from llmos_jupyter.protocol import Finding

_ENDLESS = frozenset({"count", "cycle", "repeat"})
_EXITS = frozenset({"exit", "quit", "_exit", "abort"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def endless(tree: ast.Module) -> Iterator[Finding]:
    """`while True` and loops over `itertools.count` or `cycle` that nothing ends."""
    aliases = _itertools_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.While):
            if _always(node.test) and not _ends(node.body):
                yield _finding(node, "`while` with a condition that is always true")
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
