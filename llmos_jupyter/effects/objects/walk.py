"""What the notebook's names reach, level by level: the copy lists it before the run, the parent finds in it by address
what the copy refers to. Both walk alike, and what lies inside libraries is not entered.
"""

from __future__ import annotations

import abc
import builtins
import collections
import gc
import itertools
import operator
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any

import numpy as np

from llmos_jupyter.effects.kind import kind_of
from llmos_jupyter.effects.objects.alike import FEWEST, MACHINERY, by_class, columns, only_attributes
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
_PLAIN: frozenset[Any] = frozenset({list, dict, tuple, set, frozenset, types.CellType})


_DICT: frozenset[Any] = frozenset({dict})
_BUILTINS = vars(builtins)  # `exec(code, names)` leaves it in `names`
_ITEMS_ALONE = _PLAIN - _DICT  # nothing but these leads to their items


class Met:
    """Objects. `present`: the classes of which there may be any."""

    __slots__ = ("objects", "present")

    def __init__(self, objects: list[Any], present: Set[Any]) -> None:
        self.objects, self.present = objects, present

    def divided(self, classes: Set[Any]) -> tuple[Met, Met]:
        """The objects of exactly these classes, and the others."""
        if self.present <= classes:
            return self, _NOTHING
        if self.present.isdisjoint(classes):
            return _NOTHING, self
        within, others = self.split(list(map(classes.__contains__, map(type, self.objects))))
        within.present, others.present = self.present & classes, self.present - classes
        return within, others

    def split(self, chosen: list[bool]) -> tuple[Met, Met]:
        """Those chosen, and the others."""
        if False not in chosen:
            return self, Met([], self.present)
        within = list(itertools.compress(self.objects, chosen))
        others = list(itertools.compress(self.objects, map(operator.not_, chosen))) if within else self.objects
        return Met(within, self.present), Met(others, self.present)

    def __add__(self, other: Met) -> Met:
        if not (self.objects and other.objects):
            return self if self.objects else other
        return Met(self.objects + other.objects, self.present | other.present)


_NOTHING = Met([], frozenset())


class _NoLeaf(dict[Any, bool]):
    """Whether objects of a class are met at all, asked by C code."""

    def __missing__(self, cls: Any) -> bool:
        self[cls] = cls not in _LEAVES
        return self[cls]


def levels(roots: Iterable[Any], seen: dict[int, Any] | None = None) -> Iterator[Met]:
    """All objects that `roots` reach, each once, in levels of equal distance. `seen`: by address, those that were met
    before, which are left out; the others are added, save those that nothing else can lead to.

    To remember an object costs more than all else that is done with it. Most are held by one list, tuple or dict alone,
    as their count of references says: no other way leads to them, and they need not be remembered. Of a dict that is
    held twice that is not so: a module, a class, an instance may be the other, and its values are met through that too.
    """
    seen = {} if seen is None else seen
    no_leaf = _NoLeaf()
    alone, shared = _NOTHING, _fresh(list(roots), seen, no_leaf)
    while alone.objects or shared.objects:
        yield alone + shared
        firm, others = alone.divided(_PLAIN)
        more, loose = shared.divided(_ITEMS_ALONE)
        only_here = gc.get_referents(*firm.objects, *more.objects)
        dicts, objects = (others + loose).divided(_DICT)
        held = dicts.objects
        if id(_BUILTINS) in seen:  # what it holds is Python's, and some library's
            held = [names for names in held if names is not _BUILTINS]
        found = gc.get_referents(*held)
        for cls, alike in by_class(objects.objects).items():
            if len(alike) < FEWEST or not only_attributes(cls) or not _of_alike(alike, cls, only_here, found):
                for obj in alike:
                    found += children(obj)
        kept = _without_leaves(only_here, no_leaf)
        alone, twice = kept.split(list(map(operator.eq, map(sys.getrefcount, kept.objects), itertools.repeat(_ALONE))))
        shared = _fresh(twice.objects + found, seen, no_leaf)


def _of_alike(objects: list[Any], cls: Any, only_here: list[Any], found: list[Any]) -> bool:
    """Add what instances of one class hold to one of the two; false where they must be asked one by one."""
    try:
        slots, dicts = columns(objects, cls)
    except AttributeError:
        return False
    if all(map(operator.eq, map(sys.getrefcount, dicts), itertools.repeat(_DICT_ALONE))):
        only_here += itertools.chain.from_iterable(map(dict.values, dicts))
    else:
        found += itertools.chain.from_iterable(map(dict.values, dicts))
    for column in slots:
        found += column
    found.append(cls)
    return True


def _without_leaves(objects: list[Any], no_leaf: _NoLeaf) -> Met:
    # Always a list of its own, which counts as a reference.
    kept = list(itertools.compress(objects, map(no_leaf.__getitem__, map(type, objects))))
    return Met(kept, set(map(type, kept)))


def _fresh(objects: list[Any], seen: dict[int, Any], no_leaf: _NoLeaf) -> Met:
    """Those not met before, in the order in which they were met, so that a walk is the same wherever it is made."""
    kept = _without_leaves(objects, no_leaf)
    before = len(seen)
    seen.update(zip(map(id, kept.objects), kept.objects, strict=True))
    if len(seen) - before == len(kept.objects):
        return kept
    # A dict keeps the order in which keys came, so that the new ones are its last.
    fresh = list(itertools.islice(reversed(seen.values()), len(seen) - before))
    fresh.reverse()
    return Met(fresh, kept.present)


def _count_alone() -> int:
    """What `sys.getrefcount` says, asked as in `levels`, of an object that one container holds."""
    container: list[list[None]] = [[]]
    objects = gc.get_referents(container)
    kept = _without_leaves(objects, _NoLeaf())
    return next(map(sys.getrefcount, kept.objects))


def _count_dict_alone() -> int:
    """The same, asked as in `_of_alike`, of the `__dict__` of an instance."""
    instance = _Instance()
    instance.held = []
    dicts = columns([instance], _Instance)[1]
    return next(map(sys.getrefcount, dicts))


class _Instance:
    held: list[Any]


_ALONE, _DICT_ALONE = _count_alone(), _count_dict_alone()


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
            for obj in level.objects:
                if (address := id(obj)) in missing:
                    found[address] = obj
                    missing.discard(address)
            if not missing:
                break
    return found
