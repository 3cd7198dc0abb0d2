"""Everything that is not a table or an array, in words: containers, functions, classes, instances."""

from __future__ import annotations

import functools
import inspect
import io
import types
from itertools import islice
from typing import Any, cast

from llmos_jupyter.agent.describe.basics import (
    class_dict,
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
from llmos_jupyter.agent.describe.brief import (
    LOOKED_AT,
    SEQUENCES,
    assignments,
    brief,
    first_of,
    kinds_of,
    label_or_literal,
    named_fields,
    nested,
    spread_of,
)
from llmos_jupyter.agent.describe.code import describe_class, describe_function, signature
from llmos_jupyter.agent.describe.data import describe_data
from llmos_jupyter.agent.describe.shapes import shape_of
from llmos_jupyter.agent.describe.table_layout import NOBODY, Asked


def describe_object(value: Any, room: int, deadline: float, asked: Asked = NOBODY) -> str:
    """The description without the variable's name, at most `room` characters where that is possible."""
    if is_kind(value, str):
        length = str.__len__(value)
        return f"str, {length} characters: {literal(value, max(12, min(160, room - 40)))}"
    if (text := describe_data(value, room, deadline, asked)) is not None:
        return text
    if (text := scalar(value)) is not None:
        kind = class_name(type(value))
        return text if value is None or text.startswith((kind, "Path(", "re.")) else f"{kind} {text}"
    if is_kind(value, dict):
        return _dict(value, room)
    if (fields := named_fields(value)) is not None:
        return _record(value, fields, room)
    if is_kind(value, *SEQUENCES):
        return _sequence(value, room)
    if is_kind(value, types.FunctionType):
        return describe_function(value)
    if is_kind(value, type):
        return describe_class(value, room)
    return _instance(value, room)


# --- containers --------------------------------------------------------------------------------


def _sequence(value: Any, room: int) -> str:
    kind: Any = next(k for k in SEQUENCES if is_kind(value, k))
    length = kind.__len__(value)
    name = class_name(type(value))
    if not length:
        return f"{name}, empty"
    spread = spread_of(value, kind)
    first = first_of(value, kind, 40)
    head = f"{name}[{kinds_of(spread)}], {length} items"
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


def _dict(value: Any, room: int) -> str:
    length = dict.__len__(value)
    name = class_name(type(value))
    if not length:
        return f"{name}, empty"
    looked = list(islice(dict.items(value), LOOKED_AT))
    kinds = f"{kinds_of([k for k, _ in looked])}, {kinds_of([v for _, v in looked])}"
    head = f"{name}[{kinds}], {length} items"
    pairs = (f"{label_or_literal(k)}: {brief(v)}" for k, v in looked[:60])
    return fit(f"{head}: {{", pairs, length, "}", room)


# --- instances ----------------------------------------------------------------------------------


def _record(value: Any, fields: dict[str, object], room: int) -> str:
    return fit(f"{describe_class_of(value)}(", assignments(fields, 1), len(fields), ")", room)


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
        return describe_function(wrapped)
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
