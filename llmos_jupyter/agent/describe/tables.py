"""Tables in words: pandas, polars, pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmos_jupyter.agent.describe.basics import (
    class_name,
    is_exactly,
    is_kind,
    is_missing,
    label,
    module_dict,
    plain,
    redefines,
    scalar,
)
from llmos_jupyter.agent.describe.columns import Budget, Facts, column_facts, few_numbers, object_facts, stride
from llmos_jupyter.agent.describe.labels import label_notes, wrong_separator
from llmos_jupyter.agent.describe.shapes import dtype_name, is_exactly_a, is_pandas, is_pandas_dtype, shape_of
from llmos_jupyter.agent.describe.table_layout import MOST_COLUMNS, Asked, Columns, lay_out
from llmos_jupyter.privacy.masking import mask_value
from llmos_jupyter.privacy.secret_names import secret_name

# Of the room, what notes about names may take.
FOR_NOTES = 0.5


def columns_of(value: Any) -> Columns | None:
    """The columns of a table of any of the three libraries; None for anything else."""
    pd = module_dict("pandas")
    if is_kind(value, pd.get("DataFrame")):
        if redefines(value, pd["DataFrame"], "__getattribute__", "_mgr"):
            return None
        frame = value if type(value) is pd["DataFrame"] else pd["DataFrame"](value)
        return _pandas_columns(pd, frame)
    if is_exactly_a(value, "polars", "DataFrame"):
        return _polars_columns(value)
    if is_exactly_a(value, "pyarrow", "Table") or is_exactly_a(value, "pyarrow", "RecordBatch"):
        return _pyarrow_columns(value)
    return None


# --- pandas ------------------------------------------------------------------------------------


def describe_pandas(value: Any, room: int, deadline: float, asked: Asked) -> str | None:
    pd = module_dict("pandas")
    name = class_name(type(value))
    if is_kind(value, pd.get("DataFrame")):
        if redefines(value, pd["DataFrame"], "__getattribute__", "_mgr"):
            return None
        frame = value if type(value) is pd["DataFrame"] else pd["DataFrame"](value)
        return _frame(pd, frame, name, room, deadline, asked)
    if is_kind(value, pd.get("Series")):
        if redefines(value, pd["Series"], "__getattribute__", "_mgr", "index", "name"):
            return None
        series = value if type(value) is pd["Series"] else pd["Series"](value)
        facts = column_facts(pd, series, Budget.of(deadline))
        called = f" {label(series.name)}" if series.name is not None else ""
        index = _index_note(pd, series.index, deadline)
        return f"{name}{called}, {len(series)} rows, {facts.text()}" + (f"; index {index}" if index else "")
    if is_kind(value, pd.get("Index")):
        if type(value) is pd["RangeIndex"]:
            return f"RangeIndex {value.start} .. {value.stop - value.step if len(value) else value.stop}"
        if redefines(value, pd["Index"], "__getattribute__") or not is_pandas(type(value)):
            return None
        return f"{name}, {len(value)} entries, {_index_note(pd, value, deadline)}"
    if is_exactly_a(value, "pandas", "Categorical"):
        return f"Categorical, {column_facts(pd, pd['Series'](value), Budget.of(deadline)).text()}"
    return _groupby(value)


def _groupby(value: Any) -> str | None:
    groupby = module_dict("pandas.core.groupby").get("GroupBy") or module_dict("pandas.core.groupby.groupby").get(
        "GroupBy"
    )
    if groupby is None or not is_kind(value, groupby) or not is_pandas(type(value)):
        return None
    held = value.__dict__
    grouper = held.get("_grouper") or held.get("grouper")
    keys = ", ".join(label(key) for key in list(getattr(grouper, "names", []))[:6])
    of = shape_of(held.get("obj")) or "?"
    picked = held.get("_selection")
    chosen = ""
    if picked is not None:
        some = picked[:6] if is_exactly(picked, list, tuple) else [picked]
        chosen = f", selected: {', '.join(label(x) for x in some)}"
    return f"{class_name(type(value))} of {of}, grouped by {keys}{chosen}"


def _frame(pd: Any, frame: Any, name: str, room: int, deadline: float, asked: Asked) -> str:
    rows, width = frame.shape
    head = f"{name}, {rows} rows x {width} columns"
    for note in _notes(pd, frame, deadline, asked):
        if len(head) + len(note) < room * FOR_NOTES:
            head += f"\n  {note}"
    return lay_out(head, _pandas_columns(pd, frame), room, deadline, asked.request)


def _notes(pd: Any, frame: Any, deadline: float, asked: Asked) -> list[str]:
    """What is said of a table beside its columns: its index, and how its columns' names must be written."""
    index = _index_note(pd, frame.index, deadline)
    notes = [f"index: {index}"] if index else []
    if is_kind(frame.columns, pd["MultiIndex"]):
        levels = [label(level) for level in frame.columns.names if level is not None]
        called = f", levels {', '.join(levels)}" if levels else ""
        notes.append(f"column names are tuples (MultiIndex{called})")
        if frame.columns.has_duplicates:
            notes.append("duplicate column names")
        return notes
    labels = frame.columns[:MOST_COLUMNS].tolist()
    if frame.columns.name is not None:
        notes.append(f"the columns' names are called {label(frame.columns.name)}")
    if frame.shape[1] == 1 and _is_known(frame.dtypes.iloc[0]) and _is_known(frame.index.dtype):
        notes.append(wrong_separator(labels, frame.iloc[:20, 0].tolist(), frame.index[:20].tolist()))
    notes += label_notes(labels, asked.name, pd["DataFrame"])
    return [note for note in notes if note]


def _pandas_columns(pd: Any, frame: Any) -> Columns:
    def facts(position: int, budget: Budget) -> Facts:
        return column_facts(pd, frame.iloc[:, position], budget)

    def rows(count: int) -> list[str]:
        return _first_rows(frame, count)

    labels = frame.columns[:MOST_COLUMNS].tolist()
    kinds = frame.dtypes.iloc[:MOST_COLUMNS].tolist()
    names = {id(kind): kind for kind in kinds}
    dtypes = {key: dtype_name(kind) for key, kind in names.items()}
    return Columns(
        [label(each) for each in labels],
        [_comparable(each) for each in labels],
        [dtypes[id(kind)] for kind in kinds],
        frame.shape[1],
        facts,
        rows,
    )


def _comparable(value: object) -> str:
    """A column's name as a text that a request may hold."""
    if type(value) is str:
        return value
    if type(value) is tuple:
        return " ".join(map(_comparable, value[:6]))
    return plain(scalar(value) or "")


def _first_rows(frame: Any, count: int) -> list[str]:
    """Rows as tuples; none of a table that has hardly more rows, or holds what must not be shown."""
    if len(frame) <= 2 * count or any(secret_name(_comparable(each)) for each in frame.columns.tolist()):
        return []
    columns = []
    for position in range(frame.shape[1]):
        column = frame.iloc[:count, position]
        if not _is_known(column.dtype):
            return []
        columns.append(["None" if is_missing(v) else scalar(v) or "..." for v in column.tolist()])
    return [f"({', '.join(cells)})" for cells in zip(*columns, strict=True)]


def _is_known(dtype: Any) -> bool:
    """Whether it is numpy's or pandas' own: a third party's may do anything when its values are read."""
    return is_kind(dtype, module_dict("numpy")["dtype"]) or is_pandas_dtype(type(dtype))


def _index_note(pd: Any, index: Any, deadline: float) -> str:
    """Empty for the index that every table starts with."""
    if type(index) is pd["RangeIndex"] and index.start == 0 and index.step == 1 and index.name is None:
        return ""
    if type(index) is pd["MultiIndex"]:
        budget = Budget.of(deadline, index.nlevels)
        step = stride(len(index), budget.objects)
        some = index[::step]
        levels = [_level(pd, some.get_level_values(i), step, budget) for i in range(min(index.nlevels, 6))]
        return f"MultiIndex: {'; '.join(levels)}"
    return _level(pd, index, 1, Budget.of(deadline))


def _level(pd: Any, values: Any, step: int, budget: Budget) -> str:
    """One level of an index: its name and what a column of its values would be told as."""
    facts = column_facts(pd, pd["Series"](values, index=pd["RangeIndex"](len(values))), budget)
    if step > 1:
        # Of a sample neither the number of different values nor the range is that of the whole.
        facts = Facts(facts.dtype, "", "", facts.examples)
    text = facts.text()
    # The name stands inside the line, where it would not be known for a secret's.
    if type(values.name) is str and secret_name(values.name) is not None:
        text = mask_value(values.name, text)
    return (f"{label(values.name)} " if values.name is not None else "") + text


# --- polars, pyarrow ---------------------------------------------------------------------------


def describe_polars(value: Any, room: int, deadline: float, asked: Asked) -> str | None:
    if is_exactly_a(value, "polars", "LazyFrame"):
        return "polars LazyFrame, not collected"
    if is_exactly_a(value, "polars", "Series"):
        text = _polars_facts(value, Budget.of(deadline)).text()
        return f"polars Series {label(value.name)}, {len(value)} rows, {text}"
    if not is_exactly_a(value, "polars", "DataFrame"):
        return None
    head = f"polars DataFrame, {value.height} rows x {value.width} columns"
    return lay_out(head, _polars_columns(value), room, deadline, asked.request)


def _polars_columns(frame: Any) -> Columns:
    def facts(position: int, budget: Budget) -> Facts:
        return _polars_facts(frame.to_series(position), budget)

    names = frame.columns[:MOST_COLUMNS]
    return _named_columns(names, frame.dtypes[: len(names)], frame.width, facts)


def _named_columns(names: Sequence[str], kinds: Sequence[object], width: int, facts: Any) -> Columns:
    return Columns([label(name) for name in names], list(names), [plain(str(kind)) for kind in kinds], width, facts)


def _polars_facts(series: Any, budget: Budget) -> Facts:
    dtype = plain(str(series.dtype))
    missing = f"{series.null_count()} missing" if series.null_count() else ""
    text = dtype in ("String", "Categorical") or dtype.startswith("Enum")
    most = budget.objects if text else budget.numbers
    step = stride(len(series), most)
    sample = series.gather_every(step) if step > 1 else series
    about = "about " if step > 1 else ""
    if text:
        facts = object_facts(sample.to_list(), len(series), step, dtype)
        return facts._replace(missing=missing)
    if dtype == "Boolean":
        return Facts(dtype, missing, f"{about}{int(sample.sum() or 0) * step} True")
    if dtype.startswith(("Int", "UInt", "Float", "Date", "Time", "Duration", "Decimal")):
        low, high = scalar(sample.min()), scalar(sample.max())
        if low is not None and low != "None":
            few = ""
            if dtype.startswith(("Int", "UInt")) and step == 1:
                few = few_numbers(sample.drop_nulls().unique().head(20).to_list())
            return Facts(dtype, missing, few or f"{about}{low} .. {high}")
    return Facts(dtype, missing)


def describe_pyarrow(value: Any, room: int, deadline: float, asked: Asked) -> str | None:
    if not (is_exactly_a(value, "pyarrow", "Table") or is_exactly_a(value, "pyarrow", "RecordBatch")):
        return None
    head = f"pyarrow {class_name(type(value))}, {value.num_rows} rows x {value.num_columns} columns"
    return lay_out(head, _pyarrow_columns(value), room, deadline, asked.request)


def _pyarrow_columns(table: Any) -> Columns:
    shown = min(table.num_columns, MOST_COLUMNS)
    names = [table.schema.names[i] for i in range(shown)]
    kinds = [table.schema.types[i] for i in range(shown)]

    def facts(position: int, budget: Budget) -> Facts:
        nulls = table.column(position).null_count
        return Facts(plain(str(kinds[position])), f"{nulls} missing" if nulls else "")

    return _named_columns(names, kinds, table.num_columns, facts)
