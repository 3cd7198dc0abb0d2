"""Namespaces as plain values that are equal for equal namespaces: values, types, dtypes, attributes, which objects are
the same, which arrays share memory. Knows nothing of the table of kinds.
"""

from __future__ import annotations

import collections
import enum
import io
import random
import re
import types
from typing import Any

import numpy as np
import pandas as pd

_ATOMS = (type(None), bool, int, float, complex, str, bytes)
ADDRESS = re.compile(r"0x[0-9a-f]+")
_SKIPPED = {"_cache", "_id", "_engine", "_item_cache", "__weakref__", "__dict__", "_abc_impl"}
# What a figure keeps to draw itself and to be told of changes; the cells after it draw and change it.
_DRAWING = {"_parents", "canvas", "_cachedRenderer", "_callbacks", "callbacks", "_axobservers", "_canvas_callbacks"}
_DRAWING |= {"_func_cid_map", "_cid_gen", "_pickled_cids", "_invalid"}


class Canon:
    """One namespace's canonical form."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.alive: list[Any] = []
        self.arrays: list[Any] = []
        self.told: list[Any] = []

    def of(self, value: Any) -> Any:
        if type(value) in _ATOMS:
            return repr(value)
        if id(value) in self.numbers:
            return ["same as", self.numbers[id(value)]]
        number = self.numbers[id(value)] = len(self.numbers)
        self.alive.append(value)
        return [number, f"{type(value).__module__}.{type(value).__qualname__}", self._content(value)]

    def _content(self, value: Any) -> Any:
        cls = type(value)
        if value is np.ma.masked:
            return "np.ma.masked"
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, pd.DataFrame | pd.Series):
            return self._frame(value)
        if isinstance(value, pd.Index):
            held = [type(value).__name__, self.of_all(value.names), str(value.dtype), self.of_all(value.tolist())]
            return [*held, [repr(level.tolist()) for level in value.levels] if isinstance(value, pd.MultiIndex) else ""]
        if isinstance(value, pd.api.extensions.ExtensionArray):
            return [str(value.dtype), [repr(item) for item in value.tolist()]]
        if cls.__module__.startswith("torch") and cls.__name__ in ("Tensor", "Parameter"):
            return self._tensor(value)
        if cls.__module__.startswith("torch") and cls.__name__ == "Generator":
            return hash(value.get_state().numpy().tobytes())
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, types.ModuleType):
            return value.__name__
        if isinstance(value, enum.Enum):
            return [value._name_, repr(value._value_), self.of(cls)]
        if cls is types.FunctionType:
            return self._function(value)
        if isinstance(value, dict):
            items = (
                collections.OrderedDict.items(value)
                if isinstance(value, collections.OrderedDict)
                else dict.items(value)
            )
            beside = getattr(value, "default_factory", None)
            return [[[self.of(k), self.of(v)] for k, v in list(items)], self.of(beside), self._beside(value)]
        if isinstance(value, set | frozenset):
            return [sorted(map(repr, map(self._unnumbered, value))), self._beside(value)]
        if isinstance(value, list | tuple | collections.deque):
            return [
                self.of_all(list(type(value).__mro__[-2].__iter__(value))),
                getattr(value, "maxlen", None),
                self._beside(value),
            ]
        if isinstance(value, np.random.Generator):
            return repr(value.bit_generator.state)
        if isinstance(value, np.random.RandomState):
            return repr(value.get_state())
        if type(value) is random.Random:
            return hash(value.getstate())
        if isinstance(value, io.StringIO | io.BytesIO):
            return ["closed"] if value.closed else [repr(value.getvalue()), value.tell()]
        if cls is types.MethodType:
            return [self.of(value.__func__), self.of(value.__self__)]
        if cls is types.CellType:
            return self.of(value.cell_contents)
        if cls is property:
            return self.of_all([value.fget, value.fset, value.fdel])
        if cls in (staticmethod, classmethod):
            return self.of(value.__func__)
        if isinstance(value, BaseException):
            return [self.of(value.args), self._beside(value)]
        if cls.__name__ == "partial":
            return [self.of(value.func), self.of(value.args), self.of(value.keywords)]
        if isinstance(value, bytearray | np.generic | np.dtype):
            return repr(value)
        if cls.__module__ == "PIL.Image":
            return [value.mode, value.size, value.tobytes().hex(), self.of(value.info)]
        if cls.__name__ == "Element":
            return [value.tag, value.text, value.tail, list(value.attrib.items()), self.of_all(list(value))]
        if cls.__name__ in ("WeakValueDictionary", "WeakKeyDictionary"):
            return self.of_all(list(value.items()))
        if cls.__name__ == "WeakSet":
            return sorted(map(repr, map(self._unnumbered, value)))
        if cls.__name__.endswith("_iterator") or cls.__name__ in ("zip", "dict_keys", "dict_values", "dict_items"):
            return self._iterator(value)
        if type(getattr(value, "__dict__", None)) is dict and cls.__module__ not in ("re", "datetime", "uuid"):
            return self._beside(value)
        if cls.__module__ == "__main__":
            return [ADDRESS.sub("", repr(value)), self._slots(value)]
        return ADDRESS.sub("", repr(value))

    def of_all(self, values: Any) -> list[Any]:
        return [self.of(value) for value in values]

    def _unnumbered(self, value: Any) -> Any:
        return value if type(value) in _ATOMS else [type(value).__name__, ADDRESS.sub("", repr(value))]

    def _beside(self, value: Any) -> Any:
        held = getattr(value, "__dict__", None) or {}
        items = list(held.items())
        if type(value).__module__.startswith("matplotlib"):
            items = sorted((name, part) for name, part in items if name not in _DRAWING)
        return [[name, self.of(part)] for name, part in items if name not in _SKIPPED] + self._slots(value)

    def _slots(self, value: Any) -> list[Any]:
        found = []
        for base in type(value).__mro__:
            for name, member in vars(base).items():
                if type(member) is types.MemberDescriptorType and base.__module__ == "__main__":
                    found.append([name, self.of(getattr(value, name, "nothing"))])
        return found

    def _array(self, value: Any) -> Any:
        if not any(value is known for known in self.arrays):
            self.arrays.append(value)
        plain = np.ndarray.view(value, np.ndarray)
        items = self.of_all(plain.ravel().tolist()) if value.dtype.hasobject else plain.tobytes().hex()[:20_000]
        layout = [str(value.dtype), list(value.shape), bool(value.flags.writeable), value.flags.f_contiguous]
        if isinstance(value, np.ma.MaskedArray):
            return [*layout, items, repr(value.mask.tolist()), repr(value.fill_value)]
        return [*layout, items, self._beside(value) if type(value) is not np.ndarray else None]

    def _iterator(self, value: Any) -> Any:
        if type(value).__name__.startswith("dict"):
            return self.of(list(value))
        _, args, *place = value.__reduce__()
        return [[self.of(part) for part in args], place]

    def _tensor(self, value: Any) -> Any:
        storage = value.untyped_storage()
        self.alive.append(storage)
        memory = self.numbers.setdefault(-storage._cdata, len(self.numbers))
        layout = [str(value.dtype), list(value.shape), value.stride(), value.storage_offset(), memory]
        grad = None if not value.is_leaf or value.grad is None else repr(value.grad.tolist())
        return [*layout, value.requires_grad, value.is_leaf, repr(value.tolist()), grad, self._beside(value)]

    def _frame(self, value: Any) -> Any:
        columns = [value] if value.ndim == 1 else [value.iloc[:, place] for place in range(value.shape[1])]
        held = [[str(column.dtype), [repr(item) for item in column.tolist()]] for column in columns]
        labels = self.of(value.columns) if value.ndim == 2 else self.of(value.name)
        for block in value._mgr.blocks:
            if isinstance(block.values, np.ndarray):
                self.arrays.append(block.values)
        shared = [block.refs.has_reference() for block in value._mgr.blocks]
        layout = [[block.mgr_locs.as_array.tolist(), str(block.dtype)] for block in value._mgr.blocks]
        flags = value.flags.allows_duplicate_labels
        beside = [
            [k, self.of(v)]
            for k, v in vars(value).items()
            if k not in ("_mgr", "_flags", "_item_cache", "_name", "_cache")
        ]
        return [held, labels, self.of(value.index), shared, sorted(map(repr, layout)), flags, beside]

    def _class(self, value: Any) -> Any:
        if value.__module__ != "__main__":
            return [value.__module__, value.__qualname__]
        left = {"__dict__", "__weakref__", "_abc_impl", "__annotate_func__", "__annotations_cache__"}
        held = [[name, self.of(part)] for name, part in sorted(vars(value).items()) if name not in left]
        return [value.__qualname__, [self.of(base) for base in value.__bases__], type(value).__name__, held]

    def _function(self, value: Any) -> Any:
        code = value.__code__
        said = [
            value.__name__,
            value.__qualname__,
            value.__module__,
            value.__doc__,
            code.co_code.hex(),
            repr(code.co_names),
        ]
        said += [
            code.co_firstlineno,
            "user" if value.__globals__.get("__name__") == "__main__" else value.__globals__.get("__name__"),
        ]
        annotations = list(map(list, (value.__annotations__ or {}).items()))
        parts = [value.__defaults__, value.__kwdefaults__, value.__dict__, annotations]
        cells = []
        for cell in value.__closure__ or ():
            try:
                cells.append(self.of(cell.cell_contents))
            except ValueError:
                cells.append("empty")
        return [said, self.of_all(parts), cells]

    def memory(self) -> list[list[bool]]:
        """Which arrays share memory."""
        arrays = self.arrays[:40]
        return [
            [bool(np.shares_memory(a, b)) if a.size * b.size < 1e7 else bool(np.may_share_memory(a, b)) for b in arrays]
            for a in arrays
        ]


def canon(names: dict[str, Any]) -> list[Any]:
    """The canonical form of some names."""
    form = Canon()
    told = [[name, form.of(value)] for name, value in names.items()]
    return [told, form.memory()]
