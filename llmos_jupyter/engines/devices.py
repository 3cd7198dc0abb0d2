"""Which device an engine computes on: which ones llama.cpp sees here, and how to get one that is missing."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmos_jupyter.engines import child
from llmos_jupyter.engines.speaking.capabilities import MLX, TRANSFORMERS
from llmos_jupyter.engines.starting.llama_cpp import library_path
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.system.device_names import Device, Kind

# The wheels of llama.cpp that PyPI does not carry, by the project itself. CUDA 12.8 is the one whose code runs on every
# card since Maxwell, by compilation at the first start where it has none of its own (its own table, October 2026).
_INDEX = "https://xorbitsai.github.io/xllamacpp/whl"
_WHEELS = {"cuda": "cu128", "rocm": "rocm-7.2.4", "vulkan": "vulkan"}
# How llama.cpp names its devices, without their number.
_BACKENDS: dict[str, Kind] = {"CUDA": "cuda", "ROCm": "rocm", "Vulkan": "vulkan", "Metal": "metal", "MTL": "metal"}
# Seconds for which what llama.cpp saw is believed: the memory that is free changes, and looking takes half a second.
_BELIEVED = 30.0


@dataclass(frozen=True)
class Gpu:
    """A GPU that llama.cpp can use, its name there (`CUDA0`) and for people; memory in bytes."""

    device: Device
    llama_name: str
    name: str
    memory_free: int
    memory_total: int


@dataclass(frozen=True)
class Seen:
    """What llama.cpp can use beside the processor. `trouble`: why it cannot be loaded at all."""

    gpus: tuple[Gpu, ...] = ()
    trouble: str = ""


def seen() -> Seen:
    """What llama.cpp sees now. Asked in a child: a wheel for CUDA may fail to load, or take the memory of a GPU."""
    return _seen(int(time.monotonic() // _BELIEVED))


def look_again() -> None:
    """The memory of GPUs has changed by our doing: what was seen is not believed any longer."""
    _seen.cache_clear()


@functools.lru_cache(maxsize=1)
def _seen(period: int) -> Seen:
    ended = child.run("llmos_jupyter.engines.starting.llama_cpp_devices", (), environment=library_path())
    try:
        answer = json.loads(ended.output)
    except ValueError:
        return Seen(trouble=" ".join(ended.errors.split())[-200:] or f"it ended with code {ended.code}")
    return Seen(tuple(_gpus(answer["gpus"])), answer["trouble"])


def _gpus(items: list[dict[str, Any]]) -> Iterator[Gpu]:
    """Each by its kind and llama.cpp's number, which counts within the kind: CUDA0, Vulkan1."""
    for item in items:
        if kind := kind_of(item["name"]):
            number = re.sub(r"\D", "", item["name"].removeprefix("MTL")) or "0"
            device = Device(kind, int(number))
            yield Gpu(device, item["name"], item["description"], item["memory_free"], item["memory_total"])


def kind_of(name: str) -> Kind | None:
    """The kind of a device of llama.cpp's, by its name there: CUDA0, Vulkan1, MTL0."""
    return _BACKENDS.get(name.rstrip("0123456789"))


def may_have_gpu(root: Path = Path("/")) -> bool:
    """Whether a GPU can be here at all, at no cost: on Linux each has a device file."""
    if sys.platform != "linux":
        return True
    return any((root / "dev").glob("nvidia[0-9]*")) or any((root / "dev").glob("dri/renderD*"))


def automatic() -> Gpu | None:
    """The GPU that llama.cpp computes on unless told otherwise; None: it computes on the processor."""
    return next(iter(seen().gpus), None) if may_have_gpu() else None


def for_llama(device: Device | None, model: str) -> Gpu | None:
    """The GPU on which llama.cpp is to serve a GGUF file, None for the processor. Raises LLMOSError, with the remedy,
    where this machine does not have it."""
    if device is None:
        return automatic()
    if device.kind == "cpu":
        return None
    if device.kind in ("mps", "mlx"):
        other = "MLX" if device.kind == "mlx" else "torch"
        raise LLMOSError(
            f"{model} is a GGUF file, which {other} does not load: use `--device metal` on a Mac, or give a folder of "
            "safetensors."
        )
    found = seen()
    for gpu in found.gpus:
        if gpu.device == device:
            return gpu
    raise LLMOSError(missing(device, found))


def missing(device: Device, found: Seen) -> str:
    """One sentence on what was found in the place of a device, with the one command that gets it."""
    here = ", ".join(f"{gpu.device} ({gpu.name})" for gpu in found.gpus)
    if found.trouble:
        return (
            f"llama.cpp cannot be loaded ({found.trouble}): for a wheel with CUDA run `pip install "
            '"llmos-jupyter[cuda]"`, else `pip install --force-reinstall xllamacpp`.'
        )
    if any(gpu.device.kind == device.kind for gpu in found.gpus):
        return f"There is no {device} on this machine, which has {here}: name one of those with `--device`."
    if device.kind == "metal":
        if sys.platform != "darwin":
            return f"Metal is for Apple's GPUs, and this machine has {here or 'none'}: use `--device cpu`."
        return "llama.cpp sees no GPU here: run `pip install --force-reinstall xllamacpp`, then `llmos stop`."
    if device.kind == "cuda" and sys.platform == "linux":
        cards = nvidia_cards()
        if not cards:
            instead = found.gpus[0].device if found.gpus else "cpu"
            return f"No NVIDIA GPU with its driver was found on this machine: use `--device {instead}`."
        return (
            f"{cards[0]} is here, but llama.cpp is installed without CUDA: run `{install('cuda')}`, then `llmos stop`."
        )
    has = f"sees {here}" if here else "is installed for processors only"
    return f"llama.cpp {has}: for {device.kind} run `{install(device.kind)}`, then `llmos stop`."


def nvidia_cards(root: Path = Path("/")) -> list[str]:
    """The names of NVIDIA's GPUs that a driver serves, on Linux, at no cost."""
    files = sorted((root / "proc/driver/nvidia/gpus").glob("*/information"))
    lines = [line for file in files for line in file.read_text(errors="replace").splitlines()]
    return [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]


def unused_instructions(root: Path = Path("/")) -> str:
    """What this processor can do that llama.cpp's wheel for Linux, built for all processors, leaves unused; empty if
    that is unknown. (On other systems the wheel uses it, or cannot be told.)"""
    try:
        flags = set(
            (root / "proc/cpuinfo").read_text(errors="replace").partition("flags")[2].partition("\n")[0].split()
        )
    except OSError:
        return ""
    names = {"avx512f": "AVX-512", "amx_tile": "AMX"}
    return " and ".join(name for flag, name in names.items() if flag in flags)


def install(kind: str) -> str:
    """The one command that puts llama.cpp on this kind of device."""
    if kind not in _WHEELS:
        return "pip install --force-reinstall xllamacpp"
    libraries = 'pip install "llmos-jupyter[cuda]" && ' if kind == "cuda" and sys.platform == "linux" else ""
    return f"{libraries}pip install --force-reinstall --index-url {_INDEX}/{_WHEELS[kind]} xllamacpp"


def for_folder(device: Device | None, model: str, made_for_mlx: bool) -> tuple[str, str]:
    """The engine that a device asks for with a folder of safetensors (empty: any), and the device in torch's words.
    Whether torch has it is seen in its child: importing torch takes seconds. Raises LLMOSError, with the remedy."""
    if device is None:
        return "", "auto"
    if device.kind == "vulkan":
        raise LLMOSError(
            f"Neither torch nor MLX computes with Vulkan: give a .gguf file of {model}, or another device."
        )
    if device.kind in ("mlx", "metal"):
        if importlib.util.find_spec("mlx_lm") is None:
            raise LLMOSError(
                'MLX is not installed on this machine: run `pip install "llmos-jupyter[mlx]"`, then `llmos stop`.'
            )
        return MLX, "auto"
    if made_for_mlx:
        raise LLMOSError(f"{model} was quantised for MLX, which torch does not load: use `--device mlx`.")
    if importlib.util.find_spec("torch") is None:
        raise LLMOSError(
            'torch is not installed on this machine: run `pip install "llmos-jupyter[torch]"`, then `llmos stop`.'
        )
    if device.kind in ("cuda", "rocm"):  # torch's builds for ROCm say cuda
        return TRANSFORMERS, f"cuda:{device.index}"
    return TRANSFORMERS, device.kind
