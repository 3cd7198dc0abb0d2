"""What runs inside a kernel for a plain prompt: the variables there are, in words."""

from __future__ import annotations

import inspect
import types
from typing import Any

# Characters: of one variable, and of all.
ONE = 3000
ALL = 8000
ROWS = 3


def schema() -> str:
    """Each variable of the notebook: the columns of a table with their types, and the first rows."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    assert shell is not None
    hidden = shell.user_ns_hidden
    space = {
        name: value
        for name, value in shell.user_ns.items()
        if not name.startswith("_") and not (name in hidden and hidden[name] is value)
    }
    return describe(space)


def describe(space: dict[str, Any]) -> str:
    told = [_one(name, value)[:ONE] for name, value in space.items() if not isinstance(value, types.ModuleType | type)]
    return "\n".join(told)[:ALL]


def _one(name: str, value: Any) -> str:
    kind = type(value).__name__
    if kind == "DataFrame":
        columns = ", ".join(f"{label!r}: {dtype}" for label, dtype in value.dtypes.items())
        head = value.head(ROWS).to_string(max_colwidth=60)
        return f"{name}: DataFrame, {len(value)} rows, columns {{{columns}}}, first rows:\n{head}"
    if kind == "Series":
        return f"{name}: Series of {value.dtype}, {len(value)} items, first: {value.head(ROWS).to_dict()!r}"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        first = value[:ROWS].tolist() if value.shape else value
        return f"{name}: {kind} of {value.dtype}, shape {value.shape}, first: {first!r}"
    if isinstance(value, list | tuple | set | dict):
        items = list(value.items() if isinstance(value, dict) else value)
        return f"{name}: {kind}, {len(items)} items, first: {items[:ROWS]!r}"
    if isinstance(value, types.FunctionType):
        return f"{name}: function {name}{inspect.signature(value)}"
    return f"{name}: {kind} = {repr(value)[:200]}"
