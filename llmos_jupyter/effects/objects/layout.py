"""What objects are made of, asked without running anybody's code: their attributes, and which C type lies beneath."""

from __future__ import annotations

import functools
import os
import site
import sys
import sysconfig
import types
from typing import Any

MISSING: Any = object()
_HEAP_TYPE = 1 << 9
_dict_of = type.__dict__["__dict__"].__get__
_mro_of = type.__dict__["__mro__"].__get__


def class_dict(cls: type) -> Any:
    """What the class statement itself defined."""
    return _dict_of(cls)


_flags_of = type.__dict__["__flags__"].__get__
_base_of = type.__dict__["__base__"].__get__
_size_of = type.__dict__["__basicsize__"].__get__
_bases_of = type.__dict__["__bases__"].__get__
_name_of = type.__dict__["__name__"].__get__
_module_of = type.__dict__["__module__"].__get__


def class_name(cls: type) -> str:
    """A class's `__name__`, whatever its metaclass makes of attributes."""
    return str(_name_of(cls))


def class_module(cls: type) -> str:
    """A class's `__module__`, whatever its metaclass makes of attributes; empty if that is no text."""
    try:
        module = _module_of(cls)
    except AttributeError:
        return ""
    return module if type(module) is str else ""


def bases(cls: type) -> tuple[type, ...]:
    """A class's `__bases__`, whatever its metaclass makes of attributes."""
    found: tuple[type, ...] = _bases_of(cls)
    return found


def answers_plainly(cls: type) -> bool:
    """Whether asking a class for an attribute runs no code of a metaclass's."""
    meta = type(cls)
    return meta is type or not any("__getattribute__" in class_dict(base) for base in mro(meta) if base not in _PLAIN)


_PLAIN = (type, object)


def mro(cls: type) -> tuple[type, ...]:
    found: tuple[type, ...] = _mro_of(cls)
    return found


def solid(cls: Any) -> type:
    """The class whose C structure an instance has; `object` for one that has nothing but attributes and slots."""
    if (known := _SOLID.get(cls)) is not None:
        return known
    if len(_SOLID) > _MOST:
        _SOLID.clear()
    return _SOLID.setdefault(cls, _solid(cls))


_SOLID: dict[type, type] = {}
_MOST = 8192


def _solid(cls: Any) -> type:
    while _written_in_python(cls):
        base = _base_of(cls)
        assert base is not None  # only `object` has none
        cls = base
    found: type = cls
    return found


def _written_in_python(cls: type) -> bool:
    """Whether a class adds to its base's structure no more than the slots and attributes that it declares."""
    base = _base_of(cls)
    held = class_dict(cls)
    if base is None or not _flags_of(cls) & _HEAP_TYPE or "__module__" not in held:
        return False
    members = sum(type(member) is types.MemberDescriptorType for member in held.values())
    added = _size_of(cls) - _size_of(base) - 8 * members
    return added in {8 * a + 8 * b for a in (0, "__dict__" in held) for b in (0, "__weakref__" in held)}


def attributes(obj: object) -> dict[str, Any]:
    """What the `__dict__` and the slots of an object hold; no property and no `__getattribute__` is asked."""
    cls = type(obj)
    chain = mro(cls)
    known = _HOLDERS.get(cls)
    if known is None or known[0] is not chain:  # a class whose bases change gets another tuple
        if len(_HOLDERS) > _MOST:
            _HOLDERS.clear()
        known = _HOLDERS[cls] = chain, _holders(chain)
    holders = known[1]
    if len(holders) == 1 and holders[0][0] == "__dict__":
        return dict(holders[0][1](obj))
    found: dict[str, Any] = {}
    for name, get in holders:
        if name == "__dict__":
            found.update(get(obj))
        else:
            try:
                found.setdefault(name, get(obj))
            except AttributeError:  # a slot that was never filled
                continue
    return found


_HOLDERS: dict[type, tuple[tuple[type, ...], list[tuple[str, Any]]]] = {}


def _holders(chain: tuple[type, ...]) -> list[tuple[str, Any]]:
    """How to ask for the slots and the `__dict__` of an object, by name, along its class's bases."""
    return [
        (name, member.__get__)
        for base in chain
        for name, member in class_dict(base).items()
        if type(member) is types.MemberDescriptorType
        or (name == "__dict__" and type(member) is types.GetSetDescriptorType)
    ]


def set_attributes(obj: object, wanted: dict[str, Any]) -> None:
    """Make slots and `__dict__` hold exactly this."""
    rest = dict(wanted)
    held: dict[str, Any] | None = None
    for base in mro(type(obj)):
        for name, member in class_dict(base).items():
            if type(member) is types.MemberDescriptorType:
                value = rest.pop(name, MISSING)
                try:
                    now = member.__get__(obj)
                except AttributeError:
                    now = MISSING
                if value is now:
                    continue
                if value is MISSING:
                    member.__delete__(obj)
                else:
                    member.__set__(obj, value)
            elif name == "__dict__" and type(member) is types.GetSetDescriptorType and held is None:
                held = member.__get__(obj)
    if held is not None:
        put_dict(held, rest, dict)
    elif rest:
        raise ValueError(f"a {class_name(type(obj))} has no attribute {next(iter(rest))}")


def put_dict(target: Any, wanted: dict[Any, Any], base: Any) -> None:
    """Make `target` hold exactly `wanted`, in its order; nothing is touched that is so already."""
    now = list(base.keys(target))
    if len(now) == len(wanted) and all(a is b or (type(a) is str and a == b) for a, b in zip(now, wanted, strict=True)):
        for key, value in wanted.items():
            if base.__getitem__(target, key) is not value:
                base.__setitem__(target, key, value)
        return
    base.clear(target)
    for key, value in wanted.items():
        base.__setitem__(target, key, value)


# --- whose a class or a module is -----------------------------------------------------------------


@functools.lru_cache(1)
def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = {paths[name] for name in ("purelib", "platlib", "stdlib", "platstdlib")} | set(site.getsitepackages())
    found.add(site.getusersitepackages())
    return tuple(os.path.realpath(folder) + os.sep for folder in found)


@functools.lru_cache(4096)
def installed(top: str) -> bool:
    """Whether a top-level module is Python's or an installed library's: importing it runs nothing that a run wrote."""
    if top == "llmos_jupyter":
        return True
    if top in sys.builtin_module_names or top in sys.stdlib_module_names:
        return top not in ("antigravity", "this", "idlelib", "test", "lib2to3", "__main__")
    module = sys.modules.get(top)
    spec = getattr(module, "__spec__", None)
    if spec is None:
        import importlib.machinery

        spec = importlib.machinery.PathFinder.find_spec(top)
    if spec is None:
        return False
    places = [spec.origin, *(spec.submodule_search_locations or ())]
    return any(isinstance(place, str) and os.path.realpath(place).startswith(_library_folders()) for place in places)


def library_module(name: object) -> bool:
    """Whether a `__module__` names an installed library."""
    return type(name) is str and name != "__main__" and installed(name.partition(".")[0])


def is_users(cls: type) -> bool:
    """Whether a class was written in the notebook or in a file of the user's."""
    module = class_dict(cls).get("__module__")
    return bool(_flags_of(cls) & _HEAP_TYPE) and not library_module(module)


def runs_users_code(cls: type, name: str) -> bool:
    """Whether the special method `name` of a class is a function that no library defines."""
    for base in mro(cls):
        held = class_dict(base)
        if name in held:
            return is_users(base) and held[name] is not None
    return False


def is_a(obj: object, cls: type | tuple[type, ...]) -> bool:
    """As `isinstance`, by the object's real class: nobody's `__class__` or `__getattribute__` is asked."""
    return issubclass(type(obj), cls)
