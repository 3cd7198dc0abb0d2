"""Hints from the values themselves, after an exception: how dates and numbers are written, what holds lists."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.describe.basics import literal
from llmos_jupyter.agent.inspection.dataflow.column_values import (
    as_number,
    column,
    dates,
    holds_lists,
    is_textual,
    numbers,
    sample,
    texts,
)
from llmos_jupyter.agent.inspection.dataflow.same_labels import whole_tuples
from llmos_jupyter.privacy.masking import mask

Frames = list[tuple[str, Any]]

_COLUMNS = 60  # columns of a table whose values are looked at
_SECONDS = 0.2
_MOST = 2  # sentences of one kind
_DATES = re.compile(
    r"doesn't match format|does not match format|time data|day is out of range|month must be in 1\.\.12"
)
_NUMBERS = re.compile(
    r"could not convert string to float|Unable to parse string|invalid literal for int|cannot be converted to"
)
_GAPS = re.compile(
    r"Cannot convert non-finite values|cannot convert (?:float )?(?:NaN|NA|<NA>) to integer", re.IGNORECASE
)
_DIGITS = re.compile(r"[+-]?\d+")
_KEYS = re.compile(r"You are trying to merge on (\S+) and (\S+) columns for key '([^']*)'")


def data_hints(message: str, frames: Frames) -> Iterator[str]:
    """Sentences for the model that take the place of a general remedy."""
    frames = [(name, frame) for name, frame in frames if live.is_frame(frame)]
    if re.search(r"unhashable type: '(?:list|dict|set|numpy\.ndarray)'", message):
        yield from islice(_lists(frames), _MOST)
    elif _DATES.search(message):
        yield from islice(_day_first(message, frames), _MOST)
    elif _NUMBERS.search(message):
        yield from islice(_written_numbers(message, frames), _MOST)
    elif _GAPS.search(message):
        yield from islice(_whole_numbers(frames), _MOST)
    elif found := _KEYS.search(message):
        yield from _unlike_keys(found[3], frames)


def levels_hint(name: str, frame: Any) -> Iterator[str]:
    """The labels of columns of several levels, which are tuples."""
    tuples = whole_tuples(live.column_labels(frame) or []) if live.is_frame(frame) else []
    if tuples:
        listed = ", ".join(map(repr, tuples[:6])) + (f" and {len(tuples) - 6} more" if len(tuples) > 6 else "")
        yield f"The columns of `{name}` are tuples: {listed}; write `{name}[{tuples[0]!r}]`."


def _columns(frames: Frames) -> Iterator[tuple[str, Any]]:
    """Each column with the expression that stands for it, as many as there is time for."""
    ends = time.perf_counter() + _SECONDS
    for name, frame in frames:
        for label in (live.column_labels(frame) or [])[:_COLUMNS]:
            if time.perf_counter() > ends:
                return
            if live.kind(label, str, int) and (found := column(frame, label)) is not None:
                yield f"{name}[{label!r}]", found


def _lists(frames: Frames) -> Iterator[str]:
    for expression, series in _columns(frames):
        if holds_lists(series):
            name, _, label = expression.partition("[")
            yield (
                f"`{expression}` holds lists, which cannot be compared: `{name}.explode({label[:-1]})` makes a row of "
                f"each item, `{expression}.map(tuple)` keeps each list whole."
            )


def _day_first(message: str, frames: Frames) -> Iterator[str]:
    said = _quoted(message)
    for expression, series in _columns(frames):
        values = texts(series)
        written = dates(values)
        if written and written.proof and (not said or said & set(values)):
            yield (
                f"The dates in `{expression}` are written day first, as {literal(written.proof)} shows: "
                f"`pd.to_datetime({expression}, dayfirst=True)`."
            )


def _written_numbers(message: str, frames: Frames) -> Iterator[str]:
    said = _quoted(message)
    for expression, series in _columns(frames):
        values = texts(series)
        if not values or not said & set(values):
            continue
        example = literal(next(value for value in values if value in said))
        written = numbers(values)
        if written is None:
            good = [value for value in values if numbers([value])]
            if len(good) * 2 > len(values):
                yield (
                    f"Not all of `{expression}` are numbers, {example} is none: "
                    f"`pd.to_numeric({expression}, errors='coerce')` makes what is no number missing."
                )
        elif "invalid literal for int" in message and not (written.comma or written.grouped or written.signs):
            yield f"`{expression}` holds numbers such as {example}: `{expression}.astype(float).astype('Int64')`."
        else:
            what = "a decimal comma" if written.comma else "marks of thousands" if written.grouped else "signs"
            yield f"The numbers in `{expression}` have {what}, as {example}: `{as_number(expression, written)}`."


def _whole_numbers(frames: Frames) -> Iterator[str]:
    for expression, series in _columns(frames):
        if not (gone := int(series.isna().sum())):
            continue
        written = texts(series)
        numbers_only = series.dtype.kind == "f" and all(
            value.is_integer() for value in sample(series) if type(value) is float and value == value
        )
        if numbers_only or (written and all(map(_DIGITS.fullmatch, written))):
            values = f"{gone} missing value{'s' * (gone > 1)}"
            yield f"`{expression}` has {values}: `{expression}.astype('Int64')` keeps whole numbers and the gaps."


def _unlike_keys(key: str, frames: Frames) -> Iterator[str]:
    """The keys of a merge are numbers in one table and text in the other."""
    held = [(name, found) for name, frame in frames if (found := column(frame, key)) is not None]
    textual = [name for name, series in held if is_textual(series)]
    others = [(name, series.dtype) for name, series in held if not is_textual(series)]
    if len(textual) == len(others) == 1:
        name, dtype = others[0]
        yield (
            f"{key!r} is text in `{textual[0]}` and {dtype} in `{name}`: make them alike first, "
            f"`{name}[{key!r}] = {name}[{key!r}].astype(str)`."
        )


def _quoted(message: str) -> set[str]:
    found = re.findall(r"'([^']*)'|\"([^\"]*)\"", message)
    return {text for pair in found for text in pair if text and mask(text) == text}
