"""Is a value the expected one, whatever its shape? Compares values, not text and not types.

What the request did not ask for is not held against an answer: a Series, a dict and a table of two columns say the
same; so do an index and a column, rows in another order, 3 and 3.0, a date and its ISO text. What is wrong stays wrong:
another number, a missing or an additional row, a column with other values under the expected name.
"""

from __future__ import annotations

import ast
import datetime as dt
import math
import numbers
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.quality.task import Fact

RELATIVE = 1e-6
ABSOLUTE = 1e-9

_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(?::(\d{2}(?:\.\d+)?))?)?")
_MONTH = re.compile(r"\d{4}-\d{2}")
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d)\.?)(?:[eE][-+]?\d+)?(?![A-Za-z0-9_])"
)


def same(expected: Any, actual: Any, *, ordered: bool = False) -> str:
    """Empty if `actual` says what `expected` says, else why not, in a few words."""
    if is_scalar(expected):
        return _same_scalar(cell(expected), actual)
    if is_scalar(actual) and isinstance(actual, str):
        return "" if _told(expected, actual) else f"the text {_short(actual)} does not say {_short(expected)}"
    wanted, got = tables(expected, spread=True), tables(actual)
    if not got:
        return f"a {type(actual).__name__} is not a table or list of values"
    reasons = [_match(want, have, ordered) for want in wanted for have in got]
    return "" if "" in reasons else f"{reasons[0]}: expected {_short(expected)}, got {_short(actual)}"


def shown(expected: Any, text: str, *, ordered: bool = False) -> str:
    """Like `same`, for what was only printed."""
    plain = text.strip()
    try:
        value = ast.literal_eval(plain)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = None
    if value is not None and not same(expected, value, ordered=ordered):
        return ""
    return "" if _told(expected, plain) else f"printed {_short(plain)}, expected {_short(expected)}"


def states(fact: Fact, text: str) -> bool:
    """Whether a text states a fact: a number (as printed, to its own precision) or a word, letter case aside."""
    if isinstance(fact, tuple):
        return any(states(one, text) for one in fact)
    if not isinstance(fact, str):
        return any(_printed_as(fact, digits) for digits in _numbers(text))
    # Word borders between ASCII letters only: Chinese writes names without spaces around them.
    before = "(?<![A-Za-z0-9_])" if fact[:1].isascii() and fact[:1].isalnum() else ""
    after = "(?![A-Za-z0-9_])" if fact[-1:].isascii() and fact[-1:].isalnum() else ""
    return re.search(before + re.escape(fact) + after, text, re.IGNORECASE) is not None


# --- single values ----------------------------------------------------------------------------


def is_scalar(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 0
    return value is None or isinstance(
        value,
        str
        | bytes
        | bool
        | numbers.Number
        | np.generic
        | dt.date
        | dt.timedelta
        | dt.time
        | pd.Period
        | pd.Interval
        | type(pd.NA)
        | type(pd.NaT),
    )


def cell(value: Any) -> Any:
    """A single value in its plainest form: None, bool, float, text (dates as ISO text), or a tuple of such."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, np.datetime64):
        return cell(pd.Timestamp(value))
    if isinstance(value, dt.timedelta | np.timedelta64):
        return pd.Timedelta(value).total_seconds() / 86400
    if isinstance(value, dt.datetime):
        return _iso(value.isoformat(sep=" "))
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, complex | np.complexfloating) and not isinstance(value, float | np.floating):
        return (float(value.real), float(value.imag))
    if isinstance(value, numbers.Number | np.number):
        number = float(value)  # type: ignore[arg-type]
        return None if math.isnan(number) else number
    if isinstance(value, str):
        return _iso(value.strip())
    if isinstance(value, dict):
        return tuple(sorted(((cell(k), cell(v)) for k, v in value.items()), key=repr))
    if isinstance(value, set | frozenset):
        return tuple(sorted((cell(item) for item in value), key=repr))
    if isinstance(value, list | tuple | np.ndarray | pd.Series | pd.Index):
        return tuple(cell(item) for item in value)
    return str(value)


def _iso(text: str) -> str:
    found = _ISO.fullmatch(text)
    if not found:
        return text
    day, clock, seconds = found.groups()
    if clock in (None, "00:00") and float(seconds or 0) == 0:
        return str(day)
    return f"{day} {clock}:{seconds or '00'}"


def alike(a: Any, b: Any, *, label: bool = False) -> bool:
    """Whether two cells are the same. Labels are more lenient: the year 2024 and the text "2024" are one."""
    if a is None or b is None:
        return a is b
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(alike(x, y, label=label) for x, y in zip(a, b, strict=True))
    if isinstance(a, bool | float) and isinstance(b, bool | float):
        return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    if isinstance(a, str) and isinstance(b, str):
        return a == b or (label and _same_label(a, b))
    if label and isinstance(a, str | float) and isinstance(b, str | float):
        try:
            return math.isclose(float(a), float(b), rel_tol=RELATIVE)
        except ValueError:
            return False
    return bool(a == b)


def _same_label(a: str, b: str) -> bool:
    """2024-03 and any day of that month are one label, as resampling and periods name months differently."""
    if a.casefold() == b.casefold():
        return True
    short, long = sorted((a, b), key=len)
    return bool(_MONTH.fullmatch(short) and _ISO.fullmatch(long) and long.startswith(short))


def _same_scalar(expected: Any, actual: Any) -> str:
    wrong = f"expected {_short(expected)}, got {_short(actual)}"
    if is_scalar(actual):
        got = cell(actual)
        if isinstance(expected, bool) or isinstance(got, bool):
            return "" if type(expected) is type(got) and expected == got else wrong
        if alike(expected, got):
            return ""
        return "" if isinstance(got, str) and _told(expected, got) else wrong
    if isinstance(expected, str) and isinstance(actual, tuple) and len(actual) == 2:
        # (name, value): the winner with its score.
        return "" if alike(expected, cell(actual[0])) else wrong
    for table in tables(actual):
        if table.rows != 1:
            continue
        values = [column.cells[0] for column in table.columns if not column.index]
        if len(values) == 1 and alike(expected, values[0]):
            return ""
        # Asked for a name, the one row that carries it answers, with whatever else stands in it.
        if isinstance(expected, str) and any(alike(expected, column.cells[0]) for column in table.columns):
            return ""
    return wrong


# --- tables -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """`index`: it labels rows. `plain`: these labels are only row numbers."""

    name: str
    cells: list[Any]
    index: bool = False
    plain: bool = False


@dataclass(frozen=True)
class Table:
    columns: list[Column]
    rows: int

    @property
    def required(self) -> list[Column]:
        return [column for column in self.columns if not column.plain]


def tables(value: Any, *, spread: bool = False) -> list[Table]:
    """A value as a table, in each layout that says the same. `spread` adds the long form of a cross table."""
    value = getattr(value, "data", value) if type(value).__name__ == "Styler" else value
    if isinstance(value, pd.DataFrame):
        forms = [_frame(value)]
        if value.size <= 2000 and value.shape[1] and (value.shape[0] == 1 or _informative(value.index)):
            forms.append(_frame(value.T))
            if spread and value.shape[1] > 1 and value.columns.nlevels == 1 and value.index.nlevels == 1:
                forms.append(_series(value.T.unstack()))
        return forms
    if isinstance(value, pd.Series):
        forms = [_series(value)]
        if value.index.nlevels == 2 and value.index.is_unique and len(value) <= 2000:
            forms.append(_frame(value.unstack()))
        return forms
    if isinstance(value, dict):
        return _dict(value, spread)
    if isinstance(value, np.ndarray) and value.ndim == 2:
        return [_rows(value.tolist())]
    if isinstance(value, np.ndarray) and value.ndim > 2:
        return [_column(value.ravel().tolist())]
    if is_scalar(value):
        return [_column([value])]
    if isinstance(value, pd.MultiIndex):
        return [_rows(list(value))]
    if isinstance(value, list | tuple | set | frozenset | np.ndarray | pd.Index | pd.api.extensions.ExtensionArray):
        return _list(list(value))
    if isinstance(value, range) or type(value).__name__ in ("dict_keys", "dict_values", "dict_items", "deque"):
        return _list(list(value))
    return []


def _frame(frame: Any) -> Table:
    columns = _index(frame.index)
    for place, name in enumerate(frame.columns):
        columns.append(Column(_name(name), [cell(item) for item in frame.iloc[:, place]]))
    return Table(columns, len(frame))


def _series(series: Any) -> Table:
    values = Column(_name(series.name), [cell(item) for item in series])
    return Table([*_index(series.index), values], len(series))


def _index(index: Any) -> list[Column]:
    plain = not _informative(index)
    return [
        Column(_name(name), [cell(item) for item in index.get_level_values(level)], index=True, plain=plain)
        for level, name in enumerate(index.names)
    ]


def _informative(index: Any) -> bool:
    numbered = index.nlevels == 1 and index.name is None and (pd.api.types.is_integer_dtype(index) or not len(index))
    return not numbered


def _dict(value: dict[Any, Any], spread: bool) -> list[Table]:
    kinds = list(value.values())
    if kinds and all(isinstance(item, dict) for item in kinds):
        return tables(pd.DataFrame.from_dict(value, orient="index"), spread=spread)
    keys = Column("", [cell(key) for key in value], index=True)
    forms = [Table([keys, Column("", [cell(item) for item in kinds])], len(value))]
    listed = [isinstance(item, list | np.ndarray | pd.Series) for item in kinds]
    if kinds and all(listed) and len({len(item) for item in kinds}) == 1:
        forms.append(_frame(pd.DataFrame({key: list(item) for key, item in value.items()})))
    return forms


def _list(items: list[Any]) -> list[Table]:
    if items and all(isinstance(item, dict) for item in items):
        return [_frame(pd.DataFrame(items))]
    forms = [_column(items)]
    if items and all(isinstance(item, list | tuple | np.ndarray) for item in items):
        widths = {len(item) for item in items}
        if len(widths) == 1 and widths != {0}:
            forms.append(_rows([list(item) for item in items]))
    return forms


def _column(items: Sequence[Any]) -> Table:
    return Table([Column("", [cell(item) for item in items])], len(items))


def _rows(rows: Sequence[Sequence[Any]]) -> Table:
    width = len(rows[0]) if rows else 0
    return Table([Column("", [cell(row[place]) for row in rows]) for place in range(width)], len(rows))


def _name(name: object) -> str:
    parts = name if isinstance(name, tuple) else ("" if name is None else name,)
    return re.sub(r"[^\w%]+", "", " ".join(str(part) for part in parts)).replace("_", "").casefold()


def _match(want: Table, have: Table, ordered: bool) -> str:
    """Empty if the tables say the same, else why not."""
    if want.rows != have.rows:
        return f"{have.rows} rows instead of {want.rows}"
    required = want.required
    spare = len(have.required) - len(required)
    if spare < 0 and len(have.columns) < len(required):
        return "columns or labels are missing"
    choices: list[list[int]] = []
    for column in required:
        fits = [place for place, other in enumerate(have.columns) if _same_cells(column, other, ordered)]
        named = [place for place, other in enumerate(have.columns) if column.name and other.name == column.name]
        fits = [place for place in fits if place in named] if named else fits
        if not fits:
            return f"no column holds the expected values of {column.name or 'the result'}"
        choices.append(fits)
    for chosen in _assignments(choices):
        mapped = [have.columns[place] for place in chosen]
        rest = [column for place, column in enumerate(have.columns) if place not in chosen and not column.plain]
        if any(not any(_same_cells(column, twin, True) for twin in mapped) for column in rest):
            continue
        if _same_rows(required, mapped, ordered):
            return ""
    return "the rows differ, or there are columns that nobody asked for"


def _assignments(choices: list[list[int]], taken: tuple[int, ...] = ()) -> Iterable[tuple[int, ...]]:
    if len(taken) == len(choices):
        yield taken
        return
    for place in choices[len(taken)]:
        if place not in taken:
            yield from _assignments(choices, (*taken, place))


def _same_cells(a: Column, b: Column, ordered: bool) -> bool:
    label = a.index or b.index
    pairs = zip(a.cells, b.cells, strict=True) if ordered else zip(_sorted(a.cells), _sorted(b.cells), strict=True)
    if all(alike(x, y, label=label) for x, y in pairs):
        return True
    # Labels that are one to `alike` may sort apart: 10 and "10".
    if not ordered and label and len(a.cells) <= 300:
        return _same_rows([a], [b], ordered)
    return False


def _same_rows(wanted: list[Column], got: list[Column], ordered: bool) -> bool:
    labels = [a.index or b.index for a, b in zip(wanted, got, strict=True)]
    left = list(zip(*(column.cells for column in wanted), strict=True))
    right = list(zip(*(column.cells for column in got), strict=True))

    def fits(row: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
        return all(alike(x, y, label=label) for x, y, label in zip(row, other, labels, strict=True))

    if all(fits(row, other) for row, other in zip(left, right, strict=True)):
        return True
    if ordered:
        return False
    if len(left) > 300:
        return all(fits(row, other) for row, other in zip(_sorted(left), _sorted(right), strict=True))
    for row in left:
        place = next((place for place, other in enumerate(right) if fits(row, other)), None)
        if place is None:
            return False
        right.pop(place)
    return True


def _sorted(cells: Iterable[Any]) -> list[Any]:
    return sorted(cells, key=_sort_key)


def _sort_key(value: Any) -> tuple[Any, ...]:
    if isinstance(value, tuple):
        return (3, tuple(_sort_key(item) for item in value))
    if value is None:
        return (0,)
    if isinstance(value, bool | float):
        return (1, float(value))
    return (2, str(value))


# --- printed text -----------------------------------------------------------------------------


def _told(expected: Any, text: str) -> bool:
    """Whether a short printed text says a value: as a sentence, a printed list, or a printed table."""
    if is_scalar(expected):
        want = cell(expected)
        if len(text) > 500 or want is None:
            return False
        if isinstance(want, bool):
            return text.strip() in (str(want), str(want).lower())
        if isinstance(want, float):
            digits = _numbers(text)
            return len(digits) <= 4 and any(_printed_as(want, one) for one in digits)
        return bool(want) and states(want, text)
    lines = [line for line in text.splitlines() if line.strip()]
    for table in tables(expected, spread=True):
        required = table.required
        rows = list(zip(*(column.cells for column in required), strict=True))
        if not rows or len(lines) > 1.5 * len(rows) + 5:
            continue
        left = list(lines)
        for row in rows:
            place = next((i for i, line in enumerate(left) if all(_in_line(item, line) for item in row)), None)
            if place is None:
                break
            left.pop(place)
        else:
            return True
    flat = [item for table in tables(expected)[:1] for column in table.required for item in column.cells]
    if all(isinstance(item, float) for item in flat):
        digits = _numbers(text)
        return len(digits) == len(flat) and all(_printed_as(a, b) for a, b in zip(flat, digits, strict=True))
    return False


def _in_line(item: Any, line: str) -> bool:
    if item is None:
        return re.search(r"\b(nan|none|nat|na)\b", line, re.IGNORECASE) is not None
    if isinstance(item, tuple):
        return all(_in_line(part, line) for part in item)
    return str(item) in line if isinstance(item, bool) else states(item, line)


def _numbers(text: str) -> list[str]:
    return [found.replace(",", "").replace("−", "-") for found in _NUMBER.findall(text)]


def _printed_as(value: float, digits: str) -> bool:
    """Whether these digits are this number, printed to some places."""
    number = float(digits)
    mantissa = digits.lower().partition("e")[0]
    places = len(mantissa.partition(".")[2])
    exact = math.isclose(number, value, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    near = abs(number - value) <= 0.5000001 * 10**-places and math.isclose(number, value, rel_tol=5e-3)
    return exact or ("e" not in digits.lower() and near)


def _short(value: object) -> str:
    text = re.sub(r"\s+", " ", repr(value))
    return text if len(text) <= 160 else text[:157] + "..."
