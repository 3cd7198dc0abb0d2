"""Arrays in words: numpy, scipy.sparse, torch."""

from __future__ import annotations

import math
from itertools import islice
from typing import Any

from llmos_jupyter.agent.describe.basics import (
    class_name,
    fit,
    is_kind,
    is_library_kind,
    label,
    module_dict,
    own_attributes,
    plain,
    scalar,
)
from llmos_jupyter.agent.describe.brief import nested
from llmos_jupyter.agent.describe.columns import EXAMPLES, Budget, object_facts, stride
from llmos_jupyter.agent.describe.shapes import bare, dtype_name, is_exactly_a, package
from llmos_jupyter.agent.describe.table_layout import Asked

SMALL_ARRAY = 10


def describe_numpy(value: Any, room: int, deadline: float, asked: Asked) -> str | None:
    np = module_dict("numpy")
    if not is_kind(value, np.get("ndarray")):
        return None
    array = bare(value)
    name = class_name(type(value))
    head = f"{name} {dtype_name(array.dtype)}, shape {array.shape}"
    budget = Budget.of(deadline)
    masked = module_dict("numpy.ma").get("MaskedArray")
    if masked is not None and is_kind(value, masked):
        mask = bare(masked.mask.__get__(value))
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


def describe_scipy(value: Any, room: int, deadline: float, asked: Asked) -> str | None:
    if not is_library_kind(value, "scipy.sparse", "sparray", "spmatrix") or package(type(value)) != "scipy":
        return None
    return f"{class_name(type(value))} {dtype_name(value.dtype)}, shape {value.shape}, {value.nnz} stored"


def describe_torch(value: Any, room: int, deadline: float, asked: Asked) -> str | None:
    torch = module_dict("torch")
    if is_exactly_a(value, "torch", "Tensor") or is_exactly_a(value, "torch.nn", "Parameter"):
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
