"""PyTorch: tensors on the processor, by the memory that they share. Registered once torch is imported.

A tensor of the notebook's keeps its identity: its memory is written in place, so that modules and optimizers which hold
it go on with it. What a tensor was computed from does not travel: a result that needs gradients keeps its value, and
says so when it is asked to go backward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from llmos_jupyter.effects.kind import ALL, Kind, register
from llmos_jupyter.effects.objects import arrays
from llmos_jupyter.effects.objects.layout import attributes, put_dict
from llmos_jupyter.effects.objects.memory import LENDERS, extent, lowest, memory_of, print_of
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer

_NAMES = """bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex32 complex64
complex128 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz"""
DTYPES: dict[str, Any] = {name: getattr(torch, name) for name in _NAMES.split() if hasattr(torch, name)}
_NAME_OF = {dtype: name for name, dtype in DTYPES.items()}
_CLASSES: dict[str, Any] = {"Tensor": torch.Tensor, "Parameter": torch.nn.Parameter}
_LARGEST = 1 << 48  # bytes
_dict_of: Any = torch.Tensor.__dict__["__dict__"]
_data: Any = torch._C.TensorBase.__dict__["data"]  # nobody's `__setattr__` is asked
_grad: Any = torch._C.TensorBase.__dict__["grad"]


class _LeftBehind(torch.autograd.Function):  # type: ignore[misc]
    """Stands where a tensor was computed in the sandbox."""

    @staticmethod
    def forward(ctx: Any, anchor: Any, like: Any) -> Any:
        return torch.empty_like(like)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise RuntimeError(
            "This tensor was computed in the sandbox, and what it was computed from stayed there: compute it again in "
            "the notebook, then go backward."
        )


class Memory:
    """The memory of one or more tensors, of which each process has one object for each storage."""

    def __init__(self, storage: Any, owner: Any = None) -> None:
        """`owner`: what the notebook held before the run and that has this memory: a tensor or an array."""
        self.storage, self.owner = storage, owner


def flat(storage: Any) -> Any:
    """A storage's bytes as an array that shares them."""
    size = storage.nbytes()
    return torch.empty(0, dtype=torch.uint8).set_(storage, 0, (size,), (1,)).numpy()


class MemoryKind(Kind):
    """What tensors lie in: bytes, or the memory of a tensor or an array that is somewhere else in the table."""

    name = "tensor memory"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if obj.owner is None:
            return ["bytes", pack.buffers.place(flat(obj.storage)) if obj.storage.nbytes() else b""]
        if type(obj.owner) is np.ndarray:
            start = obj.storage.data_ptr() - lowest(obj.owner)
            return ["array", pack.value(obj.owner), start, obj.storage.nbytes()]
        return ["tensor", pack.value(obj.owner)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        where, said, *rest = content_of(content, 2, 4)
        if where == "bytes":
            data = build.buffers.bytes(said)
            storage = torch.UntypedStorage(len(data))
            if len(data):
                np.copyto(flat(storage), np.frombuffer(data, "u1"))
            return Memory(storage)
        owner = build.value(said)
        if where == "tensor" and type(owner) in _CLASSES.values():
            return Memory(owner.untyped_storage(), owner)
        if where != "array" or type(owner) is not np.ndarray or owner.dtype.hasobject:
            raise Malformed("a tensor in the memory of nothing")
        start, size = checked_ints(content_of(rest, 2))
        memory = memory_of(owner)
        if start + size > len(memory):
            raise Malformed("a tensor outside its array")
        return Memory(torch.from_numpy(memory[start : start + size]).untyped_storage(), owner)


MEMORY = register(MemoryKind(), Memory)


class Held:
    """A tensor's state. `alias` has its memory and layout; `part` is what of the memory changes, if any does."""

    def __init__(self, alias: Any, part: Any, needs: bool, grad: Any, beside: dict[str, Any]) -> None:
        self.alias, self.part, self.needs, self.grad, self.beside = alias, part, needs, grad, beside


class TensorKind(Kind):
    """A tensor or a parameter."""

    name = "tensor"
    changes = True
    notes = True

    def __init__(self) -> None:
        self._before: dict[int, tuple[Any, int]] = {}  # in the copy: who had a storage before the run, and its size

    def begin(self) -> None:
        self._before.clear()

    def note(self, obj: Any) -> None:
        if _plain(obj):
            storage = obj.untyped_storage()
            self._before.setdefault(storage._cdata, (obj, storage.nbytes()))

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        name = next((name for name, cls in _CLASSES.items() if cls is type(obj)), None)
        if name is None or not _plain(obj) or obj.dtype not in _NAME_OF:
            raise CannotComeHome(f"it is a {_what(obj)}")
        if obj._backward_hooks:
            raise CannotComeHome("it is a tensor with a hook on its gradient")
        was_there = pack.is_old(obj)
        if was_there and not obj.is_leaf:
            raise CannotComeHome("it is a tensor that was computed in place from others, which cannot be told")
        memory = self._memory(obj, pack)
        part = None
        if was_there and memory.owner is not None:
            part = arrays.describe_data(flat(obj.untyped_storage()), pack, was_there=True)
        layout = [list(obj.shape), list(obj.stride()), int(obj.storage_offset())]
        needs = [bool(obj.requires_grad), bool(obj.is_leaf)]
        grad = pack.value(pack.keep(obj.grad)) if obj.is_leaf else None
        return [
            name,
            _NAME_OF[obj.dtype],
            layout,
            needs,
            pack.value(memory),
            part,
            grad,
            pack.attributes(attributes(obj)),
        ]

    def _memory(self, obj: Any, pack: Packer) -> Memory:
        storage = obj.untyped_storage()
        held: dict[int, Memory] = pack.beside.setdefault("tensor memory", {})
        if storage._cdata not in held:
            owner, size = self._before.get(storage._cdata, (None, 0))
            owner = owner if size == storage.nbytes() else None
            if owner is None and not storage.resizable():  # it may lie in an array's memory
                owner = pack.array_at(storage.data_ptr(), storage.nbytes())
            held[storage._cdata] = Memory(storage, owner)
        return held[storage._cdata]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, _, _, needs, _, _, _, _ = content_of(content, 8)
        alias = self._alias(content, build)
        needs_grad, leaf = (checked(flag, bool) for flag in content_of(needs, 2))
        if type(name) is not str or name not in _CLASSES:
            raise Malformed("a tensor of no class")
        try:
            if name == "Parameter":
                return torch.nn.Parameter(alias, requires_grad=needs_grad)
            if leaf:
                return alias.requires_grad_(needs_grad)
            with torch.enable_grad():
                made = _LeftBehind.apply(torch.zeros((), requires_grad=True), alias)
            _data.__set__(made, alias)
        except (RuntimeError, TypeError, ValueError):
            raise Malformed("a tensor that is none") from None
        return made

    def _alias(self, content: list[Any], build: Builder) -> Any:
        _, said, layout, _, memory, _, _, _ = content
        dtype = DTYPES.get(said) if type(said) is str else None
        shape, strides, offset = content_of(layout, 3)
        checked_ints(shape), checked_ints(strides), checked_ints([offset])
        memory = build.value(memory)
        if dtype is None or type(memory) is not Memory or len(shape) != len(strides) or len(shape) > 64:
            raise Malformed("a tensor that is none")
        # `set_` would make room for a tensor that is too large.
        _, high = extent(tuple(shape), tuple(strides), 1)
        if (offset + high) * dtype.itemsize > min(memory.storage.nbytes(), _LARGEST):
            raise Malformed("a tensor outside its memory")
        alias = torch.empty(0, dtype=dtype).set_(memory.storage, offset, tuple(shape), tuple(strides))
        if dtype is torch.bool and 0 not in shape and int(alias.view(torch.uint8).max()) > 1:
            raise Malformed("a truth value that is none")
        return alias

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        grad = _checked_grad(obj, build.value(content[6]))
        if grad is not None:
            _grad.__set__(obj, grad)
        put_dict(_dict_of.__get__(obj), build.attributes(content[7]), dict)

    def decode(self, content: list[Any], build: Builder) -> Any:
        _, _, _, needs, memory, part, grad, beside = content_of(content, 8)
        alias = self._alias(content, build)
        if part is not None:
            bytes_of = flat(build.value(memory).storage)
            part = arrays.decode_data(part, (bytes_of.shape, bytes_of.dtype, bytes_of.strides), build)
            if isinstance(part, arrays.Ranges) and part.bounds[-1][1] > len(bytes_of):
                raise Malformed("ranges outside their tensor")
        needs_grad, leaf = (checked(flag, bool) for flag in content_of(needs, 2))
        if not leaf:
            raise Malformed("an old tensor that was computed")
        return Held(alias, part, needs_grad, _checked_grad(alias, build.value(grad)), build.attributes(beside))

    def fits(self, obj: Any, content: list[Any], build: Builder) -> None:
        content_of(content, 8)
        if type(obj) is not _CLASSES.get(content[0] if type(content[0]) is str else ""):
            raise Malformed("a tensor of another class")
        if not obj.is_leaf or not _plain(obj) or content[1] != _NAME_OF.get(obj.dtype):
            raise CannotComeHome("a tensor that became one of another sort", "Tensor")

    def state(self, obj: Any, new: Any) -> Any:
        if new is ALL:
            return _all_of(obj)
        part = arrays.keep_data(flat(new.alias.untyped_storage()), new.part)
        if new.alias.untyped_storage()._cdata != obj.untyped_storage()._cdata:
            part = None  # the old memory stays as it is
        return Held(obj.detach(), part, bool(obj.requires_grad), obj.grad, attributes(obj))

    def size(self, state: Any) -> int:
        part = state.part
        return 0 if part is None else int(part.values.nbytes if isinstance(part, arrays.Whole) else len(part.data))

    def look(self, obj: Any, state: Any) -> tuple[list[Any], Any]:
        objects, plain = _facts(obj)
        if state.part is not None:
            plain.append(arrays.checksum(flat(state.alias.untyped_storage()), state.part))
        return objects, plain

    def put(self, obj: Any, state: Held) -> None:
        alias = state.alias
        if _layout(obj) != _layout(alias):
            _data.__set__(obj, alias)
        if state.part is not None:
            memory = flat(alias.untyped_storage())
            arrays.put(memory, (memory.shape, memory.dtype, memory.strides), state.part, True)
        if not obj.is_inference():
            torch.autograd.graph.increment_version(obj)  # whoever saved the old values is told
        if obj.requires_grad != state.needs:
            obj.requires_grad_(state.needs)
        if _grad.__get__(obj) is not state.grad:
            _grad.__set__(obj, state.grad)
        put_dict(_dict_of.__get__(obj), state.beside, dict)

    def children(self, obj: Any) -> list[Any]:
        """Not the gradient: Python makes an object of it only when it is asked for."""
        return list(attributes(obj).values())

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        if not _plain(obj):
            return [], [str(obj.layout), str(obj.device), obj._version]
        objects, plain = _facts(obj)
        return objects, [*plain, _print(obj)]


def _all_of(tensor: Any) -> Held:
    """A tensor's whole memory, and its gradient, which is added to in place."""
    if not _plain(tensor):
        raise CannotComeHome(f"it is a {_what(tensor)}")
    grad = tensor.grad if tensor.is_leaf else None
    part = arrays.Whole(flat(tensor.untyped_storage()).copy())
    kept = None if grad is None else grad.clone()
    return Held(tensor.detach(), part, bool(tensor.requires_grad), kept, attributes(tensor))


def _plain(tensor: Any) -> bool:
    """Whether a tensor is nothing but strides over memory that the processor sees."""
    usual = tensor.layout is torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
    return bool(usual and not tensor.is_nested and not tensor.is_conj() and not tensor.is_neg())


def _what(tensor: Any) -> str:
    if tensor.device.type != "cpu":
        return f"tensor on the device {tensor.device}"
    if tensor.layout is not torch.strided:
        return "sparse tensor"
    return f"{type(tensor).__name__} of an unusual sort ({tensor.dtype})"


def _layout(tensor: Any) -> list[Any]:
    return [
        tensor.untyped_storage()._cdata,
        tuple(tensor.shape),
        tuple(tensor.stride()),
        tensor.storage_offset(),
        tensor.dtype,
    ]


def _facts(tensor: Any) -> tuple[list[Any], list[Any]]:
    """What tells whether a tensor was changed, all but its memory."""
    grad = tensor.grad if tensor.is_leaf else None
    gradient = None if grad is None else [*_layout(grad), _print(grad)]
    beside, hooks = attributes(tensor), list((tensor._backward_hooks or {}).values())
    flags = [bool(tensor.requires_grad), bool(tensor.is_leaf)]
    return [*beside.values(), *hooks], [*_layout(tensor), *flags, list(beside), gradient]


def _print(tensor: Any) -> Any:
    return print_of(flat(tensor.untyped_storage())) if _plain(tensor) else tensor._version


def _checked_grad(tensor: Any, grad: Any) -> Any:
    if grad is not None and (
        type(grad) is not torch.Tensor or grad.shape != tensor.shape or grad.dtype != tensor.dtype or not _plain(grad)
    ):
        raise Malformed("a gradient that does not fit its tensor")
    return grad


TENSOR = register(TensorKind(), *_CLASSES.values(), structure=torch._C.TensorBase)

LENDERS[torch.Tensor] = lambda tensor: flat(tensor.untyped_storage())
