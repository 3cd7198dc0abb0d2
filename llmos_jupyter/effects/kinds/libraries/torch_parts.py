"""PyTorch: what stands beside tensors. Modules, optimizers and data sets are plain attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from llmos_jupyter.effects.kind import CHOOSERS, Kind, register
from llmos_jupyter.effects.kinds.libraries.torch_tensors import DTYPES
from llmos_jupyter.effects.kinds.values.instances import InstanceKind
from llmos_jupyter.effects.objects.layout import is_users, solid
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


class NamedKind(Kind):
    """A dtype, layout or memory format: torch's attribute of that name."""

    name = "torch name"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [str(obj).removeprefix("torch.")]

    def blank(self, content: list[Any], build: Builder) -> Any:
        found = vars(torch).get(checked(content_of(content, 1)[0], str))
        if type(found) not in _NAMED:
            raise Malformed("a name that torch does not have")
        return found


_NAMED = (torch.dtype, torch.layout, torch.memory_format)
register(NamedKind(), *_NAMED)


class DeviceKind(Kind):
    name = "torch device"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [obj.type, obj.index]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, index = content_of(content, 2)
        try:
            return torch.device(checked(name, str)) if index is None else torch.device(name, checked(index, int))
        except RuntimeError:
            raise Malformed("a device that is none") from None


register(DeviceKind(), torch.device)


class SizeKind(Kind):
    """The shape of a tensor."""

    name = "torch size"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [list(obj)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return torch.Size(checked_ints(content_of(content, 1)[0], least=-(1 << 62)))


register(SizeKind(), torch.Size)


class GeneratorKind(Kind):
    """A random generator, by its state."""

    name = "torch generator"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if obj.device.type != "cpu":
            raise CannotComeHome(f"it is a random generator on the device {obj.device}")
        return [state_of(obj)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return torch.Generator()

    def decode(self, content: list[Any], build: Builder) -> Any:
        return read_state(content_of(content, 1)[0])

    def state(self, obj: Any, new: Any) -> Any:
        return state_of(obj)

    def put(self, obj: Any, state: Any) -> None:
        put_state(obj, state)

    def children(self, obj: Any) -> list[Any]:
        return []

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [], state_of(obj)


def state_of(generator: Any) -> bytes:
    """A generator's state as bytes."""
    held: bytes = generator.get_state().numpy().tobytes()
    return held


def read_state(content: Any) -> bytes:
    """A state that a generator takes. Raises Malformed."""
    state: bytes = checked(content, bytes)
    try:
        put_state(torch.Generator(), state)
    except (RuntimeError, TypeError, ValueError):
        raise Malformed("a random state that is none") from None
    return state


def put_state(generator: Any, state: bytes) -> None:
    """Put a generator into a state."""
    if not state:
        raise ValueError("no state")
    generator.set_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))


register(GeneratorKind(), torch.Generator)


class OptimizerKind(InstanceKind):
    """An optimizer: attributes; a new one is entered with its class, as its `__setstate__` does."""

    name = "optimizer"

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        super().fill(obj, content, build)
        if not is_users(type(obj)):
            torch.optim.Optimizer._patch_step_function(obj)


OPTIMIZER = register(OptimizerKind())


def _choose(cls: type) -> Kind | None:
    return OPTIMIZER if issubclass(cls, torch.optim.Optimizer) and solid(cls) is object else None


CHOOSERS.append(_choose)


# --- what belongs to the process -----------------------------------------------------------------


def settings() -> dict[str, Any]:
    """torch's settings, as plain values."""
    return {
        "default dtype": str(torch.get_default_dtype()).removeprefix("torch."),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def read_settings(content: Any) -> dict[str, Any]:
    """Settings that torch takes. Raises Malformed."""
    now = settings()
    for name, value in checked(content, dict).items():
        if name not in now or type(value) is not type(now[name]):
            raise Malformed("a setting that torch does not have")
    said = content.get("default dtype", "float32")
    if said not in DTYPES or not DTYPES[said].is_floating_point:
        raise Malformed("a setting that torch does not have")
    held: dict[str, Any] = content
    return held


def put_settings(wanted: dict[str, Any]) -> None:
    """Make torch's settings these."""
    now = settings()
    changed = {name: value for name, value in wanted.items() if value != now[name]}
    if "default dtype" in changed:
        torch.set_default_dtype(DTYPES[changed["default dtype"]])
    if "gradients" in changed:
        torch.set_grad_enabled(changed["gradients"])
    if "deterministic" in changed:
        torch.use_deterministic_algorithms(changed["deterministic"])
