"""What the live objects have to say to the model after its code failed in the rehearsal.

A traceback alone rescues few answers of a small model; facts it could not see do better: the real
columns, the shapes that do not fit, the names that exist, the signature that was misused.
"""

from __future__ import annotations

import ast
import inspect as std
import re
import sys
import types
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.hints.of_values import data_hints, levels_hint
from llmos_jupyter.agent.hints.remedies import remedy
from llmos_jupyter.agent.inspection import source
from llmos_jupyter.agent.inspection.dataflow.frames import REPLACED
from llmos_jupyter.agent.mending.nearest import nearest
from llmos_jupyter.protocol import ErrorReport

_MOST = 6
_LONGEST = 300
_COLUMNS = 30
# Packages whose functions may be asked for their signature: reading it runs nothing of the user's.
_LIBRARIES = frozenset(
    ["pandas", "numpy", "polars", "matplotlib", "seaborn", "sklearn", "scipy", "plotly", "statsmodels", "builtins"]
) | frozenset(sys.stdlib_module_names)


_NUMPY_FUNCTIONS = frozenset(["_ArrayFunctionDispatcher", "ufunc"])


def column_hints(
    error_type: str, error_message: str, namespace: Mapping[str, Any], code: str, report: ErrorReport | None = None
) -> list[str]:
    """Sentences for the model about the live objects that failed code names: at most six, each of at
    most 300 characters. The code is not run and need not parse; empty if there is nothing to say.

    `report`: with it, what the failing line worked on is told too, as the sandbox saw it.
    """
    kind = error_type.rpartition(".")[2]
    tree = _tree(code)
    named = _objects(tree, code, namespace)
    found: list[str] = []
    frames = [(name, obj) for name, obj in named.items() if live.is_frame(obj) or live.is_polars(obj)]
    # What the values themselves say to write stands first: a repair is told the first few sentences only.
    of_values = list(data_hints(error_message, frames))
    general = _sentences(kind, error_message, named, frames, tree, namespace, remedied=bool(of_values))
    for sentence in chain(of_values, _at_the_line(report), general):
        text = sentence if len(sentence) <= _LONGEST else sentence[: _LONGEST - 1] + "…"
        if text not in found:
            found.append(text)
        if len(found) == _MOST:
            break
    return found


def _at_the_line(report: ErrorReport | None) -> Iterator[str]:
    if report is not None:
        where = f"in line {report.line}" if report.line else "then"
        yield from (f"{where[0].upper()}{where[1:]}, {value}" for value in report.values[:3])
        if report.function:
            yield f"It calls {report.function}"


def _tree(code: str) -> ast.Module:
    return source.read(code, None).tree


def _objects(tree: ast.Module, code: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The user's objects that the code names, in order; modules, functions and classes aside."""
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
    nodes.sort(key=lambda n: (n.lineno, n.col_offset))
    words = [n.id for n in nodes] or re.findall(r"[A-Za-z_]\w*", code)
    named: dict[str, Any] = {}
    for word in words:
        if word in namespace and not word.startswith("_"):
            value = namespace[word]
            if not (live.is_module(value) or live.is_class(value) or type(value) is types.FunctionType):
                named[word] = value
    return named


def _sentences(
    kind: str,
    message: str,
    named: dict[str, Any],
    frames: list[tuple[str, Any]],
    tree: ast.Module,
    namespace: Mapping[str, Any],
    *,
    remedied: bool,
) -> Iterator[str]:
    """`remedied`: whether it has been told already what to write."""
    if kind in {"KeyError", "ColumnNotFoundError"}:
        yield from _missing_labels(message, named, namespace)
    if kind in {"AttributeError", "ModuleNotFoundError", "ImportError"}:
        yield from _missing_attribute(message, named, namespace)
    if kind == "NameError":
        yield from _missing_name(message, namespace)
    if kind == "TypeError":
        yield from _signatures(message, tree, namespace)
    if not remedied and (told := remedy(message, *_example(frames, named))):
        yield told
    if kind in {"KeyError", "AttributeError", "ValueError", "TypeError", "IndexError", "ColumnNotFoundError",
                "UndefinedVariableError", "NameError", "DataError", "InvalidOperationError", "ShapeError"}:  # fmt: skip
        for name, frame in frames:
            yield from _numbers_only(name, frame, kind, message)
            yield from _columns(name, frame)
    if kind in {"ValueError", "IndexError", "TypeError", "KeyError", "ShapeError", "LinAlgError", "AttributeError"}:
        for name, obj in named.items():
            yield from _shape(name, obj, kind)
    if kind == "ValueError":
        for name, frame in frames:
            yield from _missing_values(name, frame, message)
        yield from _signatures(message, tree, namespace)


def _example(frames: list[tuple[str, Any]], named: dict[str, Any]) -> tuple[str, str]:
    """A table that the code names and one of its columns, of numbers if there is one; or an array, and no column."""
    if frames and live.is_frame(frames[0][1]):
        name, frame = frames[0]
        labels = [label for label in live.column_labels(frame) or [] if type(label) is str]
        numeric = [label for label in labels if str(frame.dtypes[label]).startswith(("int", "float"))]
        return name, (numeric or labels or [""])[0]
    return next((name for name, value in named.items() if live.class_name(type(value)) == "ndarray"), ""), ""


def _quoted(message: str) -> list[str]:
    return [text for pair in re.findall(r"'([^']+)'|\"([^\"]+)\"", message) for text in pair if text]


def _elsewhere(label: str, named: dict[str, Any], namespace: Mapping[str, Any]) -> Iterator[str]:
    """A column that another table has: where it stands, and how the two are joined."""
    frames = {n: v for n, v in namespace.items() if live.is_frame(v) and not n.startswith("_")}
    columns = {name: live.column_labels(frame) or [] for name, frame in frames.items()}
    for name in named:
        if name not in frames or label in columns[name]:
            continue
        for other, labels in columns.items():
            if other != name and label in labels:
                common = [c for c in columns[name] if c in labels and type(c) is str]
                joined = f"; join them first: `{name}.merge({other}, on={common[0]!r})`" if common else ""
                yield f"{label!r} is a column of `{other}`, not of `{name}`{joined}."


def _missing_labels(message: str, named: dict[str, Any], namespace: Mapping[str, Any]) -> Iterator[str]:
    wanted = _quoted(message) or [message.strip()]
    for label in wanted[:3]:
        yield from _elsewhere(label, named, namespace)
    for name, obj in named.items():
        if live.is_frame(obj) or live.is_polars(obj):
            yield from levels_hint(name, obj)
            real = [c for c in live.column_labels(obj) or [] if type(c) is str]
            what = "column"
        elif type(obj) is dict:
            real, what = [k for k in obj if type(k) is str], "key"
        else:
            continue
        for label in wanted[:3]:
            near = nearest(label, real)
            if label not in real and near:
                yield f"`{name}` has no {what} {label!r}; the nearest real ones are {', '.join(map(repr, near))}."
        if what == "key":
            yield f"The keys of `{name}` are {_listed([repr(k) for k in real])}."
        elif live.is_frame(obj) and not _quoted(message) and not message.startswith("("):
            yield from _rows(name, obj)


def _rows(name: str, frame: Any) -> Iterator[str]:
    """The row labels, when a label that is no text was not found."""
    index = frame.index
    ends = live.plain_labels([*index[:3].tolist(), *index[-1:].tolist()]) if len(index) else None
    if ends:
        first = ", ".join(repr(label)[:40] for label in ends[:-1])
        kind = live.class_name(type(index))
        yield f"The rows of `{name}` are labelled by a {kind} of {len(index)}: {first} … {ends[-1]!r:.40}."


def _columns(name: str, frame: Any) -> Iterator[str]:
    labels = live.column_labels(frame)
    if labels is None:
        return
    if live.is_polars(frame):
        dtypes = [str(d) for d in frame.dtypes[:_COLUMNS]]
    else:
        dtypes = [str(d) for d in frame.dtypes.iloc[:_COLUMNS]]
    shown = [f"{label!r} ({dtype})" for label, dtype in zip(labels, dtypes, strict=False)]
    rows, width = frame.shape
    yield f"`{name}` has {rows} rows and these {width} columns: {_listed(shown, width)}."
    if not live.is_polars(frame):
        levels = [n for n in live.index_names(frame) or () if n is not None]
        if levels:
            yield f"The index of `{name}` is named {', '.join(map(repr, levels))}; it is not among the columns."


# What pandas and NumPy say when text is averaged, correlated or scaled.
_TEXT_WHERE_NUMBERS_BELONG = re.compile(
    r"does not support (operation|reduction) '|annot perform reduction|could not convert string|to numeric"
    r"|unsupported operand type.*'str'"
)


def _numbers_only(name: str, frame: Any, kind: str, message: str) -> Iterator[str]:
    """Text was calculated with: the columns that are numbers, ready to be copied."""
    if kind not in {"TypeError", "ValueError"} or live.is_polars(frame):
        return
    if not _TEXT_WHERE_NUMBERS_BELONG.search(message):
        return
    labels = live.column_labels(frame) or []
    numeric = [repr(label) for label, dtype in zip(labels, frame.dtypes, strict=False) if dtype.kind in "biufc"]
    if numeric and len(numeric) < len(labels):
        yield f"Only these columns of `{name}` are numbers; calculate with them alone: [{_listed(numeric)}]."


def _listed(items: list[str], total: int | None = None) -> str:
    """As many items as fit a sentence, and how many there are beyond them."""
    total = len(items) if total is None else total
    kept: list[str] = []
    for item in items:
        if sum(len(i) + 2 for i in kept) + len(item) > _LONGEST - 100:
            break
        kept.append(item[:60])
    rest = total - len(kept)
    return ", ".join(kept) + (f" and {rest} more" if rest > 0 else "") if kept else "none"


def _shape(name: str, obj: Any, kind: str) -> Iterator[str]:
    if live.is_exactly(obj, "numpy", "ndarray"):
        yield f"`{name}` is a NumPy array of shape {obj.shape} and dtype {obj.dtype}."
    elif live.is_series(obj):
        yield f"`{name}` is a pandas Series of {len(obj)} values of dtype {obj.dtype}."
    elif live.is_exactly(obj, "polars", "Series"):
        yield f"`{name}` is a polars Series of {len(obj)} values of dtype {obj.dtype}."
    elif live.kind(obj, list, tuple, set, dict):
        inner = {live.class_name(type(v)) for v in list(obj.values() if type(obj) is dict else obj)[:20]}
        of = f" of {'/'.join(sorted(inner))}" if 0 < len(inner) <= 3 else ""
        yield f"`{name}` is a {live.class_name(type(obj))} with {len(obj)} items{of}."
    elif kind in {"TypeError", "AttributeError"} and not (live.is_frame(obj) or live.is_polars(obj)):
        cls = live.class_name(type(obj))
        # No text: it may be a secret.
        value = f" with the value {obj!r:.60}" if live.kind(obj, int, float, bool) else ""
        yield f"`{name}` is {'None' if obj is None else f'of type {cls}{value}'}."


def _missing_values(name: str, frame: Any, message: str) -> Iterator[str]:
    if not re.search(r"\bNaN\b|missing values|infinity", message) or live.is_polars(frame):
        return
    counts = frame.isna().sum()
    labels = live.column_labels(frame) or []
    with_gaps = [f"{c!r} ({n})" for c, n in zip(labels, counts.tolist(), strict=False) if n]
    if with_gaps:
        yield f"Columns of `{name}` with missing values: {_listed(with_gaps)}; drop or fill them first."


_NO_ATTRIBUTE = re.compile(r"'?([\w.]+)'? (?:object )?has no attribute '(\w+)'")


def _missing_attribute(message: str, named: dict[str, Any], namespace: Mapping[str, Any]) -> Iterator[str]:
    match = _NO_ATTRIBUTE.search(message)
    if match is None:
        wanted = re.search(r"cannot import name '(\w+)' from '([\w.]+)'", message)
        if wanted and (module := sys.modules.get(wanted.group(2))) is not None:
            near = nearest(wanted.group(1), live.members(module))
            if near:
                yield f"The module {wanted.group(2)} has no `{wanted.group(1)}`; it has {_ticked(near)}."
        return
    owner, attribute = match.groups()
    for name, obj in [*named.items(), *namespace.items()]:
        fits = live.module_name(obj) == owner if live.is_module(obj) else live.class_name(type(obj)) == owner
        if type(name) is not str or name.startswith("_") or not fits:
            continue
        near = nearest(attribute, live.members(obj))
        if live.is_frame(obj) or live.is_polars(obj):
            near += nearest(attribute, [c for c in live.column_labels(obj) or [] if type(c) is str], 2)
        if attribute in REPLACED and near[:1] != [attribute]:
            yield f"`{attribute}` is gone from {owner}; use {REPLACED[attribute]}."
        if near:
            yield f"`{name}` has no attribute `{attribute}`; it has {_ticked(near)}."
        return
    owner = owner.rpartition(".")[2]
    cls = _known_class(owner)
    if cls is None:
        return
    near = nearest(attribute, live.members(cls))
    if live.derived(cls, float) or re.fullmatch(r"u?int\d*|float\d*|bool_?|complex\d*", owner):
        yield f"`.{attribute}` was asked of a single value of type {owner}: a step before it has already aggregated."
    elif near:
        yield f"A value of type {owner} has no attribute `{attribute}`; it has {_ticked(near)}."
    else:
        yield f"`.{attribute}` was asked of a value of type {owner}: check what the step before it returns."


def _ticked(names: list[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def _known_class(name: str) -> type | None:
    for module in ("builtins", "pandas", "numpy", "polars"):
        loaded = sys.modules.get(module)
        found = live.static(loaded, name) if loaded is not None else live.MISSING
        if found is not live.MISSING and live.is_class(found):
            cls: type = found
            return cls
    return type(None) if name == "NoneType" else None


def _missing_name(message: str, namespace: Mapping[str, Any]) -> Iterator[str]:
    for name in _quoted(message)[:1]:
        near = nearest(name, [n for n in namespace if type(n) is str and not n.startswith("_")])
        if near:
            yield f"`{name}` is not defined; the notebook has {_ticked(near)}."


def _signatures(message: str, tree: ast.Module, namespace: Mapping[str, Any]) -> Iterator[str]:
    """The signature of the library function that the message names, found through the calls of the code."""
    blamed = re.search(r"([A-Za-z_][\w.]*)\(\)", message)
    keyword = re.search(r"unexpected keyword argument '(\w+)'", message)
    if blamed is None and keyword is None:
        return
    last = blamed.group(1).rpartition(".")[2] if blamed else ""
    if last == "__init__" and blamed:
        last = blamed.group(1).split(".")[-2] if "." in blamed.group(1) else ""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        keywords = {k.arg for k in node.keywords}
        if (last and name != last) or (not last and keyword and keyword.group(1) not in keywords):
            continue
        function = _library_function(node.func, namespace)
        if function is None:
            continue
        try:
            signature = std.signature(function)
        except (ValueError, TypeError):
            continue
        names = [p for p in signature.parameters if p not in {"self", "cls"}]
        if keyword:
            near = nearest(keyword.group(1), names, 2)
            if near:
                yield f"`{name}` has no argument `{keyword.group(1)}`; it has {_ticked(near)}."
        yield f"The arguments of `{ast.unparse(node.func)[:60]}` are ({_listed(names)})."
        return


def _library_function(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    """The library's function that the expression names, found statically; None if it is not one."""
    path: list[str] = []
    while isinstance(node, ast.Attribute):
        path.append(node.attr)
        node = node.value
    name = path[0] if path else ""
    if isinstance(node, ast.Name) and node.id in namespace:
        found: Any = namespace[node.id]
        for part in reversed(path):
            at = found if live.is_module(found) or live.is_class(found) else type(found)
            found = live.static(at, part)
            if found is live.MISSING:
                break
        if found is not live.MISSING:
            return if_library(found)
    # The receiver is an expression: a method that only one of pandas' classes has is meant.
    for cls in ("DataFrame", "Series"):
        pandas = sys.modules.get("pandas")
        holder = live.static(pandas, cls) if pandas is not None and name else live.MISSING
        method = live.static(holder, name) if holder is not live.MISSING else live.MISSING
        if method is not live.MISSING:
            return if_library(method)
    return None


def if_library(found: Any) -> Any:
    """A function or class of a known library, out of what wraps methods of classes; None for anything else."""
    if live.kind(found, staticmethod, classmethod):
        found = found.__func__
    if live.class_module(type(found)) == "numpy" and live.class_name(type(found)) in _NUMPY_FUNCTIONS:
        return found
    if not (live.kind(found, types.FunctionType, types.BuiltinFunctionType) or live.is_class(found)):
        return None
    module = live.class_module(found) if live.is_class(found) else found.__module__
    return found if type(module) is str and module.partition(".")[0] in _LIBRARIES else None
