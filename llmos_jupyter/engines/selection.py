"""The best model for this machine: the largest that fits its free memory and is fast enough to use."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace

from llmos_jupyter.engines import catalogue, devices, download
from llmos_jupyter.engines.catalogue import Model
from llmos_jupyter.engines.gguf import memory_bytes
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import ModelInfo
from llmos_jupyter.system import hardware
from llmos_jupyter.system.device_names import Device, split
from llmos_jupyter.units import size

# Tokens of context the engine holds, all slots together: two requests of 8192 tokens.
CONTEXT_TOKENS = 16_384

# Of the memory that is free, an automatic choice takes at most this share: the rest is the notebook's, and
# grows with the machine as the data of its users do. With it 1.5B (2.0 GB) is chosen from 3.2 GB free on,
# which an 8 GB laptop has beside a desktop and a browser, and 0.5B (1.1 GB) below.
NOTEBOOK_SHARE = 5 / 8
# Where not even the smallest leaves that much, it may take more, so that 2 GB (Binder) can be used at all.
LAST_RESORT_SHARE = 4 / 5

# Decoding reads the weights that take part once a token, so its speed is memory bandwidth over their size. Measured on
# two cores: Qwen2.5-Coder 1.5B Q4_K_M (0.98 GB) 15.5 tokens/s, 0.5B (0.39 GB) 30 to 45: 6 to 8.8 GB/s a core. It
# grows with cores until the memory bus is full: about 50 GB/s with two channels of DDR4-3200.
BYTES_PER_SECOND_A_CORE = 8e9
BYTES_PER_SECOND_BUS = 50e9
# On GPUs, the lowest that was published for 4-bit models under llama.cpp: a T4 with a 4B (53 tokens/s) 145 GB/s, an L4
# with a 7B (48) 224, an RTX 5060 Ti with a 7B (87) 407; a Mac mini M4 with a 9B (16) 90.
BYTES_PER_SECOND_GPU, BYTES_PER_SECOND_METAL = 145e9, 60e9
# Of a GPU's free memory, an automatic choice may take so much.
GPU_SHARE = 0.9
# Of a server elsewhere nothing is known before it has written. Assumed: what cards of 24 GB write with 7B to 14B.
ELSEWHERE_TOKENS_PER_SECOND = 50.0
# Below this a person reads faster than the answer appears.
USABLE_TOKENS_PER_SECOND = 6.0


@dataclass(frozen=True)
class Machine:
    """Memory in bytes and physical cores, as far as this process may use them; the GPU that llama.cpp computes on
    unless told otherwise; and the tokens that models were seen to write in a second here, by their names."""

    ram_total: int
    ram_available: int
    cores: int
    gpu: devices.Gpu | None = None
    measured: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def here(cls, measured: Mapping[str, float] | None = None) -> Machine:
        """This machine, or the container's share of it (Binder, Kubernetes, Slurm)."""
        memory = hardware.memory()
        cores = hardware.processors().physical
        return cls(memory.total, memory.available, cores, devices.automatic(), measured or {})

    def memory_free(self, model: Model) -> tuple[int, str]:
        """Bytes for a model where it would be computed, and what to call them."""
        if self.gpu and model.device in ("", str(self.gpu.device)):
            free = self.gpu.memory_free
            # Apple's GPU takes its memory out of the machine's.
            return (min(free, self.ram_available) if self.gpu.device.kind == "metal" else free), f"on {self.gpu.name}"
        return self.ram_available, "of free memory"


@dataclass(frozen=True)
class Choice:
    """The chosen model, and one sentence that says why."""

    model: Model
    why: str


def resolve(name: str) -> Model:
    """The model of a name, as `catalogue.resolve` reads it; `auto` is the best for this machine.

    Raises `LLMOSError` when there is none, or none that fits for `auto`.
    """
    base, device = split(name.strip())
    if base.lower() == "auto":
        return automatic(Machine.here(), device).model
    return catalogue.resolve(name)


def decode_speed(model: Model, machine: Machine) -> float:
    """Decoding speed, tokens per second: as it was measured here, else by the bandwidth that other models reached here
    on the same device, else predicted (see the figures above)."""
    if model.url:
        return ELSEWHERE_TOKENS_PER_SECOND
    if speed := machine.measured.get(model.name):
        return speed
    return _bandwidth(model, machine) / max(model.active_bytes or model.size_bytes, 1)


def _bandwidth(model: Model, machine: Machine) -> float:
    """Bytes of weights that are read in a second where this model would be computed."""
    seen = [
        speed * (other.active_bytes or other.size_bytes)
        for other in catalogue.models()
        if (speed := machine.measured.get(f"{other.name}@{model.device}" if model.device else other.name))
    ]
    if seen:
        return max(seen)
    gpu = machine.gpu
    if gpu and model.device in ("", str(gpu.device)):
        return BYTES_PER_SECOND_METAL if gpu.device.kind == "metal" else BYTES_PER_SECOND_GPU
    return min(machine.cores * BYTES_PER_SECOND_A_CORE, BYTES_PER_SECOND_BUS)


def fits(
    model: Model, machine: Machine, *, context_tokens: int = CONTEXT_TOKENS, share: float = 1.0
) -> tuple[bool, str]:
    """Whether a model fits into `share` of the free memory, and a clause that says why.

    The whole of it by default: what a user names explicitly is refused only if it cannot be loaded.
    """
    need = memory_bytes(model, context_tokens)
    available, where = machine.memory_free(model)
    free, on_gpu = size(available), where.startswith("on ")
    if need > available:
        return False, f"needs {size(need)} of memory and {free} are free" + (f" {where}" if on_gpu else "")
    # What a GPU has beside the model is of less use to a notebook than the machine's memory.
    if need > available * (max(share, GPU_SHARE) if on_gpu else share):
        return (
            False,
            f"needs {size(need)} of the {free} {where}, which leaves too little for notebooks",
        )
    return True, f"needs {size(need)} of the {free} {where}"


def choose(
    machine: Machine,
    models: Iterable[Model],
    *,
    context_tokens: int = CONTEXT_TOKENS,
    downloaded: Container[str] = (),
    only_downloaded: bool = False,
) -> Choice:
    """What `auto` means: the largest model that fits, leaves room for the notebook and is fast enough.

    `only_downloaded` (no network) leaves only the models whose names are in `downloaded`. Raises
    `LLMOSError` when there is none.
    """
    candidates = sorted(
        (
            model
            for model in models
            if model.automatic
            and (machine.gpu is not None or not model.needs_gpu)
            and (not only_downloaded or model.name in downloaded)
        ),
        key=lambda model: model.size_bytes,
    )
    if not candidates:
        raise _nothing_here()
    smallest = candidates[0]
    fitting = [
        model for model in candidates if fits(model, machine, context_tokens=context_tokens, share=NOTEBOOK_SHARE)[0]
    ]
    if not fitting:
        return _last_resort(smallest, machine, context_tokens)
    fast = [model for model in fitting if decode_speed(model, machine) >= USABLE_TOKENS_PER_SECOND]
    best = fast[-1] if fast else fitting[0]
    why = f"{best.name} {fits(best, machine, context_tokens=context_tokens)[1]} and {_writes(best, machine)}"
    following = candidates[candidates.index(best) + 1 :]
    if following:
        larger = following[0]
        if larger in fitting:
            speed = decode_speed(larger, machine)
            why += f"; the next larger, {larger.name}, would write only about {speed:.1f}"
        else:
            reason = fits(larger, machine, context_tokens=context_tokens, share=NOTEBOOK_SHARE)[1]
            why += f"; the next larger, {larger.name}, {reason}"
    return Choice(best, why + ".")


def automatic(
    machine: Machine, device: Device | None, *, downloaded: Container[str] = (), only_downloaded: bool = False
) -> Choice:
    """What `auto` means on a device; None: where llama.cpp computes unless told otherwise. Raises LLMOSError, with the
    remedy, where there is none, or the machine has no such device."""
    if device:
        machine = replace(machine, gpu=devices.for_llama(device, "What `auto` means"))
    models = [
        catalogue.on_device(model, device)
        for model in catalogue.models()
        if not only_downloaded or model.name in downloaded
    ]
    if not models:
        raise _nothing_here()
    return choose(machine, models)


def _nothing_here() -> LLMOSError:
    return LLMOSError(
        "No model is on this machine yet: run `llmos models pull auto` when the network is there, or give"
        " the path of a .gguf file."
    )


def _last_resort(smallest: Model, machine: Machine, context_tokens: int) -> Choice:
    possible, clause = fits(smallest, machine, context_tokens=context_tokens, share=LAST_RESORT_SHARE)
    if not possible:
        raise LLMOSError(
            f"No model fits this machine now: the smallest, {smallest.name}, {clause}; close other programs"
            " or notebooks and try again."
        )
    return Choice(smallest, f"{smallest.name} {clause}: the smallest, as memory is scarce.")


def instead(free: int) -> str:
    """What to do when a model does not fit: the largest of the catalogue that would, in so many bytes."""
    fitting = [model for model in catalogue.models() if model.why == "" and memory_bytes(model, CONTEXT_TOKENS) <= free]
    if not fitting:
        return "close something and try again."
    best = max(fitting, key=lambda model: model.size_bytes)
    return f"close something, or use the largest that fits, `%llmos use {best.name}`."


def _writes(model: Model, machine: Machine) -> str:
    speed = f"{decode_speed(model, machine):.0f} tokens/s"
    if model.name in machine.measured:
        return f"wrote {speed} when it was measured here"
    where = machine.gpu.name if machine.gpu else _cores(machine)
    return f"should write about {speed} on {where}"


def _cores(machine: Machine) -> str:
    return "1 core" if machine.cores == 1 else f"{machine.cores} cores"


def model_infos(machine: Machine) -> list[ModelInfo]:
    """The models a user may choose, for `llmos models list`: the catalogue, then others pulled earlier."""
    try:
        automatic = choose(machine, catalogue.models())
    except LLMOSError:
        automatic = None  # nothing fits: each line says so
    infos = []
    for model in (*catalogue.models(), *catalogue.pulled()):
        possible, why = fits(model, machine)
        if automatic and model.name == automatic.model.name:
            why = automatic.why
        elif possible and decode_speed(model, machine) < USABLE_TOKENS_PER_SECOND:
            why += f"; slow here, about {decode_speed(model, machine):.1f} tokens/s"
        if model.why:
            why += f"; {model.why}"
        infos.append(
            ModelInfo(
                name=model.name,
                title=model.title,
                size_bytes=model.size_bytes,
                memory_bytes=memory_bytes(model, CONTEXT_TOKENS),
                context=model.context,
                licence=model.licence,
                downloaded=download.downloaded(model) is not None,
                fits=possible,
                automatic=automatic is not None and model.name == automatic.model.name,
                why=why,
            )
        )
    return infos
