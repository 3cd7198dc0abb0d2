"""NVIDIA's GPUs at one moment, through NVML.

What NVML calls utilisation is itself an average over the driver's last period, a sixth of a second to a second by
product: the share of that time in which any kernel ran, not how much of the GPU was busy. A MIG device has none.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import psutil

from llmos_jupyter.monitoring.devices import why_none
from llmos_jupyter.protocol import GpuProcess, GpuSample

T = TypeVar("T")

# Seconds between two lists of what there is; and the least between two of which the first met something that failed.
LIST_EVERY = 60.0
BACK_OFF = 5.0


@dataclass
class _Device:
    """A GPU, or a MIG device of one: how it is asked, and what never changes."""

    handle: Any
    number: str
    uuid: str
    name: str
    divided: bool = False
    # Microseconds since the epoch, by the driver: samples of processes up to here have been seen.
    seen: int = field(default_factory=lambda: int((time.time() - 1) * 1e6))


class Nvidia:
    """Keeps the handles between readings, and lists them anew now and then: a GPU may have been divided meanwhile."""

    def __init__(self) -> None:
        self._devices: list[_Device] = []
        self._missing = ""
        self._listed = -math.inf
        self._ready = False
        self._well = True

    def read(self) -> tuple[list[GpuSample], str]:
        """The GPUs, and one sentence on what could not be asked. Belongs to one thread, which a driver may hang."""
        import pynvml

        if time.monotonic() - self._listed >= (LIST_EVERY if self._well else BACK_OFF):
            self._list()
        samples: list[GpuSample] = []
        why = self._missing
        for device in self._devices:
            try:
                samples.append(_sample(device))
            except pynvml.NVMLError as error:
                why = _why_not(device.number, error)
        self._well = not why
        return samples, why

    def _list(self) -> None:
        """Find out what there is. What is well is not shut down for it: a GPU that nobody holds open falls asleep, and
        takes seconds to wake."""
        import pynvml

        if self._ready and not self._well:  # a driver that was reset must be asked afresh
            self._ready = False
            with contextlib.suppress(pynvml.NVMLError):
                pynvml.nvmlShutdown()
        seen = {device.uuid: device.seen for device in self._devices}
        self._devices = []
        try:
            if not self._ready:
                pynvml.nvmlInit()
                self._ready = True
            self._devices, self._missing = _devices()
            if not self._devices and not self._missing:
                self._missing = "The NVIDIA driver is there, and no GPU."
        except pynvml.NVMLError as error:
            self._missing = why_none(error)
        for device in self._devices:
            device.seen = seen.get(device.uuid, device.seen)
        self._listed = time.monotonic()


def _devices() -> tuple[list[_Device], str]:
    """All there are, and one sentence where a GPU is there and cannot be asked: the others can."""
    import pynvml

    found: list[_Device] = []
    why = ""
    for index in range(pynvml.nvmlDeviceGetCount()):
        try:
            found += _devices_at(index)
        except pynvml.NVMLError as error:
            why = _why_not(str(index), error)
    return found, why


def _devices_at(index: int) -> list[_Device]:
    """The GPU of this number, or the MIG devices it is divided into. Raises NVMLError."""
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    mode = _told(partial(pynvml.nvmlDeviceGetMigMode, handle))
    if mode is None or mode[0] != pynvml.NVML_DEVICE_MIG_ENABLE:
        return [_device(handle, str(index))]
    found: list[_Device] = []
    for number in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        with contextlib.suppress(pynvml.NVMLError_NotFound):
            part = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
            found.append(_device(part, f"{index}:{number}", divided=True))
    return found


def _why_not(number: str, error: Exception) -> str:
    return f"GPU {number} cannot be asked ({error}): `nvidia-smi` may tell more."


def _device(handle: Any, number: str, *, divided: bool = False) -> _Device:
    import pynvml

    return _Device(handle, number, pynvml.nvmlDeviceGetUUID(handle), pynvml.nvmlDeviceGetName(handle), divided)


def _sample(device: _Device) -> GpuSample:
    """Raises NVMLError where the GPU itself is gone; what it merely does not tell is None."""
    import pynvml

    handle = device.handle
    memory = _told(lambda: pynvml.nvmlDeviceGetMemoryInfo(handle))
    sample = GpuSample(
        id=device.number,
        uuid=device.uuid,
        name=device.name,
        memory_used=int(memory.used) if memory else None,
        memory_total=int(memory.total) if memory else None,
        processes=_processes(device),
    )
    if device.divided:  # the rest is told of the whole GPU only
        return sample
    milliwatts = _known(lambda: pynvml.nvmlDeviceGetPowerUsage(handle))
    limit = _known(lambda: pynvml.nvmlDeviceGetEnforcedPowerLimit(handle))
    sample.percent = _known(lambda: float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu))
    sample.watts = milliwatts / 1000 if milliwatts is not None else None
    sample.watts_limit = limit / 1000 if limit is not None else None
    sample.celsius = _known(lambda: float(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)))
    sample.core_mhz = _known(lambda: int(pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_SM)))
    sample.memory_mhz = _known(lambda: int(pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_MEM)))
    return sample


def _processes(device: _Device) -> list[GpuProcess]:
    import pynvml

    handle = device.handle
    found: dict[int, GpuProcess] = {}
    for ask in (pynvml.nvmlDeviceGetComputeRunningProcesses, pynvml.nvmlDeviceGetGraphicsRunningProcesses):
        for process in _known(partial(ask, handle)) or []:
            found[process.pid] = GpuProcess(
                pid=process.pid, memory_bytes=process.usedGpuMemory or None, name=_name(process.pid)
            )
    shares = _shares(device) if found and not device.divided else None
    if shares is not None:
        for process in found.values():
            process.percent = shares.get(process.pid, 0.0)
    return sorted(found.values(), key=lambda process: -(process.memory_bytes or 0))


def _shares(device: _Device) -> dict[int, float] | None:
    """Percent of the GPU's time by process, the mean of what the driver noted since it was last asked; None where it
    takes no notes. At least of a second, which is how far apart notes may be: between two, nobody would use it."""
    import pynvml

    since = min(device.seen, int((time.time() - 1) * 1e6))
    try:
        noted = pynvml.nvmlDeviceGetProcessUtilization(device.handle, since)
    except pynvml.NVMLError as error:
        if _is_gone(error):
            raise
        # Nothing was noted since: nobody used it. The bindings raise "success" where there is room for none.
        nothing = error.value in (pynvml.NVML_SUCCESS, pynvml.NVML_ERROR_NOT_FOUND)
        return {} if nothing else None
    device.seen = max([device.seen, *(one.timeStamp for one in noted)])
    by_process: dict[int, list[int]] = {}
    for one in noted:
        by_process.setdefault(one.pid, []).append(one.smUtil)
    return {pid: sum(used) / len(used) for pid, used in by_process.items()}


def _told(ask: Callable[[], T]) -> T | None:
    """What a call says; None where this GPU, this driver or this user is not told. Raises other NVMLErrors."""
    import pynvml

    try:
        return ask()
    except (
        pynvml.NVMLError_NotSupported,
        pynvml.NVMLError_FunctionNotFound,
        pynvml.NVMLError_NoPermission,
        pynvml.NVMLError_NotFound,
        pynvml.NVMLError_InvalidArgument,
    ):
        return None


def _known(ask: Callable[[], T]) -> T | None:
    """As `_told`, and None for whatever else goes wrong with this one call: a sensor may answer "unknown error", the
    list of processes may grow while it is asked for. Raises NVMLError where the GPU or its driver is gone."""
    import pynvml

    try:
        return ask()
    except pynvml.NVMLError as error:
        if _is_gone(error):
            raise
        return None


def _is_gone(error: Any) -> bool:
    """Whether only beginning anew can help."""
    import pynvml

    return error.value in (
        pynvml.NVML_ERROR_UNINITIALIZED,
        pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
        pynvml.NVML_ERROR_GPU_IS_LOST,
        pynvml.NVML_ERROR_RESET_REQUIRED,
        pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
    )


def _name(pid: int) -> str:
    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:  # of another user or container, or ended
        return ""
