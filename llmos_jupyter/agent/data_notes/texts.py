"""Notes of values that are not read as they are meant: numbers and dates written as text, long whole numbers."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.data_notes.uses import Chain, Note, Uses, argument, is_constant, labels_of
from llmos_jupyter.agent.describe.basics import is_missing, literal
from llmos_jupyter.agent.inspection.dataflow.column_values import (
    Numbers,
    dates,
    is_textual,
    numbers,
    sample,
    texts,
)
from llmos_jupyter.privacy.secret_names import secret_name

_LARGEST = 2**53  # beyond it, not every whole number is a floating point number
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_ORDERS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
# Steps after which the texts are still those of the column.
_NEUTRAL = frozenset(["copy", "reset_index", "sort_index", "dropna", "drop_duplicates"])


# --- numbers that are text ---------------------------------------------------------------------


def text_numbers(uses: Uses) -> Iterator[Note]:
    for call, name in uses.calls():
        if not isinstance(call.func, ast.Attribute):
            continue
        chain = uses.chain(call.func.value)
        if chain is None or not chain.passed <= _NEUTRAL:
            continue
        if name == "sort_values":
            labels = chain.chosen if chain.one else tuple(labels_of(argument(call, 0, "by")))
            if argument(call, None, "key") is None:
                yield from _ordered(chain, labels, "sorted as text, not by value", call.lineno)
        elif name in ("max", "min", "idxmax", "idxmin") and chain.one:
            yield from _ordered(chain, chain.chosen, "compared as text, not by value", call.lineno)
        elif name == "sum" and chain.one:
            for label, held, _ in _numeric_texts(chain, chain.chosen):
                yield Note(
                    f"{_is_text(label, held)}: its values are joined as text, not added.", call.lineno, str(label)
                )
    for node in ast.walk(uses.tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from _compared(uses, node)


def _numeric_texts(chain: Chain, labels: tuple[Any, ...]) -> Iterator[tuple[Any, list[str], Numbers]]:
    for label in labels:
        held = texts(chain.series(label))
        written = numbers(held) if held and secret_name(str(label)) is None else None
        if written is not None:
            yield label, held, written


def _is_text(label: Any, held: list[str]) -> str:
    telling = next((text for text in held if not text.isdigit()), held[0])
    return f"`{label}` is text ({literal(telling)})"


def _ordered(chain: Chain, labels: tuple[Any, ...], how: str, line: int) -> Iterator[Note]:
    for label, held, written in _numeric_texts(chain, labels):
        by_text = [value for _, value in sorted(zip(held, written.values, strict=True))]
        if by_text != sorted(by_text):
            yield Note(f"{_is_text(label, held)}: it is {how}.", line, str(label))


def _compared(uses: Uses, node: ast.Compare) -> Iterator[Note]:
    chain = uses.chain(node.left)
    right = node.comparators[0]
    if chain is None or not chain.one or not chain.passed <= _NEUTRAL or not isinstance(right, ast.Constant):
        return
    order = _ORDERS.get(type(node.ops[0]))
    for label, held, written in _numeric_texts(chain, chain.chosen):
        if order is None and live.kind(right.value, int, float) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            yield Note(
                f"{_is_text(label, held)}: none of its values equals the number {right.value!r}.",
                node.lineno,
                str(label),
            )
        elif order is not None and type(right.value) is str and (limit := numbers([right.value])) is not None:
            pairs = zip(held, written.values, strict=True)
            if any(order(text, right.value) != order(value, limit.values[0]) for text, value in pairs):
                yield Note(f"{_is_text(label, held)}: it is compared as text, not by value.", node.lineno, str(label))


# --- dates -------------------------------------------------------------------------------------


def unclear_dates(uses: Uses) -> Iterator[Note]:
    for call, name in uses.calls():
        if name == "to_datetime" and uses.is_library(call.func, "pandas") and call.args:
            given = {k.arg for k in call.keywords}
            mixed = is_constant(argument(call, None, "format"), "mixed")
            if given & {"dayfirst", "yearfirst", "unit"} or ("format" in given and not mixed) or len(call.args) > 2:
                continue
            chain = uses.chain(call.args[0])
        elif name == "astype" and isinstance(call.func, ast.Attribute) and _is_date_type(argument(call, 0, "dtype")):
            chain, mixed = uses.chain(call.func.value), True
        else:
            continue
        if chain is not None and chain.one and chain.passed <= _NEUTRAL:
            label = chain.chosen[0]
            text = _read(label, texts(chain.series(label)), mixed)
            if text and secret_name(str(label)) is None:
                yield Note(text, call.lineno, str(label))


def _is_date_type(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is str and node.value.startswith("datetime64")


def _read(label: Any, held: list[str], mixed: bool) -> str:
    written = dates(held)
    if written is None or not (written.unclear or (written.proof and not mixed)):
        return ""
    if not written.proof:
        text = written.unclear
        return f"`{label}` is read month first: {text} is {_month_first(text)}; give `dayfirst=True` if it is not."
    if not mixed and written.first == written.proof:
        return ""  # pandas takes the first date for a pattern
    shows = f"`{label}` is written day first, as {written.proof} shows, and read month first"
    wrong = f": {written.unclear} is taken for {_month_first(written.unclear)}" if written.unclear else ""
    return f"{shows}{wrong}; give `dayfirst=True`."


def _month_first(text: str) -> str:
    parts = text.strip().replace(".", "/").replace("-", "/").split("/")
    return f"{int(parts[1])} {_MONTHS[int(parts[0]) - 1]}"


# --- whole numbers of many digits --------------------------------------------------------------


def long_numbers(uses: Uses) -> Iterator[Note]:
    for call, name in uses.calls():
        if name == "astype" and isinstance(call.func, ast.Attribute):
            chain = uses.chain(call.func.value)
            if chain is None or chain.steps:
                continue
            for label in _made_float(chain, argument(call, 0, "dtype")):
                yield from _lossy(chain, label, call.lineno)
        elif name == "to_numeric" and uses.is_library(call.func, "pandas") and call.args:
            chain = uses.chain(call.args[0])
            if chain is not None and chain.one and not chain.steps and _has_gaps(chain, call):
                yield from _lossy(chain, chain.chosen[0], call.lineno)


def _made_float(chain: Chain, dtype: ast.expr | None) -> tuple[Any, ...]:
    if isinstance(dtype, ast.Dict):
        pairs = zip(dtype.keys, dtype.values, strict=True)
        return tuple(key.value for key, kind in pairs if isinstance(key, ast.Constant) and _is_float(kind))
    return chain.chosen if chain.one and _is_float(dtype) else ()


def _is_float(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Constant):
        return node.value in ("float", "float64", "Float64")
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in ("float", "float64")


def _has_gaps(chain: Chain, call: ast.Call) -> bool:
    """Whether numbers of the column become floating point: one of them is missing, or becomes so."""
    series = chain.series(chain.chosen[0])
    if series is None or not is_textual(series):
        return False
    coerced = is_constant(argument(call, 1, "errors"), "coerce")
    held = sample(series)
    return any(is_missing(value) or value == "" or (coerced and not value.strip("+- ").isdigit())
               for value in held if is_missing(value) or type(value) is str)  # fmt: skip


def _lossy(chain: Chain, label: Any, line: int) -> Iterator[Note]:
    series = chain.series(label)
    if series is None or not (is_textual(series) or series.dtype.kind in "iu"):
        return
    for value in sample(series):
        whole = _whole(value)
        if whole is not None and abs(whole) > _LARGEST and int(float(whole)) != whole:
            digits = len(str(abs(whole)))
            text = (
                f"`{label}` holds whole numbers of {digits} digits: as floating point numbers their last digits change."
            )
            yield Note(text, line, str(label))
            return


def _whole(value: Any) -> int | None:
    if type(value) is int:
        return value
    return int(value) if type(value) is str and 16 <= len(value) <= 40 and value.strip().isdecimal() else None
