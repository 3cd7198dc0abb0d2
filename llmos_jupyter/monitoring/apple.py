"""Apple's GPU at one moment, without administrator's rights: what its driver notes in the IO registry.

`ioreg` prints the registry's IOAccelerator entries as a property list. "Device Utilization %" is the driver's own
average; "In use system memory" are the bytes of the machine's memory that the GPU holds. Apple documents neither: the
names are those that powermetrics-like tools read (macmon, asitop, exelban/stats).
"""

from __future__ import annotations

import plistlib
import subprocess
import time
from typing import Any
from xml.parsers.expat import ExpatError

from llmos_jupyter.protocol import GpuSample

IOREG = ("ioreg", "-a", "-r", "-d", "1", "-w", "0", "-c", "IOAccelerator")
TIMEOUT = 2.0
# Seconds between two looks, each of which starts a process: once a second, less what a timer may be early.
LEAST = 0.9


class Apple:
    """What was read last is told again until a second has passed."""

    def __init__(self) -> None:
        self._asked: float | None = None
        self._said: tuple[list[GpuSample], str] = ([], "")

    def read(self) -> tuple[list[GpuSample], str]:
        """The GPUs, or one sentence that says why they cannot be seen."""
        now = time.monotonic()
        if self._asked is None or now - self._asked >= LEAST:
            self._asked, self._said = now, read()
        samples, why = self._said
        return [sample.model_copy(deep=True) for sample in samples], why  # whoever completes a sample changes it


def read() -> tuple[list[GpuSample], str]:
    """The GPUs, or one sentence that says why they cannot be seen."""
    try:
        said = subprocess.run(IOREG, capture_output=True, timeout=TIMEOUT, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return [], f"Apple's GPU cannot be asked ({type(error).__name__}): `ioreg -c IOAccelerator` may tell more."
    samples = understood(said)
    return samples, "" if samples else "No GPU stands in this Mac's IO registry."


def understood(said: bytes) -> list[GpuSample]:
    """What `ioreg` said (see IOREG); entries without performance statistics are left out."""
    try:
        entries = plistlib.loads(said) if said.strip() else []
    except (plistlib.InvalidFileException, ExpatError, ValueError):
        return []
    found: list[GpuSample] = []
    for entry in entries if isinstance(entries, list) else []:
        statistics = entry.get("PerformanceStatistics") if isinstance(entry, dict) else None
        if isinstance(statistics, dict):
            found.append(
                GpuSample(
                    id=str(len(found)),
                    name=_name(entry),
                    percent=_number(statistics, "Device Utilization %"),
                    memory_used=_whole(statistics, "In use system memory"),
                )
            )
    return found


def _name(entry: dict[str, Any]) -> str:
    name = entry.get("model", "Apple GPU")
    if isinstance(name, bytes):  # of Intel Macs' cards
        name = name.rstrip(b"\0").decode("utf-8", "replace")
    cores = entry.get("gpu-core-count")
    return f"{name}, {cores} cores" if isinstance(cores, int) else str(name)


def _number(statistics: dict[str, Any], key: str) -> float | None:
    value = statistics.get(key)
    return float(value) if isinstance(value, int | float) else None


def _whole(statistics: dict[str, Any], key: str) -> int | None:
    value = _number(statistics, key)
    return None if value is None else int(value)
