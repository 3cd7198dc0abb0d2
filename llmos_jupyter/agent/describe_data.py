"""Tables and arrays in words: pandas, polars, pyarrow, numpy, scipy.sparse, torch.

No library is imported here: a value of one exists only if the user imported it. Time is bounded by how much
is looked at, decided from sizes beforehand, so that the same value is always described alike.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import Any, NamedTuple

from llmos_jupyter.agent.describe_basics import (
    class_module,
    class_name,
    fit,
    is_exactly,
    is_kind,
    is_library_kind,
    is_missing,
    label,
    library_class,
    module_dict,
    mro,
    numeric_range,
    own_attributes,
    plain,
    redefines,
    scalar,
)

# Cells looked at for each second of the deadline; measured on one 2.5 GHz core to stay within it with a
# wide margin: reading a Python object costs about 100 times as much as reading a number in an array.
NUMBERS_PER_SECOND = 100_000_000
OBJECTS_PER_SECOND = 1_000_000
COLUMNS_PER_SECOND = 600
MAX_ROWS = 200_000
MAX_TEXT_ROWS = 20_000
EXAMPLES = 4
SMALL_ARRAY = 10


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

    def text(self, examples: int = EXAMPLES) -> str:
        parts = [p for p in (self.dtype, self.missing, self.detail) if p]
        shown = ", ".join(self.examples[:examples])
        return ", ".join(parts) + (f": {shown}" if shown else "")


def describe_data(value: Any, room: int, deadline: float) -> str | None:
    """The description of a table or an array, without the variable's name; None if it is neither."""
    cls = type(value)
    package = next((p for base in mro(cls) if (p := _package(base)) in _PACKAGES), None)
    return _PACKAGES[package](value, room, deadline) if package is not None else None


def _package(cls: type) -> str:
    return class_module(cls).partition(".")[0]


def shape_of(value: Any) -> str | None:
    """A table or an array inside a container: class and shape only."""
    if is_library_kind(value, "pandas", "DataFrame", "Series", "Index"):
        base = next(cls for cls in mro(type(value)) if class_name(cls) in ("DataFrame", "Series", "Index"))
        if redefines(value, base, "__getattribute__", "__getattr__", "shape", "columns", "index", "_mgr"):
            return class_name(type(value))
        rows = value.shape[0]
        if class_name(base) != "DataFrame":
            return f"{class_name(type(value))} of {rows}"
        names = ", ".join(label(name) for name in value.columns[:4].tolist())
        more = ", ..." if value.shape[1] > 4 else ""
        return f"{class_name(type(value))} {rows} x {value.shape[1]} ({names}{more})"
    if is_library_kind(value, "numpy", "ndarray"):
        array = _bare(value)
        return f"{class_name(type(value))} {_dtype(array.dtype)} {array.shape}"
    if _exactly(value, "polars", "DataFrame"):
        return f"polars DataFrame {value.height} x {value.width}"
    if _exactly(value, "torch", "Tensor"):
        return f"Tensor {tuple(value.shape)}"
    return None


# --- pandas ------------------------------------------------------------------------------------


def _pandas(value: Any, room: int, deadline: float) -> str | None:
    pd = module_dict("pandas")
    name = class_name(type(value))
    if is_kind(value, pd.get("DataFrame")):
        if redefines(value, pd["DataFrame"], "__getattribute__", "_mgr"):
            return None
        frame = value if type(value) is pd["DataFrame"] else pd["DataFrame"](value)
        return _frame(pd, frame, name, room, deadline)
    if is_kind(value, pd.get("Series")):
        if redefines(value, pd["Series"], "__getattribute__", "_mgr", "index", "name"):
            return None
        series = value if type(value) is pd["Series"] else pd["Series"](value)
        facts = column_facts(pd, series, Budget.of(deadline))
        called = f" {label(series.name)}" if series.name is not None else ""
        index = _index_note(pd, series.index, Budget.of(deadline))
        return f"{name}{called}, {len(series)} rows, {facts.text()}" + (f"; index {index}" if index else "")
    if is_kind(value, pd.get("Index")):
        if type(value) is pd["RangeIndex"]:
            return f"RangeIndex {value.start} .. {value.stop - value.step if len(value) else value.stop}"
        if redefines(value, pd["Index"], "__getattribute__") or not _is_pandas(type(value)):
            return None
        return f"{name}, {len(value)} entries, {_index_note(pd, value, Budget.of(deadline))}"
    if _exactly(value, "pandas", "Categorical"):
        return f"Categorical, {column_facts(pd, pd['Series'](value), Budget.of(deadline)).text()}"
    groupby = module_dict("pandas.core.groupby").get("GroupBy") or module_dict("pandas.core.groupby.groupby").get(
        "GroupBy"
    )
    if groupby is not None and is_kind(value, groupby) and _is_pandas(type(value)):
        held = value.__dict__
        grouper = held.get("_grouper") or held.get("grouper")
        keys = ", ".join(label(key) for key in list(getattr(grouper, "names", []))[:6])
        of = shape_of(held.get("obj")) or "?"
        picked = held.get("_selection")
        chosen = ""
        if picked is not None:
            some = picked[:6] if is_exactly(picked, list, tuple) else [picked]
            chosen = f", selected: {', '.join(label(x) for x in some)}"
        return f"{name} of {of}, grouped by {keys}{chosen}"
    return None


def _is_pandas(cls: type) -> bool:
    """Whether pandas itself defines this class, by identity."""
    module = class_module(cls)
    return module.partition(".")[0] == "pandas" and module_dict(module).get(class_name(cls)) is cls


def _frame(pd: Any, frame: Any, name: str, room: int, deadline: float) -> str:
    rows, width = frame.shape
    head = f"{name}, {rows} rows x {width} columns"
    index = _index_note(pd, frame.index, Budget.of(deadline))
    if index:
        head += f"\n  index: {index}"
    if is_kind(frame.columns, pd["MultiIndex"]):
        head += "\n  column names are tuples (MultiIndex)"
    elif width <= 2000 and (twice := _duplicates(frame.columns)):
        head += f"\n  duplicate column names: {twice}"

    def facts(position: int, budget: Budget) -> Facts:
        return column_facts(pd, frame.iloc[:, position], budget)

    shown = width if width <= room // 4 else room // 4
    labels = [label(column) for column in frame.columns[:shown].tolist()]
    dtypes = [_dtype(dtype) for dtype in frame.dtypes.iloc[:shown].tolist()]
    return table(head, labels, dtypes, width, facts, room, deadline)


def table(head: str, labels: list[str], dtypes: list[str], width: int, facts: Any, room: int, deadline: float) -> str:
    """The richest layout that names every column: a line each with examples, fewer, none; names and
    dtypes in a row; names alone. What then still does not fit is counted."""
    if width == 0:
        return head
    if width <= min(room // 15, max(1, int(deadline * COLUMNS_PER_SECOND))):
        budget = Budget.of(deadline, width)
        columns = [facts(i, budget) for i in range(width)]
        for examples in (EXAMPLES, 2, 0):
            lines = [f"\n  {n}: {f.text(examples)}" for n, f in zip(labels, columns, strict=True)]
            text = head + "".join(lines)
            if len(text) <= room:
                return text
    typed = [f"{n} {t}" for n, t in zip(labels, dtypes, strict=True)]
    text = f"{head}\n  columns: {', '.join(typed)}"
    if len(labels) == width and len(text) <= room:
        return text
    return fit(f"{head}\n  columns: ", labels, width, "", room)


def _duplicates(columns: Any) -> str:
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for column in columns.tolist():
        if type(column) is str:  # other objects may be slow, or odd, to compare
            if column in seen:
                twice[column] = None
            seen.add(column)
    return ", ".join(label(column) for column in islice(twice, 4))


def _index_note(pd: Any, index: Any, budget: Budget) -> str:
    """Empty for the index that every table starts with."""
    if type(index) is pd["RangeIndex"] and index.start == 0 and index.step == 1 and index.name is None:
        return ""
    if type(index) is pd["MultiIndex"]:
        levels = zip(index.names, index.levels, strict=True)
        return f"MultiIndex: {', '.join(f'{label(n)} {_dtype(v.dtype)}' for n, v in levels)}"
    facts = column_facts(pd, pd["Series"](index, index=pd["RangeIndex"](len(index))), budget)
    return (f"{label(index.name)} " if index.name is not None else "") + facts.text()


def column_facts(pd: Any, series: Any, budget: Budget) -> Facts:
    """Type, missing values and range or examples of one column."""
    dtype = _dtype(series.dtype)
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
        some = [t for v in names[:EXAMPLES].tolist() if (t := scalar(v)) is not None]
        order = "ordered, " if kind.ordered else ""
        return Facts(dtype, _missing(absent, step, rows), f"{order}{len(names)} categories", tuple(some))
    numpy_dtype = module_dict("numpy")["dtype"]
    plain_numbers = is_kind(kind, numpy_dtype) and kind.kind != "O"
    if not is_kind(kind, numpy_dtype) and not _is_pandas_dtype(type(kind)):
        return Facts(dtype)  # a third party's type: its operations may do anything
    if not plain_numbers and (kind.name in ("object", "str", "string") or is_kind(kind, pd["StringDtype"])):
        sample, step = _sample(series, budget.objects)
        return object_facts(sample.to_numpy(dtype=object).tolist(), rows, step, dtype)
    sample, step = _sample(series, budget.numbers)
    missing = _missing(int(sample.isna().sum()), step, rows)
    about = "about " if step > 1 else ""
    if kind.kind == "b":
        return Facts(dtype, missing, f"{about}{int(sample.sum()) * step} True")
    if kind.kind in "iufmM" or kind.name.startswith("period"):
        low, high = sample.min(), sample.max()
        if is_missing(low) or scalar(low) is None or scalar(low) == "nan":
            return Facts(dtype, missing)
        return Facts(dtype, missing, f"{about}{scalar(low)} .. {scalar(high)}")
    if kind.kind in "OU":  # text in another engine, for example Arrow's
        sample, step = _sample(series, budget.objects)
        return object_facts(sample.to_numpy(dtype=object).tolist(), rows, step, dtype)
    return Facts(dtype, missing)


def _is_pandas_dtype(cls: type) -> bool:
    return class_module(cls).startswith("pandas.core") or _is_pandas(cls)


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
        distinct = dict.fromkeys(present)
        count = f"{len(distinct)} distinct" if step == 1 else f"at least {len(distinct)} distinct"
        return Facts(dtype, missing, count, tuple(scalar(v) or "" for v in islice(distinct, EXAMPLES)))
    names = ", ".join(islice(dict.fromkeys(class_name(cls) for cls in kinds.values()), 4))
    numbers = all(is_exactly(value, int, float) for value in present)
    span = numeric_range(present) if numbers else ""
    some = tuple(t for v in present[:EXAMPLES] if (t := scalar(v)) is not None) if not span else ()
    return Facts(dtype, missing, f"of {names}" + (f", {span}" if span else ""), some)


def _dtype(dtype: Any) -> str:
    """A dtype's name without running a third party's code."""
    numpy = module_dict("numpy")
    if "dtype" in numpy and is_kind(dtype, numpy["dtype"]):
        if dtype.names is not None:
            fields = ", ".join(f"{label(n)} {_dtype(dtype.fields[n][0])}" for n in dtype.names[:8])
            return f"structured ({fields}{', ...' if len(dtype.names) > 8 else ''})"
        return plain(str(dtype))
    if _is_pandas_dtype(type(dtype)):
        if class_name(type(dtype)) == "CategoricalDtype":
            return "category"
        return plain(str(dtype))
    return class_name(type(dtype))


# --- numpy, scipy, torch -----------------------------------------------------------------------


def _bare(array: Any) -> Any:
    """The array without the methods of a derived class."""
    ndarray = module_dict("numpy")["ndarray"]
    return ndarray.view(array, ndarray)


def _numpy(value: Any, room: int, deadline: float) -> str | None:
    np = module_dict("numpy")
    if not is_kind(value, np.get("ndarray")):
        return None
    array = _bare(value)
    name = class_name(type(value))
    head = f"{name} {_dtype(array.dtype)}, shape {array.shape}"
    budget = Budget.of(deadline)
    masked = module_dict("numpy.ma").get("MaskedArray")
    if masked is not None and is_kind(value, masked):
        mask = _bare(masked.mask.__get__(value))
        if mask.shape != array.shape:  # nothing is masked
            return head + array_values(array, budget)
        part, step = strided(mask, budget.numbers)
        text = f"{head}, {'about ' if step > 1 else ''}{int(part.sum()) * step} masked"
        return text + array_values(strided(array, budget.numbers)[0][~part], budget, step)
    if is_kind(value, np["memmap"]):
        return head + ", on disk"  # reading it could wait for the disk
    return head + array_values(array, budget)


def array_values(array: Any, budget: Budget, each: int = 1) -> str:
    """`, min .. max` of a sample, or all the values of a small array.

    `each`: how many elements each one stands for, if `array` is already a sample.
    """
    np = module_dict("numpy")
    if array.size == 0:
        return ""
    kind = array.dtype.kind
    if array.size <= SMALL_ARRAY and each == 1:
        # numpy gives a missing date as None, and one in nanoseconds as an integer.
        small = array.astype("U") if kind in "mM" else array
        return f": {nested(small.tolist())}" if array.dtype.names is None else ""
    if kind == "O":
        part, step = strided(array, budget.objects)
        return f", {object_facts(part.reshape(-1).tolist(), array.size, step, '').text()}"
    if kind in "US":
        some = array[tuple(slice(0, 2) for _ in array.shape)].reshape(-1)[:EXAMPLES].tolist()
        return f": {', '.join(scalar(v) or '?' for v in some)}, ..."
    if kind not in "biufmM":
        return ""
    part, step = strided(array, budget.numbers)
    step *= each
    about = "about " if step > 1 else ""
    if kind == "b":
        return f", {about}{int(part.sum()) * step} True"
    missing = 0
    if kind in "fmM":
        missing = int(np["isnan"](part).sum() if kind == "f" else np["isnat"](part).sum())
    text = ""
    if missing < part.size:
        with np["errstate"](all="ignore"):
            low, high = np["fmin"].reduce(part, axis=None), np["fmax"].reduce(part, axis=None)
        text = f", {about}{scalar(low)} .. {scalar(high)}"
    return text + (f", {about}{missing * step} {'nan' if kind == 'f' else 'NaT'}" if missing else "")


def strided(array: Any, most: int) -> tuple[Any, int]:
    """About `most` elements spread over the array, as a view, and how many each stands for."""
    if array.size <= most:
        return array, 1
    if array.flags.c_contiguous:
        # A stride that shares a factor with the row length would see some columns only.
        inner = array.size // array.shape[0]
        step = stride(array.size, most, inner)
        return array.reshape(-1)[::step], step
    part = array
    while part.size > most:
        axis = max(range(part.ndim), key=lambda i: part.shape[i])
        take = min(part.shape[axis], math.ceil(part.size / most))
        part = part[tuple(slice(None, None, take) if i == axis else slice(None) for i in range(part.ndim))]
    return part, max(1, array.size // part.size)


def nested(values: Any) -> str:
    if type(values) is list:
        return f"[{', '.join(nested(v) for v in values)}]"
    return scalar(values) or class_name(type(values))


def _scipy(value: Any, room: int, deadline: float) -> str | None:
    if not is_library_kind(value, "scipy.sparse", "sparray", "spmatrix") or _package(type(value)) != "scipy":
        return None
    return f"{class_name(type(value))} {_dtype(value.dtype)}, shape {value.shape}, {value.nnz} stored"


def _torch(value: Any, room: int, deadline: float) -> str | None:
    torch = module_dict("torch")
    if _exactly(value, "torch", "Tensor") or _exactly(value, "torch.nn", "Parameter"):
        head = f"{class_name(type(value))} {plain(str(value.dtype))}, shape {tuple(value.shape)}"
        head += f", {plain(str(value.device))}" + (", requires_grad" if value.requires_grad else "")
        if value.device.type != "cpu":  # reading it would wait for the device
            return head
        try:
            return head + array_values(value.detach().numpy(), Budget.of(deadline))
        except Exception:  # sparse, quantised and bfloat16 tensors have no numpy form
            return head
    module = module_dict("torch.nn").get("Module")
    if not torch or module is None or not is_kind(value, module):
        return None
    children: Any = own_attributes(value).get("_modules")
    if not is_kind(children, dict):
        return None
    parts = [f"{label(k)} {class_name(type(v))}" for k, v in islice(dict.items(children), 12)]
    return fit(f"{class_name(type(value))} (torch module): ", parts, dict.__len__(children), "", room)


# --- polars, pyarrow ---------------------------------------------------------------------------


def _exactly(value: object, module: str, name: str) -> bool:
    return type(value) is library_class(module, name)


def _polars(value: Any, room: int, deadline: float) -> str | None:
    if _exactly(value, "polars", "LazyFrame"):
        return "polars LazyFrame, not collected"
    if _exactly(value, "polars", "Series"):
        text = _polars_facts(value, Budget.of(deadline)).text()
        return f"polars Series {label(value.name)}, {len(value)} rows, {text}"
    if not _exactly(value, "polars", "DataFrame"):
        return None
    head = f"polars DataFrame, {value.height} rows x {value.width} columns"
    shown = min(value.width, room // 4)
    labels = [label(name) for name in value.columns[:shown]]
    dtypes = [plain(str(dtype)) for dtype in value.dtypes[:shown]]

    def facts(position: int, budget: Budget) -> Facts:
        return _polars_facts(value.to_series(position), budget)

    return table(head, labels, dtypes, value.width, facts, room, deadline)


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
            return Facts(dtype, missing, f"{about}{low} .. {high}")
    return Facts(dtype, missing)


def _pyarrow(value: Any, room: int, deadline: float) -> str | None:
    if not (_exactly(value, "pyarrow", "Table") or _exactly(value, "pyarrow", "RecordBatch")):
        return None
    head = f"pyarrow {class_name(type(value))}, {value.num_rows} rows x {value.num_columns} columns"
    shown = min(value.num_columns, room // 4)
    schema = value.schema
    labels = [label(schema.names[i]) for i in range(shown)]
    dtypes = [plain(str(schema.types[i])) for i in range(shown)]

    def facts(position: int, budget: Budget) -> Facts:
        nulls = value.column(position).null_count
        return Facts(dtypes[position], f"{nulls} missing" if nulls else "")

    return table(head, labels, dtypes, value.num_columns, facts, room, deadline)


_PACKAGES = {
    "pandas": _pandas,
    "numpy": _numpy,
    "polars": _polars,
    "pyarrow": _pyarrow,
    "scipy": _scipy,
    "torch": _torch,
}
