"""What the notebook's names reach, level by level: the copy lists it before the run, the parent finds in it by address
what the copy refers to. Both walk alike, and what lies inside libraries is not entered.
"""

from __future__ import annotations

import abc
import collections
import gc
import itertools
import operator
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from llmos_jupyter.effects.kind import kind_of
from llmos_jupyter.effects.objects.layout import attributes, bases, class_dict, class_module, is_users, library_module

_Pair = collections.namedtuple("_Pair", "first")
# They refer to nothing that can change, or to nothing of the user's.
_LEAVES: frozenset[Any] = frozenset(
    {type(None), bool, int, float, complex, str, bytes, range, type(...), type(NotImplemented)}
    | {types.CodeType, types.FrameType, types.TracebackType, types.MethodDescriptorType}
    | {types.WrapperDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType, weakref.ref, np.dtype}
    | {types.ClassMethodDescriptorType, np.ufunc, type(_Pair.first)}
    | {type(abc.ABC.__dict__["_abc_impl"])}
)
MACHINERY = ("IPython.core", "IPython.terminal", "ipykernel", "zmq", "asyncio", "tornado", "llmos_jupyter", "_thread")
_PLAIN: frozenset[Any] = frozenset({list, dict, tuple, set, frozenset, types.CellType})


def levels(roots: Iterable[Any], seen: dict[int, Any] | None = None) -> Iterator[list[Any]]:
    """All objects that `roots` reach, each once, in levels of equal distance. `seen`: by address, those that were met
    before, which are left out; the others are added."""
    seen = {} if seen is None else seen
    frontier = _fresh(list(roots), seen)
    while frontier:
        yield frontier
        is_plain = list(map(_PLAIN.__contains__, map(type, frontier)))
        found = gc.get_referents(*itertools.compress(frontier, is_plain))
        if not all(is_plain):
            for obj in itertools.compress(frontier, map(operator.not_, is_plain)):
                found += children(obj)
        frontier = _fresh(found, seen)


def _fresh(objects: list[Any], seen: dict[int, Any]) -> list[Any]:
    """Those not met before, in the order in which they were met, so that a walk is the same wherever it is made."""
    is_leaf = map(_LEAVES.__contains__, map(type, objects))
    kept = list(itertools.compress(objects, map(operator.not_, is_leaf)))
    before = len(seen)
    seen.update(zip(map(id, kept), kept, strict=True))
    # A dict keeps the order in which keys came, so that the new ones are its last.
    fresh = list(itertools.islice(reversed(seen.values()), len(seen) - before))
    fresh.reverse()
    return fresh


def children(obj: Any) -> list[Any]:
    """What an object refers to, as far as it may be the user's."""
    cls = type(obj)
    if (special := _SPECIAL.get(cls)) is not None:
        return special(obj)
    if issubclass(cls, type):
        return list(class_dict(obj).values()) + list(bases(obj)) if is_users(obj) else []
    if issubclass(cls, np.ndarray):
        return _of_array(obj, cls)
    if issubclass(cls, types.ModuleType):
        return _of_module(obj)
    if class_module(cls).startswith(MACHINERY):
        return []
    kind = kind_of(cls)
    return gc.get_referents(obj) if kind is None else kind.children(obj)


def _of_function(function: types.FunctionType) -> list[Any]:
    """Of a library's function only what it encloses: that may be the user's, as in a decorator."""
    closure = list(function.__closure__ or ())
    if library_module(function.__globals__.get("__name__")) and "<locals>" not in function.__qualname__:
        return []
    held = [function.__defaults__, function.__kwdefaults__, function.__dict__, function.__code__]
    return [*closure, *held, *function.__dict__.values(), *(function.__annotations__ or {}).values()]


def _of_module(module: types.ModuleType) -> list[Any]:
    held = object.__getattribute__(module, "__dict__")
    if library_module(held.get("__name__")) or held.get("__name__") == "__main__":
        return []
    return [value for name, value in list(held.items()) if type(name) is str and not name.startswith("__")]


_dtype: Any = np.ndarray.__dict__["dtype"]


def _of_array(array: Any, cls: type) -> list[Any]:
    found = [np.ndarray.base.__get__(array)]
    if _dtype.__get__(array).hasobject:
        found += array_items(array)
    if cls is not np.ndarray:
        found += attributes(array).values()
    return found


def array_items(array: Any) -> list[Any]:
    """The objects that an array holds, in the order of its elements."""
    if _dtype.__get__(array).kind == "O":
        items: list[Any] = np.ndarray.ravel(np.ndarray.view(array, np.ndarray)).tolist()
        return items
    return []


def _of_view(view: memoryview) -> list[Any]:
    """A view has nothing of its own: what it shows is another object's."""
    try:
        return [view.obj]
    except ValueError:  # released
        return []


_SPECIAL: dict[type, Callable[[Any], list[Any]]] = {
    memoryview: _of_view,
    types.FunctionType: _of_function,
    types.ModuleType: _of_module,
}


def find(roots: Iterable[Any], wanted: set[int]) -> dict[int, Any]:
    """The objects at these addresses, as far as `roots` reach them; the walk ends with the last one found."""
    missing, found = set(wanted), {}
    if missing:
        for level in levels(roots):
            for obj in level:
                if (address := id(obj)) in missing:
                    found[address] = obj
                    missing.discard(address)
            if not missing:
                break
    return found
