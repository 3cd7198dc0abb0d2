"""One value in a few words, as it stands inside another: an item of a list, a default, a field."""

from __future__ import annotations

import collections
import types
from collections.abc import Mapping
from itertools import islice
from typing import Any, cast

from llmos_jupyter.agent.describe.basics import (
    class_dict,
    class_name,
    describe_class_of,
    fit,
    is_exactly,
    is_kind,
    label,
    literal,
    mro,
    own_attributes,
    plain,
    scalar,
)
from llmos_jupyter.agent.describe.shapes import shape_of

LOOKED_AT = 1000  # items of a container whose types are taken
SEQUENCES = (list, tuple, set, frozenset, collections.deque)


def brief(value: Any, depth: int = 1) -> str:
    """One value inside another, in about forty characters."""
    if (text := scalar(value)) is not None:
        return text
    if (text := shape_of(value)) is not None:
        return text
    if is_kind(value, dict):
        count = dict.__len__(value)
        if depth <= 0 or not count:
            return f"dict of {count}"
        keys = ", ".join(label_or_literal(k) for k in islice(dict.keys(value), 4))
        return f"dict of {count} with keys {keys}{', ...' if count > 4 else ''}"
    if (fields := named_fields(value)) is not None and depth > 0:
        return fit(f"{class_name(type(value))}(", assignments(fields, depth - 1), len(fields), ")", 80)
    for kind in SEQUENCES:
        if is_kind(value, kind):
            return _brief_sequence(value, kind, depth)
    if is_exactly(value, types.FunctionType, types.BuiltinFunctionType):
        return f"function {plain(value.__name__)}"
    if is_kind(value, type):
        return f"class {class_name(value)}"
    return f"<{describe_class_of(value)}>"


def label_or_literal(key: object) -> str:
    """A dictionary's key as it is written in Python, so always quoted."""
    return literal(cast("str", key), 60) if is_kind(key, str) and scalar(key) else label(key)


def assignments(fields: Mapping[str, object], depth: int = 0) -> list[str]:
    return [f"{label(name)}={brief(value, depth)}" for name, value in islice(fields.items(), 40)]


def named_fields(value: Any) -> dict[str, object] | None:
    """The fields of a dataclass, an attrs or pydantic object, a namedtuple or a SimpleNamespace."""
    cls = type(value)
    if is_kind(value, tuple):
        for base in mro(cls):
            names = class_dict(base).get("_fields")
            if type(names) is tuple and len(names) == tuple.__len__(value):
                return dict(zip((plain(n, 60) for n in names), tuple.__iter__(value), strict=True))
        return None
    if cls is types.SimpleNamespace:
        return own_attributes(value)
    marks = ("__dataclass_fields__", "__attrs_attrs__", "__pydantic_fields__")
    if any(mark in class_dict(base) for base in mro(cls) for mark in marks):
        return {k: v for k, v in own_attributes(value).items() if not k.startswith("_")}
    return None


def first_of(value: Any, kind: Any, most: int) -> list[object]:
    """The first items by the builtin type's own iterator; of a set in a fixed order."""
    items = list(islice(kind.__iter__(value), most))
    if kind is set or kind is frozenset:
        texts = [(scalar(v), v) for v in items]
        if all(type(v) is int or type(v) is float for _, v in texts):
            return sorted(items)
        items = [v for _, v in sorted(texts, key=lambda pair: pair[0] or "")]
    return items


def spread_of(value: Any, kind: Any) -> list[object]:
    """Up to `LOOKED_AT` items from all over a sequence."""
    length = kind.__len__(value)
    if (kind is list or kind is tuple) and length > LOOKED_AT:
        step = -(-length // LOOKED_AT)
        return list(kind.__getitem__(value, slice(None, None, step)))
    return first_of(value, kind, LOOKED_AT)


def kinds_of(values: list[object]) -> str:
    names = dict.fromkeys(class_name(cls) for cls in {id(c): c for c in map(type, values)}.values())
    shown = [name.replace("NoneType", "None") for name in islice(names, 4)]
    return " | ".join(shown) + (" | ..." if len(names) > 4 else "")


def _brief_sequence(value: Any, kind: Any, depth: int) -> str:
    length = kind.__len__(value)
    name = class_name(type(value))
    first = first_of(value, kind, 4)
    texts = [scalar(v) for v in first]
    if is_exactly(value, list, tuple) and length <= 4 and depth >= 0 and all(texts):
        text = ", ".join(t for t in texts if t)
        if len(text) <= 40:
            return f"[{text}]" if kind is list else f"({text}{',' if length == 1 else ''})"
    return f"{name} of {length} {kinds_of(spread_of(value, kind))}".rstrip()


def nested(values: Any) -> str:
    """An array's values as lists in lists."""
    if type(values) is list:
        return f"[{', '.join(nested(v) for v in values)}]"
    return scalar(values) or class_name(type(values))
