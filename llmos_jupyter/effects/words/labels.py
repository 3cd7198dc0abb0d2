"""Keys, columns and values for the eye. No code of the user's is called: no `__repr__`, `__eq__` or `__hash__`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from llmos_jupyter.effects.objects.layout import class_module, class_name

_LONGEST = 40
_MOST = 5  # names told one by one
_ATOMS = frozenset({int, float, complex, str, bytes, bool, type(None), type(...), range, slice, type(NotImplemented)})
_READABLE = ("pandas", "numpy", "datetime")


def label(value: object) -> str:
    """A key, a column or an attribute as text."""
    if type(value) is str:
        return value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
    if type(value) in _ATOMS:
        return repr(value)[:_LONGEST]
    if type(value) is tuple:
        return "(" + ", ".join(label(item) for item in value[:4]) + ")"
    if class_module(type(value)).partition(".")[0] in _READABLE:
        return str(value)[:_LONGEST]
    return f"<{class_name(type(value))}>"


def listed(values: Iterable[object]) -> str:
    """The first few labels, and how many more there are."""
    shown = [label(value) for value in values]
    return ", ".join(shown[:_MOST]) + (f" and {len(shown) - _MOST} more" if len(shown) > _MOST else "")


def key_of(value: object) -> object:
    """Something with a built-in hash and `==` that stands for a key."""
    if type(value) in _ATOMS:
        return type(value), value
    if type(value) is tuple:
        return tuple, tuple(key_of(item) for item in value)
    if class_module(type(value)).partition(".")[0] in _READABLE:
        return type(value), str(value)
    return "identity", id(value)


def is_same(before: object, after: object) -> bool:
    """Identity; equality only between built-in atoms, whose `==` is nobody's own."""
    if before is after:
        return True
    if type(before) is not type(after) or type(before) not in _ATOMS:
        return False
    # A NaN is equal to no NaN, but a list of NaNs that was rebuilt has not changed.
    return bool(before == after or (before != before and after != after))


def pairs_changed(before: list[tuple[Any, Any]], after: list[tuple[Any, Any]], noun: str) -> str:
    """What happened to keys and their values; empty if nothing but their order."""
    old = {key_of(key): (key, value) for key, value in before}
    new = {key_of(key): (key, value) for key, value in after}
    added = [key for place, (key, _) in new.items() if place not in old]
    removed = [key for place, (key, _) in old.items() if place not in new]
    changed = [key for place, (key, value) in old.items() if place in new and not is_same(value, new[place][1])]
    return counted(added, removed, changed, noun)


def counted(added: list[Any], removed: list[Any], changed: list[Any], noun: str) -> str:
    """As "+2 columns: a, b; -1 column: c; changed: d"."""
    parts = []
    for sign, group in (("+", added), ("-", removed)):
        if group:
            parts.append(f"{sign}{len(group)} {noun}{'s' if len(group) > 1 else ''}: {listed(group)}")
    if changed:
        parts.append(f"changed: {listed(changed)}")
    return "; ".join(parts)


def type_of(value: Any) -> str:
    """The class's name, with the shape of arrays and frames."""
    cls = type(value)
    name = class_name(cls)
    np, pd = sys.modules.get("numpy"), sys.modules.get("pandas")
    if np is not None and issubclass(cls, np.ndarray):
        return f"{name} {np.ndarray.__dict__['shape'].__get__(value)} {np.ndarray.__dict__['dtype'].__get__(value)}"
    if pd is not None and issubclass(cls, pd.core.generic.NDFrame):
        axes = object.__getattribute__(value, "_mgr").axes
        return f"{name} {tuple(len(axis) for axis in reversed(axes))}"
    return name
