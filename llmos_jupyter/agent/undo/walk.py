"""Everything that a run could change in what a name holds, each object with its memento."""

from __future__ import annotations

import array
import collections
import io
import random
import sqlite3
import sys
import time
import types
from collections import deque
from typing import Any

from llmos_jupyter.agent.undo.kinds import (
    Array,
    Attributes,
    Bytes,
    Function,
    Mapping,
    Memento,
    Sequence,
    Set,
    Tensor,
    memory_file,
    numpy_random,
    polars_state,
    random_state,
)
from llmos_jupyter.agent.undo.snapshot_kinds import _LEAVES, _MACHINERY, ATOMS, _own_class, parts

_NO_STATE = frozenset(
    {
        "builtins",
        "datetime",
        "decimal",
        "fractions",
        "re",
        "pathlib",
        "uuid",
        "zoneinfo",
        "numpy",
        "pandas",
        "functools",
    }
    | {"operator", "weakref", "types", "polars", "pyarrow", "matplotlib", "typing", "enum", "string", "ipaddress"}
    | {"collections", "itertools", "_operator", "_thread", "contextvars", "scipy", "sklearn", "torch", "_abc", "abc"}
)


class Walk:
    """The mementos of all that some names reach."""

    def __init__(self) -> None:
        self.mementos: dict[int, Memento] = {}
        self.owner: dict[int, str] = {}
        self.held: set[int] = set()  # what another object refers to, beside the user's name
        self.impossible: list[tuple[int, str, str]] = []  # identity, name, why
        self._done: set[int] = set()
        self._alive: list[Any] = []  # identities stay theirs

    def look(self, obj: object) -> Memento | None:
        return self.mementos.get(id(obj))

    def walk(self, name: str, root: object, *, nodes: int, deadline: float) -> bool:
        """False if that was too much: then what is deeper was not kept."""
        queue: deque[Any] = deque([root])
        while queue:
            if len(self._done) >= nodes or time.perf_counter() > deadline:
                return False
            obj = queue.popleft()
            key = id(obj)
            if key in self._done or type(obj) in ATOMS:
                continue
            self._done.add(key)
            if (why := unrestorable(obj)) is not None:
                self._alive.append(obj)
                self.impossible.append((key, name, why))
                continue
            memento = memento_for(obj, self)
            if memento is not None:
                self.mementos[key] = memento
                self.owner[key] = name
            else:
                self._alive.append(obj)
            for child in parts(obj) if memento is None else memento.children():
                if type(child) not in ATOMS:
                    self.held.add(id(child))
                    queue.append(child)
        return True

    def finished(self) -> None:
        self._alive.clear()


def memento_for(obj: Any, walk: Walk) -> Memento | None:
    """None for what cannot change, or not by what a candidate does."""
    cls = type(obj)
    if issubclass(cls, list | collections.deque):
        return Sequence(obj)
    if issubclass(cls, dict):
        return Mapping(obj)
    if issubclass(cls, set):
        return Set(obj)
    if issubclass(cls, bytearray | array.array):
        return Bytes(obj)
    if issubclass(cls, random.Random) and cls is not random.SystemRandom:
        return random_state(obj)
    if cls in (io.StringIO, io.BytesIO):
        return None if obj.closed else memory_file(obj)
    if cls is types.FunctionType:
        return Function(obj) if obj.__module__ == "__main__" else None
    if cls is memoryview:
        return None
    module = cls.__module__ if type(cls.__module__) is str else ""
    if (memento := _of_libraries(obj, cls, module, walk)) is not None:
        return memento
    if issubclass(cls, type):
        return Attributes(obj) if _own_class(obj) else None
    if issubclass(cls, _LEAVES) or issubclass(cls, tuple | frozenset):
        return None
    if module.partition(".")[0] in _MACHINERY:
        return None
    return Attributes(obj)


def _of_libraries(obj: Any, cls: type, module: str, walk: Walk) -> Memento | None:
    np = sys.modules.get("numpy")
    if np is not None:
        if issubclass(cls, np.ndarray):
            return Array(obj)
        if issubclass(cls, np.random.Generator | np.random.RandomState | np.random.BitGenerator):
            return numpy_random(obj)
    if (torch := sys.modules.get("torch")) is not None and issubclass(cls, torch.Tensor):
        return Tensor(obj)
    pd = sys.modules.get("pandas")
    if (
        pd is not None
        and hasattr(pd, "core")
        and (module.startswith("pandas") or issubclass(cls, pd.core.generic.NDFrame))
    ):
        from llmos_jupyter.agent.undo.pandas_objects import pandas_memento

        return pandas_memento(obj, walk.look)
    if module.startswith("polars."):
        if hasattr(cls, "insert_column"):
            return polars_state(obj, "_df")
        if cls.__name__ == "Series":
            return polars_state(obj, "_s")
    return None


def unrestorable(obj: Any) -> str | None:
    """Why an object's changes cannot be undone, as what it is; None if they can, or if it cannot change."""
    cls = type(obj)
    if cls in (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType):
        return "a generator cannot be wound back"
    if issubclass(cls, sqlite3.Connection | sqlite3.Cursor):
        return "an open database connection cannot be wound back"
    if (socket := sys.modules.get("socket")) is not None and issubclass(cls, socket.socket):
        return "an open network connection cannot be wound back"
    if (process := sys.modules.get("subprocess")) is not None and issubclass(cls, process.Popen):
        return "a process cannot be wound back"
    if issubclass(cls, io.IOBase) and cls not in (io.StringIO, io.BytesIO):
        return "an open file cannot be wound back"
    module = cls.__module__ if type(cls.__module__) is str else ""
    if module == "mmap":
        return "a memory map is not kept"
    if (
        module.partition(".")[0] in ("psycopg", "psycopg2", "pymysql", "duckdb", "pyodbc")
        or module == "sqlalchemy.engine"
    ):
        return "an open database connection cannot be wound back"
    if module in ("builtins", "itertools", "_csv") and "__next__" in type.__dict__["__dict__"].__get__(cls):
        return "an iterator cannot be wound back"
    return None


def opaque(obj: Any) -> bool:
    """Whether an object is of a C type that we know nothing of."""
    cls = type(obj)
    module = cls.__module__ if type(cls.__module__) is str else ""
    if module.partition(".")[0] in _NO_STATE or issubclass(cls, (*_LEAVES, BaseException)):
        return False
    memento = memento_for(obj, Walk())
    return type(memento) is Attributes and not memento.before and not cls.__dictoffset__
