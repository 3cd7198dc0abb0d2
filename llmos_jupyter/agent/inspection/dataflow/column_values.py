"""What the values of a live column say of themselves: numbers and dates written as text, lists, how they are written.

Only tables of pandas' own class are read, by position, and only values of plain types: none of the user's code runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from llmos_jupyter.agent import live
from llmos_jupyter.agent.describe.basics import is_missing
from llmos_jupyter.agent.describe.columns import stride

ROWS = 5_000  # values of a column that are looked at as Python objects

_DATE = re.compile(r"\s*(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})\b")
_SIGNS = re.compile(r"[\s$€£¥%]")
_POINT = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?")
_COMMA = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?")


Places = dict[tuple[type, Any], list[int]]


def places(frame: Any) -> Places:
    """Where each label stands among the columns of a live frame."""
    found: Places = {}
    for at, label in enumerate(live.column_labels(frame) or []):
        if live.kind(label, str, int, float, bool, tuple):  # others may bring a hash of their own
            found.setdefault((type(label), label), []).append(at)
    return found


def column(frame: Any, label: Any, known: Places | None = None) -> Any:
    """The one column of that label of a live frame; None if there is none, there are several, or it is of a kind whose
    operations could be anyone's code. `known`: the frame's `places`, for who asks for many."""
    if not live.is_frame(frame):
        return None
    if known is None:
        labels = live.column_labels(frame) or []
        positions = [at for at, other in enumerate(labels) if type(other) is type(label) and other == label]
    else:
        positions = known.get((type(label), label), [])
    if len(positions) != 1:
        return None
    found = frame.iloc[:, positions[0]]
    return found if live.is_series(found) and plain_dtype(found.dtype) else None


def plain_dtype(dtype: Any) -> bool:
    """Whether NumPy or pandas itself defines the type of a column."""
    return live.class_module(type(dtype)).partition(".")[0] in ("numpy", "pandas")


def sample(series: Any, most: int = ROWS) -> list[Any]:
    """Values of a column as Python's objects, spread over its rows where there are many."""
    step = stride(len(series), most)
    values: list[Any] = (series.iloc[::step] if step > 1 else series).to_numpy(dtype=object).tolist()
    return values


def is_textual(series: Any) -> bool:
    """Whether the column's type is one that texts have."""
    return str(series.dtype) in ("object", "str", "string", "category") or str(series.dtype).startswith("string")


def texts(series: Any, most: int = ROWS) -> list[str]:
    """The texts of a column that holds nothing else, missing values left out; none of any other column."""
    if series is None or not is_textual(series):
        return []
    values = [value for value in sample(series, most) if not is_missing(value)]
    return values if all(type(value) is str for value in values) else []


def holds_lists(series: Any) -> bool:
    return series is not None and str(series.dtype) == "object" and any(type(v) is list for v in sample(series, 500))


# --- dates -------------------------------------------------------------------------------------


class Dates(NamedTuple):
    """How a column's dates of two digits each are written: `proof` shows that the day stands first, `unclear` could
    be read either way, `first` is the first of them."""

    proof: str
    unclear: str
    first: str


def dates(values: Iterable[str]) -> Dates | None:
    """None if not all are dates such as 03/04/2025, or one shows that the month stands first."""
    proof = unclear = first = ""
    for text in values:
        found = _DATE.match(text)
        if found is None:
            return None
        one, other = int(found[1]), int(found[2])
        if one > 31 or other > 12 or not one or not other:
            return None
        first = first or text
        if one > 12:
            proof = proof or text
        elif one != other:
            unclear = unclear or text
    return Dates(proof, unclear, first) if first else None


# --- numbers -----------------------------------------------------------------------------------


class Numbers(NamedTuple):
    """Numbers written as text: the values, and whether a comma is the decimal mark; `grouped`: thousands are marked."""

    values: list[float]
    comma: bool
    grouped: bool
    signs: bool


def numbers(values: Sequence[str]) -> Numbers | None:
    """None unless every text is a number in one and the same way of writing."""
    bare = [_SIGNS.sub("", value) for value in values]
    if not bare:
        return None
    signs = any(one.strip() != two for one, two in zip(values, bare, strict=True))
    for form, comma in ((_POINT, False), (_COMMA, True)):
        if all(form.fullmatch(text) for text in bare):
            mark = "." if comma else ","
            grouped = any(mark in text for text in bare)
            return Numbers([_value(text, comma) for text in bare], comma, grouped, signs)
    return None


def _value(text: str, comma: bool) -> float:
    plain = text.replace(".", "").replace(",", ".") if comma else text.replace(",", "")
    return float(plain)


def as_number(expression: str, written: Numbers) -> str:
    """Code that makes numbers of such a column."""
    steps = [expression]
    if written.signs:
        steps.append(r".str.replace(r'[^\d,.+-]', '', regex=True)")
    if written.grouped:
        steps.append(".str.replace('.', '')" if written.comma else ".str.replace(',', '')")
    if written.comma:
        steps.append(".str.replace(',', '.')")
    return "".join([*steps, ".astype(float)"])
