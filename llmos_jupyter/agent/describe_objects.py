"""Everything that is not a table or an array, in words: containers, functions, classes, instances."""

from __future__ import annotations

import collections
import functools
import inspect
import io
import types
import typing
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, cast

from llmos_jupyter.agent.describe_basics import (
    class_dict,
    class_module,
    class_name,
    describe_class_of,
    fit,
    is_exactly,
    is_kind,
    is_library_kind,
    label,
    literal,
    mro,
    numeric_range,
    own_attributes,
    plain,
    scalar,
)
from llmos_jupyter.agent.describe_data import describe_data, shape_of

LOOKED_AT = 1000  # items of a container whose types are taken
DOC_CHARS = 100
_SEQUENCES = (list, tuple, set, frozenset, collections.deque)


def describe_object(value: Any, room: int, deadline: float) -> str:
    """The description without the variable's name, at most `room` characters where that is possible."""
    if is_kind(value, str):
        length = str.__len__(value)
        return f"str, {length} characters: {literal(value, max(12, min(160, room - 40)))}"
    if (text := describe_data(value, room, deadline)) is not None:
        return text
    if (text := scalar(value)) is not None:
        kind = class_name(type(value))
        return text if value is None or text.startswith((kind, "Path(", "re.")) else f"{kind} {text}"
    if is_kind(value, dict):
        return _dict(value, room)
    if (fields := named_fields(value)) is not None:
        return _record(value, fields, room)
    if is_kind(value, *_SEQUENCES):
        return _sequence(value, room)
    if is_kind(value, types.FunctionType):
        return _function(value)
    if is_kind(value, type):
        return _class(value, room)
    return _instance(value, room)


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
        return fit(f"{class_name(type(value))}(", _assignments(fields, depth - 1), len(fields), ")", 80)
    for kind in _SEQUENCES:
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


def _assignments(fields: Mapping[str, object], depth: int = 0) -> list[str]:
    return [f"{label(name)}={brief(value, depth)}" for name, value in islice(fields.items(), 40)]


# --- containers --------------------------------------------------------------------------------


def _first(value: Any, kind: Any, most: int) -> list[object]:
    """The first items by the builtin type's own iterator; of a set in a fixed order."""
    items = list(islice(kind.__iter__(value), most))
    if kind is set or kind is frozenset:
        texts = [(scalar(v), v) for v in items]
        if all(type(v) is int or type(v) is float for _, v in texts):
            return sorted(items)
        items = [v for _, v in sorted(texts, key=lambda pair: pair[0] or "")]
    return items


def _spread(value: Any, kind: Any) -> list[object]:
    """Up to `LOOKED_AT` items from all over a sequence."""
    length = kind.__len__(value)
    if (kind is list or kind is tuple) and length > LOOKED_AT:
        step = -(-length // LOOKED_AT)
        return list(kind.__getitem__(value, slice(None, None, step)))
    return _first(value, kind, LOOKED_AT)


def _kinds(values: list[object]) -> str:
    names = dict.fromkeys(class_name(cls) for cls in {id(c): c for c in map(type, values)}.values())
    shown = [name.replace("NoneType", "None") for name in islice(names, 4)]
    return " | ".join(shown) + (" | ..." if len(names) > 4 else "")


def _sequence(value: Any, room: int) -> str:
    kind: Any = next(k for k in _SEQUENCES if is_kind(value, k))
    length = kind.__len__(value)
    name = class_name(type(value))
    if not length:
        return f"{name}, empty"
    spread = _spread(value, kind)
    first = _first(value, kind, 40)
    head = f"{name}[{_kinds(spread)}], {length} items"
    if len(spread) > 10 and (span := numeric_range(spread)):
        head += f", {'about ' if length > len(spread) else ''}{span}"
    records: list[Any] = [v for v in spread[:100] if is_kind(v, dict)]
    if records and len(records) == len(spread[:100]):
        keys = list(dict.fromkeys(label_or_literal(k) for r in records for k in islice(dict.keys(r), 40)))
        named = fit(f"{head}, keys: ", keys, len(keys), "", max(room - 60, 60))
        inner = dict.items(cast("dict[object, object]", first[0]))
        pairs = [f"{label_or_literal(k)}: {brief(v, 0)}" for k, v in islice(inner, 20)]
        return fit(f"{named}; first: {{", pairs, len(inner), "}", room)
    opening, closing = (
        ("(", ",)" if length == 1 else ")") if kind is tuple else ("{", "}") if kind in (set, frozenset) else ("[", "]")
    )
    return fit(f"{head}: {opening}", [brief(v) for v in first], length, closing, min(room, 300))


def _brief_sequence(value: Any, kind: Any, depth: int) -> str:
    length = kind.__len__(value)
    name = class_name(type(value))
    first = _first(value, kind, 4)
    texts = [scalar(v) for v in first]
    if is_exactly(value, list, tuple) and length <= 4 and depth >= 0 and all(texts):
        text = ", ".join(t for t in texts if t)
        if len(text) <= 40:
            return f"[{text}]" if kind is list else f"({text}{',' if length == 1 else ''})"
    return f"{name} of {length} {_kinds(_spread(value, kind))}".rstrip()


def _dict(value: Any, room: int) -> str:
    length = dict.__len__(value)
    name = class_name(type(value))
    if not length:
        return f"{name}, empty"
    looked = list(islice(dict.items(value), LOOKED_AT))
    kinds = f"{_kinds([k for k, _ in looked])}, {_kinds([v for _, v in looked])}"
    head = f"{name}[{kinds}], {length} items"
    pairs = (f"{label_or_literal(k)}: {brief(v)}" for k, v in looked[:60])
    return fit(f"{head}: {{", pairs, length, "}", room)


# --- functions and classes ----------------------------------------------------------------------


def unwrapped(function: types.FunctionType) -> types.FunctionType:
    """The function below its decorators, if they told (`functools.wraps`)."""
    for _ in range(10):
        inner = function.__dict__.get("__wrapped__")
        if type(inner) is not types.FunctionType:
            break
        function = inner
    return function


def signature(function: types.FunctionType, *, method: bool = False) -> str:
    """`(a, b=1, *args, key: str = 'x') -> int`, with defaults and annotations that run nothing."""
    function = unwrapped(function)
    if "__signature__" in function.__dict__:  # it may be anything
        return "(...)"
    parts: list[str] = []
    found = inspect.signature(function, follow_wrapped=False)
    parameters = list(found.parameters.values())
    if method and parameters and parameters[0].kind in (0, 1):
        parameters = parameters[1:]
    starred = False
    for i, parameter in enumerate(parameters):
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
        starred = starred or parameter.kind in (parameter.VAR_POSITIONAL, parameter.KEYWORD_ONLY)
        stars = (
            "*"
            if parameter.kind is parameter.VAR_POSITIONAL
            else "**"
            if parameter.kind is parameter.VAR_KEYWORD
            else ""
        )
        hint = annotation(parameter.annotation)
        text = stars + plain(parameter.name, 60) + (f": {hint}" if hint else "")
        if parameter.default is not parameter.empty:
            given = brief(parameter.default, 0)
            given = "..." if given.startswith("<") else given  # an object that is only there to be the default
            text += f" = {given}" if hint else f"={given}"
        parts.append(text)
        if parameter.kind is parameter.POSITIONAL_ONLY and (
            i + 1 == len(parameters) or parameters[i + 1].kind is not parameter.POSITIONAL_ONLY
        ):
            parts.append("/")
    result = annotation(found.return_annotation)
    return f"({', '.join(parts)})" + (f" -> {result}" if result else "")


def annotation(hint: Any, depth: int = 3) -> str:
    """A type hint in words; empty if there is none, or none that can be written safely."""
    if hint is inspect.Parameter.empty or depth == 0:
        return ""
    if hint is None or hint is type(None):
        return "None"
    if type(hint) is str:
        return plain(hint, 60)
    if is_kind(hint, types.GenericAlias, types.UnionType):
        origin, args = getattr(hint, "__origin__", None), hint.__args__
    elif class_module(type(hint)) == "typing":
        own = own_attributes(hint)
        origin, args = own.get("__origin__"), own.get("__args__", ())
        if origin is None:
            return plain(own["_name"]) if type(own.get("_name")) is str else ""
    elif is_kind(hint, type):
        return class_name(hint)
    else:
        return ""
    inner = [annotation(arg, depth - 1) or "..." for arg in cast("tuple[object, ...]", args)[:6]]
    if origin is None or origin is typing.Union:
        return " | ".join(inner)
    return f"{annotation(origin, depth - 1)}[{', '.join(inner)}]"


def first_line(doc: object) -> str:
    if type(doc) is not str:
        return ""
    lines = doc[:2000].strip().splitlines()
    return plain(lines[0].strip(), DOC_CHARS) if lines else ""


def _function(value: types.FunctionType) -> str:
    inner = unwrapped(value)
    kind = (
        "async function"
        if inner.__code__.co_flags & inspect.CO_COROUTINE
        else "generator function"
        if inner.__code__.co_flags & inspect.CO_GENERATOR
        else "function"
    )
    name = "lambda " if inner.__name__ == "<lambda>" else f"{kind} {plain(inner.__name__, 60)}"
    text = name + signature(value)
    doc = first_line(value.__doc__)
    return f"{text}: {doc}" if doc else text


def _class(value: type, room: int) -> str:
    names = class_dict(value)
    bases = [b for b in type.__dict__["__bases__"].__get__(value) if b is not object]
    head = f"class {class_name(value)}"
    if bases:
        head += f"({', '.join(class_name(b) for b in bases[:4])})"
    if doc := first_line(names.get("__doc__")):
        # What `dataclass`, `namedtuple` and, before Python 3.11, `Enum` write says nothing new.
        written = doc.startswith(f"{class_name(value)}(") or doc == "An enumeration."
        head += "" if written else f": {doc}"
    lines: list[str] = []
    members = names.get("_member_names_")
    if is_exactly(members, list):
        lines.append("members: " + ", ".join(label(m) for m in cast("list[object]", members)[:20]))
    hints = names.get("__annotations__")
    if type(named := names.get("_fields")) is tuple and not hints:
        lines.append("fields: " + ", ".join(label(k) for k in named[:20]))
    # A dataclass's `__init__` says the same and the defaults as well.
    if is_exactly(hints, dict) and not ("__dataclass_fields__" in names and "__init__" in names):
        fields = [
            f"{label(k)}: {annotation(v) or '?'}"
            for k, v in islice(cast("dict[str, object]", hints).items(), 20)
            if not k.startswith("_")
        ]
        if fields:
            lines.append("fields: " + ", ".join(fields))
    lines += list(islice(_methods(names), 20))
    return fit(head + ("\n  " if lines else ""), lines, len(lines), "", room, sep="\n  ")


def _methods(names: Mapping[str, Any]) -> Iterator[str]:
    for name, entry in names.items():
        if name.startswith("_") and name not in ("__init__", "__call__"):
            continue
        if type(entry) is property or type(entry) is functools.cached_property:
            yield f"property {label(name)}"
            continue
        static = type(entry) is staticmethod
        function = entry.__func__ if static or type(entry) is classmethod else entry
        if type(function) is types.FunctionType:
            yield f"{label(name)}{signature(function, method=not static)}"


# --- instances ----------------------------------------------------------------------------------


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


def _record(value: Any, fields: dict[str, object], room: int) -> str:
    return fit(f"{describe_class_of(value)}(", _assignments(fields, 1), len(fields), ")", room)


def _instance(value: Any, room: int) -> str:
    cls = type(value)
    if is_kind(value, BaseException):
        args = BaseException.__dict__["args"].__get__(value)
        return fit(f"exception {class_name(cls)}(", [brief(a, 0) for a in args[:4]], len(args), ")", room)
    if is_exactly(value, functools.partial):
        return f"partial of {brief(value.func)}, {len(value.args)} arguments and {_keys(value.keywords)} fixed"
    if is_exactly(value, types.MethodType):
        inner = value.__func__
        called = signature(inner, method=True) if type(inner) is types.FunctionType else ""
        named = plain(inner.__name__) if type(inner) is types.FunctionType else "?"
        return f"method {named}{called} of <{describe_class_of(value.__self__)}>"
    if is_exactly(value, types.BuiltinFunctionType):
        return f"builtin function {plain(value.__name__)}"
    own = own_attributes(value)
    if type(wrapped := own.get("__wrapped__")) is types.FunctionType:  # functools.lru_cache and its like
        return _function(wrapped)
    if is_library_kind(value, "sklearn.base", "BaseEstimator"):
        return _estimator(value, own, room)
    if is_library_kind(value, "matplotlib.figure", "FigureBase"):
        axes = own.get("_localaxes")
        count = list.__len__(axes) if is_kind(axes, list) else 0  # type: ignore[arg-type]
        return f"{class_name(cls)} with {count} axes"
    if is_library_kind(value, "matplotlib.axes", "Axes"):
        return _axes(value, own)
    if is_exactly(value, io.TextIOWrapper, io.BufferedReader, io.BufferedWriter, io.BufferedRandom, io.FileIO):
        return _file(value)
    head = describe_class_of(value)
    public = {k: v for k, v in own.items() if not k.startswith("_")}
    if not public:
        return f"{head} object"
    parts = [f"{label(k)} {_kind_of(v)}" for k, v in islice(public.items(), 40)]
    return fit(f"{head} object, attributes: ", parts, len(public), "", room)


def _keys(mapping: dict[str, object]) -> str:
    return ", ".join(label(k) for k in islice(mapping, 6)) or "nothing"


def _kind_of(value: object) -> str:
    return shape_of(value) or class_name(type(value))


def _estimator(value: Any, own: dict[str, object], room: int) -> str:
    """Parameters that are not the default's, and whether it was fitted, as its attributes show."""
    defaults: dict[str, object] = {}
    for base in mro(type(value)):
        init = class_dict(base).get("__init__")
        if type(init) is types.FunctionType:
            found = inspect.signature(init, follow_wrapped=False).parameters
            defaults = {p.name: p.default for p in found.values()}
            break
    changed = {name: own[name] for name in defaults if name in own and not _same(own[name], defaults[name])}
    fitted = [name for name in own if name.endswith("_") and not name.startswith("_")]
    tail = ", not fitted"
    if fitted:
        tail = ", fitted"
        if (names := own.get("feature_names_in_")) is not None:
            tail += f" on {brief_list(names)}"
        elif type(own.get("n_features_in_")) is int:
            tail += f" on {own['n_features_in_']} features"
        if (classes := own.get("classes_")) is not None:
            tail += f", classes {brief_list(classes)}"
    return fit(f"{class_name(type(value))}(", _parameters(changed), len(changed), ")", room - len(tail)) + tail


def _parameters(values: dict[str, object]) -> list[str]:
    out = []
    for name, value in values.items():
        if name == "steps" and is_exactly(value, list):
            steps = cast("list[tuple[object, object]]", value)
            inner = ", ".join(f"{label(k)}: {class_name(type(v))}" for k, v in steps[:8])
            out.append(f"steps=[{inner}]")
        else:
            out.append(f"{label(name)}={brief(value, 1)}")
    return out


def brief_list(array: Any) -> str:
    """A fitted attribute that lists names or classes."""
    from llmos_jupyter.agent.describe_data import nested

    if is_library_kind(array, "numpy", "ndarray") and array.ndim == 1:
        some = nested(array[:6].tolist())
        return some if array.shape[0] <= 6 else f"{some[:-1]}, ... {array.shape[0] - 6} more]"
    return brief(array)


def _same(one: object, other: object) -> bool:
    if one is other:
        return True
    plain_kinds = (int, float, str, bool)
    return type(one) is type(other) and is_exactly(one, *plain_kinds) and one == other


def _axes(value: Any, own: dict[str, object]) -> str:
    def written(artist: object) -> str:
        text = own_attributes(artist).get("_text") if artist is not None else None
        return literal(text) if type(text) is str and text else ""

    parts = [class_name(type(value))]
    if title := written(own.get("title")):
        parts.append(f"title {title}")
    for axis in ("xaxis", "yaxis"):
        if text := written(own_attributes(own[axis]).get("label") if axis in own else None):
            parts.append(f"{axis[0]} label {text}")
    children = own.get("_children")
    if is_exactly(children, list):
        parts.append(f"{len(cast('list[object]', children))} artists")
    return ", ".join(parts)


def _file(value: Any) -> str:
    """Name and mode, asked only of the interpreter's own file objects all the way down."""
    layer = value
    mode = None
    if type(layer) is io.TextIOWrapper:
        mode = own_attributes(layer).get("mode")
        layer = layer.buffer
    if is_exactly(layer, io.BufferedReader, io.BufferedWriter, io.BufferedRandom):
        layer = layer.raw
    if type(layer) is not io.FileIO:
        return f"{class_name(type(value))} object"
    state = "closed" if layer.closed else f"mode {plain(mode if type(mode) is str else layer.mode)}"
    return f"file {brief(layer.name)}, {state}"
