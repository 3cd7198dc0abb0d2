"""What this machine has: processors, memory, GPUs. Looking never raises; where there is nothing it says why.

GPUs are NVIDIA's, asked through NVML; a MIG device is a GPU of its own. Apple's GPU has no memory of its own: `Metal`
says how much of the machine's it may hold.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llmos_jupyter.system import hardware

SYSCTL = ("sysctl", "hw.memsize", "hw.optional.arm64", "iogpu.wired_limit_mb")
SYSCTL_TIMEOUT = 5.0
# Of the machine's memory, what Metal holds for its GPU if nobody set a limit: at least. `recommendedMaxWorkingSetSize`
# is reported as 10.67 of 16 GiB, 17.76 of 24 and 107.5 of 128 (exo-explore/exo#1672, sgl-project/sglang#29949,
# antirez/ds4#893); Apple documents no figure.
METAL_SHARE = 2 / 3


@dataclass(frozen=True)
class Gpu:
    """A GPU, or one of the MIG devices that a GPU is divided into. Memory in bytes, 0 where the driver does not tell.

    `index`: as `nvidia-smi` counts. `uuid`: how CUDA_VISIBLE_DEVICES names it whatever the order.
    """

    index: int
    uuid: str
    name: str
    memory_total: int
    memory_free: int
    mig: int | None = None

    @property
    def number(self) -> str:
        return str(self.index) if self.mig is None else f"{self.index}:{self.mig}"


@dataclass(frozen=True)
class Metal:
    """The memory that Apple's GPU shares with the processors, and what of it can be the GPU's at once; bytes."""

    memory_total: int
    working_set: int


@dataclass(frozen=True)
class Devices:
    """What this process may use. `why`: one sentence that says what kept GPUs from being found, or empty."""

    processors: hardware.Processors
    memory: hardware.Memory
    gpus: tuple[Gpu, ...] = ()
    why: str = ""
    metal: Metal | None = None


def look() -> Devices:
    """What there is now. Asks drivers, which can take a second the first time: not for an event loop's thread."""
    gpus, why = _nvidia()
    allowed = visible(gpus, os.environ.get("CUDA_VISIBLE_DEVICES"))
    if gpus and not allowed:
        why = "CUDA_VISIBLE_DEVICES hides all GPUs from the daemon."
    metal = _metal_here() if sys.platform == "darwin" else None
    return Devices(hardware.processors(), hardware.memory(), tuple(allowed), why, metal)


def visible(gpus: Sequence[Gpu], setting: str | None) -> list[Gpu]:
    """The GPUs that CUDA_VISIBLE_DEVICES lets a process see, in its order; all where it is not set.

    After an entry that names none, all the rest are invisible (CUDA programming guide, environment variables). Numbers
    are taken as `nvidia-smi` counts: CUDA itself may order unequal GPUs by speed, unless CUDA_DEVICE_ORDER=PCI_BUS_ID.
    """
    if setting is None:
        return list(gpus)
    seen: list[Gpu] = []
    for entry in filter(None, map(str.strip, setting.split(","))):
        named = [gpu for gpu in gpus if str(gpu.index) == entry or (gpu.uuid.startswith(entry) and not entry.isdigit())]
        if not named:
            break
        seen += [gpu for gpu in named if gpu not in seen]
    return seen


# --- NVIDIA ---------------------------------------------------------------------------------------


def _nvidia() -> tuple[list[Gpu], str]:
    """The GPUs there are, and one sentence for what could not be asked.

    NVML counts who initialised it and begins anew only when nobody is left (nvmlShutdown's documentation). Between
    looks it is not held here: after a reset of the driver that would keep the sampler from ever seeing the GPUs again.
    """
    import pynvml

    gpus: list[Gpu] = []
    why = ""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return [], why_none(error)
    try:
        for index in range(pynvml.nvmlDeviceGetCount()):
            try:
                gpus += _gpus_at(index)
            except pynvml.NVMLError as error:
                why = f"GPU {index} cannot be asked ({error}): `nvidia-smi` may tell more."
    except pynvml.NVMLError as error:
        gpus, why = [], why_none(error)
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()
    return gpus, why or ("" if gpus else "The NVIDIA driver is there, and no GPU.")


def why_none(error: Any) -> str:
    """One sentence for an NVMLError that keeps all GPUs from being seen."""
    import pynvml

    if isinstance(error, pynvml.NVMLError_LibraryNotFound):
        return "No NVIDIA driver is installed here (libnvidia-ml.so.1 was not found)."
    return f"The NVIDIA driver does not answer ({error}): `nvidia-smi` may tell more."


def _gpus_at(index: int) -> Iterator[Gpu]:
    """The GPU of this number, or the MIG devices that it is divided into. Raises NVMLError."""
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    try:
        divided = pynvml.nvmlDeviceGetMigMode(handle)[0] == pynvml.NVML_DEVICE_MIG_ENABLE
    except (pynvml.NVMLError_NotSupported, pynvml.NVMLError_FunctionNotFound):
        divided = False
    if not divided:
        yield _gpu(handle, index)
        return
    for number in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            part = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
        except pynvml.NVMLError_NotFound:
            continue
        yield _gpu(part, index, number)


def _gpu(handle: Any, index: int, mig: int | None = None) -> Gpu:
    import pynvml

    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        total, free = int(memory.total), int(memory.free)
    except pynvml.NVMLError_NotSupported:  # a GPU that shares the machine's memory
        total = free = 0
    return Gpu(index, pynvml.nvmlDeviceGetUUID(handle), pynvml.nvmlDeviceGetName(handle), total, free, mig)


# --- Apple ----------------------------------------------------------------------------------------


def _metal_here() -> Metal | None:
    try:
        # One name that is unknown to an older system leaves the others' lines and an exit code of 1.
        said = subprocess.run(SYSCTL, capture_output=True, text=True, timeout=SYSCTL_TIMEOUT, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return metal(said)


def metal(said: str) -> Metal | None:
    """What `sysctl` said (see SYSCTL), understood; None for a machine without Apple's GPU."""
    values = {name: int(value) for name, value in re.findall(r"^([\w.]+): (\d+)$", said, re.MULTILINE)}
    total = values.get("hw.memsize", 0)
    if not total or not values.get("hw.optional.arm64"):
        return None
    limit = values.get("iogpu.wired_limit_mb", 0) * 2**20
    return Metal(total, min(limit, total) if limit else int(total * METAL_SHARE))
