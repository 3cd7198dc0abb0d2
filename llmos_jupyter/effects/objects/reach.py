"""What code may reach by its text, and where things stand that cannot be put back."""

from __future__ import annotations

import io
import re
import sqlite3
import threading
import types
import warnings
from typing import Any

from llmos_jupyter.effects.objects.layout import answers_plainly, class_dict, class_name, is_users

# `!command`: of the notebook's names it reaches those that stand in it in braces.
_COMMAND = re.compile(r"\bget_ipython\(\)\.(?:system|getoutput)\(")
_WORD = re.compile(r"[^\W\d]\w*")
LOCKS = (type(threading.Lock()), type(threading.RLock()))
# With these in it, code reaches names that it does not write.
_SWEEPING = frozenset(
    [
        "globals",
        "locals",
        "vars",
        "eval",
        "exec",
        "get_ipython",
        "user_ns",
        "gc",
        "inspect",
        "_getframe",
        "__main__",
        "In",
        "Out",
        "__dict__",
        "modules",
    ]
)


def mentioned(code: str, names: dict[str, Any]) -> dict[str, Any]:
    """The names that code may reach: those it writes, and those that functions and classes of the user's write that it
    reaches; all of them where the text cannot tell. `code`: as IPython transforms it, where magics are calls."""
    words = set(_WORD.findall(_COMMAND.sub("(", code)))
    if words & _SWEEPING:
        return names
    found: dict[str, Any] = {}
    queue = [name for name in names if name in words or _is_written(name, words)]
    while queue:
        name = queue.pop()
        if name in found:
            continue
        value = found[name] = names[name]
        for written in _written(value, set()):
            if written in names:
                queue.append(written)
    return found


def _is_written(name: str, words: set[str]) -> bool:
    """Whether code may reach what has no name of its own: a result, a figure, a module."""
    what, _, which = name.rpartition(" ")
    if what == "the module":
        return not words.isdisjoint(which.split("."))
    if what == "the result":
        return which in words
    return what == "figure" or (name.startswith("Out[") and f"_{name[4:-1]}" in words)


def _written(value: Any, seen: set[int], depth: int = 0) -> set[str]:
    """The names that the functions in a value write."""
    if id(value) in seen or depth > 6:
        return set()
    seen.add(id(value))
    cls = type(value)
    parts: list[Any] = []
    names: set[str] = set()
    if cls is types.FunctionType:
        names = _of_code(value.__code__)
        parts = [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
        parts += [*(value.__defaults__ or ()), *value.__dict__.values()]
    elif cls in (types.MethodType, staticmethod, classmethod):
        parts = [value.__func__]
    elif cls is property:
        parts = [value.fget, value.fset, value.fdel]
    elif issubclass(cls, type):
        parts = list(class_dict(value).values()) if is_users(value) else []
    elif cls in (list, tuple, set):
        parts = list(value)[:1000]
    elif cls is dict:
        parts = list(value.values())[:1000]
    elif class_name(cls) in ("partial", "_lru_cache_wrapper"):
        parts = [getattr(value, "func", None), getattr(value, "__wrapped__", None)]
    if is_users(cls):
        parts.append(cls)
    return names.union(*(_written(part, seen, depth + 1) for part in parts))


def _filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _of_code(code: types.CodeType) -> set[str]:
    inner = [_of_code(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return set(code.co_names).union(*inner)


def progress(obj: Any) -> Any:
    """Where something stands that cannot be put back, as a plain value; None where that cannot be asked."""
    cls = type(obj)
    try:
        if cls in LOCKS:
            return [obj.locked() if hasattr(obj, "locked") else obj._is_owned()]
        if cls is types.GeneratorType:
            frame = obj.gi_frame
            return [None] if frame is None else [frame.f_lasti, list(map(id, frame.f_locals.values()))]
        if issubclass(cls, io.IOBase):
            return [True] if obj.closed else [False, obj.tell()]
        if issubclass(cls, sqlite3.Connection):
            return [obj.total_changes, obj.in_transaction, id(obj.row_factory)]
        if not answers_plainly(cls):
            return None
        if cls.__module__ == "itertools" or (cls.__module__ == "builtins" and hasattr(cls, "__next__")):
            return _iterator(obj, 0)
        if hasattr(cls, "hexdigest") and cls.__module__ in ("_hashlib", "_blake2", "_sha3"):
            return [obj.hexdigest()]
    except Exception:  # closed, detached, or of a thread of its own
        return None
    return None


def _numbers(part: tuple[Any, ...]) -> list[Any]:
    """Numbers of any depth as they are, and all else by identity."""
    return [_numbers(item) if type(item) is tuple else item if type(item) is int else id(item) for item in part]


def _iterator(obj: Any, depth: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reduced = obj.__reduce__()
    said: list[Any] = []
    for part in [*reduced[1], *reduced[2:]]:
        if hasattr(type(part), "__next__") and depth < 4:
            said.append(_iterator(part, depth + 1))
        elif type(part) in (int, str, float, bool, type(None)):
            said.append(part)
        elif type(part) is tuple:
            said.append(_numbers(part))
        else:
            said.append(id(part))
    return said
