"""What code depends on in a variable: its kind, not its values.

Code that groups `sales` by `region` stays right when rows are added, and wrong when the column is gone: so a table's
kind is its columns with their dtypes, a dictionary's its keys, a function's its signature. As everywhere where
variables are looked at, no code of the user's classes runs.
"""

from __future__ import annotations

import types
from itertools import islice
from typing import Any, cast

from llmos_jupyter.agent.describe.basics import (
    class_dict,
    class_module,
    class_name,
    is_kind,
    is_library_kind,
    label,
    module_dict,
    mro,
    own_attributes,
    redefines,
)
from llmos_jupyter.agent.describe.code import signature

# Items of a container that are looked at, and how deep.
ITEMS = 200
DEPTH = 2


def kind_of(value: Any, depth: int = DEPTH) -> str:
    """The kind of a value in words that hold no value of its data, no address, no size and no path."""
    cls = f"{class_module(type(value)).partition('.')[0]}.{class_name(type(value))}"
    try:
        return _kind(value, cls, depth)
    except Exception:  # whatever a library's object does when looked at, its class is a kind too
        return cls


def _kind(value: Any, cls: str, depth: int) -> str:
    if is_kind(value, types.ModuleType):
        return f"module {own_attributes(value).get('__name__')}"
    if is_kind(value, types.FunctionType):
        return f"function{signature(value)}"
    if is_kind(value, type):
        return f"class {class_name(value)}: {', '.join(sorted(k for k in class_dict(value) if not k.startswith('__')))}"
    if (table := _table(value)) is not None:
        return f"{cls} {table}"
    if is_kind(value, dict) and depth > 0:
        some = list(islice(dict.items(value), ITEMS))
        if all(type(key) is str for key, _ in some) and dict.__len__(value) <= ITEMS:
            return f"{cls} {{{', '.join(sorted(f'{label(k)}: {kind_of(v, depth - 1)}' for k, v in some))}}}"
        kinds = {f"{kind_of(k, 0)}: {kind_of(v, depth - 1)}" for k, v in some}
        return f"{cls} {{{', '.join(sorted(kinds))}}}"
    for kind in (list, tuple, set, frozenset):
        if is_kind(value, kind) and depth > 0:
            first: Any = islice(cast("Any", kind).__iter__(value), ITEMS)
            return f"{cls} [{', '.join(sorted({kind_of(v, depth - 1) for v in first}))}]"
    if not is_kind(value, dict, list, tuple, set, frozenset, str, bytes, int, float, complex) and depth > 0:
        public = sorted(name for name in own_attributes(value) if not name.startswith("_"))
        return f"{cls} {', '.join(public)}" if public else cls
    return cls


def _table(value: Any) -> str | None:
    """The columns and dtypes of a table, the dtype and the number of dimensions of an array; None for others."""
    pandas = module_dict("pandas")
    if is_library_kind(value, "pandas", "DataFrame", "Series", "Index"):
        base = next(c for c in mro(type(value)) if class_name(c) in ("DataFrame", "Series", "Index"))
        if redefines(value, base, "__getattribute__", "__getattr__", "dtypes", "columns", "index", "_mgr"):
            return None
        if is_kind(value, pandas.get("Index")):
            return f"{value.dtype}"
        index = ", ".join(label(name) for name in value.index.names)
        if is_kind(value, pandas.get("Series")):
            return f"{label(value.name)} {value.dtype} by {index} {value.index.dtype}"
        columns = zip(value.columns.tolist(), value.dtypes.tolist(), strict=True)
        return (
            f"{', '.join(sorted(f'{label(name)} {dtype}' for name, dtype in columns))} by {index} {value.index.dtype}"
        )
    if is_library_kind(value, "numpy", "ndarray"):
        array = module_dict("numpy")["ndarray"].view(value, module_dict("numpy")["ndarray"])
        return f"{array.dtype} {array.ndim}d"
    if is_library_kind(value, "polars", "DataFrame", "LazyFrame") and class_module(type(value)).startswith("polars"):
        schema = value.collect_schema() if class_name(type(value)) == "LazyFrame" else value.schema
        return ", ".join(sorted(f"{label(name)} {dtype}" for name, dtype in schema.items()))
    if is_library_kind(value, "polars", "Series") and class_module(type(value)).startswith("polars"):
        return f"{label(value.name)} {value.dtype}"
    if is_library_kind(value, "torch", "Tensor"):
        return f"{value.dtype} {value.dim()}d"
    return None
