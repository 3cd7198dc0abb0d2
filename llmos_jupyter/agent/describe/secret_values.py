"""The secrets in live objects, by the names that columns, indices, rows, keys, attributes and variables have.

Whatever way they are printed then (as CSV, across, by a library of the user's), their values are known and masked. Like
all that looks at the user's objects, this runs no code of theirs, raises nothing, and bounds its time by how much it
looks at.
"""

from __future__ import annotations

import re
import time
import types
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from llmos_jupyter.agent.describe.basics import (
    class_dict,
    class_module,
    is_exactly,
    is_kind,
    module_dict,
    mro,
    own_attributes,
    redefines,
)
from llmos_jupyter.agent.describe.shapes import is_exactly_a
from llmos_jupyter.privacy.secret_names import SecretName, holder_name, is_secret, secret_name

# Values of one column, from both of its ends; keys of one dictionary, and columns that are looked at.
MOST_VALUES = 5_000
MOST_NAMES = 500
MOST_ATTRIBUTES = 50
# Objects with attributes that are looked into, of one variable, and how deep they lie in one another.
MOST_OBJECTS = 200
DEPTH = 4
# Of the values under a name that may mean something else (the tokens of a text), how many must look like secrets.
MOST_LIKELY = 0.5
# Characters: what is shorter stands everywhere, what is longer is no password (a key in PEM is known by its form).
SHORTEST, LONGEST = 3, 2_000
# Seconds for a whole namespace.
LOOKING = 0.05
_NAMES = frozenset(["name", "key", "variable", "var", "setting", "parameter", "param", "option", "property", "field"])
_VALUES = frozenset(["value", "val", "values", "content"])
_TEXT = frozenset(["object", "str", "string", "category", "utf8", "categorical", "enum", "large_string"])
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|Digest|ApiKey)\s+(\S+)", re.IGNORECASE)
# IPython's own names: what was typed is text, and is masked as text.
_TYPED = re.compile(r"__.*|_i+\d*|_ih|_dh|_oh|In|Out")


def secrets_in(namespace: Mapping[str, object], seconds: float = LOOKING) -> dict[str, str]:
    """Text and kind of each secret among a notebook's variables and results, the newest first if time runs out. Never
    raises."""
    deadline = time.monotonic() + seconds
    found: dict[str, str] = {}
    for name, value in reversed(list(namespace.items())):
        if time.monotonic() > deadline:
            break
        if type(name) is str and not _TYPED.fullmatch(name):
            found |= secrets_of(name, value)
    return found


def secrets_of(name: str, value: object) -> dict[str, str]:
    """Text and kind of each secret in one variable. Never raises."""
    found: dict[str, str] = {}
    try:
        for text, kind in _Look().at(name, value, DEPTH):
            found[text] = kind
    except Exception:  # a library's object may be in any state
        pass
    return found


class _Look:
    """One variable, looked through."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def at(self, name: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:
        if is_exactly(value, str, bytes, int):
            yield from _values(holder_name(name), [text] if (text := _text(value)) else [])
        elif is_kind(value, dict) and depth:
            for key, item in list(dict.items(value))[:MOST_NAMES]:
                yield from self.at(_text(key), item, depth - 1)
        elif is_exactly(value, list, tuple, set, frozenset) and depth:
            yield from self._items(name, list(value) if is_exactly(value, set, frozenset) else value, depth)
        elif is_kind(value, tuple) and depth:
            yield from self._named_tuple(value, depth)
        elif (columns := _columns_of(name, value)) is not None:
            yield from columns
        elif depth and not is_kind(value, type, types.ModuleType, types.FunctionType):
            yield from self._attributes(value, depth)

    def _items(self, name: str, items: Sequence[Any], depth: int) -> Iterator[tuple[str, str]]:
        if secret := secret_name(name):
            yield from _values(secret, [text for item in items[:MOST_VALUES] if (text := _text(item))])
        if len(items) > 1 and all(is_exactly(row, list, tuple) for row in items[:2]):
            yield from _rows(items)
        for item in items[:MOST_NAMES]:
            if not is_exactly(item, str, bytes, int, float, bool):
                yield from self.at(name, item, depth - 1)

    def _named_tuple(self, value: Any, depth: int) -> Iterator[tuple[str, str]]:
        fields = next((names for cls in mro(type(value)) if (names := class_dict(cls).get("_fields"))), ())
        if type(fields) is tuple and len(fields) == tuple.__len__(value):
            for field, item in zip(fields, tuple.__iter__(value), strict=True):
                yield from self.at(_text(field), item, depth - 1)

    def _attributes(self, value: object, depth: int) -> Iterator[tuple[str, str]]:
        if id(value) in self._seen or len(self._seen) >= MOST_OBJECTS:
            return
        self._seen.add(id(value))
        for key, item in list(own_attributes(value).items())[:MOST_ATTRIBUTES]:
            yield from self.at(key, item, depth - 1)


def _text(value: object) -> str:
    """A text, bytes that are one, or a whole number, as it would be printed."""
    if type(value) is bytes:
        return value[:LONGEST].decode("utf-8", "ignore")
    return value if type(value) is str else str(value) if type(value) is int else ""


# --- tables -----------------------------------------------------------------------------------------


def _columns_of(name: str, value: Any) -> Iterator[tuple[str, str]] | None:
    """The secrets of a table or a column of a library's; None for anything else."""
    pd = module_dict("pandas")
    if is_kind(value, pd.get("DataFrame")):
        if redefines(value, pd["DataFrame"], "__getattribute__", "_mgr"):
            return iter(())
        return _frame(name, value if type(value) is pd["DataFrame"] else pd["DataFrame"](value))
    if is_kind(value, pd.get("Series")):
        if redefines(value, pd["Series"], "__getattribute__", "_mgr", "index", "name"):
            return iter(())
        return _series(name, value if type(value) is pd["Series"] else pd["Series"](value))
    if is_exactly_a(value, "polars", "DataFrame"):
        return _columns(name, {each: value.get_column(each) for each in value.columns[:MOST_NAMES]})
    if is_exactly_a(value, "polars", "Series"):
        return _values(holder_name(value.name) or secret_name(name), _texts(value))
    if is_exactly_a(value, "pyarrow", "Table"):
        names = value.column_names[:MOST_NAMES]
        return _columns(name, {each: _Arrow(value.column(i)) for i, each in enumerate(names)})
    if is_exactly_a(value, "numpy", "ndarray"):
        return _array(name, value)
    return None


class _Arrow:
    """A column of pyarrow's, as those of pandas and polars are asked."""

    def __init__(self, column: Any) -> None:
        self._column, self.dtype = column, column.type

    def head(self, count: int) -> _Arrow:
        return _Arrow(self._column.slice(0, count))

    def tail(self, count: int) -> _Arrow:
        return _Arrow(self._column.slice(max(0, len(self._column) - count)))

    def to_list(self) -> list[Any]:
        return list(self._column.to_pylist())


def _array(name: str, array: Any) -> Iterator[tuple[str, str]]:
    for field in array.dtype.names or ():
        if secret := holder_name(field):
            yield from _values(
                secret, [text for item in array[field].ravel()[:MOST_VALUES].tolist() if (text := _text(item))]
            )
    if array.dtype.kind in "US" and (secret := secret_name(name)):
        yield from _values(secret, [text for item in array.ravel()[:MOST_VALUES].tolist() if (text := _text(item))])


def _rows(rows: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """A list of rows of which the first names the columns, as a reader of CSV gives it."""
    header = rows[0]
    if len(header) > MOST_NAMES or not all(type(cell) is str for cell in header):
        return
    for place, cell in enumerate(header):
        if secret := holder_name(cell):
            below = [row[place] for row in rows[1:MOST_VALUES] if is_exactly(row, list, tuple) and len(row) > place]
            yield from _values(secret, [text for item in below if (text := _text(item))])


def _frame(name: str, frame: Any) -> Iterator[tuple[str, str]]:
    labels = frame.columns[:MOST_NAMES]
    texts = {" ".join(map(str, label)) if type(label) is tuple else str(label): i for i, label in enumerate(labels)}
    yield from _columns(name, {text: frame.iloc[:, i] for text, i in texts.items()})
    yield from _index(frame.index)
    # Turned on its side: the names are the rows'.
    if _holds_text(frame.index):
        for i, label in enumerate(frame.index[:MOST_NAMES].tolist()):
            if type(label) is str and (secret := secret_name(label)):
                yield from _values(secret, [text for item in frame.iloc[i].tolist() if (text := _text(item))])


def _series(name: str, series: Any) -> Iterator[tuple[str, str]]:
    own = series.name if type(series.name) is str else ""
    if secret := holder_name(own) or secret_name(name):
        yield from _values(secret, _texts(series))
    yield from _index(series.index)
    if _holds_text(series.index):
        pairs = zip(series.index[:MOST_NAMES].tolist(), series.iloc[:MOST_NAMES].tolist(), strict=True)
        yield from _pairs(pairs)


def _columns(name: str, columns: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Secrets in columns by name, and in a table of names and values."""
    named = {label: secret for label in columns if (secret := holder_name(label))}
    whole = secret_name(name)
    if whole and whole.sure == "strong" and not named:
        named = dict.fromkeys(columns, whole)
    for label, secret in named.items():
        yield from _values(secret, _texts(columns[label]))
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
    """The distinct texts and whole numbers of a column of pandas, polars or pyarrow, from both of its ends."""
    kind = _dtype(column)
    if kind not in _TEXT and not re.fullmatch("u?int(32|64)", kind):
        return []
    every = [*column.head(MOST_VALUES // 2).to_list(), *column.tail(MOST_VALUES // 2).to_list()]
    return [
        text for item in dict.fromkeys(item for item in every if is_exactly(item, str, int)) if (text := _text(item))
    ]


def _holds_text(column: Any) -> bool:
    """Whether a column or an index may hold texts."""
    return _dtype(column) in _TEXT


def _dtype(column: Any) -> str:
    """The dtype's name, where it is a library's own: any other may run code as it is asked."""
    kind = column.dtype
    if class_module(type(kind)).partition(".")[0] not in ("numpy", "pandas", "polars", "pyarrow"):
        return ""
    return re.split(r"[\[(<]", str(kind).lower())[0]


def _values(secret: SecretName | None, values: Collection[str]) -> Iterator[tuple[str, str]]:
    if secret is None:
        return
    bare = [found[1] if (found := _SCHEME.fullmatch(value)) else value.strip() for value in values]
    texts = [text for text in bare if SHORTEST <= len(text) <= LONGEST and _is_one(text, secret)]
    if secret.sure == "weak" and len(texts) < MOST_LIKELY * len(values):
        return
    for text in texts:
        yield text, secret.kind


def _is_one(text: str, secret: SecretName) -> bool:
    """Whether it is a secret; a number is one under the names of a password or a PIN, from four digits on."""
    if text.isdigit():
        return secret.sure in ("strong", "digits") and len(text) >= 4 and is_secret(text, secret)
    return is_secret(text, secret)
