"""What a candidate came to, as digests that are equal for equal values: candidates that agree are likelier right.

Runs in the rehearsal's copy, which ends afterwards: reading the values there can do no harm.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Mapping
from typing import Any

from llmos_jupyter.effects.objects.layout import class_module, class_name
from llmos_jupyter.protocol import Shape

# Cells of a table that are read; of a larger one the beginning and the end stand for the rest.
CELLS = 100_000
DEPTH = 4
# Columns of a table whose labels are told.
COLUMNS = 30
# As a number prints itself; a table writes NaN, and may well have some.
_MISSING = re.compile(r"(?<![\w.])nan(?![\w.])")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")


def digest(value: Any) -> str:
    """Twelve characters, equal for values a person would call the same answer.

    A number, whatever its type, to nine digits; a table by its values and its rows' order, but not by the names of its
    columns or by whether a key stands in a column or in the index; a figure by what is drawn.
    """
    return hashlib.sha1(_form(value, DEPTH).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()[:12]


def doubts(value: Any, shown: str, figures: int) -> list[str]:
    """What makes an answer suspicious though nothing failed."""
    pd, np = sys.modules.get("pandas"), sys.modules.get("numpy")
    if value is None:
        if _MISSING.search(shown):
            return ["it prints a missing value (nan)"]
        return [] if shown.strip() or figures else ["it shows nothing"]
    if pd is not None and isinstance(value, (pd.DataFrame, pd.Series)):
        if value.size == 0:
            return ["its result is empty"]
        return ["its result has only missing values"] if bool(value.isna().all(axis=None)) else []
    if np is not None and isinstance(value, np.ndarray):
        return ["its result is empty"] if value.size == 0 else []
    if isinstance(value, (list, tuple, dict, set)) and not value:
        return ["its result is empty"]
    if isinstance(value, float) and value != value:
        return ["its result is a missing value"]
    return ["its result is a function, not a value"] if _is_function(value) else []


def joined_texts(value: Any, namespace: Mapping[str, Any]) -> list[str]:
    """A doubt for each column of text that a sum has joined into one long text, as `df.sum()` and
    `df.groupby("key").sum()` do."""
    pd = sys.modules.get("pandas")
    if pd is None or not isinstance(value, (pd.DataFrame, pd.Series)) or value.size > CELLS:
        return []
    tables = [table for table in namespace.values() if type(table) is pd.DataFrame and table.size <= CELLS]
    if isinstance(value, pd.Series):
        sums = {label: [text] for label, text in value.items() if type(text) is str and type(label) is str}
    else:
        sums = {label: texts for label in value.columns if (texts := _texts(value[label]))}
    joined = []
    for label, texts in sums.items():
        columns = [_texts(table[label]) for table in tables if label in table.columns]
        if any(len(column) > len(texts) and _length(column) == _length(texts) for column in columns):
            joined.append(f"it joins the texts of the column {label!r} to one: sum the columns of numbers alone")
    return joined


def _texts(column: Any) -> list[str]:
    """The texts of a column that holds nothing else."""
    held = column.dropna().tolist() if getattr(column, "ndim", 0) == 1 else []
    return held if {str}.issuperset(map(type, held)) else []


def _length(texts: list[str]) -> int:
    return sum(map(len, texts))


def shape(value: Any, shown: str, figures: int) -> Shape:
    """Whether the value is one number, a column of them, or a table, and how many rows it has."""
    missing = value is None and _MISSING.search(shown) is not None
    if value is None and not shown.strip() and not figures:
        return Shape(kind="nothing")
    return _shape(value).model_copy(update={"figures": figures, "missing": missing})


def _is_function(value: Any) -> bool:
    return type(value).__name__ in ("function", "method")


def _shape(value: Any) -> Shape:
    pd, np = sys.modules.get("pandas"), sys.modules.get("numpy")
    if isinstance(value, bool) or (np is not None and isinstance(value, np.bool_)):
        return Shape()
    if isinstance(value, int) or (np is not None and isinstance(value, np.integer)):
        return Shape(kind="whole number")
    if isinstance(value, float) or (np is not None and isinstance(value, np.floating)):
        return Shape(kind="number")
    if pd is not None and isinstance(value, pd.DataFrame):
        labels = [label for label in value.columns[:COLUMNS] if isinstance(label, str)]
        named = isinstance(value.index, pd.RangeIndex) and len(labels) == value.shape[1]
        return Shape(kind="table", rows=len(value), columns=labels if named else [])
    if (pd is not None and isinstance(value, pd.Series)) or (np is not None and isinstance(value, np.ndarray)):
        return Shape(kind="column" if value.ndim == 1 else "table", rows=len(value) if value.ndim else 1)
    if isinstance(value, (list, tuple, dict, set)):
        return Shape(kind="dict" if isinstance(value, dict) else "list", rows=len(value))
    if isinstance(value, str):
        return Shape(kind="text")
    return Shape(kind="function") if _is_function(value) else Shape()


def final_value(code: str, value: Any, namespace: Mapping[str, Any]) -> Any:
    """The value that a cell ends with; where it prints a variable at its end, that variable's."""
    if value is not None:
        return value
    try:
        last = ast.parse(code).body[-1]
    except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return None
    call = last.value if isinstance(last, ast.Expr) else None
    if (
        isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "print"
        and len(call.args) == 1
        and not call.keywords
    ):
        return namespace.get(call.args[0].id) if isinstance(call.args[0], ast.Name) else None
    return None


def digests(namespace: Mapping[str, Any], names: list[str], shown: str) -> dict[str, str]:
    """The digests of these names, and under '' of what was shown."""
    found = {name: _safely(namespace[name]) for name in names if name in namespace}
    if shown:
        found[""] = shown
    return found


def shown_digest(value: Any, output: str, figures: list[str]) -> str:
    """Of what a cell shows: its figures, or else its last value, or else what it printed; empty if nothing."""
    if figures:
        return digest(figures)
    np = sys.modules.get("numpy")
    if np is not None and isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return digest(_numbers(str(value)))
    if value is not None:
        return _safely(value)
    return digest(_numbers(output)) if output.strip() else ""


def figure_digest(figure: Any) -> str:
    """A matplotlib figure by its data: lines, bars, points, pictures; not by its colours and words."""
    return _safely([_axes(axes) for axes in figure.axes])


def open_figures() -> list[str]:
    """The digests of pyplot's open figures (a terminal leaves them open, a notebook shows and closes them)."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    managers = helpers.Gcf.get_all_fig_managers() if helpers else []
    return [figure_digest(manager.canvas.figure) for manager in managers]


def _safely(value: Any) -> str:
    try:
        return digest(value)
    except Exception:  # the value is the candidate's: reading it may do anything
        return digest(class_name(type(value)))


def _form(value: Any, depth: int) -> str:
    np, pd = sys.modules.get("numpy"), sys.modules.get("pandas")
    if value is None or isinstance(value, str):
        return repr(value)
    if np is not None and isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (bool, int, float)):
        return _number(float(value)) if abs(value) < 2**63 else str(value)
    if pd is not None:
        if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
            return _table(value, pd)
        if isinstance(value, (pd.Timestamp, pd.Timedelta, pd.Period)):
            return str(value)
    if np is not None and isinstance(value, np.ndarray):
        flat = value.ravel()[:CELLS].tolist()
        return f"{value.shape if value.ndim > 1 else ''}" + _column(flat, depth)
    if depth == 0:
        return type(value).__name__
    if isinstance(value, dict):
        if all(isinstance(item, (bool, int, float, str)) for item in value.values()):
            return "|".join([_column(list(value), depth), _column(list(value.values()), depth)])
        return "{" + ",".join(f"{_form(k, 0)}:{_form(v, depth - 1)}" for k, v in list(value.items())[:CELLS]) + "}"
    if isinstance(value, (set, frozenset)):
        return "set" + ",".join(sorted(_form(item, depth - 1) for item in value))
    if isinstance(value, (list, tuple)):
        return _column(list(value)[:CELLS], depth)
    if class_module(type(value)).startswith("matplotlib.figure"):
        return figure_digest(value)
    if hasattr(value, "get_params") and hasattr(value, "fit"):
        return f"{type(value).__name__}{sorted(value.get_params().items(), key=str)!r}"
    return _ADDRESS.sub("", f"{type(value).__name__}{repr(value)[:2000]}")


def _column(values: list[Any], depth: int) -> str:
    return "[" + ",".join(_form(value, depth - 1 if depth else 0) for value in values) + "]"


def _number(value: float) -> str:
    return "nan" if value != value else f"{value + 0.0:.9g}"


def _table(value: Any, pd: Any) -> str:
    """The columns in any order, the index among them unless it only counts the rows."""
    if isinstance(value, pd.Index):
        value = value.to_series(index=range(len(value)))
    rows = max(CELLS // max(value.shape[-1] if value.ndim > 1 else 1, 1), 10)
    if len(value) > rows:
        value = pd.concat([value.head(rows // 2), value.tail(rows // 2)])
    columns = [value] if value.ndim == 1 else [value.iloc[:, place] for place in range(value.shape[1])]
    lists = [column.astype(object).tolist() for column in columns]
    if not isinstance(value.index, pd.RangeIndex):
        lists += [value.index.get_level_values(level).tolist() for level in range(value.index.nlevels)]
    return "|".join(sorted(_column([None if item is pd.NaT else item for item in items], 2) for items in lists))


def _axes(axes: Any) -> list[Any]:
    drawn: list[Any] = [[line.get_xydata().tolist() for line in axes.get_lines()]]
    drawn.append([_patch(patch) for patch in axes.patches])
    drawn.append([collection.get_offsets().tolist() for collection in axes.collections])
    drawn.append([image.get_array().tolist() for image in axes.images])
    return drawn


def _patch(patch: Any) -> list[float]:
    box = patch.get_extents() if not hasattr(patch, "get_width") else None
    if box is not None:
        return [round(number, 3) for number in box.bounds]
    return [float(patch.get_x()), float(patch.get_width()), float(patch.get_height())]


def _numbers(text: str) -> list[str]:
    """The numbers of a printed answer: two ways of printing the same figure agree."""
    found = re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", text.replace(",", ""))
    return [f"{float(number):.4g}" for number in found] or text.lower().split()
