"""How much memory a process takes, and how much of that the system still calls free."""

from __future__ import annotations

import functools
from typing import NamedTuple

import psutil

from llmos_jupyter.system import hardware


class ProcessMemory(NamedTuple):
    """Bytes. `counted`: what the system does not count as free any more."""

    taken: int = 0
    counted: int = 0


def of(pid: int | None) -> ProcessMemory:
    """Nothing for a process that has ended, and for None.

    Linux counts the pages of a mapped file, such as a model's weights, as free, since it could read them again; in a
    control group with a limit those in use count as taken.
    """
    try:
        memory = psutil.Process(pid).memory_info() if pid else None
    except psutil.Error:
        memory = None
    if memory is None:
        return ProcessMemory()
    mapped = 0 if _limited() else getattr(memory, "shared", 0)
    return ProcessMemory(memory.rss, max(0, memory.rss - mapped))


@functools.lru_cache(maxsize=1)
def _limited() -> bool:
    return hardware.container_limits().memory is not None
