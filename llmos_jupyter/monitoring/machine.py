"""Processors, memory and disk at one moment. Asks the operating system only: a millisecond or two.

What cannot be read is left out, and the rest is told.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil

from llmos_jupyter.monitoring.in_time import Hangs, InTime
from llmos_jupyter.protocol import Sample
from llmos_jupyter.system import hardware

# Seconds that the disk may take to tell its free space: one of a network whose server is away never does.
DISK_PATIENCE = 0.5
# What psutil raises where a system tells something else than it expects, or nothing.
UNREADABLE = (OSError, RuntimeError, ValueError, KeyError, psutil.Error)


class Machine:
    """What is used of this machine; rates and percentages are since the reading before."""

    def __init__(self, folder: Path) -> None:
        """`folder`: on whose disk the free space is told."""
        self._free = InTime(lambda: int(psutil.disk_usage(str(folder)).free), "llmos-disk")
        self._disk: tuple[float, int, int] | None = None
        self._cores()  # of the first reading there is nothing before

    def read(self) -> Sample:
        memory = _memory()
        sample = Sample(
            at=time.time(),
            cores=self._cores(),
            memory_used=memory.total - memory.available,
            memory_total=memory.total,
        )
        with contextlib.suppress(*UNREADABLE):  # not told in some containers
            swap = psutil.swap_memory()
            sample.swap_used, sample.swap_total = swap.used, swap.total
        with contextlib.suppress(*UNREADABLE, Hangs):
            sample.disk_free = self._free.read(DISK_PATIENCE)
        with contextlib.suppress(*UNREADABLE):
            self._read_disk(sample)
        return sample

    @staticmethod
    def _cores() -> list[float]:
        try:
            return list(psutil.cpu_percent(percpu=True))
        except UNREADABLE:
            return []

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


def _memory() -> hardware.Memory:
    """The container's; the machine's where the control groups cannot be read."""
    try:
        return hardware.memory()
    except UNREADABLE:
        machine = psutil.virtual_memory()
        return hardware.Memory(machine.total, machine.available)
