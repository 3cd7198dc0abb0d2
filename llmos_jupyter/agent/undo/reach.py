"""What code may do to the user's names, from its text alone: for a run that was not rehearsed to its end."""

from __future__ import annotations

import ast
import bisect
import builtins
import collections
import heapq
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_WORD = re.compile(r"[^\W\d]\w*")

# Methods of lists, dicts, sets, arrays, frames, files ... of which a call means a change in place.
_MUTATORS = (
    (
        frozenset([*dir(list), *dir(dict), *dir(set), *dir(collections.deque), *dir(collections.OrderedDict)])
        - frozenset([*dir(tuple), *dir(types.MappingProxyType), *dir(frozenset), "fromkeys"])
    )
    | {"fill", "put", "itemset", "partition", "resize", "setflags", "setfield", "byteswap", "subtract", "write"}
    | {"insert_column", "replace_column", "drop_in_place", "writelines", "seek", "truncate", "shuffle", "random"}
)
_CHANGING_FUNCTIONS = (
    frozenset([*dir(heapq), *dir(bisect)])
    | {"copyto", "put", "place", "putmask", "put_along_axis", "fill_diagonal", "shuffle", "setattr", "delattr", "next"}
    | {"setitem", "delitem", "exec", "eval", "iconcat", "iadd"}
)
_READING = frozenset(
    name for name in dir(builtins) if name not in ("setattr", "delattr", "next", "exec", "eval", "vars", "globals")
)
_SWEEPING = frozenset({"exec", "eval", "globals", "locals", "vars", "get_ipython", "__import__", "compile"})


@dataclass
class Reach:
    """Names the code binds or deletes, may change in place, and names at all."""

    bound: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    mentioned: set[str] = field(default_factory=set)


def reach(code: str, namespace: Mapping[str, Any], transform: Callable[[str], str]) -> Reach:
    """What `code` may do. Too much rather than too little; whatever cannot be read is taken to change all it names."""
    found = Reach()
    try:
        tree = ast.parse(transform(code))
    except (SyntaxError, ValueError, RecursionError):
        words = set(_WORD.findall(code))
        return Reach(words, words, words)
    _Reader(found, namespace, set()).visit(tree)
    if found.mentioned & _SWEEPING:
        words = set(_WORD.findall(code))
        found.bound |= words
        found.changed |= words
        found.mentioned |= words
    _spread(found, tree)
    return found


def _spread(found: Reach, tree: ast.AST) -> None:
    """A name bound to something of another one's may be the same object: what changes the one changes the other."""
    links: list[tuple[set[str], set[str]]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            bound = _names(*node.targets) if isinstance(node, ast.Assign) else _names(node.target)
            links.append((bound, _names(node.value)))
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            links.append((_names(node.target), _names(node.iter)))
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                if item.optional_vars is not None:
                    links.append((_names(item.optional_vars), _names(item.context_expr)))
    grew = True
    while grew:
        grew = False
        for targets, sources in links:
            if targets & found.changed and not sources <= found.changed:
                found.changed |= sources
                grew = True


def _names(*nodes: ast.AST) -> set[str]:
    return {inner.id for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Name)}


class _Reader(ast.NodeVisitor):
    def __init__(self, found: Reach, namespace: Mapping[str, Any], seen: set[str]) -> None:
        self.found, self.namespace, self.seen = found, namespace, seen

    def visit_Name(self, node: ast.Name) -> None:
        self.found.mentioned.add(node.id)
        if not isinstance(node.ctx, ast.Load):
            self.found.bound.add(node.id)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.found.bound |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}

    visit_ImportFrom = visit_Import

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.found.bound.add(node.name)
        self.generic_visit(node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _definition

    def _store(self, node: ast.Subscript | ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.found.changed |= _names(node.value)
        self.generic_visit(node)

    visit_Subscript = visit_Attribute = _store

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.found.changed |= _names(node.target)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(function, ast.Attribute):
            self._method(node, function, given)
        elif isinstance(function, ast.Name):
            if function.id in self.namespace:
                self._user_function(function.id)
            if function.id not in _READING and not self._from_library(function.id):
                self.found.changed |= _names(*given)
        else:
            self.found.changed |= _names(*given)
        self.generic_visit(node)

    def _method(self, node: ast.Call, function: ast.Attribute, given: list[ast.expr]) -> None:
        receivers = _names(function.value)
        in_place = any(
            keyword.arg in ("inplace", "out", "ax", "copy", None) and not _false(keyword.value)
            for keyword in node.keywords
        )
        known = all(self._data(name) for name in receivers)
        if function.attr in _MUTATORS or in_place or not known or function.attr.endswith("_"):
            self.found.changed |= receivers
        if function.attr in _CHANGING_FUNCTIONS or in_place or (function.attr in _MUTATORS and not known):
            self.found.changed |= _names(*given)

    def _data(self, name: str) -> bool:
        """Whether a name holds data whose methods, but for the known ones, only read; or a module."""
        if name not in self.namespace:
            return True
        value = self.namespace[name]
        module = str(type(value).__module__).partition(".")[0]
        return module in ("builtins", "collections", "pandas", "numpy", "polars", "datetime") and not isinstance(
            value, types.GeneratorType | types.FunctionType
        )

    def _from_library(self, name: str) -> bool:
        value = self.namespace.get(name)
        module = getattr(value, "__module__", None)
        return value is not None and module != "__main__" and name not in _CHANGING_FUNCTIONS

    def _user_function(self, name: str) -> None:
        """What a function of the user's names may change as well, and the function itself."""
        if name in self.seen:
            return
        self.seen.add(name)
        value = self.namespace[name]
        functions = [value] if isinstance(value, types.FunctionType) else []
        if isinstance(value, type) and value.__module__ == "__main__":
            functions = [member for member in vars(value).values() if isinstance(member, types.FunctionType)]
        if functions:
            self.found.changed.add(name)
        for function in functions:
            for inner in _code_names(function.__code__):
                if inner in self.namespace:
                    self.found.mentioned.add(inner)
                    self.found.changed.add(inner)
                    self._user_function(inner)


def _code_names(code: types.CodeType) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _code_names(constant)
    return found


def _false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False
