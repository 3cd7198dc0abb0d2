"""How each kind of object is remembered before a run and compared after it.

No code of the user's is called: no `__eq__`, `__repr__`, `__len__`, `__getattr__` or property, for these may
fail, print, take long or change what is being looked at. Only methods of the exact built-in, numpy, pandas
and torch types are used, unbound where a subclass could override them.
"""

from __future__ import annotations

import collections
import ctypes
import random
import sys
import types
import weakref
import zlib
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from llmos_jupyter.agent.undo.pages import WrittenPages, edges
from llmos_jupyter.effects.objects.layout import class_module

SMALL = 1 << 20  # bytes: buffers up to this size are copied and compared exactly
COPIES = 64 << 20  # bytes: all copies together
HASHED_PER_SECOND = 1_000_000_000  # zlib.crc32, a careful estimate
ROW = 1 << 18  # bytes a column must have, to be told from its neighbours by its pages
ROWS = 1_000  # columns that are looked at one by one
ITEMS = 200_000  # a larger container is remembered by its length only, save lists

ATOMS = frozenset({int, float, complex, str, bytes, bool, type(None), type(...), range, slice, type(NotImplemented)})
_LEAVES = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.CodeType,
    types.FrameType,
    types.TracebackType,
    weakref.ReferenceType,
)
# Objects of these packages belong to the machinery around the notebook or change by themselves.
_MACHINERY = frozenset({"IPython", "ipykernel", "zmq", "asyncio", "threading", "logging", "traitlets", "_thread"})


class Unchecked(Exception):
    """The object could not be compared within its means."""


class Means:
    """What a snapshot may spend: copies, hashes, and whether written pages can be told."""

    def __init__(self, pages: WrittenPages | None, hash_seconds: float) -> None:
        self.pages = pages if pages is not None and pages.works else None
        self.copies = COPIES
        self.hash_bytes = int(hash_seconds * HASHED_PER_SECOND)


Look = Callable[[object], "Node | None"]


class Node(Protocol):
    """One remembered object."""

    def children(self) -> Iterable[object]:
        """The objects it refers to, as they were."""

    def difference(self, look: Look) -> str | None:
        """What changed in the object itself, in a few words; None if nothing. Raises Unchecked."""


# --- buffers --------------------------------------------------------------------------------------


class Buffer:
    """The bytes of one range of memory; by copy, by its written pages, or by a hash."""

    def __init__(self, address: int, size: int, means: Means) -> None:
        self.address, self.size, self.means = address, size, means
        self.how = "unchecked"
        self.before: Any = None
        if size <= SMALL and size <= means.copies:
            means.copies -= size
            self.how, self.before = "copy", ctypes.string_at(address, size)
        elif means.pages is not None and (written := means.pages.written(address, size)) is not None:
            self.how, self.before = "pages", (written, edges(address, size))
        elif size <= means.hash_bytes:
            means.hash_bytes -= size
            self.how, self.before = "hash", _hash(address, size)

    def changed(self) -> bool:
        if self.how == "copy":
            return bool(ctypes.string_at(self.address, self.size) != self.before)
        if self.how == "pages":
            assert self.means.pages is not None
            written = self.means.pages.written(self.address, self.size)
            if written is None:
                raise Unchecked
            return bool((written, edges(self.address, self.size)) != self.before)
        if self.how == "hash":
            return bool(_hash(self.address, self.size) != self.before)
        raise Unchecked


def _hash(address: int, size: int) -> int:
    value = 0
    for start in range(0, size, SMALL):
        value = zlib.crc32(ctypes.string_at(address + start, min(SMALL, size - start)), value)
    return value


class ByteArray:
    def __init__(self, obj: bytearray, means: Means) -> None:
        self.obj, self.means = obj, means
        self.state = self._state()
        self.buffer = Buffer(*self.state, means)

    def _state(self) -> tuple[int, int]:
        size = bytearray.__len__(self.obj)
        if not size:
            return 0, 0
        view = (ctypes.c_char * size).from_buffer(self.obj)
        return ctypes.addressof(view), size

    def children(self) -> Iterable[object]:
        return ()

    def difference(self, look: Look) -> str | None:
        now = self._state()
        if now[1] != self.state[1]:
            return f"{self.state[1]} -> {now[1]} bytes"
        if now[0] != self.state[0] or self.buffer.changed():
            return "values changed"
        return None


class Array:
    """A numpy array, of any subclass.

    `obj` may be taken away and given back: a reference to an array, even a weak one, makes its `resize` raise.
    """

    def __init__(self, obj: Any, means: Means) -> None:
        self.obj: Any = obj
        self.state = self._state(obj)
        self.items: list[object] = []
        shape, dtype, strides, address = self.state
        low, high = _bounds(address, shape, strides, dtype.itemsize)
        self.copy: bytes | None = None
        self.buffer: Buffer | None = None
        self.rows: list[Buffer] = []
        size = dtype.itemsize
        for length in shape:
            size *= length
        np = sys.modules["numpy"]
        if size <= SMALL and size <= means.copies:
            means.copies -= size
            self.copy = np.ndarray.tobytes(obj)
            if dtype.hasobject:  # keeps the elements alive, so that no new object takes an old one's address
                self.items = np.ndarray.flatten(obj).tolist() if dtype.kind == "O" else []
        elif high > low:
            self.buffer = Buffer(low, high - low, means)
            self.rows = self._row_buffers(means)
        self.size = size

    def _row_buffers(self, means: Means) -> list[Buffer]:
        """One for each column of a frame's block, where each has pages of its own."""
        shape, dtype, strides, address = self.state
        assert self.buffer is not None
        if self.buffer.how != "pages" or len(shape) != 2 or not 1 < shape[0] <= ROWS or strides[1] != dtype.itemsize:
            return []
        width = shape[1] * dtype.itemsize
        if width < ROW or strides[0] < width:
            return []
        rows = [Buffer(address + i * strides[0], width, means) for i in range(shape[0])]
        return rows if all(row.how in ("pages", "copy") for row in rows) else []

    @staticmethod
    def _state(obj: Any) -> tuple[tuple[int, ...], Any, tuple[int, ...], int]:
        ndarray = sys.modules["numpy"].ndarray
        interface = ndarray.__dict__["__array_interface__"].__get__(obj)
        return (
            ndarray.__dict__["shape"].__get__(obj),
            ndarray.__dict__["dtype"].__get__(obj),
            ndarray.__dict__["strides"].__get__(obj),
            interface["data"][0],
        )

    def children(self) -> Iterable[object]:
        return self.items

    def difference(self, look: Look) -> str | None:
        obj = self.obj
        if obj is None:
            return None
        now = self._state(obj)
        if now[0] != self.state[0]:
            return f"shape {self.state[0]} -> {now[0]}"
        if now[1] != self.state[1]:
            return f"dtype {self.state[1]} -> {now[1]}"
        if now != self.state:
            return "values changed"
        if self.copy is not None:
            return "values changed" if sys.modules["numpy"].ndarray.tobytes(obj) != self.copy else None
        if self.buffer is not None and self.buffer.changed():
            return "values changed"
        return None

    def rows_changed(self) -> list[int] | None:
        """Which entries along the first axis differ; None if that was not remembered."""
        obj = self.obj
        shape = self.state[0]
        if obj is None or self._state(obj) != self.state:
            return None
        if self.rows:
            return [index for index, row in enumerate(self.rows) if row.changed()]
        if self.copy is None or not shape or not shape[0]:
            return None
        np = sys.modules["numpy"]
        before = np.frombuffer(self.copy, dtype="u1").reshape(shape[0], -1)
        after = np.frombuffer(np.ndarray.tobytes(obj), dtype="u1").reshape(shape[0], -1)
        return [int(row) for row in np.nonzero((before != after).any(axis=1))[0]]


def _bounds(address: int, shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> tuple[int, int]:
    if 0 in shape:
        return address, address
    reach = [(length - 1) * stride for length, stride in zip(shape, strides, strict=True)]
    return address + sum(min(0, r) for r in reach), address + sum(max(0, r) for r in reach) + itemsize


class Tensor:
    """A torch tensor: its version counter knows every in-place operation, the buffer those through numpy."""

    def __init__(self, obj: Any, means: Means) -> None:
        self.obj, self.means = obj, means
        self.state = self._state()
        self.buffer: Buffer | None = None
        torch = sys.modules["torch"]
        plain = obj.device.type == "cpu" and obj.layout == torch.strided and torch.Tensor.is_contiguous(obj)
        if plain and (size := torch.Tensor.numel(obj) * torch.Tensor.element_size(obj)):
            self.buffer = Buffer(torch.Tensor.data_ptr(obj), size, means)

    def _state(self) -> tuple[object, ...]:
        tensor = sys.modules["torch"].Tensor
        return (
            tuple(tensor.size(self.obj)),
            str(self.obj.dtype),
            self.obj._version,
            tensor.data_ptr(self.obj) if self.obj.layout == sys.modules["torch"].strided else 0,
        )

    def children(self) -> Iterable[object]:
        return (self.obj.grad,) if self.obj.is_leaf else ()

    def difference(self, look: Look) -> str | None:
        now = self._state()
        if now[0] != self.state[0]:
            return f"shape {self.state[0]} -> {now[0]}"
        if now != self.state or (self.buffer is not None and self.buffer.changed()):
            return "values changed"
        return None


# --- containers -----------------------------------------------------------------------------------


def label(value: object) -> str:
    """A key, a column or an attribute for the eye; never the user's own `__repr__`."""
    if type(value) is str:
        return value if len(value) <= 40 else value[:39] + "…"
    if type(value) in ATOMS:
        return repr(value)[:40]
    if type(value) is tuple:
        return "(" + ", ".join(label(item) for item in value[:4]) + ")"
    if class_module(type(value)).partition(".")[0] in ("pandas", "numpy", "datetime"):
        return str(value)[:40]
    return f"<{type(value).__name__}>"


def names(values: Iterable[object], limit: int = 5) -> str:
    shown = [label(value) for value in values]
    return ", ".join(shown[:limit]) + (f" and {len(shown) - limit} more" if len(shown) > limit else "")


def _count(before: int, after: int, noun: str = "items") -> str:
    return f"{before} -> {after} {noun}"


def _same(before: object, after: object) -> bool:
    """Identity; equality only between built-in atoms, whose `==` is nobody's own."""
    if before is after:
        return True
    if type(before) is not type(after) or type(before) not in ATOMS:
        return False
    # A NaN is equal to no NaN, but a list of NaNs that was rebuilt has not changed.
    return bool(before == after or (before != before and after != after))


class Sequence:
    """A list or deque, of any subclass."""

    def __init__(self, obj: Any, means: Means) -> None:
        self.obj = obj
        self.base: Any = list if issubclass(type(obj), list) else collections.deque
        self.length = self.base.__len__(obj)
        self.items: list[object] | None = None
        self.pointers: Buffer | None = None
        if self.length <= ITEMS:
            self.items = list(self.base.__iter__(obj))
        elif self.base is list:
            # Copying would touch, and so copy, every element's reference count; the array of pointers is
            # enough. PyListObject: two words of header, the size, then the pointer to that array.
            self.address = self._pointer_array()
            self.pointers = Buffer(self.address, 8 * self.length, means)

    def _pointer_array(self) -> int:
        return int(ctypes.c_void_p.from_address(id(self.obj) + 24).value or 0)

    def children(self) -> Iterable[object]:
        return self.items or ()

    def difference(self, look: Look) -> str | None:
        length = self.base.__len__(self.obj)
        if length != self.length:
            return _count(self.length, length)
        if self.items is not None:
            changed = sum(not _same(a, b) for a, b in zip(self.items, self.base.__iter__(self.obj), strict=True))
            return f"{changed} of {length} items changed" if changed else None
        if self.pointers is None:
            raise Unchecked
        if self._pointer_array() != self.address or self.pointers.changed():
            return "items changed"
        return None


class Mapping:
    """A dict, of any subclass; its order counts, as it does to whoever prints it."""

    def __init__(self, obj: Any, means: Means) -> None:
        self.obj = obj
        self.length = dict.__len__(obj)
        self.items = list(dict.items(obj)) if self.length <= ITEMS else None

    def children(self) -> Iterable[object]:
        return [value for _, value in self.items or ()]

    def difference(self, look: Look) -> str | None:
        length = dict.__len__(self.obj)
        if self.items is None:
            if length == self.length:
                raise Unchecked
            return _count(self.length, length)
        now = list(dict.items(self.obj))
        if len(now) == len(self.items) and all(
            _same(ka, kb) and _same(va, vb) for (ka, va), (kb, vb) in zip(self.items, now, strict=True)
        ):
            return None
        before = {_key(key): (key, value) for key, value in self.items}
        after = {_key(key): (key, value) for key, value in now}
        return _changes(before, after, "key") or "order of keys"


class Set:
    def __init__(self, obj: Any, means: Means) -> None:
        self.obj = obj
        self.length = set.__len__(obj)
        self.items = {_key(item): item for item in set.__iter__(obj)} if self.length <= ITEMS else None

    def children(self) -> Iterable[object]:
        return self.items.values() if self.items else ()

    def difference(self, look: Look) -> str | None:
        length = set.__len__(self.obj)
        if length != self.length:
            return _count(self.length, length)
        if self.items is None:
            raise Unchecked
        if {_key(item) for item in set.__iter__(self.obj)} != self.items.keys():
            return "items changed"
        return None


def _key(value: object) -> object:
    """Something with a built-in hash and `==` that stands for a key."""
    if type(value) in ATOMS:
        return type(value), value
    if type(value) is tuple:
        return tuple, tuple(_key(item) for item in value)
    if class_module(type(value)).partition(".")[0] in ("pandas", "numpy", "datetime"):
        return type(value), str(value)
    return "identity", id(value)


def _changes(before: dict[Any, tuple[object, object]], after: dict[Any, tuple[object, object]], noun: str) -> str:
    added = [after[key][0] for key in after if key not in before]
    removed = [before[key][0] for key in before if key not in after]
    changed = [before[key][0] for key in before if key in after and not _same(before[key][1], after[key][1])]
    return counted(added, removed, changed, noun)


def counted(added: list[Any], removed: list[Any], changed: list[Any], noun: str) -> str:
    parts = []
    for sign, group in (("+", added), ("-", removed)):
        if group:
            parts.append(f"{sign}{len(group)} {noun}{'s' if len(group) > 1 else ''}: {names(group)}")
    if changed:
        parts.append(f"changed: {names(changed)}")
    return "; ".join(parts)


# --- instances ------------------------------------------------------------------------------------


class Instance:
    """Any other object: what its `__dict__` and its slots hold. For a class of the user's: its attributes."""

    def __init__(self, obj: object, means: Means) -> None:
        self.obj = obj
        self.before = attributes(obj)

    def children(self) -> Iterable[object]:
        return self.before.values()

    def difference(self, look: Look) -> str | None:
        now = attributes(self.obj)
        if len(now) == len(self.before) and all(
            name in now and now[name] is value for name, value in self.before.items()
        ):
            return None
        before: dict[Any, tuple[Any, Any]] = {name: (name, value) for name, value in self.before.items()}
        after: dict[Any, tuple[Any, Any]] = {name: (name, value) for name, value in now.items()}
        return _changes(before, after, "attribute") or None


def attributes(obj: object) -> dict[str, object]:
    cls = type(obj)
    found: dict[str, object] = {}
    if issubclass(cls, type):
        return {
            name: value
            for name, value in type.__dict__["__dict__"].__get__(obj).items()
            if name not in ("__dict__", "__weakref__", "__doc__", "__annotations__", "__abstractmethods__")
            and not name.startswith("_abc_")
        }
    for base in type.__dict__["__mro__"].__get__(cls):
        for name, member in type.__dict__["__dict__"].__get__(base).items():
            if type(member) is types.MemberDescriptorType:
                try:
                    found[name] = member.__get__(obj)
                except AttributeError:  # a slot that was never filled
                    continue
            elif name == "__dict__" and type(member) is types.GetSetDescriptorType:
                found.update(member.__get__(obj))
    return found


class Generator:
    """A generator or coroutine: where it stands, and its local variables."""

    def __init__(self, obj: Any, means: Means) -> None:
        self.obj = obj
        self.state = self._state()

    def _state(self) -> tuple[int, list[object]]:
        frame = self.obj.gi_frame
        return (-2, []) if frame is None else (frame.f_lasti, list(frame.f_locals.values()))

    def children(self) -> Iterable[object]:
        return self.state[1]

    def difference(self, look: Look) -> str | None:
        position, values = self._state()
        same = position == self.state[0] and len(values) == len(self.state[1])
        if same and all(_same(a, b) for a, b in zip(self.state[1], values, strict=True)):
            return None
        return "advanced"


class Iterator:
    """A built-in iterator: how much is left."""

    def __init__(self, obj: Any, means: Means) -> None:
        self.obj = obj
        self.left = obj.__length_hint__()

    def children(self) -> Iterable[object]:
        return ()

    def difference(self, look: Look) -> str | None:
        left = self.obj.__length_hint__()
        return None if left == self.left else f"advanced: {self.left} -> {left} items left"


_EMPTY: tuple[Any, ...] = (
    iter([]),
    iter(()),
    iter({}),
    iter({}.values()),
    iter({}.items()),
    iter(set()),
    iter(range(0)),
    reversed([]),
)
_ITERATORS = frozenset(type(iterator) for iterator in _EMPTY)


class RandomState:
    """A `random.Random`, or a generator of numpy's."""

    def __init__(self, obj: Any, means: Means) -> None:
        self.obj = obj
        self.state = self._state()

    def _state(self) -> object:
        if issubclass(type(self.obj), random.Random):
            return random.Random.getstate(self.obj)
        np = sys.modules["numpy"]
        bits = self.obj._bit_generator if type(self.obj) is np.random.RandomState else self.obj.bit_generator
        return _plain(bits.state)

    def children(self) -> Iterable[object]:
        return ()

    def difference(self, look: Look) -> str | None:
        return None if self._state() == self.state else "random state advanced"


def _plain(state: Any) -> object:
    if type(state) is dict:
        return {key: _plain(value) for key, value in state.items()}
    return state.tobytes() if hasattr(state, "tobytes") else state


# --- the choice -----------------------------------------------------------------------------------


def remember(obj: Any, means: Means) -> Node | None:
    """The node for an object, or None if it cannot change, or not by what a candidate does."""
    cls = type(obj)
    if cls in ATOMS:
        return None
    if issubclass(cls, list) or issubclass(cls, collections.deque):
        return Sequence(obj, means)
    if issubclass(cls, dict):
        return Mapping(obj, means)
    if issubclass(cls, set):
        return Set(obj, means)
    if issubclass(cls, bytearray):
        return ByteArray(obj, means)
    if cls in _ITERATORS:
        return Iterator(obj, means)
    if cls is types.GeneratorType:
        return Generator(obj, means)
    if cls is random.Random:
        return RandomState(obj, means)
    np = sys.modules.get("numpy")
    if np is not None:
        if issubclass(cls, np.ndarray):
            return Array(obj, means)
        if cls is np.random.Generator or cls is np.random.RandomState:
            return RandomState(obj, means)
    if (torch := sys.modules.get("torch")) is not None and issubclass(cls, torch.Tensor):
        return Tensor(obj, means)
    if class_module(cls).startswith("pandas") or (
        "pandas" in sys.modules and issubclass(cls, sys.modules["pandas"].core.generic.NDFrame)
    ):
        from llmos_jupyter.agent.undo.snapshot_pandas import remember_pandas

        return remember_pandas(obj, means)
    if issubclass(cls, type):
        return Instance(obj, means) if _own_class(obj) else None
    if issubclass(cls, _LEAVES) or issubclass(cls, tuple | frozenset):
        return None
    module = class_module(cls)
    if type(module) is not str or module.partition(".")[0] in _MACHINERY:
        return None
    return Instance(obj, means)


def _own_class(obj: Any) -> bool:
    module = type.__dict__["__dict__"].__get__(obj).get("__module__")
    return type(module) is str and module == "__main__"


def parts(obj: object) -> Iterable[object]:
    """What an immutable container holds: it cannot change, but its items can."""
    if issubclass(type(obj), tuple):
        return list(tuple.__iter__(obj))  # type: ignore[arg-type]
    if issubclass(type(obj), frozenset):
        return list(frozenset.__iter__(obj))  # type: ignore[arg-type]
    return ()
