"""The secrets in live objects, by the names that columns, indices, rows, keys and variables have.

Whatever way they are printed then (as CSV, across, by a library of the user's), their values are known and masked. Like
all that looks at the user's objects, this runs no code of theirs, raises nothing, and bounds its time by how much it
looks at.
"""

from __future__ import annotations

import logging
import time
import types
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from llmos_jupyter.agent.describe.basics import (
    class_module,
    is_exactly,
    is_kind,
    module_dict,
    own_attributes,
    redefines,
)
from llmos_jupyter.agent.describe.shapes import is_exactly_a
from llmos_jupyter.privacy.secret_names import SecretName, is_secret, secret_name

log = logging.getLogger(__name__)

# Values of one column, keys of one dictionary, and columns that are looked at.
MOST_VALUES = 5_000
MOST_NAMES = 500
MOST_ATTRIBUTES = 50
# Of the values under a name that may mean something else (the tokens of a text), how many must look like secrets.
MOST_LIKELY = 0.5
# Seconds for a whole namespace.
LOOKING = 0.05
_NAMES = frozenset(["name", "key", "variable", "var", "setting", "parameter", "param", "option", "property", "field"])
_VALUES = frozenset(["value", "val", "values", "content"])
_TEXT = frozenset(["object", "str", "string", "category", "utf8", "categorical", "enum"])


def secrets_in(namespace: Mapping[str, object], seconds: float = LOOKING) -> dict[str, str]:
    """Text and kind of each secret among a notebook's variables, the newest first if time runs out. Never raises."""
    deadline = time.monotonic() + seconds
    found: dict[str, str] = {}
    for name, value in reversed(list(namespace.items())):
        if time.monotonic() > deadline:
            break
        if type(name) is str and not name.startswith("_"):
            found |= secrets_of(name, value)
    return found


def secrets_of(name: str, value: object) -> dict[str, str]:
    """Text and kind of each secret in one variable. Never raises: what was found before an object could not be read is
    masked all the same."""
    found: dict[str, str] = {}
    try:
        found.update(_walk(name, value, depth=3))
    except Exception:  # a library's object may be in any state
        log.info("secrets were not looked for in all of %s", name, exc_info=True)
    return found


def _walk(name: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:
    if is_exactly(value, str):
        yield from _values(secret_name(name), [value])
    elif is_exactly(value, dict) and depth:
        for key, item in list(value.items())[:MOST_NAMES]:
            yield from _walk(key if type(key) is str else "", item, depth - 1)
    elif is_exactly(value, list, tuple) and depth:
        secret = secret_name(name)
        yield from _values(secret, [item for item in value[:MOST_VALUES] if type(item) is str] if secret else ())
        for item in value[:MOST_NAMES]:
            if is_exactly(item, dict):
                yield from _walk(name, item, depth - 1)
    else:
        pd = module_dict("pandas")
        if is_kind(value, pd.get("DataFrame")):
            if not redefines(value, pd["DataFrame"], "__getattribute__", "_mgr"):
                yield from _frame(name, value if type(value) is pd["DataFrame"] else pd["DataFrame"](value))
        elif is_kind(value, pd.get("Series")):
            if not redefines(value, pd["Series"], "__getattribute__", "_mgr", "index", "name"):
                yield from _series(name, value if type(value) is pd["Series"] else pd["Series"](value))
        elif is_exactly_a(value, "polars", "DataFrame"):
            yield from _columns(name, {each: value.get_column(each) for each in value.columns[:MOST_NAMES]})
        elif is_exactly_a(value, "polars", "Series"):
            yield from _values(secret_name(value.name) or secret_name(name), _texts(value))
        elif depth and not (is_kind(value, type) or is_kind(value, types.ModuleType)):
            for key, item in list(own_attributes(value).items())[:MOST_ATTRIBUTES]:
                if is_exactly(item, str, dict):
                    yield from _walk(key, item, depth - 1)


# --- tables -----------------------------------------------------------------------------------------


def _frame(name: str, frame: Any) -> Iterator[tuple[str, str]]:
    labels = frame.columns[:MOST_NAMES]
    texts = {" ".join(map(str, label)) if type(label) is tuple else str(label): i for i, label in enumerate(labels)}
    yield from _columns(name, {text: frame.iloc[:, i] for text, i in texts.items()})
    yield from _index(frame.index)
    # Turned on its side: the names are the rows'.
    if _holds_text(frame.index):
        for i, label in enumerate(frame.index[:MOST_NAMES].tolist()):
            if type(label) is str and (secret := secret_name(label)):
                yield from _values(secret, [item for item in frame.iloc[i].tolist() if type(item) is str])


def _series(name: str, series: Any) -> Iterator[tuple[str, str]]:
    own = series.name if type(series.name) is str else ""
    if secret := secret_name(own) or secret_name(name):
        yield from _values(secret, _texts(series))
    yield from _index(series.index)
    if _holds_text(series.index):
        pairs = zip(series.index[:MOST_NAMES].tolist(), series.iloc[:MOST_NAMES].tolist(), strict=True)
        yield from _pairs(pairs)


def _columns(name: str, columns: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Secrets in columns by name, and in a table of names and values."""
    whole = secret_name(name)
    for label, column in columns.items():
        if secret := secret_name(label) or whole:
            yield from _values(secret, _texts(column))
    lowered = {label.lower(): column for label, column in columns.items()}
    names = next((column for label, column in lowered.items() if label in _NAMES), None)
    values = next((column for label, column in lowered.items() if label in _VALUES), None)
    if names is not None and values is not None:
        yield from _pairs(zip(names.head(MOST_VALUES).to_list(), values.head(MOST_VALUES).to_list(), strict=True))


def _index(index: Any) -> Iterator[tuple[str, str]]:
    names = index.names
    for level, name in enumerate(names):
        if type(name) is str and (secret := secret_name(name)):
            yield from _values(secret, _texts(index.get_level_values(level).to_series()))


def _pairs(pairs: Iterable[tuple[object, object]]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        if type(name) is str and type(value) is str and (secret := secret_name(name)):
            yield from _values(secret, [value])


def _texts(column: Any) -> list[str]:
    """The distinct texts of a column of pandas or polars; numbers are no secrets where they stand alone."""
    if not _holds_text(column):
        return []
    return list(dict.fromkeys(item for item in column.head(MOST_VALUES).to_list() if type(item) is str))


def _holds_text(column: Any) -> bool:
    """Whether a column or an index may hold texts: by its type, where that is a library's own."""
    kind = column.dtype
    known = class_module(type(kind)).partition(".")[0] in ("numpy", "pandas", "polars")
    return known and str(kind).lower().partition("[")[0].partition("(")[0] in _TEXT


def _values(secret: SecretName | None, values: Collection[str]) -> Iterator[tuple[str, str]]:
    if secret is None:
        return
    texts = [value for value in values if is_secret(value, secret)]
    if secret.sure == "weak" and len(texts) < MOST_LIKELY * len(values):
        return
    for text in texts:
        yield text.strip(), secret.kind
