"""How each kind of object is kept before a run, and put back in place after it.

Nothing is copied deeply: every object that can change is remembered on its own (what it refers to, or the bytes
it holds), so shared references, cycles and views come back by themselves, and every identity stays. As in
`snapshot_kinds`, no code of the user's is called: no `__eq__`, `__setattr__`, property or overridden method.
"""

from __future__ import annotations

import array
import collections
import contextlib
import io
import random
import sys
import types
import warnings
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from llmos_jupyter.agent.undo.snapshot_kinds import attributes, names
from llmos_jupyter.effects.objects.layout import set_attributes

_CHUNK = 16 << 20  # bytes compared or hashed at a time
_POINTER = 8  # bytes: what one remembered reference costs
_MISSING: Any = object()

Fingerprint = object


class Memento:
    """One object as it was. `after` is what the run left, so that a later change by the user is seen.

    `ran_changed` is the answer of `changed` right after the run. `bytes` is the memory the memento holds beyond what it
    refers to.
    """

    def __init__(self, obj: Any) -> None:
        self.obj: Any = obj
        self.bytes = 0
        self.after: Any = None
        self.ran_changed: bool | None = None

    def children(self) -> Iterable[object]:
        """The objects it referred to."""
        return ()

    def changed(self) -> bool:
        """Whether the object differs from what it was."""
        raise NotImplementedError

    def fingerprint(self) -> Fingerprint:
        """Something small that differs when the object does."""
        raise NotImplementedError

    def restore(self) -> None:
        """Put the object back, in place."""
        raise NotImplementedError

    def merge(self) -> list[str] | None:
        """After the user changed it too: undo only the run's share. What had to be left; None if nothing can be told
        apart, and all was left."""
        return None

    def detail(self) -> str:
        """Which part of it the run changed, in a few words; asked before `restore`."""
        return ""


class Framed(Memento):
    """A frame, whose data lie in arrays with mementos of their own. `shallow` is a second owner of these arrays."""

    shallow: Any = None

    def arrays(self) -> list[Any]:
        raise NotImplementedError

    def hold(self) -> bool:
        """Whether pandas itself will copy what is written, so that nothing has to be copied now."""
        raise NotImplementedError

    def rearranged(self) -> bool:
        """Whether it holds other arrays, columns or labels than it did, apart from what was written into them."""
        raise NotImplementedError

    def written_since(self) -> bool:
        """Whether a column that the run changed was written into again after it."""
        raise NotImplementedError

    def settle(self) -> None:
        """Note how the run left it, beyond the fingerprint."""
        raise NotImplementedError


def _identities(values: Iterable[object]) -> tuple[int, int]:
    ids = tuple(map(id, values))
    return len(ids), hash(ids)


def same_objects(before: Iterable[object], now: Iterable[object]) -> bool:
    return _identities(before) == _identities(now)


# --- attributes -----------------------------------------------------------------------------------


class Attributes(Memento):
    """What the `__dict__`, the slots and the class of an object hold. For a class of the user's: its attributes."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj)
        self.cls: type = type(obj)
        self.before = attributes(obj)
        self.bytes = 2 * _POINTER * len(self.before)

    def children(self) -> Iterable[object]:
        return list(self.before.values())

    def _now(self) -> dict[str, object]:
        return attributes(self.obj)

    def changed(self) -> bool:
        now = self._now()
        return type(self.obj) is not self.cls or [*map(_pair, now.items())] != [*map(_pair, self.before.items())]

    def fingerprint(self) -> Fingerprint:
        return type(self.obj), {name: id(value) for name, value in self._now().items()}

    def restore(self) -> None:
        if type(self.obj) is not self.cls:
            object.__setattr__(self.obj, "__class__", self.cls)
        _set_attributes(self.obj, self.before)

    def merge(self) -> list[str] | None:
        cls, after = self.after
        if type(self.obj) is not cls or cls is not self.cls:
            return None
        wanted, left = merged(self.before, after, self._now())
        _set_attributes(self.obj, wanted)
        return [f"attribute {names([name])}" for name in left]

    def detail(self) -> str:
        keys = differing(self.before, self._now())
        return ("attribute " if len(keys) == 1 else "attributes ") + names(keys) if keys else ""


def _pair(item: tuple[object, object]) -> tuple[object, int]:
    return item[0], id(item[1])


def differing(before: dict[Any, object], now: dict[Any, object]) -> list[Any]:
    """Keys that came, went, or hold another object."""
    return [key for key in {**before, **now} if before.get(key, _MISSING) is not now.get(key, _MISSING)]


def merged(before: dict[Any, Any], after: dict[Any, int], now: dict[Any, Any]) -> tuple[dict[Any, Any], list[Any]]:
    """`now` without the run's share in it, and the keys that the user changed again, which stay."""
    wanted, left = dict(now), []
    for key in {**before, **dict.fromkeys(after)}:
        old, run = before.get(key, _MISSING), after.get(key, 0)
        if (0 if old is _MISSING else id(old)) == run:
            continue
        if (id(now[key]) if key in now else 0) != run:
            left.append(key)
        elif old is _MISSING:
            del wanted[key]
        else:
            wanted[key] = old
    return wanted, left


def _set_attributes(obj: Any, wanted: dict[str, object]) -> None:
    cls = type(obj)
    if issubclass(cls, type):
        now = attributes(obj)
        for name in differing(wanted, now):
            if name in wanted:
                type.__setattr__(obj, name, wanted[name])
            else:
                type.__delattr__(obj, name)
        return
    set_attributes(obj, wanted)


def put_dict(target: dict[Any, Any], wanted: dict[Any, Any]) -> None:
    """Make `target` hold exactly `wanted`, in its order, touching as little as possible."""
    base: Any = collections.OrderedDict if issubclass(type(target), collections.OrderedDict) else dict
    if [*map(_pair, base.items(target))] == [*map(_pair, wanted.items())]:
        return
    if list(map(id, base.keys(target))) == list(map(id, wanted)):
        for key, value in wanted.items():
            base.__setitem__(target, key, value)
        return
    base.clear(target)
    for key, value in wanted.items():
        base.__setitem__(target, key, value)


class Function(Memento):
    """A function of the user's: its attributes, its defaults, and what it encloses."""

    def __init__(self, obj: types.FunctionType) -> None:
        super().__init__(obj)
        self.before = self._state()

    def _state(self) -> tuple[dict[str, Any], Any, Any, list[Any], types.CodeType]:
        cells = [_contents(cell) for cell in self.obj.__closure__ or ()]
        return dict(self.obj.__dict__), self.obj.__defaults__, self.obj.__kwdefaults__, cells, self.obj.__code__

    def children(self) -> Iterable[object]:
        held, defaults, keywords, cells, _ = self.before
        return [held, defaults, keywords, *held.values(), *(cell for cell in cells if cell is not _MISSING)]

    def fingerprint(self) -> Fingerprint:
        held, defaults, keywords, cells, code = self._state()
        return [*map(_pair, held.items())], id(defaults), id(keywords), [*map(id, cells)], id(code)

    def changed(self) -> bool:
        held, defaults, keywords, cells, code = self.before
        before = [*map(_pair, held.items())], id(defaults), id(keywords), [*map(id, cells)], id(code)
        return before != self.fingerprint()

    def restore(self) -> None:
        held, self.obj.__defaults__, self.obj.__kwdefaults__, cells, self.obj.__code__ = self.before
        put_dict(self.obj.__dict__, held)
        for cell, value in zip(self.obj.__closure__ or (), cells, strict=True):
            if value is _MISSING:
                if _contents(cell) is not _MISSING:
                    del cell.cell_contents
            else:
                cell.cell_contents = value


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return _MISSING


# --- containers -----------------------------------------------------------------------------------


class Container(Memento):
    """A list, deque, dict or set, of any subclass; with a subclass's attributes beside its items."""

    exact: frozenset[type] = frozenset()

    def __init__(self, obj: Any) -> None:
        super().__init__(obj)
        self.items: Any = self._items()
        self.beside: Attributes | None = None if type(obj) in self.exact else Attributes(obj)
        self.bytes = _POINTER * len(self.items) + (self.beside.bytes if self.beside else 0)

    def _items(self) -> Any:
        raise NotImplementedError

    def _same(self) -> bool:
        return same_objects(self.items, self._items())

    def _print(self) -> Fingerprint:
        return _identities(self._items())

    def _put(self, items: Any) -> None:
        raise NotImplementedError

    def children(self) -> Iterable[object]:
        return [*self.items, *(self.beside.children() if self.beside else ())]

    def changed(self) -> bool:
        return not self._same() or (self.beside is not None and self.beside.changed())

    def fingerprint(self) -> Fingerprint:
        return self._print(), self.beside.fingerprint() if self.beside else None

    def restore(self) -> None:
        self._put(self.items)
        if self.beside:
            self.beside.restore()


class Sequence(Container):
    exact = frozenset({list})

    def __init__(self, obj: Any) -> None:
        self.base: Any = list if issubclass(type(obj), list) else collections.deque
        super().__init__(obj)
        if type(obj) is collections.deque:
            self.beside = None

    def _items(self) -> list[object]:
        return list(self.base.__iter__(self.obj))

    def _put(self, items: Any) -> None:
        if self.base is list:
            list.__setitem__(self.obj, slice(None), items)
        else:
            collections.deque.clear(self.obj)
            collections.deque.extend(self.obj, items)


class Mapping(Container):
    exact = frozenset({dict, collections.Counter})

    def _items(self) -> dict[Any, Any]:
        base: Any = collections.OrderedDict if issubclass(type(self.obj), collections.OrderedDict) else dict
        return dict(base.items(self.obj))

    def _same(self) -> bool:
        return [*map(_pair, self.items.items())] == [*map(_pair, self._items().items())]

    def _print(self) -> Fingerprint:
        return {key: id(value) for key, value in self._items().items()}

    def children(self) -> Iterable[object]:
        return [*self.items, *self.items.values(), *(self.beside.children() if self.beside else ())]

    def _put(self, items: Any) -> None:
        put_dict(self.obj, items)

    def merge(self) -> list[str] | None:
        after, beside = self.after
        wanted, left = merged(self.items, after, self._items())
        put_dict(self.obj, wanted)
        if self.beside:
            self.beside.after = beside
            self.beside.merge()
        return [f"key {names([key])}" for key in left]

    def detail(self) -> str:
        keys = differing(self.items, self._items())
        return ("key " if len(keys) == 1 else "keys ") + names(keys) if keys else ""


class Set(Container):
    exact = frozenset({set})

    def _items(self) -> list[object]:
        return list(set.__iter__(self.obj))

    def _same(self) -> bool:
        return set(map(id, self.items)) == set(map(id, self._items()))

    def _print(self) -> Fingerprint:
        return frozenset(map(id, self._items()))

    def _put(self, items: Any) -> None:
        set.clear(self.obj)
        set.update(self.obj, items)


# --- buffers --------------------------------------------------------------------------------------


class Data(Memento):
    """An object with a buffer that may be too large to copy; nothing is copied before `copy` is called."""

    size = 0  # bytes a copy takes
    copied = False

    def copy(self, rows: list[int] | None = None) -> None:
        """Keep the buffer; of a two-dimensional array, only those entries along the first axis."""
        raise NotImplementedError

    def release(self) -> None:
        self.copied, self.bytes = False, 0


class Array(Data):
    """A numpy array, of any subclass. `name` is the user's name for an array that nothing else was seen to hold:
    then `obj` is not kept between the run and its undoing, for a reference makes `resize` raise."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj)
        np = sys.modules["numpy"]
        self.state = _array_state(obj)
        shape, dtype, strides, self.address = self.state
        self.size = int(np.prod(shape, dtype="i8")) * dtype.itemsize
        reach = [(length - 1) * stride for length, stride in zip(shape, strides, strict=True)]
        self.low = self.address + sum(min(0, r) for r in reach)
        self.high = (self.address + sum(max(0, r) for r in reach) + dtype.itemsize) if self.size else self.low
        self.beside = Attributes(obj) if type(obj) is not np.ndarray else None
        self.rows: list[int] | None = None
        self.values: Any = None
        self.dtype_object = bool(dtype.hasobject)
        self.covered: Data | None = None

    @property
    def dense(self) -> bool:
        """Whether the array owns every byte between its first and last."""
        return not self.dtype_object and self.high - self.low == self.size

    def children(self) -> Iterable[object]:
        items: list[object] = []
        if self.state[1].kind == "O" and self.size <= _CHUNK:
            items = list(_plain(self.obj).ravel())
        return [*items, *(self.beside.children() if self.beside else ())]

    def copy(self, rows: list[int] | None = None) -> None:
        np = sys.modules["numpy"]
        view = _plain(self.obj)
        self.rows = rows if rows is not None and view.ndim >= 2 and len(rows) < len(view) else None
        self.values = np.array(view, copy=True, order="K", subok=False) if self.rows is None else view[self.rows]
        self.copied, self.bytes = True, int(self.values.nbytes)

    def release(self) -> None:
        super().release()
        self.values = None

    def _selected(self) -> list[Any]:
        view = _plain(self.obj)
        return [view] if self.rows is None else [view[row] for row in self.rows]

    def _differs(self) -> bool:
        before = [self.values] if self.rows is None else list(self.values)
        return not all(map(_equal, self._selected(), before))

    def changed(self) -> bool:
        if self.beside is not None and self.beside.changed():
            return True
        if _array_state(self.obj) != self.state:
            return True
        return self.copied and self._differs()

    def fingerprint(self) -> Fingerprint:
        said: tuple[object, ...] = _array_state(self.obj)[:3]
        if self.copied and said == self.state[:3]:
            said += (*map(_checksum, self._selected()),)
        return said, self.beside.fingerprint() if self.beside else None

    def restore(self) -> None:
        np = sys.modules["numpy"]
        shape, dtype, strides, _ = self.state
        obj = self.obj
        now = _array_state(obj)
        if now[:3] != self.state[:3]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # setting a shape or strides in place is discouraged, not replaced
                _reshape(np, obj, shape, dtype, strides)
        if self.copied:
            view = _plain(obj)
            flags = view.flags
            if not flags.writeable:
                view = _writable(view)
            if self.rows is None:
                np.copyto(view, self.values, casting="no")
            else:
                view[self.rows] = self.values
        if self.beside is not None:
            self.beside.restore()


def _array_state(obj: Any) -> tuple[tuple[int, ...], Any, tuple[int, ...], int]:
    ndarray = sys.modules["numpy"].ndarray
    interface = ndarray.__dict__["__array_interface__"].__get__(obj)
    return (
        ndarray.__dict__["shape"].__get__(obj),
        ndarray.__dict__["dtype"].__get__(obj),
        ndarray.__dict__["strides"].__get__(obj),
        interface["data"][0],
    )


def _plain(obj: Any) -> Any:
    """The same memory without the subclass."""
    ndarray = sys.modules["numpy"].ndarray
    return obj if type(obj) is ndarray else ndarray.view(obj, ndarray)


def _writable(view: Any) -> Any:
    """A writable view of a read-only array: what was written during the run can be written again."""
    np = sys.modules["numpy"]
    interface = dict(view.__array_interface__)
    interface["data"] = (interface["data"][0], False)
    if view.dtype.hasobject:
        fresh = view.view()
        fresh.flags.writeable = True  # numpy's own refusal, if its owner is read-only, is the honest answer
        return fresh
    holder = types.SimpleNamespace(__array_interface__=interface, owner=view)
    return np.asarray(holder)


def _reshape(np: Any, obj: Any, shape: tuple[int, ...], dtype: Any, strides: tuple[int, ...]) -> None:
    ndarray = np.ndarray
    now = _array_state(obj)
    items, had = int(np.prod(shape, dtype="i8")), int(np.prod(now[0], dtype="i8"))
    if items * dtype.itemsize != had * now[1].itemsize:
        ndarray.resize(obj, (items * dtype.itemsize // now[1].itemsize,), refcheck=False)
    if dtype != _array_state(obj)[1]:
        if ndarray.__dict__["ndim"].__get__(obj) != 1:
            ndarray.__dict__["shape"].__set__(obj, (-1,))
        ndarray.__dict__["dtype"].__set__(obj, dtype)
    if _array_state(obj)[0] != shape or _array_state(obj)[2] != strides:
        with contextlib.suppress(AttributeError):  # the layout may not allow it, but its old strides do
            ndarray.__dict__["shape"].__set__(obj, shape)
        if _array_state(obj)[2] != strides:
            ndarray.__dict__["strides"].__set__(obj, strides)
            ndarray.__dict__["shape"].__set__(obj, shape)


def _flat(values: Any) -> Any:
    """The bytes of an array in memory order; of objects, their addresses."""
    np = sys.modules["numpy"]
    if values.dtype.hasobject:
        return np.frombuffer(values.tobytes(), dtype="u1")
    if values.flags.f_contiguous and not values.flags.c_contiguous:
        values = values.T
    return np.ascontiguousarray(values).reshape(-1).view("u1") if values.size else np.empty(0, "u1")


def _equal(values: Any, before: Any) -> bool:
    if values.flags.f_contiguous != before.flags.f_contiguous or values.flags.c_contiguous != before.flags.c_contiguous:
        values, before = values.copy(order="C"), before.copy(order="C")
    now, old = _flat(values), _flat(before)
    np = sys.modules["numpy"]
    if len(now) == len(old) and not len(now) % 8:
        now, old = now.view("u8"), old.view("u8")
    return len(now) == len(old) and all(
        np.array_equal(now[i : i + _CHUNK], old[i : i + _CHUNK]) for i in range(0, len(now), _CHUNK)
    )


def _checksum(values: Any) -> int:
    flat, value = _flat(values), 0
    for start in range(0, len(flat), _CHUNK):
        value = zlib.crc32(flat[start : start + _CHUNK], value)
    return value


class Bytes(Data):
    """A bytearray or an `array.array`."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj)
        self.base: Any = bytearray if issubclass(type(obj), bytearray) else array.array
        self.beside = Attributes(obj) if type(obj) is not self.base else None
        self.size = self._length() * (1 if self.base is bytearray else obj.itemsize)
        self.values: Any = None

    def _length(self) -> int:
        return int(self.base.__len__(self.obj))

    def copy(self, rows: list[int] | None = None) -> None:
        self.values = self.base.__getitem__(self.obj, slice(None))
        self.copied, self.bytes = True, self.size

    def changed(self) -> bool:
        return bool(self.copied and not self.base.__eq__(self.values, self.obj)) or (
            self.beside is not None and self.beside.changed()
        )

    def fingerprint(self) -> Fingerprint:
        return self._length(), zlib.crc32(self.obj)

    def restore(self) -> None:
        if self.copied:
            self.base.__setitem__(self.obj, slice(None), self.values)
        if self.beside:
            self.beside.restore()


class Tensor(Data):
    """A torch tensor or parameter, on any device."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj)
        torch = sys.modules["torch"].Tensor
        self.size = int(torch.numel(obj) * torch.element_size(obj))
        self.before = self._state()
        self.grad = obj.grad if obj.is_leaf else None
        self.values: Any = None

    def _state(self) -> tuple[object, ...]:
        obj = self.obj
        grad = obj.grad if obj.is_leaf else None
        return tuple(obj.shape), obj.dtype, str(obj.device), obj._version, obj.requires_grad, id(grad)

    def children(self) -> Iterable[object]:
        return () if self.grad is None else (self.grad,)

    def copy(self, rows: list[int] | None = None) -> None:
        # A second owner of the storage, for `.data = other` puts a new storage beneath the tensor.
        self.storage = self.obj.detach()
        self.values = self.storage.clone()
        self.copied, self.bytes = True, self.size

    def release(self) -> None:
        super().release()
        self.values = self.storage = None

    def changed(self) -> bool:
        if self._state() != self.before:
            return True
        if not self.copied:
            return False
        # The version misses writes through numpy and `.data`.
        return self.obj.data_ptr() != self.storage.data_ptr() or not _same_tensor(self.obj.detach(), self.values)

    def fingerprint(self) -> Fingerprint:
        return self._state(), self.obj.data_ptr() if self.obj.layout == sys.modules["torch"].strided else 0

    def restore(self) -> None:
        with sys.modules["torch"].no_grad():
            if self.copied:
                self.storage.copy_(self.values)
                if self.obj.data_ptr() != self.storage.data_ptr() or self.obj.shape != self.storage.shape:
                    self.obj.data = self.storage
            if self.obj.is_leaf:
                if self.obj.requires_grad != self.before[4]:
                    self.obj.requires_grad_(self.before[4])
                self.obj.grad = self.grad


def _same_tensor(now: Any, before: Any) -> bool:
    torch = sys.modules["torch"]
    return bool(torch.equal(now, before)) or bool(torch.allclose(now, before, rtol=0, atol=0, equal_nan=True))


# --- others ---------------------------------------------------------------------------------------


class State(Memento):
    """An object whose whole state can be asked for and set."""

    def __init__(self, obj: Any, get: Callable[[], object], put: Callable[[Any], object], size: int = 0) -> None:
        super().__init__(obj)
        self.get, self.put, self.bytes = get, put, size
        self.before = get()

    def changed(self) -> bool:
        return _comparable(self.get()) != _comparable(self.before)

    def fingerprint(self) -> Fingerprint:
        return _comparable(self.get())

    def restore(self) -> None:
        self.put(self.before)


def _comparable(state: Any) -> object:
    if type(state) is dict:
        return {key: _comparable(value) for key, value in state.items()}
    return state.tobytes() if hasattr(state, "tobytes") else state


def random_state(obj: random.Random) -> Memento:
    return State(obj, lambda: random.Random.getstate(obj), lambda state: random.Random.setstate(obj, state), 25_000)


def numpy_random(obj: Any) -> Memento:
    """A numpy Generator, RandomState or bit generator."""
    np = sys.modules["numpy"]
    if isinstance(obj, np.random.RandomState):
        return State(
            obj, lambda: obj.get_state(legacy=False), lambda state: np.random.RandomState.set_state(obj, state), 2500
        )
    bits = obj.bit_generator if isinstance(obj, np.random.Generator) else obj

    def put(state: Any) -> None:
        bits.state = state

    return State(obj, lambda: _detached(bits.state), put, 2500)


def _detached(state: Any) -> Any:
    if type(state) is dict:
        return {key: _detached(value) for key, value in state.items()}
    return state.copy() if hasattr(state, "copy") else state


def memory_file(obj: Any) -> Memento:
    base: Any = io.StringIO if isinstance(obj, io.StringIO) else io.BytesIO

    def put(state: tuple[Any, int]) -> None:
        base.seek(obj, 0)
        base.truncate(obj)
        base.write(obj, state[0])
        base.seek(obj, state[1])

    return State(obj, lambda: (base.getvalue(obj), base.tell(obj)), put, len(base.getvalue(obj)))


def polars_state(obj: Any, field: str) -> Memento:
    """A polars frame or series: its columns are immutable and shared, so keeping them costs nothing."""
    before = getattr(obj, field).clone()
    held = Attributes(obj)

    class _Polars(Memento):
        def changed(self) -> bool:
            now = getattr(obj, field)
            return held.changed() or not _polars_equal(now, before)

        def fingerprint(self) -> Fingerprint:
            return id(getattr(obj, field)), repr(type(obj))

        def restore(self) -> None:
            setattr(obj, field, before)

    return _Polars(obj)


def _polars_equal(now: Any, before: Any) -> bool:
    """A PyDataFrame takes one flag, a PySeries three; a null is equal to a null."""
    flags = (True,) if type(now).__name__ == "PyDataFrame" else (True, True, True)
    return bool(now.equals(before, *flags))
