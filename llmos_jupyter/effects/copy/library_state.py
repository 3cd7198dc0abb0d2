"""What libraries define, before and after a run: a function or class that code replaced there does not come home."""

from __future__ import annotations

import ast
import sys
import types
from dataclasses import dataclass, field
from typing import Any

from llmos_jupyter.effects.objects.layout import class_dict, class_module, class_name, is_users, library_module, mro

_OURS = ("builtins", "__main__")


@dataclass
class Spoken:
    """What code says of libraries: the modules and classes it names, and the attributes that it sets or deletes."""

    owners: dict[str, Any] = field(default_factory=dict)
    set: frozenset[str] = frozenset()


def spoken(code: str, variables: dict[str, Any]) -> Spoken:
    """`code`: as IPython transforms it. `variables`: what its names stand for before it runs."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Spoken()
    nodes = list(ast.walk(tree))
    bound: dict[str, Any] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                bound[alias.asname or name] = sys.modules.get(name)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            module = sys.modules.get(node.module)
            bound |= {alias.asname or alias.name: _member(module, alias.name) for alias in node.names}
            bound.setdefault(f"module {node.module}", module)
    owners: dict[str, Any] = {}
    for value in bound.values():
        _note(owners, value)
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Name):
            _note(owners, _meant(node, bound, variables))
    return Spoken(owners, frozenset(_set(nodes)))


def _set(nodes: list[ast.AST]) -> set[str]:
    found = {node.attr for node in nodes if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)}
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("setattr", "delattr"):
            found |= {arg.value for arg in node.args[1:2] if isinstance(arg, ast.Constant) and type(arg.value) is str}
    return found


def _meant(node: ast.expr, bound: dict[str, Any], variables: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return bound.get(node.id, variables.get(node.id))
    return _member(_meant(node.value, bound, variables), node.attr) if isinstance(node, ast.Attribute) else None


def _member(owner: Any, name: str) -> Any:
    """What a module or a class defines, asked without running code."""
    if type(owner) is types.ModuleType:
        return vars(owner).get(name)
    if issubclass(type(owner), type):
        return class_dict(owner).get(name)
    return None


def _note(owners: dict[str, Any], value: Any) -> None:
    if type(value) is types.ModuleType and library_module(value.__name__):
        owners[value.__name__] = value
    elif issubclass(type(value), type) and class_module(value) not in _OURS and library_module(class_module(value)):
        owners[f"{class_module(value)}.{class_name(value)}"] = value


def _owners(variables: dict[str, Any]) -> dict[str, Any]:
    """The libraries that names stand for, and the classes of what names hold."""
    owners: dict[str, Any] = {}
    for value in variables.values():
        if type(value) is types.ModuleType:
            owners[value.__name__] = value
            continue
        for cls in mro(type(value))[:-1] if class_module(type(value)) not in _OURS else ():
            if class_module(cls) != "__main__":
                owners[f"{class_module(cls)}.{class_name(cls)}"] = cls
    return owners


def defined(variables: dict[str, Any], said: Spoken) -> dict[str, dict[str, int]]:
    """What the libraries that names stand for and that the code speaks of define, and the classes of what names hold:
    by name, the addresses."""
    return {name: _held(owner) for name, owner in {**said.owners, **_owners(variables)}.items()}


def _held(owner: Any) -> dict[str, int]:
    if type(owner) is not types.ModuleType:
        return {name: id(part) for name, part in class_dict(owner).items() if not name.startswith(("__", "_abc"))}
    held = {name: part for name, part in list(vars(owner).items()) if not name.startswith("_")}
    return {name: id(_unwrapped(part)) for name, part in held.items() if not isinstance(part, types.ModuleType)}


def _unwrapped(part: Any) -> Any:
    """A function, or the one that a library has wrapped in one of its own, as PyTorch does when it needs to."""
    while (inner := getattr(part, "__wrapped__", None)) is not None and isinstance(part, types.FunctionType):
        if not library_module(part.__globals__.get("__name__")):
            break
        part = inner
    return part


def changed(before: dict[str, dict[str, int]], variables: dict[str, Any], said: Spoken) -> list[str]:
    """One clause for each library or class in which something was replaced. Libraries fill their modules as they are
    used, and keep things in their classes. So what is new counts in classes of what names hold, and otherwise what the
    code sets or wrote itself."""
    found = []
    of_names = _owners(variables)
    for owner, value in {**said.owners, **of_names}.items():
        held, now = before.get(owner), _held(value)
        if held is None:
            continue
        different = [name for name, address in now.items() if held.get(name, address) != address]
        new = [name for name in now if name not in held]
        if owner not in of_names:
            different = [name for name in different if name in said.set or _users_own(value, name)]
        if owner not in of_names or type(value) is types.ModuleType:
            new = [name for name in new if name in said.set or _users_own(value, name)]
        gone = [name for name in held if name not in now and name in said.set]
        if names := [*different, *new, *gone]:
            found.append(f"{', '.join(names[:5])} of {owner} was changed")
    return found


def _users_own(owner: Any, name: str) -> bool:
    part = _member(owner, name)
    if type(part) is types.FunctionType:
        return part.__globals__.get("__name__") == "__main__"
    return issubclass(type(part), type) and is_users(part)
