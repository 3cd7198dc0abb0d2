"""Keys whose class writes its own `__hash__`, put into dicts and sets without running it: where it does no more than
`return hash((self.a, self.b))`, which most do, the hash is computed here from the same attributes.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from llmos_jupyter.effects.objects.layout import MISSING, attributes, class_dict, mro, runs_users_code

_NOISE = frozenset({"RESUME", "PUSH_NULL", "PRECALL", "CACHE", "EXTENDED_ARG", "NOT_TAKEN"})


@functools.lru_cache(1024)
def _fields(code: types.CodeType) -> tuple[tuple[str, ...], bool] | None:
    """The attributes that a `__hash__` hashes, and whether as a tuple; None where it does anything else."""
    steps = [(step.opname, step.argval) for step in dis.get_instructions(code) if step.opname not in _NOISE]
    if code.co_argcount != 1 or len(steps) < 5 or steps[0] != ("LOAD_GLOBAL", "hash"):
        return None
    if steps[-1][0] != "RETURN_VALUE" or steps[-2][0] not in ("CALL", "CALL_FUNCTION") or steps[-2][1] != 1:
        return None
    middle, own = steps[1:-2], code.co_varnames[0]
    as_tuple = middle[-1][0] == "BUILD_TUPLE"
    if as_tuple and middle.pop()[1] * 2 != len(middle):
        return None
    if len(middle) % 2 or (not as_tuple and len(middle) != 2):
        return None
    names = []
    for (load, owner), (read, name) in zip(middle[::2], middle[1::2], strict=True):
        if not load.startswith("LOAD_FAST") or owner != own or read != "LOAD_ATTR":
            return None
        names.append(name)
    return tuple(names), as_tuple


def hashed_fields(cls: type) -> tuple[tuple[str, ...], bool] | None:
    """The attributes that a class of the user's hashes its instances by, if its `__hash__` does no more."""
    if not runs_users_code(cls, "__hash__") or runs_users_code(cls, "__getattribute__"):
        return None
    function = next(class_dict(base)["__hash__"] for base in mro(cls) if "__hash__" in class_dict(base))
    if type(function) is not types.FunctionType or function.__closure__ or "hash" in function.__globals__:
        return None
    found = _fields(function.__code__)
    if found is None:
        return None
    for base in mro(cls):
        for name in found[0]:
            if type(class_dict(base).get(name, MISSING)) not in (object, types.MemberDescriptorType):
                return None  # a property, or what else computes it
    return found


def hashed_values(obj: Any) -> list[Any] | None:
    """The values that an object is hashed by; None where that cannot be told."""
    found = hashed_fields(type(obj))
    held = attributes(obj) if found is not None else {}
    if found is None or not set(found[0]) <= held.keys():
        return None
    return [held[name] for name in found[0]]


@contextlib.contextmanager
def quiet(keys: Iterable[Any]) -> Iterator[None]:
    """Let these be hashed and compared without running code of their classes: they are distinct already."""
    classes: set[type] = set()
    _collect(keys, classes)
    hashers = {cls: _hasher(*fields) for cls in classes if (fields := hashed_fields(cls)) is not None}
    was = {cls: [class_dict(cls).get(name, MISSING) for name in ("__hash__", "__eq__")] for cls in hashers}
    try:
        for cls, compute in hashers.items():
            type.__setattr__(cls, "__hash__", compute)
            type.__setattr__(cls, "__eq__", object.__eq__)
        yield
    finally:
        for cls, held in was.items():
            for name, value in zip(("__hash__", "__eq__"), held, strict=True):
                if value is MISSING:
                    type.__delattr__(cls, name)
                else:
                    type.__setattr__(cls, name, value)


def _hasher(fields: tuple[str, ...], as_tuple: bool) -> Callable[[Any], int]:
    def compute(obj: Any) -> int:
        held = attributes(obj)
        values = tuple(held[name] for name in fields)
        return hash(values) if as_tuple else hash(values[0])

    return compute


def _collect(keys: Iterable[Any], classes: set[type]) -> None:
    for key in keys:
        cls = type(key)
        if cls is tuple or cls is frozenset:
            _collect(key, classes)
        elif cls not in classes and (values := hashed_values(key)) is not None:
            classes.add(cls)
            _collect(values, classes)
