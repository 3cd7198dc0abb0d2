"""pandas: indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas._libs.internals import BlockValuesRefs

from llmos_jupyter.effects.kind import CHOOSERS, INDEXES, Kind, register
from llmos_jupyter.effects.libraries import may_be_made
from llmos_jupyter.effects.objects.layout import attributes, is_users
from llmos_jupyter.effects.table import CannotComeHome, Malformed, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


_held_by = object.__getattribute__
ExtensionArray = pd.api.extensions.ExtensionArray


_UNTOLD = ("_cache", "_id", "_references")


class IndexKind(Kind):
    """An index of any class. Immutable, but for its names."""

    name = "index"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        held = {name: value for name, value in attributes(obj).items() if name not in _UNTOLD}
        refs = _held_by(obj, "__dict__").get("_references")
        return [pack.value(type(obj)), pack.attributes(held), pack.value(refs)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls = build.value(content_of(content, 3)[0])
        if not issubclass(type(cls), type) or not issubclass(cls, pd.Index) or may_be_made(cls) is not None:
            raise Malformed("an index of no class")
        if is_users(cls):
            raise CannotComeHome(f"a {cls.__name__} may run code as it is made", cls.__name__)
        made = object.__new__(cls)
        held = _held_by(made, "__dict__")
        held.update(build.attributes(content[1]))
        held["_cache"] = {}
        refs = build.value(content[2])
        if refs is not None:
            if type(refs) is not BlockValuesRefs:
                raise Malformed("an index without references")
            held["_references"] = refs
            refs.add_index_reference(made)
        elif cls is not pd.RangeIndex and cls is not pd.MultiIndex:
            held["_references"] = None
        pd.Index._reset_identity(made)
        return made

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        build.later(INDEXES, lambda: _check_index(obj))

    def decode(self, content: list[Any], build: Builder) -> Any:
        held = build.attributes(content_of(content, 3)[1])
        return {name: held[name] for name in ("_name", "_names") if name in held}

    def state(self, obj: Any, new: Any) -> Any:
        held = _held_by(obj, "__dict__")
        return {name: held[name] for name in ("_name", "_names") if name in held}

    def put(self, obj: Any, state: Any) -> None:
        held = _held_by(obj, "__dict__")
        for name in ("_name", "_names"):
            if name not in state:
                held.pop(name, None)
        held.update(state)

    def children(self, obj: Any) -> list[Any]:
        held = _held_by(obj, "__dict__")
        return [value for name, value in held.items() if name not in ("_cache", "_id")]

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        held = self.state(obj, None)
        return [*held.values(), *(held.get("_names") or ())], list(held)


def _check_index(index: Any) -> None:
    held = _held_by(index, "__dict__")
    cls = type(index)
    if any(is_users(type(part)) for part in map(held.get, ("_data", "_levels", "_codes", "_names"))):
        raise CannotComeHome("an index around an object of the notebook's classes", "Index")
    if issubclass(cls, pd.RangeIndex):
        good = type(held.get("_range")) is range
    elif issubclass(cls, pd.MultiIndex):
        levels, codes = held.get("_levels"), held.get("_codes")
        good = len(levels) == len(codes) > 0 and all(map(_codes_fit, codes, levels))
        good = good and len({len(code) for code in codes}) == 1 and len(held.get("_names", ())) == len(levels)
    else:
        data = held.get("_data")
        if issubclass(
            cls, pd.CategoricalIndex | pd.DatetimeIndex | pd.TimedeltaIndex | pd.PeriodIndex | pd.IntervalIndex
        ):
            good = (
                issubclass(type(data), ExtensionArray)
                and data._simple_new is not None
                and _data_class(cls) is type(data)
            )
        else:
            good = (type(data) is np.ndarray and data.ndim == 1) or issubclass(type(data), ExtensionArray)
    if not good:
        raise Malformed("an index that does not hold together")


def _data_class(cls: Any) -> Any:
    return cls._data_cls


def _codes_fit(codes: Any, level: Any) -> bool:
    if type(codes) is not np.ndarray or codes.ndim != 1 or codes.dtype.kind != "i":
        return False
    if not issubclass(type(level), pd.Index) or is_users(type(level)):
        return False
    return not len(codes) or (int(codes.min()) >= -1 and int(codes.max()) < len(level))


INDEX = register(IndexKind())
CHOOSERS.append(lambda cls: INDEX if issubclass(cls, pd.Index) else None)
