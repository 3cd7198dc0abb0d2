"""What functions that the code only defines would ask of a library that lacks it: no rehearsal runs them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.mending.nearest import did_you_mean, nearest
from llmos_jupyter.protocol import Finding


def missing_attributes(tree: ast.Module, namespace: Mapping[str, Any]) -> Iterator[Finding]:
    """An error for each attribute that a loaded module is certain to lack, in functions that catch no errors."""
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    modules = {**_modules(namespace), **_imported(tree)}
    for function in tree.body:
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if any(isinstance(node, ast.Try) for node in ast.walk(function)):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id not in bound:
                module = modules.get(node.value.id)
                if module is not None and live.lacks(module, node.attr):
                    near = nearest(node.attr, live.members(module))
                    message = f"The module {live.module_name(module)} has no attribute `{node.attr}`"
                    yield Finding(
                        kind="unknown-attribute",
                        severity="error",
                        message=f"{message}{did_you_mean(near)}; use one it has.",
                        line=node.lineno,
                        name=node.attr,
                        suggestions=near,
                    )


def _modules(namespace: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in namespace.items() if type(name) is str and live.is_module(value)}


def _imported(tree: ast.Module) -> dict[str, Any]:
    """The loaded modules that the code itself imports."""
    found = {}
    for node in ast.walk(tree):
        for alias in node.names if isinstance(node, ast.Import) else []:
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            found[alias.asname or name] = sys.modules.get(name)
    return found
