"""What outlives an answer though it is no variable: patched modules and classes, `sys.path`, signal handlers."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.protocol import Capability, Finding

_ALTERING = frozenset({"append", "insert", "extend", "remove", "pop", "clear", "reverse", "sort"})
# What Python calls of itself; IPython puts some back after the cell, which does not make setting them harmless.
_HOOKS = frozenset(
    ["sys.excepthook", "sys.unraisablehook", "sys.displayhook", "sys.breakpointhook", "threading.excepthook"]
)
_MISSING = object()


def patches(tree: ast.Module, namespace: Mapping[str, Any]) -> Iterator[Finding]:
    """One warning for each such change; nothing of the user's is called to find them."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    imported = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)):
            path = _path(node)
            if path == "sys.path":
                yield _finding(node, "changes where Python looks for modules (`sys.path`)")
            elif path in _HOOKS:
                yield _finding(node, f"replaces `{path}`, which Python calls of itself").model_copy(
                    update={"capability": Capability.KERNEL}
                )
            elif path and _shared(node.value, namespace, imported, own):
                yield _finding(node, f"replaces `{path}` for the whole notebook")
        elif isinstance(node, ast.Call):
            yield from _call(node, namespace, imported, own)


def _call(
    node: ast.Call, namespace: Mapping[str, Any], imported: Mapping[str, Any], own: set[str]
) -> Iterator[Finding]:
    path = _path(node.func)
    head, _, last = path.rpartition(".")
    if head == "sys.path" and last in _ALTERING:
        yield _finding(node, "changes where Python looks for modules (`sys.path`)")
    elif path in ("signal.signal", "signal.setitimer", "signal.alarm"):
        yield _finding(node, "changes how the kernel takes signals, the stop button's among them")
    elif path in ("setattr", "delattr") and len(node.args) > 1 and _shared(node.args[0], namespace, imported, own):
        name = str(node.args[1].value) if isinstance(node.args[1], ast.Constant) else "..."
        yield _finding(node, f"replaces `{ast.unparse(node.args[0])}.{name}` for the whole notebook")


def _finding(node: ast.expr, what: str) -> Finding:
    return Finding(
        kind="hidden-code",
        severity="warning",
        message=f"This {what}: restart the kernel to take it back.",
        line=node.lineno,
        name=what,
    )


def _path(node: ast.expr) -> str:
    """`a.b.c` as text; empty for anything that is not names and dots."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def _imported(tree: ast.Module) -> dict[str, Any]:
    """Names that the candidate's own imports bind to modules loaded already, so that nothing is imported here."""
    import sys

    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                path = alias.name if alias.asname else alias.name.partition(".")[0]
                # A module that is not loaded yet is a module all the same.
                found[alias.asname or path] = sys.modules.get(path, types.ModuleType(path))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            home = vars(sys.modules[node.module]) if node.module in sys.modules else {}
            found.update({a.asname or a.name: home[a.name] for a in node.names if a.name in home})
    return found


def _shared(node: ast.expr, namespace: Mapping[str, Any], imported: Mapping[str, Any], own: set[str]) -> bool:
    """Whether an expression is a module, or a class that this candidate did not make itself."""
    path = _path(node)
    first, *rest = path.split(".")
    if not path or first in own:
        return False
    value = imported[first] if first in imported else namespace.get(first, _MISSING)
    for part in rest:
        if type(value) is types.ModuleType:
            value = vars(value).get(part, _MISSING)
        elif type(value) is type:
            value = type.__getattribute__(value, "__dict__").get(part, _MISSING)
        else:
            return False
    if type(value) is types.ModuleType:
        return value.__name__ != "__main__"
    return isinstance(type(value), type) and issubclass(type(value), type)
