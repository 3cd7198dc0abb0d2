"""How much of this machine's processors and memory this process may use.

Affinity and control groups count: a container (Binder, Kubernetes, Slurm) sees 64 cores and may use two.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True)
class Processors:
    """Logical processors and the physical cores they are of."""

    logical: int
    physical: int


@dataclass(frozen=True)
class Memory:
    """Bytes."""

    total: int
    available: int


@dataclass(frozen=True)
class Limits:
    """What the control groups of this process allow; None: no limit. Memory in bytes."""

    memory: int | None = None
    memory_left: int | None = None
    cores: float | None = None


def processors(root: Path = Path("/")) -> Processors:
    """The processors this process may run on. `root` is where `proc` and `sys` lie."""
    logical = psutil.cpu_count() or 1
    physical = psutil.cpu_count(logical=False) or logical
    if hasattr(os, "sched_getaffinity"):
        allowed = os.sched_getaffinity(0)
        logical = min(logical, len(allowed))
        physical = min(_physical(allowed, root) or physical, logical)
    quota = container_limits(root).cores
    if quota is not None:
        logical, physical = min(logical, int(quota)), min(physical, int(quota))
    return Processors(max(logical, 1), max(physical, 1))


def memory(root: Path = Path("/")) -> Memory:
    """The memory this process may use. `root` is where `proc` and `sys` lie."""
    machine, limits = psutil.virtual_memory(), container_limits(root)
    return Memory(
        total=min(machine.total, limits.memory) if limits.memory is not None else machine.total,
        available=min(machine.available, limits.memory_left) if limits.memory_left is not None else machine.available,
    )


def _physical(processors: Iterable[int], root: Path) -> int:
    """The cores that these logical processors are of; 0 where the system does not tell."""
    folder = root / "sys/devices/system/cpu"
    cores = {_text(folder / f"cpu{number}/topology/thread_siblings_list").strip() for number in processors}
    return 0 if "" in cores else len(cores)


# --- control groups (Linux) -----------------------------------------------------------------------

# "No limit" in version 1 is the largest page-aligned number; nothing real is near it.
_NO_LIMIT = 1 << 60


def container_limits(root: Path = Path("/")) -> Limits:
    """The tightest limits of the control groups (version 1 and 2) this process is in, and of their parents.

    Page cache that the kernel would give back does not count as used. `root` is where `proc` and `sys` lie.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return Limits()  # no Linux, or no control groups
    limits: list[Limits] = []
    base = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            limits += [_version_2(folder) for folder in _upwards(base, path)]
            limits += [_version_2(folder) for folder in _upwards(base / "unified", path)]
        for controller in controllers.split(","):
            if controller in ("memory", "cpu"):
                # The mount bears the names of all its controllers (`cpu,cpuacct`); links are usual.
                tops = {base / controllers, base / controller}
                limits += [_version_1(folder) for top in tops for folder in _upwards(top, path)]
    return Limits(
        _least(limit.memory for limit in limits),
        _least(limit.memory_left for limit in limits),
        _least(limit.cores for limit in limits),
    )


def _upwards(top: Path, path: str) -> list[Path]:
    """The group's folder and all above it up to the mount. In a container only the mount itself exists."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    return [top.joinpath(*parts[:length]) for length in range(len(parts), -1, -1)]


def _version_2(folder: Path) -> Limits:
    limit = _number(folder / "memory.max")
    used = _working_set(folder, "memory.current", "inactive_file")
    quota = re.match(r"(\d+) (\d+)", _text(folder / "cpu.max"))
    cores = int(quota[1]) / int(quota[2]) if quota and int(quota[2]) else None
    return Limits(limit, None if limit is None else max(limit - used, 0), cores)


def _version_1(folder: Path) -> Limits:
    limit = _number(folder / "memory.limit_in_bytes")
    used = _working_set(folder, "memory.usage_in_bytes", "total_inactive_file")
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    cores = quota / period if quota and period else None
    return Limits(limit, None if limit is None else max(limit - used, 0), cores)


def _working_set(folder: Path, usage: str, reclaimable: str) -> int:
    cached = re.search(rf"^{reclaimable} (\d+)$", _text(folder / "memory.stat"), re.MULTILINE)
    return max((_number(folder / usage) or 0) - (int(cached[1]) if cached else 0), 0)


def _number(file: Path) -> int | None:
    """The positive number in a file; None for no file, `max`, -1 or "no limit"."""
    text = _text(file).strip()
    return int(text) if text.isdecimal() and int(text) < _NO_LIMIT else None


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _least(values: Iterable[_Number | None]) -> _Number | None:
    return min((value for value in values if value is not None), default=None)
