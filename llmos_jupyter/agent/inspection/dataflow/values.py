"""What the walk through a candidate knows of a value: the smallest domain that answers our questions.

`UNKNOWN` is always right. Frames are mutable and have aliases, so their columns stand on a heap, found
by a handle; everything else is immutable and compared by value.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

from llmos_jupyter.agent import live


class Value:
    """Anything the walk knows of a value."""

    __slots__ = ()


class _Unknown(Value):
    __slots__ = ()


UNKNOWN = _Unknown()


@dataclass(frozen=True, eq=False)
class Ref(Value):
    """A live object, a documented path, or both. An instance made by the candidate has a path that ends
    in `()` and perhaps a class."""

    path: str | None = None
    obj: Any = live.MISSING
    cls: type | None = None

    def __eq__(self, other: object) -> bool:
        # Classes are compared by identity: a metaclass of the user's may define equality.
        same = isinstance(other, Ref) and self.path == other.path
        return same and isinstance(other, Ref) and self.obj is other.obj and self.cls is other.cls

    def __hash__(self) -> int:
        return hash((self.path, id(self.obj), id(self.cls)))


@dataclass(frozen=True)
class Const(Value):
    """An immutable constant."""

    value: Any


@dataclass(frozen=True)
class Seq(Value):
    """A list, tuple or set written out in the candidate."""

    items: tuple[Value, ...]
    cls: type = list


@dataclass(frozen=True)
class Dict(Value):
    """A dictionary written out in the candidate."""

    keys: tuple[Value, ...]
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Frame(Value):
    """A DataFrame; what is known of its columns stands on the heap."""

    handle: int


@dataclass(frozen=True)
class Series(Value):
    """A pandas Series. `name` and `index` are None when not known; `column` is (frame, label) of the live
    column it is."""

    name: Hashable | None = None
    index: tuple[Any, ...] | None = None
    obj: Any = field(default=live.MISSING, compare=False)
    column: Any = field(default=None, compare=False)
    mask: bool = False


@dataclass(frozen=True)
class Group(Value):
    """`df.groupby(...)`, perhaps with columns selected."""

    handle: int
    keys: tuple[Any, ...] | None
    as_index: bool
    selected: tuple[Any, ...] | None = None
    one: bool = False


@dataclass(frozen=True)
class Part(Value):
    """An attribute of a frame that is not yet called or subscripted: `loc`, `plot`, a method, `str`."""

    of: Value
    name: str


@dataclass(frozen=True, eq=False)
class Function(Value):
    """A function that the candidate defines."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, eq=False)  # comparing would compare live frames
class Facts:
    """What is known of one frame. `columns` maps each label that may exist to the live frame it still
    is a column of, or None; the whole is None if the labels are not known. `index`: names of its levels."""

    library: str = "pandas"
    columns: dict[Any, Any] | None = None
    index: tuple[Any, ...] | None = None
    nested: bool = False

    def with_columns(self, *labels: Any) -> Facts:
        if self.columns is None:
            return self
        return replace(self, columns={**self.columns, **dict.fromkeys(labels)})

    def forget(self) -> Facts:
        return replace(self, columns=None, index=None)

    def unsourced(self) -> Facts:
        """The same columns with values that are no longer the live ones."""
        return self if self.columns is None else replace(self, columns=dict.fromkeys(self.columns))

    def has(self, label: Any) -> bool:
        """Whether the label may be a column; True when it is not known."""
        return self.columns is None or label in self.columns

    def has_key(self, label: Any) -> bool:
        """The same where pandas accepts the name of an index level too."""
        return self.has(label) or self.index is None or label in self.index


def frame_facts(obj: Any) -> Facts:
    """The facts of a live pandas or polars frame."""
    labels = live.column_labels(obj)
    polars = live.is_polars(obj)
    if labels is None:
        return Facts("polars" if polars else "pandas")
    nested = any(type(label) is tuple for label in labels)
    columns: dict[Any, Any] = dict.fromkeys(labels, obj)
    if nested:
        for label in labels:
            if type(label) is tuple:
                columns.update(dict.fromkeys(label[:n] for n in range(1, len(label))))
                columns[label[0]] = None
    return Facts("polars" if polars else "pandas", columns, () if polars else live.index_names(obj), nested)


@dataclass
class State:
    """The variables and the heap at one point of the candidate. `origin`, shared by all points: the
    live frames as they are before it."""

    names: dict[str, Value] = field(default_factory=dict)
    heap: dict[int, Facts] = field(default_factory=dict)
    origin: dict[int, Facts] = field(default_factory=dict)
    dirty: frozenset[int] = frozenset()
    all_dirty: bool = False

    def copy(self) -> State:
        return State(dict(self.names), dict(self.heap), self.origin, self.dirty, self.all_dirty)

    def facts(self, handle: int) -> Facts | None:
        """What is known of a frame here; a live one that was not met yet is as it was."""
        return self.heap.get(handle) or self.origin.get(handle)


def join(a: State, b: State) -> State:
    """What holds whichever of two ways was taken."""
    out = State(origin=a.origin, dirty=a.dirty | b.dirty, all_dirty=a.all_dirty or b.all_dirty)
    for handle in a.heap.keys() | b.heap.keys():
        out.heap[handle] = _join_facts(a.facts(handle), b.facts(handle))
    for name in a.names.keys() | b.names.keys():
        left, right = a.names.get(name), b.names.get(name)
        if left == right and left is not None:
            out.names[name] = left
        elif isinstance(left, Frame) and isinstance(right, Frame):
            facts = _join_facts(a.facts(left.handle), b.facts(right.handle))
            handle = -1 - len(out.heap)
            while handle in out.heap:
                handle -= 1
            out.heap[handle] = facts
            out.names[name] = Frame(handle)
        else:
            out.names[name] = UNKNOWN
    return out


def _join_facts(a: Facts | None, b: Facts | None) -> Facts:
    # A handle that only one way knows was made there: the other has no value that leads to it.
    if a is None or b is None:
        return a or b or Facts()
    if a is b:
        return a
    if a.columns is None or b.columns is None or a.library != b.library:
        return Facts(a.library)
    index = None if a.index is None or b.index is None else tuple(dict.fromkeys([*a.index, *b.index]))
    both = {k: v if b.columns.get(k, v) is v else None for k, v in a.columns.items()}
    return Facts(a.library, {**b.columns, **both}, index, a.nested or b.nested)


def labels(value: Value) -> tuple[list[Any], bool]:
    """The labels a value stands for, and whether these are all of them."""
    if isinstance(value, Const):
        return [value.value], True
    if isinstance(value, Seq):
        known = [v.value for v in value.items if isinstance(v, Const)]
        return known, len(known) == len(value.items)
    if isinstance(value, Ref) and value.obj is not live.MISSING:
        if live.kind(value.obj, str, int):
            return [value.obj], True
        if live.kind(value.obj, list, tuple):
            known = [v for v in value.obj if live.kind(v, str, int)]
            return known, len(known) == len(value.obj)
    return [], False


def is_list(value: Value) -> bool:
    if isinstance(value, Seq):
        return value.cls is list
    return isinstance(value, Ref) and type(value.obj) is list


NONE = Const(None)
TRUE = Const(True)


class Call:
    """The arguments of one call of a method."""

    def __init__(self, node: ast.Call, args: list[Value], keywords: dict[str, Value]) -> None:
        self.node = node
        self.args = args
        self.keywords = keywords
        self.opaque = any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords)
        self.owner: ast.AST = node.func.value if isinstance(node.func, ast.Attribute) else node.func

    def get(self, position: int | None, keyword: str) -> Value | None:
        if keyword in self.keywords:
            return self.keywords[keyword]
        return self.args[position] if position is not None and position < len(self.args) else None


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def may_leave(node: ast.AST, loop: bool = False) -> bool:
    """Whether a statement may end the block it stands in early."""
    if isinstance(node, _SCOPES):
        return False
    if isinstance(node, ast.Return | ast.Raise):
        return True
    if isinstance(node, ast.Break | ast.Continue):
        return not loop
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in {"exit", "quit", "_exit", "abort"}:
            return True
    inner = loop or isinstance(node, ast.For | ast.AsyncFor | ast.While)
    return any(may_leave(child, inner) for child in ast.iter_child_nodes(node))
