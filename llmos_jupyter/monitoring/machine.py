"""Processors, memory and disk at one moment. Asks the operating system only: a millisecond or two."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil

from llmos_jupyter import hardware
from llmos_jupyter.protocol import Sample


class Machine:
    """What is used of this machine; rates and percentages are since the reading before."""

    def __init__(self, folder: Path) -> None:
        """`folder`: on whose disk the free space is told."""
        self._folder = folder
        self._disk: tuple[float, int, int] | None = None
        psutil.cpu_percent(percpu=True)  # of the first reading there is nothing before

    def read(self) -> Sample:
        memory = hardware.memory()
        sample = Sample(
            at=time.time(),
            cores=psutil.cpu_percent(percpu=True),
            memory_used=memory.total - memory.available,
            memory_total=memory.total,
        )
        with contextlib.suppress(OSError, RuntimeError):  # not told in some containers
            swap = psutil.swap_memory()
            sample.swap_used, sample.swap_total = swap.used, swap.total
        with contextlib.suppress(OSError):
            sample.disk_free = psutil.disk_usage(str(self._folder)).free
        with contextlib.suppress(OSError, RuntimeError):
            self._read_disk(sample)
        return sample

    def _read_disk(self, sample: Sample) -> None:
        disk = psutil.disk_io_counters()
        if disk is None:  # no disk of its own
            return
        now, before = time.monotonic(), self._disk
        self._disk = (now, disk.read_bytes, disk.write_bytes)
        if before is not None and now > before[0]:
            seconds = now - before[0]
            sample.disk_read = max(0, disk.read_bytes - before[1]) / seconds
            sample.disk_written = max(0, disk.write_bytes - before[2]) / seconds
