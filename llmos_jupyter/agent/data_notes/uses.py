"""What code does with live tables: which columns of which rows go through which steps into which operation.

Read from the code and the live variables alone. Whatever is not certain is None: nothing is said of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection.dataflow.column_values import Places, column, places, plain_dtype
from llmos_jupyter.agent.mending.builtin_names import bound


class Note(NamedTuple):
    """A sentence, and the line and the column or table that it is about."""

    text: str
    line: int
    name: str


_MASKS = frozenset(["isna", "isnull", "notna", "notnull", "isin", "between", "eq", "ne", "gt", "ge", "lt", "le"])
_LOCATORS = frozenset(["loc"])
# Columns that are looked at where code works on a whole table: a look takes up to half a millisecond.
_COLUMNS = 200


@dataclass(frozen=True, eq=False)
class Step:
    """A method that was called on the way, or an accessor (`str`, `dt`), which has no call."""

    name: str
    call: ast.Call | None = None


@dataclass(frozen=True, eq=False)
class Chain:
    """Columns of a live table on their way through the code; or a live column that stands alone, under `name`.

    `labels`: None for all of the table's. `masks`: conditions that chose among its rows. `group`: labels of the keys.
    """

    name: str
    table: Any = None
    alone: Any = None
    labels: tuple[Any, ...] | None = None
    one: bool = False
    masks: tuple[ast.expr, ...] = ()
    steps: tuple[Step, ...] = ()
    group: tuple[Any, ...] | None = None
    keeps_gaps: bool = False
    changed: frozenset[Any] = field(default=frozenset())

    @property
    def passed(self) -> set[str]:
        """Names of the steps."""
        return {step.name for step in self.steps}

    def series(self, label: Any) -> Any:
        """The live column of a label; None if the code has changed it, or it is of a kind that is not read."""
        if self.alone is not None:
            return self.alone
        return None if label in self.changed else column(self.table, label, self._places)

    @cached_property
    def _places(self) -> Places:
        return places(self.table)

    @property
    def chosen(self) -> tuple[Any, ...]:
        """The labels of the columns, of a wide table the first; of a column that stands alone its variable's name."""
        if self.alone is not None:
            return (self.name,)
        labels = (live.column_labels(self.table) or [])[:_COLUMNS] if self.labels is None else self.labels
        return tuple(label for label in labels if label not in (self.group or ()))

    @property
    def rows(self) -> int:
        return len(self.table if self.alone is None else self.alone)


class Uses:
    """The code with the live variables it works on."""

    def __init__(self, tree: ast.Module, namespace: Mapping[str, Any]) -> None:
        self.tree = tree
        self.namespace = namespace
        self._defined: dict[str, list[tuple[int, ast.expr | None]]] = {}
        self._stored: list[tuple[int, str, Any]] = []
        self._read()

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Calls of methods and functions with the name of what is called, in the order in which they stand."""
        found = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        for node in sorted(found, key=lambda node: (node.lineno, node.end_col_offset or 0)):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name:
                yield node, name

    def chain(self, node: ast.expr) -> Chain | None:
        """The chain that an expression is; None if it is none, or not certain."""
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        return None

    def columns_in(self, node: ast.expr) -> list[Chain]:
        """The chain of an expression, or those that an arithmetic expression is made of."""
        if isinstance(node, ast.BinOp):
            return self.columns_in(node.left) + self.columns_in(node.right)
        found = self.chain(node)
        return [found] if found is not None else []

    def is_library(self, func: ast.expr, *modules: str) -> bool:
        """Whether a call goes to a function of one of these modules, as that of `pd.merge` does."""
        if not (isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name)):
            return False
        name = func.value.id
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import) and any(
                (a.asname or a.name) == name and a.name in modules for a in node.names
            ):
                return True
        held = self.namespace.get(name)
        return name not in self._defined and live.is_module(held) and live.module_name(held) in modules

    # --- what the code binds and changes ---

    def _read(self) -> None:
        simple: set[int] = set()
        for made in self.tree.body:
            if isinstance(made, ast.Assign) and len(made.targets) == 1 and isinstance(made.targets[0], ast.Name):
                simple.add(id(made.targets[0]))
                self._defined.setdefault(made.targets[0].id, []).append((made.lineno, made.value))
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and id(node) not in simple:
                self._defined.setdefault(node.id, []).append((node.lineno, None))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                for name in bound(node.args):
                    self._defined.setdefault(name, []).append((0, None))
            elif isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
                self._store(node)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _inplace(node):
                self._stored.append((node.lineno, _root(node.func.value), live.MISSING))
        for found in self._defined.values():
            found.sort(key=lambda one: one[0])

    def _store(self, node: ast.Subscript | ast.Attribute) -> None:
        label: Any = live.MISSING
        if isinstance(node.value, ast.Name):
            if isinstance(node, ast.Attribute):
                label = node.attr
            elif isinstance(node.slice, ast.Constant):
                label = node.slice.value
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
            last = node.slice.elts[1]
            label = last.value if isinstance(last, ast.Constant) else live.MISSING
        self._stored.append((node.lineno, _root(node), label))

    # --- chains ---

    def _name(self, node: ast.Name) -> Chain | None:
        before = [value for line, value in self._defined.get(node.id, []) if line < node.lineno]
        found: Chain | None
        if before:
            found = None if before[-1] is None else self.chain(before[-1])
        else:
            held: Any = self.namespace.get(node.id)
            if live.is_frame(held) and live.column_labels(held) is not None:
                found = Chain(node.id, held)
            elif live.is_series(held) and plain_dtype(held.dtype):
                found = Chain(node.id, alone=held, one=True)
            else:
                return None
        if found is None:
            return None
        changes = [label for line, owner, label in self._stored if owner == node.id and line < node.lineno]
        if any(label is live.MISSING for label in changes):
            return None
        return replace(
            found, changed=found.changed | frozenset(label for label in changes if live.kind(label, str, int))
        )

    def _attribute(self, node: ast.Attribute) -> Chain | None:
        base = self.chain(node.value)
        if base is None:
            return None
        if base.one:
            return replace(base, steps=(*base.steps, Step(node.attr))) if node.attr in ("str", "dt", "values") else None
        if live.static(type(base.table), node.attr) is not live.MISSING and base.group is None:
            return None
        return _picked(base, node.attr)

    def _subscript(self, node: ast.Subscript) -> Chain | None:
        if isinstance(node.value, ast.Attribute) and node.value.attr in _LOCATORS:
            return self._located(node.value, node.slice)
        base = self.chain(node.value)
        return None if base is None else self._item(base, node.slice)

    def _item(self, base: Chain, key: ast.expr) -> Chain | None:
        if isinstance(key, ast.Constant) and live.kind(key.value, str, int) and not base.one:
            return _picked(base, key.value)
        if isinstance(key, ast.List) and not base.one and base.alone is None:
            labels = [part.value for part in key.elts if isinstance(part, ast.Constant)]
            known = live.column_labels(base.table) or []
            return replace(base, labels=tuple(labels)) if labels and all(label in known for label in labels) else None
        if base.group is None and self.is_mask(key):
            return replace(base, masks=(*base.masks, key))
        return None

    def _located(self, locator: ast.Attribute, key: ast.expr) -> Chain | None:
        base = self.chain(locator.value)
        if base is None or base.group is not None:
            return None
        if not (isinstance(key, ast.Tuple) and len(key.elts) == 2):
            return self._item(base, key) if self.is_mask(key) else None
        rows, columns = key.elts
        whole = isinstance(rows, ast.Slice) and rows.lower is None and rows.upper is None and rows.step is None
        chosen: Chain | None = base if whole else self._item(base, rows) if self.is_mask(rows) else None
        return None if chosen is None else self._item(chosen, columns)

    def is_mask(self, node: ast.expr) -> bool:
        """Whether the expression chooses rows."""
        if isinstance(node, ast.Name):
            before = [value for line, value in self._defined.get(node.id, []) if line < node.lineno]
            return bool(before) and before[-1] is not None and self.is_mask(before[-1])
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.BitAnd | ast.BitOr) and self.is_mask(node.left) and self.is_mask(node.right)
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.op, ast.Invert) and (self.is_mask(node.operand) or self._boolean(node.operand))
        if isinstance(node, ast.Call):
            return isinstance(node.func, ast.Attribute) and node.func.attr in _MASKS
        return isinstance(node, ast.Compare) or self._boolean(node)

    def _boolean(self, node: ast.expr) -> bool:
        found = self.chain(node) if isinstance(node, ast.Subscript | ast.Attribute) else None
        series = found.series(found.chosen[0]) if found is not None and found.one and not found.steps else None
        return series is not None and str(series.dtype) in ("bool", "boolean")

    def definition(self, node: ast.expr) -> ast.expr:
        """What a name was assigned before; anything else as it is."""
        if isinstance(node, ast.Name):
            before = [value for line, value in self._defined.get(node.id, []) if line < node.lineno]
            if before and before[-1] is not None:
                return before[-1]
        return node

    def _call(self, node: ast.Call) -> Chain | None:
        if not isinstance(node.func, ast.Attribute):
            return None
        name = node.func.attr
        if self.is_library(node.func, "pandas"):
            base = self.chain(node.args[0]) if node.args and name in ("to_numeric", "to_datetime") else None
        else:
            base = self.chain(node.func.value)
        if base is None:
            return None
        if name == "groupby" and not base.one and base.group is None:
            keys = _constants(argument(node, 0, "by"))
            known = live.column_labels(base.table) or []
            if not keys or not all(key in known for key in keys):
                return None
            return replace(base, group=tuple(keys), keeps_gaps=is_constant(argument(node, None, "dropna"), False))
        return replace(base, steps=(*base.steps, Step(name, node)))


def _picked(base: Chain, label: Any) -> Chain | None:
    known = live.column_labels(base.table) or []
    return replace(base, labels=(label,), one=True) if base.alone is None and label in known else None


def _inplace(node: ast.Call) -> bool:
    return any(k.arg == "inplace" and not is_constant(k.value, False) for k in node.keywords)


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _constants(node: ast.expr | None) -> list[Any]:
    """The labels that an argument names; none if it names them in another way."""
    parts = node.elts if isinstance(node, ast.List) else [node] if node is not None else []
    found = [part.value for part in parts if isinstance(part, ast.Constant) and live.kind(part.value, str, int)]
    return found if len(found) == len(parts) else []


labels_of = _constants


def argument(node: ast.Call, position: int | None, keyword: str) -> ast.expr | None:
    """An argument of a call, by its place or its name."""
    named = next((k.value for k in node.keywords if k.arg == keyword), None)
    if named is not None or position is None or position >= len(node.args):
        return named
    return node.args[position]


def is_constant(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is type(value) and node.value == value
