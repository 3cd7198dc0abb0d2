"""pandas: arrays of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas._libs.arrays import NDArrayBacked

from llmos_jupyter.effects.kind import ARRAYS, CHOOSERS, Kind, register
from llmos_jupyter.effects.libraries import may_be_made
from llmos_jupyter.effects.objects.layout import attributes, is_users, set_attributes
from llmos_jupyter.effects.table import CannotComeHome, Malformed, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


class BackedKind(Kind):
    """Arrays around a NumPy array that only C sees: dates, periods, categoricals, texts."""

    name = "backed array"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [
            pack.value(type(obj)),
            pack.value(obj._ndarray),
            pack.value(obj._dtype),
            pack.attributes(attributes(obj)),
        ]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls, values, dtype, _ = content_of(content, 4)
        cls, values, dtype = build.values([cls, values, dtype])
        if not issubclass(type(cls), type) or not issubclass(cls, NDArrayBacked) or may_be_made(cls) is not None:
            raise Malformed("an array of no class")
        if is_users(cls):
            raise CannotComeHome(f"a {cls.__name__} may run code as it is made", cls.__name__)
        made = NDArrayBacked.__new__(cls)
        # Without this an array's pointers stay empty, and whoever looks at it crashes.
        NDArrayBacked.__init__(made, np.empty(0), np.dtype("f8"))
        if type(values) is not np.ndarray or values.ndim not in (1, 2):
            raise Malformed("an array without data")
        NDArrayBacked.__init__(made, values, dtype)
        return made

    def decode(self, content: list[Any], build: Builder) -> Any:
        _, values, dtype, held = content_of(content, 4)
        return [*build.values([values, dtype]), build.attributes(held)]

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        state = self.decode(content, build)
        build.later(ARRAYS, lambda: self.put(obj, state))

    def state(self, obj: Any, new: Any) -> Any:
        return [obj._ndarray, obj._dtype, attributes(obj)]

    def put(self, obj: Any, state: Any) -> None:
        values, dtype, held = state
        _check_backed(type(obj), values, dtype)
        if obj._ndarray is not values or obj._dtype is not dtype:
            NDArrayBacked.__init__(obj, values, dtype)
        set_attributes(obj, held)

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        held = {name: value for name, value in attributes(obj).items() if name != "_cache"}
        return [obj._ndarray, obj._dtype, *held.values()], list(held)


def _same(dtype: Any, values: Any) -> bool:
    return issubclass(type(dtype), np.dtype) and bool(dtype == values.dtype)


def _check_backed(cls: Any, values: Any, dtype: Any) -> None:
    kind = values.dtype.kind if type(values) is np.ndarray else ""
    if issubclass(cls, pd.Categorical):
        good = type(dtype) is pd.CategoricalDtype and kind == "i"
        if good:
            labels = attributes(dtype).get("_categories")
            good = labels is None or (issubclass(type(labels), pd.Index) and not is_users(type(labels)))
            count = len(labels) if good and labels is not None else 0
            good = good and (not values.size or (int(values.min()) >= -1 and int(values.max()) < count))
    elif issubclass(cls, pd.arrays.DatetimeArray):
        good = kind == "M" and (type(dtype) is pd.DatetimeTZDtype or _same(dtype, values))
    elif issubclass(cls, pd.arrays.TimedeltaArray):
        good = kind == "m" and _same(dtype, values)
    elif issubclass(cls, pd.arrays.PeriodArray):
        good = kind == "i" and values.itemsize == 8 and type(dtype) is pd.PeriodDtype
    else:
        good = bool(kind) and issubclass(type(dtype), pd.api.extensions.ExtensionDtype)
        if good and issubclass(cls, pd.arrays.StringArray):
            good = kind == "O"
            texts = values.ravel().tolist() if good else []
            good = good and all(
                type(text) is str or text is pd.NA or type(text) is float or text is None for text in texts
            )
    if not good:
        raise Malformed(f"a {cls.__name__} whose data do not fit")


BACKED = register(BackedKind())
CHOOSERS.append(lambda cls: BACKED if issubclass(cls, NDArrayBacked) else None)
