"""One column in words: type, missing values, range or examples.

Time is bounded by how much is looked at, decided from sizes beforehand, so that the same values are always described
alike.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import Any, NamedTuple

from llmos_jupyter.agent.describe.basics import (
    class_name,
    is_exactly,
    is_kind,
    is_missing,
    module_dict,
    numeric_range,
    scalar,
)
from llmos_jupyter.agent.describe.brief import brief, first_of
from llmos_jupyter.agent.describe.shapes import dtype_name, is_pandas_dtype
from llmos_jupyter.agent.describe.text_forms import text_form

# Cells looked at for each second of the deadline; measured on one 2.5 GHz core to stay within it with a
# wide margin: reading a Python object costs about 100 times as much as reading a number in an array.
NUMBERS_PER_SECOND = 100_000_000
OBJECTS_PER_SECOND = 1_000_000
COLUMNS_PER_SECOND = 600
MAX_ROWS = 200_000
MAX_TEXT_ROWS = 20_000
EXAMPLES = 4
# Values of a column that are told all, if it has no others, and characters that they may take.
ALL = 8
ALL_CHARS = 80
ALL_NUMBERS = 6
LOOKED_AT = 1000  # cells that hold lists and the like, of which the contents are looked at
KEYS = 6


class Budget(NamedTuple):
    """How many rows of one column may be looked at."""

    numbers: int
    objects: int

    @classmethod
    def of(cls, deadline: float, columns: int = 1) -> Budget:
        share = max(deadline, 0.001) / max(columns, 1)
        return cls(
            min(MAX_ROWS, max(1000, int(share * NUMBERS_PER_SECOND))),
            min(MAX_TEXT_ROWS, max(100, int(share * OBJECTS_PER_SECOND))),
        )


class Facts(NamedTuple):
    """What is said of one column: `dtype, missing, detail: examples`."""

    dtype: str
    missing: str = ""
    detail: str = ""
    examples: tuple[str, ...] = ()

    def text(self, examples: int = ALL) -> str:
        parts = [p for p in (self.dtype, self.missing, self.detail) if p]
        shown = ", ".join(self.examples[:examples])
        return ", ".join(parts) + (f": {shown}" if shown else "")


def column_facts(pd: Any, series: Any, budget: Budget) -> Facts:
    """Type, missing values and range or examples of one column."""
    dtype = dtype_name(series.dtype)
    try:
        return _column_facts(pd, series, dtype, budget)
    except Exception:  # an extension type may lack any of these operations; its name is then all we say
        return Facts(dtype)


def _column_facts(pd: Any, series: Any, dtype: str, budget: Budget) -> Facts:
    kind = series.dtype
    rows = len(series)
    if is_kind(kind, pd["CategoricalDtype"]):
        sample, step = _sample(series, budget.numbers)
        absent = int((sample.cat.codes == -1).sum())
        names = kind.categories
        some = _some([t for v in names[: ALL + 1].tolist() if (t := scalar(v)) is not None])
        order = "ordered, " if kind.ordered else ""
        return Facts(dtype, _missing(absent, step, rows), f"{order}{len(names)} categories", some)
    numpy_dtype = module_dict("numpy")["dtype"]
    plain_numbers = is_kind(kind, numpy_dtype) and kind.kind != "O"
    if not is_kind(kind, numpy_dtype) and not is_pandas_dtype(type(kind)):
        return Facts(dtype)  # a third party's type: its operations may do anything
    if not plain_numbers and (kind.name in ("object", "str", "string") or is_kind(kind, pd["StringDtype"])):
        sample, step = _sample(series, budget.objects)
        return object_facts(sample.to_numpy(dtype=object).tolist(), rows, step, dtype)
    sample, step = _sample(series, budget.numbers)
    missing = _missing(int(sample.isna().sum()), step, rows)
    about = "about " if step > 1 else ""
    if kind.kind == "b":
        true, false = (int((sample == value).sum()) * step for value in (True, False))
        # Where values are missing, what is not True need not be False.
        return Facts(dtype, missing, f"{about}{true} True" + (f", {false} False" if missing else ""))
    if kind.kind in "iufmM" or kind.name.startswith("period"):
        low, high = sample.min(), sample.max()
        if is_missing(low) or scalar(low) is None or scalar(low) == "nan":
            return Facts(dtype, missing)
        if kind.kind in "iu" and step == 1 and (few := _few_numbers(sample.iloc[:LOOKED_AT], sample)):
            return Facts(dtype, missing, few)
        return Facts(dtype, missing, f"{about}{scalar(low)} .. {scalar(high)}")
    if kind.kind in "OU":  # text in another engine, for example Arrow's
        sample, step = _sample(series, budget.objects)
        return object_facts(sample.to_numpy(dtype=object).tolist(), rows, step, dtype)
    return Facts(dtype, missing)


def _few_numbers(some: Any, values: Any) -> str:
    """`only 0, 1, 4` where a pandas column has few different integers; `some`: a part that rules most columns out."""
    distinct = some.unique()
    if len(distinct) > ALL_NUMBERS + 1:  # a missing one is not counted below
        return ""
    if len(values) > len(some):
        distinct = values.unique()
    return few_numbers([value for value in distinct.tolist() if not is_missing(value)])


def few_numbers(distinct: list[object]) -> str:
    if not distinct or len(distinct) > ALL_NUMBERS or not all(type(value) is int for value in distinct):
        return ""
    return f"only {', '.join(scalar(value) or '?' for value in sorted(distinct))}"  # type: ignore[type-var]


def _some(texts: list[str]) -> tuple[str, ...]:
    """All values if they are few and short, else some."""
    return tuple(texts if len(texts) <= ALL and sum(map(len, texts)) <= ALL_CHARS else texts[:EXAMPLES])


def _sample(series: Any, most: int) -> tuple[Any, int]:
    step = stride(len(series), most)
    return (series.iloc[::step], step) if step > 1 else (series, 1)


def stride(length: int, most: int, factor: int = 1) -> int:
    """Every how manyth of `length` items to look at, so that about `most` are.

    Tables repeat: rows in turns of groups, days of a week, an array's columns (`factor`). A prime stride
    that does not divide the period sees all of it.
    """
    step = -(-length // max(most, 1))
    if step <= 1:
        return 1
    while any(step % d == 0 for d in range(2, math.isqrt(step) + 1)) or math.gcd(step, factor) != 1:
        step += 1
    return step


def _missing(count: int, step: int, rows: int) -> str:
    if not count:
        return ""
    return f"{count} missing" if step == 1 else f"about {min(count * step, rows)} missing"


def object_facts(values: list[object], rows: int, step: int, dtype: str) -> Facts:
    """A column of Python objects: text is shown, odd objects only named by type."""
    present = [value for value in values if not is_missing(value)]
    missing = _missing(len(values) - len(present), step, rows)
    kinds = {id(cls): cls for cls in map(type, present)}  # by identity: a class may not be hashable
    if not kinds:
        return Facts(dtype, missing)
    if [cls for cls in kinds.values() if cls is not str] == []:
        # Hashing many long strings would cost more than knowing how many differ is worth.
        if sum(map(len, present)) > 4_000_000:  # type: ignore[arg-type]
            return Facts(dtype, missing, "long text", tuple(scalar(v) or "" for v in present[:2]))
        distinct: dict[Any, None] = dict.fromkeys(present)
        count = f"{len(distinct)} distinct" if step == 1 else f"at least {len(distinct)} distinct"
        detail = ", ".join(part for part in (count, text_form(list(distinct), EXAMPLES)) if part)
        return Facts(dtype, missing, detail, _some([scalar(v) or "" for v in islice(distinct, ALL + 1)]))
    if all(cls is bool for cls in kinds.values()):
        return Facts(dtype, missing, f"of bool, {'about ' if step > 1 else ''}{present.count(True) * step} True")
    if (held := _held(present, list(kinds.values()))) is not None:
        return Facts(dtype, missing, *held)
    names = ", ".join(islice(dict.fromkeys(class_name(cls) for cls in kinds.values()), 4))
    numbers = all(is_exactly(value, int, float) for value in present)
    span = numeric_range(present) if numbers else ""
    some = tuple(t for v in present[:EXAMPLES] if (t := scalar(v)) is not None) if not span else ()
    return Facts(dtype, missing, f"of {names}" + (f", {span}" if span else ""), some)


def _held(present: list[Any], kinds: list[type]) -> tuple[str, tuple[str, ...]] | None:
    """What cells hold that are all lists, or all dictionaries, or the like: `lists of 1 to 3 str` and the first."""
    if len(kinds) > 1 or not is_exactly(present[0], list, tuple, set, frozenset, dict):
        return None
    kind = kinds[0]
    cells = present[:LOOKED_AT]
    sizes = [len(cell) for cell in cells]
    count = str(min(sizes)) if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)}"
    first = next((cell for cell in cells if cell), cells[0])
    if kind is dict:
        keys = dict.fromkeys(text for cell in cells for key in islice(cell, KEYS) if (text := scalar(key)) is not None)
        named = f" with {'keys ' + ', '.join(islice(keys, KEYS)) if keys else 'no keys'}"
        more = ", ..." if len(keys) > KEYS else ""
        pairs = [f"{scalar(key) or '?'}: {brief(value, 0)}" for key, value in islice(first.items(), KEYS)]
        left = ", ..." if len(first) > KEYS else ""
        return f"dicts{named}{more}", (f"{{{', '.join(pairs)}{left}}}",)
    inner = dict.fromkeys(class_name(type(item)) for cell in cells for item in islice(cell, KEYS))
    of = f" {' | '.join(islice(inner, EXAMPLES))}" if inner else ""
    items = [brief(item, 0) for item in first_of(first, kind, EXAMPLES)]
    left = ", ..." if len(first) > EXAMPLES else ""
    signs = {"list": "[]", "tuple": "()"}.get(class_name(kind), "{}")
    return f"{class_name(kind)}s of {count}{of}", (f"{signs[0]}{', '.join(items)}{left}{signs[1]}",)
